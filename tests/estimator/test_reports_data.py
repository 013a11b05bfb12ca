"""Problems that users reported about the form of X, y and classes."""

import numpy as np
import pytest
from reported import SETTINGS, VALUES, X, classifier, kinds, labels, y
from scipy import sparse
from sklearn.metrics import f1_score
from sklearn.model_selection import cross_val_predict

from skfnn import FNNClassifier, FNNRegressor

# Multilabel y with numbers other than 0 and 1


@pytest.mark.parametrize(
    "encode", [lambda Y: 2 * Y - 1, lambda Y: Y + 1, lambda Y: 2 * Y, lambda Y: sparse.csr_array(2.0 * Y)]
)
def test_a_multilabel_y_must_hold_0_and_1(encode):
    wrong = encode(labels)
    clf = classifier().fit(X, labels)
    before = clf.coefs_[0].copy()
    calls = [
        lambda: clf.fit(X, wrong),
        lambda: clf.partial_fit(X, wrong),
        lambda: clf.resume(X, wrong),
        lambda: clf.fit(X, labels, X_val=X, y_val=wrong),
        lambda: clf.score(X, wrong),
    ]
    for call in calls:
        with pytest.raises(ValueError, match="multilabel y must hold 0 and 1, got"):
            call()
    np.testing.assert_array_equal(clf.coefs_[0], before)
    assert clf.score(X, labels.astype(bool)) == clf.score(X, labels.astype(float)) == clf.score(X, labels) > 0.8


# Sparse multilabel y, two rows, text


@pytest.mark.parametrize("container", [sparse.csr_matrix, sparse.csc_array, sparse.csr_array])
def test_predictions_are_sparse_if_the_multilabel_y_was(container):
    dense, clf = classifier().fit(X, labels), classifier().fit(X, container(labels))
    found = clf.predict(X)
    assert sparse.issparse(found)
    np.testing.assert_array_equal(found.toarray(), dense.predict(X))
    assert clf.score(X, container(labels)) == dense.score(X, labels)
    assert sparse.issparse(cross_val_predict(classifier(), X, sparse.csr_matrix(labels), cv=3))
    assert not sparse.issparse(clf.partial_fit(X, labels).predict(X))
    assert sparse.issparse(clf.partial_fit(X, container(labels)).predict(X))


def test_a_scorer_accepts_sparse_predictions():
    given = {"X_val": X, "y_val": sparse.csr_matrix(labels)}
    clf = classifier(scoring="f1_macro").fit(X, sparse.csr_matrix(labels), **given)
    assert clf.validation_scores_[-1] == pytest.approx(f1_score(labels, clf.predict(X).toarray(), average="macro"))


@kinds
def test_two_rows_are_too_few_to_hold_one_out(kind):
    with pytest.raises(ValueError, match="fewer than two training rows"):
        kind(early_stopping=True).fit(X[:2], [0, 1])
    with pytest.raises(ValueError, match="fewer than two training rows"):
        kind(validation_fraction=0.7).fit(X[:4], VALUES[kind][[0, 50, 0, 50]])


def check_that_all_calls_refuse(rows, kind, message):
    """Training, prediction and validation must raise an error with this message."""
    model = kind(**SETTINGS).fit(X, VALUES[kind])
    calls = [
        lambda: kind().fit(rows, VALUES[kind]),
        lambda: model.partial_fit(rows, VALUES[kind]),
        lambda: model.predict(rows),
        lambda: model.fit(X, VALUES[kind], X_val=rows, y_val=VALUES[kind]),
    ]
    for call in calls:
        with pytest.raises(ValueError, match=message):
            call()


def text_rows():
    pandas = pytest.importorskip("pandas")
    numbers = np.round(X, 3)
    text = numbers.astype(str)
    mixed = numbers.astype(object)
    mixed[-1, -1] = "1.5"
    frame = pandas.DataFrame(numbers, columns=list("abcd"))
    yield from (text, mixed, mixed.tolist(), text.tolist(), text.astype("S"))
    yield frame.astype(str)
    for kind in ("object", "category", "string"):
        yield frame.assign(b=pandas.Series(text[:, 1]).astype(kind))


@pytest.mark.filterwarnings("ignore:X has feature names")
@pytest.mark.parametrize("k", range(9))
@kinds
def test_text_in_x_is_refused(kind, k):
    check_that_all_calls_refuse(list(text_rows())[k], kind, "X holds text, and a network needs numbers")


def rows_with_dates():
    """Dates or durations in every form in which scikit-learn would make nanoseconds of them, or fail."""
    pandas = pytest.importorskip("pandas")
    dates = np.datetime64("2026-01-01", "us") + np.arange(len(X) * 4).reshape(-1, 4) * np.timedelta64(1, "D")
    durations = dates - dates[0, 0]
    column = pandas.Series(dates[:, 0])
    frame = pandas.DataFrame(X, columns=list("abcd"))
    yield from (dates, durations, dates.astype(object), dates.tolist(), pandas.DataFrame(dates))
    for other in (column, column - column[0], column.dt.tz_localize("UTC"), column.dt.to_period("D"), column.dt.date):
        yield frame.assign(b=other)
    yield frame.assign(b=column.astype("category"))


@pytest.mark.filterwarnings("ignore:X has feature names")
@pytest.mark.parametrize("k", range(11))
@kinds
def test_dates_in_x_are_refused(kind, k):
    check_that_all_calls_refuse(list(rows_with_dates())[k], kind, "X holds dates or times, and a network needs numbers")


def test_dates_of_polars_are_refused():
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame({"a": np.arange(len(X)), "d": np.arange(len(X)).astype("datetime64[us]")})
    for column in (polars.col("d"), polars.col("d").cast(polars.Date), polars.col("d").cast(polars.Time)):
        with pytest.raises(ValueError, match="X holds dates or times"):
            FNNClassifier().fit(frame.with_columns(column), y)


def test_numbers_in_object_arrays_and_categories_are_accepted():
    pandas = pytest.importorskip("pandas")
    numbers = np.round(X)
    expected = classifier().fit(numbers, y).predict_proba(numbers)
    frame = pandas.DataFrame(numbers).astype(int).astype("category")
    for rows in (numbers.astype(object), numbers.tolist(), frame.to_numpy()):
        np.testing.assert_array_equal(classifier().fit(rows, y).predict_proba(rows), expected)


# Objects and sets


def test_labels_of_dtype_object_get_a_clear_error():
    numbers = y.astype(object)
    clf = classifier().fit(X, y)
    for call in (
        lambda: clf.fit(X, numbers),
        lambda: clf.partial_fit(X, numbers),
        lambda: clf.fit(X, y, X_val=X, y_val=numbers),
    ):
        with pytest.raises(ValueError, match=r"dtype object .* pass y\.astype\(int\)"):
            call()
    words = np.array(["a", "b", "c"], dtype=object)[y]
    np.testing.assert_array_equal(np.unique(classifier().fit(X, words).predict(X)), ["a", "b", "c"])


@kinds
def test_missing_values_in_x_are_refused_with_two_ways_to_fill_them(kind):
    gaps = np.where(X > 1.0, np.nan, X)
    model = kind(**SETTINGS).fit(X, VALUES[kind])
    for call in (lambda: kind().fit(gaps, VALUES[kind]), lambda: model.predict(gaps)):
        with pytest.raises(ValueError, match=r"Input X contains NaN.* skfnn\.tabular.*SimpleImputer"):
            call()


@kinds
def test_missing_values_in_y_are_refused(kind):
    targets = VALUES[kind].astype(object)
    targets[3] = np.nan
    with pytest.raises(ValueError, match="y contains NaN. Leave out the rows"):
        kind().fit(X, targets)


def test_missing_and_mixed_labels_get_a_clear_error():
    cases = ((["a", None, "c"], "y contains None. Leave out"), (["a", 1, "c"], r"pass y\.astype\(str\)"))
    for names, message in cases:
        with pytest.raises(ValueError, match=message):
            classifier().fit(X, np.array(names, dtype=object)[y])


@pytest.mark.parametrize("dtype", [str, object])
def test_text_as_a_target_of_the_regressor_gets_a_clear_error(dtype):
    words = np.array(["a", "b", "c"], dtype=dtype)[y]
    with pytest.raises(
        ValueError, match=r"y must hold numbers.* y\.astype\(float\)\. For class labels, use FNNClassifier"
    ):
        FNNRegressor().fit(X, words)


@pytest.mark.parametrize("classes", [{0, 1, 2}, frozenset([0, 1, 2]), {0: "a", 1: "b", 2: "c"}])
def test_a_set_of_classes_gets_a_clear_error(classes):
    for clf in (classifier(), classifier().fit(X, y)):
        with pytest.raises(ValueError, match=r"classes must be a list or an array, got a \w+: pass sorted\(classes\)"):
            clf.partial_fit(X, y, classes=classes)
    with pytest.raises(ValueError, match="classes must be a list or an array of class labels"):
        classifier().partial_fit(X, y, classes=[[0, 1], [2, 3]])


# partial_fit on few rows


@kinds
def test_parameters_are_validated_again_after_every_change(kind):
    model = kind(**SETTINGS)
    classes = {"classes": [0, 1, 2]} if kind is FNNClassifier else {}
    rows, values = X[:8], VALUES[kind][:8]
    model.partial_fit(rows, values, **classes)
    model.partial_fit(rows, values)
    model.set_params(momentum=2.0)
    with pytest.raises(ValueError, match="momentum"):
        model.partial_fit(rows, values)
    model.momentum = 0.5
    model.partial_fit(rows, values)
    model.activation = ["relu"]
    model.partial_fit(rows, values)
    model.activation[0] = "no such function"  # in place
    with pytest.raises(ValueError, match="activation"):
        model.partial_fit(rows, values)


def test_the_parameters_of_an_unchanged_estimator_are_validated_once(monkeypatch):
    validated = []
    original = FNNClassifier._validate_params
    monkeypatch.setattr(FNNClassifier, "_validate_params", lambda self: validated.append(original(self)))
    clf = classifier()
    for _ in range(4):
        clf.partial_fit(X[:8], y[:8], classes=[0, 1, 2])
    assert len(validated) == 1


@kinds
@pytest.mark.parametrize("bad", ["NaN in X", "NaN in y", "a column less", "rows of y", "one dimension"])
def test_the_fast_path_for_small_batches_refuses_bad_rows(kind, bad):
    model = kind(**SETTINGS).fit(X, VALUES[kind])
    rows, values = X[:8].copy(), VALUES[kind][:8].astype(float)
    if bad == "NaN in X":
        rows[3, 1] = np.nan
    elif bad == "NaN in y":
        values[3] = np.nan
    rows = {"a column less": rows[:, 1:], "one dimension": rows[0]}.get(bad, rows)
    values = values[:7] if bad == "rows of y" else values
    with pytest.raises(ValueError):
        model.partial_fit(rows, values)
