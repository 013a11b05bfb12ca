"""Gradient clipping: scale a mini-batch's mean gradient down if its norm is too large.

Pascanu, Mikolov and Bengio (2013), "On the difficulty of training recurrent neural networks", algorithm 1. There is one
norm for all parameters together. It is the norm of the loss's gradient: the L2 term and weight decay are added after
clipping.
"""

from math import sqrt

import numpy as np

from .blas import blas

# With up to this many rows, computing the norm from the factors costs less than writing the gradient.
FACTOR_ROWS = 32


def factor_to(max_norm, norm):
    """The factor that scales a gradient of this `norm` down to `max_norm`; 1 if the norm is small enough already."""
    return max_norm / norm if norm > max_norm else 1.0


def clip(max_norm, gradient):
    """Scale a gradient vector down to `max_norm`, in place."""
    factor = factor_to(max_norm, sqrt(blas(gradient.dtype).dot(gradient, gradient)))
    if factor < 1.0:
        np.multiply(gradient, factor, out=gradient)


class ClippedUpdate:
    """An update that clips the gradient before writing it: it scales the deltas, in which the gradient is linear.

    `memory` (3, capacity^2) holds the products of a mini-batch's rows with each other and those of its deltas.
    """

    def __init__(self, update, max_norm, passes, memory):
        self.first = update.first
        self._update, self._max_norm, self._passes, self._memory = update, max_norm, passes, memory

    def begin_epoch(self, rates):
        """Prepare for an epoch's learning rates; return whether this update can take steps at these rates."""
        return self._update.begin_epoch(rates)

    def step_of(self, panel):
        """The function ``step(batch, eta)`` for the mini-batches of a panel."""
        step, gram_of, squared_norms = self._update.step_of(panel), self.first.gram, self._passes.squared_norms
        max_norm, deltas, n = self._max_norm, panel.deltas, panel.n
        gram, *others = (m[: n * n].reshape((n, n), order="F") for m in self._memory)

        def clipped_step(batch, eta):
            gram_of(batch.start, batch.stop, gram)
            factor = factor_to(max_norm, sqrt(squared_norms(panel, gram, others)) / n)
            if factor < 1.0:
                for delta in deltas:
                    np.multiply(delta, factor, out=delta)
            step(batch, eta)

        return clipped_step
