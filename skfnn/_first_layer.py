"""The first layer over a block of rows: mini-batch by mini-batch, or exactly deferred; dense or sparse.

The first layer is the largest, and its inputs do not depend on the weights. A first layer is used block by block:
``begin(block)``; then for every mini-batch, its rows ``start:stop`` of the block, ``forward(start, stop, out)``, and
either ``accumulate`` (the gradient as ``out = beta * out + scale * [X 1]^T D``) or, for the deferred layer, ``update``;
then ``end()``.
"""

import numpy as np

from ._blas import blas
from ._sparse import add_product, add_transposed_product


class DenseFirstLayer:
    """Products of C-ordered rows with [W; b], mini-batch by mini-batch."""

    def __init__(self, layer, capacity):
        self._weights, self._bias = layer[:-1].T, layer[-1]
        self._blas = blas(layer.dtype)
        self._ones = np.ones(capacity, layer.dtype)

    def begin(self, block):
        """Take the rows (n, n_features) of the next block."""
        self._block = block

    def forward(self, start, stop, out):
        """Pre-activations of the mini-batch, in place in `out` (n, n_units)."""
        self._rows = self._block[start:stop].T
        np.copyto(out, self._bias)
        self._blas.gemm_of(len(out))(1.0, self._rows, self._weights, 1.0, out, 1, 1, 1)

    def accumulate(self, delta, scale, beta, out):
        """``out = beta * out + scale * [X 1]^T delta`` over the last mini-batch, in place."""
        self._blas.gemm(scale, delta, self._rows, beta, out[:-1].T, 1, 1, 1)
        self._blas.gemv(scale, delta, self._ones[: len(delta)], beta, out[-1], 0, 1, 0, 1, 1, 1)

    def end(self):
        """Finish the block."""


class SparseFirstLayer:
    """Products of CSR rows with [W; b], mini-batch by mini-batch; only rows of W whose feature occurs are touched.

    Under plain SGD it can hold W as a number times an array, so that the L2 term of a step, which shrinks all of W, is
    one multiplication of numbers; the array catches up at the end of the block.
    """

    def __init__(self, layer, capacity):
        self._weights, self._bias = layer[:-1], layer[-1]
        self._memory = np.empty(capacity * layer.shape[1], layer.dtype)
        self._scale = self._shrink = 1.0

    def set_shrink(self, shrink):
        """Set the factor by which every step shrinks the weights; it holds for the following blocks."""
        self._shrink = shrink

    def begin(self, block):
        """Take the CSR rows (n, n_features) of the next block."""
        self._block = block

    def forward(self, start, stop, out):
        """Pre-activations of the mini-batch, in place in `out` (n, n_units)."""
        self._at = slice(start, stop)
        z = self._memory[: out.size].reshape(out.shape)
        z.fill(0.0)
        add_product(self._block, self._at, self._weights, z)
        if self._scale != 1.0:
            np.multiply(z, self._scale, out=z)
        np.add(z, self._bias, out=out)

    def accumulate(self, delta, scale, beta, out):
        """``out = beta * out + scale * [X 1]^T delta`` over the last mini-batch, in place."""
        if beta == 0.0:
            out.fill(0.0)
        elif beta != 1.0:
            np.multiply(out, beta, out=out)
        self._add(delta, scale, out[:-1])
        out[-1] += scale * np.add.reduce(delta, 0)

    def update(self, start, delta, scale):
        """Take the step ``W = s W + scale * X^T delta``, ``b = b + scale * 1^T delta`` of the mini-batch."""
        self._scale *= self._shrink
        self._add(delta, scale / self._scale, self._weights)
        self._bias += scale * np.add.reduce(delta, 0)

    def _add(self, delta, scale, out):
        scaled = self._memory[: delta.size].reshape(delta.shape)
        np.multiply(delta, scale, out=scaled)
        add_transposed_product(self._block, self._at, scaled, out)

    def end(self):
        """Finish the block."""
        if self._scale != 1.0:
            np.multiply(self._weights, self._scale, out=self._weights)
            self._scale = 1.0


class DeferredFirstLayer:
    """The first layer under plain SGD, its update done once a block: the same iterates, three products a block.

    Let the block's mini-batches take the steps j = 0, 1, ...; each step first shrinks W by the factor s (L2; b is not
    shrunk) and then adds ``X_j^T D_j``, the D holding the factor -eta/n. With S_j = s^j and ``D'_j = D_j / S_{j+1}``
    the weights before step k are ``W_k = S_k (W_0 + sum_{j<k} X_j^T D'_j)``, so the pre-activations are

        z_k = S_k X_k W_0 + b_0 + sum_{j<k} (S_k X_k X_j^T + S_{j+1}) D'_j

    of which all but D' is known when the block begins. It agrees with the ordinary update up to rounding.
    """

    # From this batch size on a product of each mini-batch with those before it is faster than one of the whole block
    # with itself, which has to be symmetric to have half the work.
    _LARGE = 16

    def __init__(self, layer, capacity, batch_size):
        dtype, units = layer.dtype, layer.shape[1]
        self._weights, self._bias = layer[:-1].T, layer[-1]
        self._blas = blas(dtype)
        self._gemm = self._blas.gemm_of(batch_size)
        self._batch_size = batch_size
        self._start = np.empty((capacity, units), dtype)  # S_k X_k W_0 + b_0
        self._steps = np.empty((capacity, units), dtype)  # D'
        self._gram = np.zeros(capacity * capacity, dtype)
        self._step_number = np.arange(capacity) // batch_size
        self._cuts: dict = {}
        self.set_shrink(1.0)

    def set_shrink(self, shrink):
        """Set the factor by which every step shrinks the weights; it holds for the following blocks."""
        dtype = self._start.dtype
        self._shrink = shrink
        self._before = np.power(shrink, self._step_number).astype(dtype)  # S_k of every row
        self._after = np.power(shrink, self._step_number + 1.0).astype(dtype)  # S_{k+1} of every row

    def begin(self, block):
        """Take the rows (n, n_features) of the next block: the products with the weights as they are now."""
        n, rows = block.shape[0], block.T
        start = self._start[:n]
        self._rows, self._n = rows, n
        if n not in self._cuts:
            self._cuts[n] = {k: self._views(n, k) for k in range(0, n, self._batch_size)}
        self._cut = self._cuts[n]
        self._blas.gemm(1.0, self._weights, rows, 0.0, start.T, 0, 0, 1)
        if self._shrink != 1.0:
            np.multiply(start, self._before[:n, None], out=start)
        np.add(start, self._bias, out=start)
        if n > self._batch_size and self._batch_size < self._LARGE:
            gram = self._gram[: n * n].reshape((n, n), order="F")
            self._blas.syrk(1.0, rows, 0.0, gram, 1, 0, 1)
            if self._shrink != 1.0:
                np.multiply(gram, self._before[:n], out=gram)
            np.add(gram, self._after[:n, None], out=gram)

    def _views(self, n, k):
        """The parts of the buffers for the mini-batch that begins at row k of a block of n."""
        stop = min(k + self._batch_size, n)
        if self._batch_size < self._LARGE:
            # Fortran order: the columns of one mini-batch are contiguous. gram[j, k] is of rows k and j < k.
            coefficients = self._gram[: n * n].reshape((n, n), order="F")[:k, k:stop]
        else:
            coefficients = self._gram[: k * (stop - k)].reshape((k, stop - k), order="F")
        return self._start[k:stop], self._steps[:k].T, self._steps[k:stop], coefficients

    def forward(self, start, stop, out):
        """Pre-activations of the mini-batch, in place in `out` (n, n_units)."""
        start_values, steps, _, coefficients = self._cut[start]
        np.copyto(out, start_values)
        if start == 0:
            return
        if self._batch_size >= self._LARGE:
            earlier, rows = self._rows[:, :start], self._rows[:, start:stop]
            self._blas.gemm(float(self._before[start]), earlier, rows, 0.0, coefficients, 1, 0, 1)
            np.add(coefficients, self._after[:start, None], out=coefficients)
        self._gemm(1.0, coefficients, steps, 1.0, out, 1, 1, 1)

    def update(self, start, delta, scale):
        """Take the step ``W = s W + scale * X^T delta``, ``b = b + scale * 1^T delta`` of the mini-batch."""
        if self._shrink != 1.0:
            scale /= float(self._after[start])
        np.multiply(delta, scale, out=self._cut[start][2])

    def end(self):
        """Put the block's steps into the weights, in place."""
        n, steps = self._n, self._steps[: self._n]
        last = float(self._after[n - 1])
        self._blas.gemm(last, steps.T, self._rows, last, self._weights, 0, 1, 1)
        self._blas.gemv(1.0, steps.T, self._after[:n], 1.0, self._bias, 0, 1, 0, 1, 0, 1)
