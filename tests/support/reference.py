"""The training algorithm, written from its formulas: row by row, in float64, without using skfnn.

It is slow and plain on purpose, because the tests compare the package with it. Weights are a list of matrices
(fan_in, fan_out), biases a list of vectors (fan_out,), and "parameters" are the weights followed by the biases.

The `kind` of a problem determines the output units and the loss: "binary" and "multilabel" (logistic units),
"multiclass" (softmax), "squared_error" (identity) and "poisson" (exponential).
"""

from math import erf, exp, expm1, log, log1p, pi, sqrt, tanh

import numpy as np

# The files in tests/engine import these from here.
from problems import initial_values as initial_values
from problems import n_outputs as n_outputs
from problems import problem as problem

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


# name: (f, derivative of f), both functions of one number.
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


def row_weights(y, sample_weight=None, class_weight=None):
    """w_b: sample weight x class weight.

    "balanced" gives every class the same total weight, like ``sklearn.utils.class_weight.compute_class_weight`` with
    sample weights.
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
    """The inputs and pre-activations of every layer for one row. The last pre-activations are the raw outputs."""
    names = names_of(activation, len(coefs) - 1)
    inputs, pre = [np.asarray(x, float)], []
    for layer, (W, b) in enumerate(zip(coefs, intercepts, strict=True)):
        z = inputs[-1] @ W + b
        pre.append(z)
        if layer < len(names):
            f = ACTIVATIONS[names[layer]][0]
            inputs.append(np.array([f(v) for v in z.tolist()]))
    return inputs, pre


def raw_outputs(X, coefs, intercepts, activation):
    """The raw outputs for all rows, (B, n_outputs)."""
    return np.array([forward(x, coefs, intercepts, activation)[1][-1] for x in X])


def output(z, kind):
    """The output units of one row."""
    if kind == "multiclass":
        e = np.exp(z - z.max())
        return e / e.sum()
    if kind == "squared_error":
        return z
    if kind == "poisson":
        return np.exp(z)
    return np.array([sigma(v) for v in z.tolist()])


def row_loss(z, t, kind):
    """The loss of the raw outputs z of one row with the target t. Targets of a classifier may be between 0 and 1."""
    if kind == "multiclass":
        return float(z.max() + np.log(np.exp(z - z.max()).sum()) - z @ t)
    pairs = list(zip(z.tolist(), t.tolist(), strict=True))
    if kind == "squared_error":
        return sum((v - u) ** 2 for v, u in pairs) / 2.0
    if kind == "poisson":
        # Half the deviance. For a count u = 0, u log(u) is 0.
        return sum(exp(v) - v * u + (u * log(u) if u > 0.0 else 0.0) - u for v, u in pairs)
    # -log sigma(z) is softplus(-z), and -log(1 - sigma(z)) is softplus(z).
    return sum(u * softplus(-v) + (1.0 - u) * softplus(v) for v, u in pairs)


def row_gradient(x, t, coefs, intercepts, activation, kind):
    """The loss of one row, and the gradients of all weights and all biases, by backpropagation."""
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
    """The gradient of a mini-batch for all parameters, and the sum of its rows' losses times w_b / mean(w)."""
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
    """The gradient of R, which is the gradient of the mini-batch of all rows."""
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
    """Train for some epochs without shuffling; return weights, biases, the loss of every epoch, and n_steps.

    `learning_rate` is "constant", "invscaling" or a function of (epoch, step) that gives eta. The loss of an epoch is
    the mean of the rows' losses times w_b / mean(w), plus the L2 term of the weights at the start of the epoch. The
    loss of a row is taken just before the step that uses the row.
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
    for epoch in range(n_epochs):
        eta_now = eta / (t_rows + 1.0) ** power_t if learning_rate == "invscaling" else eta
        penalty, total = l2(coefs, alpha, B), 0.0
        for start in range(0, B, batch_size):
            rows = range(start, min(start + batch_size, B))
            grads, loss = batch_gradient(X, T, rows, coefs, intercepts, activation, kind, alpha, w, mean_w, B)
            total += loss
            if callable(learning_rate):
                eta_now = learning_rate(epoch, t_steps)
            t_steps += 1
            for k, (p, g) in enumerate(zip(parameters, grads, strict=True)):
                if solver == "adam":
                    # Kingma and Ba (2015), algorithm 1 in the form at the end of their section 2.
                    m[k] = beta_1 * m[k] + (1.0 - beta_1) * g
                    v[k] = beta_2 * v[k] + (1.0 - beta_2) * g**2
                    rate = eta_now * sqrt(1.0 - beta_2**t_steps) / (1.0 - beta_1**t_steps)
                    p -= rate * m[k] / (np.sqrt(v[k]) + epsilon)
                elif momentum == 0.0:
                    p -= eta_now * g
                else:
                    # Sutskever et al. (2013). In Nesterov's form, p is the point that the gradient looks ahead to.
                    velocity[k] = momentum * velocity[k] - eta_now * g
                    p += momentum * velocity[k] - eta_now * g if nesterov else velocity[k]
        t_rows += B
        losses.append(total / B + penalty)
    return coefs, intercepts, losses, t_steps
