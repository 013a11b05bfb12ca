"""The estimators in more of scikit-learn's tools, with more containers, and with parameters of other types."""

from decimal import Decimal
from functools import partial

import numpy as np
import pytest
import scipy.stats
import sklearn
import tool_problems
from scipy import sparse
from sklearn.base import clone
from sklearn.ensemble import AdaBoostClassifier, AdaBoostRegressor
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.feature_selection import RFE, SelectFromModel, SequentialFeatureSelector
from sklearn.impute import IterativeImputer
from sklearn.inspection import DecisionBoundaryDisplay
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    RandomizedSearchCV,
    StratifiedKFold,
    TunedThresholdClassifierCV,
    validation_curve,
)
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier, OutputCodeClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier, MultiOutputRegressor, RegressorChain
from sklearn.semi_supervised import SelfTrainingClassifier
from small_tables import X_iris, X_line, flowers, y_iris, y_line

from skfnn import FNNClassifier, FNNRegressor

SETTINGS = tool_problems.SETTINGS | {"max_iter": 30}


def make(kind, **params):
    return kind(**(SETTINGS | params))


classifier, regressor = partial(make, FNNClassifier), partial(make, FNNRegressor)

Y_line = np.column_stack([y_line, -2.0 * y_line + X_line[:, 2]])
labels = (Y_line > 0).astype(int)

kinds = pytest.mark.parametrize("kind", [FNNClassifier, FNNRegressor])
DATA = {FNNClassifier: (X_iris, y_iris), FNNRegressor: (X_line, y_line)}


# Boosting


def test_adaboost_increases_the_weights_of_misclassified_rows():
    model = AdaBoostClassifier(classifier(max_iter=8), n_estimators=3, random_state=0).fit(X_iris, flowers)
    weights = np.full(150, 1 / 150)
    first = clone(model.estimators_[0]).fit(X_iris, flowers, weights)
    wrong = first.predict(X_iris) != flowers
    error = wrong.mean()
    assert model.estimator_errors_[0] == pytest.approx(error)
    weights[wrong] *= (1 - error) / error * 2  # SAMME with three classes
    second = clone(model.estimators_[1]).fit(X_iris, flowers, weights / weights.sum())
    np.testing.assert_allclose(second.coefs_[0], model.estimators_[1].coefs_[0], rtol=1e-6, atol=1e-9)
    assert model.score(X_iris, flowers) > 0.9


def test_adaboost_works_for_regression():
    model = AdaBoostRegressor(regressor(), n_estimators=3, random_state=0).fit(X_line, y_line)
    each = np.sort([member.predict(X_line) for member in model.estimators_], axis=0)
    found = model.predict(X_line)
    assert ((each[0] <= found) & (found <= each[-1])).all()  # a weighted median
    assert model.score(X_line, y_line) > 0.8


# Chains, outputs, pairs and codes


def test_a_classifier_chain_passes_earlier_labels_to_each_network():
    chain = ClassifierChain(classifier()).fit(X_line, labels)
    first = classifier().fit(X_line, labels[:, 0])
    second = classifier().fit(np.column_stack([X_line, labels[:, 0]]), labels[:, 1])
    a = first.predict(X_line)
    b = second.predict(np.column_stack([X_line, a]))
    np.testing.assert_array_equal(chain.predict(X_line), np.column_stack([a, b]))


def test_a_regressor_chain_passes_earlier_targets_to_each_network():
    chain = RegressorChain(regressor()).fit(X_line, Y_line)
    a = regressor().fit(X_line, Y_line[:, 0]).predict(X_line)
    second = regressor().fit(np.column_stack([X_line, Y_line[:, 0]]), Y_line[:, 1])
    np.testing.assert_allclose(
        chain.predict(X_line), np.column_stack([a, second.predict(np.column_stack([X_line, a]))])
    )


def test_one_vs_one_trains_a_network_for_each_pair_of_classes():
    model = OneVsOneClassifier(classifier()).fit(X_iris, flowers)
    for (i, j), member in zip([(0, 1), (0, 2), (1, 2)], model.estimators_, strict=True):
        pair = np.isin(y_iris, (i, j))
        own = classifier().fit(X_iris[pair], (y_iris[pair] == j).astype(int))
        np.testing.assert_array_equal(own.coefs_[0], member.coefs_[0])
    assert model.score(X_iris, flowers) > 0.9


def test_output_codes_work():
    assert (
        OutputCodeClassifier(classifier(), code_size=3, random_state=0).fit(X_iris, flowers).score(X_iris, flowers)
        > 0.85
    )


@pytest.mark.parametrize(
    ("wrapper", "y", "member_y"),
    [
        (OneVsRestClassifier(classifier()), flowers, lambda: (y_iris == 1).astype(int)),
        (MultiOutputClassifier(classifier()), labels, lambda: labels[:, 1]),
        (MultiOutputRegressor(regressor()), Y_line, lambda: Y_line[:, 1]),
    ],
    ids=["one versus rest", "classifier", "regressor"],
)
def test_partial_fit_of_a_wrapper_calls_that_of_its_members(wrapper, y, member_y):
    X = X_iris if len(y) == 150 else X_line
    own = clone(wrapper.estimator)
    classes = {"classes": [0, 1]} if isinstance(own, FNNClassifier) else {}
    for k in range(3):
        first = (
            {}
            if k or wrapper.__class__ is MultiOutputRegressor
            else {"classes": np.unique(y) if y.ndim == 1 else [[0, 1]] * 2}
        )
        wrapper.partial_fit(X, y, **first)
        own.partial_fit(X, member_y(), **classes)
    np.testing.assert_array_equal(wrapper.estimators_[1].coefs_[0], own.coefs_[0])
    assert own.n_iter_ == 3


def test_one_vs_one_learns_by_partial_fit():
    # The labels are not text: for text, OneVsOneClassifier.partial_fit of scikit-learn 1.9 passes unannounced labels.
    model = OneVsOneClassifier(classifier())
    for _ in range(20):
        model.partial_fit(X_iris, y_iris, classes=[0, 1, 2])
    assert model.score(X_iris, y_iris) > 0.9
    assert [member.n_iter_ for member in model.estimators_] == [20] * 3


# Semi-supervised learning, imputation, selection of features, thresholds


def test_self_training_labels_the_unlabelled_rows():
    given = np.where(np.arange(150) % 5 == 0, y_iris, -1)
    model = SelfTrainingClassifier(classifier(max_iter=60)).fit(X_iris, given)
    assert (model.transduction_ != -1).sum() > 100
    assert model.score(X_iris, y_iris) > 0.9


@pytest.mark.filterwarnings("ignore:.IterativeImputer. Early stopping")
def test_a_network_can_fill_in_missing_values():
    rng = np.random.default_rng(0)
    whole = np.column_stack([X_line[:, :2], X_line[:, 0] - X_line[:, 1]])
    missing = whole.copy()
    holes = rng.random(120) < 0.2
    missing[holes, 2] = np.nan
    imputer = IterativeImputer(regressor(max_iter=60), max_iter=2, random_state=0)
    filled = imputer.fit_transform(missing)
    np.testing.assert_array_equal(filled[~holes], whole[~holes])
    # The error is at most a tenth of that of the mean.
    assert abs(filled - whole)[holes, 2].mean() < 0.1 * abs(whole[holes, 2] - whole[:, 2].mean()).mean()


def strength(model):
    """The norm of the first-layer weights of every feature."""
    return np.linalg.norm(model.coefs_[0], axis=1)


def test_features_are_selected_by_weights_or_by_scores():
    selectors = [
        RFE(regressor(), n_features_to_select=2, importance_getter=strength),
        SelectFromModel(regressor(), importance_getter=strength, threshold=-np.inf, max_features=2),
        SequentialFeatureSelector(regressor(), n_features_to_select=2, cv=2),
    ]
    for selector in selectors:
        np.testing.assert_array_equal(selector.fit(X_line, y_line).get_support(), [True, True, False, False])


def test_thresholds_are_tuned():
    y = np.where(X_line[:, 0] > 1.0, "rare", "usual")
    fixed = FixedThresholdClassifier(classifier(), threshold=0.9, pos_label="rare").fit(X_line, y)
    proba = fixed.estimator_.predict_proba(X_line)[:, 0]
    np.testing.assert_array_equal(fixed.predict(X_line), np.where(proba >= 0.9, "rare", "usual"))
    tuned = TunedThresholdClassifierCV(classifier(), cv=3, random_state=0).fit(X_line, y)
    proba = tuned.estimator_.predict_proba(X_line)[:, 1]
    np.testing.assert_array_equal(tuned.predict(X_line), np.where(proba >= tuned.best_threshold_, "usual", "rare"))


def test_decision_boundaries_are_drawn():
    pytest.importorskip("matplotlib").use("Agg")
    import matplotlib.pyplot as plt

    clf = classifier().fit(X_iris[:, :2], y_iris)
    drawn = DecisionBoundaryDisplay.from_estimator(clf, X_iris[:, :2], grid_resolution=10, response_method="predict")
    grid = np.column_stack([drawn.xx0.ravel(), drawn.xx1.ravel()])
    np.testing.assert_array_equal(drawn.response.ravel(), clf.predict(grid))
    plt.close("all")


def test_a_validation_curve_equals_single_fits():
    folds = StratifiedKFold(3)
    _, found = validation_curve(
        classifier(), X_iris, y_iris, param_name="hidden_layer_sizes", param_range=[(2,), (8, 4)], cv=folds
    )
    for sizes, scores in zip([(2,), (8, 4)], found, strict=True):
        for (train, test), score in zip(folds.split(X_iris, y_iris), scores, strict=True):
            own = classifier(hidden_layer_sizes=sizes).fit(X_iris[train], y_iris[train])
            assert own.score(X_iris[test], y_iris[test]) == score


# Array API, torch, pyarrow, polars


@kinds
def test_array_api_dispatch_may_be_on(kind, monkeypatch, assert_identical):
    monkeypatch.setenv("SCIPY_ARRAY_API", "1")
    X, y = DATA[kind]
    expected = make(kind).fit(X, y)
    try:
        with sklearn.config_context(array_api_dispatch=True):
            model = make(kind).fit(X, y)
            score = model.score(X, y)
    except (RuntimeError, ImportError) as error:  # SciPy was imported before the variable was set, or is too old
        pytest.skip(str(error))
    assert_identical(model, expected)
    assert score == expected.score(X, y)


@kinds
def test_torch_tensors_are_accepted(kind, assert_identical):
    torch = pytest.importorskip("torch")
    X, y = DATA[kind]
    model = make(kind).fit(torch.from_numpy(X), torch.from_numpy(y))
    assert_identical(model, make(kind).fit(X, y))
    np.testing.assert_array_equal(model.predict(torch.from_numpy(X)), model.predict(X))


@kinds
def test_pandas_frames_with_pyarrow_columns_are_accepted(kind):
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    X, y = DATA[kind]
    frame = pandas.DataFrame(X, columns=list("abcd"))
    column = pandas.Series(flowers if kind is FNNClassifier else y)
    expected = make(kind).fit(frame, column)
    arrow_y = column.astype("string[pyarrow]" if kind is FNNClassifier else "double[pyarrow]")
    found = make(kind).fit(frame.astype("double[pyarrow]"), arrow_y)
    np.testing.assert_array_equal(found.predict(frame.astype("double[pyarrow]")), expected.predict(frame))


@pytest.mark.parametrize("dtype", ["String", "Categorical", "Enum", "object"])
def test_polars_columns_of_text_are_labels(dtype, assert_identical):
    polars = pytest.importorskip("polars")
    kind = polars.Enum(sorted(set(flowers))) if dtype == "Enum" else getattr(polars, dtype, None)
    column = polars.Series("y", flowers.tolist(), dtype=kind)
    model = classifier().fit(X_iris, column)
    assert_identical(model, classifier().fit(X_iris, y_iris))
    assert set(model.predict(X_iris)) <= set(flowers)
    assert model.score(X_iris, column) == model.score(X_iris, flowers)


def test_decimals_of_polars_are_targets():
    polars = pytest.importorskip("polars")
    values = [Decimal(f"{value:.3f}") for value in y_line]
    expected = regressor().fit(X_line, [float(value) for value in values])
    model = regressor().fit(X_line, polars.Series("y", values, dtype=polars.Decimal(10, 3)))
    np.testing.assert_allclose(model.predict(X_line), expected.predict(X_line))


def test_nullable_integers_are_labels(assert_identical):
    pandas = pytest.importorskip("pandas")
    for kind in ("Int64", "Int8", "UInt8"):
        model = classifier().fit(X_iris, pandas.Series(y_iris).astype(kind))
        assert_identical(model, classifier().fit(X_iris, y_iris))
        assert model.score(X_iris, pandas.Series(y_iris).astype(kind)) == model.score(X_iris, y_iris)


@kinds
def test_sparse_rows_may_have_64_bit_indices(kind, assert_identical):
    X, y = DATA[kind]
    usual, long = sparse.csr_array(X), sparse.csr_array(X)
    usual.indices, usual.indptr = usual.indices.astype(np.int32), usual.indptr.astype(np.int32)
    long.indices, long.indptr = long.indices.astype(np.int64), long.indptr.astype(np.int64)
    a, b = make(kind, standardize=False).fit(usual, y), make(kind, standardize=False).fit(long, y)
    assert_identical(a, b)
    np.testing.assert_array_equal(a.predict(usual), b.predict(long))


# Parameters of other types


@kinds
def test_searches_may_pass_sizes_as_arrays_and_numbers_as_scalars(kind):
    X, y = DATA[kind]
    grid = {"hidden_layer_sizes": [np.array([4]), np.array([8, 4])], "max_iter": np.array([5, 10])}
    search = GridSearchCV(make(kind), grid, cv=2).fit(X, y)
    assert search.best_estimator_.coefs_[0].shape[1] in (4, 8)
    drawn = {
        "learning_rate_init": scipy.stats.loguniform(1e-3, 1e-1),
        "hidden_layer_sizes": scipy.stats.randint(3, 9),
        "batch_size": scipy.stats.randint(5, 50),
        "alpha": scipy.stats.uniform(0, 1),
    }
    search = RandomizedSearchCV(make(kind), drawn, n_iter=3, cv=2, random_state=0).fit(X, y)
    best = search.best_params_
    plain = {name: value.item() if hasattr(value, "item") else value for name, value in best.items()}
    np.testing.assert_array_equal(search.best_estimator_.coefs_[0], make(kind, **plain).fit(X, y).coefs_[0])


@kinds
def test_scalars_of_numpy_are_parameters(kind, assert_identical):
    X, y = DATA[kind]
    plain = {"alpha": 0.5, "max_iter": 7, "batch_size": 16, "shuffle": False, "momentum": 0.5, "solver": "sgd"}
    scalars = {
        "alpha": np.float64(0.5),
        "max_iter": np.int32(7),
        "batch_size": np.int64(16),
        "shuffle": np.False_,
        "momentum": np.float32(0.5),
        "solver": np.str_("sgd"),
    }
    assert_identical(make(kind, **plain).fit(X, y), make(kind, **scalars).fit(X, y))


@kinds
@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_a_lower_rate_takes_effect_in_the_next_partial_fit(kind, solver):
    X, y = DATA[kind]
    model = make(kind, solver=solver, batch_size="full", standardize=False)
    classes = {"classes": [0, 1, 2]} if kind is FNNClassifier else {}
    model.partial_fit(X, y, **classes)
    other = clone(model).partial_fit(X, y, **classes)
    before = model.coefs_[0].copy()
    large = model.partial_fit(X, y).coefs_[0] - before
    other.set_params(learning_rate_init=0.002).partial_fit(X, y)
    assert other.learning_rate_init_ == 0.002
    np.testing.assert_allclose(other.coefs_[0] - before, large / 10.0, rtol=1e-6, atol=1e-14)
