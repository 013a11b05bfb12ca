"""Published test errors of multilayer perceptrons on MNIST, compared with those of the same networks trained here.

``--choose`` compares the candidate settings of each network on 10,000 training rows that are held out. Without it, the
benchmark trains the chosen setting on all 60,000 rows and tests it once, after the last epoch. Every training run is a
line of ``results/published.csv``. A run that has a line there is not repeated, so an interrupted benchmark continues at
the next start.
"""

import argparse
import csv
import json
import time
from statistics import mean, stdev
from typing import Any, NamedTuple

import numpy as np
from threadpoolctl import threadpool_info

from . import _data
from ._report import RESULTS, environment, numbers, print_table

FIELDS = ("network", "part", "seed", "epochs", "settings", "error", "loss", "minutes", "cpu_minutes", "environment")
N_HELD_OUT = 10_000
COMMON = {"batch_size": 100, "momentum": 0.9, "learning_rate": "cosine"}


class Published(NamedTuple):
    """A network, its published error, and its training settings here."""

    hidden: tuple
    error: float  # per cent of the 10,000 test images
    source: str
    settings: dict[str, Any]  # in addition to COMMON: the candidate with the smallest held-out error
    candidates: tuple  # what --choose compares
    epochs: int = 40
    choose_epochs: int = 20


HINTON = "Hinton (2005), in LeCun's table: softmax, cross-entropy, weight decay"
SIMARD = "Simard, Steinkraus and Platt (2003): cross-entropy"
SRIVASTAVA = "Srivastava et al. (2014): ReLU, dropout"


def sgd(eta, alpha, **more):
    """The settings of a training run with plain SGD."""
    return {"learning_rate_init": eta, "alpha": alpha, **more}


PLAIN = (sgd(0.1, 10.0), sgd(0.1, 20.0), sgd(0.2, 5.0), sgd(0.2, 10.0), sgd(0.2, 20.0), sgd(0.2, 10.0, batch_size=50))
SMOOTHED = tuple(settings | {"label_smoothing": 0.1} for settings in PLAIN[2:])
DROPOUT = (
    sgd(0.1, 20.0, dropout=0.3),
    sgd(0.1, 10.0, dropout=0.3, label_smoothing=0.1),
    sgd(0.1, 10.0, dropout=0.5),
    sgd(0.1, 10.0, dropout=0.5, label_smoothing=0.1),
)

NETWORKS = {
    "784-500-300-10": Published((500, 300), 1.53, HINTON, sgd(0.2, 5.0), PLAIN),
    "784-500-300-10+smoothing": Published((500, 300), 1.53, HINTON, SMOOTHED[1], SMOOTHED),
    "784-800-10": Published((800,), 1.6, SIMARD, sgd(0.2, 5.0), PLAIN),
    "784-800-10+smoothing": Published((800,), 1.6, SIMARD, SMOOTHED[3], SMOOTHED),
    "784-1024-1024-1024-10": Published((1024,) * 3, 1.25, SRIVASTAVA, DROPOUT[1], DROPOUT, choose_epochs=40),
}


def load(quick):
    """X and y of the training set and of the test set, as float32 in [0, 1] and class numbers."""
    if quick:
        X, y, X_test, y_test = _data.mnist()
        return X[:2000], y[:2000], X_test[:1000], y_test[:1000]
    from skfnn.datasets import fetch_mnist

    scale = np.float32(1 / 255)
    (X, y), (X_test, y_test) = (fetch_mnist(subset=part, return_X_y=True) for part in ("train", "test"))
    return X * scale, y, X_test * scale, y_test


def split(X, y):
    """The rows to train on and the held-out rows, the same in every run."""
    order = np.random.default_rng(2003).permutation(len(X))
    n_held_out = min(N_HELD_OUT, len(X) // 6)
    kept, held_out = order[n_held_out:], order[:n_held_out]
    return X[kept], y[kept], X[held_out], y[held_out]


def train(hidden, settings, epochs, seed, X, y, X_test, y_test):
    """Train once; return the error (per cent) and loss after the last epoch, and the clock and processor minutes."""
    from sklearn.metrics import log_loss

    from skfnn import FNNClassifier

    clf = FNNClassifier(hidden, **settings, max_iter=epochs, n_iter_no_change=None, random_state=seed)
    start, cpu_start = time.perf_counter(), time.process_time()
    clf.fit(X, y)
    minutes, cpu_minutes = (time.perf_counter() - start) / 60, (time.process_time() - cpu_start) / 60
    probabilities = clf.predict_proba(X_test)
    error = 100 * float(np.mean(clf.classes_[probabilities.argmax(axis=1)] != y_test))
    # log_loss needs sums that are closer to 1 than float32 allows.
    probabilities = probabilities.astype(np.float64)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    return error, float(log_loss(y_test, probabilities, labels=clf.classes_)), minutes, cpu_minutes


class Log:
    """The finished training runs, in a CSV file that grows by one line per run."""

    def __init__(self, path, environment_line):
        self._path, self._environment = path, environment_line
        self.rows = []
        if path.exists():
            with open(path, "r+", newline="") as file:
                # Remove a line whose writing was interrupted.
                whole = "".join(line for line in file if line.endswith("\n"))
                file.seek(0)
                file.truncate(len(whole.encode()))
            self.rows = list(csv.DictReader(whole.splitlines()))

    def find(self, key):
        """The line of a training run, or None."""
        return next((row for row in self.rows if all(row[name] == str(value) for name, value in key.items())), None)

    def add(self, row):
        """Append the line of a training run before the next run begins."""
        row = {name: str(value) for name, value in (row | {"environment": self._environment}).items()}
        is_new = not self._path.exists() or not self._path.stat().st_size
        with open(self._path, "a", newline="") as file:
            writer = csv.DictWriter(file, FIELDS)
            if is_new:
                writer.writeheader()
            writer.writerow(row)
        self.rows.append(row)
        return row


def run(log, name, part, settings, epochs, seeds, data):
    """Train with every seed, or take the line of the log; return the lines."""
    rows = []
    for seed in seeds:
        key = {"network": name, "part": part, "seed": seed, "epochs": epochs}
        key["settings"] = json.dumps(settings, sort_keys=True)
        row = log.find(key)
        if row is None:
            error, loss, minutes, cpu_minutes = train(NETWORKS[name].hidden, settings, epochs, seed, *data)
            figures = {"error": f"{error:.2f}", "loss": f"{loss:.5f}"}
            times = {"minutes": f"{minutes:.2f}", "cpu_minutes": f"{cpu_minutes:.2f}"}
            row = log.add(key | figures | times)
            done = ", ".join(f"{k}={v}" for k, v in settings.items() if COMMON.get(k) != v)
            print(f"{name}, {part}, {done}, {epochs} epochs, seed {seed}: {error:.2f} %, {minutes:.1f} min", flush=True)
        rows.append(row)
    return rows


def figures(rows, field):
    """The numbers in a column of some lines."""
    return [float(row[field]) for row in rows]


def spread(values):
    """The mean, with the standard deviation if there are several values."""
    return f"{mean(values):.2f}" + (f" +- {stdev(values):.2f}" if len(values) > 1 else "")


def choose(log, name, seeds, epochs, data):
    """Compare the candidates of a network on the held-out rows."""
    network, table = NETWORKS[name], []
    for candidate in network.candidates:
        rows = run(log, name, "held out", COMMON | candidate, epochs or network.choose_epochs, seeds, data)
        text = ", ".join(f"{key}={value}" for key, value in candidate.items())
        table.append([text, spread(figures(rows, "error")), mean(figures(rows, "loss")), sum(figures(rows, "minutes"))])
    table.sort(key=lambda row: float(row[1].split()[0]))
    print(f"\n{name}, {len(data[1]):,} training rows, {len(data[3]):,} held out:")
    print_table(["settings", "held-out error %", "held-out loss", "minutes"], table)


def compare(log, names, seeds, epochs, data):
    """Train the chosen settings on all rows and print the errors beside the published ones."""
    table = []
    for name in names:
        network = NETWORKS[name]
        rows = run(log, name, "test", COMMON | network.settings, epochs or network.epochs, seeds, data)
        errors = figures(rows, "error")
        each = " ".join(f"{error:.2f}" for error in errors)
        minutes = mean(figures(rows, "minutes"))
        table.append([name, f"{network.error:.2f}", spread(errors), each, rows[0]["epochs"], minutes])
    headers = ["network", "published error %", "here, mean", f"seeds {' '.join(map(str, seeds))}", "epochs", "minutes"]
    print()
    print_table(headers, table)
    for name in names:
        print(f"{name}: {NETWORKS[name].source}; here {COMMON | NETWORKS[name].settings}")


def arguments():
    """The command-line arguments."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--quick", action="store_true", help="few rows and one epoch, to check that it works")
    options.add_argument("--choose", action="store_true", help="compare the candidate settings on held-out rows")
    options.add_argument("--nets", type=numbers(str), default=list(NETWORKS), help=f"some of {', '.join(NETWORKS)}")
    options.add_argument("--seeds", type=numbers(int), default=[0, 1, 2], help="one run per seed (default: 0,1,2)")
    options.add_argument("--epochs", type=int, help="default: those of the network")
    given = options.parse_args()
    unknown = set(given.nets) - set(NETWORKS)
    if unknown:
        options.error(f"--nets: {', '.join(sorted(unknown))}: choose from {', '.join(NETWORKS)}")
    return given


def main():
    """Choose settings, or compare with the published errors."""
    given = arguments()
    line = f"{environment()}; {', '.join(sorted(blas_threads()))} BLAS thread(s)"
    print(line, flush=True)
    RESULTS.mkdir(exist_ok=True)
    path, epochs = RESULTS / "published.csv", given.epochs
    if given.quick:
        path, epochs = RESULTS / "published-quick.csv", epochs or 1
        path.unlink(missing_ok=True)
        _data.announce_mnist()
    log, data = Log(path, line), load(given.quick)
    if given.choose:
        data = split(*data[:2])
        for name in given.nets:
            choose(log, name, given.seeds, epochs, data)
    else:
        compare(log, given.nets, given.seeds, epochs, data)
    print(f"written: {path}")


def blas_threads():
    """The numbers of threads that the BLAS libraries use."""
    return {str(info["num_threads"]) for info in threadpool_info() if info["user_api"] == "blas"}


if __name__ == "__main__":
    main()
