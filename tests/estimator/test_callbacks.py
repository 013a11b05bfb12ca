"""scikit-learn's callbacks: each epoch is a task, below the task of the fit."""

import copy
import pickle
import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn import __version__ as sklearn_version
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.metrics import get_scorer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skfnn import FNNClassifier, FNNRegressor

try:
    from sklearn.callback import ProgressBar, ScoringMonitor
except ImportError:  # scikit-learn < 1.9
    ProgressBar = ScoringMonitor = None

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

digits = load_digits()
X, X_val = digits.data[:100] / 16, digits.data[100:150] / 16
LABELS, LABELS_VAL = digits.target[:100], digits.target[100:150]
Y = {FNNClassifier: LABELS, FNNRegressor: LABELS / 9.0}
Y_VAL = {FNNClassifier: LABELS_VAL, FNNRegressor: LABELS_VAL / 9.0}
WEIGHTS = np.arange(1.0, 101.0)
N_EPOCHS = 4

kinds = pytest.mark.parametrize("kind", [FNNClassifier, FNNRegressor])
solvers = pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])


@pytest.fixture(autouse=True)
def skip_what_this_scikit_learn_cannot_do(request):
    """Skip with scikit-learn before 1.9, which has no callbacks. The tests for older versions say so in their names."""
    if request.function.__name__.startswith("test_before_callbacks_existed") == (ScoringMonitor is not None):
        pytest.skip(f"callbacks need scikit-learn 1.9; this is {sklearn_version}")


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


# The arguments of the hooks


@pytest.mark.parametrize(
    ("rows", "labels"),
    [(X, LABELS), (X.tolist(), LABELS.tolist()), (sparse.csc_matrix(X), LABELS.astype(str)), (X.astype("f2"), LABELS)],
    ids=["arrays", "lists", "sparse", "another dtype"],
)
@solvers
def test_the_hooks_are_given_x_and_y_as_the_user_passed_them(solver, rows, labels):
    callback = Arguments()
    estimator(solver=solver, validation_fraction=0.2).set_callbacks(callback).fit(rows, labels)
    assert len(callback.seen) == 2 + 2 * N_EPOCHS
    assert all(given_rows is rows and given_labels is labels for given_rows, given_labels, _ in callback.seen)


@solvers
@kinds
def test_metadata_has_the_sample_weights_that_the_user_passed(kind, solver):
    weights = WEIGHTS.tolist()
    callback = Arguments()
    model = estimator(kind, solver=solver).set_callbacks(callback).fit(X, Y[kind], sample_weight=weights)
    assert len(callback.seen) == 2 + 2 * N_EPOCHS
    assert all(metadata.keys() == {"sample_weight"} for _, _, metadata in callback.seen)
    assert all(metadata["sample_weight"] is weights for _, _, metadata in callback.seen)
    callback.seen.clear()
    model.fit(X, Y[kind])
    assert all(not metadata for _, _, metadata in callback.seen)
    assert len(callback.seen) == 2 + 2 * N_EPOCHS


@pytest.mark.filterwarnings("error:.*feature names")
@kinds
def test_a_data_frame_keeps_its_feature_names_in_the_hooks(kind):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=[f"pixel {k}" for k in range(64)])
    rows, models, monitor = Arguments(), Models(), ScoringMonitor(scoring="neg_mean_squared_error")
    estimator(kind).set_callbacks(rows, models, monitor).fit(frame, Y[kind])
    assert all(given is frame for given, _, _ in rows.seen)
    for model in models.after_epoch:
        assert list(model.feature_names_in_) == list(frame.columns)
        expected = estimator(kind, max_iter=model.n_iter_).fit(X, Y[kind])
        np.testing.assert_array_equal(model.predict(frame), expected.predict(X))
    assert len(models.after_epoch) == N_EPOCHS


def test_the_history_of_the_estimator_in_training_has_the_finished_epochs():
    class History(Callback):
        def on_fit_task_begin(self, estimator, context):
            if context.task_name == "epoch":
                self.places.append(list(estimator.history_["loss"]))

        def on_fit_task_end(self, estimator, context):
            self.places.append(list(estimator.history_["loss"]))

    callback = History()
    losses = estimator().set_callbacks(callback).fit(X, LABELS).loss_curve_
    lengths = [0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert callback.places == ["setup", *(losses[:length] for length in lengths), "teardown"]


# The model after an epoch


@pytest.mark.parametrize("validated", [False, True])
@solvers
@kinds
def test_fitted_estimator_equals_the_model_of_a_fit_with_as_many_epochs(kind, solver, validated, assert_identical):
    # The models are compared after the whole fit, because later epochs must not change them.
    given = {"sample_weight": WEIGHTS} | ({"X_val": X_val, "y_val": Y_VAL[kind]} if validated else {})
    models = Models()
    params = {"solver": solver, "momentum": 0.9, "alpha": 0.1}
    whole = estimator(kind, **params).set_callbacks(models).fit(X, Y[kind], **given)
    assert len(models.after_epoch) == N_EPOCHS
    for epoch, model in enumerate(models.after_epoch, 1):
        assert type(model) is kind
        expected = estimator(kind, **params, max_iter=epoch).fit(X, Y[kind], **given)
        assert_same_model(model, expected, assert_identical)
    assert_same_model(models.at_the_end, whole, assert_identical)


@kinds
def test_fitted_estimator_of_a_warm_start_has_the_history_of_all_calls(kind, assert_identical):
    models = Models()
    model = estimator(kind, warm_start=True, max_iter=2).fit(X, Y[kind])
    model.set_params(max_iter=3).set_callbacks(models).fit(X, Y[kind])
    for epoch, fitted in enumerate(models.after_epoch, 1):
        expected = estimator(kind, warm_start=True, max_iter=2).fit(X, Y[kind])
        expected.set_params(max_iter=epoch).fit(X, Y[kind])
        assert_same_model(fitted, expected, assert_identical)
        assert (fitted.n_iter_, len(fitted.loss_curve_)) == (epoch, 2 + epoch)


def test_with_early_stopping_fitted_estimator_has_the_weights_of_its_own_epoch(assert_identical):
    models = Models()
    restless = {"learning_rate_init": 3.0, "activation": "tanh", "max_iter": 8}
    model = estimator(early_stopping=True, **restless).set_callbacks(models)
    model.fit(X, LABELS, X_val=X_val, y_val=LABELS_VAL)
    scores = [fitted.score(X_val, LABELS_VAL) for fitted in models.after_epoch]
    assert scores == model.validation_scores_
    best = int(np.argmax(scores))
    assert best < len(scores) - 1  # otherwise there would be nothing to restore
    assert_identical(models.after_epoch[best], model)
    assert_identical(models.at_the_end, model)


@pytest.mark.parametrize("params", [{}, {"momentum": 0.9}, {"solver": "adam"}, {"solver": "lbfgs"}], ids=str)
def test_a_callback_cannot_affect_training_through_fitted_estimator(params, assert_identical):
    class Spoiler(Callback):
        def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
            if context.task_name == "fit":
                return
            for array in fitted_estimator.coefs_ + fitted_estimator.intercepts_:
                array.fill(np.nan)
            for values in fitted_estimator.history_.values():
                values.clear()

    plain, spoilt = estimator(**params).fit(X, LABELS), estimator(**params).set_callbacks(Spoiler()).fit(X, LABELS)
    assert_same_model(spoilt, plain, assert_identical)


def test_fitted_estimator_can_be_pickled_in_a_hook(assert_identical):
    callback = Checkpoints()
    model = estimator().set_callbacks(callback).fit(X, LABELS)
    *epochs, end = (pickle.loads(dumped) for dumped in callback.pickles)
    for epoch, loaded in enumerate(epochs, 1):
        assert_same_model(loaded, estimator(max_iter=epoch).fit(X, LABELS), assert_identical)
    assert_same_model(end, model, assert_identical)


@solvers
@kinds
def test_the_model_of_an_epoch_is_made_only_if_a_callback_asks_for_it(kind, solver, monkeypatch):
    made, attributes_now = [], kind._attributes_now

    def counted(self):
        made.append(self)
        return attributes_now(self)

    monkeypatch.setattr(kind, "_attributes_now", counted)
    estimator(kind, solver=solver).set_callbacks(Callback(), Arguments()).fit(X, Y[kind])
    assert not made
    models = [Models(), Models()]
    estimator(kind, solver=solver).set_callbacks(*models).fit(X, Y[kind])
    # Once per epoch for both callbacks. The fit may also make a model at its end.
    assert N_EPOCHS <= len(made) <= N_EPOCHS + 1
    assert len(models[0].after_epoch) == len(models[1].after_epoch) == N_EPOCHS


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


# Errors

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


# scikit-learn's own callbacks


def epochs_of(log):
    """The rows of a ScoringMonitor's log that describe epochs."""
    return [row for row in log.data if row["task_name"] == "epoch"]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    ("kind", "names"),
    [(FNNClassifier, ["accuracy", "neg_log_loss"]), (FNNRegressor, ["r2", "neg_mean_absolute_error"])],
)
@solvers
def test_scoring_monitor_logs_the_scores_of_every_epoch(solver, kind, names, weighted):
    given = {"sample_weight": WEIGHTS} if weighted else {}
    monitor = ScoringMonitor(scoring=names)
    estimator(kind, solver=solver).set_callbacks(monitor).fit(X, Y[kind], **given)
    log = monitor.get_logs()
    assert log.estimator_name == kind.__name__
    rows = epochs_of(log)
    assert [row["task_id_path"] for row in rows] == [(0, k) for k in range(N_EPOCHS)]
    for epoch, row in enumerate(rows, 1):
        model = estimator(kind, solver=solver, max_iter=epoch).fit(X, Y[kind], **given)
        for name in names:
            assert row[name] == get_scorer(name)(model, X, Y[kind], **given)
    (end,) = (row for row in log.data if row["task_name"] == "fit")
    assert [end[name] for name in names] == [rows[-1][name] for name in names]


@kinds
def test_scoring_monitor_in_a_pipeline_sees_the_transformed_rows(kind):
    monitor = ScoringMonitor(scoring="neg_mean_squared_error")
    pipeline = make_pipeline(StandardScaler(), estimator(kind).set_callbacks(monitor)).fit(X, Y[kind])
    log = monitor.get_logs()
    assert log.estimator_name == "Pipeline"
    assert len(epochs_of(log)) == N_EPOCHS
    expected = get_scorer("neg_mean_squared_error")(pipeline, X, Y[kind])
    assert epochs_of(log)[-1]["neg_mean_squared_error"] == expected


@pytest.fixture
def bars(capsys, monkeypatch):
    """A function that returns the lines of the progress bars."""
    pytest.importorskip("rich")
    monkeypatch.setenv("COLUMNS", "200")
    return lambda: [line for line in capsys.readouterr().out.splitlines() if "%" in line]


@solvers
@kinds
def test_progress_bar_shows_a_whole_fit(kind, solver, bars):
    estimator(kind, solver=solver).set_callbacks(ProgressBar()).fit(X, Y[kind])
    (bar,) = bars()
    assert f"{kind.__name__} - fit" in bar
    assert "100%" in bar


@solvers
@kinds
def test_progress_bar_moves_with_the_epochs(kind, solver, bars):
    # One printed bar is unfinished: it shows three of four epochs.
    fault = Callback(Raising(("begin", "epoch", 3), RuntimeError("a mistake")))
    with pytest.raises(RuntimeError, match="a mistake"):
        estimator(kind, solver=solver).set_callbacks(ProgressBar(), fault).fit(X, Y[kind])
    (bar,) = bars()
    assert " 75%" in bar


def test_progress_bar_is_full_if_training_stops_early(bars):
    estimator(max_iter=50).set_callbacks(ProgressBar(), stop_after(2)).fit(X, LABELS)
    (bar,) = bars()
    assert "100%" in bar


@kinds
def test_progress_bar_of_a_pipeline_shows_the_epochs_of_its_network(kind, bars):
    fault = Callback(Raising(("begin", "epoch", 3), RuntimeError("a mistake")))
    model = estimator(kind)
    make_pipeline(StandardScaler(), model).set_callbacks(ProgressBar()).fit(X, Y[kind])
    shown = bars()
    assert any("Pipeline - fit" in bar and "100%" in bar for bar in shown)
    assert any(f"{kind.__name__} - fit" in bar and "100%" in bar for bar in shown)
    with pytest.raises(RuntimeError, match="a mistake"):
        make_pipeline(StandardScaler(), model.set_callbacks(fault)).set_callbacks(ProgressBar()).fit(X, Y[kind])
    assert any(f"{kind.__name__} - fit" in bar and " 75%" in bar for bar in bars())
    # The network no longer has the pipeline's callbacks, even after an error.
    model.set_callbacks()
    assert vars(model).keys() == vars(estimator(kind).fit(X, Y[kind])).keys()


@kinds
def test_a_search_in_two_processes_shows_and_scores_every_epoch(kind, bars):
    monitor = ScoringMonitor(scoring="neg_mean_squared_error")
    model = estimator(kind, max_iter=3).set_callbacks(monitor)
    search = GridSearchCV(model, {"batch_size": [10, 20]}, cv=2, n_jobs=2)
    search.set_callbacks(ProgressBar(max_propagation_depth=None)).fit(X, Y[kind])
    # The search fits two candidates on two splits each, and then the better candidate on all rows.
    shown = [bar for bar in bars() if f"{kind.__name__} - fit" in bar]
    assert len(shown) == 5
    assert all("100%" in bar for bar in shown)
    log = monitor.get_logs()
    assert log.estimator_name == "GridSearchCV"
    assert len(epochs_of(log)) == 5 * 3
    # The last scores belong to the final models. The test computes them again for the best model.
    best = clone(search.best_estimator_).set_callbacks().fit(X, Y[kind])
    expected = get_scorer("neg_mean_squared_error")(best, X, Y[kind])
    assert expected in [row["neg_mean_squared_error"] for row in epochs_of(log)]
