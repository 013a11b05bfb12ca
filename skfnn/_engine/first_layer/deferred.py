"""The first layer for dense rows under plain SGD, its update deferred to the end of a block."""

import numpy as np

from ..blas import blas
from .dense import dense_gram


class DeferredFirstLayer:
    """Takes the same steps as the ordinary update, with three large products per block.

    The block's mini-batches take the steps j = 0, 1, ... Each step first shrinks W by the factor s (L2; b does not
    shrink) and then adds ``X_j^T D_j``, where D_j contains the factor -eta/n. With S_j = s^j and
    ``D'_j = D_j / S_{j+1}``, the weights before step k are ``W_k = S_k (W_0 + sum_{j<k} X_j^T D'_j)``. So the
    pre-activations are

        z_k = S_k X_k W_0 + b_0 + sum_{j<k} (S_k X_k X_j^T + S_{j+1}) D'_j

    and everything but D' is known when the block begins. The result equals the ordinary update up to rounding.
    """

    # From this batch size on, multiplying each mini-batch by the earlier ones of its block is faster than multiplying
    # the whole block by itself, although that product is symmetric and needs only half the work.
    _LARGE = 16

    def __init__(self, layer, capacity, batch_size):
        dtype, units = layer.dtype, layer.shape[1]
        self._weights, self._bias = layer[:-1].T, layer[-1]
        self._blas = blas(dtype)
        self._gemm = self._blas.gemm_of(batch_size)
        self._batch_size = batch_size
        self._size = capacity * layer.size
        self._start = np.empty((capacity, units), dtype)  # S_k X_k W_0 + b_0
        self._steps = np.empty((capacity, units), dtype)  # D'
        self._gram = np.zeros(capacity * capacity, dtype)
        self._step_number = np.arange(capacity) // batch_size
        self._cuts: dict = {}
        self.set_step(None, 0.0)

    def set_step(self, solver, shrinkage):
        """Set plain SGD's step for the next blocks; in each step the L2 term reduces W by the fraction `shrinkage`."""
        dtype = self._start.dtype
        self._shrink = shrink = 1.0 - shrinkage
        self._before = np.power(shrink, self._step_number).astype(dtype)  # S_k of every row
        self._after = np.power(shrink, self._step_number + 1.0).astype(dtype)  # S_{k+1} of every row

    def begin(self, block):
        """Take the rows (n, n_features) of the next block and multiply them by the present weights."""
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
        """The parts of the buffers for the mini-batch that begins at row k of a block of n rows."""
        stop = min(k + self._batch_size, n)
        if self._batch_size < self._LARGE:
            # In Fortran order the columns of one mini-batch are contiguous. gram[j, k] belongs to the rows j < k and k.
            coefficients = self._gram[: n * n].reshape((n, n), order="F")[:k, k:stop]
        else:
            coefficients = self._gram[: k * (stop - k)].reshape((k, stop - k), order="F")
        return self._start[k:stop], self._steps[:k].T, self._steps[k:stop], coefficients

    def forward(self, start, stop, out):
        """Write the pre-activations of the mini-batch into `out` (n, n_units)."""
        start_values, steps, _, coefficients = self._cut[start]
        np.copyto(out, start_values)
        if start == 0:
            return
        if self._batch_size >= self._LARGE:
            earlier, rows = self._rows[:, :start], self._rows[:, start:stop]
            self._blas.gemm(float(self._before[start]), earlier, rows, 0.0, coefficients, 1, 0, 1)
            np.add(coefficients, self._after[:start, None], out=coefficients)
        self._gemm(1.0, coefficients, steps, 1.0, out, 1, 1, 1)

    def gram(self, start, stop, out):
        """Write the products of the mini-batch's rows, with the 1 of the bias, with each other into `out` (n, n)."""
        dense_gram(self._blas, self._rows[:, start:stop], out)

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

    def work(self, behind):
        """How many multiplications the largest BLAS product has: at the ends of a block, and in each mini-batch."""
        return self._size, behind
