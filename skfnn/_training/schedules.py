"""The learning-rate schedules: which eta the next epoch uses.

A schedule is a function of the initial eta, of the progress of the training so far, and of settings; ``by_step`` says
of one that it gives a function from the number of the step to eta, for the steps of the epoch, instead of one eta.
"""

import math
from functools import partial
from numbers import Real


def constant(eta_0, progress, settings):
    """eta_0, always."""
    return eta_0


def invscaling(eta_0, progress, settings):
    """eta_0 / (t + 1)^power_t, with t the rows that training has gone through so far."""
    try:
        return eta_0 / (progress["t"] + 1.0) ** settings["power_t"]
    except OverflowError:
        return 0.0


def adaptive(eta_0, progress, settings):
    """eta_0, divided by 5 every time that training stalled (see the monitor)."""
    return eta_0 * progress["rate_scale"]


def cosine(eta_0, progress, settings):
    """eta_0 / 2 * (1 + cos(pi e / max_iter)), with e the epochs of this training so far.

    Loshchilov and Hutter (2017), "SGDR", arXiv 1608.03983, equation 5 without restarts.
    """
    share = min(1.0, progress["epoch"] / settings["max_iter"])
    return 0.5 * eta_0 * (1.0 + math.cos(math.pi * share))


SCHEDULES = {"constant": constant, "invscaling": invscaling, "adaptive": adaptive, "cosine": cosine}

# "adaptive" divides by this number, down to this learning rate.
ADAPTIVE_DIVISOR = 5.0
ADAPTIVE_SMALLEST = 1e-6


def user_rate(function, step):
    """The eta that a user's function gives for a step, checked."""
    eta = function(step)
    if not isinstance(eta, Real):
        raise ValueError(f"learning_rate must return a number for a step, got {eta!r} for step {step}.")
    eta = float(eta)
    if not 0.0 <= eta < math.inf:
        raise ValueError(f"learning_rate must return a finite number >= 0 for a step, got {eta} for step {step}.")
    return eta


def make_schedule(learning_rate, eta_0, power_t, max_iter):
    """The function from a training's progress to the next epoch's eta, or to the eta of its k-th step (k = 0, ...)."""
    if callable(learning_rate):
        return lambda progress: lambda k: user_rate(learning_rate, progress["n_steps"] + k)
    return partial(SCHEDULES[learning_rate], eta_0, settings={"power_t": power_t, "max_iter": max_iter})
