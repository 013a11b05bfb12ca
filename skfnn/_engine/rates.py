"""The learning rate of every step of an epoch."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class StepRates:
    """The learning rate eta of step k = 0, 1, ... of an epoch: one number, or a function of k if `varies`."""

    first: float
    function: Callable[[int], float] | None = None

    @property
    def varies(self):
        """Whether eta may change from step to step."""
        return self.function is not None

    def of_steps(self, start, stop):
        """The learning rates of the steps start, ..., stop - 1, a list of float."""
        if self.function is None:
            return [self.first] * (stop - start)
        return [self.function(k) for k in range(start, stop)]
