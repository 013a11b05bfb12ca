"""The parameters in the user's units, in arrays that the user may write into."""

import weakref

import numpy as np


def users_vector(state):
    """The parameters of a state in the user's units, a new vector.

    With shifted features it is float64 even if the model is float32: a bias then holds a large offset that the weights
    compensate.
    """
    vector = state.coordinates.to_users_units(state.network, state.theta)
    return vector if state.coordinates.feature_mean is not None else vector.astype(state.theta.dtype)


class UsersCopy:
    """The parameters of a state in the user's units.

    What the user writes into views of `vector` becomes part of the state when the model is next used. Only the user
    keeps the vector alive: without such views, nothing has to be compared.
    """

    def __init__(self, state, vector):
        self._state, self._vector, self._before = state, weakref.ref(vector), vector.copy()

    @property
    def vector(self):
        """The parameters (n_parameters,), float64 or of the type of the model; None if the user has let go of them."""
        return self._vector()

    def take_over(self, state):
        """Put what the user wrote into the parameters of `state`; returns whether the user can still write."""
        vector = self._vector()
        if vector is None or state is not self._state:
            return False
        if not np.array_equal(vector, self._before, equal_nan=True):
            with np.errstate(over="ignore", under="ignore"):
                theta = state.coordinates.from_users_units(state.network, vector)
                np.copyto(state.theta, theta, casting="unsafe")
            np.copyto(self._before, vector)
        return True
