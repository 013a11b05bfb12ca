"""The displays of skfnn.inspection: where they draw, gradient noise, and the trade-off of the batch size."""

import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
from drawn import VALIDATION, X, assert_labelled, classifier, looks, values, y
from selection import full_only
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import Bunch

from skfnn.inspection import (
    BatchSizeTradeoffDisplay,
    GradientNoiseDisplay,
    TrainingCurveDisplay,
    batch_size_tradeoff,
    gradient_noise,
)

matplotlib = pytest.importorskip("matplotlib", reason="draws with matplotlib")
pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.usefixtures("plt"),
]


@pytest.mark.full
def test_importing_inspection_does_not_import_matplotlib():
    code = "import sys, skfnn.inspection; print('matplotlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_without_matplotlib_the_error_says_what_is_needed(monkeypatch):
    display = TrainingCurveDisplay(classifier().fit(X, y).history_)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"TrainingCurveDisplay\.plot needs matplotlib: python -m pip install"):
        display.plot()


@pytest.mark.parametrize("cls", [TrainingCurveDisplay, GradientNoiseDisplay, BatchSizeTradeoffDisplay])
def test_a_display_only_holds_data_until_it_draws(cls, plt):
    data = object()
    display = cls(data)
    assert data in vars(display).values()
    assert not hasattr(display, "ax_")
    assert not plt.get_fignums()


# Where the displays draw


@pytest.fixture(scope="module")
def noise():
    return gradient_noise(classifier().fit(X, y), X, y, batch_sizes=[100, 1, 300, 10], n_draws=20, random_state=0)


@pytest.fixture(scope="module")
def tradeoff():
    return batch_size_tradeoff(classifier(), X, y, [1, 300, 20], **VALIDATION)


@pytest.fixture
def displays(noise, tradeoff):
    """A display of each kind, with its number of panels."""
    history = classifier().fit(X, y, **VALIDATION).history_
    return [
        (TrainingCurveDisplay(history), 2),
        (GradientNoiseDisplay(noise), 1),
        (BatchSizeTradeoffDisplay(tradeoff), 2),
    ]


def test_plot_returns_the_display_and_makes_a_figure(displays, plt):
    for display, n in displays:
        known = plt.get_fignums()
        assert display.plot() is display
        assert len(plt.get_fignums()) == len(known) + 1
        assert isinstance(display.figure_, matplotlib.figure.Figure)
        assert len(np.ravel(display.ax_)) == n
        display.figure_.draw_without_rendering()


def test_plot_draws_into_the_axes_given(displays, plt):
    for display, n in displays:
        figure, axes = plt.subplots(1, n)
        known = plt.get_fignums()
        display.plot(ax=axes)
        assert plt.get_fignums() == known
        assert display.figure_ is figure
        assert list(np.ravel(display.ax_)) == list(np.ravel(axes))


@pytest.mark.parametrize("layout", [full_only(None), "constrained"])
def test_one_axes_for_two_panels_is_split(displays, plt, layout):
    for display, n in displays:
        figure, axes = plt.subplots(1, 2, layout=layout, figsize=(14, 4))
        display.plot(ax=axes[1])
        assert display.figure_ is figure
        panels = list(np.ravel(display.ax_))
        assert len(panels) == n
        figure.draw_without_rendering()
        left = axes[0].get_position().x1
        assert all(panel.get_position().x0 > left for panel in panels)
        assert all(a.get_position().x1 < b.get_position().x0 for a, b in pairwise(panels))


def test_axes_that_do_not_fit_are_refused(displays, plt):
    _, axes = plt.subplots(1, 3)
    for display, n in displays:
        with pytest.raises(ValueError, match=rf"draws {n} panel\(s\): ax must be 1 or {n} axes, got 3"):
            display.plot(ax=axes)


def test_axes_that_cannot_be_split_are_refused(displays, plt):
    free = plt.figure().add_axes((0.1, 0.1, 0.8, 0.8))
    with pytest.raises(ValueError, match="ax must be 2 axes, or one of a grid"):
        displays[0][0].plot(ax=free)
    assert displays[1][0].plot(ax=free).ax_ is free


# GradientNoiseDisplay


def test_a_noise_display_shows_measured_and_predicted_variance(noise):
    display = GradientNoiseDisplay(noise).plot()
    assert set(display.lines_) == {"predicted", "measured", "gradient_norm_squared", "noise_scale"}
    assert display.ax_.get_xscale() == display.ax_.get_yscale() == "log"
    assert_labelled(display.ax_)
    assert "rows" in display.ax_.get_xlabel()
    order = np.argsort(noise.batch_sizes)
    for name in ("predicted", "measured"):
        sizes, variances = values(display.lines_[name])
        np.testing.assert_array_equal(sizes, [1, 10, 100, 300])
        # The last batch size is the full batch. Its variance is 0, which a logarithmic axis cannot show.
        np.testing.assert_array_equal(variances[:3], noise[f"{name}_variance"][order][:3])
        assert np.isnan(variances[3])
    assert values(display.lines_["noise_scale"])[0].tolist() == [noise.noise_scale] * 2
    assert values(display.lines_["gradient_norm_squared"])[1].tolist() == [noise.gradient_norm_squared] * 2
    assert len({looks(line) for line in display.lines_.values()}) == 4
    assert len(display.ax_.get_legend().get_texts()) == 4


def test_from_estimator_passes_arguments_to_gradient_noise():
    pipeline = make_pipeline(StandardScaler(), classifier()).fit(X, y)
    settings = {"batch_sizes": [2, 9], "n_draws": 7, "random_state": 1, "sample_weight": np.arange(1.0, 301.0)}
    display = GradientNoiseDisplay.from_estimator(pipeline, X, y, **settings)
    expected = gradient_noise(pipeline, X, y, **settings)
    for key in expected:
        np.testing.assert_array_equal(display.noise[key], expected[key])


def test_without_draws_no_measured_variance_is_shown():
    display = GradientNoiseDisplay.from_estimator(classifier().fit(X, y), X, y, n_draws=0)
    assert "measured" not in display.lines_


@pytest.mark.parametrize(
    ("variance", "norm", "marked", "outside"),
    [(8.0, 1.0, True, False), (1e9, 1.0, True, True), (1.0, 0.0, False, False), (0.0, 1.0, False, False)],
)
def test_the_noise_scale_is_marked_if_it_is_finite_and_positive(variance, norm, marked, outside):
    sizes = np.array([1, 10, 100])
    scale = variance / norm if norm else np.inf
    noise = Bunch(
        batch_sizes=sizes,
        predicted_variance=variance / sizes,
        measured_variance=variance / sizes,
        gradient_norm_squared=norm,
        noise_scale=scale,
    )
    display = GradientNoiseDisplay(noise).plot()
    assert ("noise_scale" in display.lines_) == marked
    low, high = display.ax_.get_xlim()
    assert low < 1 < 100 < high < 2000
    assert not marked or (low < scale < high) != outside
    display.figure_.draw_without_rendering()


# BatchSizeTradeoffDisplay


@pytest.mark.parametrize("metric", ["validation_loss", "validation_score", "loss"])
def test_a_tradeoff_display_shows_each_batch_size_by_epoch_and_by_second(tradeoff, metric):
    display = BatchSizeTradeoffDisplay(tradeoff, score_name="accuracy").plot(metric=metric)
    assert [len(lines) for lines in display.lines_] == [3, 3]
    for lines, key, axes in zip(display.lines_, ["epoch", "seconds"], display.ax_, strict=True):
        for line, history in zip(lines, tradeoff.histories, strict=True):
            assert line.axes is axes
            np.testing.assert_array_equal(values(line), [history[key], history[metric]])
    assert len({looks(line) for line in display.lines_[0]}) == 3
    labels = [line.get_label() for line in display.lines_[0]]
    assert labels == ["1", "300 (full batch)", "20"]
    assert [axes.get_xlabel() for axes in display.ax_] == ["epoch", "training time (s)"]
    assert display.ax_[1].get_xscale() == "log"
    is_score = metric == "validation_score"
    assert display.ax_[0].get_yscale() == ("linear" if is_score else "log")
    expected = {"validation_loss": "validation loss", "validation_score": "accuracy", "loss": "training loss"}
    assert display.ax_[0].get_ylabel() == expected[metric]
    legends = [axes.get_legend() for axes in display.ax_ if axes.get_legend() is not None]
    assert len(legends) == 1
    assert legends[0].get_title().get_text() == "batch size (rows)"


def test_more_batch_sizes_than_line_styles_can_be_told_apart():
    history = {key: [1.0, 2.0] for key in ("epoch", "seconds", "loss", "validation_loss", "validation_score")}
    tradeoff = Bunch(batch_sizes=np.arange(1, 29), histories=[history] * 28, n_rows=100)
    display = BatchSizeTradeoffDisplay(tradeoff).plot()
    assert len({looks(line) for line in display.lines_[0]}) == 28


def test_from_estimator_trains_and_draws():
    clf = classifier(max_iter=2)
    display = BatchSizeTradeoffDisplay.from_estimator(
        clf, X, y, [20, "full"], **VALIDATION, metric="validation_score", n_jobs=1
    )
    expected = batch_size_tradeoff(clf, X, y, [20, "full"], **VALIDATION)
    assert display.tradeoff.batch_sizes.tolist() == [20, 300]
    for a, b in zip(display.tradeoff.histories, expected.histories, strict=True):
        assert a["validation_score"] == b["validation_score"]
    assert display.ax_[0].get_ylabel() == "validation accuracy"
    display.plot()
    assert display.ax_[0].get_ylabel() == "validation cross-entropy loss (nats)"


def test_an_unknown_metric_is_refused_before_training(tradeoff):
    with pytest.raises(ValueError, match="metric must be one of .*, got 'accuracy'"):
        BatchSizeTradeoffDisplay(tradeoff).plot(metric="accuracy")
    with pytest.raises(ValueError, match="metric must be one of"):
        BatchSizeTradeoffDisplay.from_estimator(None, X, y, [1], **VALIDATION, metric="accuracy")
