"""The version of the package, and the form in which models are saved."""

from sklearn.base import BaseEstimator
from sklearn.exceptions import InconsistentVersionWarning

from .._training.state import TrainingState
from .warnings import warn_user

__version__ = "0.1.0"

# These two keys occur only in the saved state; they are never attributes.
_VERSION = "_skfnn_version"
_FORMAT = "_skfnn_format"
# This number changes when the keys of the plain data below or their meanings change.
FORMAT = 1


class _OtherVersionWarning(InconsistentVersionWarning):
    """A kind of scikit-learn's warning, so that one filter catches both; its fields hold versions of skfnn."""

    def __str__(self):
        return (
            f"This {self.estimator_name} was saved by {self.original_sklearn_version} and is loaded by "
            f"{self.current_sklearn_version}. It may fail, or predict other values than before. Fit it again with "
            "this version, or load it with the version that saved it."
        )


class VersionedState(BaseEstimator):
    """Saves an estimator as plain data: parameters, arrays, numbers, names, and the version of skfnn.

    Pickle, joblib, skops and copies use these methods. No saved file names a private class of this package, so these
    classes may move.
    """

    def __getstate__(self):
        state = super().__getstate__() | {_VERSION: __version__, _FORMAT: FORMAT}
        for name in ("_state", "_task"):
            if name in state:
                state[name] = state[name].to_plain()
        return state

    def __setstate__(self, state):
        state = dict(state)
        saved, number = state.pop(_VERSION, None), state.pop(_FORMAT, None)
        if saved != __version__:
            original = "an older skfnn" if saved is None else f"skfnn {saved}"
            warn_user(
                _OtherVersionWarning(
                    estimator_name=type(self).__name__,
                    current_sklearn_version=f"skfnn {__version__}",
                    original_sklearn_version=original,
                )
            )
        if number != FORMAT and "_state" in state:
            raise ValueError(
                f"This {type(self).__name__} was saved in format {number}; skfnn {__version__} reads format {FORMAT}. "
                "Fit it again, or load it with the version that saved it."
            )
        if "_state" in state:
            state["_state"] = TrainingState.from_plain(state["_state"], state["history_"])
        if "_task" in state:
            state["_task"] = self._task_from_plain(**state["_task"])
        super().__setstate__(state)
