"""Decides when a training run that no longer improves is stopped or gets a smaller learning rate."""

import math
from statistics import median
from typing import NamedTuple

from .schedules import ADAPTIVE_DIVISOR, ADAPTIVE_SMALLEST


class Verdict(NamedTuple):
    """Whether training stops after an epoch, and the message to print."""

    stops: bool
    message: str | None


CONTINUE = Verdict(False, None)


class Patience:
    """Counts the epochs without an improvement by `tol`.

    Parameters
    ----------
    tol : an improvement is a value lower than the best one so far by at least this much.
    epochs : how many epochs in a row may pass without an improvement.
    watches : the name of the value in messages, "Training loss" or "Validation score". The caller passes the score with
        its sign turned.
    adaptive : whether a stall first lowers the learning rate, and stops the run only when the rate is small enough.
    stops : whether a stall has any consequence.
    """

    def __init__(self, tol, epochs, *, watches="Training loss", adaptive=False, stops=True):
        self._tol, self._epochs, self._watches = tol, epochs, watches
        self._adaptive, self._stops = adaptive, stops

    def count(self, progress, value):
        """The progress after an epoch that ended with `value`; a value that is not finite is no improvement."""
        improved, to_beat, recent = False, progress.to_beat, progress.recent
        if math.isfinite(value):
            if self._adaptive:
                # Compare the median of three epochs, so that one lucky epoch does not make all later ones look bad.
                recent = (*recent, value)[-3:]
                value = median(recent)
            improved = value <= to_beat - self._tol
            to_beat = min(to_beat, value)
        no_improvement = 0 if improved else progress.no_improvement + 1
        return progress._replace(to_beat=to_beat, recent=recent, no_improvement=no_improvement)

    def judge(self, progress, eta):
        """The progress and the verdict after an epoch with learning rate `eta`."""
        if not self._stops or progress.no_improvement <= self._epochs:
            return progress, CONTINUE
        message = f"{self._watches} did not improve by tol={self._tol:g} for {self._epochs} consecutive epochs."
        if not (self._adaptive and eta > ADAPTIVE_SMALLEST):
            return progress, Verdict(True, f"{message} Stopping.")
        lower = f"Setting the learning rate to {eta / ADAPTIVE_DIVISOR:g}."
        progress = progress._replace(
            rate_scale=progress.rate_scale / ADAPTIVE_DIVISOR,
            no_improvement=0,
            # The new eta has to do better than the last epochs, not better than the luckiest epoch of all.
            to_beat=median(progress.recent),
        )
        return progress, Verdict(False, f"{message} {lower}")
