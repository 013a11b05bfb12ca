"""One attempt to train a model, from the data to the judgement of the result."""

from dataclasses import replace

import numpy as np

from .._engine.batches import Batches
from .._engine.objective import Objective
from .._engine.trainer import make_trainer
from .._training.loop import LBFGS, EpochLoop
from .._training.monitor import EpochSize, Monitor
from .._training.printer import Printer
from .call import FIT
from .diagnosis import Diagnosis
from .exceptions import ConstantPredictionWarning, DivergenceWarning, InterruptedWarning, NotConvergedWarning
from .judgement import FAR, FAR_CALLS, SMALLEST, VERY_FAR, Trial, constant_loss, relative_change
from .learning_rate import automatic_rate
from .objective import objective_of
from .validation import validator
from .warnings import called_directly, warn_user

# The buffers for computing a loss after training take about this many bytes.
LOSS_BYTES = 2_000_000


class FarAbove(Exception):
    """The final loss is far above that of the best constant prediction."""

    def __init__(self, loss, constant):
        super().__init__(loss, constant)
        self.loss, self.constant = loss, constant


class Run:
    """One attempt to train `estimator` in place: its `_state`, for its `_task`.

    ``begin()`` makes a copy of the state in which the attempt starts.
    """

    def __init__(self, estimator, call, settings, data, split, begin):
        self._estimator, self._call, self._settings, self._data, self._split = estimator, call, settings, data, split
        self._begin = begin
        self._state, self._task = estimator._state, estimator._task
        self._targets, self._loss = self._task.in_training(data.targets, self._state.coordinates)
        self._weights = data.normalised_weights(split.rows)
        self._unfinished = None  # why training has not converged

    def train(self, epochs, callbacks, *, may_restart):
        """Train for up to `epochs` epochs; raise Diverged or FarAbove if the result is useless."""
        call, settings, state, split = self._call, self._settings, self._state, self._split
        batches = self._batches()
        self._trial = self._new_trial(may_restart)
        runner = self._runner(batches)
        self._look_at_features()
        watches_score = settings.watches_score(split)
        monitor = Monitor(
            state,
            EpochSize(batches.n_rows, batches.n_batches),
            settings.make_schedule(getattr(self._estimator, "learning_rate_init_", None)),
            settings.make_patience(watches_score),
            Printer(settings.verbose, state.epoch_number + epochs, "Epoch" if settings.has_epochs else "Iteration"),
            validate=validator(self._estimator, self._task, state, split.valid, batches.capacity),
            watches_score=watches_score,
            keeps_best=call.one_epoch or watches_score,
            callbacks=callbacks,
        )
        if call is FIT and watches_score and state.epoch_number:
            monitor.score_start()  # an epoch is only better if it beats the weights of the warm start
        if epochs:
            self._loop(runner, monitor, epochs)
        del runner, batches  # the judgement needs buffers of the same size
        if call.one_epoch:
            self._judge_call()
            return
        state.put_best_back(monitor.journal.last_theta, monitor.interrupted)
        if not monitor.interrupted:
            verdict = self._judge(stalled=monitor.stopped)
            unfinished = self._unfinished and self._unfinished + self._diagnosis().to_converge()
            for message, category in (
                (unfinished, NotConvergedWarning),
                (verdict, ConstantPredictionWarning),
            ):
                if message:
                    warn_user(message, category)

    @property
    def _unit(self):
        """The factor from a loss in the coordinates of training to the same loss in the units of y."""
        return float(np.ravel(self._loss.unit)[-1])

    def _new_trial(self, may_restart):
        """The Trial that watches the losses of the run. For `partial_fit`, nothing is computed in advance."""
        if self._call.one_epoch:
            return Trial(0.0, may_restart)
        constant = constant_loss(self._loss, self._targets, self._split.rows, self._weights)
        # A run that continues is compared with the last loss before it.
        past = self._state.history["loss"][-1:]
        first = past[0] / self._unit if past else None
        return Trial(constant, may_restart, self._task.typical_loss, first)

    def failure_message(self, failure):
        """The message for a Diverged or a FarAbove."""
        advice = self._task.advice(self._targets)
        if isinstance(failure, FarAbove):
            return self._diagnosis().far_above(failure.loss, failure.constant, advice)
        return self._diagnosis().not_finite(self._state.epoch_number + 1, advice)

    def _diagnosis(self, eta=None):
        """The Diagnosis of this run; `eta` is the learning rate, by default that of the run."""
        estimator = self._estimator
        if eta is None and self._settings.has_epochs:
            eta = estimator.learning_rate_init_
            if callable(self._settings.learning_rate):
                eta = "given by a function"
        names = getattr(estimator, "feature_names_in_", None)
        return Diagnosis(self._data.X, self._state.coordinates, eta, self._settings.rate_is_automatic, names)

    def _batches(self):
        """The mini-batches of the training rows."""
        data, state, tuning, rows = self._data, self._state, self._estimator._tuning, self._split.rows
        n_rows = data.X.shape[0] if rows is None else len(rows)
        return Batches(
            data.X,
            self._targets,
            self._weights,
            rows,
            self._settings.rows_in_batch(n_rows),
            self._settings.shuffle,
            state.coordinates.row_format(state.theta.dtype),
            tuning.rows_at_once(state.network, data.X, state.theta.dtype),
            tuning,
        )

    def _runner(self, batches):
        """The Runner that trains the parameters: L-BFGS, or a loop of epochs with another solver."""
        call, settings, state, loss = self._call, self._settings, self._state, self._loss
        network, theta, decay = state.network, state.theta, settings.alpha / batches.n_rows
        if not settings.has_epochs:
            state.solver = {}
            objective = Objective(network, theta, batches, loss, decay)
            return LBFGS(objective, theta, settings.max_fun, settings.tol, watch=self._trial.watch)
        solver = settings.make_solver()
        state.begin_solver(solver)
        solver.bind(network, theta, state.solver)
        self._estimator.learning_rate_init_ = self._initial_rate(batches)
        extras = {"dropout": settings.dropout, "max_norm": settings.max_grad_norm, "tuning": self._estimator._tuning}
        trainer = make_trainer(network, theta, batches, loss, solver, decay=decay, **extras)
        unfinished = None if call.one_epoch else settings.unfinished
        return EpochLoop(trainer, state.seed, unfinished=unfinished, watch=self._trial.watch)

    def _look_at_features(self):
        """Warn if plain SGD cannot train with the given eta because the features are too large."""
        state, settings = self._state, self._settings
        begins = self._call is FIT or not state.epoch_number
        given = settings.solver == "sgd" and not settings.rate_is_automatic
        if begins and given and state.coordinates.feature_scale is None:
            self._diagnosis(settings.given_rate()).warn_if_hopeless()

    def _initial_rate(self, batches):
        """The initial eta of the run, given by the user or automatic."""
        settings, state = self._settings, self._state
        if not settings.rate_is_automatic:
            return settings.given_rate()
        steepness = state.steepness if settings.solver == "sgd" else 1.0
        is_whole = batches.batch_size == batches.n_rows
        if self._call.one_epoch:
            # The rows of a `partial_fit` call are a sample of a stream, unless a `fit` on no more rows came before.
            is_whole &= 0 < state.whole_batch <= batches.n_rows
        elif is_whole:
            state.whole_batch = batches.n_rows
        rate = automatic_rate(settings, state.network, self._loss, batches.batch_size, is_whole)
        return rate / steepness / state.rate_divisor

    def _loop(self, runner, monitor, epochs):
        """Run the training loop; after an interruption, keep the finished epochs."""
        try:
            # The monitor looks for overflow at the end of every epoch.
            with np.errstate(all="ignore"):
                self._unfinished = runner.run(monitor, epochs)
        except KeyboardInterrupt:
            if self._call.one_epoch or not monitor.epochs:
                raise
            monitor.roll_back()
            if not called_directly():
                raise  # otherwise a search or an ensemble would continue with the next fit
            warn_user("Training interrupted: the weights are those of the last finished epoch.", InterruptedWarning)

    def _judge(self, *, stalled):
        """The message if the model is no better than the best constant, or None; raise if it is far worse."""
        trial = self._trial
        if not trial.is_doubtful(self._state.restored_score is not None):
            return None
        loss = self._loss_at(self._state.theta)
        if trial.is_better(loss[0]):
            return None
        constant, initial, change = trial.constant * self._unit, (None, None), np.inf
        if self._settings.has_epochs:
            theta = self._begin().theta
            initial, change = self._loss_at(theta), relative_change(self._state.theta, theta)
        hardly_moved = self._settings.has_epochs and trial.has_hardly_moved(loss[0], initial[0], change)
        has_diverged = not hardly_moved and trial.has_diverged(loss[0], initial[0])
        if has_diverged or not np.isfinite(loss[0]):
            raise FarAbove(float(loss[-1]), constant)
        finished = stalled or self._state.progress.epoch < self._settings.max_iter
        falls = trial.has_fallen(loss[0]) and not finished
        # If the loss still falls, `_unfinished` already says what to do, or the loss is below the constant's by now.
        if falls and (self._unfinished or loss[0] < trial.constant):
            return None
        stuck_at = initial[-1] if hardly_moved else None
        return self._diagnosis().not_below(
            loss[-1], constant, finished=finished, still_falling=falls, stuck_at=stuck_at
        )

    def _loss_at(self, theta):
        """The training loss of the parameters `theta`, one or two numbers.

        It differs from the loss of an epoch, during which the parameters change.
        """
        objective = objective_of(
            self._estimator,
            self._data,
            theta=theta,
            rows=self._split.rows,
            weights=self._weights,
            training=(self._targets, self._loss),
            # The buffers of training are still there, so those for the loss should be small.
            tuning=replace(self._estimator._tuning, chunk_bytes=LOSS_BYTES),
        )
        with np.errstate(all="ignore"):
            return np.ravel(objective.value_and_gradient()[0])

    def _judge_call(self):
        """Warn once if the losses of `partial_fit` calls are far above the loss of a constant prediction."""
        state, loss = self._state, self._trial.last
        # The best constant for a few rows may have no loss at all, so a typical loss is used.
        constant = self._task.typical_loss
        if state.far_calls == FAR_CALLS or loss is None or constant < SMALLEST:
            return
        if loss > FAR * constant:
            constant = max(constant, constant_loss(self._loss, self._targets, None, self._weights))
        if loss <= FAR * constant:
            state.far_calls = 0
            return
        state.far_calls = FAR_CALLS if loss > VERY_FAR * constant else state.far_calls + 1
        if state.far_calls == FAR_CALLS:
            unit, advice = self._unit, self._task.advice(self._targets)
            warn_user(self._diagnosis().call_far_above(loss * unit, constant * unit, advice), DivergenceWarning)
