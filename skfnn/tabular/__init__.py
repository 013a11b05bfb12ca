"""Tables as they are: numbers, text, categories, booleans and missing values."""

from ._encoder import PiecewiseLinearEncoder
from ._pipelines import make_tabular_classifier, make_tabular_regressor

__all__ = ["PiecewiseLinearEncoder", "make_tabular_classifier", "make_tabular_regressor"]
