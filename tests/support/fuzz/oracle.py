"""The laws that must hold after every call."""

import copy
from dataclasses import fields, is_dataclass
from itertools import pairwise
from types import FunctionType

import numpy as np
from reference import raw_outputs
from scipy import sparse
from scipy.special import expit, softmax
from sklearn.exceptions import NotFittedError

from .matrices import Duck, dense, pd

HISTORY = ["epoch", "loss", "learning_rate", "validation_loss", "validation_score", "seconds"]


class Broken(Exception):
    """A law does not hold."""


def require(holds, law):
    """Raise an error if a law does not hold."""
    if not holds:
        raise Broken(law)


# Whether anything changed


def print_of(value):
    """A value that two objects share only if their numbers, types, shapes and flags are equal."""
    if isinstance(value, np.ma.MaskedArray):
        return "masked", print_of(value.data), print_of(np.ma.getmaskarray(value))
    if isinstance(value, np.ndarray):
        plain = np.asarray(value)
        content = [print_of(item) for item in plain.ravel().tolist()] if plain.dtype.hasobject else plain.tobytes()
        return type(value).__name__, value.dtype.str, value.shape, value.flags.writeable, content
    if sparse.issparse(value):
        # Other attributes only cache facts about the indices.
        if value.format in ("csr", "csc", "bsr"):
            parts = (value.data, value.indices, value.indptr)
        else:
            coo = value.tocoo()
            parts = (coo.data, *coo.coords) if hasattr(coo, "coords") else (coo.data, coo.row, coo.col)
        return type(value).__name__, value.shape, [print_of(part) for part in parts]
    if pd is not None and isinstance(value, (pd.DataFrame, pd.Series, pd.Index)):
        names = [print_of(list(value.columns))] if isinstance(value, pd.DataFrame) else []
        index = [] if isinstance(value, pd.Index) else [print_of(list(value.index))]
        return type(value).__name__, names, index, print_of(value.to_numpy(dtype=object))
    if isinstance(value, Duck):
        return print_of(value.array)
    if isinstance(value, dict):
        return [(print_of(key), print_of(item)) for key, item in value.items()]
    if isinstance(value, (list, tuple)):
        return type(value).__name__, [print_of(item) for item in value]
    if isinstance(value, (np.random.RandomState, np.random.Generator)):
        return type(value).__name__  # a failed fit may draw from it
    if isinstance(value, (FunctionType, type)):
        return value
    if hasattr(value, "to_plain"):
        return type(value).__name__, print_of(value.to_plain())  # the part that a saved model contains
    if is_dataclass(value):
        # A field that does not take part in comparisons is a cache.
        return type(value).__name__, [print_of(getattr(value, field.name)) for field in fields(value) if field.compare]
    if hasattr(value, "__dict__"):
        return type(value).__name__, print_of(vars(value))
    return type(value).__name__, repr(value)


def state(estimator):
    """Everything in an estimator, in a form that later changes do not affect."""
    getattr(estimator, "coefs_", None)  # applies to the model what a call wrote into coefs_
    return copy.deepcopy(_own(estimator))


def _own(estimator):
    """The attributes of an estimator, except the two that only show the parameters of its state."""
    return {name: value for name, value in vars(estimator).items() if name not in ("coefs_", "intercepts_")}


def require_unchanged(estimator, before, what):
    """Require that the estimator is exactly as it was when ``state`` was called."""
    now = _own(estimator)
    require(now.keys() == before.keys(), f"{what}: attributes appeared or vanished: {now.keys() ^ before.keys()}")
    for name in now:
        require(print_of(now[name]) == print_of(before[name]), f"{what}: the attribute {name} changed")


# A fitted model


def fitted_names(estimator):
    """The fitted attributes that an estimator has."""
    names = [*vars(estimator), "coefs_", "intercepts_"]
    return {name for name in names if name.endswith("_") and not name.startswith("_") and hasattr(estimator, name)}


def require_unfitted(estimator):
    """Require that there are no fitted attributes."""
    require(not fitted_names(estimator), f"an estimator that is not fitted has {fitted_names(estimator)}")


def require_fitted(estimator, n_features, hidden, problem, fresh, trained=True):
    """Require that every fitted attribute exists, is finite and has the right shape.

    `fresh` means that there was no model before. If `trained` is False, the call had nothing to do, and the present
    parameters of the estimator do not matter.
    """
    model, kind = estimator, problem.kind
    n_outputs = len(model.classes_) if kind == "multiclass" else 1 if kind == "binary" else problem.n_outputs
    sizes = [n_features, *hidden, n_outputs]
    require(model.n_features_in_ == sizes[0], "n_features_in_ is the number of columns")
    require(model.n_layers_ == len(sizes), "n_layers_ is the number of layers")
    require(model.n_outputs_ == n_outputs, "n_outputs_ is the number of outputs")
    require([c.shape for c in model.coefs_] == list(pairwise(sizes)), "shapes of coefs_")
    require([c.shape for c in model.intercepts_] == [(n,) for n in sizes[1:]], "shapes of intercepts_")
    dtypes = {"float32": [np.float32], "float64": [np.float64]}.get(
        model.dtype if fresh else "", [np.float32, np.float64]
    )
    require(np.isfinite(model._state.theta).all(), "the parameters are finite")
    representable = has_usual_scales(model)
    for array in model.coefs_ + model.intercepts_:
        require(array.dtype in dtypes, f"dtype={model.dtype} gives parameters of {array.dtype}")
        require(np.isfinite(array).all() or not representable, "the parameters are finite in the user's units")
    out = {"binary": "logistic", "multilabel": "logistic", "multiclass": "softmax"}.get(kind)
    out = out or ("exp" if model.loss == "poisson" else "identity")
    require(not trained or model.out_activation_ == out, f"out_activation_ is {out}")
    if problem.classes is not None:
        require(np.array_equal(model.classes_, np.unique(model.classes_)), "classes_ is sorted, each once")
    require_history(model)


def has_usual_scales(model):
    """Whether usual parameters of training stay within the range of float32 when converted to the user's units."""
    scales = [scale for scale in (model.feature_scale_, model.target_scale_) if scale is not None]
    return all(1e-20 < scale.min() and scale.max() < 1e20 for scale in scales)


def require_history(model):
    """Require that the history is complete and consistent."""
    history = model.history_
    require(list(history) == HISTORY, f"the keys of history_ are {list(history)}")
    lengths = {key: len(values) for key, values in history.items()}
    require(len(set(lengths.values())) == 1, f"the lists of history_ have lengths {lengths}")
    n = lengths["epoch"]
    require(n >= 1, "a fit records at least one epoch")
    require(history["epoch"] == list(range(1, n + 1)), "epochs are numbered from 1")
    require(len(model.loss_curve_) == n, "loss_curve_ has one entry per epoch")
    require(all(type(loss) is float and np.isfinite(loss) for loss in history["loss"]), "losses are finite floats")
    require(model.loss_ == history["loss"][-1], "loss_ is the last loss")
    require(type(model.n_iter_) is int and 1 <= model.n_iter_ <= n, "n_iter_ is a number of epochs")
    require(type(model.n_steps_) is int and model.n_steps_ >= 1, "n_steps_ is a number of iterations")
    require(type(model.t_) is int and model.t_ >= 1, "t_ is a number of rows")
    law = "either both validation curves exist or neither"
    require((model.validation_scores_ is None) == (model.validation_loss_curve_ is None), law)
    for curve in (model.validation_scores_, model.validation_loss_curve_):
        require(curve is None or len(curve) == n, "validation curves have one entry per epoch")
    for key in ("validation_loss", "validation_score"):
        require(all(v is None or type(v) is float for v in history[key]), f"{key}: floats, or None")
    losses = [loss for loss in history["validation_loss"] if loss is not None]
    require(not np.isnan(losses).any(), "validation losses are numbers")


# Predictions


def require_prediction(method, model, X, n, problem, result, activation=None):
    """Require the laws of predictions for X of n rows. With `activation`, the result must also equal the formulas."""
    if method == "predict" and problem.kind == "multilabel" and model._task.sparse_output:
        require(sparse.issparse(result), "predictions are sparse if the labels in training were")
        result = result.toarray()
    require(type(result) is np.ndarray, f"{method} returns an array, not {type(result)}")
    kind = problem.kind
    n_classes = len(model.classes_) if problem.classes is not None else None
    if method == "predict":
        many = kind in ("multilabel", "several targets")
        require(result.shape == ((n, problem.n_outputs) if many else (n,)), f"predict gives the shape {result.shape}")
        if kind == "multilabel":
            require(np.isin(result, [0, 1]).all(), "predicted labels are 0 and 1")
        elif n_classes:
            require(np.isin(result, model.classes_).all(), "predictions are among classes_")
            require(result.dtype == model.classes_.dtype, "predictions have the type of classes_")
    elif method == "decision_function":
        require(result.shape == ((n,) if kind == "binary" else (n, n_classes)), f"the shape is {result.shape}")
    else:
        require(result.shape == (n, n_classes), f"{method} gives the shape {result.shape}")
        if method == "predict_log_proba":
            require((result <= 0).all(), "logarithms of probabilities are not positive")
            result = np.exp(result)
        require((result >= 0).all() and (result <= 1).all(), "probabilities are from 0 to 1")
        if kind != "multilabel":
            # Sums of at most five float32 numbers.
            require(np.allclose(result.sum(axis=1), 1.0, rtol=0, atol=1e-5), "probabilities sum to 1")
    if result.dtype.kind == "f":
        require(np.isfinite(result).all(), f"{method} gives finite numbers")
    if activation is not None:
        X = dense(X).astype(model.coefs_[0].dtype).astype(np.float64)
        z = raw_outputs(X, model.coefs_, model.intercepts_, activation)
        require_exact(method, model, z, problem, result)


def require_exact(method, model, z, problem, result):
    """Require that the result agrees with the raw outputs z of the formulas, up to rounding."""
    # A few hundred roundings of numbers as large as the largest one, and the float32 error in GELU's approximations.
    tolerance = (1e-9 if model.coefs_[0].dtype == np.float64 else 1e-3) * (1.0 + np.abs(z).max())
    if method == "predict":
        if problem.classes is None:
            expected = np.exp(z) if model.out_activation_ == "exp" else z
            tolerance *= np.abs(expected).max() if model.out_activation_ == "exp" else 1.0
            require(np.abs(result.reshape(z.shape) - expected).max() <= tolerance, "predict is the forward pass")
        elif problem.kind == "multilabel":
            require((result == (z > 0))[np.abs(z) > tolerance].all(), "predict is the sign of the raw outputs")
        else:
            columns = np.hstack([0 * z, z]) if problem.kind == "binary" else z
            chosen = np.searchsorted(model.classes_, result)
            best = columns.max(axis=1)
            require((best - columns[np.arange(len(z)), chosen] <= 2 * tolerance).all(), "predict is the largest output")
    elif method == "decision_function":
        require(np.abs(result.reshape(z.shape) - z).max() <= tolerance, "decision_function is the forward pass")
    else:
        p = softmax(np.hstack([0 * z, z]) if problem.kind == "binary" else z, axis=1)
        p = expit(z) if problem.kind == "multilabel" else p
        require(np.abs(result - p).max() <= 2 * tolerance, f"{method} is the softmax or logistic of the forward pass")


# Exceptions and warnings


def require_documented(error, method, further):
    """Require that an error is of a documented kind, or of a `further` kind that these values may cause."""
    kinds = (ValueError, TypeError, NotFittedError, *further)
    require(isinstance(error, kinds), f"{method} raised an undocumented {type(error).__name__}: {error}")
    require(str(error), f"{method} raised a {type(error).__name__} without a message")


def require_documented_warnings(caught, method, allowed):
    """Require that every warning is a UserWarning or of a subclass, for instance a ConvergenceWarning."""
    for warning in caught:
        text = f"{warning.category.__name__}: {warning.message}"
        fine = issubclass(warning.category, UserWarning) or any(part in text for part in allowed)
        # scikit-learn computes the score. It decides what to do with a y that is invalid or that it converts to whole
        # numbers.
        of_sklearn = "sklearn" in warning.filename
        fine = fine or (of_sklearn and (method == "score" or "invalid value encountered in cast" in text))
        # scikit-learn squares float32 predictions, which may overflow in a function of NumPy.
        fine = fine or (method == "score" and "numpy" in warning.filename and "overflow encountered in reduce" in text)
        require(fine, f"an undocumented warning, {text} ({warning.filename}:{warning.lineno})")
