"""The regressor."""

import numpy as np
from scipy.sparse import issparse
from sklearn.base import RegressorMixin, _fit_context
from sklearn.metrics import r2_score
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, column_or_1d

from ._engine.losses import PoissonDeviance, SquaredError
from ._engine.prediction import check_finite
from ._engine.targets import ArrayTargets
from ._estimator.base import BaseFNN, has_epochs
from ._estimator.constraints import REGRESSOR_CONSTRAINTS, with_valid_parameters
from ._estimator.docs import with_common_parts

LOSSES = {"squared_error": SquaredError, "poisson": PoissonDeviance}


@with_common_parts
class FNNRegressor(RegressorMixin, BaseFNN):
    """Feedforward neural network regressor.

    A multilayer perceptron trained by full-batch, stochastic or mini-batch gradient descent, with momentum, by Adam
    or by L-BFGS. With the defaults an iteration is the plain step ``W <- W - eta * mean(G)`` over a mini-batch,
    nothing added.

    The loss of a row is ``(z - y)^2 / 2``, summed over the outputs; with ``loss='poisson'`` half the Poisson deviance
    of a mean ``exp(z)``. The objective over a training set of B rows is ::

        R(W) = (1/B) * [ sum_b (w_b / mean(w)) * loss_b  +  alpha/2 * sum_l ||W_l||^2 ]

    with `w` the sample weight. Steps are proportional to the scale of y: standardise the targets as well as the
    features, for instance with :class:`sklearn.compose.TransformedTargetRegressor`.

    Parameters
    ----------
    <network and solver>
    loss : {'squared_error', 'poisson'}, default='squared_error'
        The loss. 'poisson' is for targets that are counts or frequencies, not negative.
    <end of training>
    validation_fraction : float or None, default=None
        The share of the training rows to hold out for validation, if `fit` is given no `X_val`. None holds out 0.1 with
        `early_stopping` and nothing without.
    scoring : str, callable or None, default=None
        What `validation_scores_` holds: None for R^2, 'loss' for minus the validation loss, or a scorer as in
        :func:`sklearn.metrics.check_scoring`.
    <other settings>

    Attributes
    ----------
    <attributes>

    See Also
    --------
    FNNClassifier : The classifier.
    sklearn.neural_network.MLPRegressor : The multilayer perceptron of scikit-learn.

    <references>

    Examples
    --------
    >>> from sklearn.compose import TransformedTargetRegressor
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.model_selection import train_test_split
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skfnn import FNNRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
    >>> net = FNNRegressor(32, learning_rate_init=0.05, early_stopping=True, random_state=0)
    >>> model = TransformedTargetRegressor(make_pipeline(StandardScaler(), net), transformer=StandardScaler())
    >>> model.fit(X_train, y_train).score(X_test, y_test) > 0.2
    True
    """

    _parameter_constraints = REGRESSOR_CONSTRAINTS
    # With the classifier's 0.1 training diverges even on standardised data: squared error is steeper than
    # cross-entropy, the more so the wider the last hidden layer is.
    _SGD_RATE = 0.002

    def __init__(
        self,
        hidden_layer_sizes=(100,),
        activation="relu",
        *,
        solver="sgd",
        batch_size="auto",
        shuffle=True,
        learning_rate_init="auto",
        learning_rate="constant",
        power_t=0.5,
        momentum=0.0,
        nesterovs_momentum=True,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-8,
        alpha=0.0,
        weight_decay=0.0,
        dropout=0.0,
        max_grad_norm=None,
        loss="squared_error",
        max_iter=200,
        tol=1e-4,
        n_iter_no_change=10,
        early_stopping=False,
        validation_fraction=None,
        scoring=None,
        dtype="auto",
        max_fun=15000,
        warm_start=False,
        random_state=None,
        verbose=False,
    ):
        super().__init__(
            hidden_layer_sizes,
            activation,
            solver=solver,
            batch_size=batch_size,
            shuffle=shuffle,
            learning_rate_init=learning_rate_init,
            learning_rate=learning_rate,
            power_t=power_t,
            momentum=momentum,
            nesterovs_momentum=nesterovs_momentum,
            beta_1=beta_1,
            beta_2=beta_2,
            epsilon=epsilon,
            alpha=alpha,
            weight_decay=weight_decay,
            dropout=dropout,
            max_grad_norm=max_grad_norm,
            max_iter=max_iter,
            tol=tol,
            n_iter_no_change=n_iter_no_change,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            scoring=scoring,
            dtype=dtype,
            max_fun=max_fun,
            warm_start=warm_start,
            random_state=random_state,
            verbose=verbose,
        )
        self.loss = loss

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X,
        y,
        sample_weight=None,
        *,
        X_val=None,
        y_val=None,
        sample_weight_val=None,
        coefs_init=None,
        intercepts_init=None,
    ):
        """Train the network on (X, y).

        When it raises, the estimator is left as it was before the call.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (B, n_features)
            The training rows; dense (also ``np.memmap``) or sparse. CSC is converted to CSR.
        y : array-like of shape (B,) or (B, n_outputs)
            The targets.
        sample_weight : array-like of shape (B,), default=None
            Weights of the rows, not negative; only their ratios matter.
        X_val, y_val : array-like, default=None
            A validation set, scored after every epoch. GridSearchCV and its like cut it into the folds of X if it has
            as many rows as X: give them one with another number of rows.
        sample_weight_val : array-like of shape (n_val,), default=None
            Weights of the validation rows.
        coefs_init : list of array-like of shape (fan_in, fan_out), default=None
            Initial weights of each layer, instead of random ones.
        intercepts_init : list of array-like of shape (fan_out,), default=None
            Initial biases of each layer, instead of zeros.

        Returns
        -------
        self : FNNRegressor
            The fitted estimator.

        Raises
        ------
        ValueError
            For parameters or data that cannot be used, and where training diverges: the loss or a weight is no longer
            finite at the end of an epoch.
        """
        validation = (X_val, y_val, sample_weight_val)
        with self._all_or_nothing():
            return self._fit(X, y, sample_weight, validation, coefs_init=coefs_init, intercepts_init=intercepts_init)

    @available_if(has_epochs)
    @with_valid_parameters
    def partial_fit(self, X, y, sample_weight=None, *, X_val=None, y_val=None, sample_weight_val=None):
        """Train for one epoch on (X, y), going on from where training stopped.

        Not available for ``solver='lbfgs'``. When it raises, the estimator is left as it was before the call.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (B, n_features)
            The rows of this call.
        y : array-like of shape (B,) or (B, n_outputs)
            Their targets.
        sample_weight : array-like of shape (B,), default=None
            Weights of the rows; only their ratios within this call matter.
        X_val, y_val : array-like, default=None
            A validation set, scored after the epoch; the weights with the best score are kept for `restore_best`.
        sample_weight_val : array-like of shape (n_val,), default=None
            Weights of the validation rows.

        Returns
        -------
        self : FNNRegressor
            The estimator, trained further.
        """
        with self._all_or_nothing():
            return self._fit(X, y, sample_weight, (X_val, y_val, sample_weight_val), incremental=True)

    def predict(self, X):
        """Predict the targets of each row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n, n_features)
            The rows.

        Returns
        -------
        y : ndarray of shape (n,) or (n, n_outputs)
            The predictions, in the precision of the model.

        Raises
        ------
        ValueError
            For rows that cannot be used, and where a prediction overflows.
        """
        check_is_fitted(self)
        values = self._raw_outputs(X, self._activate)
        return values[:, 0] if values.shape[1] == 1 else values

    def _activate(self, raw):
        """From raw outputs to predictions, in place."""
        self._loss.activate(raw)
        check_finite(raw)

    # What the base class asks for

    def _encode(self, y, fresh, incremental, classes):
        y = self._checked_targets(y)
        targets = ArrayTargets(y.reshape(len(y), -1))
        if not fresh and targets.n_outputs != self._network.sizes[-1]:
            raise ValueError(f"y has {targets.n_outputs} outputs, but the model has {self._network.sizes[-1]}.")
        return y, targets, LOSSES[self.loss]()

    def _encode_validation(self, y):
        y = self._checked_targets(y)
        targets = ArrayTargets(y.reshape(len(y), -1))
        expected = self._network.sizes[-1]
        if targets.n_outputs != expected:
            raise ValueError(f"y_val has {targets.n_outputs} outputs, but y has {expected}.")
        return targets

    def _checked_targets(self, y):
        """Targets as numbers: (n,), or (n, n_outputs) with more than one output."""
        if issparse(y):
            raise ValueError("y is sparse, but FNNRegressor needs a dense array: use y.toarray().")
        if y.dtype.kind == "O":
            try:
                y = y.astype(np.float64)
            except (TypeError, ValueError) as error:
                raise ValueError(f"y must hold numbers for FNNRegressor: {error}") from error
        if y.dtype.kind not in "fiub" or not np.isfinite(y).all():
            raise ValueError(f"y must hold finite numbers for FNNRegressor, got an array of type {y.dtype}.")
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        if self.loss == "poisson" and (y < 0).any():
            raise ValueError("loss='poisson' needs targets >= 0; y has negative ones.")
        return y

    def _advice(self, targets):
        if self.loss == "poisson":
            return ""
        values = targets.values.astype(np.float64)
        largest = float(np.abs(values).max())
        # Divided first: squares of targets above 1e154 overflow.
        scale = largest and largest * float(np.sqrt(np.mean(np.square(values / largest))))
        if scale <= 10.0:
            return ""
        return (
            f" The targets have a root mean square of {scale:.3g}: standardise them, for instance with "
            "TransformedTargetRegressor(..., transformer=StandardScaler())."
        )

    def _row_weights(self, y, sample_weight):
        return sample_weight

    def _strata(self, targets):
        return None

    def _mean_score(self, raw, targets, weights):
        self._loss.activate(raw)
        if not np.isfinite(raw).all():
            return np.nan
        with np.errstate(over="ignore", invalid="ignore"):  # squares of finite outputs
            return float(r2_score(targets.values, raw, sample_weight=weights))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.target_tags.positive_only = self.loss == "poisson"
        return tags
