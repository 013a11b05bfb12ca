"""Callbacks, checkpoints, inspection and ONNX see the right coordinates of a standardised network."""

import numpy as np
import pytest
from interrupted import assert_same_training, needs_callbacks
from scalers import (
    CLOSE,
    SOLVERS,
    WEIGHTS,
    ByHand,
    X,
    Y,
    Z,
    assert_agrees,
    assert_close,
    estimator,
    in_numpy,
    kinds,
    outputs,
    solvers,
)

from skfnn.callbacks import Checkpoint
from skfnn.inspection import gradient_noise, hidden_activations

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


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
    # One of the targets is 7 with a spread of 0.001. float32 keeps four digits of that spread.
    tolerance = 1e-10 if (dtype, given) == ("float64", "float64") else 1e-3 if kind == "three outputs" else 1e-5
    for _ in range(2):
        graph = to_onnx(model, rows[:1], **({"options": {"raw_scores": True}} if kind == "classes" else {}))
        session = InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
        found = session.run(None, {session.get_inputs()[0].name: rows})[-1]
        assert found.dtype == given
        expected = outputs(model, rows)
        assert_close(found.reshape(expected.shape), expected, tolerance)
        model.coefs_[-1][:, 0] *= -0.5  # written weights are exported as well
