"""The parameters in the user's units, in arrays that the user may write into."""

import weakref
from typing import Any

import numpy as np


class UsersCopy:
    """A copy of a state's parameters `theta` in the user's units. It lives as long as the user has views of it.

    When the model is next used, the state takes over what the user wrote into views of `vector`.
    """

    def __init__(self, vector, theta):
        self.vector: Any
        self.vector, self._before, self._theta = vector, vector.copy(), theta.copy()

    def describes(self, theta):
        """Whether the vector was made from these parameters."""
        return self.vector is not None and np.array_equal(theta, self._theta, equal_nan=True)

    def refresh(self, vector, theta):
        """Take new parameters; existing views then show them."""
        for own, new in ((self.vector, vector), (self._before, vector), (self._theta, theta)):
            np.copyto(own, new)

    def changes(self):
        """Two vectors: which numbers the user changed since the last call, and by how much; None if none changed."""
        if self.vector is None or np.array_equal(self.vector, self._before, equal_nan=True):
            return None
        with np.errstate(over="ignore", invalid="ignore"):
            changed = self.vector != self._before
            added = np.where(changed, self.vector.astype(np.float64) - self._before, 0.0)
        np.copyto(self._before, self.vector)
        return changed, added

    def note(self, theta):
        """Remember that the vector describes these parameters now."""
        np.copyto(self._theta, theta)

    def has_views(self):
        """Whether the user still has an array that shows the vector. If not, free the vector."""
        if self.vector is not None:
            reference, self.vector = weakref.ref(self.vector), None
            self.vector = reference()
        return self.vector is not None


def users_vector(network, theta, coordinates):
    """The parameters in the user's units, a new vector of the model's precision."""
    with np.errstate(over="ignore"):
        return coordinates.to_users_units(network, theta).astype(theta.dtype)
