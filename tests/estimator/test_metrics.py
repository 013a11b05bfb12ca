"""`scoring`: the scores and losses after every epoch, and scores that are not numbers.

test_validation.py tests the classifier's scores and losses. This file tests the regressor's, and the effects of scores
on a training run.
"""

import warnings

import numpy as np
import pytest
from sklearn.datasets import make_classification, make_regression
from sklearn.exceptions import UndefinedMetricWarning
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
from sklearn.model_selection import train_test_split

from skfnn import FNNClassifier, FNNRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

N, N_VAL, N_EPOCHS = 60, 30, 5
X_all, Y_all = make_regression(N + N_VAL, 5, n_targets=3, noise=30.0, random_state=0)
Y_all = Y_all / Y_all.std(axis=0)
X, Y, X_val, Y_val = X_all[:N], Y_all[:N], X_all[N:], Y_all[N:]
y, y_val = Y[:, 0], Y_val[:, 0]
WEIGHTS_VAL = np.random.default_rng(0).integers(0, 4, N_VAL).astype(float)
X_classes, classes = make_classification(N + N_VAL, 5, random_state=0)
CLASSES = {"X_val": X_classes[N:], "y_val": classes[N:]}
NAN = float("nan")

SOLVERS = {"sgd": {}, "adam": {"solver": "adam", "learning_rate_init": 0.01}, "lbfgs": {"solver": "lbfgs"}}
solvers = pytest.mark.parametrize("solver", SOLVERS)
weighted = pytest.mark.parametrize("weights", [None, WEIGHTS_VAL], ids=["plain", "weighted"])


def settings(**params):
    """An estimator that trains for exactly five epochs by default, in float64."""
    exact = {"tol": 0.0, "n_iter_no_change": 1000, "max_iter": N_EPOCHS, "random_state": 0}
    return {"hidden_layer_sizes": (5,), "batch_size": 12} | exact | params


def regressor(**params):
    return FNNRegressor(**settings(**params))


def classifier(**params):
    return FNNClassifier(**settings(**params))


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


# Scores that are not numbers


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
