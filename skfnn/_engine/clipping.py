"""Gradient clipping: the mean gradient of a mini-batch is scaled down to a largest norm (Pascanu et al. 2013).

The norm is that of the loss's gradient with respect to all parameters together; the L2 term and weight decay are added
afterwards. Pascanu, Mikolov and Bengio (2013), "On the difficulty of training recurrent neural networks", algorithm 1.
"""

from math import sqrt

import numpy as np

# Up to so many rows the norm from the factors costs less than writing the gradient.
FACTOR_ROWS = 32


class FactorClipping:
    """Clipping before any gradient is written: by the deltas, in which the gradient is linear."""

    def __init__(self, max_norm, passes, capacity, dtype):
        self._max_norm, self._passes = max_norm, passes
        self._memory = np.empty((3, capacity * capacity), dtype)

    def clip(self, first, batch, panel):
        """Scale the deltas of a mini-batch, in place."""
        n = panel.n
        gram, *others = (m[: n * n].reshape((n, n), order="F") for m in self._memory)
        first.gram(batch.start, batch.stop, gram)
        factor = factor_to(self._max_norm, sqrt(self._passes.squared_norms(panel, gram, others)) / n)
        if factor < 1.0:
            for delta in panel.deltas:
                np.multiply(delta, factor, out=delta)


def factor_to(max_norm, norm):
    """The factor that brings a gradient down to the norm; 1 where it is there already."""
    return max_norm / norm if norm > max_norm else 1.0
