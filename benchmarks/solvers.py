"""Plain SGD, momentum, Adam and L-BFGS at their "auto" learning rates on small, large, sparse and noisy data.

Every solver trains the same network with early stopping on the same validation rows, and is judged on test rows.
"""

import argparse
import inspect
import re
import statistics
import time
import warnings

import numpy as np

from ._report import environment, print_table, write_csv
from ._tables import load

SOLVERS = {
    "plain SGD": {"solver": "sgd"},
    "momentum 0.9": {"solver": "sgd", "momentum": 0.9},
    "Adam": {"solver": "adam"},
    "L-BFGS": {"solver": "lbfgs"},
}
# Rows of length 1 make short gradients, so plain SGD also gets ten times the rate that "auto" chooses.
ONLY = {"sparse": {"plain SGD, eta 0.5": {"solver": "sgd", "learning_rate_init": 0.5}}}
_KEYS = ("data", "rows", "columns", "solver", "accuracy", "accuracy_error", "log_loss", "log_loss_error")
_KEYS = (*_KEYS, "epochs", "seconds")


def small():
    """The measurements of 569 tumours."""
    from sklearn.datasets import load_breast_cancer

    X, y = load_breast_cancer(return_X_y=True)
    return X, y, np.arange(len(y))


def large():
    """20,000 letters as 16 measurements each."""
    X, y = load("classification", "letter")
    return X, y, np.arange(len(y))


def noisy():
    """Which method of contraception 1,473 women use: nobody predicts much more than half of the answers."""
    X, y = load("classification", "contraceptive")
    return X, y, np.arange(len(y))


def text():
    """From which of seven modules of scikit-learn a paragraph of a docstring is; the docstring is the group."""
    import importlib

    from sklearn.feature_extraction.text import TfidfVectorizer

    paragraphs = {}
    for part in ("cluster", "datasets", "decomposition", "ensemble", "linear_model", "metrics", "svm"):
        module = importlib.import_module(f"sklearn.{part}")
        for name in sorted(set(module.__all__) & set(dir(module))):
            document = inspect.getdoc(getattr(module, name)) or ""
            for paragraph in re.split(r"\n\s*\n", document):
                if ">>>" not in paragraph and len(paragraph.split()) >= 10:
                    paragraphs.setdefault(paragraph, (part, f"{part}.{name}"))
    labels, groups = map(np.array, zip(*paragraphs.values(), strict=True))
    counts = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True, dtype=np.float32)
    return counts.fit_transform(paragraphs), labels, groups


DATA = {"small": small, "large": large, "sparse": text, "noisy": noisy}


def split(X, y, groups, seed):
    """Training, validation and test rows, 60, 20 and 20 per cent; a group is never on two sides."""
    from sklearn.model_selection import GroupShuffleSplit

    others, test = next(GroupShuffleSplit(1, test_size=0.2, random_state=seed).split(y, groups=groups))
    inner = GroupShuffleSplit(1, test_size=0.25, random_state=seed)
    fit, val = (others[rows] for rows in next(inner.split(others, groups=groups[others])))
    return [(X[rows], y[rows]) for rows in (fit, val, test)]


def train(parts, params, seed, epochs):
    """Test accuracy, test log loss, epochs and seconds of processor time of one training run."""
    from sklearn.metrics import log_loss

    from skfnn import FNNClassifier

    (X, y), (X_val, y_val), (X_test, y_test) = parts
    net = FNNClassifier(batch_size=32, early_stopping=True, scoring="loss", random_state=seed, **params)
    net.set_params(max_iter=epochs)
    start = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that some runs need more epochs
        net.fit(X, y, X_val=X_val, y_val=y_val)
    seconds = time.process_time() - start
    loss = log_loss(y_test, net.predict_proba(X_test), labels=net.classes_)
    return net.score(X_test, y_test), loss, float(net.n_iter_), seconds


def compare(name, seeds, epochs):
    """One record per solver for the data of this name."""
    X, y, groups = DATA[name]()
    solvers = SOLVERS | ONLY.get(name, {})
    results = {solver: [] for solver in solvers}
    for seed in range(seeds):
        parts = split(X, y, groups, seed)
        for solver, params in solvers.items():
            results[solver].append(train(parts, params, seed, epochs))
    records = []
    for solver, runs in results.items():
        accuracies, losses, n_epochs, seconds = zip(*runs, strict=True)
        scores = [value for sample in (accuracies, losses) for value in (statistics.mean(sample), error(sample))]
        means = (statistics.mean(n_epochs), statistics.median(seconds))
        records.append(dict(zip(_KEYS, (name, *X.shape, solver, *scores, *means), strict=True)))
    return records


def error(sample):
    """The standard error of a mean."""
    return statistics.stdev(sample) / len(sample) ** 0.5 if len(sample) > 1 else None


def main():
    """Compare the solvers and print a table for each kind of data."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one seed and five epochs, to see that it works")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=200, help="the largest number of epochs")
    arguments = parser.parse_args()
    seeds, epochs = (1, 5) if arguments.quick else (arguments.seeds, arguments.epochs)
    line = environment()
    print(line)
    records = []
    for name in DATA:
        records += compare(name, seeds, epochs)
        rows = [list(record.values())[3:] for record in records if record["data"] == name]
        print(f"{name}: {records[-1]['rows']:,} rows, {records[-1]['columns']:,} columns")
        print_table(_KEYS[3:], rows)
    write_csv("solvers", records, line)


if __name__ == "__main__":
    main()
