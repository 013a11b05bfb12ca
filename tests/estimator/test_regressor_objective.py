"""The losses of FNNRegressor and their gradients, against scikit-learn's metrics and finite differences."""

import numpy as np
import pytest
import reference
from regressors import HIDDEN, N_FEATURES, containers, estimator, losses, mean_loss, outputs, problem, start_for
from scipy import sparse

from skfnn._engine.losses import PoissonDeviance, SquaredError

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

LOSSES = {"squared_error": SquaredError(), "poisson": PoissonDeviance()}

# The losses


def raw_problem(loss, n_outputs, n=17):
    rng = np.random.default_rng(0)
    z = rng.normal(size=(n, n_outputs))
    y = rng.normal(size=(n, n_outputs)) if loss == "squared_error" else rng.poisson(1.5, size=(n, n_outputs))
    return z, y.astype(float), rng.integers(0, 4, size=n).astype(float)


def value_and_delta(loss, z, y, weights=None, dtype=np.float64):
    """The sum of the rows' losses, and its derivative. The arguments do not change."""
    # The rows form one block with one mini-batch.
    z, y = (np.array(a, dtype).T[None].copy() for a in (z, y))
    delta, row = np.full_like(z[0].T, np.nan, order="F"), np.full((1, z.shape[2]), np.nan, dtype)
    weights = None if weights is None else np.array(weights, dtype)[None]
    LOSSES[loss].write_delta(z[0].T, y[0].T, delta, row.T, None if weights is None else weights.T)
    return LOSSES[loss].value(z, y, row, weights), delta


@pytest.mark.parametrize("weighted", [False, True])
@outputs
@losses
def test_the_mean_loss_is_half_the_metric_of_scikit_learn(loss, n_outputs, weighted):
    z, y, weights = raw_problem(loss, n_outputs)
    weights = weights if weighted else None
    value, _ = value_and_delta(loss, z, y, weights)
    assert isinstance(value, float)
    predicted = z.copy()
    LOSSES[loss].activate(predicted)
    np.testing.assert_array_equal(predicted, np.exp(z) if loss == "poisson" else z)
    # A few roundings of numbers up to 10.
    total = len(z) if weights is None else weights.sum()
    np.testing.assert_allclose(value / total, mean_loss(loss, y, predicted, weights), rtol=1e-13)


@pytest.mark.parametrize("weighted", [False, True])
@outputs
@losses
def test_delta_is_the_derivative_of_the_loss(loss, n_outputs, weighted):
    z, y, weights = raw_problem(loss, n_outputs)
    weights = weights if weighted else None
    _, delta = value_and_delta(loss, z, y, weights)
    h = 1e-5
    for index in np.ndindex(z.shape):
        step = np.zeros_like(z)
        step[index] = h
        up, down = (value_and_delta(loss, z + s, y, weights)[0] for s in (step, -step))
        # Central differences: a truncation error of h^2, and the rounding of a sum of size 100 divided by h, 2e-9.
        np.testing.assert_allclose(delta[index], (up - down) / (2 * h), rtol=0, atol=1e-8)


@losses
def test_the_loss_of_a_perfect_prediction_is_zero(loss):
    y = np.array([[0.5, 1.0, 3.0]])
    z = np.log(y) if loss == "poisson" else y
    value, delta = value_and_delta(loss, z, y)
    # Logarithm and exponential are rounded to 1e-16.
    np.testing.assert_allclose(value, 0.0, atol=1e-15)
    np.testing.assert_allclose(delta, 0.0, atol=1e-15)


def test_the_poisson_loss_of_a_count_of_zero_is_the_mean():
    value, delta = value_and_delta("poisson", [[-1e4, 0.0, 1.0]], [[0.0, 0.0, 0.0]])
    np.testing.assert_allclose(value, 1.0 + np.e, rtol=1e-15)
    np.testing.assert_allclose(delta, [[0.0, 1.0, np.e]], rtol=1e-15)


@losses
def test_float32_losses_are_float64_losses_rounded(loss):
    z, y, weights = raw_problem(loss, 3)
    value, delta = value_and_delta(loss, z, y, weights, np.float32)
    assert delta.dtype == np.float32
    exact, exact_delta = value_and_delta(loss, z, y, weights)
    # Numbers up to 10, each rounded to 6e-8, are multiplied by weights up to 3.
    np.testing.assert_allclose(value, exact, rtol=1e-5)
    np.testing.assert_allclose(delta, exact_delta, atol=1e-5)


# The gradient


def objective(X, y, coefs, intercepts, loss, alpha, weights):
    """R(W), row by row."""
    return reference.objective(X, np.reshape(y, (len(X), -1)), coefs, intercepts, "tanh", loss, alpha, weights)


def finite_differences(X, y, start, *rest):
    """The derivative of R with respect to every parameter, weights first."""
    coefs, intercepts = ([p.copy() for p in part] for part in start)
    h, differences = 1e-5, []
    for p in coefs + intercepts:
        difference = np.empty_like(p)
        for index in np.ndindex(p.shape):
            value, both = p[index], []
            for p[index] in (value + h, value - h):
                both.append(objective(X, y, coefs, intercepts, *rest))
            p[index] = value
            difference[index] = (both[0] - both[1]) / (2 * h)
        differences.append(difference)
    return differences


@pytest.mark.parametrize("weights", [None, (0.0, 1.0, 2.5, 0.3, 1.0, 4.0, 0.0, 0.7, 1.0)], ids=["plain", "weights"])
@pytest.mark.parametrize("alpha", [0.0, 1.3])
@outputs
@losses
def test_a_step_of_length_1_is_the_gradient_of_the_objective(loss, n_outputs, alpha, weights):
    X, y = problem(loss, n_outputs, n_rows=9)
    start = start_for(n_outputs)
    expected = finite_differences(X, y, start, loss, alpha, weights)
    assert max(np.abs(g).max() for g in expected) > 0.1
    # Plain SGD adds products of factors to the weights. Momentum adds them to the velocity, which is -eta * gradient at
    # first.
    for momentum in (0.0, 0.9):
        for container in (np.asarray, sparse.csr_matrix):
            reg = estimator(loss=loss, alpha=alpha, momentum=momentum, nesterovs_momentum=False, batch_size="full")
            reg.set_params(max_iter=1, learning_rate_init=1.0)
            reg.fit(container(X), y, sample_weight=weights, coefs_init=start[0], intercepts_init=start[1])
            for before, after, g in zip([*start[0], *start[1]], reg.coefs_ + reg.intercepts_, expected, strict=True):
                # The error of a central difference is h^2 times a third derivative, plus the rounding of R divided by
                # h: 1e-10.
                np.testing.assert_allclose(before - after, g, rtol=1e-6, atol=1e-9)
            np.testing.assert_allclose(reg.loss_, objective(X, y, *start, loss, alpha, weights), rtol=1e-12)


@containers
@losses
def test_the_gradient_of_many_rows_is_the_mean_over_their_halves(loss, container):
    # skfnn processes 1000 rows in parts.
    X, y = problem(loss, 3, n_rows=1000)
    start = start_for(3)
    ends = []
    for rows in (slice(None), slice(0, 500), slice(500, None)):
        reg = estimator(loss=loss, batch_size="full", max_iter=1, learning_rate_init=1.0)
        reg.fit(container(X[rows]), y[rows], coefs_init=start[0], intercepts_init=start[1])
        ends.append([*reg.coefs_, *reg.intercepts_, np.array(reg.loss_)])
    for whole, first, second in zip(*ends, strict=True):
        # A thousand numbers of size 1 are summed in another order.
        np.testing.assert_allclose(whole, (first + second) / 2, rtol=0, atol=1e-12)


@pytest.mark.parametrize("batch_size", [1, 4, "full"])
def test_every_step_shrinks_the_weights_by_alpha_over_n_rows(batch_size, assert_parameters):
    # With rows and targets of zeros, only the L2 term has an effect.
    coefs, intercepts = start_for(3)[0], [np.zeros(n) for n in (*HIDDEN, 3)]
    reg = estimator(alpha=5.0, learning_rate_init=0.1, batch_size=batch_size, max_iter=3)
    reg.fit(np.zeros((20, N_FEATURES)), np.zeros((20, 3)), coefs_init=coefs, intercepts_init=intercepts)
    assert reg.n_steps_ == {1: 60, 4: 15, "full": 3}[batch_size]
    shrunk = [W * (1 - 0.1 * 5.0 / 20) ** reg.n_steps_ for W in coefs]
    assert_parameters(reg, shrunk, intercepts, atol=1e-14)  # 60 roundings of numbers of size 1
