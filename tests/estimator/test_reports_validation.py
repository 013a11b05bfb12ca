"""Problems that users reported about validation sets: missing classes, other units, a fraction of zero."""

import numpy as np
import pytest
from reported import SETTINGS, VALUES, X, X_iris, X_wide, classifier, kinds, solvers, y, y_iris
from scipy import sparse
from sklearn.metrics import (
    d2_log_loss_score,
    get_scorer,
    get_scorer_names,
    log_loss,
    make_scorer,
    top_k_accuracy_score,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skfnn import exceptions
from skfnn._estimator.validation import hold_out

# A validation set that lacks a class


lacks_class_2 = {"X_val": X[y < 2][:50], "y_val": y[y < 2][:50]}


# scikit-learn 1.7 has no scorer for the D^2 of the log loss.
SCORERS = [
    name
    for name in ("neg_log_loss", "d2_log_loss_score", "top_k_accuracy", "neg_brier_score")
    if name in get_scorer_names()
]


@pytest.mark.filterwarnings("ignore:L-BFGS did not converge")
@solvers
@pytest.mark.parametrize("scoring", SCORERS)
def test_metrics_with_labels_can_score_a_validation_set_that_lacks_a_class(scoring, solver):
    clf = classifier(scoring=scoring, early_stopping=True, solver=solver, learning_rate_init=0.1).fit(
        X, y, **lacks_class_2
    )
    proba = clf.predict_proba(lacks_class_2["X_val"])
    expected = {
        "neg_log_loss": lambda: -log_loss(lacks_class_2["y_val"], proba, labels=[0, 1, 2]),
        "top_k_accuracy": lambda: top_k_accuracy_score(lacks_class_2["y_val"], proba, labels=[0, 1, 2]),
        "neg_brier_score": lambda: -np.square(proba - np.eye(3)[lacks_class_2["y_val"]]).sum(axis=1).mean(),
        "d2_log_loss_score": lambda: d2_log_loss_score(lacks_class_2["y_val"], proba, labels=[0, 1, 2]),
    }[scoring]()
    assert clf.best_validation_score_ == pytest.approx(expected, rel=1e-9)
    assert len(clf.validation_scores_) == clf.n_iter_
    assert np.isfinite(clf.validation_scores_).all()


@pytest.mark.parametrize(
    "scoring", ["roc_auc_ovr", get_scorer("roc_auc_ovr"), make_scorer(log_loss, response_method="predict_proba")]
)
@pytest.mark.parametrize("train", ["fit", "partial_fit", "resume"])
def test_other_metrics_name_the_class_the_scorer_and_the_remedy(scoring, train):
    clf = classifier(scoring=scoring)
    classes = {"classes": [0, 1, 2]} if train == "partial_fit" else {}
    with pytest.raises(ValueError, match=r"cannot score the validation set, which lacks the classes \[2\]") as caught:
        getattr(clf, train)(X, y, **classes, **lacks_class_2)
    assert "roc_auc" in str(caught.value) or "log_loss" in str(caught.value)
    assert "scoring='loss'" in str(caught.value)
    assert not hasattr(clf, "classes_")


def test_an_error_in_the_users_function_is_passed_on():
    def scorer(estimator, X, y):
        raise ValueError("my own")

    with pytest.raises(ValueError, match=r"^my own$"):
        classifier(scoring=scorer).fit(X, y, **lacks_class_2)


@pytest.mark.parametrize("seed", range(20))
def test_every_class_with_two_rows_is_on_both_sides(seed):
    draw = np.random.default_rng(seed)
    classes = np.zeros(400, int)
    classes[draw.choice(400, 11, replace=False)] = [1] * 5 + [2] * 2 + [3] * 3 + [4]
    held = hold_out(400, 0.1, classes, None, seed)
    rest = np.setdiff1d(np.arange(400), held)
    assert len(held) == len(set(held)) == 40
    assert {0, 1, 2, 3} <= set(classes[held])
    assert {0, 1, 2, 3} <= set(classes[rest])


@pytest.mark.parametrize("seed", range(20))
def test_classes_are_on_both_sides_if_there_is_room(seed):
    draw = np.random.default_rng(seed)
    _, classes = np.unique(draw.integers(0, 8, draw.integers(8, 30)), return_inverse=True)
    several = np.flatnonzero(np.bincount(classes) > 1)
    n_held = len(several)
    held = hold_out(len(classes), (n_held - 0.5) / len(classes), classes, None, seed)
    rest = np.setdiff1d(np.arange(len(classes)), held)
    assert len(held) == n_held
    if len(rest) >= n_held:
        assert set(several) <= set(classes[held])
        assert set(several) <= set(classes[rest])


# A validation set that the scaler of a pipeline did not transform


def scaled_pipeline(**params):
    return make_pipeline(StandardScaler(), classifier(**params))


@solvers
def test_validation_rows_in_other_units_cause_a_warning(solver):
    pipe = scaled_pipeline(solver=solver, max_iter=100)
    step = "fnnclassifier__"
    with pytest.warns(exceptions.ScaleWarning, match=r"transform_input=\['X_val'\]"):
        pipe.fit(X_wide, y_iris, **{step + "X_val": X_wide[::2], step + "y_val": y_iris[::2]})


def test_only_the_first_call_of_a_stream_warns():
    X_train = StandardScaler().fit_transform(X_wide)
    clf = classifier()
    with pytest.warns(exceptions.ScaleWarning):
        clf.partial_fit(X_train, y_iris, classes=[0, 1, 2], X_val=X_wide, y_val=y_iris)
    clf.partial_fit(X_train, y_iris, X_val=X_wide, y_val=y_iris)


def test_sparse_validation_rows_in_other_units_cause_a_warning():
    counts = sparse.random(200, 50, density=0.1, random_state=0, format="csr")
    target = np.arange(200) % 2
    classifier(max_iter=1, standardize=False).partial_fit(counts, target, classes=[0, 1], X_val=counts, y_val=target)
    with pytest.warns(exceptions.ScaleWarning):
        classifier().partial_fit(counts, target, classes=[0, 1], X_val=100 * counts, y_val=target)


@pytest.mark.parametrize("seed", range(5))
def test_ordinary_validation_sets_cause_no_warning(seed):
    draw = np.random.default_rng(seed)
    rows = draw.permutation(150)
    for X_all in (X_iris, StandardScaler().fit_transform(X_wide)):
        # pytest turns warnings into errors
        classifier(max_iter=60).fit(
            X_all[rows[:100]], y_iris[rows[:100]], X_val=X_all[rows[100:]], y_val=y_iris[rows[100:]]
        )


# validation_fraction=0


@kinds
@pytest.mark.filterwarnings("ignore:L-BFGS did not converge")
@solvers
@pytest.mark.parametrize("early_stopping", [True, False])
@pytest.mark.parametrize("zero", [0, 0.0, np.float64(0.0)])
def test_a_validation_fraction_of_zero_means_none(kind, solver, early_stopping, zero, assert_identical):
    params = SETTINGS | {"solver": solver, "early_stopping": early_stopping}
    a, b = (kind(**params, validation_fraction=value).fit(X, VALUES[kind]) for value in (zero, None))
    assert_identical(a, b)
    assert a.validation_scores_ == b.validation_scores_
