"""The forward pass, backpropagation and the factors of the gradient, against formulas for one row at a time."""

import numpy as np
import pytest
from memory import peak_of
from networks import NETWORKS, dtypes, networks, parameters, sizes_of_batches, split
from numpy.testing import assert_allclose, assert_array_equal
from reference import ACTIVATIONS, forward, row_gradient

from skfnn._engine.dropout import NO_DROPOUT, Dropout
from skfnn._engine.passes import Passes
from skfnn._engine.workspace import Workspace


def run(network, X, deltas, dtype=np.float64, theta=None, dropout=NO_DROPOUT):
    """Do both passes over the rows; return the Passes, the panel and the raw outputs."""
    theta = parameters(network, dtype) if theta is None else theta
    n, keep = len(X), dropout.keep
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
    """The gradients [W; b] of all layers for every row, given the deltas of its outputs."""
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


def test_the_gradients_above_equal_those_of_the_reference_loop():
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
def test_the_forward_pass_equals_that_of_each_row(network, n, dtype):
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
    # The passes do not compute the product of the first layer. The sum of its deltas is the gradient of the biases.
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
def test_the_squared_norm_from_the_factors_equals_that_of_the_gradient(network, n):
    X, deltas = rows(network, n)
    passes, panel, _ = run(network, X, deltas)
    gradients = gradients_of_rows(network, parameters(network), X, deltas)
    expected = sum((sum(g[k] for g in gradients) ** 2).sum() for k in range(len(network.shapes)))
    gram = np.asfortranarray(1 + X @ X.T)
    given = gram.copy()
    buffers = [np.full((n, n), np.nan, order="F") for _ in range(2)]
    # These are sums of some hundred products of both signs.
    assert_allclose(passes.squared_norms(panel, gram, buffers), expected, rtol=1e-11)
    assert_array_equal(gram, given)


def test_a_squared_norm_needs_no_memory_besides_the_two_buffers():
    network = NETWORKS["three"]
    passes, panel, _ = run(network, *rows(network, 300))
    first_gram, *grams = (np.ones((300, 300), order="F") for _ in range(3))
    assert peak_of(lambda: passes.squared_norms(panel, first_gram, grams)) < first_gram.nbytes / 10


def test_a_squared_norm_that_rounding_makes_negative_is_zero():
    # The gradients of two rows cancel, except for rounding.
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
def test_dropout_divides_the_kept_outputs_by_keep(probability, n):
    network = NETWORKS["three"]
    X, deltas = rows(network, n)
    dropout = Dropout(probability, network, n + 2, np.dtype(float))
    dropout.begin_epoch(lambda stream: np.random.default_rng(5))
    theta = parameters(network)
    passes, panel, raw = run(network, X, deltas, theta=theta, dropout=dropout)
    # Masks are drawn unit by unit, for n rows each.
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
