"""The first layer for dense rows, one mini-batch at a time."""

import numpy as np

from ..blas import blas


def dense_gram(routines, rows, out):
    """``out = 1 + rows^T rows`` for Fortran-ordered `rows` (n_features, n)."""
    routines.gemm(1.0, rows, rows, 0.0, out, 1, 0, 1)
    np.add(out, 1.0, out=out)


class DenseFirstLayer:
    """Products of C-ordered rows with [W; b], one mini-batch at a time."""

    def __init__(self, layer, capacity):
        self._weights, self._bias = layer[:-1].T, layer[-1]
        self._blas = blas(layer.dtype)
        self._ones = np.ones(capacity, layer.dtype)
        self._size = capacity * layer.size

    def begin(self, block):
        """Take the rows (n, n_features) of the next block."""
        self._block = block

    def forward(self, start, stop, out):
        """Write the pre-activations of the mini-batch into `out` (n, n_units)."""
        self._rows = self._block[start:stop].T
        np.copyto(out, self._bias)
        self._blas.gemm_of(len(out))(1.0, self._rows, self._weights, 1.0, out, 1, 1, 1)

    def gram(self, start, stop, out):
        """Write the products of the mini-batch's rows, with the 1 of the bias, with each other into `out` (n, n)."""
        dense_gram(self._blas, self._block[start:stop].T, out)

    def squared_norms(self):
        """The squared norms of the last mini-batch's rows, including the 1 of the bias, (n,)."""
        return 1.0 + np.einsum("ji,ji->i", self._rows, self._rows)

    def accumulate(self, delta, scale, beta, out):
        """``out = beta * out + scale * [X 1]^T delta`` over the last mini-batch, in place."""
        self._blas.gemm(scale, delta, self._rows, beta, out[:-1].T, 1, 1, 1)
        self._blas.gemv(scale, delta, self._ones[: len(delta)], beta, out[-1], 0, 1, 0, 1, 1, 1)

    def end(self):
        """Finish the block."""

    def work(self, behind):
        """How many multiplications the largest BLAS product has: at the ends of a block, and in each mini-batch."""
        # Nothing is multiplied at the ends of a block. The same number there spares a change of the number of threads.
        largest = max(behind, self._size)
        return largest, largest
