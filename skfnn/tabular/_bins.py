"""The place, the spread and the bin edges of one column of numbers."""

from typing import NamedTuple

import numpy as np


class Column(NamedTuple):
    """What the encoder knows about a column; `edges` has fewer than two entries if the column has fewer values."""

    edges: np.ndarray
    center: float
    scale: float
    has_missing: bool


def describe(values, n_bins):
    """The Column of a vector of numbers, NaN for a missing one."""
    present = np.sort(values[~np.isnan(values)]).astype(np.float64)  # (n_present,)
    has_missing = len(present) < len(values)
    if not len(present):
        return Column(present, 0.0, 1.0, has_missing)
    edges = _edges(present, n_bins)
    center = float(_quantiles(present, np.array([0.5]))[0])
    return Column(edges, center, _scale(present), has_missing)


def half(values):
    """Half of each number: the difference of two halves cannot overflow."""
    return 0.5 * values


def _edges(present, n_bins):
    """The edges of at most `n_bins` bins: every value if there are few, else quantiles. `present` is sorted."""
    distinct = present[np.append(True, np.diff(half(present)) > 0)]
    if len(distinct) <= n_bins + 1:
        return distinct
    edges = _quantiles(present, np.linspace(0.0, 1.0, n_bins + 1))
    return edges[np.append(True, np.diff(half(edges)) > 0)]


def _scale(present):
    """The distance between the quartiles; half the range if they are equal; 1 for a constant."""
    low, high = _quantiles(half(present), np.array([0.25, 0.75]))
    if not high > low:
        low, high = half(half(present[[0, -1]]))
    # Twice the half can be too large for a float.
    return min(2.0 * float(high - low), np.finfo(np.float64).max) if high > low else 1.0


def _quantiles(present, shares):
    """Linearly interpolated quantiles of sorted numbers. np.quantile would sort again, and overflows."""
    position = shares * (len(present) - 1)
    below = np.floor(position).astype(np.intp)
    above = np.minimum(below + 1, len(present) - 1)
    share = position - below
    return (1.0 - share) * present[below] + share * present[above]
