"""Which values each constructor parameter accepts.

scikit-learn checks parameters against ``_parameter_constraints``. The classes that state a constraint are in a private
module of scikit-learn. This module therefore takes them from the table of a public class, `MLPClassifier`, and builds
its own table on that one.
"""

import functools
from numbers import Real

from sklearn import config_context, get_config
from sklearn.metrics import get_scorer_names
from sklearn.neural_network import MLPClassifier

from .._engine.activations import ACTIVATIONS
from .._engine.initial import RULES
from .._training.schedules import SCHEDULES

_MLP = MLPClassifier._parameter_constraints
_Strings = type(_MLP["solver"][0])
_Interval = type(_MLP["alpha"][0])

CONSTRAINTS = {name: rule for name, rule in _MLP.items() if name != "loss"} | {
    "activation": [_Strings(set(ACTIVATIONS)), list, tuple],
    "batch_size": [_Strings({"auto", "full"}), *_MLP["batch_size"][1:]],
    "learning_rate": [_Strings(set(SCHEDULES)), callable],
    "weight_decay": [_Interval(Real, 0, None, closed="left")],
    "dropout": [_Interval(Real, 0, 1, closed="left")],
    "max_grad_norm": [_Interval(Real, 0, None, closed="neither"), None],
    "init": [_Strings({"auto", *RULES})],
    "standardize": [_Strings({"auto"}), "boolean"],
    "learning_rate_init": [_Strings({"auto"}), *_MLP["learning_rate_init"]],
    "validation_fraction": [_Interval(Real, 0, 1, closed="left"), None],
    "scoring": [_Strings({*get_scorer_names(), "loss"}), callable, None],
    "dtype": [_Strings({"auto", "float32", "float64"})],
}
CLASSIFIER_CONSTRAINTS = CONSTRAINTS | {
    "class_weight": [_Strings({"balanced"}), dict, list, None],
    "label_smoothing": [_Interval(Real, 0, 1, closed="left")],
}
REGRESSOR_CONSTRAINTS = CONSTRAINTS | {"loss": [_Strings({"squared_error", "poisson"})]}


def with_valid_parameters(method):
    """Check the parameters before every call, because ``_fit_context`` checks them in the first `partial_fit` only."""

    @functools.wraps(method)
    def call(estimator, *args, **kwargs):
        if not get_config()["skip_parameter_validation"]:
            estimator._validate_params()
        with config_context(skip_parameter_validation=True):
            return method(estimator, *args, **kwargs)

    return call
