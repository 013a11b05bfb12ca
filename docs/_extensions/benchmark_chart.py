"""The first table of ratios of benchmarks/RESULTS.md as a picture."""

from pathlib import Path

# The column of the table, with its name, color and style in the picture.
LOOKS = {
    "sklearn": ("MLPClassifier", "C0", "o-"),
    "torch": ("PyTorch", "C3", "s--"),
    "jax": ("JAX, compiled", "C2", "^-."),
    "gemm": ("bare matrix products", "0.5", "d:"),
}
TICKS = [0.2, 0.5, 1, 2, 5, 10, 20, 50, 100]


def first_ratios(path):
    """Return the names of the columns of the table, and its rows."""
    table = path.read_text(encoding="utf-8").partition("Time divided by that of `skfnn`")[2].split("\n\n")[1]
    head, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    return head, rows


def draw():
    """Draw the ratios against the batch size, a panel for each network."""
    import matplotlib.pyplot as plt

    head, rows = first_ratios(Path("../../benchmarks/RESULTS.md"))  # the working directory is this folder
    nets = list(dict.fromkeys(row[0] for row in rows))
    _, axes = plt.subplots(1, len(nets), figsize=(10, 4.2), sharey=True, squeeze=False, layout="constrained")
    axes = axes[0]
    for ax, net in zip(axes, nets, strict=True):
        these = [row for row in rows if row[0] == net]
        for name, (label, color, style) in LOOKS.items():
            if name in head:
                ratios = [float(row[head.index(name)].replace(",", "")) for row in these]
                ax.plot(range(len(these)), ratios, style, color=color, label=label, markersize=5)
        ax.axhline(1, color="black", lw=1)
        ax.set_xticks(range(len(these)), [row[1] for row in these])
        ax.set(xlabel="batch size $\\Omega$", title=net, yscale="log")
        bottom, top = ax.get_ylim()
        ticks = [tick for tick in TICKS if bottom <= tick <= top]
        ax.set_yticks(ticks, ["1 (skfnn)" if tick == 1 else f"{tick:g}" for tick in ticks])
        ax.minorticks_off()
        ax.grid(alpha=0.3)
    axes[0].set_ylabel("time of an iteration / that of skfnn")
    axes[-1].legend()


if __name__ == "__main__":
    draw()
