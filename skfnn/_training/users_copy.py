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

    def changed(self):
        """The parameters if the user has written into them since the last call; else None."""
        vector = self._vector()
        if vector is None or np.array_equal(vector, self._before, equal_nan=True):
            return None
        np.copyto(self._before, vector)
        return vector


def users_vector(network, theta, coordinates):
    """The parameters in the user's units, a new vector.

    With shifted features it is float64 even if the model is float32, because the first biases then hold a large offset
    that the weights compensate.
    """
    vector = coordinates.to_users_units(network, theta)
    return vector if coordinates.feature_mean is not None else vector.astype(theta.dtype)
