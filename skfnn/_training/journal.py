"""Makes each finished epoch part of the state, and undoes an unfinished one."""

import numpy as np

from .state import BestWeights


class Journal:
    """Commits the epochs of a training run that changes `state` in place.

    ``commit`` may be interrupted at any line. ``roll_back`` then repeats the commit, with the same result.
    """

    def __init__(self, state):
        self._state = state
        self._arrays = [state.theta, *(v for v in state.solver.values() if isinstance(v, np.ndarray))]
        self._saved = [array.copy() for array in self._arrays]
        self._solver = dict(state.solver)
        self._pending = None

    @property
    def last_theta(self):
        """A copy of the parameters at the end of the last committed epoch."""
        return self._saved[0]

    def commit(self, record, progress, is_best):
        """Make an epoch part of the state: its `record` in the history, its `progress`, its parameters."""
        self._commit(record, progress, is_best, len(self._state.history["epoch"]))

    def _commit(self, record, progress, is_best, place):
        state = self._state
        self._pending = (record, progress, is_best, place)
        for saved, array in zip(self._saved, self._arrays, strict=True):
            np.copyto(saved, array)
        if is_best and state.best is None:
            state.best = BestWeights(state.theta.copy(), record["validation_score"])
        elif is_best:
            np.copyto(state.best.theta, state.theta)
            state.best.score = record["validation_score"]
        state.progress = progress
        self._solver = dict(state.solver)
        for key, values in state.history.items():
            values[place:] = [record[key]]
        self._pending = None

    def roll_back(self):
        """Return to the end of the last finished epoch."""
        if self._pending is not None:
            self._commit(*self._pending)
            return
        for saved, array in zip(self._saved, self._arrays, strict=True):
            np.copyto(array, saved)
        self._state.solver.update(self._solver)
