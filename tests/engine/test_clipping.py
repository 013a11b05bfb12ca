"""Gradient clipping by `max_grad_norm`, against a NumPy loop that computes every gradient."""

from functools import partial

import exact
import numpy as np
import pytest
import reference
from reference import batch_gradient, gradient, initial_values, n_outputs, problem, train
from scipy import sparse
from tuned import FNNRegressor, retuned

from skfnn._engine.clipping import FACTOR_ROWS, factor_to

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

# Both sides do the same float64 operations in different orders. After some hundred steps with numbers of size 1, they
# differ by about 1e-13.
ATOL = 1e-10

SOLVERS = {
    "plain": {},
    "momentum": {"momentum": 0.9, "nesterovs_momentum": False, "learning_rate_init": 0.05},
    "nesterov": {"momentum": 0.9, "learning_rate_init": 0.05},
    "adam": {"solver": "adam", "learning_rate_init": 0.01},
}


estimator = partial(exact.estimator, learning_rate_init=0.2)


def norm_of(arrays):
    """The norm of all arrays together."""
    return np.sqrt(sum((a**2).sum() for a in arrays))


def compare(
    max_grad_norm,
    kind="multiclass",
    *,
    n_rows=90,
    n_epochs=2,
    container=np.asarray,
    sample_weight=None,
    sizes=None,
    monkeypatch,
    assert_parameters,
    **params,
):
    """Train with the package and with the loop, compare the parameters, and return the norms before clipping."""
    X, y, T = problem(kind, n_rows)
    clf = retuned(estimator(n_epochs, max_grad_norm=max_grad_norm, **params), **(sizes or {}))
    start = initial_values((X.shape[1], *clf.hidden_layer_sizes, n_outputs(kind)), seed=1)
    clf.fit(container(X), y, sample_weight=sample_weight, coefs_init=start[0], intercepts_init=start[1])
    norms = []

    def clipped(X, T, rows, coefs, intercepts, activation, kind, alpha, w, mean_w, B):
        grads, loss = batch_gradient(X, T, rows, coefs, intercepts, activation, kind, 0.0, w, mean_w, B)
        norms.append(norm_of(grads))
        if norms[-1] > max_grad_norm:
            grads = [g * max_grad_norm / norms[-1] for g in grads]
        for g, W in zip(grads, coefs, strict=False):
            g += alpha / B * W
        return grads, loss

    monkeypatch.setattr(reference, "batch_gradient", clipped)
    coefs, intercepts, losses, _ = train(
        X,
        T,
        *start,
        activation=clf.activation,
        kind=kind,
        batch_size=clf.batch_size,
        n_epochs=n_epochs,
        eta=clf.learning_rate_init_,
        solver=clf.solver,
        momentum=clf.momentum,
        nesterov=clf.nesterovs_momentum,
        alpha=clf.alpha,
        weights=sample_weight,
    )
    assert_parameters(clf, coefs, intercepts, atol=ATOL)
    np.testing.assert_allclose(clf.loss_curve_, losses, rtol=0, atol=ATOL)
    return np.array(norms)


# The loop


# For each batch size, a norm that some gradients exceed and others do not. Mean gradients over more rows are shorter.
LIMITS = {1: 1.5, 3: 0.9, 16: 0.45, 40: 0.34, "full": 0.25}


@pytest.mark.parametrize("batch_size", LIMITS)
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize("alpha", [0.0, 3.0])
@pytest.mark.parametrize("solver", SOLVERS)
def test_training_equals_the_loop_with_clipped_gradients(
    solver, alpha, container, batch_size, monkeypatch, assert_parameters
):
    assert 16 <= FACTOR_ROWS < 40  # both ways of clipping
    norms = compare(
        LIMITS[batch_size],
        n_epochs=8 if batch_size == "full" else 2,
        container=container,
        batch_size=batch_size,
        alpha=alpha,
        monkeypatch=monkeypatch,
        assert_parameters=assert_parameters,
        **SOLVERS[solver],
    )
    assert 0 < (norms > LIMITS[batch_size]).mean() < 1


@pytest.mark.parametrize("kind", ["binary", "multilabel"])
@pytest.mark.parametrize("batch_size", [1, 16, 40])
@pytest.mark.parametrize("hidden", [(5,), (5, 4, 3)])
def test_one_norm_covers_all_layers(kind, batch_size, hidden, monkeypatch, assert_parameters):
    norms = compare(
        0.2,
        kind,
        hidden_layer_sizes=hidden,
        batch_size=batch_size,
        monkeypatch=monkeypatch,
        assert_parameters=assert_parameters,
    )
    assert (norms > 0.2).any()


@pytest.mark.parametrize("batch_size", [1, 16, 40, "full"])
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
def test_row_weights_are_applied_before_clipping(container, batch_size, monkeypatch, assert_parameters):
    # Every third row has weight 0, so at batch size 1 some gradients have norm 0, by which they must not be divided.
    weight = np.random.default_rng(3).random(90) * 5
    weight[::3] = 0.0
    norms = compare(
        0.3,
        container=container,
        batch_size=batch_size,
        sample_weight=weight,
        monkeypatch=monkeypatch,
        assert_parameters=assert_parameters,
    )
    assert (norms > 0.3).any()
    if batch_size == 1:
        assert (norms == 0.0).any()


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize("alpha", [0.0, 3.0])
def test_a_batch_that_is_split_into_parts_is_clipped_as_a_whole(
    alpha, container, solver, monkeypatch, assert_parameters
):
    # A part has at least 64 rows.
    norms = compare(
        0.1,
        n_rows=150,
        sizes={"chunk_rows": 64},
        n_epochs=3,
        batch_size=100,
        alpha=alpha,
        container=container,
        monkeypatch=monkeypatch,
        assert_parameters=assert_parameters,
        **SOLVERS[solver],
    )
    assert (norms > 0.1).any()


# The first step


def first_step(X, y, T, start, **params):
    """The gradient of the first full-batch step, with and without clipping."""
    clf = estimator(1, batch_size="full", learning_rate_init=1.0, **params)
    clf.fit(X, y, coefs_init=start[0], intercepts_init=start[1])
    step = [p - q for p, q in zip(start[0] + start[1], clf.coefs_ + clf.intercepts_, strict=True)]
    return step, gradient(X, T, *start, activation="tanh", kind="multiclass")


@pytest.mark.parametrize("n_rows", [20, 60])
@pytest.mark.parametrize("max_grad_norm", [1e-3, 0.1])
def test_a_clipped_step_keeps_its_direction_and_has_the_norm_max_grad_norm(max_grad_norm, n_rows):
    X, y, T = problem("multiclass", n_rows)
    step, whole = first_step(X, y, T, initial_values((5, 6, 4, 3), seed=1), max_grad_norm=max_grad_norm)
    assert norm_of(whole) > max_grad_norm
    np.testing.assert_allclose(norm_of(step), max_grad_norm, rtol=1e-10)  # differences of numbers of size 1
    for s, g in zip(step, whole, strict=True):
        np.testing.assert_allclose(s, g * max_grad_norm / norm_of(whole), rtol=0, atol=1e-14)


@pytest.mark.parametrize("n_rows", [20, 60])
def test_the_l2_term_is_not_clipped(n_rows):
    X, y, T = problem("multiclass", n_rows)
    start = initial_values((5, 6, 4, 3), seed=1)
    step, whole = first_step(X, y, T, start, max_grad_norm=0.1, alpha=0.5 * n_rows)
    factor = 0.1 / norm_of(whole)
    for s, g, W in zip(step, whole, start[0], strict=False):
        np.testing.assert_allclose(s, factor * g + 0.5 * W, rtol=0, atol=1e-13)
    assert norm_of(step) > 0.2


def test_weight_decay_is_not_clipped(assert_parameters):
    # Adam's first step is eta * sign(gradient), whatever the norm. So clipping must not change the result of the step.
    X, y, _ = problem("multiclass", 20)
    start = initial_values((5, 6, 4, 3), seed=1)
    params = {"solver": "adam", "learning_rate_init": 0.1, "weight_decay": 2.0, "epsilon": 1e-30, "batch_size": "full"}
    fits = [
        estimator(1, max_grad_norm=norm, **params).fit(X, y, coefs_init=start[0], intercepts_init=start[1])
        for norm in (1e-3, None)
    ]
    assert_parameters(fits[0], fits[1].coefs_, fits[1].intercepts_, atol=1e-12)


# A limit that is never reached

UNMOVED = [{"batch_size": n} for n in (1, 3, 16, FACTOR_ROWS)] + [
    {"momentum": 0.9, "batch_size": 16},
    {"momentum": 0.9, "alpha": 2.0, "batch_size": 16},
    {"solver": "adam", "batch_size": 3},
    {"solver": "adam", "alpha": 2.0, "batch_size": "full"},
    {"dropout": 0.3},
    {"alpha": 2.0},
]


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("params", UNMOVED, ids=str)
def test_a_limit_that_no_gradient_reaches_changes_no_bit(params, dtype, container, assert_identical):
    X, y, _ = problem("multiclass", 90)
    params = {"dtype": dtype, "shuffle": True} | params
    free, clipped = (estimator(3, max_grad_norm=norm, **params).fit(container(X), y) for norm in (None, 1e9))
    assert_identical(free, clipped)
    assert free.loss_curve_ == clipped.loss_curve_


@pytest.mark.parametrize("params", [{}, {"alpha": 2.0}, {"momentum": 0.9}, {"momentum": 0.9, "alpha": 2.0}], ids=str)
def test_computing_the_norm_from_a_written_gradient_changes_only_the_rounding(params, assert_parameters):
    X, y, _ = problem("multiclass", 90)
    free, clipped = (estimator(3, batch_size=40, max_grad_norm=norm, **params).fit(X, y) for norm in (None, 1e9))
    # Nine steps of numbers of size 1.
    assert_parameters(clipped, free.coefs_, free.intercepts_, atol=1e-13)


def test_a_gradient_exactly_at_the_limit_is_not_scaled():
    assert factor_to(2.0, 2.0) == 1.0
    assert factor_to(2.0, 0.0) == 1.0
    assert factor_to(2.0, 4.0) == 0.5


# Together with other settings


@pytest.mark.filterwarnings("ignore:The features are too large")
def test_clipping_prevents_divergence():
    X, y, _ = problem("multiclass", 90)
    params = {"learning_rate_init": 1.0, "activation": "identity", "batch_size": 5}
    with pytest.raises(ValueError, match="diverged"):
        estimator(30, **params).fit(X * 300, y)
    clf = estimator(30, max_grad_norm=0.01, **params).fit(X * 300, y)
    assert np.isfinite(clf.loss_curve_).all()


@pytest.mark.parametrize("batch_size", [7, 40])
def test_float32_clips_like_float64(batch_size, assert_parameters):
    X, y, _ = problem("multiclass", 90)
    single, double = (
        estimator(2, dtype=dtype, max_grad_norm=0.3, batch_size=batch_size).fit(X, y)
        for dtype in ("float32", "float64")
    )
    assert single.coefs_[0].dtype == np.float32
    # About 26 steps, each of which rounds numbers of size 1 to 6e-8.
    assert_parameters(single, double.coefs_, double.intercepts_, atol=1e-5)


@pytest.mark.parametrize("params", SOLVERS.values(), ids=SOLVERS)
@pytest.mark.parametrize("batch_size", [7, 40])
def test_k_partial_fits_equal_one_fit_of_k_epochs(batch_size, params, assert_identical):
    X, y, _ = problem("multiclass", 90)
    params = {"batch_size": batch_size, "max_grad_norm": 0.3, "shuffle": True} | params
    whole, parts = estimator(4, **params).fit(X, y), estimator(4, **params)
    for _ in range(4):
        parts.partial_fit(X, y, classes=np.unique(y))
    assert_identical(whole, parts)


@pytest.mark.parametrize("n_rows", [20, 60])
def test_the_gradient_of_the_squared_error_is_clipped_too(n_rows):
    # With targets in the thousands, the step without clipping would have a norm in the thousands.
    X, _, T = problem("multilabel", n_rows)
    params = {"learning_rate_init": 1.0, "standardize": False, "dtype": "float64", "random_state": 0}
    reg = FNNRegressor((6,), batch_size="full", max_grad_norm=0.5, max_iter=1, **params)
    start = initial_values((5, 6, 3), seed=1)
    reg.fit(X, 1000 * T, coefs_init=start[0], intercepts_init=start[1])
    step = [p - q for p, q in zip(start[0] + start[1], reg.coefs_ + reg.intercepts_, strict=True)]
    np.testing.assert_allclose(norm_of(step), 0.5, rtol=1e-10)  # differences of numbers of size 1


def test_lbfgs_refuses_max_grad_norm():
    X, y, _ = problem("multiclass", 23)
    clf = estimator(3, solver="lbfgs", max_grad_norm=1.0)
    with pytest.raises(ValueError, match="max_grad_norm=1.0 needs solver='sgd' or 'adam'"):
        clf.fit(X, y)
    assert not hasattr(clf, "coefs_")
    clf.set_params(max_grad_norm=None).fit(X, y)


@pytest.mark.parametrize("norm", [0, 0.0, -1.0, "1", float("nan")])
def test_a_norm_that_is_not_a_positive_number_is_refused(norm):
    X, y, _ = problem("multiclass", 23)
    with pytest.raises(ValueError, match="max_grad_norm"):
        estimator(3, max_grad_norm=norm).fit(X, y)
