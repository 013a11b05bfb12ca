"""The description of a network, and its parameters in one vector."""

from itertools import pairwise

import numpy as np
from networks import networks, parameters, split
from numpy.testing import assert_array_equal

from skfnn._engine.network import Network


@networks
def test_the_layers_are_consecutive_views_of_the_vector(network):
    theta = parameters(network)
    layers = network.layers(theta)
    assert len(layers) == len(network.sizes) - 1
    assert [layer.shape for layer in layers] == network.shapes
    assert all(layer.flags.c_contiguous and np.shares_memory(layer, theta) for layer in layers)
    for layer, W, b in zip(layers, *split(network, theta), strict=True):
        assert_array_equal(layer[:-1], W)
        assert_array_equal(layer[-1], b)


def test_a_network_counts_a_bias_for_every_unit():
    assert Network((4, 5, 3), ("relu",)).shapes == [(5, 5), (6, 3)]
    assert Network((4, 5, 3), ("relu",)).n_parameters == 43


@networks
def test_a_product_of_rows_with_a_layer_has_one_multiplication_for_each_row_and_parameter(network):
    multiplications = [7 * (fan_in + 1) * fan_out for fan_in, fan_out in pairwise(network.sizes)]
    assert network.largest_product(7) == max(multiplications)
    assert network.largest_product(7, first=1) == max(multiplications[1:], default=0)
