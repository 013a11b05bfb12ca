"""Random problems, and initial values of the networks that are trained on them."""

from itertools import pairwise

import numpy as np


def targets(y, kind):
    """The targets of training: (B, 1) for binary, one-hot (B, K) for multiclass, (B, K) for multilabel."""
    y = np.asarray(y)
    if kind == "multilabel":
        return y.astype(float)
    classes = sorted(set(y.tolist()))
    if kind == "binary":
        return np.array([[1.0 if label == classes[1] else 0.0] for label in y.tolist()])
    return np.array([[1.0 if label == c else 0.0 for c in classes] for label in y.tolist()])


def initial_values(sizes, seed=0, scale=0.6):
    """Random weights and random biases, so that every parameter matters from the first step."""
    rng = np.random.default_rng(seed)
    coefs = [rng.normal(scale=scale, size=shape) for shape in pairwise(sizes)]
    return coefs, [rng.normal(scale=scale, size=n) for n in sizes[1:]]


def problem(kind, n_rows, n_features=5, n_classes=3, seed=0, sparse_fraction=0.3):
    """Random rows with some zero entries, labels that depend slightly on the rows, and the targets of the labels."""
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
