"""`standardize` changes the coordinates in which a network is trained, and nothing else that a user can see."""

import copy
import pickle
import warnings

import numpy as np
import pytest
from interrupted import assert_same_training, by_joblib, by_pickle, needs_callbacks
from scipy import sparse
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_digits
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.metrics import r2_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skfnn import FNNClassifier, FNNRegressor
from skfnn.callbacks import Checkpoint
from skfnn.inspection import gradient_noise, hidden_activations

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SOLVERS = {
    "sgd": {"learning_rate_init": 0.1},
    "momentum": {"momentum": 0.9, "nesterovs_momentum": False, "learning_rate_init": 0.02},
    "nesterov": {"momentum": 0.9, "learning_rate_init": 0.02},
    "adam": {"solver": "adam", "learning_rate_init": 0.01},
    "lbfgs": {"solver": "lbfgs"},
    "automatic rate": {},
}
solvers = pytest.mark.parametrize("solver", SOLVERS)
descents = pytest.mark.parametrize("solver", [name for name in SOLVERS if name != "lbfgs"])
KINDS = ["classes", "one output", "three outputs"]
kinds = pytest.mark.parametrize("kind", KINDS)
regressions = pytest.mark.parametrize("kind", KINDS[1:])

# A raw table: an age, a price, a year, a fraction, a count. No column is of order one.
rng = np.random.default_rng(0)
Z = rng.normal(size=(130, 5))
X = np.column_stack(
    [45 + 12 * Z[:, 0], 3e5 * np.exp(0.5 * Z[:, 1]), 1990 + 9 * Z[:, 2], 0.01 * Z[:, 3], rng.poisson(40, 130)]
)
signal = Z @ rng.normal(size=(5, 3)) + 0.3 * rng.normal(size=(130, 3))
Y = {
    "classes": np.array(["low", "medium", "high"])[signal.argmax(axis=1)],
    "one output": 2e5 + 5e4 * signal[:, 0],
    "three outputs": signal * [3.0, 1e4, 1e-3] + [0.0, -1e5, 7.0],
}
WEIGHTS = rng.integers(0, 5, 130).astype(float)

# Both sides do the same operations, apart from rounding. Ten epochs of stable steps magnify 1e-16 only a little.
CLOSE = 1e-8


def estimator(kind, **params):
    """An estimator that trains for ten epochs in small mini-batches by default."""
    settings = {"hidden_layer_sizes": (8, 4), "activation": "tanh", "batch_size": 20, "max_iter": 10}
    settings |= {"n_iter_no_change": None, "standardize": True, "dtype": "float64", "random_state": 0}
    return (FNNClassifier if kind == "classes" else FNNRegressor)(**(settings | params))


class ByHand:
    """A network without standardising, behind scalers that were fitted to the first data."""

    def __init__(self, kind, X, y, weights=None, **params):
        self.net = estimator(kind, **(params | {"standardize": False}))
        self.features = StandardScaler(with_mean=not sparse.issparse(X)).fit(X, sample_weight=weights)
        self.targets = None
        if kind != "classes":
            self.targets = StandardScaler().fit(y.reshape(len(y), -1), sample_weight=weights)

    def scaled(self, X, y):
        """The data in the coordinates of training."""
        if self.targets is not None:
            y = self.targets.transform(y.reshape(len(y), -1)).reshape(y.shape)
        return self.features.transform(X), y

    def call(self, method, X, y, *args, **kwargs):
        """Call a training method of the network."""
        if "X_val" in kwargs:
            kwargs["X_val"], kwargs["y_val"] = self.scaled(kwargs["X_val"], kwargs["y_val"])
        getattr(self.net, method)(*self.scaled(X, y), *args, **kwargs)
        return self

    def outputs(self, X):
        """The raw outputs in the user's units."""
        X = self.features.transform(X)
        if self.targets is None:
            return self.net.decision_function(X)
        raw = self.net.predict(X)
        return self.targets.inverse_transform(raw.reshape(len(raw), -1)).reshape(raw.shape)

    def losses(self, key="loss"):
        """The losses of the history in the user's units, if there is one output."""
        unit = 1.0 if self.targets is None else float(self.targets.scale_[0]) ** 2
        return unit * np.array(self.net.history_[key])


def outputs(model, X):
    """The raw outputs of a model."""
    return model.predict(X) if isinstance(model, FNNRegressor) else model.decision_function(X)


def assert_close(found, expected, tolerance=CLOSE):
    """Two arrays of outputs agree, relative to the size of each column."""
    size = np.ptp(expected, axis=0)
    np.testing.assert_allclose(found / size, expected / size, rtol=0, atol=tolerance)


def assert_agrees(model, by_hand, X=X, tolerance=CLOSE):
    """A model has the same outputs and losses as its counterpart."""
    assert_close(outputs(model, X), by_hand.outputs(X), tolerance)
    assert model.n_iter_ == by_hand.net.n_iter_
    if by_hand.targets is None or by_hand.targets.n_features_in_ == 1:
        np.testing.assert_allclose(model.loss_curve_, by_hand.losses(), rtol=tolerance)


# The pipeline with scalers


@solvers
@kinds
def test_training_equals_that_of_a_pipeline_with_scalers(kind, solver):
    y = Y[kind]
    model = estimator(kind, **SOLVERS[solver]).fit(X, y)
    pipeline = make_pipeline(StandardScaler(), estimator(kind, standardize=False, **SOLVERS[solver]))
    if kind != "classes":
        pipeline = TransformedTargetRegressor(pipeline, transformer=StandardScaler())
    pipeline.fit(X, y)
    # The line search of L-BFGS magnifies rounding more.
    tolerance = 1e-6 if solver == "lbfgs" else CLOSE
    assert_close(outputs(model, X), outputs_of_pipeline(pipeline, X), tolerance)
    assert_agrees(model, ByHand(kind, X, y, **SOLVERS[solver]).call("fit", X, y), tolerance=tolerance)
    start = estimator(kind, **SOLVERS[solver] | {"max_iter": 1}).fit(X, y)
    assert np.abs(outputs(model, X) - outputs(start, X)).max() > 0.01 * np.ptp(outputs(model, X))  # training moved


def outputs_of_pipeline(pipeline, X):
    return pipeline.decision_function(X) if hasattr(pipeline, "decision_function") else pipeline.predict(X)


@pytest.mark.parametrize(
    "params",
    [
        {"alpha": 3.0},
        {"dropout": 0.2},
        {"max_grad_norm": 0.3},
        {"learning_rate": "cosine"},
        {"learning_rate": "adaptive", "tol": 1e-2, "n_iter_no_change": 2, "max_iter": 60},
        {"solver": "adam", "weight_decay": 0.1},
        {"batch_size": 1, "learning_rate_init": 0.01},
        {"batch_size": "full"},
        {"hidden_layer_sizes": ()},
        {"activation": "relu"},
    ],
    ids=str,
)
@kinds
def test_other_settings_act_in_the_coordinates_of_training(kind, params):
    params = {"learning_rate_init": 0.05} | params
    assert_agrees(estimator(kind, **params).fit(X, Y[kind]), ByHand(kind, X, Y[kind], **params).call("fit", X, Y[kind]))


@solvers
@kinds
def test_sample_weights_also_affect_the_means_and_scales(kind, solver):
    y = Y[kind]
    model = estimator(kind, **SOLVERS[solver]).fit(X, y, WEIGHTS)
    by_hand = ByHand(kind, X, y, WEIGHTS, **SOLVERS[solver]).call("fit", X, y, WEIGHTS)
    assert_agrees(model, by_hand, tolerance=1e-6 if solver == "lbfgs" else CLOSE)
    np.testing.assert_allclose(model.feature_mean_, by_hand.features.mean_, rtol=1e-13)
    np.testing.assert_allclose(model.feature_scale_, by_hand.features.scale_, rtol=1e-13)
    assert np.abs(model.feature_mean_ / X.mean(axis=0) - 1).max() > 1e-3  # the weights matter


@pytest.mark.parametrize("standardize", [True, "auto"])
@regressions
def test_a_row_of_weight_w_equals_w_rows(kind, standardize):
    y, weights = Y[kind][:60], WEIGHTS[:60]
    repeated = np.repeat(np.arange(60), weights.astype(int))
    assert len(repeated) < 200  # above 200 rows, the automatic rate at full batch grows with their number
    # Sparse rows are not shifted, so they are long here, and the automatic rate depends on their length.
    for rows, eta in ((X[:60], 0.1), (X[:60], "auto"), (sparse.csr_matrix(X[:60]), "auto")):
        params = {"standardize": standardize, "batch_size": "full", "learning_rate_init": eta}
        weighted = estimator(kind, **params).fit(rows, y, weights)
        assert_close(outputs(weighted, X), outputs(estimator(kind, **params).fit(rows[repeated], y[repeated]), X))
    assert weighted.learning_rate_init_ < 0.01


@descents
@kinds
def test_the_first_chunk_of_a_stream_decides(kind, solver):
    y = Y[kind]
    chunks = [slice(0, 50), slice(50, 90), slice(90, 130)] * 3
    classes = {"classes": np.unique(y)} if kind == "classes" else {}
    model = estimator(kind, **SOLVERS[solver])
    by_hand = ByHand(kind, X[:50], y[:50], **SOLVERS[solver])
    for rows in chunks:
        model.partial_fit(X[rows], y[rows], **classes)
        by_hand.call("partial_fit", X[rows], y[rows], **classes)
        np.testing.assert_allclose(model.feature_mean_, X[:50].mean(axis=0), rtol=1e-12)
    assert_agrees(model, by_hand)


@solvers
@kinds
def test_a_warm_start_keeps_the_coordinates_of_the_first_fit(kind, solver):
    y = Y[kind]
    params = SOLVERS[solver] | {"warm_start": True, "max_iter": 5}
    model, by_hand = estimator(kind, **params), ByHand(kind, X, y, **params)
    for rows in (slice(None), slice(None, None, 2)):
        if kind == "classes":
            assert len(np.unique(y[rows])) == 3
        model.fit(X[rows], y[rows])
        by_hand.call("fit", X[rows], y[rows])
    np.testing.assert_allclose(model.feature_mean_, X.mean(axis=0), rtol=1e-12)
    assert_agrees(model, by_hand, tolerance=1e-5 if solver == "lbfgs" else CLOSE)
    # Without a warm start, the new data determine the coordinates.
    model.set_params(warm_start=False).fit(X[::2], y[::2])
    np.testing.assert_allclose(model.feature_mean_, X[::2].mean(axis=0), rtol=1e-12)


@pytest.mark.parametrize("standardize", [True, "auto"])
@descents
@kinds
def test_resume_is_exact_bit_for_bit(kind, solver, standardize):
    params = SOLVERS[solver] | {"standardize": standardize}
    whole = estimator(kind, **params).fit(X, Y[kind])
    model = by_pickle(estimator(kind, **params | {"max_iter": 4}).fit(X, Y[kind]))
    assert_same_training(model.set_params(max_iter=10).resume(X, Y[kind]), whole)


@solvers
@kinds
def test_early_stopping_equals_that_of_the_pipeline(kind, solver):
    y, params = Y[kind], {"early_stopping": True, "validation_fraction": 0.3, "n_iter_no_change": 3, "max_iter": 60}
    params |= SOLVERS[solver]
    if solver == "lbfgs":
        params["max_iter"] = 12  # more epochs would magnify the rounding too much
    # The scalers do not see the held-out rows.
    seen = []
    estimator(kind, **params | {"scoring": lambda model, rows, y: seen.append(rows) or 0.0}).fit(X, y)
    trained = ~(X[:, None] == seen[0]).all(axis=2).any(axis=1)
    assert trained.sum() == 91
    model = estimator(kind, **params).fit(X, y)
    np.testing.assert_allclose(model.feature_mean_, X[trained].mean(axis=0), rtol=1e-12)
    by_hand = ByHand(kind, X[trained], y[trained], **params).call("fit", X, y)
    tolerance = 1e-5 if solver == "lbfgs" else CLOSE
    assert_agrees(model, by_hand, tolerance=tolerance)
    np.testing.assert_allclose(model.validation_scores_, by_hand.net.validation_scores_, rtol=0, atol=tolerance)
    assert model.best_validation_score_ == max(model.validation_scores_)
    if kind != "three outputs":
        expected = by_hand.losses("validation_loss")
        np.testing.assert_allclose(model.validation_loss_curve_, expected, rtol=tolerance)


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@kinds
def test_validation_sets_are_in_the_users_units(kind, method):
    y = Y[kind]
    model, by_hand = estimator(kind, **SOLVERS["sgd"]), ByHand(kind, X[:90], y[:90], **SOLVERS["sgd"])
    classes = {"classes": np.unique(y)} if (kind, method) == ("classes", "partial_fit") else {}
    for each in (getattr(model, method), lambda *a, **k: by_hand.call(method, *a, **k)):
        each(X[:90], y[:90], X_val=X[90:], y_val=y[90:], **classes)
    np.testing.assert_allclose(model.validation_scores_, by_hand.net.validation_scores_, rtol=0, atol=CLOSE)
    assert model.validation_scores_[-1] == model.score(X[90:], y[90:])
    if kind != "classes":
        # The loss is half the squared error, summed over the outputs.
        error = 0.5 * np.square(model.predict(X[90:]) - y[90:]).reshape(40, -1).sum(axis=1).mean()
        np.testing.assert_allclose(model.validation_loss_curve_[-1], error, rtol=1e-10)
        np.testing.assert_allclose(model.score(X[90:], y[90:]), r2_score(y[90:], model.predict(X[90:])), rtol=1e-12)


@regressions
def test_the_loss_is_in_the_units_of_the_targets(kind):
    y = Y[kind]
    model = estimator(kind, batch_size="full", max_iter=1, learning_rate_init=1e-300).fit(X, y)
    error = 0.5 * np.square(model.predict(X) - y).reshape(130, -1).sum(axis=1).mean()
    np.testing.assert_allclose(model.loss_, error, rtol=1e-12)


@pytest.mark.parametrize("dump", [by_pickle, by_joblib, copy.deepcopy])
@kinds
def test_a_copy_predicts_and_continues_like_the_model(kind, dump):
    model = estimator(kind, **SOLVERS["nesterov"]).fit(X, Y[kind])
    other = dump(model)
    np.testing.assert_array_equal(outputs(other, X), outputs(model, X))
    for name in ("feature_mean_", "feature_scale_", "target_mean_", "target_scale_"):
        np.testing.assert_array_equal(getattr(other, name), getattr(model, name))
    assert_same_training(other.partial_fit(X, Y[kind]), model.partial_fit(X, Y[kind]))


# Other units


MAPS = [(1e4, 0.0), (1e-4, 0.0), (1.0, 1e6), (1e4, 1e6), (-3.0, 0.0), (-3.0, 1e6)]


@pytest.mark.parametrize("standardize", [True, "auto"])
@pytest.mark.parametrize("hidden", [(), (6,), (6, 4, 4)], ids=len)
@pytest.mark.parametrize(("a", "b"), MAPS)
@solvers
@regressions
def test_another_unit_of_the_targets_changes_the_predictions_by_the_same_map(kind, solver, a, b, hidden, standardize):
    y = signal[:, 0] if kind == "one output" else signal
    params = SOLVERS[solver] | {"hidden_layer_sizes": hidden, "standardize": standardize}
    # The sign of the initial outputs is random, and a negative unit reverses it.
    start = estimator(kind, **params | {"max_iter": 1}).fit(X, y) if a < 0 else None
    models = []
    for factor, shift in ((1.0, 0.0), (a, b)):
        init = {}
        if start is not None:
            init["coefs_init"], init["intercepts_init"] = mapped(start, factor, shift)
        models.append(estimator(kind, **params).fit(X, factor * y + shift, **init))
    # Numbers near 1e6 have an error of 1e-10.
    tolerance = 1e-6 if solver == "lbfgs" else CLOSE
    assert_close((models[1].predict(X) - b) / a, models[0].predict(X), tolerance)
    np.testing.assert_allclose(np.array(models[1].loss_curve_) / a**2, models[0].loss_curve_, rtol=tolerance)
    assert models[1].learning_rate_init_ == models[0].learning_rate_init_ if solver != "lbfgs" else True


def mapped(model, a, b):
    """The weights and the biases of a network whose outputs are a times those of `model`, plus b."""
    coefs, intercepts = list(model.coefs_), list(model.intercepts_)
    return [*coefs[:-1], a * coefs[-1]], [*intercepts[:-1], a * intercepts[-1] + b]


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize(("a", "b"), [(1e4, 0.0), (1e-4, 0.0), (1.0, 1e6)])
@descents
@regressions
def test_another_unit_of_the_targets_does_not_change_the_last_epoch(kind, solver, a, b, early_stopping):
    y = signal[:, 0] if kind == "one output" else signal
    params = SOLVERS[solver] | {"standardize": "auto", "max_iter": 1000, "tol": 1e-3, "n_iter_no_change": 3}
    first, second = (
        estimator(kind, early_stopping=early_stopping, **params).fit(X, factor * y + shift)
        for factor, shift in ((1.0, 0.0), (a, b))
    )
    assert 3 < first.n_iter_ < 1000
    assert second.n_iter_ == first.n_iter_


@pytest.mark.parametrize("standardize", [True, "auto"])
@solvers
@kinds
def test_other_units_of_the_features_do_not_change_the_predictions(kind, solver, standardize):
    D, c = np.array([1e-3, 1e-6, 60.0, 1e5, 2.0]), np.array([20.0, 0.0, -4e4, 1e3, 7.0])
    params = SOLVERS[solver] | {"standardize": standardize}
    first, second = (estimator(kind, **params).fit(rows, Y[kind]) for rows in (X, X * D + c))
    assert first.feature_scale_ is not None
    np.testing.assert_allclose(second.feature_scale_, D * first.feature_scale_, rtol=1e-10)
    # An offset of 4e4 is 100 times the spread of the third column.
    assert_close(outputs(second, X * D + c), outputs(first, X), 1e-5 if solver == "lbfgs" else 1e-7)


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


# float32 and offsets


@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
@pytest.mark.parametrize("source", ["float32", "float64"])
@kinds
def test_float32_with_a_large_offset_trains_as_well_as_float64(kind, source, solver):
    # Timestamps have a mean of a million times the spread, which float32 rounds to a sixteenth of a unit. The mean is
    # exactly 1e6 here, so that it is the same number in both types.
    rows = (1e6 + np.round(8 * np.concatenate([Z[:65], -Z[:65]])) / 8).astype(source)
    assert np.ptp(rows) < 10
    params = SOLVERS[solver] | {"standardize": "auto"}
    single, double = (estimator(kind, dtype=dtype, **params).fit(rows, Y[kind]) for dtype in ("float32", "float64"))
    assert {p.dtype for p in single.coefs_ + single.intercepts_} == {np.dtype("float32")}
    # For ten epochs, each operation has an error of 1e-7, and L-BFGS magnifies it.
    assert_close(outputs(single, rows), outputs(double, rows), 0.05 if solver == "lbfgs" else 1e-3)
    # Any other mean is rounded to a float32 number. The centre is then off by at most a thirtieth of the spread.
    rows = rows + rows.dtype.type(0.25) * (np.arange(130) % 3 == 0)[:, None]
    single, double = (estimator(kind, dtype=dtype, **params).fit(rows, Y[kind]) for dtype in ("float32", "float64"))
    assert abs(single.score(rows, Y[kind]) - double.score(rows, Y[kind])) < 0.02


# The weights in the user's units


def in_numpy(model, X):
    """The raw outputs, computed in float64 from the weights and the biases alone."""
    h = np.asarray(X, np.float64)
    for number, (W, b) in enumerate(zip(model.coefs_, model.intercepts_, strict=True)):
        h = h @ W.astype(np.float64) + b
        if number < len(model.coefs_) - 1:
            h = np.tanh(h)
    return h[:, 0] if h.shape[1] == 1 else h


@pytest.mark.parametrize("hidden", [(), (6,), (6, 4, 4)], ids=len)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("standardize", [True, False, "auto"])
@kinds
def test_the_outputs_follow_from_the_weights_alone(kind, standardize, dtype, hidden):
    rows, y = (X, Y[kind]) if standardize else (Z, Y["classes"] if kind == "classes" else signal[:, :3])
    params = SOLVERS["sgd"] | {"standardize": standardize, "hidden_layer_sizes": hidden, "dtype": dtype}
    model = estimator(kind, **params).fit(rows, y)
    assert model.coefs_[0].dtype == dtype
    # A year is 200 times its spread, which magnifies the error of a float32 weight by 200.
    assert_close(in_numpy(model, rows), outputs(model, rows), 1e-11 if dtype == "float64" else 1e-3)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("standardize", [True, "auto", False])
@kinds
def test_writing_into_the_weights_changes_the_predictions(kind, standardize, dtype):
    rows, y = (X, Y[kind]) if standardize else (Z, Y["classes"] if kind == "classes" else signal)
    model = estimator(kind, standardize=standardize, dtype=dtype, **SOLVERS["sgd"]).fit(rows, y)
    tolerance = 1e-9 if dtype == "float64" else 1e-3
    held = model.coefs_[0], model.intercepts_[1]
    ways = [
        lambda: model.coefs_[0].__setitem__(3, 0.0),  # a temporary view
        lambda: model.intercepts_[-1].__iadd__(model.target_scale_ if model.target_scale_ is not None else 1.0),
        lambda: held[0][3].fill(0.5 if model.feature_scale_ is None else 0.5 / model.feature_scale_[3]),  # a kept one
        lambda: held[1].fill(0.25),
        lambda: model.coefs_[-1].__imul__(-1.0),
    ]
    for write in ways:
        before = outputs(model, rows)
        expected = [p.copy() for p in (*model.coefs_, *model.intercepts_)]
        write()
        found = [*model.coefs_, *model.intercepts_]
        assert any((p != q).any() for p, q in zip(found, expected, strict=True))
        after = outputs(model, rows)
        assert (np.abs(after - before) / np.ptp(before, axis=0)).max() > 0.01
        assert_close(after, in_numpy(model, rows), tolerance)
        # Copies contain the written weights.
        np.testing.assert_array_equal(outputs(by_pickle(model), rows), after)


@pytest.mark.parametrize("standardize", [True, "auto", False])
@kinds
def test_a_written_weight_is_read_back_and_pickled_even_if_the_model_was_not_used_in_between(kind, standardize):
    rows, y = (X, Y[kind]) if standardize else (Z, Y["classes"] if kind == "classes" else signal)
    model = estimator(kind, standardize=standardize, **SOLVERS["sgd"]).fit(rows, y)
    spread = np.ptp(outputs(model, rows), axis=0)
    model.coefs_[1][:] = 0.5
    model.intercepts_[0][:] = -0.125
    # The weights of the first layer are converted between units, which rounds them.
    np.testing.assert_allclose(model.coefs_[1], 0.5, rtol=1e-12)
    np.testing.assert_allclose(model.intercepts_[0], -0.125, rtol=1e-9)
    loaded = pickle.loads(pickle.dumps(model))
    np.testing.assert_allclose(loaded.intercepts_[0], -0.125, rtol=1e-9)
    model.coefs_[0][:] = 0.0
    copied = copy.deepcopy(model)
    for each in (copied, model):  # the outputs are constant
        assert (np.ptp(outputs(each, rows), axis=0) < 1e-9 * spread).all()


@pytest.mark.parametrize("solver", ["sgd", "nesterov", "adam"])
@kinds
def test_partial_fit_continues_from_the_written_weights(kind, solver):
    y = Y[kind]
    params = SOLVERS[solver] | {"shuffle": False}
    model, by_hand = estimator(kind, **params).fit(X, y), ByHand(kind, X, y, **params).call("fit", X, y)
    # Both networks get the same weights, each in its own units.
    model.coefs_[0][:, 2] = 0.0
    model.coefs_[1][:] *= 0.5
    model.intercepts_[1][:] = 0.1
    by_hand.net.intercepts_[0][2] -= by_hand.features.mean_ / by_hand.features.scale_ @ by_hand.net.coefs_[0][:, 2]
    by_hand.net.coefs_[0][:, 2] = 0.0
    by_hand.net.coefs_[1][:] *= 0.5
    by_hand.net.intercepts_[1][:] = 0.1
    assert_close(outputs(model, X), by_hand.outputs(X))
    for _ in range(3):
        model.partial_fit(X, y)
        by_hand.call("partial_fit", X, y)
    assert_close(outputs(model, X), by_hand.outputs(X))


def test_reading_the_weights_changes_nothing(assert_identical):
    models = [estimator("three outputs", dtype=dtype).fit(X, Y["three outputs"]) for dtype in ("float32", "float64")]
    for model in models:
        before, other = model.predict(X), by_pickle(model)
        for _ in range(3):
            kept = model.coefs_, model.intercepts_
            np.testing.assert_array_equal(model.predict(X), before)
        for p, q in zip((*kept[0], *kept[1]), (*model.coefs_, *model.intercepts_), strict=True):
            assert np.shares_memory(p, q)  # as long as a view exists, the model returns the same one
        assert_identical(model.partial_fit(X, Y["three outputs"]), other.partial_fit(X, Y["three outputs"]))


@pytest.mark.parametrize("standardize", [True, "auto"])
@pytest.mark.parametrize("hidden", [(), (6,), (6, 4, 4)], ids=len)
@solvers
@kinds
def test_a_network_given_its_own_weights_predicts_the_same_before_training(kind, solver, hidden, standardize):
    y, params = Y[kind], {"hidden_layer_sizes": hidden, "standardize": standardize}
    model = estimator(kind, **params, **SOLVERS[solver]).fit(X, y)
    # Steps of this length change no weight. On other rows, the means and scales differ.
    for rows in (slice(None), slice(None, None, 3)):
        other = estimator(kind, **params, learning_rate_init=1e-300, max_iter=1)
        other.fit(X[rows], y[rows], coefs_init=model.coefs_, intercepts_init=model.intercepts_)
        assert_close(outputs(other, X), outputs(model, X), 1e-10)
        for p, q in zip(other.coefs_ + other.intercepts_, model.coefs_ + model.intercepts_, strict=True):
            # Subtracting the mean of a year and adding it again costs a bias some digits.
            np.testing.assert_allclose(p, q, rtol=1e-10, atol=1e-10 * np.abs(q).max())


@kinds
def test_given_initial_values_act_as_in_the_pipeline(kind):
    y = Y[kind]
    start = estimator(kind, **SOLVERS["sgd"]).fit(X[:60], y[:60])
    model = estimator(kind, **SOLVERS["sgd"])
    model.fit(X, y, coefs_init=start.coefs_, intercepts_init=start.intercepts_)
    by_hand = ByHand(kind, X, y, **SOLVERS["sgd"])
    m, s = by_hand.features.mean_, by_hand.features.scale_
    coefs, intercepts = [W.copy() for W in start.coefs_], [b.copy() for b in start.intercepts_]
    intercepts[0] += m @ coefs[0]
    coefs[0] *= s[:, None]
    if kind != "classes":
        coefs[-1] /= by_hand.targets.scale_
        intercepts[-1] = (intercepts[-1] - by_hand.targets.mean_) / by_hand.targets.scale_
    by_hand.call("fit", X, y, coefs_init=coefs, intercepts_init=intercepts)
    assert_close(outputs(model, X), by_hand.outputs(X))


# Best weights, checkpoints, callbacks


@kinds
def test_restore_best_restores_the_best_weights(kind):
    y = Y[kind]
    params = SOLVERS["nesterov"] | {"learning_rate_init": 0.05}
    model, by_hand = estimator(kind, **params), ByHand(kind, X[:90], y[:90], **params)
    classes = {"classes": np.unique(y)} if kind == "classes" else {}
    predictions = []
    for _ in range(30):
        model.partial_fit(X[:90], y[:90], X_val=X[90:], y_val=y[90:], **classes)
        by_hand.call("partial_fit", X[:90], y[:90], X_val=X[90:], y_val=y[90:], **classes)
        predictions.append(outputs(model, X))
    best = int(np.argmax(model.validation_scores_))
    assert best < 29
    views = model.coefs_
    model.restore_best()
    np.testing.assert_array_equal(outputs(model, X), predictions[best])
    assert_close(in_numpy(model, X), predictions[best], 1e-11)
    by_hand.net.restore_best()
    assert_agrees(model, by_hand)
    # Arrays that the user got earlier show the restored weights.
    for view, own in zip(views, model.coefs_, strict=True):
        np.testing.assert_array_equal(view, own)
    views[-1][:] *= 2.0
    assert_close(in_numpy(model, X), outputs(model, X), 1e-11)
    assert np.abs(outputs(model, X) - predictions[best]).max() > 0.01 * np.ptp(predictions[best])


@kinds
def test_a_checkpoint_contains_the_coordinates(kind, tmp_path):
    model = estimator(kind, **SOLVERS["nesterov"] | {"max_iter": 4}).fit(X, Y[kind])
    model.coefs_[0][:] *= 0.5  # written weights are saved
    Checkpoint(tmp_path / "model").save(model)
    loaded = Checkpoint.load(tmp_path / "model")
    np.testing.assert_array_equal(outputs(loaded, X), outputs(model, X))
    assert_same_training(
        loaded.set_params(max_iter=8).resume(X, Y[kind]), model.set_params(max_iter=8).resume(X, Y[kind])
    )


class Models:
    """A callback that keeps the models of the epochs."""

    def __init__(self):
        self.models = []

    def setup(self, estimator, context):
        pass

    teardown = on_fit_task_begin = setup

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        if context.task_name == "epoch":
            self.models.append(fitted_estimator)


@needs_callbacks
@solvers
@kinds
def test_the_model_of_an_epoch_equals_that_of_a_shorter_fit(kind, solver, assert_identical):
    callback = Models()
    estimator(kind, **SOLVERS[solver] | {"max_iter": 4}).set_callbacks(callback).fit(X, Y[kind])
    assert len(callback.models) == 4
    for epoch, model in enumerate(callback.models, 1):
        shorter = estimator(kind, **SOLVERS[solver] | {"max_iter": epoch}).fit(X, Y[kind])
        assert_identical(model, shorter)
        np.testing.assert_array_equal(outputs(model, X), outputs(shorter, X))
        np.testing.assert_array_equal(model.feature_scale_, shorter.feature_scale_)
        np.testing.assert_array_equal(model.target_scale_, shorter.target_scale_)


# Inspection


@kinds
def test_the_gradient_noise_is_measured_in_the_coordinates_of_training(kind):
    y = Y[kind]
    model = estimator(kind, **SOLVERS["sgd"]).fit(X, y, WEIGHTS)
    by_hand = ByHand(kind, X, y, WEIGHTS, **SOLVERS["sgd"]).call("fit", X, y, WEIGHTS)
    settings = {"sample_weight": WEIGHTS, "batch_sizes": [1, 10], "n_draws": 20, "random_state": 0}
    found = gradient_noise(model, X, y, **settings)
    expected = gradient_noise(by_hand.net, *by_hand.scaled(X, y), **settings)
    for name in ("variance", "gradient_norm_squared", "noise_scale_by_layer", "measured_variance"):
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-6)


@pytest.mark.parametrize("layer", [0, 1, -1])
@kinds
def test_the_hidden_activations_equal_those_of_the_pipeline(kind, layer):
    y = Y[kind]
    model = estimator(kind, **SOLVERS["sgd"]).fit(X, y)
    by_hand = ByHand(kind, X, y, **SOLVERS["sgd"]).call("fit", X, y)
    expected = hidden_activations(by_hand.net, by_hand.features.transform(X), layer)
    np.testing.assert_allclose(hidden_activations(model, X, layer), expected, rtol=0, atol=CLOSE)


# Sparse features


@pytest.mark.parametrize("container", [sparse.csr_matrix, sparse.csc_matrix, sparse.csr_array])
@pytest.mark.parametrize("solver", ["sgd", "momentum", "adam", "lbfgs"])
@kinds
def test_sparse_features_are_scaled_and_not_shifted(kind, solver, container):
    rows, y = container(np.where(np.random.default_rng(2).random(X.shape) < 0.4, X, 0.0)), Y[kind]
    copied = rows.copy()
    tolerance = 1e-6 if solver == "lbfgs" else CLOSE
    for weights in (None, WEIGHTS):
        model = estimator(kind, **SOLVERS[solver]).fit(rows, y, weights)
        by_hand = ByHand(kind, rows, y, weights, **SOLVERS[solver]).call("fit", rows, y, weights)
        assert model.feature_mean_ is None
        np.testing.assert_allclose(model.feature_scale_, by_hand.features.scale_, rtol=1e-12)
        assert_agrees(model, by_hand, rows, tolerance)
        # Dense rows have the same predictions.
        assert_close(outputs(model, rows.toarray()), outputs(model, rows), 1e-12)
        assert_close(in_numpy(model, rows.toarray()), outputs(model, rows), 1e-11)
    assert abs(rows - copied).sum() == 0


@pytest.mark.parametrize("form", [np.asfortranarray, lambda X: np.repeat(X, 2, axis=0)[::2], "pandas"])
@kinds
def test_the_form_of_the_rows_makes_no_difference(kind, form, assert_identical):
    if form == "pandas":
        form = pytest.importorskip("pandas").DataFrame
    other = form(X)
    if hasattr(other, "columns"):
        other.columns = list("abcde")
    expected = estimator(kind, **SOLVERS["sgd"]).fit(X, Y[kind])
    found = estimator(kind, **SOLVERS["sgd"]).fit(other, Y[kind])
    assert_identical(found, expected)
    np.testing.assert_array_equal(outputs(found, other), outputs(expected, X))


@pytest.mark.parametrize("value", ["yes", 1, None, 0.5])
def test_other_values_of_standardize_are_refused(value):
    with pytest.raises(ValueError, match="'standardize' parameter"):
        estimator("classes", standardize=value).fit(X, Y["classes"])


# ONNX


@pytest.mark.parametrize("given", ["float32", "float64"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("offset", [0.0, 1e6])
@kinds
def test_an_exported_model_needs_no_scaler(kind, dtype, given, offset):
    for name in ("onnx", "skl2onnx", "onnxruntime"):
        pytest.importorskip(name)
    from onnxruntime import InferenceSession

    from skfnn.onnx import to_onnx

    # The offset is a million times the spread, but the numbers are exact in float32.
    rows = (np.round(8 * Z) / 8 + offset if offset else X).astype(given)
    model = estimator(kind, standardize=True, dtype=dtype, **SOLVERS["sgd"]).fit(rows, Y[kind])
    # One of the targets is 7 with a spread of 0.001, of which float32 keeps four digits.
    tolerance = 1e-10 if (dtype, given) == ("float64", "float64") else 1e-3 if kind == "three outputs" else 1e-5
    for _ in range(2):
        graph = to_onnx(model, rows[:1], **({"options": {"raw_scores": True}} if kind == "classes" else {}))
        session = InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
        found = session.run(None, {session.get_inputs()[0].name: rows})[-1]
        assert found.dtype == given
        expected = outputs(model, rows)
        assert_close(found.reshape(expected.shape), expected, tolerance)
        model.coefs_[-1][:, 0] *= -0.5  # written weights are exported as well
