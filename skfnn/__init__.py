"""Feedforward neural networks for scikit-learn, in NumPy and SciPy."""

from ._classifier import FNNClassifier
from ._estimator.version import __version__ as __version__
from ._regressor import FNNRegressor

__all__ = ["FNNClassifier", "FNNRegressor"]
