"""The rows of X, gathered and cast one block at a time."""

import numpy as np
import pytest
from memory import peak_of
from scipy import sparse

from skfnn._engine.rows import RowFormat, Rows

EVERY_SECOND = np.s_[::2, ::2]
FORMS = {
    "C": lambda X: X,
    "Fortran": np.asfortranarray,
    "strided": lambda X: np.repeat(np.repeat(X, 2, axis=0), 2, axis=1)[EVERY_SECOND],
    "reversed": lambda X: X[::-1].copy()[::-1],
    "csr": sparse.csr_matrix,
}


@pytest.mark.parametrize("rows", [slice(0, 6), slice(3, 20), np.array([19, 3, 4, 0]), np.array([7])], ids=str)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("source", ["?", "u1", "i1", "u2", "i2", "i8", "f4", "f8"])
def test_a_block_is_the_rows_cast(source, dtype, form, rows):
    rng = np.random.default_rng(0)
    low = -100 if np.dtype(source).kind in "if" else 0
    X = rng.integers(low, 256 if source == "u1" else 100, size=(20, 5)).astype(source)
    X[rng.random(X.shape) < 0.3] = 0
    given = FORMS[form](X)
    if not sparse.issparse(given):
        given.flags.writeable = False  # whatever is written into the user's data fails here
    source_rows = Rows(given, RowFormat(np.dtype(dtype)), 20)
    for _ in range(2):  # the buffer is used again
        block = source_rows.take(rows)
        if sparse.issparse(block):
            block = block.toarray()
        else:
            assert block.flags.c_contiguous
        assert block.dtype == dtype
        np.testing.assert_array_equal(block, X[rows].astype(dtype))
        source_rows.take(slice(0, 2))


def test_half_precision_is_cast():
    X = np.random.default_rng(0).normal(size=(20, 5)).astype(np.float16)
    for rows in (slice(3, 9), np.array([5, 1])):
        np.testing.assert_array_equal(
            Rows(X, RowFormat(np.dtype(np.float32)), 20).take(rows), X[rows].astype(np.float32)
        )


def test_rows_in_order_and_of_the_right_type_are_not_copied():
    X = np.arange(60.0).reshape(20, 3)
    assert np.shares_memory(Rows(X, RowFormat(X.dtype), 20).take(slice(2, 9)), X)
    # A Fortran-ordered or a narrower X is brought into the buffer.
    for other in (np.asfortranarray(X), X.astype(np.float32)):
        block = Rows(other, RowFormat(np.dtype(float)), 20).take(slice(2, 9))
        assert not np.shares_memory(block, other)
        np.testing.assert_array_equal(block, X[2:9])


@pytest.mark.parametrize("source", ["u1", "f4", "f8"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_c_ordered_rows_are_gathered_straight_into_the_buffer(dtype, source):
    X = np.ones((2000, 200), source)
    taking = Rows(X, RowFormat(np.dtype(dtype)), 1000)
    # A cast goes through a buffer of 8,192 numbers.
    assert peak_of(lambda: taking.take(np.arange(0, 2000, 2))) < X[::2].nbytes / 2


@pytest.mark.parametrize("rows", [slice(0, 1000), np.arange(0, 2000, 2)], ids=["slice", "numbers"])
@pytest.mark.parametrize("container", [sparse.csr_matrix, sparse.csr_array])
def test_sparse_rows_of_the_right_type_are_copied_once(container, rows):
    X = container(np.ones((2000, 200)))
    block = X[rows]
    size = block.data.nbytes + block.indices.nbytes
    assert peak_of(lambda: Rows(X, RowFormat(np.dtype(float)), 1000).take(rows)) < 1.5 * size
