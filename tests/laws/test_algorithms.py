"""Training compared with a loop written from the algorithm, and laws that connect its variants."""

from functools import partial

import exact
import numpy as np
import pytest
from exact import ATOL, SOLVERS, by_loop
from problems import initial_values, n_outputs, problem
from reference import row_weights, train
from scipy import sparse
from tuned import retuned

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

estimator = partial(exact.estimator, batch_size=7)


def compare(
    kind="multiclass",
    *,
    n_rows=23,
    n_epochs=4,
    container=np.asarray,
    sample_weight=None,
    class_weight=None,
    sizes=None,
    assert_parameters,
    **params,
):
    """Train with the package and with the loop. Parameters, loss curves and numbers of steps must agree."""
    X, y, T = problem(kind, n_rows)
    clf = retuned(estimator(n_epochs, class_weight=class_weight, **params), **(sizes or {}))
    hidden = clf.hidden_layer_sizes
    start = initial_values((X.shape[1], *hidden, n_outputs(kind)), seed=1)
    clf.fit(container(X), y, sample_weight=sample_weight, coefs_init=start[0], intercepts_init=start[1])
    weights = None
    if sample_weight is not None or class_weight is not None:
        weights = row_weights(y, sample_weight, class_weight)
    coefs, intercepts, losses, n_steps = by_loop(clf, X, T, start, kind, n_epochs, weights=weights)
    # Training must change the parameters. Otherwise the agreement below would prove nothing.
    assert max(abs(p - q).max() for p, q in zip(coefs, start[0], strict=True)) > 1e-3
    assert_parameters(clf, coefs, intercepts, atol=ATOL)
    np.testing.assert_allclose(clf.loss_curve_, losses, rtol=0, atol=ATOL)
    assert clf.n_steps_ == n_steps
    assert clf.n_iter_ == n_epochs
    assert clf.t_ == n_epochs * n_rows
    return clf


# The algorithm, against the loop


@pytest.mark.parametrize("batch_size", [1, 3, 7, 22, 23, "full"])
@pytest.mark.parametrize("kind", ["binary", "multiclass", "multilabel"])
@pytest.mark.parametrize("solver", SOLVERS)
def test_training_equals_the_loop_of_the_algorithm(solver, kind, batch_size, assert_parameters):
    compare(kind, batch_size=batch_size, assert_parameters=assert_parameters, **SOLVERS[solver])


@pytest.mark.parametrize("batch_size", [1, 3, 7, 33, 149, "full"])
@pytest.mark.parametrize("alpha", [0.0, 2.0])
@pytest.mark.parametrize("solver", SOLVERS)
def test_training_equals_the_loop_over_many_blocks_of_rows(solver, alpha, batch_size, assert_parameters):
    compare(
        "multiclass",
        n_rows=150,
        n_epochs=2,
        batch_size=batch_size,
        alpha=alpha,
        assert_parameters=assert_parameters,
        **SOLVERS[solver],
    )


@pytest.mark.parametrize("deferred", [False, True])
@pytest.mark.parametrize("batch_size", [1, 7, 32])
@pytest.mark.parametrize("params", [{}, {"alpha": 2.0}, {"learning_rate": "invscaling"}], ids=["plain", "L2", "eta"])
def test_training_equals_the_loop_with_and_without_a_deferred_first_layer(
    params, batch_size, deferred, assert_parameters
):
    used = []

    def defers(batch_size, block_rows, n_features, n_units):
        used.append((n_features, n_units))
        return deferred

    params = {"batch_size": batch_size} | params
    compare(n_rows=150, n_epochs=2, sizes={"defers": defers}, assert_parameters=assert_parameters, **params)
    assert used == [(5, 6)]


@pytest.mark.parametrize("batch_size", [1, 7, "full"])
@pytest.mark.parametrize("container", [sparse.csr_matrix, sparse.csc_matrix, sparse.csr_array, np.asfortranarray])
@pytest.mark.parametrize("solver", SOLVERS)
def test_training_equals_the_loop_for_every_form_of_x(solver, container, batch_size, assert_parameters):
    compare(
        "binary",
        n_rows=70,
        n_epochs=2,
        container=container,
        batch_size=batch_size,
        alpha=0.7,
        assert_parameters=assert_parameters,
        **SOLVERS[solver],
    )


@pytest.mark.parametrize("batch_size", [1, 3, 7, 22, "full"])
@pytest.mark.parametrize("weighting", ["sample", "dict", "balanced", "sample, dict", "sample, balanced"])
@pytest.mark.parametrize("solver", SOLVERS)
def test_weights_scale_the_rows_gradients(solver, weighting, batch_size, assert_parameters):
    sample_weight = np.random.default_rng(3).integers(0, 4, size=23).astype(float) if "sample" in weighting else None
    class_weight = {3: 0.5, 11: 3.0} if "dict" in weighting else "balanced" if "balanced" in weighting else None
    compare(
        "multiclass",
        sample_weight=sample_weight,
        class_weight=class_weight,
        batch_size=batch_size,
        alpha=1.5,
        assert_parameters=assert_parameters,
        **SOLVERS[solver],
    )


@pytest.mark.parametrize("kind", ["binary", "multilabel"])
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
def test_weights_scale_the_rows_gradients_for_every_output(container, kind, assert_parameters):
    sample_weight = np.random.default_rng(3).random(23) * 5
    for batch_size in (1, 5, "full"):
        compare(
            kind,
            container=container,
            sample_weight=sample_weight,
            batch_size=batch_size,
            assert_parameters=assert_parameters,
        )


def test_the_keys_of_a_binary_class_weight_are_the_labels(assert_parameters):
    compare("binary", class_weight={"no": 5.0, "yes": 0.25}, batch_size=4, assert_parameters=assert_parameters)


@pytest.mark.parametrize("batch_size", [1, 7, "full"])
@pytest.mark.parametrize("power_t", [0.25, 1.0])
@pytest.mark.parametrize("solver", SOLVERS)
def test_invscaling_divides_eta_by_a_power_of_the_rows_seen(solver, power_t, batch_size, assert_parameters):
    clf = compare(
        "multiclass",
        learning_rate="invscaling",
        power_t=power_t,
        batch_size=batch_size,
        alpha=0.4,
        assert_parameters=assert_parameters,
        **SOLVERS[solver],
    )
    expected = [clf.learning_rate_init_ / (23 * epoch + 1) ** power_t for epoch in range(4)]
    # One division and one power are wrong by a few units in the last place.
    np.testing.assert_allclose(clf.history_["learning_rate"], expected, rtol=1e-14)


@pytest.mark.parametrize(
    "activation",
    ["identity", "logistic", "tanh", "relu", "leaky_relu", "elu", "selu", "gelu", "silu", "softplus"],
)
@pytest.mark.parametrize("batch_size", [1, 7])
def test_training_equals_the_loop_with_every_activation(activation, batch_size, assert_parameters):
    compare("multiclass", activation=activation, batch_size=batch_size, assert_parameters=assert_parameters)


@pytest.mark.parametrize("hidden", [(4,), (3, 5, 4)])
def test_layers_may_have_different_activations(hidden, assert_parameters):
    compare(
        "multiclass",
        hidden_layer_sizes=hidden,
        activation=["silu", "relu", "logistic"][: len(hidden)],
        batch_size=4,
        assert_parameters=assert_parameters,
    )


@pytest.mark.parametrize("params", [{"beta_1": 0.5, "beta_2": 0.9}, {"beta_1": 0.0}, {"epsilon": 0.1}], ids=str)
def test_adam_equals_the_loop_for_other_betas_and_epsilons(params, assert_parameters):
    # 23 epochs with 8 batches are 184 steps, enough for the decay of the moments (0.9**184 = 4e-9) to matter.
    compare("binary", n_epochs=23, batch_size=3, solver="adam", assert_parameters=assert_parameters, **params)


@pytest.mark.parametrize("batch_size", [1500, "full"])
@pytest.mark.parametrize("solver", ["plain", "nesterov", "adam"])
def test_a_batch_of_thousands_of_rows_is_one_batch(solver, batch_size, assert_parameters):
    sample_weight = np.random.default_rng(5).random(2300)
    clf = compare(
        "multiclass",
        n_rows=2300,
        n_epochs=1 if batch_size == 1500 else 2,
        batch_size=batch_size,
        sample_weight=sample_weight,
        alpha=30.0,
        hidden_layer_sizes=(4,),
        assert_parameters=assert_parameters,
        **SOLVERS[solver],
    )
    assert clf.n_steps_ == 2


# eta * alpha / B is the fraction of W that the L2 term removes per step: half, nearly all, all, or more than all.
@pytest.mark.parametrize("shrunk", [0.5, 1.0 - 1e-9, 1.0, 1.5])
@pytest.mark.parametrize("batch_size", [1, 3, "full"])
@pytest.mark.parametrize("solver", ["plain", "nesterov"])
def test_with_an_l2_term_of_any_strength_training_equals_the_loop(solver, batch_size, shrunk, assert_parameters):
    compare(
        "multiclass",
        n_rows=70,
        batch_size=batch_size,
        alpha=shrunk * 70 / 0.1,
        n_epochs=2,
        assert_parameters=assert_parameters,
        **(SOLVERS[solver] | ({"momentum": 0.3} if solver == "nesterov" else {})),
    )


@pytest.mark.parametrize("shrunk", [0.01, 0.5, 0.8, 0.95, 0.999, 1.0, 1.1])
@pytest.mark.parametrize("batch_size", [1, 3])
def test_with_an_l2_term_of_any_strength_float32_training_equals_the_loop(batch_size, shrunk, assert_parameters):
    X, y, T = problem("multiclass", 150)
    start = initial_values((5, 6, 4, 3), seed=1)
    params = {"batch_size": batch_size, "alpha": shrunk * 150 / 0.1}
    clf = estimator(2, dtype="float32", **params).fit(X, y, coefs_init=start[0], intercepts_init=start[1])
    coefs, intercepts, _, _ = train(X, T, *start, activation="tanh", kind="multiclass", n_epochs=2, eta=0.1, **params)
    # 300 roundings of numbers of size 1, each with an error of 6e-8. A strong L2 term removes half of them in a few
    # steps.
    assert_parameters(clf, coefs, intercepts, atol=2e-5)


@pytest.mark.parametrize("batch_size", [1, 3, "full"])
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
def test_an_l2_term_that_makes_the_weights_overflow_is_divergence(container, batch_size):
    X, y, _ = problem("multiclass", 150)
    for alpha in (1e9, 1e300):
        clf = estimator(50, batch_size=batch_size, alpha=alpha)
        with pytest.raises(ValueError, match="diverge"):
            clf.fit(container(X), y)
        assert not hasattr(clf, "coefs_")


# Batches


@pytest.mark.parametrize(("batch_size", "n_batches"), [(1, 23), (3, 8), (7, 4), (22, 2), (23, 1), ("full", 1)])
def test_n_steps_is_epochs_times_batches(batch_size, n_batches):
    X, y, _ = problem("multiclass", 23)
    clf = estimator(3, batch_size=batch_size).fit(X, y)
    assert clf.n_steps_ == 3 * n_batches
    clf.partial_fit(X, y)
    assert clf.n_steps_ == 4 * n_batches


def test_auto_is_200_rows_or_all():
    for n_rows, n_batches in ((199, 1), (200, 1), (201, 2), (401, 3)):
        X, y, _ = problem("multiclass", n_rows)
        assert estimator(1, batch_size="auto").fit(X, y).n_steps_ == n_batches


def test_a_batch_size_above_the_rows_is_clipped_with_a_warning(assert_identical):
    X, y, _ = problem("multiclass", 23)
    with pytest.warns(UserWarning, match="batch_size"):
        clipped = estimator(3, batch_size=24).fit(X, y)
    assert_identical(clipped, estimator(3, batch_size="full").fit(X, y))


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("n_rows", [23, 150])
def test_full_equals_the_batch_size_of_all_rows_bit_for_bit(n_rows, solver, container, shuffle, assert_identical):
    X, y, _ = problem("multiclass", n_rows)
    X = container(X)
    params = SOLVERS[solver] | {"shuffle": shuffle, "alpha": 0.3}
    full = estimator(4, batch_size="full", **params).fit(X, y)
    assert_identical(full, estimator(4, batch_size=n_rows, **params).fit(X, y))
    assert full.loss_curve_ == estimator(4, batch_size=n_rows, **params).fit(X, y).loss_curve_


def test_the_last_smaller_batch_is_averaged_over_its_own_rows(assert_parameters):
    # With batches of 4 rows and 1 row, the last step is the whole gradient of the last row, not a quarter of it.
    X, y, _ = problem("binary", 5)
    start = initial_values((5, 6, 4, 1), seed=1)
    whole = estimator(1, batch_size=4).fit(X, y, coefs_init=start[0], intercepts_init=start[1])
    first = estimator(1, batch_size=4).fit(X[:4], y[:4], coefs_init=start[0], intercepts_init=start[1])
    last = estimator(1, batch_size=1)
    last.partial_fit(X[4:], y[4:], classes=["no", "yes"])
    for mine, theirs in zip(last.coefs_ + last.intercepts_, first.coefs_ + first.intercepts_, strict=True):
        mine[...] = theirs
    last.partial_fit(X[4:], y[4:])
    # These are the same three steps, in blocks of other sizes.
    assert_parameters(whole, last.coefs_, last.intercepts_, atol=1e-14)


# The adaptive rate


def test_the_adaptive_rate_is_divided_by_five_whenever_training_stalls():
    # No epoch improves the loss by 10, so n_iter_no_change + 1 epochs are a stall. (Training compares medians of three
    # epochs, and the first median exists after the second epoch.)
    X, y, _ = problem("multiclass", 23)
    clf = estimator(11, learning_rate="adaptive", tol=10.0, n_iter_no_change=2).fit(X, y)
    expected = [0.1] * 5 + [0.1 / 5] * 3 + [0.1 / 25] * 3
    np.testing.assert_allclose(clf.history_["learning_rate"], expected, rtol=1e-14)


def test_the_adaptive_rate_stops_training_when_it_is_too_small():
    X, y, _ = problem("multiclass", 23)
    clf = estimator(1000, learning_rate="adaptive", tol=10.0, n_iter_no_change=1).fit(X, y)
    assert clf.n_iter_ < 40
    rates = clf.history_["learning_rate"]
    assert rates[-1] <= 1e-6 < rates[-1] * 5
