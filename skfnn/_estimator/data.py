"""Checks the rows, targets and weights that a user passes."""

import datetime
import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from sklearn.utils.validation import _check_sample_weight, validate_data

from .._engine.blas import blas

# Matrices of these types stay as they are and are cast one mini-batch at a time. Others become the first type.
DTYPES = [np.float64, np.float32, np.float16, *map(np.dtype, "?bBhHiIlLqQ")]


def is_finite(X):
    """Whether X is known to be a plain array of finite floats. BLAS needs half the time of NumPy's sum for that.

    If False, X may still be finite: the sum may overflow, or X may not be a plain array.
    """
    if type(X) is not np.ndarray or X.dtype not in (np.float64, np.float32) or not 0 < X.size < 2**31:
        return False
    if not (X.flags.c_contiguous or X.flags.f_contiguous):
        return False
    return math.isfinite(blas(X.dtype).asum(X.ravel("K")))


def is_ready(estimator, X):
    """Whether scikit-learn's validation can be skipped, because it would return X unchanged.

    For a few rows, validation takes most of the time. In doubt the answer is False, and scikit-learn validates X.
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
    refuse_text_and_dates(X)
    rules = {"accept_sparse": "csr", "dtype": DTYPES, "ensure_all_finite": not is_finite(X)}
    if targets:
        rules["multi_output"] = True
    # scikit-learn first sums X. The sum overflows if X holds numbers near the largest representable one.
    with np.errstate(over="ignore", invalid="ignore"):
        try:
            return validate_data(estimator, X, *targets, reset=reset, **rules)
        except ValueError as error:
            if remedy := _remedy_for_nan(str(error)):
                raise ValueError(remedy) from None
            raise


def _remedy_for_nan(message):
    """A message that says what to do about NaN, in place of scikit-learn's `message`; None if this is not about NaN."""
    if message.startswith("Input X contains NaN"):
        return (
            "Input X contains NaN, and a network needs a number in every place. Use a model of skfnn.tabular, which "
            "takes missing values, or fill the gaps, for instance with sklearn.impute.SimpleImputer."
        )
    # scikit-learn leaves out the name if y holds objects.
    if message.startswith(("Input y contains NaN", "Input contains NaN")):
        return "Input y contains NaN. Leave out the rows whose target is missing."
    return None


def refuse_text_and_dates(X):
    """Raise if X holds text or dates, because scikit-learn would silently convert them to numbers."""
    if hasattr(X, "dtypes") and hasattr(X, "columns"):  # a frame of pandas or polars
        found = {_contents_of_column(X, k, str(kind).lower()) for k, kind in enumerate(X.dtypes)}
    else:
        found = {_contents(_as_array(X) if isinstance(X, list | tuple) else X)}
    if "text" in found:
        raise ValueError(
            "X holds text, and a network needs numbers. Convert numbers in text with astype(float). For categories, "
            "use a model of skfnn.tabular, which takes text, or encode them with sklearn.preprocessing.OneHotEncoder."
        )
    if "dates" in found:
        raise ValueError(
            "X holds dates or times, and a network needs numbers. Choose what matters, for instance the month, the day "
            "of the week, or the days since a fixed date."
        )


# The beginnings of the names that pandas, pyarrow and polars give to types whose values may be text, or are dates.
_TEXT_TYPES = ("object", "str", "large_string", "utf8", "categor", "enum", "dictionary")
_DATE_TYPES = ("date", "time", "duration", "period")
DATES = (datetime.date, datetime.time, datetime.timedelta, np.datetime64, np.timedelta64)


def _contents_of_column(X, k, kind):
    """What column k of a frame, with a type of the name `kind`, holds: "text", "dates" or None for anything else."""
    if kind.startswith(_DATE_TYPES):
        return "dates"
    if not kind.startswith(_TEXT_TYPES):
        return None
    return _contents(np.asarray(X.iloc[:, k] if hasattr(X, "iloc") else X[:, k].to_numpy()))


def _as_array(rows):
    """Rows in lists as an array; rows of different lengths are left to scikit-learn's validation."""
    try:
        return np.asarray(rows)
    except (TypeError, ValueError):
        return None


def _contents(values):
    """What an array holds: "text", "dates" or None for anything else."""
    kind = getattr(getattr(values, "dtype", None), "kind", None)
    if kind == "O" and isinstance(values, np.ndarray):
        kinds = set(map(type, values.flat))
        if any(issubclass(each, str | bytes) for each in kinds):
            return "text"
        return "dates" if any(issubclass(each, DATES) for each in kinds) else None
    return {"U": "text", "S": "text", "T": "text", "M": "dates", "m": "dates"}.get(kind or "")


def in_range(weights):
    """The weights, multiplied by a power of 2 if their sums and products could overflow or underflow float32.

    Only the ratios of weights matter, and multiplying by a power of 2 causes no rounding.
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
    """The unchanged arguments of the user, for callbacks and scorers."""

    X: Any
    y: Any
    sample_weight: Any


@dataclass(frozen=True)
class Data:
    """The rows of a call, checked.

    `X` is dense or CSR, (B, n_features). `y` has been checked by the task. `targets` fills target arrays. `weights`
    (B,) or None are the rows' weights in the loss, not yet divided by their mean.
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


def _is_plain(y):
    """Whether y is an array that validation would return unchanged."""
    return type(y) is np.ndarray and y.dtype.kind in "iubfU" and (y.dtype.kind != "f" or np.isfinite(y).all())


def checked_rows(estimator, X, y, sample_weight, *, reset):
    """X, y and the sample weights of a call, after all checks that do not depend on the task."""
    if reset or not (is_ready(estimator, X) and _is_plain(y) and y.shape == X.shape[:1]):
        X, y = checked(estimator, X, y, reset=reset)
    return X, y, None if sample_weight is None else check_weights("sample_weight", sample_weight, X)
