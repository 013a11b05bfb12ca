"""The targets of the rows, written into a buffer one block at a time."""

from typing import Protocol

import numpy as np


class Targets(Protocol):
    """The targets of all rows, in the form that takes the least memory."""

    n_outputs: int

    def subset(self, rows):
        """The exact targets, without smoothing, of these rows only."""

    def fill(self, rows, out):
        """Write the targets of `rows` into `out` (n_batches, n_outputs, n)."""

    def mean(self, rows, weights=None):
        """The mean target (n_outputs,) of `rows` (None: all rows), weighted with `weights` (n,)."""


class ClassTargets:
    """One-hot rows made from class numbers `codes` (B,); the share `smoothing` is spread evenly over all classes."""

    def __init__(self, codes, n_outputs, smoothing=0.0):
        self.codes, self.n_outputs, self.smoothing = codes, n_outputs, smoothing
        self._first = {}

    def subset(self, rows) -> Targets:
        """The exact targets, without smoothing, of these rows only."""
        return ClassTargets(self.codes[rows], self.n_outputs)

    def fill(self, rows, out):
        """Write the targets of `rows` into `out` (n_batches, n_outputs, n)."""
        n_batches, n_outputs, n = out.shape
        first = self._first.get(out.shape)
        if first is None:
            # The flat index of each row's target for class 0. NumPy is far faster with one index than with three.
            first = np.arange(n_batches)[:, None] * n_outputs * n + np.arange(n)
            first = self._first[out.shape] = first.reshape(-1)
        rest = self.smoothing / n_outputs
        out.fill(rest)
        out.reshape(-1)[first + n * self.codes[rows]] = 1.0 - self.smoothing + rest

    def mean(self, rows, weights=None):
        """The mean target (n_outputs,) of `rows` (None: all rows), weighted with `weights` (n,)."""
        codes = self.codes if rows is None else self.codes[rows]
        counts = np.bincount(codes, weights, minlength=self.n_outputs)
        return (1.0 - self.smoothing) * counts / counts.sum() + self.smoothing / self.n_outputs


class ArrayTargets:
    """Targets that are numbers: `values` (B, n_outputs), of any dtype; `smoothing` moves them towards 1/2."""

    def __init__(self, values, smoothing=0.0):
        self.values, self.n_outputs, self.smoothing = values, values.shape[1], smoothing

    def subset(self, rows) -> Targets:
        """The exact targets, without smoothing, of these rows only."""
        return ArrayTargets(self.values[rows])

    def fill(self, rows, out):
        """Write the targets of `rows` into `out` (n_batches, n_outputs, n)."""
        n_batches, n_outputs, n = out.shape
        out[...] = self.values[rows].reshape(n_batches, n, n_outputs).transpose(0, 2, 1)
        if self.smoothing:
            np.multiply(out, 1.0 - self.smoothing, out=out)
            np.add(out, 0.5 * self.smoothing, out=out)

    def mean(self, rows, weights=None):
        """The mean target (n_outputs,) of `rows` (None: all rows), weighted with `weights` (n,)."""
        values = self.values if rows is None else self.values[rows]
        return (1.0 - self.smoothing) * np.average(values, axis=0, weights=weights) + 0.5 * self.smoothing
