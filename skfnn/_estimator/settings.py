"""Turns the parameters that a user gives into the objects and numbers that training uses."""

from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any

import numpy as np

from .._engine.activations import ACTIVATIONS
from .._engine.network import Network
from .._engine.solvers import Adam, Momentum, PlainSGD
from .._training.patience import Patience
from .._training.schedules import make_schedule, no_rates, user_rate
from .call import FIT, RESUME
from .exceptions import BatchSizeWarning
from .judgement import DIVISORS
from .warnings import warn_user

_MAX_PARAMETERS = np.iinfo(np.intp).max // 8  # an array has at most this many bytes


@dataclass(frozen=True)
class Settings:
    """The constructor parameters that both estimators share, under their own names."""

    hidden_layer_sizes: Any
    activation: Any
    solver: str
    batch_size: Any
    shuffle: bool
    learning_rate_init: Any
    init: str
    standardize: Any
    learning_rate: Any
    power_t: float
    momentum: float
    nesterovs_momentum: bool
    beta_1: float
    beta_2: float
    epsilon: float
    alpha: float
    weight_decay: float
    dropout: float
    max_grad_norm: float | None
    max_iter: int
    tol: float
    n_iter_no_change: float | None
    early_stopping: bool
    validation_fraction: float | None
    scoring: Any
    dtype: str
    max_fun: int
    verbose: Any

    @classmethod
    def of(cls, estimator):
        """The settings of an estimator, read from its attributes, because a subclass may have another constructor."""
        settings = cls(*_values(estimator))
        settings._check_solver()
        return settings

    @property
    def patience(self):
        """The number of epochs in a row that may pass without an improvement."""
        return np.inf if self.n_iter_no_change is None else self.n_iter_no_change

    @property
    def has_epochs(self):
        """Whether the solver can do one epoch at a time."""
        return self.solver != "lbfgs"

    def network(self, n_features, n_outputs):
        """The network for these numbers of features and outputs."""
        hidden = hidden_sizes(self.hidden_layer_sizes)
        network = Network((n_features, *hidden, n_outputs), activation_names(self.activation, len(hidden)))
        if network.n_parameters > _MAX_PARAMETERS:
            raise ValueError(
                f"hidden_layer_sizes={self.hidden_layer_sizes!r} is too large: the network would have "
                f"{network.n_parameters:,} parameters, and an array holds at most {_MAX_PARAMETERS:,}."
            )
        return network

    def precision(self, X):
        """The dtype of all arithmetic in training on X."""
        return np.result_type(X.dtype, np.float32) if self.dtype == "auto" else np.dtype(self.dtype)

    def rows_in_batch(self, n_rows):
        """The number of rows of a mini-batch."""
        if self.batch_size == "full" or not self.has_epochs:
            return n_rows
        if self.batch_size == "auto":
            return min(200, n_rows)
        if self.batch_size > n_rows:
            warn_user(
                f"batch_size={self.batch_size} is larger than the number of training rows, {n_rows}. "
                f"It is clipped to {n_rows}.",
                BatchSizeWarning,
            )
        return min(int(self.batch_size), n_rows)

    @property
    def rate_is_automatic(self):
        """Whether the learning rate is chosen by a rule."""
        named = isinstance(self.learning_rate_init, str)
        return self.has_epochs and named and not callable(self.learning_rate)

    def given_rate(self):
        """The eta that the user gave."""
        if callable(self.learning_rate):
            return user_rate(self.learning_rate, 0)
        return float(self.learning_rate_init)

    def make_solver(self):
        """The solver of gradient descent."""
        if self.solver == "adam":
            return Adam(float(self.beta_1), float(self.beta_2), float(self.epsilon), float(self.weight_decay))
        if self.momentum > 0:
            return Momentum(float(self.momentum), self.nesterovs_momentum)
        return PlainSGD()

    def make_schedule(self, eta_0):
        """The function from the progress of training to the learning rates of the next epoch."""
        if not self.has_epochs:
            return no_rates
        return make_schedule(self.learning_rate, eta_0, float(self.power_t), self.max_iter)

    def make_patience(self, watches_score):
        """The Patience that stops a training run when it no longer improves."""
        return Patience(
            self.tol,
            self.patience,
            watches="Validation score" if watches_score else "Training loss",
            adaptive=self.learning_rate == "adaptive",
            stops=watches_score or self.has_epochs,
        )

    def keeps_best(self, call, before, split):
        """Whether `call` keeps the best weights, including those that the state `before` holds."""
        if call.one_epoch:
            return split.valid is not None or before.best is not None
        return self.watches_score(split)

    def watches_score(self, split):
        """Whether the validation score decides when training ends."""
        return self.early_stopping and split.valid is not None

    def has_ended(self, call, progress, split):
        """Whether the training run that `call` continues has ended: all epochs are done, or it no longer improves."""
        stalls = self.has_epochs or self.watches_score(split)
        stalled = stalls and progress.no_improvement > self.patience
        return call is RESUME and (stalled or progress.epoch >= self.max_iter)

    def epochs_left(self, call, progress, split):
        """The number of epochs that `call` may do."""
        if call.one_epoch:
            return 1
        if call is RESUME:
            return 0 if self.has_ended(call, progress, split) else self.max_iter - progress.epoch
        return self.max_iter

    def attempts(self, call):
        """For each attempt, the divisor of the automatic rate, and whether another attempt may follow."""
        divisors = DIVISORS if call is FIT and self.rate_is_automatic else DIVISORS[:1]
        return [(divisor, divisor != divisors[-1]) for divisor in divisors]

    @property
    def unfinished(self):
        """The message for a run that does all its epochs without a stall; None if stalls do not matter."""
        if self.patience == np.inf:
            return None
        return (
            f"max_iter={self.max_iter} epochs were done and training has not converged yet. Raise max_iter, or set "
            "n_iter_no_change=None if you want exactly this number of epochs."
        )

    def _check_solver(self):
        """Raise if a parameter asks for something that the solver cannot do."""
        for name, off in (("dropout", 0.0), ("max_grad_norm", None)):
            value = getattr(self, name)
            if not self.has_epochs and value != off:
                raise ValueError(f"{name}={value!r} needs solver='sgd' or 'adam'; 'lbfgs' minimises a fixed function.")


_values = attrgetter(*(field.name for field in fields(Settings)))


def hidden_sizes(hidden_layer_sizes):
    """The sizes of the hidden layers as a tuple."""
    sizes = hidden_layer_sizes if np.iterable(hidden_layer_sizes) else [hidden_layer_sizes]
    sizes = tuple(sizes)
    if not all(isinstance(size, (int, np.integer)) and size > 0 for size in sizes):
        raise ValueError(f"hidden_layer_sizes must hold integers > 0, got {hidden_layer_sizes!r}.")
    return tuple(int(size) for size in sizes)


def activation_names(activation, n_hidden):
    """The name of the activation of every hidden layer."""
    names = (activation,) * n_hidden if isinstance(activation, str) else tuple(activation)
    if len(names) != n_hidden:
        raise ValueError(
            f"activation must be one name or a list with one name for each of the {n_hidden} hidden layers, "
            f"got {len(names)} names: {activation!r}."
        )
    for name in names:
        if not isinstance(name, str) or name not in ACTIVATIONS:
            raise ValueError(f"activation must be one of {sorted(ACTIVATIONS)}, got {name!r}.")
    return names
