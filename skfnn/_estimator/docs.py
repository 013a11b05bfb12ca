"""The docstring parts that the classifier and the regressor share."""

import inspect
import textwrap

PARTS = {
    "<network and solver>": """\
    hidden_layer_sizes : int or array-like of int, default=(100,)
        The number of units in each hidden layer. An empty list gives a linear model.
    activation : str or list of str, default='relu'
        The activation of the hidden layers: 'identity', 'logistic', 'tanh', 'relu',
        'leaky_relu', 'elu', 'selu', 'gelu', 'silu' or 'softplus'. Pass one name for all
        hidden layers, or a list with one name per hidden layer.
    solver : {'sgd', 'adam', 'lbfgs'}, default='sgd'
        'sgd' is gradient descent, with or without `momentum`. 'adam' is Adam [1]_.
        'lbfgs' is L-BFGS [2]_ on the full batch, run by
        :func:`scipy.optimize.minimize`.
    batch_size : 'auto', 'full' or int, default='auto'
        The number of rows in a mini-batch. ``1`` is stochastic gradient descent (SGD),
        'full' is full-batch training, and 'auto' is ``min(200, B)``. The last
        mini-batch of an epoch may be smaller; its gradient is the mean over its own
        rows. A number above B is reduced to B with a warning. 'lbfgs' does not use it.
    shuffle : bool, default=True
        Whether to draw a new order of the rows at the start of every epoch.
        ``batch_size=1, shuffle=False`` is sample-level training in a fixed order.
    learning_rate_init : 'auto' or float, default='auto'
        The learning rate eta. 'auto' chooses it for the solver, the momentum, the batch
        size, the loss, and the depth and width of the network, with constants that were
        measured on real tables. At batch size 200, with one hidden layer of 100 units,
        eta is 0.2 for 'sgd' in classification, 0.05 for 'sgd' in regression, and 0.001
        for 'adam'. If `fit` diverges with 'auto', or if its first epochs end above the
        loss of the best constant prediction, training starts again from the same initial
        values with a smaller eta, three times at most. `learning_rate_init_` is the eta
        used.
    init : {'auto', 'glorot', 'he', 'lecun'}, default='auto'
        The rule for the initial weights and biases, which are drawn uniformly within
        bounds. 'glorot' uses the bounds of
        :class:`~sklearn.neural_network.MLPClassifier` [7]_, 'he' uses He's bound with
        zero biases [8]_, and 'lecun' uses the bounds of PyTorch, ``1 / sqrt(fan_in)``.
        'auto' uses LeCun's bound in the first layer. Behind it, 'auto' uses He's bound
        for units like ReLU, and Glorot's for other units and the outputs. The biases of
        'auto' are within ``1 / sqrt(fan_in)`` in all layers.
    standardize : {'auto', True, False}, default='auto'
        The coordinates of training. The fitted network itself is always in the units of
        X and y, so prediction needs no scaler.

        - True: training sees ``(x - mean) / std`` for each feature, and for squared
          error ``(y - mean) / std`` for each target. Sparse features are divided, but
          not shifted. No training value becomes larger than 20.
        - False: training sees the numbers as they are.
        - 'auto': targets of squared error are standardised. Features are standardised
          if they would not train well as they are, for instance raw columns of a table;
          the bytes of an image get one common scale. Features of order one stay as they
          are.

        The first `fit` or the first `partial_fit` decides. `tol`, `alpha` and
        `max_grad_norm` act in the coordinates of training.
    learning_rate : str or callable, default='constant'
        The schedule of eta for 'sgd' and 'adam': a name or a function.

        - 'constant': `learning_rate_init` in every epoch.
        - 'invscaling': ``learning_rate_init / (t + 1) ** power_t``, with t the number
          of rows seen before the epoch.
        - 'adaptive': eta is divided by 5 each time training stalls for
          `n_iter_no_change` epochs. Training stops at the first stall with an eta of at
          most 1e-6. The schedule compares the median of the last three epochs, so one
          lucky epoch does not make the later ones look like a stall. After each change
          of eta, the comparison starts again from that median.
        - 'cosine': ``learning_rate_init / 2 * (1 + cos(pi * e / max_iter))`` in epoch e
          = 0, 1, ... [3]_.
        - A function of the iteration's number (0, 1, ...) returns the eta of that
          iteration. `learning_rate_init` is then not used.
    power_t : float, default=0.5
        The exponent of 'invscaling'.
    momentum : float, default=0.0
        The momentum of 'sgd', between 0 and 1.
    nesterovs_momentum : bool, default=True
        Whether to use Nesterov's momentum if `momentum` is above 0.
    beta_1 : float, default=0.9
        Adam's decay rate of the first moment, in [0, 1).
    beta_2 : float, default=0.999
        Adam's decay rate of the second moment, in [0, 1).
    epsilon : float, default=1e-8
        Adam's constant for numerical stability.
    alpha : float, default=0.0
        The strength of the L2 term of the objective. Biases are not penalised.
    weight_decay : float, default=0.0
        Decoupled weight decay of 'adam' (AdamW [4]_). Every iteration also multiplies
        the weights, but not the biases, by ``1 - eta * weight_decay``. The other
        solvers do not use it.
    dropout : float, default=0.0
        The probability, in [0, 1), of dropping a hidden unit in a training iteration
        [5]_. The output of the other units is multiplied by ``1 / (1 - dropout)``, so
        predictions need no scaling. Not for 'lbfgs'.
    max_grad_norm : float or None, default=None
        The largest Euclidean norm that the mean gradient of a mini-batch's loss may
        have, over all parameters together. A longer gradient is scaled down to this
        norm [6]_. The L2 term and weight decay are applied after the scaling. Not for
        'lbfgs'.
""",
    "<end of training>": """\
    max_iter : int, default=200
        The largest number of epochs. For 'lbfgs', the largest number of iterations.
    tol : float, default=1e-4
        The smallest decrease of the training loss that counts as an improvement. With
        `early_stopping`, the smallest increase of the validation score. 'lbfgs' stops
        if no entry of the gradient is larger than `tol`.
    n_iter_no_change : int or None, default=10
        Training stops after more than this number of consecutive epochs without an
        improvement by `tol`. With None it runs for `max_iter` epochs and does not
        warn that it has not converged. ``np.inf`` means the same as None, as in
        `MLPClassifier`.
    early_stopping : bool, default=False
        Whether to watch the validation score instead of the training loss, and to
        restore the weights of the best epoch at the end. `partial_fit` holds out no
        rows and restores no weights. With 'lbfgs' it only acts if `fit` gets `X_val`,
        or if `validation_fraction` is given.
""",
    "<other settings>": """\
    dtype : {'auto', 'float32', 'float64'}, default='auto'
        The precision of all arithmetic. 'auto' is
        ``np.result_type(X.dtype, np.float32)``: float32 for float32, bytes and short
        integers, and float64 for all other types. Rows are cast one mini-batch at a
        time.
    max_fun : int, default=15000
        The largest number of loss evaluations of 'lbfgs'.
    warm_start : bool, default=False
        Whether `fit` continues from the weights, the optimiser state and the history of
        the last call.
    random_state : int, RandomState instance or None, default=None
        Determines the initial weights, the order of the rows, and the rows that are
        held out. An int gives the same model in every run.
    verbose : bool, default=False
        Whether to print one line per epoch, with losses, score, eta and seconds.
""",
    "<attributes>": """\
    coefs_ : list of ndarray of shape (fan_in, fan_out)
        The weights of each layer, in the units of X and y. Writing into them changes
        what the model predicts: ``coefs_[0] = W``, ``coefs_[0] *= mask`` and
        ``coefs_ = [...]`` all do.
    intercepts_ : list of ndarray of shape (fan_out,)
        The biases of each layer, in the units of X and y.
    n_iter_ : int
        The number of epochs in the last `fit`, or in all `partial_fit` calls.
    n_steps_ : int
        The number of gradient descent iterations so far: epochs times
        ``ceil(B / batch_size)``.
    t_ : int
        The number of rows seen so far.
    loss_ : float
        The training loss of the last epoch, in the units of y.
    best_loss_ : float or None
        The smallest training loss of all epochs; None with `early_stopping`.
    loss_curve_ : list of float
        The training loss of each epoch: the mean of the rows' losses, each taken when
        training saw the row, plus the L2 term at the start of the epoch. At full batch
        it is the objective.
    validation_loss_curve_ : list of float or None
        The mean validation loss after each epoch, without the L2 term.
    validation_scores_ : list of float or None
        The validation score after each epoch.
    best_validation_score_ : float or None
        The best validation score of all epochs.
    history_ : dict of list
        One entry per epoch for `epoch`, `loss`, `learning_rate`, `validation_loss`,
        `validation_score` and `seconds`. The seconds are those of training, without
        validation.
    learning_rate_init_ : float
        The initial eta: `learning_rate_init`, or the number that 'auto' became. Not set
        by 'lbfgs'.
    n_layers_ : int
        The number of layers, including the input and the output layer.
    n_outputs_ : int
        The number of outputs.
    out_activation_ : str
        The function that turns raw outputs into predictions: 'softmax' or 'logistic';
        'identity' or 'exp' in regression.
    feature_mean_ : ndarray of shape (`n_features_in_`,) or None
        What training subtracted from each feature, or None.
    feature_scale_ : ndarray of shape (`n_features_in_`,) or None
        Training saw ``(x - feature_mean_) / feature_scale_``; None if it saw x itself.
    target_mean_ : ndarray of shape (`n_outputs_`,) or None
        What training subtracted from each target of squared error, or None.
    target_scale_ : ndarray of shape (`n_outputs_`,) or None
        Training saw ``(y - target_mean_) / target_scale_``; None if it saw y itself.
    n_features_in_ : int
        The number of features seen during `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        The names of the features, if X has names and all of them are strings.
""",
    "<references>": """\
    References
    ----------
    .. [1] Kingma and Ba (2015), "Adam: A method for stochastic optimization",
       :arxiv:`1412.6980`.
    .. [2] Liu and Nocedal (1989), "On the limited memory BFGS method for large scale
       optimization", Mathematical Programming 45.
    .. [3] Loshchilov and Hutter (2017), "SGDR: Stochastic gradient descent with warm
       restarts", :arxiv:`1608.03983`.
    .. [4] Loshchilov and Hutter (2019), "Decoupled weight decay regularization",
       :arxiv:`1711.05101`.
    .. [5] Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov (2014), "Dropout:
       A simple way to prevent neural networks from overfitting", Journal of Machine
       Learning Research 15.
    .. [6] Pascanu, Mikolov and Bengio (2013), "On the difficulty of training recurrent
       neural networks", :arxiv:`1211.5063`.
    .. [7] Glorot and Bengio (2010), "Understanding the difficulty of training deep
       feedforward neural networks", AISTATS.
    .. [8] He, Zhang, Ren and Sun (2015), "Delving deep into rectifiers",
       :arxiv:`1502.01852`.
""",
}


def with_common_parts(documented, parts=PARTS):
    """Insert `parts` into the docstring of a class or function, each in the place of its mark."""
    if documented.__doc__ is not None:  # python -OO removes docstrings
        doc = inspect.cleandoc(documented.__doc__)  # Python 3.13 does this by itself
        for mark, text in parts.items():
            doc = doc.replace(mark, textwrap.dedent(text).rstrip())
        documented.__doc__ = doc + "\n"
    return documented
