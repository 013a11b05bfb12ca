"""Small networks, their parameters, and how the parameter vector is split."""

import numpy as np
import pytest

from skfnn._engine.network import Network

NETWORKS = {
    "no hidden layer": Network((4, 3), ()),
    "one": Network((4, 5, 3), ("tanh",)),
    "three": Network((4, 5, 2, 6, 3), ("tanh", "gelu", "softplus")),
    "narrow": Network((1, 1, 1), ("tanh",)),
}
networks = pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])
# A separate routine handles one row.
sizes_of_batches = pytest.mark.parametrize("n", [1, 2, 7])


def parameters(network, dtype=np.float64):
    return np.random.default_rng(0).normal(size=network.n_parameters).astype(dtype)


def split(network, theta):
    """Split the vector into weights and biases, written without the package."""
    coefs, intercepts, start = [], [], 0
    for fan_in, fan_out in zip(network.sizes[:-1], network.sizes[1:], strict=True):
        block = theta[start : start + (fan_in + 1) * fan_out].reshape(fan_in + 1, fan_out)
        coefs.append(block[:fan_in])
        intercepts.append(block[fan_in])
        start += (fan_in + 1) * fan_out
    assert start == theta.size
    return coefs, intercepts
