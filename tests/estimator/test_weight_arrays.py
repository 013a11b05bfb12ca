"""The arrays in `coefs_` and `intercepts_` are views of the model."""

import numpy as np
import pytest
from reference import raw_outputs
from short_runs import estimator
from small_tables import X_iris, y_iris

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def test_writing_into_the_weights_changes_the_predictions():
    clf = estimator(hidden_layer_sizes=(6, 4)).fit(X_iris, y_iris)
    clf.coefs_[-1][...] = 0.0
    clf.intercepts_[-1][...] = [0.0, 1.0, 0.0]
    assert (clf.predict(X_iris) == 1).all()
    expected = np.exp([0.0, 1.0, 0.0]) / np.exp([0.0, 1.0, 0.0]).sum()
    np.testing.assert_allclose(clf.predict_proba(X_iris), np.tile(expected, (150, 1)), rtol=1e-12)
    # Training continues from the written weights.
    clf.partial_fit(X_iris, y_iris)
    other = estimator(hidden_layer_sizes=(6, 4)).fit(X_iris, y_iris)
    other.coefs_[-1][...] = 0.0
    other.intercepts_[-1][...] = [0.0, 1.0, 0.0]
    other.partial_fit(X_iris, y_iris)
    np.testing.assert_array_equal(clf.coefs_[0], other.coefs_[0])


def test_the_weights_are_views_of_one_vector():
    clf = estimator(hidden_layer_sizes=(6, 4)).fit(X_iris, y_iris)
    shapes = [(4, 6), (6, 4), (4, 3)]
    assert [W.shape for W in clf.coefs_] == shapes
    assert [b.shape for b in clf.intercepts_] == [(n,) for _, n in shapes]
    owner = clf.coefs_[0].base
    for part in clf.coefs_ + clf.intercepts_:
        assert part.base is owner
        assert np.shares_memory(part, owner)
    for a, b in zip(clf.coefs_, clf.coefs_, strict=True):
        assert np.shares_memory(a, b)
    # decision_function uses these weights.
    raw = raw_outputs(X_iris, clf.coefs_, clf.intercepts_, "relu")
    np.testing.assert_allclose(clf.decision_function(X_iris), raw, rtol=0, atol=1e-12)


def test_held_weight_arrays_follow_the_model_until_the_next_fit():
    clf = estimator().fit(X_iris, y_iris)
    held = clf.coefs_[0]
    before = held.copy()
    clf.partial_fit(X_iris, y_iris)
    assert (held != before).any()
    np.testing.assert_array_equal(held, clf.coefs_[0])
    before = held.copy()
    clf.fit(X_iris, y_iris)
    np.testing.assert_array_equal(held, before)


def test_initial_values_are_copied():
    start = [np.ones((4, 6)), np.ones((6, 3))], [np.ones(6), np.ones(3)]
    estimator().fit(X_iris, y_iris, coefs_init=start[0], intercepts_init=start[1])
    assert all((part == 1).all() for part in start[0] + start[1])
