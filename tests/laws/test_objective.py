"""Laws of the objective R(W), and of the mini-batch gradient, which is an unbiased estimate of R's gradient."""

from itertools import permutations

import numpy as np
import pytest
from problems import initial_values, n_outputs, problem
from reference import batch_gradient, gradient, objective
from scipy import sparse
from sklearn.neural_network import MLPClassifier
from tuned import FNNClassifier

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

# With such small steps the weights hardly change, so an epoch adds up gradients at the same weights. Weights of size 1
# are rounded to 1e-16 and change by about FROZEN. So gradients computed from the changes have two errors of 1e-8: about
# 1e-16 / FROZEN from rounding, and about FROZEN because the weights change.
FROZEN = 1e-8
FROZEN_TOLERANCE = {"rtol": 1e-6, "atol": 1e-6}
NEVER_STOP = {"tol": 0.0, "n_iter_no_change": None}
KINDS = ["binary", "multiclass", "multilabel"]


def start_for(kind):
    return initial_values((5, 4, n_outputs(kind)), seed=2)


def fit(X, y, kind, weights=None, *, start=None, **params):
    """A network with one hidden layer of 4 tanh units, fitted in float64 without shuffling."""
    settings = {"activation": "tanh", "dtype": "float64", "shuffle": False, "batch_size": "full", "max_iter": 1}
    clf = FNNClassifier(4, **(settings | NEVER_STOP | params))
    coefs, intercepts = start or start_for(kind)
    return clf.fit(X, y, sample_weight=weights, coefs_init=coefs, intercepts_init=intercepts)


def parameters(clf):
    return np.concatenate([p.ravel() for p in [*clf.coefs_, *clf.intercepts_]])


def flat(arrays):
    return np.concatenate([a.ravel() for a in arrays])


def moved(X, y, kind, weights=None, **params):
    """The sum of the gradients of an epoch's steps, all at the initial values."""
    clf = fit(X, y, kind, weights, learning_rate_init=FROZEN, **params)
    coefs, intercepts = start_for(kind)
    return (flat(coefs + intercepts) - parameters(clf)) / FROZEN, clf.n_steps_


# The strength of the L2 term


def weight_norms(cls, batch_sizes, n_steps, **params):
    """The norm of all weights after the same number of steps with each batch size."""
    X, y, _ = problem("binary", 200)
    norms = []
    for batch_size in batch_sizes:
        n_batches = -(-len(X) // batch_size)
        settings = {"batch_size": batch_size, "max_iter": n_steps // n_batches, "random_state": 0}
        clf = cls(4, "tanh", **(NEVER_STOP | settings | params))
        norms.append(np.sqrt(sum((c**2).sum() for c in clf.fit(X, y).coefs_)))
    return np.array(norms)


def test_batch_size_does_not_change_the_strength_of_alpha():
    # Steps x eta x alpha / B is 6, so the L2 term reduces the initial values to e^-6 of their size. The norms are
    # then those of the minimum, apart from the noise of the gradients, which is 1 to 2 % for batches of one row and
    # eta = 0.02.
    settings = {"alpha": 20.0, "learning_rate_init": 0.02, "solver": "sgd", "momentum": 0.0}
    norms = weight_norms(FNNClassifier, [1, 10, 100, 200], n_steps=3000, **settings)
    assert norms.max() / norms.min() < 1.05
    assert norms.min() > 1.0  # the L2 term has not simply reduced all weights to zero
    # MLPClassifier's alpha is B / batch_size times as strong.
    theirs = weight_norms(MLPClassifier, [1, 200], n_steps=1000, **(settings | {"n_iter_no_change": np.inf}))
    assert theirs.max() / theirs.min() > 10


@pytest.mark.parametrize("batch_size", [1, 3, 23, "full"])
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
def test_every_step_shrinks_the_weights_by_eta_alpha_over_b(container, batch_size):
    # With rows of zeros, the data do not affect W_1.
    X, y = container(np.zeros((23, 5))), np.arange(23) % 2
    coefs = [np.full((5, 4), 2.0), np.zeros((4, 1))]
    clf = FNNClassifier(4, "tanh", batch_size=batch_size, alpha=3.0, learning_rate_init=0.1, max_iter=2)
    clf.set_params(dtype="float64").fit(X, y, coefs_init=coefs)
    # There are up to 46 steps with one rounding each.
    np.testing.assert_allclose(clf.coefs_[0], 2.0 * (1 - 0.1 * 3.0 / 23) ** clf.n_steps_, rtol=1e-13)


@pytest.mark.parametrize(
    "params",
    [
        {"learning_rate_init": 0.05},
        {"learning_rate_init": 0.005, "momentum": 0.9},
        {"learning_rate_init": 0.05, "solver": "adam"},
        {"solver": "lbfgs"},
    ],
    ids=str,
)
def test_biases_are_not_penalised(params):
    # With rows and weights of zeros, only the output's bias is trained. It fits the class frequencies, 3 to 1.
    X, y = np.zeros((8, 5)), [0, 0, 1, 1, 1, 1, 1, 1]
    clf = FNNClassifier(4, "tanh", alpha=100.0, max_iter=600, dtype="float64", **NEVER_STOP, **params)
    clf.fit(X, y, coefs_init=[np.zeros((5, 4)), np.zeros((4, 1))])
    # A penalty of 100 / 8 on the bias would keep the log-odds of the classes at 0.02.
    np.testing.assert_allclose(clf.intercepts_[1], np.log(3.0), atol=0.01)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("alpha", [0.0, 3.0])
@pytest.mark.parametrize("params", [{}, {"momentum": 0.9}, {"solver": "adam"}], ids=str)
def test_the_loss_curve_at_full_batch_is_the_objective(params, alpha, weighted, kind):
    X, y, T = problem(kind, 30)
    weights = np.random.default_rng(0).random(30) * 4 if weighted else None
    params = {"alpha": alpha, **params}
    curve = fit(X, y, kind, weights, max_iter=4, **params).loss_curve_
    points = [start_for(kind)]
    for n_epochs in range(1, 4):
        clf = fit(X, y, kind, weights, max_iter=n_epochs, **params)
        points.append((clf.coefs_, clf.intercepts_))
    expected = [objective(X, T, *point, "tanh", kind, alpha, weights) for point in points]
    assert max(expected) - min(expected) > 1e-3
    np.testing.assert_allclose(curve, expected, rtol=1e-13)  # sums of 30 rows


@pytest.mark.parametrize("n_rows", [30, 1300])
@pytest.mark.parametrize("batch_size", [7, "auto", "full"])
@pytest.mark.parametrize("alpha", [0.0, 3.0])
@pytest.mark.parametrize("kind", KINDS)
def test_lbfgs_minimises_the_objective_whatever_the_batch_size(kind, alpha, batch_size, n_rows):
    X, y, T = problem(kind, n_rows)
    weights = np.random.default_rng(0).random(n_rows)
    clf = fit(X, y, kind, weights, solver="lbfgs", alpha=alpha, max_iter=5, batch_size=batch_size)
    expected = objective(X, T, clf.coefs_, clf.intercepts_, "tanh", kind, alpha, weights)
    np.testing.assert_allclose(clf.loss_, expected, rtol=1e-13)  # sums of 1300 rows at most
    assert clf.loss_ == clf.loss_curve_[-1]
    assert clf.loss_ < objective(X, T, *start_for(kind), "tanh", kind, alpha, weights)


@pytest.mark.parametrize("batch_size", [1, 7, "full"])
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
def test_the_training_loss_contains_the_l2_term_at_the_start_of_the_epoch(container, batch_size):
    X, y, _ = problem("multiclass", 30)
    coefs, _ = start_for("multiclass")
    # A step of 1e-12 does not change the part of the loss that depends on the data.
    losses = [
        fit(container(X), y, "multiclass", batch_size=batch_size, alpha=alpha, learning_rate_init=1e-12).loss_
        for alpha in (0.0, 50.0)
    ]
    squares = sum((c**2).sum() for c in coefs)
    np.testing.assert_allclose(losses[1] - losses[0], 50.0 / (2 * 30) * squares, rtol=1e-9)


# Sample weights


@pytest.mark.parametrize("batch_size", [1, 2, 4])
@pytest.mark.parametrize("params", [{}, {"momentum": 0.9}, {"solver": "adam"}], ids=str)
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
def test_a_minibatch_of_weight_zero_is_harmless(container, params, batch_size):
    X, y, _ = problem("multiclass", 14)
    weights = np.ones(14)
    weights[4:8] = 0.0
    clf = fit(container(X), y, "multiclass", weights, batch_size=batch_size, max_iter=3, **params)
    assert np.isfinite(parameters(clf)).all()
    assert np.isfinite(clf.loss_)
    # MLPClassifier divides by the weights of the batch.
    mlp = MLPClassifier(4, batch_size=batch_size, max_iter=3, shuffle=False)
    with pytest.raises(ZeroDivisionError):
        mlp.fit(X, y, sample_weight=weights)


@pytest.mark.parametrize("batch_size", [1, 2, 4])
def test_a_minibatch_of_weight_zero_does_not_change_the_weights(batch_size):
    # Without that mini-batch, the mean weight is larger by 14/10, and so is the effect of every other row. eta / 1.4
    # corrects this.
    X, y, _ = problem("multiclass", 14)
    rows = np.r_[:4, 8:12, 12:14]
    weights = np.ones(14)
    weights[4:8] = 0.0
    with_zeros = fit(X, y, "multiclass", weights, batch_size=batch_size, max_iter=2, learning_rate_init=0.1)
    without = fit(X[rows], y[rows], "multiclass", batch_size=batch_size, max_iter=2, learning_rate_init=0.14)
    np.testing.assert_allclose(parameters(with_zeros), parameters(without), rtol=0, atol=1e-13)


@pytest.mark.parametrize("params", [{}, {"momentum": 0.9}, {"solver": "adam"}, {"solver": "lbfgs"}], ids=str)
@pytest.mark.parametrize("batch_size", [1, 7, "full"])
def test_scaling_all_weights_changes_nothing(batch_size, params):
    X, y, _ = problem("multiclass", 30)
    weights = np.random.default_rng(0).random(30)
    params = {"batch_size": batch_size, "max_iter": 5, "alpha": 1.0, "learning_rate_init": 0.01} | params
    base, doubled, tripled = (
        parameters(fit(X, y, "multiclass", factor * weights, **params)) for factor in (1.0, 2.0, 3e5)
    )
    np.testing.assert_array_equal(base, doubled)  # a power of 2 does not round
    np.testing.assert_allclose(base, tripled, rtol=0, atol=1e-11)  # one rounding of every weight, after five epochs


@pytest.mark.parametrize("params", [{}, {"momentum": 0.9}, {"solver": "adam"}], ids=str)
@pytest.mark.parametrize("batch_size", [1, 7, "full"])
def test_equal_weights_have_no_effect(batch_size, params):
    X, y, _ = problem("multiclass", 30)
    params = {"batch_size": batch_size, "max_iter": 3, "alpha": 1.0} | params
    for value in (1.0, 8.0):
        np.testing.assert_allclose(
            parameters(fit(X, y, "multiclass", np.full(30, value), **params)),
            parameters(fit(X, y, "multiclass", **params)),
            rtol=0,
            atol=1e-12,
        )


@pytest.mark.parametrize("kind", ["binary", "multiclass"])
def test_class_weights_equal_sample_weights(kind):
    X, y, _ = problem(kind, 30)
    labels = np.unique(y)
    class_weight = dict(zip(labels.tolist(), [0.5, 3.0, 1.0], strict=False))
    weights = np.array([class_weight[label] for label in y.tolist()])
    params = {"batch_size": 7, "max_iter": 3}
    expected = parameters(fit(X, y, kind, weights, **params))
    found = parameters(fit(X, y, kind, class_weight=class_weight, **params))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13)
    both = parameters(fit(X, y, kind, weights, class_weight=class_weight, **params))
    np.testing.assert_allclose(both, parameters(fit(X, y, kind, weights**2, **params)), rtol=0, atol=1e-13)


INTEGERS = np.array([1, 3, 0, 2, 1, 1, 4, 0, 2, 1, 3, 2])  # 20 rows when repeated


def weighted_and_repeated(kind):
    """12 rows with integer weights, and the same rows repeated as often as their weights say."""
    X, y, _ = problem(kind, 12)
    return (X, y, INTEGERS.astype(float)), (np.repeat(X, INTEGERS, axis=0), np.repeat(y, INTEGERS, axis=0), None)


@pytest.mark.parametrize("params", [{}, {"momentum": 0.9}, {"solver": "adam"}, {"solver": "lbfgs"}], ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_at_full_batch_integer_weights_equal_repeated_rows(kind, params):
    (X, y, w), (X_repeated, y_repeated, _) = weighted_and_repeated(kind)
    params = {"max_iter": 10, "learning_rate_init": 0.01} | params
    weighted = parameters(fit(X, y, kind, w, **params))
    repeated = parameters(fit(X_repeated, y_repeated, kind, **params))
    assert np.abs(weighted - parameters(fit(X, y, kind, **params))).max() > 1e-4
    # In ten steps, the same sums are computed in another order. The line search of L-BFGS magnifies the rounding.
    np.testing.assert_allclose(weighted, repeated, rtol=0, atol=1e-6 if params.get("solver") == "lbfgs" else 1e-11)


@pytest.mark.parametrize("kind", ["binary", "multiclass"])
def test_balanced_class_weights_count_weighted_rows_like_repeated_rows(kind):
    (X, y, w), (X_repeated, y_repeated, _) = weighted_and_repeated(kind)
    weighted = fit(X, y, kind, w, class_weight="balanced", max_iter=5)
    repeated = fit(X_repeated, y_repeated, kind, class_weight="balanced", max_iter=5)
    np.testing.assert_allclose(parameters(weighted), parameters(repeated), rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("batch_size", "repeated_batch_size"), [(1, 1), (2, 2), (4, 4), (3, 5), (12, 10)])
def test_integer_weights_and_repeated_rows_have_the_same_expected_gradient(kind, batch_size, repeated_batch_size):
    # The batch size divides the number of rows, so the mean over an epoch's steps is the expectation over mini-batches.
    (X, y, w), (X_repeated, y_repeated, _) = weighted_and_repeated(kind)
    total, n_steps = moved(X, y, kind, w, batch_size=batch_size)
    total_repeated, n_steps_repeated = moved(X_repeated, y_repeated, kind, batch_size=repeated_batch_size)
    assert n_steps == 12 // batch_size
    assert n_steps_repeated == 20 // repeated_batch_size
    np.testing.assert_allclose(total / n_steps, total_repeated / n_steps_repeated, **FROZEN_TOLERANCE)
    coefs, intercepts = start_for(kind)
    _, _, T = problem(kind, 12)
    expected = flat(gradient(X, T, coefs, intercepts, "tanh", kind, weights=w))
    np.testing.assert_allclose(total / n_steps, expected, **FROZEN_TOLERANCE)


@pytest.mark.parametrize("params", [{}, {"momentum": 0.9}], ids=str)
def test_in_float32_weights_and_repeated_rows_differ_by_rounding(params):
    # The difference is a few units in the last place, and the same number of units in either precision.
    (X, y, w), (X_repeated, y_repeated, _) = weighted_and_repeated("multiclass")
    for dtype in ("float32", "float64"):
        shared = {"dtype": dtype, "max_iter": 10, "learning_rate_init": 0.05} | params
        weighted = parameters(fit(X, y, "multiclass", w, **shared))
        repeated = parameters(fit(X_repeated, y_repeated, "multiclass", **shared))
        assert np.abs(weighted - repeated).max() < 20 * np.finfo(dtype).eps


# The mini-batch gradient


@pytest.mark.parametrize("alpha", [0.0, 2.0])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("batch_size", [1, 2, 3])
def test_the_minibatch_gradient_is_unbiased(batch_size, weighted, alpha):
    # Over all orders of the rows, every row is equally often in every mini-batch, including the smaller last one. So
    # the mean over orders and steps is the exact expectation.
    X, _, _ = problem("multiclass", 4)
    y, T = np.array([3, 5, 11, 3]), np.eye(3)[[0, 1, 2, 0]]
    w = np.array([0.0, 1.0, 5.0, 0.2]) if weighted else None
    total = 0.0
    for rows in permutations(range(4)):
        rows = list(rows)
        sums, n_steps = moved(
            X[rows], y[rows], "multiclass", None if w is None else w[rows], batch_size=batch_size, alpha=alpha
        )
        total += sums / n_steps
    coefs, intercepts = start_for("multiclass")
    expected = flat(gradient(X, T, coefs, intercepts, "tanh", "multiclass", alpha, w))
    np.testing.assert_allclose(total / 24, expected, **FROZEN_TOLERANCE)


@pytest.mark.parametrize("weighted", [False, True])
def test_random_minibatches_estimate_the_gradient_of_the_objective(weighted):
    # shuffle=True draws the last mini-batch, 2 of 23 rows. The mean of 500 epochs must agree within its standard error.
    X, y, T = problem("multiclass", 23)
    w = np.random.default_rng(1).random(23) * 3 if weighted else np.ones(23)
    coefs, intercepts = start_for("multiclass")
    n_epochs = 500
    sums, n_steps = moved(
        X, y, "multiclass", w if weighted else None, batch_size=7, shuffle=True, max_iter=n_epochs, random_state=0
    )
    assert n_steps == 4 * n_epochs
    rows = [
        flat(batch_gradient(X, T, [b], coefs, intercepts, "tanh", "multiclass", 0.0, w, w.mean(), 23)[0])
        for b in range(23)
    ]
    expected = np.mean(rows, axis=0)
    # The mean over an epoch's steps is (sum over 21 rows / 7 + sum over 2 rows / 2) / 4: the sum over all rows / 7 plus
    # the sum over the last two times (1/2 - 1/7), divided by 4. Only the two rows are random, so the variance is that
    # of a draw of 2 of 23 rows.
    variance = np.var(rows, axis=0) * 2 * (23 - 2) / (23 - 1) * ((1 / 2 - 1 / 7) / 4) ** 2
    error = np.sqrt(variance / n_epochs)
    # The bound is five standard errors. Each of the 39 parameters exceeds it by chance once in a million, and never
    # with this fixed seed. 500 frozen epochs change the weights by 500 * 4 * FROZEN = 2e-5 times a gradient.
    assert (np.abs(sums / n_steps - expected) < 5 * error + 1e-4 * (1 + np.abs(expected))).all()
    assert (3 * error < 0.1 * np.abs(expected)).mean() > 0.5  # the bound is tight enough to see a bias of 10 %


def test_the_order_within_a_minibatch_does_not_matter():
    X, y, _ = problem("multiclass", 20)
    rng = np.random.default_rng(0)
    rows = np.concatenate([start + rng.permutation(5) for start in range(0, 20, 5)])
    first, second = (
        parameters(fit(X[order], y[order], "multiclass", batch_size=5, max_iter=5)) for order in (np.arange(20), rows)
    )
    np.testing.assert_allclose(first, second, rtol=0, atol=1e-13)
