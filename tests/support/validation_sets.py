"""Digits with a validation set, and networks that are scored on it."""

import numpy as np
from sklearn.datasets import load_digits
from sklearn.metrics import accuracy_score, log_loss
from sklearn.preprocessing import StandardScaler

from skfnn import FNNClassifier

digits = load_digits()
X_digits = StandardScaler().fit_transform(digits.data[:600])
X, y = X_digits[:400], digits.target[:400]
X_val, y_val = X_digits[400:], digits.target[400:600]

N_EPOCHS = 6

# With these settings the scores go up and down, so the last epoch's weights are not the best.
RESTLESS = {"learning_rate_init": 1.0, "batch_size": 20, "hidden_layer_sizes": (16,), "activation": "tanh"}


def estimator(**params):
    """An estimator that trains for exactly six epochs by default."""
    settings = {
        "hidden_layer_sizes": (16,),
        "batch_size": 50,
        "dtype": "float64",
        "max_iter": N_EPOCHS,
        "tol": 0.0,
        "n_iter_no_change": 1000,
        "random_state": 0,
    }
    return FNNClassifier(**(settings | params))


def targets(kind, labels):
    """Digits as the labels of a binary, multiclass or multilabel problem."""
    if kind == "multilabel":
        return np.column_stack([labels % 2, labels > 4, labels % 3 == 0]).astype(int)
    return np.where(labels % 2, "odd", "even") if kind == "binary" else labels


def loss_of(clf, rows, labels, weights=None):
    """scikit-learn's validation loss. With several labels, it is the sum over the labels."""
    p = clf.predict_proba(rows)
    if labels.ndim == 1:
        return log_loss(labels, p, labels=clf.classes_, sample_weight=weights)
    return sum(log_loss(labels[:, k], p[:, k], labels=[0, 1], sample_weight=weights) for k in range(labels.shape[1]))


class Spy:
    """A scorer that records its arguments."""

    def __init__(self, scores=None):
        self.calls, self.scores = [], scores

    def __call__(self, clf, rows, labels, **weights):
        self.calls.append((rows, labels, weights))
        return accuracy_score(labels, clf.predict(rows)) if self.scores is None else self.scores[len(self.calls) - 1]


GIVEN = {"X_val": X_val, "y_val": y_val}
