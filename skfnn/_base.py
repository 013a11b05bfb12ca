"""What all FNN estimators share: checking input, fit and partial_fit, raw outputs."""

import math
import warnings
from abc import ABCMeta, abstractmethod
from contextlib import contextmanager

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import check_scoring
from sklearn.utils import _safe_indexing, check_random_state
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from . import _settings
from ._batches import Batches
from ._blas import blas
from ._diagnosis import divergence_message, warn_if_hopeless
from ._monitor import Diverged, Monitor, new_history, new_progress
from ._network import Network
from ._prediction import Predictor
from ._training import Trainer, chunk_rows, train_epochs, train_lbfgs
from ._validation import ValidationSet, hold_out, mean_loss

# Matrices of these types are worked on as they are, a mini-batch at a time; others become the first.
_DTYPES = [np.float64, np.float32, np.float16, *map(np.dtype, "?bBhHiIlLqQ")]
_MAX_SEED = np.iinfo(np.int32).max


def has_epochs(estimator):
    """Whether the solver can do one epoch at a time, for ``available_if``."""
    if estimator.solver == "lbfgs":
        raise AttributeError("partial_fit is only available for solver='sgd' and solver='adam', not for 'lbfgs'.")
    return True


class BaseFNN(BaseEstimator, metaclass=ABCMeta):
    """Feedforward network trained by (stochastic) gradient descent or L-BFGS."""

    _network: Network
    _theta: np.ndarray
    _progress: dict
    history_: dict

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

    # Training

    def _fit(
        self,
        X,
        y,
        sample_weight,
        validation,
        *,
        incremental=False,
        classes=None,
        coefs_init=None,
        intercepts_init=None,
    ):
        """`fit` and `partial_fit`: check everything, then train, then keep the result."""
        fresh = not (hasattr(self, "_theta") and (incremental or self.warm_start))
        params = self.get_params(deep=False)
        hidden = _settings.hidden_sizes(self.hidden_layer_sizes)
        activations = _settings.activation_names(self.activation, len(hidden))
        X_given = X
        rules = {"accept_sparse": "csr", "dtype": _DTYPES, "multi_output": True}
        X, y = validate_data(self, X, y, reset=fresh, ensure_all_finite=not _is_finite(X), **rules)
        if sample_weight is not None:
            sample_weight = _check_weights("sample_weight", sample_weight, X)
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
        theta = self._theta.copy()
        _settings.write_initial_values(network, theta, coefs_init, intercepts_init)

        rows, valid = None, self._validation_set(*validation)
        if valid is None and not incremental:
            rows, valid = self._held_out(X, X_given, y, targets, sample_weight)
        if weights is not None:
            weights = _normalised(weights, rows)

        # From here on the estimator describes the model in training: scorers look at it.
        self._network, self._theta, self._loss = network, theta, loss
        capacity = chunk_rows(network, X, theta.dtype)
        n_rows = X.shape[0] if rows is None else len(rows)
        batch_size = n_rows if self.solver == "lbfgs" else _settings.rows_in_batch(self.batch_size, n_rows)
        batches = Batches(X, targets, weights, rows, batch_size, self.shuffle, theta.dtype, capacity)
        eta_0 = _settings.initial_learning_rate(params)
        solver = _settings.make_solver(params)
        if solver is not None:
            self._solver_state = self._continued_state(solver, theta)
            solver.bind(network, theta, self._solver_state)
            if self.solver == "sgd" and (fresh or not incremental):
                warn_if_hopeless(X, eta_0, getattr(self, "feature_names_in_", None))
            self.learning_rate_init_ = eta_0
        else:
            self._solver_state = {}
        self._progress = dict(self._progress)
        monitor = Monitor(
            theta,
            self._solver_state,
            self._progress,
            self.history_,
            schedule=_settings.make_schedule(params, eta_0),
            rows=n_rows,
            steps=batches.n_batches,
            validate=None if valid is None else self._validator(valid, capacity),
            early_stopping=self.early_stopping and valid is not None,
            keeps_best=not incremental,
            adaptive=self.learning_rate == "adaptive",
            tol=self.tol,
            patience=self.n_iter_no_change,
            stops_on_loss=self.solver != "lbfgs",
            verbose=self.verbose,
            max_iter=1 if incremental else self.max_iter,
        )
        trainer = Trainer(network, theta, batches, loss, solver, self.alpha / n_rows)
        self._run(trainer, monitor, incremental, X)
        self._keep(monitor, incremental)
        return self

    def _start_anew(self, network, X_dtype):
        """Forget what was learned; initial parameters."""
        dtype = np.result_type(X_dtype, np.float32) if self.dtype == "auto" else np.dtype(self.dtype)
        self._seed = check_random_state(self.random_state).randint(_MAX_SEED)
        self._theta = network.initial_parameters(np.random.default_rng(self._seed), dtype)
        self._network = network
        self._solver_state = None
        self._progress, self.history_ = new_progress(), new_history()
        self.n_iter_ = 0

    def _continued_state(self, solver, theta):
        """A copy of the solver's state to go on with, or a new one where there is none of this solver."""
        new = solver.init(theta.dtype, theta.size)
        old = self._solver_state
        if old is None or old.keys() != new.keys():
            return new
        return {name: value.copy() if isinstance(value, np.ndarray) else value for name, value in old.items()}

    def _run(self, trainer, monitor, incremental, X):
        """Train, in place in the monitor's arrays."""
        try:
            # Overflow is looked for at the end of every epoch.
            with np.errstate(over="ignore", invalid="ignore", divide="ignore", under="ignore"):
                if self.solver == "lbfgs":
                    result = train_lbfgs(trainer, monitor, self.max_iter, self.max_fun, self.tol)
                    if not result.success and not monitor.stopped:
                        _warn_not_converged(f"L-BFGS did not converge: {result.message}")
                else:
                    max_iter = 1 if incremental else self.max_iter
                    train_epochs(trainer, monitor, max_iter, self._epoch_rng)
                    if not (incremental or monitor.stopped or self.n_iter_no_change == np.inf):
                        _warn_not_converged(f"max_iter={max_iter} epochs were done and training has not converged yet")
        except KeyboardInterrupt:
            if incremental or not monitor.epochs:
                raise
            monitor.roll_back()
            warnings.warn("Training interrupted: the weights are those of the last finished epoch.", stacklevel=5)
        except Diverged:
            eta = None if self.solver == "lbfgs" else self.learning_rate_init_
            names = getattr(self, "feature_names_in_", None)
            epoch = len(monitor.history["epoch"]) + 1
            raise ValueError(divergence_message(X, eta, epoch, names)) from None
        if self.early_stopping and not incremental:
            monitor.restore_best()

    def _epoch_rng(self, number):
        """The random stream of an epoch: it depends on the seed and on how many epochs came before, on nothing else."""
        return np.random.default_rng([self._seed, number])

    def _keep(self, monitor, incremental):
        """Set the fitted attributes."""
        history, progress = self.history_, self._progress
        validated = history["validation_loss"][-1] is not None
        self.n_iter_ = self.n_iter_ + 1 if incremental else monitor.epochs
        self.t_, self.n_steps_ = progress["t"], progress["n_steps"]
        self.n_layers_, self.n_outputs_ = len(self._network.sizes), self._network.sizes[-1]
        self.out_activation_ = self._loss.out_activation
        self.loss_curve_ = history["loss"]
        self.loss_ = history["loss"][-1]
        self.best_loss_ = None if self.early_stopping and validated else progress["best_loss"]
        self.validation_scores_ = history["validation_score"] if validated else None
        self.validation_loss_curve_ = history["validation_loss"] if validated else None
        self.best_validation_score_ = progress["best_score"] if validated else None

    @contextmanager
    def _all_or_nothing(self):
        """Leave the estimator as it was when the body raises."""
        before = dict(vars(self))
        length = len(before["history_"]["epoch"]) if "history_" in before else 0
        try:
            yield
        except BaseException:
            self.__dict__.clear()
            self.__dict__.update(before)
            for values in before.get("history_", {}).values():
                del values[length:]
            raise

    # The validation set

    def _validation_set(self, X_val, y_val, sample_weight_val):
        """The set given to fit, checked, or None."""
        if X_val is None and y_val is None:
            if sample_weight_val is not None:
                raise ValueError("sample_weight_val was given without X_val and y_val.")
            return None
        if X_val is None or y_val is None:
            raise ValueError("X_val and y_val must be given together; got only one of them.")
        try:
            X, y = validate_data(self, X_val, y_val, accept_sparse="csr", dtype=_DTYPES, multi_output=True, reset=False)
            targets = self._encode_validation(y)
        except ValueError as error:
            raise ValueError(f"The validation set (X_val, y_val) does not fit: {error}") from error
        weights = sample_weight_val
        if weights is not None:
            weights = _check_weights("sample_weight_val", weights, X)
        return ValidationSet(X, X_val, y, targets, weights)

    def _held_out(self, X, X_given, y, targets, sample_weight):
        """Row numbers of the training set and the validation set held out of it, or (None, None)."""
        fraction = self.validation_fraction
        if fraction is None:
            if not self.early_stopping:
                return None, None
            fraction = 0.1
        held = hold_out(X.shape[0], fraction, self._strata(targets), sample_weight, self._seed)
        rows = np.setdiff1d(np.arange(X.shape[0]), held)
        weights = None if sample_weight is None else sample_weight[held]
        # A custom scorer gets the rows in the form in which X came, with its feature names.
        X_scored = X[held] if self.scoring in (None, "loss") else _safe_indexing(X_given, held)
        return rows, ValidationSet(X[held], X_scored, y[held], targets.subset(held), weights)

    def _validator(self, valid, capacity):
        """The function that gives loss and score on the validation set."""
        predictor = Predictor(self._network, self._theta, valid.X, capacity)
        scorer = None if self.scoring in (None, "loss") else check_scoring(self, self.scoring)
        scorer_weights = {} if valid.weights is None else {"sample_weight": valid.weights}

        def validate():
            raw = predictor.raw_outputs()
            loss = mean_loss(self._loss, raw, valid.targets, valid.weights)
            if self.scoring == "loss":
                return loss, -loss
            if scorer is None:
                return loss, self._mean_score(raw, valid.targets, valid.weights)
            return loss, float(scorer(self, valid.X_given, valid.y, **scorer_weights))

        return validate

    # Prediction

    def _raw_outputs(self, X, activate=None):
        """The output layer before its activation, or after it, (n, n_outputs)."""
        check_is_fitted(self)
        if not self._is_ready(X):
            X = validate_data(self, X, accept_sparse="csr", dtype=_DTYPES, reset=False)
        predictor = Predictor(self._network, self._theta, X, chunk_rows(self._network, X, self._theta.dtype))
        return predictor.raw_outputs(activate)

    def _is_ready(self, X):
        """Whether X is an array that validation would let pass as it is; for one row validation is the larger work.

        Anything in doubt is left to scikit-learn's validation and its messages.
        """
        return (
            _is_finite(X)
            and X.ndim == 2
            and X.shape[0] > 0
            and X.shape[1] == self.n_features_in_
            and not hasattr(self, "feature_names_in_")
        )

    # The model

    def __sklearn_is_fitted__(self):
        return hasattr(self, "_theta")

    @property
    def coefs_(self):
        """The weights of every layer, (fan_in, fan_out): views of the parameters."""
        return [layer[:-1] for layer in self._fitted_layers()]

    @property
    def intercepts_(self):
        """The biases of every layer, (fan_out,): views of the parameters."""
        return [layer[-1] for layer in self._fitted_layers()]

    def _fitted_layers(self):
        if not hasattr(self, "_theta"):
            raise AttributeError(f"This {type(self).__name__} is not fitted yet: call fit first.")
        return self._network.layers(self._theta)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def _warn_not_converged(message):
    warnings.warn(f"{message}. Raise max_iter, or scale the data.", ConvergenceWarning, stacklevel=6)


def _is_finite(X):
    """Whether X is a plain array of floats, all finite: by BLAS in half the time that NumPy's sum takes.

    False says nothing: the sum may be too large, or X of another kind.
    """
    if type(X) is not np.ndarray or X.dtype not in (np.float64, np.float32) or not 0 < X.size < 2**31:
        return False
    if not (X.flags.c_contiguous or X.flags.f_contiguous):
        return False
    return math.isfinite(blas(X.dtype).asum(X.ravel("K")))


def _check_weights(name, weights, X):
    """Weights (n,) as float64: finite, not negative, not all zero."""
    try:
        weights = _check_sample_weight(weights, X, dtype=np.float64, ensure_non_negative=True)
    except ValueError as error:
        raise ValueError(f"{name} is not usable: {error}") from error
    if not weights.any():
        raise ValueError(f"{name} is zero for all rows: at least one must be positive.")
    return weights


def _normalised(weights, rows):
    """The weights divided by their mean over the training rows."""
    mean = weights.mean() if rows is None else weights[rows].mean()
    if not mean > 0:
        raise ValueError("All rows of the training set have weight 0 (sample_weight, class_weight).")
    return weights / mean
