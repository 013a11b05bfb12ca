"""Dropout: hidden units are left out at random during training.

Srivastava et al. (2014), "Dropout: a simple way to prevent neural networks from overfitting", JMLR 15.

This is inverted dropout: a unit is kept with probability ``keep``, and its output is then divided by ``keep``, so that
prediction needs no change. The matrix products behind the hidden layer contain this factor 1/keep (see ``passes``). The
outputs that are kept stay unscaled here, because the derivative of the activation needs the unscaled values.
"""

from typing import Protocol

import numpy as np


class Masks(Protocol):
    """Decides which hidden units take part in training."""

    keep: float

    def begin_epoch(self, make_rng):
        """Prepare the masks of an epoch; ``make_rng(k)`` gives its random stream number k."""

    def around(self, activations):
        """Return, for each activation, its ``apply`` and ``chain`` with the mask of its layer."""


class NoDropout:
    """All hidden units take part."""

    keep = 1.0

    def begin_epoch(self, make_rng):
        """Draw nothing."""

    def around(self, activations):
        """The activations' own functions."""
        return [(activation.apply, activation.chain) for activation in activations]


NO_DROPOUT: Masks = NoDropout()


class Dropout:
    """The masks of one training run."""

    def __init__(self, probability, network, capacity, dtype):
        self.keep = 1.0 - probability
        hidden = network.sizes[1:-1]
        self._masks = [np.empty(capacity * units, dtype) for units in hidden]
        # Always float32, so that training in float32 and in float64 drops the same units.
        self._uniform = np.empty(capacity * max(hidden, default=0), np.float32)

    def begin_epoch(self, make_rng):
        """Draw the masks of this epoch from its stream number 1."""
        self._rng = make_rng(1)

    def around(self, activations):
        """Return, for each activation, its ``apply`` and ``chain`` with the mask of its layer."""
        return [self._around(a, memory) for a, memory in zip(activations, self._masks, strict=True)]

    def _around(self, activation, memory):
        def mask_of(array):
            return memory[: array.size].reshape(array.shape, order="F")

        def apply(z, slope, scratch):
            activation.apply(z, slope, scratch)
            mask, uniform = mask_of(z), self._uniform[: z.size]
            self._rng.random(dtype=np.float32, out=uniform)
            np.less(uniform, self.keep, out=memory[: z.size], casting="unsafe")
            np.multiply(z, mask, out=z)

        def chain(a, slope, delta, scratch):
            np.multiply(delta, mask_of(delta), out=delta)
            activation.chain(a, slope, delta, scratch)

        return apply, chain


def make_dropout(probability, network, capacity, dtype) -> Masks:
    """The masks that leave out each hidden unit with this probability."""
    return Dropout(probability, network, capacity, dtype) if probability else NO_DROPOUT
