"""With one class in y, training works, and the model predicts this class with probability 1, as in MLPClassifier."""

import pickle
import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import load_iris
from sklearn.model_selection import cross_val_score
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier
from sklearn.neural_network import MLPClassifier

from skfnn import FNNClassifier
from skfnn.inspection import gradient_noise

X = np.random.default_rng(0).normal(size=(30, 3))
LABELS = {"numbers": np.full(30, 7), "strings": np.full(30, "yes"), "booleans": np.full(30, True)}
SOLVERS = {
    "sgd": {},
    "momentum": {"momentum": 0.9},
    "adam": {"solver": "adam"},
    "lbfgs": {"solver": "lbfgs"},
    "raw rows": {"standardize": False, "learning_rate_init": 1.0},
    "weights": {"class_weight": "balanced", "label_smoothing": 0.1, "alpha": 1.0, "n_iter_no_change": None},
    "early stopping": {"early_stopping": True, "validation_fraction": 0.2},
    "float32": {"dtype": "float32", "dropout": 0.3},
}
# Such data are valid and must not cause a warning. (Warnings are errors in all tests.)


def estimator(**params):
    return FNNClassifier(**({"hidden_layer_sizes": (5,), "max_iter": 100, "random_state": 0} | params))


def assert_sure(clf, label, rows=X):
    """`clf` knows one class and predicts it with certainty."""
    assert clf.classes_.tolist() == [label]
    assert clf.n_outputs_ == 1
    assert clf.predict(rows).tolist() == [label] * len(rows)
    np.testing.assert_array_equal(clf.predict_proba(rows), np.ones((len(rows), 1)))
    np.testing.assert_array_equal(clf.predict_log_proba(rows), np.zeros((len(rows), 1)))
    assert clf.decision_function(rows).shape == (len(rows), 1)
    assert clf.score(rows, [label] * len(rows)) == 1.0


@pytest.mark.parametrize("kind", LABELS)
@pytest.mark.parametrize("name", SOLVERS)
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix], ids=["dense", "sparse"])
def test_fit_learns_the_only_class(container, name, kind):
    y = LABELS[kind]
    clf = estimator(**SOLVERS[name]).fit(container(X), y)
    assert_sure(clf, y[0])
    if not clf.alpha:
        assert set(clf.loss_curve_) == {0.0}
    assert_sure(pickle.loads(pickle.dumps(clf)), y[0])


@pytest.mark.parametrize("name", ["sgd", "adam", "weights", "float32"])
def test_partial_fit_and_resume_learn_the_only_class(name):
    clf = estimator(**SOLVERS[name])
    for _ in range(5):
        clf.partial_fit(X, LABELS["numbers"], classes=[7])
    assert_sure(clf, 7)
    assert_sure(clf.resume(X, LABELS["numbers"]), 7)
    assert_sure(estimator(**SOLVERS[name], warm_start=True).fit(X, LABELS["numbers"]).fit(X, LABELS["numbers"]), 7)


@pytest.mark.parametrize("kind", LABELS)
def test_predictions_agree_with_mlp_classifier(kind):
    y = LABELS[kind]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # max_iter
        theirs = MLPClassifier((5,), max_iter=50, random_state=0).fit(X, y)
    ours = estimator().fit(X, y)
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
    np.testing.assert_array_equal(ours.classes_, theirs.classes_)
    assert ours.score(X, y) == theirs.score(X, y) == 1.0


@pytest.mark.parametrize("kind", [FNNClassifier, MLPClassifier])
def test_another_class_later_is_an_error(kind):
    y = np.where(np.arange(30) < 29, 1, 2)
    clf = kind(max_iter=2).partial_fit(X, np.ones(30), classes=[1])
    with pytest.raises(ValueError, match=r"`y` has classes not in `self.classes_`"):
        clf.partial_fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # max_iter
        clf = kind(max_iter=2, warm_start=True).fit(X, np.ones(30))
    with pytest.raises(ValueError, match="same classes"):
        clf.fit(X, y)


def test_a_warm_start_with_one_class_of_several_is_an_error():
    clf = estimator(warm_start=True, max_iter=2, n_iter_no_change=None, learning_rate_init=1.0)
    clf.fit(X, X[:, 0] > 0)
    with pytest.raises(ValueError, match="warm_start can only be used where `y` has the same classes"):
        clf.fit(X, np.ones(30, bool))


def test_no_class_at_all_is_an_error():
    with pytest.raises(ValueError, match="classes must hold at least one class"):
        estimator().partial_fit(X, np.ones(30), classes=[])


def test_all_classes_of_partial_fit_stay_possible():
    # A chunk with one class does not make a problem with one class.
    clf = estimator().partial_fit(X, np.ones(30, int), classes=[0, 1])
    assert clf.predict_proba(X).shape == (30, 2)
    assert clf.predict_proba(X).max() < 1.0


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_folds_that_lack_a_class_are_scored():
    # The rows are sorted, so the training rows of each fold have only one class.
    y = np.repeat([0, 1], 15)
    scores = cross_val_score(estimator(), X, y, cv=[(np.arange(15), np.arange(10, 20)), (np.arange(15, 30), [1, 20])])
    assert scores.tolist() == [0.5, 0.5]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_columns_of_one_label_do_not_stop_multi_output_classifiers():
    rows, species = load_iris(return_X_y=True)
    Y = np.column_stack([species == 0, np.ones(150), np.zeros(150)]).astype(int)
    model = MultiOutputClassifier(estimator()).fit(rows, Y)
    assert model.score(rows, Y) > 0.9
    assert [p.shape for p in model.predict_proba(rows)] == [(150, 2), (150, 1), (150, 1)]
    chain = ClassifierChain(estimator(), order=[1, 0, 2]).fit(rows, Y)
    np.testing.assert_array_equal(chain.predict(rows)[:, 1:], Y[:, 1:])


def test_a_single_class_gives_no_gradient():
    clf = estimator().fit(X, LABELS["numbers"])
    noise = gradient_noise(clf, X, LABELS["numbers"], n_draws=3, random_state=0)
    assert noise.variance == noise.gradient_norm_squared == 0.0
