"""The loop over the epochs, and the L-BFGS run."""

import math
from functools import partial

import numpy as np
from scipy.optimize import minimize

from .._engine.rates import StepRates


def train_epochs(trainer, monitor, max_iter, epoch_rng):
    """Up to `max_iter` epochs; `epoch_rng(number)` gives the random stream of an epoch."""
    for _ in range(max_iter):
        eta = monitor.begin_epoch()
        rates = StepRates(math.nan, eta) if callable(eta) else StepRates(eta)
        loss = trainer.epoch(rates, partial(epoch_rng, monitor.number))
        if monitor.end_epoch(loss):
            break


def train_lbfgs(trainer, monitor, max_iter, max_fun, tol):
    """L-BFGS (Liu and Nocedal 1989) as SciPy has it; returns whether and why it ended, as SciPy says it."""

    def objective(x):
        monitor.begin_epoch()  # the first evaluation after an iteration begins the next one
        np.copyto(trainer.theta, x, casting="same_kind")
        value, gradient = trainer.value_and_gradient()
        return value, gradient.astype(np.float64)

    def end_iteration(intermediate_result):
        np.copyto(trainer.theta, intermediate_result.x, casting="same_kind")
        if monitor.end_epoch(float(intermediate_result.fun)):
            raise StopIteration

    options = {"maxfun": max_fun, "maxiter": max_iter, "gtol": tol}
    start = trainer.theta.astype(np.float64)
    result = minimize(objective, start, method="L-BFGS-B", jac=True, callback=end_iteration, options=options)
    np.copyto(trainer.theta, result.x, casting="same_kind")
    if monitor.epochs:
        monitor.abandon_epoch()
    else:
        monitor.end_epoch(float(result.fun))
    return result
