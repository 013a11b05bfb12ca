"""What happens between two epochs: record, validate, judge, commit, print, tell callbacks."""

import math
import time
from typing import NamedTuple, Protocol

import numpy as np

from .journal import Journal
from .schedules import NO_RATES
from .state import BestWeights


class Diverged(ArithmeticError):
    """The loss or a parameter is no longer finite."""


class EpochSize(NamedTuple):
    """How many rows and iterations an epoch has."""

    rows: int
    steps: int


class EpochCallbacks(Protocol):
    """Objects that the monitor notifies when an epoch begins or ends."""

    def begin_epoch(self) -> None:
        """Called when an epoch begins."""

    def end_epoch(self) -> bool:
        """Called when an epoch has been committed; return whether a callback wants the run to stop."""

    def abandon_epoch(self) -> None:
        """Called when an epoch that began will not be finished."""

    def restart(self) -> None:
        """Called when training starts again with a smaller learning rate; the epochs so far do not count."""

    def end_fit(self) -> None:
        """Called when the fitted attributes are set."""


class NoCallbacks:
    """The callbacks of a training run without any."""

    def begin_epoch(self):
        """Do nothing."""

    def end_epoch(self):
        """Never stop."""
        return False

    def abandon_epoch(self):
        """Do nothing."""

    def restart(self):
        """Do nothing."""

    def end_fit(self):
        """Do nothing."""


NO_CALLBACKS = NoCallbacks()


def no_validation():
    """The validation loss and score without a validation set: None and None."""
    return None, None


class Monitor:
    """Watches a training run and decides when to stop it.

    Parameters
    ----------
    state : TrainingState, trained in place.
    size : EpochSize
    schedule : function from the progress to the StepRates of the next epoch.
    patience : Patience
    printer : Printer
    validate : function that returns loss and score on the validation set.
    watches_score : whether `patience` judges the validation score instead of the training loss.
    keeps_best : whether the parameters of the epoch with the best validation score are kept.
    callbacks : EpochCallbacks
    """

    def __init__(
        self,
        state,
        size,
        schedule,
        patience,
        printer,
        *,
        validate=no_validation,
        watches_score=False,
        keeps_best=False,
        callbacks: EpochCallbacks = NO_CALLBACKS,
    ):
        self.state, self.journal = state, Journal(state)
        self.stopped = self.interrupted = False
        self._size, self._schedule, self._patience, self._printer = size, schedule, patience, printer
        self._validate, self._watches_score, self._keeps_best = validate, watches_score, keeps_best
        self._callbacks = callbacks
        self._begun = False
        self.rates = NO_RATES

    @property
    def epochs(self):
        """How many epochs this training run has finished, in this call and in the calls that it continues."""
        return self.state.progress.epoch

    def score_start(self):
        """Score the present parameters on the validation set; an epoch must beat this score to be the best."""
        score = self._validate()[1]
        state = self.state
        state.best = None if math.isnan(score) else BestWeights(state.theta.copy(), score)
        best_score = -math.inf if math.isnan(score) else score
        state.progress = state.progress._replace(best_score=best_score, to_beat=-best_score, recent=(math.inf,) * 2)

    def begin_epoch(self):
        """Start the clock; return the StepRates of the epoch. If an epoch has already begun, change nothing."""
        if not self._begun:
            self._begun = True
            self._callbacks.begin_epoch()
            self.rates = self._schedule(self.state.progress)
            self._start = time.perf_counter()
        return self.rates

    def end_epoch(self, loss):
        """Record the epoch and return whether to stop. Raise Diverged if a number is no longer finite.

        `loss` is one number or two. The first is in the coordinates of training, and patience judges it. The second is
        in the units of y.
        """
        seconds = time.perf_counter() - self._start
        self._begun = False
        objective, loss = float(np.ravel(loss)[0]), float(np.ravel(loss)[-1])
        check_finite(loss, self.state.theta)
        record = self._record(loss, seconds)
        progress, is_best = self._next_progress(record, objective)
        progress, verdict = self._patience.judge(progress, self.rates.first)
        self.journal.commit(record, progress, is_best)
        self.stopped = verdict.stops
        self._printer.epoch(record)
        self._printer.say(verdict.message)
        if self._callbacks.end_epoch():
            self.stopped = self.interrupted = True
        return self.stopped

    def abandon_epoch(self):
        """End an epoch that began and will not be finished."""
        if self._begun:
            self._callbacks.abandon_epoch()
        self._begun = False

    def roll_back(self):
        """Return to the end of the last finished epoch after an interruption."""
        self.interrupted = True
        self.journal.roll_back()

    def _record(self, loss, seconds):
        """The entries of an epoch in the history."""
        eta, past = self.rates.first, self.state.history["learning_rate"]
        validation_loss, validation_score = self._validate()
        return {
            "epoch": self.state.epoch_number + 1,
            "loss": loss,
            # If eta has not changed, the history holds the same object many times, which saves memory.
            "learning_rate": past[-1] if past and past[-1] == eta else eta,
            "validation_loss": validation_loss,
            "validation_score": validation_score,
            "seconds": seconds,
        }

    def _next_progress(self, record, objective):
        """The progress after an epoch, and whether the epoch's parameters are the best so far."""
        state, loss, score = self.state, record["loss"], record["validation_score"]
        before = state.progress
        kept = -math.inf if state.best is None else state.best.score
        is_best = self._keeps_best and score is not None and score > kept
        progress = before._replace(
            t=before.t + self._size.rows,
            n_steps=before.n_steps + self._size.steps,
            epoch=before.epoch + 1,
            best_loss=min(before.best_loss, loss),
            best_score=score if score is not None and score > before.best_score else before.best_score,
        )
        return self._patience.count(progress, -score if self._watches_score else objective), is_best


def check_finite(loss, theta):
    """Raise Diverged if the loss or a parameter is not finite."""
    # If every parameter is finite, so is the sum, except when the sum itself overflows, which is rare.
    if not (math.isfinite(loss) and (math.isfinite(np.add.reduce(theta)) or np.isfinite(theta).all())):
        raise Diverged
