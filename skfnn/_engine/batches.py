"""Which rows form each mini-batch.

A block is the rows that are gathered at once: one mini-batch, several consecutive small ones, or a part of a large one.
"""

from dataclasses import dataclass

import numpy as np

from .rows import Rows
from .tuning import DEFAULT


@dataclass(slots=True)
class Batch:
    """Rows start:stop of a block: a mini-batch, or a part of one."""

    start: int
    stop: int
    targets: np.ndarray  # (n, n_outputs), Fortran order
    raw: np.ndarray  # room for the raw outputs, (n, n_outputs), Fortran order
    row: np.ndarray  # room for one number per row, (n, 1)
    weights: np.ndarray | None  # (n, 1)


class Cut:
    """A block cut into mini-batches of n rows.

    The arrays of the mini-batches are views of the block's arrays, and these are views of `memory`.

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


class Batches:
    """The mini-batches of a training set.

    Parameters
    ----------
    X : the rows, dense or CSR.
    targets : the Targets of the same rows.
    weights : (B_all,) array or None; the rows' weights in the loss, with mean 1 over the training set.
    rows : array of the row numbers that form the training set, or None for all.
    batch_size, shuffle : as in the estimator; `batch_size` is a number here.
    form : the RowFormat of training.
    capacity : the largest number of rows that are worked on at once; a larger mini-batch is split into parts.
    tuning : the Tuning; it sets how many rows a block of several mini-batches has.
    """

    def __init__(self, X, targets, weights, rows, batch_size, shuffle, form, capacity, tuning=DEFAULT):
        self.n_rows = X.shape[0] if rows is None else len(rows)
        self.batch_size = batch_size
        self.n_batches = -(-self.n_rows // batch_size)
        self.capacity = capacity
        self._shuffle = shuffle and batch_size < self.n_rows
        self._rows, self._order = rows, rows
        self.block_batches = max(1, tuning.rows_in_block(X, targets.n_outputs) // batch_size)
        whole = self.block_batches * batch_size if batch_size <= capacity else capacity
        self.block_capacity = min(whole, self.n_rows)
        self._source = Rows(X, form, self.block_capacity)
        self.sparse = self._source.sparse
        self.row_entries = X.nnz / X.shape[0] if self.sparse else X.shape[1]
        self.targets, self._weights = targets, weights
        self._memory = np.empty(self.block_capacity * (2 * targets.n_outputs + 1), form.dtype)
        self._weight_memory = None if weights is None else np.empty(self.block_capacity, form.dtype)
        self._cuts = {}

    @property
    def in_parts(self):
        """Whether a mini-batch is too large to be worked on at once."""
        return self.batch_size > self.capacity

    @property
    def largest_batch(self):
        """The largest number of rows of a mini-batch, or of a part, in a block."""
        return min(self.batch_size, self.block_capacity)

    def shuffle(self, make_rng):
        """Draw a new order of the rows. With one mini-batch per epoch the order has no effect and none is drawn."""
        if self._shuffle:
            order = make_rng().permutation(self.n_rows)
            self._order = order if self._rows is None else self._rows[order]

    def blocks(self):
        """Yield the start and stop of each block of an epoch; a smaller last mini-batch is a block of its own."""
        size = self.batch_size * self.block_batches
        whole = self.n_rows // self.batch_size * self.batch_size
        for start in range(0, whole, size):
            yield start, min(start + size, whole)
        if whole < self.n_rows:
            yield whole, self.n_rows

    def chunks(self, start, stop):
        """Split the rows start:stop into parts that each fit into a block; yield the start and stop of each part."""
        for begin in range(start, stop, self.capacity):
            yield begin, min(begin + self.capacity, stop)

    def load(self, start, stop):
        """Gather the rows start:stop of this epoch's order; return the block and its Cut into mini-batches."""
        rows = slice(start, stop) if self._order is None else self._order[start:stop]
        cut = self._cuts.get(stop - start)
        if cut is None:
            # One Cut serves all blocks of this size, because they use the same memory.
            n = min(self.batch_size, stop - start)
            cut = Cut(stop - start, n, self.targets.n_outputs, self._memory, self._weight_memory)
            self._cuts[stop - start] = cut
        self.targets.fill(rows, cut.targets)
        if cut.weights is not None:
            cut.weights.reshape(-1)[:] = self._weights[rows]
        return self._source.take(rows), cut
