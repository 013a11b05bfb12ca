"""A network that ends far above the best constant diverged, even if all numbers are finite."""

import copy
import warnings

import numpy as np
import pytest
from judged import B, X, diverging, signal, species, warnings_of
from selection import full_only
from sklearn.exceptions import ConvergenceWarning

from skfnn import FNNClassifier, FNNRegressor
from skfnn._estimator.judgement import Trial, relative_change

# Divergence while all numbers are finite


@pytest.mark.parametrize("warm_start", [False, True])
@pytest.mark.parametrize("method", ["fit", "resume"])
def test_divergence_with_finite_numbers_raises_and_changes_nothing(method, warm_start):
    y = 100.0 * signal[:, 0]
    good = {"learning_rate_init": 1e-4, "max_iter": 30}
    reg = diverging(warm_start=warm_start, n_iter_no_change=None, **good).fit(X, y)
    assert reg.score(X, y) > 0.1
    before = copy.deepcopy(reg)
    reg.set_params(learning_rate_init=1.0, max_iter=60)
    with pytest.raises(
        ValueError, match=r"diverged with learning_rate_init=1: .* far above .*smaller.*root mean square"
    ):
        getattr(reg, method)(X, y)
    reg.set_params(**good)
    assert vars(reg).keys() == vars(before).keys()
    assert reg.history_ == before.history_
    np.testing.assert_array_equal(reg.predict(X), before.predict(X))
    for model in (reg, before):
        model.partial_fit(X, y)
    np.testing.assert_array_equal(reg.predict(X), before.predict(X))
    # An estimator whose first fit fails stays unfitted.
    fresh = diverging()
    with pytest.raises(ValueError, match="far above"):
        fresh.fit(X, y)
    assert vars(fresh).keys() == vars(diverging()).keys()


def test_the_error_has_both_losses_in_the_units_of_y():
    y = 100.0 * signal[:, 0]
    with pytest.raises(ValueError, match="far above") as caught:
        diverging(n_iter_no_change=None, standardize="auto", learning_rate_init=5.0).fit(X, y)
    ended, constant = (float(part.split()[-1].rstrip(",")) for part in str(caught.value).split(", ")[:2])
    np.testing.assert_allclose(constant, y.var() / 2, rtol=1e-3)
    assert ended > 10 * constant


@pytest.mark.parametrize("scale", [1.0, 1e160])
def test_lbfgs_is_also_compared_with_the_constant(scale):
    # The line search finds no lower point, so the initial parameters would be the model.
    clf = FNNClassifier((6,), solver="lbfgs", alpha=0.1, max_iter=2000, standardize=False, random_state=0)
    rows = scale * X
    if scale == 1.0:
        assert warnings_of(lambda: clf.fit(rows, species[:B] == 0)) == []
        return
    with pytest.raises(ValueError, match="far above"):
        clf.fit(rows, signal[:, 0] > 0)


@pytest.mark.parametrize(
    ("highest", "loss", "initial", "diverged"),
    [
        (2e4, 1.9e4, 2e4, False),  # raw features can have such an initial loss, and a small rate hardly changes it
        (2e4, 2.1e4, 2e4, True),  # the loss rose
        (3e5, 1.0e4, 2e4, True),  # an epoch exploded, and the loss did not recover
        (2e4, 1.9e4, None, True),  # L-BFGS has no learning rate that could be too small
    ],
)
def test_a_very_large_final_loss_is_compared_with_the_initial_one(highest, loss, initial, diverged):
    trial = Trial(constant=0.7, may_restart=False, typical=0.7)
    trial.watch(highest)
    assert trial.has_diverged(loss, initial) == diverged
    # A smaller automatic rate is tried in any case.
    trial.may_restart = True
    assert trial.has_diverged(loss, initial)


@pytest.mark.parametrize(
    ("loss", "initial", "change", "hardly_moved"),
    [
        (1.49, 1.5, 1e-6, True),
        (1.30, 1.5, 1e-6, False),  # the loss moved
        (1.49, 1.5, 0.1, False),  # the parameters moved
        (1.00, 1.001, 1e-6, False),  # the initial parameters are as good as the constant
    ],
)
def test_training_hardly_moved_if_neither_loss_nor_parameters_did(loss, initial, change, hardly_moved):
    trial = Trial(constant=1.0, may_restart=False)
    assert trial.has_hardly_moved(loss, initial, change) == hardly_moved


def test_the_change_of_the_parameters_is_relative_to_their_norm():
    initial = np.array([3.0, 4.0])
    np.testing.assert_allclose(relative_change(initial + [0.0, 0.1], initial), 0.02, rtol=1e-12)
    # A change of parameters that were all zero is never small.
    assert not relative_change(np.zeros(2), np.zeros(2)) < 1.0


# Random networks, data and learning rates


CASES_AT_ONCE = 10


def random_regression(seed):
    """A random regressor and random data."""
    rng = np.random.default_rng([7, seed])
    n_rows, n_features, n_outputs = rng.integers(20, 150), rng.integers(1, 9), rng.choice([1, 1, 2])
    rows = rng.normal(size=(n_rows, n_features))
    y = np.tanh(rows @ rng.normal(size=(n_features, n_outputs)))
    y = y + rng.uniform(0, 2) * rng.normal(size=y.shape)
    # Either each column has its own unit, or all columns share one.
    scales = 10.0 ** rng.uniform(-4, 6, size=n_features if rng.random() < 0.5 else 1)
    y = y * 10.0 ** rng.uniform(-4, 6) + rng.choice([0.0, 1.0, 1e4])
    depth = int(rng.integers(0, 4))
    activations = ["relu", "tanh", "logistic", "gelu", "identity", "selu", "softplus", "elu"]
    params = {
        "hidden_layer_sizes": tuple(int(n) for n in rng.integers(1, 60, size=depth)),
        "activation": str(rng.choice(activations)),
        "solver": str(rng.choice(["sgd", "adam", "lbfgs"])),
        "learning_rate_init": "auto" if rng.random() < 0.3 else float(10.0 ** rng.uniform(-4, 1)),
        "standardize": ["auto", True, False][rng.integers(3)],
        "init": str(rng.choice(["auto", "glorot", "he", "lecun"])),
        "batch_size": [1, 10, "auto", "full"][rng.integers(4)],
        "momentum": float(rng.choice([0.0, 0.9])),
        "alpha": float(rng.choice([0.0, 1.0])),
        "max_iter": int(rng.integers(2, 40)),
        "n_iter_no_change": [10, np.inf][rng.integers(2)],
        "early_stopping": bool(rng.random() < 0.2),
        "random_state": seed,
    }
    rows = rows * scales + rng.choice([0.0, 10.0]) * scales
    return FNNRegressor(**params), rows, y if n_outputs > 1 else y[:, 0]


def losses(reg, rows, y):
    """The training loss of a fitted network and of the best constant, in the coordinates of training."""
    y = y.reshape(len(y), -1)
    scale = 1.0 if reg.target_scale_ is None else reg.target_scale_
    residuals = (reg.predict(rows).reshape(y.shape) - y) / scale
    return (residuals**2).sum() / len(y) / 2, (y / scale).var(axis=0).sum() / 2


def outcome(seed):
    """How training of a random case ends: with "error", "warning" or "better"; "silence" is not allowed."""
    reg, rows, y = random_regression(seed)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            reg.fit(rows[5:], y[5:], X_val=rows[:5], y_val=y[:5])
        except ValueError as error:
            return "error" if "Training diverged" in str(error) else str(error)
    if any(issubclass(w.category, ConvergenceWarning) for w in caught):
        return "warning"
    loss, constant = losses(reg, rows[5:], y[5:])
    return "better" if loss < constant else "silence"


@pytest.mark.parametrize("block", [0, 1, *(full_only(k) for k in range(2, 20))])
def test_no_random_regression_ends_worse_than_the_constant_in_silence(block):
    seeds = range(block * CASES_AT_ONCE, (block + 1) * CASES_AT_ONCE)
    outcomes = {seed: outcome(seed) for seed in seeds}
    assert set(outcomes.values()) <= {"error", "warning", "better"}, outcomes
    # Without this line, the law would hold for a network that always warns.
    assert block > 1 or list(outcomes.values()).count("better") > 1


@pytest.mark.parametrize("eta", [1e-12, 1e-6, 1e-4])
@pytest.mark.parametrize("solver", ["sgd", "adam"])
@pytest.mark.parametrize("batch_size", [10, "full"])
def test_a_learning_rate_that_is_too_small_is_no_divergence(batch_size, solver, eta):
    # The loss stays at its initial value, 50, while the constant 10 has a loss of 0.5. A smaller rate would not help.
    rng = np.random.default_rng(0)
    rows, y = rng.normal(size=(60, 3)), 10.0 + rng.normal(size=60)
    params = {"solver": solver, "learning_rate_init": eta, "batch_size": batch_size, "standardize": False}
    reg = FNNRegressor((4,), max_iter=1, n_iter_no_change=None, random_state=0, **params)
    with pytest.warns(ConvergenceWarning, match="no better than a constant"):
        reg.fit(rows, y)
    assert reg.loss_ > 40
