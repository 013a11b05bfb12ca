"""The validation set: where it comes from, and what is measured on it."""

import copy

import numpy as np
import pytest
from scipy import sparse
from sklearn.metrics import accuracy_score, get_scorer, make_scorer
from validation_sets import GIVEN, N_EPOCHS, RESTLESS, Spy, X, X_val, estimator, loss_of, targets, y, y_val

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


# Where the validation set comes from


NONE_GIVEN = {"X_val": None, "y_val": None}


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
