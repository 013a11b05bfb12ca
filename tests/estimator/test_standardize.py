"""Training with `standardize` equals training in a pipeline with scalers."""

import copy

import numpy as np
import pytest
from interrupted import assert_same_training, by_joblib, by_pickle
from scalers import (
    CLOSE,
    SOLVERS,
    WEIGHTS,
    ByHand,
    X,
    Y,
    assert_agrees,
    assert_close,
    descents,
    estimator,
    in_numpy,
    kinds,
    outputs,
    regressions,
    solvers,
)
from scipy import sparse
from sklearn.compose import TransformedTargetRegressor
from sklearn.metrics import r2_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


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
