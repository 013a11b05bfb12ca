"""Networks that the displays draw, and what is seen in the pictures."""

import numpy as np
from sklearn.datasets import load_digits

from skfnn import FNNClassifier

digits = load_digits()
X, y = digits.data[:300] / 16, digits.target[:300]
X_val, y_val = digits.data[300:400] / 16, digits.target[300:400]
VALIDATION = {"X_val": X_val, "y_val": y_val}
SETTINGS = {"batch_size": 30, "max_iter": 5, "n_iter_no_change": None, "random_state": 0}


def classifier(**params):
    return FNNClassifier((8,), **(SETTINGS | params))


def values(line):
    """The values that a line shows."""
    return np.asarray(line.get_xdata(), float), np.asarray(line.get_ydata(), float)


def looks(line):
    """The properties of a line that distinguish it from other lines in greyscale."""
    return line.get_linestyle(), line.get_marker()


def entries(axes):
    """The labels in the legend."""
    return [text.get_text() for text in axes.get_legend().get_texts()]


def assert_labelled(axes):
    assert axes.get_xlabel()
    assert axes.get_ylabel()
