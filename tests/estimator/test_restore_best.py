"""The best weights of several `partial_fit` calls, and `restore_best`, which restores them."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris
from sklearn.exceptions import NotFittedError
from sklearn.metrics import accuracy_score

from skfnn import FNNClassifier, FNNRegressor
from skfnn._training.printer import Printer

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

digits = load_digits()
X, y = digits.data[:200] / 16, digits.target[:200]
X_val, y_val = digits.data[200:320] / 16, digits.target[200:320]
GIVEN = {"X_val": X_val, "y_val": y_val}

SOLVERS = {
    "plain": {"learning_rate_init": 1.5},
    "momentum": {"momentum": 0.9, "learning_rate_init": 0.15},
    "adam": {"solver": "adam", "learning_rate_init": 0.05},
    "dropout": {"learning_rate_init": 2.0, "dropout": 0.4},
}


def estimator(**params):
    """An estimator whose scores go up and down."""
    settings = {"hidden_layer_sizes": (16,), "activation": "tanh", "batch_size": 20, "random_state": 0}
    return FNNClassifier(**(settings | SOLVERS["plain"] | params))


def weights_of(clf):
    """Copies of all parameters."""
    return [p.copy() for p in clf.coefs_ + clf.intercepts_]


def train(clf, n_calls=25, **given):
    """Call partial_fit repeatedly. Return the weights after every call."""
    weights = []
    for _ in range(n_calls):
        clf.partial_fit(X, y, classes=np.arange(10), **(given or GIVEN))
        weights.append(weights_of(clf))
    return weights


def assert_weights(clf, expected):
    for p, q in zip(clf.coefs_ + clf.intercepts_, expected, strict=True):
        np.testing.assert_array_equal(p, q)


class Scores:
    """A scorer that returns these scores in turn."""

    def __init__(self, scores):
        self.scores = list(scores)

    def __call__(self, clf, X, y):
        return self.scores.pop(0)


# Which weights are the best


@pytest.mark.parametrize("scoring", [None, "loss", "neg_log_loss"])
@pytest.mark.parametrize("solver", SOLVERS)
def test_the_weights_of_the_best_call_are_restored(solver, scoring):
    clf = estimator(scoring=scoring, **SOLVERS[solver])
    weights = train(clf)
    best = int(np.argmax(clf.validation_scores_))
    assert 0 < best < 24
    assert clf.restore_best() is clf
    assert_weights(clf, weights[best])
    assert clf.best_validation_score_ == max(clf.validation_scores_)
    if scoring is None:
        assert clf.score(X_val, y_val) == clf.best_validation_score_


@pytest.mark.parametrize(
    ("scores", "best"),
    [([0.5, 0.7, 0.6], 1), ([0.7, 0.6, 0.5], 0), ([0.5, 0.6, 0.7], 2), ([0.7, 0.7, 0.7], 0), ([-9.0, -8.0, -8.5], 1)],
    ids=str,
)
def test_among_equal_scores_the_first_is_best(scores, best):
    clf = estimator(scoring=Scores(scores))
    weights = train(clf, 3)
    assert_weights(clf.restore_best(), weights[best])


def test_scores_that_are_not_numbers_are_never_best():
    clf = estimator(scoring=Scores([np.nan, 0.5, np.nan, 0.4]))
    weights = train(clf, 4)
    assert clf.best_validation_score_ == 0.5
    assert_weights(clf.restore_best(), weights[1])


def test_calls_without_a_validation_set_do_not_change_the_best_weights():
    clf = estimator(scoring=Scores([0.6, 0.5]))
    first = train(clf, 1)
    train(clf, 2, X_val=None)
    train(clf, 1)
    assert clf.validation_scores_ == [0.6, None, None, 0.5]
    assert_weights(clf.restore_best(), first[0])


def test_the_best_call_may_be_on_any_chunk_of_the_rows():
    clf, weights = estimator(), []
    for start in [0, 50, 100, 150] * 5:
        clf.partial_fit(X[start : start + 50], y[start : start + 50], classes=np.arange(10), **GIVEN)
        weights.append(weights_of(clf))
    assert_weights(clf.restore_best(), weights[int(np.argmax(clf.validation_scores_))])


def test_sample_weight_val_affects_which_call_is_best():
    weight = np.where(y_val == 3, 1.0, 0.0)
    clf = estimator()
    weights = train(clf, 12, sample_weight_val=weight, **GIVEN)
    best = int(np.argmax(clf.validation_scores_))
    clf.restore_best()
    assert_weights(clf, weights[best])
    expected = accuracy_score(y_val, clf.predict(X_val), sample_weight=weight)
    np.testing.assert_allclose(clf.best_validation_score_, expected, rtol=1e-14)


def test_early_stopping_is_not_needed_and_does_not_matter():
    fits = [estimator(early_stopping=early_stopping) for early_stopping in (False, True)]
    for clf in fits:
        train(clf)
        clf.restore_best()
    assert_weights(fits[0], weights_of(fits[1]))


def test_the_regressor_keeps_the_best_weights():
    targets = np.column_stack([X.sum(axis=1), X[:, 20]])
    targets_val = np.column_stack([X_val.sum(axis=1), X_val[:, 20]])
    restless = {"standardize": False, "learning_rate_init": 0.02, "batch_size": 10}
    reg = FNNRegressor((16,), activation="tanh", random_state=0, **restless)
    weights = []
    for _ in range(25):
        reg.partial_fit(X, targets, X_val=X_val, y_val=targets_val)
        weights.append(weights_of(reg))
    best = int(np.argmax(reg.validation_scores_))
    assert best < 24
    assert_weights(reg.restore_best(), weights[best])
    np.testing.assert_allclose(reg.score(X_val, targets_val), reg.best_validation_score_, rtol=1e-10)


# Keeping the best weights does not change training


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_validation_set_does_not_change_training(solver):
    watched, blind = estimator(**SOLVERS[solver]), estimator(**SOLVERS[solver])
    train(watched, 5)
    train(blind, 5, X_val=None)
    assert_weights(watched, weights_of(blind))
    assert {len(values) for values in watched.history_.values()} == {5}
    assert watched.history_["epoch"] == [1, 2, 3, 4, 5]
    assert watched.history_["validation_score"] == watched.validation_scores_
    assert watched.validation_scores_[-1] == watched.score(X_val, y_val)
    assert watched.loss_curve_ == blind.loss_curve_


# What `restore_best` changes


def test_restoring_changes_only_the_weights():
    clf = estimator()
    train(clf)
    names = ("history_", "n_iter_", "n_steps_", "t_", "loss_curve_", "validation_scores_", "best_validation_score_")
    before = {name: pickle.dumps(getattr(clf, name)) for name in names}
    last = weights_of(clf)
    clf.restore_best()
    assert {name: pickle.dumps(getattr(clf, name)) for name in names} == before
    assert (clf.coefs_[0] != last[0]).any()


def test_restoring_again_undoes_writes_into_the_weights():
    clf = estimator()
    weights = train(clf)
    best = weights[int(np.argmax(clf.validation_scores_))]
    for p in clf.restore_best().coefs_:
        p[...] = 0.0
    assert_weights(clf.restore_best(), best)


@pytest.mark.parametrize("solver", SOLVERS)
def test_training_continues_from_the_restored_weights_with_the_solver_state(solver):
    clf = estimator(**SOLVERS[solver])
    train(clf, 12)
    other = pickle.loads(pickle.dumps(clf))
    clf.restore_best()
    # The same result without `restore_best`.
    for mine, theirs in zip(other.coefs_ + other.intercepts_, clf.coefs_ + clf.intercepts_, strict=True):
        mine[...] = theirs
    train(clf, 3)
    train(other, 3)
    assert_weights(clf, weights_of(other))
    assert len(clf.validation_scores_) == 15


def test_after_restoring_only_a_better_call_is_kept():
    clf = estimator(scoring=Scores([0.5, 0.8, 0.6, 0.7, 0.9, 0.1]))
    weights = train(clf, 3)
    clf.restore_best()
    weights += train(clf, 1)  # 0.7 is not better than 0.8
    assert_weights(clf.restore_best(), weights[1])
    weights += train(clf, 2)
    assert_weights(clf.restore_best(), weights[4])
    assert clf.best_validation_score_ == 0.9


def test_a_call_that_fails_leaves_the_best_weights_as_they_were():
    scores = Scores([0.5, 0.4, "no number"])
    clf = estimator(scoring=scores)
    weights = train(clf, 2)
    with pytest.raises((TypeError, ValueError)):
        clf.partial_fit(X, y, **GIVEN)
    assert_weights(clf, weights[1])
    with pytest.raises(ValueError):
        clf.partial_fit(X[:, :5], y, **GIVEN)
    assert_weights(clf.restore_best(), weights[0])


def test_a_better_call_that_is_interrupted_leaves_the_best_weights_as_they_were(monkeypatch):
    def interrupt(*args):
        raise KeyboardInterrupt

    clf = estimator(scoring=Scores([0.5, 0.4, 0.9]), verbose=True)
    weights = train(clf, 2)
    # The line of an epoch is printed when its score is known.
    monkeypatch.setattr(Printer, "line", interrupt)
    with pytest.raises(KeyboardInterrupt):
        clf.partial_fit(X, y, **GIVEN)
    assert_weights(clf, weights[1])
    assert clf.best_validation_score_ == 0.5
    assert_weights(clf.restore_best(), weights[0])


# Where the best weights are kept


def test_a_pickle_keeps_the_best_weights():
    clf = estimator()
    weights = train(clf)
    copy = pickle.loads(pickle.dumps(clf))
    best = int(np.argmax(clf.validation_scores_))
    assert_weights(copy, weights[-1])
    assert_weights(copy.restore_best(), weights[best])
    assert_weights(clf, weights[-1])  # the two models share nothing
    copy = pickle.loads(pickle.dumps(copy))
    train(copy, 1)
    assert_weights(copy.restore_best(), weights[best])


def test_a_clone_has_no_best_weights():
    clf = estimator()
    train(clf, 2)
    with pytest.raises(NotFittedError):
        clone(clf).restore_best()


@pytest.mark.parametrize("given", [{}, GIVEN])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_fit_clears_the_best_weights(early_stopping, given):
    clf = estimator(max_iter=2, early_stopping=early_stopping)
    train(clf, 3)
    clf.fit(X, y, **given)
    expected = weights_of(clf)
    with pytest.raises(ValueError, match="no best weights"):
        clf.restore_best()
    assert_weights(clf, expected)


def test_partial_fit_after_a_fit_that_stopped_early_may_keep_the_weights_of_the_fit():
    # `fit` restored its best weights, and partial_fit continues from them. So the best score of `fit` still counts.
    clf = estimator(early_stopping=True, max_iter=3, scoring=Scores([0.5, 0.8, 0.6, 0.7, 0.75]))
    clf.fit(X, y, **GIVEN)
    best = weights_of(clf)
    train(clf, 2)
    assert_weights(clf.restore_best(), best)
    assert clf.best_validation_score_ == 0.8


def test_without_a_validation_set_there_is_nothing_to_restore():
    clf = estimator()
    train(clf, 2, X_val=None)
    with pytest.raises(ValueError, match="call partial_fit with X_val and y_val"):
        clf.restore_best()


def test_a_model_that_is_not_fitted_has_nothing_to_restore():
    with pytest.raises(NotFittedError):
        estimator().restore_best()


def curve_data():
    """Training rows and validation rows."""
    X, y = load_iris(return_X_y=True)
    return X[::2], y[::2], X[1::2], y[1::2]


@pytest.mark.parametrize("warm", [False, True])
def test_the_scores_of_fit_do_not_count_for_the_best_weights_of_partial_fit(warm):
    X, y, X_val, y_val = curve_data()
    settings = {"learning_rate_init": 0.3, "batch_size": 5, "max_iter": 30, "n_iter_no_change": None}
    clf = FNNClassifier(random_state=0, warm_start=warm, **settings)
    if warm:
        clf.partial_fit(X, y, classes=[0, 1, 2], X_val=X_val, y_val=y_val)
    clf.fit(X, y, X_val=X_val, y_val=y_val)
    with pytest.raises(ValueError, match="no best weights"):
        clf.restore_best()
    scores = [clf.partial_fit(X, y, X_val=X_val, y_val=y_val).validation_scores_[-1] for _ in range(5)]
    assert clf.restore_best().score(X_val, y_val) == max(scores)


def test_scores_that_are_all_nan_leave_no_best_weights():
    X, y, X_val, y_val = curve_data()
    clf = FNNClassifier(scoring=lambda clf, X, y: np.nan, random_state=0)
    clf.partial_fit(X, y, classes=[0, 1, 2], X_val=X_val, y_val=y_val)
    with pytest.raises(ValueError, match="no best weights"):
        clf.restore_best()
