"""The objective of a fitted estimator over given rows, in the coordinates of training."""

from .._engine.batches import Batches
from .._engine.objective import Objective


def objective_of(estimator, data, *, theta=None, rows=None, weights=None, training=None, tuning=None):
    """The mean loss of rows of `data`, without the L2 term, as a function of the estimator's parameters.

    `theta` replaces these parameters, unless it is None. `rows` are row numbers, None for all. `weights` (B,) or None
    are the rows' weights in the loss. `training` holds the targets and the loss in the coordinates of training; pass it
    if you have them. `tuning` replaces the estimator's Tuning, unless it is None.
    """
    state, tuning = estimator._state, tuning or estimator._tuning
    targets, loss = training or estimator._task.in_training(data.targets, state.coordinates)
    n_rows, dtype = data.X.shape[0] if rows is None else len(rows), state.theta.dtype
    form, capacity = state.coordinates.row_format(dtype), tuning.rows_at_once(state.network, data.X, dtype)
    batches = Batches(data.X, targets, weights, rows, n_rows, False, form, capacity, tuning)
    return Objective(state.network, state.theta if theta is None else theta, batches, loss, 0.0)
