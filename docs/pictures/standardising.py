"""Test accuracy against the scale of the features."""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skfnn import FNNClassifier

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X / 16, y, random_state=0)


def accuracy(standardize, factor):
    clf = FNNClassifier(standardize=standardize, learning_rate_init=0.2, max_iter=20)
    clf.set_params(n_iter_no_change=None, random_state=0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it says that it learned nothing
            clf.fit(X_train * factor, y_train)
        return clf.score(X_test * factor, y_test)
    except ValueError:  # training diverged
        return 0.1


factors = 10.0 ** np.arange(-4, 4.5, 0.5)
fig, ax = plt.subplots(figsize=(7, 3.2), layout="constrained")
for standardize, style in (("auto", "o-"), (False, "s--")):
    scores = [accuracy(standardize, factor) for factor in factors]
    ax.plot(factors, scores, style, label=f"standardize={standardize!r}")
ax.axhline(0.1, color="0.6", linewidth=1, label="guessing")
ax.set(xscale="log", ylabel="test accuracy")
ax.set_xlabel("factor by which the pixels are multiplied")
ax.legend()
ax.grid(alpha=0.3)
