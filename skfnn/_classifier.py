"""The classifier."""

import numpy as np
from sklearn.base import ClassifierMixin, _fit_context
from sklearn.utils import compute_class_weight, compute_sample_weight
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import column_or_1d

from ._base import BaseFNN, has_epochs
from ._batches import ArrayTargets, ClassTargets
from ._constraints import CLASSIFIER_CONSTRAINTS
from ._losses import LogisticCrossEntropy, SoftmaxCrossEntropy


class FNNClassifier(ClassifierMixin, BaseFNN):
    """Feedforward neural network classifier."""

    _parameter_constraints = CLASSIFIER_CONSTRAINTS

    def __init__(
        self,
        hidden_layer_sizes=(100,),
        activation="relu",
        *,
        solver="sgd",
        batch_size="auto",
        shuffle=True,
        learning_rate_init="auto",
        learning_rate="constant",
        power_t=0.5,
        momentum=0.0,
        nesterovs_momentum=True,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-8,
        alpha=0.0,
        max_iter=200,
        tol=1e-4,
        n_iter_no_change=10,
        early_stopping=False,
        validation_fraction=None,
        scoring=None,
        class_weight=None,
        dtype="auto",
        max_fun=15000,
        warm_start=False,
        random_state=None,
        verbose=False,
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.learning_rate_init = learning_rate_init
        self.learning_rate = learning_rate
        self.power_t = power_t
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.alpha = alpha
        self.max_iter = max_iter
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.scoring = scoring
        self.class_weight = class_weight
        self.dtype = dtype
        self.max_fun = max_fun
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X,
        y,
        sample_weight=None,
        *,
        X_val=None,
        y_val=None,
        sample_weight_val=None,
        coefs_init=None,
        intercepts_init=None,
    ):
        """Train the network on (X, y)."""
        with self._all_or_nothing():
            return self._fit(
                X,
                y,
                sample_weight,
                incremental=False,
                coefs_init=coefs_init,
                intercepts_init=intercepts_init,
                X_val=X_val,
                y_val=y_val,
                sample_weight_val=sample_weight_val,
            )

    @available_if(has_epochs)
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(
        self, X, y, sample_weight=None, classes=None, *, X_val=None, y_val=None, sample_weight_val=None
    ):
        """Train for one epoch on (X, y), going on from where training stopped."""
        with self._all_or_nothing():
            return self._fit(
                X,
                y,
                sample_weight,
                incremental=True,
                classes=classes,
                X_val=X_val,
                y_val=y_val,
                sample_weight_val=sample_weight_val,
            )

    def predict(self, X):
        """Predict the class of each row."""
        raw = self._raw_outputs(X)
        if self._multilabel:
            return (raw > 0).astype(int)
        return self.classes_[_codes(raw)]

    def predict_proba(self, X):
        """Predict the probability of each class."""
        raw = self._raw_outputs(X)
        if self._is_binary():
            raw = np.hstack([-raw, raw])
        self._loss.activate(raw)
        return raw

    def predict_log_proba(self, X):
        """Predict the logarithm of the probability of each class."""
        probabilities = self.predict_proba(X)
        with np.errstate(divide="ignore"):
            return np.log(probabilities, out=probabilities)

    def decision_function(self, X):
        """The output layer before its activation."""
        raw = self._raw_outputs(X)
        return raw[:, 0] if self._is_binary() else raw

    def _is_binary(self):
        return not self._multilabel and len(self.classes_) == 2

    # What the base class asks for

    def _encode(self, y, fresh, incremental, classes):
        kind = type_of_target(y, input_name="y")
        if kind not in ("binary", "multiclass", "multilabel-indicator"):
            raise ValueError(
                f"Unknown label type: {kind}. y must hold class labels (or be a multilabel indicator matrix of 0 and 1); "
                "for continuous targets use a regressor."
            )
        multilabel = kind == "multilabel-indicator"
        if not multilabel:
            y = column_or_1d(y, warn=True)
        if fresh:
            self._multilabel = multilabel
            self.classes_ = self._find_classes(y, incremental, classes)
        else:
            self._check_classes(y, incremental, classes)
        loss = SoftmaxCrossEntropy() if not multilabel and len(self.classes_) > 2 else LogisticCrossEntropy()
        return self._targets(y), loss

    def _find_classes(self, y, incremental, classes):
        """The classes to learn."""
        if self._multilabel:
            return np.arange(y.shape[1])
        if incremental and classes is None:
            raise ValueError("classes must be passed on the first call to partial_fit.")
        found = np.unique(y if classes is None else column_or_1d(classes))
        if len(found) < 2:
            raise ValueError(f"The number of classes has to be greater than one; got {len(found)} class")
        return found

    def _check_classes(self, y, incremental, classes):
        """Raise where y or `classes` are not what the model was trained on."""
        if self._multilabel != (y.ndim == 2):
            raise ValueError("y must be a multilabel indicator matrix in every call, or in none.")
        if classes is not None and not np.array_equal(self.classes_, np.unique(classes)):
            raise ValueError(
                f"classes={classes!r} is not the same as on the first call to partial_fit, was: {self.classes_!r}"
            )
        if not (self._multilabel or incremental) and not np.array_equal(self.classes_, np.unique(y)):
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the previous call to fit. "
                f"Previously got {self.classes_}, `y` has {np.unique(y)}"
            )

    def _encode_validation(self, y):
        if self._multilabel != (y.ndim == 2 and y.shape[1] > 1):
            raise ValueError("y_val must be a multilabel indicator matrix where y is, and only there.")
        return self._targets(y if self._multilabel else column_or_1d(y, warn=True))

    def _targets(self, y):
        """The targets of checked labels."""
        if self._multilabel:
            if y.shape[1] != len(self.classes_):
                raise ValueError(f"y has {y.shape[1]} labels (columns), but the model has {len(self.classes_)}.")
            return ArrayTargets((y.toarray() if hasattr(y, "toarray") else y) != 0)
        unknown = np.setdiff1d(y, self.classes_)
        if unknown.size:
            raise ValueError(
                f"`y` has classes not in `self.classes_`. `self.classes_` has {self.classes_}. 'y' also has {unknown}."
            )
        codes = np.searchsorted(self.classes_, y)
        if len(self.classes_) == 2:
            return ArrayTargets(codes[:, None].astype(np.uint8))
        return ClassTargets(codes, len(self.classes_))

    def _row_weights(self, y, sample_weight):
        if self.class_weight is None:
            return sample_weight
        if self._multilabel:
            labels = y.toarray() if hasattr(y, "toarray") else y
            weights = compute_sample_weight(self.class_weight, labels)
            weights = weights if sample_weight is None else weights * sample_weight
        else:
            y = column_or_1d(y)
            present = np.unique(y) if self.class_weight == "balanced" else self.classes_
            # A class all of whose rows have weight 0 gets no weight.
            with np.errstate(divide="ignore"):
                per_class = compute_class_weight(self.class_weight, classes=present, y=y, sample_weight=sample_weight)
            per_class[np.isinf(per_class)] = 0.0
            weights = per_class[np.searchsorted(present, y)]
            weights = weights if sample_weight is None else weights * sample_weight
        if not (np.isfinite(weights).all() and (weights >= 0).all()):
            raise ValueError(f"class_weight must hold finite weights >= 0, got {self.class_weight!r}.")
        return weights

    def _strata(self, targets):
        if self._multilabel:
            return None
        return targets.codes if isinstance(targets, ClassTargets) else targets.values[:, 0]

    def _mean_score(self, raw, targets, weights):
        """Accuracy; for multilabel of whole rows, as ``accuracy_score`` has it."""
        if self._multilabel:
            right = ((raw > 0) == targets.values).all(axis=1)
        else:
            right = _codes(raw) == self._strata(targets)
        return float(np.average(right, weights=weights))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


def _codes(raw):
    """The number of the predicted class of every row of raw outputs (n, n_outputs)."""
    return raw.argmax(axis=1) if raw.shape[1] > 1 else (raw[:, 0] > 0).astype(np.intp)
