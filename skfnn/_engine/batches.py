"""Which rows form each mini-batch, brought into a buffer.

The rows of X stay where they are, in the dtype they have: a block of rows at a time is gathered and cast. A block
holds one mini-batch, several consecutive small ones, or a part of a large one.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

# A block of several small mini-batches has about this many rows.
BLOCK_ROWS = 96
# A block of sparse rows has no product of its own, so the more rows the better, within this many bytes.
SPARSE_BLOCK_ROWS, SPARSE_BLOCK_BYTES = 4096, 8_000_000


def _block_rows(X, n_outputs):
    """How many rows of X a block of several mini-batches has, about."""
    if not sparse.issparse(X):
        return BLOCK_ROWS
    bytes_a_row = 12 * X.nnz // X.shape[0] + 16 * n_outputs
    return max(BLOCK_ROWS, min(SPARSE_BLOCK_ROWS, SPARSE_BLOCK_BYTES // bytes_a_row))


@dataclass(slots=True)
class Batch:
    """Rows start:stop of a block: a mini-batch, or a part of one."""

    start: int
    stop: int
    targets: np.ndarray  # (n, n_outputs), Fortran order
    raw: np.ndarray  # room for the raw outputs, (n, n_outputs), Fortran order
    row: np.ndarray  # room for one number a row, (n, 1)
    weights: np.ndarray | None  # (n, 1)


class Cut:
    """A block cut into mini-batches of equal size: their arrays are views of the block's, which are views of `memory`.

    `targets` and `raw` are (n_batches, n_outputs, n); `row` and `weights` (or None) are (n_batches, n).
    """

    def __init__(self, n_rows, n, n_outputs, memory, weights):
        shape = (n_rows // n, n_outputs, n)
        size = n_rows * n_outputs
        self.targets, self.raw = memory[:size].reshape(shape), memory[size : 2 * size].reshape(shape)
        self.row = memory[2 * size : 2 * size + n_rows].reshape(-1, n)
        self.weights = None if weights is None else weights[:n_rows].reshape(-1, n)
        self.n = n
        self.batches = [
            Batch(
                start=k * n,
                stop=k * n + n,
                targets=self.targets[k].T,
                raw=self.raw[k].T,
                row=self.row[k, :, None],
                weights=None if self.weights is None else self.weights[k, :, None],
            )
            for k in range(n_rows // n)
        ]


class ClassTargets:
    """One-hot rows made from class numbers `codes` (B,); smoothed, the share `smoothing` goes to all classes alike."""

    def __init__(self, codes, n_outputs, smoothing=0.0):
        self.codes, self.n_outputs, self.smoothing = codes, n_outputs, smoothing
        self._first = {}

    def subset(self, rows):
        """The exact targets of these rows only."""
        return ClassTargets(self.codes[rows], self.n_outputs)

    def fill(self, rows, out):
        """Write the targets of `rows` into `out` (n_batches, n_outputs, n)."""
        n_batches, n_outputs, n = out.shape
        first = self._first.get(out.shape)
        if first is None:
            # Where each row's target of class 0 is; flat, as NumPy finds places by one number far faster than by three.
            first = np.arange(n_batches)[:, None] * n_outputs * n + np.arange(n)
            first = self._first[out.shape] = first.reshape(-1)
        rest = self.smoothing / n_outputs
        out.fill(rest)
        out.reshape(-1)[first + n * self.codes[rows]] = 1.0 - self.smoothing + rest


class ArrayTargets:
    """Targets that are numbers: `values` (B, n_outputs) of any dtype; smoothed, they go towards 1/2 by `smoothing`."""

    def __init__(self, values, smoothing=0.0):
        self.values, self.n_outputs, self.smoothing = values, values.shape[1], smoothing

    def subset(self, rows):
        """The exact targets of these rows only."""
        return ArrayTargets(self.values[rows])

    def fill(self, rows, out):
        """Write the targets of `rows` into `out` (n_batches, n_outputs, n)."""
        n_batches, n_outputs, n = out.shape
        out[...] = self.values[rows].reshape(n_batches, n, n_outputs).transpose(0, 2, 1)
        if self.smoothing:
            np.multiply(out, 1.0 - self.smoothing, out=out)
            np.add(out, 0.5 * self.smoothing, out=out)


class Rows:
    """Blocks of the rows of a dense or CSR matrix `X`, cast to `dtype`.

    ``take(rows)`` accepts a slice or an array of row numbers. A dense block is a C-contiguous array (n, n_features):
    a view of X where that is possible, else the one buffer, which the next call overwrites.
    """

    def __init__(self, X, dtype, capacity):
        self.X, self.dtype = X, dtype
        self.sparse = sparse.issparse(X)
        if not self.sparse:
            self._same_type = X.dtype == dtype
            self._contiguous = X.flags.c_contiguous
            self._buffer = np.empty((capacity, X.shape[1]), dtype)
            self._raw = self._buffer if self._same_type else np.empty((capacity, X.shape[1]), X.dtype)

    def take(self, rows):
        """The block of these rows."""
        if self.sparse:
            return self.X[rows].astype(self.dtype, copy=False)
        if isinstance(rows, slice):
            if self._contiguous and self._same_type:
                return self.X[rows]
            block = self._buffer[: rows.stop - rows.start]
            np.copyto(block, self.X[rows], casting="unsafe")
            return block
        block = self._buffer[: len(rows)]
        if not self._contiguous:
            # np.take would copy the whole of X first.
            np.copyto(block, self.X[rows], casting="unsafe")
            return block
        raw = self._raw[: len(rows)]
        np.take(self.X, rows, axis=0, out=raw, mode="clip")
        if not self._same_type:
            np.copyto(block, raw, casting="unsafe")
        return block


class Batches:
    """The mini-batches of a training set.

    Parameters
    ----------
    X : the rows, dense or CSR.
    targets : ClassTargets or ArrayTargets for the same rows.
    weights : (B_all,) array or None; the weights of the loss, of mean 1 over the training set.
    rows : array of the row numbers that form the training set, or None for all.
    batch_size, shuffle : as in the estimator; `batch_size` is a number here.
    capacity : the most rows of a mini-batch, or of a part of one.
    """

    def __init__(self, X, targets, weights, rows, batch_size, shuffle, dtype, capacity):
        self.n_rows = X.shape[0] if rows is None else len(rows)
        self.batch_size = batch_size
        self.n_batches = -(-self.n_rows // batch_size)
        self.capacity = capacity
        self._shuffle = shuffle and batch_size < self.n_rows
        self._rows, self._order = rows, rows
        self.block_batches = max(1, _block_rows(X, targets.n_outputs) // batch_size)
        whole = self.block_batches * batch_size if batch_size <= capacity else capacity
        self.block_capacity = min(whole, self.n_rows)
        self._source = Rows(X, dtype, self.block_capacity)
        self.sparse = self._source.sparse
        self.row_entries = X.nnz / X.shape[0] if self.sparse else X.shape[1]
        self.targets, self._weights = targets, weights
        self._memory = np.empty(self.block_capacity * (2 * targets.n_outputs + 1), dtype)
        self._weight_memory = None if weights is None else np.empty(self.block_capacity, dtype)
        self._cuts = {}

    def shuffle(self, make_rng):
        """Draw a new order of the rows; with one mini-batch an epoch the order means nothing and none is drawn."""
        if self._shuffle:
            order = make_rng().permutation(self.n_rows)
            self._order = order if self._rows is None else self._rows[order]

    def blocks(self):
        """Start and stop of an epoch's blocks of whole mini-batches; the last, smaller one is a block by itself."""
        size = self.batch_size * self.block_batches
        whole = self.n_rows // self.batch_size * self.batch_size
        for start in range(0, whole, size):
            yield start, min(start + size, whole)
        if whole < self.n_rows:
            yield whole, self.n_rows

    def chunks(self, start, stop):
        """Start and stop of the parts of the rows start:stop, each small enough for a block."""
        for begin in range(start, stop, self.capacity):
            yield begin, min(begin + self.capacity, stop)

    def load(self, start, stop):
        """Bring the rows start:stop of the epoch's order in: the block and how it is cut."""
        rows = slice(start, stop) if self._order is None else self._order[start:stop]
        cut = self._cuts.get(stop - start)
        if cut is None:
            # Made once, as every block uses the same memory.
            n = min(self.batch_size, stop - start)
            cut = Cut(stop - start, n, self.targets.n_outputs, self._memory, self._weight_memory)
            self._cuts[stop - start] = cut
        self.targets.fill(rows, cut.targets)
        if cut.weights is not None:
            cut.weights.reshape(-1)[:] = self._weights[rows]
        return self._source.take(rows), cut
