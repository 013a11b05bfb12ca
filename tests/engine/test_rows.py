"""The rows of X, gathered, shifted, cast and scaled one block at a time."""

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
def test_a_block_holds_the_rows_cast_to_the_dtype(source, dtype, form, rows):
    rng = np.random.default_rng(0)
    low = -100 if np.dtype(source).kind in "if" else 0
    X = rng.integers(low, 256 if source == "u1" else 100, size=(20, 5)).astype(source)
    X[rng.random(X.shape) < 0.3] = 0
    given = FORMS[form](X)
    if not sparse.issparse(given):
        given.flags.writeable = False  # writing into the user's data would fail here
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
    # A Fortran-ordered or narrower X is copied into the buffer.
    for other in (np.asfortranarray(X), X.astype(np.float32)):
        block = Rows(other, RowFormat(np.dtype(float)), 20).take(slice(2, 9))
        assert not np.shares_memory(block, other)
        np.testing.assert_array_equal(block, X[2:9])


@pytest.mark.parametrize("source", ["u1", "f4", "f8"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_c_ordered_rows_are_gathered_directly_into_the_buffer(dtype, source):
    X = np.ones((2000, 200), source)
    taking = Rows(X, RowFormat(np.dtype(dtype)), 1000)
    # NumPy casts through a buffer of 8,192 numbers.
    assert peak_of(lambda: taking.take(np.arange(0, 2000, 2))) < X[::2].nbytes / 2


@pytest.mark.parametrize("rows", [slice(0, 1000), np.arange(0, 2000, 2)], ids=["slice", "numbers"])
@pytest.mark.parametrize("container", [sparse.csr_matrix, sparse.csr_array])
def test_sparse_rows_of_the_right_type_are_copied_once(container, rows):
    X = container(np.ones((2000, 200)))
    block = X[rows]
    size = block.data.nbytes + block.indices.nbytes
    assert peak_of(lambda: Rows(X, RowFormat(np.dtype(float)), 1000).take(rows)) < 1.5 * size


# Shifted and scaled

STEPS = ["mean", "scale", "mean and scale"]
TAKEN = [slice(0, 6), slice(3, 20), np.array([19, 3, 4, 0]), np.array([7])]


def form_of(steps, dtype, n_features=5):
    """A RowFormat with a mean, a scale, or both."""
    rng = np.random.default_rng(1)
    mean, scale = rng.uniform(-50.0, 50.0, n_features), rng.uniform(0.1, 10.0, n_features)
    return RowFormat(np.dtype(dtype), mean if "mean" in steps else None, scale if "scale" in steps else None)


def expected(X, form):
    """``(X - mean) / scale`` in float64."""
    X = X.astype(np.float64)
    X = X if form.mean is None else X - form.mean
    return X if form.scale is None else X / form.scale


@pytest.mark.parametrize("rows", TAKEN, ids=str)
@pytest.mark.parametrize("steps", STEPS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", [kind for kind in FORMS if kind != "csr"])
@pytest.mark.parametrize("source", ["?", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8"])
def test_a_dense_block_holds_the_rows_shifted_and_scaled(source, kind, dtype, steps, rows):
    X = np.random.default_rng(0).integers(0, 100, size=(20, 5)).astype(source)
    given = FORMS[kind](X)
    given.flags.writeable = False  # writing into the user's data would fail here
    form = form_of(steps, dtype)
    taking = Rows(given, form, 20)
    # Numbers up to 150, and their quotients with divisors of at least 0.1, are rounded a few times.
    tolerance = 4 * 1500 * np.finfo(dtype).eps
    for _ in range(2):  # the buffer is used again
        block = taking.take(rows)
        assert block.dtype == dtype
        assert block.flags.c_contiguous
        assert not np.shares_memory(block, given)
        np.testing.assert_allclose(block, expected(X[rows], form), rtol=0, atol=tolerance)
        taking.take(slice(0, 2))
    np.testing.assert_array_equal(given, X)


@pytest.mark.parametrize("rows", TAKEN, ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("container", [sparse.csr_matrix, sparse.csr_array])
@pytest.mark.parametrize("source", ["u1", "i8", "f4", "f8"])
def test_a_sparse_block_is_scaled(source, container, dtype, rows):
    X = np.random.default_rng(0).integers(0, 100, size=(20, 5)).astype(source)
    X[X > 40] = 0
    given = container(X)
    given.data.flags.writeable = False
    form = form_of("scale", dtype)
    taking = Rows(given, form, 20)
    for _ in range(2):
        block = taking.take(rows)
        assert type(block) is container
        assert block.dtype == dtype
        assert block.nnz == np.count_nonzero(X[rows])
        np.testing.assert_allclose(block.toarray(), expected(X[rows], form), rtol=4 * np.finfo(dtype).eps)
    np.testing.assert_array_equal(given.toarray(), X)


# Numbers such as a time in seconds since 1970, a price or a year: the spread is one millionth of the offset.
OFFSET = 1e6


@pytest.mark.parametrize("rows", [slice(0, 200), np.arange(199, -1, -1)], ids=["slice", "numbers"])
@pytest.mark.parametrize("kind", [kind for kind in FORMS if kind != "csr"])
@pytest.mark.parametrize("source", ["f8", "i8"])
def test_float32_loses_nothing_to_a_large_offset(source, kind, rows):
    # The numbers are multiples of 1/1000 and exact in their source. float32 would round them to 1/16 of the spread.
    unit = 1000.0 if source == "i8" else 1.0
    differences = np.round(np.random.default_rng(0).normal(size=(200, 3)) * 1000) / 1000 * unit
    X = (OFFSET * unit + differences).astype(source)
    mean, scale = np.full(3, OFFSET * unit), np.full(3, unit)
    block = Rows(FORMS[kind](X), RowFormat(np.dtype(np.float32), mean, scale), 200).take(rows)
    assert block.dtype == np.float32
    exact = (X.astype(np.float64)[rows] - mean) / scale
    np.testing.assert_allclose(block, exact, rtol=2 * np.finfo(np.float32).eps, atol=0)


def test_differences_of_float32_rows_are_exact():
    # Here the rows and the mean are float32 numbers, so their difference is not rounded.
    X = (1e5 + np.random.default_rng(0).normal(size=(200, 3))).astype(np.float32)
    mean = X.mean(axis=0, dtype=np.float64).astype(np.float32).astype(np.float64)
    block = Rows(X, RowFormat(np.dtype(np.float32), mean, None), 200).take(slice(0, 200))
    np.testing.assert_array_equal(block, X.astype(np.float64) - mean)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("rows", [slice(0, 20), np.arange(19, -1, -1)], ids=["slice", "numbers"])
@pytest.mark.parametrize("source", ["f4", "f8", "csr"])
@pytest.mark.parametrize(("mean", "scale"), [(None, 1e-300), (0.0, 1e300), (1e100, None), (1e100, 1e99)])
def test_float32_accepts_means_and_scales_beyond_its_range(mean, scale, source, rows):
    size = 1.0 if source == "f4" else max(mean or 0.0, scale or 0.0)
    X = np.random.default_rng(0).uniform(1.0, 2.0, size=(20, 3)) * size
    means, scales = (None if number is None else np.full(3, number) for number in (mean, scale))
    form = RowFormat(np.dtype(np.float32), None if source == "csr" else means, scales)
    given = sparse.csr_matrix(X) if source == "csr" else X.astype(source)
    with np.errstate(over="ignore"):  # training ignores it
        block = Rows(given, form, 20).take(rows)
        exact = expected(given.toarray() if source == "csr" else given, form)[rows].astype(np.float32)
    assert block.dtype == np.float32
    np.testing.assert_allclose(block.toarray() if source == "csr" else block, exact, rtol=1e-6)


def test_float32_rows_accept_a_mean_beyond_their_range():
    # The scale, 1e17, is within the range in which float32 rows are scaled in float32. The mean would be infinite.
    X = np.random.default_rng(0).uniform(1.0, 2.0, size=(20, 3)).astype(np.float32)
    form = RowFormat(np.dtype(np.float32), np.full(3, 1e39), np.full(3, 1e17))
    np.testing.assert_allclose(Rows(X, form, 20).take(slice(0, 20)), -1e22, rtol=1e-6)


@pytest.mark.parametrize(
    ("source", "between"),
    [("?", "f4"), ("u1", "f4"), ("i2", "f4"), ("f2", "f4"), ("f4", "f4"), ("i4", "f8"), ("i8", "f8"), ("f8", "f8")],
)
def test_for_float32_rows_are_shifted_in_float32_if_it_holds_all_numbers_of_their_type(source, between):
    # float64 takes about twice the time.
    X = np.random.default_rng(0).integers(0, 100, size=(20, 5)).astype(source)
    form = form_of("mean and scale", np.float32)
    difference = (X.astype(between) - form.mean.astype(between)).astype(np.float32)
    block = Rows(X, form, 20).take(slice(0, 20))
    # The same operations in the same types have the same roundings.
    np.testing.assert_array_equal(block, difference * (1.0 / form.scale).astype(np.float32))


def test_a_format_makes_one_converter_for_each_type_of_rows():
    form = form_of("mean", np.float32)
    single, double = (form.converter(np.dtype(source)) for source in ("f4", "f8"))
    assert single is not double
    assert form.converter(np.dtype("f4")) is single
    assert form.converter(np.dtype("f8")) is double


def test_shifting_float64_rows_by_a_large_mean_needs_no_memory_besides_the_buffers():
    X = np.full((2000, 200), 1e100)
    taking = Rows(X, RowFormat(np.dtype(np.float32), np.full(200, 1e100), None), 1000)
    assert peak_of(lambda: taking.take(slice(0, 1000))) < X[::2].nbytes / 2


@pytest.mark.parametrize("steps", STEPS)
def test_shifting_rows_needs_no_memory_besides_the_buffers(steps):
    X = np.ones((2000, 200), np.float32)
    taking = Rows(X, form_of(steps, np.float64, 200), 1000)
    for rows in (slice(0, 1000), np.arange(0, 2000, 2)):
        assert peak_of(lambda rows=rows: taking.take(rows)) < X[::2].nbytes / 2


@pytest.mark.parametrize("container", [sparse.csr_matrix, sparse.csr_array])
@pytest.mark.parametrize("rows", [slice(3, 11), np.array([5, 1, 19])], ids=["slice", "numbers"])
def test_sparse_rows_are_shifted_like_dense_rows(container, rows):
    # A network that was trained on standardised dense rows may get sparse rows for prediction.
    X = np.random.default_rng(0).integers(0, 3, size=(20, 5)).astype(float)
    form = RowFormat(np.dtype(np.float32), X.mean(axis=0), X.std(axis=0))
    reading = Rows(container(X), form, 20)
    assert not reading.sparse
    np.testing.assert_array_equal(reading.take(rows), Rows(X, form, 20).take(rows))
