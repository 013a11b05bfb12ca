"""scikit-learn's own checks of the regressor, for the configurations that a user is likely to meet."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from skfnn import FNNRegressor

WEIGHT_CHECKS = ("check_sample_weight_equivalence_on_dense_data", "check_sample_weight_equivalence_on_sparse_data")

# What holds where a check is declared as failing is in test_regressor.py and test_sample_weights.py.
HELD_OUT = "the held-out rows are drawn by row: repeated rows fall on both sides, weighted rows on one"
REASONS = {
    "batch_size": "repeated rows are in other mini-batches than weighted ones: expected gradients agree, not the paths",
    "early_stopping": HELD_OUT,
    "validation_fraction": HELD_OUT,
    "dropout": "masks are drawn by row: repeated rows get a mask each, a weighted row gets one",
    "dtype": "float32 rounds to 1e-7, the tolerance of the check",
}


# Enough for the checks to find that it learns, and half the time.
SHORT = {"max_iter": 40}
ADAM = {"solver": "adam", "learning_rate_init": 0.01, **SHORT}

CLEAN = [
    FNNRegressor(),
    FNNRegressor(solver="adam"),
    FNNRegressor(solver="lbfgs"),
    FNNRegressor(momentum=0.9),
    FNNRegressor(max_grad_norm=1.0, learning_rate_init=0.1, **SHORT),
    FNNRegressor(weight_decay=0.01, **ADAM),
    FNNRegressor(hidden_layer_sizes=(20, 10), activation="tanh", learning_rate_init=0.05, **SHORT),
    FNNRegressor(loss="poisson", solver="adam", learning_rate_init=0.01),
    FNNRegressor(loss="poisson", solver="lbfgs", **SHORT),
]
EXPECTED = [
    FNNRegressor(20, batch_size=1, learning_rate_init=0.0003, **SHORT),
    FNNRegressor(batch_size=5, learning_rate_init=0.0003, **SHORT),
    FNNRegressor(batch_size=5, max_grad_norm=1.0, learning_rate_init=0.05, max_iter=20),
    FNNRegressor(early_stopping=True),
    FNNRegressor(early_stopping=True, solver="lbfgs"),
    FNNRegressor(validation_fraction=0.2, **ADAM),
    FNNRegressor(dropout=0.2, **ADAM),
    FNNRegressor(dropout=0.2, batch_size=5, max_grad_norm=1.0, learning_rate_init=0.05, max_iter=20),
    FNNRegressor(dtype="float32", **ADAM),
]


def expected_failed_checks(estimator):
    changed = [name for name in REASONS if getattr(estimator, name) != getattr(FNNRegressor(), name)]
    failed = dict.fromkeys(WEIGHT_CHECKS, REASONS[changed[0]]) if changed else {}
    if estimator.loss == "poisson":
        failed["check_regressor_multioutput"] = "the targets of this check are negative, whatever the tags say"
    if estimator.dtype == "float32":
        failed["check_regressor_multioutput"] = "predictions have the precision of the model; the check wants float64"
    return failed


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
# One of a few rows is held out, and R^2 needs two.
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")
@parametrize_with_checks(CLEAN + EXPECTED, expected_failed_checks=expected_failed_checks)
def test_scikit_learn_checks(estimator, check):
    check(estimator)
