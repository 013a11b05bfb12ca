"""`scoring`: the scores and losses after every epoch, and early stopping by a metric.

test_validation.py tests the classifier's scores and losses. This file tests the regressor's, and the effects of scores
on a training run.
"""

import numpy as np
import pytest
from scored import (
    CLASSES,
    N_EPOCHS,
    N_VAL,
    SOLVERS,
    N,
    X,
    X_classes,
    X_val,
    Y,
    Y_all,
    Y_val,
    classes,
    classifier,
    regressor,
    settings,
    solvers,
    y,
    y_val,
)
from sklearn.metrics import (
    f1_score,
    get_scorer,
    log_loss,
    make_scorer,
    max_error,
    mean_absolute_error,
    mean_poisson_deviance,
    mean_squared_error,
    r2_score,
)

from skfnn import FNNRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

WEIGHTS_VAL = np.random.default_rng(0).integers(0, 4, N_VAL).astype(float)
weighted = pytest.mark.parametrize("weights", [None, WEIGHTS_VAL], ids=["plain", "weighted"])


def numbers(n_outputs):
    """Training targets and a validation set, with one or three outputs."""
    return (y, {"X_val": X_val, "y_val": y_val}) if n_outputs == 1 else (Y, {"X_val": X_val, "y_val": Y_val})


# The regressor's scores and losses


@weighted
@pytest.mark.parametrize("n_outputs", [1, 3])
@solvers
def test_each_epoch_records_the_r2_and_loss_of_its_weights(solver, n_outputs, weights):
    targets, given = numbers(n_outputs)
    params = SOLVERS[solver] | {"alpha": 3.0}  # alpha is not part of the validation loss
    whole = regressor(**params).fit(X, targets, **given, sample_weight_val=weights)
    assert len(whole.validation_scores_) == len(whole.validation_loss_curve_) == whole.n_iter_ == N_EPOCHS
    for epoch in range(1, N_EPOCHS + 1):
        predicted = regressor(**(params | {"max_iter": epoch})).fit(X, targets).predict(X_val)
        # The two functions sum 30 numbers in different orders, which causes a few roundings.
        expected = r2_score(given["y_val"], predicted, sample_weight=weights)
        np.testing.assert_allclose(whole.validation_scores_[epoch - 1], expected, rtol=1e-12, atol=1e-14)
        # (z - y)^2 / 2, summed over the outputs.
        expected = n_outputs / 2 * mean_squared_error(given["y_val"], predicted, sample_weight=weights)
        np.testing.assert_allclose(whole.validation_loss_curve_[epoch - 1], expected, rtol=1e-12)
    assert len(set(whole.validation_loss_curve_)) == N_EPOCHS
    assert whole.best_validation_score_ == max(whole.validation_scores_)


@weighted
def test_with_poisson_the_loss_is_half_the_deviance_and_the_score_uses_the_means(weights):
    rng = np.random.default_rng(0)
    counts, counts_val = rng.poisson(np.exp(y / 2)), rng.poisson(np.exp(y_val))
    assert 0 in counts_val
    given = {"X_val": X_val, "y_val": counts_val, "sample_weight_val": weights}
    model = regressor(loss="poisson").fit(X, counts, **given)
    mean = model.predict(X_val)
    expected = mean_poisson_deviance(counts_val, mean, sample_weight=weights) / 2
    # The deviance takes logarithms of the means; the loss uses the raw outputs, before the exponential.
    np.testing.assert_allclose(model.validation_loss_curve_[-1], expected, rtol=1e-10)
    expected = r2_score(counts_val, mean, sample_weight=weights)
    np.testing.assert_allclose(model.validation_scores_[-1], expected, rtol=1e-12)


@weighted
@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("name", ["r2", "neg_mean_squared_error", "neg_median_absolute_error", "explained_variance"])
def test_scoring_may_be_the_name_of_a_regression_scorer(name, n_outputs, weights):
    targets, given = numbers(n_outputs)
    model = regressor(scoring=name).fit(X, targets, **given, sample_weight_val=weights)
    scorer = get_scorer(name)
    for epoch in range(1, N_EPOCHS + 1):
        shorter = regressor(max_iter=epoch).fit(X, targets)
        # Both sides make the same call.
        assert model.validation_scores_[epoch - 1] == scorer(shorter, X_val, given["y_val"], sample_weight=weights)
    assert len(set(model.validation_scores_)) == N_EPOCHS


def near(model, rows, values):
    """The fraction of predictions within half a standard deviation of the targets."""
    return float((abs(model.predict(rows) - values) < 0.5).mean())


@pytest.mark.parametrize("scoring", [near, make_scorer(max_error, greater_is_better=False)], ids=["function", "scorer"])
def test_scoring_may_be_callable_for_a_regressor(scoring):
    model = regressor(scoring=scoring).fit(X, y, X_val=X_val, y_val=y_val)
    assert model.validation_scores_[-1] == scoring(model, X_val, y_val)
    assert model.best_validation_score_ == max(model.validation_scores_)
    assert len(model.validation_scores_) == N_EPOCHS


def test_scoring_changes_neither_losses_nor_training(assert_identical):
    plain = regressor().fit(X, y, X_val=X_val, y_val=y_val)
    for scoring in ("loss", "neg_mean_absolute_error", near):
        other = regressor(scoring=scoring).fit(X, y, X_val=X_val, y_val=y_val)
        assert_identical(plain, other)
        assert other.validation_loss_curve_ == plain.validation_loss_curve_
        assert other.validation_scores_ != plain.validation_scores_


def test_scoring_loss_is_the_negative_validation_loss_of_a_regressor():
    model = regressor(scoring="loss", validation_fraction=0.3).fit(X, y)
    assert model.validation_scores_ == [-loss for loss in model.validation_loss_curve_]


@pytest.mark.parametrize("scoring", [None, "loss", "neg_mean_absolute_error"])
def test_rows_held_out_by_a_regressor_are_scored(scoring):
    seen = []

    def scorer(model, rows, values):
        seen.append((rows.copy(), values.copy()))
        return 0.0

    regressor(scoring=scorer, validation_fraction=0.2).fit(X, y)
    rows, values = seen[0]
    assert len(rows) == N * 0.2
    of_row = {row.tobytes(): value for row, value in zip(X, y, strict=True)}
    np.testing.assert_array_equal(values, [of_row[row.tobytes()] for row in rows])
    model = regressor(scoring=scoring, validation_fraction=0.2).fit(X, y)
    predicted = model.predict(rows)
    loss = mean_squared_error(values, predicted) / 2
    expected = {None: r2_score(values, predicted), "loss": -loss}.get(scoring, -mean_absolute_error(values, predicted))
    # The sums have different orders.
    np.testing.assert_allclose(model.validation_scores_[-1], expected, rtol=1e-12)
    np.testing.assert_allclose(model.validation_loss_curve_[-1], loss, rtol=1e-12)


# The classifier's scores and losses


SETTINGS = [{"label_smoothing": 0.3}, {"dropout": 0.5}, {"alpha": 5.0}, {"class_weight": {1: 9.0}}]


@pytest.mark.parametrize("params", SETTINGS, ids=str)
@pytest.mark.parametrize("held_out", [False, True])
def test_the_validation_loss_is_always_the_plain_cross_entropy(params, held_out):
    seen = {}

    def scorer(model, rows, labels):
        seen.update(rows=rows, labels=labels)
        return 0.0

    def train(**params):
        if held_out:
            return classifier(scoring=scorer, validation_fraction=0.3, **params).fit(X_classes, classes)
        return classifier(scoring=scorer, **params).fit(X_classes[:N], classes[:N], **CLASSES)

    model = train(**params)
    expected = log_loss(seen["labels"], model.predict_proba(seen["rows"]))
    # log_loss takes logarithms of probabilities, which are rounded to 1e-16; skfnn uses the raw outputs.
    np.testing.assert_allclose(model.validation_loss_curve_[-1], expected, rtol=1e-10)
    assert abs(expected - train().validation_loss_curve_[-1]) > 1e-4  # the setting affected training


@pytest.mark.parametrize("name", ["roc_auc", "average_precision", "neg_brier_score", "f1"])
def test_binary_scorers_get_probabilities_decisions_and_labels(name):
    model = classifier(scoring=name).fit(X_classes[:N], classes[:N], **CLASSES)
    scorer = get_scorer(name)
    for epoch in range(1, N_EPOCHS + 1):
        shorter = classifier(max_iter=epoch).fit(X_classes[:N], classes[:N])
        assert model.validation_scores_[epoch - 1] == scorer(shorter, CLASSES["X_val"], CLASSES["y_val"])
    assert len(set(model.validation_scores_)) > 1


def test_a_scorer_may_name_a_label_of_text():
    names = np.array(["ham", "spam"])
    scoring = make_scorer(f1_score, pos_label="spam")
    given = {"X_val": CLASSES["X_val"], "y_val": names[CLASSES["y_val"]]}
    model = classifier(scoring=scoring).fit(X_classes[:N], names[classes[:N]], **given)
    by_number = classifier(scoring="f1").fit(X_classes[:N], classes[:N], **CLASSES)
    assert model.validation_scores_ == by_number.validation_scores_


@pytest.mark.parametrize("name", ["f1_micro", "f1_weighted", "roc_auc", "average_precision"])
def test_scorers_for_several_labels_work(name):
    labels = (Y_all > 0).astype(int)
    model = classifier(scoring=name).fit(X, labels[:N], X_val=X_val, y_val=labels[N:])
    assert model.validation_scores_[-1] == get_scorer(name)(model, X_val, labels[N:])
    assert len(model.validation_scores_) == N_EPOCHS


def test_a_callable_gets_weights_only_if_there_are_any():
    assert len(regressor(scoring=near).fit(X, y, X_val=X_val, y_val=y_val).validation_scores_) == N_EPOCHS
    model = regressor(scoring=near)
    with pytest.raises(TypeError, match="sample_weight"):
        model.fit(X, y, X_val=X_val, y_val=y_val, sample_weight_val=WEIGHTS_VAL)
    with pytest.raises(TypeError, match="sample_weight"):
        model.set_params(validation_fraction=0.2).fit(X, y, sample_weight=np.ones(N))
    assert not hasattr(model, "coefs_")
    # Weights of the training rows do not affect a given validation set.
    assert len(model.fit(X, y, np.ones(N), X_val=X_val, y_val=y_val).validation_scores_) == N_EPOCHS


# Early stopping by a metric


RESTLESS = {"learning_rate_init": 0.4, "batch_size": 5, "max_iter": 40, "n_iter_no_change": 4}


@pytest.mark.parametrize("scoring", [None, "loss", "neg_mean_absolute_error", near])
def test_early_stopping_restores_a_regressors_best_weights(scoring, assert_identical):
    params = settings(**RESTLESS, scoring=scoring)
    model = FNNRegressor(**params, early_stopping=True).fit(X, y, X_val=X_val, y_val=y_val)
    best = int(np.argmax(model.validation_scores_))
    assert best < model.n_iter_ - 1
    assert model.best_validation_score_ == model.validation_scores_[best]
    assert_identical(model, FNNRegressor(**(params | {"max_iter": best + 1})).fit(X, y))


def test_the_metric_decides_which_epoch_is_the_best():
    # The weights after every epoch are the same. The metrics prefer different epochs.
    best = {}
    for name in ("loss", "neg_mean_absolute_error", "neg_max_error"):
        scoring = make_scorer(max_error, greater_is_better=False) if name == "neg_max_error" else name
        params = settings(**(RESTLESS | {"n_iter_no_change": None}), early_stopping=True, scoring=scoring)
        model = FNNRegressor(**params).fit(X, y, X_val=X_val, y_val=y_val)
        assert model.n_iter_ == 40
        best[name] = int(np.argmax(model.validation_scores_))
        scorer = get_scorer("neg_mean_squared_error" if name == "loss" else scoring)
        factor = 0.5 if name == "loss" else 1.0
        # The restored weights are scored again, with sums in another order.
        np.testing.assert_allclose(model.best_validation_score_, factor * scorer(model, X_val, y_val), rtol=1e-12)
    assert len(set(best.values())) > 1


@solvers
def test_every_solver_stops_a_regressor_early_on_rows_held_out(solver):
    params = SOLVERS[solver] | {"max_iter": 400, "n_iter_no_change": 5, "hidden_layer_sizes": (30,), "batch_size": 10}
    # L-BFGS only holds out rows if validation_fraction is given.
    model = regressor(early_stopping=True, validation_fraction=0.1, scoring="loss", **params).fit(X, y)
    assert model.n_iter_ < 400
    assert model.n_iter_ == int(np.argmax(model.validation_scores_)) + 1 + 5 + 1
    assert model.best_validation_score_ == -min(model.validation_loss_curve_)
