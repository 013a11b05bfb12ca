"""Scores that are not numbers: training ends, and the best weights are those of a number."""

import warnings

import numpy as np
import pytest
from scored import CLASSES, SOLVERS, N, X, X_classes, X_val, classes, classifier, regressor, settings, solvers, y, y_val
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.model_selection import train_test_split

from skfnn import FNNClassifier, FNNRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

NAN = float("nan")


def in_turn(scores):
    """A scorer that returns these scores in turn, again and again."""
    calls = []

    def scorer(model, rows, values):
        calls.append(0)
        return scores[(len(calls) - 1) % len(scores)]

    return scorer


def fit(kind, scores, *, held_out=False, **params):
    """Train while the scorer returns `scores`."""
    make, rows, values = (regressor, X, y) if kind == "regressor" else (classifier, X_classes[:N], classes[:N])
    given = {} if held_out else ({"X_val": X_val, "y_val": y_val} if kind == "regressor" else CLASSES)
    params |= {"validation_fraction": 0.1} if held_out else {}
    return make(scoring=in_turn(scores), **params).fit(rows, values, **given)


@pytest.mark.parametrize("held_out", [False, True])
@pytest.mark.parametrize("kind", ["classifier", "regressor"])
@solvers
def test_training_ends_if_no_score_is_a_number(solver, kind, held_out):
    patience = {"early_stopping": True, "n_iter_no_change": 3, "max_iter": 50, "alpha": 1.0}
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # patience stopped training, so there is no warning about convergence
        model = fit(kind, [NAN], held_out=held_out, **SOLVERS[solver], **patience)
    assert model.n_iter_ == len(model.validation_scores_) == 4
    assert np.isnan(model.validation_scores_).all()
    assert model.best_validation_score_ == -np.inf


@pytest.mark.parametrize("kind", ["classifier", "regressor"])
@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_with_adaptive_such_scores_lower_eta_and_finally_stop_training(solver, kind):
    patience = {"early_stopping": True, "n_iter_no_change": 2, "max_iter": 200, "learning_rate": "adaptive"}
    model = fit(kind, [NAN], **SOLVERS[solver], **patience)
    # The last eta is the first that is at most 1e-6. Each eta lasts three epochs, one more than the patience.
    eta = model.learning_rate_init_
    n_falls = int(np.ceil(np.log(eta / 1e-6) / np.log(5)))
    assert eta / 5**n_falls <= 1e-6 < eta / 5 ** (n_falls - 1)
    assert model.n_iter_ == 3 * (n_falls + 1)
    expected = np.repeat([eta / 5**k for k in range(n_falls + 1)], 3)
    np.testing.assert_allclose(model.history_["learning_rate"], expected, rtol=1e-14)


@pytest.mark.parametrize("learning_rate", ["constant", "adaptive"])
def test_occasional_numbers_among_nan_scores_do_not_prolong_training(learning_rate):
    # The scores have no trend, and half of them are NaN. Four values can improve at most four times, each time within
    # three epochs. Three epochs later training stops, so it lasts at most 15 epochs. With "adaptive" this holds for
    # each of nine etas, because each starts with a new best score.
    patience = {"early_stopping": True, "n_iter_no_change": 2, "max_iter": 300, "tol": 1e-4}
    for seed in range(10):
        rng = np.random.default_rng(seed)
        scores = np.where(rng.random(300) < 0.5, NAN, rng.integers(0, 4, 300) / 4.0)
        model = fit("regressor", scores.tolist(), learning_rate=learning_rate, **patience)
        assert model.n_iter_ <= (9 * 15 if learning_rate == "adaptive" else 15)
        # A NaN is never the best score.
        assert model.best_validation_score_ == max([-np.inf, *(v for v in model.validation_scores_ if v == v)])


@pytest.mark.parametrize("scores", [[NAN, 0.5], [0.5, NAN], [NAN, NAN, 0.5], [0.25, NAN, 0.5, NAN]], ids=str)
@pytest.mark.parametrize("learning_rate", ["constant", "adaptive"])
def test_a_rare_number_does_not_prolong_training(scores, learning_rate):
    patience = {"early_stopping": True, "n_iter_no_change": 2, "max_iter": 300, "tol": 1e-4}
    model = fit("classifier", scores, learning_rate=learning_rate, **patience)
    assert model.n_iter_ <= (9 * 15 if learning_rate == "adaptive" else 15)


def test_the_first_score_that_is_a_number_is_an_improvement(assert_identical):
    patience = {"early_stopping": True, "n_iter_no_change": 2, "max_iter": 20, "tol": 1e-4}
    model = fit("regressor", [NAN, NAN, 0.1, NAN, NAN, NAN, 0.9], **patience)
    assert model.n_iter_ == 6
    assert model.best_validation_score_ == 0.1
    assert_identical(model, regressor(max_iter=3).fit(X, y))


def test_a_warm_start_without_a_score_keeps_the_first_scored_weights(assert_identical):
    model = regressor(warm_start=True, max_iter=2).fit(X, y)
    # The first call scores the existing weights.
    model.set_params(scoring=in_turn([NAN, NAN, 0.2, 0.1, NAN]), early_stopping=True, n_iter_no_change=2, max_iter=9)
    model.set_params(tol=1e-4).fit(X, y, X_val=X_val, y_val=y_val)
    np.testing.assert_array_equal(model.validation_scores_[2:], [NAN, 0.2, 0.1, NAN, NAN])
    assert model.best_validation_score_ == 0.2
    assert_identical(model, regressor(max_iter=4).fit(X, y))


@pytest.mark.parametrize("learning_rate", ["constant", "adaptive"])
def test_without_early_stopping_such_scores_have_no_effect(learning_rate, assert_identical):
    params = {"learning_rate": learning_rate, "tol": 0.05, "n_iter_no_change": 2, "max_iter": 30}
    plain = regressor(**params).fit(X, y)
    scored = fit("regressor", [NAN], **params)
    assert_identical(plain, scored)
    assert scored.n_iter_ == plain.n_iter_
    assert scored.history_["learning_rate"] == plain.history_["learning_rate"]
    assert np.isnan(scored.validation_scores_).all()
    assert np.isfinite(scored.validation_loss_curve_).all()


def test_partial_fit_continues_after_a_score_that_is_not_a_number(assert_identical):
    model, plain = regressor(scoring=in_turn([0.3, NAN, 0.2])), regressor()
    for _ in range(3):
        model.partial_fit(X, y, X_val=X_val, y_val=y_val)
        plain.partial_fit(X, y)
    assert_identical(model, plain)
    np.testing.assert_array_equal(model.validation_scores_, [0.3, NAN, 0.2])
    assert model.best_validation_score_ == 0.3


def test_r2_of_one_row_is_not_a_number_and_ends_training():
    # Such scores occur in practice: a tenth of nine rows is one row.
    model = regressor(early_stopping=True, n_iter_no_change=3, max_iter=50, batch_size=4)
    with pytest.warns(UndefinedMetricWarning, match="R.2"):
        model.fit(X[:9], y[:9])
    assert model.n_iter_ == 4
    # The loss of one row is a number, unlike its R^2.
    model.set_params(scoring="loss").fit(X[:9], y[:9])
    assert np.isfinite(model.validation_scores_).all()


def test_a_metric_may_stop_training_while_the_loss_still_improves():
    # The accuracy stops improving long before the cross-entropy does. This is the usual reason to watch a metric.
    rows, rows_val, labels, labels_val = train_test_split(X_classes, classes, test_size=0.3, random_state=0)
    params = settings(early_stopping=True, n_iter_no_change=5, max_iter=300, tol=1e-4, learning_rate_init=0.02)
    given = {"X_val": rows_val, "y_val": labels_val}
    by_accuracy = FNNClassifier(**params).fit(rows, labels, **given)
    by_loss = FNNClassifier(**params, scoring="loss").fit(rows, labels, **given)
    assert by_accuracy.n_iter_ < by_loss.n_iter_
    assert by_loss.validation_loss_curve_[: by_accuracy.n_iter_] == by_accuracy.validation_loss_curve_


@pytest.mark.parametrize("score", [np.inf, -np.inf])
def test_an_infinite_score_is_no_improvement(score):
    X = np.random.default_rng(0).normal(size=(40, 3))
    settings = {"early_stopping": True, "n_iter_no_change": 2, "max_iter": 50, "random_state": 0}
    reg = FNNRegressor(5, scoring=lambda reg, X, y: score, **settings).fit(X, X[:, 0], X_val=X[:5], y_val=X[:5, 0])
    assert reg.n_iter_ == 3
