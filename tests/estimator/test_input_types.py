"""Types and forms of X: precision, arrays, sparse matrices and frames."""

import copy

import numpy as np
import pytest
from scipy import sparse
from short_runs import estimator
from small_tables import X_iris, y_iris

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


# Types


DTYPES = {
    "float32": ["uint8", "int8", "uint16", "int16", "float16", "float32", "bool"],
    "float64": ["uint32", "int32", "uint64", "int64", "float64"],
}


@pytest.mark.parametrize(("source", "expected"), [(s, e) for e, sources in DTYPES.items() for s in sources])
@pytest.mark.parametrize("solver", ["sgd", "lbfgs"])
def test_short_types_compute_in_float32_and_long_ones_in_float64(solver, source, expected):
    X = (np.abs(X_iris) * 3).astype(source)
    clf = estimator(solver=solver).fit(X, y_iris)
    assert {part.dtype for part in clf.coefs_ + clf.intercepts_} == {np.dtype(expected)}
    for result in (clf.predict_proba(X), clf.decision_function(X), clf.predict_log_proba(X)):
        assert result.dtype == expected
    # The rows in `fit` decide. Predictions accept rows of any type.
    assert clf.predict_proba(X.astype(np.float64)).dtype == expected


@pytest.mark.parametrize("source", ["uint8", "float32", "float64", "int64"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dtype_fixes_the_precision(dtype, source):
    X = (np.abs(X_iris) * 3).astype(source)
    for standardize in ("auto", False):
        settings = {"dtype": dtype, "solver": "adam", "standardize": standardize}
        clf = estimator(**settings).fit(X, y_iris)
        assert {part.dtype for part in clf.coefs_ + clf.intercepts_} == {np.dtype(dtype)}
        same = estimator(**settings).fit(X.astype(dtype), y_iris)
        # Rows of long types are shifted before they are cast, which saves one rounding.
        atol = 1e-6 if standardize and (dtype, X.dtype.itemsize) == ("float32", 8) else 0
        np.testing.assert_allclose(clf.predict_proba(X), same.predict_proba(X), rtol=0, atol=atol)


def test_partial_fit_keeps_the_precision_of_the_first_call():
    clf = estimator().partial_fit(X_iris.astype(np.float32), y_iris, classes=[0, 1, 2])
    clf.partial_fit(X_iris, y_iris)
    assert clf.coefs_[0].dtype == np.float32


def read_only(X):
    X = X.copy()
    X.flags.writeable = False
    return X


def memory_map(X, folder):
    np.save(folder / "X.npy", X)
    return np.load(folder / "X.npy", mmap_mode="r")


FORMS = {
    "Fortran-ordered": np.asfortranarray,
    "read-only": read_only,
    "every second of many": lambda X: np.repeat(np.repeat(X, 2, axis=0), 2, axis=1)[::2, ::2],
    "reversed": lambda X: X[::-1, ::-1].copy()[::-1, ::-1],
    "list": lambda X: X.tolist(),
    "byte-swapped": lambda X: X.astype(X.dtype.newbyteorder()),
    "object": lambda X: X.astype(object),
}


def in_form(form, X, folder):
    """X as another kind of array-like. A memory map uses `folder`."""
    return memory_map(X, folder) if form == "memory map" else FORMS[form](X)


SPARSE = [sparse.csr_matrix, sparse.csc_matrix, sparse.csr_array, sparse.csc_array, sparse.coo_matrix]


@pytest.mark.parametrize("params", [{}, {"batch_size": 3, "momentum": 0.9}, {"solver": "lbfgs"}], ids=str)
@pytest.mark.parametrize("form", [*FORMS, "memory map"])
def test_the_form_of_a_dense_x_makes_no_difference(form, params, tmp_path, assert_identical):
    plain = estimator(**params).fit(X_iris, y_iris)
    given = in_form(form, X_iris, tmp_path)
    other = estimator(**params).fit(given, y_iris)
    assert_identical(plain, other)
    np.testing.assert_array_equal(other.predict_proba(given), plain.predict_proba(X_iris))


@pytest.mark.parametrize("params", [{}, {"batch_size": 3, "momentum": 0.9}, {"solver": "adam"}], ids=str)
@pytest.mark.parametrize("form", ["Fortran-ordered", "read-only", "memory map", "every second of many"])
def test_the_form_of_bytes_makes_no_difference(form, params, tmp_path, assert_identical):
    X = (np.abs(X_iris) * 3).astype(np.uint8)
    plain = estimator(**params).fit(X.astype(np.float32), y_iris)
    assert_identical(plain, estimator(**params).fit(in_form(form, X, tmp_path), y_iris))


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
@pytest.mark.parametrize("container", SPARSE)
def test_sparse_x_gives_the_same_results_as_dense_x(container, dtype):
    X = (np.maximum(X_iris, 0) * 3).astype(dtype)
    for params in ({}, {"batch_size": 3, "momentum": 0.9}, {"solver": "adam"}):
        # Sparse features are never shifted.
        dense = estimator(standardize=False, **params).fit(X, y_iris)
        other = estimator(standardize=False, **params).fit(container(X), y_iris)
        # For five epochs, sums are computed in another order.
        atol = 1e-12 if dense.coefs_[0].dtype == np.float64 else 1e-4
        for p, q in zip(dense.coefs_, other.coefs_, strict=True):
            assert p.dtype == q.dtype
            np.testing.assert_allclose(q, p, rtol=0, atol=atol)
        np.testing.assert_allclose(dense.predict_proba(container(X)), dense.predict_proba(X), atol=atol)


@pytest.mark.parametrize("container", [np.array, np.asfortranarray, *SPARSE[:3]])
@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
def test_inputs_are_not_modified(dtype, container):
    X = container((np.maximum(X_iris, 0) * 3).astype(dtype))
    y, weights, X_val = y_iris.copy(), np.arange(150.0), container(np.maximum(X_iris, 0))
    given = X, y, weights, X_val
    before = copy.deepcopy(given)
    clf = estimator(alpha=1.0, validation_fraction=0.2).fit(X, y, weights)
    clf.fit(X, y, weights, X_val=X_val, y_val=y, sample_weight_val=weights).partial_fit(X, y, weights)
    for method in (clf.predict, clf.predict_proba, clf.predict_log_proba, clf.decision_function):
        method(X)
    clf.score(X, y, weights)
    for now, then in zip(given, before, strict=True):
        if sparse.issparse(now):
            for part in ("data", "indices", "indptr"):
                np.testing.assert_array_equal(getattr(now, part), getattr(then, part))
        else:
            np.testing.assert_array_equal(now, then)


# Frames


def frame_of(library, X, names):
    frames = pytest.importorskip(library)
    return frames.DataFrame(X, columns=names) if library == "pandas" else frames.DataFrame(X, schema=names)


@pytest.mark.filterwarnings("error:.*feature names")
@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_a_data_frame_equals_its_values_with_names(library, assert_identical):
    names = ["sepal length", "sepal width", "petal length", "petal width"]
    frame = frame_of(library, X_iris, names)
    clf = estimator().fit(frame, y_iris)
    np.testing.assert_array_equal(clf.feature_names_in_, names)
    assert clf.n_features_in_ == 4
    assert_identical(clf, estimator().fit(X_iris, y_iris))
    np.testing.assert_array_equal(clf.predict(frame), clf.predict_proba(frame).argmax(axis=1))
    clf.partial_fit(frame, y_iris)
    with pytest.raises(ValueError, match="feature names"):
        clf.predict(frame[names[::-1]])
    with pytest.raises(ValueError, match="feature names"):
        clf.partial_fit(frame[names[::-1]], y_iris)


def test_an_array_after_a_data_frame_causes_a_warning():
    clf = estimator().fit(frame_of("pandas", X_iris, list("abcd")), y_iris)
    with pytest.warns(UserWarning, match="feature names"):
        clf.predict(X_iris)


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_labels_may_come_in_a_series(library, assert_identical):
    frames = pytest.importorskip(library)
    clf = estimator().fit(X_iris, frames.Series(y_iris))
    assert_identical(clf, estimator().fit(X_iris, y_iris))


def test_a_data_frame_of_mixed_types_uses_their_common_type():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"a": X_iris[:, 0].astype("f4"), "b": np.arange(150) % 3, "c": X_iris[:, 1] > 0})
    clf = estimator().fit(frame, y_iris)
    assert clf.coefs_[0].dtype == np.float64
    np.testing.assert_array_equal(clf.predict_proba(frame), clf.predict_proba(frame.copy()))
    # Categories of a pandas column are ordinary labels.
    flowers = pd.Series(np.array(["a", "b", "c"])[y_iris], dtype="category")
    assert set(estimator().fit(frame, flowers).predict(frame)) <= {"a", "b", "c"}
