"""Summary statistics of the columns of X, computed part by part."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.preprocessing import StandardScaler

# X is read in parts of about this many entries, so it is never copied whole.
PART = 250_000
# A sample has about this many entries.
SAMPLE = 1_000_000
SMALLEST_SCALE = float(np.finfo(np.float64).tiny)


@dataclass(frozen=True)
class Columns:
    """The mean, standard deviation, minimum and maximum of every column, float64 arrays (n_features,).

    `constant` marks the columns that do not vary except by rounding; their `std` is 1.
    """

    mean: np.ndarray
    std: np.ndarray
    low: np.ndarray
    high: np.ndarray
    constant: np.ndarray

    @property
    def spread(self):
        """The standard deviation, 0 in constant columns."""
        return np.where(self.constant, 0.0, self.std)

    @property
    def largest(self):
        """The largest absolute value of every column."""
        return np.maximum(np.abs(self.low), np.abs(self.high))

    @property
    def reach(self):
        """The largest distance from the mean in every column."""
        return np.maximum(self.high - self.mean, self.mean - self.low)

    @property
    def two_valued(self):
        """Which columns have only two values, at least 0.5 apart: their variance is as large as it can be."""
        largest_variance = (self.mean - self.low) * (self.high - self.mean)
        return (np.square(self.spread) >= 0.999 * largest_variance) & (self.high - self.low >= 0.5)

    @property
    def mean_square(self):
        """The mean square of every column."""
        return np.square(self.mean) + np.square(self.spread)


def summarise(X, weights=None, rows=None):
    """The Columns of dense or CSR X, over the row numbers `rows` (None: all rows).

    Mean and standard deviation are those that a StandardScaler finds with `weights` (B,).
    """
    if weights is not None and rows is not None:
        weights = weights[rows]
    if weights is not None and not weights.all():
        positive = np.flatnonzero(weights)
        rows, weights = positive if rows is None else rows[positive], weights[positive]
    low, high, scaler = _statistics(X, weights, rows)
    largest = np.maximum(np.abs(low), np.abs(high))
    exponents = _exponents(largest)
    if exponents is not None:
        low, high, scaler = _statistics(X, weights, rows, exponents)
        largest = np.maximum(np.abs(low), np.abs(high))
    constant = (scaler.scale_ == 1.0) & (scaler.var_ <= 1e-20 * np.square(largest))
    numbers = scaler.mean_, scaler.scale_, low, high
    mean, std, low, high = numbers if exponents is None else np.ldexp(numbers, exponents)
    # The mean of equal numbers must be that number exactly. The scale of a column of tiny numbers must not be so small
    # that its inverse is infinite.
    mean = np.where(low == high, low, mean)
    return Columns(mean, np.where(constant, 1.0, np.maximum(std, SMALLEST_SCALE)), low, high, constant)


def _statistics(X, weights, rows, exponents=None):
    """The extremes of every column, and a StandardScaler that has seen the rows, in one pass.

    The numbers of column k are divided by ``2**exponents[k]`` first.
    """
    is_sparse = sparse.issparse(X)
    scaler = StandardScaler(with_mean=not is_sparse, copy=False)
    low, high = np.full((2, X.shape[1]), np.inf)
    part: Any
    for place, part in _parts(X, rows):
        # In C order, so that the rounding does not depend on the memory layout of X.
        part = part.astype(np.float64) if is_sparse else np.array(part, np.float64, order="C")
        if exponents is not None and is_sparse:
            part.data = np.ldexp(part.data, -exponents[part.indices])
        elif exponents is not None:
            np.ldexp(part, -exponents, out=part)
        # Take the extremes first, because the scaler may change the part in place.
        np.minimum(low, _dense(part.min(axis=0)), out=low)
        np.minimum(high, -_dense(part.max(axis=0)), out=high)
        # Squares may overflow without exponents. Rounding may make the weighted variance of a constant column negative.
        with np.errstate(over="ignore", invalid="ignore"):
            scaler.partial_fit(part, sample_weight=None if weights is None else weights[place])
    return low, -high, scaler


def sample(X, weights=None, rows=None):
    """The Columns of evenly spaced rows with about SAMPLE entries in total, weighted with `weights` (B,)."""
    if weights is not None:
        rows = np.flatnonzero(weights) if rows is None else rows[weights[rows] > 0]
    n_rows = X.shape[0] if rows is None else len(rows)
    step = -(-n_rows // max(200, SAMPLE // _row_entries(X)))
    if rows is not None:
        return summarise(X, weights, rows[::step])
    return summarise(X if step == 1 else X[::step])


def _parts(X, rows):
    """Yield the rows part by part: the place of each part among the rows, and the part."""
    n_rows, step = X.shape[0] if rows is None else len(rows), max(1, PART // _row_entries(X))
    for start in range(0, n_rows, step):
        place = slice(start, start + step)
        yield place, X[place] if rows is None else X[rows[place]]


def _row_entries(X):
    """The mean number of stored entries per row, rounded up."""
    return max(1, -(-X.nnz // X.shape[0]) if sparse.issparse(X) else X.shape[1])


def _dense(row):
    """A row of extremes as an array (n_features,)."""
    return row.toarray().ravel() if sparse.issparse(row) else np.asarray(row).ravel()


def _exponents(largest):
    """The exponents of powers of 2 that bring squares of the columns' numbers into range; None if they are in range.

    `largest` has the largest absolute value of every column.
    """
    exponents = np.frexp(largest)[1]
    if not (np.abs(exponents) > 300).any():
        return None
    return np.where(np.abs(exponents) > 300, np.clip(exponents, -1000, 1000), 0)
