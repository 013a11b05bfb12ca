"""Gradients against finite differences of the objective, which is evaluated row by row by independent formulas."""

from functools import lru_cache

import numpy as np
import pytest
from reference import ACTIVATIONS, forward, gradient, initial_values, n_outputs, objective, problem
from scipy import sparse

from skfnn import FNNClassifier

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

KINDS = ["binary", "multiclass", "multilabel"]
N_ROWS, SIZES = 9, (4, 3, 3)
WEIGHTS = {"no weights": None, "weights": (0.0, 1.0, 2.5, 0.3, 1.0, 4.0, 0.0, 0.7, 1.0)}
STEP = 1e-5
# The error of a central difference has two parts: STEP^2 / 6 times a third derivative, here 1e-10, and the rounding of
# R divided by STEP, 1e-11.
TOLERANCE = {"rtol": 1e-6, "atol": 1e-9}


@lru_cache
def case(activation, kind):
    """A problem and parameters whose hidden units are not within 1e-2 of 0, where some activations have a kink."""
    seed = 0
    while True:
        X, y, T = problem(kind, N_ROWS, n_features=SIZES[0], seed=seed)
        start = initial_values((*SIZES, n_outputs(kind)), seed=seed)
        hidden = np.array([z for x in X for z in forward(x, *start, activation)[1][:-1]])
        # A row moves its pre-activations by at most STEP * max|x| < 1e-4.
        if np.abs(hidden).min() > 1e-2 and len(np.unique(y, axis=0)) >= n_outputs(kind):
            assert hidden.min() < 0 < hidden.max()  # both branches are taken
            return X, y, T, start
        seed += 1


@lru_cache
def finite_differences(activation, kind, weighting, alpha):
    """The derivative of R with respect to every parameter, the weights first."""
    X, _, T, (coefs, intercepts) = case(activation, kind)
    coefs, intercepts = [W.copy() for W in coefs], [b.copy() for b in intercepts]
    differences = []
    for p in coefs + intercepts:
        difference = np.empty_like(p)
        for index in np.ndindex(p.shape):
            value, both = p[index], []
            for p[index] in (value + STEP, value - STEP):
                both.append(objective(X, T, coefs, intercepts, activation, kind, alpha, WEIGHTS[weighting]))
            p[index] = value
            difference[index] = (both[0] - both[1]) / (2 * STEP)
        differences.append(difference)
    return differences


# These settings take one step of length 1 with all rows, without scaling features or targets.
ONE_STEP = {
    "hidden_layer_sizes": SIZES[1:],
    "batch_size": "full",
    "learning_rate_init": 1.0,
    "standardize": False,
    "max_iter": 1,
    "dtype": "float64",
}


def step_of(clf, X, y, start, weights):
    """The gradient: what one step of length 1 with all rows subtracts from the parameters."""
    clf.set_params(**ONE_STEP)
    clf.fit(X, y, sample_weight=weights, coefs_init=start[0], intercepts_init=start[1])
    return [before - after for before, after in zip([*start[0], *start[1]], clf.coefs_ + clf.intercepts_, strict=True)]


def at(clf, X, y, start):
    """The classifier with the parameters `start`, after a first call that gives it classes and shapes."""
    clf.set_params(**ONE_STEP).partial_fit(X, y, classes=None if y.ndim == 2 else np.unique(y))
    for mine, given in zip(clf.coefs_ + clf.intercepts_, [*start[0], *start[1]], strict=True):
        mine[...] = given
    return clf


@pytest.mark.parametrize("alpha", [0.0, 1.3])
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix], ids=["dense", "sparse"])
@pytest.mark.parametrize("weighting", WEIGHTS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
# Plain SGD adds products of factors to the weights. Momentum adds them to the velocity, which is -eta * gradient at
# first.
@pytest.mark.parametrize("momentum", [0.0, 0.9], ids=["plain", "momentum"])
def test_a_step_of_length_1_is_the_gradient_of_the_objective(momentum, activation, kind, weighting, container, alpha):
    X, y, _, start = case(activation, kind)
    clf = FNNClassifier(activation=activation, alpha=alpha, momentum=momentum, nesterovs_momentum=False)
    weights = WEIGHTS[weighting]
    steps = step_of(clf, container(X), y, start, weights)
    for found, expected in zip(steps, finite_differences(activation, kind, weighting, alpha), strict=True):
        np.testing.assert_allclose(found, expected, **TOLERANCE)


@pytest.mark.parametrize("alpha", [0.0, 1.3])
@pytest.mark.parametrize("weighting", WEIGHTS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_reference_loop_has_the_gradient_of_its_objective(activation, kind, weighting, alpha):
    X, _, T, start = case(activation, kind)
    found = gradient(X, T, *start, activation, kind, alpha, WEIGHTS[weighting])
    for mine, expected in zip(found, finite_differences(activation, kind, weighting, alpha), strict=True):
        np.testing.assert_allclose(mine, expected, **TOLERANCE)


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_are_right_if_each_layer_has_its_own_activation(kind):
    activation = ("gelu", "tanh")
    X, y, _, start = case(activation, kind)
    steps = step_of(FNNClassifier(activation=list(activation), alpha=1.3), X, y, start, None)
    for found, expected in zip(steps, finite_differences(activation, kind, "no weights", 1.3), strict=True):
        np.testing.assert_allclose(found, expected, **TOLERANCE)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("activation", ["tanh", "softplus", "gelu"])
def test_lbfgs_ends_at_a_zero_of_the_gradient(activation, kind):
    # SciPy stops when no entry of the gradient exceeds tol, or when a step reduces R by less than 2e-9 of its value.
    # With curvatures of about 0.1 to 1, the gradient is then smaller than about sqrt(2 * 2e-9) = 6e-5.
    X, y, T, start = case(activation, kind)
    params = {"solver": "lbfgs", "alpha": 1.3, "tol": 1e-8, "max_iter": 500, "standardize": False, "dtype": "float64"}
    clf, weights = FNNClassifier(SIZES[1:], activation, **params), WEIGHTS["weights"]
    clf.fit(X, y, sample_weight=weights, coefs_init=start[0], intercepts_init=start[1])
    at_the_start = gradient(X, T, *start, activation, kind, 1.3, weights)
    at_the_end = gradient(X, T, clf.coefs_, clf.intercepts_, activation, kind, 1.3, weights)
    assert max(np.abs(g).max() for g in at_the_start) > 0.1
    assert max(np.abs(g).max() for g in at_the_end) < 2e-4


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.filterwarnings("ignore:Training diverged.* far above")
def test_a_saturated_output_has_the_right_loss_and_gradient(kind):
    # At raw outputs of +-1e4, exp overflows. A probability clipped to 1e-16 would give every wrong output a loss of 37.
    X, y, T, (coefs, intercepts) = case("tanh", kind)
    intercepts = [*intercepts[:-1], 1e4 * np.array([1.0, -1.0, 0.0])[: n_outputs(kind)]]
    # `fit` raises after an epoch with such a loss, `partial_fit` warns.
    clf = at(FNNClassifier(activation="tanh"), X, y, (coefs, intercepts)).partial_fit(X, y)
    expected = objective(X, T, coefs, intercepts, "tanh", kind)
    assert expected > 1e3
    # One rounding in each of the sums of numbers of size 1e4.
    np.testing.assert_allclose(clf.loss_curve_[1], expected, rtol=1e-14)
    gradients = gradient(X, T, coefs, intercepts, "tanh", kind)
    for before, after, mine in zip([*coefs, *intercepts], clf.coefs_ + clf.intercepts_, gradients, strict=True):
        # The step is a difference of biases of size 1e4, which are rounded to 2e-12.
        np.testing.assert_allclose(before - after, mine, rtol=1e-12, atol=1e-11)


@pytest.mark.parametrize("kind", KINDS)
def test_the_logarithm_of_a_probability_is_exact_if_the_probability_underflows(kind):
    X, y, _, (coefs, intercepts) = case("tanh", kind)
    intercepts = [*intercepts[:-1], 1e4 * np.array([1.0, -1.0, 0.0])[: n_outputs(kind)]]
    clf = at(FNNClassifier(activation="tanh"), X, y, (coefs, intercepts))
    z = np.array([forward(x, coefs, intercepts, "tanh")[1][-1] for x in X])
    z = np.hstack([np.zeros_like(z), z]) if kind == "binary" else z
    if kind == "multilabel":
        exact = -np.logaddexp(0.0, -z)
    else:
        exact = z - np.logaddexp.reduce(z, axis=1, keepdims=True)
    assert exact.min() < -9000
    # Differences of numbers of size 1e4.
    np.testing.assert_allclose(clf.predict_log_proba(X), exact, rtol=1e-12, atol=1e-11)
    assert (clf.predict_proba(X) > 0).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_hidden_units_far_from_zero_do_not_overflow(activation, dtype):
    # The pre-activations reach +-1e4.
    X = np.array([[-1e4, 1.0], [1e4, -1.0], [1e3, 0.0], [-1e3, 3.0]])
    start = [np.eye(2), np.full((2, 1), 1e-4)], [np.zeros(2), np.zeros(1)]
    clf = FNNClassifier(2, activation, learning_rate_init=1e-12, standardize=False, max_iter=1, dtype=dtype)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        clf.fit(X, [0, 1, 0, 1], coefs_init=start[0], intercepts_init=start[1])
        raw = clf.decision_function(X)
    T = np.array([[0.0], [1.0], [0.0], [1.0]])
    expected = [forward(x, *start, activation)[1][-1][0] for x in X]
    # float32 rounds numbers of size 1 to 6e-8, and the step of 1e-12 moves outputs by at most 1e-4.
    np.testing.assert_allclose(raw, expected, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(clf.loss_, objective(X, T, *start, activation, "binary"), rtol=1e-5)
