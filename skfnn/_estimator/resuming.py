"""Going on with a training that was interrupted."""

from typing import Any

import numpy as np
from sklearn.base import _fit_context


class Resuming:
    """What an FNN estimator needs to go on as if its training had never been interrupted.

    At the border of an epoch the whole state is: parameters, the solver's state, progress, history, seed, and the
    parameters of the best epoch where they are kept. These are in ``_best_theta`` while training is under way; once
    they have been put back, it is None. Of a training that was interrupted ``_last_theta`` then has the parameters to
    go on with, where they are others. ``progress["kept_score"]`` is the score of the best ones, -inf without any.
    """

    _fit: Any
    _all_or_nothing: Any
    _theta: np.ndarray
    _best_theta: np.ndarray | None
    _last_theta: np.ndarray | None
    _progress: dict[str, Any]
    early_stopping: bool
    max_iter: int
    n_iter_no_change: float
    solver: str

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

    def _where_it_stood(self, incremental, resume):
        """Copies of the parameters to go on with, and of the best ones: None where `fit` begins or there are none."""
        theta, best = self._theta, self._best_theta
        if not (incremental or resume):
            return theta.copy(), None
        if best is None and self._progress["kept_score"] > -np.inf:
            best = theta
        if resume and self._last_theta is not None:
            theta = self._last_theta
        return theta.copy(), None if best is None else best.copy()

    def _is_over(self):
        """Whether the training has come to its end: all epochs are done, or it no longer improves."""
        stalls = self.early_stopping or self.solver != "lbfgs"
        progress = self._progress
        return progress["epoch"] >= self.max_iter or (stalls and progress["no_improvement"] > self.n_iter_no_change)

    def _best_now(self):
        """A copy of the best parameters so far; None where none are kept."""
        best = self._best_theta
        return best.copy() if best is not None and self._progress["kept_score"] > -np.inf else None
