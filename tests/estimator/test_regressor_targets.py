"""Which rows and targets FNNRegressor accepts, and what it says about the others."""

import numpy as np
import pytest
from regressors import COUNTS, X_train, X_val, estimator, losses, outputs, split, y_train, y_val
from scipy import sparse
from sklearn.exceptions import DataConversionWarning, NotFittedError
from sklearn.neural_network import MLPRegressor

from skfnn import FNNRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


# The form of X and y


@pytest.mark.parametrize("container", [sparse.csr_matrix, sparse.csc_matrix, sparse.csr_array])
@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
@losses
def test_sparse_x_gives_the_same_results_as_dense_x(loss, solver, container, assert_parameters):
    X, y, rows, targets = split(loss, 3)
    params = {"loss": loss, "solver": solver}
    dense = estimator(**params).fit(X, y, X_val=rows, y_val=targets)
    other = estimator(**params).fit(container(X), y, X_val=container(rows), y_val=targets)
    # Sparse products are summed in another order.
    assert_parameters(other, dense.coefs_, dense.intercepts_, atol=1e-10)
    np.testing.assert_allclose(other.validation_scores_, dense.validation_scores_, rtol=0, atol=1e-10)
    np.testing.assert_allclose(other.predict(container(rows)), dense.predict(rows), rtol=0, atol=1e-10)


@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
@losses
def test_float32_and_float64_give_the_same_predictions(loss, solver):
    X, y, rows, targets = split(loss, 3)
    single, double = (
        estimator(loss=loss, solver=solver, dtype=dtype).fit(X, y, X_val=rows, y_val=targets)
        for dtype in ("float32", "float64")
    )
    # 36 steps with an error of 1e-7 each, which the line search of L-BFGS magnifies.
    np.testing.assert_allclose(single.predict(rows), double.predict(rows), rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(single.validation_scores_, double.validation_scores_, rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize(
    ("source", "dtype", "expected"),
    [
        ("float64", "auto", "float64"),
        ("float32", "auto", "float32"),
        ("uint8", "auto", "float32"),
        ("int64", "auto", "float64"),
        ("float64", "float32", "float32"),
        ("float32", "float64", "float64"),
    ],
)
@outputs
@losses
def test_predictions_have_the_dtype_of_the_model(loss, n_outputs, source, dtype, expected):
    X, y, rows, _ = split(loss, n_outputs)
    reg = estimator(loss=loss, dtype=dtype).fit(np.abs(X).astype(source), y)
    assert {p.dtype for p in reg.coefs_ + reg.intercepts_} == {np.dtype(expected)}
    for given in (rows, rows.astype(np.float32), sparse.csr_matrix(rows)):
        assert reg.predict(given).dtype == expected


@pytest.mark.parametrize("form", [np.ndarray.tolist, np.asfortranarray, lambda y: y.astype(object), "pandas"])
@outputs
def test_the_form_of_the_targets_makes_no_difference(n_outputs, form, assert_identical):
    X, y, rows, targets = split("squared_error", n_outputs)
    if form == "pandas":
        pd = pytest.importorskip("pandas")
        form = pd.Series if n_outputs == 1 else pd.DataFrame
    expected = estimator().fit(X, y, X_val=rows, y_val=targets)
    found = estimator().fit(X, form(y), X_val=rows, y_val=form(targets))
    assert_identical(found, expected)
    # The means are computed in another memory order.
    np.testing.assert_allclose(found.validation_scores_, expected.validation_scores_, rtol=1e-12)
    assert isinstance(found.predict(rows), np.ndarray)


@pytest.mark.parametrize("dtype", ["int64", "uint8", "bool", "float32", "float16"])
@losses
def test_the_number_type_of_the_targets_does_not_matter(loss, dtype, assert_identical):
    X, _, rows, _ = split(loss, 1)
    y = np.arange(60) % 2
    expected = estimator(loss=loss, validation_fraction=0.2).fit(X, y.astype(float))
    found = estimator(loss=loss, validation_fraction=0.2).fit(X, y.astype(dtype))
    assert_identical(found, expected)
    np.testing.assert_allclose(found.validation_scores_, expected.validation_scores_, rtol=1e-6)  # float16 means
    assert found.predict(rows).dtype == np.float64


def test_a_column_of_targets_causes_the_warning_of_mlpregressor(assert_identical):
    X, y, rows, _ = split("squared_error", 1)
    expected = estimator().fit(X, y)
    for cls in (MLPRegressor, FNNRegressor):
        with pytest.warns(DataConversionWarning, match="column-vector y"):
            fitted = cls(**({} if cls is MLPRegressor else estimator().get_params())).fit(X, y[:, None])
        assert fitted.predict(rows).shape == (20,)
    assert_identical(fitted, expected)


@pytest.mark.filterwarnings("error::UserWarning")
def test_a_single_output_has_one_dimension_and_several_have_two():
    X, y, rows, _ = split("squared_error", 3)
    assert estimator().fit(X, y).predict(rows).shape == (20, 3)
    assert estimator().fit(X, y[:, 0]).predict(rows).shape == (20,)
    assert estimator().fit(X, y[:, 0]).predict(rows[:1]).shape == (1,)


# Bad input

NAN, INF = (np.where(np.arange(60) == 3, value, 1.0) for value in (np.nan, np.inf))
BAD_TARGETS = {
    "text": (["a"] * 60, "numbers"),
    "NaN": (NAN, "NaN"),
    "infinity": (INF, "infinity"),
    "NaN in one output": (np.column_stack([NAN, np.ones(60)]), "NaN"),
    "complex numbers": (np.ones(60) + 1j, "[Cc]omplex"),
    "another number of rows": (np.ones(59), "inconsistent"),
    "three dimensions": (np.ones((60, 2, 2)), "dim"),
    "no outputs": (np.ones((60, 0)), "0 feature"),
    "none": (None, "requires y"),
}


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize("case", BAD_TARGETS)
@losses
def test_bad_targets_are_refused_and_leave_the_estimator_as_it_was(loss, case, method):
    targets, message = BAD_TARGETS[case]
    reg = estimator(loss=loss)
    with pytest.raises(ValueError, match=message):
        getattr(reg, method)(X_train, targets)
    assert vars(reg) == vars(estimator(loss=loss))
    reg.fit(X_train, np.abs(y_train[:, 0]))
    before = reg.predict(X_val)
    with pytest.raises(ValueError, match=message):
        getattr(reg, method)(X_train, targets)
    np.testing.assert_array_equal(reg.predict(X_val), before)


def test_poisson_refuses_negative_targets():
    counts = COUNTS[:60].copy()
    counts[5, 1] = -1e-9
    with pytest.raises(ValueError, match="loss='poisson'.*>= 0.*negative"):
        estimator(loss="poisson").fit(X_train, counts)
    with pytest.raises(ValueError, match=r"validation set.*negative"):
        estimator(loss="poisson").fit(X_train, COUNTS[:60], X_val=X_train[:9], y_val=counts[:9])
    assert estimator().fit(X_train, counts).n_outputs_ == 3


@pytest.mark.parametrize(
    ("targets", "message"),
    [(y_val[:, :2], "y_val has 2 outputs, but y has 3"), (NAN[:20], "NaN"), (["a"] * 20, "numbers")],
    ids=["outputs", "NaN", "text"],
)
def test_bad_validation_targets_are_refused(targets, message):
    reg = estimator()
    with pytest.raises(ValueError, match=f"validation set.*{message}"):
        reg.fit(X_train, y_train, X_val=X_val, y_val=targets)
    assert not hasattr(reg, "coefs_")


@pytest.mark.parametrize(
    ("params", "name"),
    [
        ({"loss": "log_loss"}, "loss"),
        ({"loss": None}, "loss"),
        ({"scoring": "no such score"}, "scoring"),
        ({"dropout": 1.0}, "dropout"),
        ({"max_grad_norm": 0.0}, "max_grad_norm"),
        ({"weight_decay": -1.0}, "weight_decay"),
        ({"solver": "lbfgs", "dropout": 0.2}, "dropout"),
        ({"batch_size": 0}, "batch_size"),
    ],
    ids=str,
)
def test_a_bad_parameter_is_named(params, name):
    with pytest.raises(ValueError, match=name):
        estimator(**params).fit(X_train, y_train)


def test_prediction_before_fit_says_that_the_estimator_is_not_fitted():
    with pytest.raises(NotFittedError):
        FNNRegressor().predict(X_val)
    with pytest.raises(NotFittedError):
        FNNRegressor().score(X_val, y_val)


@pytest.mark.parametrize("params", [{"learning_rate_init": 50.0}, {"solver": "sgd", "loss": "poisson"}], ids=str)
def test_training_that_diverges_says_so_and_leaves_the_estimator_unfitted(params):
    reg = estimator(**({"activation": "identity", "learning_rate_init": 50.0, "max_iter": 100} | params))
    with pytest.raises(ValueError, match="Training diverged"):
        reg.fit(X_train, 10 * COUNTS[:60])
    assert not hasattr(reg, "coefs_")


@pytest.mark.parametrize(
    "y",
    [
        np.arange(60).astype("M8[D]"),
        np.arange(60).astype("m8[D]"),
        np.arange(60).astype(str),
        np.array([None] * 60),
        np.array([*range(59), np.inf], dtype=object),
        np.array(["a"] * 60, dtype=object),
        sparse.csr_matrix(np.ones((60, 2))),
    ],
    ids=["dates", "durations", "digits", "None", "infinite", "words", "sparse"],
)
def test_targets_that_are_not_finite_numbers_are_refused(y):
    with pytest.raises(ValueError, match="y "):
        FNNRegressor(max_iter=1).fit(np.random.default_rng(0).normal(size=(60, 4)), y)
