"""Warnings that name the user's line of code."""

import os
import sys
import warnings
from typing import Any

import joblib
import sklearn

# Frames in these packages are not the user's code, nor are those in the modules of the standard library between them.
_FILES = (os.path.dirname(__file__), sklearn.__file__, joblib.__file__)
_FOLDERS = tuple(os.path.dirname(path) + os.sep for path in _FILES)
_PLUMBING = {"contextlib", "functools"}


def warn_user(message, category=UserWarning):
    """Warn with the file and line of the user's call: the last one outside of this package, scikit-learn and joblib."""
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and _is_inside(frame):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


# Modules of scikit-learn that fit one model each time the user calls them.
_SINGLE = ("sklearn.pipeline", "sklearn.base", "sklearn.compose", "sklearn.utils", "sklearn.callback", "sklearn.frozen")


def called_directly():
    """Whether the user called `fit` of one model, perhaps in a pipeline, and not of a search or an ensemble."""
    frame: Any = sys._getframe(1)
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        if name.partition(".")[0] in ("joblib", "sklearn") and not name.startswith(_SINGLE):
            return False
        frame = frame.f_back
    return True


def _is_inside(frame):
    """Whether a frame belongs to one of these packages and not to the user's code."""
    return frame.f_code.co_filename.startswith(_FOLDERS) or frame.f_globals.get("__name__") in _PLUMBING
