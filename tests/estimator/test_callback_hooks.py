"""What the hooks of a callback get: X, y, metadata, and the model after an epoch."""

import pickle

import numpy as np
import pytest
from scipy import sparse
from watchers import (
    LABELS,
    LABELS_VAL,
    N_EPOCHS,
    WEIGHTS,
    Y_VAL,
    Arguments,
    Callback,
    Checkpoints,
    Models,
    ScoringMonitor,
    X,
    X_val,
    Y,
    assert_same_model,
    estimator,
    kinds,
    solvers,
)

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.usefixtures("skip_what_this_scikit_learn_cannot_do"),
]


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
