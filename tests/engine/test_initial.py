"""The rules for the initial parameters: their bounds, their distribution, their precision."""

import numpy as np
import pytest
from networks import dtypes, networks, split
from numpy.testing import assert_allclose, assert_array_equal
from reference import ACTIVATIONS

from skfnn._engine.initial import RULES, initial_parameters, rules_of_layers
from skfnn._engine.network import Network

HE, GLOROT = np.sqrt(6 / 30), np.sqrt(6 / (30 + 50))
# Units whose outputs are about zero for one half of the inputs and grow without limit for the other half.
LIKE_RELU = {"relu", "leaky_relu", "elu", "gelu", "silu"}


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize(
    ("rule", "weights", "biases"),
    [("glorot", GLOROT, GLOROT), ("he", HE, 0.0), ("lecun", 1 / np.sqrt(30), 1 / np.sqrt(30))],
)
def test_the_bounds_of_every_rule(rule, weights, biases, activation):
    if rule == "glorot" and activation == "logistic":  # MLPClassifier uses 2 instead of 6 for logistic units
        weights = biases = np.sqrt(2 / 80)
    assert_allclose(RULES[rule](30, 50, activation), (weights, biases), rtol=1e-14)


@pytest.mark.parametrize(("rule", "variance"), [("he", 2 / 30), ("glorot", 2 / (30 + 50)), ("lecun", 1 / (3 * 30))])
def test_the_bound_of_the_weights_gives_their_variance(rule, variance):
    # A uniform distribution on (-b, b) has the variance b^2 / 3.
    assert_allclose(RULES[rule](30, 50, "tanh")[0] ** 2 / 3, variance, rtol=1e-14)


@pytest.mark.parametrize("rule", RULES)
def test_a_named_rule_applies_to_every_layer(rule):
    assert rules_of_layers(rule, ()) == [rule]
    assert rules_of_layers(rule, ("relu", "tanh", "logistic")) == [rule] * 4


def test_auto_chooses_rules_for_the_first_middle_and_last_layers():
    assert rules_of_layers("auto", ()) == ["lecun"]
    for name in ACTIVATIONS:
        behind = "he" if name in LIKE_RELU else "glorot"
        assert rules_of_layers("auto", (name,)) == ["lecun", "glorot"]
        assert rules_of_layers("auto", ("tanh", name, "relu")) == ["lecun", behind, "he", "glorot"]


NETWORK = Network((200, 100, 80, 60, 10), ("relu", "elu", "logistic"))
OF_BIASES = [1 / np.sqrt(200), 1 / np.sqrt(100), 1 / np.sqrt(80), 1 / np.sqrt(60)]
BOUNDS = {
    "auto": ([1 / np.sqrt(200), np.sqrt(6 / 100), np.sqrt(2 / (80 + 60)), np.sqrt(6 / (60 + 10))], OF_BIASES),
    "lecun": (OF_BIASES, OF_BIASES),
    "he": ([np.sqrt(6 / n) for n in (200, 100, 80, 60)], [0.0] * 4),
    "glorot": ([np.sqrt(6 / (200 + 100)), np.sqrt(6 / (100 + 80)), np.sqrt(2 / (80 + 60)), np.sqrt(6 / (60 + 10))],)
    * 2,
}


def assert_uniform(values, bound):
    """Check that random numbers are uniform within a bound, by their distribution function."""
    scaled = np.sort(values.ravel() / bound)
    assert abs(scaled).max() <= 1 + 1e-6  # float32 rounds to 6e-8
    # For n draws, the largest distance to the uniform distribution function exceeds 2 / sqrt(n) with p < 0.001.
    assert abs((scaled + 1) / 2 - np.linspace(0, 1, scaled.size)).max() < 2 / np.sqrt(scaled.size)


@dtypes
@pytest.mark.parametrize("init", BOUNDS)
def test_weights_and_biases_are_uniform_within_their_bounds(init, dtype):
    theta = initial_parameters(NETWORK, init, np.random.default_rng(0), np.dtype(dtype))
    assert theta.dtype == dtype
    assert theta.shape == (201 * 100 + 101 * 80 + 81 * 60 + 61 * 10,)
    for W, b, weights, biases in zip(*split(NETWORK, theta), *BOUNDS[init], strict=True):
        assert_uniform(W, weights)
        if biases:
            assert_uniform(b, biases)
        else:
            assert_array_equal(b, 0)


@networks
@dtypes
@pytest.mark.parametrize("init", BOUNDS)
def test_the_numbers_come_from_the_random_stream_layer_by_layer(init, network, dtype):
    theta = initial_parameters(network, init, np.random.default_rng(3), np.dtype(dtype))
    rng = np.random.default_rng(3)
    rules = rules_of_layers(init, network.activations)
    for W, b, rule, activation in zip(*split(network, theta), rules, [*network.activations, "identity"], strict=True):
        weights, biases = RULES[rule](*W.shape, activation)
        biases = 1 / np.sqrt(len(W)) if init == "auto" else biases
        assert_array_equal(W, rng.uniform(-weights, weights, W.shape).astype(dtype))
        assert_array_equal(b, rng.uniform(-biases, biases, b.shape).astype(dtype) if biases else 0)


@networks
@pytest.mark.parametrize("init", BOUNDS)
def test_float32_starts_from_the_rounded_numbers_of_float64(init, network):
    single, double = (
        initial_parameters(network, init, np.random.default_rng(7), np.dtype(dtype)) for dtype in (np.float32, float)
    )
    assert_array_equal(single, double.astype(np.float32))


@pytest.mark.parametrize("init", BOUNDS)
def test_another_random_stream_gives_other_numbers(init):
    first, second = (initial_parameters(NETWORK, init, np.random.default_rng(k), np.dtype(float)) for k in (0, 1))
    moving = first != 0  # the biases of "he" stay zero
    assert (first[moving] != second[moving]).all()


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "elu"])
def test_twenty_layers_still_tell_rows_apart(activation):
    # With Glorot's bound, 20 layers of ReLUs shrink the differences between rows to 1/1000.
    network = Network((50, *[100] * 20, 3), (activation,) * 20)
    theta = initial_parameters(network, "auto", np.random.default_rng(0), np.dtype(float))
    f = np.vectorize(ACTIVATIONS[activation][0])
    a, spreads = np.random.default_rng(1).normal(size=(20, 50)), []
    for W, b in list(zip(*split(network, theta), strict=True))[:-1]:
        a = f(a @ W + b)
        spreads.append(a.std(axis=0).mean())
    assert 1 / 20 < spreads[-1] / spreads[0] < 5
