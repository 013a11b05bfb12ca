"""The rows of X, gathered and cast one block at a time."""

import numpy as np
from scipy import sparse


class Rows:
    """Blocks of rows of a dense or CSR matrix `X`, cast to `dtype`.

    ``take(rows)`` accepts a slice or an array of row numbers. A dense block is a C-contiguous array (n, n_features): a
    view of X if possible, otherwise the one buffer, which the next call overwrites.
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
