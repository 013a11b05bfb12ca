"""The steps of ``fit``, ``partial_fit`` and ``resume``, and the parameters that all FNN estimators share."""

from abc import ABCMeta, abstractmethod
from functools import cache, partial
from types import MethodType

import numpy as np
from sklearn.base import _fit_context
from sklearn.utils import check_random_state

from .._engine.initial import initial_parameters
from .._training.monitor import Diverged
from .._training.state import TrainingState
from .call import RESUME
from .callbacks import CallbackSupportMixin, fit_callbacks, with_callbacks
from .columns import sample
from .coordinates import find_coordinates
from .data import Data, Given, checked_rows
from .doc_links import DocumentationLink
from .fitted import FittedNetwork
from .initial_values import NO_VALUES, write_initial_values
from .learning_rate import steepness
from .run import FarAbove, Run
from .settings import Settings
from .transaction import memory_for, transaction
from .validation import Split, Validation, given_set, held_out

_MAX_SEED = np.iinfo(np.int32).max


class SolverMethod:
    """A method that exists only if the solver can do one epoch at a time."""

    def __init__(self, method):
        self._method = method
        self.__doc__ = method.__doc__

    def __get__(self, estimator, owner=None):
        if estimator is None:
            return self._method
        if estimator.solver == "lbfgs":
            raise AttributeError("partial_fit is only available for solver='sgd' and solver='adam', not for 'lbfgs'.")
        return MethodType(self._method, estimator)


class BaseFNN(DocumentationLink, CallbackSupportMixin, FittedNetwork, metaclass=ABCMeta):
    """Feedforward network trained by (stochastic) gradient descent or L-BFGS."""

    def __init__(
        self,
        hidden_layer_sizes,
        activation,
        *,
        solver,
        batch_size,
        shuffle,
        learning_rate_init,
        init,
        standardize,
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
        self.init = init
        self.standardize = standardize
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

    @abstractmethod
    def _task_for(self, y, known, call, classes):
        """The task for this y, and the checked y; `known` is the task of earlier calls, or None."""

    @_fit_context(prefer_skip_nested_validation=True)
    def resume(self, X, y, sample_weight=None, *, X_val=None, y_val=None, sample_weight_val=None):
        """Continue training until `max_iter` epochs have been done in total.

        This finishes a `fit` that was interrupted by Ctrl-C, by a callback, or by the end of
        the process if :class:`skfnn.callbacks.Checkpoint` had saved it. With the same data,
        weights and parameters, the model is bit for bit the one that an uninterrupted `fit`
        would have returned. With ``solver='lbfgs'`` it is a model of the same quality, because
        L-BFGS starts a new approximation of the curvature. An estimator that is not fitted is
        trained from the start. If training has ended, nothing is done unless `max_iter` or
        `n_iter_no_change` has been raised since. With `early_stopping`, training then
        continues from the weights of the best epoch.

        If `resume` raises an error, the estimator stays as it was before the call.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (B, n_features)
            The rows that were given to `fit`.
        y : array-like of shape (B,) or (B, n_outputs)
            The targets of these rows.
        sample_weight : array-like of shape (B,), default=None
            The weights of these rows.
        X_val, y_val : array-like, default=None
            The validation set that was given to `fit`. If `fit` held out rows by itself, the
            same rows are held out again.
        sample_weight_val : array-like of shape (n_val,), default=None
            Weights of the validation rows.

        Returns
        -------
        self : estimator
            The estimator, trained to the end.

        Raises
        ------
        ValueError
            If parameters or data cannot be used, or if training diverges.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from skfnn import FNNClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> clf = FNNClassifier(max_iter=20, n_iter_no_change=None, random_state=0)
        >>> clf.fit(X, y).set_params(max_iter=50).resume(X, y).n_iter_
        50
        """
        validation = Validation(X_val, y_val, sample_weight_val)
        return self._train(RESUME, Given(X, y, sample_weight), validation)

    def _train(self, call, given, validation, **details):
        """Do what `call` asks for, or raise and leave the estimator as it was."""
        before = self._state_to_continue(call)
        with transaction(self, before):
            self._fit(call, before, given, validation, **details)
            if before is not None:
                self._state.succeed(before)
            return self

    @with_callbacks
    def _fit(self, call, before, given, validation, *, classes=None, initial=NO_VALUES):
        """The steps of ``fit``, ``partial_fit`` and ``resume``; `before` is the state to continue, or None."""
        call = call if before else call.from_the_start()
        settings = Settings.of(self)
        task, data = self._checked(call, given, before and self._task, classes)
        network = settings.network(data.X.shape[1], task.n_outputs)
        with memory_for(network):
            seed = before.seed if before else check_random_state(self.random_state).randint(_MAX_SEED)
            split = self._split(call, settings, task, data, validation, seed, is_first=before is None)
            before = before or self._new_state(settings, network, task, data, split.rows, seed)
            before.check_network(network)
            if settings.has_ended(call, before.progress, split) and not (settings.watches_score(split) and before.best):
                return self
            self.__dict__.update(task.attributes(), _task=task)
            epochs = settings.epochs_left(call, before.progress, split)
            callbacks = fit_callbacks(self, call, given, epochs, self._attributes_now)
            for divisor, may_restart in settings.attempts(call):
                begin = partial(self._begin, before, call, settings.keeps_best(call, before, split), divisor, initial)
                state = begin()
                # From here on the estimator describes the model in training, because scorers look at it.
                self.__dict__.update(_state=state, history_=state.history)
                if self._attempt(Run(self, call, settings, data, split, begin), epochs, callbacks, may_restart):
                    break
            self.__dict__.update(self._attributes_of(state))
            if "coefs_" not in vars(self):
                self._show_layers_in_vars()
            callbacks.end_fit()
        return self

    @staticmethod
    def _begin(before, call, keeps_best, divisor, initial):
        """The state in which an attempt to train starts: that of `before`, with the user's initial values."""
        state = before.to_train(call, keeps_best, divisor)
        write_initial_values(state, initial)
        return state

    def _attempt(self, run, epochs, callbacks, may_restart):
        """Train and return whether the result is usable. Raise if it is not and no smaller rate is left to try."""
        length = len(self.history_["epoch"])
        try:
            run.train(epochs, callbacks, may_restart=may_restart)
        except (Diverged, FarAbove) as failure:
            if not may_restart:
                raise ValueError(run.failure_message(failure)) from None
        else:
            return True
        if self.verbose:
            print(
                f"Training failed with eta {self.learning_rate_init_:g}. It starts again with a smaller eta.",
                flush=True,
            )
        for values in self.history_.values():
            del values[length:]
        callbacks.restart()
        return False

    def _checked(self, call, given, known, classes=None):
        """Check what the user passed; return the task and the Data. `known` is the task of earlier calls, or None."""
        X, y, sample_weight = checked_rows(self, *given, reset=known is None)
        task, y = self._task_for(y, known, call, classes)
        return task, Data(X, y, task.targets(y), task.row_weights(y, sample_weight), sample_weight, given)

    def _state_to_continue(self, call):
        """The state from which `call` continues; None if `call` starts anew."""
        continues = hasattr(self, "_state") and (call.continues or self.warm_start)
        return self._state.updated() if continues else None

    def _new_state(self, settings, network, task, data, rows, seed):
        """The state before the first epoch of training on `rows` (None: all rows)."""
        rng, dtype = np.random.default_rng(seed), settings.precision(data.X)
        sampled = cache(partial(sample, data.X, data.sample_weight, rows))  # computed at most once, and only if needed
        coordinates = find_coordinates(settings.standardize, task, data, rows, dtype, sampled)
        return TrainingState(
            network,
            initial_parameters(network, settings.init, rng, dtype),
            seed,
            coordinates,
            steepness=steepness(task.loss, data, coordinates, rows, sampled),
        )

    def _split(self, call, settings, task, data, validation, seed, *, is_first):
        """Which rows are trained on, and which are scored after every epoch."""
        valid = given_set(self, task, validation, data.X if is_first else None)
        if valid is None and not call.one_epoch:
            return held_out(data, task, settings, seed)
        return Split(None, valid)

    def _attributes_now(self):
        """Copies of the model's attributes after the last epoch; the training run shares none of them."""
        state = self._state.snapshot()
        return {"_state": state} | self._attributes_of(state)
