"""Products of some rows of a CSR matrix with a dense matrix, with and without SciPy's kernels."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse

from skfnn._engine.sparse import KERNELS, add_product, add_transposed_product


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("form", [sparse.csr_matrix, sparse.csr_array])
@pytest.mark.parametrize("kernels", [KERNELS, None], ids=["kernels", "no kernels"])
@pytest.mark.parametrize("rows", [slice(0, 12), slice(3, 8), slice(11, 12), slice(4, 4)], ids=str)
def test_a_product_is_added_to_the_old_contents(rows, kernels, form, dtype):
    rng = np.random.default_rng(0)
    X = np.zeros((12, 30), dtype)
    # Some rows and columns have no entry; the last column has one.
    X[rng.integers(1, 11, 20), rng.integers(0, 30, 20)] = rng.normal(size=20)
    X[3, -1] = 1.5
    n = rows.stop - rows.start
    W, D = rng.normal(size=(30, 4)).astype(dtype), rng.normal(size=(n, 4)).astype(dtype)
    z, out = rng.normal(size=(n, 4)).astype(dtype), rng.normal(size=(30, 4)).astype(dtype)
    tolerance = {"rtol": 0, "atol": 1e-5 if dtype == np.float32 else 1e-14}  # a few roundings of numbers of size 1
    expected = z + X[rows] @ W, out + X[rows].T @ D
    add_product(form(X), rows, W, z, kernels=kernels)
    add_transposed_product(form(X), rows, D, out, kernels=kernels)
    assert_allclose(z, expected[0], **tolerance)
    assert_allclose(out, expected[1], **tolerance)
