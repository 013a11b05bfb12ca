"""Networks whose epochs are scored on a validation set."""

import pytest
from sklearn.datasets import make_classification, make_regression

from skfnn import FNNClassifier, FNNRegressor

N, N_VAL, N_EPOCHS = 60, 30, 5
X_all, Y_all = make_regression(N + N_VAL, 5, n_targets=3, noise=30.0, random_state=0)
Y_all = Y_all / Y_all.std(axis=0)
X, Y, X_val, Y_val = X_all[:N], Y_all[:N], X_all[N:], Y_all[N:]
y, y_val = Y[:, 0], Y_val[:, 0]
X_classes, classes = make_classification(N + N_VAL, 5, random_state=0)
CLASSES = {"X_val": X_classes[N:], "y_val": classes[N:]}

SOLVERS = {"sgd": {}, "adam": {"solver": "adam", "learning_rate_init": 0.01}, "lbfgs": {"solver": "lbfgs"}}
solvers = pytest.mark.parametrize("solver", SOLVERS)


def settings(**params):
    """An estimator that trains for exactly five epochs by default, in float64."""
    exact = {"tol": 0.0, "n_iter_no_change": 1000, "max_iter": N_EPOCHS, "random_state": 0}
    return {"hidden_layer_sizes": (5,), "batch_size": 12} | exact | params


def regressor(**params):
    return FNNRegressor(**settings(**params))


def classifier(**params):
    return FNNClassifier(**settings(**params))
