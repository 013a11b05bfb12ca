"""Callbacks that record what their hooks get, and the networks that they watch."""

import pickle

import numpy as np
import pytest
from sklearn.datasets import load_digits

from skfnn import FNNClassifier, FNNRegressor

try:
    from sklearn.callback import ProgressBar, ScoringMonitor
except ImportError:  # scikit-learn < 1.9
    ProgressBar = ScoringMonitor = None

digits = load_digits()
X, X_val = digits.data[:100] / 16, digits.data[100:150] / 16
LABELS, LABELS_VAL = digits.target[:100], digits.target[100:150]
Y = {FNNClassifier: LABELS, FNNRegressor: LABELS / 9.0}
Y_VAL = {FNNClassifier: LABELS_VAL, FNNRegressor: LABELS_VAL / 9.0}
WEIGHTS = np.arange(1.0, 101.0)
N_EPOCHS = 4

kinds = pytest.mark.parametrize("kind", [FNNClassifier, FNNRegressor])
solvers = pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])


def estimator(kind=FNNClassifier, **params):
    """An estimator that trains for exactly four epochs by default."""
    settings = {
        "hidden_layer_sizes": (8,),
        "batch_size": 20,
        "max_iter": N_EPOCHS,
        "tol": 0.0,
        "n_iter_no_change": 1000,
        "random_state": 0,
    }
    return kind(**(settings | params))


class Callback:
    """Calls `act(place)` in every hook. A place is "setup", "teardown", or a tuple such as ("end", "epoch", 0)."""

    def __init__(self, act=None):
        self.act, self.places = act, []

    def at(self, *place):
        place = place[0] if len(place) == 1 else place
        self.places.append(place)
        return self.act(place) if self.act is not None else None

    def setup(self, estimator, context):
        self.at("setup")

    def teardown(self, estimator, context):
        self.at("teardown")

    def on_fit_task_begin(self, estimator, context):
        self.at("begin", context.task_name, context.task_id)

    def on_fit_task_end(self, estimator, context):
        return self.at("end", context.task_name, context.task_id)


class Models(Callback):
    """Keeps the fitted estimators that the hooks get."""

    def __init__(self):
        super().__init__()
        self.after_epoch, self.at_the_end = [], None

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        if context.task_name == "fit":
            self.at_the_end = fitted_estimator
        else:
            self.after_epoch.append(fitted_estimator)


class Checkpoints(Callback):
    """Pickles the fitted estimators that the hooks get."""

    def __init__(self):
        super().__init__()
        self.pickles = []

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        self.pickles.append(pickle.dumps(fitted_estimator))


class Arguments(Callback):
    """Keeps the keyword arguments that the hooks get."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def on_fit_task_begin(self, estimator, context, *, X=None, y=None, metadata=None):
        self.seen.append((X, y, metadata))

    def on_fit_task_end(self, estimator, context, *, X=None, y=None, metadata=None):
        self.seen.append((X, y, metadata))


class Raising:
    """Raises `error` at a place, like a faulty callback, or one that Ctrl-C interrupts."""

    def __init__(self, place, error):
        self.place, self.error = place, error

    def __call__(self, place):
        if place == self.place:
            raise self.error


def stop_after(n_epochs):
    """A callback that stops training after `n_epochs` epochs."""
    return Callback(lambda place: place == ("end", "epoch", n_epochs - 1))


def places_of(n_epochs):
    """The places that a callback passes in a fit of `n_epochs` epochs."""
    epochs = [(event, "epoch", k) for k in range(n_epochs) for event in ("begin", "end")]
    return ["setup", ("begin", "fit", 0), *epochs, ("end", "fit", 0), "teardown"]


def assert_same_model(a, b, assert_identical):
    """Two models are the same, and so are all their records except the seconds."""
    assert_identical(a, b)
    np.testing.assert_array_equal(a.predict(X_val), b.predict(X_val))
    for name in ("n_iter_", "t_", "n_steps_", "loss_", "best_loss_", "loss_curve_", "best_validation_score_"):
        assert getattr(a, name) == getattr(b, name), name
    assert a.validation_scores_ == b.validation_scores_
    assert a.validation_loss_curve_ == b.validation_loss_curve_
    assert len(a.history_["seconds"]) == len(a.history_["epoch"])
    np.testing.assert_equal(  # learning_rate is a NaN with L-BFGS
        {key: values for key, values in a.history_.items() if key != "seconds"},
        {key: values for key, values in b.history_.items() if key != "seconds"},
    )
