"""Warnings name the file and line of the user's call, whatever calls are in between."""

import inspect

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skfnn import FNNClassifier, FNNRegressor

sklearn_callback = pytest.importorskip("sklearn.callback", reason="callbacks need scikit-learn 1.9")

rng = np.random.default_rng(0)
X = rng.normal(size=(40, 3))
y = (X[:, 0] > 0).astype(int)


class Quiet:
    """A callback that does nothing."""

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context):
        pass


def warned_line(call, category, match):
    """The line that the warning of ``call()`` names; this function checks the file."""
    with pytest.warns(category, match=match) as caught:
        call()
    names = {(warning.filename, warning.lineno) for warning in caught if issubclass(warning.category, category)}
    assert len(names) == 1
    ((filename, line),) = names
    assert filename == __file__
    return line


def line_of(call):
    """The line number of a one-line lambda."""
    return inspect.getsourcelines(call)[1]


def large_batch(kind=FNNClassifier, **settings):
    eta = 0.5 if kind is FNNClassifier else 0.1
    training = {"learning_rate_init": eta, "max_iter": 20, "n_iter_no_change": None, "random_state": 0}
    return kind(4, batch_size=1000, **training, **settings)


def with_callbacks():
    return large_batch().set_callbacks(Quiet())


def search(model, name):
    return GridSearchCV(model, {name: [0.1]}, cv=2)


ROUTES = {
    "fit": lambda: large_batch().fit(X, y),
    "regressor": lambda: large_batch(FNNRegressor).fit(X, y),
    "partial_fit": lambda: large_batch().partial_fit(X, y, classes=[0, 1]),
    "resume": lambda: large_batch().resume(X, y),
    "pipeline": lambda: make_pipeline(StandardScaler(), large_batch()).fit(X, y),
    "callbacks": lambda: with_callbacks().fit(X, y),
    "search": lambda: search(large_batch(), "alpha").fit(X, y),
    "search and pipeline": lambda: search(make_pipeline(large_batch()), "fnnclassifier__alpha").fit(X, y),
}


@pytest.mark.parametrize("route", ROUTES)
def test_a_warning_from_the_checks_names_the_users_line(route):
    call = ROUTES[route]
    assert warned_line(call, UserWarning, "batch_size=1000 is larger") == line_of(call)


@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
@pytest.mark.parametrize("callbacks", [False, True])
def test_a_warning_at_the_end_of_training_names_the_users_line(solver, callbacks):
    model = FNNClassifier(4, solver=solver, learning_rate_init=0.1, max_iter=10, random_state=0)
    if callbacks:
        model.set_callbacks(Quiet())
    call = lambda: model.fit(X, y)  # noqa: E731 the test is about this line
    assert warned_line(call, ConvergenceWarning, "converge") == line_of(call)
