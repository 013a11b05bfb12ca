"""The best weights of a training run that stops and continues."""

import copy
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from interrupted import (
    AFTER_A_FALL,
    Y_VAL,
    Act,
    X,
    X_val,
    Y,
    assert_same_training,
    assert_untouched,
    by_joblib,
    by_pickle,
    contents,
    ctrl_c_in_epoch,
    estimator,
    fail,
    needs_callbacks,
    up_and_down,
)

from skfnn import FNNClassifier
from skfnn.callbacks import Checkpoint

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

y = Y[FNNClassifier]
GIVEN = {"X_val": X_val, "y_val": Y_VAL[FNNClassifier]}
N_EPOCHS = 12
SETTINGS = {
    "plain": {},
    "nesterov": {"momentum": 0.9},
    "adam": {"solver": "adam", "dropout": 0.2},
    "adaptive": {"learning_rate": "adaptive", "n_iter_no_change": 2},
}


def stopping(name="plain", **params):
    """A classifier with early stopping and, by default, patience for twelve epochs."""
    common = {"max_iter": N_EPOCHS, "early_stopping": True, "scoring": up_and_down}
    return estimator(**(common | SETTINGS[name] | params))


def nan_score(model, X, y):
    return np.nan


class Scores:
    """A scorer that returns these scores in turn."""

    def __init__(self, *scores):
        self.scores = list(scores)

    def __call__(self, model, X, y):
        return self.scores.pop(0)


def interrupted_after(k, name="plain", **params):
    """The model after Ctrl-C in epoch k + 1."""
    model = stopping(name, **params)
    with ctrl_c_in_epoch(k + 1):
        model.fit(X, y)
    assert model.n_iter_ == k
    return model


def checkpoint_after(k, path, **params):
    """The checkpoint of a training run that ended after epoch k."""
    model = stopping(**params).set_callbacks(Checkpoint(path), Act(k, fail))
    with pytest.raises(RuntimeError, match="a mistake"):
        model.fit(X, y)
    return Checkpoint.load(path)


# An interrupted run continues from its last weights


@pytest.mark.parametrize("k", AFTER_A_FALL)
@pytest.mark.parametrize("store", [by_pickle, by_joblib], ids=lambda f: f.__name__)
@pytest.mark.parametrize("name", SETTINGS)
def test_an_interrupted_run_has_its_best_weights_and_continues_from_its_last(name, store, k):
    model = store(interrupted_after(k, name))
    assert model.best_validation_score_ > model.validation_scores_[-1]
    assert_same_training(model, stopping(name, max_iter=k).fit(X, y))
    assert_same_training(model.resume(X, y), stopping(name).fit(X, y))


@pytest.mark.parametrize("k", [1, 4, 8])
@pytest.mark.parametrize("scoring", [None, "loss", "neg_log_loss", "balanced_accuracy", nan_score])
def test_resuming_is_exact_for_all_kinds_of_scores(scoring, k):
    model = interrupted_after(k, scoring=scoring)
    assert_same_training(model, stopping(scoring=scoring, max_iter=k).fit(X, y))
    assert_same_training(model.resume(X, y), stopping(scoring=scoring).fit(X, y))


@pytest.mark.parametrize("k", [10, 13, 14])
def test_a_resumed_run_stops_in_the_same_epoch(k):
    patient = {"n_iter_no_change": 4, "max_iter": 100}
    whole = stopping(**patient).fit(X, y)
    assert whole.n_iter_ == 10 + 4 + 1
    assert_same_training(interrupted_after(k, **patient).resume(X, y), whole)


@needs_callbacks
@pytest.mark.parametrize("k", [1, 5, 12])
def test_a_run_continues_after_a_stop_by_a_callback(k):
    model = stopping("nesterov").set_callbacks(Act(k, lambda model: True)).fit(X, y)
    assert_same_training(model.resume(X, y), stopping("nesterov").fit(X, y))


def test_a_finished_run_can_continue_after_max_iter_is_raised():
    model = interrupted_after(9).set_params(max_iter=9).resume(X, y)
    assert_same_training(model.set_params(max_iter=N_EPOCHS).resume(X, y), stopping().fit(X, y))


def test_an_error_after_a_better_epoch_leaves_the_estimator_as_it_was():
    for start in (lambda model: model.fit(X, y), lambda model: model.partial_fit(X, y, classes=[0, 1, 2], **GIVEN)):
        model = start(stopping(max_iter=1, scoring=Scores(0.5, 0.9)))
        before = contents(model.set_params(max_iter=N_EPOCHS))
        with pytest.raises(IndexError):  # there is no third score
            model.resume(X, y, **GIVEN)
        assert_untouched(model, before)


# A finished run continues from its best weights


@pytest.mark.parametrize("k", AFTER_A_FALL)
def test_a_finished_run_continues_from_its_best_weights(k):
    model = stopping(max_iter=k).fit(X, y, **GIVEN)
    by_hand = copy.deepcopy(model).partial_fit(X, y, **GIVEN)
    model.set_params(max_iter=k + 1).resume(X, y, **GIVEN)
    assert_same_training(model, by_hand.restore_best())


def test_a_finished_run_keeps_one_set_of_weights():
    def n_sets(model):
        state = model._state
        kept = [*vars(state).values(), state.best and state.best.theta]
        return sum(isinstance(value, np.ndarray) and value.size == state.theta.size for value in kept)

    assert n_sets(interrupted_after(9)) == 2
    model = stopping().fit(X, y)
    assert n_sets(model) == 1
    assert n_sets(model.set_params(max_iter=15).resume(X, y)) == 1
    assert n_sets(interrupted_after(9).resume(X, y)) == 1


# Checkpoints in the middle of a run


@needs_callbacks
@pytest.mark.parametrize("patience", [4, np.inf])
def test_resuming_a_checkpoint_of_the_last_epoch_restores_its_best_weights(patience, tmp_path):
    # The process ended between the last epoch and the end of `fit`.
    whole = stopping(n_iter_no_change=patience).fit(X, y)
    loaded = checkpoint_after(whole.n_iter_, tmp_path / "model", n_iter_no_change=patience)
    assert (loaded.coefs_[0] != whole.coefs_[0]).any()
    callback = Act(0, fail)
    assert_same_training(loaded.set_callbacks(callback).resume(X, y), whole)
    assert callback.calls == ["setup", "fit of 0", "teardown"]


@needs_callbacks
def test_a_checkpoint_has_the_weights_of_its_epoch_and_the_best_ones(tmp_path):
    k = AFTER_A_FALL[-1]
    loaded = checkpoint_after(k, tmp_path / "model")
    last = stopping(max_iter=k, early_stopping=False, validation_fraction=0.1).fit(X, y)
    np.testing.assert_array_equal(loaded.coefs_[0], last.coefs_[0])
    best = copy.deepcopy(loaded).restore_best()
    np.testing.assert_array_equal(best.coefs_[0], stopping(max_iter=k).fit(X, y).coefs_[0])
    assert_same_training(loaded.resume(X, y), stopping().fit(X, y))


@needs_callbacks
def test_without_a_score_that_is_a_number_a_checkpoint_has_no_best_weights(tmp_path):
    loaded = checkpoint_after(3, tmp_path / "model", scoring=nan_score)
    with pytest.raises(ValueError, match="no best weights"):
        copy.deepcopy(loaded).restore_best()
    assert_same_training(loaded.resume(X, y), stopping(scoring=nan_score).fit(X, y))


TRAIN_AND_DIE = """
import os, signal, sys
import numpy as np
from skfnn.callbacks import Checkpoint

class Die:
    def setup(self, estimator, context): pass
    def teardown(self, estimator, context): pass
    def on_fit_task_begin(self, estimator, context): pass
    def on_fit_task_end(self, estimator, context):
        if len(estimator.history_["epoch"]) == 9:
            os.kill(os.getpid(), signal.SIGKILL)

folder = sys.argv[1]
data, model = np.load(folder + "/data.npz"), Checkpoint.load(folder + "/unfitted")
model.set_callbacks(Checkpoint(folder + "/model"), Die()).fit(data["X"], data["y"])
"""


@pytest.mark.full  # the short suite kills processes in test_checkpoint_write.py
@needs_callbacks
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_a_checkpoint_of_a_killed_process_can_be_resumed(tmp_path):
    model = stopping("adam")
    np.savez(tmp_path / "data.npz", X=X, y=y)
    Checkpoint(tmp_path / "unfitted").save(model)
    command = [sys.executable, "-c", TRAIN_AND_DIE, str(tmp_path)]
    # The file refers to the scorer, a function in a module beside this one.
    child = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[1] / "support")
    assert child.returncode == -signal.SIGKILL, child.stderr
    loaded = Checkpoint.load(tmp_path / "model")
    assert loaded.n_iter_ == 9
    assert_same_training(loaded.resume(X, y), model.fit(X, y))


# partial_fit


@pytest.mark.parametrize("scoring", [None, up_and_down])
@pytest.mark.parametrize("name", SETTINGS)
def test_after_partial_fit_the_best_weights_come_from_all_epochs(name, scoring):
    whole = stopping(name, scoring=scoring).fit(X, y, **GIVEN)
    for k in (1, 5, 10, 11, 12):
        model = stopping(name, scoring=scoring)
        for _ in range(k):
            model.partial_fit(X, y, classes=[0, 1, 2], **GIVEN)
        assert_same_training(model.resume(X, y, **GIVEN), whole)


def test_if_there_is_nothing_to_do_the_best_weights_of_partial_fit_stay():
    model = stopping(early_stopping=False)
    for _ in range(N_EPOCHS):
        model.partial_fit(X, y, classes=[0, 1, 2], **GIVEN)
    expected = copy.deepcopy(model).restore_best()
    assert_same_training(model.resume(X, y).restore_best(), expected)


@pytest.mark.parametrize("early_stopping", [False, True])
def test_scores_of_lost_weights_do_not_count(early_stopping):
    # Two kinds of weights are lost: those of a `fit` that kept none, and those that a call without a validation set
    # changed.
    model = stopping(early_stopping=early_stopping, max_iter=2, scoring=Scores(0.9, 0.8, 0.3, 0.5, 0.4))
    model.fit(X, y, **GIVEN).partial_fit(X, y)
    weights = [model.partial_fit(X, y, **GIVEN).coefs_[0].copy() for _ in range(3)]
    np.testing.assert_array_equal(model.restore_best().coefs_[0], weights[1])


def test_a_call_without_a_validation_set_keeps_the_earlier_best_weights():
    model = stopping(scoring=Scores(0.4, 0.9, 0.5))
    weights = [model.partial_fit(X, y, classes=[0, 1, 2], **GIVEN).coefs_[0].copy() for _ in range(2)]
    model.partial_fit(X, y).partial_fit(X, y, **GIVEN).partial_fit(X, y)
    np.testing.assert_array_equal(model.restore_best().coefs_[0], weights[1])
