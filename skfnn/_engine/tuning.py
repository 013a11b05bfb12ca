"""How many rows are worked on at once, and when the first layer's update is deferred."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import sparse


def deferring_pays(batch_size, block_rows, n_features, n_units):
    """Whether the products of a whole block are faster than those of its mini-batches.

    Without deferring, BLAS repacks the weights for each mini-batch. Deferring avoids this, but needs the products of
    the rows with each other and with the steps. The numbers below count multiplications. They were fitted to times
    measured with 30 to 2,000 features, 10 to 800 units and mini-batches of 1 to 48 rows.
    """
    saved = 20 * n_features * n_units
    added = batch_size * block_rows * (n_features + n_units) + 60_000
    return saved > added


@dataclass(frozen=True)
class Tuning:
    """Sizes that decide the speed and the memory of training; they change its result only by rounding.

    Tests pass small sizes, so that small problems take the code paths of large ones.
    """

    # A block of several small mini-batches has about this many rows.
    block_rows: int = 96
    # Sparse rows are not multiplied by the whole block, so more rows are better, up to this many bytes.
    sparse_block_rows: int = 4096
    sparse_block_bytes: int = 8_000_000
    # One part of a large mini-batch, or of the full batch, has at most this many rows and bytes of buffers.
    chunk_rows: int = 2048
    chunk_bytes: int = 16_000_000
    # A pass over all parameters works on this many numbers at a time, so that they stay in the cache. This makes Adam
    # 1.3 times as fast with 500,000 parameters and 1.7 times as fast with 3,000,000.
    part_numbers: int = 65536
    defers: Callable[[int, int, int, int], bool] = deferring_pays

    def rows_at_once(self, network, X, dtype):
        """The largest number of rows of X in one product: enough for fast products, few enough for the cache."""
        n_values = X.nnz // X.shape[0] if sparse.issparse(X) else network.sizes[0]
        bytes_per_row = np.dtype(dtype).itemsize * (n_values + 4 * sum(network.sizes[1:]))
        return int(max(self.block_rows, min(self.chunk_rows, self.chunk_bytes // bytes_per_row)))

    def rows_in_block(self, X, n_outputs):
        """About how many rows of X form a block of several mini-batches."""
        if not sparse.issparse(X):
            return self.block_rows
        bytes_per_row = 12 * X.nnz // X.shape[0] + 16 * n_outputs
        return max(self.block_rows, min(self.sparse_block_rows, self.sparse_block_bytes // bytes_per_row))


DEFAULT = Tuning()
