"""What all FNN estimators share: their parameters, fit and partial_fit."""

import copy
import warnings
from abc import ABCMeta, abstractmethod
from contextlib import contextmanager

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state

from .._engine.batches import Batches
from .._engine.network import Network
from .._engine.objective import Objective
from .._engine.trainer import make_trainer
from .._training.loop import train_epochs, train_lbfgs
from .._training.monitor import Diverged, Monitor, new_history, new_progress
from . import settings as _settings
from .callbacks import CallbackSupportMixin, fit_callbacks, with_callbacks
from .data import check_weights, checked, normalised
from .diagnosis import divergence_message, warn_if_hopeless
from .fitted import FittedNetwork
from .resuming import Resuming
from .validation import given_set, held_out, validator

_MAX_SEED = np.iinfo(np.int32).max
_MAX_PARAMETERS = np.iinfo(np.intp).max // 8  # an array has so many bytes at most


def has_epochs(estimator):
    """Whether the solver can do one epoch at a time, for ``available_if``."""
    if estimator.solver == "lbfgs":
        raise AttributeError("partial_fit is only available for solver='sgd' and solver='adam', not for 'lbfgs'.")
    return True


class BaseFNN(CallbackSupportMixin, Resuming, FittedNetwork, metaclass=ABCMeta):
    """Feedforward network trained by (stochastic) gradient descent or L-BFGS."""

    _SGD_RATE: float  # the eta of plain SGD that "auto" stands for
    _progress: dict
    history_: dict
    n_iter_: int

    def __init__(
        self,
        hidden_layer_sizes,
        activation,
        *,
        solver,
        batch_size,
        shuffle,
        learning_rate_init,
        learning_rate,
        power_t,
        momentum,
        nesterovs_momentum,
        beta_1,
        beta_2,
        epsilon,
        alpha,
        weight_decay,
        dropout,
        max_grad_norm,
        max_iter,
        tol,
        n_iter_no_change,
        early_stopping,
        validation_fraction,
        scoring,
        dtype,
        max_fun,
        warm_start,
        random_state,
        verbose,
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
        self.weight_decay = weight_decay
        self.dropout = dropout
        self.max_grad_norm = max_grad_norm
        self.max_iter = max_iter
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.scoring = scoring
        self.dtype = dtype
        self.max_fun = max_fun
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    # What a subclass says: how y becomes targets and a loss, and how raw outputs are scored.

    @abstractmethod
    def _encode(self, y, fresh, incremental, classes):
        """Checked y, its targets and the loss; where `fresh`, sets what the estimator knows of the targets."""

    @abstractmethod
    def _encode_validation(self, y):
        """Turn the y of a validation set into targets."""

    @abstractmethod
    def _row_weights(self, y, sample_weight):
        """The weight of every row in the loss, (B,) or None."""

    @abstractmethod
    def _strata(self, targets):
        """What a held-out validation set is stratified by, (B,) or None."""

    @abstractmethod
    def _mean_score(self, raw, targets, weights):
        """The default score of raw outputs."""

    def _advice(self, targets):
        """What to say of the targets where training diverged."""
        return ""

    # Training

    @with_callbacks
    def _fit(
        self,
        X,
        y,
        sample_weight,
        validation,
        *,
        incremental=False,
        resume=False,
        classes=None,
        coefs_init=None,
        intercepts_init=None,
    ):
        """`fit`, `partial_fit` and `resume`: check everything, then train, then keep the result."""
        fresh = not (hasattr(self, "_theta") and (incremental or resume or self.warm_start))
        resume = resume and not fresh
        params = self.get_params(deep=False)
        hidden = _settings.hidden_sizes(self.hidden_layer_sizes)
        activations = _settings.activation_names(self.activation, len(hidden))
        _settings.check_solver(params)
        given = (X, y, sample_weight)
        X, y = checked(self, X, y, reset=fresh)
        if sample_weight is not None:
            sample_weight = check_weights("sample_weight", sample_weight, X)
        y, targets, loss = self._encode(y, fresh, incremental, classes)
        weights = self._row_weights(y, sample_weight)

        network = Network((X.shape[1], *hidden, targets.n_outputs), activations)
        if fresh:
            self._start_anew(network, X.dtype)
        elif network != self._network:
            raise ValueError(
                "The model cannot be trained on: hidden_layer_sizes or activation changed since the last call of fit. "
                "Put them back, or call fit with warm_start=False."
            )
        self._network = network  # as a new object: what a MemoryError is about
        theta, best = self._where_it_stood(incremental, resume)
        _settings.write_initial_values(network, theta, coefs_init, intercepts_init)

        rows, valid = None, given_set(self, *validation)
        if valid is None and not incremental:
            rows, valid = held_out(self, X, given[0], y, targets, sample_weight)
        if weights is not None:
            weights = normalised(weights, rows)
        over = resume and self._is_over()
        if over and not (self.early_stopping and self._best_theta is not None):
            return self

        # From here on the estimator describes the model in training: scorers look at it.
        self._network, self._theta, self._loss = network, theta, loss
        capacity = self._tuning.rows_at_once(network, X, theta.dtype)
        n_rows = X.shape[0] if rows is None else len(rows)
        batch_size = n_rows if self.solver == "lbfgs" else _settings.rows_in_batch(self.batch_size, n_rows)
        batches = Batches(X, targets, weights, rows, batch_size, self.shuffle, theta.dtype, capacity, self._tuning)
        eta_0 = _settings.initial_learning_rate(params, self._SGD_RATE)
        solver = _settings.make_solver(params)
        if solver is not None:
            self._solver_state = self._continued_state(solver, theta)
            solver.bind(network, theta, self._solver_state)
            if self.solver == "sgd" and (fresh or not (incremental or resume)):
                warn_if_hopeless(X, eta_0, getattr(self, "feature_names_in_", None))
            self.learning_rate_init_ = eta_0
        else:
            self._solver_state = {}
        self._progress = dict(self._progress)
        done, max_iter, callbacks = 0, 1, None
        if resume:
            done = self._progress["epoch"]
        elif not incremental:
            self._progress["epoch"] = 0
        if incremental:
            keeps_best = valid is not None or self._best_theta is not None
        else:
            keeps_best = self.early_stopping
        if best is None or not keeps_best:
            self._progress["kept_score"] = -np.inf
            best = theta.copy() if keeps_best else None
        self._best_theta, self._last_theta = best, None
        if not incremental:
            max_iter = 0 if over else self.max_iter - done
            callbacks = fit_callbacks(self, *given, max_iter, self._state_now)
        monitor = Monitor(
            theta,
            self._solver_state,
            self._progress,
            self.history_,
            schedule=_settings.make_schedule(params, eta_0),
            rows=n_rows,
            steps=batches.n_batches,
            validate=None if valid is None else validator(self, valid, capacity),
            early_stopping=self.early_stopping and valid is not None,
            best_theta=best,
            restores_best=not (incremental or resume),
            done=done,
            adaptive=self.learning_rate == "adaptive",
            tol=self.tol,
            patience=self.n_iter_no_change,
            stops_on_loss=self.solver != "lbfgs",
            verbose=self.verbose,
            max_iter=done + max_iter,
            callbacks=callbacks,
        )
        parts, decay = (network, theta, batches, loss), self.alpha / n_rows
        if solver is None:
            trainer = Objective(*parts, decay)
        else:
            strength = {"dropout": self.dropout, "max_norm": self.max_grad_norm, "tuning": self._tuning}
            trainer = make_trainer(*parts, solver, decay=decay, **strength)
        if max_iter:
            self._run(trainer, monitor, incremental, max_iter, X)
        if incremental:
            self._best_theta = monitor.kept_theta
        elif best is not None:
            self._best_theta, self._last_theta = None, monitor.restore_best()
        self.n_iter_ = self.n_iter_ + 1 if incremental else monitor.epochs
        self.__dict__.update(self._fitted_attributes())
        if callbacks is not None:
            callbacks.end_fit()
        return self

    def _start_anew(self, network, X_dtype):
        """Forget what was learned; initial parameters."""
        dtype = np.result_type(X_dtype, np.float32) if self.dtype == "auto" else np.dtype(self.dtype)
        if network.n_parameters > _MAX_PARAMETERS:
            raise ValueError(
                f"hidden_layer_sizes={self.hidden_layer_sizes!r} is too large: the network would have "
                f"{network.n_parameters:,} parameters, and an array holds {_MAX_PARAMETERS:,} at most."
            )
        self._network = network
        self._seed = check_random_state(self.random_state).randint(_MAX_SEED)
        self._theta = network.initial_parameters(np.random.default_rng(self._seed), dtype)
        self._solver_state = self._best_theta = self._last_theta = None
        self._progress, self.history_ = new_progress(), new_history()
        self.n_iter_ = 0

    def _continued_state(self, solver, theta):
        """A copy of the solver's state to go on with, or a new one where there is none of this solver."""
        new = solver.init(theta.dtype, theta.size)
        old = self._solver_state
        if old is None or old.keys() != new.keys():
            return new
        return {name: value.copy() if isinstance(value, np.ndarray) else value for name, value in old.items()}

    def _run(self, trainer, monitor, incremental, max_iter, X):
        """Train for `max_iter` epochs at most, in place in the monitor's arrays."""
        try:
            # Overflow is looked for at the end of every epoch.
            with np.errstate(over="ignore", invalid="ignore", divide="ignore", under="ignore"):
                if self.solver == "lbfgs":
                    result = train_lbfgs(trainer, monitor, max_iter, self.max_fun, self.tol)
                    if not result.success and not monitor.stopped:
                        _warn_not_converged(f"L-BFGS did not converge: {result.message}")
                else:
                    train_epochs(trainer, monitor, max_iter, self._epoch_rng)
                    if not (incremental or monitor.stopped or self.n_iter_no_change == np.inf):
                        _warn_not_converged(
                            f"max_iter={self.max_iter} epochs were done and training has not converged yet"
                        )
        except KeyboardInterrupt:
            if incremental or not monitor.epochs:
                raise
            monitor.roll_back()
            warnings.warn("Training interrupted: the weights are those of the last finished epoch.", stacklevel=6)
        except Diverged:
            eta = None if self.solver == "lbfgs" else self.learning_rate_init_
            eta = "given by a function" if callable(self.learning_rate) and eta is not None else eta
            names = getattr(self, "feature_names_in_", None)
            epoch = monitor.number + 1
            message = divergence_message(X, eta, epoch, names) + self._advice(trainer.batches.targets)
            raise ValueError(message) from None

    def _epoch_rng(self, number, stream=0):
        """A random stream of an epoch: it depends on the seed and on how many epochs came before, on nothing else."""
        return np.random.default_rng([self._seed, number, stream] if stream else [self._seed, number])

    def _fitted_attributes(self):
        """The public attributes that follow from history and progress."""
        history, progress = self.history_, self._progress
        validated = history["validation_loss"][-1] is not None
        return {
            "t_": progress["t"],
            "n_steps_": progress["n_steps"],
            "n_layers_": len(self._network.sizes),
            "n_outputs_": self._network.sizes[-1],
            "out_activation_": self._loss.out_activation,
            "loss_curve_": history["loss"],
            "loss_": history["loss"][-1],
            "best_loss_": None if self.early_stopping and validated else progress["best_loss"],
            "validation_scores_": history["validation_score"] if validated else None,
            "validation_loss_curve_": history["validation_loss"] if validated else None,
            "best_validation_score_": progress["best_score"] if validated else None,
        }

    def _state_now(self):
        """The attributes of the model as it is after the last epoch, none of them shared with the training."""
        own = {
            "_theta": self._theta.copy(),
            "_solver_state": {k: v.copy() if isinstance(v, np.ndarray) else v for k, v in self._solver_state.items()},
            "_progress": dict(self._progress),
            "history_": {key: list(values) for key, values in self.history_.items()},
            "_best_theta": self._best_now(),
            "n_iter_": self._progress["epoch"],
        }
        model = copy.copy(self)
        model.__dict__.update(own)
        return own | model._fitted_attributes()

    @contextmanager
    def _all_or_nothing(self):
        """Leave the estimator as it was when the body raises."""
        before = dict(vars(self))
        length = len(before["history_"]["epoch"]) if "history_" in before else 0
        try:
            yield
        except BaseException as error:
            network = vars(self).get("_network")
            self.__dict__.clear()
            self.__dict__.update(before)
            for values in before.get("history_", {}).values():
                del values[length:]
            if isinstance(error, MemoryError) and network is not None and network is not before.get("_network"):
                raise MemoryError(
                    "The network does not fit into memory with what its training needs: layers of "
                    f"{', '.join(map(str, network.sizes))} units, {network.n_parameters:,} parameters. {error}"
                ) from error
            raise


def _warn_not_converged(message):
    warnings.warn(f"{message}. Raise max_iter, or scale the data.", ConvergenceWarning, stacklevel=7)
