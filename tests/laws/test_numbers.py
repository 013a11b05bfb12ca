"""Numbers at the ends of their range give exact results or an error that says why, without warnings from NumPy."""

import decimal
import os
import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from problems import initial_values, problem
from reference import gradient, objective, train
from scipy import sparse
from tuned import FNNClassifier, FNNRegressor

from skfnn._engine.activations import ACTIVATIONS
from skfnn._engine.losses import LogisticCrossEntropy, PoissonDeviance, SoftmaxCrossEntropy, SquaredError
from skfnn.inspection import hidden_activations

pytestmark = [
    pytest.mark.filterwarnings("error"),
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    # Such features cause this warning, which test_divergence.py tests.
    pytest.mark.filterwarnings("ignore:The features are too large:UserWarning"),
    # scikit-learn warns like this if most classes have one row.
    pytest.mark.filterwarnings("ignore:The number of unique classes:UserWarning"),
]

SOLVERS = {
    "plain": {},
    "momentum": {"momentum": 0.9},
    "adam": {"solver": "adam"},
    "lbfgs": {"solver": "lbfgs"},
}
solvers = pytest.mark.parametrize("solver", SOLVERS)
containers = pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix], ids=["dense", "sparse"])
estimators = pytest.mark.parametrize("kind", [FNNClassifier, FNNRegressor])
activations = pytest.mark.parametrize("activation", ACTIVATIONS)

rng = np.random.default_rng(0)
X = rng.uniform(-1.0, 1.0, size=(30, 3))
y = np.arange(30) % 3
T = np.eye(3)[y]
OVERFLOW = r"diverged.*Scale the features"


def estimator(kind=FNNClassifier, **params):
    """An estimator that trains without scaling features and targets."""
    settings = {"hidden_layer_sizes": 5, "max_iter": 3, "n_iter_no_change": None, "random_state": 0}
    return kind(**(settings | {"standardize": False} | params))


def written(net, coefs, intercepts):
    """Write these parameters into the network and return it."""
    for mine, values in zip(net.coefs_ + net.intercepts_, [*coefs, *intercepts], strict=True):
        mine[...] = values
    return net


def step_of(X, y, coefs, intercepts, activation):
    """The gradient of the objective, weights before biases: the change in one full-batch step with eta = 1.

    The step is taken with `partial_fit`, because `fit` refuses models with losses as large as in some of the tests.
    """
    hidden, params = [W.shape[1] for W in coefs[:-1]], {"learning_rate_init": 1.0, "dtype": "float64"}
    net = FNNClassifier(hidden, activation, batch_size="full", standardize=False, **params)
    written(net.partial_fit(X, y, classes=np.unique(y)), coefs, intercepts).partial_fit(X, y)
    before, after = coefs + intercepts, net.coefs_ + net.intercepts_
    return [p - q for p, q in zip(before, after, strict=True)], net


# Raw outputs of size 10,000

LOSSES = {
    "softmax": SoftmaxCrossEntropy(),
    "logistic": LogisticCrossEntropy(),
    "squared error": SquaredError(),
    "poisson": PoissonDeviance(),
}


def exact_loss(name, z, t):
    """The loss of one row and its derivative, to 50 digits."""
    z, t = [Decimal(float(v)) for v in z], [Decimal(float(v)) for v in t]
    one = Decimal(1)
    if name == "softmax":
        e = [v.exp() for v in z]
        total = sum(e)
        return total.ln() - sum(v * u for v, u in zip(z, t, strict=True)), [
            a / total - u for a, u in zip(e, t, strict=True)
        ]
    if name == "logistic":
        # log(1 + exp(z)) equals z + log(1 + exp(-z)). For large z, the first form would need many more digits.
        value = sum(max(v, Decimal(0)) + (one + (-abs(v)).exp()).ln() - v * u for v, u in zip(z, t, strict=True))
        return value, [one / (one + (-v).exp()) - u for v, u in zip(z, t, strict=True)]
    if name == "squared error":
        pairs = list(zip(z, t, strict=True))
        return sum((v - u) ** 2 / 2 for v, u in pairs), [v - u for v, u in pairs]
    value = sum(v.exp() - u * v + (u * u.ln() if u else u) - u for v, u in zip(z, t, strict=True))
    return value, [v.exp() - u for v, u in zip(z, t, strict=True)]


def extreme_rows(name, dtype):
    """Raw outputs up to 10,000, far apart or close together, with their targets."""
    rng = np.random.default_rng(1)
    largest = 80.0 if name == "poisson" else 1e4  # exp(80) is within float32
    z = rng.choice([-largest, largest, 0.0, 1.0], size=(60, 4)) + rng.normal(size=(60, 4)) * rng.choice([0, 1], (60, 1))
    z[:5] = largest, largest, largest, largest - 20.0
    if name == "softmax":
        t = np.eye(4)[rng.integers(0, 4, 60)]
    elif name == "logistic":
        t = rng.integers(0, 2, (60, 4)).astype(float)
    else:
        t = rng.integers(0, 5, (60, 4)).astype(float)
    return z.astype(dtype), t.astype(dtype)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", LOSSES)
def test_losses_and_derivatives_are_exact_to_rounding_at_raw_outputs_of_ten_thousand(name, dtype):
    eps = np.finfo(dtype).eps
    with decimal.localcontext() as context:
        context.prec = 50
        for z, t in zip(*extreme_rows(name, dtype), strict=True):
            value, delta = exact_loss(name, z, t)
            # One mini-batch with one row, in the layout of training: (n_batches, n_outputs, n).
            raw, target = z.copy().reshape(1, 4, 1), t.copy().reshape(1, 4, 1)
            found, row = np.empty((1, 4), dtype), np.empty((1, 1), dtype)
            with np.errstate(over="raise", invalid="raise", divide="raise", under="ignore"):
                LOSSES[name].write_delta(raw[0].T, target[0].T, found, row)
                got = LOSSES[name].value(raw, target, row)
            # The difference of two exact raw outputs of size 10,000 is rounded once, and sums have four terms.
            size = max(1.0, abs(float(value)), float(np.abs(z).max()) if name != "softmax" else 0.0)
            assert abs(got - float(value)) <= 8 * eps * size
            scale = max(1.0, *(abs(float(d)) for d in delta))
            # The relative error of exp(80) is 80 units in the last place.
            slack = 100 if name == "poisson" else 4
            np.testing.assert_allclose(found[0], [float(d) for d in delta], rtol=slack * eps, atol=slack * eps * scale)


@pytest.mark.parametrize("weight", [1e-4, 1e4])
def test_a_poisson_loss_that_overflows_is_divergence(weight):
    # exp(1e4) overflows. The loss is neither clipped nor infinite; instead, an error says what to do.
    with pytest.raises(ValueError, match="diverged"):
        estimator(FNNRegressor, loss="poisson").fit(X, y, intercepts_init=[np.zeros(5), [1e4]])
    # exp(-1e4) rounds to 0, so the loss is that of a mean of 0: exp(z) - y z + y log y - y.
    counts = np.array([0.0, 1.0, 2.0])
    reg = estimator(FNNRegressor, loss="poisson", learning_rate_init=1e-12, dtype="float64")
    rows = X[:3] * weight
    start = [np.zeros((3, 5)), np.zeros((5, 1))], [np.zeros(5), [-1e4]]
    written(reg.partial_fit(0.0 * rows, counts), *start).partial_fit(rows, counts)
    expected = np.mean([0.0, 1e4 - 1.0, 2e4 + 2.0 * np.log(2.0) - 2.0])
    np.testing.assert_allclose(reg.loss_, expected, rtol=1e-14)


# Saturated units

LIMITS = {  # (value, slope) as functions of z towards plus infinity, and their limits towards minus infinity
    "identity": ((lambda z: z, 1.0), (lambda z: z, 1.0)),
    "logistic": ((lambda z: 1.0, 0.0), (lambda z: 0.0, 0.0)),
    "tanh": ((lambda z: 1.0, 0.0), (lambda z: -1.0, 0.0)),
    "relu": ((lambda z: z, 1.0), (lambda z: 0.0, 0.0)),
    "leaky_relu": ((lambda z: z, 1.0), (lambda z: 0.01 * z, 0.01)),
    "elu": ((lambda z: z, 1.0), (lambda z: -1.0, 0.0)),
    # Klambauer et al. (2017): lambda z, and -lambda alpha.
    "selu": ((lambda z: 1.0507009873554805 * z, 1.0507009873554805), (lambda z: -1.7580993408473766, 0.0)),
    "gelu": ((lambda z: z, 1.0), (lambda z: 0.0, 0.0)),
    "silu": ((lambda z: z, 1.0), (lambda z: 0.0, 0.0)),
    "softplus": ((lambda z: z, 1.0), (lambda z: 0.0, 0.0)),
}


@pytest.mark.parametrize(("dtype", "size"), [("f4", 1e3), ("f4", 1e30), ("f8", 1e3), ("f8", 1e300)])
@activations
def test_a_saturated_unit_has_the_limiting_value_and_slope(activation, dtype, size):
    z = np.array([[size], [-size]], dtype)
    a, slope, scratch, delta = z.copy(), np.zeros_like(z), np.empty_like(z), np.ones_like(z)
    # Training ignores overflow in intermediate results, such as z * z in the density of the normal distribution.
    with np.errstate(all="ignore"):
        ACTIVATIONS[activation].apply(a, slope, scratch)
        ACTIVATIONS[activation].chain(a, slope, delta, scratch)
    eps = np.finfo(dtype).eps
    for row, (value, derivative) in enumerate(LIMITS[activation]):
        np.testing.assert_allclose(a[row, 0], value(float(z[row, 0])), rtol=2 * eps, atol=0)
        np.testing.assert_allclose(delta[row, 0], derivative, rtol=2 * eps, atol=2 * eps)


@activations
@containers
def test_the_gradient_through_saturated_units_is_exact(container, activation):
    rows, labels, T = problem("multiclass", 12)
    coefs, intercepts = initial_values((5, 4, 3, 3), seed=2)
    coefs[0] *= 1e3  # pre-activations of some thousands, of both signs
    found, net = step_of(container(rows), labels, coefs, intercepts, activation)
    expected = gradient(rows, T, coefs, intercepts, activation, "multiclass")
    assert max(np.abs(g).max() for g in expected) > 0.01
    np.testing.assert_allclose(net.loss_, objective(rows, T, coefs, intercepts, activation, "multiclass"), rtol=1e-12)
    for g, e, p in zip(found, expected, coefs + intercepts, strict=True):
        # The gradient is a difference of rounded parameters, and sums of terms of that size are rounded as well.
        atol = 1e-14 * max(np.abs(p).max(), np.abs(e).max(), 1.0)
        np.testing.assert_allclose(g, e, rtol=1e-10, atol=atol)


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


# One row


@containers
@pytest.mark.parametrize("solver", ["plain", "momentum", "adam"])
def test_partial_fit_row_by_row_equals_an_epoch_of_batches_of_one(solver, container, assert_parameters):
    params = {"batch_size": 1, "shuffle": False, "dtype": "float64", "max_iter": 1, **SOLVERS[solver]}
    whole, stream = estimator(**params).fit(container(X), y), estimator(**params)
    for k in range(30):
        stream.partial_fit(container(X[k : k + 1]), y[k : k + 1], classes=[0, 1, 2])
    # The first layer adds its steps once per block or immediately: thirty steps with numbers of size 1.
    assert_parameters(stream, whole.coefs_, whole.intercepts_, atol=1e-12)
    np.testing.assert_allclose(np.mean(stream.loss_curve_), whole.loss_, rtol=1e-12)
    assert stream.n_steps_ == whole.n_steps_ == 30


@containers
@solvers
def test_a_training_set_of_one_row_is_learned(solver, container):
    target = 0.75
    reg = FNNRegressor(
        4, "tanh", dtype="float64", tol=0.0, n_iter_no_change=None, max_iter=800, random_state=0, **SOLVERS[solver]
    )
    if reg.solver == "sgd":
        reg.set_params(learning_rate_init=0.05)
    reg.fit(container([[1.0, 2.0]]), [target])
    np.testing.assert_allclose(reg.predict(container([[1.0, 2.0]])), [target], atol=1e-3)


@pytest.mark.parametrize(
    "params", [{}, {"class_weight": "balanced"}, {"batch_size": 1}, {"early_stopping": True}], ids=str
)
@solvers
def test_a_class_may_have_one_row(solver, params):
    labels = np.zeros(30, int)
    labels[7] = 1
    labels[11] = 2
    rows = X.copy()
    rows[7], rows[11] = 4.0, -4.0
    clf = estimator(max_iter=20, **SOLVERS[solver], **params).fit(rows, labels)
    assert clf.predict_proba(rows).shape == (30, 3)
    assert np.isfinite(clf.loss_curve_).all()
    if params == {"class_weight": "balanced"}:
        # Balanced weights are n_rows / (n_classes * rows of the class): 30 / (3 * 28), and 10 for the single rows.
        weights = np.where(labels == 0, 30 / 84, 10.0)
        other = estimator(max_iter=20, **SOLVERS[solver]).fit(rows, labels, weights)
        np.testing.assert_allclose(clf.loss_curve_, other.loss_curve_, rtol=1e-9)


@containers
def test_as_many_classes_as_rows_are_learned(container):
    rows = np.random.default_rng(0).normal(size=(40, 30))
    clf = FNNClassifier(50, solver="adam", learning_rate_init=0.01, max_iter=200, random_state=0)
    assert clf.fit(container(rows), np.arange(40)[::-1]).score(container(rows), np.arange(40)[::-1]) == 1.0


# Very deep and very wide


@containers
@pytest.mark.parametrize("activation", ["tanh", "relu", "selu", "silu"])
def test_the_gradient_through_thirty_hidden_layers_is_exact(activation, container):
    rows, labels, T = problem("multiclass", 12)
    sizes = (5, *[6] * 30, 3)
    coefs, intercepts = initial_values(sizes, seed=3, scale=0.5)
    found, net = step_of(container(rows), labels, coefs, intercepts, activation)
    expected = gradient(rows, T, coefs, intercepts, activation, "multiclass")
    assert np.abs(expected[-1]).max() > 0.01
    np.testing.assert_allclose(net.loss_, objective(rows, T, coefs, intercepts, activation, "multiclass"), rtol=1e-12)
    for g, e in zip(found, expected, strict=True):
        # The gradients are differences of parameters of size 1, each rounded to 1e-16.
        np.testing.assert_allclose(g, e, rtol=1e-8, atol=1e-15)


@solvers
def test_thirty_hidden_layers_train(solver):
    clf = estimator(hidden_layer_sizes=(10,) * 30, max_iter=5, **SOLVERS[solver]).fit(X, y)
    assert np.isfinite(clf.loss_curve_).all()
    assert clf.n_layers_ == 32
    assert clf.predict_proba(X).shape == (30, 3)


def test_thirty_hidden_layers_whose_outputs_overflow_are_an_error():
    coefs = [np.full(shape, 1e12) for shape in [(3, 4), *[(4, 4)] * 29, (4, 3)]]
    with pytest.raises(ValueError, match="diverged.*epoch 1"):
        estimator(hidden_layer_sizes=(4,) * 30).fit(np.abs(X), y, coefs_init=coefs)


@containers
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    "sizes", [(4, 20_000, 3), (20_000, 5, 3), (4, 5, 20_000)], ids=["units", "features", "classes"]
)
def test_a_step_of_a_network_of_20000_units_follows_the_formula(sizes, dtype, container):
    n_features, n_units, n_classes = sizes
    rng = np.random.default_rng(4)
    rows = rng.normal(size=(20, n_features)) * (rng.random((20, n_features)) < 0.5)
    labels = np.resize(np.arange(n_classes), 20)
    W1, W2 = rng.normal(size=(n_features, n_units)) / 100, rng.normal(size=(n_units, n_classes)) / 100
    b1, b2 = rng.normal(size=n_units), rng.normal(size=n_classes)
    clf = FNNClassifier(n_units, "tanh", batch_size=20, learning_rate_init=1.0, dtype=dtype)
    # partial_fit does not accept initial values, and fit does not accept classes without rows.
    clf.partial_fit(container(rows), labels, classes=np.arange(n_classes))
    for mine, values in zip(clf.coefs_ + clf.intercepts_, [W1, W2, b1, b2], strict=True):
        mine[...] = values
    clf.partial_fit(container(rows), labels)
    T, network = (labels[:, None] == np.arange(n_classes)).astype(float), ([W1, W2], [b1, b2], "tanh", "multiclass")
    # Sums of up to 20,000 terms of size 1/100 have another order. The compared numbers have size 1.
    atol = 1e-12 if dtype == "float64" else 1e-5
    np.testing.assert_allclose(clf.loss_, objective(rows, T, *network), rtol=atol)
    steps = gradient(rows, T, *network)
    for mine, values, step in zip(clf.coefs_ + clf.intercepts_, [W1, W2, b1, b2], steps, strict=True):
        np.testing.assert_allclose(mine, values - step, rtol=0, atol=atol)


# Out of memory


def test_more_parameters_than_an_array_can_hold_are_an_error():
    for sizes in (10**18, 10**30, (10**9, 10**10)):
        clf = estimator(hidden_layer_sizes=sizes)
        with pytest.raises(ValueError, match="hidden_layer_sizes=.* is too large.*parameters"):
            clf.fit(X, y)
        assert not hasattr(clf, "classes_")


LIMITED = """
import resource
from pathlib import Path
import numpy as np
from skfnn import FNNClassifier

rng = np.random.default_rng(0)
X, y = rng.normal(size=(1000, 4)).astype(np.float32), rng.integers(0, 100_000, 1000)
FNNClassifier(4, max_iter=1, n_iter_no_change=None).fit(X[:10], np.arange(10) % 2)  # everything is imported
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 300 * 2**20,) * 2)


def refused(function, *args, **kwargs):
    try:
        function(*args, **kwargs)
    except MemoryError as error:
        return str(error)
    raise AssertionError("there was enough memory")


refused(np.ones, (1000, 100_000), np.float32)  # the one-hot targets of these rows, or their probabilities
"""


# Warnings of scikit-learn if most classes have one row, and of skfnn after a few epochs on random labels.
IGNORED = ["-W", "ignore:The number of unique classes", "-W", "ignore:The network predicts no better than a constant"]


def run_limited(code):
    """Run `code` in an interpreter that may allocate 300 MB after all imports."""
    resource = pytest.importorskip("resource")
    if not (hasattr(resource, "RLIMIT_AS") and Path("/proc/self/statm").exists()):
        pytest.skip("this system cannot limit the address space, or does not say how much is used")
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}  # each thread would reserve some address space
    path = os.pathsep.join(filter(None, [str(Path(__file__).parents[2]), environment.get("PYTHONPATH")]))
    done = subprocess.run(
        [sys.executable, "-W", "error", *IGNORED, "-c", LIMITED + code],
        env=environment | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr


@pytest.mark.full
def test_100000_classes_train_although_their_one_hot_targets_would_not_fit():
    run_limited("""
clf = FNNClassifier(8, random_state=0, batch_size=200)
clf.partial_fit(X, y, classes=np.arange(100_000))
assert abs(clf.loss_ - np.log(100_000)) < 0.1, clf.loss_  # before it has learned much
first = clf.loss_
for _ in range(2):
    clf.partial_fit(X, y)
assert clf.loss_ < first
p = clf.predict_proba(X[:10])
assert p.shape == (10, 100_000)
np.testing.assert_allclose(p.sum(axis=1), 1.0, atol=1e-4)  # 100,000 numbers in float32

# The error names the array that does not fit, and nothing is lost.
message = refused(clf.predict_proba, X)
assert "1000 rows" in message and "100000 numbers" in message and "fewer rows" in message, message
np.testing.assert_array_equal(clf.predict_proba(X[:10]), p)
""")


def test_a_network_too_large_for_memory_is_named_and_leaves_the_estimator_as_it_was():
    run_limited("""
clf = FNNClassifier(1000, max_iter=5, n_iter_no_change=None, random_state=0)
message = refused(clf.partial_fit, X[:200], y[:200], classes=np.arange(100_000))
assert "4, 1000, 100000 units" in message and "100,105,000 parameters" in message, message
assert "MiB" in message, message  # the size of the array that could not be allocated
assert not hasattr(clf, "coefs_") and not hasattr(clf, "classes_")

clf.fit(X[:200], y[:200] % 3)
before = clf.predict_proba(X)
message = refused(clf.set_params(hidden_layer_sizes=(20_000, 20_000)).fit, X[:200], y[:200] % 3)
assert "4, 20000, 20000, 3 units" in message, message
np.testing.assert_array_equal(clf.predict_proba(X), before)
""")
