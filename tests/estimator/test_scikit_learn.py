"""FNNClassifier with scikit-learn: pipelines, searches, frames, pickles, routing, labels, types."""

import copy
import inspect
import pickle
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import pytest
import sklearn
from reference import raw_outputs
from scipy import sparse
from sklearn.base import clone, is_classifier
from sklearn.datasets import load_iris, make_multilabel_classification
from sklearn.ensemble import BaggingClassifier
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GridSearchCV, cross_val_score, cross_validate
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags
from sklearn.utils.class_weight import compute_sample_weight

from skfnn import FNNClassifier

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X_iris, y_iris = load_iris(return_X_y=True)
X_iris = StandardScaler().fit_transform(X_iris)


def estimator(**params):
    settings = {"hidden_layer_sizes": (6,), "batch_size": 20, "max_iter": 5, "random_state": 0}
    return FNNClassifier(**(settings | params))


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


# Pickles

STATES = [{}, {"momentum": 0.9}, {"solver": "adam"}, {"validation_fraction": 0.2}, {"dtype": "float32"}]


@pytest.mark.parametrize("params", STATES, ids=str)
@pytest.mark.parametrize("protocol", [2, pickle.HIGHEST_PROTOCOL])
def test_a_pickle_predicts_and_continues_like_the_model(protocol, params, assert_identical):
    clf = estimator(**params).fit(X_iris, y_iris)
    loaded = pickle.loads(pickle.dumps(clf, protocol))
    np.testing.assert_array_equal(loaded.predict_proba(X_iris), clf.predict_proba(X_iris))
    assert loaded.history_ == clf.history_
    for model in (clf, loaded):
        model.partial_fit(X_iris, y_iris).partial_fit(X_iris, y_iris)
    assert_identical(clf, loaded)


@pytest.mark.parametrize("params", STATES, ids=str)
@pytest.mark.parametrize("mmap_mode", [None, "r", "c"])
def test_a_memory_mapped_model_predicts_and_can_be_trained_further(tmp_path, mmap_mode, params, assert_identical):
    clf = estimator(hidden_layer_sizes=(50, 50), **params).fit(X_iris, y_iris)
    joblib.dump(clf, tmp_path / "model")
    bytes_before = (tmp_path / "model").read_bytes()
    loaded = joblib.load(tmp_path / "model", mmap_mode=mmap_mode)
    if mmap_mode == "r":
        assert not loaded.coefs_[0].flags.writeable
    np.testing.assert_array_equal(loaded.predict_proba(X_iris), clf.predict_proba(X_iris))
    for model in (clf, loaded):
        model.partial_fit(X_iris, y_iris)
        model.set_params(warm_start=True, max_iter=2).fit(X_iris, y_iris)
    assert_identical(clf, loaded)
    loaded.coefs_[0][...] = 0.0  # training replaced the mapped model with one in memory
    assert (tmp_path / "model").read_bytes() == bytes_before


def test_a_deep_copy_is_trained_independently():
    clf = estimator(solver="adam").fit(X_iris, y_iris)
    before = clf.predict_proba(X_iris)
    copy.deepcopy(clf).partial_fit(X_iris, y_iris)
    np.testing.assert_array_equal(clf.predict_proba(X_iris), before)
    assert len(clf.loss_curve_) == 5


# The weights


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


# Types

DTYPES = {
    "float32": ["uint8", "int8", "uint16", "int16", "float16", "float32", "bool"],
    "float64": ["uint32", "int32", "uint64", "int64", "float64"],
}


@pytest.mark.parametrize(("source", "expected"), [(s, e) for e, sources in DTYPES.items() for s in sources])
@pytest.mark.parametrize("solver", ["sgd", "lbfgs"])
def test_short_types_compute_in_float32_and_long_ones_in_float64(solver, source, expected):
    X = (np.abs(X_iris) * 3).astype(source)
    clf = estimator(solver=solver).fit(X, y_iris)
    assert {part.dtype for part in clf.coefs_ + clf.intercepts_} == {np.dtype(expected)}
    for result in (clf.predict_proba(X), clf.decision_function(X), clf.predict_log_proba(X)):
        assert result.dtype == expected
    # The rows in `fit` decide. Predictions accept rows of any type.
    assert clf.predict_proba(X.astype(np.float64)).dtype == expected


@pytest.mark.parametrize("source", ["uint8", "float32", "float64", "int64"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dtype_fixes_the_precision(dtype, source):
    X = (np.abs(X_iris) * 3).astype(source)
    for standardize in ("auto", False):
        settings = {"dtype": dtype, "solver": "adam", "standardize": standardize}
        clf = estimator(**settings).fit(X, y_iris)
        assert {part.dtype for part in clf.coefs_ + clf.intercepts_} == {np.dtype(dtype)}
        same = estimator(**settings).fit(X.astype(dtype), y_iris)
        # Rows of long types are shifted before they are cast, which saves one rounding.
        atol = 1e-6 if standardize and (dtype, X.dtype.itemsize) == ("float32", 8) else 0
        np.testing.assert_allclose(clf.predict_proba(X), same.predict_proba(X), rtol=0, atol=atol)


def test_partial_fit_keeps_the_precision_of_the_first_call():
    clf = estimator().partial_fit(X_iris.astype(np.float32), y_iris, classes=[0, 1, 2])
    clf.partial_fit(X_iris, y_iris)
    assert clf.coefs_[0].dtype == np.float32


def read_only(X):
    X = X.copy()
    X.flags.writeable = False
    return X


def memory_map(X, folder):
    np.save(folder / "X.npy", X)
    return np.load(folder / "X.npy", mmap_mode="r")


FORMS = {
    "Fortran-ordered": np.asfortranarray,
    "read-only": read_only,
    "every second of many": lambda X: np.repeat(np.repeat(X, 2, axis=0), 2, axis=1)[::2, ::2],
    "reversed": lambda X: X[::-1, ::-1].copy()[::-1, ::-1],
    "list": lambda X: X.tolist(),
    "byte-swapped": lambda X: X.astype(X.dtype.newbyteorder()),
    "object": lambda X: X.astype(object),
}


def in_form(form, X, folder):
    """X as another kind of array-like. A memory map uses `folder`."""
    return memory_map(X, folder) if form == "memory map" else FORMS[form](X)


SPARSE = [sparse.csr_matrix, sparse.csc_matrix, sparse.csr_array, sparse.csc_array, sparse.coo_matrix]


@pytest.mark.parametrize("params", [{}, {"batch_size": 3, "momentum": 0.9}, {"solver": "lbfgs"}], ids=str)
@pytest.mark.parametrize("form", [*FORMS, "memory map"])
def test_the_form_of_a_dense_x_makes_no_difference(form, params, tmp_path, assert_identical):
    plain = estimator(**params).fit(X_iris, y_iris)
    given = in_form(form, X_iris, tmp_path)
    other = estimator(**params).fit(given, y_iris)
    assert_identical(plain, other)
    np.testing.assert_array_equal(other.predict_proba(given), plain.predict_proba(X_iris))


@pytest.mark.parametrize("params", [{}, {"batch_size": 3, "momentum": 0.9}, {"solver": "adam"}], ids=str)
@pytest.mark.parametrize("form", ["Fortran-ordered", "read-only", "memory map", "every second of many"])
def test_the_form_of_bytes_makes_no_difference(form, params, tmp_path, assert_identical):
    X = (np.abs(X_iris) * 3).astype(np.uint8)
    plain = estimator(**params).fit(X.astype(np.float32), y_iris)
    assert_identical(plain, estimator(**params).fit(in_form(form, X, tmp_path), y_iris))


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
@pytest.mark.parametrize("container", SPARSE)
def test_sparse_x_gives_the_same_results_as_dense_x(container, dtype):
    X = (np.maximum(X_iris, 0) * 3).astype(dtype)
    for params in ({}, {"batch_size": 3, "momentum": 0.9}, {"solver": "adam"}):
        # Sparse features are never shifted.
        dense = estimator(standardize=False, **params).fit(X, y_iris)
        other = estimator(standardize=False, **params).fit(container(X), y_iris)
        # For five epochs, sums are computed in another order.
        atol = 1e-12 if dense.coefs_[0].dtype == np.float64 else 1e-4
        for p, q in zip(dense.coefs_, other.coefs_, strict=True):
            assert p.dtype == q.dtype
            np.testing.assert_allclose(q, p, rtol=0, atol=atol)
        np.testing.assert_allclose(dense.predict_proba(container(X)), dense.predict_proba(X), atol=atol)


@pytest.mark.parametrize("container", [np.array, np.asfortranarray, *SPARSE[:3]])
@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
def test_inputs_are_not_modified(dtype, container):
    X = container((np.maximum(X_iris, 0) * 3).astype(dtype))
    y, weights, X_val = y_iris.copy(), np.arange(150.0), container(np.maximum(X_iris, 0))
    given = X, y, weights, X_val
    before = copy.deepcopy(given)
    clf = estimator(alpha=1.0, validation_fraction=0.2).fit(X, y, weights)
    clf.fit(X, y, weights, X_val=X_val, y_val=y, sample_weight_val=weights).partial_fit(X, y, weights)
    for method in (clf.predict, clf.predict_proba, clf.predict_log_proba, clf.decision_function):
        method(X)
    clf.score(X, y, weights)
    for now, then in zip(given, before, strict=True):
        if sparse.issparse(now):
            for part in ("data", "indices", "indptr"):
                np.testing.assert_array_equal(getattr(now, part), getattr(then, part))
        else:
            np.testing.assert_array_equal(now, then)


# Frames


def frame_of(library, X, names):
    frames = pytest.importorskip(library)
    return frames.DataFrame(X, columns=names) if library == "pandas" else frames.DataFrame(X, schema=names)


@pytest.mark.filterwarnings("error:.*feature names")
@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_a_data_frame_equals_its_values_with_names(library, assert_identical):
    names = ["sepal length", "sepal width", "petal length", "petal width"]
    frame = frame_of(library, X_iris, names)
    clf = estimator().fit(frame, y_iris)
    np.testing.assert_array_equal(clf.feature_names_in_, names)
    assert clf.n_features_in_ == 4
    assert_identical(clf, estimator().fit(X_iris, y_iris))
    np.testing.assert_array_equal(clf.predict(frame), clf.predict_proba(frame).argmax(axis=1))
    clf.partial_fit(frame, y_iris)
    with pytest.raises(ValueError, match="feature names"):
        clf.predict(frame[names[::-1]])
    with pytest.raises(ValueError, match="feature names"):
        clf.partial_fit(frame[names[::-1]], y_iris)


def test_an_array_after_a_data_frame_causes_a_warning():
    clf = estimator().fit(frame_of("pandas", X_iris, list("abcd")), y_iris)
    with pytest.warns(UserWarning, match="feature names"):
        clf.predict(X_iris)


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_labels_may_come_in_a_series(library, assert_identical):
    frames = pytest.importorskip(library)
    clf = estimator().fit(X_iris, frames.Series(y_iris))
    assert_identical(clf, estimator().fit(X_iris, y_iris))


def test_a_data_frame_of_mixed_types_uses_their_common_type():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"a": X_iris[:, 0].astype("f4"), "b": np.arange(150) % 3, "c": X_iris[:, 1] > 0})
    clf = estimator().fit(frame, y_iris)
    assert clf.coefs_[0].dtype == np.float64
    np.testing.assert_array_equal(clf.predict_proba(frame), clf.predict_proba(frame.copy()))
    # Categories of a pandas column are ordinary labels.
    flowers = pd.Series(np.array(["a", "b", "c"])[y_iris], dtype="category")
    assert set(estimator().fit(frame, flowers).predict(frame)) <= {"a", "b", "c"}


# Labels


@pytest.mark.parametrize(
    "labels",
    [
        np.array(["setosa", "versicolor", "virginica"]),
        np.array(["setosa", "versicolor", "virginica"], dtype=object),
        np.array([30, -4, 7]),
        np.array([0.0, 2.0, 5.0]),
        np.array(["no", "yes"]),
        np.array([False, True]),
        np.array([-1, 1]),
        np.array([3, 200], dtype=np.uint8),
    ],
    ids=str,
)
def test_any_labels_are_learned_and_returned(labels):
    codes = y_iris if len(labels) == 3 else (y_iris > 0).astype(int)
    y = labels[codes]
    clf = estimator(max_iter=60).fit(X_iris, y)
    np.testing.assert_array_equal(clf.classes_, np.unique(labels))
    assert clf.classes_.dtype == y.dtype
    assert clf.predict(X_iris).dtype == y.dtype
    assert clf.score(X_iris, y) > 0.8
    # The columns have the order of classes_.
    np.testing.assert_array_equal(clf.classes_[clf.predict_proba(X_iris).argmax(axis=1)], clf.predict(X_iris))
    proba = clf.predict_proba(X_iris)
    assert proba.shape == (150, len(labels))
    np.testing.assert_allclose(proba.sum(axis=1), 1.0, rtol=1e-12)
    np.testing.assert_allclose(np.exp(clf.predict_log_proba(X_iris)), proba, rtol=1e-12)
    # Labels are only names, so other labels in the same order give the same network.
    ranks = np.argsort(np.argsort(labels))[codes]
    np.testing.assert_array_equal(estimator(max_iter=60).fit(X_iris, ranks).predict_proba(X_iris), proba)


def test_binary_raw_outputs_have_one_column_and_multiclass_ones_have_one_per_class():
    binary = estimator().fit(X_iris, y_iris > 0)
    raw = binary.decision_function(X_iris)
    assert raw.shape == (150,)
    np.testing.assert_allclose(binary.predict_proba(X_iris)[:, 1], 1 / (1 + np.exp(-raw)), rtol=1e-12)
    np.testing.assert_array_equal(binary.predict(X_iris), raw > 0)
    assert (binary.n_outputs_, binary.out_activation_) == (1, "logistic")
    multiclass = estimator().fit(X_iris, y_iris)
    raw = multiclass.decision_function(X_iris)
    assert raw.shape == (150, 3)
    e = np.exp(raw)
    np.testing.assert_allclose(multiclass.predict_proba(X_iris), e / e.sum(axis=1, keepdims=True), rtol=1e-12)
    assert (multiclass.n_outputs_, multiclass.out_activation_) == (3, "softmax")


def test_a_column_of_labels_causes_a_warning(assert_identical):
    with pytest.warns(sklearn.exceptions.DataConversionWarning, match="column-vector"):
        clf = estimator().fit(X_iris, y_iris[:, None])
    assert_identical(clf, estimator().fit(X_iris, y_iris))


X_labels, Y_labels = make_multilabel_classification(120, 8, n_classes=4, random_state=0)
X_labels = StandardScaler().fit_transform(X_labels)


@pytest.mark.parametrize("params", [{}, {"validation_fraction": 0.2}, {"early_stopping": True}], ids=str)
@pytest.mark.parametrize(
    "container", [np.asarray, sparse.csr_matrix, sparse.csc_matrix, sparse.csr_array, lambda y: y.astype(bool)]
)
def test_multilabel_targets_may_be_dense_or_sparse(container, params, assert_identical):
    dense = estimator(**params).fit(X_labels, Y_labels)
    other = estimator(**params).fit(X_labels, container(Y_labels))
    assert_identical(dense, other)
    assert dense.validation_scores_ == other.validation_scores_
    other.partial_fit(X_labels, container(Y_labels))
    predicted = other.predict(X_labels)
    # As in MLPClassifier, predictions are sparse if y was sparse in the last call.
    assert sparse.issparse(predicted) == sparse.issparse(container(Y_labels))
    predicted = predicted.toarray() if sparse.issparse(predicted) else predicted
    assert predicted.shape == (120, 4)
    assert set(np.unique(predicted)) == {0, 1}
    np.testing.assert_array_equal(predicted, other.decision_function(X_labels) > 0)
    # Each label has its own probability.
    proba = other.predict_proba(X_labels)
    np.testing.assert_allclose(proba, 1 / (1 + np.exp(-other.decision_function(X_labels))), rtol=1e-12)
    assert other.score(X_labels, Y_labels) == accuracy_score(Y_labels, predicted)
    np.testing.assert_array_equal(other.classes_, np.arange(4))


def test_the_first_partial_fit_of_a_multilabel_model_needs_no_classes(assert_identical):
    clf = estimator(max_iter=1, shuffle=False)
    once = copy.deepcopy(clf).partial_fit(X_labels, Y_labels)
    assert_identical(once, clf.fit(X_labels, Y_labels))


# Class weights


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize("class_weight", [{0: 1.0, 1: 7.0, 2: 0.5}, "balanced"])
def test_class_weights_equal_row_weights(class_weight, container, assert_parameters):
    X, y = X_iris[:120], y_iris[:120]  # 50, 50 and 20 rows
    weighted = estimator(class_weight=class_weight).fit(container(X), y)
    expected = estimator().fit(container(X), y, compute_sample_weight(class_weight, y))
    # The weights may be rounded differently.
    assert_parameters(weighted, expected.coefs_, expected.intercepts_, atol=1e-13)
    assert abs(weighted.coefs_[0] - estimator().fit(X, y).coefs_[0]).max() > 1e-3


def test_class_weights_multiply_sample_weights(assert_parameters):
    weights = np.arange(1.0, 151.0)
    weighted = estimator(class_weight={1: 7.0, 2: 0.5}).fit(X_iris, y_iris, weights)
    expected = estimator().fit(X_iris, y_iris, weights * np.array([1.0, 7.0, 0.5])[y_iris])
    assert_parameters(weighted, expected.coefs_, expected.intercepts_, atol=1e-13)
    # "balanced" gives every class the same total weight.
    balanced = estimator(class_weight="balanced").fit(X_iris, y_iris, weights)
    totals = np.bincount(y_iris, weights)
    expected = estimator().fit(X_iris, y_iris, weights / totals[y_iris])
    assert_parameters(balanced, expected.coefs_, expected.intercepts_, atol=1e-13)


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_balancing_ignores_a_class_whose_rows_all_have_weight_zero(assert_parameters):
    weights = np.arange(1.0, 151.0) * (y_iris != 1)
    balanced = estimator(class_weight="balanced").fit(X_iris, y_iris, weights)
    totals = np.bincount(y_iris, weights) + (np.arange(3) == 1)
    expected = estimator().fit(X_iris, y_iris, weights / totals[y_iris])
    assert_parameters(balanced, expected.coefs_, expected.intercepts_, atol=1e-13)


def test_a_class_missing_from_class_weight_has_weight_one(assert_identical):
    some = estimator(class_weight={2: 3.0}).fit(X_iris, y_iris)
    assert_identical(some, estimator(class_weight={0: 1.0, 1: 1.0, 2: 3.0}).fit(X_iris, y_iris))


def test_the_keys_of_class_weight_are_the_labels(assert_identical):
    names = np.array(["setosa", "versicolor", "virginica"])
    named = estimator(class_weight={"setosa": 5.0, "virginica": 0.5}).fit(X_iris, names[y_iris])
    assert_identical(named, estimator(class_weight={0: 5.0, 2: 0.5}).fit(X_iris, y_iris))


def test_a_heavier_class_is_predicted_more_often():
    shares = [
        (estimator(class_weight={1: weight}, max_iter=40).fit(X_iris, y_iris).predict(X_iris) == 1).mean()
        for weight in (0.01, 1.0, 100.0)
    ]
    assert shares[0] < shares[1] < shares[2]


def test_partial_fit_accepts_class_weights_if_a_chunk_lacks_a_class():
    for class_weight in ({0: 1.0, 1: 7.0, 2: 0.5}, "balanced"):
        clf = estimator(class_weight=class_weight).partial_fit(X_iris[:80], y_iris[:80], classes=[0, 1, 2])
        clf.partial_fit(X_iris[80:], y_iris[80:])
        assert np.isfinite(clf.loss_curve_).all()


def test_class_weights_work_with_multilabel_targets(assert_parameters):
    class_weight = [{0: 1.0, 1: 3.0}, {0: 1.0, 1: 1.0}, {0: 2.0, 1: 1.0}, {0: 1.0, 1: 0.5}]
    weighted = estimator(class_weight=class_weight).fit(X_labels, Y_labels)
    expected = estimator().fit(X_labels, Y_labels, compute_sample_weight(class_weight, Y_labels))
    assert_parameters(weighted, expected.coefs_, expected.intercepts_, atol=1e-13)
