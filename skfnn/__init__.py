"""Feedforward neural networks for scikit-learn, in NumPy and SciPy."""

from ._classifier import FNNClassifier
from ._regressor import FNNRegressor

__version__ = "0.1.0"
__all__ = ["FNNClassifier", "FNNRegressor"]
