"""The learning-rate schedules, which give the learning rates of the next epoch.

A schedule is a function of the initial eta, the progress of the training run so far, and settings. It returns one eta
for the whole epoch.
"""

import math
from functools import partial
from numbers import Real

from .._engine.rates import StepRates


def constant(eta_0, progress, *, power_t, max_iter):
    """eta_0, always."""
    return eta_0


def invscaling(eta_0, progress, *, power_t, max_iter):
    """eta_0 / (t + 1)^power_t, with t the number of rows processed so far."""
    try:
        return eta_0 / (progress.t + 1.0) ** power_t
    except OverflowError:
        return 0.0


def adaptive(eta_0, progress, *, power_t, max_iter):
    """eta_0, divided by 5 each time the training run stalls (see ``Patience``)."""
    return eta_0 * progress.rate_scale


def cosine(eta_0, progress, *, power_t, max_iter):
    """eta_0 / 2 * (1 + cos(pi e / max_iter)), with e the number of epochs of this training run so far.

    Loshchilov and Hutter (2017), "SGDR", arXiv 1608.03983, equation 5 without restarts.
    """
    share = min(1.0, progress.epoch / max_iter)
    return 0.5 * eta_0 * (1.0 + math.cos(math.pi * share))


SCHEDULES = {"constant": constant, "invscaling": invscaling, "adaptive": adaptive, "cosine": cosine}

# "adaptive" divides the learning rate by the first number, until the rate is at most the second.
ADAPTIVE_DIVISOR = 5.0
ADAPTIVE_SMALLEST = 1e-6


NO_RATES = StepRates(math.nan)


def user_rate(function, step):
    """The eta that a user's function returns for a step, checked."""
    eta = function(step)
    if not isinstance(eta, Real):
        raise ValueError(f"learning_rate must return a number for a step, got {eta!r} for step {step}.")
    eta = float(eta)
    if not 0.0 <= eta < math.inf:
        raise ValueError(f"learning_rate must return a finite number >= 0 for a step, got {eta} for step {step}.")
    return eta


def no_rates(progress):
    """The schedule of a solver without a learning rate."""
    return NO_RATES


def make_schedule(learning_rate, eta_0, power_t, max_iter):
    """The function from the progress of a training run to the StepRates of its next epoch."""
    if callable(learning_rate):
        return partial(_by_step, learning_rate)
    rule = partial(SCHEDULES[learning_rate], eta_0, power_t=power_t, max_iter=max_iter)
    return lambda progress: StepRates(rule(progress))


def _by_step(function, progress):
    """The StepRates that a user's function of the step number gives."""
    return StepRates(user_rate(function, progress.n_steps), lambda k: user_rate(function, progress.n_steps + k))
