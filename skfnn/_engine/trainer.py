"""One epoch of training."""

from typing import Protocol

from .dropout import make_dropout
from .objective import Objective
from .passes import Passes
from .penalty import L2Penalty
from .threads import THREADS
from .tuning import DEFAULT
from .updates import Run, gradient_step, make_updates
from .workspace import Workspace


class Iterations(Protocol):
    """The iterations of an epoch."""

    def run(self, rates):
        """Take all steps of an epoch, in place; return the sum of the rows' losses."""


class Trainer:
    """Trains `theta` in place, one epoch per call. It holds everything that an epoch needs."""

    def __init__(self, theta, batches, dropout, penalty, iterations: Iterations, unit=1.0):
        self.theta, self.batches = theta, batches
        self._dropout, self._penalty, self._iterations, self._unit = dropout, penalty, iterations, unit

    def epoch(self, rates, make_rng):
        """Pass once over the training set; return the mean loss, with each row's loss just before that row's step.

        `rates` is a StepRates; ``make_rng(k)`` gives the epoch's random stream number k. The returned loss contains the
        L2 term of the weights at the start of the epoch. So at full batch the returned loss is the objective.
        """
        self.batches.shuffle(make_rng)
        self._dropout.begin_epoch(make_rng)
        penalty = self._penalty.value()
        return self._iterations.run(rates) / self.batches.n_rows + penalty * self._unit


class BlockIterations:
    """Iterations whose mini-batches each fit into a block.

    `updates` are the strategies for a step, the fastest first. Each epoch uses the first one that suits its rates.
    """

    def __init__(self, network, batches, loss, passes, workspace, updates):
        self._batches, self._loss, self._passes, self._workspace = batches, loss, passes, workspace
        self._updates = updates
        self._steps: dict = {}  # the functions that take a step, for each update and number of rows
        self._work_behind = network.largest_product(workspace.capacity, first=1)

    def run(self, rates):
        """Take all steps of an epoch, in place; return the sum of the rows' losses."""
        update = next(update for update in self._updates if update.begin_epoch(rates))
        work = update.first.work(self._work_behind)
        return sum(self._block(start, stop, rates, update, work) for start, stop in self._batches.blocks())

    def _block(self, start, stop, rates, update, work):
        """Train on the mini-batches of a block; return the sum of the rows' losses."""
        block, cut = self._batches.load(start, stop)
        panel, first = self._workspace.panel(cut.n), update.first
        step = self._steps.get((update, cut.n))
        if step is None:
            step = self._steps[update, cut.n] = update.step_of(panel)
        # Compute the rates outside of the section: a user's function may do anything.
        number = start // self._batches.batch_size
        etas = rates.of_steps(number, number + len(cut.batches))
        backpropagate, loss = self._passes.backpropagate, self._loss
        of_block, of_batch = work

        def train():
            first.begin(block)
            THREADS.use(of_batch)
            for batch, eta in zip(cut.batches, etas, strict=True):
                backpropagate(first, batch, panel, loss)
                step(batch, eta)
            THREADS.use(of_block)
            first.end()

        THREADS.section(of_block, train)
        return loss.value(cut.raw, cut.targets, cut.row, cut.weights)


class PartIterations:
    """Iterations whose mini-batches are too large for a block: their gradients are summed part by part.

    `take` is the function that takes a step along the objective's gradient.
    """

    def __init__(self, objective, take):
        self._objective, self._take = objective, take

    def run(self, rates):
        """Take all steps of an epoch, in place; return the sum of the rows' losses."""
        batches, total = self._objective.batches, 0.0
        for number in range(batches.n_batches):
            start = number * batches.batch_size
            (eta,) = rates.of_steps(number, number + 1)
            total += self._objective.sum_up(start, min(start + batches.batch_size, batches.n_rows))
            self._take(eta)
        return total


def make_trainer(network, theta, batches, loss, solver, *, decay, dropout=0.0, max_norm=None, tuning=DEFAULT):
    """The trainer of `theta`.

    Parameters
    ----------
    network : Network
    theta : ndarray of shape (n_parameters,), trained in place
    batches : Batches
    loss : Loss
    solver : Solver, bound to `theta`
    decay : float, the L2 strength alpha/B
    dropout : float, the probability of leaving out a hidden unit
    max_norm : float or None, the largest norm of a mini-batch's gradient
    tuning : Tuning, which decides when the first layer's update is deferred

    Returns
    -------
    trainer : Trainer
    """
    masks = make_dropout(dropout, network, batches.largest_batch, theta.dtype)
    penalty = L2Penalty(network.layers(theta), decay)
    passes = Passes(network, theta, masks)
    run = Run(network, theta, batches, passes, solver, penalty, max_norm, tuning)
    iterations: Iterations
    if batches.in_parts:
        objective = Objective(network, theta, batches, loss, decay, dropout=masks)
        iterations = PartIterations(objective, gradient_step(run, objective.gradient, objective.gradient_layers))
    else:
        workspace = Workspace(network, batches.largest_batch, theta.dtype, keep=masks.keep)
        iterations = BlockIterations(network, batches, loss, passes, workspace, make_updates(run))
    return Trainer(theta, batches, masks, penalty, iterations, loss.unit)
