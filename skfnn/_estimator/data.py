"""Checks the rows, targets and weights that a user passes."""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from sklearn.utils.validation import _check_sample_weight, validate_data

from .._engine.blas import blas

# Matrices of these types stay as they are and are cast one mini-batch at a time. Others become the first type.
DTYPES = [np.float64, np.float32, np.float16, *map(np.dtype, "?bBhHiIlLqQ")]


def is_finite(X):
    """Whether X is a plain array of floats, all finite. BLAS finds out in half the time of NumPy's sum.

    False means nothing: the sum may be too large, or X of another kind.
    """
    if type(X) is not np.ndarray or X.dtype not in (np.float64, np.float32) or not 0 < X.size < 2**31:
        return False
    if not (X.flags.c_contiguous or X.flags.f_contiguous):
        return False
    return math.isfinite(blas(X.dtype).asum(X.ravel("K")))


def is_ready(estimator, X):
    """Whether X is an array that validation would return unchanged; for a few rows, validation takes most of the time.

    If in doubt, leave X to scikit-learn's validation and its messages.
    """
    return (
        is_finite(X)
        and X.ndim == 2
        and X.shape[0] > 0
        and X.shape[1] == estimator.n_features_in_
        and not hasattr(estimator, "feature_names_in_")
    )


def checked(estimator, X, *targets, reset):
    """X, or X and y, validated by scikit-learn; X keeps its type."""
    refuse_text(X)
    rules = {"accept_sparse": "csr", "dtype": DTYPES, "ensure_all_finite": not is_finite(X)}
    if targets:
        rules["multi_output"] = True
    # scikit-learn first sums X, which overflows if X holds numbers near the largest.
    with np.errstate(over="ignore", invalid="ignore"):
        return validate_data(estimator, X, *targets, reset=reset, **rules)


def refuse_text(X):
    """Raise if X holds text, which scikit-learn would convert to numbers in silence."""
    kind = getattr(getattr(X, "dtype", None), "kind", None)
    if kind is None and not hasattr(X, "dtypes") and isinstance(X, list | tuple):
        kind = np.asarray(X[:1], dtype=None if _is_regular(X[:1]) else object).dtype.kind
    if kind in ("U", "S", "T") or (kind == "O" and any(isinstance(value, str) for value in np.ravel(X)[:1000])):
        raise ValueError(_TEXT)
    for kind_of_column in getattr(X, "dtypes", ()):
        if str(kind_of_column).lower() in ("string", "str", "utf8", "string[pyarrow]"):
            raise ValueError(_TEXT)


def _is_regular(rows):
    """Whether rows can form an array of numbers or text."""
    try:
        np.asarray(rows)
    except ValueError:
        return False
    return True


_TEXT = (
    "X holds text, and a network needs numbers. Convert numbers in text with astype(float), and encode categories, for "
    "instance with sklearn.preprocessing.OneHotEncoder."
)


def in_range(weights):
    """The weights, times a power of 2 if their sums and products could overflow or underflow float32.

    Only the ratios of weights matter, and a power of 2 rounds none of them.
    """
    exponent = int(np.frexp(weights.max())[1])
    return weights if abs(exponent) <= 30 else np.ldexp(weights, -exponent)


def check_weights(name, weights, X):
    """Weights (n,) as float64, checked: finite, not negative, not all zero. See ``in_range``."""
    try:
        weights = _check_sample_weight(weights, X, dtype=np.float64, ensure_non_negative=True)
    except ValueError as error:
        raise ValueError(f"{name} is not usable: {error}") from error
    if not weights.any():
        raise ValueError(f"{name} is zero for all rows: at least one must be positive.")
    return in_range(weights)


class Given(NamedTuple):
    """What a user passed, unchanged: callbacks and scorers get it in this form."""

    X: Any
    y: Any
    sample_weight: Any


@dataclass(frozen=True)
class Data:
    """The rows of a call, checked.

    `X` is dense or CSR, (B, n_features); `y` is as the task checked it; `targets` fills target arrays; `weights` (B,)
    or None is the weight of each row in the loss, before it is divided by the mean.
    """

    X: Any
    y: np.ndarray
    targets: Any
    weights: np.ndarray | None
    sample_weight: np.ndarray | None
    given: Given

    def normalised_weights(self, rows=None):
        """The weights divided by their mean over the training rows, (B,); None if there are none."""
        if self.weights is None:
            return None
        mean = self.weights.mean() if rows is None else self.weights[rows].mean()
        if not mean > 0:
            raise ValueError("All rows of the training set have weight 0 (sample_weight, class_weight).")
        return self.weights / mean


def checked_rows(estimator, X, y, sample_weight, *, reset):
    """X, y and the sample weights of a call, checked as far as that needs no knowledge of the task."""
    if reset or not (is_ready(estimator, X) and type(y) is np.ndarray and y.shape == X.shape[:1]):
        X, y = checked(estimator, X, y, reset=reset)
    return X, y, None if sample_weight is None else check_weights("sample_weight", sample_weight, X)
