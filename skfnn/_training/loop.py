"""The loop over the epochs, and L-BFGS."""

from functools import partial
from typing import Any, Protocol

import numpy as np
from scipy.optimize import minimize


class Runner(Protocol):
    """Trains the parameters in place until the monitor stops it or all epochs are done."""

    def run(self, monitor, max_iter) -> str | None:
        """Run up to `max_iter` epochs; return why training has not converged, or None."""


def ignore(loss):
    """Do nothing with the loss of an epoch."""


class EpochLoop:
    """Gradient descent, epoch by epoch.

    `unfinished` is the message for a run that does all its epochs without a stall. ``watch(loss)`` gets the loss of
    every epoch before the monitor gets it, and may raise Diverged.
    """

    def __init__(self, trainer, seed, *, unfinished=None, watch=ignore):
        self._trainer, self._seed, self._unfinished, self._watch = trainer, seed, unfinished, watch

    def run(self, monitor, max_iter):
        """Run up to `max_iter` epochs; return why training has not converged, or None."""
        for _ in range(max_iter):
            rates = monitor.begin_epoch()
            loss = self._trainer.epoch(rates, partial(epoch_rng, self._seed, monitor.state.epoch_number))
            self._watch(float(np.ravel(loss)[0]))
            if monitor.end_epoch(loss):
                return None
        return self._unfinished


def epoch_rng(seed, number, stream=0):
    """A random stream of an epoch. It depends only on the seed and on the number of epochs done before."""
    return np.random.default_rng([seed, number, stream] if stream else [seed, number])


class LBFGS:
    """L-BFGS (Liu and Nocedal 1989) from SciPy; an iteration is an epoch.

    `objective` reads `theta`, which is changed in place. ``watch(loss)`` gets the loss of every iteration before the
    monitor gets it.
    """

    def __init__(self, objective, theta, max_fun, tol, watch=ignore):
        self._objective, self._theta, self._watch = objective, theta, watch
        self._options = {"maxfun": max_fun, "gtol": tol}
        self._value: Any = None  # the objective at the last evaluation

    def run(self, monitor, max_iter):
        """Run up to `max_iter` iterations; return why training has not converged, or None."""

        def evaluate(x):
            monitor.begin_epoch()  # the first evaluation after an iteration begins the next one
            self._take(x)
            self._value, gradient = self._objective.value_and_gradient()
            return float(np.ravel(self._value)[0]), gradient.astype(np.float64)

        def end_iteration(intermediate_result):
            if self._end_epoch(monitor, self._loss_at(intermediate_result)):
                raise StopIteration

        result = minimize(
            evaluate,
            self._theta.astype(np.float64),
            method="L-BFGS-B",
            jac=True,
            callback=end_iteration,
            options=self._options | {"maxiter": max_iter},
        )
        loss = self._loss_at(result)
        if monitor.epochs:
            monitor.abandon_epoch()
        else:
            self._end_epoch(monitor, loss)
        return None if result.success or monitor.stopped else self._unfinished(result, max_iter)

    @staticmethod
    def _unfinished(result, max_iter):
        """Why SciPy's `result` has not converged, and which limit to raise if it ended at a limit."""
        advice = ""
        if result.status == 1:
            advice = f" Raise {'max_iter' if result.nit >= max_iter else 'max_fun'}."
        return f"L-BFGS did not converge: {result.message.rstrip(' .:')}.{advice}"

    def _end_epoch(self, monitor, loss):
        self._watch(float(np.ravel(loss)[0]))
        return monitor.end_epoch(loss)

    def _loss_at(self, result):
        """Take the parameters from SciPy's `result`; return the loss there."""
        self._take(result.x)
        if np.ravel(self._value)[0] != result.fun:  # the last evaluation was at another point
            self._value, _ = self._objective.value_and_gradient()
        return self._value

    def _take(self, x):
        """Copy SciPy's parameters into the network."""
        np.copyto(self._theta, x, casting="same_kind")
