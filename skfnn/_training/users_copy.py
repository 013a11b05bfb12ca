"""The parameters in the user's units, in arrays that the user may write into."""

import sys

import numpy as np

# References to a vector that nobody but its UsersCopy has: the attribute, and the argument of getrefcount.
_OWN_REFERENCES = 2


class UsersCopy:
    """A copy of a state's parameters in the user's units.

    What the user writes into views of `vector` becomes part of the state when the model is next used. After that, the
    copy is only kept if the user still has such views.
    """

    def __init__(self, vector):
        self.vector, self._before = vector, vector.copy()

    def refresh(self, vector):
        """Take new parameters, which the user then sees in the views that exist."""
        np.copyto(self.vector, vector)
        np.copyto(self._before, vector)

    def changes(self):
        """What the user has added to the parameters since the last call, a vector; None if nothing."""
        if np.array_equal(self.vector, self._before, equal_nan=True):
            return None
        with np.errstate(over="ignore", invalid="ignore"):
            added = self.vector.astype(np.float64) - self._before
        np.copyto(self._before, self.vector)
        return added

    def is_in_use(self):
        """Whether the user has views of the vector."""
        return sys.getrefcount(self.vector) > _OWN_REFERENCES


def users_vector(network, theta, coordinates):
    """The parameters in the user's units, a new vector of the model's precision."""
    return coordinates.to_users_units(network, theta).astype(theta.dtype)
