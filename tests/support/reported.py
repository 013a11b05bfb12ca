"""The tables of the tests of problems that users reported."""

import numpy as np
import pytest
from sklearn.datasets import load_iris

from skfnn import FNNClassifier, FNNRegressor

rng = np.random.default_rng(0)
X = rng.normal(size=(120, 4))
y = np.repeat([0, 1, 2], 40)
X[np.arange(120), y] += 3.0
labels = np.column_stack([y == 0, y > 0]).astype(int)
VALUES = {FNNClassifier: y, FNNRegressor: X[:, 0] - X[:, 1]}
SETTINGS = {"hidden_layer_sizes": (6,), "max_iter": 20, "n_iter_no_change": None, "random_state": 0}

kinds = pytest.mark.parametrize("kind", [FNNClassifier, FNNRegressor])
SOLVERS = ["sgd", "adam", "lbfgs"]
solvers = pytest.mark.parametrize("solver", SOLVERS)


def classifier(**params):
    return FNNClassifier(**(SETTINGS | params))


X_iris, y_iris = load_iris(return_X_y=True)
X_wide = X_iris * [1.0, 100.0, 1e4, 1.0] + [0.0, 500.0, 0.0, 100.0]
