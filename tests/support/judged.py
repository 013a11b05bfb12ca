"""Problems whose best constant prediction is known, and networks that are no better."""

import warnings

import numpy as np
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import StandardScaler

from skfnn import FNNRegressor

rng = np.random.default_rng(0)
B = 60
X = rng.normal(size=(B, 4))
signal = X @ rng.normal(size=(4, 3)) + 0.3 * rng.normal(size=(B, 3))
counts = rng.poisson(np.exp(0.5 * signal)).astype(float)
WEIGHTS = rng.uniform(0.2, 3.0, size=B)
WEIGHTS[:5] = 0.0

iris, species = load_iris(return_X_y=True)
iris = StandardScaler().fit_transform(iris)


def warnings_of(call):
    """The messages of the ConvergenceWarnings of ``call()``, which must give no other warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    assert all(issubclass(w.category, ConvergenceWarning) for w in caught)
    return [str(w.message) for w in caught]


def diverging(kind=FNNRegressor, **params):
    """A network whose loss ends far above the constant's. No number overflows, because its gradients are clipped."""
    settings = {"hidden_layer_sizes": (10,), "activation": "tanh", "learning_rate_init": 1.0, "batch_size": 5}
    settings |= {"max_grad_norm": 1e3, "standardize": False, "max_iter": 30, "random_state": 0}
    return kind(**(settings | params))
