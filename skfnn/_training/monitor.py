"""The border of an epoch: history, validation, patience, best weights, printing, the way back after Ctrl-C."""

import math
import time
from statistics import median

import numpy as np

from .schedules import ADAPTIVE_DIVISOR, ADAPTIVE_SMALLEST

HISTORY_KEYS = ("epoch", "loss", "learning_rate", "validation_loss", "validation_score", "seconds")


class Diverged(ArithmeticError):
    """The loss or a parameter is no longer finite."""


def new_history():
    """An empty history."""
    return {key: [] for key in HISTORY_KEYS}


def new_progress():
    """What must be remembered from epoch to epoch beside the parameters and the solver's state."""
    return {
        "t": 0,  # rows gone through
        "n_steps": 0,
        "epoch": 0,  # epochs of this training
        "best_loss": math.inf,
        "best_score": -math.inf,
        "to_beat": math.inf,  # what an epoch must undercut to be an improvement
        "recent": [math.inf, math.inf],  # the last values, for "adaptive"
        "kept_score": -math.inf,  # of the best weights at hand
        "no_improvement": 0,
        "rate_scale": 1.0,
    }


class Monitor:
    """Watches a training and says when to stop.

    Parameters
    ----------
    theta : ndarray, the parameters that are trained in place.
    solver_state : dict of arrays and numbers, worked on in place.
    progress, history : dicts as made by ``new_progress`` and ``new_history``, continued in place.
    schedule : function from the progress to eta, or None where there is no learning rate.
    rows, steps : how many rows and iterations an epoch has.
    validate : function returning (loss, score) on the validation set, or None.
    early_stopping, adaptive, tol, patience, verbose : settings of the estimator.
    best_theta : array that takes the weights of the epoch with the best validation score, or None.
    restores_best : whether the weights of a warm start are themselves the ones to beat.
    done : how many of the epochs in the history belong to this training: it was interrupted after them.
    stops_on_loss : whether a training loss that no longer falls ends the training.
    max_iter : the number of epochs, for printing.
    callbacks : object with ``begin_epoch()`` and ``end_epoch() -> whether to stop``, or None.
    """

    def __init__(
        self,
        theta,
        solver_state,
        progress,
        history,
        *,
        schedule,
        rows,
        steps,
        validate=None,
        early_stopping=False,
        best_theta=None,
        restores_best=True,
        done=0,
        adaptive=False,
        tol=1e-4,
        patience=10,
        stops_on_loss=True,
        verbose=False,
        max_iter=1,
        callbacks=None,
    ):
        self.theta, self.progress, self.history = theta, progress, history
        self.stopped = self._interrupted = False
        self._first = self.number - done
        self._solver_state = solver_state
        self._schedule, self._rows, self._steps, self._validate = schedule, rows, steps, validate
        self._early_stopping, self._adaptive = early_stopping, adaptive
        self._stops = early_stopping or stops_on_loss
        self._tol, self._patience, self._verbose, self._max_iter = tol, patience, verbose, max_iter
        self._callbacks = callbacks
        self._begun = False
        self._eta = math.nan
        if early_stopping and restores_best and self._first:
            # The weights of a warm start are the ones to beat, by their score on this validation set.
            score = validate()[1]
            progress["best_score"] = -math.inf if math.isnan(score) else score
            progress["kept_score"] = progress["best_score"]
            progress["to_beat"], progress["recent"] = -progress["best_score"], [math.inf, math.inf]
        self._arrays = [theta, *(v for v in solver_state.values() if isinstance(v, np.ndarray))]
        self._snapshots = [a.copy() for a in self._arrays]
        self._numbers = (dict(solver_state), dict(progress))
        self.best_theta = best_theta
        self._pending = None

    def begin_epoch(self):
        """Start the clock; returns the epoch's eta. In an epoch that has begun it does nothing."""
        if self._begun:
            return self._eta
        self._begun = True
        if self._callbacks is not None:
            self._callbacks.begin_epoch()
        self._eta = math.nan if self._schedule is None else self._schedule(self.progress)
        self._start = time.perf_counter()
        return self._eta

    def end_epoch(self, loss):
        """Record the epoch; returns whether to stop. Raises Diverged where numbers are no longer finite."""
        seconds = time.perf_counter() - self._start
        self._begun = False
        # The sum is finite where every parameter is, but for the rare overflow of the sum itself.
        if not (math.isfinite(loss) and (math.isfinite(np.add.reduce(self.theta)) or np.isfinite(self.theta).all())):
            raise Diverged
        validation_loss, validation_score = (None, None) if self._validate is None else self._validate()
        record = {
            "epoch": self.number + 1,
            "loss": loss,
            "learning_rate": self._first_eta(),
            "validation_loss": validation_loss,
            "validation_score": validation_score,
            "seconds": seconds,
        }
        progress = dict(self.progress)
        progress["t"] += self._rows
        progress["n_steps"] += self._steps
        progress["epoch"] += 1
        improved = self._judge(record, progress)
        message = self._stall(progress)
        self._commit(record, progress, improved, len(self.history["epoch"]))
        if self._verbose:
            print(self._line(record))
            if message:
                print(message)
        if self._callbacks is not None and self._callbacks.end_epoch():
            self.stopped = self._interrupted = True
        return self.stopped

    def abandon_epoch(self):
        """End an epoch that began and will not be finished."""
        if self._begun and self._callbacks is not None:
            self._callbacks.abandon_epoch()
        self._begun = False

    def _first_eta(self):
        """The eta of the epoch's first step; where it has not changed the history holds one number many times."""
        eta = self._eta(0) if callable(self._eta) else self._eta
        past = self.history["learning_rate"]
        return past[-1] if past and past[-1] == eta else eta

    def _judge(self, record, progress):
        """Update the best figures and the patience; returns whether these are the weights to keep."""
        loss, score = record["loss"], record["validation_score"]
        progress["best_loss"] = min(progress["best_loss"], loss)
        if score is not None and score > progress["best_score"]:
            progress["best_score"] = score
        keep = self.best_theta is not None and score is not None and score > progress["kept_score"]
        if keep:
            progress["kept_score"] = score
        value, enough = -score if self._early_stopping else loss, False
        if math.isfinite(value):  # anything else is no improvement
            if self._adaptive:
                # One lucky epoch must not make all that follow look like none: the median of three is compared.
                progress["recent"] = [*progress["recent"], value][-3:]
                value = median(progress["recent"])
            enough = value <= progress["to_beat"] - self._tol
            progress["to_beat"] = min(progress["to_beat"], value)
        progress["no_improvement"] = 0 if enough else progress["no_improvement"] + 1
        return keep

    def _stall(self, progress):
        """After too many epochs without improvement lower eta or stop; returns what to print."""
        if not self._stops or progress["no_improvement"] <= self._patience:
            return None
        what = "Validation score" if self._early_stopping else "Training loss"
        message = f"{what} did not improve by tol={self._tol:g} for {self._patience} consecutive epochs."
        if self._adaptive and self._eta > ADAPTIVE_SMALLEST:
            progress["rate_scale"] /= ADAPTIVE_DIVISOR
            # The new eta has to do better than the last epochs, not than the luckiest of all.
            progress.update(no_improvement=0, to_beat=median(progress["recent"]))
            return f"{message} Setting the learning rate to {self._eta / ADAPTIVE_DIVISOR:g}."
        self.stopped = True
        return f"{message} Stopping."

    def _line(self, record):
        parts = [f"Epoch {record['epoch']}/{self._first + self._max_iter}"]
        parts.append(f"loss {record['loss']:.6f}")
        if record["validation_loss"] is not None:
            parts.append(f"validation loss {record['validation_loss']:.6f}")
            parts.append(f"validation score {record['validation_score']:.4f}")
        if not math.isnan(record["learning_rate"]):
            parts.append(f"eta {record['learning_rate']:g}")
        parts.append(f"{record['seconds']:.3f} s")
        return "  ".join(parts)

    def _commit(self, record, progress, improved, place):
        """Make the epoch part of the model. Doing it again after an interruption does it once."""
        self._pending = (record, progress, improved, place)
        for snapshot, array in zip(self._snapshots, self._arrays, strict=True):
            np.copyto(snapshot, array)
        if improved:
            np.copyto(self.best_theta, self.theta)
        self.progress.update(progress)
        self._numbers = (dict(self._solver_state), dict(progress))
        for key, values in self.history.items():
            values[place:] = [record[key]]
        self._pending = None

    @property
    def number(self):
        """The number of the last epoch; the history of a long stream may lack its first entries."""
        numbers = self.history["epoch"]
        return numbers[-1] if numbers else 0

    @property
    def epochs(self):
        """How many epochs this training has finished."""
        return self.number - self._first

    def roll_back(self):
        """Go back to the border of the last finished epoch, where training was interrupted."""
        self._interrupted = True
        if self._pending is not None:
            self._commit(*self._pending)
            return
        for snapshot, array in zip(self._snapshots, self._arrays, strict=True):
            np.copyto(array, snapshot)
        self._solver_state.update(self._numbers[0])
        self.progress.update(self._numbers[1])

    def restore_best(self):
        """Put the weights of the best epoch back, in place; returns those to go on with, None where they are the same.

        A training that was interrupted goes on from its last epoch, one that came to its end from the best. The array
        is the monitor's own, which is of no more use then.
        """
        last = self._snapshots[0]
        if self.kept_theta is None or np.array_equal(last, self.kept_theta):
            return None
        np.copyto(self.theta, self.kept_theta)
        return last if self._interrupted else None

    @property
    def kept_theta(self):
        """The weights of the epoch with the best score, or None."""
        return self.best_theta if self.progress["kept_score"] > -math.inf else None
