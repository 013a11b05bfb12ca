"""Messages for training that failed or is likely to fail."""

from functools import cached_property

import numpy as np
from scipy import sparse

from .._engine.rows import Rows
from .exceptions import ScaleWarning
from .warnings import warn_user

# A step of plain SGD moves a first-layer pre-activation of a row x by about eta * ||x||^2 * delta. Networks train well
# with eta * ||x||^2 at 10 to 100 (at eta 0.1 it is 6 on standardised digits and 70 on MNIST). At 10,000, one step moves
# a pre-activation by hundreds.
HOPELESS_STEP = 1e4
_ROWS_LOOKED_AT = 1000
_ENTRIES_LOOKED_AT = 500_000
_ROWS_AT_ONCE = 32
_SCALING = "Scale the features, for instance with standardize='auto' or with a StandardScaler in a pipeline"


class Diagnosis:
    """Finds the likely cause of a failure in the data and in the learning rate.

    `eta` is the initial learning rate, a text if the rate is not one number, or None if the solver has no learning
    rate. `is_automatic` tells whether skfnn chose it. `names` are the names of the features, or None.
    """

    def __init__(self, X, coordinates, eta, is_automatic, names):
        self._X, self._coordinates, self._names = X, coordinates, names
        self._eta, self._is_automatic = eta, is_automatic

    def warn_if_hopeless(self):
        """Warn if plain SGD cannot train with this eta because the features are too large."""
        square, _, _ = self._scales
        if self._eta * square > HOPELESS_STEP:
            warn_user(
                f"The features are too large for learning_rate_init={self._eta:g}: training will diverge or stall. "
                f"{self._largest_feature()} Scale the features first, for instance with standardize='auto', "
                "or choose a smaller learning_rate_init.",
                ScaleWarning,
            )

    def not_finite(self, epoch, advice):
        """The message for a loss or a weight that is no longer finite; `advice` is about the targets."""
        message = f"Training diverged: the loss or a weight was no longer finite in epoch {epoch}{self._with_eta()}."
        return f"{message}{self._remedy()}{advice}"

    def far_above(self, loss, constant, advice):
        """The message for a training loss far above that of the best constant prediction."""
        message = (
            f"Training diverged{self._with_eta()}: the training loss ended at {loss:.4g}, far above {constant:.4g},"
        )
        return f"{message} the loss of the best constant prediction.{self._remedy()}{advice}"

    def call_far_above(self, loss, constant, advice):
        """The message for a `partial_fit` call whose loss is far above that of a constant prediction."""
        message = f"Training does not work{self._with_eta()}: the training loss of this call is {loss:.4g}, far above"
        return f"{message} {constant:.4g}, the loss of a constant prediction.{self._remedy()}{advice}"

    def not_below(self, loss, constant, *, finished=True, still_falling=False, stuck_at=None):
        """The message for a training loss that is not below that of the best constant prediction.

        `finished` is False if only `max_iter` ended the run. `stuck_at` is the loss of the initial parameters if
        training hardly moved it, otherwise None.
        """
        message = (
            f"The network predicts no better than a constant{self._with_eta()}: the training loss ended at {loss:.4g}, "
            f"and {constant:.4g} is the loss of the best constant prediction."
        )
        if still_falling:
            rate = self._of_rate(" or try another learning_rate_init", " or try other learning rates")
            return f"{message} The loss was still falling: raise max_iter{'' if self._eta is None else rate}."
        if stuck_at is not None:
            return f"{message} {self._too_small(stuck_at, finished)}"
        if self._features_are_large:
            return f"{message}{self._remedy()}"
        rate = self._of_rate("another learning_rate_init", "other learning rates")
        tries = "a smaller alpha" if self._eta is None else f"{rate}, a smaller alpha or dropout"
        return f"{message} Try {tries}, or another activation: hidden units may be saturated or dead."

    def to_converge(self):
        """What helps training to converge, besides more iterations: a sentence with a space in front, or nothing."""
        if not self._features_are_large:
            return ""
        return f" {self._largest_feature()} {_SCALING}: then training needs fewer epochs."

    def _too_small(self, initial, finished):
        """The sentences about a learning rate that hardly changes the loss `initial`."""
        rate, larger = self._of_rate(
            ("learning_rate_init is", "a larger one"), ("the learning rates are", "larger ones")
        )
        message = f"The loss hardly moved from its initial value, {initial:.4g}: {rate} too small."
        remedy = f"Use {larger}." if finished else f"Use {larger}, or raise max_iter."
        if self._features_are_large:
            remedy += f" {self._largest_feature()} {_SCALING}: then training tolerates {larger}."
        return f"{message} {remedy}"

    def _of_rate(self, one, many):
        """`one` if there is one initial learning rate, `many` if a function gives the rates."""
        return many if isinstance(self._eta, str) else one

    def _with_eta(self):
        """The learning rate in a message."""
        if self._eta is None:
            return ""
        if isinstance(self._eta, str):
            return f" with learning rates {self._eta}"
        return f" with learning_rate_init={self._eta:g}"

    def _largest_feature(self):
        """A sentence about the largest feature, in the units in which it is trained."""
        _, number, scale = self._scales
        name = str(number) if self._names is None else repr(self._names[number])
        return f"The largest feature is feature {name}, with a root mean square of {scale:.3g}."

    def _remedy(self):
        """What the user can do against divergence: sentences with a space in front."""
        smaller = self._of_rate("a smaller learning_rate_init", "smaller learning rates")
        if self._features_are_large:
            rate = "." if self._eta is None else f", or use {smaller}."
            return f" {self._largest_feature()} {_SCALING}{rate}"
        if self._eta is None:
            return " Use a larger alpha or solver='sgd'."
        given = not self._is_automatic and not isinstance(self._eta, str)
        return f" Use {smaller}, or learning_rate_init='auto'." if given else f" Use {smaller}."

    @property
    def _features_are_large(self):
        """Whether training sees a feature that is too large for it."""
        return self._scales[2] > 10.0

    @cached_property
    def _scales(self):
        """The mean squared norm of a row, and the number and the root mean square of the largest feature."""
        X = self._X
        n_rows = max(1, min(_ROWS_LOOKED_AT, _ENTRIES_LOOKED_AT // X.shape[1]))
        numbers = np.arange(0, X.shape[0], -(-X.shape[0] // n_rows))
        rows = Rows(X, self._coordinates.row_format(np.dtype(np.float64)), _ROWS_AT_ONCE)
        sums = np.zeros(X.shape[1])
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            for start in range(0, len(numbers), _ROWS_AT_ONCE):
                block = rows.take(numbers[start : start + _ROWS_AT_ONCE])
                squares = block.multiply(block) if sparse.issparse(block) else block * block
                sums += np.asarray(squares.sum(axis=0)).ravel()
        mean_square = sums / len(numbers)
        largest = int(np.argmax(mean_square))
        return float(mean_square.sum()), largest, float(np.sqrt(mean_square[largest]))
