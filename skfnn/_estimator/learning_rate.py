"""The learning rate that "auto" stands for.

The constants minimise the regret over development tables. The regret is what the rule loses in log loss or R^2 against
the best rate of a fine grid, for each table and batch size; see benchmarks/defaults.py.
"""

from math import sqrt

import numpy as np

# The rates of plain SGD and of Adam at batch size 200 with one hidden layer of 100 units, for each loss.
SGD = {"softmax": 0.2, "logistic": 0.2, "identity": 0.05, "exp": 0.0125}
ADAM = {"softmax": 0.001, "logistic": 0.001, "identity": 0.001, "exp": 0.0005}
# They grow with this power of the batch size.
SGD_POWER, ADAM_POWER = 0.75, 0.5
# SGD needs a smaller rate if the mean squared norm of the rows, in the coordinates of training, is above this number:
# raw features, or thousands of columns.
LONG = {"softmax": 1000.0, "logistic": 1000.0, "identity": 100.0, "exp": 1000.0}
# The rate falls with the number of hidden layers, up to this number.
DEEPEST = 3


def automatic_rate(settings, network, loss, batch_size, is_whole):
    """The learning rate for a solver, a network, a loss, and mini-batches of `batch_size` rows.

    `is_whole` tells whether a mini-batch is the whole training set.
    """
    depth = min(max(1, len(network.sizes) - 2), DEEPEST)
    kind, share = loss.out_activation, batch_size / 200.0
    if is_whole:
        # The gradient of all rows has no noise, however few rows there are. So one row of weight 2 equals two rows.
        share = max(1.0, share)
    if settings.solver == "adam":
        return ADAM[kind] * share**ADAM_POWER / depth
    rate = SGD[kind] * share**SGD_POWER / depth * (1.0 - settings.momentum)
    # The more units feed the outputs, the steeper the squared error is.
    return rate / max(1.0, sqrt(network.sizes[-2] / 100.0)) if kind == "identity" else rate


def steepness(loss, data, coordinates, rows, sampled):
    """The number by which the automatic rate of SGD is divided because of the data.

    `rows` are the training rows (None: all rows). ``sampled()`` gives the Columns of a sample of them.
    """
    kind = loss.out_activation
    long = max(1.0, _mean_squared_norm(sampled(), coordinates) / LONG[kind])
    if kind != "exp":
        return long
    weights = data.sample_weight if data.sample_weight is None or rows is None else data.sample_weight[rows]
    return long * max(1.0, float(data.targets.mean(rows, weights).mean()))


def _mean_squared_norm(columns, coordinates):
    """The weighted mean of the squared norms of the rows behind `columns`, in the coordinates of training."""
    mean = columns.mean if coordinates.feature_mean is None else columns.mean - coordinates.feature_mean
    scale = 1.0 if coordinates.feature_scale is None else coordinates.feature_scale
    with np.errstate(over="ignore", invalid="ignore"):
        return min(float(np.sum((np.square(mean) + np.square(columns.spread)) / np.square(scale))), 1e12)
