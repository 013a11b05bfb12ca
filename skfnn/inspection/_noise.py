"""The noise of mini-batch gradients."""

from numbers import Integral

import numpy as np
from sklearn.utils import Bunch, check_random_state
from sklearn.utils.validation import check_is_fitted

from .._estimator.call import PARTIAL_FIT
from .._estimator.data import Given
from .._estimator.objective import objective_of
from ._find import network_and_rows


def gradient_noise(estimator, X, y, *, batch_sizes=None, sample_weight=None, n_draws=200, random_state=None):
    """Measure the noise of mini-batch gradients of a fitted network.

    Let ``G_b`` be the gradient of the loss of row b at the network's weights,
    multiplied by ``w_b / mean(w)`` if there are sample or class weights. Let ``G`` be
    the mean over all B rows. The variance of the row gradients is
    ``sigma^2 = mean(||G_b||^2) - ||G||^2``, the trace of their covariance. The mean
    gradient of a mini-batch of Omega rows, drawn without replacement, has the
    expectation ``G`` and the variance ``sigma^2 / Omega * (B - Omega) / (B - 1)``,
    which is 0 at full batch. The noise scale ``sigma^2 / ||G||^2`` is the batch size at
    which noise and signal are equal [1]_.

    The L2 term is left out, because it adds the same vector to every mini-batch
    gradient. The norms of the row gradients come from the factors of the gradients in
    one pass, so the gradient of a single row is never built. Dropout is off.

    Parameters
    ----------
    estimator : FNNClassifier, FNNRegressor or Pipeline
        A fitted estimator, or a fitted pipeline that ends in one.
    X : {array-like, sparse matrix} of shape (B, n_features)
        The rows.
    y : array-like of shape (B,) or (B, n_outputs)
        The labels or targets of the rows.
    batch_sizes : array-like of int, default=None
        The batch sizes, from 1 to B, at which the predicted and the measured variance
        are compared. None takes the powers of 4 that are at most B and at most 1,024.
    sample_weight : array-like of shape (B,), default=None
        Weights of the rows. The estimator's `class_weight` applies as well.
    n_draws : int, default=200
        How many random mini-batches of each size to draw for the measured variance. 0
        draws none.
    random_state : int, RandomState instance or None, default=None
        Determines the mini-batches.

    Returns
    -------
    noise : :class:`~sklearn.utils.Bunch`
        With the attributes

        - `variance`: sigma^2, float
        - `gradient_norm_squared`: ``||G||^2``, float
        - `noise_scale`: sigma^2 / ``||G||^2``, float, in rows
        - `variance_by_layer`, `gradient_norm_squared_by_layer`, `noise_scale_by_layer`:
          the same for each layer, ndarrays of shape ``(n_layers_ - 1,)``
        - `batch_sizes`: ndarray of int
        - `predicted_variance`, `measured_variance`: the variance of a mini-batch's
          gradient, ndarrays like `batch_sizes`; the measured variance is NaN if
          `n_draws` is 0
        - `recommended_batch_size`: the noise scale rounded to a power of two, between 1
          and B, int

    Raises
    ------
    ValueError
        If a batch size is not from 1 to B, if the data do not fit the estimator, or if
        gradients overflow.

    Notes
    -----
    By the argument of [1]_, batch sizes above the recommended one cost more than the
    steps that they save. The recommendation holds for plain gradient descent at the
    measured weights. The noise scale changes during training and usually grows, so
    measure it early and late. Whether it predicts the real gain from larger batches has
    been questioned, because it is a proxy that assumes a well-conditioned loss [2]_.
    Use it as an order of magnitude.

    References
    ----------
    .. [1] McCandlish, Kaplan, Amodei and the OpenAI Dota Team (2018), "An empirical
       model of large-batch training", :arxiv:`1812.06162`, section 2.2: the "simple"
       noise scale, equation 2.9.
    .. [2] Merrill, Arora, Groeneveld and Hajishirzi (2025), "Critical batch size
       revisited: a simple empirical approach to large-batch language model training",
       :arxiv:`2505.23971`.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skfnn import FNNClassifier
    >>> from skfnn.inspection import gradient_noise
    >>> X, y = load_digits(return_X_y=True)
    >>> X = X / 16
    >>> clf = FNNClassifier(max_iter=5, n_iter_no_change=None, random_state=0)
    >>> noise = gradient_noise(
    ...     clf.fit(X, y), X, y, batch_sizes=[1, 10, 100], random_state=0
    ... )
    >>> noise.predicted_variance.round(2)
    array([17.87,  1.78,  0.17])
    >>> noise.measured_variance.round(2)
    array([17.16,  1.78,  0.17])
    >>> noise.recommended_batch_size
    128
    """
    if not isinstance(n_draws, Integral) or isinstance(n_draws, bool) or n_draws < 0:
        raise ValueError(f"n_draws must be a whole number >= 0, got {n_draws!r}.")
    model, X = network_and_rows(estimator, X)
    check_is_fitted(model)
    model._state.updated()
    task, data = model._checked(PARTIAL_FIT, Given(X, y, sample_weight), model._task)
    n_rows, weights = data.X.shape[0], data.normalised_weights()
    batch_sizes = _checked_batch_sizes(batch_sizes, n_rows)
    training = task.in_training(data.targets, model._state.coordinates)

    def row_norms(rows):
        # A saturated unit may overflow and still give its exact limit. Only the gradients have to be finite.
        with np.errstate(all="ignore"):
            return objective_of(model, data, rows=rows, weights=weights, training=training).row_norms()

    sums, mean = row_norms(None)
    with np.errstate(over="ignore", invalid="ignore"):
        norms = np.array([float(np.einsum("ij,ij->", layer, layer, dtype=np.float64)) for layer in mean])
    if not (np.isfinite(sums).all() and np.isfinite(norms).all()):
        raise ValueError(
            f"The gradients of some rows of X overflow {mean[0].dtype}: the features of these rows are too large for "
            "the network's weights, or the weights are too large. Scale these rows in the same way as the training "
            "rows."
        )
    # If all rows are the same, rounding must not make their variance negative.
    variances = np.maximum(sums / n_rows - norms, 0.0)
    variance, norm = float(variances.sum()), float(norms.sum())
    with np.errstate(divide="ignore", invalid="ignore"):
        scales, scale = variances / norms, float(np.divide(variance, norm))
    predicted = variance / batch_sizes * (n_rows - batch_sizes) / max(1, n_rows - 1)
    rng = check_random_state(random_state)
    mean = [layer.astype(np.float64) for layer in mean]
    measured = [_measured(row_norms, mean, size, n_rows, n_draws, rng) for size in batch_sizes]
    return Bunch(
        variance=variance,
        gradient_norm_squared=norm,
        noise_scale=scale,
        variance_by_layer=variances,
        gradient_norm_squared_by_layer=norms,
        noise_scale_by_layer=scales,
        batch_sizes=batch_sizes,
        predicted_variance=predicted,
        measured_variance=np.array(measured),
        recommended_batch_size=_power_of_two(scale, n_rows),
    )


def _checked_batch_sizes(batch_sizes, n_rows):
    if batch_sizes is None:
        return np.array([4**k for k in range(6) if 4**k <= n_rows])
    sizes = np.asarray(batch_sizes)
    if sizes.ndim != 1 or sizes.dtype.kind not in "iu" or ((sizes < 1) | (sizes > n_rows)).any():
        raise ValueError(f"batch_sizes must hold whole numbers from 1 to the number of rows, {n_rows}; got {sizes}.")
    return sizes


def _measured(row_norms, mean, size, n_rows, n_draws, rng):
    """The mean squared distance between the gradients of random mini-batches and the mean gradient."""
    if not n_draws:
        return np.nan
    total = 0.0
    for _ in range(n_draws):
        # Sorted, so that a mini-batch of all rows is summed in the same order as the full batch.
        rows = np.sort(rng.choice(n_rows, size, replace=False))
        _, gradient = row_norms(rows)
        differences = [g - m for g, m in zip(gradient, mean, strict=True)]
        total += sum(float(np.einsum("ij,ij->", d, d)) for d in differences)
    return total / n_draws


def _power_of_two(scale, n_rows):
    if not np.isfinite(scale):
        return n_rows if scale > 0 else 1
    return int(np.clip(2.0 ** np.round(np.log2(max(scale, 1.0))), 1, n_rows))
