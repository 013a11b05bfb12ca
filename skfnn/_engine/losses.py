"""The losses: from raw outputs to loss and delta, and from raw outputs to predictions.

A loss works on the output layer before its activation, `z`, so nothing overflows and nothing is clipped.
"""

from typing import Any, Protocol

import numpy as np
from scipy.special import expit, xlogy

from .blas import blas


class Loss(Protocol):
    """A loss, together with the activation of the output layer that belongs to it.

    `unit` converts a term in the coordinates of training to the units that ``value`` returns: it is 1.0, or an array of
    two numbers if ``value`` returns two.
    """

    out_activation: str
    unit: Any

    def write_delta(self, z, y, delta, row, weights=None):
        """Write the derivative of a mini-batch's loss with respect to `z` into `delta`.

        All arrays are (n, n_outputs), except `row` and `weights` (the rows' weights, or None), which are (n, 1). `z`
        and `row` are overwritten with what ``value`` needs.
        """

    def value(self, z, y, row, weights=None):
        """The weighted sum of the losses of a block's rows, a Python float.

        One call serves all mini-batches of a block: `z` and `y` are (n_batches, n_outputs, n), `row` and `weights` are
        (n_batches, n). All arrays except the weights may be overwritten.
        """

    def activate(self, z):
        """Apply the activation of the output layer to `z` (n, n_outputs), in place."""


def _smallest(dtype):
    """The smallest number above 0. No probability of a finite raw output is 0."""
    return np.nextafter(dtype.type(0), dtype.type(np.inf))


class SoftmaxCrossEntropy:
    """-log softmax(z)[class], for targets that are one-hot rows."""

    out_activation = "softmax"
    unit: Any = 1.0

    def write_delta(self, z, y, delta, row, weights=None):
        """Write the delta of a mini-batch; overwrite `z` and `row` with what ``value`` needs."""
        np.maximum.reduce(z, 1, out=row, keepdims=True)
        np.subtract(z, row, out=z)
        np.exp(z, out=delta)
        np.add.reduce(delta, 1, out=row, keepdims=True)
        np.divide(delta, row, out=delta)
        np.subtract(delta, y, out=delta)
        if weights is not None:
            np.multiply(delta, weights, out=delta)

    def value(self, z, y, row, weights=None):
        """The sum of the losses of a block's rows."""
        dot = blas(z.dtype).dot
        np.log(row, out=row)
        if weights is None:
            normalizers = float(np.add.reduce(row, None))
        else:
            normalizers = dot(row.reshape(-1), weights.reshape(-1))
            np.multiply(y, weights[:, None], out=y)
        return normalizers - dot(z.reshape(-1), y.reshape(-1))

    def log_activate(self, z):
        """The logarithm of the softmax of the rows of z, in place and without underflow."""
        np.subtract(z, z.max(axis=1, keepdims=True), out=z)
        np.subtract(z, np.log(np.exp(z).sum(axis=1, keepdims=True)), out=z)

    def activate(self, z):
        """Softmax of the rows of z, in place; probabilities that underflow stay above 0."""
        np.subtract(z, z.max(axis=1, keepdims=True), out=z)
        normal = np.finfo(z.dtype).tiny
        # Probabilities that underflow become the smallest numbers, in the same order. Those that only lose digits stay.
        ranks = z.argsort(axis=1).argsort(axis=1) if z.min() < np.log(normal) else None
        np.exp(z, out=z)
        np.divide(z, z.sum(axis=1, keepdims=True), out=z)
        if ranks is not None:
            np.maximum(z, _smallest(z.dtype) * (1 + ranks), out=z)


class LogisticCrossEntropy:
    """Cross-entropy of one logistic unit per column: log(1 + exp(z)) - y * z, summed over the columns."""

    out_activation = "logistic"
    unit: Any = 1.0

    def write_delta(self, z, y, delta, row, weights=None):
        """Write the delta of a mini-batch; ``value`` uses `z` unchanged."""
        expit(z, out=delta)
        np.subtract(delta, y, out=delta)
        if weights is not None:
            np.multiply(delta, weights, out=delta)

    def value(self, z, y, row, weights=None):
        """The sum of the losses of a block's rows."""
        np.multiply(z, y, out=y)
        np.logaddexp(z, 0.0, out=z)
        np.subtract(z, y, out=z)
        if weights is not None:
            np.multiply(z, weights[:, None], out=z)
        return float(np.add.reduce(z, None))

    def log_activate(self, z):
        """The logarithm of the logistic function of z, in place and without underflow."""
        np.negative(np.logaddexp(0.0, -z), out=z)

    def activate(self, z):
        """The logistic function of z, in place; rounding and underflow never give exactly 0 or 1."""
        expit(z, out=z)
        np.maximum(z, _smallest(z.dtype), out=z)
        np.minimum(z, np.nextafter(z.dtype.type(1), z.dtype.type(0)), out=z)


class SquaredError:
    """(z - y)^2 / 2, summed over the columns."""

    out_activation = "identity"
    unit: Any = 1.0

    def write_delta(self, z, y, delta, row, weights=None):
        """Write the delta of a mini-batch; `z` becomes the residuals."""
        np.subtract(z, y, out=z)
        if weights is None:
            np.copyto(delta, z)
        else:
            np.multiply(z, weights, out=delta)

    def value(self, z, y, row, weights=None):
        """The sum of the losses of a block's rows."""
        residuals = z.reshape(-1)
        if weights is None:
            return 0.5 * blas(z.dtype).dot(residuals, residuals)
        np.multiply(z, weights[:, None], out=y)
        return 0.5 * blas(z.dtype).dot(residuals, y.reshape(-1))

    def activate(self, z):
        """Leave z as it is."""


class ScaledSquaredError(SquaredError):
    """The squared error of targets that were divided by `scale` (n_outputs,), column by column.

    ``value`` returns an array of two numbers: the loss in the coordinates of training, and in the units of y.
    """

    def __init__(self, scale):
        with np.errstate(over="ignore"):  # the caller looks at `unit`
            squares = np.square(scale)
        self._units = np.array([np.ones_like(squares), squares])
        self.unit = np.array([1.0, np.add.reduce(squares) / len(squares)])

    def value(self, z, y, row, weights=None):
        """The sum of the losses of a block's rows, in both units."""
        if weights is None:
            columns = np.einsum("ijk,ijk->j", z, z, dtype=np.float64)
        else:
            columns = np.einsum("ijk,ijk,ik->j", z, z, weights, dtype=np.float64)
        return 0.5 * np.add.reduce(self._units * columns, axis=1)


class PoissonDeviance:
    """Half the Poisson deviance for the mean exp(z): exp(z) - y z + y log(y) - y, summed over the columns."""

    out_activation = "exp"
    unit: Any = 1.0

    def write_delta(self, z, y, delta, row, weights=None):
        """Write the delta of a mini-batch; ``value`` uses `z` unchanged."""
        np.exp(z, out=delta)
        np.subtract(delta, y, out=delta)
        if weights is not None:
            np.multiply(delta, weights, out=delta)

    def value(self, z, y, row, weights=None):
        """The sum of the losses of a block's rows."""
        # xlogy is 0 if y is 0.
        losses = np.exp(z) - y * z + xlogy(y, y) - y
        if weights is not None:
            np.multiply(losses, weights[:, None], out=losses)
        return float(np.add.reduce(losses, None))

    def activate(self, z):
        """The mean exp(z), in place."""
        np.exp(z, out=z)


LOSSES: dict[str, type[Loss]] = {
    "softmax_cross_entropy": SoftmaxCrossEntropy,
    "logistic_cross_entropy": LogisticCrossEntropy,
    "squared_error": SquaredError,
    "poisson": PoissonDeviance,
}
