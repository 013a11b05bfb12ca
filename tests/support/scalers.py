"""A raw table, and a network between scalers that training with `standardize` has to equal."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.preprocessing import StandardScaler

from skfnn import FNNClassifier, FNNRegressor

SOLVERS = {
    "sgd": {"learning_rate_init": 0.1},
    "momentum": {"momentum": 0.9, "nesterovs_momentum": False, "learning_rate_init": 0.02},
    "nesterov": {"momentum": 0.9, "learning_rate_init": 0.02},
    "adam": {"solver": "adam", "learning_rate_init": 0.01},
    "lbfgs": {"solver": "lbfgs"},
    "automatic rate": {},
}
solvers = pytest.mark.parametrize("solver", SOLVERS)
descents = pytest.mark.parametrize("solver", [name for name in SOLVERS if name != "lbfgs"])
KINDS = ["classes", "one output", "three outputs"]
kinds = pytest.mark.parametrize("kind", KINDS)
regressions = pytest.mark.parametrize("kind", KINDS[1:])

# A raw table: an age, a price, a year, a fraction, a count. No column is of order one.
rng = np.random.default_rng(0)
Z = rng.normal(size=(130, 5))
X = np.column_stack(
    [45 + 12 * Z[:, 0], 3e5 * np.exp(0.5 * Z[:, 1]), 1990 + 9 * Z[:, 2], 0.01 * Z[:, 3], rng.poisson(40, 130)]
)
signal = Z @ rng.normal(size=(5, 3)) + 0.3 * rng.normal(size=(130, 3))
Y = {
    "classes": np.array(["low", "medium", "high"])[signal.argmax(axis=1)],
    "one output": 2e5 + 5e4 * signal[:, 0],
    "three outputs": signal * [3.0, 1e4, 1e-3] + [0.0, -1e5, 7.0],
}
WEIGHTS = rng.integers(0, 5, 130).astype(float)

# Both sides do the same operations, apart from rounding. Ten epochs of stable steps magnify 1e-16 only a little.
CLOSE = 1e-8


def estimator(kind, **params):
    """An estimator that trains for ten epochs in small mini-batches by default."""
    settings = {"hidden_layer_sizes": (8, 4), "activation": "tanh", "batch_size": 20, "max_iter": 10}
    settings |= {"n_iter_no_change": None, "standardize": True, "dtype": "float64", "random_state": 0}
    return (FNNClassifier if kind == "classes" else FNNRegressor)(**(settings | params))


class ByHand:
    """A network without standardising, behind scalers that were fitted to the first data."""

    def __init__(self, kind, X, y, weights=None, **params):
        self.net = estimator(kind, **(params | {"standardize": False}))
        self.features = StandardScaler(with_mean=not sparse.issparse(X)).fit(X, sample_weight=weights)
        self.targets = None
        if kind != "classes":
            self.targets = StandardScaler().fit(y.reshape(len(y), -1), sample_weight=weights)

    def scaled(self, X, y):
        """The data in the coordinates of training."""
        if self.targets is not None:
            y = self.targets.transform(y.reshape(len(y), -1)).reshape(y.shape)
        return self.features.transform(X), y

    def call(self, method, X, y, *args, **kwargs):
        """Call a training method of the network."""
        if "X_val" in kwargs:
            kwargs["X_val"], kwargs["y_val"] = self.scaled(kwargs["X_val"], kwargs["y_val"])
        getattr(self.net, method)(*self.scaled(X, y), *args, **kwargs)
        return self

    def outputs(self, X):
        """The raw outputs in the user's units."""
        X = self.features.transform(X)
        if self.targets is None:
            return self.net.decision_function(X)
        raw = self.net.predict(X)
        return self.targets.inverse_transform(raw.reshape(len(raw), -1)).reshape(raw.shape)

    def losses(self, key="loss"):
        """The losses of the history in the user's units, if there is one output."""
        unit = 1.0 if self.targets is None else float(self.targets.scale_[0]) ** 2
        return unit * np.array(self.net.history_[key])


def outputs(model, X):
    """The raw outputs of a model."""
    return model.predict(X) if isinstance(model, FNNRegressor) else model.decision_function(X)


def assert_close(found, expected, tolerance=CLOSE):
    """Two arrays of outputs agree, relative to the size of each column."""
    size = np.ptp(expected, axis=0)
    np.testing.assert_allclose(found / size, expected / size, rtol=0, atol=tolerance)


def assert_agrees(model, by_hand, X=X, tolerance=CLOSE):
    """A model has the same outputs and losses as its counterpart."""
    assert_close(outputs(model, X), by_hand.outputs(X), tolerance)
    assert model.n_iter_ == by_hand.net.n_iter_
    if by_hand.targets is None or by_hand.targets.n_features_in_ == 1:
        np.testing.assert_allclose(model.loss_curve_, by_hand.losses(), rtol=tolerance)


def in_numpy(model, X):
    """The raw outputs, computed in float64 from the weights and the biases alone."""
    h = np.asarray(X, np.float64)
    for number, (W, b) in enumerate(zip(model.coefs_, model.intercepts_, strict=True)):
        h = h @ W.astype(np.float64) + b
        if number < len(model.coefs_) - 1:
            h = np.tanh(h)
    return h[:, 0] if h.shape[1] == 1 else h
