"""scikit-learn's own checks of the regressor, for the configurations that a user is likely to meet."""

import pytest
from checks import SPARSE_CHECKS, all_checks, in_other_coordinates, pairs_with_checks, weight_checks_that_fail

from skfnn import FNNRegressor

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    # With a few rows, only one is held out, and R^2 needs two.
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning"),
]

# Enough epochs for the checks of learning, in half the time.
SHORT = {"max_iter": 40}
ADAM = {"solver": "adam", "learning_rate_init": 0.01, **SHORT}

# Some checks have features with a mean of 100. Unscaled, they are too large for these settings, and `fit` warns.
NEED_SCALING = [
    FNNRegressor(max_grad_norm=1.0, learning_rate_init=0.1, **SHORT),
    FNNRegressor(loss="poisson", solver="lbfgs", **SHORT),
]
OTHERS = [
    FNNRegressor(solver="adam"),
    FNNRegressor(solver="lbfgs"),
    FNNRegressor(momentum=0.9),
    FNNRegressor(weight_decay=0.01, **ADAM),
    FNNRegressor(hidden_layer_sizes=(20, 10), activation="tanh", learning_rate_init=0.05, **SHORT),
    FNNRegressor(loss="poisson", solver="adam", learning_rate_init=0.003),
    # Checks of sample weights fail for these configurations.
    FNNRegressor(20, batch_size=1, learning_rate_init=0.0003, **SHORT),
    FNNRegressor(batch_size=5, learning_rate_init=0.0003, **SHORT),
    FNNRegressor(batch_size=5, max_grad_norm=1.0, learning_rate_init=0.05, max_iter=20),
    FNNRegressor(early_stopping=True),
    FNNRegressor(early_stopping=True, validation_fraction=0.1, solver="lbfgs"),
    FNNRegressor(validation_fraction=0.2, **ADAM),
    FNNRegressor(dropout=0.2, **ADAM),
    FNNRegressor(dropout=0.2, batch_size=5, max_grad_norm=1.0, learning_rate_init=0.05, max_iter=20),
    FNNRegressor(dtype="float32", **ADAM),
]


def checks_that_fail(estimator):
    failed = weight_checks_that_fail(estimator)
    if estimator.loss == "poisson":
        failed["check_regressor_multioutput"] = "the targets of this check are negative, whatever the tags say"
    if estimator.dtype == "float32":
        failed["check_regressor_multioutput"] = "predictions have the precision of the model; the check wants float64"
    return failed


@all_checks([FNNRegressor()])
def test_scikit_learn_checks_of_the_defaults(estimator, check):
    check(estimator)


@pairs_with_checks(
    [
        *OTHERS,
        *NEED_SCALING,
        *in_other_coordinates([FNNRegressor(), *OTHERS]),
        *in_other_coordinates(NEED_SCALING, [True]),
    ],
    checks_that_fail,
    only_full=SPARSE_CHECKS,
)
def test_scikit_learn_checks_of_other_configurations(estimator, check):
    check(estimator)
