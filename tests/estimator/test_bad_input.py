"""Bad input raises one clear error and changes nothing."""

import copy

import numpy as np
import pytest
from bad_values import BAD_DATA, BAD_FOR_BOTH, BAD_PARAMETERS, X, X_more, estimator, name_in, poked, y, y_more
from sklearn.exceptions import NotFittedError

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    # NumPy 1.24 warns like this if it compares numbers with text.
    pytest.mark.filterwarnings("ignore:elementwise comparison failed"),
]


bad_data = pytest.mark.parametrize("case", BAD_DATA)
bad_chunks = pytest.mark.parametrize("case", BAD_FOR_BOTH)
bad_parameters = pytest.mark.parametrize("case", BAD_PARAMETERS)


def fitted_attributes(clf):
    return {name for name in [*vars(clf), "coefs_", "intercepts_"] if name.endswith("_") and hasattr(clf, name)}


def assert_unfitted(clf):
    assert not fitted_attributes(clf)
    for method in (clf.predict, clf.predict_proba, clf.predict_log_proba, clf.decision_function):
        with pytest.raises(NotFittedError):
            method(X)


def assert_same_model(clf, before):
    """`clf` is the same model as its copy `before`, and continues training in the same way."""
    assert fitted_attributes(clf) == fitted_attributes(before)
    for name in fitted_attributes(before):
        np.testing.assert_equal(getattr(clf, name), getattr(before, name))
    np.testing.assert_array_equal(clf.predict_proba(X), before.predict_proba(X))
    np.testing.assert_array_equal(clf.predict(X), before.predict(X))
    for model in (clf, before):
        model.partial_fit(X_more, y_more)
    assert clf.history_["loss"] == before.history_["loss"]
    np.testing.assert_array_equal(clf.predict_proba(X), before.predict_proba(X))


# An estimator that was never fitted


@bad_data
def test_fit_on_bad_data_raises_and_leaves_the_estimator_unfitted(case):
    X_bad, y_bad, arguments, message = BAD_DATA[case]
    clf = estimator()
    with pytest.raises(ValueError, match=message):
        clf.fit(X_bad, y_bad, **arguments)
    assert_unfitted(clf)
    # Nothing remains that would affect the next fit.
    np.testing.assert_array_equal(clf.fit(X, y).predict_proba(X), estimator().fit(X, y).predict_proba(X))


@bad_chunks
def test_partial_fit_on_bad_data_raises_and_leaves_the_estimator_unfitted(case):
    X_bad, y_bad, arguments, message = BAD_DATA[case]
    clf = estimator()
    with pytest.raises(ValueError, match=message):
        clf.partial_fit(X_bad, y_bad, classes=[0, 1, 2], **arguments)
    assert_unfitted(clf)


@bad_parameters
def test_fit_with_a_bad_parameter_names_it_and_leaves_the_estimator_unfitted(case):
    clf = estimator(**BAD_PARAMETERS[case])
    with pytest.raises(ValueError, match=name_in(case)):
        clf.fit(X, y)
    assert_unfitted(clf)


@bad_parameters
def test_a_bad_parameter_is_also_an_error_in_partial_fit(case):
    if case == "validation_fraction that leaves no training row":
        pytest.skip("partial_fit holds out no rows")
    clf = estimator(**BAD_PARAMETERS[case])
    with pytest.raises(ValueError, match=name_in(case)):
        clf.partial_fit(X, y, classes=[0, 1, 2])
    assert_unfitted(clf)


def test_a_parameter_of_the_wrong_kind_raises_invalid_parameter_error():
    with pytest.raises(ValueError) as caught:
        estimator(batch_size="half").fit(X, y)
    assert type(caught.value).__name__ == "InvalidParameterError"
    assert isinstance(caught.value, TypeError)  # like scikit-learn's error
    assert "'half'" in str(caught.value)  # the value given
    assert "'full'" in str(caught.value)  # what is accepted


# A fitted estimator


@pytest.mark.parametrize("warm_start", [False, True])
@bad_data
def test_a_failed_fit_leaves_a_fitted_estimator_as_it_was(case, warm_start):
    X_bad, y_bad, arguments, message = BAD_DATA[case]
    clf = estimator(warm_start=warm_start).fit(X, y)
    before = copy.deepcopy(clf)
    with pytest.raises(ValueError, match=message):
        clf.fit(X_bad, y_bad, **arguments)
    assert_same_model(clf, before)


@pytest.mark.parametrize(("rows", "labels"), [(X[:1], y[:1]), (X, np.zeros(40))], ids=["one row", "one class"])
def test_a_warm_start_on_fewer_classes_leaves_a_fitted_estimator_as_it_was(rows, labels):
    clf = estimator(warm_start=True).fit(X, y)
    before = copy.deepcopy(clf)
    with pytest.raises(ValueError, match="warm_start"):
        clf.fit(rows, labels)
    assert_same_model(clf, before)


@bad_chunks
def test_a_failed_partial_fit_leaves_a_fitted_estimator_as_it_was(case):
    X_bad, y_bad, arguments, message = BAD_DATA[case]
    clf = estimator().fit(X, y)
    before = copy.deepcopy(clf)
    if case == "no columns":
        message = "feature"
    with pytest.raises(ValueError, match=message):
        clf.partial_fit(X_bad, y_bad, **arguments)
    assert_same_model(clf, before)


@pytest.mark.parametrize("warm_start", [False, True])
@bad_parameters
def test_a_fit_with_a_bad_parameter_leaves_a_fitted_estimator_as_it_was(case, warm_start):
    clf = estimator(warm_start=warm_start).fit(X, y)
    before, params = copy.deepcopy(clf), clf.get_params()
    clf.set_params(**BAD_PARAMETERS[case])
    with pytest.raises(ValueError, match=name_in(case)):
        clf.fit(X, y)
    assert_same_model(clf.set_params(**params), before)


def test_a_failed_fit_does_not_change_the_known_features():
    pd = pytest.importorskip("pandas")
    clf = estimator().fit(pd.DataFrame(X, columns=list("abcd")), y)
    other = pd.DataFrame(np.column_stack([X, X[:, 0]]), columns=list("vwxyz"))
    with pytest.raises(ValueError, match="y_val"):
        clf.fit(other, y, X_val=other)
    assert clf.n_features_in_ == 4
    np.testing.assert_array_equal(clf.feature_names_in_, list("abcd"))


# Classes


def test_the_first_partial_fit_needs_the_classes():
    clf = estimator()
    with pytest.raises(ValueError, match="classes must be passed"):
        clf.partial_fit(X, y)
    assert_unfitted(clf)


def test_classes_of_the_first_partial_fit_must_not_be_empty():
    clf = estimator()
    with pytest.raises(ValueError, match="classes must hold at least one class"):
        clf.partial_fit(X, np.zeros(40), classes=[])
    assert_unfitted(clf)


def test_the_first_partial_fit_refuses_labels_that_are_not_among_the_classes():
    clf = estimator()
    with pytest.raises(ValueError, match="classes.*2"):
        clf.partial_fit(X, y, classes=[0, 1])
    assert_unfitted(clf)


@pytest.mark.parametrize(
    ("labels", "classes", "message"),
    [
        (y + 1, None, "3"),
        (y, [0, 1, 2, 3], "classes"),
        (y, [0, 1], "classes"),
        (y.astype(str), None, "'0'"),
        (np.eye(3, dtype=int)[y], None, "multilabel"),
    ],
)
def test_partial_fit_refuses_new_classes_and_can_continue_without_them(labels, classes, message):
    clf = estimator().partial_fit(X, y, classes=[0, 1, 2])
    before = copy.deepcopy(clf)
    with pytest.raises(ValueError, match=message):
        clf.partial_fit(X, labels, classes=classes)
    assert_same_model(clf, before)


# Prediction


@pytest.mark.parametrize("method", ["predict", "predict_proba", "predict_log_proba", "decision_function"])
def test_prediction_before_fit_says_that_the_estimator_is_not_fitted(method):
    with pytest.raises(NotFittedError, match="FNNClassifier.*not fitted"):
        getattr(estimator(), method)(X)
    with pytest.raises(NotFittedError):
        estimator().score(X, y)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (X[:, :3], "3 features.*expecting 4"),
        (poked(np.nan), "X contains NaN"),
        (poked(np.inf), "X contains infinity"),
        (X[:0], r"0 sample\(s\)"),
        (X[0], "2D array"),
        (X + 1j, "Complex data not supported"),
        (np.full((40, 4), "text", dtype=object), "X holds text.*numbers.*OneHotEncoder"),
    ],
)
@pytest.mark.parametrize("method", ["predict", "predict_proba", "predict_log_proba", "decision_function"])
def test_prediction_refuses_bad_rows_and_changes_nothing(method, rows, message):
    clf = estimator().fit(X, y)
    before = copy.deepcopy(clf)
    with pytest.raises(ValueError, match=message):
        getattr(clf, method)(rows)
    assert_same_model(clf, before)


def test_lbfgs_has_no_partial_fit():
    clf = estimator(solver="lbfgs")
    assert not hasattr(clf, "partial_fit")
    with pytest.raises(AttributeError, match="partial_fit.*lbfgs"):
        clf.partial_fit(X, y, classes=[0, 1, 2])
    assert_unfitted(clf)
