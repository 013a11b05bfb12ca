"""Each epoch uses every training row once, in an order that the seed determines."""

from functools import partial

import exact
import numpy as np
import pytest
from exact import SOLVERS
from problems import initial_values, problem
from scipy import sparse

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

estimator = partial(exact.estimator, batch_size=7)

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
