"""Labels of any type, and class weights, which are given by label."""

import copy

import numpy as np
import pytest
import sklearn
from scipy import sparse
from short_runs import estimator
from sklearn.datasets import make_multilabel_classification
from sklearn.metrics import accuracy_score
from sklearn.preprocessing import StandardScaler
from sklearn.utils.class_weight import compute_sample_weight
from small_tables import X_iris, y_iris

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


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
