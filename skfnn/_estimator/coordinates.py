"""Chooses the coordinates of training from the data: the means and scales of features and targets."""

import numpy as np
from scipy import sparse
from sklearn.preprocessing import StandardScaler

from .._engine.coordinates import Coordinates

# The statistics of X are gathered over parts of about this many entries, so that X is never copied whole.
_PART = 1_000_000


def find_coordinates(standardize, task, data):
    """The coordinates of training for the first call of a training method."""
    feature_mean = feature_scale = target_mean = target_scale = None
    if standardize is True:
        feature_mean, feature_scale = moments(data.X, data.sample_weight)
    if standardize and task.scales_targets:
        target_mean, target_scale = moments(data.targets.values, data.sample_weight)
    return Coordinates(feature_mean, feature_scale, target_mean, target_scale)


def moments(X, weights):
    """The weighted mean and standard deviation of every column, float64; those of sparse X are about zero.

    A constant column has scale 1. Both are those of :class:`sklearn.preprocessing.StandardScaler`.
    """
    scaler = StandardScaler(with_mean=not sparse.issparse(X), copy=False)
    exponent = _exponent(X)
    step = max(1, _PART // max(1, X.shape[1]))
    for start in range(0, X.shape[0], step):
        part = X[start : start + step].astype(np.float64)
        if exponent:
            part = part * 2.0**-exponent
        scaler.partial_fit(part, sample_weight=None if weights is None else weights[start : start + step])
    mean, scale = None if sparse.issparse(X) else scaler.mean_, scaler.scale_
    if exponent:
        mean = None if mean is None else mean * 2.0**exponent
        scale = np.where(scaler.var_ > 0, scale * 2.0**exponent, 1.0)
    if mean is not None and X.dtype in (np.float16, np.float32):
        # The shift must be a number of X's type: then subtracting it from values near it loses nothing.
        mean = mean.astype(X.dtype).astype(np.float64)
    return mean, scale


def _exponent(X):
    """A power of 2 by which to divide X if the squares of its numbers would leave the range of float64; else 0."""
    largest = np.abs(X.data if sparse.issparse(X) else X).max(initial=0)
    exponent = int(np.frexp(np.float64(largest))[1])
    return exponent if abs(exponent) > 300 else 0
