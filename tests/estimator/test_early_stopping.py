"""Early stopping by the validation score, in one call or several."""

import numpy as np
import pytest
from validation_sets import GIVEN, N_EPOCHS, RESTLESS, Spy, X, X_val, estimator, loss_of, y, y_val

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


# Early stopping


@pytest.mark.parametrize("scoring", [None, "loss", "neg_log_loss"])
@pytest.mark.parametrize(
    "params", [RESTLESS, RESTLESS | {"momentum": 0.5}, {"solver": "adam", "learning_rate_init": 0.05}], ids=str
)
def test_early_stopping_restores_the_weights_of_the_best_epoch(params, scoring, assert_identical):
    settings = {"max_iter": 30, "n_iter_no_change": 3, "scoring": scoring} | params
    clf = estimator(early_stopping=True, **settings).fit(X, y, **GIVEN)
    best = int(np.argmax(clf.validation_scores_))
    assert best < clf.n_iter_ - 1
    assert clf.best_validation_score_ == clf.validation_scores_[best]
    if scoring is None:
        assert clf.score(X_val, y_val) == clf.best_validation_score_
    assert_identical(clf, estimator(**(settings | {"max_iter": best + 1})).fit(X, y))


@pytest.mark.parametrize("patience", [1, 3])
def test_early_stopping_ends_training_after_too_long_without_improvement_by_tol(patience):
    # 0.35 is better than 0.3, but not by 0.1. So the patience still runs out, but these weights are the best.
    scores = [0.1, 0.3, 0.35, 0.34, 0.39, 0.2, 0.2, 0.2, 0.9]
    settings = {"early_stopping": True, "tol": 0.1, "n_iter_no_change": patience, "max_iter": 9}
    clf = estimator(scoring=Spy(scores), **settings).fit(X, y, **GIVEN)
    assert clf.n_iter_ == 2 + patience + 1
    assert clf.best_validation_score_ == max(scores[: clf.n_iter_])


def test_an_improvement_of_exactly_tol_counts():
    settings = {"early_stopping": True, "tol": 0.25, "n_iter_no_change": 1, "max_iter": 5}
    clf = estimator(scoring=Spy([0.0, 0.25, 0.5, 0.75, 1.0]), **settings).fit(X, y, **GIVEN)
    assert clf.n_iter_ == 5
    clf = estimator(scoring=Spy([0.0, 0.125, 0.25, 0.375, 0.5]), **settings).fit(X, y, **GIVEN)
    assert clf.n_iter_ == 3  # half of tol per epoch is too little, because every better score raises the bar


def test_without_early_stopping_the_score_does_not_stop_training():
    spy = Spy([0.9] + [0.1] * 19)
    clf = estimator(scoring=spy, max_iter=20, tol=1e-9, n_iter_no_change=2).fit(X, y, **GIVEN)
    assert clf.n_iter_ == 20
    # The weights of the last epoch remain.
    assert clf.best_validation_score_ == 0.9
    np.testing.assert_allclose(loss_of(clf, X_val, y_val), clf.validation_loss_curve_[-1], rtol=1e-10)


def test_with_early_stopping_the_loss_does_not_stop_training():
    # Only the first epoch reduces the loss by 0.5.
    spy = Spy(np.arange(20.0).tolist())
    clf = estimator(early_stopping=True, scoring=spy, max_iter=20, tol=0.5, n_iter_no_change=2).fit(X, y, **GIVEN)
    assert clf.n_iter_ == 20


def test_a_score_that_is_not_a_number_is_no_improvement(assert_identical):
    nan = float("nan")
    scores = [0.5, nan, nan, nan, 0.9]
    settings = {"early_stopping": True, "n_iter_no_change": 2, "max_iter": 5}
    clf = estimator(scoring=Spy(scores), **settings).fit(X, y, **GIVEN)
    assert clf.n_iter_ == 4
    assert clf.best_validation_score_ == 0.5
    assert_identical(clf, estimator(max_iter=1).fit(X, y))


def test_if_no_score_is_a_number_the_last_weights_remain(assert_identical):
    settings = {"early_stopping": True, "n_iter_no_change": 2, "max_iter": 9}
    clf = estimator(scoring=Spy([float("nan")] * 9), **settings).fit(X, y, **GIVEN)
    assert clf.n_iter_ == 3
    assert_identical(clf, estimator(max_iter=3).fit(X, y))


@pytest.mark.parametrize("given", [GIVEN, {}], ids=["given", "held out"])
def test_lbfgs_is_stopped_early(given):
    settings = {"solver": "lbfgs", "max_iter": 300, "scoring": "loss", "n_iter_no_change": 5}
    fraction = None if given else 0.1
    clf = estimator(early_stopping=True, validation_fraction=fraction, **settings).fit(X, y, **given)
    scores = clf.validation_scores_
    best = int(np.argmax(scores))
    # Without regularisation, L-BFGS fits the training rows long after the validation loss has reached its minimum.
    assert clf.n_iter_ == len(scores) == best + 1 + 5 + 1
    assert clf.best_validation_score_ == scores[best]
    if given:
        np.testing.assert_allclose(-loss_of(clf, X_val, y_val), scores[best], rtol=1e-10)


@pytest.mark.parametrize("solver", ["sgd", "lbfgs"])
def test_an_early_stop_causes_no_convergence_warning(solver, recwarn):
    settings = {"solver": solver, "max_iter": 5, "n_iter_no_change": 3, "tol": 1e-4}
    clf = estimator(early_stopping=True, scoring=Spy([0.5] * 5), **settings).fit(X, y, **GIVEN)
    assert clf.n_iter_ == 5
    assert not recwarn.list


def test_best_loss_is_none_if_early_stopping_watches_scores():
    assert estimator(early_stopping=True).fit(X, y).best_loss_ is None
    watched = estimator().fit(X, y, **GIVEN)
    assert watched.best_loss_ == min(watched.loss_curve_)


# Several calls


@pytest.mark.parametrize("params", [{}, {"solver": "adam", "learning_rate_init": 0.01}], ids=str)
def test_partial_fit_scores_the_set_of_each_call(params):
    whole = estimator(shuffle=False, **params).fit(X, y, **GIVEN)
    clf = estimator(shuffle=False, **params)
    for k in range(N_EPOCHS):
        clf.partial_fit(X, y, classes=np.arange(10) if k == 0 else None, **GIVEN)
        assert len(clf.validation_scores_) == len(clf.validation_loss_curve_) == k + 1
        assert clf.validation_scores_[-1] == clf.score(X_val, y_val)
        assert clf.best_validation_score_ == max(clf.validation_scores_)
    assert clf.validation_scores_ == whole.validation_scores_
    assert clf.validation_loss_curve_ == whole.validation_loss_curve_


def test_partial_fit_with_and_without_a_validation_set_keeps_lists_of_equal_length():
    clf = estimator().partial_fit(X, y, classes=np.arange(10))
    assert clf.validation_scores_ is None
    clf.partial_fit(X, y, **GIVEN)
    assert clf.validation_scores_ == [None, clf.score(X_val, y_val)]
    clf.partial_fit(X, y)
    assert {len(values) for values in clf.history_.values()} == {3}
    assert clf.history_["validation_score"][-1] is None


def test_partial_fit_holds_no_rows_out():
    clf = estimator(validation_fraction=0.2).partial_fit(X, y, classes=np.arange(10))
    assert clf.t_ == len(X)
    assert clf.validation_scores_ is None


def test_a_warm_start_keeps_the_rows_held_out():
    clf = estimator(validation_fraction=0.2, warm_start=True, max_iter=3)
    spies = Spy(), Spy()
    for spy in spies:
        clf.set_params(scoring=spy).fit(X, y)
    np.testing.assert_array_equal(spies[0].calls[0][0], spies[1].calls[0][0])
    assert len(clf.validation_scores_) == 6


def test_early_stopping_over_several_warm_starts_has_the_weights_of_the_best_score():
    clf = estimator(early_stopping=True, warm_start=True, max_iter=2, **RESTLESS)
    better, best = 0, 0.0
    for _ in range(8):
        clf.fit(X, y, **GIVEN)
        assert clf.score(X_val, y_val) == clf.best_validation_score_ >= best
        better += clf.best_validation_score_ > best
        best = clf.best_validation_score_
    # Some of the calls found better weights, and some did not.
    assert 2 <= better < 8
    assert best == max(clf.validation_scores_)


def test_early_stopping_after_training_without_it_has_the_weights_of_its_best_score():
    # The best score of the first fit belongs to weights that no longer exist.
    clf = estimator(warm_start=True, max_iter=20, **RESTLESS).fit(X, y, **GIVEN)
    assert clf.score(X_val, y_val) < clf.best_validation_score_
    clf.set_params(early_stopping=True, max_iter=1).fit(X, y, **GIVEN)
    assert clf.score(X_val, y_val) == clf.best_validation_score_


def test_early_stopping_on_another_set_has_the_best_weights_of_that_set():
    # First 100 easy rows (training rows), then other rows. Scores on the first set say nothing about the second.
    clf = estimator(warm_start=True, early_stopping=True, max_iter=20).fit(X, y, X_val=X[:100], y_val=y[:100])
    assert clf.best_validation_score_ > clf.score(X_val, y_val)
    clf.fit(X, y, **GIVEN)
    assert clf.score(X_val, y_val) == max(clf.validation_scores_[20:])
    assert clf.score(X_val, y_val) == clf.best_validation_score_
