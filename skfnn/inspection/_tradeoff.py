"""The trade-off between the cost and the noise of a step, measured by training at several batch sizes."""

import warnings
from numbers import Integral

import numpy as np
from joblib import Parallel, delayed
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import Bunch
from sklearn.utils.validation import _num_samples

from .._estimator.base import BaseFNN
from .._estimator.settings import Settings
from ._noise import gradient_noise

CURVES = ("epoch", "loss", "validation_loss", "validation_score")


def batch_size_tradeoff(estimator, X, y, batch_sizes, *, X_val, y_val, n_jobs=None):
    """Train the same network at several batch sizes and compare cost and accuracy.

    A small mini-batch makes a cheap and noisy step. A large one makes an expensive and
    precise step. Only a measurement shows which is better in a given time. This
    function trains a clone of the estimator at each batch size and changes nothing
    else. It returns the cost of a step, the noise of a step, and the validation curves
    by epoch and by second.

    Parameters
    ----------
    estimator : FNNClassifier or FNNRegressor
        The estimator to clone and train. It is not changed. Its own `batch_size` is not
        used, but all its other parameters are. If `random_state` is an int, all
        training runs start from the same weights.
    X : {array-like, sparse matrix} of shape (B, n_features)
        The training rows.
    y : array-like of shape (B,) or (B, n_outputs)
        The labels or targets of the rows.
    batch_sizes : list of {int, 'full', 'auto'}
        The batch sizes. Integers must be from 1 to B.
    X_val, y_val : array-like
        The validation set. It is scored after every epoch.
    n_jobs : int, default=None
        How many training runs to do at the same time, see :class:`joblib.Parallel`.
        None means one, unless ``joblib.parallel_config`` sets another number. Training
        runs that share the processor slow each other down. Keep it at one if the
        seconds matter.

    Returns
    -------
    tradeoff : :class:`~sklearn.utils.Bunch`
        With the attributes

        - `batch_sizes`: the batch sizes in rows, ndarray of int; 'full' becomes B and
          'auto' becomes ``min(200, B)``
        - `seconds_per_step`: seconds of training per iteration, the median over the
          epochs, ndarray of float
        - `gradient_variance`: the variance ``sigma^2 / Omega * (B - Omega) / (B - 1)``
          of the gradient of a mini-batch of Omega rows at the final weights (see
          :func:`gradient_noise`), ndarray of float; 0 at full batch
        - `histories`: list with one dict of list per batch size: `epoch`, `seconds` (of
          training since its start, without validation), `loss`, `validation_loss`,
          `validation_score`; one entry per epoch
        - `n_steps`: the iterations of each training run, ndarray of int
        - `n_rows`: B, int

    Raises
    ------
    TypeError
        If `estimator` is not an FNNClassifier or FNNRegressor.
    ValueError
        If a batch size cannot be used, if the validation set is missing, or if the
        solver is 'lbfgs', which has no mini-batches. Also if a training run diverges; a
        note on the error then names the batch size.

    See Also
    --------
    BatchSizeTradeoffDisplay : Draws the curves.
    gradient_noise : Measures the noise at given weights.

    Notes
    -----
    With ``learning_rate_init='auto'`` each batch size gets its own learning rate. If you
    give a number, all batch sizes share it. A larger mini-batch tolerates a larger
    learning rate, so a shared rate favours small mini-batches in the curves by epoch. To
    compare each batch size at its best, search over both parameters. A training run may
    end before `max_iter`, see `n_iter_no_change`. This function does not warn if a run
    has not converged.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.model_selection import train_test_split
    >>> from skfnn import FNNClassifier
    >>> from skfnn.inspection import batch_size_tradeoff
    >>> X, y = load_digits(return_X_y=True)
    >>> X_train, X_val, y_train, y_val = train_test_split(
    ...     X / 16, y, test_size=0.2, random_state=0
    ... )
    >>> clf = FNNClassifier(
    ...     (20,), max_iter=5, n_iter_no_change=None, random_state=0
    ... )
    >>> tradeoff = batch_size_tradeoff(
    ...     clf, X_train, y_train, [10, 100, "full"], X_val=X_val, y_val=y_val
    ... )
    >>> tradeoff.batch_sizes
    array([  10,  100, 1437])
    >>> tradeoff.n_steps
    array([720,  75,   5])
    >>> [round(history["validation_loss"][-1], 2) for history in tradeoff.histories]
    [0.64, 1.12, 1.94]
    """
    if not isinstance(estimator, BaseFNN):
        raise TypeError(f"estimator must be an FNNClassifier or an FNNRegressor, got {estimator!r}.")
    if estimator.solver == "lbfgs":
        raise ValueError("estimator must have solver='sgd' or 'adam': 'lbfgs' has no mini-batches.")
    if X_val is None or y_val is None:
        raise ValueError("X_val and y_val must be given: the batch sizes are compared on them.")
    n_rows = _num_samples(X)
    sizes = _checked_sizes(estimator, batch_sizes, n_rows)
    runs = Parallel(n_jobs=n_jobs)(delayed(_train)(estimator, X, y, size, X_val, y_val) for size in sizes)
    seconds, variances, histories, n_steps = zip(*runs, strict=True)
    return Bunch(
        batch_sizes=np.array(sizes),
        seconds_per_step=np.array(seconds),
        gradient_variance=np.array(variances),
        histories=list(histories),
        n_steps=np.array(n_steps),
        n_rows=n_rows,
    )


def _checked_sizes(estimator, batch_sizes, n_rows):
    """The batch sizes in rows."""
    rule = f"batch_sizes must be a list of whole numbers from 1 to the number of rows, {n_rows}, 'full' and 'auto'"
    if isinstance(batch_sizes, str) or not np.iterable(batch_sizes):
        raise ValueError(f"{rule}; got {batch_sizes!r}.")
    sizes = list(batch_sizes)
    for size in sizes:
        named = isinstance(size, str) and size in ("full", "auto")
        whole = isinstance(size, Integral) and not isinstance(size, bool)
        if not (named or (whole and 1 <= size <= n_rows)):
            raise ValueError(f"{rule}; got {size!r}.")
    if not sizes:
        raise ValueError(f"{rule}; got an empty list.")
    return [Settings.of(clone(estimator).set_params(batch_size=size)).rows_in_batch(n_rows) for size in sizes]


def _train(estimator, X, y, size, X_val, y_val):
    """Train at one batch size; return the seconds per step, the final gradient variance, the history and the steps."""
    model = clone(estimator).set_params(batch_size=size)
    try:
        with warnings.catch_warnings():
            # The number of epochs is a fixed budget here, so convergence does not matter.
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(X, y, X_val=X_val, y_val=y_val)
    except ValueError as error:
        error.add_note(f"This was the training run with batch_size={size}.")
        raise
    seconds = model.history_["seconds"]
    steps = model.n_steps_ // len(seconds)
    noise = gradient_noise(model, X, y, batch_sizes=[size], n_draws=0)
    history = {key: list(model.history_[key]) for key in CURVES} | {"seconds": np.cumsum(seconds).tolist()}
    return float(np.median(seconds)) / steps, float(noise.predicted_variance[0]), history, model.n_steps_
