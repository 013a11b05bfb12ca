"""Validation accuracy against the learning rate, a curve for each batch size."""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skfnn import FNNClassifier

X, y = load_digits(return_X_y=True)
parts = train_test_split(X / 16, y, test_size=0.2, stratify=y, random_state=0)
X_train, X_val, y_train, y_val = parts


def train(batch_size, eta):
    clf = FNNClassifier((32,), batch_size=batch_size, learning_rate_init=eta)
    clf.set_params(max_iter=20, n_iter_no_change=None, random_state=0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it learned nothing
            clf.fit(X_train, y_train)
    except ValueError:  # training diverged
        return eta, 0.1
    return clf.learning_rate_init_ if eta == "auto" else eta, clf.score(X_val, y_val)


fig, ax = plt.subplots(figsize=(7, 3.4), layout="constrained")
styles = {8: "C0o-", 32: "C1s--", 200: "C2^-.", "full": "C3d:"}
for batch_size, style in styles.items():
    rates = 10.0 ** np.arange(-2.5, 1.1, 0.25)
    points = [train(batch_size, eta) for eta in rates]
    label = "full batch" if batch_size == "full" else f"{batch_size} rows"
    ax.plot(*zip(*points, strict=True), style, markersize=4, label=label)
    cross = {"marker": "x", "markersize": 10, "markeredgewidth": 2, "zorder": 5}
    ax.plot(*train(batch_size, "auto"), color="k", **cross)
ax.set(xscale="log", xlabel="learning rate", ylabel="validation accuracy")
fig.legend(loc="outside right upper")
ax.grid(alpha=0.3)
