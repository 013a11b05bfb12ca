"""The activations of hidden layers: value in place, derivative, initial scale.

``apply(z, slope, scratch)`` turns the pre-activations `z` into outputs, in place. ``chain(a, slope, delta, scratch)``
multiplies `delta` by the derivative, in place, given the outputs `a`. `slope` belongs to the layer: it is all zeros at
first, and later holds what ``apply`` and ``chain`` left there. All arrays have the layer's shape (n, n_units).
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import pi, sqrt

import numpy as np
from scipy.special import erf, expit

LEAKY_SLOPE = 0.01
# Klambauer et al. (2017), "Self-normalizing neural networks", arXiv 1706.02515.
SELU_ALPHA = 1.6732632423543772
SELU_SCALE = 1.0507009873554805


@dataclass(frozen=True)
class Activation:
    """An activation; `relu_like` decides how large the initial weights are."""

    apply: Callable[[np.ndarray, np.ndarray, np.ndarray], None]
    chain: Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], None]
    relu_like: bool = False


def _zero(z):
    """Zero in the precision of z: a Python number would be converted in every call."""
    return _ZEROS[z.dtype.char]


_ZEROS = {char: np.zeros((), char) for char in "fd"}


def _identity(z, slope, scratch):
    pass


def _identity_chain(a, slope, delta, scratch):
    pass


def _logistic(z, slope, scratch):
    expit(z, out=z)


def _logistic_chain(a, slope, delta, scratch):
    np.multiply(delta, a, out=delta)
    np.subtract(1.0, a, out=slope)
    np.multiply(delta, slope, out=delta)


def _tanh(z, slope, scratch):
    np.tanh(z, out=z)


def _tanh_chain(a, slope, delta, scratch):
    np.multiply(a, a, out=slope)
    np.subtract(1.0, slope, out=slope)
    np.multiply(delta, slope, out=delta)


def _relu(z, slope, scratch):
    # The slope stays zero. NumPy takes the maximum of two arrays five times as fast as that of an array and a number.
    np.maximum(z, slope, out=z)


def _relu_chain(a, slope, delta, scratch):
    if a.size < 2048:
        np.sign(a, out=scratch)  # no value is negative; on small arrays this is faster than casting a comparison
    else:
        np.greater(a, slope, out=scratch, casting="unsafe")
    np.multiply(delta, scratch, out=delta)


def _leaky_relu(z, slope, scratch):
    np.multiply(z, LEAKY_SLOPE, out=slope)
    np.maximum(z, slope, out=z)


def _leaky_relu_chain(a, slope, delta, scratch):
    np.greater(a, _zero(a), out=slope, casting="unsafe")
    np.maximum(slope, LEAKY_SLOPE, out=slope)
    np.multiply(delta, slope, out=delta)


def _elu(z, slope, scratch):
    np.minimum(z, _zero(z), out=slope)
    np.expm1(slope, out=slope)
    np.maximum(z, _zero(z), out=z)
    np.add(z, slope, out=z)


def _elu_chain(a, slope, delta, scratch):
    # 1 where z > 0, exp(z) = a + 1 elsewhere.
    np.minimum(a, _zero(a), out=slope)
    np.add(slope, 1.0, out=slope)
    np.multiply(delta, slope, out=delta)


def _selu(z, slope, scratch):
    np.minimum(z, _zero(z), out=slope)
    np.expm1(slope, out=slope)
    np.multiply(slope, SELU_ALPHA * SELU_SCALE, out=slope)
    np.maximum(z, _zero(z), out=z)
    np.multiply(z, SELU_SCALE, out=z)
    np.add(z, slope, out=z)


def _selu_chain(a, slope, delta, scratch):
    # scale where z > 0, scale * alpha * exp(z) = a + scale * alpha elsewhere.
    np.minimum(a, _zero(a), out=slope)
    np.add(slope, SELU_ALPHA * SELU_SCALE, out=slope)
    np.greater(a, _zero(a), out=scratch, casting="unsafe")
    np.multiply(scratch, SELU_SCALE * (1.0 - SELU_ALPHA), out=scratch)
    np.add(slope, scratch, out=slope)
    np.multiply(delta, slope, out=delta)


def _gelu(z, slope, scratch):
    # z * Phi(z); its derivative Phi(z) + z * phi(z) goes into slope.
    np.multiply(z, sqrt(0.5), out=slope)
    erf(slope, out=slope)
    np.add(slope, 1.0, out=slope)
    np.multiply(slope, 0.5, out=slope)
    np.multiply(z, z, out=scratch)
    np.multiply(scratch, -0.5, out=scratch)
    np.exp(scratch, out=scratch)
    np.multiply(scratch, 1.0 / sqrt(2.0 * pi), out=scratch)
    np.multiply(scratch, z, out=scratch)
    np.multiply(z, slope, out=z)
    np.add(slope, scratch, out=slope)


def _slope_chain(a, slope, delta, scratch):
    # The activation left its derivative in slope.
    np.multiply(delta, slope, out=delta)


def _silu(z, slope, scratch):
    # z * s with s = sigma(z); its derivative s + a * (1 - s) goes into slope.
    expit(z, out=slope)
    np.multiply(z, slope, out=z)
    np.multiply(z, slope, out=scratch)
    np.subtract(z, scratch, out=scratch)
    np.add(slope, scratch, out=slope)


def _softplus(z, slope, scratch):
    np.logaddexp(z, _zero(z), out=z)


def _softplus_chain(a, slope, delta, scratch):
    # sigma(z) = 1 - exp(-a).
    np.negative(a, out=slope)
    np.expm1(slope, out=slope)
    np.negative(slope, out=slope)
    np.multiply(delta, slope, out=delta)


ACTIVATIONS = {
    "identity": Activation(_identity, _identity_chain),
    "logistic": Activation(_logistic, _logistic_chain),
    "tanh": Activation(_tanh, _tanh_chain),
    "relu": Activation(_relu, _relu_chain, relu_like=True),
    "leaky_relu": Activation(_leaky_relu, _leaky_relu_chain, relu_like=True),
    "elu": Activation(_elu, _elu_chain, relu_like=True),
    "selu": Activation(_selu, _selu_chain),
    "gelu": Activation(_gelu, _slope_chain, relu_like=True),
    "silu": Activation(_silu, _slope_chain, relu_like=True),
    "softplus": Activation(_softplus, _softplus_chain),
}
