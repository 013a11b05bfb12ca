"""The parameters in the user's units, in arrays that the user may write into."""

import weakref

import numpy as np


class UsersCopy:
    """A copy of a state's parameters in the user's units.

    What the user writes into views of `vector` becomes part of the state when the model is next used. Only the user
    keeps the vector alive. If no view of it exists, there is nothing to compare.
    """

    def __init__(self, vector):
        self._vector, self._before = weakref.ref(vector), vector.copy()

    @property
    def vector(self):
        """The parameters (n_parameters,); None if no view of them exists any more."""
        return self._vector()

    def refresh(self, vector):
        """Take new parameters, which the user then sees in the views that exist."""
        own = self._vector()
        if own is not None:
            np.copyto(own, vector)
            np.copyto(self._before, vector)

    def changes(self):
        """What the user has added to the parameters since the last call, a vector; None if nothing."""
        vector = self._vector()
        if vector is None or np.array_equal(vector, self._before, equal_nan=True):
            return None
        with np.errstate(over="ignore", invalid="ignore"):
            added = vector.astype(np.float64) - self._before
        np.copyto(self._before, vector)
        return added


def users_vector(network, theta, coordinates):
    """The parameters in the user's units, a new vector of the model's precision."""
    return coordinates.to_users_units(network, theta).astype(theta.dtype)
