"""The training algorithm as its formulas say it: row by row, in float64, with nothing from skfnn.

Slow and plain on purpose: the tests hold the package against it. Weights are a list of matrices (fan_in, fan_out),
biases a list of vectors (fan_out,); "parameters" are the weights followed by the biases.
"""

from itertools import pairwise
from math import erf, exp, expm1, log1p, pi, sqrt, tanh

import numpy as np

LEAKY_SLOPE = 0.01
# Klambauer et al. (2017), "Self-normalizing neural networks", section 2: alpha_01 and lambda_01.
SELU_ALPHA, SELU_LAMBDA = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946


def sigma(z):
    """The logistic function of a number."""
    return 1.0 / (1.0 + exp(-z)) if z >= 0 else exp(z) / (1.0 + exp(z))


def normal_cdf(z):
    """The distribution function of the standard normal."""
    return 0.5 * (1.0 + erf(z / sqrt(2.0)))


def normal_density(z):
    """The density of the standard normal."""
    return exp(-z * z / 2.0) / sqrt(2.0 * pi)


def softplus(z):
    """log(1 + exp(z)) of a number, without overflow."""
    return max(z, 0.0) + log1p(exp(-abs(z)))


# name: (f(z), f'(z)) of one number.
ACTIVATIONS = {
    "identity": (lambda z: z, lambda z: 1.0),
    "logistic": (sigma, lambda z: sigma(z) * (1.0 - sigma(z))),
    "tanh": (tanh, lambda z: 1.0 - tanh(z) ** 2),
    "relu": (lambda z: max(z, 0.0), lambda z: 1.0 if z > 0 else 0.0),
    "leaky_relu": (lambda z: z if z > 0 else LEAKY_SLOPE * z, lambda z: 1.0 if z > 0 else LEAKY_SLOPE),
    "elu": (lambda z: z if z > 0 else expm1(z), lambda z: 1.0 if z > 0 else exp(z)),
    "selu": (
        lambda z: SELU_LAMBDA * (z if z > 0 else SELU_ALPHA * expm1(z)),
        lambda z: SELU_LAMBDA * (1.0 if z > 0 else SELU_ALPHA * exp(z)),
    ),
    "gelu": (lambda z: z * normal_cdf(z), lambda z: normal_cdf(z) + z * normal_density(z)),
    "silu": (lambda z: z * sigma(z), lambda z: sigma(z) + z * sigma(z) * (1.0 - sigma(z))),
    "softplus": (softplus, sigma),
}


def names_of(activation, n_hidden):
    """One activation name for each hidden layer."""
    return [activation] * n_hidden if isinstance(activation, str) else list(activation)


def targets(y, kind):
    """The rows that the output units should show: (B, 1) binary, one-hot (B, K) multiclass, (B, K) multilabel."""
    y = np.asarray(y)
    if kind == "multilabel":
        return y.astype(float)
    classes = sorted(set(y.tolist()))
    if kind == "binary":
        return np.array([[1.0 if label == classes[1] else 0.0] for label in y.tolist()])
    return np.array([[1.0 if label == c else 0.0 for c in classes] for label in y.tolist()])


def row_weights(y, sample_weight=None, class_weight=None):
    """w_b: sample weight x class weight.

    "balanced" gives every class the same total weight, as ``sklearn.utils.class_weight.compute_class_weight`` with the
    sample weights does.
    """
    labels = np.asarray(y).tolist()
    w = [1.0] * len(labels) if sample_weight is None else [float(v) for v in sample_weight]
    if class_weight is None:
        return w
    if class_weight == "balanced":
        totals = {label: sum(v for v, other in zip(w, labels, strict=True) if other == label) for label in set(labels)}
        class_weight = {label: sum(w) / (len(totals) * total) for label, total in totals.items()}
    return [v * class_weight.get(label, 1.0) for v, label in zip(w, labels, strict=True)]


def forward(x, coefs, intercepts, activation):
    """Of one row: the inputs of every layer, the pre-activations of every layer (the last are the raw outputs)."""
    names = names_of(activation, len(coefs) - 1)
    inputs, pre = [np.asarray(x, float)], []
    for layer, (W, b) in enumerate(zip(coefs, intercepts, strict=True)):
        z = inputs[-1] @ W + b
        pre.append(z)
        if layer < len(names):
            f = ACTIVATIONS[names[layer]][0]
            inputs.append(np.array([f(v) for v in z.tolist()]))
    return inputs, pre


def output(z, kind):
    """The output units: softmax for multiclass, else one logistic unit each."""
    if kind == "multiclass":
        e = np.exp(z - z.max())
        return e / e.sum()
    return np.array([sigma(v) for v in z.tolist()])


def row_loss(z, t, kind):
    """Cross-entropy of one row's raw outputs z with its target t."""
    if kind == "multiclass":
        return float(z.max() + np.log(np.exp(z - z.max()).sum()) - z @ t)
    # -t log sigma(z) - (1 - t) log(1 - sigma(z)): softplus(-z) where t = 1, softplus(z) where t = 0.
    return sum(softplus(-v) if u == 1.0 else softplus(v) for v, u in zip(z.tolist(), t.tolist(), strict=True))


def row_gradient(x, t, coefs, intercepts, activation, kind):
    """Of one row: its loss, and the gradients G_l of all weights and of all biases, by backpropagation."""
    names = names_of(activation, len(coefs) - 1)
    inputs, pre = forward(x, coefs, intercepts, activation)
    delta = output(pre[-1], kind) - t
    coef_grads, intercept_grads = [None] * len(coefs), [None] * len(coefs)
    for layer in range(len(coefs) - 1, -1, -1):
        coef_grads[layer] = np.outer(inputs[layer], delta)
        intercept_grads[layer] = delta
        if layer > 0:
            derivative = ACTIVATIONS[names[layer - 1]][1]
            delta = (coefs[layer] @ delta) * np.array([derivative(v) for v in pre[layer - 1].tolist()])
    return row_loss(pre[-1], t, kind), coef_grads, intercept_grads


def l2(coefs, alpha, n_rows):
    """The L2 term of the objective: alpha / (2 B) * sum of the squared weights; biases are not penalised."""
    return alpha / (2.0 * n_rows) * sum(float((W * W).sum()) for W in coefs)


def objective(X, T, coefs, intercepts, activation, kind, alpha=0.0, weights=None):
    """R(W) over all rows."""
    B = len(X)
    w = [1.0] * B if weights is None else [float(v) for v in weights]
    mean_w = sum(w) / B
    total = 0.0
    for b in range(B):
        _, pre = forward(X[b], coefs, intercepts, activation)
        total += w[b] / mean_w * row_loss(pre[-1], T[b], kind)
    return total / B + l2(coefs, alpha, B)


def batch_gradient(X, T, rows, coefs, intercepts, activation, kind, alpha, w, mean_w, n_rows):
    """The gradient of a mini-batch, of all parameters, and its rows' losses times w_b / mean(w)."""
    sums = [np.zeros_like(p) for p in coefs + intercepts]
    loss = 0.0
    for b in rows:
        value, coef_grads, intercept_grads = row_gradient(X[b], T[b], coefs, intercepts, activation, kind)
        loss += w[b] / mean_w * value
        for s, g in zip(sums, coef_grads + intercept_grads, strict=True):
            s += w[b] / mean_w * g
    gradient = [s / len(rows) for s in sums]
    for g, W in zip(gradient, coefs, strict=False):
        g += alpha / n_rows * W
    return gradient, loss


def gradient(X, T, coefs, intercepts, activation, kind, alpha=0.0, weights=None):
    """The gradient of R: that of the mini-batch of all rows."""
    B = len(X)
    w = [1.0] * B if weights is None else [float(v) for v in weights]
    return batch_gradient(X, T, range(B), coefs, intercepts, activation, kind, alpha, w, sum(w) / B, B)[0]


def train(
    X,
    T,
    coefs,
    intercepts,
    *,
    activation,
    kind,
    batch_size,
    n_epochs,
    eta,
    solver="sgd",
    momentum=0.0,
    nesterov=True,
    beta_1=0.9,
    beta_2=0.999,
    epsilon=1e-8,
    alpha=0.0,
    weights=None,
    learning_rate="constant",
    power_t=0.5,
):
    """Epochs of mini-batches, the rows in order; returns weights, biases, the loss of every epoch, and n_steps.

    The loss of an epoch is the mean over the rows, each at the weights that it met, of its loss times w_b / mean(w),
    plus the L2 term of the weights at the start of the epoch.
    """
    coefs, intercepts = [np.array(W, float) for W in coefs], [np.array(b, float) for b in intercepts]
    parameters = coefs + intercepts
    B = len(X)
    if batch_size == "full":
        batch_size = B
    w = [1.0] * B if weights is None else [float(v) for v in weights]
    mean_w = sum(w) / B
    velocity = [np.zeros_like(p) for p in parameters]
    m, v = [np.zeros_like(p) for p in parameters], [np.zeros_like(p) for p in parameters]
    t_rows, t_steps, losses = 0, 0, []
    for _ in range(n_epochs):
        eta_epoch = eta / (t_rows + 1.0) ** power_t if learning_rate == "invscaling" else eta
        penalty, total = l2(coefs, alpha, B), 0.0
        for start in range(0, B, batch_size):
            rows = range(start, min(start + batch_size, B))
            grads, loss = batch_gradient(X, T, rows, coefs, intercepts, activation, kind, alpha, w, mean_w, B)
            total += loss
            t_steps += 1
            for k, (p, g) in enumerate(zip(parameters, grads, strict=True)):
                if solver == "adam":
                    # Kingma and Ba (2015), algorithm 1 in the form of the end of their section 2.
                    m[k] = beta_1 * m[k] + (1.0 - beta_1) * g
                    v[k] = beta_2 * v[k] + (1.0 - beta_2) * g**2
                    rate = eta_epoch * sqrt(1.0 - beta_2**t_steps) / (1.0 - beta_1**t_steps)
                    p -= rate * m[k] / (np.sqrt(v[k]) + epsilon)
                elif momentum == 0.0:
                    p -= eta_epoch * g
                else:
                    # Sutskever et al. (2013); in Nesterov's form p is the point looked ahead to.
                    velocity[k] = momentum * velocity[k] - eta_epoch * g
                    p += momentum * velocity[k] - eta_epoch * g if nesterov else velocity[k]
        t_rows += B
        losses.append(total / B + penalty)
    return coefs, intercepts, losses, t_steps


def initial_values(sizes, seed=0, scale=0.6):
    """Random weights and, unlike a real start, random biases, so that every parameter matters from the first step."""
    rng = np.random.default_rng(seed)
    coefs = [rng.normal(scale=scale, size=shape) for shape in pairwise(sizes)]
    return coefs, [rng.normal(scale=scale, size=n) for n in sizes[1:]]


def problem(kind, n_rows, n_features=5, n_classes=3, seed=0, sparse_fraction=0.3):
    """Random rows, some of their entries zero, labels that depend on them a little, and the targets of the labels."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, n_features))
    X[rng.random(X.shape) < sparse_fraction] = 0.0
    scores = X @ rng.normal(size=(n_features, n_classes)) + rng.normal(size=(n_rows, n_classes))
    if kind == "multilabel":
        y = (scores > 0).astype(int)
    elif kind == "binary":
        y = np.array(["no", "yes"])[(scores[:, 0] > 0).astype(int)]
    else:
        y = np.array([3, 5, 11, 12, 13])[:n_classes][scores.argmax(axis=1)]
    return X, y, targets(y, kind)


def n_outputs(kind, n_classes=3):
    """The number of output units."""
    return 1 if kind == "binary" else n_classes
