"""How the deltas of a mini-batch become a step of the parameters: the strategies, and their choice."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np

from .batches import Batch, Batches
from .clipping import FACTOR_ROWS, ClippedUpdate, clip
from .first_layer import FirstLayer, make_first_layer
from .network import Network
from .passes import Passes
from .penalty import L2Penalty
from .rates import StepRates
from .tuning import DEFAULT, Tuning

# A first layer takes its own steps only if the L2 term removes at most about this fraction of each weight per block,
# because the layer divides by what is left.
LARGEST_SHRINKAGE = 0.5


class Update(Protocol):
    """A strategy: takes the step of each mini-batch, given its deltas and its inputs."""

    first: FirstLayer

    def begin_epoch(self, rates: StepRates) -> bool:
        """Prepare for an epoch's learning rates; return whether this update can take steps at these rates."""

    def step_of(self, panel) -> Callable[[Batch, float], None]:
        """The function ``step(batch, eta)`` for the mini-batches of a panel."""


@dataclass(frozen=True)
class Run:
    """What a training run consists of, for its strategies."""

    network: Network
    theta: np.ndarray
    batches: Batches
    passes: Passes
    solver: Any  # a Solver, bound to theta; a LinearSolver if it has linear parts
    penalty: L2Penalty
    max_norm: float | None = None  # the largest norm of a mini-batch's gradient
    tuning: Tuning = DEFAULT

    def first_layer(self, name, layers):
        """The first layer called `name` for the mini-batches of this run."""
        return make_first_layer(name, layers, self.batches.largest_batch, self.batches.block_capacity)

    def ordinary_first_layer(self):
        """The first layer that works on one mini-batch at a time and provides its gradient."""
        return self.first_layer("sparse" if self.batches.sparse else "dense", self.passes.layers)


class FactorUpdate:
    """A linear solver adds the product of each layer's factors straight to the parameters, without a gradient array."""

    def __init__(self, run):
        self.first = run.ordinary_first_layer()
        self._passes, self._solver, self._decay = run.passes, run.solver, run.penalty.decay

    def begin_epoch(self, rates):
        """Prepare for an epoch's learning rates; return whether this update can take steps at these rates."""
        return True

    def step_of(self, panel):
        """The function ``step(batch, eta)`` for the mini-batches of a panel."""
        factors, n = self._passes.all_factors(self.first, panel), panel.n
        step_factors, decay = self._solver.step_factors, self._decay

        def step(batch, eta):
            step_factors(factors, n, eta, decay)

        return step


class FirstLayerUpdate:
    """The first layer takes its own steps, which can be faster; the other layers are updated as in ``FactorUpdate``.

    `kind` is the name of that first layer.
    """

    def __init__(self, run, kind):
        self.first = run.first_layer(kind, run.solver.linear_layers())
        self._passes, self._solver, self._decay = run.passes, run.solver, run.penalty.decay
        self._largest = LARGEST_SHRINKAGE / run.batches.block_batches

    def begin_epoch(self, rates):
        """Prepare for an epoch's learning rates; return whether this update can take steps at these rates."""
        if rates.varies and self._decay:
            return False  # every step would shrink the weights by a different factor
        shrinkage = 0.0 if rates.varies else rates.first * self._decay
        suits = shrinkage <= self._largest
        if suits:
            self.first.set_step(self._solver, shrinkage)
        return suits

    def step_of(self, panel):
        """The function ``step(batch, eta)`` for the mini-batches of a panel."""
        factors, delta, n = self._passes.factors(panel), panel.deltas[0], panel.n
        step_factors, update, decay = self._solver.step_factors, self.first.update, self._decay

        def step(batch, eta):
            if factors:
                step_factors(factors, n, eta, decay)
            update(batch.start, delta, -eta / n)

        return step


class GradientUpdate:
    """Writes the mean gradient into a vector; the solver takes a step along this vector."""

    def __init__(self, run):
        self.first, self._passes = run.ordinary_first_layer(), run.passes
        gradient = np.zeros_like(run.theta)
        self._layers = run.network.layers(gradient)
        self._take = gradient_step(run, gradient, self._layers)

    def begin_epoch(self, rates):
        """Prepare for an epoch's learning rates; return whether this update can take steps at these rates."""
        return True

    def step_of(self, panel):
        """The function ``step(batch, eta)`` for the mini-batches of a panel."""
        scale, take = 1.0 / panel.n, self._take
        targets = list(zip(self._passes.all_factors(self.first, panel), self._layers, strict=True))

        def step(batch, eta):
            for accumulate, layer in targets:
                accumulate(scale, 0.0, layer)
            take(eta)

        return step


def gradient_step(run, gradient, layers):
    """The function ``take(eta)``: a step along `gradient`, whose views are `layers`, clipped and with the L2 term."""
    changes, step = [], run.solver.step
    if run.max_norm is not None:
        changes.append(partial(clip, run.max_norm, gradient))
    if run.penalty.decay:
        changes.append(partial(run.penalty.add_gradient, layers))

    def take(eta):
        for change in changes:
            change()
        step(gradient, eta)

    return take


UPDATES: dict[str, Callable[[Run], Update]] = {
    "deferred": lambda run: FirstLayerUpdate(run, "deferred"),
    "linear_sparse": lambda run: FirstLayerUpdate(run, "linear_sparse"),
    "factors": FactorUpdate,
    "gradient": GradientUpdate,
}


def update_names(run):
    """The names of the strategies for a run, the fastest first; the last one can take every step."""
    few_rows = run.batches.sparse or run.batches.largest_batch <= FACTOR_ROWS
    if not run.solver.linear_parts or (run.max_norm is not None and not few_rows):
        return ["gradient"]
    own_steps = "linear_sparse" if run.batches.sparse else "deferred"
    return [own_steps, "factors"] if _own_steps_pay(run) else ["factors"]


def _own_steps_pay(run):
    """Whether a first layer that takes its own steps is faster than the ordinary one."""
    batches, (n_features, n_units) = run.batches, run.network.sizes[:2]
    plain = run.solver.linear_parts == 1
    if batches.sparse:
        # With momentum this layer goes over the entries four times instead of twice, to save three passes over all
        # weights.
        return plain or 2 * batches.batch_size * batches.row_entries <= n_features
    if not plain or batches.block_batches == 1:
        return False
    return run.tuning.defers(batches.batch_size, batches.block_capacity, n_features, n_units)


def make_updates(run) -> list[Update]:
    """The strategies for a run, the fastest first; the last one can take every step."""
    names = update_names(run)
    updates = [UPDATES[name](run) for name in names]
    if run.max_norm is None or "gradient" in names:  # a GradientUpdate clips its own vector
        return updates
    memory = np.empty((3, run.batches.largest_batch**2), run.theta.dtype)
    return [ClippedUpdate(update, run.max_norm, run.passes, memory) for update in updates]
