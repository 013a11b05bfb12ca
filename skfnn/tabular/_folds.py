"""The rows that each network leaves out, and the temperature that these rows choose."""

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

# Rows are only left out if every fold has at least this many.
SMALLEST_FOLD = 4
# The logarithm of the temperature has a normal prior with mean 0 and this standard deviation, so that few rows without
# an error do not make the probabilities extreme.
PRIOR_DEVIATION = 0.22
_LOG_BOUNDS = (-3.0, 3.0)


def make_folds(n_rows, labels, weights, n_folds, rng):
    """The row numbers of each fold, or None if there are too few rows.

    Every class of `labels` (n_rows,) is spread evenly over the folds; None stands for targets that are not classes. A
    row is in no fold if it is the only one of its class, because then no other row could teach it, or if its weight
    is 0.
    """
    rows = rng.permutation(n_rows)
    if weights is not None:
        rows = rows[np.asarray(weights)[rows] > 0]
    if labels is not None:
        _, codes, counts = np.unique(labels[rows], return_inverse=True, return_counts=True)
        order = np.argsort(codes, kind="stable")
        rows = rows[order[counts[codes[order]] > 1]]
    if len(rows) < SMALLEST_FOLD * n_folds:
        return None
    return [np.sort(rows[k::n_folds]) for k in range(n_folds)]


def best_temperature(log_p, codes, weights=None):
    """The T for which ``softmax(log_p / T)`` has the smallest mean log loss, with a prior for T near 1.

    `log_p` (n, n_classes) are logarithms of probabilities, `codes` (n,) the numbers of the true classes.
    """
    weights = np.ones(len(codes)) if weights is None else weights / weights.mean()
    rows = np.arange(len(codes))

    def loss(log_t):
        likelihood = weights @ log_softmax(log_p * np.exp(-log_t), axis=1)[rows, codes]
        return 0.5 * (log_t / PRIOR_DEVIATION) ** 2 - likelihood

    return float(np.exp(minimize_scalar(loss, bounds=_LOG_BOUNDS, method="bounded").x))
