"""The network: its description, its parameters in one vector, the forward pass and backpropagation.

Layer l is one matrix ``[W; b]`` of shape (fan_in + 1, fan_out), a view of the parameter vector: the bias is the
weight of an input that is always 1. So behind the first layer a forward pass, a delta and a gradient are one matrix
product each. The first layer's products depend on what X is and on how its update is done; they are in
``_first_layer``.

Everything that has a row for each row of a mini-batch is in Fortran order. Every hidden layer's outputs, with and
without their column of ones, are then contiguous, which is what BLAS takes without a copy and what makes
elementwise work and reductions over the few columns of the output layer fast.
"""

from dataclasses import dataclass

import numpy as np

from ._activations import ACTIVATIONS
from ._blas import blas


@dataclass(frozen=True)
class Network:
    """Layer sizes from the features to the outputs, and the activation of every hidden layer by name."""

    sizes: tuple[int, ...]
    activations: tuple[str, ...]

    @property
    def shapes(self):
        """The shape (fan_in + 1, fan_out) of every layer's parameters."""
        return [(m + 1, n) for m, n in zip(self.sizes, self.sizes[1:], strict=False)]

    @property
    def n_parameters(self):
        """The length of the parameter vector."""
        return sum(m * n for m, n in self.shapes)

    def layers(self, theta):
        """The layers' matrices [W; b] as views of the vector `theta` (n_parameters,)."""
        views, start = [], 0
        for shape in self.shapes:
            stop = start + shape[0] * shape[1]
            views.append(theta[start:stop].reshape(shape))
            start = stop
        return views

    def initial_parameters(self, rng, dtype):
        """A parameter vector with random weights and zero biases."""
        theta = np.zeros(self.n_parameters, dtype)
        rules = [*self.activations, "identity"]
        for layer, name in zip(self.layers(theta), rules, strict=True):
            fan_in, fan_out = layer.shape[0] - 1, layer.shape[1]
            bound = ACTIVATIONS[name].initial_bound(fan_in, fan_out)
            layer[:-1] = rng.uniform(-bound, bound, (fan_in, fan_out))
        return theta


class Panel:
    """The buffers of n rows: views of a workspace's memory.

    ``inputs[l]`` (n, fan_in + 1) is what layer l reads, its last column ones (None for the first layer); ``outputs[l]``
    (n, fan_out) is what hidden layer l writes: ``inputs[l + 1]`` without its ones. ``slopes`` and ``scratch`` have the
    shapes of the outputs; ``deltas`` too, with the output layer's at the end.
    """

    def __init__(self, memory, sizes, n):
        self.n = n
        hidden = [_rows(m, n, units + 1) for m, units in zip(memory.hidden, sizes[1:-1], strict=True)]
        self.inputs = [None, *hidden]
        self.outputs = [h[:, :-1] for h in hidden]
        self.deltas = [_rows(m, n, units) for m, units in zip(memory.deltas, sizes[1:], strict=False)]
        self.slopes = [_rows(m, n, units) for m, units in zip(memory.slopes, sizes[1:-1], strict=True)]
        self.scratch = [_rows(memory.scratch, n, units) for units in sizes[1:-1]]

    def fill_ones(self):
        """Write the columns of ones; needed when the memory served another number of rows before."""
        for h in self.inputs[1:]:
            h[:, -1] = 1.0


class Workspace:
    """The memory for up to `capacity` rows, handed out as panels; `training` adds what backpropagation needs."""

    def __init__(self, network, capacity, dtype, *, training=True):
        self.sizes, self.capacity = network.sizes, capacity
        self.hidden = [np.empty(capacity * (units + 1), dtype) for units in self.sizes[1:-1]]
        self.scratch = np.empty(capacity * max(self.sizes[1:-1]), dtype)
        # A layer's activation finds zeros here at first, or what it left.
        self.slopes = [np.zeros(capacity * units, dtype) for units in self.sizes[1:-1]]
        self.deltas = [np.empty(capacity * units, dtype) for units in self.sizes[1:]] if training else []
        self._panels = {}
        self._current = None

    def panel(self, n):
        """The buffers of n rows. They share memory with those of every other n: use one at a time."""
        panel = self._panels.get(n)
        if panel is None:
            panel = self._panels[n] = Panel(self, self.sizes, n)
        if panel is not self._current:
            panel.fill_ones()
            self._current = panel
        return panel


def _rows(memory, n, units):
    """The start of a flat buffer as an (n, units) matrix in Fortran order."""
    return memory[: n * units].reshape((n, units), order="F")


class Passes:
    """The forward pass and backpropagation through one parameter vector, behind the first layer."""

    def __init__(self, network, theta):
        self.layers = network.layers(theta)
        self._blas = blas(theta.dtype)
        self._apply = [ACTIVATIONS[name].apply for name in network.activations]
        self._chain = [ACTIVATIONS[name].chain for name in network.activations]
        # BLAS sees the C-ordered [W; b] as its transpose in Fortran order.
        self._transposed = [layer.T for layer in self.layers]
        self._weights = [layer[:-1].T for layer in self.layers]

    def forward(self, panel, raw):
        """From the first layer's pre-activations in ``panel.outputs[0]`` to the raw outputs, in place in `raw`."""
        gemm, outputs = self._blas.gemm_of(panel.n), [*panel.outputs[1:], raw]
        for k, apply in enumerate(self._apply):
            apply(panel.outputs[k], panel.slopes[k], panel.scratch[k])
            gemm(1.0, panel.inputs[k + 1], self._transposed[k + 1], 0.0, outputs[k], 0, 1, 1)

    def backward(self, panel):
        """From the last delta to those of all layers, in place in ``panel.deltas``."""
        gemm, deltas = self._blas.gemm_of(panel.n), panel.deltas
        for k in range(len(self._chain) - 1, -1, -1):
            gemm(1.0, deltas[k + 1], self._weights[k + 1], 0.0, deltas[k], 0, 0, 1)
            self._chain[k](panel.outputs[k], panel.slopes[k], deltas[k], panel.scratch[k])

    def factor(self, k, panel):
        """The function ``accumulate(scale, beta, out)`` of layer k >= 1, for the panel's rows.

        It does ``out = beta * out + scale * [A 1]^T D`` in place in `out` (fan_in + 1, fan_out).
        """
        gemm, inputs, delta = self._blas.gemm, panel.inputs[k], panel.deltas[k]

        def accumulate(scale, beta, out):
            gemm(scale, delta, inputs, beta, out.T, 1, 0, 1)

        return accumulate
