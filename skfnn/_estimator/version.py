"""The version of the package, and a warning where a pickled model comes from another one."""

import warnings

from sklearn.base import BaseEstimator
from sklearn.exceptions import InconsistentVersionWarning

__version__ = "0.1.0"

_KEY = "_skfnn_version"  # in the pickled state only, never an attribute


class _OtherVersionWarning(InconsistentVersionWarning):
    """scikit-learn's warning, so that one filter catches both; its fields say whose versions they are."""

    def __str__(self):
        return (
            f"This {self.estimator_name} was saved by {self.original_sklearn_version} and is loaded by "
            f"{self.current_sklearn_version}. It may fail, or predict something else than it did. Fit it again with "
            "this version, or load it with the one that saved it."
        )


class VersionedState(BaseEstimator):
    """Saves the version of skfnn with the state of an estimator and compares it where the state is loaded.

    scikit-learn does so for its own classes only. Pickle, joblib and skops go through these methods; so do copies,
    whose versions agree.
    """

    def __getstate__(self):
        return super().__getstate__() | {_KEY: __version__}

    def __setstate__(self, state):
        state = dict(state)
        # What was saved before versions were has none.
        saved = state.pop(_KEY, None)
        if saved != __version__:
            original = "an older skfnn" if saved is None else f"skfnn {saved}"
            warning = _OtherVersionWarning(
                estimator_name=type(self).__name__,
                current_sklearn_version=f"skfnn {__version__}",
                original_sklearn_version=original,
            )
            warnings.warn(warning, stacklevel=2)
        super().__setstate__(state)
