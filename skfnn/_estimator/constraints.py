"""Which values each constructor parameter accepts.

scikit-learn checks parameters against ``_parameter_constraints``. The classes of the constraints are in a private
module of scikit-learn. So this module takes these classes from the table of a public class, `MLPClassifier`, and
extends that table.
"""

import functools
from numbers import Real
from weakref import WeakKeyDictionary

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
    "n_iter_no_change": [*_MLP["n_iter_no_change"], None],
    "validation_fraction": [_Interval(Real, 0, 1, closed="left"), None],
    "scoring": [_Strings({*get_scorer_names(), "loss"}), callable, None],
    "dtype": [_Strings({"auto", "float32", "float64"})],
}
CLASSIFIER_CONSTRAINTS = CONSTRAINTS | {
    "class_weight": [_Strings({"balanced"}), dict, list, None],
    "label_smoothing": [_Interval(Real, 0, 1, closed="left")],
}
REGRESSOR_CONSTRAINTS = CONSTRAINTS | {"loss": [_Strings({"squared_error", "poisson"})]}


# The last valid parameters of each estimator. They are validated again only after a change, because validating takes as
# long as an epoch over a few rows.
_VALID: WeakKeyDictionary = WeakKeyDictionary()
_IMMUTABLE = (str, int, float, bool, type(None))


def validate_once(estimator):
    """Validate the parameters unless they are the same as in the last call."""
    values = [getattr(estimator, name, None) for name in estimator._parameter_constraints]
    before = _VALID.get(estimator)
    if before is not None and all(new is old for new, old in zip(values, before, strict=True)):
        return
    estimator._validate_params()
    # A value that can change in place, such as a list, has to be validated every time.
    if all(isinstance(value, _IMMUTABLE) or _is_tuple_of_numbers(value) for value in values):
        _VALID[estimator] = values


def _is_tuple_of_numbers(value):
    return isinstance(value, tuple) and all(isinstance(entry, _IMMUTABLE) for entry in value)


def with_valid_parameters(method):
    """Check the parameters before every call; ``_fit_context`` checks them only in the first `partial_fit`."""

    @functools.wraps(method)
    def call(estimator, *args, **kwargs):
        if not get_config()["skip_parameter_validation"]:
            validate_once(estimator)
        with config_context(skip_parameter_validation=True):
            return method(estimator, *args, **kwargs)

    return call
