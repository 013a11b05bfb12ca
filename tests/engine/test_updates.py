"""How deltas become a step: all strategies take the same step, and each is chosen for its case."""

from functools import partial

import numpy as np
import pytest
from runs import batches_of, loss_of, whole
from scipy import sparse

from skfnn._engine.clipping import FACTOR_ROWS, ClippedUpdate
from skfnn._engine.dropout import NO_DROPOUT
from skfnn._engine.passes import Passes
from skfnn._engine.penalty import L2Penalty
from skfnn._engine.rates import StepRates
from skfnn._engine.solvers import Adam, Momentum, PlainSGD
from skfnn._engine.trainer import BlockIterations, Trainer
from skfnn._engine.tuning import Tuning
from skfnn._engine.updates import LARGEST_SHRINKAGE, UPDATES, Run, make_updates, update_names
from skfnn._engine.workspace import Workspace

SOLVERS = {
    "plain": PlainSGD,
    "momentum": partial(Momentum, 0.9, False),
    "nesterov": partial(Momentum, 0.9, True),
    "adam": partial(Adam, 0.9, 0.999, 1e-8),
}
ALWAYS, NEVER = (
    Tuning(block_rows=16, sparse_block_rows=16, defers=lambda *sizes, answer=answer: answer) for answer in (True, False)
)
RATES = {"number": StepRates(0.05), "function": StepRates(0.0, lambda k: 0.1 / (1 + k))}


def run_of(solver="plain", batch_size=4, *, container=np.asarray, decay=0.0, max_norm=None, tuning=ALWAYS, dtype=float):
    """A run on 40 rows, with the solver bound to its parameters."""
    X, T, network, _, theta = whole(n_rows=40)
    theta = theta.astype(dtype)
    made = SOLVERS[solver]()
    made.bind(network, theta, made.init(theta.dtype, theta.size))
    batches = batches_of(X, T, batch_size, container=container, tuning=tuning, dtype=dtype)
    penalty = L2Penalty(network.layers(theta), decay)
    return Run(network, theta, batches, Passes(network, theta), made, penalty, max_norm, tuning)


def trained(run, updates, rates):
    """Train for two epochs with these strategies; return the parameters and the losses."""
    workspace = Workspace(run.network, run.batches.largest_batch, run.theta.dtype)
    iterations = BlockIterations(run.network, run.batches, loss_of(), run.passes, workspace, updates)
    trainer = Trainer(run.theta, run.batches, NO_DROPOUT, run.penalty, iterations)
    losses = [trainer.epoch(rates, np.random.default_rng) for _ in range(2)]
    return run.theta, losses


# All strategies take the same step


@pytest.mark.parametrize("max_norm", [None, 0.2])
@pytest.mark.parametrize(
    "rates", [StepRates(0.05), StepRates(0.0, lambda k: 0.1 / (1 + k))], ids=["number", "function"]
)
@pytest.mark.parametrize("decay", [0.0, 0.02])
@pytest.mark.parametrize("batch_size", [1, 7])
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize("solver", ["plain", "momentum", "nesterov"])
def test_every_strategy_takes_the_same_steps_as_the_gradient_vector(
    solver, container, batch_size, decay, rates, max_norm
):
    results = []
    for by_vector in (True, False):
        run = run_of(solver, batch_size, container=container, decay=decay, max_norm=max_norm)
        updates = [UPDATES["gradient"](run)] if by_vector else make_updates(run)
        results.append(trained(run, updates, rates))
    (expected, losses), (found, other_losses) = results
    # About eighty steps with numbers of size 1.
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)
    np.testing.assert_allclose(other_losses, losses, rtol=1e-12)
    assert abs(expected - whole()[-1]).max() > 0.01


@pytest.mark.parametrize("decay", [0.0, 0.02])
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
def test_factors_take_the_same_steps_as_a_first_layer(container, decay):
    results = []
    for name in ("own steps", "factors"):
        run = run_of(container=container, decay=decay)
        own_steps, factors = make_updates(run)
        results.append(trained(run, [own_steps if name == "own steps" else factors], StepRates(0.05))[0])
    np.testing.assert_allclose(results[0], results[1], rtol=0, atol=1e-12)


@pytest.mark.parametrize("max_norm", [None, 0.2])
@pytest.mark.parametrize("solver", SOLVERS)
def test_float32_trains_like_float64(solver, max_norm):
    runs = [run_of(solver, max_norm=max_norm, dtype=dtype) for dtype in (np.float32, np.float64)]
    single, double = (trained(run, make_updates(run), StepRates(0.01))[0] for run in runs)
    assert single.dtype == np.float32
    # Twenty steps, each of which rounds numbers of size 1 to 6e-8. Adam divides by numbers as small as 1e-3.
    np.testing.assert_allclose(single, double, rtol=0, atol=1e-4 if solver == "adam" else 1e-5)


# Which strategy is chosen


@pytest.mark.parametrize(
    ("params", "names"),
    [
        ({}, ["deferred", "factors"]),
        ({"tuning": NEVER}, ["factors"]),
        ({"solver": "momentum"}, ["factors"]),
        ({"solver": "adam"}, ["gradient"]),
        ({"batch_size": 16}, ["factors"]),  # a block of one mini-batch
        ({"container": sparse.csr_matrix}, ["linear_sparse", "factors"]),
        ({"container": sparse.csr_matrix, "batch_size": 40}, ["linear_sparse", "factors"]),
        ({"container": sparse.csr_matrix, "solver": "momentum"}, ["factors"]),
        ({"container": sparse.csr_matrix, "solver": "adam"}, ["gradient"]),
        ({"max_norm": 1.0}, ["deferred", "factors"]),
        ({"max_norm": 1.0, "batch_size": FACTOR_ROWS}, ["factors"]),
        ({"max_norm": 1.0, "batch_size": FACTOR_ROWS + 1}, ["gradient"]),
        ({"max_norm": 1.0, "batch_size": 40, "container": sparse.csr_matrix}, ["linear_sparse", "factors"]),
        ({"max_norm": 1.0, "solver": "adam"}, ["gradient"]),
    ],
    ids=lambda value: None,  # numbers: a Tuning prints the address of its function
)
def test_the_fastest_strategy_comes_first(params, names):
    run = run_of(**params)
    assert update_names(run) == names
    updates = make_updates(run)
    assert len(updates) == len(names)
    # A strategy with a gradient vector clips the vector. ClippedUpdate would need three arrays (n, n) for n rows.
    clips_deltas = run.max_norm is not None and names != ["gradient"]
    assert all(isinstance(update, ClippedUpdate) == clips_deltas for update in updates)


@pytest.mark.parametrize(("batch_size", "takes_steps"), [(1, True), (5, True), (6, False)])
def test_with_momentum_a_sparse_layer_takes_its_own_steps_if_there_are_few_entries(batch_size, takes_steps):
    # With 0.5 entries per row, a mini-batch of 5 rows has 2.5 entries, and twice that number is at most 5 features.
    few = np.zeros((40, 5))
    few[::2, 0] = 1.0
    run = run_of("momentum", batch_size, container=lambda X: sparse.csr_matrix(few))
    assert update_names(run) == (["linear_sparse", "factors"] if takes_steps else ["factors"])


def test_the_deferring_rule_gets_the_sizes_of_the_run():
    asked = []
    run = run_of(batch_size=3, tuning=Tuning(block_rows=16, defers=lambda *sizes: asked.append(sizes)))
    assert update_names(run) == ["factors"]
    assert asked == [(3, 15, 5, 6)]


# The rates of an epoch


@pytest.mark.parametrize("clipped", [False, True])
def test_a_first_layer_refuses_steps_that_shrink_too_much_or_unequally(clipped):
    max_norm = 1.0 if clipped else None
    function = StepRates(np.nan, lambda k: 0.1)
    first, last = make_updates(run_of(decay=0.5, max_norm=max_norm))
    largest = LARGEST_SHRINKAGE / 4 / 0.5  # four mini-batches in a block
    assert first.begin_epoch(StepRates(largest))
    assert not first.begin_epoch(StepRates(largest * 1.001))
    assert not first.begin_epoch(StepRates(np.nan))
    assert not first.begin_epoch(function)
    free, _ = make_updates(run_of(max_norm=max_norm))
    assert free.begin_epoch(function)
    assert free.begin_epoch(StepRates(1e9))
    for rates in (StepRates(1e9), StepRates(np.nan), function):
        assert last.begin_epoch(rates)
    (vector,) = make_updates(run_of("adam", decay=0.5, max_norm=max_norm))
    assert vector.begin_epoch(function)


@pytest.mark.parametrize("decay", [0.0, 0.4])
def test_an_epoch_with_other_rates_may_use_another_strategy(decay):
    # The rate shrinks: it is too large for the first layer in the first epoch, but not in the second.
    results = []
    for by_vector in (True, False):
        run = run_of(decay=decay)
        updates = [UPDATES["gradient"](run)] if by_vector else make_updates(run)
        trained(run, updates, StepRates(0.5))
        results.append(trained(run, updates, StepRates(0.05))[0].copy())
    np.testing.assert_allclose(results[1], results[0], rtol=0, atol=1e-12)
