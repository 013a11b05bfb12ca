"""A model exported to ONNX predicts the same in onnxruntime as in Python."""

import sys

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skfnn import FNNClassifier, FNNRegressor
from skfnn.onnx import register_converters, to_onnx

onnx = pytest.importorskip("onnx")
skl2onnx = pytest.importorskip("skl2onnx")
onnxruntime = pytest.importorskip("onnxruntime")

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

ACTIVATIONS = ["identity", "logistic", "tanh", "relu", "leaky_relu", "elu", "selu", "gelu", "silu", "softplus"]

digits = load_digits()
X, y = digits.data[:200] / 16, digits.target[:200]
LABELS = {
    "binary": np.where(y % 2, "odd", "even"),
    "multiclass": y,
    "two labels": np.column_stack([y % 2, y > 4]).astype(int),
    "three labels": np.column_stack([y % 2, y > 4, y % 3 == 0]).astype(int),
}
# float32 has a relative error of 6e-8 per operation, and the raw outputs here have size 1. The documented tolerance is
# larger by two orders of magnitude. float64 is far more exact, except that GELU uses a float32 Erf.
TOLERANCE = 1e-5


def estimator(kind=FNNClassifier, **params):
    """An estimator that trains quickly, with probabilities far from 1/2."""
    return kind(**({"hidden_layer_sizes": (12, 8), "batch_size": 20, "max_iter": 5, "random_state": 0} | params))


def onnx_outputs(onnx_model, rows):
    """The outputs of a graph for some rows."""
    onnx.checker.check_model(onnx_model, full_check=True)
    session = onnxruntime.InferenceSession(onnx_model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: rows})


def exported(model, rows, **params):
    """The outputs of the exported model for some rows."""
    return onnx_outputs(to_onnx(model, rows[:1], **params), rows)


def assert_classifier_agrees(clf, rows):
    """The exported classifier has the same labels and probabilities as the one in Python."""
    label, probabilities = exported(clf, rows)
    assert probabilities.dtype == ("float64" if rows.dtype == "float64" else "float32")
    np.testing.assert_allclose(probabilities, clf.predict_proba(rows), rtol=0, atol=TOLERANCE)
    expected = clf.predict(rows)
    assert label.shape == expected.shape
    np.testing.assert_array_equal(label, expected)


# Classifiers


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("labels", LABELS)
def test_an_exported_classifier_agrees(labels, activation):
    clf = estimator(activation=activation, dtype="float32").fit(X, LABELS[labels])
    assert_classifier_agrees(clf, X.astype("float32"))


@pytest.mark.parametrize("trained", ["float32", "float64"])
@pytest.mark.parametrize("given", ["float32", "float64"])
@pytest.mark.parametrize("labels", LABELS)
def test_model_and_input_may_differ_in_precision(labels, given, trained):
    clf = estimator(dtype=trained).fit(X, LABELS[labels])
    assert_classifier_agrees(clf, X.astype(given))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_each_hidden_layer_has_its_activation(dtype):
    clf = estimator(hidden_layer_sizes=[6] * len(ACTIVATIONS), activation=ACTIVATIONS).fit(X, y)
    assert_classifier_agrees(clf, X.astype(dtype))


def test_dropout_is_not_exported():
    assert_classifier_agrees(estimator(dropout=0.5).fit(X, y), X)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("labels", LABELS)
def test_an_exported_pipeline_agrees(labels, dtype):
    rows = digits.data[:200].astype(dtype)
    assert_classifier_agrees(make_pipeline(StandardScaler(), estimator()).fit(rows, LABELS[labels]), rows)


def test_an_exported_pipeline_in_a_pipeline_agrees():
    inner = make_pipeline(StandardScaler(), estimator())
    assert_classifier_agrees(make_pipeline(StandardScaler(), inner).fit(X, y), X)


def test_an_exported_grid_search_agrees():
    assert_classifier_agrees(GridSearchCV(estimator(), {"alpha": [0.0, 1.0]}, cv=2).fit(X, y), X)


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint8", "int32", "int64"])
def test_rows_of_whole_numbers_are_accepted(dtype):
    rows = digits.data[:200].astype(dtype)
    clf = estimator(learning_rate_init=0.001, dtype="float32").fit(rows, y)
    assert_classifier_agrees(clf, rows)


@pytest.mark.parametrize(
    "labels",
    [y - 5, y + 2**40, y.astype("uint8"), y.astype(float), y > 4, y.astype(str), LABELS["binary"].astype(object)],
    ids=["negative", "above 2**31", "bytes", "float", "bool", "numbers as strings", "object"],
)
def test_labels_keep_their_values(labels):
    assert_classifier_agrees(estimator().fit(X, labels), X)


def test_labels_outside_ascii():
    assert_classifier_agrees(estimator().fit(X, np.where(y % 2, "naïve", "Straße")), X)


def test_labels_that_are_neither_whole_numbers_nor_strings_are_refused():
    clf = estimator().partial_fit(X, y % 2, classes=[0, 0.5, 1])
    with pytest.raises(ValueError, match=r"whole numbers and strings .* classes_=array\(\[0\. , 0\.5"):
        to_onnx(clf, X)


# Regressors


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n_outputs", [1, 2])
@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
@pytest.mark.parametrize("activation", ["relu", "softplus"])
def test_an_exported_regressor_agrees(activation, loss, n_outputs, dtype):
    targets = np.column_stack([y, y % 3])[:, :n_outputs] / 5
    reg = estimator(FNNRegressor, activation=activation, loss=loss, learning_rate_init=0.01)
    reg.fit(X, targets.squeeze())
    (values,) = exported(reg, X.astype(dtype))
    assert values.shape == (len(X), n_outputs)
    assert values.dtype == dtype
    expected = reg.predict(X.astype(dtype)).reshape(-1, n_outputs)
    np.testing.assert_allclose(values, expected, rtol=TOLERANCE, atol=TOLERANCE)


def test_an_exported_regressor_in_a_pipeline_agrees():
    model = make_pipeline(StandardScaler(), estimator(FNNRegressor, learning_rate_init=0.01)).fit(X, y)
    (values,) = exported(model, X.astype("float32"))
    np.testing.assert_allclose(values[:, 0], model.predict(X), rtol=TOLERANCE, atol=TOLERANCE)


# Far from zero


def one_input(kind, targets, activation, scale=1.0):
    """A network with one feature, one hidden unit and known weights: the raw outputs are scale * f(x)."""
    net = kind(1, activation, max_iter=1, dtype="float64", random_state=0).fit(np.zeros((len(targets), 1)), targets)
    for weights, bias, value in zip(net.coefs_, net.intercepts_, (1.0, scale), strict=True):
        weights[:], bias[:] = value, 0.0
    return net


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activations_agree_far_from_zero(activation, dtype):
    steps = np.concatenate([np.linspace(-30, 30, 121), [-1e4, -500, -90, -1e-4, 1e-4, 90, 500, 1e4]])
    rows = steps.astype(dtype)[:, None]
    reg = one_input(FNNRegressor, [0.0, 1.0], activation)
    (values,) = exported(reg, rows)
    # 1 + exp(z) and Erf have an absolute error of 1e-7. GELU multiplies it by |z| < 6, because beyond that Erf is 1.
    np.testing.assert_allclose(values[:, 0], reg.predict(rows), rtol=1e-6, atol=2e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("labels", [["a", "b"], [[0, 1], [1, 0]]], ids=["binary", "multilabel"])
def test_logistic_probabilities_are_exact_far_from_zero(labels, dtype):
    rows = np.array([[-1e4], [-80], [-30], [0], [30], [80], [1e4]], dtype)
    clf = one_input(FNNClassifier, labels, "identity")
    label, probabilities = exported(clf, rows)
    np.testing.assert_array_equal(label, clf.predict(rows))
    # The tolerance is relative even for the smaller probability: log(p) is as exact in ONNX as in Python. exp(-1e4) is
    # zero in ONNX and the smallest subnormal number in Python.
    np.testing.assert_allclose(probabilities, clf.predict_proba(rows), rtol=1e-6, atol=5e-324)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_softmax_does_not_overflow(dtype):
    clf = one_input(FNNClassifier, ["a", "b", "c"], "identity")
    clf.coefs_[-1][:] = [[-1.0, 2.0, 1.0]]
    rows = np.array([[-1e4], [-20], [0], [20], [1e4]], dtype)
    label, probabilities = exported(clf, rows)
    np.testing.assert_array_equal(label, clf.predict(rows))
    # exp(-2e4) is zero in Python; onnxruntime may return a number just below the smallest normal one.
    smallest = np.finfo(dtype).tiny
    np.testing.assert_allclose(probabilities, clf.predict_proba(rows), rtol=1e-6, atol=smallest)


def test_the_label_follows_the_raw_outputs_if_probabilities_tie():
    clf = one_input(FNNClassifier, ["a", "b"], "identity")
    rows = np.array([[1e-9], [-1e-9]], "float32")
    label, probabilities = exported(clf, rows)
    assert (probabilities == 0.5).all()
    assert list(label) == list(clf.predict(rows)) == ["b", "a"]


# Options


@pytest.mark.parametrize("labels", LABELS)
def test_raw_scores(labels):
    clf = estimator().fit(X, LABELS[labels])
    label, scores = exported(clf, X, options={"raw_scores": True})
    np.testing.assert_array_equal(label, clf.predict(X))
    expected = clf.decision_function(X)
    if labels == "binary":  # both classes have a column, as for LogisticRegression in skl2onnx
        expected = np.column_stack([-expected, expected])
    np.testing.assert_allclose(scores, expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("form", ["name", "step", "dict of the step", "id", "class"])
def test_options_reach_the_last_step_of_a_pipeline(form):
    model = make_pipeline(StandardScaler(), estimator()).fit(X, y)
    options = {
        "name": {"raw_scores": True},
        "step": {"fnnclassifier__raw_scores": True},
        "dict of the step": {"fnnclassifier": {"raw_scores": True}},
        "id": {id(model[-1]): {"raw_scores": True}},
        "class": {FNNClassifier: {"raw_scores": True}},
    }[form]
    _, scores = exported(model, X, options=options)
    np.testing.assert_allclose(scores, model.decision_function(X), rtol=0, atol=1e-10)


@pytest.mark.parametrize("labels", LABELS)
def test_zipmap_gives_a_dict_for_each_row(labels):
    rows = X.astype("float32")
    clf = estimator().fit(rows, LABELS[labels])
    _, dicts = exported(clf, rows, options={"zipmap": True})
    assert list(dicts[0]) == list(clf.classes_)
    np.testing.assert_allclose([list(row.values()) for row in dicts], clf.predict_proba(rows), rtol=0, atol=TOLERANCE)


def test_zipmap_gives_an_output_for_each_class():
    clf = estimator().fit(X, y)
    _, *columns = exported(clf, X, options={"zipmap": "columns"})
    np.testing.assert_allclose(np.column_stack(columns), clf.predict_proba(X), rtol=0, atol=TOLERANCE)


def test_nocl_exports_class_numbers_instead_of_labels():
    clf = estimator().fit(X, LABELS["binary"])
    label, _ = exported(clf, X, options={"nocl": True})
    np.testing.assert_array_equal(clf.classes_[label], clf.predict(X))


def test_class_labels_as_an_output():
    clf = estimator().fit(X, LABELS["binary"])
    *_, classes = exported(clf, X, options={"output_class_labels": True})
    np.testing.assert_array_equal(classes, clf.classes_)


@pytest.mark.parametrize("target_opset", [9, 13, 18])
def test_older_operator_sets(target_opset):
    clf = estimator(hidden_layer_sizes=[6] * len(ACTIVATIONS), activation=ACTIVATIONS).fit(X, y)
    onnx_model = to_onnx(clf, X, target_opset=target_opset)
    assert {opset.domain: opset.version for opset in onnx_model.opset_import}[""] == target_opset
    np.testing.assert_allclose(onnx_outputs(onnx_model, X)[1], clf.predict_proba(X), rtol=0, atol=TOLERANCE)


def test_initial_types_instead_of_rows():
    clf = estimator().fit(X, y)
    onnx_model = to_onnx(clf, initial_types=[("pixels", skl2onnx.common.data_types.FloatTensorType([None, 64]))])
    assert [value.name for value in onnx_model.graph.input] == ["pixels"]
    _, probabilities = onnx_outputs(onnx_model, X.astype("float32"))
    np.testing.assert_allclose(probabilities, clf.predict_proba(X), rtol=0, atol=TOLERANCE)


# Registration with skl2onnx


def test_registered_converters_work_with_skl2onnx_itself():
    register_converters()
    model = make_pipeline(StandardScaler(), estimator()).fit(X, y)
    onnx_model = skl2onnx.to_onnx(model, X[:1], options={"zipmap": False})
    np.testing.assert_allclose(onnx_outputs(onnx_model, X)[1], model.predict_proba(X), rtol=0, atol=TOLERANCE)


def test_model_must_be_fitted():
    with pytest.raises(NotFittedError):
        to_onnx(estimator(), X)


@pytest.mark.parametrize("call", [register_converters, lambda: to_onnx(estimator(), X)], ids=["register", "to_onnx"])
def test_without_skl2onnx_the_error_says_what_to_install(call, monkeypatch):
    monkeypatch.setitem(sys.modules, "skl2onnx", None)
    with pytest.raises(ImportError, match='with the extra "onnx"'):
        call()
