"""Errors and Ctrl-C in a callback leave the estimator as it was, or with its finished epochs."""

import copy

import numpy as np
import pytest
from watchers import (
    LABELS,
    N_EPOCHS,
    WEIGHTS,
    Callback,
    Raising,
    X,
    Y,
    assert_same_model,
    estimator,
    kinds,
    places_of,
    solvers,
)

from skfnn import FNNRegressor

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.usefixtures("skip_what_this_scikit_learn_cannot_do"),
]


EPOCHS = [("begin", "epoch", 0), ("end", "epoch", 0), ("begin", "epoch", 2), ("end", "epoch", 2)]
PLACES = ["setup", ("begin", "fit", 0), *EPOCHS, ("end", "fit", 0), "teardown"]
places = pytest.mark.parametrize("place", PLACES, ids=str)


def contents(model):
    """The attributes of an estimator, and copies of the values that training changes in place."""
    attributes = dict(vars(model))
    if hasattr(model, "coefs_"):
        values = copy.deepcopy((model.coefs_, model.intercepts_, model.history_, model.loss_curve_))
        return attributes, values
    return attributes, None


def assert_contents(model, before):
    attributes, values = before
    assert vars(model).keys() == attributes.keys()
    assert all(vars(model)[name] is value for name, value in attributes.items())
    if values is None:
        assert not hasattr(model, "coefs_")
        assert not hasattr(model, "history_")
    else:
        np.testing.assert_equal((model.coefs_, model.intercepts_, model.history_, model.loss_curve_), values)


@places
@solvers
@pytest.mark.parametrize("state", ["unfitted", "fitted", "warm_start"])
@kinds
def test_an_exception_in_a_callback_leaves_the_estimator_as_it_was(kind, state, solver, place):
    model = estimator(kind, solver=solver, warm_start=state == "warm_start")
    if state != "unfitted":
        model.set_params(max_iter=2).fit(X, Y[kind]).set_params(max_iter=N_EPOCHS)
    callback = Callback(Raising(place, RuntimeError("a mistake")))
    others = Callback(), Callback()
    model.set_callbacks(others[0], callback, others[1])
    before = contents(model)
    with pytest.raises(RuntimeError, match="a mistake"):
        model.fit(X[::2], Y[kind][::2])
    assert_contents(model, before)
    # Every callback that was set up is torn down exactly once, at the end.
    assert callback.places[-1] == others[0].places[-1] == "teardown"
    assert [c.places.count("teardown") for c in (others[0], callback)] == [1, 1]
    assert others[1].places.count("teardown") == others[1].places.count("setup") == int(place != "setup")


@places
def test_after_an_exception_in_a_callback_the_next_fit_is_normal(place, assert_identical):
    model = estimator().set_callbacks(Callback(Raising(place, RuntimeError("a mistake"))))
    with pytest.raises(RuntimeError, match="a mistake"):
        model.fit(X, LABELS)
    callback = Callback()
    assert_same_model(model.set_callbacks(callback).fit(X, LABELS), estimator().fit(X, LABELS), assert_identical)
    assert callback.places == places_of(N_EPOCHS)


@pytest.mark.filterwarnings("ignore:The features are too large")
def test_callbacks_are_torn_down_if_training_diverges():
    callback = Callback()
    model = estimator(FNNRegressor, learning_rate_init=1e6, activation="identity").set_callbacks(callback)
    before = contents(model)
    with pytest.raises(ValueError, match="diverged"):
        model.fit(X, Y[FNNRegressor])
    assert_contents(model, before)
    assert callback.places[-1] == "teardown"
    assert callback.places.count("teardown") == callback.places.count("setup") == 1


@pytest.mark.parametrize(
    "bad", [{"X": X[:, :0]}, {"y": LABELS[:7]}, {"sample_weight": -WEIGHTS}], ids=["X", "y", "sample_weight"]
)
def test_no_callback_is_called_if_fit_refuses_its_data(bad):
    callback = Callback()
    model = estimator().set_callbacks(callback)
    before = contents(model)
    with pytest.raises(ValueError):
        model.fit(**({"X": X, "y": LABELS} | bad))
    assert_contents(model, before)
    assert callback.places == []


@pytest.mark.parametrize(("event", "finished"), [("begin", 2), ("end", 3)])
@solvers
@kinds
def test_ctrl_c_in_a_callback_in_the_third_epoch_keeps_the_finished_epochs(
    kind, solver, event, finished, assert_identical
):
    callback = Callback(Raising((event, "epoch", 2), KeyboardInterrupt()))
    model = estimator(kind, solver=solver, momentum=0.9).set_callbacks(callback)
    with pytest.warns(UserWarning, match="interrupted") as caught:
        assert model.fit(X, Y[kind]) is model
    assert [warning.filename for warning in caught] == [__file__]
    assert callback.places[-2:] == [("end", "fit", 0), "teardown"]
    expected = estimator(kind, solver=solver, momentum=0.9, max_iter=finished).fit(X, Y[kind])
    assert_same_model(model, expected, assert_identical)


@pytest.mark.parametrize("place", ["setup", ("begin", "fit", 0), ("begin", "epoch", 0)], ids=str)
@pytest.mark.parametrize("fitted", [False, True])
def test_ctrl_c_in_a_callback_before_the_first_epoch_has_ended_is_raised(fitted, place):
    callback = Callback(Raising(place, KeyboardInterrupt()))
    model = estimator()
    if fitted:
        model.fit(X[:50], LABELS[:50])
    model.set_callbacks(callback)
    before = contents(model)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, LABELS)
    assert_contents(model, before)
    assert callback.places[-1] == "teardown"
