"""The training task, the same for every peer, and the loss of the result, computed independently of the peers."""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

SOLVERS = {
    "sgd": {"solver": "sgd", "eta": 0.1, "momentum": 0.0},
    "momentum": {"solver": "sgd", "eta": 0.01, "momentum": 0.9},  # Nesterov's
    "adam": {"solver": "adam", "eta": 0.001, "momentum": 0.0},
}
ACTIVATIONS = {  # the activations that all peers have
    "relu": lambda z: np.maximum(z, 0.0),
    "tanh": np.tanh,
    "logistic": lambda z: 1.0 / (1.0 + np.exp(-z)),
    "identity": lambda z: z,
}


@dataclass(frozen=True)
class Task:
    """A network, an algorithm, and the part of the training set that it trains on.

    `batch_size` is a number; "full" becomes `rows`. If `batch_size` is `rows`, the order of the rows does not matter
    and no peer shuffles.
    """

    sizes: tuple[int, ...]
    batch_size: int
    rows: int
    solver: str = "sgd"
    eta: float = 0.1
    momentum: float = 0.0
    activation: str = "relu"
    shuffle: bool = True
    seed: int = 0

    @property
    def shuffles(self):
        return self.shuffle and self.batch_size < self.rows

    @property
    def iterations(self):
        """Iterations per epoch."""
        return -(-self.rows // self.batch_size)

    @property
    def hidden(self):
        return self.sizes[1:-1]


def make_task(sizes, batch_size, rows, solver="sgd", **settings):
    """The task for a solver name of the command line; `batch_size` may be "full"."""
    batch_size = rows if batch_size == "full" else min(int(batch_size), rows)
    return Task(tuple(sizes), batch_size, rows, **{**SOLVERS[solver], **settings})


def small_version(task, iterations):
    """The task with few iterations, a smaller last mini-batch and rows in order, to compare results."""
    if task.batch_size == task.rows:
        rows = min(task.rows, 2000)
        return replace(task, rows=rows, batch_size=rows, shuffle=False)
    iterations = max(3, min(iterations, 4000 // task.batch_size))
    rows = min(task.rows, iterations * task.batch_size + task.batch_size // 3)
    return replace(task, rows=rows, shuffle=False)


def initial_weights(task):
    """The initial values of every layer: [(W (fan_in, fan_out), b (fan_out,)), ...], float32."""
    rng = np.random.default_rng(task.seed)
    layers = []
    for fan_in, fan_out in pairwise(task.sizes):
        limit = np.float32(np.sqrt(6.0 / fan_in))
        weights = (2 * rng.random((fan_in, fan_out), np.float32) - 1) * limit
        layers.append((weights, np.zeros(fan_out, np.float32)))
    return layers


def raw_outputs(task, layers, X):
    """The output layer before its activation, in float64, (n, n_outputs)."""
    a = X
    for number, (weights, biases) in enumerate(layers):
        if number:
            a = ACTIVATIONS[task.activation](a)
        a = a @ np.asarray(weights, np.float64) + np.asarray(biases, np.float64)
    return a


def mean_loss(task, layers, X, y):
    """The mean softmax cross-entropy over the rows, in float64."""
    z = raw_outputs(task, layers, X)
    z = z - z.max(axis=1, keepdims=True)
    return float(np.mean(np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(y)), y]))


def accuracy(task, layers, X, y):
    """The share of the rows whose largest output is the output of their class."""
    return float(np.mean(raw_outputs(task, layers, X).argmax(axis=1) == y))
