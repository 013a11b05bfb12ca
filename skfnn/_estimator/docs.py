"""The parts of the docstrings that the classifier and the regressor have in common."""

import inspect
import textwrap

PARTS = {
    "<network and solver>": """\
    hidden_layer_sizes : int or array-like of int, default=(100,)
        The number of units in each hidden layer. An empty list is a linear model.
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
        The learning rate eta. 'auto' is 0.001 for 'adam'; for 'sgd' it is ``0.1 * (1 - momentum)`` in classification
        and ``0.002 * (1 - momentum)`` in regression, whose loss is steeper.
    learning_rate : {'constant', 'invscaling', 'adaptive', 'cosine'} or callable, default='constant'
        The schedule of eta, for 'sgd' and 'adam'. 'invscaling': ``learning_rate_init / (t + 1) ** power_t``, with t the
        rows gone through before the epoch. 'adaptive': divided by 5 each time that training stalls for
        `n_iter_no_change` epochs, until it is at most 1e-6; only then training stops. What is watched is the median of
        the last three epochs, and after a change of eta it is measured anew: one lucky epoch lowers nothing. 'cosine':
        ``learning_rate_init / 2 * (1 + cos(pi * e / max_iter))`` in epoch e = 0, 1, ... [3]_. A function of the number
        of the iteration (0, 1, ...) returns the eta of every single one; `learning_rate_init` is not used then.
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
    weight_decay : float, default=0.0
        Decoupled weight decay of 'adam' (AdamW [4]_): an iteration also multiplies the weights, not the biases, by
        ``1 - eta * weight_decay``. Other solvers do not use it.
    dropout : float, default=0.0
        The probability of leaving out a hidden unit in an iteration of training [5]_, in [0, 1). The units kept count
        ``1 / (1 - dropout)`` times, so that nothing has to be scaled at prediction. Not for 'lbfgs'.
    max_grad_norm : float or None, default=None
        The largest Euclidean norm that the mean gradient of a mini-batch's loss may have, over all parameters together;
        a longer one is scaled down to it [6]_. The L2 term and weight decay come after it. Not for 'lbfgs'.
""",
    "<end of training>": """\
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
""",
    "<other settings>": """\
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
""",
    "<attributes>": """\
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
        What turns raw outputs into predictions: 'softmax' or 'logistic'; 'identity' or 'exp' for regression.
    n_features_in_ : int
        Features seen during `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, where X has names that are all strings.
""",
    "<references>": """\
    References
    ----------
    .. [1] Kingma and Ba (2015), "Adam: A method for stochastic optimization", :arxiv:`1412.6980`.
    .. [2] Liu and Nocedal (1989), "On the limited memory BFGS method for large scale optimization",
       Mathematical Programming 45.
    .. [3] Loshchilov and Hutter (2017), "SGDR: Stochastic gradient descent with warm restarts", :arxiv:`1608.03983`.
    .. [4] Loshchilov and Hutter (2019), "Decoupled weight decay regularization", :arxiv:`1711.05101`.
    .. [5] Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov (2014), "Dropout: A simple way to prevent neural
       networks from overfitting", Journal of Machine Learning Research 15.
    .. [6] Pascanu, Mikolov and Bengio (2013), "On the difficulty of training recurrent neural networks",
       :arxiv:`1211.5063`.
""",
}


def with_common_parts(cls):
    """Fill the common parts into the docstring of an estimator."""
    if cls.__doc__ is not None:  # python -OO has none
        doc = inspect.cleandoc(cls.__doc__)  # as Python 3.13 has it from the start
        for mark, text in PARTS.items():
            doc = doc.replace(mark, textwrap.dedent(text).rstrip())
        cls.__doc__ = doc + "\n"
    return cls
