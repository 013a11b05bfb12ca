"""Raw outputs of many rows, computed part by part."""

import math
from functools import partial

import numpy as np

from .coordinates import USERS
from .first_layer import make_first_layer
from .passes import Passes
from .rows import Rows
from .threads import THREADS
from .workspace import Workspace


def check_finite(outputs):
    """Raise an error if some outputs are not finite numbers."""
    # If every output is finite, so is the sum, except when the sum itself overflows, which is rare.
    if not (math.isfinite(np.add.reduce(outputs, None)) or np.isfinite(outputs).all()):
        raise ValueError(
            f"The outputs of the network overflow {outputs.dtype} for some rows of X: the features of these rows are "
            "too large for the network's weights. Scale these rows in the same way as the training rows."
        )


class Predictor:
    """The forward pass for the rows of one matrix, with buffers for `capacity` rows at a time.

    Use a predictor in one thread only, because it owns its buffers. It reads `theta`, which is in `coordinates`, at
    every call. Rows and outputs are in the user's units.
    """

    def __init__(self, network, theta, X, capacity, coordinates=USERS):
        self._n, self._capacity = X.shape[0], min(capacity, X.shape[0])
        self._rows = Rows(X, coordinates.row_format(theta.dtype), self._capacity)
        self._workspace = Workspace(network, self._capacity, theta.dtype, training=False)
        self._passes = Passes(network, theta)
        kind = "sparse" if self._rows.sparse else "dense"
        self._first = make_first_layer(kind, self._passes.layers, self._capacity, self._capacity)
        self._shape = (self._n, network.sizes[-1])
        self._raw = np.empty(self._capacity * network.sizes[-1], theta.dtype)
        self._network, self._to_outputs = network, coordinates.to_outputs

    def raw_outputs(self, activate=None):
        """The output layer before its activation, (n, n_outputs), a new array; `activate` is applied to every part."""
        out = _result(self._shape, self._raw.dtype)
        # A saturated unit may overflow and still give its exact limit. Only the outputs have to be finite.
        with np.errstate(all="ignore"):
            for rows, _, raw in self._parts():
                self._to_outputs(raw)
                if activate is not None:
                    activate(raw)
                out[rows] = raw
        return out

    def hidden(self, layer):
        """The output of a hidden layer, (n, n_units), a new array."""
        out = _result((self._n, self._passes.layers[layer].shape[1]), self._raw.dtype)
        with np.errstate(all="ignore"):
            for rows, panel, _ in self._parts():
                check_finite(panel.outputs[layer])
                out[rows] = panel.outputs[layer]
        return out

    def _parts(self):
        """Slices of the rows, with the panel and the raw outputs of each."""
        n_outputs = self._shape[1]
        for start in range(0, self._n, self._capacity):
            n = min(self._capacity, self._n - start)
            rows, panel = slice(start, start + n), self._workspace.panel(n)
            raw = self._raw[: n * n_outputs].reshape((n, n_outputs), order="F")
            self._first.begin(self._rows.take(rows))
            if n == 1:
                self._forward(panel, raw)  # the products of one row take less time than a section
            else:
                work = self._network.largest_product(n, first=int(self._rows.sparse))
                THREADS.section(work, partial(self._forward, panel, raw))
            yield rows, panel, raw

    def _forward(self, panel, raw):
        self._first.forward(0, panel.n, self._passes.first_output(panel, raw))
        self._passes.forward(panel, raw)


def _result(shape, dtype):
    """An empty array for the outputs of all rows."""
    try:
        return np.empty(shape, dtype)
    except MemoryError as error:
        raise MemoryError(
            f"The outputs of {shape[0]} rows, {shape[1]} numbers each, do not fit into memory: pass fewer rows at a "
            f"time. {error}"
        ) from error
