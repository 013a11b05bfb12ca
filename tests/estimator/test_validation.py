"""The validation set: where it comes from, what is measured on it, and when it stops training."""

import copy

import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import load_digits
from sklearn.metrics import accuracy_score, get_scorer, log_loss, make_scorer
from sklearn.preprocessing import StandardScaler

from skfnn import FNNClassifier

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

digits = load_digits()
X_digits = StandardScaler().fit_transform(digits.data[:600])
X, y = X_digits[:400], digits.target[:400]
X_val, y_val = X_digits[400:], digits.target[400:600]

N_EPOCHS = 6
# With these settings the scores go up and down, so the last epoch's weights are not the best.
RESTLESS = {"learning_rate_init": 1.0, "batch_size": 20, "hidden_layer_sizes": (16,), "activation": "tanh"}


def estimator(**params):
    """An estimator that trains for exactly six epochs by default."""
    settings = {
        "hidden_layer_sizes": (16,),
        "batch_size": 50,
        "dtype": "float64",
        "max_iter": N_EPOCHS,
        "tol": 0.0,
        "n_iter_no_change": 1000,
        "random_state": 0,
    }
    return FNNClassifier(**(settings | params))


def targets(kind, labels):
    """Digits as the labels of a binary, multiclass or multilabel problem."""
    if kind == "multilabel":
        return np.column_stack([labels % 2, labels > 4, labels % 3 == 0]).astype(int)
    return np.where(labels % 2, "odd", "even") if kind == "binary" else labels


def loss_of(clf, rows, labels, weights=None):
    """scikit-learn's validation loss. With several labels, it is the sum over the labels."""
    p = clf.predict_proba(rows)
    if labels.ndim == 1:
        return log_loss(labels, p, labels=clf.classes_, sample_weight=weights)
    return sum(log_loss(labels[:, k], p[:, k], labels=[0, 1], sample_weight=weights) for k in range(labels.shape[1]))


class Spy:
    """A scorer that records its arguments."""

    def __init__(self, scores=None):
        self.calls, self.scores = [], scores

    def __call__(self, clf, rows, labels, **weights):
        self.calls.append((rows, labels, weights))
        return accuracy_score(labels, clf.predict(rows)) if self.scores is None else self.scores[len(self.calls) - 1]


# Where the validation set comes from

NONE_GIVEN = {"X_val": None, "y_val": None}
GIVEN = {"X_val": X_val, "y_val": y_val}


def scored_rows(given, **params):
    """The numbers of the rows of X that a fit scores (-1: not a row of X), or None if `fit` scores nothing."""
    spy = Spy()
    estimator(scoring=spy, max_iter=2, **params).fit(X, y, **given)
    if not spy.calls:
        return None
    assert len(spy.calls) == 2
    np.testing.assert_array_equal(spy.calls[0][0], spy.calls[1][0])
    rows, labels, _ = spy.calls[0]
    numbers = {row.tobytes(): number for number, row in enumerate(X)}
    found = np.array([numbers.get(row.tobytes(), -1) for row in np.asarray(rows)])
    np.testing.assert_array_equal(labels, y_val if (found == -1).all() else y[found])
    return found


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("fraction", [None, 0.25])
def test_rule_1_a_given_set_is_used_unchanged(fraction, early_stopping):
    params = {"validation_fraction": fraction, "early_stopping": early_stopping}
    found = scored_rows(GIVEN, **params)
    assert len(found) == len(X_val)
    assert (found == -1).all()
    assert estimator(**params).fit(X, y, **GIVEN).t_ == N_EPOCHS * len(X)  # no row is held out


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize(("fraction", "n_held"), [(0.25, 100), (0.1, 40), (0.333, 134)])
def test_rule_2_a_fraction_of_the_training_rows_is_held_out(fraction, n_held, early_stopping):
    params = {"validation_fraction": fraction, "early_stopping": early_stopping}
    found = scored_rows(NONE_GIVEN, **params)
    assert len(found) == len(set(found.tolist()) - {-1}) == n_held
    assert estimator(**params).fit(X, y).t_ == N_EPOCHS * (len(X) - n_held)


def test_rule_3_early_stopping_holds_out_a_tenth():
    found = scored_rows(NONE_GIVEN, early_stopping=True)
    assert len(found) == len(set(found.tolist()) - {-1}) == 40
    assert estimator(early_stopping=True).fit(X, y).t_ == N_EPOCHS * 360


def test_rule_4_without_any_of_these_there_is_no_validation_set():
    assert scored_rows(NONE_GIVEN) is None
    clf = estimator().fit(X, y)
    assert clf.t_ == N_EPOCHS * 400
    assert clf.validation_scores_ is clf.validation_loss_curve_ is clf.best_validation_score_ is None
    assert clf.history_["validation_loss"] == clf.history_["validation_score"] == [None] * N_EPOCHS


@pytest.mark.parametrize("n_iter_no_change", [1, 10])
def test_with_lbfgs_early_stopping_alone_holds_nothing_out(n_iter_no_change, assert_identical):
    # As in MLPClassifier, L-BFGS decides itself when it has converged.
    settings = {"solver": "lbfgs", "max_iter": 40, "tol": 0.01, "n_iter_no_change": n_iter_no_change}
    clf, plain = estimator(early_stopping=True, **settings).fit(X, y), estimator(**settings).fit(X, y)
    assert_identical(clf, plain)
    assert clf.loss_curve_ == plain.loss_curve_
    assert clf.best_loss_ == plain.best_loss_ == min(clf.loss_curve_)
    assert clf.validation_scores_ is clf.validation_loss_curve_ is clf.best_validation_score_ is None
    assert scored_rows(NONE_GIVEN, solver="lbfgs", early_stopping=True) is None


def test_with_lbfgs_a_run_resumed_without_a_validation_set_continues_from_its_weights(assert_identical):
    settings = {"solver": "lbfgs", "max_iter": 5, "tol": 0.0, "n_iter_no_change": 1}
    # The second score is not better. So the run ends, and the weights of the first iteration are restored.
    clf = estimator(early_stopping=True, scoring=Spy([3.0, 2.0, 1.0, 0.0, 0.0]), **settings).fit(X, y, **GIVEN)
    assert clf.n_iter_ == 3
    first = loss_of(clf, X, y)
    clf.set_params(scoring=None, max_iter=12).resume(X, y)
    assert clf.n_iter_ == 12
    assert clf.validation_scores_ is None
    # The weights of the last iteration stay; they are not replaced by older ones.
    np.testing.assert_allclose(loss_of(clf, X, y), clf.loss_, rtol=1e-10)
    assert clf.loss_ < 0.5 * first
    # The run has ended, so a further call does nothing.
    before = copy.deepcopy(clf)
    assert_identical(clf.resume(X, y), before)
    assert clf.n_iter_ == 12


@pytest.mark.parametrize("solver", ["sgd", "lbfgs"])
def test_a_row_held_out_is_not_trained_on(solver, assert_identical):
    found = scored_rows(NONE_GIVEN, validation_fraction=0.2, solver=solver)
    other = X.copy()
    other[found] += 5.0
    for early_stopping in (False, True):
        params = {"validation_fraction": 0.2, "solver": solver, "early_stopping": early_stopping}
        # With these scores the last epoch is always the best.
        a, b = (estimator(scoring=Spy(np.arange(9.0).tolist()), **params).fit(rows, y) for rows in (X, other))
        assert_identical(a, b)
        assert a.validation_loss_curve_ != b.validation_loss_curve_


def test_the_split_is_drawn_from_random_state():
    splits = [scored_rows(NONE_GIVEN, validation_fraction=0.2, random_state=seed).tolist() for seed in (0, 0, 1)]
    assert splits[0] == splits[1]
    assert splits[0] != splits[2]
    assert splits[0] != list(range(320, 400))


def test_the_split_is_stratified():
    for seed in range(5):
        found = scored_rows(NONE_GIVEN, validation_fraction=0.2, random_state=seed)
        counts, shares = np.bincount(y[found]), np.bincount(y) * 0.2
        assert (abs(counts - shares) < 1).all()


@pytest.mark.parametrize(
    ("labels", "fraction"),
    [
        (np.r_[np.zeros(20), np.ones(19), 2], 0.2),  # a class of one row
        (np.arange(40) % 20, 0.1),  # fewer rows held out than classes
        (np.arange(40) % 20, 0.9),  # fewer rows left than classes
        (np.eye(4, dtype=int)[np.arange(40) % 4], 0.2),  # multilabel
    ],
)
def test_if_the_classes_do_not_allow_stratification_the_split_is_plain(labels, fraction):
    rows = np.random.default_rng(0).normal(size=(40, 3))
    clf = estimator(validation_fraction=fraction, batch_size="full").fit(rows, labels)
    assert clf.t_ == N_EPOCHS * (40 - int(np.ceil(fraction * 40)))
    assert len(clf.validation_scores_) == N_EPOCHS
    # The network also knows a class that only occurs in a held-out row.
    assert len(clf.classes_) == (4 if labels.ndim == 2 else len(np.unique(labels)))


def test_rows_of_weight_zero_are_not_held_out():
    weights = np.ones(400)
    weights[::2] = 0.0
    spy = Spy()
    clf = estimator(scoring=spy, validation_fraction=0.2).fit(X, y, sample_weight=weights)
    rows, _, given = spy.calls[0]
    positive = {row.tobytes() for row in X[1::2]}
    assert all(row.tobytes() in positive for row in rows)
    assert len(rows) == 40  # a fifth of the rows of positive weight
    assert clf.t_ == N_EPOCHS * 360
    np.testing.assert_array_equal(given["sample_weight"], np.ones(40))


def test_held_out_rows_keep_their_weights():
    weights = np.arange(1.0, 401.0)
    spy = Spy()
    clf = estimator(scoring=spy, validation_fraction=0.2).fit(X, y, sample_weight=weights)
    rows, labels, given = spy.calls[0]
    of_row = {row.tobytes(): weight for row, weight in zip(X, weights, strict=True)}
    np.testing.assert_array_equal(given["sample_weight"], [of_row[row.tobytes()] for row in rows])
    expected = loss_of(clf, rows, labels, given["sample_weight"])
    np.testing.assert_allclose(clf.validation_loss_curve_[-1], expected, rtol=1e-10)


# What is measured


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", ["binary", "multiclass", "multilabel"])
@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
def test_each_epoch_records_the_loss_and_score_of_its_weights(solver, kind, weighted):
    weights = np.random.default_rng(0).integers(0, 4, size=len(y_val)).astype(float) if weighted else None
    labels, labels_val = targets(kind, y), targets(kind, y_val)
    params = {"solver": solver} | ({"learning_rate_init": 0.01} if solver == "adam" else {})
    given = {"X_val": X_val, "y_val": labels_val, "sample_weight_val": weights}
    whole = estimator(**params).fit(X, labels, **given)
    assert len(whole.validation_scores_) == len(whole.validation_loss_curve_) == whole.n_iter_ == N_EPOCHS
    for epoch in range(1, N_EPOCHS + 1):
        clf = estimator(**params, max_iter=epoch).fit(X, labels)
        # The score divides the number or the weight of the correct rows by the total: the results differ by at most one
        # rounding.
        expected = clf.score(X_val, labels_val, sample_weight=weights)
        np.testing.assert_allclose(whole.validation_scores_[epoch - 1], expected, rtol=1e-14)
        # log_loss takes logarithms of probabilities, which are rounded to 1e-16; skfnn uses the raw outputs.
        expected = loss_of(clf, X_val, labels_val, weights)
        np.testing.assert_allclose(whole.validation_loss_curve_[epoch - 1], expected, rtol=1e-10)
    assert len(set(whole.validation_loss_curve_)) == N_EPOCHS
    assert whole.best_validation_score_ == max(whole.validation_scores_)


def test_validation_does_not_change_training(assert_identical):
    plain = estimator().fit(X, y)
    watched = estimator().fit(X, y, **GIVEN)
    assert_identical(plain, watched)
    assert plain.loss_curve_ == watched.loss_curve_


@pytest.mark.parametrize("name", ["accuracy", "balanced_accuracy", "neg_log_loss", "roc_auc_ovr", "f1_macro"])
def test_scoring_may_be_the_name_of_a_scorer(name):
    clf = estimator(scoring=name).fit(X, y, **GIVEN)
    np.testing.assert_allclose(clf.validation_scores_[-1], get_scorer(name)(clf, X_val, y_val), rtol=1e-12)
    assert len(clf.validation_scores_) == N_EPOCHS


def test_scoring_none_is_accuracy():
    scores = [estimator(scoring=scoring).fit(X, y, **GIVEN).validation_scores_ for scoring in (None, "accuracy")]
    np.testing.assert_allclose(scores[0], scores[1], rtol=1e-14)


def test_scoring_loss_is_the_negative_validation_loss():
    clf = estimator(scoring="loss", **RESTLESS).fit(X, y, **GIVEN)
    np.testing.assert_array_equal(clf.validation_scores_, -np.array(clf.validation_loss_curve_))
    assert clf.best_validation_score_ == -min(clf.validation_loss_curve_)


@pytest.mark.parametrize("scoring", [make_scorer(accuracy_score), lambda clf, X, y: 0.25 + 0.5 * clf.score(X, y)])
def test_scoring_may_be_callable(scoring):
    clf = estimator(scoring=scoring).fit(X, y, **GIVEN)
    assert clf.validation_scores_[-1] == scoring(clf, X_val, y_val)


def test_a_scorer_gets_the_labels_that_the_user_gave():
    names = np.array([f"digit {k}" for k in range(10)], dtype=object)
    spy = Spy()
    clf = estimator(scoring=spy).fit(X, names[y], X_val=X_val, y_val=names[y_val])
    np.testing.assert_array_equal(spy.calls[0][1], names[y_val])
    assert clf.validation_scores_ == estimator().fit(X, y, **GIVEN).validation_scores_


def test_a_scorer_gets_sample_weight_val():
    weights = np.arange(len(y_val), dtype=float)
    spy = Spy()
    estimator(scoring=spy, max_iter=1).fit(X, y, **GIVEN, sample_weight_val=weights)
    np.testing.assert_array_equal(spy.calls[0][2]["sample_weight"], weights)
    scores = [
        estimator(scoring=scoring).fit(X, y, **GIVEN, sample_weight_val=weights).validation_scores_
        for scoring in (None, "accuracy")
    ]
    np.testing.assert_allclose(scores[0], scores[1], rtol=1e-14)


@pytest.mark.parametrize("kind", ["binary", "multiclass", "multilabel"])
@pytest.mark.parametrize("container", [sparse.csr_matrix, sparse.csc_matrix, sparse.csr_array, np.asfortranarray])
def test_the_validation_set_may_have_any_form(container, kind):
    labels, labels_val = targets(kind, y), targets(kind, y_val)
    dense = estimator().fit(X, labels, X_val=X_val, y_val=labels_val)
    for scoring in (None, "accuracy"):
        other = estimator(scoring=scoring).fit(X, labels, X_val=container(X_val), y_val=labels_val)
        # Sparse products are summed in another order.
        np.testing.assert_allclose(other.validation_loss_curve_, dense.validation_loss_curve_, rtol=1e-12)
        np.testing.assert_allclose(other.validation_scores_, dense.validation_scores_, rtol=1e-14)


@pytest.mark.parametrize("scoring", [None, "accuracy"])
@pytest.mark.parametrize("container", [sparse.csr_matrix, sparse.csc_matrix])
def test_rows_can_be_held_out_of_sparse_x(container, scoring):
    dense = estimator(validation_fraction=0.2).fit(X, y)
    other = estimator(validation_fraction=0.2, scoring=scoring).fit(container(X), y)
    np.testing.assert_allclose(other.validation_loss_curve_, dense.validation_loss_curve_, rtol=1e-10)
    np.testing.assert_allclose(other.validation_scores_, dense.validation_scores_, rtol=1e-14)


@pytest.mark.filterwarnings("error:.*feature names")
@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_a_scorer_gets_the_feature_names(library):
    frames = pytest.importorskip(library)
    names = [f"pixel {k}" for k in range(64)]
    frame = {"pandas": lambda a: frames.DataFrame(a, columns=names), "polars": lambda a: frames.DataFrame(a, names)}
    frame = frame[library]
    held = estimator(scoring="accuracy", validation_fraction=0.2).fit(frame(X), y)
    np.testing.assert_array_equal(held.feature_names_in_, names)
    np.testing.assert_allclose(
        held.validation_scores_, estimator(validation_fraction=0.2).fit(X, y).validation_scores_, rtol=1e-14
    )
    given = estimator(scoring="accuracy").fit(frame(X), y, X_val=frame(X_val), y_val=y_val)
    np.testing.assert_allclose(given.validation_scores_, estimator().fit(X, y, **GIVEN).validation_scores_, rtol=1e-14)
    with pytest.raises(ValueError, match="X_val.*feature names"):
        estimator().fit(frame(X), y, X_val=frame(X_val)[names[::-1]], y_val=y_val)


def test_an_error_in_a_scorer_is_raised_by_fit():
    def scorer(clf, X, y):
        raise RuntimeError("no score today")

    clf = estimator(scoring=scorer)
    with pytest.raises(RuntimeError, match="no score today"):
        clf.fit(X, y, **GIVEN)
    assert not hasattr(clf, "coefs_")


# History


@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
@pytest.mark.parametrize("validated", [False, True])
def test_every_list_of_the_history_has_one_entry_per_epoch(validated, solver):
    clf = estimator(solver=solver).fit(X, y, **(GIVEN if validated else {}))
    keys = ["epoch", "loss", "learning_rate", "validation_loss", "validation_score", "seconds"]
    assert sorted(clf.history_) == sorted(keys)
    assert {len(values) for values in clf.history_.values()} == {N_EPOCHS}
    assert clf.history_["epoch"] == list(range(1, N_EPOCHS + 1))
    assert clf.history_["loss"] == clf.loss_curve_
    assert all(seconds > 0 for seconds in clf.history_["seconds"])
    if validated:
        assert clf.history_["validation_loss"] == clf.validation_loss_curve_
        assert clf.history_["validation_score"] == clf.validation_scores_


def test_the_history_can_become_a_data_frame():
    pd = pytest.importorskip("pandas")
    table = pd.DataFrame(estimator().fit(X, y, **GIVEN).history_)
    assert table.shape == (N_EPOCHS, 6)
    assert (table.drop(columns="epoch").dtypes == np.float64).all()
    assert table.notna().all().all()


# Early stopping


@pytest.mark.parametrize("scoring", [None, "loss", "neg_log_loss"])
@pytest.mark.parametrize(
    "params", [RESTLESS, RESTLESS | {"momentum": 0.5}, {"solver": "adam", "learning_rate_init": 0.05}], ids=str
)
def test_early_stopping_restores_the_weights_of_the_best_epoch(params, scoring, assert_identical):
    settings = {"max_iter": 30, "n_iter_no_change": 3, "scoring": scoring} | params
    clf = estimator(early_stopping=True, **settings).fit(X, y, **GIVEN)
    best = int(np.argmax(clf.validation_scores_))
    assert best < clf.n_iter_ - 1
    assert clf.best_validation_score_ == clf.validation_scores_[best]
    if scoring is None:
        assert clf.score(X_val, y_val) == clf.best_validation_score_
    assert_identical(clf, estimator(**(settings | {"max_iter": best + 1})).fit(X, y))


@pytest.mark.parametrize("patience", [1, 3])
def test_early_stopping_ends_training_after_too_long_without_improvement_by_tol(patience):
    # 0.35 is better than 0.3, but not by 0.1. So the patience still runs out, but these weights are the best.
    scores = [0.1, 0.3, 0.35, 0.34, 0.39, 0.2, 0.2, 0.2, 0.9]
    settings = {"early_stopping": True, "tol": 0.1, "n_iter_no_change": patience, "max_iter": 9}
    clf = estimator(scoring=Spy(scores), **settings).fit(X, y, **GIVEN)
    assert clf.n_iter_ == 2 + patience + 1
    assert clf.best_validation_score_ == max(scores[: clf.n_iter_])


def test_an_improvement_of_exactly_tol_counts():
    settings = {"early_stopping": True, "tol": 0.25, "n_iter_no_change": 1, "max_iter": 5}
    clf = estimator(scoring=Spy([0.0, 0.25, 0.5, 0.75, 1.0]), **settings).fit(X, y, **GIVEN)
    assert clf.n_iter_ == 5
    clf = estimator(scoring=Spy([0.0, 0.125, 0.25, 0.375, 0.5]), **settings).fit(X, y, **GIVEN)
    assert clf.n_iter_ == 3  # half of tol per epoch is too little, because every better score raises the bar


def test_without_early_stopping_the_score_does_not_stop_training():
    spy = Spy([0.9] + [0.1] * 19)
    clf = estimator(scoring=spy, max_iter=20, tol=1e-9, n_iter_no_change=2).fit(X, y, **GIVEN)
    assert clf.n_iter_ == 20
    # The weights of the last epoch remain.
    assert clf.best_validation_score_ == 0.9
    np.testing.assert_allclose(loss_of(clf, X_val, y_val), clf.validation_loss_curve_[-1], rtol=1e-10)


def test_with_early_stopping_the_loss_does_not_stop_training():
    # Only the first epoch reduces the loss by 0.5.
    spy = Spy(np.arange(20.0).tolist())
    clf = estimator(early_stopping=True, scoring=spy, max_iter=20, tol=0.5, n_iter_no_change=2).fit(X, y, **GIVEN)
    assert clf.n_iter_ == 20


def test_a_score_that_is_not_a_number_is_no_improvement(assert_identical):
    nan = float("nan")
    scores = [0.5, nan, nan, nan, 0.9]
    settings = {"early_stopping": True, "n_iter_no_change": 2, "max_iter": 5}
    clf = estimator(scoring=Spy(scores), **settings).fit(X, y, **GIVEN)
    assert clf.n_iter_ == 4
    assert clf.best_validation_score_ == 0.5
    assert_identical(clf, estimator(max_iter=1).fit(X, y))


def test_if_no_score_is_a_number_the_last_weights_remain(assert_identical):
    settings = {"early_stopping": True, "n_iter_no_change": 2, "max_iter": 9}
    clf = estimator(scoring=Spy([float("nan")] * 9), **settings).fit(X, y, **GIVEN)
    assert clf.n_iter_ == 3
    assert_identical(clf, estimator(max_iter=3).fit(X, y))


@pytest.mark.parametrize("given", [GIVEN, {}], ids=["given", "held out"])
def test_lbfgs_is_stopped_early(given):
    settings = {"solver": "lbfgs", "max_iter": 300, "scoring": "loss", "n_iter_no_change": 5}
    fraction = None if given else 0.1
    clf = estimator(early_stopping=True, validation_fraction=fraction, **settings).fit(X, y, **given)
    scores = clf.validation_scores_
    best = int(np.argmax(scores))
    # Without regularisation, L-BFGS fits the training rows long after the validation loss has reached its minimum.
    assert clf.n_iter_ == len(scores) == best + 1 + 5 + 1
    assert clf.best_validation_score_ == scores[best]
    if given:
        np.testing.assert_allclose(-loss_of(clf, X_val, y_val), scores[best], rtol=1e-10)


@pytest.mark.parametrize("solver", ["sgd", "lbfgs"])
def test_an_early_stop_causes_no_convergence_warning(solver, recwarn):
    settings = {"solver": solver, "max_iter": 5, "n_iter_no_change": 3, "tol": 1e-4}
    clf = estimator(early_stopping=True, scoring=Spy([0.5] * 5), **settings).fit(X, y, **GIVEN)
    assert clf.n_iter_ == 5
    assert not recwarn.list


def test_best_loss_is_none_if_early_stopping_watches_scores():
    assert estimator(early_stopping=True).fit(X, y).best_loss_ is None
    watched = estimator().fit(X, y, **GIVEN)
    assert watched.best_loss_ == min(watched.loss_curve_)


# Several calls


@pytest.mark.parametrize("params", [{}, {"solver": "adam", "learning_rate_init": 0.01}], ids=str)
def test_partial_fit_scores_the_set_of_each_call(params):
    whole = estimator(shuffle=False, **params).fit(X, y, **GIVEN)
    clf = estimator(shuffle=False, **params)
    for k in range(N_EPOCHS):
        clf.partial_fit(X, y, classes=np.arange(10) if k == 0 else None, **GIVEN)
        assert len(clf.validation_scores_) == len(clf.validation_loss_curve_) == k + 1
        assert clf.validation_scores_[-1] == clf.score(X_val, y_val)
        assert clf.best_validation_score_ == max(clf.validation_scores_)
    assert clf.validation_scores_ == whole.validation_scores_
    assert clf.validation_loss_curve_ == whole.validation_loss_curve_


def test_partial_fit_with_and_without_a_validation_set_keeps_lists_of_equal_length():
    clf = estimator().partial_fit(X, y, classes=np.arange(10))
    assert clf.validation_scores_ is None
    clf.partial_fit(X, y, **GIVEN)
    assert clf.validation_scores_ == [None, clf.score(X_val, y_val)]
    clf.partial_fit(X, y)
    assert {len(values) for values in clf.history_.values()} == {3}
    assert clf.history_["validation_score"][-1] is None


def test_partial_fit_holds_no_rows_out():
    clf = estimator(validation_fraction=0.2).partial_fit(X, y, classes=np.arange(10))
    assert clf.t_ == len(X)
    assert clf.validation_scores_ is None


def test_a_warm_start_keeps_the_rows_held_out():
    clf = estimator(validation_fraction=0.2, warm_start=True, max_iter=3)
    spies = Spy(), Spy()
    for spy in spies:
        clf.set_params(scoring=spy).fit(X, y)
    np.testing.assert_array_equal(spies[0].calls[0][0], spies[1].calls[0][0])
    assert len(clf.validation_scores_) == 6


def test_early_stopping_over_several_warm_starts_has_the_weights_of_the_best_score():
    clf = estimator(early_stopping=True, warm_start=True, max_iter=2, **RESTLESS)
    better, best = 0, 0.0
    for _ in range(8):
        clf.fit(X, y, **GIVEN)
        assert clf.score(X_val, y_val) == clf.best_validation_score_ >= best
        better += clf.best_validation_score_ > best
        best = clf.best_validation_score_
    # Some of the calls found better weights, and some did not.
    assert 2 <= better < 8
    assert best == max(clf.validation_scores_)


def test_early_stopping_after_training_without_it_has_the_weights_of_its_best_score():
    # The best score of the first fit belongs to weights that no longer exist.
    clf = estimator(warm_start=True, max_iter=20, **RESTLESS).fit(X, y, **GIVEN)
    assert clf.score(X_val, y_val) < clf.best_validation_score_
    clf.set_params(early_stopping=True, max_iter=1).fit(X, y, **GIVEN)
    assert clf.score(X_val, y_val) == clf.best_validation_score_


def test_early_stopping_on_another_set_has_the_best_weights_of_that_set():
    # First 100 easy rows (training rows), then other rows. Scores on the first set say nothing about the second.
    clf = estimator(warm_start=True, early_stopping=True, max_iter=20).fit(X, y, X_val=X[:100], y_val=y[:100])
    assert clf.best_validation_score_ > clf.score(X_val, y_val)
    clf.fit(X, y, **GIVEN)
    assert clf.score(X_val, y_val) == max(clf.validation_scores_[20:])
    assert clf.score(X_val, y_val) == clf.best_validation_score_
