"""FNNClassifier with scikit-learn: parameters, pipelines, searches, metadata routing."""

import copy
import inspect
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import sklearn
from short_runs import estimator
from sklearn.base import clone, is_classifier
from sklearn.ensemble import BaggingClassifier
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GridSearchCV, cross_val_score, cross_validate
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags
from small_tables import X_iris, y_iris

from skfnn import FNNClassifier

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


# Parameters


def test_the_parameters_are_those_in_the_documentation():
    expected = {
        "hidden_layer_sizes": (100,),
        "activation": "relu",
        "solver": "sgd",
        "batch_size": "auto",
        "shuffle": True,
        "learning_rate_init": "auto",
        "init": "auto",
        "standardize": "auto",
        "learning_rate": "constant",
        "power_t": 0.5,
        "momentum": 0.0,
        "nesterovs_momentum": True,
        "beta_1": 0.9,
        "beta_2": 0.999,
        "epsilon": 1e-8,
        "alpha": 0.0,
        "weight_decay": 0.0,
        "dropout": 0.0,
        "max_grad_norm": None,
        "label_smoothing": 0.0,
        "max_iter": 200,
        "tol": 1e-4,
        "n_iter_no_change": 10,
        "early_stopping": False,
        "validation_fraction": None,
        "scoring": None,
        "class_weight": None,
        "dtype": "auto",
        "max_fun": 15000,
        "warm_start": False,
        "random_state": None,
        "verbose": False,
    }
    params = FNNClassifier().get_params()
    assert params == expected


def test_the_methods_have_the_arguments_in_the_documentation():
    def names(method):
        return list(inspect.signature(method).parameters)[1:]

    validation = ["X_val", "y_val", "sample_weight_val"]
    assert names(FNNClassifier.fit) == ["X", "y", "sample_weight", *validation, "coefs_init", "intercepts_init"]
    assert names(FNNClassifier.score) == ["X", "y", "sample_weight"]
    fitted = estimator()  # an instance has partial_fit if its solver has epochs
    assert list(inspect.signature(fitted.partial_fit).parameters) == ["X", "y", "sample_weight", "classes", *validation]
    with pytest.raises(TypeError):
        fitted.fit(X_iris, y_iris, None, X_iris, y_iris)  # a validation set is passed by keyword


def test_the_constructor_only_stores_its_arguments():
    sizes = [6, 3]
    clf = FNNClassifier(hidden_layer_sizes=sizes, activation="no such thing", batch_size=-3)
    assert clf.get_params()["hidden_layer_sizes"] is sizes
    assert clf.get_params()["activation"] == "no such thing"
    assert set(vars(clf)) == set(clf.get_params())


def test_a_clone_has_the_parameters_and_no_model():
    clf = estimator(activation=["tanh"], momentum=0.9, warm_start=True).fit(X_iris, y_iris)
    twin = clone(clf)
    assert twin.get_params() == clf.get_params()
    assert set(vars(twin)) == set(twin.get_params())
    np.testing.assert_array_equal(twin.fit(X_iris, y_iris).predict_proba(X_iris), clf.predict_proba(X_iris))


def test_fit_does_not_change_the_parameters():
    clf = estimator(hidden_layer_sizes=[6], activation=["relu"], learning_rate_init="auto", learning_rate="adaptive")
    before = copy.deepcopy(clf.get_params())
    clf.fit(X_iris, y_iris).partial_fit(X_iris, y_iris)
    assert clf.get_params() == before


@pytest.mark.parametrize(
    ("params", "fits"),
    [
        ({"hidden_layer_sizes": (7,)}, False),
        ({"hidden_layer_sizes": (6, 6), "activation": "relu"}, False),
        ({"activation": "tanh"}, False),
        ({"hidden_layer_sizes": [6]}, True),
        ({"hidden_layer_sizes": 6}, True),
        ({"activation": ["relu"]}, True),
        ({"learning_rate_init": 0.3, "batch_size": 7, "momentum": 0.5}, True),
        ({"solver": "adam"}, True),
    ],
    ids=str,
)
@pytest.mark.parametrize("method", ["partial_fit", "warm start"])
def test_set_params_may_change_only_some_parameters_between_calls(method, params, fits):
    clf = estimator(warm_start=method == "warm start").fit(X_iris, y_iris)
    before, proba = copy.deepcopy(clf), clf.predict_proba(X_iris)
    go_on = clf.set_params(**params).fit if method == "warm start" else clf.set_params(**params).partial_fit
    if fits:
        go_on(X_iris, y_iris)
        assert len(clf.loss_curve_) > len(before.loss_curve_)
    else:
        with pytest.raises(ValueError, match="hidden_layer_sizes or activation changed"):
            go_on(X_iris, y_iris)
        np.testing.assert_array_equal(clf.predict_proba(X_iris), proba)
        # A new fit uses the new sizes.
        clf.set_params(warm_start=False).fit(X_iris, y_iris)
        assert clf.coefs_[0].shape[1] == clf.coefs_[1].shape[0]


def test_the_tags_describe_the_estimator():
    assert is_classifier(estimator())
    tags = get_tags(estimator())
    assert tags.classifier_tags.multi_class
    assert tags.classifier_tags.multi_label
    assert tags.input_tags.sparse
    assert tags.target_tags.required
    assert not tags.input_tags.allow_nan


# Pipelines and searches


def test_a_grid_search_in_two_processes_equals_one_in_one_process():
    pipeline = make_pipeline(StandardScaler(), estimator())
    grid = {"fnnclassifier__batch_size": [1, 10, "full"], "fnnclassifier__learning_rate_init": [0.01, 0.3]}
    one, two = (GridSearchCV(pipeline, grid, cv=3, n_jobs=n_jobs).fit(X_iris, y_iris) for n_jobs in (1, 2))
    for key, values in one.cv_results_.items():
        if "time" not in key:
            np.testing.assert_array_equal(values, two.cv_results_[key])
    assert len(set(one.cv_results_["mean_test_score"])) > 2
    assert one.best_params_ == two.best_params_
    np.testing.assert_array_equal(one.predict_proba(X_iris), two.predict_proba(X_iris))


def test_a_pipeline_equals_its_steps():
    X = X_iris * [1, 10, 100, 1000] + 5
    pipeline = make_pipeline(StandardScaler(), estimator()).fit(X, y_iris)
    scaled = StandardScaler().fit_transform(X)
    np.testing.assert_array_equal(pipeline.predict_proba(X), estimator().fit(scaled, y_iris).predict_proba(scaled))
    assert pipeline.score(X, y_iris) == accuracy_score(y_iris, pipeline.predict(X))


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"solver": "adam", "learning_rate_init": 0.02},
        {"solver": "lbfgs"},
        {"early_stopping": True, "learning_rate_init": 0.1},
    ],
    ids=str,
)
def test_cross_validation_works(params):
    scores = cross_val_score(estimator(max_iter=60, **params), X_iris, y_iris, cv=3)
    assert scores.min() > 0.6


def test_meta_estimators_work():
    bagging = BaggingClassifier(estimator(max_iter=30), n_estimators=3, random_state=0).fit(X_iris, y_iris)
    one_vs_rest = OneVsRestClassifier(estimator(max_iter=30)).fit(X_iris, y_iris)
    assert bagging.score(X_iris, y_iris) > 0.7
    assert one_vs_rest.score(X_iris, y_iris) > 0.7


def test_predictions_in_several_threads_equal_those_in_one():
    clf = estimator(hidden_layer_sizes=(50, 30)).fit(X_iris, y_iris)
    parts = [X_iris[k % 7 :: k % 5 + 1] for k in range(60)]
    expected = [clf.predict_proba(part) for part in parts]
    with ThreadPoolExecutor(8) as pool:
        for found, proba in zip(pool.map(clf.predict_proba, parts * 3), expected * 3, strict=True):
            np.testing.assert_array_equal(found, proba)


# Metadata routing


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


class Recorder(FNNClassifier):
    """Records the arguments of fit."""

    def fit(self, X, y, sample_weight=None, *, X_val=None, y_val=None):
        super().fit(X, y, sample_weight, X_val=X_val, y_val=y_val)
        self.given_ = (sample_weight, X_val, y_val)
        return self


@pytest.mark.usefixtures("routing")
def test_every_extra_argument_of_fit_can_be_requested():
    names = ["sample_weight", "X_val", "y_val", "sample_weight_val", "coefs_init", "intercepts_init"]
    clf = FNNClassifier().set_fit_request(**dict.fromkeys(names, True))
    assert clf.get_metadata_routing().fit.requests == dict.fromkeys(names, True)
    clf.set_partial_fit_request(sample_weight=True, classes=True, X_val=True, y_val=True, sample_weight_val=True)
    clf.set_score_request(sample_weight=True)
    assert clf.get_metadata_routing().score.requests == {"sample_weight": True}


@pytest.mark.usefixtures("routing")
def test_sample_weights_are_routed_into_cross_validation():
    weights = np.arange(150.0)
    clf = Recorder(6, max_iter=2).set_fit_request(sample_weight=True).set_score_request(sample_weight=False)
    result = cross_validate(clf, X_iris, y_iris, params={"sample_weight": weights}, cv=3, return_estimator=True)
    given = [fitted.given_[0] for fitted in result["estimator"]]
    np.testing.assert_array_equal(np.sort(np.concatenate(given)), np.sort(np.tile(weights, 2)))
    with pytest.raises(ValueError, match=r"sample_weight.*not explicitly set|not requested"):
        cross_validate(Recorder(6, max_iter=2), X_iris, y_iris, params={"sample_weight": weights}, error_score="raise")


@pytest.mark.usefixtures("routing")
def test_a_pipeline_transforms_the_validation_set_that_it_routes():
    X, X_val, y, y_val = X_iris[::2] * 50, X_iris[1::2] * 50, y_iris[::2], y_iris[1::2]
    clf = estimator().set_fit_request(X_val=True, y_val=True)
    pipeline = Pipeline([("scale", StandardScaler()), ("fnn", clf)], transform_input=["X_val"])
    pipeline.fit(X, y, X_val=X_val, y_val=y_val)
    assert pipeline[-1].validation_scores_[-1] == pipeline.score(X_val, y_val)
    scaler = StandardScaler().fit(X)
    by_hand = estimator().fit(scaler.transform(X), y, X_val=scaler.transform(X_val), y_val=y_val)
    assert pipeline[-1].validation_loss_curve_ == by_hand.validation_loss_curve_


def test_without_routing_a_pipeline_passes_fit_arguments_by_step():
    weights = np.arange(150.0)
    pipeline = make_pipeline(StandardScaler(), estimator()).fit(X_iris, y_iris, fnnclassifier__sample_weight=weights)
    expected = estimator().fit(StandardScaler().fit_transform(X_iris), y_iris, weights)
    np.testing.assert_array_equal(pipeline[-1].coefs_[0], expected.coefs_[0])
