"""A small training set and network in the form that the engine uses."""

import numpy as np
from reference import initial_values, n_outputs, problem

from skfnn._engine.batches import Batches
from skfnn._engine.losses import LOSSES
from skfnn._engine.network import Network
from skfnn._engine.rows import RowFormat
from skfnn._engine.targets import ArrayTargets

KIND_OF_LOSS = {"binary": "logistic_cross_entropy", "multilabel": "logistic_cross_entropy"}


def whole(kind="multiclass", n_rows=40, hidden=(6, 4)):
    """The rows, their targets, the network and its parameters: lists of weights and biases, and one vector."""
    X, _, T = problem(kind, n_rows)
    network = Network((X.shape[1], *hidden, n_outputs(kind)), ("tanh",) * len(hidden))
    start = initial_values(network.sizes, seed=1)
    theta = np.empty(network.n_parameters)
    for layer, W, b in zip(network.layers(theta), *start, strict=True):
        layer[:-1], layer[-1] = W, b
    return X, T, network, start, theta


def loss_of(kind="multiclass"):
    """The loss of a kind of problem."""
    return LOSSES[KIND_OF_LOSS.get(kind, "softmax_cross_entropy")]()


def batches_of(X, T, batch_size, *, weights=None, container=np.asarray, dtype=float, **settings):
    """The mini-batches of the rows, by default in order."""
    settings = {"capacity": 1024, "shuffle": False} | settings
    return Batches(
        container(X), ArrayTargets(T), weights, None, batch_size, form=RowFormat(np.dtype(dtype)), **settings
    )
