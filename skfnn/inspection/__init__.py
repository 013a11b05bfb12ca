"""Tools that look inside trained networks."""

from ._hidden import hidden_activations
from ._noise import gradient_noise
from ._noise_display import GradientNoiseDisplay
from ._tradeoff import batch_size_tradeoff
from ._tradeoff_display import BatchSizeTradeoffDisplay
from ._training_display import TrainingCurveDisplay

__all__ = [
    "BatchSizeTradeoffDisplay",
    "GradientNoiseDisplay",
    "TrainingCurveDisplay",
    "batch_size_tradeoff",
    "gradient_noise",
    "hidden_activations",
]
