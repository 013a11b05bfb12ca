"""Faults that random calls found in earlier versions."""

import copy

import numpy as np
import pytest
from scipy import sparse
from sklearn import config_context, get_config

from skfnn import FNNClassifier, FNNRegressor
from skfnn.inspection import gradient_noise

# Faults that the fuzzer found in earlier versions

X = np.random.default_rng(0).normal(size=(40, 4))
y = (X[:, 0] > 0) * 1
INVALID = {
    "alpha": -1.0,
    "batch_size": 0,
    "dropout": 1.5,
    "learning_rate": "falling",
    "learning_rate_init": -0.1,
    "max_grad_norm": -1.0,
    "momentum": 1.5,
    "random_state": "seed",
    "shuffle": "yes",
    "solver": "newton",
    "tol": "x",
}


@pytest.mark.parametrize("name", INVALID)
@pytest.mark.parametrize("kind", [FNNClassifier, FNNRegressor])
def test_a_parameter_that_became_invalid_is_refused_by_the_next_partial_fit(kind, name, assert_identical):
    model = kind(4, random_state=0)
    model.partial_fit(X, y, **({"classes": [0, 1]} if kind is FNNClassifier else {}))
    before = copy.deepcopy(model)
    model.set_params(**{name: INVALID[name]})
    with pytest.raises(ValueError, match=f"The '{name}' parameter of {kind.__name__} must be"):
        model.partial_fit(X, y)
    model.set_params(**{name: before.get_params()[name]})
    for each in (model, before):
        each.partial_fit(X, y)
    assert_identical(model, before)


def test_partial_fit_checks_no_parameters_if_scikit_learns_validation_is_off():
    model = FNNClassifier(4, random_state=0).partial_fit(X, y, classes=[0, 1]).set_params(verbose=-3)
    with config_context(skip_parameter_validation=True):
        model.partial_fit(X, y)
        assert get_config()["skip_parameter_validation"]
    assert not get_config()["skip_parameter_validation"]
    with pytest.raises(ValueError, match="'verbose'"):
        model.partial_fit(X, y)
    assert not get_config()["skip_parameter_validation"]


@pytest.mark.parametrize("power_t", [1e3, 1e300])
def test_a_power_that_overflows_makes_the_learning_rate_0(power_t):
    params = {"learning_rate": "invscaling", "power_t": power_t, "n_iter_no_change": None, "random_state": 0}
    model = FNNClassifier(4, max_iter=3, **params).fit(X, y)
    assert model.history_["learning_rate"] == [model.learning_rate_init_, 0.0, 0.0]


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_matrix])
def test_gradient_noise_raises_an_error_if_gradients_overflow(form):
    model = FNNClassifier(4, max_iter=2, n_iter_no_change=None, random_state=0).fit(form(X), y)
    assert np.isfinite(gradient_noise(model, form(X), y, n_draws=2, random_state=0).variance)
    with pytest.raises(ValueError, match="gradients of some rows of X overflow float64"):
        gradient_noise(model, form(X * 1e300), y)
    model.coefs_[1][...] = 1e300
    with pytest.raises(ValueError, match="gradients of some rows of X overflow float64"):
        gradient_noise(model, form(X), y)
