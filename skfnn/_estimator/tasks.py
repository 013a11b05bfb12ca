"""From class labels to targets and back."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from sklearn.utils import compute_class_weight, compute_sample_weight
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import column_or_1d

from .._engine.losses import LogisticCrossEntropy, SoftmaxCrossEntropy
from .._engine.targets import ArrayTargets, ClassTargets
from .data import in_range


def checked_labels(y):
    """Labels as an array: (n,), or (n, n_labels) of 0 and 1 for a multilabel indicator matrix."""
    kind = type_of_target(y, input_name="y")
    if kind == "multilabel-indicator":
        return ((y.toarray() if sparse.issparse(y) else y) != 0).astype(np.int8)
    if kind not in ("binary", "multiclass"):
        raise ValueError(
            f"Unknown label type: {kind}. y must hold class labels, or be a multilabel indicator matrix of 0 and 1. "
            "Maybe you are trying to fit a classifier to continuous targets."
        )
    return column_or_1d(y, warn=True)


@dataclass(frozen=True)
class Labels:
    """The labels that a model tells apart: sorted `classes`, or the columns of an indicator matrix if `multilabel`."""

    classes: np.ndarray
    multilabel: bool

    @classmethod
    def find(cls, y, classes=None):
        """The labels in checked `y`, or those that `classes` announces."""
        if y.ndim == 2:
            columns = np.arange(y.shape[1])
            if classes is not None and not np.array_equal(columns, np.unique(column_or_1d(classes))):
                raise ValueError(f"classes={classes!r} are not the labels, which are the columns of y: {columns}.")
            return cls(columns, True)
        found = np.unique(y if classes is None else column_or_1d(classes))
        if len(found) < 2:
            raise ValueError(f"The number of classes has to be greater than one; got {len(found)} class")
        return cls(found, False)

    @property
    def binary(self):
        """Whether there are two classes, told apart by one output."""
        return not self.multilabel and len(self.classes) == 2

    @property
    def loss(self):
        """The loss for these labels."""
        return LogisticCrossEntropy() if self.multilabel or self.binary else SoftmaxCrossEntropy()

    def targets(self, y, smoothing=0.0):
        """The targets of checked labels, smoothed; raises where they are not among the known ones."""
        if self.multilabel != (y.ndim == 2):
            raise ValueError("y must be a multilabel indicator matrix in every call of the same model, or in none.")
        if self.multilabel:
            if y.shape[1] != len(self.classes):
                raise ValueError(f"y has {y.shape[1]} labels (columns), but the model has {len(self.classes)}.")
            return ArrayTargets(y, smoothing)
        unknown = np.setdiff1d(y, self.classes)
        if unknown.size:
            raise ValueError(
                f"`y` has classes not in `self.classes_`. `self.classes_` has {self.classes}. 'y' also has {unknown}."
            )
        codes = np.searchsorted(self.classes, y)
        if self.binary:
            return ArrayTargets(codes[:, None].astype(np.int8), smoothing)
        return ClassTargets(codes, len(self.classes), smoothing)

    def check_same(self, y, incremental, classes):
        """Raise where a further call brings other labels than the first one."""
        if classes is not None and not np.array_equal(self.classes, np.unique(column_or_1d(classes))):
            raise ValueError(
                f"classes={classes!r} is not the same as on the first call to partial_fit, was: {self.classes!r}"
            )
        if not (incremental or self.multilabel) and not np.array_equal(self.classes, np.unique(y)):
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the previous call to fit. "
                f"Previously got {self.classes}, `y` has {np.unique(y)}"
            )

    def strata(self, targets):
        """The class number of every row of targets, (n,); None for multilabel."""
        if self.multilabel:
            return None
        return targets.values[:, 0] if self.binary else targets.codes

    def decode(self, raw):
        """The predicted labels of raw outputs (n, n_outputs)."""
        if self.multilabel:
            return (raw > 0).astype(int)
        return self.classes[self._numbers(raw)]

    def accuracy(self, raw, targets, weights):
        """The share of right rows; a multilabel row is right where all its labels are, as ``accuracy_score`` has it."""
        if self.multilabel:
            right = ((raw > 0) == targets.values).all(axis=1)
        else:
            right = self._numbers(raw) == self.strata(targets)
        return float(np.average(right, weights=weights))

    def _numbers(self, raw):
        return (raw[:, 0] > 0).astype(np.intp) if self.binary else raw.argmax(axis=1)

    def row_weights(self, y, class_weight, sample_weight):
        """Class weight times sample weight of every row, (n,); None where there is neither."""
        if class_weight is None:
            return sample_weight
        if self.multilabel:
            with np.errstate(over="ignore", invalid="ignore"):
                weights = _label_weights(class_weight, y)
        else:
            # "balanced" is about the classes that are there: a chunk of partial_fit may lack some.
            present = np.unique(y) if isinstance(class_weight, str) else self.classes
            with np.errstate(divide="ignore"):
                per_class = compute_class_weight(class_weight, classes=present, y=y, sample_weight=sample_weight)
            # A class all of whose rows have weight 0 would get an infinite one.
            per_class[np.isinf(per_class)] = 0.0
            weights = per_class[np.searchsorted(present, y)]
        if not (np.isfinite(weights).all() and (weights >= 0).all()):
            raise ValueError(f"class_weight must hold finite weights >= 0, got {class_weight!r}.")
        weights = in_range(weights)
        return weights if sample_weight is None else weights * sample_weight


def _label_weights(class_weight, y):
    """The class weights of the rows of an indicator matrix, (n,): for every row the product over the labels."""
    if not isinstance(class_weight, list) or len(class_weight) != y.shape[1]:
        return compute_sample_weight(class_weight, y)
    # By label, as compute_sample_weight demands every class that a dict leaves out to be in this y.
    both = np.array([0, 1])
    per_class = [compute_class_weight(w, classes=both, y=label) for w, label in zip(class_weight, y.T, strict=True)]
    return np.prod([w[label] for w, label in zip(per_class, y.T, strict=True)], axis=0)
