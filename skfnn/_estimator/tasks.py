"""What a model learns: class labels or real targets, and everything that depends on the choice."""

import math
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from scipy import sparse
from sklearn.metrics import r2_score
from sklearn.utils import compute_class_weight, compute_sample_weight
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import column_or_1d

from .._engine.losses import (
    LogisticCrossEntropy,
    PoissonDeviance,
    ScaledSquaredError,
    SoftmaxCrossEntropy,
    SquaredError,
)
from .._engine.targets import ArrayTargets, ClassTargets
from .data import in_range

REGRESSION_LOSSES = {"squared_error": SquaredError, "poisson": PoissonDeviance}


class Task(Protocol):
    """Knows how y becomes targets and how raw outputs become scores."""

    @property
    def n_outputs(self) -> int:
        """The number of units in the output layer."""

    @property
    def loss(self) -> Any:
        """The loss, in the user's units."""

    @property
    def scales_targets(self) -> bool:
        """Whether training may use scaled targets, because their unit does not matter."""

    def targets(self, y) -> Any:
        """The training targets of checked y."""

    def exact_targets(self, y) -> Any:
        """The targets of checked y for validation, without smoothing."""

    def in_training(self, targets, coordinates) -> tuple[Any, Any]:
        """The targets in the coordinates of training, and their loss."""

    def row_weights(self, y, sample_weight) -> np.ndarray | None:
        """The weight of every row in the loss, (B,) or None."""

    def strata(self, targets) -> np.ndarray | None:
        """The classes by which a held-out validation set is stratified, (B,) or None."""

    def score(self, raw, targets, weights) -> float:
        """The default score of raw outputs; `raw` may be overwritten."""

    def advice(self, targets) -> str:
        """Advice about the targets, in the coordinates of training, for a message after training diverged."""

    @property
    def typical_loss(self) -> float:
        """The loss of a constant prediction for ordinary targets, in the coordinates of training."""

    def attributes(self) -> dict[str, Any]:
        """The public fitted attributes that follow from the task."""

    def to_plain(self) -> dict[str, Any]:
        """The task as plain data."""


def checked_labels(y):
    """Labels as an array: (n,), or (n, n_labels) of 0 and 1 for a multilabel indicator matrix."""
    if getattr(getattr(y, "dtype", None), "kind", "") == "V":
        raise ValueError("y is a structured array. It must hold one label for each row, or be an indicator matrix.")
    try:
        kind = type_of_target(y, input_name="y")
    except TypeError:  # objects of several types cannot be sorted
        kind = "unknown"
    if kind == "multilabel-indicator":
        values = y.data if sparse.issparse(y) else np.asarray(y)
        if not np.isin(values, (0, 1)).all():
            raise ValueError(
                f"A multilabel y must hold 0 and 1, got {np.unique(values)[:5]}. Encode it with (y > 0).astype(int) "
                "or with sklearn.preprocessing.MultiLabelBinarizer."
            )
        return (y.toarray() if sparse.issparse(y) else np.asarray(y)).astype(np.int8)
    if kind == "unknown" and np.asarray(y).dtype.kind == "O":
        if any(label is None for label in np.asarray(y).flat):
            raise ValueError("y contains None. Leave out the rows whose label is missing.")
        raise ValueError(
            "Unknown label type: y has dtype object but does not hold only strings. If y holds whole numbers, pass "
            "y.astype(int). If it holds numbers and text, pass y.astype(str)."
        )
    if kind not in ("binary", "multiclass"):
        raise ValueError(
            f"Unknown label type: {kind}. y must hold class labels, or be a multilabel indicator matrix of 0 and 1. "
            "Maybe you are trying to fit a classifier to continuous targets."
        )
    return column_or_1d(y, warn=True)


def checked_classes(classes):
    """The `classes` of a `partial_fit` call as an array (n_classes,), or None."""
    if classes is None:
        return None
    if isinstance(classes, set | frozenset | dict):
        raise ValueError(f"classes must be a list or an array, got a {type(classes).__name__}: pass sorted(classes).")
    try:
        return column_or_1d(classes)
    except ValueError as error:
        raise ValueError(f"classes must be a list or an array of class labels, got {classes!r}: {error}") from error


@dataclass(frozen=True)
class Labels:
    """Class labels: sorted `classes`, or the columns of an indicator matrix if `multilabel`.

    Predictions are a sparse matrix if `sparse_output`, that is, if y was a sparse matrix in the last call. Training
    targets are smoothed by `smoothing`. `class_weight` is the estimator's parameter.
    """

    classes: np.ndarray
    multilabel: bool
    sparse_output: bool = False
    smoothing: float = 0.0
    class_weight: Any = None

    @classmethod
    def find(cls, y, classes=None):
        """The labels in checked `y`, or those that `classes` lists."""
        if y.ndim == 2:
            columns = np.arange(y.shape[1])
            if classes is not None and not np.array_equal(columns, np.unique(classes)):
                raise ValueError(f"classes={classes!r} must be the column numbers of the multilabel y, {columns}.")
            return cls(columns, True)
        found = np.unique(y if classes is None else classes)
        if not found.size:
            raise ValueError("classes must hold at least one class, got an empty list.")
        return cls(found, False)

    @property
    def binary(self):
        """Whether there are two classes, so that one output is enough."""
        return not self.multilabel and len(self.classes) == 2

    @property
    def loss(self):
        """The loss for these labels."""
        return LogisticCrossEntropy() if self.multilabel or self.binary else SoftmaxCrossEntropy()

    @property
    def n_outputs(self):
        """The number of units in the output layer."""
        return 1 if self.binary else len(self.classes)

    def targets(self, y):
        """The smoothed targets of checked labels; raise if a label is unknown."""
        return self._targets(y, self.smoothing)

    def exact_targets(self, y):
        """The targets of labels for validation, without smoothing."""
        return self._targets(checked_labels(y), 0.0)

    def _targets(self, y, smoothing):
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

    scales_targets = False

    def in_training(self, targets, coordinates):
        """The targets and the loss: labels have no units."""
        return targets, self.loss

    def check_same(self, y, call, classes):
        """Raise if a further call brings other labels than the first call."""
        if classes is not None and not np.array_equal(self.classes, np.unique(classes)):
            raise ValueError(
                f"classes={classes!r} is not the same as on the first call to partial_fit, was: {self.classes!r}"
            )
        if not (call.one_epoch or self.multilabel) and not np.array_equal(self.classes, np.unique(y)):
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the previous call to fit. "
                f"Previously got {self.classes}, `y` has {np.unique(y)}"
            )

    def strata(self, targets):
        """The class number of every row of targets, (n,); None for multilabel targets."""
        if self.multilabel:
            return None
        return targets.values[:, 0] if self.binary else targets.codes

    def decode(self, raw):
        """The predicted labels of raw outputs (n, n_outputs)."""
        if self.multilabel:
            return sparse.csr_matrix(raw > 0, dtype=int) if self.sparse_output else (raw > 0).astype(int)
        return self.classes[self._numbers(raw)]

    def score(self, raw, targets, weights):
        """The fraction of correct rows. All labels of a multilabel row must be correct, as in ``accuracy_score``."""
        if self.multilabel:
            right = ((raw > 0) == targets.values).all(axis=1)
        else:
            right = self._numbers(raw) == self.strata(targets)
        return float(np.average(right, weights=weights))

    def _numbers(self, raw):
        return (raw[:, 0] > 0).astype(np.intp) if self.binary else raw.argmax(axis=1)

    def advice(self, targets):
        """No advice: labels have no scale."""
        return ""

    @property
    def typical_loss(self):
        """The entropy of equally frequent labels."""
        return float(self.n_outputs * np.log(2.0) if self.binary or self.multilabel else np.log(len(self.classes)))

    def attributes(self):
        """The public fitted attribute `classes_`."""
        return {"classes_": self.classes}

    def to_plain(self):
        """The labels as plain data."""
        return {"classes": self.classes, "multilabel": self.multilabel, "sparse_output": self.sparse_output}

    def row_weights(self, y, sample_weight):
        """Class weight times sample weight of every row, (n,); None if there is neither."""
        class_weight = self.class_weight
        if class_weight is None:
            return sample_weight
        if self.multilabel:
            with np.errstate(over="ignore", invalid="ignore"):
                weights = _label_weights(class_weight, y)
        else:
            # "balanced" refers to the classes that occur in y: a chunk of partial_fit may lack some classes.
            present = np.unique(y) if isinstance(class_weight, str) else self.classes
            try:
                with np.errstate(divide="ignore"):
                    per_class = compute_class_weight(class_weight, classes=present, y=y, sample_weight=sample_weight)
            except (ValueError, IndexError) as error:
                raise ValueError(
                    f"class_weight must be 'balanced' or a dict with keys among the classes {self.classes}, got "
                    f"{class_weight!r}."
                ) from error
            # If all rows of a class have weight 0, the class weight would be infinite.
            per_class[np.isinf(per_class)] = 0.0
            weights = per_class[np.searchsorted(present, y)]
        if not (np.isfinite(weights).all() and (weights >= 0).all()):
            raise ValueError(f"class_weight must hold finite weights >= 0, got {class_weight!r}.")
        weights = in_range(weights)
        return weights if sample_weight is None else weights * sample_weight


def _label_weights(class_weight, y):
    """The class weight of every row of an indicator matrix, (n,): the product over its labels."""
    if not isinstance(class_weight, list) or len(class_weight) != y.shape[1]:
        return compute_sample_weight(class_weight, y)
    # Label by label: compute_sample_weight fails if a class that is not in the dict does not occur in this y.
    both = np.array([0, 1])
    per_class = [compute_class_weight(w, classes=both, y=label) for w, label in zip(class_weight, y.T, strict=True)]
    return np.prod([w[label] for w, label in zip(per_class, y.T, strict=True)], axis=0)


@dataclass(frozen=True)
class RealTargets:
    """Real targets: `n_outputs` columns and the name of the loss."""

    n_outputs: int
    loss_name: str

    @classmethod
    def find(cls, y, loss_name):
        """The task of checked targets `y`."""
        return cls(1 if y.ndim == 1 else y.shape[1], loss_name)

    @property
    def loss(self):
        """The loss for these targets."""
        return REGRESSION_LOSSES[self.loss_name]()

    def targets(self, y):
        """The targets of checked y; raise if y has another number of columns than in the first call."""
        return self._targets(y, f"y has {{}} outputs, but the model has {self.n_outputs}.")

    def exact_targets(self, y):
        """The targets of a validation set."""
        y = checked_targets(y, self.loss_name)
        return self._targets(y, f"y_val has {{}} outputs, but y has {self.n_outputs}.")

    def _targets(self, y, message):
        targets = ArrayTargets(y.reshape(len(y), -1))
        if targets.n_outputs != self.n_outputs:
            raise ValueError(message.format(targets.n_outputs))
        return targets

    @property
    def scales_targets(self):
        """Whether training may use scaled targets: the counts of the Poisson deviance must not be scaled."""
        return self.loss_name == "squared_error"

    def in_training(self, targets, coordinates):
        """The targets in the coordinates of training, and their loss."""
        if coordinates.target_scale is None:
            return targets, self.loss
        loss = ScaledSquaredError(coordinates.target_scale)
        if not math.isfinite(loss.unit[1]):
            raise ValueError("y holds numbers that are too large: their squares overflow. Divide y by a constant.")
        return ArrayTargets(coordinates.to_targets(targets.values)), loss

    def row_weights(self, y, sample_weight):
        """The sample weights."""
        return sample_weight

    def strata(self, targets):
        """None: real targets have no classes."""
        return None

    def score(self, raw, targets, weights):
        """R^2 of raw outputs; NaN if a prediction is not finite. `raw` is overwritten."""
        self.loss.activate(raw)
        if not np.isfinite(raw).all():
            return np.nan
        with np.errstate(over="ignore", invalid="ignore"):  # squares of finite outputs
            return float(r2_score(targets.values, raw, sample_weight=weights))

    def advice(self, targets):
        """Advice to standardise large targets."""
        if self.loss_name == "poisson":
            return ""
        values = targets.values.astype(np.float64)
        largest = float(np.abs(values).max())
        # Divide first: the squares of targets above 1e154 overflow.
        scale = largest and largest * float(np.sqrt(np.mean(np.square(values / largest))))
        if scale <= 10.0:
            return ""
        return (
            f" The targets have a root mean square of {scale:.3g}: standardise them, for instance with "
            "standardize='auto' or TransformedTargetRegressor(..., transformer=StandardScaler())."
        )

    @property
    def typical_loss(self):
        """The loss of a constant prediction for targets of variance 1."""
        return 0.5 * self.n_outputs

    def attributes(self):
        """No public fitted attributes."""
        return {}

    def to_plain(self):
        """The task as plain data."""
        return {"n_outputs": self.n_outputs, "loss_name": self.loss_name}


_FOR_TEXT = "Convert numbers in text with y.astype(float). For class labels, use FNNClassifier."


def checked_targets(y, loss_name):
    """Targets as numbers: (n,), or (n, n_outputs) if there are several outputs."""
    if sparse.issparse(y):
        raise ValueError("y is sparse, but FNNRegressor needs a dense array: use y.toarray().")
    if y.dtype.kind == "O":
        try:
            y = y.astype(np.float64)
        except (TypeError, ValueError) as error:
            raise ValueError(f"y must hold numbers for FNNRegressor: {error}. {_FOR_TEXT}") from error
    if y.dtype.kind not in "fiub":
        raise ValueError(f"y must hold numbers for FNNRegressor, got an array of type {y.dtype}. {_FOR_TEXT}")
    if not np.isfinite(y).all():
        raise ValueError("y must hold finite numbers for FNNRegressor.")
    if y.ndim == 2 and y.shape[1] == 1:
        y = column_or_1d(y, warn=True)
    if loss_name == "poisson" and (y < 0).any():
        raise ValueError("loss='poisson' needs targets >= 0; y has negative ones.")
    return y
