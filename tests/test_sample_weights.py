"""What holds of sample weights where scikit-learn's equivalence checks are declared as failing.

Those checks compare a fit in which a row has weight k with one in which it is repeated k times. In mini-batches, or with
rows held out, the two take other paths; what agrees is the gradient that each path follows on average.
"""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skfnn import FNNClassifier

rng = np.random.default_rng(0)
X = rng.normal(size=(24, 5))
y = np.arange(24) % 3
REPEATS = rng.integers(0, 4, 24)
X_repeated, y_repeated = np.repeat(X, REPEATS, axis=0), np.repeat(y, REPEATS)
START = {
    "coefs_init": [rng.normal(size=(5, 4)) / 2, rng.normal(size=(4, 3)) / 2],
    "intercepts_init": [rng.normal(size=4), rng.normal(size=3)],
}
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def parameters(clf):
    return np.concatenate([p.ravel() for p in (*clf.coefs_, *clf.intercepts_)])


BEFORE = np.concatenate([p.ravel() for p in (*START["coefs_init"], *START["intercepts_init"])])


def mean_step(X, y, batch_size, weights=None):
    """What an epoch of mini-batches adds to the parameters, divided by eta and the number of steps, for eta to zero."""
    # So small that the weights stay where they are: what is left is of size eta, and rounding of size 1e-16 / eta.
    eta = 1e-6
    clf = FNNClassifier((4,), batch_size=batch_size, learning_rate_init=eta, max_iter=1, activation="tanh")
    clf.fit(X, y, sample_weight=weights, **START)
    return (parameters(clf) - BEFORE) / eta / clf.n_steps_


@pytest.mark.parametrize("batch_size", [1, 2, 3])
def test_weighted_and_repeated_rows_have_the_same_expected_mini_batch_gradient(batch_size):
    # All mini-batches of an epoch are of equal size, so their mean is the expectation.
    n = len(y_repeated) // 6 * 6
    counts = np.bincount(np.repeat(np.arange(24), REPEATS)[:n], minlength=24)
    X_rows, y_rows = np.repeat(X, counts, axis=0), np.repeat(y, counts)
    weighted = mean_step(X, y, batch_size, counts)
    repeated = mean_step(X_rows, y_rows, batch_size)
    assert np.abs(weighted).max() > 0.01
    assert_allclose(weighted, repeated, rtol=1e-4, atol=1e-6)
    assert not np.allclose(weighted, mean_step(X, y, batch_size), rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize("params", [{}, {"momentum": 0.9}, {"solver": "adam"}])
def test_at_full_batch_weighted_and_repeated_rows_train_the_same_model(params):
    fits = [
        FNNClassifier((4,), batch_size="full", max_iter=50, activation="tanh", **params).fit(*rows, **START)
        for rows in [(X, y, REPEATS), (X_repeated, y_repeated)]
    ]
    assert_allclose(parameters(fits[0]), parameters(fits[1]), rtol=0, atol=1e-9)


def test_in_float32_the_difference_is_rounding():
    fits = [
        FNNClassifier((4,), batch_size="full", max_iter=50, activation="tanh", dtype="float32").fit(*rows, **START)
        for rows in [(X, y, REPEATS), (X_repeated, y_repeated)]
    ]
    exact = FNNClassifier((4,), batch_size="full", max_iter=50, activation="tanh").fit(X, y, REPEATS, **START)
    # 50 steps, each of a few roundings of 6e-8 of numbers of size 1.
    for fit in fits:
        assert fit.coefs_[0].dtype == np.float32
        assert_allclose(parameters(fit), parameters(exact), rtol=0, atol=2e-5)


def test_held_out_rows_are_never_those_of_weight_zero():
    weights = (np.arange(24) < 12).astype(float)
    seen = []

    def scorer(estimator, X, y, sample_weight=None):
        seen.append((len(X), sample_weight.min()))
        return 0.0

    FNNClassifier((4,), max_iter=1, validation_fraction=0.25, scoring=scorer, random_state=0).fit(X, y, weights)
    assert seen == [(3, 1.0)]
