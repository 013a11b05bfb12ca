"""The first layers: each kind is compared with the dense layer or with the ordinary steps."""

import copy

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone

from skfnn import FNNClassifier
from skfnn._engine.first_layer import DeferredFirstLayer, DenseFirstLayer, LinearSparseFirstLayer, SparseFirstLayer
from skfnn._engine.network import Network
from skfnn._engine.solvers import Momentum, PlainSGD
from skfnn._engine.sparse import KERNELS
from skfnn._engine.tuning import Tuning

rng = np.random.default_rng(0)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("form", [sparse.csr_matrix, sparse.csr_array])
@pytest.mark.parametrize("kernels", [KERNELS, None], ids=["kernels", "no kernels"])
@pytest.mark.parametrize("n_features", [30, 3000])
@pytest.mark.parametrize("beta", [0.0, 0.9, 1.0, 2.0])
def test_the_sparse_gradient_is_the_dense_one(dtype, form, kernels, n_features, beta):
    X = np.zeros((12, n_features), dtype)
    # Some rows and columns have no entry; the last column has one.
    X[rng.integers(1, 11, 20), rng.integers(0, n_features, 20)] = rng.normal(size=20)
    X[3, -1] = 1.5
    layer, start = (rng.normal(size=(n_features + 1, 5)).astype(dtype) for _ in range(2))
    delta = np.asfortranarray(rng.normal(size=(8, 5)), dtype)
    results = []
    for kind, rows in ((DenseFirstLayer, X), (SparseFirstLayer, form(X))):
        first, out, z = kind(layer, 12), start.copy(), np.empty((8, 5), dtype, order="F")
        first.kernels = kernels
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


def numbered(n_units=3, n_features=6, n=9):
    """Some rows whose entries are zero in about half of the cases, and a layer for them."""
    X = rng.normal(size=(n, n_features))
    X[rng.random(X.shape) < 0.5] = 0.0
    return X, rng.normal(size=(n_features + 1, n_units))


@pytest.mark.parametrize("kind", ["dense", "sparse", "deferred"])
@pytest.mark.parametrize(("start", "stop"), [(0, 3), (3, 6), (6, 9)])
def test_the_products_of_the_rows_include_the_1_of_the_bias(kind, start, stop):
    X, layer = numbered()
    first = {
        "dense": lambda: DenseFirstLayer(layer, 3),
        "sparse": lambda: SparseFirstLayer(layer, 3),
        "deferred": lambda: DeferredFirstLayer(layer, 9, 3),
    }[kind]()
    if kind == "deferred":
        first.set_step(PlainSGD(), 0.0)
    first.begin(sparse.csr_matrix(X) if kind == "sparse" else X)
    out = np.full((3, 3), np.nan, order="F")
    first.gram(start, stop, out)
    with_ones = np.hstack([X, np.ones((9, 1))])[start:stop]
    assert_allclose(out, with_ones @ with_ones.T, rtol=1e-14)


@pytest.mark.parametrize("kind", [DenseFirstLayer, SparseFirstLayer])
def test_squared_norms_are_those_of_the_last_forward_pass(kind):
    X, layer = numbered()
    first = kind(layer, 4)
    first.begin(sparse.csr_matrix(X) if kind is SparseFirstLayer else X)
    for rows in (slice(5, 9), slice(0, 4)):
        first.forward(rows.start, rows.stop, np.empty((4, 3), order="F"))
        assert_allclose(first.squared_norms(), 1 + (X[rows] ** 2).sum(axis=1), rtol=1e-14)


def bound(solver, dtype=np.float64):
    """A network with 20 features, 5 units and 1 output, with its parameters and the state that the solver works on."""
    network = Network((20, 5, 1), ("relu",))
    theta = np.linspace(-1, 1, network.n_parameters).astype(dtype)
    state = solver.init(theta.dtype, theta.size)
    for value in state.values():
        value[:] = np.linspace(1, -2, theta.size)
    solver.bind(network, theta, state)
    return network, theta, state


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shrinkage", [0.0, 0.01])
@pytest.mark.parametrize("batch_size", [1, 3, 10, 16, 32, 64])
@pytest.mark.parametrize("kind", ["deferred", "sparse plain", "sparse momentum", "sparse nesterov", "sparse m=0.01"])
def test_layers_that_take_their_own_steps_take_the_ordinary_ones(kind, batch_size, shrinkage, dtype):
    solver = {
        "sparse momentum": Momentum(0.9, False),
        "sparse nesterov": Momentum(0.8, True),
        "sparse m=0.01": Momentum(0.01, True),
    }.get(kind, PlainSGD())
    n = 64 // batch_size * batch_size
    X, deltas = rng.normal(size=(n, 20)).astype(dtype), (rng.normal(size=(n, 5)) / 10).astype(dtype)
    other = copy.copy(solver)
    network, ordinary, state = bound(solver)
    _, stepped, stepped_state = bound(other, dtype)
    # Some hundred roundings of numbers of size 10, which are then divided by numbers of at least 0.01.
    tolerance = {"rtol": 0, "atol": 1e-3 if dtype == "float32" else 1e-10}
    gradient = np.zeros_like(ordinary)
    if kind == "deferred":
        first, block = DeferredFirstLayer(network.layers(stepped)[0], 64, batch_size), X
    else:
        first, block = LinearSparseFirstLayer(other.linear_layers(), batch_size), sparse.csr_matrix(X)
    first.set_step(other, shrinkage)
    weights, biases = network.layers(ordinary)[0][:-1], network.layers(ordinary)[0][-1]
    layer = network.layers(gradient)[0]
    for _ in range(2):
        first.begin(block)
        for start in range(0, n, batch_size):
            rows = slice(start, start + batch_size)
            z, delta = np.empty((batch_size, 5), dtype, order="F"), np.asfortranarray(deltas[rows])
            first.forward(start, start + batch_size, z)
            assert_allclose(z, X[rows] @ weights + biases, **tolerance)
            first.update(start, delta, -0.1)
            layer[:-1] = X[rows].T @ delta + shrinkage / 0.1 * weights
            layer[-1] = delta.sum(axis=0)
            solver.step(gradient.copy(), 0.1)
        first.end()
        size = 21 * 5
        assert_allclose(stepped[:size], ordinary[:size], **tolerance)
        for name, value in state.items():
            assert_allclose(stepped_state[name][:size], value[:size], **tolerance)


def test_a_block_of_deferred_steps_shrinks_the_weights_once_per_step():
    # Three steps with one row each halve the weights three times. A delta of 0 adds nothing.
    X, layer = numbered(n=3)
    start = layer.copy()
    first = DeferredFirstLayer(layer, 3, 1)
    first.set_step(PlainSGD(), 0.5)
    first.begin(X)
    for k in range(3):
        first.forward(k, k + 1, np.empty((1, 3), order="F"))
        first.update(k, np.zeros((1, 3), order="F"), -0.1)
    first.end()
    assert_array_equal(layer[:-1], start[:-1] / 8)
    assert_array_equal(layer[-1], start[-1])


@pytest.mark.parametrize("kind", ["dense", "sparse", "deferred", "sparse plain", "sparse momentum"])
def test_a_float32_layer_has_no_float64_arrays(kind):
    solver = Momentum(0.9, True) if kind == "sparse momentum" else PlainSGD()
    network, theta, _ = bound(solver, np.float32)
    layer = network.layers(theta)[0]
    first = {
        "dense": lambda: DenseFirstLayer(layer, 12),
        "sparse": lambda: SparseFirstLayer(layer, 12),
        "deferred": lambda: DeferredFirstLayer(layer, 12, 3),
    }.get(kind, lambda: LinearSparseFirstLayer(solver.linear_layers(), 12))()
    if kind not in {"dense", "sparse"}:
        first.set_step(solver, 0.01)
    held = [array for value in vars(first).values() for array in (value if isinstance(value, list) else [value])]
    arrays = [array for array in held if isinstance(array, np.ndarray) and array.dtype.kind == "f"]
    # The 2 x 2 matrices of a linear step stay in double precision.
    assert {array.dtype.name for array in arrays if array.size > 4} == {"float32"}


@pytest.mark.parametrize("momentum", [False, True])
@pytest.mark.parametrize("part", [1, 5, 35])
def test_mixing_the_weights_in_parts_changes_nothing(part, momentum):
    X, delta, results = sparse.csr_matrix(rng.normal(size=(4, 20))), rng.normal(size=(4, 5)), []
    for numbers in (part, 20 * 5):
        solver = Momentum(0.9, True) if momentum else PlainSGD()
        _, theta, _ = bound(solver)
        first = LinearSparseFirstLayer(solver.linear_layers(), 4, Tuning(part_numbers=numbers))
        first.set_step(solver, 0.01)
        first.begin(X)
        first.forward(0, 4, np.empty((4, 5), order="F"))
        first.update(0, np.asfortranarray(delta), -0.1)
        first.end()
        results.append(theta)
    assert_array_equal(*results)


@pytest.mark.parametrize("decay", [0.0, 0.3])
@pytest.mark.parametrize("nesterov", [False, True])
def test_momentum_from_factors_equals_momentum_from_the_gradient(nesterov, decay):
    solvers = [Momentum(0.9, nesterov) for _ in range(2)]
    (network, whole, state), (_, part, part_state) = (bound(solver) for solver in solvers)
    start = whole.copy()
    matrix = rng.normal(size=(6, 1))
    gradient = np.zeros_like(whole)
    network.layers(gradient)[1][...] = matrix
    network.layers(gradient)[1][:-1] += decay * network.layers(whole)[1][:-1]
    solvers[0].step(gradient, 0.2)

    def accumulate(scale, beta, out):
        out *= beta
        out += scale * 4 * matrix

    solvers[1].step_factors([accumulate], 4, 0.2, decay)
    first = 21 * 5
    assert_allclose(part[first:], whole[first:], rtol=0, atol=1e-14)
    assert_allclose(part_state["velocity"][first:], state["velocity"][first:], rtol=0, atol=1e-14)
    assert_allclose(part[:first], start[:first], rtol=0, atol=0)


@pytest.mark.parametrize("alpha", [0.0, 1.0])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("learning_rate", ["constant", "invscaling"])
def test_wide_sparse_rows_train_like_dense_rows(learning_rate, momentum, alpha):
    X = sparse.random(90, 3000, density=0.003, format="csr", random_state=0, dtype=np.float64)
    settings = {
        "batch_size": 8,
        "momentum": momentum,
        "alpha": alpha,
        "learning_rate": learning_rate,
        "learning_rate_init": 0.1,
        "standardize": False,
        "random_state": 0,
    }
    clf = FNNClassifier(5, max_iter=7, n_iter_no_change=None, **settings)
    of_sparse = clone(clf).fit(X, np.arange(90) % 3)
    of_dense = clone(clf).fit(X.toarray(), np.arange(90) % 3)
    for a, b in zip(of_sparse.coefs_ + of_sparse.intercepts_, of_dense.coefs_ + of_dense.intercepts_, strict=True):
        assert_allclose(a, b, rtol=0, atol=1e-11)
    # Some hundred roundings of numbers of size 1, which are then divided by numbers of at least 0.03.
    for name in of_sparse._state.solver:
        assert_allclose(of_sparse._state.solver[name], of_dense._state.solver[name], rtol=0, atol=1e-11)


def test_work_counts_the_multiplications_of_blas():
    _, layer = numbered(n_units=3, n_features=6)
    # 7 rows times 7 x 3 parameters, against the work behind the layer.
    assert DenseFirstLayer(layer, 7).work(146) == (147, 147)
    assert DenseFirstLayer(layer, 7).work(148) == (148, 148)
    assert SparseFirstLayer(layer, 7).work(5) == (5, 5)
    assert DeferredFirstLayer(layer, 8, 2).work(5) == (168, 5)
    assert LinearSparseFirstLayer([layer], 7).work(5) == (5, 5)
