"""scikit-learn's own checks of the classifier, for the configurations that a user is likely to meet."""

import pytest
from checks import SPARSE_CHECKS, all_checks, in_other_coordinates, pairs_with_checks

from skfnn import FNNClassifier

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

# Enough epochs for the checks of learning, in a third of the time.
SHORT = {"max_iter": 60}

OTHERS = [
    FNNClassifier(solver="adam"),
    FNNClassifier(solver="lbfgs"),
    FNNClassifier(momentum=0.9, **SHORT),
    FNNClassifier(class_weight="balanced", **SHORT),
    FNNClassifier(hidden_layer_sizes=(20, 10), activation="tanh", **SHORT),
    FNNClassifier(label_smoothing=0.1, **SHORT),
    FNNClassifier(max_grad_norm=1.0, **SHORT),
    FNNClassifier(solver="adam", weight_decay=0.01, **SHORT),
    # Checks of sample weights fail for these configurations.
    FNNClassifier(batch_size=1, **SHORT),
    FNNClassifier(batch_size=5, **SHORT),
    FNNClassifier(early_stopping=True, **SHORT),
    FNNClassifier(validation_fraction=0.2, **SHORT),
    FNNClassifier(dropout=0.2, **SHORT),
    FNNClassifier(dtype="float32", **SHORT),
]


@all_checks([FNNClassifier()])
def test_scikit_learn_checks_of_the_defaults(estimator, check):
    check(estimator)


@pairs_with_checks([*OTHERS, *in_other_coordinates([FNNClassifier(), *OTHERS])], only_full=SPARSE_CHECKS)
def test_scikit_learn_checks_of_other_configurations(estimator, check):
    check(estimator)
