"""Compares a training run with the best constant prediction."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import xlogy

from .._training.monitor import Diverged

# "auto" divides its learning rate by these numbers in turn, until training does not fail.
DIVISORS = (1.0, 4.0, 16.0, 64.0)
# A run has diverged if its loss is more than FAR times that of the constant and has risen since the first epoch. It has
# also diverged if its loss is more than VERY_FAR times a typical one and has risen from the initial loss.
FAR, VERY_FAR = 10.0, 1000.0
# If it is more than HOPELESS times a typical one, no learning rate can train on such features.
HOPELESS = 1e12
# A loss has risen if it is more than this many times the earlier one. Rounding causes smaller differences.
RISEN = 1.01
# The user is warned after this many `partial_fit` calls in a row whose loss is far too large: a single call may just
# have unusual rows. One call with a loss that is very far too large is enough.
FAR_CALLS = 3
# A run fails early if, after this many epochs, its loss is this many times that of the constant and has not fallen.
TRIAL_EPOCHS, TRIAL_FACTOR = 5, 1.1
# The model is better than the constant if its loss is below this fraction of the constant's. Networks of saturated
# units that give all rows the same output ended at fractions of 0.996 to 1.003.
BETTER = 0.995
# If the mean loss of the last epoch is above this fraction of the constant's, the final loss has to be computed: it
# may be worse than that mean.
DOUBTFUL = 0.5
# Training hardly moved if it covered less than this fraction of the way from the initial loss down to the constant's,
# and changed the parameters by less than STILL of their norm. Even saturated units let the output's biases move. The
# way must be longer than SHORT of the constant's loss: otherwise the initial parameters are as good as the constant.
SMALL_PART, STILL, SHORT = 0.1, 0.01, 0.005
# If the constant's loss is below this number, the targets are constant, and nothing can be better.
SMALLEST = 1e-12


def _entropy(targets, mean, rows, weights):
    return -xlogy(mean, mean).sum()


def _entropy_of_units(targets, mean, rows, weights):
    return -(xlogy(mean, mean) + xlogy(1.0 - mean, 1.0 - mean)).sum()


def _variance(targets, mean, rows, weights):
    return 0.5 * np.average(np.square(_values(targets, rows) - mean), axis=0, weights=weights).sum()


def _deviance(targets, mean, rows, weights):
    values = _values(targets, rows)
    return (np.average(xlogy(values, values), axis=0, weights=weights) - xlogy(mean, mean)).sum()


def _values(targets, rows):
    return (targets.values if rows is None else targets.values[rows]).astype(np.float64)


CONSTANTS: dict[str, Callable[..., float]] = {
    "softmax": _entropy,
    "logistic": _entropy_of_units,
    "identity": _variance,
    "exp": _deviance,
}


def constant_loss(loss, targets, rows, weights):
    """The mean loss of the best constant prediction over the training rows, without the L2 term."""
    if weights is not None and rows is not None:
        weights = weights[rows]
    with np.errstate(over="ignore", invalid="ignore"):
        return float(CONSTANTS[loss.out_activation](targets, targets.mean(rows, weights), rows, weights))


def relative_change(theta, initial):
    """How far the parameters `theta` are from the `initial` ones, relative to the norm of these."""
    with np.errstate(all="ignore"):
        moved = np.sqrt(np.square(theta - initial, dtype=np.float64).sum())
        return float(np.divide(moved, np.sqrt(np.square(initial, dtype=np.float64).sum())))


@dataclass
class Trial:
    """Watches the first epochs of a run whose learning rate may be replaced by a smaller one.

    All losses are in the coordinates of training. `constant` is the loss of the best constant prediction. It can be
    tiny, for instance if almost all rows are of one class; `typical` is the loss of a constant prediction for ordinary
    targets. `first` is the loss of the first epoch, or of the epoch before it if the run continues. `last` is the loss
    of the last epoch, `highest` the largest one.
    """

    constant: float
    may_restart: bool
    typical: float = 0.0
    first: float | None = None
    last: float | None = None
    highest: float = 0.0
    epochs: int = 0

    @property
    def _usual(self):
        """The loss of a constant prediction, also if almost all rows are of one class."""
        return max(self.constant, self.typical)

    def watch(self, loss):
        """Record an epoch's loss; raise Diverged if training should start again with a smaller learning rate."""
        self.last, self.highest = loss, max(self.highest, loss)
        self.first = loss if self.first is None else self.first
        self.epochs += 1
        if not self.may_restart or self.constant < SMALLEST or self.epochs > TRIAL_EPOCHS:
            return
        exploded = loss > FAR * max(self.constant, self.first)
        ended = self.epochs == TRIAL_EPOCHS and loss > TRIAL_FACTOR * self.constant and loss >= self.first
        if exploded or ended:
            raise Diverged

    def is_doubtful(self, restored):
        """Whether the model may be no better than the constant; `restored` says that its weights are older ones."""
        if self.last is None or self.constant < SMALLEST:
            return False
        return restored or not self.last < DOUBTFUL * self.constant

    def is_better(self, loss):
        """Whether a loss is below that of the best constant."""
        return loss < BETTER * self.constant

    def has_diverged(self, loss, initial):
        """Whether the final loss of the model means that training diverged.

        `initial` is the loss of the initial parameters, or None for a solver without a learning rate.
        """
        if loss > VERY_FAR * self._usual:
            if self.may_restart or initial is None or loss > HOPELESS * self._usual:
                return True
            # On raw features the initial loss can be as large. A small learning rate then leaves it almost unchanged.
            if loss > RISEN * initial or self.highest > FAR * initial:
                return True
        # A loss that has not risen needs no smaller learning rate. One that is too small leaves the loss where it is.
        if loss > FAR * self.constant:
            return self.first is None or loss > RISEN * self.first
        risen = self.first is not None and loss >= self.first
        return self.may_restart and self.epochs > 1 and risen and loss > TRIAL_FACTOR * self.constant

    def has_hardly_moved(self, loss, initial, change):
        """Whether training moved the loss and the parameters so little that the learning rate must be too small.

        `initial` is the loss of the initial parameters, and `change` how far they moved, relative to their norm.
        """
        way = initial - self.constant
        if initial > HOPELESS * self._usual:
            return False
        return way > SHORT * self.constant and abs(loss - initial) < SMALL_PART * way and change < STILL

    def has_fallen(self, loss):
        """Whether the final loss of the model is below that of the first epoch."""
        return self.first is not None and loss < 0.99 * self.first
