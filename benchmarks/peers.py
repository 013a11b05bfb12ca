"""Microseconds per iteration of gradient descent, for skfnn, MLPClassifier, PyTorch and JAX."""

from . import _data, _timing
from ._bench import check_equal_losses, start_benches
from ._report import RESULTS, begin, number, numbers, parser, print_table, write_csv
from ._tasks import ACTIVATIONS, SOLVERS, make_task
from ._trainers import PACKAGES, present

BASE = "skfnn"
FLOOR = "gemm"


def main():
    options = parser(__doc__)
    add = options.add_argument
    add("--solver", choices=SOLVERS, default="sgd")
    add("--nets", type=numbers(str), default=["784-128-64-10", "784-512-256-10"], help="layer sizes")
    add("--batch-sizes", type=numbers(str), default="1,10,32,100,1000,full")
    add("--peers", type=numbers(str), default="skfnn,sklearn,torch,jax", help=f"some of {', '.join(PACKAGES)}")
    add("--gemm", action="store_true", help="also time the bare matrix products of an iteration")
    add("--epochs", type=int, default=7, help="timed epochs per peer")
    add("--rows", type=int, default=None, help="rows per epoch; default: enough for --iterations, at most 60,000")
    add("--iterations", type=int, default=3000, help="the most iterations per epoch if --rows is not given")
    add("--activation", choices=ACTIVATIONS, default="relu")
    add("--name", default=None, help="name of the files under results/")
    arguments = options.parse_args()
    if arguments.quick:
        arguments.nets, arguments.batch_sizes = ["784-128-64-10"], ["1", "32", "full"]
        arguments.epochs, arguments.iterations, arguments.rows = 2, 50, arguments.rows or 2000

    line = begin(arguments)
    _data.announce_mnist()
    peers = present(arguments.peers + [FLOOR] * (arguments.gemm and FLOOR not in arguments.peers))
    workers = start_benches(peers, "mnist")
    records = []
    for net in arguments.nets:
        for batch_size in arguments.batch_sizes:
            task = _task(arguments, net, batch_size)
            print(f"{net}, {arguments.solver}, Omega = {batch_size}, {task.rows} rows per epoch:", flush=True)
            check_equal_losses(workers, task)
            setup = {name: worker.call("prepare", task) for name, worker in workers.items()}
            samples = _timing.alternate(workers, arguments.epochs, "timed_epoch")
            now = [_record(arguments, net, batch_size, task, name, samples, setup[name]) for name in peers]
            _print(now, FLOOR in peers)
            records += now
            for worker in workers.values():
                worker.call("release")
    for worker in workers.values():
        worker.close()

    name = arguments.name or f"peers-{arguments.solver}-{arguments.threads}t"
    print_table(["net", "solver", "Omega", *(f"{peer} us" for peer in peers)], list(_wide(records, peers, "us")))
    print_table(
        ["net", "solver", "Omega", *(f"{peer} / {BASE}" for peer in peers)], list(_wide(records, peers, "ratio"))
    )
    write_csv(name, records, line)
    plot(records, RESULTS / f"{name}.png", line)


def _task(arguments, net, batch_size):
    sizes = [int(size) for size in net.split("-")]
    if sizes[0] != 784 or sizes[-1] != 10:
        raise SystemExit(f"--nets: MNIST needs 784-...-10, got {net}.")
    most = 60_000
    if batch_size != "full" and arguments.rows is None:
        most = min(most, arguments.iterations * int(batch_size))
    rows = min(most, arguments.rows or most)
    if batch_size != "full" and arguments.quick:
        rows = min(rows, arguments.iterations * int(batch_size))
    return make_task(sizes, batch_size, rows, arguments.solver, activation=arguments.activation)


def _record(arguments, net, batch_size, task, name, samples, setup):
    """The record of one peer at one setting."""
    own, scale = samples[name], 1e6 / task.iterations
    low, high = _timing.quartiles(own)
    return {
        "net": net,
        "solver": arguments.solver,
        "batch_size": batch_size,
        "rows": task.rows,
        "threads": arguments.threads,
        "peer": name,
        "us": _timing.median(own) * scale,
        "us_quartile_1": low * scale,
        "us_quartile_3": high * scale,
        "ratio": _timing.paired_ratio(own, samples[BASE]) if BASE in samples else None,
        "ratio_to_gemm": _timing.paired_ratio(own, samples[FLOOR]) if FLOOR in samples else None,
        "busy_cores": _timing.busy_cores(own),
        "setup_seconds": setup,
        "epochs": arguments.epochs,
    }


def _print(records, with_floor):
    """Print the table of one setting."""
    headers = ["peer", "us/iteration", "quartiles", f"/ {BASE}", "busy cores", "setup s"]
    rows = [
        [
            r["peer"],
            r["us"],
            f"{number(r['us_quartile_1'])} - {number(r['us_quartile_3'])}",
            r["ratio"],
            r["busy_cores"],
            r["setup_seconds"],
        ]
        for r in records
    ]
    if with_floor:
        headers.append("/ gemm")
        rows = [[*row, r["ratio_to_gemm"]] for row, r in zip(rows, records, strict=True)]
    print_table(headers, rows)


def _wide(records, peers, key):
    """Yield one row per setting, with one column per peer."""
    for start in range(0, len(records), len(peers)):
        group = records[start : start + len(peers)]
        yield [group[0]["net"], group[0]["solver"], group[0]["batch_size"], *(r[key] for r in group)]


def plot(records, path, title):
    """Draw the time per iteration and its ratio to skfnn's against the batch size, one column of panels per net."""
    try:
        import matplotlib
    except ImportError:
        print("matplotlib: not installed, no plot")
        return
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    nets = list(dict.fromkeys(r["net"] for r in records))
    peers = list(dict.fromkeys(r["peer"] for r in records))
    panels = {"us": "microseconds per iteration", "ratio": f"time / time of {BASE}"}
    figure, axes = plt.subplots(2, len(nets), figsize=(5.5 * len(nets), 8), sharex="col", squeeze=False)
    for column, net in enumerate(nets):
        for row, (key, label) in enumerate(panels.items()):
            ax = axes[row, column]
            for peer in peers:
                points = [r for r in records if r["net"] == net and r["peer"] == peer and r[key] is not None]
                x = [r["rows"] if r["batch_size"] == "full" else int(r["batch_size"]) for r in points]
                style = {"color": "0.6", "linestyle": "--"} if peer == FLOOR else {"marker": "o"}
                ax.plot(x, [r[key] for r in points], label=peer, **style)
            ax.set(xscale="log", yscale="log", ylabel=label)
            ax.grid(alpha=0.3, which="both", linewidth=0.5)
        axes[0, column].set_title(f"{net}, {records[0]['solver']}, {records[0]['threads']} thread(s)")
        axes[1, column].set_xlabel("batch size")
    axes[0, 0].legend()
    figure.text(0.5, 0.005, title.split("; ")[1], ha="center", fontsize=7)
    figure.tight_layout(rect=(0, 0.015, 1, 1))
    figure.savefig(path, dpi=120)
    plt.close(figure)
    print(f"written: {path}")


if __name__ == "__main__":
    main()
