"""Small problems and networks for the tests of numbers and sizes at the ends of their range."""

import numpy as np
import pytest
from scipy import sparse
from tuned import FNNClassifier, FNNRegressor

from skfnn._engine.activations import ACTIVATIONS

# Every other warning is an error.
STRICT = [
    pytest.mark.filterwarnings("error"),
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    # Large or many features cause this warning, which test_divergence.py tests.
    pytest.mark.filterwarnings("ignore:The features are too large:UserWarning"),
    # scikit-learn warns like this if most classes have one row.
    pytest.mark.filterwarnings("ignore:The number of unique classes:UserWarning"),
]
SOLVERS = {
    "plain": {},
    "momentum": {"momentum": 0.9},
    "adam": {"solver": "adam"},
    "lbfgs": {"solver": "lbfgs"},
}
solvers = pytest.mark.parametrize("solver", SOLVERS)
containers = pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix], ids=["dense", "sparse"])
estimators = pytest.mark.parametrize("kind", [FNNClassifier, FNNRegressor])
activations = pytest.mark.parametrize("activation", ACTIVATIONS)

rng = np.random.default_rng(0)
X = rng.uniform(-1.0, 1.0, size=(30, 3))
y = np.arange(30) % 3
T = np.eye(3)[y]
OVERFLOW = r"diverged.*Scale the features"


def estimator(kind=FNNClassifier, **params):
    """An estimator that trains without scaling features and targets."""
    settings = {"hidden_layer_sizes": 5, "max_iter": 3, "n_iter_no_change": None, "random_state": 0}
    return kind(**(settings | {"standardize": False} | params))


def written(net, coefs, intercepts):
    """Write these parameters into the network and return it."""
    for mine, values in zip(net.coefs_ + net.intercepts_, [*coefs, *intercepts], strict=True):
        mine[...] = values
    return net


def step_of(X, y, coefs, intercepts, activation):
    """The gradient of the objective, weights before biases: the change in one full-batch step with eta = 1.

    The step is taken with `partial_fit`, because `fit` refuses models with losses as large as in some of the tests.
    """
    hidden, params = [W.shape[1] for W in coefs[:-1]], {"learning_rate_init": 1.0, "dtype": "float64"}
    net = FNNClassifier(hidden, activation, batch_size="full", standardize=False, **params)
    written(net.partial_fit(X, y, classes=np.unique(y)), coefs, intercepts).partial_fit(X, y)
    before, after = coefs + intercepts, net.coefs_ + net.intercepts_
    return [p - q for p, q in zip(before, after, strict=True)], net
