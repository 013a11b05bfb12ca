"""The losses: from raw outputs to loss and delta, and from raw outputs to predictions.

A loss works on the output layer before its activation, `z` of shape (n, n_outputs), so that nothing overflows and
nothing is clipped. ``value_and_delta`` returns the sum of the rows' losses, each times its weight, as a Python float,
and writes the derivative of that sum with respect to `z` into `delta`; it may overwrite `z`. ``activate`` turns raw
outputs into the output activation, in place.
"""

import numpy as np
from scipy.special import expit

from ._blas import blas


def _flat(a):
    """All entries of a contiguous array, in memory order, as a view."""
    return a.ravel("K")


class SoftmaxCrossEntropy:
    """-log softmax(z)[class], for targets that are one-hot rows."""

    out_activation = "softmax"

    def value_and_delta(self, z, y, delta, scratch, weights=None):
        """Loss and delta of n rows; all arrays but `weights` (n,) are (n, n_outputs)."""
        row = scratch[:, 0]
        column = scratch[:, :1]
        np.maximum.reduce(z, 1, None, row)
        np.subtract(z, column, out=z)
        np.exp(z, out=delta)
        np.add.reduce(delta, 1, None, row)
        np.divide(delta, column, out=delta)
        np.subtract(delta, y, out=delta)
        np.log(row, out=row)
        if weights is None:
            return float(np.add.reduce(row)) - blas(z.dtype).dot(_flat(z), _flat(y))
        np.multiply(delta, weights[:, None], out=delta)
        np.subtract(row, np.einsum("ij,ij->i", z, y), out=row)
        return float(np.einsum("i,i->", row, weights))

    def activate(self, z):
        """Softmax of the rows of z, in place."""
        np.subtract(z, z.max(axis=1, keepdims=True), out=z)
        np.exp(z, out=z)
        np.divide(z, z.sum(axis=1, keepdims=True), out=z)


class LogisticCrossEntropy:
    """Cross-entropy of one logistic unit a column: log(1 + exp(z)) - y * z, summed over the columns."""

    out_activation = "logistic"

    def value_and_delta(self, z, y, delta, scratch, weights=None):
        """Loss and delta of n rows; all arrays but `weights` (n,) are (n, n_outputs)."""
        np.logaddexp(z, 0.0, out=delta)
        np.multiply(z, y, out=scratch)
        np.subtract(delta, scratch, out=scratch)
        if weights is None:
            value = float(np.add.reduce(_flat(scratch)))
        else:
            value = float(np.einsum("ij,i->", scratch, weights))
        expit(z, out=delta)
        np.subtract(delta, y, out=delta)
        if weights is not None:
            np.multiply(delta, weights[:, None], out=delta)
        return value

    def activate(self, z):
        """The logistic function of z, in place; below 1, as it is before rounding."""
        expit(z, out=z)
        np.minimum(z, np.nextafter(z.dtype.type(1), z.dtype.type(0)), out=z)
