"""Messages for training that diverged or is likely to."""

import numpy as np
from scipy import sparse

from .warnings import warn_user

# A step of plain SGD moves a first-layer pre-activation of a row x by about eta * ||x||^2 * delta. Networks train well
# with eta * ||x||^2 at 10 to 100 (at eta 0.1 it is 6 on standardised digits and 70 on MNIST). At 10,000, one step moves
# a pre-activation by hundreds.
HOPELESS_STEP = 1e4
_ROWS_LOOKED_AT = 1000
_ENTRIES_LOOKED_AT = 500_000


def _scales(X):
    """The mean squared norm of a row, and the number and the root mean square of the largest feature."""
    n_rows = max(1, min(_ROWS_LOOKED_AT, _ENTRIES_LOOKED_AT // X.shape[1]))
    rows = X[:: -(-X.shape[0] // n_rows)].astype(np.float64)
    with np.errstate(over="ignore", under="ignore"):
        squares = rows.multiply(rows) if sparse.issparse(rows) else rows * rows
        mean_square = np.asarray(squares.mean(axis=0)).ravel()
    largest = int(np.argmax(mean_square))
    return float(mean_square.sum()), largest, float(np.sqrt(mean_square[largest]))


def _feature(number, names):
    return f"feature {number}" if names is None else f"feature {names[number]!r}"


def warn_if_hopeless(X, eta, names):
    """Warn if plain SGD cannot train with this eta because the features are too large."""
    square, largest, scale = _scales(X)
    if eta * square > HOPELESS_STEP:
        warn_user(
            f"The features are too large for learning_rate_init={eta:g}: training will diverge or stall. "
            f"The largest, {_feature(largest, names)}, has a root mean square of {scale:.3g}. "
            "Scale the features first, for instance with a StandardScaler before the network in a pipeline, "
            "or choose a smaller learning_rate_init."
        )


def divergence_message(X, eta, epoch, names):
    """The message for a training run whose loss or weights are no longer finite.

    `eta` is the initial learning rate, a text if the rate is not one number, or None if the solver has no learning
    rate.
    """
    _, largest, scale = _scales(X)
    smaller = "a smaller learning_rate_init"
    message = f"Training diverged: the loss or a weight was no longer finite in epoch {epoch}"
    if isinstance(eta, str):
        message, smaller = f"{message} with learning rates {eta}. ", "smaller learning rates"
    else:
        message += f" with learning_rate_init={eta:g}. " if eta is not None else ". "
    message += f"The largest feature, {_feature(largest, names)}, has a root mean square of {scale:.3g}. "
    if scale > 10.0:
        message += "Scale the features, for instance with StandardScaler in a pipeline"
        return message + (f", or use {smaller}." if eta is not None else ".")
    return message + (f"Use {smaller}." if eta is not None else "Use a larger alpha or solver='sgd'.")
