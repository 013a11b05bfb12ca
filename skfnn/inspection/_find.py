"""Finding the network in what a user passes."""

from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from .._estimator.base import BaseFNN


def _inside(estimator):
    """What a pipeline ends in, a frozen estimator holds or a fitted search has chosen; None for anything else."""
    if isinstance(estimator, Pipeline):
        return estimator[-1]
    if isinstance(estimator, FrozenEstimator):
        return estimator.estimator
    return getattr(estimator, "best_estimator_", None)


def network_and_rows(estimator, X):
    """The FNN estimator in a fitted estimator, pipeline or search, and X as it gets there."""
    while not isinstance(estimator, BaseFNN):
        if isinstance(estimator, Pipeline) and len(estimator) > 1:
            X = estimator[:-1].transform(X)
        outer, estimator = estimator, _inside(estimator)
        if estimator is None:
            raise TypeError(
                f"estimator must be a FNNClassifier, a FNNRegressor or a pipeline that ends in one, got {outer!r}."
            )
    return estimator, X


def fitted_network(estimator):
    """The FNN estimator that a fitted estimator is, ends in (pipeline), or has chosen (search)."""
    inner = estimator
    while not isinstance(inner, BaseFNN):
        outer, inner = inner, _inside(inner)
        if inner is None:  # a TransformedTargetRegressor has no other rows, only other targets
            inner = getattr(outer, "regressor_", None)
        if inner is None:
            raise TypeError(
                "estimator must be a FNNClassifier, a FNNRegressor, a pipeline that ends in one, or a fitted "
                f"search or TransformedTargetRegressor around one, got {estimator!r}."
            )
    check_is_fitted(inner)
    return inner
