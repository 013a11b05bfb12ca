"""Going on with a training that was interrupted."""

from typing import Any

import numpy as np
from sklearn.base import _fit_context


class Resuming:
    """What an FNN estimator needs to go on as if its training had never been interrupted.

    At the border of an epoch the whole state is: parameters, the solver's state, progress, history, seed, and the
    parameters of the best epoch where they are kept. The last of these stand in ``_aside``: while training is under way
    as ("best", array); once the best ones have been put back, ("last", array) has those to go on with: of the last
    epoch where the training was interrupted, else None for the best ones.
    """

    _fit: Any
    _all_or_nothing: Any
    _theta: np.ndarray
    _aside: tuple[str, np.ndarray | None] | None = None

    @_fit_context(prefer_skip_nested_validation=True)
    def resume(self, X, y, sample_weight=None, *, X_val=None, y_val=None, sample_weight_val=None):
        """Train on until `max_iter` epochs have been done in total.

        This finishes a `fit` that was interrupted: by Ctrl-C, by a callback, or by the end of the process where
        :class:`skfnn.callbacks.Checkpoint` had saved it. With the same data, weights and parameters the model is, bit
        for bit, the one that the `fit` would have given; with ``solver='lbfgs'`` it is a model of the same quality, as
        L-BFGS begins a new approximation of the curvature. An estimator that is not fitted is trained from the start.
        Where training had come to its end nothing is done, unless `max_iter` or `n_iter_no_change` has been raised
        since; with `early_stopping` it then goes on from the best epoch's weights.

        When it raises, the estimator is left as it was before the call.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (B, n_features)
            The rows that were given to `fit`.
        y : array-like of shape (B,) or (B, n_outputs)
            Their targets.
        sample_weight : array-like of shape (B,), default=None
            Their weights.
        X_val, y_val : array-like, default=None
            The validation set that was given to `fit`. A set that `fit` held out is held out again.
        sample_weight_val : array-like of shape (n_val,), default=None
            Weights of the validation rows.

        Returns
        -------
        self : estimator
            The estimator, trained to the end.

        Raises
        ------
        ValueError
            For parameters or data that cannot be used, and where training diverges.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from skfnn import FNNClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> clf = FNNClassifier(max_iter=20, n_iter_no_change=float("inf"), random_state=0).fit(X, y)
        >>> clf.set_params(max_iter=50).resume(X, y).n_iter_
        50
        """
        validation = (X_val, y_val, sample_weight_val)
        with self._all_or_nothing():
            return self._fit(X, y, sample_weight, validation, resume=True)

    def _where_it_stood(self):
        """Copies of the parameters to go on with and of the best ones; None for these where they are not kept."""
        role, array = self._aside or ("best", None)
        if role == "last":
            return (self._theta if array is None else array).copy(), self._theta.copy()
        return self._theta.copy(), None if array is None else array.copy()

    def _aside_now(self):
        """A copy of what stands aside."""
        if self._aside is None or self._aside[1] is None:
            return self._aside
        return self._aside[0], self._aside[1].copy()
