"""`resume` finishes an interrupted training run. The model equals that of an uninterrupted run bit for bit."""

import copy

import numpy as np
import pytest
from interrupted import (
    N_EPOCHS,
    Y_VAL,
    Act,
    X,
    X_val,
    Y,
    assert_same_training,
    assert_untouched,
    by_joblib,
    by_pickle,
    contents,
    ctrl_c_in_epoch,
    estimator,
    fail,
    needs_callbacks,
)
from scipy import sparse

from skfnn import FNNClassifier, FNNRegressor
from skfnn.callbacks import Checkpoint

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

KINDS = [FNNClassifier, FNNRegressor]
y = Y[FNNClassifier]
WEIGHTS = np.linspace(0.5, 3.0, len(X))

SETTINGS = {
    "plain": {},
    "one row a batch": {"batch_size": 1},
    "full batch": {"batch_size": "full", "momentum": 0.9},
    "momentum": {"momentum": 0.9, "nesterovs_momentum": False},
    "nesterov": {"momentum": 0.9, "alpha": 0.1},
    "adam": {"solver": "adam"},
    "adamw": {"solver": "adam", "weight_decay": 0.1},
    "adam whose scales are reset": {"solver": "adam", "beta_1": 0.5, "batch_size": 10},
    "invscaling": {"learning_rate": "invscaling"},
    "adaptive": {"learning_rate": "adaptive", "tol": 10.0, "n_iter_no_change": 1},
    "a function": {"learning_rate": lambda step: 0.2 / (1 + step)},
    "dropout": {"dropout": 0.3},
    "clipping": {"max_grad_norm": 0.05, "momentum": 0.9},
    "float64": {"dtype": "float64", "solver": "adam"},
    "float32": {"dtype": "float32", "solver": "adam"},
    "held-out rows": {"validation_fraction": 0.2},
    "in order": {"shuffle": False, "momentum": 0.9},
    "many": {"dropout": 0.2, "max_grad_norm": 1.0, "momentum": 0.8, "validation_fraction": 0.3, "alpha": 0.5},
}
settings = pytest.mark.parametrize("name", SETTINGS)
kinds = pytest.mark.parametrize("kind", KINDS)

# Arguments of `fit` and `resume`, or parameters if an entry has the name of a parameter.
DATA = {
    "sparse": {"X": sparse.csr_matrix(X * (np.abs(X) > 1))},
    "csc": {"X": sparse.csc_matrix(X * (np.abs(X) > 1))},
    "float32": {"X": X.astype("f4")},
    "integers": {"X": np.rint(X).astype(int)},
    "sample_weight": {"sample_weight": WEIGHTS},
    "X_val": {"X_val": X_val, "y_val": Y_VAL},
    "sample_weight_val": {"X_val": X_val, "y_val": Y_VAL, "sample_weight_val": np.arange(1.0, 41.0)},
}
CLASSIFIER_DATA = {
    "strings": {"y": np.array(["a", "b", "c"])[y]},
    "two classes": {"y": y > 0},
    "multilabel": {"y": (X[:, :3] > 0).astype(int)},
    "label_smoothing": {"label_smoothing": 0.2},
    "class_weight": {"class_weight": "balanced", "sample_weight": WEIGHTS},
}
CASES = [(FNNClassifier, name, given) for name, given in (DATA | CLASSIFIER_DATA).items()]
CASES += [(FNNRegressor, name, given) for name, given in (DATA | {"counts": {"y": y, "loss": "poisson"}}).items()]


# fit for k epochs, then resume up to n epochs


@pytest.mark.parametrize("k", [1, 4])
@settings
@kinds
def test_a_fit_of_k_epochs_resumed_to_n_equals_a_fit_of_n_epochs(kind, name, k):
    whole = estimator(kind, **SETTINGS[name]).fit(X, Y[kind])
    model = estimator(kind, max_iter=k, **SETTINGS[name]).fit(X, Y[kind])
    assert model.n_iter_ == k
    assert model.set_params(max_iter=N_EPOCHS).resume(X, Y[kind]) is model
    assert_same_training(model, whole)
    for goes_on in (model, whole):
        goes_on.partial_fit(X, Y[kind])
    assert_same_training(model, whole)


def test_the_adaptive_rate_falls_after_an_interruption():
    # Without this, the laws about an adaptive rate would not test it.
    rates = estimator(**SETTINGS["adaptive"]).fit(X, y).history_["learning_rate"]
    assert rates[3] > rates[-1]


@pytest.mark.parametrize("solver", [{"batch_size": 7}, {"momentum": 0.9}, {"solver": "adam"}], ids=str)
@pytest.mark.parametrize(("kind", "name", "given"), CASES, ids=[f"{kind.__name__}-{name}" for kind, name, _ in CASES])
def test_resuming_is_exact_for_all_kinds_of_data(kind, name, given, solver):
    given = {"X": X, "y": Y[kind]} | given
    given |= {"y_val": Y_VAL[kind]} if "y_val" in given else {}
    params = solver | {key: given.pop(key) for key in kind().get_params().keys() & given.keys()}
    whole = estimator(kind, **params).fit(**given)
    model = by_pickle(estimator(kind, max_iter=2, **params).fit(**given))
    assert_same_training(model.set_params(max_iter=N_EPOCHS).resume(**given), whole)


def test_a_data_frame_keeps_its_feature_names():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=list("abcdef"))
    model = estimator(max_iter=2).fit(frame, y).set_params(max_iter=N_EPOCHS)
    with pytest.raises(ValueError, match="feature names"):
        model.resume(frame.rename(columns={"a": "z"}), y)
    model.resume(frame, y)
    assert list(model.feature_names_in_) == list("abcdef")
    assert_same_training(model, estimator().fit(X, y))


def test_resume_does_not_use_the_random_state():
    generator = np.random.RandomState(0)
    model = estimator(max_iter=2, random_state=generator).fit(X, y)
    expected = copy.deepcopy(generator).rand()
    model.set_params(max_iter=N_EPOCHS).resume(X, y)
    assert_same_training(model, estimator(random_state=np.random.RandomState(0)).fit(X, y))
    assert generator.rand() == expected


def test_the_printed_epoch_numbers_continue(capsys):
    estimator(max_iter=4).fit(X, y).set_params(max_iter=N_EPOCHS, verbose=True).resume(X, y)
    assert [line.split()[1] for line in capsys.readouterr().out.splitlines()] == ["5/6", "6/6"]


@pytest.mark.parametrize("name", ["plain", "adam", "many"])
@kinds
def test_resume_of_an_unfitted_estimator_is_fit(kind, name):
    model = estimator(kind, **SETTINGS[name])
    assert model.resume(X, Y[kind], WEIGHTS) is model
    assert_same_training(model, estimator(kind, **SETTINGS[name]).fit(X, Y[kind], WEIGHTS))


@pytest.mark.parametrize("name", ["plain", "nesterov", "adam", "invscaling", "dropout"])
@kinds
def test_partial_fit_calls_count_as_epochs(kind, name):
    model = estimator(kind, **SETTINGS[name])
    first = {"classes": [0, 1, 2]} if kind is FNNClassifier else {}
    model.partial_fit(X, Y[kind], **first).partial_fit(X, Y[kind])
    assert_same_training(model.resume(X, Y[kind]), estimator(kind, **SETTINGS[name]).fit(X, Y[kind]))


# Ctrl-C


@pytest.mark.parametrize("k", [2, 5])
@settings
@kinds
def test_after_ctrl_c_in_an_epoch_resume_finishes_training(kind, name, k):
    model = estimator(kind, **SETTINGS[name])
    with ctrl_c_in_epoch(k):
        model.fit(X, Y[kind])
    assert model.n_iter_ == k - 1
    assert_same_training(model.resume(X, Y[kind]), estimator(kind, **SETTINGS[name]).fit(X, Y[kind]))


def test_a_cosine_schedule_continues_along_the_same_curve():
    model = estimator(learning_rate="cosine")
    with ctrl_c_in_epoch(4):
        model.fit(X, y)
    assert_same_training(model.resume(X, y), estimator(learning_rate="cosine").fit(X, y))
    assert len(set(model.history_["learning_rate"])) == N_EPOCHS


@pytest.mark.parametrize("store", [by_pickle, by_joblib, copy.deepcopy, copy.copy], ids=lambda f: f.__name__)
@pytest.mark.parametrize("name", ["plain", "adam", "adaptive", "many"])
def test_ctrl_c_in_every_epoch_changes_nothing(name, store):
    model = estimator(**SETTINGS[name])
    for n_done in range(1, N_EPOCHS):
        with ctrl_c_in_epoch(2):
            model = store(model).resume(X, y)
        assert model.n_iter_ == n_done
    assert_same_training(store(model).resume(X, y), estimator(**SETTINGS[name]).fit(X, y))


def test_ctrl_c_in_the_first_epoch_of_resume_leaves_the_model_as_it_was():
    model = estimator(max_iter=3).fit(X, y)
    before = copy.deepcopy(model)
    with ctrl_c_in_epoch(1):
        model.set_params(max_iter=N_EPOCHS).resume(X, y)
    assert_same_training(model, before)
    assert_same_training(model.resume(X, y), estimator().fit(X, y))


def test_warnings_point_at_the_line_that_called_resume():
    model = estimator(max_iter=2).fit(X, y).set_params(max_iter=4, batch_size=10_000)
    with pytest.warns(UserWarning, match="batch_size"), ctrl_c_in_epoch(2) as caught:
        model.resume(X, y)
    assert len(caught) == 2  # about the batch size and the interruption
    assert {warning.filename for warning in caught} == {__file__}


def test_a_warm_started_fit_that_was_interrupted_is_finished():
    params = {"momentum": 0.9, "warm_start": True, "max_iter": 3}
    model = estimator(**params).fit(X, y)
    with ctrl_c_in_epoch(2):
        model.fit(X, y)
    assert model.n_iter_ == 1
    assert_same_training(model.resume(X, y), estimator(**params).fit(X, y).fit(X, y))
    assert (model.n_iter_, len(model.loss_curve_)) == (3, 6)


# Callbacks


@needs_callbacks
@pytest.mark.parametrize("name", [name for name in SETTINGS if name != "a function"])  # a lambda cannot be pickled
@kinds
def test_after_an_exception_in_a_callback_the_checkpoint_is_resumed(kind, name, tmp_path):
    model = estimator(kind, **SETTINGS[name])
    model.set_callbacks(Checkpoint(tmp_path / "model", every=2), Act(3, fail))
    before = contents(model)
    with pytest.raises(RuntimeError, match="a mistake"):
        model.fit(X, Y[kind])
    assert_untouched(model, before)
    loaded = Checkpoint.load(tmp_path / "model")
    assert loaded.n_iter_ == 2
    assert_same_training(loaded.resume(X, Y[kind]), estimator(kind, **SETTINGS[name]).fit(X, Y[kind]))


@needs_callbacks
@pytest.mark.parametrize("learning_rate", ["constant", "cosine"])
def test_after_a_stop_by_a_callback_resume_finishes_training(learning_rate):
    params = {"learning_rate": learning_rate, "solver": "adam"}
    model = estimator(**params).set_callbacks(Act(4, lambda model: True)).fit(X, y)
    assert model.n_iter_ == 4
    assert_same_training(model.resume(X, y), estimator(**params).fit(X, y))


@needs_callbacks
def test_callbacks_get_the_number_of_remaining_epochs():
    callback = Act(N_EPOCHS, lambda model: False)
    model = estimator(max_iter=4).fit(X, y).set_params(max_iter=N_EPOCHS)
    model.set_callbacks(callback).resume(X, y)
    assert callback.calls == ["setup", "fit of 2", "epoch of 0", "epoch of 0", "teardown"]


@needs_callbacks
def test_an_exception_in_a_callback_of_resume_leaves_the_estimator_as_it_was():
    model = estimator(max_iter=2, momentum=0.9).fit(X, y)
    model.set_params(max_iter=N_EPOCHS).set_callbacks(Act(4, fail))
    before = contents(model)
    with pytest.raises(RuntimeError, match="a mistake"):
        model.resume(X, y)
    assert_untouched(model, before)
    assert_same_training(model.set_callbacks().resume(X, y), estimator(momentum=0.9).fit(X, y))


# Nothing left to do


@pytest.mark.parametrize("max_iter", [N_EPOCHS, 2])
@pytest.mark.parametrize("params", [{}, {"solver": "adam", "early_stopping": True}, {"solver": "lbfgs"}], ids=str)
@kinds
def test_if_all_epochs_are_done_resume_does_nothing(kind, params, max_iter):
    model = estimator(kind, **params).fit(X, Y[kind]).set_params(max_iter=max_iter)
    before = contents(model)
    assert model.resume(X, Y[kind]) is model
    assert_untouched(model, before)


def test_if_patience_ended_training_resume_does_nothing_until_it_is_raised():
    params = {"tol": 0.05, "momentum": 0.9, "max_iter": 40}
    model = estimator(n_iter_no_change=2, **params).fit(X, y)
    assert 3 < model.n_iter_ < 40
    before = contents(model)
    assert_untouched(model.resume(X, y), before)
    assert_same_training(model.set_params(n_iter_no_change=None).resume(X, y), estimator(**params).fit(X, y))


@needs_callbacks
def test_if_there_is_nothing_to_do_no_callback_is_called():
    callback = Act(1, fail)
    estimator().fit(X, y).set_callbacks(callback).resume(X, y)
    assert callback.calls == []


# Errors

BAD = {
    "a column less": ({"X": X[:, :5]}, "features"),
    "NaN": ({"X": np.where(X > 2, np.nan, X)}, "NaN"),
    "a row less": ({"X": X[:-1]}, "inconsistent"),
    "a class less": ({"X": X[y < 2], "y": y[y < 2]}, "same classes"),
    "another class": ({"y": y + 1}, "classes"),
    "negative weights": ({"sample_weight": -WEIGHTS}, "sample_weight"),
    "X_val alone": ({"X_val": X_val}, "X_val and y_val"),
}
CHANGES = {
    "layers": ({"hidden_layer_sizes": (5, 5)}, "hidden_layer_sizes or activation changed"),
    "activation": ({"activation": "tanh"}, "hidden_layer_sizes or activation changed"),
    "a bad parameter": ({"momentum": 2.0}, "momentum"),
    "divergence": ({"learning_rate_init": 1e308}, "diverged"),
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("early_stopping", [False, True])
def test_bad_data_in_resume_leave_the_estimator_as_it_was(early_stopping, name):
    model = estimator(early_stopping=early_stopping, max_iter=3).fit(X, y).set_params(max_iter=N_EPOCHS)
    before, (given, message) = contents(model), BAD[name]
    with pytest.raises(ValueError, match=message):
        model.resume(**({"X": X, "y": y} | given))
    assert_untouched(model, before)


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("early_stopping", [False, True])
def test_bad_parameters_in_resume_leave_the_estimator_as_it_was(early_stopping, name):
    model = estimator(early_stopping=early_stopping)
    with ctrl_c_in_epoch(4):
        model.fit(X, y)
    params, message = CHANGES[name]
    before = contents(model.set_params(**params))
    with pytest.raises(ValueError, match=message):
        model.resume(X, y)
    assert_untouched(model, before)


# L-BFGS


@pytest.mark.parametrize("k", [3, 12])
@kinds
def test_lbfgs_resumed_gives_a_model_of_the_same_quality(kind, k):
    params = {"solver": "lbfgs", "alpha": 1.0, "dtype": "float64"}
    whole = estimator(kind, max_iter=60, **params).fit(X, Y[kind])
    model = estimator(kind, max_iter=k, **params).fit(X, Y[kind])
    losses = list(model.loss_curve_)
    model.set_params(max_iter=60).resume(X, Y[kind])
    assert model.loss_curve_[:k] == losses
    assert k < model.n_iter_ == len(model.loss_curve_) <= 60
    # The two paths may lead to different minima. Their losses agree to a tenth of the improvement by training.
    assert model.loss_ <= whole.loss_ + 0.1 * (losses[0] - whole.loss_)


def test_resume_does_not_change_a_converged_lbfgs_model():
    model = estimator(solver="lbfgs", tol=0.1, max_iter=500).fit(X, y)
    assert model.n_iter_ < 500
    before = copy.deepcopy(model)
    assert_same_training(model.resume(X, y), before)
