"""The estimator as a citizen of scikit-learn."""

import inspect
import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_iris, make_multilabel_classification
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skfnn import FNNClassifier

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, y = load_iris(return_X_y=True)
NAMES = np.array(["setosa", "versicolor", "virginica"])

# The constructor of the public API, in its order.
API = {
    "hidden_layer_sizes": (100,),
    "activation": "relu",
    "solver": "sgd",
    "batch_size": "auto",
    "shuffle": True,
    "learning_rate_init": "auto",
    "learning_rate": "constant",
    "power_t": 0.5,
    "momentum": 0.0,
    "nesterovs_momentum": True,
    "beta_1": 0.9,
    "beta_2": 0.999,
    "epsilon": 1e-8,
    "alpha": 0.0,
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


def small(**params):
    return FNNClassifier(**{"hidden_layer_sizes": (10,), "max_iter": 10, "batch_size": 20, "random_state": 0} | params)


def parameters(clf):
    return np.concatenate([p.ravel() for p in (*clf.coefs_, *clf.intercepts_)])


def test_the_constructor_is_that_of_the_public_api():
    signature = inspect.signature(FNNClassifier).parameters
    assert {name: p.default for name, p in signature.items()} == API
    assert list(signature) == list(API)
    positional = [name for name, p in signature.items() if p.kind is p.POSITIONAL_OR_KEYWORD]
    assert positional == ["hidden_layer_sizes", "activation"]


def test_a_grid_search_over_batch_size_and_learning_rate_is_the_same_in_parallel():
    grid = {"fnnclassifier__batch_size": [1, 10, "full"], "fnnclassifier__learning_rate_init": [0.01, 0.1]}
    searches = [
        GridSearchCV(make_pipeline(StandardScaler(), small()), grid, n_jobs=n_jobs).fit(X, y) for n_jobs in (1, 2)
    ]
    assert searches[0].best_params_ == searches[1].best_params_
    for key, values in searches[0].cv_results_.items():
        if "time" not in key and key != "params":
            assert_array_equal(np.asarray(values), np.asarray(searches[1].cv_results_[key]), err_msg=key)
    assert_array_equal(*(parameters(search.best_estimator_[-1]) for search in searches))
    assert len(set(searches[0].cv_results_["mean_test_score"])) > 1


def test_a_clone_is_unfitted_and_trains_the_same_model():
    clf = small().fit(X, y)
    other = clone(clf)
    assert not hasattr(other, "coefs_")
    assert other.get_params() == clf.get_params()
    assert_array_equal(parameters(other.fit(X, y)), parameters(clf))


@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_joblib_backends_train_the_same_models(backend):
    with joblib.parallel_backend(backend, n_jobs=2):
        parallel = cross_val_score(small(), X, y, cv=4)
    assert_array_equal(parallel, cross_val_score(small(), X, y, cv=4))


@pytest.mark.parametrize("params", [{}, {"momentum": 0.9}, {"solver": "adam"}])
@pytest.mark.parametrize("mmap_mode", [None, "r"])
def test_a_model_from_a_file_predicts_and_trains_on(tmp_path, params, mmap_mode):
    clf = small(**params).fit(X, y)
    joblib.dump(clf, tmp_path / "model.joblib")
    loaded = joblib.load(tmp_path / "model.joblib", mmap_mode=mmap_mode)
    assert_array_equal(loaded.predict_proba(X), clf.predict_proba(X))
    assert_array_equal(parameters(loaded.partial_fit(X, y)), parameters(clf.partial_fit(X, y)))


def test_views_of_the_parameters_survive_a_pickle():
    clf = pickle.loads(pickle.dumps(small().fit(X, y)))
    before = clf.decision_function(X)
    clf.intercepts_[-1][:] += 1.0
    assert_allclose(clf.decision_function(X), before + 1.0)
    clf.coefs_[-1][:] = 0.0
    assert_allclose(clf.decision_function(X), np.tile(clf.intercepts_[-1], (150, 1)))


@pytest.mark.parametrize("labels", [NAMES, NAMES.astype(object), np.array([-5, 0, 7]), np.array([0.0, 1.0, 2.0])])
def test_labels_of_any_kind_train_the_same_model(labels):
    clf, plain = small().fit(X, labels[y]), small().fit(X, y)
    assert_array_equal(clf.classes_, labels)
    assert_array_equal(clf.predict(X), labels[plain.predict(X)])
    assert_array_equal(parameters(clf), parameters(plain))


def test_two_classes_have_one_output_and_a_decision_function_of_one_dimension():
    truth = y > 0
    clf = small().fit(X, truth)
    assert_array_equal(clf.classes_, [False, True])
    assert clf.n_outputs_ == 1
    assert clf.decision_function(X).shape == (150,)
    assert_array_equal(clf.predict(X), clf.decision_function(X) > 0)
    assert_allclose(clf.predict_proba(X).sum(axis=1), 1.0)
    assert_allclose(clf.predict_proba(X)[:, 1], 1 / (1 + np.exp(-clf.decision_function(X))))


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_matrix, sparse.csr_array])
def test_multilabel_targets_dense_or_sparse(form):
    X, Y = make_multilabel_classification(n_classes=4, random_state=0)
    X = StandardScaler().fit_transform(X)
    clf, plain = small(max_iter=100).fit(X, form(Y)), small(max_iter=100).fit(X, Y)
    assert_array_equal(clf.predict(X), plain.predict(X))
    assert clf.predict(X).shape == clf.predict_proba(X).shape == (100, 4)
    assert clf.score(X, Y) > 0.5
    assert clf.out_activation_ == "logistic"


def test_feature_names_are_kept_and_checked():
    frame = pd.DataFrame(X, columns=["a", "b", "c", "d"])
    clf = small().fit(frame, y, X_val=frame[:30], y_val=y[:30])
    assert_array_equal(clf.feature_names_in_, ["a", "b", "c", "d"])
    assert_array_equal(clf.predict(frame), small().fit(X, y).predict(X))
    with pytest.raises(ValueError, match="feature names"):
        clf.predict(frame[["d", "c", "b", "a"]])


def test_polars_frames_have_feature_names():
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame({name: X[:, k] for k, name in enumerate("abcd")})
    assert_array_equal(small().fit(frame, y).feature_names_in_, list("abcd"))


def test_metadata_is_routed_through_a_pipeline():
    weights = np.arange(150) % 4
    with sklearn.config_context(enable_metadata_routing=True):
        inner = small().set_fit_request(sample_weight=True, X_val=True, y_val=True)
        pipeline = make_pipeline(StandardScaler().set_fit_request(sample_weight=False), inner)
        pipeline.fit(X, y, sample_weight=weights, X_val=X[:20], y_val=y[:20])
    clf = pipeline[-1]
    assert len(clf.validation_scores_) == 10
    assert_array_equal(parameters(clf), parameters(small().fit(StandardScaler().fit_transform(X), y, weights)))


def test_class_weights_are_sample_weights():
    weights = np.array([1.0, 2.0, 0.5])
    by_class = small(class_weight=dict(enumerate(weights))).fit(X, y)
    assert_array_equal(parameters(by_class), parameters(small().fit(X, y, weights[y])))
    few = np.r_[0:50, 50:60, 100:105]
    counts = np.bincount(y[few])
    balanced = small(class_weight="balanced").fit(X[few], y[few])
    by_hand = small().fit(X[few], y[few], (65 / (3 * counts))[y[few]])
    assert_allclose(parameters(balanced), parameters(by_hand), rtol=1e-12, atol=1e-14)
    assert not np.allclose(parameters(balanced), parameters(small().fit(X[few], y[few])))


@pytest.mark.parametrize(
    "change", [{"hidden_layer_sizes": (11,)}, {"hidden_layer_sizes": (5, 5)}, {"activation": "tanh"}]
)
def test_a_model_of_another_shape_cannot_be_trained_on(change):
    clf = small().fit(X, y)
    before = clf.predict_proba(X)
    with pytest.raises(ValueError, match="hidden_layer_sizes or activation"):
        clf.set_params(**change).partial_fit(X, y)
    assert_array_equal(clf.predict_proba(X), before)


@pytest.mark.parametrize(
    ("given", "computed"),
    [
        ("uint8", "float32"),
        ("int16", "float32"),
        ("bool", "float32"),
        ("float16", "float32"),
        ("float32", "float32"),
        ("int32", "float64"),
        ("int64", "float64"),
        ("float64", "float64"),
    ],
)
def test_the_precision_follows_x_unless_it_is_given(given, computed):
    rows = (10 * X).astype(given)
    clf = small(learning_rate_init=1e-4).fit(rows, y)
    assert {p.dtype for p in clf.coefs_ + clf.intercepts_} == {np.dtype(computed)}
    assert clf.predict_proba(rows).dtype == computed
    for dtype in ("float32", "float64"):
        assert small(learning_rate_init=1e-4, dtype=dtype).fit(rows, y).coefs_[0].dtype == dtype


def read_only(X):
    X = X.copy()
    X.flags.writeable = False
    return X


def strided(X):
    return np.repeat(np.repeat(X, 2, axis=0), 3, axis=1)[::2, ::3]


@pytest.mark.parametrize("form", [np.asfortranarray, read_only, strided, pd.DataFrame, np.ndarray.tolist])
@pytest.mark.parametrize("batch_size", [1, 20, "full"])
def test_the_layout_of_x_does_not_matter(form, batch_size):
    expected = small(batch_size=batch_size, max_iter=3).fit(X, y)
    found = small(batch_size=batch_size, max_iter=3).fit(form(X), y)
    assert_array_equal(parameters(found), parameters(expected))
    assert_array_equal(found.predict_proba(form(X)), expected.predict_proba(X))


def test_a_memmap_is_read_as_it_is(tmp_path):
    path = tmp_path / "X.bin"
    X.tofile(path)
    rows = np.memmap(path, X.dtype, "r", shape=X.shape)
    assert_array_equal(parameters(small().fit(rows, y)), parameters(small().fit(X, y)))


@pytest.mark.parametrize("form", [sparse.csr_matrix, sparse.csc_matrix, sparse.csr_array, sparse.csc_array])
@pytest.mark.parametrize("params", [{}, {"batch_size": 1}, {"momentum": 0.9}, {"solver": "adam"}, {"solver": "lbfgs"}])
def test_sparse_rows_train_the_same_model(form, params):
    rows = np.where(X > 3, X, 0.0)
    expected, found = (small(**params).fit(given, y) for given in (rows, form(rows)))
    # The sums are taken in another order: rounding only. L-BFGS amplifies it from step to step.
    tolerance = 1e-6 if params == {"solver": "lbfgs"} else 1e-11
    assert_allclose(parameters(found), parameters(expected), rtol=0, atol=tolerance)
    assert_allclose(found.predict_proba(form(rows)), found.predict_proba(rows), atol=1e-12)


def test_nothing_that_is_passed_in_is_changed():
    given = {
        "X": X.copy(),
        "y": y.copy(),
        "sample_weight": np.arange(1.0, 151.0),
        "X_val": X[:9].copy(),
        "y_val": y[:9].copy(),
        "coefs_init": [np.ones((4, 10)), np.ones((10, 3))],
        "intercepts_init": [np.ones(10), np.ones(3)],
    }
    copies = pickle.loads(pickle.dumps(given))
    small().fit(**given)
    for name, value in given.items():
        for one, other in zip(value, copies[name], strict=True):
            assert_array_equal(one, other, err_msg=name)


def test_it_works_inside_one_vs_rest():
    assert OneVsRestClassifier(small(max_iter=50)).fit(X, NAMES[y]).score(X, NAMES[y]) > 0.6
