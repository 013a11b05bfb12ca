"""What scikit-learn's tests expect of MLPClassifier, through the public API of FNNClassifier."""

import re
import warnings

import joblib
import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import load_digits, load_iris, make_classification, make_multilabel_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from skfnn import FNNClassifier

not_converged = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X_iris, y_iris = load_iris(return_X_y=True)
X_digits, y_digits = load_digits(n_class=3, return_X_y=True)
X_multi, y_multi = MinMaxScaler().fit_transform(X_digits[:200]), y_digits[:200]
X_digits, y_digits = load_digits(n_class=2, return_X_y=True)
X_binary, y_binary = MinMaxScaler().fit_transform(X_digits[:200]), y_digits[:200]
DIGITS = pytest.mark.parametrize(("X", "y"), [(X_multi, y_multi), (X_binary, y_binary)], ids=["multiclass", "binary"])


@not_converged
def test_a_larger_alpha_gives_weights_closer_to_zero():
    sums = [
        [np.abs(c).sum() for c in FNNClassifier(10, alpha=a, random_state=1).fit(X_binary, y_binary).coefs_]
        for a in (0.0, 1.0)
    ]
    assert sums[0][0] > sums[1][0]
    assert sums[0][1] > sums[1][1]


@not_converged
def test_one_step_agrees_with_scikit_learns_worked_example():
    # sklearn/neural_network/tests/test_mlp.py::test_fit derives these numbers to three or four digits.
    clf = FNNClassifier(2, "logistic", learning_rate_init=0.1, alpha=0.1, max_iter=1, batch_size=1, shuffle=False)
    clf.set_params(dtype="float64")
    coefs = [np.array([[0.1, 0.2], [0.3, 0.1], [0.5, 0]]), np.array([[0.1], [0.2]])]
    X, first = np.array([[0.6, 0.8, 0.7]]), [np.array([0.1, 0.1]), np.array([1.0])]
    clf.partial_fit(X, [0], classes=[0, 1])
    for mine, values in zip(clf.coefs_ + clf.intercepts_, coefs + first, strict=True):
        mine[...] = values
    clf.partial_fit(X, [0])
    np.testing.assert_allclose(
        clf.coefs_[0], [[0.098, 0.195756], [0.2956664, 0.096008], [0.4939998, -0.002244]], atol=1.5e-3
    )
    np.testing.assert_allclose(clf.coefs_[1], [[0.04706], [0.154089]], atol=1.5e-3)
    np.testing.assert_allclose(clf.intercepts_[0], [0.098333, 0.09626], atol=1.5e-3)
    np.testing.assert_allclose(clf.intercepts_[1], [0.9235], atol=1.5e-3)
    np.testing.assert_allclose(clf.predict_proba(X)[0, 1], 0.739, atol=1.5e-3)


@DIGITS
@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu", "gelu", "selu"])
def test_lbfgs_learns_the_digits(activation, X, y):
    clf = FNNClassifier(50, activation, solver="lbfgs", max_iter=150, random_state=1).fit(X[:150], y[:150])
    assert clf.score(X[:150], y[:150]) > 0.95
    predicted = clf.predict(X[150:])
    assert (predicted.shape, predicted.dtype.kind) == ((50,), y.dtype.kind)


@DIGITS
def test_max_fun_limits_lbfgs(X, y):
    # With tol=0, only max_fun can stop training.
    clf = FNNClassifier(50, solver="lbfgs", max_iter=150, max_fun=10, tol=0.0, random_state=1)
    with pytest.warns(ConvergenceWarning):
        clf.fit(X[:150], y[:150])
    assert clf.n_iter_ <= 10


def test_max_iter_limits_lbfgs():
    clf = FNNClassifier(50, solver="lbfgs", max_iter=3, tol=0.0, random_state=1)
    with pytest.warns(ConvergenceWarning):
        clf.fit(X_multi, y_multi)
    assert clf.n_iter_ == 3
    assert len(clf.loss_curve_) == 3


@not_converged
@pytest.mark.parametrize(("schedule", "second"), [("constant", 0.01), ("invscaling", 0.01 / (4 + 1) ** 0.25)])
def test_a_warm_start_continues_with_the_learning_rate(schedule, second):
    X, y = [[3, 2], [1, 6], [5, 6], [-2, -4]], [1, 1, 1, 0]
    clf = FNNClassifier(4, learning_rate=schedule, max_iter=1, power_t=0.25, warm_start=True, learning_rate_init=0.01)
    rates = [clf.fit(X, y).history_["learning_rate"][-1] for _ in range(2)]
    np.testing.assert_allclose(rates, [0.01, second], rtol=1e-14)


@not_converged
@pytest.mark.parametrize("way", ["fit", "partial_fit"])
def test_multilabel_targets_are_learned(way):
    X, y = make_multilabel_classification(n_samples=50, random_state=0)
    X = StandardScaler().fit_transform(X)
    clf = FNNClassifier(50, "logistic", random_state=0, learning_rate_init=0.5)
    if way == "fit":
        clf.set_params(solver="lbfgs", max_iter=150).fit(X, y)
    else:
        for _ in range(300):
            clf.partial_fit(X, y, classes=[0, 1, 2, 3, 4])
    assert clf.score(X, y) > 0.9
    assert clf.predict(X).shape == y.shape
    assert clf.out_activation_ == "logistic"


@not_converged
def test_multilabel_targets_can_be_stopped_early():
    X, y = make_multilabel_classification(n_samples=50, random_state=0)
    clf = FNNClassifier(early_stopping=True, random_state=0, learning_rate_init=0.01).fit(X, y)
    assert clf.predict(X).shape == y.shape


def test_partial_fit_refuses_other_classes():
    clf = FNNClassifier().partial_fit([[3, 2]], [0], classes=[0, 1])
    with pytest.raises(ValueError, match="classes"):
        clf.partial_fit([[3, 2]], [0], classes=[1, 2])


@not_converged
@DIGITS
def test_partial_fit_learns_what_fit_learns(X, y):
    params = {"random_state": 1, "tol": 0.0, "alpha": 1e-5, "learning_rate_init": 0.2}
    whole = FNNClassifier(max_iter=50, **params).fit(X, y)
    parts = FNNClassifier(**params)
    for _ in range(50):
        parts.partial_fit(X, y, classes=np.unique(y))
    np.testing.assert_array_equal(whole.predict(X), parts.predict(X))
    assert parts.score(X, y) > 0.95


def test_partial_fit_learns_classes_missing_from_the_first_call():
    clf = FNNClassifier(random_state=0)
    clf.partial_fit([[1], [2], [3]], ["a", "b", "c"], classes=["a", "b", "c", "d"])
    for _ in range(20):
        clf.partial_fit([[4]], ["d"])
    assert clf.predict([[4]]) == ["d"]
    np.testing.assert_array_equal(clf.classes_, ["a", "b", "c", "d"])


def test_partial_fit_refuses_labels_outside_classes():
    with pytest.raises(ValueError, match=r"\b[01]\b"):
        FNNClassifier().partial_fit([[3, 2], [1, 6]], [1, 0], classes=[2])
    clf = FNNClassifier().partial_fit([[3, 2], [1, 6]], [1, 0], classes=[0, 1])
    with pytest.raises(ValueError, match=r"\b7\b"):
        clf.partial_fit([[3, 2], [1, 6]], [1, 7])


def test_the_first_partial_fit_call_needs_classes():
    with pytest.raises(ValueError, match="classes"):
        FNNClassifier().partial_fit([[3, 2], [1, 6]], [1, 0])


def test_lbfgs_has_no_partial_fit():
    assert not hasattr(FNNClassifier(solver="lbfgs"), "partial_fit")
    assert hasattr(FNNClassifier(solver="adam"), "partial_fit")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_features_of_the_largest_size_raise_a_value_error(solver):
    X = np.finfo(np.float64).max * np.random.default_rng(0).uniform(size=(10, 2))
    with pytest.raises(ValueError, match=r"[Ss]cale"):
        FNNClassifier(solver=solver, standardize=False, random_state=0).fit(X, np.arange(10) % 2)


@not_converged
@pytest.mark.parametrize("kind", ["binary", "multiclass", "multilabel"])
def test_probabilities_and_their_logarithms_agree(kind):
    if kind == "multilabel":
        X, y = make_multilabel_classification(n_samples=50, random_state=0)
        clf = FNNClassifier(30, solver="lbfgs", random_state=0)
    else:
        X, y = (X_binary[:50], y_binary[:50]) if kind == "binary" else (X_multi[:50], y_multi[:50])
        clf = FNNClassifier(5, "logistic", solver="adam", random_state=1, learning_rate_init=0.02)
    clf.fit(X, y)
    proba, log_proba = clf.predict_proba(X), clf.predict_log_proba(X)
    assert proba.shape == (50, 5 if kind == "multilabel" else len(np.unique(y)))
    np.testing.assert_allclose(np.exp(log_proba), proba, rtol=1e-12, atol=1e-300)
    if kind == "multilabel":
        np.testing.assert_array_equal(proba > 0.5, y)
        assert np.abs(proba.sum(axis=1) - 1).max() > 1e-3
    else:
        np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=1e-12)
        np.testing.assert_array_equal(clf.classes_[proba.argmax(axis=1)], clf.predict(X))
    if kind == "binary":
        assert roc_auc_score(y, proba[:, 1]) == 1.0


@not_converged
def test_shuffle_has_an_effect():
    params = {"hidden_layer_sizes": 1, "max_iter": 1, "batch_size": 1, "random_state": 0}
    fits = {
        shuffle: [FNNClassifier(shuffle=shuffle, **params).fit(X_binary, y_binary).coefs_[0] for _ in range(2)]
        for shuffle in (False, True)
    }
    for first, second in fits.values():
        np.testing.assert_array_equal(first, second)
    assert (fits[False][0] != fits[True][0]).any()


@not_converged
@pytest.mark.parametrize("container", [sparse.csr_matrix, sparse.csc_matrix, sparse.csr_array, sparse.csc_array])
@pytest.mark.parametrize("params", [{"solver": "lbfgs"}, {"max_iter": 5}, {"solver": "adam", "max_iter": 5}], ids=str)
def test_sparse_and_dense_x_give_the_same_predictions(params, container):
    dense, thin = (
        FNNClassifier(15, random_state=1, **params).fit(X, y_binary[:50])
        for X in (X_binary[:50], container(X_binary[:50]))
    )
    np.testing.assert_array_equal(dense.predict(X_binary[:50]), thin.predict(container(X_binary[:50])))
    np.testing.assert_allclose(
        thin.predict_proba(X_binary[:50]), thin.predict_proba(container(X_binary[:50])), rtol=1e-10
    )


def test_training_stops_when_it_has_converged_by_tol():
    clf = FNNClassifier(tol=0.5, max_iter=3000).fit([[3, 2], [1, 6]], [1, 0])
    assert clf.n_iter_ < 3000


@not_converged
@pytest.mark.parametrize("n_iter_no_change", [1, 2, 5, 10, 50])
def test_training_stops_after_more_than_n_iter_no_change_epochs(n_iter_no_change):
    # Only the first epoch improves the loss by 1e9, because it is compared with infinity.
    clf = FNNClassifier(tol=1e9, max_iter=300, n_iter_no_change=n_iter_no_change).fit(X_binary, y_binary)
    assert clf.n_iter_ == 1 + n_iter_no_change + 1


@pytest.mark.parametrize("no_patience", [None, np.inf])
def test_without_patience_all_epochs_run_and_nothing_warns(no_patience):
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        clf = FNNClassifier(5, tol=1e9, max_iter=300, n_iter_no_change=no_patience).fit(X_binary, y_binary)
    assert clf.n_iter_ == 300


def test_max_iter_without_convergence_warns_and_convergence_does_not(recwarn):
    FNNClassifier(tol=0.5, max_iter=100).fit(X_binary, y_binary)
    assert not recwarn.list
    with pytest.warns(ConvergenceWarning):
        FNNClassifier(tol=0.0, max_iter=3).fit(X_binary, y_binary)


@not_converged
@pytest.mark.parametrize("verbose", [True, 10])
@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
def test_verbose_prints_one_line_per_epoch(capsys, verbose, solver):
    clf = FNNClassifier(2, solver=solver, max_iter=3, verbose=verbose, tol=0.0, random_state=0)
    clf.fit(X_binary, y_binary)
    lines = [line for line in capsys.readouterr().out.splitlines() if "loss" in line]
    assert len(lines) == clf.n_iter_ == 3
    for epoch, (line, loss) in enumerate(zip(lines, clf.loss_curve_, strict=True), 1):
        assert re.search(rf"\b{epoch}\b", line)
        printed = re.search(r"loss\W+([0-9.]+)", line)[1]
        np.testing.assert_allclose(float(printed), loss, atol=1e-4)  # the printed digits
    FNNClassifier(2, solver=solver, max_iter=3, tol=0.0).fit(X_binary, y_binary)
    assert capsys.readouterr().out == ""


def test_early_stopping_watches_the_validation_score():
    tol = 0.2
    clf = FNNClassifier(tol=tol, max_iter=3000, early_stopping=True, random_state=0).fit(X_binary, y_binary)
    assert clf.n_iter_ < 3000
    assert clf.best_loss_ is None
    assert isinstance(clf.validation_scores_, list)
    assert len(clf.validation_scores_) == len(clf.validation_loss_curve_) == clf.n_iter_
    assert max(clf.validation_scores_) == clf.best_validation_score_
    assert max(clf.validation_scores_[-2:]) < clf.best_validation_score_ + tol


def test_without_early_stopping_there_is_no_validation():
    clf = FNNClassifier(tol=0.2, max_iter=3000).fit(X_binary, y_binary)
    assert clf.validation_scores_ is None
    assert clf.validation_loss_curve_ is None
    assert clf.best_validation_score_ is None
    assert clf.best_loss_ == min(clf.loss_curve_)


@not_converged
def test_early_stopping_restores_the_best_weights():
    # With a large eta the score goes up and down, so the last epoch is not the best.
    params = {"learning_rate_init": 3.0, "batch_size": 10, "random_state": 0, "n_iter_no_change": 15}
    clf = FNNClassifier(10, early_stopping=True, max_iter=60, **params)
    clf.fit(X_multi[:100], y_multi[:100], X_val=X_multi[100:], y_val=y_multi[100:])
    best = int(np.argmax(clf.validation_scores_))
    assert clf.validation_scores_[-1] < clf.validation_scores_[best]
    assert clf.score(X_multi[100:], y_multi[100:]) == clf.best_validation_score_ == clf.validation_scores_[best]
    np.testing.assert_allclose(
        -np.mean(clf.predict_log_proba(X_multi[100:])[np.arange(100), y_multi[100:]]),
        clf.validation_loss_curve_[best],
        rtol=1e-10,
    )


@not_converged
def test_early_stopping_accepts_text_labels():
    X, y = make_classification(n_samples=200, n_features=10, n_classes=3, n_informative=5, random_state=42)
    y = np.array(["class_a", "class_b", "class_c"], dtype=object)[y]
    clf = FNNClassifier(early_stopping=True, max_iter=50, random_state=42).fit(X, y)
    assert len(clf.validation_scores_) == clf.n_iter_
    assert np.isfinite(clf.validation_scores_).all()
    assert set(clf.predict(X)) <= set(y)


@not_converged
@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
def test_a_warm_start_needs_the_same_classes(solver):
    clf = FNNClassifier(2, solver=solver, warm_start=True, random_state=42, tol=1e-2)
    clf.fit(X_iris, y_iris).fit(X_iris, y_iris)
    clf.fit(X_iris, np.array([0] * 40 + [1] * 40 + [2] * 70))
    for classes, counts in (([0, 1], [75, 75]), ([0, 1, 3], [50, 50, 50]), ([0, 1, 2, 3], [37, 37, 38, 38])):
        with pytest.raises(ValueError, match="warm_start"):
            clf.fit(X_iris, np.repeat(classes, counts))


@not_converged
@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
def test_a_warm_start_does_max_iter_more_epochs(solver):
    X = StandardScaler().fit_transform(X_iris)
    clf = FNNClassifier(solver=solver, warm_start=True, max_iter=10, n_iter_no_change=np.inf, random_state=0)
    assert clf.fit(X, y_iris).n_iter_ == 10
    loss = clf.loss_
    assert clf.set_params(max_iter=20).fit(X, y_iris).n_iter_ == 20
    assert clf.loss_ < loss


@not_converged
def test_a_warm_start_may_stop_early():
    clf = FNNClassifier(max_iter=10, random_state=0, warm_start=True, early_stopping=True).fit(X_iris, y_iris)
    before = len(clf.validation_scores_)
    clf.set_params(max_iter=20).fit(X_iris, y_iris)
    assert len(clf.validation_scores_) > before


@not_converged
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("params", [{}, {"solver": "adam"}, {"solver": "lbfgs"}, {"momentum": 0.5}], ids=str)
def test_weights_and_probabilities_have_the_float_type_of_x(params, dtype):
    clf = FNNClassifier((5, 3), random_state=1, max_iter=5, **params).fit(X_multi.astype(dtype), y_multi)
    assert {p.dtype for p in clf.coefs_ + clf.intercepts_} == {np.dtype(dtype)}
    assert clf.predict_proba(X_multi.astype(dtype)).dtype == dtype
    assert clf.predict(X_multi).dtype == y_multi.dtype


@not_converged
def test_float32_and_float64_give_the_same_predictions():
    X, y = StandardScaler().fit_transform(X_iris), y_iris
    single, double = (
        FNNClassifier((5, 3), "tanh", random_state=1, max_iter=30).fit(X.astype(dtype), y) for dtype in ("f4", "f8")
    )
    np.testing.assert_array_equal(single.predict(X), double.predict(X))
    np.testing.assert_allclose(single.predict_proba(X), double.predict_proba(X), atol=1e-4)  # 30 steps of 1e-7


@not_converged
def test_a_model_from_joblib_can_be_trained_further(tmp_path):
    clf = FNNClassifier(42, random_state=42, max_iter=50).fit(X_binary, y_binary)
    joblib.dump(clf, tmp_path / "fnn.pkl")
    loaded = joblib.load(tmp_path / "fnn.pkl")
    for _ in range(100):
        loaded.partial_fit(X_binary[:20], 1 - y_binary[:20])
    assert loaded.score(X_binary[:20], 1 - y_binary[:20]) == 1.0


@pytest.mark.filterwarnings("error::UserWarning")
@not_converged
def test_feature_names_are_kept_with_early_stopping():
    pd = pytest.importorskip("pandas")
    X = pd.DataFrame(np.random.default_rng(0).normal(size=(20, 2)), columns=["a", "b"])
    clf = FNNClassifier(early_stopping=True, validation_fraction=0.2, random_state=0).fit(X, X["a"] > X["b"])
    np.testing.assert_array_equal(clf.feature_names_in_, ["a", "b"])
    clf.predict(X)
