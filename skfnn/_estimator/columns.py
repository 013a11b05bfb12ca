"""Summary statistics of the columns of X, gathered part by part."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.preprocessing import StandardScaler

# X is read in parts of about this many entries, so it is never copied whole.
PART = 1_000_000
SMALLEST_SCALE = 1e-300


@dataclass(frozen=True)
class Columns:
    """The mean, standard deviation, minimum and maximum of every column, float64 arrays (n_features,).

    `constant` tells which columns have no spread beyond rounding; their `std` is 1.
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
    def mean_square(self):
        """The mean square of every column."""
        return np.square(self.mean) + np.square(self.spread)


def summarise(X, weights=None):
    """The Columns of dense or CSR rows. Mean and standard deviation are those of a StandardScaler with `weights`."""
    if weights is not None and not weights.all():
        X, weights = X[weights > 0], weights[weights > 0]
    is_sparse, exponents = sparse.issparse(X), _exponents(X)
    scaler = StandardScaler(with_mean=not is_sparse, copy=False)
    low, high = np.full((2, X.shape[1]), np.inf)
    step = max(1, PART // max(1, X.shape[1]))
    for start in range(0, X.shape[0], step):
        part: Any = X[start : start + step]
        # In C order, so that the form in which X came changes no rounding.
        part = part.astype(np.float64) if is_sparse else np.array(part, np.float64, order="C")
        if exponents is not None and is_sparse:
            part.data = np.ldexp(part.data, -exponents[part.indices])
        elif exponents is not None:
            np.ldexp(part, -exponents, out=part)
        # First the extremes, because the scaler may work in place.
        np.minimum(low, _dense(part.min(axis=0)), out=low)
        np.minimum(high, -_dense(part.max(axis=0)), out=high)
        scaler.partial_fit(part, sample_weight=None if weights is None else weights[start : start + step])
    largest = np.maximum(np.abs(low), np.abs(high))
    constant = (scaler.scale_ == 1.0) & (scaler.var_ <= 1e-20 * np.square(largest))
    numbers = scaler.mean_, scaler.scale_, low, -high
    mean, std, low, high = numbers if exponents is None else np.ldexp(numbers, exponents)
    # A column of the smallest numbers must not have a scale whose inverse is infinite.
    return Columns(mean, np.where(constant, 1.0, np.maximum(std, SMALLEST_SCALE)), low, high, constant)


def sample(X, weights=None):
    """The Columns of evenly spaced rows that have about one PART of entries; zero-weight rows do not count."""
    rows = max(200, PART // max(1, X.shape[1]))
    if X.shape[0] <= rows:
        return summarise(X, None if weights is None else (weights > 0).astype(float))
    step = -(-X.shape[0] // rows)
    return summarise(X[::step], None if weights is None else (weights[::step] > 0).astype(float))


def _dense(row):
    """A row of extremes as an array (n_features,)."""
    return row.toarray().ravel() if sparse.issparse(row) else np.asarray(row).ravel()


def _exponents(X):
    """Powers of 2 by which to divide the columns, because squares of their numbers leave the range; None if none do."""
    high, low = (_dense(extremes).astype(np.float64) for extremes in (X.max(axis=0), X.min(axis=0)))
    exponents = np.frexp(np.maximum(np.abs(high), np.abs(low)))[1]
    if not (np.abs(exponents) > 300).any():
        return None
    return np.where(np.abs(exponents) > 300, np.clip(exponents, -1000, 1000), 0)
