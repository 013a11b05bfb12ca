"""The validation set: where it comes from, its loss and score after every epoch."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.model_selection import train_test_split


@dataclass
class ValidationSet:
    """Rows that are scored after every epoch.

    `X` (n, n_features) is checked and ready for the forward pass; `X_given` and `y` are as the user gave them, for
    scorers; `targets` fills target arrays; `weights` (n,) or None are sample weights.
    """

    X: Any
    X_given: Any
    y: Any
    targets: Any
    weights: np.ndarray | None


def hold_out(n_rows, fraction, strata, weights, seed):
    """The row numbers of a validation set drawn from the rows whose weight is not 0.

    Stratified by `strata` (n_rows,) where every class has rows enough for both sides.
    """
    rows = np.arange(n_rows) if weights is None else np.flatnonzero(weights)
    n_held = int(np.ceil(fraction * len(rows)))
    if n_held >= len(rows):
        raise ValueError(
            f"A validation set of validation_fraction={fraction} leaves no training rows: there are {len(rows)} rows "
            "(of positive sample_weight). Give X_val and y_val, or more rows."
        )
    if strata is not None:
        strata = strata[rows]
        counts = np.bincount(strata)
        counts = counts[counts > 0]
        if counts.min() < 2 or min(n_held, len(rows) - n_held) < len(counts):
            strata = None
    return np.sort(train_test_split(rows, test_size=n_held, stratify=strata, random_state=seed)[1])


def mean_loss(loss, raw, targets, weights):
    """The weighted mean loss of rows with raw outputs `raw` (n, n_outputs), which is left as it is."""
    n, n_outputs = raw.shape
    # One block of one mini-batch.
    z, y, delta = np.empty((3, 1, n_outputs, n), raw.dtype)
    row = np.empty((1, n), raw.dtype)
    np.copyto(z[0], raw.T)
    targets.fill(slice(0, n), y)
    if weights is None:
        loss.write_delta(z[0].T, y[0].T, delta[0].T, row.T)
        return loss.value(z, y, row) / n
    cast = weights.astype(raw.dtype)[None]
    loss.write_delta(z[0].T, y[0].T, delta[0].T, row.T, cast.T)
    return loss.value(z, y, row, cast) / float(weights.sum())
