"""scikit-learn's own checks with dropout, smoothed labels, clipped gradients and weight decay."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from skfnn import FNNClassifier

WEIGHT_CHECKS = ("check_sample_weight_equivalence_on_dense_data", "check_sample_weight_equivalence_on_sparse_data")
MASKS = "the masks of dropout are drawn by row: a repeated row has several, a weighted row has one"

ESTIMATORS = [
    FNNClassifier(dropout=0.2),
    FNNClassifier(label_smoothing=0.1),
    FNNClassifier(max_grad_norm=1.0),
    FNNClassifier(solver="adam", weight_decay=0.01),
]


def expected_failed_checks(estimator):
    return dict.fromkeys(WEIGHT_CHECKS, MASKS) if estimator.dropout else {}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@parametrize_with_checks(ESTIMATORS, expected_failed_checks=expected_failed_checks)
def test_scikit_learn_checks(estimator, check):
    check(estimator)
