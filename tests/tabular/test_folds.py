"""Each network leaves out a fold, which stops its training and calibrates the mean."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from scipy.special import expit, log_softmax, logit, softmax
from sklearn.datasets import make_classification, make_multilabel_classification, make_regression
from sklearn.metrics import log_loss

from skfnn import FNNClassifier, FNNRegressor
from skfnn.tabular._averaged import AveragedFNNClassifier, AveragedFNNRegressor
from skfnn.tabular._folds import best_temperature, make_folds

X, y = make_classification(120, 6, n_informative=4, n_classes=3, flip_y=0.2, random_state=0)
LABELS = np.array(["a", "b", "c"])[y]
X_r, y_r = make_regression(100, 4, noise=5.0, random_state=0)
NET = {"hidden_layer_sizes": (8,), "solver": "adam", "n_iter_no_change": None}
FIXED = {"max_iter": 12, "batch_size": 20, "learning_rate_init": 0.03, "random_state": 0}
# What the average sets for a network that leaves out a fold.
LEFT_OUT = {"early_stopping": True, "scoring": "loss", "n_iter_no_change": 12}

# Networks that are trained alone here warn if they reach max_iter.
pytestmark = pytest.mark.filterwarnings("ignore::skfnn.exceptions.NotConvergedWarning")


def classifier(n_nets=3, n_folds=3, **params):
    return AveragedFNNClassifier(FNNClassifier(**NET), n_nets, n_folds=n_folds, **FIXED | params)


def folds_and_seeds(n_nets, labels, weights=None, n_rows=120):
    rng = np.random.RandomState(0)
    seeds = [rng.randint(np.iinfo(np.int32).max) for _ in range(n_nets)]
    return make_folds(n_rows, labels, weights, 3, rng), seeds


def random_folds(labels, n_folds, weights=None):
    return make_folds(len(labels), labels, weights, n_folds, np.random.RandomState(1))


@pytest.mark.parametrize("n_folds", [2, 3, 8])
@pytest.mark.parametrize("labels", [y, LABELS, np.repeat(["a", "b"], [118, 2])])
def test_folds_are_of_equal_size_and_have_equal_shares_of_every_class(labels, n_folds):
    folds = random_folds(labels, n_folds)
    np.testing.assert_array_equal(np.sort(np.concatenate(folds)), np.arange(120))
    assert np.ptp([len(fold) for fold in folds]) <= 1
    for label in np.unique(labels):
        assert np.ptp([np.sum(labels[fold] == label) for fold in folds]) <= 1


def test_folds_of_targets_that_are_not_classes_are_random():
    folds = make_folds(50, None, None, 5, np.random.RandomState(0))
    np.testing.assert_array_equal(np.sort(np.concatenate(folds)), np.arange(50))
    assert not np.array_equal(folds[0], np.arange(0, 50, 5))


def test_the_only_row_of_a_class_is_in_no_fold():
    labels = np.array(["a"] * 40 + ["b"] + ["c"] * 40)
    np.testing.assert_array_equal(np.sort(np.concatenate(random_folds(labels, 4))), np.delete(np.arange(81), 40))


def test_rows_without_weight_are_in_no_fold_and_count_for_no_class():
    labels, weights = np.repeat(["a", "b"], [40, 2]), np.ones(42)
    weights[[0, 41]] = 0.0
    np.testing.assert_array_equal(np.sort(np.concatenate(random_folds(labels, 4, weights))), np.arange(1, 40))


@pytest.mark.parametrize(("n_rows", "expected"), [(31, False), (32, True)])
def test_too_few_rows_make_no_folds(n_rows, expected):
    assert (make_folds(n_rows, None, None, 8, np.random.RandomState(0)) is not None) == expected


def probabilities(n, seed=0):
    """Logarithms of probabilities, and classes drawn from them."""
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.ones(3), n)
    return np.log(p), np.array([rng.choice(3, p=row) for row in p])


@pytest.mark.parametrize(("sharpness", "expected"), [(1.0, 1.0), (2.0, 2.0), (0.5, 0.5)])
def test_the_temperature_undoes_too_large_or_too_small_logits(sharpness, expected):
    log_p, codes = probabilities(20_000)
    assert best_temperature(sharpness * log_p, codes) == pytest.approx(expected, rel=0.04)


def test_the_temperature_has_the_smallest_loss_of_a_grid():
    log_p, codes = probabilities(60)
    log_p *= 1.7
    grid = np.exp(np.linspace(-1.0, 1.0, 2001))
    loss = [-log_softmax(log_p / t, axis=1)[np.arange(60), codes].sum() + 0.5 * (np.log(t) / 0.22) ** 2 for t in grid]
    assert best_temperature(log_p, codes) == pytest.approx(grid[np.argmin(loss)], rel=2e-3)


def test_few_rows_without_an_error_leave_the_temperature_near_1():
    log_p = np.log(np.tile([[0.95, 0.05]], (20, 1)))
    assert 0.5 < best_temperature(log_p, np.zeros(20, dtype=int)) < 1.0


def test_only_the_ratios_of_the_weights_count_for_the_temperature():
    log_p, codes = probabilities(50)
    twice = best_temperature(np.repeat(log_p, 2, axis=0), np.repeat(codes, 2), np.tile([0.0, 2.0], 50))
    assert best_temperature(3.0 * log_p, codes, np.full(50, 7.0)) == best_temperature(3.0 * log_p, codes)
    assert twice == pytest.approx(best_temperature(log_p, codes, np.full(50, 1.0)), rel=0.2)


@pytest.mark.parametrize("container", [np.asarray, pd.DataFrame, sparse.csr_array])
def test_a_network_trains_without_its_fold_and_keeps_the_best_weights_for_it(container, assert_identical):
    model = classifier().fit(container(X), LABELS)
    folds, seeds = folds_and_seeds(3, LABELS)
    for net, fold, seed in zip(model.nets_, folds, seeds, strict=True):
        rest = np.delete(np.arange(120), fold)
        alone = FNNClassifier(**NET | FIXED | LEFT_OUT | {"random_state": seed})
        alone.fit(
            container(X[rest]),
            LABELS[rest],
            X_val=container(X[fold]),
            y_val=LABELS[fold],
        )
        assert_identical(net, alone)
        assert len(net.validation_scores_) == 12
        assert -net.best_validation_score_ == min(net.validation_loss_curve_)


def test_the_regressor_leaves_out_folds_too(assert_identical):
    model = AveragedFNNRegressor(FNNRegressor(**NET), 2, n_folds=3, **FIXED).fit(X_r, y_r)
    folds, seeds = folds_and_seeds(2, None, n_rows=100)
    for net, fold, seed in zip(model.nets_, folds, seeds, strict=False):
        rest = np.delete(np.arange(100), fold)
        alone = FNNRegressor(**NET | FIXED | LEFT_OUT | {"random_state": seed})
        assert_identical(net, alone.fit(X_r[rest], y_r[rest], X_val=X_r[fold], y_val=y_r[fold]))
    assert not hasattr(model, "temperature_")


def test_weights_reach_the_training_rows_and_the_fold(assert_identical):
    weights = np.random.default_rng(0).integers(0, 3, 120)
    model = classifier().fit(X, LABELS, sample_weight=weights.tolist())
    folds, seeds = folds_and_seeds(3, LABELS, weights)
    for net, fold, seed in zip(model.nets_, folds, seeds, strict=True):
        rest = np.delete(np.arange(120), fold)
        alone = FNNClassifier(**NET | FIXED | LEFT_OUT | {"random_state": seed})
        alone.fit(
            X[rest],
            LABELS[rest],
            sample_weight=weights[rest],
            X_val=X[fold],
            y_val=LABELS[fold],
            sample_weight_val=weights[fold],
        )
        assert_identical(net, alone)
    log_p = np.concatenate([net.predict_log_proba(X[fold]) for net, fold in zip(model.nets_, folds, strict=True)])
    rows = np.concatenate(folds)
    assert model.temperature_ == best_temperature(log_p, y[rows], weights[rows])


def test_probabilities_are_those_of_the_mean_at_the_temperature():
    model = classifier().fit(X, LABELS)
    assert model.temperature_ not in (1.0, None)
    mean = np.mean([net.predict_proba(X) for net in model.nets_], axis=0)
    expected = softmax(np.log(mean) / model.temperature_, axis=1)
    np.testing.assert_allclose(model.predict_proba(X), expected, rtol=1e-10)
    np.testing.assert_allclose(model.predict_log_proba(X), np.log(expected), rtol=1e-10, atol=1e-12)
    np.testing.assert_array_equal(model.predict(X), model.classes_[mean.argmax(axis=1)])


def test_the_labels_of_a_multilabel_problem_share_one_temperature():
    X, Y = make_multilabel_classification(120, 5, n_classes=3, random_state=0)
    weights = np.random.default_rng(0).uniform(0.5, 2.0, 120)
    model = classifier().fit(X, Y, sample_weight=weights)
    folds, _ = folds_and_seeds(3, None, weights)
    p = np.concatenate([net.predict_proba(X[fold]) for net, fold in zip(model.nets_, folds, strict=True)]).ravel()
    rows = np.concatenate(folds)
    expected = best_temperature(np.log(np.column_stack([1 - p, p])), Y[rows].ravel(), np.repeat(weights[rows], 3))
    assert model.temperature_ == pytest.approx(expected, rel=1e-5)
    mean = np.mean([net.predict_proba(X) for net in model.nets_], axis=0)
    np.testing.assert_allclose(model.predict_proba(X), expit(logit(mean) / model.temperature_), rtol=1e-8)
    np.testing.assert_allclose(model.predict_log_proba(X), np.log(model.predict_proba(X)), rtol=1e-8, atol=1e-12)
    np.testing.assert_array_equal(model.predict(X), mean > 0.5)


def test_several_networks_leave_out_the_same_fold_if_there_are_more_networks_than_folds():
    model = classifier(4, max_iter=1).fit(X, y)
    first, last = model.nets_[0], model.nets_[3]
    folds, _ = folds_and_seeds(4, y)
    for net in (first, last):
        assert -net.validation_scores_[-1] == pytest.approx(log_loss(y[folds[0]], net.predict_proba(X[folds[0]])))


@pytest.mark.parametrize(
    ("params", "given"),
    [
        ({"n_folds": None}, {}),
        ({"n_folds": 40}, {}),
        ({"estimator__validation_fraction": 0.2}, {}),
        ({}, {"X_val": X[:9], "y_val": LABELS[:9]}),
    ],
    ids=["none", "too few rows", "validation_fraction", "X_val"],
)
def test_without_folds_the_networks_train_as_they_are_set(params, given, assert_identical):
    model = classifier(1).set_params(**params).fit(X, LABELS, **given)
    _, seeds = folds_and_seeds(1, None)
    net = FNNClassifier(**NET | FIXED | {"random_state": seeds[0]})
    net.set_params(validation_fraction=params.get("estimator__validation_fraction"))
    assert_identical(model.nets_[0], net.fit(X, LABELS, **given))
    assert model.temperature_ == 1.0


def test_a_network_stops_after_more_than_twelve_epochs_without_a_lower_loss_or_as_the_user_says():
    noise = np.random.default_rng(0).integers(0, 2, 120)
    for patience in (None, 3):
        model = classifier(1, max_iter=100).set_params(estimator__tol=0.0, estimator__n_iter_no_change=patience)
        net = model.fit(X, noise).nets_[0]
        losses = net.validation_loss_curve_
        assert len(losses) - 1 - np.argmin(losses) == (patience or 12) + 1


@pytest.mark.filterwarnings("error")
def test_a_network_that_reaches_the_last_epoch_of_its_schedule_does_not_warn():
    classifier(1, max_iter=3).fit(X, LABELS)


def test_the_batch_size_follows_the_rows_that_are_trained_on():
    model = classifier(batch_size="auto", max_iter=1).fit(X, y)
    assert model.nets_[0].batch_size == 80 // 8


def test_a_scorer_of_the_users_chooses_the_weights():
    model = classifier().set_params(estimator__scoring="accuracy").fit(X, y)
    folds, _ = folds_and_seeds(3, y)
    assert model.nets_[0].best_validation_score_ == model.nets_[0].score(X[folds[0]], y[folds[0]])
