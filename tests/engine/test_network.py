"""The network on its own: its parameters in one vector, the buffers, the two passes, the gradient in factors.

Everything is held against formulas of one row at a time.
"""

from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from reference import ACTIVATIONS, forward, row_gradient
from test_memory import peak_of

from skfnn._engine.dropout import Dropout
from skfnn._engine.network import Network, Panel, Passes, Workspace

NETWORKS = {
    "no hidden layer": Network((4, 3), ()),
    "one": Network((4, 5, 3), ("tanh",)),
    "three": Network((4, 5, 2, 6, 3), ("tanh", "gelu", "softplus")),
    "narrow": Network((1, 1, 1), ("tanh",)),
}
networks = pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])
# One row has a routine of its own.
sizes_of_batches = pytest.mark.parametrize("n", [1, 2, 7])


def parameters(network, dtype=np.float64):
    return np.random.default_rng(0).normal(size=network.n_parameters).astype(dtype)


def split(network, theta):
    """The weights and the biases, counted off from the vector by hand."""
    coefs, intercepts, start = [], [], 0
    for fan_in, fan_out in zip(network.sizes[:-1], network.sizes[1:], strict=True):
        block = theta[start : start + (fan_in + 1) * fan_out].reshape(fan_in + 1, fan_out)
        coefs.append(block[:fan_in])
        intercepts.append(block[fan_in])
        start += (fan_in + 1) * fan_out
    assert start == theta.size
    return coefs, intercepts


# The parameters


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


@dtypes
def test_initial_weights_come_from_the_random_stream_layer_by_layer(dtype):
    network = Network((30, 20, 10), ("relu",))
    theta = network.initial_parameters(np.random.default_rng(3), np.dtype(dtype))
    rng = np.random.default_rng(3)
    # He's rule for the layer into the ReLU, Glorot's for the output.
    bounds = [np.sqrt(6 / 30), np.sqrt(6 / (20 + 10))]
    for W, b, bound in zip(*split(network, theta), bounds, strict=True):
        assert_array_equal(W, rng.uniform(-bound, bound, W.shape).astype(dtype))
        assert_array_equal(b, 0)
    assert theta.dtype == dtype


# The buffers


@pytest.mark.parametrize("training", [False, True])
@networks
@dtypes
def test_a_workspace_has_no_more_memory_than_its_rows_need(network, training, dtype):
    workspace, hidden = Workspace(network, 7, dtype, training=training), network.sizes[1:-1]
    assert [m.size for m in workspace.hidden] == [7 * (units + 1) for units in hidden]
    assert [m.size for m in workspace.slopes] == [7 * units for units in hidden]
    assert [m.size for m in workspace.deltas] == [7 * units for units in network.sizes[1:] if training]
    assert workspace.scratch.size == 7 * max(hidden, default=0)
    assert workspace.capacity == 7
    arrays = [*workspace.hidden, *workspace.slopes, *workspace.deltas, workspace.scratch]
    assert {a.dtype for a in arrays} == {np.dtype(dtype)}
    assert all((slopes == 0).all() for slopes in workspace.slopes)


def test_prediction_is_what_has_no_deltas():
    network = NETWORKS["one"]
    assert len(Workspace(network, 2, np.float64).panel(2).deltas) == 2
    assert Workspace(network, 2, np.float64, training=False).panel(2).deltas == []


@networks
@sizes_of_batches
def test_a_panel_has_the_shapes_and_the_order_of_the_products(network, n):
    workspace = Workspace(network, 7, np.float64)
    panel = workspace.panel(n)
    hidden = network.sizes[1:-1]
    assert panel.n == n
    assert panel.inputs[0] is None
    assert [a.shape for a in panel.inputs[1:]] == [(n, units + 1) for units in hidden]
    assert [a.shape for a in panel.deltas] == [(n, units) for units in network.sizes[1:]]
    for arrays, memories in ((panel.outputs, workspace.hidden), (panel.slopes, workspace.slopes)):
        assert [a.shape for a in arrays] == [(n, units) for units in hidden]
        assert all(np.shares_memory(a, m) for a, m in zip(arrays, memories, strict=True))
    assert [a.shape for a in panel.scratch] == [(n, units) for units in hidden]
    assert all(np.shares_memory(a, workspace.scratch) for a in panel.scratch)
    assert all(np.shares_memory(a, m) for a, m in zip(panel.deltas, workspace.deltas, strict=True))
    for array in [*panel.inputs[1:], *panel.outputs, *panel.deltas, *panel.slopes, *panel.scratch]:
        assert array.flags.f_contiguous


@networks
def test_what_a_layer_writes_is_what_the_next_one_reads_beside_ones(network):
    panel = Workspace(network, 7, np.float64).panel(3)
    for k, output in enumerate(panel.outputs):
        output[...] = k + 2
        assert_array_equal(panel.inputs[k + 1][:, :-1], k + 2)
        assert_array_equal(panel.inputs[k + 1][:, -1], 1.0)


@pytest.mark.parametrize("keep", [1.0, 0.75])
def test_the_ones_are_there_whatever_number_of_rows_the_memory_served_before(keep):
    workspace = Workspace(NETWORKS["three"], 7, np.float64, keep=keep)
    for n in (7, 3, 7, 1, 2, 7):
        panel = workspace.panel(n)
        for inputs in panel.inputs[1:]:
            assert_array_equal(inputs[:, -1], keep)
            inputs[:, :-1] = np.nan  # with another number of rows some of these are where the ones belong


def test_a_panel_is_made_once_and_filled_when_another_was_in_between(monkeypatch):
    filled = []
    monkeypatch.setattr(Panel, "fill_last_columns", lambda panel, value: filled.append((panel.n, value)))
    workspace = Workspace(NETWORKS["one"], 7, np.float64)
    panels = [workspace.panel(n) for n in (7, 7, 3, 7, 3, 3)]
    assert panels[0] is panels[1] is panels[3]
    assert panels[2] is panels[4] is panels[5]
    assert filled == [(7, 1.0), (3, 1.0), (7, 1.0), (3, 1.0)]


# The passes


def run(network, X, deltas, dtype=np.float64, theta=None, dropout=None):
    """Both passes over the rows: the passes, the panel, the raw outputs."""
    theta = parameters(network, dtype) if theta is None else theta
    n, keep = len(X), 1.0 if dropout is None else dropout.keep
    passes, panel = Passes(network, theta, dropout), Workspace(network, n + 2, dtype, keep=keep).panel(n)
    raw = np.full((n, network.sizes[-1]), np.nan, dtype, order="F")
    W, b = (part[0] for part in split(network, theta))
    first = passes.first_output(panel, raw)
    first[...] = X @ W + b
    passes.forward(panel, raw)
    panel.deltas[-1][...] = deltas
    passes.backward(panel)
    return passes, panel, raw


def rows(network, n, seed=1):
    """Random rows, and random deltas of their outputs."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, network.sizes[0])), rng.normal(size=(n, network.sizes[-1]))


def gradients_of_rows(network, theta, X, deltas):
    """Of every row the gradients of all layers, [W; b], if its outputs' deltas are these."""
    coefs, intercepts = split(network, theta)
    names, result = network.activations, []
    for x, delta in zip(X, deltas, strict=True):
        inputs, pre = forward(x, coefs, intercepts, names)
        gradients = []
        for layer in range(len(coefs) - 1, -1, -1):
            gradients.insert(0, np.outer(np.append(inputs[layer], 1.0), delta))
            if layer:
                slopes = [ACTIVATIONS[names[layer - 1]][1](v) for v in pre[layer - 1].tolist()]
                delta = (coefs[layer] @ delta) * slopes
        result.append(gradients)
    return result


def test_the_gradients_above_are_those_of_the_loop_of_the_other_tests():
    network, theta = NETWORKS["three"], parameters(NETWORKS["three"])
    (x,), _ = rows(network, 1)
    parts = split(network, theta)
    _, coef_grads, intercept_grads = row_gradient(x, np.eye(3)[0], *parts, network.activations, "multilabel")
    delta = 1 / (1 + np.exp(-forward(x, *parts, network.activations)[1][-1])) - np.eye(3)[0]
    (gradients,) = gradients_of_rows(network, theta, [x], [delta])
    for G, dW, db in zip(gradients, coef_grads, intercept_grads, strict=True):
        assert_allclose(G, np.vstack([dW, db]), rtol=1e-13)


@dtypes
@sizes_of_batches
@networks
def test_the_forward_pass_is_that_of_every_row(network, n, dtype):
    X, deltas = rows(network, n)
    _, _, raw = run(network, X, deltas, dtype)
    expected = [forward(x, *split(network, parameters(network)), network.activations)[1][-1] for x in X]
    # A few roundings of numbers up to 10 in each layer.
    assert_allclose(raw, expected, rtol=1e-5 if dtype == np.float32 else 1e-13, atol=1e-5 if dtype == np.float32 else 0)


@dtypes
@sizes_of_batches
@networks
def test_backpropagation_leaves_the_factors_of_the_mean_gradient(network, n, dtype):
    X, deltas = rows(network, n)
    passes, panel, _ = run(network, X, deltas, dtype)
    gradients = gradients_of_rows(network, parameters(network), X, deltas)
    tolerance = {"rtol": 1e-4, "atol": 1e-4} if dtype == np.float32 else {"rtol": 1e-12, "atol": 1e-13}
    # The first layer's product is not the network's; its delta is that of the biases.
    assert_allclose(panel.deltas[0], [g[0][-1] for g in gradients], **tolerance)
    for k in range(1, len(network.shapes)):
        total = sum(g[k] for g in gradients)
        for scale, beta in ((1.0, 0.0), (-0.3, 1.0), (1 / n, 0.5)):
            start = np.random.default_rng(2).normal(size=network.shapes[k]).astype(dtype)
            out = start.copy()
            passes.factor(k, panel)(scale, beta, out)
            assert_allclose(out, beta * start + scale * total, **tolerance)


@sizes_of_batches
@networks
def test_the_squared_norm_from_the_factors_is_that_of_the_gradient(network, n):
    X, deltas = rows(network, n)
    passes, panel, _ = run(network, X, deltas)
    gradients = gradients_of_rows(network, parameters(network), X, deltas)
    expected = sum((sum(g[k] for g in gradients) ** 2).sum() for k in range(len(network.shapes)))
    gram = np.asfortranarray(1 + X @ X.T)
    given = gram.copy()
    buffers = [np.full((n, n), np.nan, order="F") for _ in range(2)]
    # Sums of some hundred products, of both signs.
    assert_allclose(passes.squared_norms(panel, gram, buffers), expected, rtol=1e-11)
    assert_array_equal(gram, given)


def test_a_squared_norm_takes_no_memory_beside_the_two_buffers():
    network = NETWORKS["three"]
    passes, panel, _ = run(network, *rows(network, 300))
    first_gram, *grams = (np.ones((300, 300), order="F") for _ in range(3))
    assert peak_of(lambda: passes.squared_norms(panel, first_gram, grams)) < first_gram.nbytes / 10


def test_a_squared_norm_that_rounding_makes_negative_is_zero():
    # Two rows whose gradients cancel exactly, but in the rounding.
    network = NETWORKS["no hidden layer"]
    X, deltas = np.repeat(rows(network, 1)[0], 2, axis=0), np.array([[1.0, 2.0, 3.0], [-1.0, -2.0, -3.0]])
    passes, panel, _ = run(network, X, deltas)
    gram = np.asfortranarray(1 + X @ X.T)
    gram[0, 1] += 1e-15 * gram[0, 0]
    gram[0, 0] *= 1 - 1e-15
    norm = passes.squared_norms(panel, gram, [np.empty((2, 2), order="F") for _ in range(2)])
    assert norm == 0.0


@pytest.mark.parametrize("probability", [0.25, 0.5])
@sizes_of_batches
def test_dropout_multiplies_what_is_kept_by_one_over_keep(probability, n):
    network = NETWORKS["three"]
    X, deltas = rows(network, n)
    dropout = Dropout(probability, network, n + 2, np.dtype(float))
    dropout.begin_epoch(np.random.default_rng(5))
    theta = parameters(network)
    passes, panel, raw = run(network, X, deltas, theta=theta, dropout=dropout)
    # The masks as they are drawn: unit by unit, n rows each.
    rng = np.random.default_rng(5)
    uniform = [rng.random((units, n), dtype=np.float32).T for units in network.sizes[1:-1]]
    masks = [(u < 1 - probability) / (1 - probability) for u in uniform]
    coefs, intercepts = split(network, theta)
    f = [np.vectorize(ACTIVATIONS[name][0]) for name in network.activations]
    slope = [np.vectorize(ACTIVATIONS[name][1]) for name in network.activations]
    inputs, pre = [X], []
    for k, (W, b) in enumerate(zip(coefs, intercepts, strict=True)):
        pre.append(inputs[-1] @ W + b)
        if k < len(f):
            inputs.append(f[k](pre[-1]) * masks[k])
    assert_allclose(raw, pre[-1], rtol=1e-12)
    delta, norm = deltas, 0.0
    for k in range(len(coefs) - 1, -1, -1):
        gradient = np.vstack([inputs[k].T @ delta, delta.sum(axis=0)])
        norm += (gradient**2).sum()
        if k:
            out = np.empty(network.shapes[k])
            passes.factor(k, panel)(1.0, 0.0, out)
            assert_allclose(out, gradient, rtol=1e-11, atol=1e-13)
            delta = (delta @ coefs[k].T) * masks[k - 1] * slope[k - 1](pre[k - 1])
            assert_allclose(panel.deltas[k - 1], delta, rtol=1e-11, atol=1e-13)
    buffers = [np.empty((n, n), order="F") for _ in range(2)]
    found = passes.squared_norms(panel, np.asfortranarray(1 + X @ X.T), buffers)
    assert_allclose(found, norm, rtol=1e-11)
