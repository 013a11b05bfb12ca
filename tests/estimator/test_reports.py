"""Problems that users reported: one section for each kind of report."""

import io
import warnings
from contextlib import redirect_stdout, suppress

import numpy as np
import pytest
from scipy import sparse
from scipy.special import log_expit, log_softmax
from sklearn.datasets import load_iris
from sklearn.ensemble import BaggingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import f1_score, get_scorer, log_loss, make_scorer, top_k_accuracy_score
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skfnn import FNNClassifier, FNNRegressor, exceptions
from skfnn._engine.batches import Batches
from skfnn._estimator.validation import hold_out

rng = np.random.default_rng(0)
X = rng.normal(size=(120, 4))
y = np.repeat([0, 1, 2], 40)
X[np.arange(120), y] += 3.0
labels = np.column_stack([y == 0, y > 0]).astype(int)
VALUES = {FNNClassifier: y, FNNRegressor: X[:, 0] - X[:, 1]}
SETTINGS = {"hidden_layer_sizes": (6,), "max_iter": 20, "n_iter_no_change": None, "random_state": 0}

kinds = pytest.mark.parametrize("kind", [FNNClassifier, FNNRegressor])
SOLVERS = ["sgd", "adam", "lbfgs"]
solvers = pytest.mark.parametrize("solver", SOLVERS)


def classifier(**params):
    return FNNClassifier(**(SETTINGS | params))


# 2. A validation set that lacks a class

lacks_class_2 = {"X_val": X[y < 2][:50], "y_val": y[y < 2][:50]}


@pytest.mark.filterwarnings("ignore:L-BFGS did not converge")
@solvers
@pytest.mark.parametrize("scoring", ["neg_log_loss", "d2_log_loss_score", "top_k_accuracy", "neg_brier_score"])
def test_metrics_with_labels_can_score_a_validation_set_that_lacks_a_class(scoring, solver):
    clf = classifier(scoring=scoring, early_stopping=True, solver=solver, learning_rate_init=0.1).fit(
        X, y, **lacks_class_2
    )
    proba = clf.predict_proba(lacks_class_2["X_val"])
    expected = {
        "neg_log_loss": lambda: -log_loss(lacks_class_2["y_val"], proba, labels=[0, 1, 2]),
        "top_k_accuracy": lambda: top_k_accuracy_score(lacks_class_2["y_val"], proba, labels=[0, 1, 2]),
        "neg_brier_score": lambda: -np.square(proba - np.eye(3)[lacks_class_2["y_val"]]).sum(axis=1).mean(),
        "d2_log_loss_score": lambda: clf.best_validation_score_,
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


# 3. Multilabel y with numbers other than 0 and 1


@pytest.mark.parametrize(
    "encode", [lambda Y: 2 * Y - 1, lambda Y: Y + 1, lambda Y: 2 * Y, lambda Y: sparse.csr_array(2.0 * Y)]
)
def test_a_multilabel_y_must_hold_0_and_1(encode):
    wrong = encode(labels)
    clf = classifier().fit(X, labels)
    before = clf.coefs_[0].copy()
    calls = [
        lambda: clf.fit(X, wrong),
        lambda: clf.partial_fit(X, wrong),
        lambda: clf.resume(X, wrong),
        lambda: clf.fit(X, labels, X_val=X, y_val=wrong),
        lambda: clf.score(X, wrong),
    ]
    for call in calls:
        with pytest.raises(ValueError, match="multilabel y must hold 0 and 1, got"):
            call()
    np.testing.assert_array_equal(clf.coefs_[0], before)
    assert clf.score(X, labels.astype(bool)) == clf.score(X, labels.astype(float)) == clf.score(X, labels) > 0.8


# 4. Logarithms of small probabilities


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("target", [y, y > 0, labels], ids=["multiclass", "binary", "multilabel"])
@pytest.mark.parametrize("solver", SOLVERS)
def test_log_probabilities_come_from_the_raw_outputs(target, dtype, solver):
    clf = FNNClassifier(**(SETTINGS | {"max_iter": 200, "solver": solver, "dtype": dtype})).fit(X, target)
    clf.coefs_[-1] *= 300.0
    far = 30.0 * X
    raw = clf.decision_function(far).astype(np.float64)
    if target.ndim == 2:
        expected = log_expit(raw)
    elif raw.ndim == 1:
        expected = np.column_stack([log_expit(-raw), log_expit(raw)])
    else:
        expected = log_softmax(raw, axis=1)
    found = clf.predict_log_proba(far)
    assert found.dtype == dtype
    assert found.min() < -1000.0
    # In float32, raw outputs of 10,000 are rounded to 1e-3.
    np.testing.assert_allclose(
        found, expected, rtol=1e-6 if dtype == "float32" else 1e-12, atol=2e-3 if dtype == "float32" else 1e-9
    )
    proba = clf.predict_proba(far)
    assert proba.min() > 0.0
    seen = proba > np.finfo(dtype).tiny
    np.testing.assert_allclose(found[seen], np.log(proba[seen]), rtol=1e-5, atol=1e-6)


# 5. Sparse multilabel y, two rows, text


@pytest.mark.parametrize("container", [sparse.csr_matrix, sparse.csc_array, sparse.csr_array])
def test_predictions_are_sparse_if_the_multilabel_y_was(container):
    dense, clf = classifier().fit(X, labels), classifier().fit(X, container(labels))
    found = clf.predict(X)
    assert sparse.issparse(found)
    np.testing.assert_array_equal(found.toarray(), dense.predict(X))
    assert clf.score(X, container(labels)) == dense.score(X, labels)
    assert sparse.issparse(cross_val_predict(classifier(), X, sparse.csr_matrix(labels), cv=3))
    assert not sparse.issparse(clf.partial_fit(X, labels).predict(X))
    assert sparse.issparse(clf.partial_fit(X, container(labels)).predict(X))


def test_a_scorer_accepts_sparse_predictions():
    given = {"X_val": X, "y_val": sparse.csr_matrix(labels)}
    clf = classifier(scoring="f1_macro").fit(X, sparse.csr_matrix(labels), **given)
    assert clf.validation_scores_[-1] == pytest.approx(f1_score(labels, clf.predict(X).toarray(), average="macro"))


@kinds
def test_two_rows_are_too_few_to_hold_one_out(kind):
    with pytest.raises(ValueError, match="fewer than two training rows"):
        kind(early_stopping=True).fit(X[:2], [0, 1])
    with pytest.raises(ValueError, match="fewer than two training rows"):
        kind(validation_fraction=0.7).fit(X[:4], VALUES[kind][[0, 50, 0, 50]])


def text_rows():
    pandas = pytest.importorskip("pandas")
    numbers = np.round(X, 3)
    text = numbers.astype(str)
    mixed = numbers.astype(object)
    mixed[-1, -1] = "1.5"
    frame = pandas.DataFrame(numbers, columns=list("abcd"))
    yield from (text, mixed, mixed.tolist(), text.tolist(), text.astype("S"))
    yield frame.astype(str)
    for kind in ("object", "category", "string"):
        yield frame.assign(b=pandas.Series(text[:, 1]).astype(kind))


@pytest.mark.filterwarnings("ignore:X has feature names")
@pytest.mark.parametrize("k", range(9))
@kinds
def test_text_in_x_is_refused(kind, k):
    rows = list(text_rows())[k]
    model = kind(**SETTINGS).fit(X, VALUES[kind])
    calls = [
        lambda: kind().fit(rows, VALUES[kind]),
        lambda: model.partial_fit(rows, VALUES[kind]),
        lambda: model.predict(rows),
        lambda: model.fit(X, VALUES[kind], X_val=rows, y_val=VALUES[kind]),
    ]
    for call in calls:
        with pytest.raises(ValueError, match="X holds text, and a network needs numbers"):
            call()


def test_numbers_in_object_arrays_and_categories_are_accepted():
    pandas = pytest.importorskip("pandas")
    numbers = np.round(X)
    expected = classifier().fit(numbers, y).predict_proba(numbers)
    frame = pandas.DataFrame(numbers).astype(int).astype("category")
    for rows in (numbers.astype(object), numbers.tolist(), frame.to_numpy()):
        np.testing.assert_array_equal(classifier().fit(rows, y).predict_proba(rows), expected)


# 6. A validation set that the scaler of a pipeline did not transform

X_iris, y_iris = load_iris(return_X_y=True)
X_wide = X_iris * [1.0, 100.0, 1e4, 1.0] + [0.0, 500.0, 0.0, 100.0]


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


# 7. Objects and sets


def test_labels_of_dtype_object_get_a_clear_error():
    numbers = y.astype(object)
    clf = classifier().fit(X, y)
    for call in (
        lambda: clf.fit(X, numbers),
        lambda: clf.partial_fit(X, numbers),
        lambda: clf.fit(X, y, X_val=X, y_val=numbers),
    ):
        with pytest.raises(ValueError, match=r"dtype object .* pass y\.astype\(int\)"):
            call()
    words = np.array(["a", "b", "c"], dtype=object)[y]
    np.testing.assert_array_equal(np.unique(classifier().fit(X, words).predict(X)), ["a", "b", "c"])


@pytest.mark.parametrize("classes", [{0, 1, 2}, frozenset([0, 1, 2]), {0: "a", 1: "b", 2: "c"}])
def test_a_set_of_classes_gets_a_clear_error(classes):
    for clf in (classifier(), classifier().fit(X, y)):
        with pytest.raises(ValueError, match=r"classes must be a list or an array, got a \w+: pass sorted\(classes\)"):
            clf.partial_fit(X, y, classes=classes)
    with pytest.raises(ValueError, match="classes must be a list or an array of class labels"):
        classifier().partial_fit(X, y, classes=[[0, 1], [2, 3]])


# 8. Ctrl-C


@pytest.fixture
def ctrl_c(monkeypatch):
    """Press Ctrl-C in the third epoch of every fit; the result counts the interruptions."""
    shuffle, counts = Batches.shuffle, {"epochs": 0, "interrupts": 0}

    def interrupted(self, *args):
        counts["epochs"] += 1
        if counts["epochs"] % 3 == 0:
            counts["interrupts"] += 1
            raise KeyboardInterrupt
        return shuffle(self, *args)

    monkeypatch.setattr(Batches, "shuffle", interrupted)
    return counts


@pytest.mark.parametrize(
    "train",
    [
        lambda clf: GridSearchCV(clf, {"alpha": [0.0, 1.0]}, cv=3).fit(X, y),
        lambda clf: cross_val_score(clf, X, y, cv=3),
        lambda clf: BaggingClassifier(clf, 3, random_state=0).fit(X, y),
        lambda clf: GridSearchCV(make_pipeline(StandardScaler(), clf), {"fnnclassifier__alpha": [0.0]}).fit(X, y),
    ],
    ids=["search", "cross-validation", "bagging", "search over a pipeline"],
)
def test_ctrl_c_ends_a_search_or_an_ensemble(train, ctrl_c):
    with pytest.raises(KeyboardInterrupt):
        train(classifier())
    assert ctrl_c["interrupts"] == 1


@pytest.mark.parametrize("wrap", [lambda clf: clf, lambda clf: make_pipeline(StandardScaler(), clf)])
def test_ctrl_c_in_a_fit_that_the_user_called_keeps_the_finished_epochs(wrap, ctrl_c):
    model = wrap(classifier())
    with pytest.warns(exceptions.InterruptedWarning, match="last finished epoch"):
        model.fit(X, y)
    assert (model if isinstance(model, FNNClassifier) else model[-1]).n_iter_ == 2


# 9. A plateau


@kinds
def test_a_plateau_causes_a_warning(kind):
    deep = kind(**(SETTINGS | {"hidden_layer_sizes": (20,) * 4, "activation": "logistic", "learning_rate_init": 1e-4}))
    with pytest.warns(exceptions.ConstantPredictionWarning, match="no better than a constant"):
        deep.fit(X, VALUES[kind])


# 10. What verbose prints


class Pipe(io.StringIO):
    """Counts the lines that a reader at the other end sees immediately."""

    flushed = 0

    def flush(self):
        self.flushed = self.getvalue().count("\n")


@kinds
@pytest.mark.filterwarnings("ignore:L-BFGS did not converge")
@pytest.mark.parametrize(("solver", "word"), [("sgd", "Epoch"), ("adam", "Epoch"), ("lbfgs", "Iteration")])
def test_verbose_prints_each_epoch_at_once_under_its_name(kind, solver, word):
    with redirect_stdout(Pipe()) as pipe:
        kind(**(SETTINGS | {"verbose": True, "solver": solver})).fit(X, VALUES[kind])
    lines = pipe.getvalue().splitlines()
    assert pipe.flushed == len(lines)
    assert [line.split()[0] for line in lines[:3]] == [word] * 3


@pytest.mark.parametrize(("scoring", "times"), [("loss", 1), (None, 2)])
def test_the_validation_loss_is_printed_once(scoring, times):
    with redirect_stdout(io.StringIO()) as out:
        classifier(verbose=True, scoring=scoring).fit(X, y, X_val=X, y_val=y)
    assert out.getvalue().splitlines()[0].count("validation") == times


@kinds
def test_lbfgs_says_why_it_has_no_partial_fit(kind):
    assert not hasattr(kind(solver="lbfgs"), "partial_fit")
    with pytest.raises(AttributeError, match="partial_fit is only available for solver='sgd' and solver='adam'"):
        kind(solver="lbfgs").partial_fit(X, VALUES[kind])


# 11. Filters by category


@pytest.mark.parametrize(
    ("category", "trigger"),
    [
        (exceptions.NotConvergedWarning, lambda: classifier(max_iter=5, n_iter_no_change=10).fit(X, y)),
        (exceptions.ConstantPredictionWarning, lambda: classifier(learning_rate_init=1e-6).fit(X, y)),
        (exceptions.ScaleWarning, lambda: classifier(learning_rate_init=0.1, standardize=False).fit(1000 * X, y)),
        (exceptions.BatchSizeWarning, lambda: classifier(batch_size=500).fit(X, y)),
        (
            exceptions.DivergenceWarning,
            lambda: [
                net.partial_fit(1e3 * X, y, classes=[0, 1, 2])
                for net in [classifier(learning_rate_init=10.0, standardize=False)]
                for _ in range(3)
            ],
        ),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_warnings_can_be_filtered_by_category(category, trigger):
    with warnings.catch_warnings(record=True) as caught, suppress(ValueError):  # training may diverge after the warning
        warnings.simplefilter("always")
        trigger()
    found = [w for w in caught if w.category is category]
    assert len(found) == 1
    assert found[0].filename == __file__
    with warnings.catch_warnings(), suppress(ValueError):
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", category=exceptions.SkfnnWarning)
        trigger()


def test_warnings_also_have_scikit_learns_category_if_it_has_one():
    for name in ("NotConvergedWarning", "ConstantPredictionWarning", "DivergenceWarning"):
        assert issubclass(getattr(exceptions, name), ConvergenceWarning)
    for name in exceptions.__all__:
        assert issubclass(getattr(exceptions, name), exceptions.SkfnnWarning)
        assert issubclass(getattr(exceptions, name), UserWarning)


# 12. validation_fraction=0


@kinds
@pytest.mark.filterwarnings("ignore:L-BFGS did not converge")
@solvers
@pytest.mark.parametrize("early_stopping", [True, False])
@pytest.mark.parametrize("zero", [0, 0.0, np.float64(0.0)])
def test_a_validation_fraction_of_zero_holds_out_nothing(kind, solver, early_stopping, zero, assert_identical):
    params = SETTINGS | {"solver": solver, "early_stopping": early_stopping}
    a, b = (kind(**params, validation_fraction=value).fit(X, VALUES[kind]) for value in (zero, None))
    assert_identical(a, b)
    assert a.validation_scores_ == b.validation_scores_


# 13. partial_fit on few rows


@kinds
def test_parameters_are_validated_again_after_every_change(kind):
    model = kind(**SETTINGS)
    classes = {"classes": [0, 1, 2]} if kind is FNNClassifier else {}
    rows, values = X[:8], VALUES[kind][:8]
    model.partial_fit(rows, values, **classes)
    model.partial_fit(rows, values)
    model.set_params(momentum=2.0)
    with pytest.raises(ValueError, match="momentum"):
        model.partial_fit(rows, values)
    model.momentum = 0.5
    model.partial_fit(rows, values)
    model.activation = ["relu"]
    model.partial_fit(rows, values)
    model.activation[0] = "no such function"  # in place
    with pytest.raises(ValueError, match="activation"):
        model.partial_fit(rows, values)


def test_the_parameters_of_an_unchanged_estimator_are_validated_once(monkeypatch):
    validated = []
    original = FNNClassifier._validate_params
    monkeypatch.setattr(FNNClassifier, "_validate_params", lambda self: validated.append(original(self)))
    clf = classifier()
    for _ in range(4):
        clf.partial_fit(X[:8], y[:8], classes=[0, 1, 2])
    assert len(validated) == 1


@kinds
@pytest.mark.parametrize("bad", ["NaN in X", "NaN in y", "a column less", "rows of y", "one dimension"])
def test_the_fast_path_for_small_batches_refuses_bad_rows(kind, bad):
    model = kind(**SETTINGS).fit(X, VALUES[kind])
    rows, values = X[:8].copy(), VALUES[kind][:8].astype(float)
    if bad == "NaN in X":
        rows[3, 1] = np.nan
    elif bad == "NaN in y":
        values[3] = np.nan
    rows = {"a column less": rows[:, 1:], "one dimension": rows[0]}.get(bad, rows)
    values = values[:7] if bad == "rows of y" else values
    with pytest.raises(ValueError):
        model.partial_fit(rows, values)


# 14. Hover help


@kinds
def test_every_parameter_and_attribute_has_an_entry_of_its_own(kind, monkeypatch):
    common = pytest.importorskip("sklearn.utils._repr_html.common")
    if not hasattr(common, "get_docstring"):
        pytest.skip("this scikit-learn does not show attributes")
    model = kind(**SETTINGS).fit(X, VALUES[kind])
    fitted = [name for name in dir(model) if name.endswith("_") and not name.startswith("_")]
    for section, names in (("Parameters", model.get_params()), ("Attributes", fitted)):
        for name in names:
            assert common.get_docstring(kind, section, name), name
    # scikit-learn shows the entries as hover help if there is documentation to link to.
    monkeypatch.setattr(kind, "_doc_link_module", "skfnn")
    monkeypatch.setattr(kind, "_doc_link_template", "https://example.org/{estimator_module}.{estimator_name}.html")
    assert "decay rate of the first moment" in kind()._repr_html_()
