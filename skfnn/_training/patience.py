"""Decides when a training run that no longer improves stops or lowers its learning rate."""

import math
from statistics import median
from typing import NamedTuple

from .schedules import ADAPTIVE_DIVISOR, ADAPTIVE_SMALLEST


class Verdict(NamedTuple):
    """What follows from an epoch."""

    stops: bool
    message: str | None


CONTINUE = Verdict(False, None)


class Patience:
    """Counts the epochs without an improvement by `tol`.

    Parameters
    ----------
    tol : how much lower a value must be than the best one so far.
    epochs : how many epochs in a row may pass without an improvement.
    watches : "Training loss", or "Validation score" whose sign is turned by the caller; for messages.
    adaptive : whether a stall lowers the learning rate, down to a smallest one, before it stops the run.
    stops : whether a stall has any consequence.
    """

    def __init__(self, tol, epochs, *, watches="Training loss", adaptive=False, stops=True):
        self._tol, self._epochs, self._watches = tol, epochs, watches
        self._adaptive, self._stops = adaptive, stops

    def count(self, progress, value):
        """The progress after an epoch that ended with `value`; one that is not finite is no improvement."""
        improved, to_beat, recent = False, progress.to_beat, progress.recent
        if math.isfinite(value):
            if self._adaptive:
                # One lucky epoch must not make all later ones look like a stall, so the median of three is compared.
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
            # The new eta has to do better than the last epochs, not than the luckiest of all.
            to_beat=median(progress.recent),
        )
        return progress, Verdict(False, f"{message} {lower}")
