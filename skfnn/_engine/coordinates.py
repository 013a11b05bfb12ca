"""The coordinates in which a network is trained: features and targets, shifted and scaled."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from .rows import RowFormat


@dataclass(frozen=True)
class Coordinates:
    """Training sees ``(x - feature_mean) / feature_scale`` and ``(y - target_mean) / target_scale``, by column.

    A mean that is None is zero, a scale that is None is one. The arrays are float64: (n_features,) and (n_outputs,).
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
        """How rows in the user's units are read."""
        return RowFormat(dtype, self.feature_mean, self.feature_scale)

    def to_targets(self, y):
        """Targets (n, n_outputs) in the coordinates of training."""
        return y if self.target_scale is None else (y - self.target_mean) / self.target_scale

    def to_outputs(self, raw):
        """Turn raw outputs (n, n_outputs) into the user's units, in place."""
        if self.target_scale is not None:
            np.multiply(raw, self.target_scale, out=raw, casting="same_kind")
            np.add(raw, self.target_mean, out=raw, casting="same_kind")

    def to_users_units(self, network, theta):
        """The parameters in the user's units, a new float64 vector."""
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
        """The parameters in the coordinates of training for those in the user's units, a new float64 vector.

        If `vector` is the difference of two parameter vectors, so is the result.
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
        """The parameters after a user changed some of those in the user's units, a new float64 vector.

        `vector` holds those in the user's units now, `changed` tells which of them are new, and `added` how much they
        grew. In the coordinates of training, a new weight moves the biases of the first layer too. Their change is
        added, because the weights that are not new are more precise in `theta` than in `vector`.
        """
        after = theta + self.from_users_units(network, added, is_difference=True)
        as_written = changed.copy()
        if self.feature_mean is not None:
            network.layers(as_written)[0][-1] &= ~np.isfinite(network.layers(after)[0][-1])
        np.copyto(after, self.from_users_units(network, vector), where=as_written)
        return after


USERS = Coordinates()
