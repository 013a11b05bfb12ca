"""Between two epochs: patience, convergence, learning rates, printing and divergence."""

import re
import warnings

import numpy as np
import pytest
from monitors import watch
from six_epochs import X, X_val, estimator, y, y_val
from sklearn.exceptions import ConvergenceWarning

from skfnn._engine.rates import StepRates
from skfnn._training.monitor import Diverged

not_converged = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


# Patience


def epochs_until_stop(values, tol, patience):
    """MLPClassifier's rule: stop after more than `patience` epochs in a row without an improvement by tol."""
    best, count = np.inf, 0
    for epoch, value in enumerate(values, 1):
        count = count + 1 if value > best - tol else 0
        best = min(best, value)
        if count > patience:
            return epoch
    return None


@pytest.mark.parametrize("patience", [1, 2, 5])
@pytest.mark.parametrize("tol", [0.0, 0.125, 0.375])
def test_training_stops_after_more_than_n_iter_no_change_epochs_without_improvement(tol, patience):
    stops = set()
    for seed in range(40):
        # Eighths are exact. So a loss can be better by exactly tol, which is enough, or equal if tol is 0.
        rng = np.random.default_rng(seed)
        losses = (np.cumsum(rng.integers(-3, 3, size=40)) / 8.0).tolist()
        monitor, _ = watch(losses, tol=tol, patience=patience)
        expected = epochs_until_stop(losses, tol, patience)
        assert monitor.epochs == (expected or 40)
        assert monitor.stopped == (expected is not None)
        stops.add(expected)
        # The same rule for scores, which should rise.
        monitor, _ = watch([1.0] * 40, scores=[-loss for loss in losses], tol=tol, patience=patience)
        assert monitor.epochs == (expected or 40)
        assert monitor.state.progress.best_score == -min(losses[: monitor.epochs])
    assert len(stops) > 1


def test_the_first_epoch_is_an_improvement():
    assert watch([1e6] * 9, tol=1e9, patience=1)[0].epochs == 3


def test_an_infinite_patience_never_stops():
    assert not watch([1.0] * 500, patience=np.inf)[0].stopped


@not_converged
@pytest.mark.parametrize("patience", [1, 4])
@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_a_constant_loss_stops_training(solver, patience):
    # With such a small eta no weight moves, and the loss is the same number in every epoch.
    settings = {"solver": solver, "learning_rate_init": 1e-30, "shuffle": False, "tol": 1e-4, "max_iter": 50}
    clf = estimator(n_iter_no_change=patience, **settings).fit(X, y)
    assert len(set(clf.loss_curve_)) == 1
    assert clf.n_iter_ == 1 + patience + 1


def test_lbfgs_decides_itself_when_it_has_converged():
    clf = estimator(solver="lbfgs", alpha=30.0, max_iter=500, tol=1e-4, n_iter_no_change=1).fit(X, y)
    drops = -np.diff(clf.loss_curve_)
    assert (drops[:-2] < 1e-4).any()  # several such steps in a row would have stopped gradient descent


# Convergence


def convergence_warnings(clf, *args):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        clf.fit(X, y, *args)
    assert all(issubclass(w.category, ConvergenceWarning) for w in caught)
    return caught


@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
def test_a_run_that_max_iter_ends_warns(solver):
    (warning,) = convergence_warnings(estimator(solver=solver, max_iter=3))
    assert "max_iter" in str(warning.message)
    assert warning.filename == __file__  # it points at the line that called fit


@pytest.mark.parametrize("max_iter", [4, 5])
def test_a_run_that_patience_ends_does_not_warn_even_in_the_last_epoch(max_iter):
    settings = {"learning_rate_init": 1e-30, "shuffle": False, "tol": 1e-4, "n_iter_no_change": 2}
    clf = estimator(max_iter=max_iter, **settings)
    assert not convergence_warnings(clf)
    assert clf.n_iter_ == 4
    assert len(convergence_warnings(estimator(max_iter=3, **settings))) == 1


def test_lbfgs_that_has_converged_does_not_warn():
    clf = estimator(solver="lbfgs", alpha=30.0, max_iter=1000, tol=1e-4)
    assert not convergence_warnings(clf)
    assert clf.n_iter_ < 1000


def test_partial_fit_does_not_warn(recwarn):
    clf = estimator(max_iter=1)
    for _ in range(3):
        clf.partial_fit(X, y, classes=[0, 1, 2])
    assert not recwarn.list


def test_a_warning_as_an_error_leaves_the_estimator_as_it_was():
    clf = estimator(max_iter=2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ConvergenceWarning):
            clf.fit(X, y)
    assert not [name for name in vars(clf) if name.endswith("_")]


# Learning rates


def test_adaptive_divides_eta_by_five_whenever_training_stalls():
    # There is a median after two epochs, and then no epoch improves. Each time, 3 epochs without an improvement are one
    # more than the patience.
    def schedule(progress):
        return StepRates(0.5 * progress.rate_scale)

    monitor, etas = watch([1.0] * 100, schedule=schedule, adaptive=True, patience=2)
    powers = [0, 0] + [k for k in range(10) for _ in range(3)]
    expected = [0.5 / 5.0**k for k in powers if 0.5 / 5.0 ** (k - 1) > 1e-6 or k == 0]
    np.testing.assert_allclose(etas, expected, rtol=1e-14)
    assert monitor.stopped
    assert etas[-1] <= 1e-6 < etas[-4]


@not_converged
@pytest.mark.parametrize("params", [{}, {"momentum": 0.9}, {"solver": "adam"}], ids=str)
def test_adaptive_changes_the_steps_that_are_taken(params):
    settings = {"learning_rate": "adaptive", "tol": 10.0, "n_iter_no_change": 1, "max_iter": 7}
    clf = estimator(**settings, **params).fit(X, y)
    eta = clf.learning_rate_init_
    expected = [eta, eta, eta, eta, eta / 5, eta / 5, eta / 25]
    np.testing.assert_allclose(clf.history_["learning_rate"], expected, rtol=1e-14)
    # Epochs 5 and 6 are the same as if a user had set eta to a fifth.
    clf = estimator(**(settings | {"max_iter": 6}), **params).fit(X, y)
    constant = {"learning_rate": "constant", "max_iter": 4, "n_iter_no_change": 1000}
    by_hand = estimator(**(settings | constant), **params).fit(X, y)
    by_hand.set_params(learning_rate_init=eta / 5, warm_start=True, max_iter=2, n_iter_no_change=1000).fit(X, y)
    for p, q in zip(clf.coefs_, by_hand.coefs_, strict=True):
        np.testing.assert_allclose(p, q, rtol=0, atol=1e-13)  # a fifth of eta can be rounded in two ways


@not_converged
@pytest.mark.parametrize("power_t", [0.25, 0.5, 1.0])
@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_invscaling_divides_eta_by_a_power_of_the_rows_seen(solver, power_t):
    settings = {"learning_rate": "invscaling", "learning_rate_init": 0.3, "power_t": power_t, "solver": solver}
    clf = estimator(warm_start=True, **settings).fit(X, y).fit(X, y)
    clf.partial_fit(X[:31], y[:31]).partial_fit(X, y)
    t = [90 * k for k in range(13)] + [90 * 12 + 31]
    expected = [0.3 / (rows + 1) ** power_t for rows in t]
    # Only one power and one division are rounded.
    np.testing.assert_allclose(clf.history_["learning_rate"], expected, rtol=1e-14)


@not_converged
@pytest.mark.parametrize("eta", ["auto", 0.01])
@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_constant_is_constant(solver, eta):
    clf = estimator(solver=solver, learning_rate_init=eta, tol=10.0, max_iter=6).fit(X, y)
    assert clf.history_["learning_rate"] == [clf.learning_rate_init_] * 6
    assert eta in ("auto", clf.learning_rate_init_)


# Printing


NUMBER = r"[-+]?[0-9.]+(?:e[-+]?\d+)?"


@not_converged
@pytest.mark.parametrize("validated", [False, True])
@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
def test_verbose_prints_one_line_per_epoch_with_all_figures(capsys, solver, validated):
    given = {"X_val": X_val, "y_val": y_val} if validated else {}
    clf = estimator(verbose=True, solver=solver).fit(X, y, **given)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == clf.n_iter_ == 6
    # Each figure as it is printed: losses with six digits, scores with four, seconds with three.
    figures = {
        "loss": (r"(?<!validation )loss", 1e-6),
        "validation_loss": ("validation loss", 1e-6),
        "validation_score": ("validation score", 1e-4),
        "learning_rate": ("eta", 1e-6),
    }
    for number, line in enumerate(lines):
        assert re.match(rf"{'Iteration' if solver == 'lbfgs' else 'Epoch'} {number + 1}/6\b", line)
        for key, (name, digits) in figures.items():
            found = re.search(rf"{name} ({NUMBER})", line)
            value = clf.history_[key][number]
            if value is None or np.isnan(value):
                assert found is None
            else:
                np.testing.assert_allclose(float(found[1]), value, rtol=0, atol=digits)
        seconds = float(re.search(rf"({NUMBER}) s$", line)[1])
        np.testing.assert_allclose(seconds, clf.history_["seconds"][number], rtol=0, atol=1e-3)


@not_converged
def test_quiet_training_prints_nothing(capsys):
    estimator().fit(X, y, X_val=X_val, y_val=y_val).partial_fit(X, y)
    assert capsys.readouterr() == ("", "")


def test_verbose_says_why_training_stopped(capsys):
    settings = {"learning_rate_init": 1e-30, "shuffle": False, "tol": 1e-3, "n_iter_no_change": 2, "max_iter": 50}
    estimator(verbose=True, **settings).fit(X, y)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 5
    assert re.search(r"loss did not improve.*0\.001.*2.*Stopping", lines[-1])


def test_verbose_says_that_the_learning_rate_falls(capsys):
    watch([1.0] * 4, adaptive=True, patience=1, verbose=True)
    assert "0.1" in capsys.readouterr().out.splitlines()[-1]


@not_converged
def test_verbose_continues_counting_over_the_calls(capsys):
    clf = estimator(verbose=True, warm_start=True, max_iter=2).fit(X, y).fit(X, y)
    clf.partial_fit(X, y)
    lines = capsys.readouterr().out.splitlines()
    assert [re.match(r"Epoch (\d+)/(\d+)", line).groups() for line in lines] == [
        ("1", "2"),
        ("2", "2"),
        ("3", "4"),
        ("4", "4"),
        ("5", "5"),
    ]


# The monitor itself


def test_a_loss_or_parameter_that_is_not_finite_means_divergence():
    with np.errstate(over="ignore", invalid="ignore"):
        for loss in (np.nan, np.inf, -np.inf):
            with pytest.raises(Diverged):
                watch([1.0, loss])
        for value in (np.nan, np.inf, -np.inf):
            theta = np.zeros(3)
            theta[1] = value
            with pytest.raises(Diverged):
                watch([1.0], theta=theta)
        with pytest.raises(Diverged):
            watch([1.0], theta=np.array([np.inf, -np.inf, 0.0]))
        # The sum of these numbers overflows, but the numbers are finite.
        for dtype in (np.float32, np.float64):
            large = np.full(3, np.finfo(dtype).max)
            assert watch([1.0], theta=large)[0].epochs == 1


def test_a_diverged_epoch_leaves_no_record():
    monitor, _ = watch([1.0, 0.5])
    before = {key: list(values) for key, values in monitor.state.history.items()}
    progress = monitor.state.progress
    monitor.begin_epoch()
    with pytest.raises(Diverged):
        monitor.end_epoch(np.nan)
    assert monitor.state.history == before
    assert monitor.state.progress == progress


def test_the_monitor_returns_to_the_last_finished_epoch():
    theta, velocity = np.arange(3.0), np.ones(3)
    state = {"velocity": velocity, "t": 4}
    monitor, _ = watch([1.0], theta=theta, solver=state)
    theta += 7.0
    velocity *= -3.0
    state["t"] = 9
    monitor.roll_back()
    np.testing.assert_array_equal(theta, np.arange(3.0))
    np.testing.assert_array_equal(velocity, np.ones(3))
    assert state["velocity"] is velocity
    assert state["t"] == 4
    assert monitor.epochs == 1
    assert {len(values) for values in monitor.state.history.values()} == {1}
