"""The objective and its gradient, summed over parts of different sizes."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from reference import gradient, objective, row_gradient
from runs import batches_of, loss_of, whole
from scipy import sparse

from skfnn._engine.dropout import Dropout
from skfnn._engine.losses import ScaledSquaredError
from skfnn._engine.objective import Objective
from skfnn._engine.threads import THREADS

# Some hundred sums of numbers of size 1, with a few roundings each.
TOLERANCE = {"rtol": 1e-11, "atol": 1e-13}
N = 40
WEIGHTS = np.random.default_rng(0).random(N)
WEIGHTS = WEIGHTS / WEIGHTS.mean()
containers = pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])


def layers_of(parameters):
    """The matrices [W; b] from the weights followed by the biases."""
    half = len(parameters) // 2
    return [np.vstack([W, b]) for W, b in zip(parameters[:half], parameters[half:], strict=True)]


def vector_of(parameters):
    """The parameter vector from the weights followed by the biases."""
    return np.concatenate([layer.ravel() for layer in layers_of(parameters)])


def make(kind="multiclass", *, capacity=1024, weights=None, container=np.asarray, alpha=0.0, hidden=(6, 4)):
    """The objective, and the rows, targets and parameters that it uses."""
    X, T, network, start, theta = whole(kind, N, hidden)
    batches = batches_of(X, T, N, weights=weights, container=container, capacity=capacity)
    return Objective(network, theta, batches, loss_of(kind), alpha / N), X, T, start


@pytest.mark.parametrize("hidden", [(), (6, 4)], ids=str)
@pytest.mark.parametrize(("weights", "alpha"), [(None, 0.0), (WEIGHTS, 2.0)], ids=["plain", "weights, L2"])
@containers
@pytest.mark.parametrize("capacity", [7, 1024])
@pytest.mark.parametrize("kind", ["binary", "multiclass", "multilabel"])
def test_value_and_gradient_are_those_of_the_formulas(kind, capacity, container, weights, alpha, hidden):
    made, X, T, start = make(kind, capacity=capacity, weights=weights, container=container, alpha=alpha, hidden=hidden)
    expected = objective(X, T, *start, "tanh", kind, alpha, weights)
    for _ in range(2):  # the buffers are used again
        value, found = made.value_and_gradient()
        assert value == pytest.approx(expected, rel=1e-12)
        assert_allclose(found, vector_of(gradient(X, T, *start, "tanh", kind, alpha, weights)), **TOLERANCE)


def test_every_call_reads_theta():
    made, X, T, start = make()
    made.theta *= 2
    value, _ = made.value_and_gradient()
    assert value == pytest.approx(objective(X, T, *[[2 * p for p in part] for part in start], "tanh", "multiclass"))


def test_the_penalty_is_what_alpha_adds_to_the_value():
    with_penalty, without = make(alpha=2.0)[0], make()[0]
    difference = with_penalty.value_and_gradient()[0] - without.value_and_gradient()[0]
    assert with_penalty.penalty() == pytest.approx(difference, rel=1e-12)
    assert without.penalty() == 0.0


def test_the_value_of_standardised_targets_has_the_penalty_in_both_units():
    X, T, network, _, theta = whole(n_rows=N)
    loss = ScaledSquaredError(np.array([2.0, 4.0, 8.0]))
    with_penalty, without = (Objective(network, theta, batches_of(X, T, N), loss, decay) for decay in (0.1, 0.0))
    difference = with_penalty.value_and_gradient()[0] - without.value_and_gradient()[0]
    # In the units of y, the penalty is multiplied by the mean of the squared scales, 84 / 3.
    assert_allclose(difference, with_penalty.penalty() * np.array([1.0, 28.0]), rtol=1e-12)


@containers
def test_a_sum_over_some_rows_has_their_losses_and_mean_gradient(container):
    made, X, T, start = make(capacity=4, container=container, alpha=2.0)
    some = slice(5, 17)
    total = made.sum_up(some.start, some.stop)
    # Neither contains the L2 term.
    assert total == pytest.approx(12 * objective(X[some], T[some], *start, "tanh", "multiclass"), rel=1e-12)
    assert_allclose(made.gradient, vector_of(gradient(X[some], T[some], *start, "tanh", "multiclass")), **TOLERANCE)


@containers
@pytest.mark.parametrize("capacity", [7, 1024])
@pytest.mark.parametrize("hidden", [(), (6, 4)], ids=str)
def test_row_norms_are_the_norms_of_the_rows_gradients(capacity, container, hidden):
    made, X, T, start = make(capacity=capacity, container=container, hidden=hidden)
    sums, mean = made.row_norms()
    rows = [row_gradient(x, t, *start, "tanh", "multiclass")[1:] for x, t in zip(X, T, strict=True)]
    layers = [layers_of([*coefs, *intercepts]) for coefs, intercepts in rows]
    assert_allclose(sums, [sum((row[k] ** 2).sum() for row in layers) for k in range(len(mean))], rtol=1e-11)
    for k, layer in enumerate(mean):
        assert_allclose(layer, sum(row[k] for row in layers) / N, **TOLERANCE)


def test_float32_is_float64_up_to_rounding():
    X, T, network, _, theta = whole(n_rows=N)
    batches = batches_of(X, T, N, capacity=7, dtype=np.float32)
    single = Objective(network, theta.astype(np.float32), batches, loss_of(), 0.1)
    value, found = single.value_and_gradient()
    other, gradient = Objective(network, theta, batches_of(X, T, N), loss_of(), 0.1).value_and_gradient()
    assert found.dtype == np.float32
    assert value == pytest.approx(other, rel=1e-5)
    assert_allclose(found, gradient, rtol=0, atol=1e-5)


def test_dropout_acts_in_every_part():
    X, T, network, start, theta = whole(n_rows=N)
    drop = Dropout(0.5, network, 7, np.dtype(float))
    made = Objective(network, theta, batches_of(X, T, N, capacity=7), loss_of(), 0.0, dropout=drop)
    values = []
    for seed in range(300):
        drop.begin_epoch(lambda stream, seed=seed: np.random.default_rng(seed))
        values.append(made.value_and_gradient()[0])
        # No unit is dropped for all 40 rows, so every weight has a gradient.
        assert all((layer != 0).all() for layer in made.gradient_layers)
    assert np.std(values) > 1e-3
    # The expected outputs equal those without dropout. The expected loss is a little larger, because it is convex.
    assert np.mean(values) == pytest.approx(objective(X, T, *start, "tanh", "multiclass"), rel=0.1)


def test_dropout_leaves_the_biases_behind_the_hidden_layers_alone():
    # With weights of 0, the outputs are the last biases, whatever units are dropped.
    X, T, network, _, theta = whole(n_rows=N)
    for layer in network.layers(theta)[1:]:
        layer[:-1] = 0.0
    drop = Dropout(0.5, network, 7, np.dtype(float))
    drop.begin_epoch(np.random.default_rng)
    value = Objective(network, theta, batches_of(X, T, N, capacity=7), loss_of(), 0.0, dropout=drop).sum_up(0, N)
    assert value == pytest.approx(
        Objective(network, theta, batches_of(X, T, N), loss_of(), 0.0).sum_up(0, N), rel=1e-12
    )


class Library:
    """A BLAS library of four threads that remembers what it is set to."""

    def __init__(self):
        self.calls = []

    def get_num_threads(self):
        return 4

    def set_num_threads(self, number):
        self.calls.append(number)


@pytest.mark.parametrize(
    ("n_rows", "container", "calls"),
    [
        # The first layer has 6 x 1900 parameters and the second 1901 x 3.
        (600, sparse.csr_matrix, []),  # 600 * 1901 * 3 = 3.4 million multiplications behind the first layer
        (300, sparse.csr_matrix, [1, 4]),  # 1.7 million; the 3.4 million of the sparse rows do not use BLAS
        (300, np.asarray, []),
        (200, np.asarray, [1, 4]),
    ],
)
def test_small_products_get_one_thread(n_rows, container, calls, monkeypatch):
    library = Library()
    monkeypatch.setattr(THREADS, "find_library", lambda: library)
    X, T, network, _, theta = whole(n_rows=n_rows, hidden=(1900,))
    batches = batches_of(X, T, n_rows, container=container)
    Objective(network, theta, batches, loss_of(), 0.0).value_and_gradient()
    assert library.calls == calls
