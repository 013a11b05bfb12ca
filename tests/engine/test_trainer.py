"""One epoch: its loss, its steps, its random streams, its rates."""

import threading

import numpy as np
import pytest
from reference import objective
from runs import batches_of, loss_of, whole
from scipy import sparse

from skfnn._engine.rates import StepRates
from skfnn._engine.solvers import Adam, Momentum, PlainSGD
from skfnn._engine.threads import THREADS
from skfnn._engine.trainer import make_trainer
from skfnn._engine.tuning import Tuning

SOLVERS = {"plain": PlainSGD(), "momentum": Momentum(0.9, True), "adam": Adam(0.9, 0.999, 1e-8)}
SMALL = Tuning(block_rows=16, defers=lambda *sizes: True)


def make(solver="plain", batch_size=4, *, alpha=0.0, capacity=1024, shuffle=False, container=np.asarray, **settings):
    """A trainer on 40 rows."""
    X, T, network, start, theta = whole(n_rows=40)
    batches = batches_of(X, T, batch_size, container=container, capacity=capacity, shuffle=shuffle, tuning=SMALL)
    bound = SOLVERS[solver]
    bound.bind(network, theta, bound.init(theta.dtype, theta.size))
    trainer = make_trainer(network, theta, batches, loss_of(), bound, decay=alpha / 40, tuning=SMALL, **settings)
    return trainer, X, T, start


@pytest.mark.parametrize("capacity", [7, 1024])
@pytest.mark.parametrize("alpha", [0.0, 2.0])
@pytest.mark.parametrize("solver", SOLVERS)
def test_at_full_batch_the_loss_of_an_epoch_is_the_objective_before_its_step(solver, alpha, capacity):
    trainer, X, T, start = make(solver, 40, alpha=alpha, capacity=capacity)
    loss = trainer.epoch(StepRates(0.1), np.random.default_rng)
    assert loss == pytest.approx(objective(X, T, *start, "tanh", "multiclass", alpha), rel=1e-12)


@pytest.mark.parametrize("max_norm", [None, 0.1])
@pytest.mark.parametrize("alpha", [0.0, 2.0])
@pytest.mark.parametrize("batch_size", [12, 40])
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize("solver", SOLVERS)
def test_a_mini_batch_in_parts_takes_the_same_step(solver, container, batch_size, alpha, max_norm):
    settings = {"alpha": alpha, "max_norm": max_norm, "container": container, "shuffle": True}
    results = []
    for capacity in (5, 1024):
        trainer, *_ = make(solver, batch_size, capacity=capacity, **settings)
        losses = [trainer.epoch(StepRates(0.05), lambda *k: np.random.default_rng(1)) for _ in range(3)]
        results.append((trainer.theta, losses))
    (parts, losses), (one, other_losses) = results
    # Twelve steps with numbers of size 1. Adam divides by roots of squared gradients, which can be as small as 1e-3.
    np.testing.assert_allclose(parts, one, rtol=0, atol=1e-9 if solver == "adam" else 1e-12)
    np.testing.assert_allclose(losses, other_losses, rtol=1e-9)


@pytest.mark.parametrize("capacity", [2, 1024])
@pytest.mark.parametrize(("batch_size", "n_steps"), [(1, 40), (7, 6), (16, 3), (40, 1)])
def test_a_rate_function_is_called_once_per_step_in_order(batch_size, n_steps, capacity):
    called = []

    def rate(step):
        called.append(step)
        return 0.01

    trainer, *_ = make(batch_size=batch_size, capacity=capacity)
    for _ in range(2):
        trainer.epoch(StepRates(0.0, rate), np.random.default_rng)
        assert called == list(range(n_steps))
        called.clear()


@pytest.mark.parametrize("capacity", [2, 1024])
def test_a_rate_function_runs_outside_of_a_section(capacity):
    # The function may wait for another thread, and that thread may train or predict.
    free = []

    def enter():
        free.append(THREADS.lock.acquire(timeout=10))
        THREADS.lock.release()

    def rate(step):
        thread = threading.Thread(target=enter)
        thread.start()
        thread.join()
        return 0.01

    trainer, *_ = make(batch_size=20, capacity=capacity)
    trainer.epoch(StepRates(0.0, rate), np.random.default_rng)
    assert free == [True, True]


@pytest.mark.parametrize("capacity", [2, 1024])
@pytest.mark.parametrize(("dropout", "streams"), [(0.0, [()]), (0.5, [(), (1,)])])
def test_an_epoch_draws_an_order_and_with_dropout_masks(dropout, streams, capacity):
    drawn = []

    def make_rng(*stream):
        drawn.append(stream)
        return np.random.default_rng(stream)

    trainer, *_ = make(dropout=dropout, shuffle=True, capacity=capacity)
    for _ in range(2):
        trainer.epoch(StepRates(0.1), make_rng)
        assert drawn == streams
        drawn.clear()


def test_a_trainer_changes_the_given_vector():
    trainer, *_ = make()
    theta, before = trainer.theta, trainer.theta.copy()
    trainer.epoch(StepRates(0.1), np.random.default_rng)
    assert trainer.theta is theta
    assert (theta != before).all()
    assert trainer.batches.n_rows == 40
