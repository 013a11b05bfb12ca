"""scikit-learn's own checks, for the configurations that a user is likely to meet."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from skfnn import FNNClassifier

WEIGHT_CHECKS = ("check_sample_weight_equivalence_on_dense_data", "check_sample_weight_equivalence_on_sparse_data")

# What holds where a check is declared as failing is in test_sample_weights.py.
HELD_OUT = "the held-out rows are drawn by row: repeated rows fall on both sides, weighted rows on one"
REASONS = {
    "batch_size": "repeated rows are in other mini-batches than weighted ones: expected gradients agree, not the paths",
    "early_stopping": HELD_OUT,
    "validation_fraction": HELD_OUT,
    "dtype": "float32 rounds to 1e-7, the tolerance of the check",
}

CLEAN = [
    FNNClassifier(),
    FNNClassifier(solver="adam"),
    FNNClassifier(solver="lbfgs"),
    FNNClassifier(momentum=0.9),
    FNNClassifier(class_weight="balanced"),
    FNNClassifier(hidden_layer_sizes=(20, 10), activation="tanh"),
]
EXPECTED = [
    FNNClassifier(batch_size=1),
    FNNClassifier(batch_size=5),
    FNNClassifier(early_stopping=True),
    FNNClassifier(validation_fraction=0.2),
    FNNClassifier(dtype="float32"),
]


def expected_failed_checks(estimator):
    changed = [name for name in REASONS if getattr(estimator, name) != getattr(FNNClassifier(), name)]
    return dict.fromkeys(WEIGHT_CHECKS, REASONS[changed[0]]) if changed else {}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@parametrize_with_checks(CLEAN + EXPECTED, expected_failed_checks=expected_failed_checks)
def test_scikit_learn_checks(estimator, check):
    check(estimator)
