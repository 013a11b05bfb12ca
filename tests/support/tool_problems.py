"""A classifier and a regressor for scikit-learn's tools, their tables, and Pyplot without a window."""

import numpy as np
import pytest
import sklearn
from sklearn.utils.fixes import parse_version
from small_tables import X_iris, X_line, flowers, y_line

from skfnn import FNNClassifier, FNNRegressor

SKLEARN = parse_version(sklearn.__version__)

# With n_iter_no_change=None, training does exactly max_iter epochs and does not warn.
SETTINGS = {
    "hidden_layer_sizes": (8,),
    "solver": "adam",
    "learning_rate_init": 0.02,
    "batch_size": 20,
    "max_iter": 12,
    "n_iter_no_change": None,
    "random_state": 0,
}


def classifier(**params):
    return FNNClassifier(**(SETTINGS | params))


def regressor(**params):
    return FNNRegressor(**(SETTINGS | params))


Y_line = np.column_stack([y_line, -2.0 * y_line + X_line[:, 2], X_line[:, 3]])

PROBLEMS = {"classifier": (classifier, X_iris, flowers), "regressor": (regressor, X_line, y_line)}


def agg():
    """Pyplot without a window."""
    pytest.importorskip("matplotlib").use("Agg")
    import matplotlib.pyplot as plt

    return plt
