"""The buffers of the forward pass and backpropagation.

Every array with one row per row of a mini-batch is in Fortran order. The outputs of a hidden layer are then contiguous
both with and without their column of ones, so BLAS takes them without a copy. Fortran order also makes elementwise
work and reductions fast over the few columns of the output layer.
"""

import numpy as np

from .blas import blas


class Panel:
    """The buffers for n rows: views of a workspace's memory.

    ``inputs[l]`` (n, fan_in + 1) is what layer l reads; its last column is ones. It is None for the first layer.
    ``outputs[l]`` (n, fan_out) is what hidden layer l writes: ``inputs[l + 1]`` without the column of ones.
    ``slopes`` and ``scratch`` have the shapes of the outputs. ``deltas`` has them too, with the output layer's at the
    end. ``gemm`` is the BLAS routine for products whose left factor has n rows.
    """

    def __init__(self, memory, sizes, n):
        self.n = n
        self.gemm = blas(memory.dtype).gemm_of(n)
        hidden = [_rows(m, n, units + 1) for m, units in zip(memory.hidden, sizes[1:-1], strict=True)]
        self.inputs = [None, *hidden]
        self.outputs = [h[:, :-1] for h in hidden]
        self.deltas = [_rows(m, n, units) for m, units in zip(memory.deltas, sizes[1:], strict=False)]
        self.slopes = [_rows(m, n, units) for m, units in zip(memory.slopes, sizes[1:-1], strict=True)]
        self.scratch = [_rows(memory.scratch, n, units) for units in sizes[1:-1]]

    def fill_last_columns(self, value):
        """Write the columns of ones again; a panel for another number of rows overwrites them."""
        for h in self.inputs[1:]:
            h[:, -1] = value


class Workspace:
    """Memory for up to `capacity` rows, divided into panels; `training` adds the buffers of backpropagation.

    Dropout keeps a unit with probability `keep`. The inputs of the layers behind the first, including their column of
    ones, are then stored multiplied by `keep`.
    """

    def __init__(self, network, capacity, dtype, *, training=True, keep=1.0):
        self.sizes, self.capacity, self.dtype = network.sizes, capacity, np.dtype(dtype)
        self.hidden = [np.empty(capacity * (units + 1), dtype) for units in self.sizes[1:-1]]
        self.scratch = np.empty(capacity * max(self.sizes[1:-1], default=0), dtype)
        # An activation relies on zeros here at first, and later on what it wrote itself.
        self.slopes = [np.zeros(capacity * units, dtype) for units in self.sizes[1:-1]]
        self.deltas = [np.empty(capacity * units, dtype) for units in self.sizes[1:]] if training else []
        self._keep = keep
        self._panels = {}
        self._current = None

    def panel(self, n):
        """The buffers for n rows. All panels share their memory: use one at a time."""
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
