"""The warnings of skfnn, so that they can be filtered by category.

Each warning names the line of the user's code that caused it. A filter with ``module="skfnn"`` therefore misses these
warnings; filter by one of the classes instead.
"""

from ._estimator.exceptions import (
    BatchSizeWarning,
    ConstantPredictionWarning,
    DivergenceWarning,
    InterruptedWarning,
    NotConvergedWarning,
    ScaleWarning,
    SkfnnWarning,
)

__all__ = [
    "BatchSizeWarning",
    "ConstantPredictionWarning",
    "DivergenceWarning",
    "InterruptedWarning",
    "NotConvergedWarning",
    "ScaleWarning",
    "SkfnnWarning",
]
