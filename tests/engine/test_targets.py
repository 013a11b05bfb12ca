"""The targets of the rows, as they are written into a buffer."""

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
def test_smoothed_targets_are_mixed_with_those_of_no_knowledge(smoothing):
    codes, values = np.array([0, 3, 1, 1, 2, 0]), np.random.default_rng(0).random((6, 4))
    mixed = {  # with every class alike; with 1/2 in every column
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


def test_a_subset_of_targets_is_that_of_its_rows():
    rows = np.array([4, 0, 2])
    codes, values = np.array([0, 3, 1, 1, 2]), np.arange(10.0).reshape(5, 2)
    out = np.empty((1, 4, 3))
    ClassTargets(codes, 4).subset(rows).fill(slice(0, 3), out)
    np.testing.assert_array_equal(out[0].T, np.eye(4)[[2, 0, 1]])
    out = np.empty((1, 2, 3))
    ArrayTargets(values).subset(rows).fill(slice(0, 3), out)
    np.testing.assert_array_equal(out[0].T, values[rows])
