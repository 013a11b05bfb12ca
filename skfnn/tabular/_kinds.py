"""Which columns of a table are numbers, and which are categories."""

import decimal
from collections import Counter
from numbers import Complex, Real

import numpy as np
from scipy import sparse

from .._estimator.data import DATES

NUMBER, CATEGORY = "number", "category"

_DATE_REMEDY = (
    "Make numbers of it first, for example the year, the month, the day of the week, or the days since a fixed date."
)


def numbers(X):
    """The numeric columns of a table, for a ColumnTransformer."""
    return _columns(X, NUMBER)


def categories(X):
    """The columns of text, categories and booleans, for a ColumnTransformer."""
    return _columns(X, CATEGORY)


def is_missing(value):
    """Whether a value of an object column is missing: None, NaN, pandas' NA or NaT."""
    # NA is none of the types that can be compared without surprise, so it is known by its name.
    return (
        value is None or type(value).__name__ in {"NAType", "NaTType"} or (isinstance(value, Real) and value != value)
    )


def readable(X):
    """X with NaN for missing values of other types among objects, which NumPy cannot make floats of."""
    if isinstance(X, np.ndarray) and X.dtype == object:
        gaps = np.array([is_missing(value) for value in X.flat], dtype=bool).reshape(X.shape)
        return np.where(gaps, np.nan, X) if gaps.any() else X
    if hasattr(X, "iloc") and hasattr(X, "columns") and "object" in map(str, X.dtypes):
        return X.where(X.notna(), np.nan)
    return X


def _columns(X, kind):
    """The names of the columns of this kind; their numbers if not all names are strings."""
    names, kinds = _kinds(X)
    labels = names if all(isinstance(name, str) for name in names) else range(len(names))
    return [label for label, own in zip(labels, kinds, strict=True) if own == kind]


def _kinds(X):
    """The name and the kind of each column."""
    if sparse.issparse(X):
        raise TypeError("The tabular pipelines take dense tables, got a sparse matrix. Use X.toarray().")
    if hasattr(X, "schema") and hasattr(X, "get_column"):  # polars
        return list(X.columns), [_kind_in_polars(name, X.get_column(name)) for name in X.columns]
    if np.ndim(X) != 2:
        raise ValueError(f"Expected a table of rows and columns, got {np.ndim(X)} dimension(s).")
    if hasattr(X, "iloc"):  # pandas
        names = list(X.columns)
        _check_unique(names)
        return names, [_kind_in_pandas(name, X.iloc[:, j]) for j, name in enumerate(names)]
    X = np.asarray(X)
    names = list(range(X.shape[1]))
    return names, [_kind_of_dtype(j, X.dtype, X[:, j]) for j in names]


def _check_unique(names):
    repeated = [name for name, number in Counter(names).items() if number > 1]
    if repeated:
        raise ValueError(
            f"The table has more than one column named {repeated[0]!r}. Give every column a name of its own, "
            "or drop the copies with X.loc[:, ~X.columns.duplicated()]."
        )


def _kind_in_pandas(name, column):
    dtype = column.dtype
    label = str(dtype)
    if label == "category" or label.startswith("interval"):
        return CATEGORY
    if label.startswith("period"):
        raise _dates(name, label)
    # Arrow's decimals and dates have the kind of an object.
    values = column if getattr(dtype, "kind", "O") == "O" else ()
    return _kind_of_dtype(name, dtype, values)


def _kind_in_polars(name, column):
    dtype = column.dtype
    if dtype.is_temporal():
        raise _dates(name, dtype)
    if dtype.is_numeric():
        return NUMBER
    if dtype.is_nested():
        raise _unusable(name, dtype)
    return _kind_of_values(name, column) if str(dtype) == "Object" else CATEGORY


def _kind_of_dtype(name, dtype, values):
    """The kind of a column by the letter of its dtype; objects are looked at one by one."""
    kind = getattr(dtype, "kind", "O")
    if kind in "iuf":
        return NUMBER
    if kind in "bUST":
        return CATEGORY
    if kind in "mM":
        raise _dates(name, dtype)
    if kind == "O":
        return _kind_of_values(name, values)
    raise _unusable(name, dtype)


def _kind_of_values(name, values):
    """NUMBER if all values that are not missing are real numbers, CATEGORY if they can be written as words."""
    types = {type(value) for value in values if not is_missing(value)}
    for kind in types:
        if issubclass(kind, DATES):
            raise _dates(name, kind.__name__)
        is_complex = issubclass(kind, Complex) and not issubclass(kind, Real)
        if is_complex or issubclass(kind, list | dict | set | np.ndarray):
            raise _unusable(name, kind.__name__)
    are_numbers = all(issubclass(kind, Real | decimal.Decimal) and kind not in (bool, np.bool_) for kind in types)
    return NUMBER if types and are_numbers else CATEGORY


def _dates(name, dtype):
    return ValueError(f"Column {name!r} has dates or times ({dtype}), which the network cannot use. {_DATE_REMEDY}")


def _unusable(name, dtype):
    return ValueError(
        f"Column {name!r} has values of type {dtype}. The tabular pipelines take numbers, text, categories and "
        "booleans."
    )
