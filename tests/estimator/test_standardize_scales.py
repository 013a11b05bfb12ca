"""The means and scales of `standardize`, and what "auto" leaves as it is."""

import warnings

import numpy as np
import pytest
from scalers import CLOSE, SOLVERS, X, Y, Z, assert_close, estimator, kinds, outputs, regressions, signal
from scipy import sparse
from sklearn.datasets import load_digits
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skfnn import FNNRegressor
from skfnn._estimator import columns

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


# What "auto" does not change


def pixels():
    return load_digits().data[:200] / 16, load_digits().target[:200]


def standardised():
    return StandardScaler().fit_transform(X), Y["classes"]


def one_hot(container=np.asarray):
    letters = np.random.default_rng(1).integers(0, [3, 5, 2], size=(200, 3))
    return container(OneHotEncoder(sparse_output=False).fit_transform(letters)), letters.sum(axis=1) > 3


def text():
    counts = sparse.csr_matrix(np.random.default_rng(1).poisson(0.05, size=(200, 300)).astype(float))
    return TfidfTransformer().fit_transform(counts), np.asarray(counts[:, :150].sum(axis=1)).ravel() > 7


ORDER_ONE = {
    "standardised": standardised,
    "pixels / 255": pixels,
    "one-hot": one_hot,
    "sparse one-hot": lambda: one_hot(sparse.csr_matrix),
    "text": text,
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
@pytest.mark.parametrize("name", ORDER_ONE)
def test_auto_does_not_change_a_bit_of_features_of_order_one(name, solver, dtype, assert_identical):
    rows, y = ORDER_ONE[name]()
    auto, plain = (
        estimator("classes", standardize=value, dtype=dtype, **SOLVERS[solver]).fit(rows, y)
        for value in ("auto", False)
    )
    assert_identical(auto, plain)
    assert (auto.feature_mean_, auto.feature_scale_, auto.target_mean_, auto.target_scale_) == (None,) * 4
    np.testing.assert_array_equal(auto.decision_function(rows), plain.decision_function(rows))
    # The regressor trains on the same rows, with other targets.
    reg = estimator("one output", standardize="auto").fit(rows, np.arange(rows.shape[0]))
    assert reg.feature_mean_ is None
    assert reg.feature_scale_ is None
    np.testing.assert_allclose(reg.target_mean_, [(rows.shape[0] - 1) / 2], rtol=1e-14)


@pytest.mark.parametrize("cast", [np.uint8, np.float32, np.float64])
def test_bytes_get_one_common_scale(cast):
    data, y = load_digits(return_X_y=True)
    images = np.rint(data[:300] / 16 * 255).astype(cast)
    clf = estimator("classes", standardize="auto", **SOLVERS["sgd"]).fit(images, y[:300])
    np.testing.assert_array_equal(clf.feature_mean_, np.zeros(64))
    np.testing.assert_array_equal(clf.feature_scale_, np.full(64, 255.0))
    fractions = images.astype(np.float64) / 255.0
    plain = estimator("classes", standardize=False, **SOLVERS["sgd"]).fit(fractions, y[:300])
    assert_close(clf.decision_function(images), plain.decision_function(fractions))


def test_false_changes_nothing(assert_identical):
    # The initial values are the same for every table.
    start = {"standardize": False, "solver": "adam", "learning_rate_init": 1e-300}
    models = [estimator("three outputs", **start).fit(rows, signal) for rows in (X, Z)]
    assert_identical(*models)
    for model in models:
        assert (model.feature_mean_, model.feature_scale_, model.target_mean_, model.target_scale_) == (None,) * 4


# The means and the scales


def test_the_fitted_means_and_scales_equal_those_of_a_standard_scaler():
    y = Y["three outputs"]
    for standardize in (True, "auto"):
        reg = estimator("three outputs", standardize=standardize).fit(X, y)
        np.testing.assert_allclose(reg.feature_mean_, X.mean(axis=0), rtol=1e-13)
        np.testing.assert_allclose(reg.feature_scale_, X.std(axis=0), rtol=1e-13)
        np.testing.assert_allclose(reg.target_mean_, y.mean(axis=0), rtol=1e-13)
        np.testing.assert_allclose(reg.target_scale_, y.std(axis=0), rtol=1e-13)
    one = estimator("one output").fit(X, y[:, 0])
    assert one.target_mean_.shape == one.target_scale_.shape == (1,)
    clf = estimator("classes").fit(X, Y["classes"])
    assert (clf.target_mean_, clf.target_scale_) == (None, None)
    counts = FNNRegressor(loss="poisson", standardize=True, max_iter=5).fit(X, np.round(np.exp(signal[:, 0])))
    assert (counts.target_mean_, counts.target_scale_) == (None, None)
    np.testing.assert_allclose(counts.feature_scale_, X.std(axis=0), rtol=1e-13)


RARE = {
    "one row in 2000": np.eye(1, 2000).ravel(),
    "three rows in 2000": np.arange(2000) < 3,
    "nearly constant": np.where(np.arange(2000) == 7, 6.0, 5.0),
    "an outlier": np.r_[np.random.default_rng(0).normal(size=1999), 1e5],
}


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix], ids=["dense", "sparse"])
@pytest.mark.parametrize("standardize", [True, "auto"])
@pytest.mark.parametrize("name", RARE)
def test_no_feature_exceeds_20_in_training(name, standardize, container):
    # The second column makes "auto" scale the table.
    rows = np.column_stack([RARE[name], 1e3 * (1 + np.random.default_rng(0).random(2000))])
    clf = estimator("classes", standardize=standardize, batch_size=200, max_iter=2)
    clf.fit(container(rows), rows[:, 1] > 1500)
    mean = 0.0 if clf.feature_mean_ is None else clf.feature_mean_
    assert (np.abs((rows - mean) / clf.feature_scale_).max(axis=0) <= 20.0 * (1 + 1e-12)).all()
    assert (clf.feature_mean_ is None) == (container is sparse.csr_matrix)


@pytest.mark.parametrize("value", [0.0, 7.0, 1e-200, 1e200])
@pytest.mark.parametrize("standardize", [True, "auto"])
@kinds
def test_a_constant_column_is_harmless(kind, standardize, value):
    rows = np.insert(X, 2, value, axis=1)
    model = estimator(kind, standardize=standardize, **SOLVERS["sgd"]).fit(rows, Y[kind])
    assert model.feature_scale_[2] == 1.0
    assert model.feature_mean_[2] == value
    # The weight of the constant column keeps its random initial value and multiplies zeros.
    first = model.coefs_[0]
    start = estimator(kind, standardize=standardize, learning_rate_init=1e-300).fit(rows, Y[kind])
    np.testing.assert_array_equal(first[2], start.coefs_[0][2])
    assert np.isfinite(outputs(model, rows)).all()


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize("standardize", [True, "auto"])
def test_constant_targets_are_predicted(method, standardize):
    reg = FNNRegressor(standardize=standardize, learning_rate_init=0.1, random_state=0)
    for _ in range(1 if method == "fit" else 200):
        getattr(reg, method)(X, np.full(130, 3e5))
    assert reg.target_scale_ == [1.0]
    np.testing.assert_allclose(reg.predict(X), 3e5, rtol=1e-5)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("power", [-660, -400, 400, 660])  # 1e-199, 1e-120, 1e120, 1e199
@pytest.mark.parametrize("standardize", [True, "auto"])
@kinds
def test_huge_and_tiny_features_train_like_any_others(kind, standardize, power, dtype):
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        first = estimator(kind, standardize=True, dtype=dtype, **SOLVERS["sgd"]).fit(X, Y[kind])
        # Scale all columns, and then only one of them.
        for factor in (2.0**power, 2.0 ** (power * (np.arange(5) == 1))):
            model = estimator(kind, standardize=standardize, dtype=dtype, **SOLVERS["sgd"]).fit(X * factor, Y[kind])
            # Scaling by powers of 2 causes no rounding.
            np.testing.assert_array_equal(model.feature_scale_, first.feature_scale_ * factor)
            tolerance = CLOSE if dtype == "float64" else 1e-3
            assert_close(outputs(model, X * factor), outputs(first, X), tolerance)


@pytest.mark.parametrize("power", [-500, -400, 400, 500])  # 1e-150, ..., 1e150: their squares are finite
@pytest.mark.parametrize("solver", ["sgd", "lbfgs"])
@regressions
def test_huge_and_tiny_targets_train_like_any_others(kind, solver, power):
    y = signal[:, 0] if kind == "one output" else signal
    first, second = (estimator(kind, **SOLVERS[solver]).fit(X, factor * y) for factor in (1.0, 2.0**power))
    assert_close(second.predict(X) * 2.0**-power, first.predict(X))


@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
def test_targets_whose_squares_overflow_are_refused(solver):
    first, tiny = (estimator("one output", **SOLVERS[solver]).fit(X, f * signal[:, 0]) for f in (1.0, 1e-200))
    assert_close(tiny.predict(X) / 1e-200, first.predict(X), 1e-6)
    with pytest.raises(ValueError, match="y holds numbers that are too large"):
        estimator("one output", **SOLVERS[solver]).fit(X, 1e200 * signal[:, 0])


# How often the data are read


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize(("factor", "passes"), [(1.0, 1), (1e200, 2), (1e-200, 2)])
def test_statistics_take_one_pass_unless_squares_leave_the_range(factor, passes, container, monkeypatch):
    parts, read = columns._parts, []
    monkeypatch.setattr(columns, "_parts", lambda X, rows: read.append(X) or parts(X, rows))
    plain, found = (columns.summarise(container(f * X)) for f in (1.0, factor))
    assert len(read) == 1 + passes
    np.testing.assert_allclose(found.std / factor, plain.std, rtol=1e-12)
    np.testing.assert_allclose(found.mean / factor, plain.mean, rtol=1e-12)
