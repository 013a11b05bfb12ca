"""Raw outputs of size 10,000 and saturated units have exact losses, slopes and gradients."""

import decimal
from decimal import Decimal

import numpy as np
import pytest
from extremes import STRICT, X, activations, containers, estimator, step_of, written, y
from problems import initial_values, problem
from reference import gradient, objective
from tuned import FNNRegressor

from skfnn._engine.activations import ACTIVATIONS
from skfnn._engine.losses import LogisticCrossEntropy, PoissonDeviance, SoftmaxCrossEntropy, SquaredError

pytestmark = STRICT


# Raw outputs of size 10,000

LOSSES = {
    "softmax": SoftmaxCrossEntropy(),
    "logistic": LogisticCrossEntropy(),
    "squared error": SquaredError(),
    "poisson": PoissonDeviance(),
}


def exact_loss(name, z, t):
    """The loss of one row and its derivative, to 50 digits."""
    z, t = [Decimal(float(v)) for v in z], [Decimal(float(v)) for v in t]
    one = Decimal(1)
    if name == "softmax":
        e = [v.exp() for v in z]
        total = sum(e)
        return total.ln() - sum(v * u for v, u in zip(z, t, strict=True)), [
            a / total - u for a, u in zip(e, t, strict=True)
        ]
    if name == "logistic":
        # log(1 + exp(z)) equals z + log(1 + exp(-z)). For large z, the first form would need many more digits.
        value = sum(max(v, Decimal(0)) + (one + (-abs(v)).exp()).ln() - v * u for v, u in zip(z, t, strict=True))
        return value, [one / (one + (-v).exp()) - u for v, u in zip(z, t, strict=True)]
    if name == "squared error":
        pairs = list(zip(z, t, strict=True))
        return sum((v - u) ** 2 / 2 for v, u in pairs), [v - u for v, u in pairs]
    value = sum(v.exp() - u * v + (u * u.ln() if u else u) - u for v, u in zip(z, t, strict=True))
    return value, [v.exp() - u for v, u in zip(z, t, strict=True)]


def extreme_rows(name, dtype):
    """Raw outputs up to 10,000, far apart or close together, with their targets."""
    rng = np.random.default_rng(1)
    largest = 80.0 if name == "poisson" else 1e4  # exp(80) is within float32
    z = rng.choice([-largest, largest, 0.0, 1.0], size=(60, 4)) + rng.normal(size=(60, 4)) * rng.choice([0, 1], (60, 1))
    z[:5] = largest, largest, largest, largest - 20.0
    if name == "softmax":
        t = np.eye(4)[rng.integers(0, 4, 60)]
    elif name == "logistic":
        t = rng.integers(0, 2, (60, 4)).astype(float)
    else:
        t = rng.integers(0, 5, (60, 4)).astype(float)
    return z.astype(dtype), t.astype(dtype)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", LOSSES)
def test_losses_and_derivatives_are_exact_to_rounding_at_raw_outputs_of_ten_thousand(name, dtype):
    eps = np.finfo(dtype).eps
    with decimal.localcontext() as context:
        context.prec = 50
        for z, t in zip(*extreme_rows(name, dtype), strict=True):
            value, delta = exact_loss(name, z, t)
            # One mini-batch with one row, in the layout of training: (n_batches, n_outputs, n).
            raw, target = z.copy().reshape(1, 4, 1), t.copy().reshape(1, 4, 1)
            found, row = np.empty((1, 4), dtype), np.empty((1, 1), dtype)
            with np.errstate(over="raise", invalid="raise", divide="raise", under="ignore"):
                LOSSES[name].write_delta(raw[0].T, target[0].T, found, row)
                got = LOSSES[name].value(raw, target, row)
            # The difference of two exact raw outputs of size 10,000 is rounded once, and sums have four terms.
            size = max(1.0, abs(float(value)), float(np.abs(z).max()) if name != "softmax" else 0.0)
            assert abs(got - float(value)) <= 8 * eps * size
            scale = max(1.0, *(abs(float(d)) for d in delta))
            # The relative error of exp(80) is 80 units in the last place.
            slack = 100 if name == "poisson" else 4
            np.testing.assert_allclose(found[0], [float(d) for d in delta], rtol=slack * eps, atol=slack * eps * scale)


@pytest.mark.parametrize("weight", [1e-4, 1e4])
def test_a_poisson_loss_that_overflows_is_divergence(weight):
    # exp(1e4) overflows. The loss is neither clipped nor infinite; instead, an error says what to do.
    with pytest.raises(ValueError, match="diverged"):
        estimator(FNNRegressor, loss="poisson").fit(X, y, intercepts_init=[np.zeros(5), [1e4]])
    # exp(-1e4) rounds to 0, so the loss is that of a mean of 0: exp(z) - y z + y log y - y.
    counts = np.array([0.0, 1.0, 2.0])
    reg = estimator(FNNRegressor, loss="poisson", learning_rate_init=1e-12, dtype="float64")
    rows = X[:3] * weight
    start = [np.zeros((3, 5)), np.zeros((5, 1))], [np.zeros(5), [-1e4]]
    written(reg.partial_fit(0.0 * rows, counts), *start).partial_fit(rows, counts)
    expected = np.mean([0.0, 1e4 - 1.0, 2e4 + 2.0 * np.log(2.0) - 2.0])
    np.testing.assert_allclose(reg.loss_, expected, rtol=1e-14)


# Saturated units

LIMITS = {  # (value, slope) as functions of z towards plus infinity, and their limits towards minus infinity
    "identity": ((lambda z: z, 1.0), (lambda z: z, 1.0)),
    "logistic": ((lambda z: 1.0, 0.0), (lambda z: 0.0, 0.0)),
    "tanh": ((lambda z: 1.0, 0.0), (lambda z: -1.0, 0.0)),
    "relu": ((lambda z: z, 1.0), (lambda z: 0.0, 0.0)),
    "leaky_relu": ((lambda z: z, 1.0), (lambda z: 0.01 * z, 0.01)),
    "elu": ((lambda z: z, 1.0), (lambda z: -1.0, 0.0)),
    # Klambauer et al. (2017): lambda z, and -lambda alpha.
    "selu": ((lambda z: 1.0507009873554805 * z, 1.0507009873554805), (lambda z: -1.7580993408473766, 0.0)),
    "gelu": ((lambda z: z, 1.0), (lambda z: 0.0, 0.0)),
    "silu": ((lambda z: z, 1.0), (lambda z: 0.0, 0.0)),
    "softplus": ((lambda z: z, 1.0), (lambda z: 0.0, 0.0)),
}


@pytest.mark.parametrize(("dtype", "size"), [("f4", 1e3), ("f4", 1e30), ("f8", 1e3), ("f8", 1e300)])
@activations
def test_a_saturated_unit_has_the_limiting_value_and_slope(activation, dtype, size):
    z = np.array([[size], [-size]], dtype)
    a, slope, scratch, delta = z.copy(), np.zeros_like(z), np.empty_like(z), np.ones_like(z)
    # Training ignores overflow in intermediate results, such as z * z in the density of the normal distribution.
    with np.errstate(all="ignore"):
        ACTIVATIONS[activation].apply(a, slope, scratch)
        ACTIVATIONS[activation].chain(a, slope, delta, scratch)
    eps = np.finfo(dtype).eps
    for row, (value, derivative) in enumerate(LIMITS[activation]):
        np.testing.assert_allclose(a[row, 0], value(float(z[row, 0])), rtol=2 * eps, atol=0)
        np.testing.assert_allclose(delta[row, 0], derivative, rtol=2 * eps, atol=2 * eps)


@activations
@containers
def test_the_gradient_through_saturated_units_is_exact(container, activation):
    rows, labels, T = problem("multiclass", 12)
    coefs, intercepts = initial_values((5, 4, 3, 3), seed=2)
    coefs[0] *= 1e3  # pre-activations of some thousands, of both signs
    found, net = step_of(container(rows), labels, coefs, intercepts, activation)
    expected = gradient(rows, T, coefs, intercepts, activation, "multiclass")
    assert max(np.abs(g).max() for g in expected) > 0.01
    np.testing.assert_allclose(net.loss_, objective(rows, T, coefs, intercepts, activation, "multiclass"), rtol=1e-12)
    for g, e, p in zip(found, expected, coefs + intercepts, strict=True):
        # The gradient is a difference of rounded parameters, and sums of terms of that size are rounded as well.
        atol = 1e-14 * max(np.abs(p).max(), np.abs(e).max(), 1.0)
        np.testing.assert_allclose(g, e, rtol=1e-10, atol=atol)
