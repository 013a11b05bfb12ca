"""The solvers' steps against their formulas, and steps from factors against steps from the gradient."""

from math import sqrt

import numpy as np
import pytest

from skfnn._engine.network import Network
from skfnn._engine.solvers import Adam, Momentum, PlainSGD
from skfnn._engine.tuning import Tuning

NETWORK = Network((5, 4, 3), ("tanh",))
SOLVERS = {
    "plain": PlainSGD(),
    "momentum": Momentum(0.9, False),
    "nesterov": Momentum(0.9, True),
    "adam": Adam(0.9, 0.999, 1e-8),
}
# The number of arrays that a step mixes says which solvers are linear.
LINEAR = [name for name, solver in SOLVERS.items() if solver.linear_parts]


def parameters(seed=0, dtype=np.float64):
    return np.random.default_rng(seed).normal(size=NETWORK.n_parameters).astype(dtype)


def gradients(n_steps, seed=1, dtype=np.float64):
    return np.random.default_rng(seed).normal(size=(n_steps, NETWORK.n_parameters)).astype(dtype)


def run(solver, theta, steps, eta, state=None):
    """Take a step along each of the gradients; return the parameters and the state."""
    theta = theta.copy()
    state = solver.init(theta.dtype, theta.size) if state is None else state
    solver.bind(NETWORK, theta, state)
    for gradient in steps:
        solver.step(gradient.copy(), eta)  # a step may overwrite its gradient
    return theta, state


# The formulas


def test_plain_sgd_subtracts_eta_times_the_gradient():
    theta, (gradient,) = parameters(), gradients(1)
    # Only one product and one difference are rounded.
    np.testing.assert_allclose(run(SOLVERS["plain"], theta, [gradient], 0.3)[0], theta - 0.3 * gradient, atol=1e-15)
    assert SOLVERS["plain"].init(np.dtype(float), 7) == {}


@pytest.mark.parametrize("momentum", [0.1, 0.9, 1.0])
def test_momentum_moves_along_a_velocity(momentum):
    W, V = parameters(), 0.0
    steps = gradients(20)
    for G in steps:
        V = momentum * V - 0.1 * G
        W = W + V
    theta, state = run(Momentum(momentum, False), parameters(), steps, 0.1)
    # Twenty steps with a few roundings each, of numbers up to 20.
    np.testing.assert_allclose(theta, W, atol=1e-13)
    np.testing.assert_allclose(state["velocity"], V, atol=1e-13)


@pytest.mark.parametrize("momentum", [0.1, 0.9, 1.0])
def test_nesterovs_momentum_steps_from_the_look_ahead_point(momentum):
    W, V = parameters(), 0.0
    steps = gradients(20)
    for G in steps:
        V = momentum * V - 0.1 * G
        W = W + momentum * V - 0.1 * G
    theta, state = run(Momentum(momentum, True), parameters(), steps, 0.1)
    np.testing.assert_allclose(theta, W, atol=1e-13)
    np.testing.assert_allclose(state["velocity"], V, atol=1e-13)


def test_nesterovs_form_agrees_with_sutskever_et_al():
    # Sutskever et al. take the gradient at W + momentum * V and move W by the new V. For f(W) = |W|^2 / 2, whose
    # gradient is W, the two forms must visit the same look-ahead points.
    momentum, eta = 0.9, 0.1
    plain, V = parameters(), np.zeros(NETWORK.n_parameters)
    theta, solver = parameters(), Momentum(momentum, True)
    state = solver.init(theta.dtype, theta.size)
    solver.bind(NETWORK, theta, state)
    for _ in range(30):
        np.testing.assert_allclose(theta, plain + momentum * V, atol=1e-13)
        V = momentum * V - eta * (plain + momentum * V)
        plain = plain + V
        solver.step(theta.copy(), eta)


def textbook_adam(W, steps, eta, beta_1, beta_2, epsilon):
    """Algorithm 1 of Kingma and Ba (2015) in the form at the end of their section 2."""
    M = V = np.zeros_like(W)
    for t, G in enumerate(steps, 1):
        M = beta_1 * M + (1 - beta_1) * G
        V = beta_2 * V + (1 - beta_2) * G**2
        W = W - eta * sqrt(1 - beta_2**t) / (1 - beta_1**t) * M / (np.sqrt(V) + epsilon)
    return W, M, V


# With (0.9, 0.999), the first scale is reset every 88 steps. 0.5 resets it every 14 steps, 0 in every step, and 0.99999
# never.
BETAS = [(0.9, 0.999), (0.0, 0.999), (0.9, 0.0), (0.0, 0.0), (0.5, 0.9), (0.99999, 0.99999), (1e-5, 1e-3)]


@pytest.mark.parametrize("epsilon", [1e-8, 1e-1])
@pytest.mark.parametrize(("beta_1", "beta_2"), BETAS)
def test_adams_rescaled_moments_follow_the_textbook_for_5000_steps(beta_1, beta_2, epsilon):
    steps = gradients(5000)
    steps[:, ::3] *= 1e-6  # features of another size
    steps[100:, 1::7] = 0.0  # and a weight whose gradient vanishes
    theta, state = run(Adam(beta_1, beta_2, epsilon), parameters(), steps, 0.01)
    W, M, V = textbook_adam(parameters(), steps, 0.01, beta_1, beta_2, epsilon)
    assert state["t"] == 5000
    # Each step rounds the position and its move to 1e-16 of their size, so 5000 steps stay below 1e-11. (With beta_2 =
    # 0 and a zero gradient, the textbook's steps are M / epsilon, and positions reach 1e6.)
    np.testing.assert_allclose(theta, W, rtol=1e-11, atol=1e-11)
    # A moment forgets old roundings as fast as it forgets old gradients.
    np.testing.assert_allclose(state["scale_1"] * state["moment_1"], M, rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(state["scale_2"] * state["moment_2"], V, rtol=1e-9, atol=1e-30)


@pytest.mark.parametrize("network", [NETWORK, Network((1, 1, 1), ("tanh",))], ids=["wide", "narrow"])
def test_weight_decay_shrinks_weights_but_not_biases_before_adams_step(network):
    rng, eta, decay = np.random.default_rng(0), 0.1, 0.4
    start, steps = rng.normal(size=network.n_parameters), rng.normal(size=(3, network.n_parameters))

    def positions(theta, solver):
        solver.bind(network, theta, solver.init(theta.dtype, theta.size))
        for gradient in steps:
            solver.step(gradient.copy(), eta)
            yield theta.copy()

    # Adam's move depends only on the gradients, not on the starting point.
    plain = [np.zeros_like(start), *positions(np.zeros_like(start), Adam(0.9, 0.999, 1e-8))]
    expected = start.copy()
    for k, found in enumerate(positions(start.copy(), Adam(0.9, 0.999, 1e-8, decay))):
        for layer in network.layers(expected):
            layer[:-1] *= 1 - eta * decay
        expected += plain[k + 1] - plain[k]
        # A few roundings of numbers of size 1.
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-14)


def test_adams_moments_stay_in_range_in_float32():
    # A stored moment is divided by a power of 0.9. It must not grow in 88 and more steps without a gradient.
    steps = gradients(3000, dtype=np.float32)
    steps[500:1500] = 0.0
    _, state = run(SOLVERS["adam"], parameters(dtype=np.float32), steps, 0.01)
    for name in ("moment_1", "moment_2"):
        assert state[name].dtype == np.float32
        assert abs(state[name]).max() < 1e6  # 1 / 1e-4 times a gradient of size 1 to 10


@pytest.mark.parametrize("eta", [1e-3, 0.5])
def test_adams_first_step_is_eta_in_the_direction_against_each_gradient(eta):
    theta, (gradient,) = parameters(), gradients(1)
    moved = run(SOLVERS["adam"], theta, [gradient], eta)[0] - theta
    # epsilon = 1e-8 is small against gradients of at least 1e-2; the bias correction makes the rest exactly 1.
    np.testing.assert_allclose(moved, -eta * np.sign(gradient), rtol=1e-4)


# Laws of all solvers


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", SOLVERS)
def test_a_step_works_in_place_and_keeps_the_dtype(name, dtype):
    solver, theta = SOLVERS[name], parameters(dtype=dtype)
    state = solver.init(theta.dtype, theta.size)
    assert all(v.dtype == dtype for v in state.values() if isinstance(v, np.ndarray))
    arrays = dict(state)
    solver.bind(NETWORK, theta, state)
    before = theta.copy()
    for gradient in gradients(5, dtype=dtype):
        solver.step(gradient, 0.1)
    assert (theta != before).all()
    assert all(state[key] is value for key, value in arrays.items() if isinstance(value, np.ndarray))
    expected, _ = run(solver, before.astype(np.float64), gradients(5, dtype=dtype).astype(np.float64), 0.1)
    # Five steps in float32, of numbers up to 4.
    np.testing.assert_allclose(theta, expected, atol=1e-5 if dtype == np.float32 else 1e-15)


@pytest.mark.parametrize("n_before", [1, 7, 100])
@pytest.mark.parametrize("name", SOLVERS)
def test_a_copied_state_continues_bit_for_bit(name, n_before):
    solver, steps = SOLVERS[name], gradients(120)
    whole, _ = run(solver, parameters(), steps, 0.02)
    theta, state = run(solver, parameters(), steps[:n_before], 0.02)
    state = {key: value.copy() if isinstance(value, np.ndarray) else value for key, value in state.items()}
    theta, _ = run(solver, theta, steps[n_before:], 0.02, state)
    np.testing.assert_array_equal(theta, whole)


@pytest.mark.parametrize("name", SOLVERS)
def test_eta_may_change_at_every_step(name):
    # Twice the eta doubles the first move, because no part of the state depends on eta.
    solver, theta, steps = SOLVERS[name], parameters(), gradients(1)
    once, twice = (run(solver, theta, steps, eta)[0] - theta for eta in (0.1, 0.2))
    np.testing.assert_allclose(twice, 2 * once, rtol=1e-12, atol=1e-15)


# A gradient given by factors


class Factors:
    """The mean gradient of n rows as products of layer inputs A and deltas D."""

    def __init__(self, n, seed):
        rng = np.random.default_rng(seed)
        self.n = n
        self.pairs = [(rng.normal(size=(n, rows)), rng.normal(size=(n, units))) for rows, units in NETWORK.shapes]

    def functions(self):
        """``accumulate(scale, beta, out)`` of every layer, in the form that the solvers take."""

        def accumulate_of(A, D):
            def accumulate(scale, beta, out):
                # With beta = 0 the old contents do not matter.
                out[...] = scale * (A.T @ D) + (beta * out if beta != 0.0 else 0.0)

            return accumulate

        return [accumulate_of(A, D) for A, D in self.pairs]

    def gradient(self, theta, decay):
        """The gradient vector, including the L2 term at `theta`."""
        gradient = np.empty(NETWORK.n_parameters)
        for (A, D), layer, out in zip(self.pairs, NETWORK.layers(theta), NETWORK.layers(gradient), strict=True):
            out[...] = A.T @ D / self.n
            out[:-1] += decay * layer[:-1]
        return gradient


@pytest.mark.parametrize("decay", [0.0, 0.3])
@pytest.mark.parametrize("name", LINEAR)
def test_a_step_from_factors_equals_the_step_of_their_gradient(name, decay):
    solver = SOLVERS[name]
    theta, other = parameters(), parameters()
    state, other_state = solver.init(theta.dtype, theta.size), solver.init(theta.dtype, theta.size)
    for k, n in enumerate([7, 1, 4, 7, 3]):
        factors = Factors(n, seed=k)
        gradient = factors.gradient(other, decay)
        solver.bind(NETWORK, other, other_state)
        solver.step(gradient, 0.05)
        solver.bind(NETWORK, theta, state)
        solver.step_factors(factors.functions(), n, 0.05, decay)
        # The same sums in another order.
        np.testing.assert_allclose(theta, other, atol=1e-14)
    assert abs(theta - parameters()).max() > 0.1


def test_plain_sgd_updates_only_the_last_layers_if_the_first_is_deferred():
    theta, factors = parameters(), Factors(3, seed=0)
    whole = run(SOLVERS["plain"], theta, [factors.gradient(theta, 0.2)], 0.1)[0]
    part = theta.copy()
    SOLVERS["plain"].bind(NETWORK, part, {})
    SOLVERS["plain"].step_factors(factors.functions()[1:], 3, 0.1, 0.2)
    first = np.prod(NETWORK.shapes[0])
    np.testing.assert_array_equal(part[:first], theta[:first])
    np.testing.assert_allclose(part[first:], whole[first:], atol=1e-15)


def test_adam_in_parts_equals_adam_in_one_part():
    gradients = np.random.default_rng(0).normal(size=(5, 50))
    results = []
    for part in (7, 50, 1000):
        adam, theta = Adam(0.9, 0.999, 1e-8, tuning=Tuning(part_numbers=part)), np.zeros(50)
        adam.bind(None, theta, adam.init(np.float64, 50))
        for gradient in gradients:
            adam.step(gradient.copy(), 0.01)
        results.append(theta)
    # BLAS may round the last few numbers of a vector in another way.
    np.testing.assert_allclose(results[0], results[1], rtol=1e-13)
    np.testing.assert_allclose(results[2], results[1], rtol=1e-13)
