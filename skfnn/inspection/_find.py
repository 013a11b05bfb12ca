"""Finding the network in what a user passes."""

from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from .._base import BaseFNN

# Where a search and a TransformedTargetRegressor keep what they fitted.
FITTED_INSIDE = ("best_estimator_", "regressor_")


def network_and_rows(estimator, X):
    """The FNN estimator in a fitted estimator or pipeline, and X as it gets there."""
    if isinstance(estimator, Pipeline):
        if len(estimator) > 1:
            X = estimator[:-1].transform(X)
        return network_and_rows(estimator[-1], X)
    if isinstance(estimator, FrozenEstimator):
        return network_and_rows(estimator.estimator, X)
    if hasattr(estimator, "best_estimator_"):
        return network_and_rows(estimator.best_estimator_, X)
    if not isinstance(estimator, BaseFNN):
        raise TypeError(
            f"estimator must be a FNNClassifier, a FNNRegressor or a pipeline that ends in one, got {estimator!r}."
        )
    return estimator, X


def fitted_network(estimator):
    """The FNN estimator that a fitted estimator is, ends in (pipeline), or has chosen (search)."""
    inner = estimator
    while not isinstance(inner, BaseFNN):
        if isinstance(inner, Pipeline):
            inner = inner[-1]
        elif isinstance(inner, FrozenEstimator):
            inner = inner.estimator
        else:
            found = [getattr(inner, name) for name in FITTED_INSIDE if hasattr(inner, name)]
            if not found:
                raise TypeError(
                    "estimator must be a FNNClassifier, a FNNRegressor, a pipeline that ends in one, or a fitted "
                    f"search or TransformedTargetRegressor around one, got {estimator!r}."
                )
            inner = found[0]
    check_is_fitted(inner)
    return inner
