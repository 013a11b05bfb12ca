"""The parameters in the user's units, in arrays that the user may write into."""

import weakref

import numpy as np


class UsersCopy:
    """A copy of a state's parameters in the user's units.

    What the user writes into views of `vector` becomes part of the state when the model is next used. Until then the
    copy keeps the vector alive, because ``coefs_[0][:] = W`` leaves no view of it. From then on only the user keeps
    it alive, and if no view of it exists, there is nothing to compare.
    """

    def __init__(self, vector):
        self._vector, self._unread, self._before = weakref.ref(vector), vector, vector.copy()

    def hand_out(self):
        """The parameters (n_parameters,) for the user to write into; None if no view of them exists any more."""
        self._unread = self._vector()
        return self._unread

    def changes(self):
        """What the user has added to the parameters since the last call, a vector; None if nothing."""
        vector, self._unread = self._vector(), None
        if vector is None or np.array_equal(vector, self._before, equal_nan=True):
            return None
        with np.errstate(over="ignore", invalid="ignore"):
            added = np.where(vector == self._before, 0.0, vector.astype(np.float64) - self._before)
        np.copyto(self._before, vector)
        return added


def users_vector(network, theta, coordinates):
    """The parameters in the user's units, a new vector of the model's precision."""
    vector = coordinates.to_users_units(network, theta)
    with np.errstate(over="ignore", under="ignore"):  # float32 may have no room for weights in other units
        return vector.astype(theta.dtype)
