"""scikit-learn's own checks of the classifier, for the configurations that a user is likely to meet."""

import pytest
from checks import all_checks, in_other_coordinates, one_configuration_for_each_check

from skfnn import FNNClassifier

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

OTHERS = [
    FNNClassifier(solver="adam"),
    FNNClassifier(solver="lbfgs"),
    FNNClassifier(momentum=0.9),
    FNNClassifier(class_weight="balanced"),
    FNNClassifier(hidden_layer_sizes=(20, 10), activation="tanh"),
    FNNClassifier(label_smoothing=0.1),
    FNNClassifier(max_grad_norm=1.0),
    FNNClassifier(solver="adam", weight_decay=0.01),
    # Checks of sample weights fail for these configurations.
    FNNClassifier(batch_size=1, max_iter=40),
    FNNClassifier(batch_size=5, max_iter=40),
    FNNClassifier(early_stopping=True),
    FNNClassifier(validation_fraction=0.2),
    FNNClassifier(dropout=0.2),
    FNNClassifier(dtype="float32"),
]


@all_checks([FNNClassifier()])
def test_scikit_learn_checks_of_the_defaults(estimator, check):
    check(estimator)


@one_configuration_for_each_check([*OTHERS, *in_other_coordinates([FNNClassifier(), *OTHERS])])
def test_scikit_learn_checks_of_other_configurations(estimator, check):
    check(estimator)
