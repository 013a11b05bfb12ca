"""Numbers at the ends of their range give exact results or an error that says why, without warnings from NumPy."""

import re

import numpy as np
import pytest
from extremes import OVERFLOW, SOLVERS, STRICT, T, X, containers, estimator, estimators, rng, solvers, y
from problems import initial_values
from reference import train
from tuned import FNNClassifier, FNNRegressor

from skfnn.inspection import hidden_activations

pytestmark = STRICT


# Features


@containers
@pytest.mark.parametrize("value", [0.0, 1.0, 5.0, -1e-300])
def test_from_constant_features_a_network_learns_the_frequencies_or_the_mean(value, container):
    rows, labels = np.full((10, 2), value), np.array([0, 0, 0, 0, 0, 0, 1, 1, 1, 2])
    params = {"activation": "tanh", "solver": "lbfgs", "max_iter": 200, "tol": 1e-10, "dtype": "float64"}
    clf = estimator(**params).fit(container(rows), labels)
    # The loss is flat near its minimum. L-BFGS stops when a step reduces it by less than 2e-9 of its value.
    np.testing.assert_allclose(clf.predict_proba(container(rows[:1])), [[0.6, 0.3, 0.1]], atol=1e-4)
    reg = estimator(FNNRegressor, **params).fit(container(rows), labels)
    np.testing.assert_allclose(reg.predict(container(rows)), 0.5, atol=1e-4)


@containers
@pytest.mark.parametrize("batch_size", [1, 7, "full"])
@pytest.mark.parametrize("solver", ["plain", "momentum", "adam"])
def test_with_a_constant_feature_training_equals_the_loop(solver, batch_size, container, assert_parameters):
    rows = np.column_stack([X[:, :2], np.full(30, 3.0)])
    check_against_the_loop(rows, container, "relu", solver, batch_size, assert_parameters)


@containers
@pytest.mark.parametrize("size", [1e-300, 1e-320])
@pytest.mark.parametrize("activation", ["tanh", "relu", "gelu", "softplus"])
@pytest.mark.parametrize("solver", ["plain", "momentum", "adam"])
def test_with_features_of_the_smallest_size_training_equals_the_loop(
    solver, activation, size, container, assert_parameters
):
    check_against_the_loop(X * size, container, activation, solver, 7, assert_parameters)


def check_against_the_loop(rows, container, activation, solver, batch_size, assert_parameters):
    start = initial_values((rows.shape[1], 5, 3), seed=1)
    params = {"solver": "sgd", "momentum": 0.0} | SOLVERS[solver]
    clf = estimator(activation=activation, batch_size=batch_size, shuffle=False, dtype="float64", **params)
    clf.set_params(learning_rate_init=0.01)
    clf.fit(container(rows), y, coefs_init=start[0], intercepts_init=start[1])
    settings = {"kind": "multiclass", "batch_size": batch_size, "n_epochs": 3, "eta": 0.01}
    coefs, intercepts, losses, _ = train(rows, T, *start, activation=activation, **settings, **params)
    # About ninety steps with numbers of size 1.
    assert_parameters(clf, coefs, intercepts, atol=1e-10)
    np.testing.assert_allclose(clf.loss_curve_, losses, rtol=1e-12)


@containers
@solvers
@estimators
def test_features_of_the_smallest_size_train_and_predict_in_both_precisions(kind, solver, container):
    # In float32 these features are zeros, so the model equals that for zeros bit for bit.
    tiny = container(X * 1e-300)
    small, zeros = (estimator(kind, dtype="float32", **SOLVERS[solver]).fit(rows, y) for rows in (tiny, tiny * 0.0))
    for p, q in zip(small.coefs_ + small.intercepts_, zeros.coefs_ + zeros.intercepts_, strict=True):
        np.testing.assert_array_equal(p, q)
    np.testing.assert_array_equal(small.predict(tiny), zeros.predict(tiny))
    model = estimator(kind, dtype="float64", **SOLVERS[solver]).fit(tiny, y)
    assert np.isfinite(model.loss_curve_).all()
    assert np.isfinite(model.predict(tiny)).all()


@pytest.mark.parametrize("size", [1e300, 1.7e308])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@containers
@solvers
@estimators
def test_training_on_features_of_the_largest_size_is_an_error_that_says_what_to_do(
    kind, solver, container, dtype, size
):
    # With Adam, the mean square of the gradient overflows, so the steps are 0 and the loss stays far too large.
    model = estimator(kind, dtype=dtype, **SOLVERS[solver])
    with pytest.raises(ValueError, match=OVERFLOW):
        model.fit(container(X * size), y)
    assert not hasattr(model, "coefs_")


@containers
@solvers
@estimators
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("size", [1e-300, 1e-30, 1e30, 1e300])
def test_standardised_features_of_any_size_train_like_those_of_size_one(size, dtype, kind, solver, container):
    factor = 2.0 ** np.round(np.log2(size))  # multiplying by a power of 2 causes no rounding
    settings = {"standardize": True, "dtype": dtype, "activation": "tanh", **SOLVERS[solver]}
    plain = estimator(kind, **settings).fit(container(X), y)
    scaled = estimator(kind, **settings).fit(container(X * factor), y)
    # A few steps. If a scale is within the range of float32, float32 training rounds in another order.
    rtol = 1e-4 if dtype == "float32" else 1e-9
    np.testing.assert_allclose(scaled.loss_curve_, plain.loss_curve_, rtol=rtol)
    automatic = estimator(kind, **(settings | {"standardize": "auto"})).fit(container(X * factor), y)
    np.testing.assert_array_equal(automatic.loss_curve_, scaled.loss_curve_)
    response = "predict" if kind is FNNRegressor else "predict_proba"
    found, expected = getattr(scaled, response)(container(X * factor)), getattr(plain, response)(container(X))
    np.testing.assert_allclose(found, expected, rtol=10 * rtol, atol=10 * rtol)


@pytest.mark.parametrize("others", [1.0, 1e200])
def test_the_error_names_the_largest_feature_and_its_size(others, request):
    request.applymarker(pytest.mark.xfail(reason="squares of such features overflow"))
    rows = X * [others, 1e300, 1.0]
    size = re.escape(f"{1e300 * np.sqrt(np.mean(X[:, 1] ** 2)):.3g}")
    with pytest.raises(ValueError, match=f"feature 1, with a root mean square of {size}"):
        estimator(solver="lbfgs").fit(rows, y)


@containers
@pytest.mark.parametrize("method", ["predict", "predict_proba", "predict_log_proba", "decision_function"])
@pytest.mark.parametrize("kind", ["binary", "multiclass", "multilabel"])
def test_every_prediction_refuses_rows_whose_outputs_overflow(kind, method, container):
    labels = {"binary": y > 0, "multiclass": y, "multilabel": T.astype(int)}[kind]
    for dtype, size in (("float64", 1.7e308), ("float32", 3e38), ("float32", 1e300)):
        start = [np.full((3, 5), 10.0), np.ones((5, 1 if kind == "binary" else 3))]
        clf = estimator(dtype=dtype, activation="identity").fit(X, labels, coefs_init=start)
        with pytest.raises(ValueError, match=f"overflow {dtype}.*in the same way as the training rows"):
            getattr(clf, method)(container(np.full((4, 3), size)))
        assert np.isfinite(getattr(clf, method)(container(X))).all()


@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
def test_predictions_that_overflow_are_an_error(loss):
    reg = estimator(FNNRegressor, loss=loss, activation="identity")
    reg.fit(X, y, coefs_init=[np.ones((3, 5)), np.ones((5, 1))])
    size = 1.7e308 if loss == "squared_error" else 1e3
    with pytest.raises(ValueError, match="overflow float64"):
        reg.predict(np.full((2, 3), size))
    if loss == "squared_error":
        with pytest.raises(ValueError, match="overflow float64"):
            hidden_activations(reg, np.full((2, 3), size))


def test_rows_that_saturate_every_unit_give_the_exact_limit():
    coefs, intercepts = [np.array([[1.0, -2.0]]), np.array([[0.5], [0.25]])], [np.zeros(2), np.array([0.125])]
    for activation, limit in (("tanh", [0.5 - 0.25 + 0.125, -0.5 + 0.25 + 0.125]), ("logistic", [0.625, 0.375])):
        clf = FNNClassifier(2, activation, learning_rate_init=1e-12, max_iter=1, dtype="float64")
        clf.fit([[0.0], [1.0]], [0, 1], coefs_init=coefs, intercepts_init=intercepts)
        # The step of 1e-12 changes the compared numbers by at most 1e-12.
        for size in (1e3, 1e300):
            np.testing.assert_allclose(clf.decision_function([[size], [-size]]), limit, rtol=0, atol=1e-11)


# Weights and targets


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("size", [5e-324, 1e-300, 1e-40, 1e40, 1e300, 1.7e308])
@estimators
def test_only_the_ratios_of_weights_of_any_size_matter(kind, size, dtype):
    ones = (np.arange(30) % 4 > 0).astype(float)
    few = {"X_val": X[:20], "y_val": y[:20], "sample_weight_val": ones[:20]}
    many = few | {"sample_weight_val": ones[:20] * size}
    plain = estimator(kind, dtype=dtype).fit(X, y, ones, **few)
    scaled = estimator(kind, dtype=dtype).fit(X, y, ones * size, **many)
    # Weights of 0 and 1 are divided by their mean. The mean and sums of weights may be rounded differently.
    tolerance = {"rtol": 1e-5 if dtype == "float32" else 1e-12}
    np.testing.assert_allclose(scaled.loss_curve_, plain.loss_curve_, **tolerance)
    np.testing.assert_allclose(scaled.validation_loss_curve_, plain.validation_loss_curve_, **tolerance)
    np.testing.assert_allclose(scaled.validation_scores_, plain.validation_scores_, **tolerance)
    held = [estimator(kind, dtype=dtype, early_stopping=True).fit(X, y, w) for w in (ones, ones * size)]
    np.testing.assert_allclose(held[1].validation_loss_curve_, held[0].validation_loss_curve_, **tolerance)
    if kind is FNNClassifier:
        balanced = [estimator(dtype=dtype, class_weight="balanced").fit(X, y, w) for w in (ones, ones * size)]
        np.testing.assert_allclose(balanced[1].loss_curve_, balanced[0].loss_curve_, **tolerance)
        # The products of both kinds of weights would be outside the range of float64, at either end.
        by_class = estimator(dtype=dtype, class_weight=dict.fromkeys(range(3), size)).fit(X, y, ones * size)
        np.testing.assert_allclose(by_class.loss_curve_, plain.loss_curve_, **tolerance)


def test_a_scorer_gets_weights_of_ordinary_size_unchanged():
    seen = []

    def scorer(model, X, y, sample_weight):
        seen.append(sample_weight)
        return 0.0

    weights = rng.uniform(0.001, 1000.0, 20)
    estimator(scoring=scorer, max_iter=1).fit(X, y, X_val=X[:20], y_val=y[:20], sample_weight_val=weights)
    np.testing.assert_array_equal(seen, [weights])


def test_products_of_label_weights_that_overflow_are_an_error():
    with pytest.raises(ValueError, match="class_weight must hold finite weights"):
        estimator(class_weight=[{0: 1e300, 1: 1e300}] * 3).fit(X, T.astype(int))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("size", [1e200, 1.7e308])
def test_targets_of_the_largest_size_are_an_error_that_names_their_size(size, dtype):
    found = re.escape(f"{size * np.sqrt(np.mean(X[:, 0] ** 2)):.3g}")
    with pytest.raises(ValueError, match=f"targets have a root mean square of {found}: standardise them"):
        estimator(FNNRegressor, dtype=dtype).fit(X, X[:, 0] * size)


@solvers
def test_targets_of_the_smallest_size_act_as_zeros(solver):
    # Squares of 1e-300 underflow, so the residuals equal the outputs of the network.
    small, zeros = (estimator(FNNRegressor, **SOLVERS[solver]).fit(X, X[:, 0] * size) for size in (1e-300, 0.0))
    np.testing.assert_allclose(small.predict(X), zeros.predict(X), rtol=0, atol=1e-290)


@solvers
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("size", [1e-300, 1e-30, 1e30, 1e150])
def test_standardised_targets_of_any_size_train_like_those_of_size_one(size, dtype, solver):
    factor = 2.0 ** np.round(np.log2(size))
    settings = {"standardize": "auto", "dtype": dtype, "activation": "tanh", **SOLVERS[solver]}
    plain, scaled = (estimator(FNNRegressor, **settings).fit(X, X[:, 0] * f) for f in (1.0, factor))
    for p, q in zip(plain._state.network.layers(plain._state.theta), scaled._state.users_layers(), strict=True):
        assert p.shape == q.shape
    np.testing.assert_array_equal(scaled._state.theta, plain._state.theta)
    # The loss is in the squared units of y. The square of 1e-300 is 0.
    np.testing.assert_allclose(scaled.loss_curve_, np.array(plain.loss_curve_) * factor**2, rtol=1e-14)
    if 1e-30 <= size <= 1e30:  # within the range of float32
        np.testing.assert_allclose(scaled.predict(X), plain.predict(X) * factor, rtol=1e-5)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("size", [1e200, 1.7e308])
def test_targets_whose_squares_overflow_are_an_error_that_says_so(size, dtype):
    reg = estimator(FNNRegressor, standardize="auto", dtype=dtype)
    with pytest.raises(ValueError, match="y holds numbers that are too large.*Divide y by a constant"):
        reg.fit(X, X[:, 0] * size)
    assert not hasattr(reg, "coefs_")
