"""Training compared with a loop written from the algorithm, and laws that connect its variants."""

import pickle
from functools import partial

import exact
import numpy as np
import pytest
from exact import ATOL, SOLVERS, by_loop
from problems import initial_values, n_outputs, problem
from reference import row_weights, train
from scipy import sparse
from tuned import FNNClassifier, retuned

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


# The order of the rows
#
# Row b of the identity matrix only changes row b of W_1, so W_1 shows which rows training used. It also shows when: the
# L2 term multiplies all weights by s in every step, and with identity activations the delta of the first layer is the
# product of the two later layers (s^2k after k steps). The change then shrinks during the remaining n_steps - 1 - k
# steps. So the row used in step k changes by s^(n_steps - 1 + k), divided by the number of rows in its batch.

CLOCK_ETA, CLOCK_SHRINK = 1e-8, 0.97


def clock(n_rows, **params):
    """An estimator whose weights show the order of the rows, with its problem and its initial weights."""
    X, y = np.eye(n_rows), np.arange(n_rows) % 2
    coefs = [np.zeros((n_rows, 1)), np.ones((1, 1)), np.ones((1, 1))]
    alpha = (1.0 - CLOCK_SHRINK) * n_rows / CLOCK_ETA
    # "he" starts with zero biases.
    settings = {"learning_rate_init": CLOCK_ETA, "init": "he", "alpha": alpha, "shuffle": True}
    clf = estimator(1, hidden_layer_sizes=(1, 1), activation="identity", **(settings | params))
    return clf, X, y, coefs


def changes(clf, before, y, n_epochs_before=0):
    """The changes of the rows of W_1 in the last epoch: powers of the shrink factor divided by the batch size."""
    n_steps = clf.n_steps_ // clf.n_iter_
    # Raw outputs stay within 1e-6 of 0. So the output of every row is 1/2, and its delta is 1/2 - y.
    change = (clf.coefs_[0] - CLOCK_SHRINK**n_steps * before)[:, 0] / (-CLOCK_ETA * (0.5 - y))
    return change / CLOCK_SHRINK ** (n_steps - 1 + 2 * n_steps * n_epochs_before), n_steps


def order(clf, before, y, n_epochs_before=0):
    """The step that used each row, for batches of one row."""
    change, _ = changes(clf, before, y, n_epochs_before)
    steps = np.log(change) / np.log(CLOCK_SHRINK)
    assert np.abs(steps - np.round(steps)).max() < 1e-3  # steps are whole numbers, up to the outputs' 1e-6
    return np.round(steps).astype(int)


def orders(n_epochs, n_rows=40, **params):
    """The order of the rows in each of several calls of partial_fit."""
    clf, X, y, coefs = clock(n_rows, batch_size=1, **params)
    clf.set_params(max_iter=1).fit(X, y, coefs_init=coefs)
    found = [order(clf, coefs[0], y)]
    for _ in range(n_epochs - 1):
        for part, first in zip(clf.coefs_, coefs, strict=True):
            part[...] = first
        for part in clf.intercepts_:
            part[...] = 0.0
        clf.partial_fit(X, y)
        found.append(order(clf, coefs[0], y))
    return found


def test_without_shuffling_the_rows_come_in_the_order_of_x():
    for found in orders(3, shuffle=False):
        np.testing.assert_array_equal(found, np.arange(40))


def test_every_row_is_used_exactly_once_per_epoch():
    for found in orders(5):
        np.testing.assert_array_equal(np.sort(found), np.arange(40))


def test_partial_fit_continues_the_random_stream():
    # There are 40! orders, so ten epochs have ten different orders.
    assert len({tuple(found) for found in orders(10)}) == 10


def test_fit_permutes_the_rows_again_in_each_epoch():
    clf, X, y, coefs = clock(40, batch_size=1)
    clf.fit(X, y, coefs_init=coefs)
    first = order(clf, coefs[0], y)
    before = clf.coefs_[0].copy()
    clf, _, _, _ = clock(40, batch_size=1)
    clf.set_params(max_iter=2).fit(X, y, coefs_init=coefs)
    second = order(clf, before, y, n_epochs_before=1)
    np.testing.assert_array_equal(np.sort(second), np.arange(40))
    assert (first != second).any()


def test_random_state_fixes_the_order_and_other_seeds_give_others():
    same = [tuple(map(tuple, orders(2, random_state=7))) for _ in range(2)]
    assert same[0] == same[1]
    assert same[0] != tuple(map(tuple, orders(2, random_state=8)))


def test_every_row_is_equally_likely_at_every_place():
    places = np.array(orders(150, n_rows=20))
    # The place of a row is uniform on 0..19, with mean 9.5 and variance (20^2 - 1) / 12. The bound is six standard
    # errors: a correct shuffle fails with probability 20 * 2e-9, and because the seed is fixed, always or never.
    error = np.sqrt((20**2 - 1) / 12 / 150)
    assert np.abs(places.mean(axis=0) - 9.5).max() < 6 * error


@pytest.mark.parametrize("batch_size", [3, 7, 20, 39, 40])
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
def test_each_batch_of_an_epoch_is_averaged_over_its_own_rows(container, batch_size):
    clf, X, y, coefs = clock(40, batch_size=batch_size)
    clf.fit(container(X), y, coefs_init=coefs)
    change, n_steps = changes(clf, coefs[0], y)
    sizes = [min(batch_size, 40 - start) for start in range(0, 40, batch_size)]
    expected = [CLOCK_SHRINK**k / size for k, size in enumerate(sizes) for _ in range(size)]
    assert n_steps == len(sizes)
    np.testing.assert_allclose(np.sort(change), np.sort(expected), rtol=1e-5)  # the outputs' 1e-6


@pytest.mark.parametrize("batch_size", [1, 3, "full"])
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
def test_held_out_rows_are_not_trained_on_and_the_others_are_used_once(container, batch_size):
    # alpha is divided by the number of training rows, 30 of 40.
    clf, X, y, coefs = clock(40, batch_size=batch_size)
    rows_scored = Recorder()
    clf.set_params(validation_fraction=0.25, alpha=clf.alpha * 30 / 40, scoring=rows_scored)
    clf.fit(container(X), y, coefs_init=coefs)
    held_out = rows_scored.X.argmax(axis=1)
    change, n_steps = changes(clf, coefs[0], y)
    size = 30 if batch_size == "full" else batch_size
    assert n_steps == 30 // size
    assert clf.t_ == 30
    np.testing.assert_allclose(change[held_out], np.zeros(10), rtol=0, atol=1e-12)
    expected = [CLOCK_SHRINK**k / size for k in range(n_steps) for _ in range(size)]
    np.testing.assert_allclose(np.sort(np.delete(change, held_out)), np.sort(expected), rtol=1e-5)  # the outputs' 1e-6
    assert y[held_out].sum() == 5  # stratified: five rows of each class


class Recorder:
    """A scorer that keeps the rows that it gets."""

    def __call__(self, clf, X, y, sample_weight=None):
        self.X = X.toarray() if sparse.issparse(X) else np.array(X)
        return 0.0


@pytest.mark.parametrize("batch_size", [1, 7, "full"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("solver", SOLVERS)
def test_holding_out_rows_equals_training_on_the_others(solver, weighted, batch_size, assert_parameters):
    X, y, _ = problem("multiclass", 70, sparse_fraction=0.0)
    start = initial_values((5, 6, 4, 3), seed=1)
    weight = np.random.default_rng(0).random(70) ** 3 if weighted else None
    rows_scored = Recorder()
    params = {"batch_size": batch_size, "alpha": 2.0, **SOLVERS[solver]}
    whole = estimator(3, validation_fraction=0.3, scoring=rows_scored, **params)
    whole.fit(X, y, sample_weight=weight, coefs_init=start[0], intercepts_init=start[1])
    held_out = [int(np.flatnonzero((row == X).all(axis=1))[0]) for row in rows_scored.X]
    assert len(set(held_out)) == 21
    others = np.setdiff1d(np.arange(70), held_out)
    part = estimator(3, **params).fit(
        X[others],
        y[others],
        sample_weight=None if weight is None else weight[others],
        coefs_init=start[0],
        intercepts_init=start[1],
    )
    assert_parameters(whole, part.coefs_, part.intercepts_, atol=1e-12)
    np.testing.assert_allclose(whole.loss_curve_, part.loss_curve_, rtol=0, atol=1e-12)


def test_without_shuffling_random_state_only_draws_the_initial_values(assert_identical):
    X, y, _ = problem("multiclass", 23)
    start = initial_values((5, 6, 4, 3), seed=1)
    fits = [estimator(3, random_state=seed).fit(X, y, coefs_init=start[0], intercepts_init=start[1]) for seed in (0, 1)]
    assert_identical(*fits)


# Repeatability


@pytest.mark.parametrize("solver", [*SOLVERS, "lbfgs"])
def test_random_state_makes_everything_repeatable(solver, assert_identical):
    X, y, _ = problem("multiclass", 60)
    params = SOLVERS.get(solver, {"solver": "lbfgs"})
    fits = [
        estimator(4, shuffle=True, random_state=seed, early_stopping=solver != "lbfgs", **params).fit(X, y)
        for seed in (5, 5, 6)
    ]
    assert_identical(fits[0], fits[1])
    assert fits[0].loss_curve_ == fits[1].loss_curve_
    assert fits[0].validation_scores_ == fits[1].validation_scores_
    assert (fits[0].coefs_[0] != fits[2].coefs_[0]).any()


def test_a_random_state_object_gives_different_fits(assert_identical):
    X, y, _ = problem("multiclass", 23)
    rng = np.random.RandomState(0)
    first, second = (estimator(2, random_state=rng, shuffle=True).fit(X, y) for _ in range(2))
    assert (first.coefs_[0] != second.coefs_[0]).any()
    assert_identical(first, estimator(2, random_state=np.random.RandomState(0), shuffle=True).fit(X, y))


def test_training_does_not_use_the_global_random_state():
    X, y, _ = problem("multiclass", 23)
    np.random.seed(0)  # noqa: NPY002
    expected = np.random.random()  # noqa: NPY002
    np.random.seed(0)  # noqa: NPY002
    estimator(2, random_state=3, shuffle=True).fit(X, y)
    assert np.random.random() == expected  # noqa: NPY002


def test_training_does_not_write_into_its_arguments():
    X, y, _ = problem("multiclass", 23)
    start = initial_values((5, 6, 4, 3), seed=1)
    weight = np.ones(23)
    given = [X, y, weight, *start[0], *start[1]]
    copies = [a.copy() for a in given]
    estimator(2).fit(X, y, sample_weight=weight, coefs_init=start[0], intercepts_init=start[1]).partial_fit(X, y)
    for array, copy in zip(given, copies, strict=True):
        np.testing.assert_array_equal(array, copy)


# Continued training

CONTINUED = {
    **SOLVERS,
    "invscaling": {"learning_rate": "invscaling", "power_t": 0.3},
    "adaptive": {"learning_rate": "adaptive", "tol": 0.5, "n_iter_no_change": 1},
    "adaptive adam": {"solver": "adam", "learning_rate": "adaptive", "tol": 0.5, "n_iter_no_change": 1},
    "float32": {"dtype": "float32"},
    "with alpha": {"alpha": 2.0, "momentum": 0.5},
}


@pytest.mark.parametrize("batch_size", [1, 7, "full"])
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize("name", CONTINUED)
def test_k_partial_fits_equal_one_fit_of_k_epochs(name, container, batch_size, assert_identical):
    X, y, _ = problem("multiclass", 70)
    X, weight = container(X), np.random.default_rng(0).random(70)
    params = {"batch_size": batch_size} | CONTINUED[name]
    whole = estimator(5, **params).fit(X, y, sample_weight=weight)
    parts = estimator(5, **params)
    for _ in range(5):
        parts.partial_fit(X, y, sample_weight=weight, classes=np.unique(y))
    assert_identical(whole, parts)
    assert whole.n_steps_ == parts.n_steps_
    assert whole.n_iter_ == parts.n_iter_ == 5
    assert whole.t_ == parts.t_ == 5 * 70
    assert whole.loss_curve_ == parts.loss_curve_
    assert whole.history_["learning_rate"] == parts.history_["learning_rate"]
    if "adaptive" in name:
        assert min(whole.history_["learning_rate"]) < 0.1  # the rate fell, so the calls continued its fall


def test_fit_starts_anew_after_partial_fit(assert_identical):
    X, y, _ = problem("multiclass", 23)
    for params in SOLVERS.values():
        clf = estimator(3, shuffle=True, **params)
        first = [c.copy() for c in clf.fit(X, y).coefs_]
        clf.partial_fit(X, y)
        assert (clf.coefs_[0] != first[0]).any()
        clf.fit(X, y)
        assert_identical(clf, estimator(3, shuffle=True, **params).fit(X, y))
        assert clf.n_iter_ == 3
        assert len(clf.loss_curve_) == 3


@pytest.mark.parametrize("name", CONTINUED)
@pytest.mark.parametrize("begin", ["fit", "partial_fit"])
def test_a_pickled_model_continues_like_the_model_itself(begin, name, assert_identical):
    X, y, _ = problem("multiclass", 70)
    clf = estimator(3, **({"shuffle": True} | CONTINUED[name]))
    if begin == "fit":
        clf.fit(X, y)
    else:
        clf.partial_fit(X, y, classes=np.unique(y)).partial_fit(X, y)
    copy = pickle.loads(pickle.dumps(clf))
    assert_identical(clf, copy)
    np.testing.assert_array_equal(clf.predict_proba(X), copy.predict_proba(X))
    for _ in range(3):
        clf.partial_fit(X, y)
        copy.partial_fit(X, y)
    assert_identical(clf, copy)
    assert clf.loss_curve_ == copy.loss_curve_
    assert clf.n_iter_ == copy.n_iter_


@pytest.mark.parametrize("name", CONTINUED)
def test_a_warm_started_fit_continues_like_partial_fit(name, assert_identical):
    X, y, _ = problem("multiclass", 70)
    params = {"shuffle": True} | CONTINUED[name] | {"n_iter_no_change": 100}
    warm = estimator(2, warm_start=True, **params).fit(X, y).fit(X, y)
    parts = estimator(2, **params)
    for _ in range(4):
        parts.partial_fit(X, y, classes=np.unique(y))
    assert_identical(warm, parts)


@pytest.mark.parametrize(("params", "factor"), [({}, 1.05), ({"solver": "adam"}, 3.05), ({"momentum": 0.9}, 2.05)])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_pickle_holds_little_besides_parameters_and_solver_state(params, factor, early_stopping):
    rng = np.random.default_rng(0)
    X, y = rng.random((100, 784), dtype=np.float32), np.arange(100) % 10
    clf = FNNClassifier((512, 256), max_iter=2, random_state=0, early_stopping=early_stopping, **params).fit(X, y)
    n_bytes = sum(p.nbytes for p in clf.coefs_ + clf.intercepts_)
    assert n_bytes == 4 * (785 * 512 + 513 * 256 + 257 * 10)
    assert len(pickle.dumps(clf)) <= factor * n_bytes + 20_000


# Precision


@pytest.mark.parametrize("batch_size", [1, 7, 33, "full"])
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize("solver", SOLVERS)
def test_a_float32_run_equals_the_float64_run_up_to_rounding(solver, container, batch_size):
    X, y, _ = problem("multiclass", 150)
    start = initial_values((5, 6, 4, 3), seed=1)
    fits = {
        dtype: estimator(2, batch_size=batch_size, dtype=dtype, alpha=0.5, **SOLVERS[solver]).fit(
            container(X), y, coefs_init=start[0], intercepts_init=start[1]
        )
        for dtype in ("float32", "float64")
    }
    single, double = fits["float32"], fits["float64"]
    assert single.coefs_[0].dtype == np.float32
    assert double.coefs_[0].dtype == np.float64
    difference = max(
        abs(p - q).max()
        for p, q in zip(single.coefs_ + single.intercepts_, double.coefs_ + double.intercepts_, strict=True)
    )
    # There are at most 300 steps. Each rounds weights of size 1 with an error of 6e-8 and passes on earlier errors.
    # Adam divides by the root of V, which magnifies the errors of small gradients.
    assert 0 < difference < (2e-3 if solver == "adam" else 1e-4)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "bool", "float16", "float32", "int16"])
def test_rows_are_cast_without_wrapping_around(dtype, assert_identical):
    X, y, _ = problem("multiclass", 70)
    X = np.abs(X * 3).astype(dtype)
    for params in ({"batch_size": 1}, {"batch_size": 20}, {"batch_size": "full"}, {"solver": "adam"}):
        clf = estimator(2, shuffle=True, **({"dtype": "auto"} | params)).fit(X, y)
        assert clf.coefs_[0].dtype == np.float32
        assert_identical(clf, estimator(2, shuffle=True, dtype="auto", **params).fit(X.astype(np.float32), y))


@pytest.mark.parametrize("batch_size", [1, 7, "full"])
@pytest.mark.parametrize("dtype", ["f4", "f8", "u1", ">f8"])
@pytest.mark.parametrize(
    "form", [np.asfortranarray, lambda X: np.repeat(X, 2, axis=0)[::2], lambda X: X[:, ::-1].copy()[:, ::-1]]
)
def test_the_memory_order_of_x_does_not_matter(form, dtype, batch_size, assert_identical):
    X, y, _ = problem("multiclass", 70)
    X = np.ascontiguousarray(np.abs(X * 3).astype(dtype))
    assert not form(X).flags.c_contiguous
    for shuffle in (False, True):
        params = {"shuffle": shuffle, "batch_size": batch_size}
        assert_identical(estimator(2, **params).fit(form(X), y), estimator(2, **params).fit(X, y))


def test_x_may_be_a_memory_map(tmp_path, assert_identical):
    X, y, _ = problem("multiclass", 70)
    mapped = np.memmap(tmp_path / "X", dtype=X.dtype, mode="w+", shape=X.shape)
    mapped[:] = X
    mapped.flush()
    mapped = np.memmap(tmp_path / "X", dtype=X.dtype, mode="r", shape=X.shape)
    assert_identical(estimator(2, shuffle=True).fit(mapped, y), estimator(2, shuffle=True).fit(X, y))


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
