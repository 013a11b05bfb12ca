"""The classifier, `FNNClassifier`."""

from dataclasses import replace

import numpy as np
from scipy.sparse import issparse
from sklearn.base import ClassifierMixin, _fit_context
from sklearn.utils.validation import check_is_fitted

from ._engine.prediction import check_finite
from ._estimator.base import BaseFNN, SolverMethod
from ._estimator.call import FIT, PARTIAL_FIT
from ._estimator.constraints import CLASSIFIER_CONSTRAINTS, with_valid_parameters
from ._estimator.data import Given
from ._estimator.docs import with_common_parts
from ._estimator.initial_values import InitialValues
from ._estimator.tasks import Labels, checked_classes, checked_labels
from ._estimator.validation import Validation


@with_common_parts
class FNNClassifier(ClassifierMixin, BaseFNN):
    """Feedforward neural network classifier.

    A multilayer perceptron trained by full-batch, stochastic or mini-batch gradient
    descent, with or without momentum, or by Adam or L-BFGS. With the default
    parameters, an iteration is the plain step ``W <- W - eta * mean(G)`` over a
    mini-batch, and nothing else.

    The loss is the cross-entropy. Multiclass problems use a softmax output, binary
    problems one logistic unit, and multilabel problems one logistic unit per label. The
    objective over a training set of B rows is ::

        R(W) = (1/B) * [ sum_b (w_b / mean(w)) * loss_b  +  alpha/2 * sum_l ||W_l||^2 ]

    Here `w` is the sample weight times the class weight. The gradient of every
    mini-batch is an unbiased estimate of the gradient of `R`. The batch size therefore
    changes only the trade-off between the cost and the noise of a step.

    Parameters
    ----------
    <network and solver>
    label_smoothing : float, default=0.0
        The fraction of every training target that is spread evenly over the classes.
        The targets become ``(1 - label_smoothing) * y + label_smoothing / n_classes``
        [9]_. Each logistic unit counts as two classes, 0 and 1, in binary and in
        multilabel problems. Validation losses use the exact labels.
    <end of training>
    validation_fraction : float or None, default=None
        The fraction of the training rows to hold out for validation if `fit` gets no
        `X_val`. None holds out 0.1 of the rows if `early_stopping` is True, and no rows
        otherwise. The split is stratified by class if the classes allow it.
    scoring : str, callable or None, default=None
        The score in `validation_scores_`: None for accuracy, 'loss' for minus the
        validation loss, or a scorer as in :func:`sklearn.metrics.check_scoring`.
    class_weight : dict, 'balanced', list of dict or None, default=None
        Weights of the classes, as in
        :func:`sklearn.utils.class_weight.compute_sample_weight`. In `partial_fit`,
        'balanced' balances the rows of that call.
    <other settings>

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The class labels. For a multilabel problem, the column numbers.
    <attributes>

    See Also
    --------
    sklearn.neural_network.MLPClassifier : The multilayer perceptron of scikit-learn.

    <references>
    .. [9] Szegedy, Vanhoucke, Ioffe, Shlens and Wojna (2016), "Rethinking the Inception
       architecture for computer vision", :arxiv:`1512.00567`.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.model_selection import train_test_split
    >>> from skfnn import FNNClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> X_train, X_test, y_train, y_test = train_test_split(X / 16, y, random_state=0)
    >>> clf = FNNClassifier(
    ...     batch_size=10, max_iter=30, n_iter_no_change=None, random_state=0
    ... )
    >>> clf = clf.fit(X_train, y_train, X_val=X_test, y_val=y_test)
    >>> len(clf.validation_scores_)
    30
    >>> clf.predict(X_test[:5])
    array([2, 8, 2, 6, 6])
    >>> round(clf.score(X_test, y_test), 2)
    0.97
    """

    _parameter_constraints = CLASSIFIER_CONSTRAINTS
    _task_from_plain = Labels

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
        label_smoothing=0.0,
        max_iter=200,
        tol=1e-4,
        n_iter_no_change=10,
        early_stopping=False,
        validation_fraction=None,
        scoring=None,
        class_weight=None,
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
        self.label_smoothing = label_smoothing
        self.class_weight = class_weight

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
        y : array-like of shape (B,) or (B, n_labels)
            Class labels, or a multilabel indicator matrix.
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
        self : FNNClassifier
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
    def partial_fit(self, X, y, sample_weight=None, classes=None, *, X_val=None, y_val=None, sample_weight_val=None):
        """Train for one epoch on (X, y), starting from the current weights.

        The first call starts from the initial weights. This method is not available
        with ``solver='lbfgs'``. If it raises an exception, the estimator stays as it
        was before the call.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (B, n_features)
            The training rows of this call.
        y : array-like of shape (B,) or (B, n_labels)
            The labels of the rows.
        sample_weight : array-like of shape (B,), default=None
            Weights of the rows. Only their ratios within this call matter.
        classes : array-like of shape (n_classes,), default=None
            All classes that any call will contain. The first call needs them, except
            for a multilabel problem.
        X_val, y_val : array-like, default=None
            A validation set. It is scored after the epoch, and the weights with the
            best score are kept for `restore_best`.
        sample_weight_val : array-like of shape (n_val,), default=None
            Weights of the validation rows.

        Returns
        -------
        self : FNNClassifier
            The estimator after the epoch.
        """
        validation = Validation(X_val, y_val, sample_weight_val)
        return self._train(PARTIAL_FIT, Given(X, y, sample_weight), validation, classes=classes)

    def predict(self, X):
        """Predict the class of each row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n, n_features)
            The rows.

        Returns
        -------
        y : {ndarray, sparse matrix} of shape (n,) or (n, n_labels)
            The predicted classes. For a multilabel problem, zeros and ones, in a sparse
            matrix if y was sparse in the last training call.

        Raises
        ------
        ValueError
            If the rows cannot be used, or if an output overflows.
        """
        check_is_fitted(self)
        return self._task.decode(self._raw_outputs(X, check_finite))

    def predict_proba(self, X):
        """Predict the probability of each class.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n, n_features)
            The rows.

        Returns
        -------
        p : ndarray of shape (n, n_classes)
            The probabilities in the order of `classes_`. For a multilabel problem, the
            probability of each label by itself.

        Raises
        ------
        ValueError
            If the rows cannot be used, or if an output overflows.
        """
        check_is_fitted(self)
        return self._activated(X, self._task.loss.activate)

    def predict_log_proba(self, X):
        """Predict the logarithm of the probability of each class.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n, n_features)
            The rows.

        Returns
        -------
        log_p : ndarray of shape (n, n_classes)
            The logarithm of `predict_proba`, computed from the raw outputs. It is exact
            even if a probability is too small for a floating point number.

        Raises
        ------
        ValueError
            If the rows cannot be used, or if an output overflows.
        """
        check_is_fitted(self)
        return self._activated(X, self._task.loss.log_activate)

    def decision_function(self, X):
        """Compute the output layer before its activation.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n, n_features)
            The rows.

        Returns
        -------
        z : ndarray of shape (n,) for two classes, else (n, n_outputs)
            The raw outputs. For two classes, the logit of the second class. For more
            classes, the logits up to a constant. For a multilabel problem, one logit
            per label.

        Raises
        ------
        ValueError
            If the rows cannot be used, or if an output overflows.
        """
        check_is_fitted(self)
        raw = self._raw_outputs(X, check_finite)
        return raw[:, 0] if self._task.binary else raw

    def score(self, X, y, sample_weight=None):
        """Compute the accuracy of the predictions.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n, n_features)
            The rows.
        y : array-like of shape (n,) or (n, n_labels)
            The true labels of the rows. For a multilabel problem, zeros and ones.
        sample_weight : array-like of shape (n,), default=None
            Weights of the rows.

        Returns
        -------
        score : float
            The fraction of correct rows. A multilabel row needs all labels correct.

        Raises
        ------
        ValueError
            If the rows or the labels cannot be used.
        """
        check_is_fitted(self)
        if self._task.multilabel:
            checked_labels(y)
        return super().score(X, y, sample_weight)

    def _activated(self, X, activate):
        """The raw outputs, one column for each class, after ``activate``, which works in place."""

        def checked(raw):
            check_finite(raw)
            activate(raw)

        raw = self._raw_outputs(X, check_finite if self._task.binary else checked)
        if self._task.binary:
            activate(raw := np.hstack([-raw, raw]))
        return raw

    def _task_for(self, y, known, call, classes):
        is_sparse, y, classes = issparse(y), checked_labels(y), checked_classes(classes)
        if known is None:
            if call.one_epoch and classes is None and y.ndim == 1:
                raise ValueError("classes must be passed on the first call to partial_fit.")
            known = Labels.find(y, classes)
        else:
            known.check_same(y, call, classes)
        settings = {"smoothing": self.label_smoothing, "class_weight": self.class_weight}
        return replace(known, sparse_output=is_sparse, **settings), y

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
