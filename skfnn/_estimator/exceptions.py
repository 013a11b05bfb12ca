"""The warnings of skfnn, so that they can be filtered by category.

Each warning names the line of the user's code that caused it. A filter with ``module="skfnn"`` therefore misses these
warnings; filter by one of the classes instead.
"""

from sklearn.exceptions import ConvergenceWarning


class SkfnnWarning(UserWarning):
    """The base class of all warnings of skfnn."""


class NotConvergedWarning(SkfnnWarning, ConvergenceWarning):
    """Training ended at `max_iter` before it had converged."""


class ConstantPredictionWarning(SkfnnWarning, ConvergenceWarning):
    """The fitted network predicts no better than a constant."""


class DivergenceWarning(SkfnnWarning, ConvergenceWarning):
    """The loss of a `partial_fit` call is far above that of a constant prediction."""


class InterruptedWarning(SkfnnWarning):
    """Training was interrupted; the weights are those of the last finished epoch."""


class ScaleWarning(SkfnnWarning):
    """Features are too large for the learning rate, or the validation set is scaled differently from X."""


class BatchSizeWarning(SkfnnWarning):
    """`batch_size` is larger than the number of training rows."""
