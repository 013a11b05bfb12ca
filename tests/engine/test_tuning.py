"""The sizes of blocks and parts, and when deferring pays."""

from dataclasses import replace

import numpy as np
import pytest
from exact import estimator
from reference import problem
from scipy import sparse
from tuned import retuned

from skfnn._engine.network import Network
from skfnn._engine.tuning import DEFAULT, Tuning


@pytest.mark.parametrize(
    ("n_features", "n_units", "batch_size", "pays"),
    [
        (784, 128, 1, True),
        (784, 128, 10, True),
        (784, 128, 32, False),
        (784, 512, 32, True),
        (2000, 10, 10, False),
        (64, 100, 1, True),
        (64, 100, 10, False),
        (5, 1000, 1, False),
    ],
)
def test_deferring_pays_for_small_mini_batches_and_large_layers(n_features, n_units, batch_size, pays):
    block_rows = DEFAULT.block_rows // batch_size * batch_size
    assert DEFAULT.defers(batch_size, block_rows, n_features, n_units) == pays


def test_deferring_compares_the_numbers_of_multiplications():
    # Deferring saves 20 * 100 * 50 = 100,000 and adds 60,000 + 150 * (rows of the block) * (rows of the mini-batch).
    assert DEFAULT.defers(1, 266, 100, 50)
    assert not DEFAULT.defers(1, 267, 100, 50)
    assert DEFAULT.defers(2, 133, 100, 50)
    assert not DEFAULT.defers(1, 0, 60, 50)  # 60,000 on both sides


def bytes_of_rows(n, network, n_values, dtype):
    """The bytes of the buffers for n rows: their values, and four arrays for each layer."""
    return n * np.dtype(dtype).itemsize * (n_values + 4 * sum(network.sizes[1:]))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("sizes", [(10, 5, 2), (784, 512, 256, 10), (5000, 3000, 2), (100_000, 4)])
def test_rows_at_once_follow_from_the_bytes_within_bounds(sizes, dtype):
    network = Network(sizes, ("relu",) * (len(sizes) - 2))
    X = np.broadcast_to(0.0, (3, sizes[0]))
    rows = DEFAULT.rows_at_once(network, X, dtype)
    assert isinstance(rows, int)
    assert DEFAULT.block_rows <= rows <= DEFAULT.chunk_rows
    if rows > DEFAULT.block_rows:
        assert bytes_of_rows(rows, network, sizes[0], dtype) <= DEFAULT.chunk_bytes
    if rows < DEFAULT.chunk_rows:
        assert bytes_of_rows(rows + 1, network, sizes[0], dtype) > DEFAULT.chunk_bytes


def test_a_sparse_row_counts_by_its_entries():
    network = Network((100_000, 100, 2), ("relu",))
    X = sparse.csr_matrix(([1.0] * 6, [0, 1, 2, 3, 4, 5], [0, 2, 4, 6]), shape=(3, 100_000))
    narrow = Tuning(chunk_bytes=400_000)
    rows = narrow.rows_at_once(network, X, np.float64)
    assert rows == 400_000 // (8 * (2 + 4 * 102))
    assert narrow.rows_at_once(network, X.toarray(), np.float64) == narrow.block_rows


def test_a_dense_block_has_the_number_of_rows_of_the_tuning():
    assert Tuning(block_rows=17).rows_in_block(np.zeros((5, 3)), 2) == 17


def test_a_sparse_block_has_more_rows_within_bounds():
    # 3 entries of 12 bytes and 2 outputs of 16 bytes: 68 bytes per row.
    X = sparse.csr_matrix(np.tile([1.0, 0.0, 2.0, 3.0], (5, 1)))
    tuning = Tuning(block_rows=10, sparse_block_rows=50, sparse_block_bytes=20 * 68)
    assert tuning.rows_in_block(X, 2) == 20
    assert replace(tuning, sparse_block_bytes=20 * 68 - 1).rows_in_block(X, 2) == 19
    assert replace(tuning, sparse_block_rows=15).rows_in_block(X, 2) == 15
    assert replace(tuning, block_rows=30).rows_in_block(X, 2) == 30


SIZES = {
    "small blocks": {"block_rows": 8},
    "large blocks": {"block_rows": 500},
    "parts": {"block_rows": 8, "chunk_rows": 8},
    "never deferred": {"defers": lambda *sizes: False},
    "sparse": {"sparse_block_rows": 9, "block_rows": 8},
}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize("params", [{"batch_size": 3}, {"momentum": 0.9}, {"solver": "adam"}], ids=str)
@pytest.mark.parametrize("sizes", SIZES)
def test_the_sizes_change_only_the_rounding(sizes, params, container, assert_parameters):
    X, y, _ = problem("multiclass", 90)
    params = {"learning_rate_init": 0.01, "shuffle": True} | params
    usual, other = estimator(2, **params), retuned(estimator(2, **params), **SIZES[sizes])
    for clf in (usual, other):
        clf.fit(container(X), y)
    # Sixty steps with numbers of size 1.
    assert_parameters(other, usual.coefs_, usual.intercepts_, atol=1e-12)
