"""A class weight is a sample weight of the rows of its class, for every solver, batch size and container.

test_algorithms.py compares weighted mini-batches with the formulas. This file compares `class_weight` with
`sample_weight`.
"""

import numpy as np
import pytest
from problems import problem
from scipy import sparse
from sklearn.metrics import accuracy_score, log_loss
from sklearn.utils.class_weight import compute_sample_weight

from skfnn import FNNClassifier

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

N_ROWS = 26
KINDS = ("binary", "multiclass", "multilabel")
ROWS = {kind: problem(kind, N_ROWS)[:2] for kind in KINDS}
# Some weights are above 1, some below 1, and some are 0. "no" is missing, so its weight is 1.
GIVEN = {
    "binary": {"yes": 4.0},
    "multiclass": {3: 0.25, 5: 5.0, 11: 0.0},
    "multilabel": [{0: 1.0, 1: 3.0}, {0: 0.5, 1: 0.5}, {0: 2.0, 1: 0.0}],
}

kinds = pytest.mark.parametrize("kind", KINDS)
weightings = pytest.mark.parametrize("weighting", ["given", "balanced"])
containers = pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
batch_sizes = pytest.mark.parametrize("batch_size", [1, 7, "full"])
SOLVERS = {"sgd": {}, "adam": {"solver": "adam", "learning_rate_init": 0.01}}


def estimator(**params):
    """An estimator that trains for exactly three epochs by default."""
    settings = {"hidden_layer_sizes": (6,), "activation": "tanh", "max_iter": 3, "random_state": 0}
    settings |= {"learning_rate_init": 0.1, "tol": 0.0, "n_iter_no_change": 1000}
    return FNNClassifier(**(settings | params))


def class_weight_of(kind, weighting):
    return GIVEN[kind] if weighting == "given" else "balanced"


def weights_of(y, class_weight):
    """The weight of every row according to the documentation. With several labels, it is their product."""
    if y.ndim == 2:
        per_label = class_weight if isinstance(class_weight, list) else [class_weight] * y.shape[1]
        return np.prod([weights_of(y[:, k], per_label[k]) for k in range(y.shape[1])], axis=0)
    labels = y.tolist()
    if class_weight == "balanced":
        class_weight = {label: len(labels) / (len(set(labels)) * labels.count(label)) for label in set(labels)}
    return np.array([class_weight.get(label, 1.0) for label in labels])


def distance(a, b):
    """The largest difference between the parameters of two models."""
    pairs = zip(a.coefs_ + a.intercepts_, b.coefs_ + b.intercepts_, strict=True)
    return max(abs(p - q).max() for p, q in pairs)


def assert_same_training(weighted, expected):
    """Two models agree, except that their row weights were rounded differently in at most some hundred steps."""
    assert distance(weighted, expected) < 1e-12
    np.testing.assert_allclose(weighted.loss_curve_, expected.loss_curve_, rtol=1e-12)


@kinds
@weightings
def test_the_weights_equal_those_of_compute_sample_weight(kind, weighting):
    _, y = ROWS[kind]
    class_weight = class_weight_of(kind, weighting)
    found = weights_of(y, class_weight)
    np.testing.assert_allclose(found, compute_sample_weight(class_weight, y), rtol=1e-14)
    assert len(set(found.tolist())) > 1  # otherwise nothing below could fail


# fit


@pytest.mark.parametrize("solver", SOLVERS)
@kinds
@weightings
@batch_sizes
@containers
def test_training_equals_training_with_the_equivalent_sample_weight(solver, kind, weighting, batch_size, container):
    X, y = ROWS[kind]
    class_weight = class_weight_of(kind, weighting)
    params = SOLVERS[solver] | {"batch_size": batch_size}
    weighted = estimator(class_weight=class_weight, **params).fit(container(X), y)
    expected = estimator(**params).fit(container(X), y, sample_weight=weights_of(y, class_weight))
    assert_same_training(weighted, expected)
    # Weights have an effect even at batch size 1.
    assert distance(weighted, estimator(**params).fit(container(X), y)) > 1e-4


@kinds
@weightings
@containers
def test_lbfgs_equals_lbfgs_with_the_equivalent_sample_weight(kind, weighting, container):
    X, y = ROWS[kind]
    class_weight = class_weight_of(kind, weighting)
    params = {"solver": "lbfgs", "max_iter": 8, "alpha": 0.1}
    weighted = estimator(class_weight=class_weight, **params).fit(container(X), y)
    expected = estimator(**params).fit(container(X), y, sample_weight=weights_of(y, class_weight))
    # The line search magnifies the rounding.
    assert distance(weighted, expected) < 1e-7
    assert distance(weighted, estimator(**params).fit(container(X), y)) > 1e-2


@weightings
@batch_sizes
def test_the_law_holds_with_all_settings_switched_on(weighting, batch_size):
    X, y = ROWS["multiclass"]
    class_weight = class_weight_of("multiclass", weighting)
    params = {"momentum": 0.5, "alpha": 2.0, "dropout": 0.3, "max_grad_norm": 0.5, "label_smoothing": 0.1}
    params |= {"hidden_layer_sizes": (6, 5), "activation": ["relu", "tanh"], "batch_size": batch_size}
    weighted = estimator(class_weight=class_weight, **params).fit(X, y)
    assert_same_training(weighted, estimator(**params).fit(X, y, sample_weight=weights_of(y, class_weight)))


@pytest.mark.parametrize("solver", [*SOLVERS, "lbfgs"])
@batch_sizes
@kinds
@containers
def test_a_row_weight_is_sample_weight_times_class_weight(solver, batch_size, kind, container):
    X, y = ROWS[kind]
    sample_weight = np.random.default_rng(0).integers(1, 5, N_ROWS).astype(float)
    params = SOLVERS.get(solver, {"solver": "lbfgs"}) | {"batch_size": batch_size}
    weighted = estimator(class_weight=GIVEN[kind], **params).fit(container(X), y, sample_weight)
    expected = estimator(**params).fit(container(X), y, sample_weight * weights_of(y, GIVEN[kind]))
    assert_same_training(weighted, expected)


@batch_sizes
def test_balancing_several_labels_counts_rows_and_multiplies_by_their_weights(batch_size):
    X, y = ROWS["multilabel"]
    sample_weight = np.random.default_rng(0).integers(1, 5, N_ROWS).astype(float)
    weighted = estimator(class_weight="balanced", batch_size=batch_size).fit(X, y, sample_weight)
    expected = estimator(batch_size=batch_size).fit(X, y, sample_weight * weights_of(y, "balanced"))
    assert_same_training(weighted, expected)


def test_several_labels_in_a_sparse_indicator_matrix_have_the_same_weights():
    X, y = ROWS["multilabel"]
    for class_weight in (GIVEN["multilabel"], "balanced"):
        clf = estimator(class_weight=class_weight, batch_size=7)
        dense, indicators = (clf.fit(X, labels).coefs_[0].copy() for labels in (y, sparse.csr_matrix(y)))
        np.testing.assert_array_equal(dense, indicators)


@kinds
def test_only_the_ratios_of_class_weights_matter(kind):
    X, y = ROWS[kind]
    if kind == "multilabel":
        larger = [{label: 8.0 * weight for label, weight in weights.items()} for weights in GIVEN[kind]]
    else:
        larger = {label: 8.0 * GIVEN[kind].get(label, 1.0) for label in np.unique(y).tolist()}
    for batch_size in (1, 7):
        models = [estimator(class_weight=w, batch_size=batch_size).fit(X, y) for w in (GIVEN[kind], larger)]
        assert_same_training(*models)


@pytest.mark.parametrize("solver", SOLVERS)
def test_mini_batches_of_rows_with_weight_zero_are_harmless(solver):
    X, y = ROWS["multiclass"]
    order = np.argsort(y == 11)  # the rows of weight 0 come last and fill whole mini-batches
    clf = estimator(class_weight=GIVEN["multiclass"], batch_size=2, shuffle=False, **SOLVERS[solver])
    clf.fit(X[order], y[order])
    assert np.isfinite(clf.loss_curve_).all()
    assert (y == 11).sum() >= 4
    if solver == "sgd":
        # These rows change nothing: their gradients are 0, and the mean weight scales up the other gradients.
        kept = y[order] != 11
        eta = 0.1 * N_ROWS / kept.sum()
        assert kept.sum() % 2 == 0
        without = estimator(class_weight=GIVEN["multiclass"], batch_size=2, shuffle=False, learning_rate_init=eta)
        for _ in range(3):
            without.partial_fit(X[order][kept], y[order][kept], classes=np.unique(y))
        assert distance(clf, without) < 1e-12


# partial_fit


def first_chunk_lacks_a_class(y):
    """Row numbers of two chunks. The first chunk lacks one class (of the first label)."""
    column = y if y.ndim == 1 else y[:, 0]
    rarest = min(set(column.tolist()), key=column.tolist().count)
    first = np.flatnonzero(column != rarest)[:12]
    return first, np.setdiff1d(np.arange(N_ROWS), first)


@pytest.mark.parametrize("solver", SOLVERS)
@kinds
@weightings
@batch_sizes
@containers
def test_partial_fit_weights_the_rows_of_every_chunk(solver, kind, weighting, batch_size, container):
    X, y = ROWS[kind]
    class_weight = class_weight_of(kind, weighting)
    params = SOLVERS[solver] | {"batch_size": batch_size}
    weighted, expected, plain = estimator(class_weight=class_weight, **params), estimator(**params), estimator(**params)
    classes = None if kind == "multilabel" else np.unique(y)
    for rows in first_chunk_lacks_a_class(y) * 2:
        chunk = container(X[rows]), y[rows]
        weighted.partial_fit(*chunk, classes=classes)
        # "balanced" refers to the rows of the call.
        expected.partial_fit(*chunk, sample_weight=weights_of(y[rows], class_weight), classes=classes)
        plain.partial_fit(*chunk, classes=classes)
    assert_same_training(weighted, expected)
    assert distance(weighted, plain) > 1e-4


def test_with_class_weights_partial_fits_of_all_rows_equal_one_fit(assert_identical):
    X, y = ROWS["multiclass"]
    for class_weight in (GIVEN["multiclass"], "balanced"):
        whole = estimator(class_weight=class_weight, batch_size=7).fit(X, y)
        parts = estimator(class_weight=class_weight, batch_size=7)
        for _ in range(3):
            parts.partial_fit(X, y, classes=np.unique(y))
        assert_identical(whole, parts)


# The validation set


@weightings
@pytest.mark.parametrize("kind", ["binary", "multiclass"])
def test_class_weights_affect_training_and_not_the_scores(kind, weighting):
    X, y = ROWS[kind]
    X_val, y_val, _ = problem(kind, 15, seed=9)
    clf = estimator(class_weight=class_weight_of(kind, weighting), batch_size=7).fit(X, y, X_val=X_val, y_val=y_val)
    # log_loss takes logarithms of rounded probabilities; skfnn uses the raw outputs.
    expected = log_loss(y_val, clf.predict_proba(X_val), labels=clf.classes_)
    np.testing.assert_allclose(clf.validation_loss_curve_[-1], expected, rtol=1e-10)
    np.testing.assert_allclose(clf.validation_scores_[-1], accuracy_score(y_val, clf.predict(X_val)), rtol=1e-14)


@kinds
@weightings
def test_class_weights_do_not_change_the_split_and_balancing_counts_all_rows(kind, weighting):
    X, y = ROWS[kind]
    class_weight = class_weight_of(kind, weighting)
    seen = {}

    def spy(clf, rows, labels, **given):
        seen.update(rows=rows, given=given)
        return 0.0

    weighted = estimator(class_weight=class_weight, batch_size=7, validation_fraction=0.3, scoring=spy).fit(X, y)
    weighted_rows = seen["rows"]
    assert seen["given"] == {}
    estimator(batch_size=7, validation_fraction=0.3, scoring=spy).fit(X, y)
    np.testing.assert_array_equal(weighted_rows, seen["rows"])
    # Training uses the remaining rows, with the weights that were computed from all rows.
    held = {row.tobytes() for row in weighted_rows}
    left = np.array([row.tobytes() not in held for row in X])
    weights = weights_of(y, class_weight)
    expected = estimator(batch_size=7, shuffle=False, validation_fraction=0.3, class_weight=class_weight).fit(X, y)
    by_hand = estimator(batch_size=7, shuffle=False).fit(X[left], y[left], sample_weight=weights[left])
    assert_same_training(expected, by_hand)
    assert weighted.t_ == 3 * left.sum()


# Errors


@pytest.mark.parametrize(
    ("kind", "class_weight", "message"),
    [
        ("multilabel", {0: 1.0, 1: 3.0}, "list of dicts"),
        ("multilabel", [{0: 1.0, 1: 3.0}], "class_weight should match number of outputs"),
        ("multilabel", [{0: 1.0, 1: -3.0}] * 3, "class_weight must hold finite weights >= 0"),
        ("multiclass", {3: 0.0, 5: 0.0, 11: 0.0}, "class_weight"),
        ("multiclass", {3: 2.0, 4: 1.0}, r"keys among the classes \[ 3  5 11\], got \{3: 2.0, 4: 1.0\}"),
        ("multiclass", [1.0, 2.0, 3.0], r"class_weight must be 'balanced' or a dict.*got \[1.0, 2.0, 3.0\]"),
    ],
)
def test_class_weights_that_do_not_match_the_labels_are_refused(kind, class_weight, message):
    X, y = ROWS[kind]
    clf = estimator(class_weight=class_weight)
    with pytest.raises(ValueError, match=message):
        clf.fit(X, y)
    assert not hasattr(clf, "coefs_")


def test_a_dict_may_omit_the_value_0_if_a_chunk_lacks_a_label():
    X = np.random.default_rng(0).normal(size=(40, 3))
    Y = np.column_stack([np.arange(40) >= 20, np.arange(40) % 2]).astype(int)
    clf = FNNClassifier(5, class_weight=[{1: 3.0}, {0: 1.0, 1: 2.0}], batch_size=4, random_state=0)
    other = FNNClassifier(5, batch_size=4, random_state=0)
    for rows in (slice(0, 20), slice(20, 40)):
        clf.partial_fit(X[rows], Y[rows])
        other.partial_fit(X[rows], Y[rows], sample_weight=np.where(Y[rows], [3.0, 2.0], 1.0).prod(axis=1))
    for a, b in zip(clf.coefs_, other.coefs_, strict=True):
        np.testing.assert_array_equal(a, b)
