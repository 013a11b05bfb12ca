"""The losses: from raw outputs to loss and delta, and from raw outputs to predictions.

A loss works on the output layer before its activation, `z`, so that nothing overflows and nothing is clipped.
``write_delta`` writes the derivative of a mini-batch's loss with respect to `z` into `delta`; all arrays are (n,
n_outputs), but for `row` and `weights` (None, or the rows' weights), which are (n, 1). It leaves in `z` and `row` what
``value`` needs: the sum of the rows' losses, each times its weight, as a Python float. ``value`` is taken once for all
mini-batches of a block; `z` and `y` are (n_batches, n_outputs, n) there, `row` and `weights` (n_batches, n), and all
but the weights may be overwritten. ``activate`` turns raw outputs into the output activation, in place.
"""

import numpy as np
from scipy.special import expit, xlogy

from .blas import blas


class SoftmaxCrossEntropy:
    """-log softmax(z)[class], for targets that are one-hot rows."""

    out_activation = "softmax"

    def write_delta(self, z, y, delta, row, weights=None):
        """Write the delta of a mini-batch; `z` and `row` become what ``value`` needs."""
        np.maximum.reduce(z, 1, out=row, keepdims=True)
        np.subtract(z, row, out=z)
        np.exp(z, out=delta)
        np.add.reduce(delta, 1, out=row, keepdims=True)
        np.divide(delta, row, out=delta)
        np.subtract(delta, y, out=delta)
        if weights is not None:
            np.multiply(delta, weights, out=delta)

    def value(self, z, y, row, weights=None):
        """The loss of a block."""
        dot = blas(z.dtype).dot
        np.log(row, out=row)
        if weights is None:
            normalizers = float(np.add.reduce(row, None))
        else:
            normalizers = dot(row.reshape(-1), weights.reshape(-1))
            np.multiply(y, weights[:, None], out=y)
        return normalizers - dot(z.reshape(-1), y.reshape(-1))

    def activate(self, z):
        """Softmax of the rows of z, in place."""
        np.subtract(z, z.max(axis=1, keepdims=True), out=z)
        np.exp(z, out=z)
        np.divide(z, z.sum(axis=1, keepdims=True), out=z)


class LogisticCrossEntropy:
    """Cross-entropy of one logistic unit a column: log(1 + exp(z)) - y * z, summed over the columns."""

    out_activation = "logistic"

    def write_delta(self, z, y, delta, row, weights=None):
        """Write the delta of a mini-batch; ``value`` needs `z` as it is."""
        expit(z, out=delta)
        np.subtract(delta, y, out=delta)
        if weights is not None:
            np.multiply(delta, weights, out=delta)

    def value(self, z, y, row, weights=None):
        """The loss of a block."""
        np.multiply(z, y, out=y)
        np.logaddexp(z, 0.0, out=z)
        np.subtract(z, y, out=z)
        if weights is not None:
            np.multiply(z, weights[:, None], out=z)
        return float(np.add.reduce(z, None))

    def activate(self, z):
        """The logistic function of z, in place; below 1, as it is before rounding."""
        expit(z, out=z)
        np.minimum(z, np.nextafter(z.dtype.type(1), z.dtype.type(0)), out=z)


class SquaredError:
    """(z - y)^2 / 2, summed over the columns."""

    out_activation = "identity"

    def write_delta(self, z, y, delta, row, weights=None):
        """Write the delta of a mini-batch; `z` becomes the residuals."""
        np.subtract(z, y, out=z)
        if weights is None:
            np.copyto(delta, z)
        else:
            np.multiply(z, weights, out=delta)

    def value(self, z, y, row, weights=None):
        """The loss of a block."""
        residuals = z.reshape(-1)
        if weights is None:
            return 0.5 * blas(z.dtype).dot(residuals, residuals)
        np.multiply(z, weights[:, None], out=y)
        return 0.5 * blas(z.dtype).dot(residuals, y.reshape(-1))

    def activate(self, z):
        """Leave z as it is."""


class PoissonDeviance:
    """Half of the Poisson deviance of a mean exp(z): exp(z) - y z + y log(y) - y, summed over the columns."""

    out_activation = "exp"

    def write_delta(self, z, y, delta, row, weights=None):
        """Write the delta of a mini-batch; ``value`` needs `z` as it is."""
        np.exp(z, out=delta)
        np.subtract(delta, y, out=delta)
        if weights is not None:
            np.multiply(delta, weights, out=delta)

    def value(self, z, y, row, weights=None):
        """The loss of a block."""
        # xlogy is 0 where y is 0.
        losses = np.exp(z) - y * z + xlogy(y, y) - y
        if weights is not None:
            np.multiply(losses, weights[:, None], out=losses)
        return float(np.add.reduce(losses, None))

    def activate(self, z):
        """The mean exp(z), in place."""
        np.exp(z, out=z)
