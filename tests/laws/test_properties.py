"""A fit depends only on the numbers that it gets, not on their form or on earlier calls, and does not change them."""

import copy
from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

pytest.importorskip("hypothesis")

from hypothesis import given
from hypothesis import strategies as st
from strategies import (
    ANY_COORDINATES,
    CLASSIFICATION,
    DENSE,
    KINDS,
    WITH_EPOCHS,
    assert_close,
    assert_same_bits,
    numbers_of,
    problems,
    read_only,
    rounding,
    seeds,
    settings,
    sparse_forms,
)

from skfnn import FNNClassifier

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

dense_forms = st.sampled_from(sorted(DENSE))
DTYPES = ("float64", "float32")
# All these types hold small whole numbers exactly. They decide whether "auto" computes in float32 or float64.
NUMBER_TYPES = ["f8", "f4", "f2", "?", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8"]


def dropout(data, problem, params):
    """A dropout probability; 0 for Poisson, because inputs doubled in every layer are too large for its exponential."""
    without = params.get("solver") == "lbfgs" or problem.kind == "poisson"
    return 0.0 if without else data.draw(st.sampled_from([0.0, 0.5]))


def responses(model, X):
    """The results of all prediction methods."""
    names = ("predict", "predict_proba", "predict_log_proba", "decision_function")
    return {name: getattr(model, name)(X) for name in names if hasattr(model, name)}


def assert_same_responses(a, b):
    assert a.keys() == b.keys()
    for name in a:
        np.testing.assert_array_equal(a[name], b[name])


# The same seed gives the same results


@given(st.data())
def test_the_same_seed_gives_the_same_model_bit_for_bit(data):
    problem = data.draw(problems())
    params = data.draw(settings(problem, dtypes=DTYPES, standardize=ANY_COORDINATES))
    params["dropout"] = dropout(data, problem, params)
    np.random.seed(data.draw(seeds))  # noqa: NPY002 - the global stream must not matter
    first = problem.fit(**params)
    np.random.random(3)  # noqa: NPY002
    second = problem.fit(**params)
    assert_same_bits(first, second)
    assert_same_responses(responses(first, problem.X), responses(second, problem.X))


@given(st.data())
def test_another_seed_gives_another_model(data):
    # Without randomness, the law above would hold trivially.
    problem = data.draw(problems())
    params = data.draw(settings(problem, standardize=ANY_COORDINATES)) | {
        "hidden_layer_sizes": (3,),
        "activation": "tanh",
    }
    first, second = (problem.fit(**(params | {"random_state": seed})) for seed in (0, 1))
    assert (first.coefs_[0] != second.coefs_[0]).any()


@given(st.data())
def test_epochs_of_partial_fit_equal_those_of_fit_bit_for_bit(data):
    problem = data.draw(problems())
    params = data.draw(settings(problem, solvers=WITH_EPOCHS, dtypes=DTYPES, standardize=ANY_COORDINATES))
    params["dropout"] = dropout(data, problem, params)
    whole, parts = problem.fit(**params), problem.estimator(**params)
    classes = {"classes": np.unique(problem.y)} if problem.kind in ("binary", "multiclass") else {}
    for _ in range(params["max_iter"]):
        parts.partial_fit(problem.X, problem.y, problem.weights, **classes)
    assert_same_bits(whole, parts)


# Independent of the memory layout


@given(st.data())
def test_the_form_of_dense_rows_targets_and_weights_changes_no_bit(data):
    # Training gathers the rows of a block into one buffer, whose memory order does not depend on that of the rows.
    problem = data.draw(problems())
    params = data.draw(settings(problem, dtypes=DTYPES, standardize=ANY_COORDINATES))
    form = DENSE[data.draw(dense_forms)]
    plain, X = problem.fit(**params), form(problem.X)
    targets = DENSE[data.draw(st.sampled_from(["C order", "Fortran order", "strided", "reversed", "read-only"]))]
    weights = problem.weights if problem.weights is None else DENSE[data.draw(dense_forms)](problem.weights)
    other = problem.estimator(**params).fit(X, targets(problem.y), weights)
    assert_same_bits(plain, other)
    assert_same_responses(responses(plain, problem.X), responses(other, X))


@given(st.data())
def test_the_type_of_whole_numbers_changes_no_bit(data):
    problem = data.draw(
        problems([kind for kind in KINDS if kind != "poisson"])
    )  # exponentials of numbers up to 10, multiplied by weights
    params = data.draw(settings(problem, standardize=ANY_COORDINATES)) | {
        "dtype": data.draw(st.sampled_from([*DTYPES, "auto"]))
    }
    dtype = data.draw(st.sampled_from(NUMBER_TYPES))
    X = np.abs(problem.X * 3).astype("u1").astype(dtype)
    form = DENSE[data.draw(dense_forms.filter(lambda name: name not in ("nested lists", "objects", "byte-swapped")))]
    sparsely = data.draw(st.booleans()) and dtype != "f2"  # SciPy has no sparse half precision
    precision = np.result_type(X.dtype, np.float32)
    plain = problem.fit(sparse.csr_matrix(X.astype(precision)) if sparsely else X.astype(precision), **params)
    other = problem.fit(sparse.csr_matrix(X) if sparsely else form(X), **params)
    assert_same_bits(plain, other)
    assert other.coefs_[0].dtype == (precision if params["dtype"] == "auto" else params["dtype"])


# Sparse equals dense


@given(st.data())
def test_sparse_rows_of_any_form_equal_dense_rows_up_to_rounding(data):
    # The results are equal up to rounding: a product with a sparse row adds the same terms in the order of its entries.
    problem = data.draw(problems())
    params = data.draw(settings(problem))
    form = data.draw(sparse_forms())
    start = problem.initial_values(params["hidden_layer_sizes"])
    dense, thin = (problem.fit(X, start, **params) for X in (problem.X, form(problem.X)))
    assert_close(dense, thin, rounding(dense))
    for name, found in responses(thin, form(problem.X)).items():
        if name == "predict" and problem.kind in CLASSIFICATION:
            np.testing.assert_array_equal(found, thin.predict(problem.X))
        else:
            np.testing.assert_allclose(found, getattr(thin, name)(problem.X), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("nesterov", [False, True])
def test_without_a_hidden_layer_momentum_trains_sparse_rows_like_dense_ones(nesterov):
    # The only layer takes its own steps, and there are no steps of other layers.
    X, y = np.eye(40), np.arange(40) % 2
    params = {"hidden_layer_sizes": (), "momentum": 0.9, "nesterovs_momentum": nesterov, "batch_size": 2, "max_iter": 3}
    dense, thin = (FNNClassifier(random_state=0, **params).fit(rows, y) for rows in (X, sparse.csr_matrix(X)))
    assert_close(dense, thin, rounding(dense))


@given(st.data())
def test_the_type_of_sparse_indices_changes_no_bit(data):
    problem = data.draw(problems())
    params = data.draw(settings(problem, dtypes=DTYPES, standardize=ANY_COORDINATES))
    thin = data.draw(sparse_forms())(problem.X)
    wide, narrow = thin.copy(), thin.copy()
    for matrix, index in ((wide, np.int64), (narrow, np.int32)):
        matrix.indices, matrix.indptr = thin.indices.astype(index), thin.indptr.astype(index)
    assert_same_bits(problem.fit(wide, **params), problem.fit(narrow, **params))


@given(st.data())
def test_targets_of_several_labels_may_be_sparse(data):
    problem = data.draw(problems(["multilabel"]))
    params = data.draw(settings(problem, standardize=ANY_COORDINATES))
    container = data.draw(st.sampled_from([sparse.csr_matrix, sparse.csr_array, sparse.csc_matrix, sparse.csc_array]))
    thin = container(problem.y.astype(data.draw(st.sampled_from(["i1", "i8", "f4", "f8", "?"]))))
    assert_same_bits(problem.fit(**params), replace(problem, y=thin).fit(**params))


# No argument is modified


def contents(given):
    """The bytes of all arrays in nested containers, including the order of sparse entries."""
    if isinstance(given, dict):
        return {name: contents(value) for name, value in given.items()}
    if isinstance(given, list | tuple):
        return [contents(value) for value in given]
    if sparse.issparse(given):
        return [contents(part) for part in (given.data, given.indices, given.indptr)]
    if isinstance(given, np.ndarray):
        return given.dtype.str, given.shape, given.strides, given.tobytes()
    return copy.deepcopy(given)


@pytest.mark.filterwarnings("ignore:R.2 score is not well-defined with less than two samples")
@given(st.data())
def test_no_argument_is_modified(data):
    problem = data.draw(problems())
    params = data.draw(settings(problem, dtypes=DTYPES, standardize=ANY_COORDINATES))
    params["early_stopping"] = data.draw(st.booleans())
    if problem.kind in ("binary", "multiclass") and data.draw(st.booleans()):
        params["class_weight"] = {label: 2.0 for label in np.unique(problem.y).tolist()}
    # Writing into a frozen array is an error. The test inspects writable arrays afterwards.
    freeze = data.draw(st.booleans())
    form = data.draw(st.one_of(sparse_forms(), st.sampled_from([np.array, np.asfortranarray])))
    dtype = data.draw(st.sampled_from(["f8", "f4"]))
    X, X_val = form(problem.X).astype(dtype), form(problem.X[::-1]).astype(dtype)
    y, y_val = problem.y.copy(), problem.y.copy()
    weights = np.ones(len(problem.X)) if problem.weights is None else problem.weights.copy()
    coefs, intercepts = problem.initial_values(params["hidden_layer_sizes"])
    everything = X, X_val, y, y_val, weights, coefs, intercepts, params
    if freeze:
        for array in [y, y_val, weights, *coefs, *intercepts]:
            array.flags.writeable = False
        for matrix in (X, X_val):
            for part in (matrix.data, matrix.indices, matrix.indptr) if sparse.issparse(matrix) else [matrix]:
                part.flags.writeable = False
    before = contents(everything)
    model = problem.estimator(**params)
    validation = {"X_val": X_val, "y_val": y_val, "sample_weight_val": weights}
    model.fit(X, y, weights, **validation, coefs_init=coefs, intercepts_init=intercepts)
    if model.solver != "lbfgs":
        model.partial_fit(X, y, weights, **validation)
    responses(model, X)
    model.score(X_val, y_val, weights)
    assert contents(everything) == before
    assert contents(model.get_params()) == contents(problem.estimator(**params).get_params())


@given(st.data())
def test_changing_the_arrays_after_a_fit_does_not_change_the_model(data):
    problem = data.draw(problems())
    params = data.draw(settings(problem, dtypes=DTYPES, standardize=ANY_COORDINATES))
    X, y = problem.X.astype(params["dtype"]), problem.y.copy()
    coefs, intercepts = problem.initial_values(params["hidden_layer_sizes"])
    coefs, intercepts = ([a.astype(params["dtype"]) for a in arrays] for arrays in (coefs, intercepts))
    model = problem.estimator(**params).fit(X, y, coefs_init=coefs, intercepts_init=intercepts)
    before, said = copy.deepcopy(numbers_of(model)), responses(model, read_only(problem.X))
    X[:], y[:] = 7, y[0]
    for array in coefs + intercepts:
        array[...] = 0.0
    for name, values in numbers_of(model).items():
        np.testing.assert_array_equal(values, before[name], err_msg=name)
    assert_same_responses(responses(model, problem.X), said)
