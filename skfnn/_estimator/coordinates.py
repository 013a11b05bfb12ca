"""Chooses the coordinates of training from the data: the means and scales of features and targets.

benchmarks/defaults.py measures the gain of these rules; docs/user_guide/standardising.md explains them.
"""

import numpy as np
from scipy import sparse

from .._engine.coordinates import Coordinates
from .columns import summarise

# No standardised training value is larger than this. Without the limit, rare one-hot columns and nearly constant
# features would get values of 30 and more. The limit only changes columns whose rarest value occurs in less than one
# row in 400.
LARGEST = 20.0

# The rule of "auto" is based on a measurement: networks were trained on standardised tables that were then scaled and
# shifted. Factors of 1/2 to 2 and shifts of 1 cost little or nothing. A factor of 1/4 costs 0.1 of log loss. Factors of
# 4 and 1/10 and a shift of 3 cost more.
BIG = 1.5  # root mean square
OFF_CENTRE = 3.0  # mean, in standard deviations
SMALL = 0.35  # standard deviation
TINY = 0.05  # sum of the mean squares of all features
RARE = 8.0  # largest distance from the mean, in standard deviations


def find_coordinates(standardize, task, data, rows, dtype, sampled):
    """The coordinates for training in `dtype` on `rows` of the first call (None: all rows).

    ``sampled()`` gives the Columns of a sample of the rows.
    """
    mean = scale = target_mean = target_scale = None
    if standardize is True:
        mean, scale = standard(data.X, data.sample_weight, rows)
    elif standardize:
        mean, scale = automatic(data.X, data.sample_weight, rows, sampled)
    if mean is not None:
        # Round the shift to the type in which it is subtracted, so that values near the shift lose no digits.
        mean = mean.astype(np.result_type(data.X.dtype, dtype)).astype(np.float64)
    if standardize and task.scales_targets:
        targets = summarise(data.targets.values.astype(np.float64), data.sample_weight, rows)
        target_mean, target_scale = targets.mean, targets.std
    return Coordinates(mean, scale, target_mean, target_scale)


def standard(X, weights, rows=None):
    """The mean and the scale of every feature; sparse features are not shifted."""
    columns = summarise(X, weights, rows)
    largest = columns.largest if sparse.issparse(X) else columns.reach
    scale = np.maximum(columns.std, largest / LARGEST)
    return None if sparse.issparse(X) else columns.mean, scale


def automatic(X, weights, rows, sampled):
    """The mean and the scale of every feature if the features would not train well as they are; else None and None."""
    with np.errstate(over="ignore", invalid="ignore"):
        columns = sampled()
        if not sparse.issparse(X) and _are_of_one_kind(columns):
            return _common(columns)
        rare = columns.two_valued & (columns.reach > RARE * columns.spread) & (columns.largest <= 2.0)
        tiny = columns.mean_square.sum() < TINY
        is_sparse = sparse.issparse(X)
        if not (_any_big(columns, rare, is_sparse) or tiny or (not is_sparse and _many_small(columns))):
            return None, None
    mean, scale = standard(X, weights, rows)
    if not tiny:
        mean, scale = None if mean is None else np.where(rare, 0.0, mean), np.where(rare, 1.0, scale)
    return mean, scale


def _are_of_one_kind(columns):
    """Whether the features share a range and fill it, as the pixels of images do."""
    live = ~columns.constant
    if live.sum() < 16:
        return False
    span = columns.high.max() - columns.low.min()
    share = np.mean((columns.high - columns.low)[live] >= 0.9 * span)
    return share >= 0.5 and np.square(columns.spread).sum() >= 2.0 * span**2


def _common(columns):
    """The common mean and scale of features of one kind; None and None if the features are of order one."""
    low, high = columns.low.min(), columns.high.max()
    if 0.5 <= high - low <= 8.0 and columns.largest.max() <= high - low:
        return None, None
    return np.full_like(columns.mean, low), np.full_like(columns.mean, high - low)


def _any_big(columns, rare, is_sparse):
    """Whether a feature is too large or too far from zero; sparse features are never shifted."""
    live, large = ~columns.constant, np.sqrt(columns.mean_square) > BIG
    off_centre = np.abs(columns.mean) > OFF_CENTRE * columns.spread
    far = live & ~rare & (large if is_sparse else large | off_centre)
    return bool((far | (live & large & (columns.largest > 2.0)) | (columns.constant & (columns.largest > 2.0))).any())


def _many_small(columns):
    """Whether at least half of the features are small; features with two values do not count as small."""
    live = ~columns.constant
    small = live & (columns.spread < SMALL) & (columns.reach <= RARE * columns.spread) & ~columns.two_valued
    return bool(live.any()) and small.sum() >= 0.5 * live.sum()
