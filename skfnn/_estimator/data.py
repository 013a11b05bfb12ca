"""Checks of what a user passes to fit and predict."""

import math

import numpy as np
from sklearn.utils.validation import _check_sample_weight, validate_data

from .._engine.blas import blas

# Matrices of these types are worked on as they are, a mini-batch at a time; others become the first.
DTYPES = [np.float64, np.float32, np.float16, *map(np.dtype, "?bBhHiIlLqQ")]


def is_finite(X):
    """Whether X is a plain array of floats, all finite: by BLAS in half the time that NumPy's sum takes.

    False says nothing: the sum may be too large, or X of another kind.
    """
    if type(X) is not np.ndarray or X.dtype not in (np.float64, np.float32) or not 0 < X.size < 2**31:
        return False
    if not (X.flags.c_contiguous or X.flags.f_contiguous):
        return False
    return math.isfinite(blas(X.dtype).asum(X.ravel("K")))


def checked(estimator, X, *targets, reset):
    """X, or X and y, as scikit-learn validates them; X stays in the type that it has."""
    rules = {"accept_sparse": "csr", "dtype": DTYPES, "ensure_all_finite": not is_finite(X)}
    if targets:
        rules["multi_output"] = True
    # scikit-learn sums X up first, which overflows where X holds numbers near the largest.
    with np.errstate(over="ignore", invalid="ignore"):
        return validate_data(estimator, X, *targets, reset=reset, **rules)


def in_range(weights):
    """The weights, by a power of 2 nearer to 1 where sums and products of them, also in float32, would leave its range.

    Only the ratios of weights matter; a power of 2 rounds none of them.
    """
    exponent = int(np.frexp(weights.max())[1])
    return weights if abs(exponent) <= 30 else np.ldexp(weights, -exponent)


def check_weights(name, weights, X):
    """Weights (n,) as float64: finite, not negative, not all zero; see ``in_range``."""
    try:
        weights = _check_sample_weight(weights, X, dtype=np.float64, ensure_non_negative=True)
    except ValueError as error:
        raise ValueError(f"{name} is not usable: {error}") from error
    if not weights.any():
        raise ValueError(f"{name} is zero for all rows: at least one must be positive.")
    return in_range(weights)


def normalised(weights, rows):
    """The weights divided by their mean over the training rows."""
    mean = weights.mean() if rows is None else weights[rows].mean()
    if not mean > 0:
        raise ValueError("All rows of the training set have weight 0 (sample_weight, class_weight).")
    return weights / mean
