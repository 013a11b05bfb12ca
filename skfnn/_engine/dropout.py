"""Dropout: hidden units are left out at random while training (Srivastava et al. 2014, JMLR 15, "Dropout").

It is inverted dropout: a unit that is kept, with probability ``keep``, counts 1/keep times, so that nothing changes at
prediction. The factor 1/keep is in the matrix products behind the hidden layer (see ``_network``); the outputs that are
kept stay as they are here, as the derivative of the activation needs them.
"""

import numpy as np


class Dropout:
    """The masks of one training."""

    def __init__(self, probability, network, capacity, dtype):
        self.keep = 1.0 - probability
        hidden = network.sizes[1:-1]
        self._masks = [np.empty(capacity * units, dtype) for units in hidden]
        # Drawn in float32 whatever the precision of training is, so that the same units are dropped in both.
        self._uniform = np.empty(capacity * max(hidden, default=0), np.float32)

    def begin_epoch(self, rng):
        """Draw the masks of an epoch from `rng`."""
        self._rng = rng

    def around(self, activations):
        """For every activation its ``apply`` and ``chain`` with the masks of its layer."""
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
