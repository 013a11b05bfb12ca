"""The estimators inside scikit-learn's own tools: calibration, ensembles, inspection, halving searches, set_output.

Each test computes the expected result of a tool itself, from estimators fitted outside the tool.
"""

import warnings

import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import make_classification
from sklearn.ensemble import (
    BaggingClassifier,
    BaggingRegressor,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.frozen import FrozenEstimator
from sklearn.inspection import PartialDependenceDisplay, partial_dependence, permutation_importance
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import (
    HalvingGridSearchCV,
    KFold,
    LearningCurveDisplay,
    StratifiedKFold,
    cross_val_predict,
    cross_val_score,
    learning_curve,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.fixes import parse_version
from small_tables import X_iris, X_line, flowers, y_iris, y_line

from skfnn import FNNClassifier, FNNRegressor

SKLEARN = parse_version(sklearn.__version__)

# With n_iter_no_change=inf, training does exactly max_iter epochs and does not warn.
SETTINGS = {
    "hidden_layer_sizes": (8,),
    "solver": "adam",
    "learning_rate_init": 0.02,
    "batch_size": 20,
    "max_iter": 12,
    "n_iter_no_change": None,
    "random_state": 0,
}


def classifier(**params):
    return FNNClassifier(**(SETTINGS | params))


def regressor(**params):
    return FNNRegressor(**(SETTINGS | params))


Y_line = np.column_stack([y_line, -2.0 * y_line + X_line[:, 2], X_line[:, 3]])

PROBLEMS = {"classifier": (classifier, X_iris, flowers), "regressor": (regressor, X_line, y_line)}


# Calibration


def overconfident(n_classes):
    """A network trained far too long on noisy labels, its training rows, and other rows."""
    X, y = make_classification(400, 6, n_informative=4, n_redundant=0, n_classes=n_classes, flip_y=0.3, random_state=0)
    clf = classifier(hidden_layer_sizes=(64,), learning_rate_init=0.01, max_iter=60)
    return clf, (X[:200], y[:200]), (X[200:], y[200:])


METHODS = [
    "sigmoid",
    "isotonic",
    pytest.param(
        "temperature",
        marks=pytest.mark.skipif(SKLEARN < parse_version("1.8"), reason="temperature scaling needs scikit-learn 1.8"),
    ),
]


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("method", METHODS)
def test_calibration_corrects_an_overconfident_network(method, n_classes):
    clf, train, test = overconfident(n_classes)
    raw = log_loss(test[1], clone(clf).fit(*train).predict_proba(test[0]))
    for ensemble in (True, False):
        calibrated = CalibratedClassifierCV(clf, method=method, cv=3, ensemble=ensemble).fit(*train)
        proba = calibrated.predict_proba(test[0])
        np.testing.assert_allclose(proba.sum(axis=1), 1.0, rtol=1e-12)
        # The improvement is 0.09 to 0.27 nats.
        assert log_loss(test[1], proba) < raw - 0.05


@pytest.mark.parametrize("method", ["sigmoid", "isotonic"])
def test_a_frozen_network_is_calibrated_as_it_is(method):
    clf, train, test = overconfident(2)
    clf.fit(*train)
    before = clf.coefs_[0].copy()
    calibrated = CalibratedClassifierCV(FrozenEstimator(clf), method=method).fit(*test)
    np.testing.assert_array_equal(clf.coefs_[0], before)
    # Both methods apply an increasing function to the decision function.
    proba = calibrated.predict_proba(test[0])[:, 1]
    in_order = proba[np.argsort(clf.decision_function(test[0]))]
    assert (np.diff(in_order) >= 0).all()
    assert in_order[-1] - in_order[0] > 0.3
    assert log_loss(test[1], proba) < log_loss(test[1], clf.predict_proba(test[0]))


@pytest.mark.skipif(SKLEARN < parse_version("1.8"), reason="temperature scaling needs scikit-learn 1.8")
def test_temperature_scaling_divides_the_raw_outputs_by_one_number():
    clf, train, test = overconfident(3)
    clf.fit(*train)
    calibrated = CalibratedClassifierCV(FrozenEstimator(clf), method="temperature").fit(*test)
    np.testing.assert_array_equal(calibrated.predict(test[0]), clf.predict(test[0]))
    ratios = np.diff(np.log(calibrated.predict_proba(test[0])), axis=1) / np.diff(
        clf.decision_function(test[0]), axis=1
    )
    # Logarithms of probabilities near 0 and 1 lose digits.
    np.testing.assert_allclose(ratios, ratios[0, 0], rtol=1e-6)
    assert 0.05 < ratios[0, 0] < 0.9  # the probabilities are softer than the network's


def test_calibration_passes_sample_weights_to_the_network():
    # The rows of weight zero have wrong labels.
    weights = np.tile([1.0, 0.0], 75)
    y = np.where(weights > 0, y_iris, (y_iris + 1) % 3)
    clf = classifier(max_iter=40)
    weighted = CalibratedClassifierCV(clf, cv=3).fit(X_iris, y, sample_weight=weights)
    assert weighted.score(X_iris, y_iris) > 0.9
    assert CalibratedClassifierCV(clf, cv=3).fit(X_iris, y).score(X_iris, y_iris) < 0.8


# Inspection


@pytest.mark.parametrize("container", ["array", "frame"])
@pytest.mark.parametrize("make", [classifier, regressor])
def test_permutation_importance_finds_the_features_that_matter(make, container):
    # Features 0 and 1 determine the targets, 2 and 3 are noise.
    y = y_line if make is regressor else np.where(y_line > 0, "high", "low")
    X = X_line
    if container == "frame":
        X = pytest.importorskip("pandas").DataFrame(X_line, columns=list("abcd"))
    model = make(max_iter=40).fit(X, y)
    found = permutation_importance(model, X, y, n_repeats=5, random_state=0)
    assert found.importances.shape == (4, 5)
    assert found.importances_mean[:2].min() > 0.1
    assert abs(found.importances_mean[2:]).max() < 0.05


def by_hand(predict, X, column, grid):
    """The mean predictions if one column is set to each value of a grid, (n_values, ...)."""
    means = []
    for value in grid:
        changed = X.copy()
        changed[:, column] = value
        means.append(predict(changed).mean(axis=0))
    return np.array(means)


@pytest.mark.parametrize(
    ("model", "X", "y", "response"),
    [
        (classifier(), X_iris, flowers, "predict_proba"),
        (classifier(), X_iris, flowers, "decision_function"),
        (regressor(), X_line, y_line, "predict"),
    ],
    ids=["predict_proba", "decision_function", "predict"],
)
def test_partial_dependence_is_the_mean_over_changed_rows(model, X, y, response):
    model = clone(model).fit(X, y)
    method = "auto" if response == "predict" else response
    found = partial_dependence(model, X, [2], response_method=method, grid_resolution=5, kind="average")
    expected = by_hand(getattr(model, response), X, 2, found["grid_values"][0])
    expected = expected[:, None] if expected.ndim == 1 else expected
    np.testing.assert_allclose(found["average"], expected.T, rtol=1e-10)
    assert np.ptp(found["average"]) > 0.01


@pytest.mark.parametrize("make", [classifier, regressor])
def test_partial_dependence_is_drawn(make):
    plt = agg()
    frame = pytest.importorskip("pandas").DataFrame(X_line, columns=list("abcd"))
    y = y_line if make is regressor else y_line > 0
    model = make().fit(frame, y)
    display = PartialDependenceDisplay.from_estimator(model, frame, ["a", "d"], grid_resolution=4)
    predict = model.predict if make is regressor else lambda X: model.predict_proba(X)[:, 1]
    for name, line in zip("ad", display.lines_[0], strict=True):
        expected = [predict(frame.assign(**{name: value})).mean() for value in line.get_xdata()]
        np.testing.assert_allclose(line.get_ydata(), expected, rtol=1e-10)
    plt.close("all")


def agg():
    """Pyplot without a window."""
    pytest.importorskip("matplotlib").use("Agg")
    import matplotlib.pyplot as plt

    return plt


# Ensembles


@pytest.mark.parametrize("max_features", [1.0, 3])
@pytest.mark.parametrize("kind", ["classifier", "regressor"])
def test_bagging_averages_networks_on_bootstrap_samples(kind, max_features):
    make, X, y = PROBLEMS[kind]
    bagging = BaggingClassifier if kind == "classifier" else BaggingRegressor
    model = bagging(make(), n_estimators=3, max_features=max_features, random_state=0).fit(X, y)
    codes = y_iris if kind == "classifier" else y
    predictions = []
    for member, rows, columns in zip(
        model.estimators_, model.estimators_samples_, model.estimators_features_, strict=True
    ):
        # If an estimator accepts sample weights, scikit-learn passes how often it drew each row.
        counts = np.bincount(rows, minlength=len(X)).astype(float)
        own = clone(member).fit(X[:, columns], codes, counts)
        np.testing.assert_array_equal(own.coefs_[0], member.coefs_[0])
        predict = own.predict_proba if kind == "classifier" else own.predict
        predictions.append(predict(X[:, columns]))
    mean = np.mean(predictions, axis=0)
    found = model.predict_proba(X) if kind == "classifier" else model.predict(X)
    np.testing.assert_allclose(found, mean, rtol=1e-12, atol=1e-15)
    assert len({member.random_state for member in model.estimators_}) == 3
    assert model.score(X, y) > 0.8


@pytest.mark.parametrize("kind", ["classifier", "regressor"])
def test_bagging_leaves_out_rows_of_weight_zero(kind):
    weights = np.tile([1.0, 0.0], 75)
    if kind == "classifier":
        model, X, y = BaggingClassifier(classifier(max_iter=40), 3, random_state=0), X_iris, y_iris
        wrong = (y + 1) % 3
    else:
        model, X, y = BaggingRegressor(regressor(max_iter=40), 3, random_state=0), X_line, y_line
        weights, wrong = weights[:120], -y
    given = np.where(weights > 0, y, wrong)
    assert model.fit(X, given, sample_weight=weights).score(X, y) > 0.9
    assert model.fit(X, given).score(X, y) < 0.8


def test_soft_voting_averages_the_probabilities():
    members = [("a", classifier()), ("b", classifier(solver="sgd", random_state=1)), ("c", LogisticRegression())]
    voting = VotingClassifier(members, voting="soft", weights=[3, 1, 2]).fit(X_iris, flowers)
    each = [clone(member).fit(X_iris, y_iris).predict_proba(X_iris) for _, member in members]
    expected = np.average(each, axis=0, weights=[3, 1, 2])
    # The logistic regression is fitted to the same labels. Only the order of summation differs.
    np.testing.assert_allclose(voting.predict_proba(X_iris), expected, rtol=1e-12)
    np.testing.assert_array_equal(voting.predict(X_iris), voting.classes_[expected.argmax(axis=1)])
    assert voting.score(X_iris, flowers) > 0.9


def test_a_voting_regressor_averages_the_predictions():
    members = [("a", regressor()), ("b", regressor(solver="sgd")), ("c", LinearRegression())]
    voting = VotingRegressor(members, weights=[3, 1, 2]).fit(X_line, y_line)
    each = [clone(member).fit(X_line, y_line).predict(X_line) for _, member in members]
    np.testing.assert_allclose(voting.predict(X_line), np.average(each, axis=0, weights=[3, 1, 2]), rtol=1e-12)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_voting_passes_sample_weights_to_the_networks(sign):
    weights = np.linspace(0.0, 2.0, 120)
    y = y_line > 0
    voting = VotingClassifier([("a", classifier())], voting="soft").fit(X_line, y, sample_weight=weights[:: int(sign)])
    expected = classifier().fit(X_line, y, weights[:: int(sign)])
    np.testing.assert_array_equal(voting.predict_proba(X_line), expected.predict_proba(X_line))
    assert abs(expected.coefs_[0] - classifier().fit(X_line, y).coefs_[0]).max() > 1e-3


def test_a_stacking_classifier_learns_from_held_out_probabilities():
    final = LogisticRegression()
    members = [("a", classifier()), ("b", classifier(hidden_layer_sizes=(3,), random_state=1))]
    stacking = StackingClassifier(members, final, cv=3).fit(X_iris, flowers)
    assert stacking.stack_method_ == ["predict_proba", "predict_proba"]
    folds = StratifiedKFold(3)
    held_out = np.hstack(
        [cross_val_predict(member, X_iris, y_iris, cv=folds, method="predict_proba") for _, member in members]
    )
    own = clone(final).fit(held_out, y_iris)
    np.testing.assert_allclose(stacking.final_estimator_.coef_, own.coef_, rtol=1e-10)
    whole = np.hstack([clone(member).fit(X_iris, y_iris).predict_proba(X_iris) for _, member in members])
    np.testing.assert_allclose(stacking.transform(X_iris), whole, rtol=1e-12)
    np.testing.assert_allclose(stacking.predict_proba(X_iris), own.predict_proba(whole), rtol=1e-8)
    assert stacking.score(X_iris, flowers) > 0.9


def test_a_stacking_regressor_learns_from_held_out_predictions():
    members = [("a", regressor()), ("b", regressor(hidden_layer_sizes=(3,), random_state=1))]
    stacking = StackingRegressor(members, LinearRegression(), cv=3).fit(X_line, y_line)
    held_out = np.column_stack([cross_val_predict(member, X_line, y_line, cv=KFold(3)) for _, member in members])
    own = LinearRegression().fit(held_out, y_line)
    np.testing.assert_allclose(stacking.final_estimator_.coef_, own.coef_, rtol=1e-8)
    whole = np.column_stack([clone(member).fit(X_line, y_line).predict(X_line) for _, member in members])
    np.testing.assert_allclose(stacking.predict(X_line), own.predict(whole), rtol=1e-8)
    assert stacking.score(X_line, y_line) > 0.8


def test_stacking_accepts_networks_that_are_already_fitted():
    members = [("a", classifier().fit(X_iris, y_iris)), ("b", classifier(random_state=1).fit(X_iris, y_iris))]
    stacking = StackingClassifier(members, LogisticRegression(), cv="prefit").fit(X_iris, y_iris)
    expected = np.hstack([member.predict_proba(X_iris) for _, member in members])
    np.testing.assert_array_equal(stacking.transform(X_iris), expected)
    for (_, given), used in zip(members, stacking.estimators_, strict=True):
        assert given is used


# One network per class, one network per output


def test_one_vs_rest_trains_one_binary_network_per_class():
    model = OneVsRestClassifier(classifier(max_iter=30)).fit(X_iris, flowers)
    raw = np.column_stack(
        [classifier(max_iter=30).fit(X_iris, (y_iris == k).astype(int)).decision_function(X_iris) for k in range(3)]
    )
    np.testing.assert_allclose(model.decision_function(X_iris), raw, rtol=1e-12)
    np.testing.assert_array_equal(model.predict(X_iris), model.classes_[raw.argmax(axis=1)])
    each = 1.0 / (1.0 + np.exp(-raw))
    np.testing.assert_allclose(model.predict_proba(X_iris), each / each.sum(axis=1, keepdims=True), rtol=1e-10)
    assert model.score(X_iris, flowers) > 0.9


def test_one_vs_rest_accepts_multilabel_targets():
    Y = np.column_stack([y_line > 0, X_line[:, 2] > 0]).astype(int)
    model = OneVsRestClassifier(classifier(max_iter=30)).fit(X_line, Y)
    each = [classifier(max_iter=30).fit(X_line, Y[:, k]).predict(X_line) for k in range(2)]
    np.testing.assert_array_equal(model.predict(X_line), np.column_stack(each))
    assert model.score(X_line, Y) > 0.8


def test_a_multi_output_regressor_trains_one_network_per_output():
    model = MultiOutputRegressor(regressor()).fit(X_line, Y_line)
    each = [regressor().fit(X_line, Y_line[:, k]).predict(X_line) for k in range(3)]
    np.testing.assert_array_equal(model.predict(X_line), np.column_stack(each))
    assert abs(model.predict(X_line) - regressor().fit(X_line, Y_line).predict(X_line)).max() > 1e-3
    # partial_fit exists if the network has it
    model = MultiOutputRegressor(regressor())
    for _ in range(3):
        model.partial_fit(X_line, Y_line)
    assert [member.n_iter_ for member in model.estimators_] == [3, 3, 3]
    np.testing.assert_array_equal(
        model.predict(X_line)[:, 1], regressor(max_iter=3).fit(X_line, Y_line[:, 1]).predict(X_line)
    )


@pytest.mark.parametrize("targets", [y_line, Y_line], ids=["one output", "three outputs"])
def test_targets_are_standardised_and_predictions_scaled_back(targets):
    y = 1000.0 * targets + 50.0
    model = TransformedTargetRegressor(regressor(max_iter=40), transformer=StandardScaler()).fit(X_line, y)
    scale, mean = y.std(axis=0), y.mean(axis=0)
    own = regressor(max_iter=40).fit(X_line, (y - mean) / scale)
    # The scaler rounds differently, and forty epochs magnify the difference.
    np.testing.assert_allclose(model.predict(X_line), own.predict(X_line) * scale + mean, rtol=0, atol=1e-6)
    assert model.score(X_line, y) > 0.8
    assert model.predict(X_line).shape == y.shape


# Searches and validation


# The smallest rate is too small for any progress.
@pytest.mark.filterwarnings("ignore:The network predicts no better than a constant")
@pytest.mark.parametrize("kind", ["classifier", "regressor"])
def test_a_halving_search_gives_more_epochs_to_fewer_candidates(kind):
    make, X, y = PROBLEMS[kind]
    folds = (StratifiedKFold if kind == "classifier" else KFold)(3)
    grid = {"learning_rate_init": [1e-5, 1e-3, 0.02], "hidden_layer_sizes": [(3,), (8,), (16,)]}
    search = HalvingGridSearchCV(
        make(), grid, resource="max_iter", min_resources=2, max_resources=18, factor=3, cv=folds, random_state=0
    ).fit(X, y)
    assert (search.n_resources_, search.n_candidates_) == ([2, 6, 18], [9, 3, 1])
    results = search.cv_results_
    for k in (0, 4, 9, 11, 12):
        params = results["params"][k]
        assert params["max_iter"] == results["n_resources"][k]
        np.testing.assert_allclose(
            results["mean_test_score"][k], cross_val_score(make(**params), X, y, cv=folds).mean(), rtol=1e-12
        )
    assert search.best_params_["learning_rate_init"] == 0.02
    assert search.best_estimator_.n_iter_ == 18
    np.testing.assert_array_equal(search.predict(X), make(**search.best_params_).fit(X, y).predict(X))


@pytest.mark.parametrize("method", ["predict_proba", "predict_log_proba", "decision_function", "predict"])
def test_cross_val_predict_uses_a_network_that_did_not_see_the_row(method):
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    found = cross_val_predict(classifier(), X_iris, flowers, cv=folds, method=method)
    for train, test in folds.split(X_iris, flowers):
        clf = classifier().fit(X_iris[train], flowers[train])
        np.testing.assert_array_equal(found[test], getattr(clf, method)(X_iris[test]))
    assert found.shape == ((150,) if method == "predict" else (150, 3))


@pytest.mark.parametrize("targets", [y_line, Y_line], ids=["one output", "three outputs"])
def test_cross_val_predict_works_with_a_regressor(targets):
    found = cross_val_predict(regressor(), X_line, targets, cv=KFold(3))
    for train, test in KFold(3).split(X_line):
        own = regressor().fit(X_line[train], targets[train])
        np.testing.assert_array_equal(found[test], own.predict(X_line[test]))
    assert found.shape == targets.shape


@pytest.mark.parametrize("kind", ["classifier", "regressor"])
def test_a_learning_curve_is_drawn(kind):
    plt = agg()
    make, X, y = PROBLEMS[kind]
    folds = (StratifiedKFold if kind == "classifier" else KFold)(3, shuffle=True, random_state=0)
    display = LearningCurveDisplay.from_estimator(
        make(), X, y, train_sizes=[30, 60], cv=folds, shuffle=True, random_state=0, std_display_style=None
    )
    np.testing.assert_array_equal(display.train_sizes, [30, 60])
    rng, expected = np.random.RandomState(0), []
    for train, test in folds.split(X, y):
        order = rng.permutation(train)
        expected.append([make().fit(X[order[:n]], y[order[:n]]).score(X[test], y[test]) for n in (30, 60)])
    np.testing.assert_allclose(display.test_scores, np.transpose(expected), rtol=1e-12)
    test_line = display.lines_[1]
    np.testing.assert_allclose(test_line.get_ydata(), display.test_scores.mean(axis=1))
    assert display.ax_.get_xlabel()
    plt.close("all")


@pytest.mark.parametrize("kind", ["classifier", "regressor"])
def test_a_learning_curve_may_use_partial_fit(kind):
    make, X, y = PROBLEMS[kind]
    folds = (StratifiedKFold if kind == "classifier" else KFold)(3, shuffle=True, random_state=0)
    _, _, found = learning_curve(make(), X, y, train_sizes=[20, 40, 60], cv=folds, exploit_incremental_learning=True)
    classes = {"classes": np.unique(y)} if kind == "classifier" else {}
    for k, (train, test) in enumerate(folds.split(X, y)):
        own = make()
        for part, score in zip(np.split(train[:60], [20, 40]), found[:, k], strict=True):
            own.partial_fit(X[part], y[part], **classes)
            np.testing.assert_allclose(own.score(X[test], y[test]), score, rtol=1e-12)


# Frames and names

NAMES = ["length", "width", "height", "weight"]


def frame_of(library, X, names):
    frames = pytest.importorskip(library)
    return frames.DataFrame(X, columns=names) if library == "pandas" else frames.DataFrame(X, schema=names)


@pytest.mark.filterwarnings("error:.*feature names")
@pytest.mark.parametrize("library", ["pandas", "polars"])
@pytest.mark.parametrize("kind", ["classifier", "regressor"])
def test_a_pipeline_may_pass_frames_between_its_steps(kind, library):
    make, X, y = PROBLEMS[kind]
    frame = frame_of(library, X, NAMES)
    model = make_pipeline(StandardScaler(), make()).set_output(transform=library).fit(frame, y)
    np.testing.assert_array_equal(model[-1].feature_names_in_, NAMES)
    assert type(model[:-1].transform(frame)) is type(frame)
    plain = make_pipeline(StandardScaler(), make()).fit(X, y)
    raw = "decision_function" if kind == "classifier" else "predict"
    # The scaler sums the columns of frames and arrays in different orders, and twelve epochs magnify the difference.
    np.testing.assert_allclose(getattr(model, raw)(frame), getattr(plain, raw)(X), rtol=0, atol=1e-9)
    np.testing.assert_allclose(model.score(frame, y), plain.score(X, y), rtol=1e-9)
    assert not hasattr(plain[-1], "feature_names_in_")


def test_stacking_names_the_columns_of_probabilities():
    frame = frame_of("pandas", X_iris, NAMES)
    stacking = StackingClassifier([("net", classifier())], LogisticRegression(), cv=3).set_output(transform="pandas")
    columns = stacking.fit(frame, flowers).transform(frame)
    np.testing.assert_array_equal(columns, classifier().fit(X_iris, y_iris).predict_proba(X_iris))
    assert [name.startswith("stackingclassifier_net") for name in columns] == [True] * 3


def change(case, library, X):
    """The changed frame or array for prediction."""
    renamed = ["length", "width", "height", "mass"]
    order = [3, 0, 1, 2]
    return {
        "another order": lambda: frame_of(library, X[:, order], [NAMES[k] for k in order]),
        "another name": lambda: frame_of(library, X, renamed),
        "a column missing": lambda: frame_of(library, X[:, :3], NAMES[:3]),
        "a column more": lambda: frame_of(library, np.column_stack([X, X[:, 0]]), [*NAMES, "more"]),
        "no names": lambda: X,
    }[case]()


def outcome(model, X, y, method):
    """The error or warning of a call, without the estimator's name."""
    arguments = (X,) if method in ("predict", "predict_proba") else (X, y)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            getattr(model, method)(*arguments)
            raised = None
        except ValueError as error:
            raised = str(error)
    said = [str(w.message) for w in caught if "feature names" in str(w.message)]
    name = type(model).__name__
    return (raised and raised.replace(name, "MODEL")), [text.replace(name, "MODEL") for text in said]


CASES = ["another order", "another name", "a column missing", "a column more", "no names"]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("library", ["pandas", "polars"])
@pytest.mark.parametrize("method", ["predict", "predict_proba", "score", "partial_fit"])
@pytest.mark.parametrize("case", CASES)
def test_wrong_feature_names_raise_or_warn_as_in_scikit_learn(case, method, library):
    given = frame_of(library, X_iris, NAMES)
    wrong = change(case, library, X_iris)
    ours = outcome(classifier(max_iter=2).fit(given, y_iris), wrong, y_iris, method)
    theirs = outcome(MLPClassifier(3, max_iter=2).fit(given, y_iris), wrong, y_iris, method)
    assert ours == theirs
    assert bool(ours[0]) == (case != "no names")
    assert bool(ours[1]) == (case == "no names")


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("library", ["pandas", "polars"])
@pytest.mark.parametrize("case", CASES)
def test_wrong_feature_names_in_regression(case, library):
    given, wrong = frame_of(library, X_line, NAMES), change(case, library, X_line)
    for method in ("predict", "score", "partial_fit"):
        ours = outcome(regressor(max_iter=2).fit(given, y_line), wrong, y_line, method)
        theirs = outcome(MLPRegressor(hidden_layer_sizes=3, max_iter=2).fit(given, y_line), wrong, y_line, method)
        assert ours == theirs
        assert bool(ours[0]) != bool(ours[1])


@pytest.mark.parametrize("make", [classifier, regressor])
def test_names_that_are_not_all_strings(make):
    y = y_line > 0 if make is classifier else y_line
    numbered = frame_of("pandas", X_line, [0, 1, 2, 3])
    assert not hasattr(make().fit(numbered, y), "feature_names_in_")
    with pytest.raises(TypeError, match="Feature names are only supported if all input features have string names"):
        make().fit(frame_of("pandas", X_line, [0, 1, "a", "b"]), y)


@pytest.mark.parametrize("make", [classifier, regressor])
def test_a_frame_after_an_array_causes_a_warning(make):
    y = y_line > 0 if make is classifier else y_line
    model = make().fit(X_line, y)
    with pytest.warns(UserWarning, match=r"X has feature names, but \w+ was fitted without feature names"):
        model.predict(frame_of("pandas", X_line, NAMES))


# Frozen


@pytest.mark.parametrize("kind", ["classifier", "regressor"])
def test_a_frozen_network_is_not_trained_again(kind):
    make, X, y = PROBLEMS[kind]
    model = make().fit(X, y)
    before, predicted = [W.copy() for W in model.coefs_], model.predict(X)
    frozen = clone(FrozenEstimator(model)).fit(X[:20], y[:20])
    np.testing.assert_array_equal(frozen.predict(X), predicted)
    assert frozen.estimator is model
    np.testing.assert_array_equal(make_pipeline(StandardScaler(), frozen).fit(X, y)[-1].coefs_[0], before[0])
    for now, then in zip(model.coefs_, before, strict=True):
        np.testing.assert_array_equal(now, then)
    assert frozen.score(X, y) == model.score(X, y)


def test_a_frozen_network_with_other_networks_in_a_vote():
    frozen = FrozenEstimator(classifier().fit(X_iris[::2], y_iris[::2]))
    voting = VotingClassifier([("old", frozen), ("new", classifier(random_state=1))], voting="soft")
    voting.fit(X_iris, y_iris)
    fresh = classifier(random_state=1).fit(X_iris, y_iris)
    expected = (frozen.predict_proba(X_iris) + fresh.predict_proba(X_iris)) / 2
    np.testing.assert_allclose(voting.predict_proba(X_iris), expected, rtol=1e-12)
