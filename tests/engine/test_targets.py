"""The targets of the rows, written into a buffer."""

import numpy as np
import pytest

from skfnn._engine.targets import ArrayTargets, ClassTargets


@pytest.mark.parametrize("rows", [slice(2, 8), np.array([5, 1, 8, 0, 3, 2])])
@pytest.mark.parametrize(("n_batches", "n"), [(1, 6), (2, 3), (6, 1)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_targets_are_written_mini_batch_by_mini_batch(rows, n_batches, n, dtype):
    codes = np.array([0, 3, 1, 1, 2, 0, 3, 2, 1])
    values = np.random.default_rng(0).integers(0, 2, size=(9, 4)).astype(np.uint8)
    for targets, expected in ((ClassTargets(codes, 4), np.eye(4)[codes]), (ArrayTargets(values), values)):
        out = np.full((n_batches, 4, n), np.nan, dtype)
        targets.fill(rows, out)
        for k in range(n_batches):
            np.testing.assert_array_equal(out[k].T, expected[rows][k * n : (k + 1) * n])


@pytest.mark.parametrize("smoothing", [0.0, 0.2, 1.0])
def test_smoothed_targets_are_mixed_with_equal_shares(smoothing):
    codes, values = np.array([0, 3, 1, 1, 2, 0]), np.random.default_rng(0).random((6, 4))
    mixed = {  # with equal shares of all classes; with 1/2 in every column
        ClassTargets(codes, 4, smoothing): (1 - smoothing) * np.eye(4)[codes] + smoothing / 4,
        ArrayTargets(values, smoothing): (1 - smoothing) * values + smoothing / 2,
    }
    for targets, expected in mixed.items():
        out = np.full((2, 4, 3), np.nan)
        targets.fill(slice(0, 6), out)
        np.testing.assert_allclose(out.transpose(0, 2, 1).reshape(6, 4), expected, rtol=1e-15, atol=1e-16)


def test_a_subset_of_smoothed_targets_is_exact():
    rows, out = np.array([4, 0, 2]), np.empty((1, 4, 3))
    for targets in (ClassTargets(np.array([0, 3, 1, 1, 2]), 4, 0.2), ArrayTargets(np.eye(4)[[0, 3, 1, 1, 2]], 0.2)):
        subset = targets.subset(rows)
        assert subset.n_outputs == 4
        subset.fill(slice(0, 3), out)
        np.testing.assert_array_equal(out[0].T, np.eye(4)[[2, 0, 1]])


def test_a_subset_has_the_targets_of_its_rows():
    rows = np.array([4, 0, 2])
    codes, values = np.array([0, 3, 1, 1, 2]), np.arange(10.0).reshape(5, 2)
    out = np.empty((1, 4, 3))
    ClassTargets(codes, 4).subset(rows).fill(slice(0, 3), out)
    np.testing.assert_array_equal(out[0].T, np.eye(4)[[2, 0, 1]])
    out = np.empty((1, 2, 3))
    ArrayTargets(values).subset(rows).fill(slice(0, 3), out)
    np.testing.assert_array_equal(out[0].T, values[rows])


def as_array(targets, n_rows):
    """The targets of all rows, (n_rows, n_outputs), as ``fill`` writes them."""
    out = np.empty((1, targets.n_outputs, n_rows))
    targets.fill(slice(0, n_rows), out)
    return out[0].T


@pytest.mark.parametrize("rows", [None, np.array([6, 1, 3]), np.array([2, 2, 0])], ids=str)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("smoothing", [0.0, 0.2, 1.0])
def test_mean_is_the_mean_of_the_rows_targets(smoothing, weighted, rows):
    codes, values = np.array([0, 3, 1, 1, 2, 0, 0]), np.random.default_rng(0).random((7, 4))
    for targets in (
        ClassTargets(codes, 5, smoothing),  # class 4 is absent
        ArrayTargets(values, smoothing),
        ArrayTargets((values > 0.5).astype(np.int8), smoothing),
        ArrayTargets(values[:, :1], smoothing),
    ):
        written = as_array(targets, 7) if rows is None else as_array(targets, 7)[rows]
        weights = np.random.default_rng(1).integers(1, 5, len(written)).astype(float) if weighted else None
        mean = targets.mean(rows, weights)
        assert mean.shape == (targets.n_outputs,)
        np.testing.assert_allclose(mean, np.average(written, axis=0, weights=weights), rtol=1e-14, atol=1e-16)


def test_rows_of_weight_zero_do_not_count_in_the_mean():
    codes, values = np.array([0, 3, 1]), np.array([[1.0], [2.0], [300.0]])
    weights = np.array([1.0, 1.0, 0.0])
    np.testing.assert_array_equal(ClassTargets(codes, 4).mean(None, weights), [0.5, 0, 0, 0.5])
    np.testing.assert_array_equal(ArrayTargets(values).mean(None, weights), [1.5])
