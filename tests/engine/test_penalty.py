"""The L2 term of the objective."""

import numpy as np
import pytest
from networks import NETWORKS, dtypes, networks, parameters, split

from skfnn._engine.penalty import L2Penalty


def penalty_of(network, theta, decay):
    """The L2 term, computed by its formula."""
    return decay / 2 * sum((W**2).sum() for W in split(network, theta)[0])


@networks
@dtypes
def test_the_penalty_uses_the_present_weights(network, dtype):
    theta = parameters(network, dtype)
    l2 = L2Penalty(network.layers(theta), 0.3)
    for _ in range(2):
        # About fifty squares are rounded once each.
        expected = penalty_of(network, theta.astype(float), 0.3)
        assert l2.value() == pytest.approx(expected, rel=1e-5 if dtype == np.float32 else 1e-14)
        assert isinstance(l2.value(), float)
        theta *= 2


@networks
def test_the_gradient_matches_the_value_and_excludes_the_biases(network):
    theta = parameters(network)
    gradient = np.zeros_like(theta)
    L2Penalty(network.layers(theta), 0.3).add_gradient(network.layers(gradient))
    step = 1e-3  # the term is quadratic, so central differences are exact up to rounding
    for k in range(theta.size):
        ends = [penalty_of(network, theta + sign * step * np.eye(theta.size)[k], 0.3) for sign in (1, -1)]
        assert gradient[k] == pytest.approx((ends[0] - ends[1]) / (2 * step), abs=1e-11)


@dtypes
def test_the_gradient_is_added_to_the_layers(dtype):
    network = NETWORKS["one"]
    theta, start = parameters(network, dtype), np.arange(network.n_parameters, dtype=dtype)
    added, alone = start.copy(), np.zeros_like(theta)
    l2 = L2Penalty(network.layers(theta), 0.3)
    l2.add_gradient(network.layers(added))
    l2.add_gradient(network.layers(alone))
    assert alone.any()
    np.testing.assert_allclose(added, start + alone, rtol=1e-6 if dtype == np.float32 else 1e-15)


def test_without_decay_there_is_no_penalty():
    network = NETWORKS["one"]
    theta, gradient = np.full(network.n_parameters, np.inf), np.ones(network.n_parameters)
    l2 = L2Penalty(network.layers(theta), 0.0)
    assert l2.value() == 0.0
    l2.add_gradient(network.layers(gradient))
    np.testing.assert_array_equal(gradient, 1.0)
