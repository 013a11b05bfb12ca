"""The outputs of hidden layers."""

from numbers import Integral

from sklearn.utils.validation import check_is_fitted

from ._find import network_and_rows


def hidden_activations(estimator, X, layer=-1):
    """Return the output of a hidden layer.

    Parameters
    ----------
    estimator : FNNClassifier, FNNRegressor or Pipeline
        A fitted estimator, or a fitted pipeline that ends in one. The other steps of a
        pipeline transform the rows first.
    X : {array-like, sparse matrix} of shape (n, n_features)
        The rows.
    layer : int, default=-1
        The number of the hidden layer, counted from 0. -1 is the last one.

    Returns
    -------
    activations : ndarray of shape (n, n_units)
        The output of the layer after its activation, in the precision of the model.

    Raises
    ------
    ValueError
        If the network has no such hidden layer.
    TypeError
        If `estimator` is none of the types above.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skfnn import FNNClassifier
    >>> from skfnn.inspection import hidden_activations
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = FNNClassifier(
    ...     (20, 5), max_iter=5, n_iter_no_change=None, random_state=0
    ... )
    >>> hidden_activations(clf.fit(X, y), X).shape
    (150, 5)
    >>> hidden_activations(clf, X, layer=0).shape
    (150, 20)
    """
    model, X = network_and_rows(estimator, X)
    check_is_fitted(model)
    n_hidden = len(model._state.network.sizes) - 2
    if not isinstance(layer, Integral) or isinstance(layer, bool) or not -n_hidden <= int(layer) < n_hidden:
        if not n_hidden:
            raise ValueError("This network has no hidden layer.")
        raise ValueError(
            f"layer must be a whole number from {-n_hidden} to {n_hidden - 1} for a network with {n_hidden} hidden "
            f"layer(s), got {layer!r}."
        )
    return model._predictor(X).hidden(int(layer) % n_hidden)
