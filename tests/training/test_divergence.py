"""If training diverges, an error says why and what to do, and the estimator stays as it was."""

import copy
import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from tuned import FNNClassifier

# NumPy's overflow warnings are errors here, because training must detect overflow itself.
pytestmark = [
    pytest.mark.filterwarnings("error::RuntimeWarning"),
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
]
warned_before = pytest.mark.filterwarnings("ignore:The features are too large:UserWarning")

rng = np.random.default_rng(0)
X = rng.normal(size=(60, 5))
y = (X[:, 0] > 0).astype(int)
LARGE = np.array([1.0, 1.0, 1e100, 1e3, 1.0])

LINEAR = {"hidden_layer_sizes": (6, 6), "activation": "identity"}
SCALE = r"feature 2.*e\+(99|100).*StandardScaler"
# name: (X, parameters, pattern of the message)
DIVERGING = {
    "large features": (X * LARGE, {}, SCALE),
    "large features, one row a batch": (X * LARGE, {"batch_size": 1}, SCALE),
    "large features, full batch": (X * LARGE, {"batch_size": "full"}, SCALE),
    "large features, sparse": (sparse.csr_matrix(X * LARGE), {}, SCALE),
    "large features, momentum": (X * LARGE, {"momentum": 0.9}, SCALE),
    "large features in float32": ((X * 1e30).astype(np.float32), {}, r"feature \d.*e\+(29|30).*StandardScaler"),
    "large features, lbfgs": (X * 1e160, {"solver": "lbfgs"}, "feature.*StandardScaler"),
    "large eta": (X, LINEAR | {"learning_rate_init": 1e10}, r"learning_rate_init=1e\+10.*smaller learning_rate_init"),
    "large eta, momentum": (
        *(X, LINEAR | {"learning_rate_init": 1e10, "momentum": 0.9}),
        r"learning_rate_init=1e\+10.*smaller learning_rate_init",
    ),
    "large eta, adam": (
        *(X, LINEAR | {"learning_rate_init": 1e120, "solver": "adam"}),
        r"learning_rate_init=1e\+120.*smaller learning_rate_init",
    ),
    "large eta, float32": (
        *(X, LINEAR | {"learning_rate_init": 1e10, "dtype": "float32"}),
        r"learning_rate_init=1e\+10.*smaller learning_rate_init",
    ),
    "large eta, validation": (
        *(X, LINEAR | {"learning_rate_init": 1e10, "validation_fraction": 0.2, "early_stopping": True}),
        r"learning_rate_init=1e\+10.*smaller learning_rate_init",
    ),
}
cases = pytest.mark.parametrize("case", DIVERGING)


def estimator(**params):
    """An estimator that does not scale the features and trains for all epochs."""
    settings = {"hidden_layer_sizes": (6,), "batch_size": 10, "tol": 0.0, "n_iter_no_change": 1000, "random_state": 0}
    return FNNClassifier(**(settings | {"standardize": False} | params))


def assert_same_model(clf, before):
    """`clf` equals its earlier copy `before`, also after further training."""
    names = {name for name in vars(before) if name.endswith("_")}
    assert {name for name in vars(clf) if name.endswith("_")} == names
    for name in names:
        np.testing.assert_equal(getattr(clf, name), getattr(before, name))
    np.testing.assert_array_equal(clf.predict_proba(X), before.predict_proba(X))
    if clf.solver != "lbfgs":
        for model in (clf, before):
            model.partial_fit(X, y)
        assert clf.history_["loss"] == before.history_["loss"]
        np.testing.assert_array_equal(clf.predict_proba(X), before.predict_proba(X))


# The error


@warned_before
@cases
def test_divergence_raises_an_error_with_cause_and_remedy(case):
    rows, params, message = DIVERGING[case]
    clf = estimator(**params)
    with pytest.raises(ValueError, match=message) as caught:
        clf.fit(rows, y)
    assert caught.value.__suppress_context__  # the user sees one error, not a chain with the engine's
    assert not [name for name in vars(clf) if name.endswith("_")]
    assert not hasattr(clf, "coefs_")


@warned_before
def test_the_error_names_the_epoch_in_which_it_happened():
    params = LINEAR | {"learning_rate_init": 100.0, "batch_size": "full"}
    with pytest.raises(ValueError, match="epoch") as caught:
        estimator(**params).fit(X, y)
    epoch = int(str(caught.value).split("epoch ")[1].split()[0])
    assert epoch > 1
    # In the epochs before, all numbers were finite, although the loss was far above that of a constant.
    with pytest.raises(ValueError, match="loss ended at .*, far above"):
        estimator(**params, max_iter=epoch - 1).fit(X, y)


@warned_before
def test_the_error_names_the_column_of_a_data_frame():
    pd = pytest.importorskip("pandas")
    with pytest.raises(ValueError, match="income"):
        estimator().fit(pd.DataFrame(X * LARGE, columns=["age", "height", "income", "debt", "size"]), y)


@warned_before
def test_the_remedies_work():
    X_large = X * LARGE
    scaled = make_pipeline(StandardScaler(), estimator()).fit(X_large, y)
    assert scaled.score(X_large, y) > 0.9
    assert estimator(**LINEAR, learning_rate_init=0.1).fit(X, y).score(X, y) > 0.9


@warned_before
@pytest.mark.parametrize("warm_start", [False, True])
@cases
def test_a_fit_that_diverges_leaves_a_fitted_estimator_as_it_was(case, warm_start):
    rows, params, message = DIVERGING[case]
    clf = estimator(**(params | {"learning_rate_init": 0.01}), max_iter=3, warm_start=warm_start).fit(X, y)
    before = copy.deepcopy(clf)
    clf.set_params(learning_rate_init=params.get("learning_rate_init", "auto"), max_iter=200)
    with pytest.raises(ValueError, match=message):
        clf.fit(rows, y)
    clf.set_params(learning_rate_init=0.01, early_stopping=False)
    assert_same_model(clf, before.set_params(early_stopping=False))


@warned_before
@pytest.mark.parametrize("params", [LINEAR, LINEAR | {"momentum": 0.9}], ids=["plain", "momentum"])
def test_a_partial_fit_that_diverges_leaves_a_fitted_estimator_as_it_was(params):
    clf = estimator(**params, learning_rate_init=0.01)
    for _ in range(3):
        clf.partial_fit(X, y, classes=[0, 1])
    before = copy.deepcopy(clf)
    with pytest.raises(ValueError, match="diverged.*epoch 4"):
        clf.partial_fit(X * 1e200, y)
    assert_same_model(clf, before)


@warned_before
def test_a_first_partial_fit_that_diverges_leaves_the_estimator_unfitted():
    clf = estimator(**LINEAR)
    with pytest.raises(ValueError, match="diverged"):
        clf.partial_fit(X * 1e200, y, classes=[0, 1])
    assert not [name for name in vars(clf) if name.endswith("_")]


# The warning at the start


def textbook(**params):
    """A classifier that does not scale the features, with a rate that suits features of order one."""
    eta = 0.001 if params.get("solver") == "adam" else 0.1 * (1.0 - params.get("momentum", 0.0))
    return FNNClassifier(**({"standardize": False, "learning_rate_init": eta, "random_state": 0} | params))


def warnings_of(clf, rows, labels):
    """The messages of the warnings of a fit, except those about the end of training."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        clf.fit(rows, labels)
    return [str(w.message) for w in caught if not issubclass(w.category, ConvergenceWarning)]


@pytest.mark.parametrize("load", [load_breast_cancer, load_wine])
def test_features_of_a_hopeless_scale_cause_a_warning_with_the_remedy(load):
    rows, labels = load(return_X_y=True)
    (message,) = warnings_of(textbook(max_iter=2), rows, labels)
    scale = np.sqrt((rows**2).mean(axis=0))
    assert f"feature {scale.argmax()}" in message
    assert f"{scale.max():.3g}" in message
    assert "standardize='auto'" in message
    assert "learning_rate_init" in message
    # The scale is hopeless: the loss is no better than without any feature. The remedies change that.
    plain = textbook(max_iter=50)
    with pytest.warns(UserWarning, match="standardize"):
        plain.fit(rows, labels)
    frequency = np.bincount(labels) / len(labels)
    assert plain.loss_ > -0.9 * frequency @ np.log(frequency)
    scaled = make_pipeline(StandardScaler(), textbook(max_iter=50)).fit(rows, labels)
    assert scaled[-1].loss_ < 0.4 * plain.loss_
    assert textbook(max_iter=50, standardize="auto").fit(rows, labels).loss_ < 0.4 * plain.loss_


def test_the_warning_names_the_column_of_a_data_frame():
    pytest.importorskip("pandas")
    rows, labels = load_breast_cancer(return_X_y=True, as_frame=True)
    (message,) = warnings_of(textbook(max_iter=1), rows, labels)
    assert "worst area" in message


def test_the_warning_comes_before_training():
    rows, labels = load_breast_cancer(return_X_y=True)
    clf = textbook(max_iter=1, validation_fraction=0.1, scoring=lambda *_: pytest.fail("an epoch was trained"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning, match="standardize"):
            clf.fit(rows, labels)


def test_the_warning_points_at_the_line_that_called_fit():
    rows, labels = load_breast_cancer(return_X_y=True)
    with pytest.warns(UserWarning, match="standardize") as caught:
        textbook(max_iter=1).fit(rows, labels)
    assert caught[0].filename == __file__


def test_sparse_features_of_a_hopeless_scale_cause_a_warning():
    rows, labels = load_breast_cancer(return_X_y=True)
    (message,) = warnings_of(textbook(max_iter=1), sparse.csr_matrix(rows), labels)
    (dense,) = warnings_of(textbook(max_iter=1), rows, labels)
    assert message == dense


def harmless():
    digits, labels = load_digits(return_X_y=True)
    yield "digits / 16", digits / 16, labels
    yield "digits, standardised", StandardScaler().fit_transform(digits), labels
    yield "digits, raw", digits, labels
    iris, labels = load_iris(return_X_y=True)
    yield "iris, raw", iris, labels
    cancer, labels = load_breast_cancer(return_X_y=True)
    yield "breast cancer, standardised", StandardScaler().fit_transform(cancer), labels
    yield "breast cancer, 0 to 1", MinMaxScaler().fit_transform(cancer), labels
    pixels = np.random.default_rng(0).normal(size=(500, 784))
    yield "784 standardised pixels", pixels, np.arange(500) % 10
    yield "784 pixels, 0 to 1", pixels % 1, np.arange(500) % 10
    yield "all zero", np.zeros((20, 3)), np.arange(20) % 2


@pytest.mark.parametrize(("rows", "labels"), [pytest.param(*case[1:], id=case[0]) for case in harmless()])
@pytest.mark.parametrize("params", [{}, {"momentum": 0.9}, {"solver": "adam"}], ids=str)
def test_features_of_a_usual_scale_cause_no_warning(params, rows, labels):
    assert warnings_of(textbook(max_iter=1, **params), rows, labels) == []


def test_a_small_eta_needs_no_warning():
    rows, labels = load_breast_cancer(return_X_y=True)
    assert warnings_of(textbook(max_iter=20, learning_rate_init=1e-3), rows, labels) == []


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_solvers_that_adapt_to_the_scale_do_not_warn(solver):
    rows, labels = load_breast_cancer(return_X_y=True)
    assert warnings_of(textbook(max_iter=1, solver=solver), rows, labels) == []


@pytest.mark.parametrize("params", [{"learning_rate_init": 0.1}, {"standardize": False}], ids=str)
def test_the_defaults_do_not_warn_about_raw_tables(params):
    rows, labels = load_breast_cancer(return_X_y=True)
    clf = FNNClassifier(max_iter=20, random_state=0, **params)
    assert warnings_of(clf, rows, labels) == []
