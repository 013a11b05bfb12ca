"""The first layer over a block of rows: mini-batch by mini-batch, or exactly deferred; dense or sparse.

The first layer is the largest, and its inputs do not depend on the weights. A first layer is used block by block:
``begin(block)``; then for every mini-batch ``forward(batch, out)``, and either ``accumulate`` (the gradient as
``out = beta * out + scale * [X 1]^T D``) or, for the deferred layer, ``update``; then ``end()``.
"""

import numpy as np

from ._blas import blas

try:
    # SciPy's own kernel behind ``csr @ dense``. It adds into its result; the public product writes a new dense array of
    # n_features rows, several times slower where few features occur.
    from scipy.sparse._sparsetools import csr_matvecs
except ImportError:  # pragma: no cover - a SciPy that moved it: the public product of the columns that occur
    csr_matvecs = None


class DenseFirstLayer:
    """Products of C-ordered rows with [W; b], mini-batch by mini-batch."""

    def __init__(self, layer, capacity):
        self._weights, self._bias = layer[:-1].T, layer[-1]
        self._blas = blas(layer.dtype)
        self._ones = np.ones(capacity, layer.dtype)

    def begin(self, block):
        """Take the rows (n, n_features) of the next block."""
        self._block = block

    def forward(self, batch, out):
        """Pre-activations of the mini-batch, in place in `out` (n, n_units)."""
        self._rows = self._block[batch.start : batch.stop].T
        self._blas.gemm(1.0, self._rows, self._weights, 0.0, out, 1, 1, 1)
        np.add(out, self._bias, out=out)

    def accumulate(self, delta, scale, beta, out):
        """``out = beta * out + scale * [X 1]^T delta`` over the last mini-batch, in place."""
        self._blas.gemm(scale, delta, self._rows, beta, out[:-1].T, 1, 1, 1)
        self._blas.gemv(scale, delta, self._ones[: len(delta)], beta, out[-1], 0, 1, 0, 1, 1, 1)

    def end(self):
        """Finish the block."""


class SparseFirstLayer:
    """Products of CSR rows with [W; b], mini-batch by mini-batch; only rows of W whose feature occurs are touched."""

    def __init__(self, layer, capacity):
        self._weights, self._bias = layer[:-1], layer[-1]

    def begin(self, block):
        """Take the CSR rows (n, n_features) of the next block."""
        self._block = block

    def forward(self, batch, out):
        """Pre-activations of the mini-batch, in place in `out` (n, n_units)."""
        whole = batch.stop - batch.start == self._block.shape[0]
        self._rows = self._block if whole else self._block[batch.start : batch.stop]
        np.add(self._rows @ self._weights, self._bias, out=out)

    def accumulate(self, delta, scale, beta, out):
        """``out = beta * out + scale * [X 1]^T delta`` over the last mini-batch, in place."""
        if beta == 0.0:
            out.fill(0.0)
        elif beta != 1.0:
            np.multiply(out, beta, out=out)
        delta = np.multiply(delta, scale, order="C")
        self._add_transposed_product(self._rows, delta, out[:-1])
        out[-1] += delta.sum(axis=0)

    @staticmethod
    def _add_transposed_product(rows, delta, out):
        """``out += rows^T delta``, in place, for CSR `rows` (n, n_features) and C-ordered `delta` (n, n_units)."""
        wide = rows.shape[1] > 16 * rows.nnz
        if csr_matvecs is None or wide:
            columns, indices = np.unique(rows.indices, return_inverse=True)
            occurring = type(rows)((rows.data, indices, rows.indptr), shape=(rows.shape[0], len(columns)))
            out[columns] += occurring.T @ delta
            return
        across = rows.T.tocsr()
        n_features, n = across.shape
        csr_matvecs(
            n_features,
            n,
            delta.shape[1],
            across.indptr,
            across.indices,
            across.data,
            delta.reshape(-1),
            out.reshape(-1),
        )

    def end(self):
        """Finish the block."""


class DeferredFirstLayer:
    """The first layer under plain SGD, its update done once a block: the same iterates, three products a block.

    Let the block's mini-batches take the steps j = 0, 1, ...; each step first shrinks W by the factor s (L2; b is not
    shrunk) and then adds ``X_j^T D_j``, the D holding the factor -eta/n. With S_j = s^j and ``D'_j = D_j / S_{j+1}``
    the weights before step k are ``W_k = S_k (W_0 + sum_{j<k} X_j^T D'_j)``, so the pre-activations are

        z_k = S_k X_k W_0 + b_0 + sum_{j<k} (S_k X_k X_j^T + S_{j+1}) D'_j

    of which all but D' is known when the block begins. It agrees with the ordinary update up to rounding.
    """

    def __init__(self, layer, capacity, batch_size):
        dtype, units = layer.dtype, layer.shape[1]
        self._weights, self._bias = layer[:-1].T, layer[-1]
        self._blas = blas(dtype)
        self._batch_size = batch_size
        self._start = np.empty((capacity, units), dtype)  # S_k X_k W_0 + b_0
        self._steps = np.empty((capacity, units), dtype)  # D'
        self._gram = np.empty(capacity * capacity, dtype)
        self._step_number = np.arange(capacity) // batch_size
        self.set_shrink(1.0)

    def set_shrink(self, shrink):
        """Set the factor by which every step shrinks the weights; it holds for the following blocks."""
        dtype = self._start.dtype
        self._shrink = shrink
        self._before = np.power(shrink, self._step_number).astype(dtype)  # S_k of every row
        self._after = np.power(shrink, self._step_number + 1.0).astype(dtype)  # S_{k+1} of every row

    def begin(self, block):
        """Take the rows (n, n_features) of the next block: the products with the weights as they are now."""
        n, gemm = block.shape[0], self._blas.gemm
        rows, start = block.T, self._start[:n]
        self._rows, self._n = rows, n
        gemm(1.0, self._weights, rows, 0.0, start.T, 0, 0, 1)
        if n > self._batch_size:
            # Fortran order, so that the columns of one mini-batch are contiguous: gram[j, k] is of rows k and j < k.
            gram = self._gram[: n * n].reshape((n, n), order="F")
            gemm(1.0, rows, rows, 0.0, gram, 1, 0, 1)
            if self._shrink != 1.0:
                np.multiply(start, self._before[:n, None], out=start)
                np.multiply(gram, self._before[:n], out=gram)
            np.add(gram, self._after[:n, None], out=gram)
            self._coefficients = gram
        np.add(start, self._bias, out=start)

    def forward(self, batch, out):
        """Pre-activations of the mini-batch, in place in `out` (n, n_units)."""
        k = batch.start
        if k == 0:
            np.copyto(out, self._start[: batch.stop])
            return
        coefficients = self._coefficients[:k, k : batch.stop]
        self._blas.gemm(1.0, coefficients, self._steps[:k].T, 0.0, out, 1, 1, 1)
        np.add(out, self._start[k : batch.stop], out=out)

    def update(self, batch, delta, scale):
        """Take the step ``W = s W + scale * X^T delta``, ``b = b + scale * 1^T delta`` of the mini-batch."""
        np.multiply(delta, scale / self._after_of(batch), out=self._steps[batch.start : batch.stop])

    def _after_of(self, batch):
        return float(self._after[batch.start]) if self._shrink != 1.0 else 1.0

    def end(self):
        """Put the block's steps into the weights, in place."""
        n, steps = self._n, self._steps[: self._n]
        last = float(self._after[n - 1])
        self._blas.gemm(last, steps.T, self._rows, last, self._weights, 0, 1, 1)
        self._blas.gemv(1.0, steps.T, self._after[:n], 1.0, self._bias, 0, 1, 0, 1, 0, 1)
