"""Networks whose predictions are averaged, and whose batch size, epochs and learning rate suit the number of rows."""

from numbers import Integral, Real

import numpy as np
from joblib import Parallel, delayed
from scipy.special import logsumexp
from sklearn import get_config
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, RegressorMixin, _fit_context, clone
from sklearn.utils import check_random_state, get_tags
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.validation import _num_samples, check_is_fitted

from .._classifier import FNNClassifier
from .._estimator.constraints import CONSTRAINTS
from .._regressor import FNNRegressor
from ._settings import by_rows

_Interval = type(CONSTRAINTS["alpha"][0])
_Strings = type(CONSTRAINTS["init"][0])
_MAX_SEED = np.iinfo(np.int32).max
# The parameters of the networks that the average sets.
_OWN = ("max_iter", "batch_size", "learning_rate_init", "random_state")


class _Averaged(MetaEstimatorMixin, BaseEstimator):
    """The networks, and how they are trained."""

    _kind: str  # the key of the rules for the number of rows

    _parameter_constraints = {  # noqa: RUF012  (scikit-learn's form)
        "n_nets": [_Interval(Integral, 1, None, closed="left")],
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
        max_iter="auto",
        batch_size="auto",
        learning_rate_init="auto",
        n_jobs=None,
        random_state=None,
    ):
        self.estimator = estimator
        self.n_nets = n_nets
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
        rows = by_rows(
            self._kind,
            self._rows_to_train_on(X),
            batch_size=self.batch_size,
            max_iter=self.max_iter,
            learning_rate_init=self.learning_rate_init,
        )
        rng = check_random_state(self.random_state)
        nets = [
            clone(self.estimator).set_params(**rows, random_state=rng.randint(_MAX_SEED)) for _ in range(self.n_nets)
        ]
        self.nets_ = Parallel(n_jobs=self.n_jobs)(delayed(_fitted)(net, X, y, params) for net in nets)
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


class AveragedFNNClassifier(ClassifierMixin, _Averaged):
    """The mean probabilities of networks that differ in their random numbers only."""

    _parameter_constraints = _Averaged._parameter_constraints | {"estimator": [FNNClassifier]}
    _kind = "classification"

    @property
    def classes_(self):
        """The class labels."""
        check_is_fitted(self)
        return self.nets_[0].classes_

    def predict_proba(self, X):
        """Return the mean of the networks' probabilities."""
        p = self._mean("predict_proba", X)
        # The networks' rows sum to 1 with the precision of float32, which scorers find too coarse for float64.
        return p if self.nets_[0]._task.multilabel else p / p.sum(axis=1, keepdims=True)

    def predict_log_proba(self, X):
        """Return the logarithm of the mean probabilities, without underflow."""
        check_is_fitted(self)
        return logsumexp([net.predict_log_proba(X) for net in self.nets_], axis=0) - np.log(len(self.nets_))

    def predict(self, X):
        """Return the classes with the largest mean probability; of a multilabel problem, the labels above 1/2."""
        p = self.predict_proba(X)
        if self.nets_[0]._task.multilabel:
            return (p > 0.5).astype(int)
        return self.classes_[p.argmax(axis=1)]


class AveragedFNNRegressor(RegressorMixin, _Averaged):
    """The mean predictions of networks that differ in their random numbers only."""

    _parameter_constraints = _Averaged._parameter_constraints | {"estimator": [FNNRegressor]}
    _kind = "regression"

    def predict(self, X):
        """Return the mean of the networks' predictions."""
        return self._mean("predict", X)


def _fitted(net, X, y, params):
    return net.fit(X, y, **params)
