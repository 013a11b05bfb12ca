"""What a first layer does.

A first layer is used block by block: ``begin(block)``; then, for the rows ``start:stop`` of each mini-batch,
``forward(start, stop, out)`` and either ``accumulate`` or ``update``; then ``end()``.
"""

from typing import Protocol


class FirstLayer(Protocol):
    """The products of a block's rows with the first layer's [W; b]."""

    def begin(self, block):
        """Take the rows (n, n_features) of the next block."""

    def forward(self, start, stop, out):
        """Write the pre-activations of the mini-batch into `out` (n, n_units)."""

    def gram(self, start, stop, out):
        """Write the products of the mini-batch's rows, with the 1 of the bias, with each other into `out` (n, n)."""

    def end(self):
        """Finish the block."""

    def work(self, behind):
        """How many multiplications the largest BLAS product has: at the ends of a block, and in each mini-batch.

        `behind` is this number for the layers behind the first, whose products every mini-batch needs anyway.
        """


class GradientFirstLayer(FirstLayer, Protocol):
    """A first layer that provides its gradient."""

    def accumulate(self, delta, scale, beta, out):
        """``out = beta * out + scale * [X 1]^T delta`` over the last mini-batch, in place."""

    def squared_norms(self):
        """The squared norms of the last mini-batch's rows, including the 1 of the bias, (n,)."""


class SteppingFirstLayer(FirstLayer, Protocol):
    """A first layer that takes the steps of a linear solver itself."""

    def set_step(self, solver, shrinkage):
        """Set the solver's step for the next blocks; in each step the L2 term reduces W by the fraction `shrinkage`."""

    def update(self, start, delta, scale):
        """Take the step of the mini-batch that begins at row `start`; its new part is ``scale * [X 1]^T delta``."""
