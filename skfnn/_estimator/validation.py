"""The validation set, given or held out, and its loss and score after every epoch."""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse
from sklearn.metrics import (
    brier_score_loss,
    check_scoring,
    d2_log_loss_score,
    log_loss,
    make_scorer,
    top_k_accuracy_score,
)
from sklearn.model_selection import train_test_split
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import _num_samples

from .._engine.prediction import Predictor
from .._training.monitor import no_validation
from .columns import PART, sample
from .data import check_weights, checked
from .exceptions import ScaleWarning
from .warnings import warn_user

# X_val is in other units than X if at least half of its features differ by this factor in spread, or by this many
# standard deviations in the mean.
OTHER_UNITS = 10.0


@dataclass
class ValidationSet:
    """The rows that are scored after every epoch.

    `X` (n, n_features) is checked and ready for the forward pass. Scorers get `X_given` and `y` as the user gave them.
    `targets` fills target arrays. `weights` (n,) or None are sample weights.
    """

    X: Any
    X_given: Any
    y: Any
    targets: Any
    weights: np.ndarray | None


def hold_out(n_rows, fraction, strata, weights, seed):
    """Draw a validation set from the rows whose weight is not 0; return its row numbers.

    The set is stratified by `strata` (n_rows,) if every class has enough rows for both sides.
    """
    rows = np.arange(n_rows) if weights is None else np.flatnonzero(weights)
    n_held = int(np.ceil(fraction * len(rows)))
    if n_held > len(rows) - 2:
        raise ValueError(
            f"A validation set of validation_fraction={fraction} leaves fewer than two training rows: n_samples = "
            f"{len(rows)} (with positive sample_weight). Pass X_val and y_val, or more rows."
        )
    if strata is None:
        return np.sort(train_test_split(rows, test_size=n_held, random_state=seed)[1])
    classes = strata[rows]
    counts = np.bincount(classes)
    counts = counts[counts > 0]
    has_room = counts.min() >= 2 and min(n_held, len(rows) - n_held) >= len(counts)
    held = train_test_split(rows, test_size=n_held, stratify=classes if has_room else None, random_state=seed)[1]
    return np.sort(_with_all_classes(held, rows, classes, seed))


def _with_all_classes(held, rows, classes, seed):
    """Exchange held-out rows so that every class with two or more rows is on both sides, if there is room.

    `classes` are the class numbers of `rows`. A row of each missing class replaces a row of the class that has the most
    rows on that side. The result is the new held-out rows.
    """
    rng, is_held = np.random.default_rng(seed), np.isin(rows, held)
    numbers = np.bincount(classes)
    several = np.flatnonzero(numbers >= 2)
    if min(is_held.sum(), (~is_held).sum()) < len(several):
        return held
    for side in (True, False):
        for missing in np.setdiff1d(several, classes[is_held == side]):
            here = is_held == side
            # The largest class gives up a row, or else a class of a single row, which cannot be on both sides anyway.
            most = np.where(numbers == 1, 1.5, 1.0) * np.bincount(classes[here], minlength=len(numbers))
            leaves = rng.choice(np.flatnonzero(here & (classes == most.argmax())))
            comes = rng.choice(np.flatnonzero(~here & (classes == missing)))
            is_held[leaves], is_held[comes] = not side, side
    return rows[is_held]


def mean_loss(loss, raw, targets, weights):
    """The weighted mean loss of rows with raw outputs `raw` (n, n_outputs); `raw` stays unchanged."""
    n, n_outputs = raw.shape
    # The rows form one block with one mini-batch.
    z, y, delta = np.empty((3, 1, n_outputs, n), raw.dtype)
    row = np.empty((1, n), raw.dtype)
    np.copyto(z[0], raw.T)
    targets.fill(slice(0, n), y)
    if weights is None:
        loss.write_delta(z[0].T, y[0].T, delta[0].T, row.T)
        return loss.value(z, y, row) / n
    cast = weights.astype(raw.dtype)[None]
    loss.write_delta(z[0].T, y[0].T, delta[0].T, row.T, cast.T)
    return loss.value(z, y, row, cast) / float(weights.sum())


class Split(NamedTuple):
    """The row numbers of the training set (None: all rows), and the ValidationSet or None."""

    rows: np.ndarray | None
    valid: ValidationSet | None


class Validation(NamedTuple):
    """The arguments of `fit` that describe a validation set."""

    X: Any = None
    y: Any = None
    weights: Any = None


def given_set(estimator, task, given, X_train):
    """Check the validation set that was given to an estimator's `fit`; return None if there is none.

    Its units are compared with those of `X_train`, unless that is None.
    """
    X_val, y_val, weights = given
    if X_val is None and y_val is None:
        if weights is not None:
            raise ValueError("sample_weight_val was given without X_val and y_val.")
        return None
    if X_val is None or y_val is None:
        raise ValueError("X_val and y_val must be given together; got only one of them.")
    n_rows, n_targets = _num_samples(X_val), _num_samples(y_val)
    if n_rows != n_targets:
        raise ValueError(
            f"X_val and y_val have inconsistent numbers of rows: {n_rows} and {n_targets}. Note that GridSearchCV and "
            "similar tools cut every argument of fit that has as many rows as X into the folds of X: give such a "
            "search a validation set with another number of rows than X."
        )
    try:
        X, y = checked(estimator, X_val, y_val, reset=False)
        targets = task.exact_targets(y)
    except ValueError as error:
        raise ValueError(f"The validation set (X_val, y_val) does not match the training data: {error}") from error
    if X_train is not None:
        _compare_scales(X_train, X)
    if weights is not None:
        weights = check_weights("sample_weight_val", weights, X)
    return ValidationSet(X, X_val, y, targets, weights)


def _compare_scales(X, X_val):
    """Warn if validation rows are in other units than training rows: a pipeline's scaler may not have seen them."""
    if min(X.shape[0], X_val.shape[0]) < 10 or sparse.issparse(X) != sparse.issparse(X_val):
        return
    if _sparse_scales_differ(X, X_val) if sparse.issparse(X) else _scales_differ(sample(X), sample(X_val)):
        warn_user(
            "X_val is scaled differently from X. A pipeline does not apply the steps before the network to X_val: "
            "create it with transform_input=['X_val'] and metadata routing enabled, or transform X_val yourself.",
            ScaleWarning,
        )


def _scales_differ(train, valid):
    """Whether the mean or spread of at least half of the features differs by more than OTHER_UNITS."""
    live = ~(train.constant | valid.constant)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        shifted = np.abs(valid.mean - train.mean) > OTHER_UNITS * train.std
        scaled = np.abs(np.log(valid.std / train.std)) > np.log(OTHER_UNITS)
    return bool(live.any()) and np.mean((shifted | scaled)[live]) >= 0.5


def _sparse_scales_differ(X, X_val):
    """Whether the sizes of all values differ by more than OTHER_UNITS; a single feature may have too few values."""
    train, valid = (np.abs(values[:: 1 + len(values) // PART]).astype(float) for values in (X.data, X_val.data))
    if not (train.any() and valid.any()):
        return False
    ratio = np.log(np.median(valid[valid > 0])) - np.log(np.median(train[train > 0]))
    return abs(ratio) > np.log(OTHER_UNITS)


def held_out(data, task, settings, seed):
    """Hold a validation set out of the training rows if the settings ask for it."""
    fraction = settings.validation_fraction
    if not fraction:  # None, or the 0 that some scripts for MLPClassifier pass
        if not (settings.early_stopping and settings.has_epochs):
            return Split(None, None)
        fraction = 0.1
    X, weights = data.X, data.sample_weight
    held = hold_out(X.shape[0], fraction, task.strata(data.targets), weights, seed)
    rows = np.setdiff1d(np.arange(X.shape[0]), held)
    # A custom scorer gets the rows in the user's own form, for instance a frame with feature names. Sparse rows come
    # from the checked X, because not every sparse format can be indexed by rows.
    as_checked = settings.scoring in (None, "loss") or sparse.issparse(X)
    X_scored = X[held] if as_checked else _safe_indexing(data.given.X, held)
    weights = None if weights is None else weights[held]
    return Split(rows, ValidationSet(X[held], X_scored, data.y[held], data.targets.subset(held), weights))


def validator(estimator, task, state, valid, capacity):
    """The function that returns the loss and the score of the model in training on the validation set."""
    if valid is None:
        return no_validation
    predictor = Predictor(state.network, state.theta, valid.X, capacity, state.coordinates)
    scoring, loss_function = estimator.scoring, task.loss
    scorer = None if scoring in (None, "loss") else _scorer(scoring, estimator, valid.y)
    scorer_weights = {} if valid.weights is None else {"sample_weight": valid.weights}

    def validate():
        raw = predictor.raw_outputs()
        finite = bool(np.isfinite(raw).all())
        loss = mean_loss(loss_function, raw, valid.targets, valid.weights) if finite else math.inf
        if scoring == "loss":
            return loss, -loss
        if scorer is None:
            return loss, task.score(raw, valid.targets, valid.weights) if finite else math.nan
        return loss, _score(scoring, scorer, estimator, valid.X_given, valid.y, scorer_weights)

    return validate


# Metrics that need all classes as `labels` if some classes do not occur in the validation set.
_WITH_LABELS: dict[str, dict[str, Any]] = {
    "neg_log_loss": {"score_func": log_loss, "greater_is_better": False, "response_method": "predict_proba"},
    "d2_log_loss_score": {"score_func": d2_log_loss_score, "response_method": "predict_proba"},
    "neg_brier_score": {
        "score_func": brier_score_loss,
        "greater_is_better": False,
        "response_method": "predict_proba",
    },
    "top_k_accuracy": {
        "score_func": top_k_accuracy_score,
        "response_method": ("decision_function", "predict_proba"),
    },
}


def _scorer(scoring, estimator, y):
    """The scorer that `scoring` names, for validation labels y."""
    if isinstance(scoring, str) and scoring in _WITH_LABELS and len(_missing_classes(estimator, y)):
        return make_scorer(**_WITH_LABELS[scoring], labels=estimator.classes_)
    return check_scoring(estimator, scoring)


def _missing_classes(estimator, y):
    """The classes that do not occur among validation labels y."""
    return np.setdiff1d(getattr(estimator, "classes_", []), y) if np.ndim(y) == 1 else np.array([])


def _score(scoring, scorer, estimator, X, y, weights):
    """The score that a scorer gives the model in training, as a float."""
    is_function = callable(scoring) and not type(scoring).__module__.startswith("sklearn.")
    try:
        score = scorer(estimator, X, y, **weights)
    except ValueError as error:
        missing = _missing_classes(estimator, y)
        if is_function or not len(missing):
            raise
        raise ValueError(
            f"scoring={scoring!r} cannot score the validation set, which lacks the classes {missing}: {error}. Pass an "
            "X_val with all classes, or choose scoring='loss'."
        ) from error
    except AttributeError as error:
        if callable(scoring):
            raise
        # The scorer needs a method that the estimator lacks, such as the probabilities of a regressor.
        raise ValueError(f"scoring={scoring!r} cannot score a {type(estimator).__name__}: {error}") from error
    try:
        return float(score)
    except (TypeError, ValueError) as error:
        raise ValueError(f"scoring={scoring!r} must give one number, got {score!r}.") from error
