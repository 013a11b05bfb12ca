"""TrainingCurveDisplay: losses and scores by epoch."""

import numpy as np
import pytest
from drawn import SETTINGS, VALIDATION, X, assert_labelled, classifier, entries, looks, values, y
from sklearn.base import BaseEstimator
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_diabetes
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skfnn import FNNClassifier, FNNRegressor
from skfnn.inspection import TrainingCurveDisplay

pytest.importorskip("matplotlib", reason="draws with matplotlib")
pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.usefixtures("plt"),
]


def assert_shows(display, model):
    """The display shows the history of the model."""
    history = model.history_
    keys = ["loss"] if model.validation_scores_ is None else ["loss", "validation_loss", "validation_score"]
    assert sorted(display.lines_) == sorted(keys)
    for key in keys:
        epochs, shown = values(display.lines_[key])
        np.testing.assert_array_equal(epochs, history["epoch"])
        np.testing.assert_array_equal(shown, np.array(history[key], float))
    assert len(display.ax_) == (1 if keys == ["loss"] else 2)
    for axes in display.ax_:
        assert_labelled(axes)
        assert axes.get_legend() is not None
        assert axes.figure is display.figure_


def test_a_training_curve_shows_losses_and_scores():
    clf = classifier().fit(X, y, **VALIDATION)
    display = TrainingCurveDisplay.from_estimator(clf)
    assert_shows(display, clf)
    losses, scores = display.ax_
    assert display.lines_["loss"].axes is display.lines_["validation_loss"].axes is losses
    assert display.lines_["validation_score"].axes is scores
    assert looks(display.lines_["loss"]) != looks(display.lines_["validation_loss"])
    assert [axes.get_xlabel() for axes in display.ax_] == ["epoch", "epoch"]
    assert losses.get_ylabel() == "cross-entropy loss (nats)"
    assert losses.get_yscale() == "log"
    assert scores.get_ylabel() == "validation accuracy"


def test_without_validation_there_is_one_panel():
    clf = classifier().fit(X, y)
    display = TrainingCurveDisplay.from_estimator(clf, yscale="linear")
    assert_shows(display, clf)
    assert display.best_epoch_ is None
    assert display.ax_[0].get_yscale() == "linear"


def test_the_best_epoch_is_marked():
    history = {"epoch": [1, 2, 3, 4], "loss": [4.0, 3.0, 2.0, 1.0]}
    history |= {"validation_loss": [1.0, 0.8, 0.9, 1.0], "validation_score": [0.5, 0.9, 0.9, float("nan")]}
    display = TrainingCurveDisplay(history).plot()
    assert display.best_epoch_ == 2
    assert [entries(axes) for axes in display.ax_] == [
        ["training", "validation", "best score: epoch 2"],
        ["best score: 0.9"],
    ]
    for axes in display.ax_:
        assert [line for line in axes.lines if list(line.get_xdata()) == [2, 2]]


def test_the_rows_of_the_validation_set_have_the_name_that_the_user_chooses():
    clf = classifier().fit(X, y, **VALIDATION)
    display = TrainingCurveDisplay.from_estimator(clf, validation_name="test")
    assert entries(display.ax_[0])[:2] == ["training", "test"]
    assert display.ax_[1].get_ylabel() == "test accuracy"
    clf.set_params(scoring="loss")
    display = TrainingCurveDisplay.from_estimator(clf, validation_name="test")
    assert display.ax_[1].get_ylabel() == "minus the test loss"


@pytest.mark.parametrize("lowest", [1.9, 0.9, 0.2, 0.02, 1e-4, 1e-9])
def test_the_logarithmic_axis_of_losses_has_a_few_plain_numbers(lowest):
    history = {"epoch": [1, 2], "loss": [2.3, lowest], "validation_loss": [None] * 2, "validation_score": [None] * 2}
    axes = TrainingCurveDisplay(history).plot().ax_[0]
    axes.figure.draw_without_rendering()
    low, high = axes.get_ylim()
    ticks = [tick for tick in axes.yaxis.get_major_ticks() if low <= tick.get_loc() <= high]
    assert 2 <= len(ticks) <= 8
    shown = [float(tick.label1.get_text().replace("\N{MINUS SIGN}", "-")) for tick in ticks]
    np.testing.assert_allclose(shown, [tick.get_loc() for tick in ticks])
    assert not axes.yaxis.get_minor_ticks()


@pytest.mark.parametrize("n_calls", [1, 4])
def test_a_training_curve_works_after_partial_fit(n_calls):
    clf = classifier()
    for _ in range(n_calls):
        clf.partial_fit(X, y, classes=np.arange(10), **VALIDATION)
    display = TrainingCurveDisplay.from_estimator(clf)
    assert_shows(display, clf)
    # Only a marker makes a line of one point visible.
    assert n_calls > 1 or display.lines_["loss"].get_marker() not in ("", "None", None)


def test_an_epoch_without_validation_leaves_a_gap():
    clf = classifier().partial_fit(X, y, classes=np.arange(10), **VALIDATION).partial_fit(X, y)
    clf.partial_fit(X, y, **VALIDATION)
    display = TrainingCurveDisplay.from_estimator(clf)
    assert_shows(display, clf)
    assert np.isnan(values(display.lines_["validation_score"])[1]).tolist() == [False, True, False]
    # Only markers make the single epochs next to the gap visible.
    assert display.lines_["validation_score"].get_markevery() == 1


def test_earlier_scores_are_shown_if_the_last_epochs_have_none():
    clf = classifier().partial_fit(X, y, classes=np.arange(10), **VALIDATION).partial_fit(X, y)
    display = TrainingCurveDisplay.from_estimator(clf)
    assert "validation_score" in display.lines_
    assert display.best_epoch_ == 1


def test_the_network_is_found_in_pipelines_and_searches():
    net = classifier(validation_fraction=0.2, max_iter=2)
    pipeline = make_pipeline(StandardScaler(), net).fit(X, y)
    grid = GridSearchCV(net, {"batch_size": [30, 60]}, cv=2).fit(X, y)
    params = {"fnnclassifier__batch_size": [30, 60]}
    inside = RandomizedSearchCV(make_pipeline(StandardScaler(), net), params, n_iter=1, cv=2, random_state=0).fit(X, y)
    for estimator, model in (
        (pipeline, pipeline[-1]),
        (grid, grid.best_estimator_),
        (inside, inside.best_estimator_[-1]),
        (FrozenEstimator(pipeline), pipeline[-1]),
    ):
        assert_shows(TrainingCurveDisplay.from_estimator(estimator), model)


def test_the_network_is_found_in_a_transformed_target_regressor():
    data, target = load_diabetes(return_X_y=True)
    model = TransformedTargetRegressor(FNNRegressor((8,), **SETTINGS), transformer=StandardScaler()).fit(data, target)
    display = TrainingCurveDisplay.from_estimator(model)
    assert_shows(display, model.regressor_)
    assert display.ax_[0].get_ylabel() == "half squared error"


@pytest.mark.parametrize(
    ("scoring", "label"),
    [
        (None, "validation accuracy"),
        ("balanced_accuracy", "validation balanced accuracy"),
        ("loss", "minus the validation loss"),
        (make_scorer(accuracy_score), "validation score"),
    ],
)
def test_the_axis_of_scores_names_the_score(scoring, label):
    clf = classifier(scoring=scoring, max_iter=1).fit(X, y, **VALIDATION)
    assert TrainingCurveDisplay.from_estimator(clf).ax_[1].get_ylabel() == label


@pytest.mark.parametrize(("loss", "name"), [("squared_error", "squared error"), ("poisson", "Poisson deviance")])
def test_the_axes_of_a_regressor_name_loss_and_score(loss, name):
    reg = FNNRegressor((8,), loss=loss, **SETTINGS).fit(X, y, **VALIDATION)
    display = TrainingCurveDisplay.from_estimator(reg)
    assert [axes.get_ylabel() for axes in display.ax_] == [f"half {name}", "validation R²"]


def test_drawing_does_not_share_the_history_with_the_model():
    clf = classifier().partial_fit(X, y, classes=np.arange(10))
    display = TrainingCurveDisplay.from_estimator(clf)
    clf.partial_fit(X, y)
    assert len(display.history["epoch"]) == 1


@pytest.mark.parametrize(
    "estimator", [classifier(), make_pipeline(StandardScaler(), classifier())], ids=["network", "pipeline"]
)
def test_an_unfitted_network_has_no_curves(estimator):
    with pytest.raises(NotFittedError):
        TrainingCurveDisplay.from_estimator(estimator)


@pytest.mark.parametrize(
    "estimator",
    [MLPClassifier(), GridSearchCV(FNNClassifier(), {}), make_pipeline(StandardScaler()), BaseEstimator(), None],
    ids=["MLP", "unfitted search", "no network", "bare", "None"],
)
def test_if_there_is_no_network_the_error_says_so(estimator):
    with pytest.raises(TypeError, match="estimator must be an FNNClassifier, .* search"):
        TrainingCurveDisplay.from_estimator(estimator)
