"""Ctrl-C at any time leaves the model of the last finished epoch."""

import copy
import sys
import warnings
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from selection import full_only
from sklearn import config_context
from sklearn.datasets import make_classification

import skfnn
from skfnn import FNNClassifier
from skfnn._engine.batches import Batches

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
PACKAGE = str(Path(skfnn.__file__).parent)

X, y = make_classification(100, 6, n_informative=4, n_classes=3, random_state=0)
N_EPOCHS = 5
SOLVERS = {
    "plain": {},
    "plain, one row a batch": {"batch_size": 1},
    "plain, few rows a batch": {"batch_size": 12},
    "momentum": {"momentum": 0.9, "nesterovs_momentum": False},
    "nesterov": {"momentum": 0.9, "alpha": 0.1},
    "adam": {"solver": "adam"},
    "adaptive": {"learning_rate": "adaptive", "tol": 1.0, "n_iter_no_change": 1},
    "full": {"batch_size": "full", "momentum": 0.9},
}
solvers = pytest.mark.parametrize("name", SOLVERS)


def estimator(name="plain", **params):
    settings = {"hidden_layer_sizes": (4,), "batch_size": 30, "max_iter": N_EPOCHS, "random_state": 0}
    return FNNClassifier(**(settings | {"tol": 0.0, "n_iter_no_change": 1000} | SOLVERS[name] | params))


def fit_and_interrupt(clf):
    """Fit with an interruption after the first epoch: `fit` warns and returns."""
    with pytest.warns(UserWarning, match="[Ii]nterrupted"):
        assert clf.fit(X, y) is clf
    return clf


def assert_equal_training(a, b, assert_identical):
    """Two models are the same, and so are all their records except the seconds."""
    assert_identical(a, b)
    assert (a.n_iter_, a.t_, a.n_steps_, a.loss_, a.best_loss_) == (b.n_iter_, b.t_, b.n_steps_, b.loss_, b.best_loss_)
    for key in ("epoch", "loss", "learning_rate", "validation_loss", "validation_score"):
        assert a.history_[key] == b.history_[key]
    assert len(a.history_["seconds"]) == len(a.loss_curve_)


class InterruptedScorer:
    """A scorer that Ctrl-C interrupts in epoch k."""

    def __init__(self, k):
        self.k, self.calls = k, 0

    def __call__(self, clf, X, y):
        self.calls += 1
        if self.calls == self.k:
            raise KeyboardInterrupt
        return clf.score(X, y)


@pytest.fixture
def interrupt_in_epoch(monkeypatch):
    """A function that presses Ctrl-C once, in the middle of epoch k of the next training run."""

    def arrange(k):
        shuffle, load = Batches.shuffle, Batches.load
        seen = {"epoch": 0, "load": 0}

        def counted_shuffle(self, *args):
            seen["epoch"] += 1
            seen["load"] = 0
            return shuffle(self, *args)

        def interrupted_load(self, *args):
            seen["load"] += 1
            # "In the middle" means after the first block of rows, if the epoch has several.
            if seen["epoch"] == k and seen["load"] == min(2, len(list(self.blocks()))):
                seen["epoch"] = -1000
                raise KeyboardInterrupt
            return load(self, *args)

        monkeypatch.setattr(Batches, "shuffle", counted_shuffle)
        monkeypatch.setattr(Batches, "load", interrupted_load)

    return arrange


# Ctrl-C in the middle of epoch k


@pytest.mark.parametrize("k", [2, 3, N_EPOCHS])
@solvers
def test_ctrl_c_in_epoch_k_leaves_the_model_of_k_minus_1_epochs(name, k, interrupt_in_epoch, assert_identical):
    expected = estimator(name, max_iter=k - 1).fit(X, y)
    interrupt_in_epoch(k)
    clf = fit_and_interrupt(estimator(name))
    assert clf.n_iter_ == k - 1
    assert_equal_training(clf, expected, assert_identical)


@pytest.mark.parametrize("k", [2, 4])
@solvers
def test_partial_fit_continues_as_if_nothing_had_happened(name, k, interrupt_in_epoch, assert_identical):
    whole = estimator(name).fit(X, y)
    interrupt_in_epoch(k)
    clf = fit_and_interrupt(estimator(name))
    for _ in range(N_EPOCHS - clf.n_iter_):
        clf.partial_fit(X, y)
    assert_equal_training(clf, whole, assert_identical)


@pytest.mark.parametrize("k", [2, 4])
@solvers
def test_a_warm_start_continues_as_if_nothing_had_happened(name, k, interrupt_in_epoch, assert_identical):
    whole = estimator(name).fit(X, y)
    interrupt_in_epoch(k)
    clf = fit_and_interrupt(estimator(name))
    clf.set_params(warm_start=True, max_iter=N_EPOCHS - clf.n_iter_).fit(X, y)
    assert clf.loss_curve_ == whole.loss_curve_
    assert (clf.t_, clf.n_steps_) == (whole.t_, whole.n_steps_)
    assert_identical(clf, whole)


@solvers
def test_ctrl_c_in_a_warm_started_fit_leaves_its_finished_epochs(name, interrupt_in_epoch, assert_identical):
    expected = estimator(name, max_iter=2, warm_start=True).fit(X, y).set_params(max_iter=1).fit(X, y)
    clf = estimator(name, max_iter=2, warm_start=True).fit(X, y)
    interrupt_in_epoch(2)
    fit_and_interrupt(clf.set_params(max_iter=9))
    assert_equal_training(clf, expected, assert_identical)


@pytest.mark.parametrize("k", [2, 4])
@pytest.mark.parametrize("params", [{}, {"early_stopping": True}], ids=["", "early stopping"])
def test_ctrl_c_while_an_epoch_is_scored_leaves_the_epoch_before(params, k, assert_identical):
    expected = estimator("adam", max_iter=k - 1, validation_fraction=0.2, **params).fit(X, y)
    clf = estimator("adam", validation_fraction=0.2, scoring=InterruptedScorer(k), **params)
    fit_and_interrupt(clf)
    assert len(clf.validation_scores_) == len(clf.validation_loss_curve_) == k - 1
    assert_equal_training(clf, expected, assert_identical)


def test_with_early_stopping_the_model_is_the_best_finished_one(assert_identical):
    scores = iter([0.1, 0.5, 0.2, 0.9])

    def scorer(clf, X, y):
        score = next(scores)
        if score == 0.9:
            raise KeyboardInterrupt
        return score

    settings = {"validation_fraction": 0.2}
    clf = fit_and_interrupt(estimator(early_stopping=True, scoring=scorer, **settings))
    assert clf.n_iter_ == 3
    assert clf.best_validation_score_ == 0.5
    assert_identical(clf, estimator(max_iter=2, **settings).fit(X, y))


@pytest.mark.parametrize("k", [3, 6])
def test_ctrl_c_in_lbfgs_leaves_the_last_finished_iteration(k, assert_identical):
    settings = {"solver": "lbfgs", "validation_fraction": 0.2, "max_iter": 20}
    expected = estimator(**(settings | {"max_iter": k - 1})).fit(X, y)
    clf = fit_and_interrupt(estimator(scoring=InterruptedScorer(k), **settings))
    assert clf.n_iter_ == len(clf.validation_scores_) == k - 1
    assert_identical(clf, expected)


def test_the_warning_points_at_the_line_that_called_fit(interrupt_in_epoch):
    interrupt_in_epoch(2)
    with pytest.warns(UserWarning, match="[Ii]nterrupted") as caught:
        estimator().fit(X, y)
    assert caught[0].filename == __file__


# Ctrl-C before the first epoch ends


@solvers
def test_ctrl_c_in_the_first_epoch_is_raised_and_leaves_the_estimator_unfitted(name, interrupt_in_epoch):
    interrupt_in_epoch(1)
    clf = estimator(name)
    with pytest.raises(KeyboardInterrupt):
        clf.fit(X, y)
    assert not [attribute for attribute in vars(clf) if attribute.endswith("_")]
    assert not hasattr(clf, "coefs_")


@pytest.mark.parametrize("warm_start", [False, True])
@solvers
def test_ctrl_c_in_the_first_epoch_leaves_a_fitted_estimator_as_it_was(
    name, warm_start, interrupt_in_epoch, assert_identical
):
    clf = estimator(name, warm_start=warm_start).fit(X, y)
    before = copy.deepcopy(clf)
    interrupt_in_epoch(1)
    with pytest.raises(KeyboardInterrupt):
        clf.fit(X, y)
    assert_equal_training(clf, before, assert_identical)
    for model in (clf, before):
        model.partial_fit(X, y)
    assert_equal_training(clf, before, assert_identical)


@solvers
def test_ctrl_c_in_partial_fit_is_raised_and_leaves_the_estimator_as_it_was(name, interrupt_in_epoch, assert_identical):
    clf = estimator(name).fit(X, y)
    before = copy.deepcopy(clf)
    interrupt_in_epoch(1)
    with pytest.raises(KeyboardInterrupt):
        clf.partial_fit(X, y)
    assert_equal_training(clf, before, assert_identical)
    for model in (clf, before):
        model.partial_fit(X, y)
    assert_equal_training(clf, before, assert_identical)


# Ctrl-C at any line


class CtrlC:
    """Raise KeyboardInterrupt at the `at`-th line that runs in these functions of the package (None: all of them)."""

    def __init__(self, at, functions=None):
        self.at, self.functions, self.count, self.line = at, functions, 0, None

    def __enter__(self):
        # At the end of a "with", a trace can raise an error before the "with" cleans up. A signal cannot.
        self._settings = ExitStack()
        self._settings.enter_context(np.errstate())
        self._settings.enter_context(config_context())
        self._before = sys.gettrace()
        sys.settrace(self._call)
        return self

    def __exit__(self, *_):
        sys.settrace(self._before)
        self._settings.close()

    def _call(self, frame, event, arg):
        if not frame.f_code.co_filename.startswith(PACKAGE):
            return None
        if "lock" in frame.f_code.co_names:
            # Python handles no signal between a "with lock" and its body, but a trace would raise there, and the lock
            # would never be released.
            return None
        if self.functions is not None and frame.f_code.co_name not in self.functions:
            return None
        return self._line

    def _line(self, frame, event, arg):
        if event == "line":
            self.count += 1
            if self.count == self.at:
                self.line = f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno} in {frame.f_code.co_name}"
                raise KeyboardInterrupt
        return self._line


def interrupted_fit(make, at, functions=None):
    """Fit with an interruption at a line; return the model (None if `fit` raised KeyboardInterrupt) and the line.

    The line is None if the fit ended before the interruption.
    """
    clf = make()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with CtrlC(at, functions) as ctrl_c:
            try:
                clf.fit(X, y)
            except KeyboardInterrupt:
                assert not [attribute for attribute in vars(clf) if attribute.endswith("_")], ctrl_c.line
                return None, ctrl_c.line
    interrupted = any("nterrupted" in str(w.message) for w in caught)
    assert interrupted == (ctrl_c.line is not None), ctrl_c.line
    return clf, ctrl_c.line


def assert_finished_epochs(clf, by_epochs, line):
    """An interrupted model equals a model with as many epochs as its history, and continues in the same way."""
    n = clf.n_iter_
    expected = by_epochs[n]
    for model, other in ((clf, expected), (copy.deepcopy(clf).partial_fit(X, y), by_epochs["next", n])):
        for p, q in zip(model.coefs_ + model.intercepts_, other.coefs_ + other.intercepts_, strict=True):
            np.testing.assert_array_equal(p, q, err_msg=str(line))
        assert (model.n_iter_, model.t_, model.n_steps_) == (other.n_iter_, other.t_, other.n_steps_), line
        assert {len(values) for values in model.history_.values()} == {model.n_iter_}, line
        for key in ("epoch", "loss", "learning_rate", "validation_loss", "validation_score"):
            assert model.history_[key] == other.history_[key], line


def models_by_epochs(make):
    models = {}
    for n in range(1, N_EPOCHS + 1):
        models[n] = make().set_params(max_iter=n).fit(X, y)
        models["next", n] = copy.deepcopy(models[n]).partial_fit(X, y)
    return models


@pytest.mark.parametrize("name", [full_only("momentum"), "adam"])
def test_ctrl_c_at_any_line_of_an_epochs_end_leaves_consistent_histories(name, full):
    def make():
        return estimator(name, validation_fraction=0.2)

    by_epochs, at, kept = models_by_epochs(make), 0, set()
    while True:
        at += 2 if full else 9
        clf, line = interrupted_fit(make, at, {"begin_epoch", "end_epoch", "_judge", "_stall", "_commit"})
        if line is None:
            break
        if clf is not None:
            kept.add(clf.n_iter_)
            assert_finished_epochs(clf, by_epochs, line)
    assert at > 100
    assert kept == set(range(1, N_EPOCHS + 1))


@pytest.mark.parametrize("name", [full_only("plain"), "plain, few rows a batch", full_only("adam")])
def test_ctrl_c_at_any_line_leaves_finished_epochs_or_the_estimator_as_it_was(name, full):
    def make():
        return estimator(name, validation_fraction=0.2)

    by_epochs, at, outcomes = models_by_epochs(make), 1, []
    while True:
        clf, line = interrupted_fit(make, at)
        if line is None:
            break
        outcomes.append(0 if clf is None else clf.n_iter_)
        if clf is not None:
            assert_finished_epochs(clf, by_epochs, line)
        # The step and the number of lines in an epoch have no common factor. So most lines are met in some epoch.
        at += 23 if full else 61
    # Few lines follow the last epoch, so large steps can miss all of them.
    assert set(outcomes) >= set(range(N_EPOCHS + 1 if full else N_EPOCHS))
    # No finished epoch is lost: the number of epochs rises until the training loop ends. Then `fit` writes the result
    # into the estimator. Ctrl-C during this time leaves the estimator as it was.
    last = len(outcomes) - outcomes[::-1].index(max(outcomes))
    assert outcomes[:last] == sorted(outcomes[:last])
    assert set(outcomes[last:]) <= {0}


@pytest.mark.parametrize("name", [full_only("plain"), "adam"])
def test_ctrl_c_at_any_line_of_partial_fit_is_raised_and_leaves_the_estimator_as_it_was(name, full, assert_identical):
    start = estimator(name).fit(X, y)
    after = copy.deepcopy(start).partial_fit(X, y)
    at, clf = 1, copy.deepcopy(start)
    while True:
        with CtrlC(at) as ctrl_c:
            try:
                clf.partial_fit(X, y)
            except KeyboardInterrupt:
                pass
        if clf.n_iter_ == after.n_iter_:
            # Training is finished; only the wrapper of the method has not returned yet.
            assert ctrl_c.line is None or ctrl_c.line.endswith("in call")
            break
        assert_equal_training(clf, start, assert_identical)
        at += 3 if full else 10
    # After many interruptions, the estimator continues as if there had been none.
    assert at > 300
    assert_equal_training(clf, after, assert_identical)
