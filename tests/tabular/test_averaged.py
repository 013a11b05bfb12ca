"""The average is that of networks that are trained alone."""

import pickle

import numpy as np
import pytest
import sklearn
from checks import all_checks
from sklearn.datasets import make_classification, make_multilabel_classification, make_regression
from sklearn.exceptions import NotFittedError

from skfnn import FNNClassifier, FNNRegressor
from skfnn.tabular._averaged import AveragedFNNClassifier, AveragedFNNRegressor

X, y = make_classification(120, 6, n_informative=4, n_classes=3, random_state=0)
LABELS = np.array(["a", "b", "c"])[y]
X_r, y_r = make_regression(100, 4, noise=5.0, random_state=0)
NET = {"hidden_layer_sizes": (8,), "solver": "adam", "n_iter_no_change": None}
FIXED = {"max_iter": 5, "batch_size": 20, "learning_rate_init": 0.01}


QUICK = {"max_iter": 10, "learning_rate_init": 0.1, "random_state": 0}
CLASSIFIER = AveragedFNNClassifier(FNNClassifier((20,), solver="adam", n_iter_no_change=None), 2, **QUICK)
REGRESSOR = AveragedFNNRegressor(FNNRegressor((20,), solver="adam", n_iter_no_change=None), 2, **QUICK)


def classifier(n_nets=3, net=NET, **params):
    return AveragedFNNClassifier(FNNClassifier(**net), n_nets, **FIXED | {"random_state": 0} | params)


def regressor(n_nets=3, net=NET, **params):
    return AveragedFNNRegressor(FNNRegressor(**net), n_nets, **FIXED | {"random_state": 0} | params)


def seeds(n):
    rng = np.random.RandomState(0)
    return [rng.randint(np.iinfo(np.int32).max) for _ in range(n)]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@all_checks([CLASSIFIER, REGRESSOR], lambda estimator: {})
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def test_probabilities_are_the_mean_of_networks_trained_alone():
    model = classifier().fit(X, LABELS)
    alone = [FNNClassifier(**NET | FIXED, random_state=seed).fit(X, LABELS) for seed in seeds(3)]
    expected = np.mean([net.predict_proba(X) for net in alone], axis=0)
    np.testing.assert_allclose(model.predict_proba(X), expected, rtol=1e-14)
    np.testing.assert_allclose(model.predict_log_proba(X), np.log(expected), rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(model.predict(X), model.classes_[expected.argmax(axis=1)])
    assert model.classes_.tolist() == ["a", "b", "c"]


@pytest.mark.parametrize("target", [y > 0, y])
def test_probabilities_sum_to_1_with_the_precision_of_their_type(target):
    p = classifier(net=NET | {"dtype": "float32"}).fit(X, target).predict_proba(X)
    np.testing.assert_allclose(p.sum(axis=1), 1.0, rtol=8 * np.finfo(p.dtype).eps)


def test_predictions_are_the_mean_of_networks_trained_alone():
    model = regressor().fit(X_r, y_r)
    alone = [FNNRegressor(**NET | FIXED, random_state=seed).fit(X_r, y_r) for seed in seeds(3)]
    np.testing.assert_allclose(model.predict(X_r), np.mean([net.predict(X_r) for net in alone], axis=0), rtol=1e-12)


def test_the_networks_differ_and_a_seed_repeats_them(assert_identical):
    a, b = classifier().fit(X, LABELS), classifier().fit(X, LABELS)
    assert not np.array_equal(a.nets_[0].coefs_[0], a.nets_[1].coefs_[0])
    for net, other in zip(a.nets_, b.nets_, strict=True):
        assert_identical(net, other)


def test_processes_give_the_same_networks(assert_identical):
    for net, other in zip(classifier(2, n_jobs=2).fit(X, y).nets_, classifier(2).fit(X, y).nets_, strict=True):
        assert_identical(net, other)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_labels_of_a_multilabel_problem(n_classes):
    X, Y = make_multilabel_classification(80, 5, n_classes=n_classes, random_state=0)
    model = classifier().fit(X, Y)
    p = model.predict_proba(X)
    assert p.shape == Y.shape
    np.testing.assert_array_equal(model.predict(X), p > 0.5)


def test_two_classes():
    model = classifier().fit(X, y > 0)
    p = model.predict_proba(X)
    assert p.shape == (120, 2)
    np.testing.assert_array_equal(model.predict(X), p[:, 1] > 0.5)


def test_several_targets():
    Y = np.column_stack([y_r, -2.0 * y_r])
    assert regressor().fit(X_r, Y).predict(X_r).shape == (100, 2)


def test_weights_reach_the_networks(assert_identical):
    w = np.random.default_rng(0).integers(0, 3, 120)
    model = classifier(1).fit(X, LABELS, sample_weight=w)
    assert_identical(
        model.nets_[0], FNNClassifier(**NET | FIXED, random_state=seeds(1)[0]).fit(X, LABELS, sample_weight=w)
    )


def test_a_validation_set_of_text_labels_reaches_every_network():
    model = classifier().fit(X[:90], LABELS[:90], X_val=X[90:], y_val=LABELS[90:])
    for net in model.nets_:
        assert len(net.validation_scores_) == 5
        assert net.validation_scores_[-1] == net.score(X[90:], LABELS[90:])


def test_routing_passes_on_what_the_network_requests():
    with sklearn.config_context(enable_metadata_routing=True):
        net = FNNClassifier(**NET).set_fit_request(X_val=True, y_val=True)
        model = AveragedFNNClassifier(net, 2, **FIXED).fit(X[:90], y[:90], X_val=X[90:], y_val=y[90:])
    assert len(model.nets_[1].validation_scores_) == 5


def test_the_rule_counts_the_rows_that_are_trained_on():
    net = NET | {"validation_fraction": 0.5}
    model = classifier(1, net, batch_size="auto", max_iter=1).fit(X, y)
    assert model.nets_[0].batch_size == 60 // 8


@pytest.mark.parametrize(("name", "value"), [("max_iter", 3), ("batch_size", 7), ("random_state", 0)])
def test_a_parameter_without_effect_is_an_error(name, value):
    with pytest.raises(ValueError, match=f"net__{name}"):
        classifier(net=NET | {name: value}).fit(X, y)


@pytest.mark.parametrize(("name", "value"), [("n_nets", 0), ("max_iter", 0), ("batch_size", "all"), ("n_jobs", 1.5)])
def test_invalid_parameters_are_named(name, value):
    with pytest.raises(ValueError, match=name):
        classifier().set_params(**{name: value}).fit(X, y)


def test_a_failed_fit_leaves_the_networks_as_they_were():
    model = classifier().fit(X, LABELS)
    before = model.predict_proba(X)
    with pytest.raises(ValueError, match="NaN"):
        model.fit(np.full_like(X, np.nan), LABELS)
    np.testing.assert_array_equal(model.predict_proba(X), before)


def test_not_fitted():
    with pytest.raises(NotFittedError):
        classifier().predict(X)
    with pytest.raises(NotFittedError):
        classifier().predict_log_proba(X)
    assert not hasattr(classifier(), "classes_")


def test_a_pickle_predicts_the_same():
    model = classifier().fit(X, LABELS)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict_proba(X), model.predict_proba(X))
