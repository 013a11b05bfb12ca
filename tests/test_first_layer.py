"""The sparse first layer's gradient, by each of its ways."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse

from skfnn import _sparse
from skfnn._first_layer import DeferredFirstLayer, DenseFirstLayer, SparseFirstLayer

rng = np.random.default_rng(0)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("form", [sparse.csr_matrix, sparse.csr_array])
@pytest.mark.parametrize("kernels", [True, False])
@pytest.mark.parametrize("n_features", [30, 3000])
@pytest.mark.parametrize("beta", [0.0, 0.9, 1.0])
def test_the_sparse_gradient_is_the_dense_one(monkeypatch, dtype, form, kernels, n_features, beta):
    if not kernels:
        monkeypatch.setattr(_sparse, "csr_matvecs", None)
        monkeypatch.setattr(_sparse, "csc_matvecs", None)
    X = np.zeros((12, n_features), dtype)
    # Rows without an entry, columns without one, and the last column among those that occur.
    X[rng.integers(1, 11, 20), rng.integers(0, n_features, 20)] = rng.normal(size=20)
    X[3, -1] = 1.5
    layer, start = (rng.normal(size=(n_features + 1, 5)).astype(dtype) for _ in range(2))
    delta = np.asfortranarray(rng.normal(size=(8, 5)), dtype)
    results = []
    for kind, rows in ((DenseFirstLayer, X), (SparseFirstLayer, form(X))):
        first, out, z = kind(layer, 12), start.copy(), np.empty((8, 5), dtype, order="F")
        first.begin(rows)
        first.forward(2, 10, z)
        first.accumulate(delta, -0.3, beta, out)
        first.end()
        results.append((z, out))
    tolerance = 1e-5 if dtype == "float32" else 1e-13  # a few roundings of numbers of size 1
    for dense, other in zip(*results, strict=True):
        assert other.dtype == dtype
        assert_allclose(other, dense, rtol=0, atol=tolerance)


def test_duplicate_and_unsorted_entries_are_summed():
    rows = sparse.csr_matrix(([1.0, 2.0, 3.0], [2, 0, 2], [0, 3]), shape=(1, 4))
    out, z = np.zeros((5, 2)), np.empty((1, 2), order="F")
    first = SparseFirstLayer(np.zeros((5, 2)), 1)
    first.begin(rows)
    first.forward(0, 1, z)
    first.accumulate(np.array([[1.0, 10.0]], order="F"), 1.0, 1.0, out)
    assert_allclose(out, [[2, 20], [0, 0], [4, 40], [0, 0], [1, 10]])


@pytest.mark.parametrize("shrink", [1.0, 0.99])
@pytest.mark.parametrize("batch_size", [1, 3, 10, 16, 32, 64])
@pytest.mark.parametrize("kind", ["deferred", "sparse"])
def test_the_layers_that_step_by_themselves_make_the_ordinary_steps(kind, batch_size, shrink):
    n = 64 // batch_size * batch_size
    X, deltas = rng.normal(size=(n, 20)), rng.normal(size=(n, 5)) / 10
    ordinary, stepped = (np.linspace(-1, 1, 21 * 5).reshape(21, 5) for _ in range(2))
    if kind == "deferred":
        first, block = DeferredFirstLayer(stepped, 64, batch_size), X
    else:
        first, block = SparseFirstLayer(stepped, batch_size), sparse.csr_matrix(X)
    first.set_shrink(shrink)
    for _ in range(2):
        first.begin(block)
        for start in range(0, n, batch_size):
            rows = slice(start, start + batch_size)
            z, delta = np.empty((batch_size, 5), order="F"), np.asfortranarray(deltas[rows])
            first.forward(start, start + batch_size, z)
            assert_allclose(z, X[rows] @ ordinary[:-1] + ordinary[-1], rtol=0, atol=1e-12)
            first.update(start, delta, -0.1)
            ordinary[:-1] = shrink * ordinary[:-1] - 0.1 * X[rows].T @ delta
            ordinary[-1] -= 0.1 * delta.sum(axis=0)
        first.end()
        # Some hundred roundings of numbers of size 10.
        assert_allclose(stepped, ordinary, rtol=0, atol=1e-12)
