"""Validation sets of FNNRegressor: losses, scores and the best epoch."""

import numpy as np
import pytest
from regressors import X_train, X_val, estimator, losses, mean_loss, outputs, split, y_train, y_val
from sklearn.metrics import get_scorer, r2_score

from skfnn import FNNRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize("weighted", [False, True])
@outputs
@losses
@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
def test_each_epoch_records_the_loss_and_r2_of_its_weights(solver, loss, n_outputs, weighted):
    X, y, rows, targets = split(loss, n_outputs)
    weights = np.arange(20.0) if weighted else None
    params = {"solver": solver, "loss": loss}
    whole = estimator(**params).fit(X, y, X_val=rows, y_val=targets, sample_weight_val=weights)
    assert len(whole.validation_scores_) == len(whole.validation_loss_curve_) == whole.n_iter_ == 6
    for epoch in range(1, 7):
        reg = estimator(**params, max_iter=epoch).fit(X, y)
        predicted = reg.predict(rows)
        # The sums have another order.
        expected = r2_score(targets, predicted, sample_weight=weights)
        np.testing.assert_allclose(reg.score(rows, targets, weights), expected, rtol=1e-12)
        np.testing.assert_allclose(whole.validation_scores_[epoch - 1], expected, rtol=1e-10)
        expected = mean_loss(loss, targets, predicted, weights)
        np.testing.assert_allclose(whole.validation_loss_curve_[epoch - 1], expected, rtol=1e-10)
    assert len(set(whole.validation_loss_curve_)) == 6
    assert whole.best_validation_score_ == max(whole.validation_scores_)


@pytest.mark.parametrize("name", ["r2", "neg_mean_absolute_error", "explained_variance"])
def test_scoring_may_be_the_name_of_a_scorer(name):
    reg = estimator(scoring=name).fit(X_train, y_train, X_val=X_val, y_val=y_val)
    np.testing.assert_allclose(reg.validation_scores_[-1], get_scorer(name)(reg, X_val, y_val), rtol=1e-12)


def test_scoring_loss_is_the_negative_validation_loss():
    reg = estimator(scoring="loss").fit(X_train, y_train, X_val=X_val, y_val=y_val)
    np.testing.assert_array_equal(reg.validation_scores_, -np.array(reg.validation_loss_curve_))


@pytest.mark.parametrize(("params", "n_held"), [({"early_stopping": True}, 6), ({"validation_fraction": 0.25}, 15)])
@outputs
def test_rows_are_held_out(n_outputs, params, n_held):
    X, y, _, _ = split("squared_error", n_outputs)
    reg = estimator(**params).fit(X, y)
    assert reg.t_ == 6 * (60 - n_held)
    assert len(reg.validation_scores_) == 6
    assert np.isfinite(reg.validation_scores_).all()


@pytest.mark.parametrize("params", [{}, {"solver": "adam"}, {"solver": "lbfgs"}], ids=str)
def test_early_stopping_restores_the_weights_of_the_best_epoch(params, assert_identical):
    # With a large eta the score goes up and down. L-BFGS overfits.
    settings = {"max_iter": 200, "n_iter_no_change": 3, "learning_rate_init": 0.2} | params
    X, y, rows, targets = split("squared_error", 1)
    reg = estimator(early_stopping=True, **settings).fit(X, y, X_val=rows, y_val=targets)
    best = int(np.argmax(reg.validation_scores_))
    assert best < reg.n_iter_ - 1 < 199
    assert reg.best_loss_ is None
    assert reg.best_validation_score_ == reg.validation_scores_[best]
    np.testing.assert_allclose(reg.score(rows, targets), reg.best_validation_score_, rtol=1e-12)
    assert_identical(reg, estimator(**(settings | {"max_iter": best + 1, "n_iter_no_change": None})).fit(X, y))


def test_a_validation_score_of_predictions_that_overflow_is_nan():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 4)), rng.random(60)
    reg = FNNRegressor(loss="poisson", max_iter=2, n_iter_no_change=None, random_state=0)
    reg.fit(X, y, X_val=X[:9] * 1e4, y_val=y[:9])
    assert np.isnan(reg.validation_scores_).all()
