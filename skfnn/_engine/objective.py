"""The objective and its gradient, summed over parts of the rows."""

from functools import partial

import numpy as np

from .dropout import NO_DROPOUT
from .first_layer import make_first_layer
from .passes import Passes
from .penalty import L2Penalty
from .threads import THREADS
from .workspace import Workspace


class Objective:
    """The mean loss of a training set plus the L2 term, as a function of `theta`. Every call reads `theta` anew.

    Parameters
    ----------
    network : Network
    theta : ndarray of shape (n_parameters,)
    batches : Batches, with one mini-batch per epoch or with mini-batches larger than a part
    loss : Loss
    decay : float, the L2 strength alpha/B
    dropout : Masks, the units that take part

    Attributes
    ----------
    gradient : ndarray of shape (n_parameters,), overwritten by every call
    gradient_layers : list of ndarray, the views [W; b] of it
    """

    def __init__(self, network, theta, batches, loss, decay, *, dropout=NO_DROPOUT):
        self.theta, self.batches, self._loss = theta, batches, loss
        self.gradient = np.zeros_like(theta)
        self.gradient_layers = network.layers(self.gradient)
        self._l2 = L2Penalty(network.layers(theta), decay)
        self._passes = Passes(network, theta, dropout)
        self._workspace = Workspace(network, batches.largest_batch, theta.dtype, keep=dropout.keep)
        kind = "sparse" if batches.sparse else "dense"
        self._first = make_first_layer(kind, self._passes.layers, batches.largest_batch, batches.block_capacity)
        self._work, _ = self._first.work(network.largest_product(batches.largest_batch, first=1))
        self._factors: dict = {}

    def value_and_gradient(self):
        """The objective and its gradient; the next call overwrites the gradient."""
        n = self.batches.n_rows
        value = self.sum_up(0, n) / n + self.penalty() * self._loss.unit
        self._l2.add_gradient(self.gradient_layers)
        return value, self.gradient

    def penalty(self):
        """The L2 term."""
        return self._l2.value()

    def sum_up(self, start, stop):
        """Return the sum of the losses of the rows start:stop; write the mean of their gradients into `gradient`.

        Neither contains the L2 term.
        """
        return sum(value for value, _ in self._parts(start, stop))

    def row_norms(self):
        """For each layer, the sum of the squared norms of the rows' gradients; also the mean gradient of each layer.

        The squared norm of ``a^T d`` is the squared norm of `a`, with the 1 of the bias, times that of `d`. One pass
        gives the norms and the gradients. The next call overwrites the gradients.
        """
        sums = np.zeros(len(self.gradient_layers))
        for _, panel in self._parts(0, self.batches.n_rows):
            for k, delta in enumerate(panel.deltas):
                inputs = self._first.squared_norms() if k == 0 else np.einsum("ij,ij->i", *[panel.inputs[k]] * 2)
                sums[k] += float(np.einsum("i,ij,ij->", inputs, delta, delta))
        return sums, self.gradient_layers

    def _parts(self, start, stop):
        """Add up the mean gradient part by part; yield the sum of the losses and the panel of each part."""
        self.gradient.fill(0.0)
        for begin, end in self.batches.chunks(start, stop):
            block, cut = self.batches.load(begin, end)
            panel = self._workspace.panel(end - begin)
            THREADS.section(self._work, partial(self._add_gradient, block, cut.batches[0], panel, stop - start))
            yield self._loss.value(cut.raw, cut.targets, cut.row, cut.weights), panel

    def _add_gradient(self, block, batch, panel, n):
        """Add a part's gradient, divided by `n`, to the gradient vector."""
        factors = self._factors.get(panel.n)
        if factors is None:
            factors = self._factors[panel.n] = self._passes.all_factors(self._first, panel)
        self._first.begin(block)
        self._passes.backpropagate(self._first, batch, panel, self._loss)
        for accumulate, layer in zip(factors, self.gradient_layers, strict=True):
            accumulate(1.0 / n, 1.0, layer)
        self._first.end()
