"""A monitor that gets the losses of its epochs from the test."""

import numpy as np

from skfnn._engine.network import Network
from skfnn._engine.rates import StepRates
from skfnn._training.monitor import EpochSize, Monitor, no_validation
from skfnn._training.patience import Patience
from skfnn._training.printer import Printer
from skfnn._training.state import TrainingState


def constant(progress):
    """A schedule."""
    return StepRates(0.5)


def watch(losses, *, theta=None, solver=None, scores=None, schedule=constant, verbose=False, **patience):
    """Give these losses to a monitor until it stops; return the monitor and the eta of each epoch.

    With `scores`, one per epoch, the monitor watches the validation score instead.
    """
    theta = np.zeros(3) if theta is None else theta
    state = TrainingState(Network((2, 1), ()), theta, 0, solver={} if solver is None else solver)
    tol, epochs = patience.pop("tol", 1e-4), patience.pop("patience", 10)
    values = iter(scores or ())
    monitor = Monitor(
        state,
        EpochSize(rows=90, steps=5),
        schedule,
        Patience(tol, epochs, watches="Training loss" if scores is None else "Validation score", **patience),
        Printer(verbose, len(losses)),
        validate=no_validation if scores is None else lambda: (0.0, next(values)),
        watches_score=scores is not None,
    )
    etas = []
    for loss in losses:
        etas.append(monitor.begin_epoch().first)
        if monitor.end_epoch(loss):
            break
    return monitor, etas
