"""The forward pass and backpropagation through the layers behind the first one.

The products of the first layer depend on the type of X and on how its update is done; they are in ``first_layer``.
"""

from functools import partial

from .activations import ACTIVATIONS
from .blas import blas
from .dropout import NO_DROPOUT


class Passes:
    """The forward pass and backpropagation for one parameter vector, behind the first layer.

    With dropout the workspace stores the inputs of these layers times `keep`; the products here divide by it.
    """

    def __init__(self, network, theta, dropout=NO_DROPOUT):
        self.layers = network.layers(theta)
        self._blas = blas(theta.dtype)
        passes = dropout.around([ACTIVATIONS[name] for name in network.activations])
        self._apply, self._chain = [a for a, _ in passes], [c for _, c in passes]
        self._scale = 1.0 / dropout.keep
        # BLAS sees the C-ordered [W; b] as its transpose in Fortran order.
        self._transposed = [layer.T for layer in self.layers]
        self._weights = [layer[:-1].T for layer in self.layers]

    @staticmethod
    def first_output(panel, raw):
        """Where the first layer's pre-activations belong: the first hidden layer, or `raw` if there is none."""
        return panel.outputs[0] if panel.outputs else raw

    def forward(self, panel, raw):
        """Go from the first layer's pre-activations in ``first_output(panel, raw)`` to the raw outputs in `raw`."""
        gemm, scale, outputs = panel.gemm, self._scale, [*panel.outputs[1:], raw]
        for k, apply in enumerate(self._apply):
            apply(panel.outputs[k], panel.slopes[k], panel.scratch[k])
            gemm(scale, panel.inputs[k + 1], self._transposed[k + 1], 0.0, outputs[k], 0, 1, 1)

    def backward(self, panel):
        """Go from the last delta to those of all layers, in place in ``panel.deltas``."""
        gemm, scale, deltas = panel.gemm, self._scale, panel.deltas
        for k in range(len(self._chain) - 1, -1, -1):
            gemm(scale, deltas[k + 1], self._weights[k + 1], 0.0, deltas[k], 0, 0, 1)
            self._chain[k](panel.outputs[k], panel.slopes[k], deltas[k], panel.scratch[k])

    def backpropagate(self, first, batch, panel, loss):
        """Do both passes for a mini-batch, including the first layer; leave its deltas in the panel."""
        raw = batch.raw
        first.forward(batch.start, batch.stop, self.first_output(panel, raw))
        self.forward(panel, raw)
        loss.write_delta(raw, batch.targets, panel.deltas[-1], batch.row, batch.weights)
        self.backward(panel)

    def factor(self, k, panel):
        """The function ``accumulate(scale, beta, out)`` of layer k >= 1, for the panel's rows.

        It does ``out = beta * out + scale * [A 1]^T D`` in place in `out` (fan_in + 1, fan_out).
        """
        gemm, inputs, delta, own = self._blas.gemm, panel.inputs[k], panel.deltas[k], self._scale

        def accumulate(scale, beta, out):
            gemm(own * scale, delta, inputs, beta, out.T, 1, 0, 1)

        return accumulate

    def factors(self, panel):
        """The ``accumulate`` functions of all layers behind the first."""
        return [self.factor(k, panel) for k in range(1, len(self.layers))]

    def all_factors(self, first, panel):
        """The ``accumulate`` functions of all layers; `first` provides that of the first layer."""
        return [partial(first.accumulate, panel.deltas[0]), *self.factors(panel)]

    def squared_norms(self, panel, first_gram, grams):
        """The squared norm of the sum of the rows' gradients, over all layers, computed from the factors.

        ``||A^T D||^2`` is the sum over pairs of rows of ``(A A^T) * (D D^T)``. `first_gram` (n, n) is ``A A^T`` of the
        first layer. `grams` are two buffers of the same shape; they are overwritten.
        """
        total = 0.0
        for k, delta in enumerate(panel.deltas):
            inputs, outer = (first_gram if k == 0 else grams[0]), grams[1]
            if k:
                self._blas.gemm(self._scale**2, panel.inputs[k], panel.inputs[k], 0.0, inputs, 0, 1, 1)
            self._blas.gemm(1.0, delta, delta, 0.0, outer, 0, 1, 1)
            total += self._blas.dot(inputs.ravel("K"), outer.ravel("K"))
        return max(total, 0.0)
