"""The warnings of skfnn, so that they can be filtered by category.

Each of them names the line of the user's code that led to it. A filter by ``module="skfnn"`` therefore misses them;
filter by one of these classes instead.
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
