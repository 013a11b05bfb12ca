"""Exported tabular models agree with those in Python, as far as they can be exported."""

import numpy as np
import pytest
from sklearn.datasets import make_multilabel_classification

from skfnn import FNNClassifier
from skfnn.onnx import to_onnx
from skfnn.tabular import PiecewiseLinearEncoder, make_tabular_classifier, make_tabular_regressor
from skfnn.tabular._averaged import AveragedFNNClassifier

pytest.importorskip("skl2onnx")
onnxruntime = pytest.importorskip("onnxruntime")
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

rng = np.random.default_rng(0)
X = np.column_stack([np.exp(rng.normal(size=200)), rng.normal(50.0, 3.0, 200), rng.integers(0, 4, 200), np.ones(200)])
X[::7, 1] = np.nan
y = np.where(X[:, 0] > 1.0, "high", "low")
QUICK = {"n_nets": 2, "max_iter": 5, "hidden_layer_sizes": (12,), "random_state": 0}
# float32 has seven digits. A bin is up to 1/100 of the values wide, so a position in it has an error of up to 1e-5.
TOLERANCE = {"float32": 1e-4, "float64": 1e-6}
dtypes = pytest.mark.parametrize("dtype", ["float32", "float64"])


def exported(model, rows):
    content = to_onnx(model, rows[:1]).SerializeToString()
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: rows})


@dtypes
@pytest.mark.parametrize("params", [{}, {"include_scaled": False}, {"extrapolation": "linear"}, {"n_bins": 1}])
def test_the_encoder_agrees(params, dtype):
    rows = X.astype(dtype)
    encoder = PiecewiseLinearEncoder(**params).fit(rows[:100])
    (encoded,) = exported(encoder, rows)
    np.testing.assert_allclose(encoded, encoder.transform(rows), rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])


@dtypes
def test_a_classifier_of_numbers_agrees(dtype):
    rows = X.astype(dtype)
    model = make_tabular_classifier(**QUICK).fit(rows, y)
    label, p = exported(model, rows)
    np.testing.assert_allclose(p, model.predict_proba(rows), atol=TOLERANCE[dtype])
    sure = np.abs(p[:, 0] - 0.5) > TOLERANCE[dtype]
    assert sure.mean() > 0.9
    np.testing.assert_array_equal(label[sure], model.predict(rows)[sure])


@dtypes
def test_a_regressor_of_numbers_agrees(dtype):
    rows = X.astype(dtype)
    model = make_tabular_regressor(**QUICK).fit(rows, 10.0 * X[:, 0])
    (predicted,) = exported(model, rows)
    expected = model.predict(rows)
    np.testing.assert_allclose(predicted[:, 0], expected, rtol=0, atol=100 * TOLERANCE[dtype])


@pytest.mark.parametrize("labels", ["three", "multilabel"])
def test_an_average_of_other_labels_agrees(labels):
    rows, Y = make_multilabel_classification(80, 5, random_state=0)
    rows = rows.astype("float32")
    model = AveragedFNNClassifier(FNNClassifier((8,)), 3, max_iter=5, random_state=0)
    model.fit(rows, Y if labels == "multilabel" else Y[:, 0] + Y[:, 1])
    label, p = exported(model, rows)
    np.testing.assert_allclose(p, model.predict_proba(rows), atol=1e-5)
    assert (label == model.predict(rows)).mean() > 0.99


def test_words_are_not_exported():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"x": X[:, 0].astype("float32"), "t": y})
    model = make_tabular_classifier(**QUICK).fit(frame, y)
    from skl2onnx.common.data_types import FloatTensorType, StringTensorType

    types = [("x", FloatTensorType([None, 1])), ("t", StringTensorType([None, 1]))]
    with pytest.raises(Exception, match=r"FunctionTransformer|words"):
        to_onnx(model, initial_types=types)
