"""Networks whose predictions are averaged.

Their batch size, epochs and learning rate suit the number of rows. Each network leaves out some rows, on which it is
validated.
"""

import warnings
from functools import partial
from itertools import cycle
from numbers import Integral, Real

import numpy as np
from joblib import Parallel, delayed
from scipy.special import log_softmax, logsumexp
from sklearn import get_config
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, RegressorMixin, _fit_context, clone
from sklearn.utils import _safe_indexing, check_random_state, get_tags
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.validation import _num_samples, check_consistent_length, check_is_fitted

from .._classifier import FNNClassifier
from .._estimator.constraints import CONSTRAINTS
from .._estimator.doc_links import DocumentationLink
from .._estimator.docs import with_common_parts
from .._estimator.exceptions import NotConvergedWarning
from .._estimator.tasks import checked_labels
from .._regressor import FNNRegressor
from ._docs import PARTS
from ._folds import best_temperature, make_folds
from ._settings import PATIENCE, by_rows

_Interval = type(CONSTRAINTS["alpha"][0])
_Strings = type(CONSTRAINTS["init"][0])
_MAX_SEED = np.iinfo(np.int32).max
# The parameters of the networks that the average sets.
_OWN = ("max_iter", "batch_size", "learning_rate_init", "random_state")
_with_common_parts = partial(with_common_parts, parts=PARTS)


class _Averaged(DocumentationLink, MetaEstimatorMixin, BaseEstimator):
    """The networks, and how they are trained."""

    _kind: str  # the key of the rules for the number of rows

    _parameter_constraints = {  # noqa: RUF012  (scikit-learn's form)
        "n_nets": [_Interval(Integral, 1, None, closed="left")],
        "n_folds": [_Interval(Integral, 2, None, closed="left"), None],
        "max_iter": [_Interval(Integral, 1, None, closed="left"), _Strings({"auto"})],
        "batch_size": [_Interval(Integral, 1, None, closed="left"), _Strings({"auto", "full"})],
        "learning_rate_init": [_Interval(Real, 0, None, closed="neither"), _Strings({"auto"})],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator,
        n_nets=1,
        *,
        n_folds=None,
        max_iter="auto",
        batch_size="auto",
        learning_rate_init="auto",
        n_jobs=None,
        random_state=None,
    ):
        self.estimator = estimator
        self.n_nets = n_nets
        self.n_folds = n_folds
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.n_jobs = n_jobs
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, **params):
        """Train the networks on (X, y); `params` are parameters of their `fit`."""
        self._check_network()
        if get_config()["enable_metadata_routing"]:
            params = process_routing(self, "fit", **params).estimator.fit
        rng = check_random_state(self.random_state)
        seeds = [rng.randint(_MAX_SEED) for _ in range(self.n_nets)]
        folds = self._folds(X, y, params, rng)
        rows = by_rows(
            self._kind,
            self._rows_to_train_on(X) if folds is None else _num_samples(X) - len(folds[0]),
            batch_size=self.batch_size,
            max_iter=self.max_iter,
            learning_rate_init=self.learning_rate_init,
        )
        nets = [clone(self.estimator).set_params(**rows, random_state=seed) for seed in seeds]
        # If there are more networks than folds, several networks leave out the same rows.
        parts = list(zip(nets, cycle(folds or [None]), strict=False))
        nets = Parallel(n_jobs=self.n_jobs)(delayed(_fitted)(net, X, y, params, fold) for net, fold in parts)
        left_out = None if folds is None else [(net, fold) for net, (_, fold) in zip(nets, parts, strict=True)]
        self._calibrate(left_out, X, y, params.get("sample_weight"))
        self.nets_ = nets
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(self.nets_[0], name):
                setattr(self, name, getattr(self.nets_[0], name))
            elif hasattr(self, name):
                delattr(self, name)
        return self

    @property
    def n_iter_(self):
        """The largest number of epochs of a network."""
        check_is_fitted(self)
        return max(net.n_iter_ for net in self.nets_)

    def _check_network(self):
        """Raise if the network has a value of its own for a parameter that the average sets."""
        default = type(self.estimator)()
        for name in _OWN:
            value = getattr(self.estimator, name)
            if value != getattr(default, name):
                raise ValueError(
                    f"{name}={value!r} of the network would have no effect: set {name} of "
                    f"{type(self).__name__} instead. In a tabular pipeline that is net__{name}."
                )

    def _folds(self, X, y, params, rng):
        """The rows that the networks leave out, by fold; None if they leave out no rows."""
        weights = params.get("sample_weight")
        check_consistent_length(X, y, weights)
        if self.n_folds is None or params.get("X_val") is not None or self.estimator.validation_fraction is not None:
            return None
        return make_folds(_num_samples(X), self._classes_to_spread(y), weights, self.n_folds, rng)

    def _classes_to_spread(self, y):
        """The labels (n,) of the classes of which every fold gets its share; None if `y` has no such classes."""
        return None

    def _calibrate(self, left_out, X, y, weights):
        """Adjust the mean to the rows left out: `left_out` has each network with its fold, None if there are none."""

    def _rows_to_train_on(self, X):
        """The number of rows that are not held out for validation."""
        fraction = self.estimator.validation_fraction
        if fraction is None:
            fraction = 0.1 if self.estimator.early_stopping else 0.0
        return max(1, int(_num_samples(X) * (1.0 - fraction)))

    def _mean(self, method, X):
        """The mean of what a method of every network returns."""
        check_is_fitted(self)
        total = np.asarray(getattr(self.nets_[0], method)(X), dtype=np.float64)
        for net in self.nets_[1:]:
            total = total + getattr(net, method)(X)
        return total / len(self.nets_)

    def get_metadata_routing(self):
        """Return the metadata routing: what `fit` gets goes to the networks."""
        mapping = MethodMapping().add(caller="fit", callee="fit")
        return MetadataRouter(owner=type(self).__name__).add(estimator=self.estimator, method_mapping=mapping)

    def __sklearn_tags__(self):
        tags, inner = super().__sklearn_tags__(), get_tags(self.estimator)
        tags.input_tags, tags.target_tags = inner.input_tags, inner.target_tags
        tags.classifier_tags, tags.regressor_tags = inner.classifier_tags, inner.regressor_tags
        return tags


@_with_common_parts
class AveragedFNNClassifier(ClassifierMixin, _Averaged):
    """The mean probabilities of networks that differ in their random numbers only.

    <parameters of an average>
    """

    _parameter_constraints = _Averaged._parameter_constraints | {"estimator": [FNNClassifier]}
    _kind = "classification"
    _doc_page = "skfnn.tabular.make_tabular_classifier"

    def _classes_to_spread(self, y):
        labels = checked_labels(y)
        return labels if labels.ndim == 1 else None

    def _calibrate(self, left_out, X, y, weights):
        self.temperature_ = 1.0 if left_out is None else _temperature(left_out, X, y, weights)

    @property
    def classes_(self):
        """The class labels."""
        check_is_fitted(self)
        return self.nets_[0].classes_

    def predict_proba(self, X):
        """Return the mean of the networks' probabilities, at the temperature."""
        check_is_fitted(self)
        if self.temperature_ != 1.0:
            return np.exp(self.predict_log_proba(X))
        p = self._mean("predict_proba", X)
        # The networks' rows sum to 1 with the precision of float32, which scorers find too coarse for float64.
        return p if self.nets_[0]._task.multilabel else p / p.sum(axis=1, keepdims=True)

    def predict_log_proba(self, X):
        """Return the logarithm of `predict_proba`, without underflow."""
        check_is_fitted(self)
        log_p = logsumexp([net.predict_log_proba(X) for net in self.nets_], axis=0) - np.log(len(self.nets_))
        if self.temperature_ == 1.0:
            return log_p
        if self.nets_[0]._task.multilabel:
            return log_softmax(_both(log_p) / self.temperature_, axis=-1)[..., 1]
        return log_softmax(log_p / self.temperature_, axis=-1)

    def predict(self, X):
        """Return the classes with the largest mean probability; of a multilabel problem, the labels above 1/2."""
        p = self.predict_proba(X)
        if self.nets_[0]._task.multilabel:
            return (p > 0.5).astype(int)
        return self.classes_[p.argmax(axis=1)]


@_with_common_parts
class AveragedFNNRegressor(RegressorMixin, _Averaged):
    """The mean predictions of networks that differ in their random numbers only.

    <parameters of an average>
    """

    _parameter_constraints = _Averaged._parameter_constraints | {"estimator": [FNNRegressor]}
    _kind = "regression"
    _doc_page = "skfnn.tabular.make_tabular_regressor"

    def predict(self, X):
        """Return the mean of the networks' predictions."""
        return self._mean("predict", X)


def _fitted(net, X, y, params, fold):
    """Train a network on all rows, or on the rows outside a fold; then keep the weights with the best score on it."""
    if fold is None:
        return net.fit(X, y, **params)
    patience = PATIENCE if net.n_iter_no_change is None else net.n_iter_no_change
    net.set_params(early_stopping=True, scoring=net.scoring or "loss", n_iter_no_change=patience)
    rest = np.delete(np.arange(_num_samples(X)), fold)
    validation = {"X_val": _safe_indexing(X, fold), "y_val": _safe_indexing(y, fold)}
    weights = params.get("sample_weight")
    if weights is not None:
        validation["sample_weight_val"] = _safe_indexing(weights, fold)
        params = params | {"sample_weight": _safe_indexing(weights, rest)}
    with warnings.catch_warnings():
        # The learning rate falls to 0 at max_iter, so it is no fault to get there.
        warnings.simplefilter("ignore", NotConvergedWarning)
        return net.fit(_safe_indexing(X, rest), _safe_indexing(y, rest), **params | validation)


def _temperature(left_out, X, y, weights):
    """The temperature for the probabilities of networks; `left_out` has each network with its fold."""
    log_p, codes = [], []
    for net, fold in left_out:
        found, labels = net.predict_log_proba(_safe_indexing(X, fold)), checked_labels(_safe_indexing(y, fold))
        if net._task.multilabel:
            log_p.append(_both(found).reshape(-1, 2))
            codes.append(labels.ravel())
        else:
            log_p.append(found)
            codes.append(np.searchsorted(net.classes_, labels))
    if weights is not None:
        repeats = log_p[0].shape[0] // len(left_out[0][1])  # the number of labels of a row
        weights = np.concatenate([np.repeat(_safe_indexing(weights, fold), repeats) for _, fold in left_out])
    return best_temperature(np.concatenate(log_p), np.concatenate(codes), weights)


def _both(log_p):
    """The logarithms of 1 - p and of p, (..., 2)."""
    with np.errstate(divide="ignore"):
        return np.stack([np.log1p(-np.exp(np.minimum(log_p, 0.0))), log_p], axis=-1)
