"""The first layer for sparse rows, one mini-batch at a time."""

import numpy as np

from ..sparse import KERNELS, add_product, add_transposed_product


class SparseFirstLayer:
    """Products of CSR rows with [W; b], one mini-batch at a time; touches only the rows of W whose features occur."""

    kernels = KERNELS

    def __init__(self, layer, capacity):
        self._weights, self._bias = layer[:-1], layer[-1]
        self._memory = np.empty(capacity * layer.shape[1], layer.dtype)

    def begin(self, block):
        """Take the CSR rows (n, n_features) of the next block."""
        self._block = block

    def forward(self, start, stop, out):
        """Write the pre-activations of the mini-batch into `out` (n, n_units)."""
        self._at = slice(start, stop)
        np.add(self._product(self._weights, out.shape), self._bias, out=out)

    def _product(self, weights, shape):
        """The mini-batch's rows times `weights`, in a buffer."""
        z = self._memory[: shape[0] * shape[1]].reshape(shape)
        z.fill(0.0)
        add_product(self._block, self._at, weights, z, self.kernels)
        return z

    def gram(self, start, stop, out):
        """Write the products of the mini-batch's rows, with the 1 of the bias, with each other into `out` (n, n)."""
        rows = self._block[start:stop]
        np.add((rows @ rows.T).toarray(), 1.0, out=out)

    def squared_norms(self):
        """The squared norms of the last mini-batch's rows, including the 1 of the bias, (n,)."""
        rows = self._block[self._at]
        return 1.0 + np.asarray(rows.multiply(rows).sum(axis=1)).ravel()

    def accumulate(self, delta, scale, beta, out):
        """``out = beta * out + scale * [X 1]^T delta`` over the last mini-batch, in place."""
        if beta == 0.0:
            out.fill(0.0)
        elif beta != 1.0:
            np.multiply(out, beta, out=out)
        self._add(delta, scale, out[:-1])
        out[-1] += scale * np.add.reduce(delta, 0)

    def _add(self, delta, scale, out):
        """``out += scale * X^T delta`` over the last mini-batch, in place in `out` (n_features, n_units)."""
        scaled = self._memory[: delta.size].reshape(delta.shape)
        np.multiply(delta, scale, out=scaled)
        add_transposed_product(self._block, self._at, scaled, out, self.kernels)

    def end(self):
        """Finish the block."""

    def work(self, behind):
        """How many multiplications the largest BLAS product has: at the ends of a block, and in each mini-batch."""
        return behind, behind  # BLAS does not do the products of sparse rows
