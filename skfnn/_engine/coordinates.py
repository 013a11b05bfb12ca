"""The coordinates in which a network is trained: features and targets, shifted and scaled."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from .rows import RowFormat


@dataclass(frozen=True)
class Coordinates:
    """Training sees ``(x - feature_mean) / feature_scale`` and ``(y - target_mean) / target_scale``, by column.

    A mean of None stands for 0 and a scale of None for 1. The arrays are float64: (n_features,) and (n_outputs,).
    The parameters in the coordinates of training and those in the user's units describe the same network: only the
    first and the last layer differ.
    """

    feature_mean: Any = None
    feature_scale: Any = None
    target_mean: Any = None
    target_scale: Any = None

    @property
    def changes_weights(self):
        """Whether the parameters differ from those in the user's units."""
        return self.feature_scale is not None or self.target_scale is not None

    def row_format(self, dtype):
        """The RowFormat that brings rows from the user's units into the coordinates of training."""
        form = self._row_formats.get(dtype)
        if form is None:
            form = self._row_formats[dtype] = RowFormat(dtype, self.feature_mean, self.feature_scale)
        return form

    @cached_property
    def _row_formats(self):
        """The formats made so far, by type."""
        return {}

    def to_targets(self, y):
        """Convert targets `y` (n, n_outputs) to the coordinates of training."""
        return y if self.target_scale is None else (y - self.target_mean) / self.target_scale

    def to_outputs(self, raw):
        """Turn raw outputs (n, n_outputs) into the user's units, in place."""
        if self.target_scale is not None:
            np.multiply(raw, self.target_scale, out=raw)
            np.add(raw, self.target_mean, out=raw)

    def to_users_units(self, network, theta):
        """Convert the parameters `theta` to the user's units; return a new float64 vector."""
        theta = theta.astype(np.float64)
        layers = network.layers(theta)
        first, last = layers[0], layers[-1]
        with np.errstate(over="ignore", invalid="ignore"):
            if self.feature_scale is not None:
                np.divide(first[:-1], self.feature_scale[:, None], out=first[:-1])
            if self.feature_mean is not None:
                np.subtract(first[-1], np.einsum("i,ij->j", self.feature_mean, first[:-1]), out=first[-1])
            if self.target_scale is not None:
                np.multiply(last, self.target_scale, out=last)
                np.add(last[-1], self.target_mean, out=last[-1])
        return theta

    def from_users_units(self, network, vector, *, is_difference=False):
        """Convert the parameters `vector` from the user's units to the coordinates of training; return a new vector.

        With `is_difference`, `vector` is the difference of two parameter vectors, and so is the result. It is float64.
        """
        theta = vector.astype(np.float64)
        layers = network.layers(theta)
        first, last = layers[0], layers[-1]
        with np.errstate(over="ignore", invalid="ignore"):
            if self.target_scale is not None:
                if not is_difference:
                    np.subtract(last[-1], self.target_mean, out=last[-1])
                np.divide(last, self.target_scale, out=last)
            if self.feature_mean is not None:
                np.add(first[-1], np.einsum("i,ij->j", self.feature_mean, first[:-1]), out=first[-1])
            if self.feature_scale is not None:
                np.multiply(first[:-1], self.feature_scale[:, None], out=first[:-1])
        return theta

    def with_changes(self, network, theta, vector, changed, added):
        """Carry changes that a user made in the user's units over to `theta`; return a new float64 vector.

        `vector` holds all parameters in the user's units after the change, `changed` marks the ones that changed, and
        `added` is the size of each change. In the coordinates of training, a changed weight also moves the biases of
        the first layer. So the changes are added to `theta`: the unchanged parameters are more precise there than in
        `vector`.
        """
        after = theta + self.from_users_units(network, added, is_difference=True)
        as_written = changed.copy()
        if self.feature_mean is not None:
            network.layers(as_written)[0][-1] &= ~np.isfinite(network.layers(after)[0][-1])
        np.copyto(after, self.from_users_units(network, vector), where=as_written)
        return after


USERS = Coordinates()
