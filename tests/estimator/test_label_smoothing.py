"""Label smoothing: training uses mixed targets, validation uses the exact labels."""

import numpy as np
import pytest
from exact import ATOL, SOLVERS, by_loop, estimator
from problems import initial_values, n_outputs, problem
from reference import objective
from scipy import sparse
from sklearn.metrics import log_loss

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

KINDS = ["binary", "multiclass", "multilabel"]
SOLVERS = {name: SOLVERS[name] for name in ("plain", "nesterov", "adam")}


def smoothed(T, kind, share):
    """The targets of Szegedy et al. (2016), section 7. A logistic unit counts as two classes."""
    return (1.0 - share) * T + share / (T.shape[1] if kind == "multiclass" else 2)


def start_for(kind, hidden=(6, 4)):
    """Initial values for five features."""
    return initial_values((5, *hidden, n_outputs(kind)), seed=1)


# Training


@pytest.mark.parametrize("batch_size", [1, 16, "full"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("solver", SOLVERS)
def test_training_equals_the_loop_with_smoothed_targets(solver, kind, share, batch_size, assert_parameters):
    X, y, T = problem(kind, 70)
    start = start_for(kind)
    clf = estimator(2, label_smoothing=share, batch_size=batch_size, alpha=0.7, **SOLVERS[solver])
    clf.fit(X, y, coefs_init=start[0], intercepts_init=start[1])
    coefs, intercepts, losses, _ = by_loop(clf, X, smoothed(T, kind, share), start, kind, 2)
    assert_parameters(clf, coefs, intercepts, atol=ATOL)
    np.testing.assert_allclose(clf.loss_curve_, losses, rtol=0, atol=ATOL)
    exact = estimator(2, batch_size=batch_size, alpha=0.7, **SOLVERS[solver])
    exact.fit(X, y, coefs_init=start[0], intercepts_init=start[1])
    assert max(abs(p - q).max() for p, q in zip(clf.coefs_, exact.coefs_, strict=True)) > 1e-4


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("container", [sparse.csr_matrix, sparse.csc_matrix])
def test_training_equals_the_loop_for_weighted_sparse_rows(container, kind, assert_parameters):
    X, y, T = problem(kind, 70)
    weight = np.random.default_rng(3).integers(0, 4, size=70).astype(float)
    start = start_for(kind)
    clf = estimator(2, label_smoothing=0.2)
    clf.fit(container(X), y, sample_weight=weight, coefs_init=start[0], intercepts_init=start[1])
    coefs, intercepts, losses, _ = by_loop(clf, X, smoothed(T, kind, 0.2), start, kind, 2, weights=weight)
    assert_parameters(clf, coefs, intercepts, atol=ATOL)
    np.testing.assert_allclose(clf.loss_curve_, losses, rtol=0, atol=ATOL)


@pytest.mark.parametrize("kind", KINDS)
def test_the_shuffled_rows_have_their_own_targets(kind, assert_parameters):
    # A full batch does not depend on the order of the rows. With such a small eta, shuffled mini-batches hardly do.
    X, y, _ = problem(kind, 70)
    start = start_for(kind)
    fits = [
        estimator(1, label_smoothing=0.3, shuffle=shuffle, batch_size=10, learning_rate_init=1e-7)
        .fit(X, y, coefs_init=start[0], intercepts_init=start[1])
        .loss_curve_
        for shuffle in (False, True)
    ]
    # Seven steps with an eta of 1e-7 and gradients of size 1.
    np.testing.assert_allclose(fits[0], fits[1], rtol=0, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_lbfgs_minimises_the_objective_of_smoothed_targets(kind):
    X, y, T = problem(kind, 40)
    clf = estimator(50, solver="lbfgs", label_smoothing=0.2, alpha=4.0, hidden_layer_sizes=(4,)).fit(X, y)
    value = objective(X, smoothed(T, kind, 0.2), clf.coefs_, clf.intercepts_, "tanh", kind, alpha=4.0)
    np.testing.assert_allclose(clf.loss_, value, rtol=1e-10)


def test_outputs_that_fit_perfectly_equal_the_smoothed_targets():
    # With one row per class, the network can reach the targets exactly.
    X, y = np.eye(4), np.arange(4)
    clf = estimator(2000, solver="lbfgs", label_smoothing=0.2, tol=1e-12, hidden_layer_sizes=(8,)).fit(X, y)
    # SciPy's L-BFGS stops when the loss changes by 2e-9. The error of the outputs is the root of this number.
    np.testing.assert_allclose(clf.predict_proba(X), 0.8 * np.eye(4) + 0.05, rtol=0, atol=2e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_smoothing_of_0_changes_nothing(kind, assert_identical):
    X, y, _ = problem(kind, 70)
    for solver in SOLVERS.values():
        zero, default = estimator(2, label_smoothing=0, **solver).fit(X, y), estimator(2, **solver).fit(X, y)
        assert_identical(zero, default)
        assert zero.loss_curve_ == default.loss_curve_


@pytest.mark.parametrize("kind", KINDS)
def test_smoothing_that_rounds_to_nothing_changes_nothing(kind, assert_parameters):
    # Unlike smoothing of 0, it uses the general code path.
    X, y, _ = problem(kind, 70)
    tiny, default = estimator(2, label_smoothing=1e-17).fit(X, y), estimator(2).fit(X, y)
    assert_parameters(tiny, default.coefs_, default.intercepts_, atol=1e-14)


@pytest.mark.parametrize("kind", KINDS)
def test_k_partial_fits_equal_one_fit_of_k_epochs(kind, assert_identical):
    X, y, _ = problem(kind, 70)
    whole = estimator(3, label_smoothing=0.2, shuffle=True).fit(X, y)
    parts = estimator(3, label_smoothing=0.2, shuffle=True)
    for _ in range(3):
        parts.partial_fit(X, y, classes=None if kind == "multilabel" else np.unique(y))
    assert_identical(whole, parts)


def test_smoothing_includes_all_announced_classes():
    # Class 13 has no row, but it gets its share: training pushes its output to 0.2 / 4 instead of 0.
    X, y, _ = problem("multiclass", 70)
    params = {"solver": "adam", "learning_rate_init": 0.02, "batch_size": "full"}
    fits = [estimator(1, label_smoothing=share, **params) for share in (0.0, 0.2)]
    for clf in fits:
        for _ in range(150):
            clf.partial_fit(X, y, classes=[3, 5, 11, 13])
    exact, smooth = (clf.predict_proba(X)[:, 3].mean() for clf in fits)
    # At the minimum, every output has the mean of its target. Training has come close to the minimum.
    assert exact < 0.01
    np.testing.assert_allclose(smooth, 0.05, atol=0.01)


def test_class_weights_and_smoothing_can_be_combined(assert_identical):
    X, y, _ = problem("multiclass", 70)
    weighted = estimator(3, label_smoothing=0.2, class_weight={3: 0.25, 11: 4.0}).fit(X, y)
    weight = np.select([y == 3, y == 11], [0.25, 4.0], 1.0)
    assert_identical(weighted, estimator(3, label_smoothing=0.2).fit(X, y, sample_weight=weight))


# Validation


def exact_loss(clf, X, y):
    """scikit-learn's loss of exact labels. With several labels, it is the sum over the labels."""
    p = clf.predict_proba(X)
    if y.ndim == 1:
        return log_loss(y, p, labels=clf.classes_)
    return sum(log_loss(y[:, k], p[:, k], labels=[0, 1]) for k in range(y.shape[1]))


@pytest.mark.parametrize("kind", KINDS)
def test_the_validation_loss_uses_the_exact_labels(kind):
    X, y, _ = problem(kind, 90)
    clf = estimator(4, label_smoothing=0.4).fit(X[:60], y[:60], X_val=X[60:], y_val=y[60:])
    np.testing.assert_allclose(clf.validation_loss_curve_[-1], exact_loss(clf, X[60:], y[60:]), rtol=1e-10)
    assert clf.validation_scores_[-1] == clf.score(X[60:], y[60:])


@pytest.mark.parametrize("kind", KINDS)
def test_rows_held_out_have_exact_labels(kind):
    X, y, _ = problem(kind, 90)
    rows = []

    def scorer(clf, X, y):
        rows[:] = [X, y]
        return clf.score(X, y)

    params = {"label_smoothing": 0.4, "validation_fraction": 0.3}
    estimator(4, scoring=scorer, **params).fit(X, y)
    clf = estimator(4, **params).fit(X, y)
    np.testing.assert_allclose(clf.validation_loss_curve_[-1], exact_loss(clf, *rows), rtol=1e-10)
    assert clf.validation_scores_[-1] == clf.score(*rows)


@pytest.mark.parametrize("kind", KINDS)
def test_the_training_loss_uses_the_smoothed_targets(kind):
    # The loss of a smoothed target is at least the entropy of the target.
    X, y, T = problem(kind, 40)
    clf = estimator(300, label_smoothing=0.4, solver="adam", learning_rate_init=0.05, batch_size="full").fit(X, y)
    targets = smoothed(T, kind, 0.4)
    if kind == "multiclass":
        entropy = -(targets * np.log(targets)).sum(axis=1).mean()
    else:
        entropy = -(targets * np.log(targets) + (1 - targets) * np.log(1 - targets)).sum(axis=1).mean()
    assert entropy <= clf.loss_ < entropy + 0.2
    assert exact_loss(clf, X, y) < entropy


@pytest.mark.parametrize("share", [-0.1, 1.0, 2, "0.1", None, float("nan")])
def test_smoothing_outside_0_to_1_is_refused(share):
    X, y, _ = problem("multiclass", 23)
    with pytest.raises(ValueError, match="label_smoothing"):
        estimator(3, label_smoothing=share).fit(X, y)
