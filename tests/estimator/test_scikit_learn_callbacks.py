"""scikit-learn's own callbacks: progress bars and monitors of scores see every epoch."""

import pytest
from sklearn.base import clone
from sklearn.metrics import get_scorer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from watchers import (
    LABELS,
    N_EPOCHS,
    WEIGHTS,
    Callback,
    ProgressBar,
    Raising,
    ScoringMonitor,
    X,
    Y,
    estimator,
    kinds,
    solvers,
    stop_after,
)

from skfnn import FNNClassifier, FNNRegressor

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.usefixtures("skip_what_this_scikit_learn_cannot_do"),
]


def epochs_of(log):
    """The rows of a ScoringMonitor's log that describe epochs."""
    return [row for row in log.data if row["task_name"] == "epoch"]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    ("kind", "names"),
    [(FNNClassifier, ["accuracy", "neg_log_loss"]), (FNNRegressor, ["r2", "neg_mean_absolute_error"])],
)
@solvers
def test_scoring_monitor_logs_the_scores_of_every_epoch(solver, kind, names, weighted):
    given = {"sample_weight": WEIGHTS} if weighted else {}
    monitor = ScoringMonitor(scoring=names)
    estimator(kind, solver=solver).set_callbacks(monitor).fit(X, Y[kind], **given)
    log = monitor.get_logs()
    assert log.estimator_name == kind.__name__
    rows = epochs_of(log)
    assert [row["task_id_path"] for row in rows] == [(0, k) for k in range(N_EPOCHS)]
    for epoch, row in enumerate(rows, 1):
        model = estimator(kind, solver=solver, max_iter=epoch).fit(X, Y[kind], **given)
        for name in names:
            assert row[name] == get_scorer(name)(model, X, Y[kind], **given)
    (end,) = (row for row in log.data if row["task_name"] == "fit")
    assert [end[name] for name in names] == [rows[-1][name] for name in names]


@kinds
def test_scoring_monitor_in_a_pipeline_sees_the_transformed_rows(kind):
    monitor = ScoringMonitor(scoring="neg_mean_squared_error")
    pipeline = make_pipeline(StandardScaler(), estimator(kind).set_callbacks(monitor)).fit(X, Y[kind])
    log = monitor.get_logs()
    assert log.estimator_name == "Pipeline"
    assert len(epochs_of(log)) == N_EPOCHS
    expected = get_scorer("neg_mean_squared_error")(pipeline, X, Y[kind])
    assert epochs_of(log)[-1]["neg_mean_squared_error"] == expected


@pytest.fixture
def bars(capsys, monkeypatch):
    """A function that returns the lines of the progress bars."""
    pytest.importorskip("rich")
    monkeypatch.setenv("COLUMNS", "200")
    return lambda: [line for line in capsys.readouterr().out.splitlines() if "%" in line]


@solvers
@kinds
def test_progress_bar_shows_a_whole_fit(kind, solver, bars):
    estimator(kind, solver=solver).set_callbacks(ProgressBar()).fit(X, Y[kind])
    (bar,) = bars()
    assert f"{kind.__name__} - fit" in bar
    assert "100%" in bar


@solvers
@kinds
def test_progress_bar_moves_with_the_epochs(kind, solver, bars):
    # One printed bar is unfinished: it shows three of four epochs.
    fault = Callback(Raising(("begin", "epoch", 3), RuntimeError("a mistake")))
    with pytest.raises(RuntimeError, match="a mistake"):
        estimator(kind, solver=solver).set_callbacks(ProgressBar(), fault).fit(X, Y[kind])
    (bar,) = bars()
    assert " 75%" in bar


def test_progress_bar_is_full_if_training_stops_early(bars):
    estimator(max_iter=50).set_callbacks(ProgressBar(), stop_after(2)).fit(X, LABELS)
    (bar,) = bars()
    assert "100%" in bar


@kinds
def test_progress_bar_of_a_pipeline_shows_the_epochs_of_its_network(kind, bars):
    fault = Callback(Raising(("begin", "epoch", 3), RuntimeError("a mistake")))
    model = estimator(kind)
    make_pipeline(StandardScaler(), model).set_callbacks(ProgressBar()).fit(X, Y[kind])
    shown = bars()
    assert any("Pipeline - fit" in bar and "100%" in bar for bar in shown)
    assert any(f"{kind.__name__} - fit" in bar and "100%" in bar for bar in shown)
    with pytest.raises(RuntimeError, match="a mistake"):
        make_pipeline(StandardScaler(), model.set_callbacks(fault)).set_callbacks(ProgressBar()).fit(X, Y[kind])
    assert any(f"{kind.__name__} - fit" in bar and " 75%" in bar for bar in bars())
    # The network no longer has the pipeline's callbacks, even after an error.
    model.set_callbacks()
    assert vars(model).keys() == vars(estimator(kind).fit(X, Y[kind])).keys()


@kinds
def test_a_search_in_two_processes_shows_and_scores_every_epoch(kind, bars):
    monitor = ScoringMonitor(scoring="neg_mean_squared_error")
    model = estimator(kind, max_iter=3).set_callbacks(monitor)
    search = GridSearchCV(model, {"batch_size": [10, 20]}, cv=2, n_jobs=2)
    search.set_callbacks(ProgressBar(max_propagation_depth=None)).fit(X, Y[kind])
    # The search fits two candidates on two splits each, and then the better candidate on all rows.
    shown = [bar for bar in bars() if f"{kind.__name__} - fit" in bar]
    assert len(shown) == 5
    assert all("100%" in bar for bar in shown)
    log = monitor.get_logs()
    assert log.estimator_name == "GridSearchCV"
    assert len(epochs_of(log)) == 5 * 3
    # The last scores belong to the final models. The test computes them again for the best model.
    best = clone(search.best_estimator_).set_callbacks().fit(X, Y[kind])
    expected = get_scorer("neg_mean_squared_error")(best, X, Y[kind])
    assert expected in [row["neg_mean_squared_error"] for row in epochs_of(log)]
