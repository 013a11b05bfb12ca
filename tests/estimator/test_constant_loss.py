"""The loss of the best constant prediction."""

import numpy as np
import pytest
import reference
from judged import WEIGHTS, B, counts, signal
from scipy.optimize import minimize

from skfnn._estimator.judgement import constant_loss
from skfnn._estimator.tasks import Labels, RealTargets

# name of the problem: y and the targets (B, n_outputs)
PROBLEMS = {
    "binary": (signal[:, 0] > 0.4, (signal[:, :1] > 0.4).astype(float)),
    "multiclass": (signal.argmax(axis=1), np.eye(3)[signal.argmax(axis=1)]),
    "multilabel": ((signal > 0.5).astype(int), (signal > 0.5).astype(float)),
    "squared_error": (signal[:, 0] + 5.0, signal[:, :1] + 5.0),
    "several outputs": (signal * [1.0, 10.0, 0.1], signal * [1.0, 10.0, 0.1]),
    "poisson": (counts[:, 0], counts[:, :1]),
    "several counts": (counts, counts),
}
CLASSIFICATION = ["binary", "multiclass", "multilabel"]


def kind_of(problem):
    return {"several outputs": "squared_error", "several counts": "poisson"}.get(problem, problem)


def least_constant_loss(targets, weights, kind):
    """The smallest mean loss of constant raw outputs, found by a minimiser that only uses the loss."""

    def mean_loss(z):
        return np.average([reference.row_loss(z, t, kind) for t in targets], weights=weights)

    return minimize(mean_loss, np.zeros(targets.shape[1]), method="BFGS", options={"gtol": 1e-9}).fun


def task_of(problem, y, **labels):
    """The task of a problem."""
    if problem in CLASSIFICATION:
        known = Labels.find(y)
        return Labels(known.classes, known.multilabel, **labels)
    return RealTargets.find(y, kind_of(problem))


def smoothed(targets, problem, smoothing):
    """Targets that are moved towards equal fractions of the classes; a logistic unit has the classes 0 and 1."""
    n_classes = targets.shape[1] if problem == "multiclass" else 2
    return (1.0 - smoothing) * targets + smoothing / n_classes


# The minimiser uses finite differences. Their relative error is the root of the rounding, and a minimum has its square.
RTOL = 1e-8


@pytest.mark.parametrize("rows", [None, np.arange(3, B, 2)], ids=["all rows", "some rows"])
@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["", "weighted"])
@pytest.mark.parametrize("problem", PROBLEMS)
def test_the_constant_loss_is_the_least_loss_of_a_constant(problem, weights, rows):
    y, targets = PROBLEMS[problem]
    task = task_of(problem, y)
    some = slice(None) if rows is None else rows
    expected = least_constant_loss(targets[some], None if weights is None else weights[some], kind_of(problem))
    found = constant_loss(task.loss, task.targets(y), rows, weights)
    np.testing.assert_allclose(found, expected, rtol=RTOL)


@pytest.mark.parametrize("class_weight", [None, "balanced"])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("problem", CLASSIFICATION)
def test_the_constant_loss_includes_label_smoothing_and_class_weights(problem, smoothing, class_weight):
    y, targets = PROBLEMS[problem]
    task = task_of(problem, y, smoothing=smoothing, class_weight=class_weight)
    weights = task.row_weights(y, None)
    if class_weight and problem != "multilabel":
        np.testing.assert_allclose(weights, reference.row_weights(y, class_weight="balanced"), rtol=1e-12)
    expected = least_constant_loss(smoothed(targets, problem, smoothing), weights, problem)
    np.testing.assert_allclose(constant_loss(task.loss, task.targets(y), None, weights), expected, rtol=RTOL)


def test_equally_frequent_labels_have_a_loss_of_log_of_their_number():
    y = np.arange(40) % 4
    task = Labels.find(y)
    np.testing.assert_allclose(constant_loss(task.loss, task.targets(y), None, None), np.log(4), rtol=1e-14)
