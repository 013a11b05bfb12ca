"""The network inside the estimator that a user passes."""

from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from .._estimator.base import BaseFNN


def _inside(estimator):
    """What is inside an estimator: a pipeline's last step, a frozen estimator, a search's best model, or None."""
    if isinstance(estimator, Pipeline):
        return estimator[-1]
    if isinstance(estimator, FrozenEstimator):
        return estimator.estimator
    return getattr(estimator, "best_estimator_", None)


def network_and_rows(estimator, X):
    """The FNN estimator inside a fitted estimator, pipeline or search, and X after the steps before the network."""
    while not isinstance(estimator, BaseFNN):
        if isinstance(estimator, Pipeline) and len(estimator) > 1:
            X = estimator[:-1].transform(X)
        outer, estimator = estimator, _inside(estimator)
        if estimator is None:
            raise TypeError(
                f"estimator must be an FNNClassifier, an FNNRegressor or a pipeline that ends in one, got {outer!r}."
            )
    return estimator, X


def fitted_network(estimator):
    """The fitted FNN estimator: `estimator` itself, the last step of a pipeline, or the best model of a search."""
    inner = estimator
    while not isinstance(inner, BaseFNN):
        outer, inner = inner, _inside(inner)
        if inner is None:  # a TransformedTargetRegressor changes the targets, not the rows
            inner = getattr(outer, "regressor_", None)
        if inner is None:
            raise TypeError(
                "estimator must be an FNNClassifier, an FNNRegressor, a pipeline that ends in one, or a fitted "
                f"search or TransformedTargetRegressor around one, got {estimator!r}."
            )
    check_is_fitted(inner)
    return inner
