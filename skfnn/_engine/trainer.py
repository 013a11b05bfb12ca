"""One epoch of training, and the objective with its gradient."""

from functools import partial
from itertools import count, repeat
from math import sqrt

import numpy as np
from scipy import sparse

from .batches import BLOCK_ROWS
from .blas import blas
from .clipping import FACTOR_ROWS, FactorClipping, factor_to
from .dropout import Dropout
from .first_layer import DeferredFirstLayer, DenseFirstLayer, LinearSparseFirstLayer, SparseFirstLayer
from .network import Passes, Workspace
from .solvers import PlainSGD
from .threads import THREADS

# A part of a large mini-batch, or of a full batch, has at most so many rows, and so many bytes of buffers.
CHUNK_ROWS = 2048
CHUNK_BYTES = 16_000_000
# A first layer takes its steps itself where the L2 term of a block's steps takes away at most about this share of a
# weight: it divides by what is left.
LARGEST_SHRINKAGE = 0.5


def chunk_rows(network, X, dtype):
    """How many rows of X are worked on at once: enough for fast products, few enough for the cache."""
    n_values = X.nnz // X.shape[0] if sparse.issparse(X) else network.sizes[0]
    bytes_a_row = np.dtype(dtype).itemsize * (n_values + 4 * sum(network.sizes[1:]))
    return int(max(BLOCK_ROWS, min(CHUNK_ROWS, CHUNK_BYTES // bytes_a_row)))


def _deferring_pays(batches, n_features, n_units):
    """Whether the products of a block are faster than those of its mini-batches.

    They spare BLAS bringing the weights into an order of its own for each mini-batch, and cost the products of the
    rows with each other and with the steps. The numbers, in multiplications, are fitted to measured times: 30 to 2,000
    features, 10 to 800 units, mini-batches of 1 to 48 rows.
    """
    spared = 20 * n_features * n_units
    added = batches.batch_size * batches.block_capacity * (n_features + n_units) + 60_000
    return batches.block_batches > 1 and spared > added


class Trainer:
    """Everything that an epoch needs, built once a fit: `theta` is trained in place.

    Parameters
    ----------
    network : Network
    theta : ndarray of shape (n_parameters,)
    batches : Batches
    loss : one of the losses
    solver : one of the solvers, bound to theta; None for L-BFGS
    decay : float, the L2 strength alpha/B
    dropout : float, the probability of dropping a hidden unit
    max_norm : float or None, the largest norm of a mini-batch's gradient
    """

    def __init__(self, network, theta, batches, loss, solver, decay, *, dropout=0.0, max_norm=None):
        self.theta, self.batches = theta, batches
        self._loss, self._solver, self._decay = loss, solver, decay
        self._layers = network.layers(theta)
        capacity = min(batches.batch_size, batches.block_capacity)
        self._dropout = Dropout(dropout, network, capacity, theta.dtype) if dropout else None
        keep = self._dropout.keep if self._dropout else 1.0
        self._passes = Passes(network, theta, self._dropout)
        self._workspace = Workspace(network, capacity, theta.dtype, keep=keep)
        self._parts = batches.batch_size > batches.capacity
        self._fused = solver is not None and solver.takes_factors()
        self._max_norm, self._clipping = max_norm, None
        if max_norm is not None and self._fused and not self._parts:
            if batches.sparse or capacity <= FACTOR_ROWS:
                self._clipping = FactorClipping(max_norm, self._passes, capacity, theta.dtype)
            else:
                self._fused = False
        self._first: DenseFirstLayer | SparseFirstLayer
        # The first layer that takes its steps itself, where that is faster.
        self._stepping: LinearSparseFirstLayer | DeferredFirstLayer | None = None
        if batches.sparse:
            self._first = SparseFirstLayer(self._layers[0], capacity)
            # With momentum it works on the entries four times instead of twice, to spare three passes over all weights.
            few = 2 * batches.batch_size * batches.row_entries <= network.sizes[0]
            if self._fused and not self._parts and (few or isinstance(solver, PlainSGD)):
                self._stepping = LinearSparseFirstLayer(solver.linear_layers(), capacity)
        else:
            self._first = DenseFirstLayer(self._layers[0], capacity)
            if self._fused and isinstance(solver, PlainSGD) and _deferring_pays(batches, *network.sizes[:2]):
                self._stepping = DeferredFirstLayer(self._layers[0], batches.block_capacity, batches.batch_size)
        # The products of sparse rows are not BLAS's.
        self._work_behind = network.largest_product(capacity, first=1)
        self._work = self._work_behind if batches.sparse else network.largest_product(capacity)
        self._factors = {}
        self._axpy = blas(theta.dtype).axpy
        if self._parts or not self._fused:
            self._gradient = np.zeros_like(theta)
            self._gradient_layers = network.layers(self._gradient)

    def epoch(self, eta, make_rng):
        """One pass over the training set; returns the mean loss of its rows, each at the weights that it met.

        `eta` is a number, or a function from the number of the step in this epoch to one; `make_rng(k)` gives random
        stream number k of the epoch. The L2 term of the returned loss is that of the weights at the start of the epoch,
        so that at full batch the returned loss is the objective.
        """
        batches = self.batches
        batches.shuffle(make_rng)
        if self._dropout is not None:
            self._dropout.begin_epoch(make_rng(1))
        etas = map(eta, count()) if callable(eta) else repeat(eta)
        penalty, total = self.penalty(), 0.0
        if self._parts:
            for start, rate in zip(range(0, batches.n_rows, batches.batch_size), etas, strict=False):
                total += self._sum_gradient(start, min(start + batches.batch_size, batches.n_rows))
                self._solver.step(self._gradient, rate)
        else:
            first, step = self._plan(eta)
            for start, stop in batches.blocks():
                total += self._block(start, stop, etas, first, step)
        return total / batches.n_rows + penalty

    def objective(self):
        """The objective and its gradient, which the next call overwrites."""
        n = self.batches.n_rows
        return self._sum_gradient(0, n) / n + self.penalty(), self._gradient

    def penalty(self):
        """The L2 term of the objective."""
        if not self._decay:
            return 0.0
        dot = blas(self.theta.dtype).dot
        weights = [layer[:-1].reshape(-1) for layer in self._layers]
        return 0.5 * self._decay * sum(float(dot(w, w)) for w in weights)

    def _plan(self, eta):
        """How the steps of an epoch are taken: the first layer and the step function."""
        # With an eta that changes from step to step, so would what is left of a weight.
        shrinkage = 1.0 if callable(eta) and self._decay else 0.0 if callable(eta) else eta * self._decay
        if self._stepping is not None and shrinkage <= LARGEST_SHRINKAGE / self.batches.block_batches:
            self._stepping.set_step(self._solver, shrinkage)
            return self._stepping, self._step_behind
        return self._first, self._step_factors if self._fused else self._step_gradient

    def _block(self, start, stop, etas, first, step):
        """Train on the mini-batches of a block; returns the sum of the rows' losses."""
        of_block = of_batch = self._work
        if isinstance(first, DeferredFirstLayer):
            of_block, of_batch = self.batches.block_capacity * self._layers[0].size, self._work_behind
        block, cut = self.batches.load(start, stop)
        panel = self._workspace.panel(cut.n)
        factors = self._panel_factors(panel)
        # Before the section: they may come from a function of the user, who may do anything in it.
        rates = [eta for _, eta in zip(cut.batches, etas, strict=False)]

        def train():
            first.begin(block)
            THREADS.use(of_batch)
            for batch, eta in zip(cut.batches, rates, strict=True):
                self._backpropagate(first, batch, panel)
                if self._clipping is not None:
                    self._clipping.clip(first, batch, panel)
                step(first, batch, panel, factors, eta)
            THREADS.use(of_block)
            first.end()

        THREADS.section(of_block, train)
        return self._loss.value(cut.raw, cut.targets, cut.row, cut.weights)

    def _step_behind(self, first, batch, panel, factors, eta):
        if len(factors) > 1:
            self._solver.step_factors(factors[1:], panel.n, eta, self._decay)
        first.update(batch.start, panel.deltas[0], -eta / panel.n)

    def _step_factors(self, first, batch, panel, factors, eta):
        self._solver.step_factors(factors, panel.n, eta, self._decay)

    def _step_gradient(self, first, batch, panel, factors, eta):
        for accumulate, layer in zip(factors, self._gradient_layers, strict=True):
            accumulate(1.0 / panel.n, 0.0, layer)
        self._clip_and_add_decay()
        self._solver.step(self._gradient, eta)

    def _sum_gradient(self, start, stop):
        """The mean gradient over the rows start:stop, in parts, into the gradient vector; returns the sum of losses."""
        total = sum(value for value, _ in self._sum_parts(start, stop))
        self._clip_and_add_decay()
        return total

    def _sum_parts(self, start, stop):
        """Part by part: sum the mean gradient up; yields the part's loss, and the panel with its factors."""
        self._gradient.fill(0.0)
        for begin, end in self.batches.chunks(start, stop):
            block, cut = self.batches.load(begin, end)
            panel = self._workspace.panel(end - begin)
            factors = self._panel_factors(panel)
            THREADS.section(
                self._work, partial(self._add_gradient, block, cut.batches[0], panel, factors, stop - start)
            )
            value = self._loss.value(cut.raw, cut.targets, cut.row, cut.weights)
            yield value, panel

    def _add_gradient(self, block, batch, panel, factors, n):
        """Add a part's gradient, divided by `n`, to the gradient vector."""
        self._first.begin(block)
        self._backpropagate(self._first, batch, panel)
        for accumulate, layer in zip(factors, self._gradient_layers, strict=True):
            accumulate(1.0 / n, 1.0, layer)

    def row_norms(self):
        """The sum over the rows of the squared norm of their gradients, for each layer; the mean gradient by layer.

        The squared norm of ``a^T d`` is that of `a`, with its 1, times that of `d`. Of one pass; the next call
        overwrites the gradients.
        """
        sums = np.zeros(len(self._layers))
        for _, panel in self._sum_parts(0, self.batches.n_rows):
            for k, delta in enumerate(panel.deltas):
                inputs = self._first.squared_norms() if k == 0 else np.einsum("ij,ij->i", *[panel.inputs[k]] * 2)
                sums[k] += float(np.einsum("i,ij,ij->", inputs, delta, delta))
        return sums, self._gradient_layers

    def _clip_and_add_decay(self):
        """Clip the gradient vector, then add the gradient of the L2 term."""
        if self._max_norm is not None:
            dot = blas(self.theta.dtype).dot
            factor = factor_to(self._max_norm, sqrt(dot(self._gradient, self._gradient)))
            if factor < 1.0:
                np.multiply(self._gradient, factor, out=self._gradient)
        if self._decay:
            for layer, gradient in zip(self._layers, self._gradient_layers, strict=True):
                weights = layer[:-1].reshape(-1)
                self._axpy(weights, gradient[:-1].reshape(-1), weights.size, self._decay)

    def _backpropagate(self, first, batch, panel):
        """The passes of one mini-batch: leaves its deltas in the panel."""
        first.forward(batch.start, batch.stop, self._passes.first_output(panel, batch.raw))
        self._passes.forward(panel, batch.raw)
        self._loss.write_delta(batch.raw, batch.targets, panel.deltas[-1], batch.row, batch.weights)
        self._passes.backward(panel)

    def _panel_factors(self, panel):
        """For every layer, the function that adds its gradient to an array; made once for a panel."""
        factors = self._factors.get(panel.n)
        if factors is None:
            factors = [self._passes.factor(k, panel) for k in range(1, len(self._layers))]
            factors.insert(0, partial(self._first.accumulate, panel.deltas[0]))
            self._factors[panel.n] = factors
        return factors
