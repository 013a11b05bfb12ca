"""The classifier."""

import numpy as np
from sklearn.base import ClassifierMixin, _fit_context
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from ._base import BaseFNN, has_epochs
from ._constraints import CLASSIFIER_CONSTRAINTS
from ._labels import Labels, checked_labels


class FNNClassifier(ClassifierMixin, BaseFNN):
    """Feedforward neural network classifier.

    A multilayer perceptron trained by full-batch, stochastic or mini-batch gradient descent, with momentum, by Adam
    or by L-BFGS. With the defaults an iteration is the plain step ``W <- W - eta * mean(G)`` over a mini-batch,
    nothing added.

    The loss is the cross-entropy: of a softmax for several classes, of one logistic unit for two, of one logistic
    unit a label for a multilabel indicator matrix. The objective over a training set of B rows is ::

        R(W) = (1/B) * [ sum_b (w_b / mean(w)) * loss_b  +  alpha/2 * sum_l ||W_l||^2 ]

    with `w` the sample weight times the class weight. The gradient of every mini-batch is an unbiased estimate of the
    gradient of `R`: the batch size moves the trade-off between cost and noise, and nothing else.

    Parameters
    ----------
    hidden_layer_sizes : int or array-like of int, default=(100,)
        The number of units in each hidden layer.
    activation : {'identity', 'logistic', 'tanh', 'relu', 'leaky_relu', 'elu', 'selu', 'gelu', 'silu', 'softplus'} or \
            list of them, default='relu'
        The activation of the hidden layers: one for all, or a list with one name for each.
    solver : {'sgd', 'adam', 'lbfgs'}, default='sgd'
        'sgd' is gradient descent, plain or with `momentum`; 'adam' is Adam [1]_; 'lbfgs' is L-BFGS [2]_ on the full
        batch, by :func:`scipy.optimize.minimize`.
    batch_size : 'auto', 'full' or int, default='auto'
        Rows in a mini-batch. ``1`` is stochastic gradient descent (SGD), 'full' is full-batch training, 'auto' is
        ``min(200, B)``. The last mini-batch of an epoch may be smaller; its mean is over its own rows. A number above
        B is clipped to B with a warning. Not used by 'lbfgs'.
    shuffle : bool, default=True
        Whether the rows are permuted anew at the start of every epoch. With ``batch_size=1, shuffle=False`` training is
        sample-level training in a fixed order.
    learning_rate_init : 'auto' or float, default='auto'
        The learning rate eta. 'auto' is ``0.1 * (1 - momentum)`` for 'sgd' and 0.001 for 'adam'.
    learning_rate : {'constant', 'invscaling', 'adaptive'}, default='constant'
        The schedule of eta, for 'sgd' and 'adam'. 'invscaling': ``learning_rate_init / (t + 1) ** power_t``, with t the
        rows gone through before the epoch. 'adaptive': divided by 5 each time that training stalls for
        `n_iter_no_change` epochs, until it is at most 1e-6; only then training stops.
    power_t : float, default=0.5
        The exponent of 'invscaling'.
    momentum : float, default=0.0
        The momentum of 'sgd', between 0 and 1.
    nesterovs_momentum : bool, default=True
        Whether momentum, if there is any, is Nesterov's.
    beta_1, beta_2 : float, default=0.9 and 0.999
        Adam's decay of the first and second moment, in [0, 1).
    epsilon : float, default=1e-8
        Adam's number for numerical stability.
    alpha : float, default=0.0
        The strength of the L2 term of the objective; biases are not penalised.
    max_iter : int, default=200
        The largest number of epochs; of iterations for 'lbfgs'.
    tol : float, default=1e-4
        What counts as an improvement of the training loss, or of the validation score with `early_stopping`. For
        'lbfgs' the largest entry of the gradient at which it stops.
    n_iter_no_change : int, default=10
        Training stops after more than so many consecutive epochs without an improvement by `tol`. With ``np.inf`` it
        goes on for `max_iter` epochs, and there is no warning that it did not converge.
    early_stopping : bool, default=False
        Whether to watch the validation score instead of the training loss, and to put the weights of the best epoch
        back in the end. In `partial_fit` nothing is held out and nothing put back.
    validation_fraction : float or None, default=None
        The share of the training rows to hold out for validation, if `fit` is given no `X_val`. None holds out 0.1 with
        `early_stopping` and nothing without. Stratified by class where the classes allow it.
    scoring : str, callable or None, default=None
        What `validation_scores_` holds: None for accuracy, 'loss' for minus the validation loss, or a scorer as in
        :func:`sklearn.metrics.check_scoring`.
    class_weight : dict, 'balanced', list of dict or None, default=None
        Weights of the classes, as in :func:`sklearn.utils.class_weight.compute_sample_weight`. With `partial_fit`,
        'balanced' is about the rows of that call.
    dtype : {'auto', 'float32', 'float64'}, default='auto'
        The precision of all arithmetic. 'auto' is ``np.result_type(X.dtype, np.float32)``: float32 for float32, bytes
        and short integers, float64 for the rest. Rows are cast a mini-batch at a time.
    max_fun : int, default=15000
        The largest number of loss evaluations of 'lbfgs'.
    warm_start : bool, default=False
        Whether `fit` goes on from the weights, the optimiser's state and the history of the last call.
    random_state : int, RandomState instance or None, default=None
        Determines initial weights, the order of rows and the rows held out. An int gives the same model in every run.
    verbose : bool, default=False
        Whether to print a line an epoch: losses, score, eta, seconds.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The class labels; the column numbers for multilabel.
    coefs_ : list of ndarray of shape (fan_in, fan_out)
        The weights of each layer. Writing into them changes what the model predicts.
    intercepts_ : list of ndarray of shape (fan_out,)
        The biases of each layer.
    n_iter_ : int
        Epochs of the last `fit`; or of all `partial_fit` calls.
    n_steps_ : int
        Iterations of gradient descent so far: epochs times ``ceil(B / batch_size)``.
    t_ : int
        Rows gone through so far.
    loss_, best_loss_ : float
        The training loss of the last epoch, and the smallest (None with `early_stopping`).
    loss_curve_ : list of float
        The training loss of each epoch: the mean over the rows of their loss when they were met, plus the L2 term at
        the start of the epoch. At full batch it is the objective.
    validation_loss_curve_ : list of float or None
        The mean validation loss after each epoch, without the L2 term.
    validation_scores_ : list of float or None
        The validation score after each epoch.
    best_validation_score_ : float or None
        The best of them.
    history_ : dict of list
        `epoch`, `loss`, `learning_rate`, `validation_loss`, `validation_score`, `seconds` (of training, without
        validation): one entry an epoch.
    learning_rate_init_ : float
        The eta that 'auto' became; not set by 'lbfgs'.
    n_layers_, n_outputs_ : int
        Layers, counting input and output; outputs.
    out_activation_ : str
        'softmax' or 'logistic'.
    n_features_in_ : int
        Features seen during `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, where X has names that are all strings.

    See Also
    --------
    sklearn.neural_network.MLPClassifier : The multilayer perceptron of scikit-learn.

    References
    ----------
    .. [1] Kingma and Ba (2015), "Adam: A method for stochastic optimization", :arxiv:`1412.6980`.
    .. [2] Liu and Nocedal (1989), "On the limited memory BFGS method for large scale optimization",
       Mathematical Programming 45.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.model_selection import train_test_split
    >>> from skfnn import FNNClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> X_train, X_test, y_train, y_test = train_test_split(X / 16, y, random_state=0)
    >>> clf = FNNClassifier(batch_size=10, max_iter=30, n_iter_no_change=float("inf"), random_state=0)
    >>> clf = clf.fit(X_train, y_train, X_val=X_test, y_val=y_test)
    >>> len(clf.validation_scores_)
    30
    >>> clf.predict(X_test[:5])
    array([2, 8, 2, 6, 6])
    >>> clf.score(X_test, y_test) > 0.95
    True
    """

    _parameter_constraints = CLASSIFIER_CONSTRAINTS

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
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.learning_rate_init = learning_rate_init
        self.learning_rate = learning_rate
        self.power_t = power_t
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.alpha = alpha
        self.max_iter = max_iter
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.scoring = scoring
        self.class_weight = class_weight
        self.dtype = dtype
        self.max_fun = max_fun
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

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
        y : array-like of shape (B,) or (B, n_labels)
            Class labels, or a multilabel indicator matrix.
        sample_weight : array-like of shape (B,), default=None
            Weights of the rows, not negative; only their ratios matter.
        X_val, y_val : array-like, default=None
            A validation set, scored after every epoch.
        sample_weight_val : array-like of shape (n_val,), default=None
            Weights of the validation rows.
        coefs_init : list of array-like of shape (fan_in, fan_out), default=None
            Initial weights of each layer, instead of random ones.
        intercepts_init : list of array-like of shape (fan_out,), default=None
            Initial biases of each layer, instead of zeros.

        Returns
        -------
        self : FNNClassifier
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
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y, sample_weight=None, classes=None, *, X_val=None, y_val=None, sample_weight_val=None):
        """Train for one epoch on (X, y), going on from where training stopped.

        Not available for ``solver='lbfgs'``. When it raises, the estimator is left as it was before the call.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (B, n_features)
            The rows of this call.
        y : array-like of shape (B,) or (B, n_labels)
            Their labels.
        sample_weight : array-like of shape (B,), default=None
            Weights of the rows; only their ratios within this call matter.
        classes : array-like of shape (n_classes,), default=None
            All classes that will ever be seen. Needed in the first call, but for multilabel.
        X_val, y_val : array-like, default=None
            A validation set, scored after the epoch.
        sample_weight_val : array-like of shape (n_val,), default=None
            Weights of the validation rows.

        Returns
        -------
        self : FNNClassifier
            The estimator, trained further.
        """
        validation = (X_val, y_val, sample_weight_val)
        with self._all_or_nothing():
            return self._fit(X, y, sample_weight, validation, incremental=True, classes=classes)

    def predict(self, X):
        """Predict the class of each row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n, n_features)
            The rows.

        Returns
        -------
        y : ndarray of shape (n,) or (n, n_labels)
            The classes; 0 and 1 for multilabel.
        """
        raw = self._raw_outputs(X)
        return self._labels.decode(raw)

    def predict_proba(self, X):
        """Predict the probability of each class.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n, n_features)
            The rows.

        Returns
        -------
        p : ndarray of shape (n, n_classes)
            Probabilities in the order of `classes_`; for multilabel each label's own.
        """
        check_is_fitted(self)
        if not self._labels.binary:
            return self._raw_outputs(X, self._loss.activate)
        raw = self._raw_outputs(X)
        raw = np.hstack([-raw, raw])
        self._loss.activate(raw)
        return raw

    def predict_log_proba(self, X):
        """Predict the logarithm of the probability of each class.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n, n_features)
            The rows.

        Returns
        -------
        log_p : ndarray of shape (n, n_classes)
            ``np.log(predict_proba(X))``.
        """
        probabilities = self.predict_proba(X)
        with np.errstate(divide="ignore"):
            return np.log(probabilities, out=probabilities)

    def decision_function(self, X):
        """The output layer before its activation.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n, n_features)
            The rows.

        Returns
        -------
        z : ndarray of shape (n,) for two classes, else (n, n_outputs)
            Raw outputs: the logit of the second class, logits up to a constant for several classes, a logit a label.
        """
        raw = self._raw_outputs(X)
        return raw[:, 0] if self._labels.binary else raw

    # What the base class asks for

    def _encode(self, y, fresh, incremental, classes):
        y = checked_labels(y)
        if fresh:
            if incremental and classes is None and y.ndim == 1:
                raise ValueError("classes must be passed on the first call to partial_fit.")
            self._labels = Labels.find(y, classes)
            self.classes_ = self._labels.classes
        else:
            self._labels.check_same(y, incremental, classes)
        return y, self._labels.targets(y), self._labels.loss

    def _encode_validation(self, y):
        return self._labels.targets(checked_labels(y))

    def _row_weights(self, y, sample_weight):
        return self._labels.row_weights(y, self.class_weight, sample_weight)

    def _strata(self, targets):
        return self._labels.strata(targets)

    def _mean_score(self, raw, targets, weights):
        return self._labels.accuracy(raw, targets, weights)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
