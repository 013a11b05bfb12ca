"""Categories of any type as words."""

from numbers import Integral, Real

import numpy as np

from ._kinds import is_missing

MISSING = "<missing>"


def words(X):
    """The values of a table as words: an array of str objects, in which every kind of missing value is one word.

    Whole numbers are written alike whatever their type is, because a column of whole numbers becomes one of floats when
    a value is missing.
    """
    columns = [_column(values) for values in _columns_of(X)]
    if not columns:
        return np.empty((len(X), 0), dtype=object)
    return np.array(columns, dtype=object).T


def _columns_of(X):
    """The columns of a pandas or polars frame or of an array."""
    if hasattr(X, "get_column"):
        return [X.get_column(name).to_list() for name in X.columns]
    if hasattr(X, "iloc"):
        return [X.iloc[:, j].tolist() for j in range(X.shape[1])]
    return np.asarray(X).T.tolist()


def _column(values):
    """One column as a list of words. Every distinct value is written once."""
    # 1, 1.0 and True are equal as keys, so all but text has its type in the key.
    keys = [value if type(value) is str else (type(value), value) for value in values]
    known = {key: _word(key if type(key) is str else key[1]) for key in set(keys)}
    return [known[key] for key in keys]


def _word(value):
    if is_missing(value):
        return MISSING
    if isinstance(value, bool | np.bool_) or not isinstance(value, Real):
        return str(value)
    if isinstance(value, Integral):
        return str(int(value))
    number = float(value)
    return str(int(number)) if number.is_integer() else repr(number)
