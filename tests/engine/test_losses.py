"""The losses on raw outputs, against SciPy, scikit-learn and finite differences."""

import numpy as np
import pytest
from memory import peak_of
from scipy.special import expit, kl_div, log_softmax, softmax
from sklearn.metrics import log_loss

from skfnn._engine.losses import (
    LogisticCrossEntropy,
    PoissonDeviance,
    ScaledSquaredError,
    SoftmaxCrossEntropy,
    SquaredError,
)

LOSSES = {
    "softmax": SoftmaxCrossEntropy(),
    "logistic": LogisticCrossEntropy(),
    "squared error": SquaredError(),
    "poisson": PoissonDeviance(),
}
# One logistic unit is for binary classification, several are for multilabel classification.
PROBLEMS = [(name, n) for name, sizes in (("softmax", (3, 10)), ("logistic", (1, 4))) for n in sizes]
PROBLEMS += [(name, n) for name in ("squared error", "poisson") for n in (1, 3)]
problems = pytest.mark.parametrize(("name", "n_outputs"), PROBLEMS)


def problem(name, n_outputs, n=17, seed=0):
    """Raw outputs, targets and weights."""
    rng = np.random.default_rng(seed)
    z = rng.normal(scale=1 if name == "poisson" else 3, size=(n, n_outputs))  # for Poisson, z is a logarithm
    if name == "softmax":
        y = np.eye(n_outputs)[rng.integers(n_outputs, size=n)]
    elif name == "squared error":
        y = rng.normal(size=(n, n_outputs))
    else:
        y = rng.integers(4 if name == "poisson" else 2, size=(n, n_outputs)).astype(float)
    return z, y, rng.integers(0, 4, size=n).astype(float)


def value_and_delta(name, z, y, weights=None, dtype=np.float64):
    """The sum of the rows' losses and its derivative; this function does not change its arguments."""
    n, n_outputs = np.shape(z)
    # The rows form one block with one mini-batch.
    z, y = (np.array(a, dtype).T[None].copy() for a in (z, y))
    delta, row = np.full((n, n_outputs), np.nan, dtype, order="F"), np.full((1, n), np.nan, dtype)
    weights = None if weights is None else np.array(weights, dtype)[None]
    loss = LOSSES[name]
    loss.write_delta(z[0].T, y[0].T, delta, row.T, None if weights is None else weights.T)
    return loss.value(z, y, row, weights), delta


def row_losses(name, z, y):
    """The loss of every row by SciPy's functions."""
    if name == "softmax":
        return -(log_softmax(z, axis=1) * y).sum(axis=1)
    if name == "squared error":
        return ((z - y) ** 2).sum(axis=1) / 2
    if name == "poisson":
        return kl_div(y, np.exp(z)).sum(axis=1)
    return -np.where(y == 1, np.log(expit(z)), np.log(expit(-z))).sum(axis=1)


@problems
def test_the_value_is_the_sum_of_the_rows_losses(name, n_outputs):
    z, y, _ = problem(name, n_outputs)
    value, _ = value_and_delta(name, z, y)
    assert isinstance(value, float)
    # A few roundings of numbers up to 100.
    np.testing.assert_allclose(value, row_losses(name, z, y).sum(), rtol=1e-13)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("name", "n_outputs"), [("softmax", 3), ("logistic", 1)])
def test_the_mean_loss_equals_scikit_learns_log_loss(name, n_outputs, weighted):
    z, y, weights = problem(name, n_outputs)
    weights = weights if weighted else None
    value, _ = value_and_delta(name, z, y, weights)
    if name == "softmax":
        labels, probabilities = y.argmax(axis=1), softmax(z, axis=1)
    else:
        labels, probabilities = y[:, 0], expit(z[:, 0])
    expected = log_loss(labels, probabilities, sample_weight=weights)
    np.testing.assert_allclose(value / (len(z) if weights is None else weights.sum()), expected, rtol=1e-12)


@pytest.mark.parametrize("weighted", [False, True])
@problems
def test_delta_is_the_derivative_of_the_value(name, n_outputs, weighted):
    z, y, weights = problem(name, n_outputs)
    weights = weights if weighted else None
    _, delta = value_and_delta(name, z, y, weights)
    h = 1e-5
    for index in np.ndindex(z.shape):
        step = np.zeros_like(z)
        step[index] = h
        up, down = (value_and_delta(name, z + s, y, weights)[0] for s in (step, -step))
        # Central differences have a truncation error of h^2. The rounding error of a sum of size 100 is divided by h:
        # 100 eps / h = 2e-9.
        np.testing.assert_allclose(delta[index], (up - down) / (2 * h), rtol=0, atol=1e-8)


@problems
def test_weights_multiply_the_rows(name, n_outputs):
    z, y, weights = problem(name, n_outputs)
    value, delta = value_and_delta(name, z, y, weights)
    np.testing.assert_allclose(value, weights @ row_losses(name, z, y), rtol=1e-13)
    np.testing.assert_allclose(delta, weights[:, None] * value_and_delta(name, z, y)[1], rtol=1e-14, atol=1e-16)
    assert (delta[weights == 0] == 0).all()


@pytest.mark.parametrize("weighted", [False, True])
@problems
def test_the_value_of_a_block_is_the_sum_over_its_mini_batches(name, n_outputs, weighted):
    z, y, weights = problem(name, n_outputs, n=12)
    weights = weights if weighted else np.ones(12)
    expected = weights @ row_losses(name, z, y)
    # Three mini-batches of four rows.
    z, y = (a.reshape(3, 4, n_outputs).transpose(0, 2, 1).copy() for a in (z, y))
    row, weights = np.full((3, 4), np.nan), weights.reshape(3, 4) if weighted else None
    for k in range(3):
        delta, of_rows = np.empty((4, n_outputs), order="F"), weights[k, :, None] if weighted else None
        LOSSES[name].write_delta(z[k].T, y[k].T, delta, row[k, :, None], of_rows)
    np.testing.assert_allclose(LOSSES[name].value(z, y, row, weights), expected, rtol=1e-13)


@problems
def test_weights_of_one_change_nothing(name, n_outputs):
    z, y, _ = problem(name, n_outputs)
    value, delta = value_and_delta(name, z, y)
    weighted_value, weighted_delta = value_and_delta(name, z, y, np.ones(len(z)))
    np.testing.assert_allclose(weighted_value, value, rtol=1e-14)  # a different order of summation
    np.testing.assert_array_equal(weighted_delta, delta)


@problems
def test_rows_do_not_affect_each_other(name, n_outputs):
    z, y, _ = problem(name, n_outputs)
    _, delta = value_and_delta(name, z, y)
    parts = [value_and_delta(name, z[rows], y[rows]) for rows in (slice(0, 1), slice(1, 6), slice(6, None))]
    np.testing.assert_allclose(np.vstack([d for _, d in parts]), delta, rtol=1e-14, atol=1e-16)
    np.testing.assert_allclose(sum(v for v, _ in parts), value_and_delta(name, z, y)[0], rtol=1e-14)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("weight", [None, 1.0, 0.0, 2.0])
@pytest.mark.parametrize(
    ("name", "z", "y", "value", "delta"),
    [
        ("softmax", [1e4, -1e4, 0.0], [1, 0, 0], 0.0, [0, 0, 0]),
        ("softmax", [1e4, -1e4, 0.0], [0, 1, 0], 2e4, [1, -1, 0]),
        ("softmax", [1e4, -1e4, 0.0], [0, 0, 1], 1e4, [1, 0, -1]),
        ("softmax", [-1e4, -1e4 - 8192, -3e4], [0, 1, 0], 8192.0, [1, -1, 0]),
        ("logistic", [1e4], [1], 0.0, [0]),
        ("logistic", [1e4], [0], 1e4, [1]),
        ("logistic", [-1e4], [1], 1e4, [-1]),
        ("logistic", [-1e4], [0], 0.0, [0]),
        ("logistic", [1e4, -1e4, 1e4], [0, 1, 1], 2e4, [1, -1, 0]),
    ],
)
def test_raw_outputs_of_ten_thousand_give_the_exact_loss(name, z, y, value, delta, weight, dtype):
    weights = None if weight is None else [weight]
    factor = 1.0 if weight is None else weight
    with np.errstate(under="ignore"):  # exp(-2e4) is 0, as it should be
        got_value, got_delta = value_and_delta(name, [z], [y], weights, dtype)
    # All these numbers are exact in float32, so nothing is rounded; nothing is clipped either.
    assert got_value == factor * value
    np.testing.assert_array_equal(got_delta, factor * np.array([delta]))


@problems
def test_float32_is_float64_rounded(name, n_outputs):
    z, y, weights = problem(name, n_outputs)
    for w in (None, weights):
        value, delta = value_and_delta(name, z, y, w, np.float32)
        exact, exact_delta = value_and_delta(name, z, y, w)
        # The sum over 17 rows of raw outputs up to 10, each rounded to 6e-8 and multiplied by weights up to 3.
        np.testing.assert_allclose(value, exact, rtol=1e-5)
        np.testing.assert_allclose(delta, exact_delta, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ["softmax", "logistic", "squared error"])
def test_computing_a_blocks_loss_needs_no_extra_memory(name, dtype):
    for weights in (None, np.ones((2, 20000), dtype)):
        z, y, row = np.zeros((2, 10, 20000), dtype), np.ones((2, 10, 20000), dtype), np.ones((2, 20000), dtype)
        peak = peak_of(lambda z=z, y=y, row=row, weights=weights: LOSSES[name].value(z, y, row, weights))
        assert peak < row.nbytes / 2  # old NumPy versions use a buffer of 8,192 numbers


# The output activation


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@problems
def test_activate_is_the_output_activation(name, n_outputs, dtype):
    z, _, _ = problem(name, n_outputs)
    p = z.astype(dtype)
    LOSSES[name].activate(p)
    assert p.dtype == dtype
    expected = {
        "softmax": lambda: softmax(z, axis=1),
        "logistic": lambda: expit(z),
        "squared error": lambda: z,
        "poisson": lambda: np.exp(z),
    }[name]()
    np.testing.assert_allclose(p, expected, rtol=30 * np.finfo(dtype).eps)  # exp(10) multiplies the rounding of z by 10


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", LOSSES)
def test_activating_ordinary_outputs_needs_little_memory(name, dtype):
    z = np.zeros((20000, 10), dtype)
    # The softmax needs two numbers per row.
    assert peak_of(lambda: LOSSES[name].activate(z)) < z.nbytes / 2


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_activate_does_not_overflow(dtype):
    with np.errstate(under="ignore"):
        p = np.array([[1e4, -1e4, 0.0], [-1e4, -1e4, -1e4]], dtype)
        smallest = np.finfo(dtype).smallest_subnormal
        SoftmaxCrossEntropy().activate(p)
        # Probabilities that are too small for the type become its smallest numbers, in the order of the raw outputs.
        expected = [[1, smallest, 2 * smallest], [1 / 3] * 3]
        np.testing.assert_allclose(p, expected, rtol=2 * np.finfo(dtype).eps)
        p = np.array([[1e4], [-1e4], [0.0]], dtype)
        LogisticCrossEntropy().activate(p)
        np.testing.assert_allclose(p, [[1], [smallest], [0.5]], rtol=2 * np.finfo(dtype).eps)
        assert ((p > 0) & (p < 1)).all()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("name", "n_outputs"), [("softmax", 3), ("softmax", 10), ("logistic", 1), ("logistic", 4)])
def test_log_activate_is_the_logarithm_of_activate_even_far_from_zero(name, n_outputs, dtype):
    z = problem(name, n_outputs)[0].astype(dtype)
    z[:4] *= 1e4
    log_p, exact = z.copy(), z.astype(np.longdouble)
    with np.errstate(under="ignore"):
        LOSSES[name].log_activate(log_p)
        if name == "softmax":
            exact = exact - exact.max(axis=1, keepdims=True)
            exact = exact - np.log(np.exp(exact).sum(axis=1, keepdims=True))
        else:
            exact = -np.logaddexp(0, -exact)
    assert log_p.dtype == dtype
    assert (log_p <= 0).all()
    # Differences of numbers of size 10, and of size 1e5 in the first rows.
    size = np.maximum(10.0, np.abs(z).max(axis=1, keepdims=True))
    assert (np.abs(log_p - exact) <= 4 * np.finfo(dtype).eps * size).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_logistic_probability_is_rounded_to_a_number_below_1(dtype):
    p = np.array([[1e4], [40.0], [17.5], [0.0]], dtype)
    LogisticCrossEntropy().activate(p)
    largest = 1 - np.finfo(dtype).epsneg  # the number before 1
    np.testing.assert_array_equal(p[:2], largest)
    np.testing.assert_allclose(p[2:, 0], [1 - 1 / (1 + np.exp(17.5)), 0.5], rtol=np.finfo(dtype).eps)


def test_the_losses_name_their_output_activation():
    assert SoftmaxCrossEntropy.out_activation == "softmax"
    assert LogisticCrossEntropy.out_activation == "logistic"
    assert SquaredError.out_activation == "identity"
    assert PoissonDeviance.out_activation == "exp"


# The squared error of standardised targets


def blocks(n_outputs, weighted, dtype):
    """Raw outputs, targets and weights of three mini-batches of four rows."""
    z, y, weights = problem("squared error", n_outputs, n=12)
    z, y = (a.reshape(3, 4, n_outputs).transpose(0, 2, 1).astype(dtype) for a in (z, y))
    return z, y, weights.reshape(3, 4).astype(dtype) if weighted else None


def trained(loss, z, y, weights):
    """The value and the deltas, (3, n_outputs, 4), of three mini-batches."""
    deltas, row = np.full_like(z, np.nan), np.full((3, 4), np.nan, z.dtype)
    for k in range(3):
        of_rows = None if weights is None else weights[k, :, None]
        loss.write_delta(z[k].T, y[k].T, deltas[k].T, row[k, :, None], of_rows)
    return loss.value(z, y, row, weights), deltas


@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_scaled_squared_error_has_a_value_in_both_units(dtype, weighted, n_outputs):
    scale = np.array([0.5, 1000.0, 3.0])[:n_outputs]
    z, y, weights = blocks(n_outputs, weighted, dtype)
    squares = np.square(z.astype(np.float64) - y)
    w = np.ones((3, 4)) if weights is None else weights
    inside = 0.5 * sum(w[k, i] * squares[k, j, i] for k in range(3) for j in range(n_outputs) for i in range(4))
    outside = 0.5 * sum(
        w[k, i] * scale[j] ** 2 * squares[k, j, i] for k in range(3) for j in range(n_outputs) for i in range(4)
    )
    value, _ = trained(ScaledSquaredError(scale), z.copy(), y.copy(), weights)
    # The differences are rounded to `dtype`; their squares are summed in float64.
    np.testing.assert_allclose(value, [inside, outside], rtol=1e-13 if dtype == np.float64 else 1e-6)
    of_plain, _ = trained(SquaredError(), z.copy(), y.copy(), weights)
    np.testing.assert_allclose(value[0], of_plain, rtol=1e-13 if dtype == np.float64 else 1e-6)


@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_deltas_of_a_scaled_squared_error_are_those_of_the_squared_error(weighted, n_outputs):
    z, y, weights = blocks(n_outputs, weighted, np.float64)
    _, scaled = trained(ScaledSquaredError(np.array([0.5, 1000.0, 3.0])[:n_outputs]), z.copy(), y.copy(), weights)
    _, plain = trained(SquaredError(), z.copy(), y.copy(), weights)
    np.testing.assert_array_equal(scaled, plain)


def test_the_unit_of_a_scaled_squared_error_turns_the_loss_of_equal_columns_into_the_units_of_y():
    loss = ScaledSquaredError(np.array([2.0, 4.0]))
    np.testing.assert_array_equal(loss.unit, [1.0, 10.0])
    # Both columns have the residuals 3 and -1.
    z, y = np.array([[[3.0, -1.0], [3.0, -1.0]]]), np.zeros((1, 2, 2))
    inside, outside = loss.value(z, y, np.zeros((1, 2)))
    assert inside == 10.0
    assert outside == inside * loss.unit[1]


@pytest.mark.parametrize("weighted", [False, True])
def test_the_squares_of_float32_residuals_are_summed_in_float64(weighted):
    # 4096^2 + 1 = 2^24 + 1 needs 25 binary digits, and float32 has 24.
    z, y = np.array([[[4096.0, 1.0]]], np.float32), np.zeros((1, 1, 2), np.float32)
    weights = np.ones((1, 2), np.float32) if weighted else None
    value = ScaledSquaredError(np.array([2.0])).value(z, y, np.zeros((1, 2), np.float32), weights)
    np.testing.assert_array_equal(value, [(2**24 + 1) / 2, (2**24 + 1) * 2])


def test_a_scale_whose_square_overflows_gives_an_infinite_unit_without_a_warning():
    np.testing.assert_array_equal(ScaledSquaredError(np.array([1e200, 1.0])).unit, [1.0, np.inf])


def test_all_other_losses_have_one_unit():
    assert all(loss.unit == 1.0 for loss in LOSSES.values())
