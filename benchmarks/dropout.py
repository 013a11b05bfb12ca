"""Dropout on MNIST: the test accuracy of 784-1024-1024-10 with and without dropout, on the same schedule."""

import argparse
import time
import warnings

from . import _data
from ._report import environment, print_table, write_csv


def train(X, y, X_test, y_test, dropout, epochs, eta):
    """Train once; return the test accuracy after the last epoch, the best of all epochs, and the minutes."""
    from sklearn.exceptions import ConvergenceWarning

    from skfnn import FNNClassifier

    clf = FNNClassifier(
        (1024, 1024),
        dropout=dropout,
        batch_size=100,
        momentum=0.9,
        learning_rate_init=eta,
        learning_rate="cosine",
        max_iter=epochs,
        n_iter_no_change=None,
        random_state=0,
        verbose=True,
    )
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        clf.fit(X, y, X_val=X_test, y_val=y_test)
    return clf.validation_scores_[-1], max(clf.validation_scores_), (time.perf_counter() - start) / 60


def main():
    """Train with and without dropout."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--eta", type=float, default=0.05)
    parser.add_argument("--dropout", type=float, default=0.5)
    arguments = parser.parse_args()
    line = environment()
    print(line)
    _data.announce_mnist()
    data = _data.mnist()
    X_test, y_test = data.X_test, data.y_test
    rows = []
    for dropout in (arguments.dropout, 0.0):
        last, best, minutes = train(data.X, data.y, X_test, y_test, dropout, arguments.epochs, arguments.eta)
        rows.append([f"dropout {dropout:g}", arguments.epochs, 100 * last, 100 * best, minutes])
    headers = ["784-1024-1024-10", "epochs", "test accuracy %", "best of all epochs %", "minutes"]
    print_table(headers, rows)
    write_csv("dropout", [dict(zip(headers, row, strict=True)) for row in rows], line)


if __name__ == "__main__":
    main()
