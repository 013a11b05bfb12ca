"""Problems and estimators of the tests of FNNRegressor, and its losses by scikit-learn's metrics."""

import numpy as np
import pytest
from problems import initial_values
from scipy import sparse
from sklearn.metrics import mean_poisson_deviance, mean_squared_error

from skfnn import FNNRegressor

NAMES = ["squared_error", "poisson"]
N_FEATURES, HIDDEN = 5, (6, 4)
losses = pytest.mark.parametrize("loss", NAMES)
outputs = pytest.mark.parametrize("n_outputs", [1, 3])
containers = pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix], ids=["dense", "sparse"])


def problem(loss, n_outputs, n_rows=40, seed=0):
    """Random rows with some zero entries, and targets of size 1 that depend on the rows (counts for Poisson)."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, N_FEATURES))
    X[rng.random(X.shape) < 0.3] = 0.0
    y = X @ rng.normal(scale=0.5, size=(N_FEATURES, n_outputs)) + 0.3 * rng.normal(size=(n_rows, n_outputs))
    if loss == "poisson":
        y = rng.poisson(np.exp(y)).astype(float)
        assert (y == 0).any()
    return X, y[:, 0] if n_outputs == 1 else y


def start_for(n_outputs, seed=1):
    return initial_values((N_FEATURES, *HIDDEN, n_outputs), seed=seed, scale=0.4)


def estimator(**params):
    """An estimator that, by default, trains for exactly max_iter epochs without scaling rows and targets."""
    settings = {"hidden_layer_sizes": HIDDEN, "activation": "tanh", "max_iter": 6, "learning_rate_init": 0.05}
    settings |= {"batch_size": 10, "n_iter_no_change": None, "standardize": False, "random_state": 0}
    return FNNRegressor(**(settings | params))


def mean_loss(loss, y, predicted, weights=None):
    """The documented loss, computed with scikit-learn's metrics: it is summed over the outputs."""
    metric = mean_poisson_deviance if loss == "poisson" else mean_squared_error
    y, predicted = (np.reshape(a, (len(a), -1)) for a in (y, predicted))
    return sum(metric(a, b, sample_weight=weights) / 2 for a, b in zip(y.T, predicted.T, strict=True))


X_train, y_train = problem("squared_error", 3, n_rows=80)
X_val, y_val = X_train[60:], y_train[60:]
X_train, y_train = X_train[:60], y_train[:60]
COUNTS = problem("poisson", 3, n_rows=80)[1]


def split(loss, n_outputs):
    """Training and validation rows and targets of a problem."""
    y = COUNTS if loss == "poisson" else np.vstack([y_train, y_val])
    y = y[:, 0] if n_outputs == 1 else y
    return X_train, y[:60], X_val, y[60:]
