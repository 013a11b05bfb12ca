"""The first layer over a block of rows: mini-batch by mini-batch, or exactly deferred; dense or sparse.

The first layer is the largest, and its inputs do not depend on the weights. A first layer is used block by block:
``begin(block)``; then for every mini-batch, its rows ``start:stop`` of the block, ``forward(start, stop, out)``, and
either ``accumulate`` (the gradient as ``out = beta * out + scale * [X 1]^T D``) or, for the deferred layer, ``update``;
then ``end()``.
"""

import numpy as np

from .blas import blas
from .sparse import add_product, add_transposed_product


def _dense_gram(routines, rows, out):
    """``out = 1 + rows^T rows`` of Fortran-ordered `rows` (n_features, n)."""
    routines.gemm(1.0, rows, rows, 0.0, out, 1, 0, 1)
    np.add(out, 1.0, out=out)


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

    def gram(self, start, stop, out):
        """The products of the mini-batch's rows, each with its 1, with each other, in place in `out` (n, n)."""
        _dense_gram(self._blas, self._block[start:stop].T, out)

    def squared_norms(self):
        """The squared norms of the last mini-batch's rows, each with its 1, (n,)."""
        return 1.0 + np.einsum("ji,ji->i", self._rows, self._rows)

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
        self._memory = np.empty(capacity * layer.shape[1], layer.dtype)

    def begin(self, block):
        """Take the CSR rows (n, n_features) of the next block."""
        self._block = block

    def forward(self, start, stop, out):
        """Pre-activations of the mini-batch, in place in `out` (n, n_units)."""
        self._at = slice(start, stop)
        np.add(self._product(self._weights, out.shape), self._bias, out=out)

    def _product(self, weights, shape):
        """The mini-batch's rows times `weights`, in a buffer."""
        z = self._memory[: shape[0] * shape[1]].reshape(shape)
        z.fill(0.0)
        add_product(self._block, self._at, weights, z)
        return z

    def gram(self, start, stop, out):
        """The products of the mini-batch's rows, each with its 1, with each other, in place in `out` (n, n)."""
        rows = self._block[start:stop]
        np.add((rows @ rows.T).toarray(), 1.0, out=out)

    def squared_norms(self):
        """The squared norms of the last mini-batch's rows, each with its 1, (n,)."""
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
        scaled = self._memory[: delta.size].reshape(delta.shape)
        np.multiply(delta, scale, out=scaled)
        add_transposed_product(self._block, self._at, scaled, out)

    def end(self):
        """Finish the block."""


# The numbers that are worked on at once where a pass goes over all weights.
PART = 65536


class LinearSparseFirstLayer(SparseFirstLayer):
    """The sparse first layer under a solver whose steps are linear: only rows whose feature occurs are touched.

    The weights W and, with momentum, the velocity V make a step ``(W, V) <- T (W, V) + u P`` with the new part
    ``P = -eta/n X^T D``, a 2 x 2 matrix T and two numbers u (with plain SGD one of each; see the solvers). T takes in
    the L2 term and the decay of the velocity, and would change every row. So W and V are kept as ``M (A, B)`` with a
    matrix M: a step is ``M <- T M``, and A and B get ``M^-1 u P``. At the end of the block, and before M is too small
    to divide by, A and B become W and V, and M the identity.
    """

    SMALLEST = 0.03  # of the determinant of M

    def __init__(self, layers, capacity):
        super().__init__(layers[0], capacity)
        self._arrays = [layer[:-1] for layer in layers]
        self._biases = [layer[-1] for layer in layers]
        self._mix = self._identity = np.eye(len(layers))
        n_units = layers[0].shape[1]
        self._parts = np.empty((2 * (len(layers) - 1), max(1, PART // n_units), n_units), layers[0].dtype)

    def set_step(self, solver, shrinkage):
        """Set the step of the next blocks: the solver's, of which the L2 term takes the share `shrinkage` of W."""
        self._transition, self._effect = solver.transition(shrinkage)
        self._bias_transition = solver.transition(0.0)[0]

    def forward(self, start, stop, out):
        """Pre-activations of the mini-batch, in place in `out` (n, n_units)."""
        self._at = slice(start, stop)
        np.copyto(out, self._bias)
        for share, weights in zip(self._mix[0].tolist(), self._arrays, strict=True):
            if share:
                z = self._product(weights, out.shape)
                if share != 1.0:
                    np.multiply(z, share, out=z)
                np.add(out, z, out=out)

    def update(self, start, delta, scale):
        """Take the step of the mini-batch, with ``P = scale * X^T delta``."""
        self._mix = _times(self._transition, self._mix)
        for share, array in zip(_times(_inverse(self._mix), self._effect).tolist(), self._arrays, strict=True):
            self._add(delta, scale * share, array)
        new = scale * np.add.reduce(delta, 0)
        old = [bias.copy() for bias in self._biases]
        for bias, row, effect in zip(self._biases, self._bias_transition.tolist(), self._effect.tolist(), strict=True):
            np.copyto(bias, sum(share * b for share, b in zip(row, old, strict=True)) + effect * new)
        if abs(_determinant(self._mix)) < self.SMALLEST:
            self.end()

    def end(self):
        """Finish the block."""
        if self._mix is self._identity:
            return
        part_rows = max(1, PART // self._weights.shape[1])  # in parts, to find them in the cache
        for start in range(0, len(self._weights), part_rows):
            self._mix_in_place(*(array[start : start + part_rows] for array in self._arrays))
        self._mix = self._identity

    def _mix_in_place(self, a, b=None):
        if b is None:
            np.multiply(a, float(self._mix[0, 0]), out=a)
            return
        (aa, ab), (ba, bb) = self._mix.tolist()
        new, part = self._parts[:, : len(a)]
        np.multiply(a, ba, out=new)
        np.multiply(a, aa, out=a)
        np.multiply(b, ab, out=part)
        np.add(a, part, out=a)
        np.multiply(b, bb, out=b)
        np.add(b, new, out=b)


def _times(left, right):
    """The product of small matrices, by no BLAS."""
    return np.einsum("ij,j...->i...", left, right)


def _determinant(m):
    return m[0, 0] if len(m) == 1 else m[0, 0] * m[1, 1] - m[0, 1] * m[1, 0]


def _inverse(m):
    adjugate = np.ones((1, 1)) if len(m) == 1 else np.array([[m[1, 1], -m[0, 1]], [-m[1, 0], m[0, 0]]])
    return adjugate / _determinant(m)


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
        self.set_step(None, 0.0)

    def set_step(self, solver, shrinkage):
        """Set the step of the next blocks: plain SGD's, of which the L2 term takes the share `shrinkage` of W."""
        dtype = self._start.dtype
        self._shrink = shrink = 1.0 - shrinkage
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

    def gram(self, start, stop, out):
        """The products of the mini-batch's rows, each with its 1, with each other, in place in `out` (n, n)."""
        _dense_gram(self._blas, self._rows[:, start:stop], out)

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
