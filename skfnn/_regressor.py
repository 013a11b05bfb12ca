"""The regressor, `FNNRegressor`."""

from dataclasses import replace

from sklearn.base import RegressorMixin, _fit_context
from sklearn.utils.validation import check_is_fitted

from ._engine.prediction import check_finite
from ._estimator.base import BaseFNN, SolverMethod
from ._estimator.call import FIT, PARTIAL_FIT
from ._estimator.constraints import REGRESSOR_CONSTRAINTS, with_valid_parameters
from ._estimator.data import Given
from ._estimator.docs import with_common_parts
from ._estimator.initial_values import InitialValues
from ._estimator.tasks import RealTargets, checked_targets
from ._estimator.validation import Validation


@with_common_parts
class FNNRegressor(RegressorMixin, BaseFNN):
    """Feedforward neural network regressor.

    A multilayer perceptron trained by full-batch, stochastic or mini-batch gradient
    descent, with or without momentum, or by Adam or L-BFGS. With the default
    parameters, an iteration is the plain step ``W <- W - eta * mean(G)`` over a
    mini-batch, and nothing else.

    The loss of a row is ``(z - y)^2 / 2``, summed over the outputs. With
    ``loss='poisson'`` it is half the Poisson deviance of a mean ``exp(z)``. The
    objective over a training set of B rows is ::

        R(W) = (1/B) * [ sum_b (w_b / mean(w)) * loss_b  +  alpha/2 * sum_l ||W_l||^2 ]

    Here `w` is the sample weight. With the default `standardize`, the unit of y has no
    effect: if y is multiplied by a number or shifted, so are the predictions.

    Parameters
    ----------
    <network and solver>
    loss : {'squared_error', 'poisson'}, default='squared_error'
        The loss. Use 'poisson' for counts or frequencies, which must not be negative.
    <end of training>
    validation_fraction : float or None, default=None
        The fraction of the training rows to hold out for validation if `fit` gets no
        `X_val`. None holds out 0.1 of the rows if `early_stopping` is True, and no rows
        otherwise.
    scoring : str, callable or None, default=None
        The score in `validation_scores_`: None for R^2, 'loss' for minus the validation
        loss, or a scorer as in :func:`sklearn.metrics.check_scoring`.
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
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.model_selection import train_test_split
    >>> from skfnn import FNNRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
    >>> reg = FNNRegressor(32, early_stopping=True, random_state=0)
    >>> round(reg.fit(X_train, y_train).score(X_test, y_test), 1)
    0.4
    """

    _parameter_constraints = REGRESSOR_CONSTRAINTS
    _task_from_plain = RealTargets

    def __init__(
        self,
        hidden_layer_sizes=(100,),
        activation="relu",
        *,
        solver="sgd",
        batch_size="auto",
        shuffle=True,
        learning_rate_init="auto",
        init="auto",
        standardize="auto",
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
            init=init,
            standardize=standardize,
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

        If `fit` raises an exception, the estimator stays as it was before the call.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (B, n_features)
            The training rows, dense (``np.memmap`` too) or sparse. CSC is converted to
            CSR.
        y : array-like of shape (B,) or (B, n_outputs)
            The targets.
        sample_weight : array-like of shape (B,), default=None
            Weights of the rows, at least 0. Only their ratios matter.
        X_val, y_val : array-like, default=None
            A validation set. It is scored after every epoch. GridSearchCV and similar
            tools split a validation set that has as many rows as X into the folds of X.
            Pass them a set with a different number of rows.
        sample_weight_val : array-like of shape (n_val,), default=None
            Weights of the validation rows.
        coefs_init : list of array-like of shape (fan_in, fan_out), default=None
            Initial weights of each layer. None draws them by the rule of `init`.
        intercepts_init : list of array-like of shape (fan_out,), default=None
            Initial biases of each layer. None draws them by the rule of `init`.

        Returns
        -------
        self : FNNRegressor
            The fitted estimator.

        Raises
        ------
        ValueError
            If parameters or data cannot be used. Also if training diverges: the loss or
            a weight is no longer finite at the end of an epoch, or the final training
            loss is far above that of the best constant prediction.
        """
        validation = Validation(X_val, y_val, sample_weight_val)
        return self._train(
            FIT, Given(X, y, sample_weight), validation, initial=InitialValues(coefs_init, intercepts_init)
        )

    @SolverMethod
    @with_valid_parameters
    def partial_fit(self, X, y, sample_weight=None, *, X_val=None, y_val=None, sample_weight_val=None):
        """Train for one epoch on (X, y), starting from the current weights.

        The first call starts from the initial weights. This method is not available
        with ``solver='lbfgs'``. If it raises an exception, the estimator stays as it
        was before the call.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (B, n_features)
            The training rows of this call.
        y : array-like of shape (B,) or (B, n_outputs)
            The targets of the rows.
        sample_weight : array-like of shape (B,), default=None
            Weights of the rows. Only their ratios within this call matter.
        X_val, y_val : array-like, default=None
            A validation set. It is scored after the epoch, and the weights with the
            best score are kept for `restore_best`.
        sample_weight_val : array-like of shape (n_val,), default=None
            Weights of the validation rows.

        Returns
        -------
        self : FNNRegressor
            The estimator after the epoch.
        """
        validation = Validation(X_val, y_val, sample_weight_val)
        return self._train(PARTIAL_FIT, Given(X, y, sample_weight), validation)

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
            If the rows cannot be used, or if a prediction overflows.
        """
        check_is_fitted(self)
        values = self._raw_outputs(X, self._activate)
        return values[:, 0] if values.shape[1] == 1 else values

    def _activate(self, raw):
        """Turn raw outputs into predictions, in place."""
        self._task.loss.activate(raw)
        check_finite(raw)

    def _task_for(self, y, known, call, classes):
        y = checked_targets(y, self.loss)
        task = known or RealTargets.find(y, self.loss)
        return (task if task.loss_name == self.loss else replace(task, loss_name=self.loss)), y

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.target_tags.positive_only = self.loss == "poisson"
        return tags
