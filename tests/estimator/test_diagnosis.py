"""Messages that name the cause of a failure: a learning rate that is too small, raw features, or a limit."""

import warnings

import numpy as np
import pytest
from sklearn.datasets import load_wine
from sklearn.exceptions import ConvergenceWarning

from skfnn import FNNClassifier, FNNRegressor
from skfnn.exceptions import ConstantPredictionWarning, NotConvergedWarning

X, y = load_wine(return_X_y=True)
RAW = 1e4 * X  # the initial loss is above 100,000


def messages_of(category, estimator, rows=X, targets=y, **arguments):
    """The texts of the warnings of `category` that ``fit`` gives; it may give other ConvergenceWarnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("error")
        warnings.simplefilter("always", ConvergenceWarning)
        estimator.fit(rows, targets, **arguments)
    return [str(w.message) for w in caught if w.category is category]


def classifier(**params):
    """A small network for the wines."""
    return FNNClassifier(**({"hidden_layer_sizes": (10,), "max_iter": 50, "random_state": 0} | params))


def very_small_rate(step):
    """A schedule."""
    return 1e-8


# A learning rate that is too small


@pytest.mark.parametrize("n_iter_no_change", [10, None])
@pytest.mark.parametrize("eta", [1e-8, 1e-6])
@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_a_learning_rate_far_too_small_is_named_as_the_cause(solver, eta, n_iter_no_change):
    clf = classifier(solver=solver, learning_rate_init=eta, n_iter_no_change=n_iter_no_change)
    (message,) = messages_of(ConstantPredictionWarning, clf)
    initial = f"{clf.loss_curve_[0]:.4g}"
    assert f"The loss hardly moved from its initial value, {initial}: learning_rate_init is too small." in message
    # Patience ends the run after 11 epochs. Without patience, max_iter ends it, and more epochs may help.
    assert message.endswith("Use a larger one." if n_iter_no_change else "Use a larger one, or raise max_iter.")


def test_a_function_whose_rates_are_too_small_is_named_as_the_cause():
    (message,) = messages_of(ConstantPredictionWarning, classifier(learning_rate=very_small_rate))
    assert "the learning rates are too small. Use larger ones." in message
    assert "learning_rate_init" not in message


def small_rate(step):
    """A schedule with which training makes some progress."""
    return 0.003


def test_with_a_function_no_message_proposes_learning_rate_init():
    clf = classifier(learning_rate=small_rate, max_iter=8, n_iter_no_change=None)
    (message,) = messages_of(ConstantPredictionWarning, clf)
    assert message.endswith("The loss was still falling: raise max_iter or try other learning rates.")


def test_the_initial_loss_is_in_the_units_of_y():
    reg = FNNRegressor((10,), learning_rate_init=1e-8, max_iter=50, random_state=1)
    (message,) = messages_of(ConstantPredictionWarning, reg, targets=1e3 * y)
    assert f"initial value, {reg.loss_curve_[0]:.4g}" in message
    assert reg.loss_curve_[0] > 1e5


def test_a_second_fit_that_starts_anew_is_compared_with_its_own_start():
    clf = classifier(learning_rate_init=0.1, warm_start=True, n_iter_no_change=None).fit(X, y)
    initial = clf.loss_
    clf.coefs_ = [3.0 * W for W in clf.coefs_]  # worse than the constant
    clf.intercepts_ = [-10.0 * np.ones_like(b) for b in clf.intercepts_]
    (message,) = messages_of(ConstantPredictionWarning, clf.set_params(learning_rate_init=1e-8))
    assert f"initial value, {clf.loss_curve_[-1]:.4g}" in message
    assert clf.loss_ > 2 * initial


def test_a_start_at_the_best_constant_does_not_blame_the_learning_rate():
    # With these parameters all hidden units are dead, and the outputs are already the best constant.
    frequencies = np.bincount(y) / len(y)
    start = {
        "coefs_init": [np.zeros((13, 10)), np.zeros((10, 3))],
        "intercepts_init": [-np.ones(10), np.log(frequencies)],
    }
    (message,) = messages_of(ConstantPredictionWarning, classifier(learning_rate_init=1e-3), **start)
    assert "saturated or dead" in message
    assert "hardly moved" not in message


# Raw features


@pytest.mark.parametrize("eta", [1e-12, 1e-10])
@pytest.mark.parametrize("batch_size", [20, "full"])
@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_one_epoch_with_a_tiny_rate_on_raw_features_is_no_divergence(solver, batch_size, eta):
    settings = {"batch_size": batch_size, "max_iter": 1, "n_iter_no_change": None, "standardize": False}
    clf = classifier(solver=solver, learning_rate_init=eta, **settings)
    (message,) = messages_of(ConstantPredictionWarning, clf, RAW)
    assert "diverged" not in message
    assert "hardly moved" in message or "still falling" in message
    assert clf.loss_ > 1e5


@pytest.mark.filterwarnings("ignore:The features are too large")
@pytest.mark.parametrize("eta", [1e-3, 0.1, 10.0])
def test_one_epoch_with_a_large_rate_on_raw_features_is_divergence(eta):
    clf = classifier(learning_rate_init=eta, batch_size="full", max_iter=1, standardize=False)
    with pytest.raises(ValueError, match="Training diverged with learning_rate_init=.*smaller learning_rate_init"):
        clf.fit(RAW, y)


def test_raw_features_are_named_beside_a_rate_that_is_too_small():
    clf = classifier(learning_rate_init=1e-12, standardize=False)
    (message,) = messages_of(ConstantPredictionWarning, clf, RAW)
    assert "learning_rate_init is too small" in message
    assert "The largest feature is feature 12, with a root mean square of 8.1e+06." in message
    assert "then training tolerates a larger one" in message
    assert "smaller learning_rate_init" not in message


# Divergence


@pytest.mark.parametrize("rate", [100.0, lambda step: 100.0])
def test_features_of_ordinary_size_are_not_blamed_for_divergence(rate):
    clf = classifier(learning_rate=rate) if callable(rate) else classifier(learning_rate_init=rate)
    with pytest.raises(ValueError, match="Training diverged") as caught:
        clf.fit(X, y)
    message = str(caught.value)
    remedy = (
        "smaller learning rates." if callable(rate) else "a smaller learning_rate_init, or learning_rate_init='auto'."
    )
    assert message.endswith(f" Use {remedy}")
    assert "largest feature" not in message


# Training that has not converged


@pytest.mark.parametrize("standardize", ["auto", True])
def test_scaling_is_not_proposed_for_features_that_training_scales(standardize):
    (message,) = messages_of(NotConvergedWarning, classifier(standardize=standardize, max_iter=3))
    assert message.endswith("Raise max_iter, or set n_iter_no_change=None if you want exactly this number of epochs.")


def test_scaling_is_proposed_for_large_features_that_training_sees_as_they_are():
    clf = classifier(standardize=False, max_iter=3, learning_rate_init=1e-6)
    (message,) = messages_of(NotConvergedWarning, clf)
    assert "exactly this number of epochs. The largest feature is feature 12," in message
    assert "Scale the features" in message


@pytest.mark.parametrize(("limit", "other"), [("max_iter", "max_fun"), ("max_fun", "max_iter")])
def test_lbfgs_proposes_to_raise_the_limit_that_ended_it(limit, other):
    (message,) = messages_of(NotConvergedWarning, classifier(solver="lbfgs", **{limit: 4}))
    assert message.startswith("L-BFGS did not converge: ")
    assert message.endswith(f". Raise {limit}.")
    assert other not in message
