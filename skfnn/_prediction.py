"""Raw outputs of many rows, part by part."""

import numpy as np

from ._batches import Batch, Rows
from ._first_layer import DenseFirstLayer, SparseFirstLayer
from ._network import Passes, Workspace


class Predictor:
    """The forward pass for the rows of one matrix; memory for a part of the rows only.

    The buffers belong to the predictor: use it in one thread. It reads `theta` at every call.
    """

    def __init__(self, network, theta, X, capacity):
        self._n, self._capacity = X.shape[0], min(capacity, X.shape[0])
        self._rows = Rows(X, theta.dtype, self._capacity)
        self._workspace = Workspace(network, self._capacity, theta.dtype, training=False)
        self._passes = Passes(network, theta)
        kind = SparseFirstLayer if self._rows.sparse else DenseFirstLayer
        self._first = kind(network.layers(theta)[0], self._capacity)
        self._shape = (self._n, network.sizes[-1])
        self._dtype = theta.dtype

    def raw_outputs(self):
        """The output layer before its activation, (n, n_outputs), a new array."""
        out = np.empty(self._shape, self._dtype)
        for start in range(0, self._n, self._capacity):
            stop = min(start + self._capacity, self._n)
            panel = self._workspace.panel(stop - start)
            self._first.begin(self._rows.take(slice(start, stop)))
            self._first.forward(Batch(0, stop - start), panel.outputs[0])
            out[start:stop] = self._passes.forward(panel)
        return out
