"""The learning curves of the textbook network on all of MNIST: 784-128-64-10, Omega = 100, eta = 0.1, 100 epochs.

Each epoch gives one point: the loss and the accuracy on the 10,000 test images. The test set does not choose the model.
The benchmark prints the best epoch for comparison only, because nobody can know it without the test set.
"""

import argparse
from pathlib import Path
from statistics import mean, stdev

import numpy as np
from threadpoolctl import threadpool_info

from . import _data
from ._report import RESULTS, environment, numbers, print_table, write_csv

TITLES = {"mnist": "MNIST", "fashion_mnist": "Fashion-MNIST"}


def load(dataset, quick):
    """X and y of the training set and of the test set, as float32 in [0, 1] and class numbers."""
    if quick:
        X, y, X_test, y_test = _data.mnist()
        return X[:2000], y[:2000], X_test[:1000], y_test[:1000]
    import skfnn.datasets

    fetch, scale = getattr(skfnn.datasets, f"fetch_{dataset}"), np.float32(1 / 255)
    (X, y), (X_test, y_test) = (fetch(subset=part, return_X_y=True) for part in ("train", "test"))
    return X * scale, y, X_test * scale, y_test


def train(seed, epochs, X, y, X_test, y_test):
    """The estimator after all epochs."""
    from skfnn import FNNClassifier

    clf = FNNClassifier(
        (128, 64),
        batch_size=100,
        learning_rate_init=0.1,
        max_iter=epochs,
        n_iter_no_change=None,
        random_state=seed,
    )
    return clf.fit(X, y, X_val=X_test, y_val=y_test)


def summary(seed, history):
    """One line of the table."""
    accuracy, loss = (np.array(history[key]) for key in ("validation_score", "validation_loss"))
    best, lowest = int(accuracy.argmax()), int(loss.argmin())
    return {
        "seed": str(seed),
        "final accuracy %": f"{100 * accuracy[-1]:.2f}",
        "best accuracy %": f"{100 * accuracy[best]:.2f}",
        "in epoch": history["epoch"][best],
        "final loss": f"{loss[-1]:.4f}",
        "lowest loss": f"{loss[lowest]:.4f}",
        "in epoch ": history["epoch"][lowest],
        "final training loss": f"{history['loss'][-1]:.5f}",
        "seconds": sum(history["seconds"]),
    }


def draw(histories, title, path):
    """Draw the curves of the first seed in front of the range of all seeds."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    first = next(iter(histories.values()))
    epoch = first["epoch"]
    fig, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    panels = (("validation_loss", 1, "cross-entropy loss"), ("validation_score", 100, "test accuracy in %"))
    for ax, (key, factor, label) in zip(axes, panels, strict=True):
        every = factor * np.array([history[key] for history in histories.values()])
        if len(every) > 1:
            band = f"test, range of {len(every)} seeds"
            ax.fill_between(epoch, every.min(0), every.max(0), color="C0", alpha=0.25, linewidth=0, label=band)
        ax.plot(epoch, every[0], color="C0", label=f"test, seed {next(iter(histories))}")
        best = int(every[0].argmin() if key == "validation_loss" else every[0].argmax())
        word = "lowest" if key == "validation_loss" else "best"
        ax.plot(epoch[best], every[0][best], "*", color="C3", markersize=12, label=f"{word}: epoch {epoch[best]}")
        ax.set(xlabel="epoch", ylabel=label)
        ax.grid(alpha=0.3)
    axes[0].plot(epoch, first["loss"], color="0.45", linestyle="--", label="training (mean over the epoch)")
    axes[0].set(yscale="log")
    if len(epoch) > 1:
        low = min(np.min(history["validation_score"][1:]) for history in histories.values())
        axes[1].set_ylim(100 * low - 0.3)
    for ax in axes:
        ax.legend()
    fig.suptitle(title)
    fig.savefig(path, dpi=120)
    plt.close(fig)
    print(f"written: {path}")


def arguments():
    """The command-line arguments."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--quick", action="store_true", help="few rows and three epochs, to check that it works")
    options.add_argument("--dataset", choices=sorted(TITLES), default="mnist")
    options.add_argument("--seeds", type=numbers(int), default=[0, 1, 2], help="one run per seed (default: 0,1,2)")
    options.add_argument("--epochs", type=int, help="default: 100")
    options.add_argument("--figure", type=Path, help="path of the picture (default: results/DATASET_curves.png)")
    return options.parse_args()


def main():
    """Train, print, draw."""
    given = arguments()
    threads = {str(info["num_threads"]) for info in threadpool_info() if info["user_api"] == "blas"}
    line = f"{environment()}; {', '.join(sorted(threads))} BLAS thread(s)"
    print(line, flush=True)
    name = f"{given.dataset}_curves" + ("-quick" if given.quick else "")
    epochs = given.epochs or (3 if given.quick else 100)
    data = load(given.dataset, given.quick)
    if given.quick:
        _data.announce_mnist()
    histories, table = {}, []
    for seed in given.seeds:
        histories[seed] = train(seed, epochs, *data).history_
        table.append(summary(seed, histories[seed]))
        print(f"seed {seed}: {table[-1]['final accuracy %']} %, {table[-1]['seconds']:.0f} s", flush=True)
    print()
    print_table(list(table[0]), [list(row.values()) for row in table])
    finals = [100 * history["validation_score"][-1] for history in histories.values()]
    if len(finals) > 1:
        print(f"final accuracy: mean {mean(finals):.2f} %, standard deviation {stdev(finals):.2f}")
    records = [
        {"seed": seed} | dict(zip(history, values, strict=True))
        for seed, history in histories.items()
        for values in zip(*history.values(), strict=True)
    ]
    write_csv(name, records, line)
    title = f"{TITLES[given.dataset]}, 784-128-64-10, mini-batches of 100, learning rate 0.1"
    draw(histories, title, given.figure or RESULTS / f"{name}.png")


if __name__ == "__main__":
    main()
