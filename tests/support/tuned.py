"""Estimators with blocks so small that small problems take the code paths of large ones."""

from dataclasses import replace

import skfnn
from skfnn._engine.tuning import Tuning


def always(batch_size, block_rows, n_features, n_units):
    """Defer the first layer's update whenever it can be deferred."""
    return True


SMALL_BLOCKS = Tuning(block_rows=64, defers=always)


class FNNClassifier(skfnn.FNNClassifier):
    """The classifier with small blocks."""

    _tuning = SMALL_BLOCKS


class FNNRegressor(skfnn.FNNRegressor):
    """The regressor with small blocks."""

    _tuning = SMALL_BLOCKS


def retuned(estimator, **sizes):
    """An unfitted estimator with the parameters of `estimator` and other sizes of blocks."""
    kind = type(estimator)
    other = type(kind.__name__, (kind,), {"_tuning": replace(kind._tuning, **sizes)})
    return other(**estimator.get_params(deep=False))
