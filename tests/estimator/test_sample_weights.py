"""Weighted rows compared with repeated rows in the cases for which scikit-learn's own checks are expected to fail.

A row of weight w should count as w rows. scikit-learn's checks require that two such fits agree to 1e-7. They cannot do
so with mini-batches, with held-out validation rows, or in float32. These tests state what holds instead.
"""

import numpy as np
import pytest
from problems import initial_values, problem
from reference import gradient
from scipy import sparse
from tuned import FNNClassifier

from skfnn._engine.batches import Batches
from skfnn._engine.losses import SoftmaxCrossEntropy
from skfnn._engine.network import Network
from skfnn._engine.rates import StepRates
from skfnn._engine.rows import RowFormat
from skfnn._engine.targets import ClassTargets
from skfnn._engine.trainer import make_trainer

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

N_ROWS = 24
X, y, T = problem("multiclass", N_ROWS)
rng = np.random.default_rng(5)
WEIGHTS = rng.integers(0, 4, size=N_ROWS)  # some are 0
REPEATED = np.repeat(np.arange(N_ROWS), WEIGHTS)
# Weights of a validation set.
X_val, y_val, _ = problem("multiclass", 15, seed=9)
WEIGHTS_VAL = rng.integers(0, 4, size=15)
REPEATED_VAL = np.repeat(np.arange(15), WEIGHTS_VAL)

solvers = pytest.mark.parametrize(
    "params",
    [{}, {"momentum": 0.9}, {"solver": "adam", "learning_rate_init": 0.01}, {"solver": "lbfgs"}],
    ids=["plain", "momentum", "adam", "lbfgs"],
)
containers = pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix], ids=["dense", "sparse"])


def estimator(**params):
    settings = {"hidden_layer_sizes": (6, 4), "activation": "tanh", "batch_size": "full", "max_iter": 30}
    return FNNClassifier(**(settings | {"tol": 0.0, "n_iter_no_change": 1000, "random_state": 0} | params))


def parameters(clf):
    return np.concatenate([p.ravel() for p in clf.coefs_ + clf.intercepts_])


def distance(a, b):
    """The largest difference between the parameters of two trained models."""
    return abs(parameters(a) - parameters(b)).max()


def test_the_weights_have_an_effect():
    # Otherwise no test below could fail.
    assert set(WEIGHTS) == {0, 1, 2, 3}
    assert len(REPEATED) != N_ROWS
    assert distance(estimator().fit(X, y, WEIGHTS), estimator().fit(X, y)) > 1e-3


# Mini-batches


class Frozen:
    """A solver that takes no steps and records the gradient of every mini-batch."""

    linear_parts = 0

    def __init__(self):
        self.gradients = []

    def step(self, gradient, eta):
        self.gradients.append(gradient.copy())


def epoch_gradients(rows, weights, batch_size, alpha, seed, container):
    """The gradients of an epoch's mini-batches, all at the same parameters, and the sizes of the mini-batches."""
    network = Network((X.shape[1], 6, 4, 3), ("tanh", "tanh"))
    theta = start(network)
    n = len(rows)
    targets = ClassTargets(T[rows].argmax(axis=1), 3)
    weights = None if weights is None else weights / weights.mean()
    batches = Batches(container(X[rows]), targets, weights, None, batch_size, True, RowFormat(theta.dtype), 64)
    solver = Frozen()
    trainer = make_trainer(network, theta, batches, SoftmaxCrossEntropy(), solver, decay=alpha / n)
    trainer.epoch(StepRates(0.1), lambda: np.random.default_rng(seed))
    np.testing.assert_array_equal(theta, start(network))
    sizes = np.diff([*range(0, n, batch_size), n])
    return np.array(solver.gradients), sizes


def start(network):
    """Weights and biases as a parameter vector."""
    theta = np.empty(network.n_parameters)
    for layer, W, b in zip(network.layers(theta), *initial_values(network.sizes), strict=True):
        layer[:-1], layer[-1] = W, b
    return theta


def full_gradient(alpha, weights):
    """The gradient of the objective, computed from the formulas, as a parameter vector."""
    network = Network((X.shape[1], 6, 4, 3), ("tanh", "tanh"))
    parts = gradient(X, T, *initial_values(network.sizes), "tanh", "multiclass", alpha, weights)
    theta = np.empty(network.n_parameters)
    for k, layer in enumerate(network.layers(theta)):
        layer[:-1], layer[-1] = parts[k], parts[3 + k]
    return theta


@containers
@pytest.mark.parametrize("alpha", [0.0, 3.0])
@pytest.mark.parametrize("batch_size", [1, 3, 5, 23])
def test_weighted_and_repeated_rows_have_the_same_expected_gradient(batch_size, alpha, container):
    # alpha is divided by the number of rows, so k times the rows need k times the alpha.
    alpha_repeated = alpha * len(REPEATED) / N_ROWS
    expected = full_gradient(alpha, WEIGHTS)
    for seed in range(3):
        for rows, weights, strength in (
            (np.arange(N_ROWS), WEIGHTS, alpha),
            (REPEATED, None, alpha_repeated),
        ):
            found, sizes = epoch_gradients(rows, weights, batch_size, strength, seed, container)
            assert len(found) == len(sizes) == -(-len(rows) // batch_size)
            # Every row is in one mini-batch, whose gradient is the mean over its rows. Together they give the mean over
            # the rows of the epoch, with about ten roundings of numbers of size 1.
            np.testing.assert_allclose(sizes @ found / len(rows), expected, rtol=0, atol=1e-14)
            # The gradients of the mini-batches differ from the mean. This noise makes the fits differ.
            assert abs(found - expected).max() > 0.01


def test_a_rows_weight_multiplies_its_gradient():
    # This holds even at batch size 1, where dividing by the weights of the mini-batch would cancel them.
    weighted, _ = epoch_gradients(np.arange(N_ROWS), WEIGHTS, 1, 0.0, 0, np.asarray)
    plain, _ = epoch_gradients(np.arange(N_ROWS), None, 1, 0.0, 0, np.asarray)
    order = np.random.default_rng(0).permutation(N_ROWS)
    factors = (WEIGHTS / WEIGHTS.mean())[order]
    np.testing.assert_allclose(weighted, factors[:, None] * plain, rtol=0, atol=1e-14)


@containers
@solvers
def test_at_full_batch_weighted_and_repeated_rows_give_the_same_fit(params, container):
    weighted = estimator(**params).fit(container(X), y, WEIGHTS)
    repeated = estimator(**params).fit(container(X[REPEATED]), y[REPEATED])
    # For 30 steps, the same sums are computed in another order. L-BFGS magnifies the rounding.
    assert distance(weighted, repeated) < (1e-6 if "lbfgs" in params.values() else 1e-9)
    np.testing.assert_allclose(weighted.loss_curve_[:5], repeated.loss_curve_[:5], rtol=1e-10)


@containers
@solvers
def test_at_full_batch_rows_of_weight_zero_have_no_effect(params, container):
    there = WEIGHTS > 0
    weighted = estimator(**params).fit(container(X), y, WEIGHTS)
    without = estimator(**params).fit(container(X[there]), y[there], WEIGHTS[there])
    assert distance(weighted, without) < (1e-6 if "lbfgs" in params.values() else 1e-9)


# Rows held out


@pytest.mark.parametrize("early_stopping", [False, True])
def test_with_a_given_validation_set_weighted_and_repeated_rows_give_the_same_fit(early_stopping):
    params = {"early_stopping": early_stopping, "n_iter_no_change": 3, "learning_rate_init": 1.0, "scoring": "loss"}
    params["tol"] = 1e-3
    given = {"X_val": X_val, "y_val": y_val, "sample_weight_val": WEIGHTS_VAL}
    weighted = estimator(**params).fit(X, y, WEIGHTS, **given)
    given = {"X_val": X_val[REPEATED_VAL], "y_val": y_val[REPEATED_VAL]}
    repeated = estimator(**params).fit(X[REPEATED], y[REPEATED], **given)
    assert weighted.n_iter_ == repeated.n_iter_
    if early_stopping:
        assert weighted.n_iter_ < 30
    np.testing.assert_allclose(weighted.validation_loss_curve_, repeated.validation_loss_curve_, rtol=1e-9)
    assert distance(weighted, repeated) < 1e-9


@pytest.mark.parametrize("scoring", [None, "loss", "accuracy", "neg_log_loss"])
def test_weighted_and_repeated_validation_rows_have_the_same_scores(scoring):
    clf = estimator(scoring=scoring)
    weighted = clf.fit(X, y, X_val=X_val, y_val=y_val, sample_weight_val=WEIGHTS_VAL).validation_scores_
    repeated = clf.fit(X, y, X_val=X_val[REPEATED_VAL], y_val=y_val[REPEATED_VAL]).validation_scores_
    plain = clf.fit(X, y, X_val=X_val, y_val=y_val).validation_scores_
    np.testing.assert_allclose(weighted, repeated, rtol=1e-12)
    assert max(abs(np.subtract(weighted, plain))) > 1e-3


@pytest.mark.parametrize("params", [{"early_stopping": True}, {"validation_fraction": 0.2}], ids=str)
def test_rows_of_weight_zero_do_not_change_which_rows_are_held_out(params):
    there = WEIGHTS > 0
    weighted = estimator(**params).fit(X, y, WEIGHTS)
    without = estimator(**params).fit(X[there], y[there], WEIGHTS[there])
    np.testing.assert_allclose(weighted.validation_scores_, without.validation_scores_, rtol=1e-12)
    np.testing.assert_allclose(weighted.validation_loss_curve_, without.validation_loss_curve_, rtol=1e-9)
    assert distance(weighted, without) < 1e-9


# float32


@solvers
def test_in_float32_weighted_and_repeated_rows_differ_by_rounding(params):
    fits = {
        dtype: [
            estimator(dtype=dtype, max_iter=10, **params).fit(X, y, WEIGHTS),
            estimator(dtype=dtype, max_iter=10, **params).fit(X[REPEATED], y[REPEATED]),
        ]
        for dtype in ("float32", "float64")
    }
    eps = np.finfo(np.float32).eps
    # Ten steps with about ten roundings each give less than a hundred eps. L-BFGS divides by differences of gradients.
    allowed = 3000 * eps if "lbfgs" in params.values() else 100 * eps
    assert distance(*fits["float32"]) < allowed
    # The difference is only rounding: in float64 it is smaller by the ratio of the two eps, and each float32 model is
    # as close to its float64 model as to the other float32 model.
    assert distance(*fits["float64"]) < allowed * np.finfo(np.float64).eps / eps
    for single, double in zip(fits["float32"], fits["float64"], strict=True):
        assert distance(single, double) < allowed
