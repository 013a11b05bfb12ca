"""The activations against their formulas, one number at a time."""

import numpy as np
import pytest
from reference import ACTIVATIONS as FORMULAS

from skfnn._engine.activations import ACTIVATIONS

# At 0 some activations have a kink and no derivative, so the grid avoids it.
GRID = np.concatenate([-np.geomspace(1e-3, 30, 40), np.geomspace(1e-3, 30, 40)])
FAR = np.array([-1e4, -1e3, -100.0, 100.0, 1e3, 1e4])


def value(name, z, dtype=np.float64):
    """f(z) of a vector, computed on a matrix as in training."""
    return evaluate(name, z, dtype)[0]


def derivative(name, z, dtype=np.float64):
    """f'(z) of a vector: the result of ``chain`` for deltas of 1."""
    return evaluate(name, z, dtype)[1]


def evaluate(name, z, dtype, delta=1.0):
    a = np.array(z, dtype).reshape((-1, 2), order="F")
    slope, scratch = np.zeros_like(a), np.full_like(a, np.nan)
    deltas = np.full_like(a, delta)
    ACTIVATIONS[name].apply(a, slope, scratch)
    values = a.copy()
    # Other layers may use `scratch` between the passes; `slope` belongs to this activation.
    scratch.fill(np.nan)
    ACTIVATIONS[name].chain(a, slope, deltas, scratch)
    np.testing.assert_array_equal(a, values)  # the next layer's gradient needs the outputs
    return values.ravel("F"), deltas.ravel("F")


def by_formula(name, z, which):
    return np.array([FORMULAS[name][which](v) for v in z.tolist()])


def test_the_activations_are_those_that_the_documentation_lists():
    names = "identity logistic tanh relu leaky_relu elu selu gelu silu softplus"
    assert set(ACTIVATIONS) == set(names.split()) == set(FORMULAS)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_apply_computes_the_formula(name):
    # Both sides round a few times, at numbers up to 30.
    np.testing.assert_allclose(value(name, GRID), by_formula(name, GRID, 0), rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_chain_multiplies_by_the_derivative(name):
    h = 1e-5
    difference = (value(name, GRID + h) - value(name, GRID - h)) / (2 * h)
    # Central differences: a truncation error of h^2 = 1e-10 and, at |z| = 30, a rounding error of 30 eps / h = 7e-10.
    np.testing.assert_allclose(derivative(name, GRID), difference, rtol=0, atol=2e-9)
    np.testing.assert_allclose(derivative(name, GRID), by_formula(name, GRID, 1), rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_chain_is_linear_in_delta(name):
    slopes = derivative(name, GRID)
    # The factor -3 is exact; only its product is rounded.
    np.testing.assert_allclose(evaluate(name, GRID, np.float64, delta=-3.0)[1], -3.0 * slopes, rtol=1e-15)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_large_inputs_do_not_overflow(name, dtype):
    # SciPy's and NumPy's functions may report underflow; training ignores it too.
    with np.errstate(under="ignore"):
        values, slopes = evaluate(name, FAR, dtype)
    assert np.isfinite(values).all()
    assert np.isfinite(slopes).all()
    eps = np.finfo(dtype).eps
    np.testing.assert_allclose(values, by_formula(name, FAR, 0), rtol=2 * eps, atol=2 * eps)
    np.testing.assert_allclose(slopes, by_formula(name, FAR, 1), rtol=4 * eps, atol=2 * eps)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_float32_is_float64_rounded(name):
    z = GRID.astype(np.float32).astype(np.float64)
    values, slopes = evaluate(name, z, np.float32)
    assert values.dtype == slopes.dtype == np.float32
    # A few roundings of intermediate results that are no larger than the number itself or 1.
    tolerance = 4 * np.finfo(np.float32).eps * np.maximum(1.0, abs(z))
    assert (abs(values - by_formula(name, z, 0)) <= tolerance).all()
    assert (abs(slopes - by_formula(name, z, 1)) <= tolerance).all()


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_at_zero_the_value_is_exact_and_the_slope_is_between_its_neighbours(name):
    values, slopes = evaluate(name, np.zeros(2), np.float64)
    np.testing.assert_allclose(values, FORMULAS[name][0](0.0), atol=1e-15)
    sides = sorted(FORMULAS[name][1](z) for z in (-1e-9, 1e-9))
    # Over a distance of 1e-9 a derivative changes by less than 1e-8.
    assert sides[0] - 1e-8 <= slopes[0] <= sides[1] + 1e-8
