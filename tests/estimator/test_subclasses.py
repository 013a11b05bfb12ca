"""Subclasses with their own constructors: settings are read from attributes."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris

from skfnn import FNNClassifier, FNNRegressor

X, y = load_iris(return_X_y=True)
X = (X - X.mean(axis=0)) / X.std(axis=0)


class Small(FNNClassifier):
    """Takes fewer arguments than its parent."""

    def __init__(self, hidden_layer_sizes=(7,), random_state=None):
        super().__init__(
            hidden_layer_sizes, batch_size=10, max_iter=5, n_iter_no_change=None, random_state=random_state
        )


class Keywords(FNNClassifier):
    """Passes all its arguments on."""

    def __init__(self, **kw):
        super().__init__(**({"batch_size": 10, "max_iter": 5, "n_iter_no_change": None} | kw))


class Narrow(FNNRegressor):
    """Computes a parameter of its parent from a parameter with another name."""

    def __init__(self, units=7, random_state=None):
        super().__init__((units,), batch_size=10, max_iter=5, n_iter_no_change=None, random_state=random_state)
        self.units = units


def parent_of(model, **settings):
    kind = FNNRegressor if isinstance(model, FNNRegressor) else FNNClassifier
    return kind((7,), batch_size=10, max_iter=5, n_iter_no_change=None, random_state=0, **settings)


MODELS = [Small(random_state=0), Keywords(hidden_layer_sizes=(7,), random_state=0), Narrow(random_state=0)]
models = pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)


@pytest.fixture
def fresh(model):
    """An unfitted copy of the model; clone cannot be used, because it does not see parameters in **kw."""
    return pickle.loads(pickle.dumps(model))


@models
def test_fit_equals_that_of_the_parent_with_the_same_settings(model, fresh, assert_identical):
    assert_identical(fresh.fit(X, y), parent_of(model).fit(X, y))


@models
def test_partial_fit_equals_that_of_the_parent_with_the_same_settings(model, fresh, assert_identical):
    first = {} if isinstance(model, FNNRegressor) else {"classes": [0, 1, 2]}
    ours, theirs = fresh, parent_of(model)
    for k in range(3):
        ours, theirs = (m.partial_fit(X[k::3], y[k::3], **first) for m in (ours, theirs))
    assert_identical(ours, theirs)


@models
def test_a_pickle_predicts_the_same_and_continues(model, fresh, assert_identical):
    fitted = fresh.fit(X, y)
    loaded = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(loaded.predict(X), fitted.predict(X))
    for m in (loaded, fitted):
        m.max_iter = 8
    assert_identical(loaded.resume(X, y), fitted.resume(X, y))


@pytest.mark.parametrize("model", [MODELS[0], MODELS[2]], ids=["Small", "Narrow"])
def test_a_clone_trains_to_the_same_model(model, fresh, assert_identical):
    assert_identical(clone(model).fit(X, y), fresh.fit(X, y))
