"""The description of a network: its layers and their places in the parameter vector."""

from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Network:
    """Layer sizes from the features to the outputs, and the name of each hidden layer's activation.

    Layer l is one matrix ``[W; b]`` of shape (fan_in + 1, fan_out), a view of the parameter vector: the bias is the
    weight of an input that is always 1. So a layer's forward pass, its deltas and its gradient are one matrix product
    each.
    """

    sizes: tuple[int, ...]
    activations: tuple[str, ...]

    @cached_property
    def shapes(self):
        """The shape (fan_in + 1, fan_out) of every layer's parameters."""
        return [(m + 1, n) for m, n in zip(self.sizes, self.sizes[1:], strict=False)]

    @property
    def n_parameters(self):
        """The length of the parameter vector."""
        return sum(m * n for m, n in self.shapes)

    def largest_product(self, n, first=0):
        """The multiplications in the largest product of n rows with a layer, counting from layer `first`."""
        return n * max((m * k for m, k in self.shapes[first:]), default=0)

    def layers(self, theta):
        """The layers' matrices [W; b] as views of the vector `theta` (n_parameters,)."""
        views, start = [], 0
        for shape in self.shapes:
            stop = start + shape[0] * shape[1]
            views.append(theta[start:stop].reshape(shape))
            start = stop
        return views
