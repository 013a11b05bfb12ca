"""The coordinates of training: the same network, described for other features and targets."""

from itertools import product

import numpy as np
import pytest
from networks import networks, parameters, split
from numpy.testing import assert_allclose, assert_array_equal
from reference import ACTIVATIONS
from scipy import sparse

from skfnn._engine.coordinates import USERS, Coordinates
from skfnn._engine.network import Network
from skfnn._engine.prediction import Predictor

rng = np.random.default_rng(0)
PARTS = [
    parts
    for parts in product([False, True], repeat=3)  # feature means, feature scales, targets
]
forms = pytest.mark.parametrize("parts", PARTS, ids=lambda parts: "+".join(np.array(["mean", "scale", "y"])[[*parts]]))


def some(network, parts=(True, True, True)):
    """Coordinates for a network's features and outputs that have only these parts; the others are None."""
    n_features, n_outputs = network.sizes[0], network.sizes[-1]
    mean, scale, of_targets = parts
    return Coordinates(
        rng.normal(size=n_features) if mean else None,
        rng.uniform(0.1, 10.0, n_features) if scale else None,
        rng.normal(size=n_outputs) if of_targets else None,
        rng.uniform(0.1, 10.0, n_outputs) if of_targets else None,
    )


def forward(network, theta, X):
    """The raw outputs of rows, (n, n_outputs), computed with NumPy."""
    a = X
    for layer, (W, b) in enumerate(zip(*split(network, theta), strict=True)):
        z = a @ W + b
        if layer < len(network.activations):
            a = np.vectorize(ACTIVATIONS[network.activations[layer]][0])(z)
    return z


def in_training(coordinates, X):
    """Rows in the coordinates of training."""
    X = X if coordinates.feature_mean is None else X - coordinates.feature_mean
    return X if coordinates.feature_scale is None else X / coordinates.feature_scale


def in_users_units(coordinates, raw):
    """Raw outputs in the units of y."""
    return raw if coordinates.target_scale is None else raw * coordinates.target_scale + coordinates.target_mean


@networks
@forms
def test_both_parameter_vectors_describe_the_same_network(network, parts):
    coordinates, theta = some(network, parts), parameters(network)
    X = rng.normal(size=(7, network.sizes[0]))
    expected = in_users_units(coordinates, forward(network, theta, in_training(coordinates, X)))
    found = forward(network, coordinates.to_users_units(network, theta), X)
    # Numbers up to 100, rounded a few times.
    assert_allclose(found, expected, rtol=1e-11, atol=1e-11)


@networks
@forms
def test_the_two_directions_are_inverse(network, parts):
    coordinates, theta = some(network, parts), parameters(network)
    there = coordinates.to_users_units(network, theta)
    back = coordinates.from_users_units(network, theta)
    assert_allclose(coordinates.from_users_units(network, there), theta, rtol=1e-12, atol=1e-12)
    assert_allclose(coordinates.to_users_units(network, back), theta, rtol=1e-12, atol=1e-12)


@networks
@forms
def test_the_difference_of_two_vectors_becomes_the_difference_of_their_images(network, parts):
    coordinates, before = some(network, parts), parameters(network)
    after = before + rng.normal(size=before.size)
    expected = coordinates.from_users_units(network, after) - coordinates.from_users_units(network, before)
    found = coordinates.from_users_units(network, after - before, is_difference=True)
    assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
    assert_array_equal(coordinates.from_users_units(network, np.zeros_like(before), is_difference=True), 0)


@networks
def test_only_the_first_and_the_last_layer_change(network):
    coordinates, theta = some(network), parameters(network)
    for vector in (coordinates.to_users_units(network, theta), coordinates.from_users_units(network, theta)):
        pairs = list(zip(network.layers(vector), network.layers(theta), strict=True))
        for changed, layer in pairs[1:-1]:
            assert_array_equal(changed, layer)
        for changed, layer in (pairs[0], pairs[-1]):
            assert (changed != layer).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_results_are_new_float64_vectors(dtype):
    network = Network((4, 5, 3), ("tanh",))
    theta = parameters(network, dtype)
    theta.flags.writeable = False  # writing into it would fail
    for coordinates in (some(network), USERS):
        for convert in (coordinates.to_users_units, coordinates.from_users_units):
            vector = convert(network, theta)
            assert vector.dtype == np.float64
            assert not np.shares_memory(vector, theta)


def test_the_users_own_coordinates_change_nothing():
    network = Network((4, 5, 3), ("tanh",))
    theta, y, raw = parameters(network), rng.normal(size=(6, 3)), rng.normal(size=(6, 3))
    assert_array_equal(USERS.to_users_units(network, theta), theta)
    assert_array_equal(USERS.from_users_units(network, theta), theta)
    assert USERS.to_targets(y) is y
    unchanged = raw.copy()
    USERS.to_outputs(raw)
    assert_array_equal(raw, unchanged)
    assert not USERS.changes_weights


def test_scales_change_the_weights():
    network = Network((4, 3), ())
    assert some(network, (True, True, False)).changes_weights
    assert some(network, (False, True, False)).changes_weights
    assert some(network, (False, False, True)).changes_weights


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_outputs_of_standardised_targets_are_the_targets(dtype):
    coordinates, y = some(Network((4, 3), ())), rng.normal(size=(6, 3))
    standardised = coordinates.to_targets(y)
    assert_allclose(standardised, (y - coordinates.target_mean) / coordinates.target_scale, rtol=1e-14)
    raw = np.asfortranarray(standardised, dtype)
    coordinates.to_outputs(raw)
    assert raw.dtype == dtype
    assert_allclose(raw, y, rtol=0, atol=4 * 20 * np.finfo(dtype).eps)  # a few roundings of numbers up to 20


@networks
@forms
@pytest.mark.parametrize("form", [np.asarray, np.asfortranarray, sparse.csr_matrix])
def test_the_forward_pass_takes_and_returns_the_users_units(form, network, parts):
    if form is sparse.csr_matrix:
        parts = (False, *parts[1:])  # sparse rows are not shifted
    coordinates, theta = some(network, parts), parameters(network)
    X = rng.normal(size=(7, network.sizes[0]))
    raw = Predictor(network, theta, form(X), 4, coordinates).raw_outputs()
    expected = in_users_units(coordinates, forward(network, theta, in_training(coordinates, X)))
    assert_allclose(raw, expected, rtol=1e-11, atol=1e-11)


@pytest.mark.filterwarnings("error")
def test_scales_at_the_ends_of_the_range_do_not_warn():
    network = Network((2, 2, 1), ("tanh",))
    coordinates = Coordinates(np.zeros(2), np.array([1e-300, 1e300]), np.zeros(1), np.array([1e300]))
    theta = 1e10 * parameters(network)
    with np.errstate(over="raise", invalid="raise"):
        assert not np.isfinite(coordinates.to_users_units(network, theta)).all()
        assert not np.isfinite(coordinates.from_users_units(network, 1e10 * theta)).all()
