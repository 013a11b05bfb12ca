"""The fitted model: its weights, and the forward pass for rows that a user passes."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .._engine.network import Network
from .._engine.prediction import Predictor
from .._engine.tuning import DEFAULT
from .data import checked, is_finite
from .version import VersionedState


class FittedNetwork(VersionedState):
    """What an FNN estimator can do once it has parameters."""

    _tuning = DEFAULT  # the sizes of blocks; tests replace it
    _network: Network
    _theta: np.ndarray
    _best_theta: np.ndarray | None

    def __sklearn_is_fitted__(self):
        return hasattr(self, "_theta")

    @property
    def coefs_(self):
        """The weights of every layer, (fan_in, fan_out): views of the parameters."""
        return [layer[:-1] for layer in self._fitted_layers()]

    @property
    def intercepts_(self):
        """The biases of every layer, (fan_out,): views of the parameters."""
        return [layer[-1] for layer in self._fitted_layers()]

    def _fitted_layers(self):
        if not hasattr(self, "_theta"):
            raise AttributeError(f"This {type(self).__name__} is not fitted yet: call fit first.")
        return self._network.layers(self._theta)

    def restore_best(self):
        """Put back the weights of the `partial_fit` call with the best validation score.

        `partial_fit` keeps them wherever it is given a validation set. (`fit` needs no such call: with
        ``early_stopping=True`` it restores the best weights itself.) Only the weights go back; the history and the
        optimiser's state stay, and a further `partial_fit` goes on from the restored weights.

        Returns
        -------
        self : estimator
            The estimator, with the best weights.

        Raises
        ------
        ValueError
            Where no call of `partial_fit` was given `X_val` and `y_val`.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from skfnn import FNNClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> clf = FNNClassifier(random_state=0)
        >>> for _ in range(20):
        ...     clf = clf.partial_fit(X[::2], y[::2], classes=[0, 1, 2], X_val=X[1::2], y_val=y[1::2])
        >>> bool(clf.restore_best().score(X[1::2], y[1::2]) == clf.best_validation_score_)
        True
        """
        check_is_fitted(self)
        if self._best_theta is None:
            raise ValueError("There are no best weights to restore: call partial_fit with X_val and y_val first.")
        self._theta = self._best_theta.copy()
        return self

    def _predictor(self, X):
        """The forward pass for the rows of X, which is checked here."""
        check_is_fitted(self)
        if not self._is_ready(X):
            X = checked(self, X, reset=False)
        return Predictor(self._network, self._theta, X, self._capacity(X))

    def _capacity(self, X):
        """The number of rows of X that are worked on at once."""
        return self._tuning.rows_at_once(self._network, X, self._theta.dtype)

    def _raw_outputs(self, X, activate=None):
        """The output layer before its activation, or after it, (n, n_outputs)."""
        return self._predictor(X).raw_outputs(activate)

    def _is_ready(self, X):
        """Whether X is an array that validation would let pass as it is; for one row validation is the larger work.

        Anything in doubt is left to scikit-learn's validation and its messages.
        """
        return (
            is_finite(X)
            and X.ndim == 2
            and X.shape[0] > 0
            and X.shape[1] == self.n_features_in_
            and not hasattr(self, "feature_names_in_")
        )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
