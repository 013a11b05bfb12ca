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

from .activations import ACTIVATIONS
from .blas import blas


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

    def largest_product(self, n, first=0):
        """The multiplications of the largest product of n rows with a layer, from layer number `first` on."""
        return n * max((m * k for m, k in self.shapes[first:]), default=0)

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

    def fill_last_columns(self, value):
        """Write the columns of ones; needed when the memory served another number of rows before."""
        for h in self.inputs[1:]:
            h[:, -1] = value


class Workspace:
    """The memory for up to `capacity` rows, handed out as panels; `training` adds what backpropagation needs.

    With dropout, which keeps a unit with probability `keep`, the inputs of the layers behind the first are `keep` times
    what they stand for; so is their last column, then.
    """

    def __init__(self, network, capacity, dtype, *, training=True, keep=1.0):
        self.sizes, self.capacity = network.sizes, capacity
        self.hidden = [np.empty(capacity * (units + 1), dtype) for units in self.sizes[1:-1]]
        self.scratch = np.empty(capacity * max(self.sizes[1:-1], default=0), dtype)
        # A layer's activation finds zeros here at first, or what it left.
        self.slopes = [np.zeros(capacity * units, dtype) for units in self.sizes[1:-1]]
        self.deltas = [np.empty(capacity * units, dtype) for units in self.sizes[1:]] if training else []
        self._keep = keep
        self._panels = {}
        self._current = None

    def panel(self, n):
        """The buffers of n rows. They share memory with those of every other n: use one at a time."""
        panel = self._panels.get(n)
        if panel is None:
            panel = self._panels[n] = Panel(self, self.sizes, n)
        if panel is not self._current:
            panel.fill_last_columns(self._keep)
            self._current = panel
        return panel


def _rows(memory, n, units):
    """The start of a flat buffer as an (n, units) matrix in Fortran order."""
    return memory[: n * units].reshape((n, units), order="F")


class Passes:
    """The forward pass and backpropagation through one parameter vector, behind the first layer.

    With `dropout` the inputs are `keep` times what they stand for (see the workspace), and `_scale` is 1/keep.
    """

    def __init__(self, network, theta, dropout=None):
        self.layers = network.layers(theta)
        self._blas = blas(theta.dtype)
        activations = [ACTIVATIONS[name] for name in network.activations]
        passes = [(a.apply, a.chain) for a in activations] if dropout is None else dropout.around(activations)
        self._apply, self._chain = [a for a, _ in passes], [c for _, c in passes]
        self._scale = 1.0 if dropout is None else 1.0 / dropout.keep
        # BLAS sees the C-ordered [W; b] as its transpose in Fortran order.
        self._transposed = [layer.T for layer in self.layers]
        self._weights = [layer[:-1].T for layer in self.layers]

    @staticmethod
    def first_output(panel, raw):
        """Where the first layer's pre-activations belong: to the first hidden layer, or without one to `raw`."""
        return panel.outputs[0] if panel.outputs else raw

    def forward(self, panel, raw):
        """From the first layer's pre-activations in ``first_output(panel, raw)`` to the raw outputs in `raw`."""
        gemm, scale, outputs = self._blas.gemm_of(panel.n), self._scale, [*panel.outputs[1:], raw]
        for k, apply in enumerate(self._apply):
            apply(panel.outputs[k], panel.slopes[k], panel.scratch[k])
            gemm(scale, panel.inputs[k + 1], self._transposed[k + 1], 0.0, outputs[k], 0, 1, 1)

    def backward(self, panel):
        """From the last delta to those of all layers, in place in ``panel.deltas``."""
        gemm, scale, deltas = self._blas.gemm_of(panel.n), self._scale, panel.deltas
        for k in range(len(self._chain) - 1, -1, -1):
            gemm(scale, deltas[k + 1], self._weights[k + 1], 0.0, deltas[k], 0, 0, 1)
            self._chain[k](panel.outputs[k], panel.slopes[k], deltas[k], panel.scratch[k])

    def factor(self, k, panel):
        """The function ``accumulate(scale, beta, out)`` of layer k >= 1, for the panel's rows.

        It does ``out = beta * out + scale * [A 1]^T D`` in place in `out` (fan_in + 1, fan_out).
        """
        gemm, inputs, delta, own = self._blas.gemm, panel.inputs[k], panel.deltas[k], self._scale

        def accumulate(scale, beta, out):
            gemm(own * scale, delta, inputs, beta, out.T, 1, 0, 1)

        return accumulate

    def squared_norms(self, panel, first_gram, grams):
        """The squared norm of the sum of the rows' gradients, over all layers, from the factors.

        ``||A^T D||^2`` is the sum over pairs of rows of ``(A A^T) * (D D^T)``. `first_gram` (n, n) is that of the first
        layer's inputs; `grams` are two buffers of the same shape, overwritten.
        """
        total = 0.0
        for k, delta in enumerate(panel.deltas):
            inputs, outer = (first_gram if k == 0 else grams[0]), grams[1]
            if k:
                self._blas.gemm(self._scale**2, panel.inputs[k], panel.inputs[k], 0.0, inputs, 0, 1, 1)
            self._blas.gemm(1.0, delta, delta, 0.0, outer, 0, 1, 1)
            total += self._blas.dot(inputs.ravel("K"), outer.ravel("K"))
        return max(total, 0.0)
