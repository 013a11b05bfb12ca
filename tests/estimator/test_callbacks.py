"""Each epoch is a task of the callbacks, below the task of the fit; a callback can stop training."""

import copy
import pickle
import warnings

import numpy as np
import pytest
from sklearn import __version__ as sklearn_version
from sklearn.base import clone
from watchers import (
    LABELS,
    N_EPOCHS,
    WEIGHTS,
    Y_VAL,
    Callback,
    Models,
    ScoringMonitor,
    X,
    X_val,
    Y,
    assert_same_model,
    estimator,
    kinds,
    places_of,
    solvers,
    stop_after,
)

from skfnn import FNNClassifier

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.usefixtures("skip_what_this_scikit_learn_cannot_do"),
]


# Before scikit-learn 1.9


@kinds
def test_before_callbacks_existed_an_estimator_works_without_them(kind):
    model = estimator(kind).fit(X, Y[kind])
    assert model.n_iter_ == N_EPOCHS
    first = {"classes": range(10)} if kind is FNNClassifier else {}
    assert clone(model).partial_fit(X, Y[kind], **first).n_iter_ == 1


@kinds
def test_before_callbacks_existed_set_callbacks_says_what_is_needed(kind):
    with pytest.raises(ImportError, match=rf"scikit-learn >= 1\.9.*scikit-learn {sklearn_version}"):
        estimator(kind).set_callbacks(Callback())


# The tasks


@solvers
@kinds
def test_an_epoch_is_a_task_below_that_of_the_fit(kind, solver):
    callback = Callback()
    estimator(kind, solver=solver).set_callbacks(callback).fit(X, Y[kind])
    assert callback.places == places_of(N_EPOCHS)


@pytest.mark.parametrize(
    "params",
    [
        {"tol": 1e9, "n_iter_no_change": 2},
        {"early_stopping": True, "tol": 1e9, "n_iter_no_change": 2},
        {"solver": "adam", "learning_rate": "adaptive", "tol": 1e9, "n_iter_no_change": 2},
        {"solver": "lbfgs", "max_iter": 500},  # it converges
        {"solver": "lbfgs", "tol": 1e9},  # it has converged before the first iteration
        {"solver": "lbfgs", "max_iter": 500, "max_fun": 6},
        {"solver": "lbfgs", "max_iter": 500, "early_stopping": True, "n_iter_no_change": 2},
    ],
    ids=str,
)
def test_every_task_that_begins_ends_if_training_stops_early(params):
    callback = Callback()
    model = estimator(**({"max_iter": 60} | params)).set_callbacks(callback).fit(X, LABELS)
    assert 1 <= model.n_iter_ < model.max_iter
    assert callback.places == places_of(model.n_iter_)


@solvers
def test_the_task_of_the_fit_knows_the_maximum_number_of_epochs(solver):
    class Context(Callback):
        def on_fit_task_begin(self, estimator, context):
            self.at(context.task_name, context.max_subtasks, context.estimator_name)

    callback = Context()
    estimator(solver=solver, max_iter=7).set_callbacks(callback).fit(X, LABELS)
    assert callback.places[:2] == ["setup", ("fit", 7, "FNNClassifier")]
    assert callback.places.count(("epoch", 0, "FNNClassifier")) == 7


@solvers
@kinds
def test_callbacks_do_not_change_training(kind, solver, assert_identical):
    given = {"sample_weight": WEIGHTS, "X_val": X_val, "y_val": Y_VAL[kind]}
    plain, watched = (estimator(kind, solver=solver, dropout=0.2 * (solver != "lbfgs")) for _ in range(2))
    watched.set_callbacks(Callback(), Models()).fit(X, Y[kind], **given)
    assert_same_model(watched, plain.fit(X, Y[kind], **given), assert_identical)


def test_every_fit_calls_the_callbacks_again():
    callback = Callback()
    model = estimator(warm_start=True).set_callbacks(callback)
    for _ in range(3):
        model.fit(X, LABELS)
    assert callback.places == 3 * places_of(N_EPOCHS)
    assert len(model.loss_curve_) == 3 * N_EPOCHS


@kinds
def test_partial_fit_calls_no_callback(kind):
    callback = Callback()
    model = estimator(kind).set_callbacks(callback)
    first = {"classes": range(10)} if kind is FNNClassifier else {}
    model.partial_fit(X, Y[kind], **first).partial_fit(X, Y[kind])
    assert model.n_iter_ == 2
    assert callback.places == []


def test_set_callbacks_without_arguments_removes_them():
    callback = Callback()
    estimator().set_callbacks(callback).set_callbacks().fit(X, LABELS)
    assert callback.places == []


# Stopping


@pytest.mark.parametrize("epoch", [1, 3, N_EPOCHS])
@solvers
@kinds
def test_a_callback_that_returns_true_stops_training_after_the_epoch(kind, solver, epoch, assert_identical):
    callback = stop_after(epoch)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # stopping on request is not a failure to converge
        model = estimator(kind, solver=solver).set_callbacks(Callback(), callback, Callback()).fit(X, Y[kind])
    assert callback.places == places_of(epoch)
    assert_same_model(model, estimator(kind, solver=solver, max_iter=epoch).fit(X, Y[kind]), assert_identical)


def test_a_callback_that_stops_training_leaves_the_best_weights_of_early_stopping(assert_identical):
    restless = {"learning_rate_init": 3.0, "activation": "tanh", "early_stopping": True}
    model = estimator(**restless, max_iter=20).set_callbacks(stop_after(7)).fit(X, LABELS)
    assert model.n_iter_ == 7
    assert_identical(model, estimator(**restless, max_iter=7).fit(X, LABELS))


@pytest.mark.parametrize("answer", [None, False, 0, np.False_], ids=repr)
def test_a_callback_that_returns_a_false_value_does_not_stop_training(answer):
    callback = Callback(lambda place: answer)
    assert estimator().set_callbacks(callback).fit(X, LABELS).n_iter_ == N_EPOCHS


def test_after_a_stop_partial_fit_and_warm_start_continue_training(assert_identical):
    stopped = estimator(warm_start=True, momentum=0.9).set_callbacks(stop_after(2)).fit(X, LABELS)
    stopped.partial_fit(X, LABELS).set_callbacks().set_params(max_iter=1).fit(X, LABELS)
    assert_identical(stopped, estimator(momentum=0.9, max_iter=4).fit(X, LABELS))


# Copies


@pytest.mark.parametrize("fitted", [False, True])
@kinds
def test_a_clone_has_the_same_callbacks(kind, fitted):
    callback = Callback()
    model = estimator(kind).set_callbacks(callback)
    if fitted:
        model.fit(X, Y[kind])
    other = clone(model)
    assert not hasattr(other, "coefs_")
    callback.places.clear()
    other.fit(X, Y[kind])
    assert callback.places == places_of(N_EPOCHS)


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
@kinds
def test_a_deep_copy_and_a_pickle_have_their_own_callbacks(kind, duplicate, assert_identical):
    monitor, callback = ScoringMonitor(scoring="neg_mean_squared_error"), Callback()
    unfitted = estimator(kind).set_callbacks(monitor, callback)
    fitted = clone(unfitted).fit(X, Y[kind])
    assert_same_model(duplicate(fitted), fitted, assert_identical)
    n_rows = len(monitor.get_logs().data)
    callback.places.clear()
    assert_same_model(duplicate(unfitted).fit(X, Y[kind]), fitted, assert_identical)
    assert callback.places == []
    assert len(monitor.get_logs(select="all")) == 1
    assert len(monitor.get_logs().data) == n_rows


def test_a_fit_leaves_nothing_of_its_callbacks_in_the_estimator():
    watched = estimator().set_callbacks(Callback(), Models()).fit(X, LABELS)
    watched.set_callbacks()
    assert vars(watched).keys() == vars(estimator().fit(X, LABELS)).keys()
