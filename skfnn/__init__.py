"""Feedforward neural networks for scikit-learn, in NumPy and SciPy."""

from ._classifier import FNNClassifier
from ._regressor import FNNRegressor
from ._version import __version__ as __version__

__all__ = ["FNNClassifier", "FNNRegressor"]
