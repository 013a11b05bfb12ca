"""The learning rate that "auto" stands for, and what happens if it is too large."""

import pickle
from functools import partial
from math import sqrt

import numpy as np
import pytest
from interrupted import assert_same_training, assert_untouched, contents, ctrl_c_in_epoch, needs_callbacks
from sklearn.exceptions import ConvergenceWarning

from skfnn import FNNClassifier, FNNRegressor
from skfnn._engine.batches import Batches

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

rng = np.random.default_rng(0)
X = rng.normal(size=(500, 5))
Y = {
    "softmax": (X[:, 0] * X[:, 1] > 0).astype(int) + (X[:, 2] > 0.5),
    "binary": X[:, 0] > 0,
    "multilabel": (X[:, :3] > 0).astype(int),
    "squared error": X @ rng.normal(size=5) + np.abs(X[:, 0]),
    "poisson": rng.poisson(np.exp(-0.5 + 0.3 * X[:, 0])),
}
SGD = {"softmax": 0.2, "binary": 0.2, "multilabel": 0.2, "squared error": 0.05, "poisson": 0.0125}
ADAM = {"softmax": 0.001, "binary": 0.001, "multilabel": 0.001, "squared error": 0.001, "poisson": 0.0005}
losses = pytest.mark.parametrize("loss", Y)


def estimator(loss, **params):
    """An estimator for a loss that trains for one epoch by default."""
    settings = {"max_iter": 1, "n_iter_no_change": None, "random_state": 0}
    if loss == "poisson":
        settings["loss"] = "poisson"
    return (FNNRegressor if loss in ("squared error", "poisson") else FNNClassifier)(**(settings | params))


def rate(loss, rows=slice(None), **params):
    """The learning rate in a first call of `partial_fit` with these rows; `partial_fit` never lowers the rate."""
    classes = {"classes": np.unique(Y[loss])} if loss in ("softmax", "binary") else {}
    return estimator(loss, **params).partial_fit(X[rows], Y[loss][rows], **classes).learning_rate_init_


# The rule


@losses
def test_the_rate_of_one_layer_of_100_units_and_200_rows(loss):
    assert rate(loss) == pytest.approx(SGD[loss], rel=1e-12)
    assert rate(loss, solver="adam") == pytest.approx(ADAM[loss], rel=1e-12)


@losses
@pytest.mark.parametrize("batch_size", [1, 8, 50, 200, 400])
def test_the_rate_grows_with_a_power_of_the_batch_size(loss, batch_size):
    share = batch_size / 200
    assert rate(loss, batch_size=batch_size) == pytest.approx(SGD[loss] * share**0.75, rel=1e-12)
    assert rate(loss, batch_size=batch_size, solver="adam") == pytest.approx(ADAM[loss] * sqrt(share), rel=1e-12)


@losses
@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9, 0.99])
def test_momentum_scales_the_rate_by_1_minus_momentum(loss, momentum):
    assert rate(loss, momentum=momentum) == pytest.approx(SGD[loss] * (1 - momentum), rel=1e-12)
    assert rate(loss, momentum=momentum, solver="adam") == rate(loss, solver="adam")


@losses
@pytest.mark.parametrize("depth", [0, 1, 2, 3, 4, 8])
def test_deeper_networks_get_smaller_rates_up_to_three_layers(loss, depth):
    sizes = (100,) * depth
    divisor = min(max(depth, 1), 3)
    assert rate(loss, hidden_layer_sizes=sizes) == pytest.approx(SGD[loss] / divisor, rel=1e-12)
    assert rate(loss, hidden_layer_sizes=sizes, solver="adam") == pytest.approx(ADAM[loss] / divisor, rel=1e-12)


@losses
def test_a_wide_layer_lowers_the_rate_of_the_squared_error(loss):
    divisor = 2.0 if loss == "squared error" else 1.0
    assert rate(loss, hidden_layer_sizes=(7, 400)) == pytest.approx(SGD[loss] / 2 / divisor, rel=1e-12)
    assert rate(loss, hidden_layer_sizes=(400, 7)) == pytest.approx(SGD[loss] / 2, rel=1e-12)
    assert rate(loss, hidden_layer_sizes=(7, 400), solver="adam") == pytest.approx(ADAM[loss] / 2, rel=1e-12)


@pytest.mark.parametrize("standardize", [True, False])
def test_long_rows_lower_the_rate_of_the_squared_error(standardize):
    rows = np.random.default_rng(0).normal(size=(300, 250))
    reg = FNNRegressor(standardize=standardize, max_iter=1, random_state=0).partial_fit(rows, rows[:, 0])
    # In the coordinates of training, a row of 250 features of variance 1 has the squared norm 250.
    square = 250.0 if standardize else (rows**2).sum(axis=1).mean()
    assert reg.learning_rate_init_ == pytest.approx(0.05 * 100 / square, rel=1e-12)
    reg.set_params(solver="adam").partial_fit(rows, rows[:, 0])
    assert reg.learning_rate_init_ == pytest.approx(0.001, rel=1e-12)


@pytest.mark.parametrize("estimator", [FNNClassifier, partial(FNNRegressor, loss="poisson")])
def test_very_long_rows_lower_the_rate_of_other_losses(estimator):
    rows = 10.0 * np.random.default_rng(0).normal(size=(300, 250))
    y = np.arange(300) % 2
    square = (rows**2).sum(axis=1).mean()
    long, short = (
        estimator(standardize=standardize, max_iter=1, n_iter_no_change=None, random_state=0).fit(rows, y)
        for standardize in (False, True)
    )
    # The first attempts have the rates of the rule.
    rates = [model.learning_rate_init_ * model._state.rate_divisor for model in (long, short)]
    assert rates[0] == pytest.approx(rates[1] * 1000 / square, rel=1e-12)


def test_large_counts_lower_the_rate_of_the_poisson_deviance():
    counts = np.random.default_rng(0).poisson(30.0, size=500)
    weights = np.random.default_rng(1).uniform(0, 2, size=500)
    for given, mean in ((None, counts.mean()), (weights, np.average(counts, weights=weights))):
        reg = FNNRegressor(loss="poisson", max_iter=1, random_state=0).partial_fit(X, counts, given)
        assert reg.learning_rate_init_ == pytest.approx(0.0125 / mean, rel=1e-12)


@losses
@pytest.mark.parametrize("n_rows", [20, 200, 400])
def test_a_full_batch_counts_as_at_least_200_rows(loss, n_rows):
    # A full batch has no noise, and a row of weight 2 must act like two rows.
    share = max(1.0, n_rows / 200)
    y = Y[loss][:n_rows]
    for params, base, power in (({}, SGD, 0.75), ({"solver": "adam"}, ADAM, 0.5)):
        model = estimator(loss, batch_size="full", **params).fit(X[:n_rows], y)
        found = model.learning_rate_init_ * model._state.rate_divisor
        # Fewer rows have different norms and counts.
        assert found * model._state.steepness == pytest.approx(base[loss] * share**power, rel=1e-12)


def test_the_rate_depends_only_on_the_training_rows():
    clf = FNNClassifier(validation_fraction=0.8, random_state=0).fit(X, Y["softmax"])
    assert clf.learning_rate_init_ == pytest.approx(0.2, rel=1e-12)  # all 100 rows in one batch
    clf = FNNClassifier(validation_fraction=0.4, batch_size=100, random_state=0).fit(X, Y["softmax"])
    assert clf.learning_rate_init_ == pytest.approx(0.2 * 0.5**0.75, rel=1e-12)


# Which calls use the rate


@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_a_given_rate_is_used_unchanged(solver):
    clf = FNNClassifier(solver=solver, learning_rate_init=0.0123, max_iter=3).fit(X, Y["softmax"])
    assert clf.learning_rate_init_ == 0.0123
    assert set(clf.history_["learning_rate"]) == {0.0123}


def test_every_call_uses_the_rate_for_its_batches():
    clf = FNNClassifier(random_state=0)
    for n_rows in (200, 50, 400, 7):
        clf.partial_fit(X[:n_rows], Y["softmax"][:n_rows], classes=[0, 1, 2])
        assert clf.learning_rate_init_ == clf.history_["learning_rate"][-1]
        assert clf.learning_rate_init_ == pytest.approx(0.2 * min(1.0, n_rows / 200) ** 0.75, rel=1e-12)


def test_lbfgs_has_no_rate():
    assert not hasattr(FNNClassifier(solver="lbfgs", max_iter=3).fit(X, Y["softmax"]), "learning_rate_init_")


@pytest.mark.parametrize("solver", ["sgd", "adam"])
@losses
def test_resume_and_a_pickle_keep_the_rate(loss, solver):
    model = estimator(loss, solver=solver, max_iter=2).fit(X, Y[loss])
    eta = model.learning_rate_init_
    model = pickle.loads(pickle.dumps(model)).set_params(max_iter=4).resume(X, Y[loss])
    assert model.learning_rate_init_ == eta
    assert model.history_["learning_rate"] == [eta] * 4


# Starting again

# The rate of the rule fails for these rows.
LARGE, TARGETS = 5.0 * X[:200], Y["squared error"][:200]
OUTLIERS = X[:200] * np.where(np.arange(200) < 3, 30.0, 1.0)[:, None]
# name: parameters, and the final divisor of the rate
FAILING = {
    "finite": ({}, 4.0),
    "twice": ({"activation": "identity"}, 16.0),
    "mini-batches": ({"batch_size": 100}, 4.0),
    "few epochs": ({"max_iter": 3}, 4.0),
    "held out": ({"validation_fraction": 0.2, "early_stopping": True}, 4.0),
    "cosine": ({"learning_rate": "cosine"}, 4.0),
}
failing = pytest.mark.parametrize("name", FAILING)
N_EPOCHS = 30


def data(name="finite"):
    """The rows and targets for which the rate of the rule fails."""
    return (OUTLIERS if name == "twice" else LARGE), TARGETS


def fragile(name="finite", **params):
    """A network for which the rate of the rule is too large."""
    settings = {"standardize": False, "max_iter": N_EPOCHS, "n_iter_no_change": None, "random_state": 0}
    return FNNRegressor(**(settings | FAILING[name][0] | params))


def first_rate(name):
    """The rate according to the rule."""
    model = fragile(name, max_iter=1).fit(*data(name))
    return model.learning_rate_init_ * model._state.rate_divisor


def fails(model, rows, targets):
    """Whether training diverges, or its loss is above the best constant's after the first five epochs."""
    try:
        model.fit(rows, targets)
    except ValueError:
        return True
    curve, constant = model.loss_curve_[:5], targets.var() / 2
    return max(curve) > 10 * max(curve[0], constant) or curve[-1] > 1.1 * constant


@failing
def test_a_rate_that_fails_is_divided_by_four_until_training_works(name):
    model, divisor = fragile(name).fit(*data(name)), FAILING[name][1]
    assert model.learning_rate_init_ == pytest.approx(first_rate(name) / divisor, rel=1e-12)
    assert model.score(*data(name)) > 0.15
    # Four times this rate does fail.
    assert fails(fragile(name, learning_rate_init=4 * model.learning_rate_init_), *data(name))


@failing
def test_the_result_equals_that_of_the_last_attempt_alone(name):
    model = fragile(name).fit(*data(name))
    alone = fragile(name, learning_rate_init=model.learning_rate_init_).fit(*data(name))
    assert_same_training(model, alone)
    assert model.history_["epoch"] == list(range(1, model.n_iter_ + 1))
    assert model._state.solver.keys() == alone._state.solver.keys()


def test_every_attempt_starts_from_the_given_initial_values():
    weights = np.random.default_rng(1).normal(scale=0.3, size=(6, 100))
    values = {"coefs_init": [weights[:5], weights[5:].T], "intercepts_init": [np.zeros(100), np.ones(1)]}
    model = fragile().fit(*data(), **values)
    assert model._state.rate_divisor > 1
    alone = fragile(learning_rate_init=model.learning_rate_init_).fit(*data(), **values)
    assert_same_training(model, alone)


def test_a_warm_start_keeps_the_rate_and_the_history():
    model = fragile(warm_start=True, max_iter=10).fit(*data())
    eta, curve = model.learning_rate_init_, list(model.loss_curve_)
    model.fit(*data())
    assert model.learning_rate_init_ == eta
    assert model.loss_curve_[:10] == curve
    assert model.history_["epoch"] == list(range(1, 21))
    # A fit that starts anew finds the same rate again.
    assert model.set_params(warm_start=False).fit(*data()).learning_rate_init_ == eta
    assert model.loss_curve_ == curve


def test_if_no_rate_works_the_last_one_is_named_and_nothing_changes():
    model = fragile("twice").fit(*data("twice"))
    before = contents(model)
    eta = model.learning_rate_init_
    with pytest.raises(ValueError, match="diverged") as caught:
        model.fit(1e8 * OUTLIERS, TARGETS * np.where(np.arange(200) % 2, 1e150, -1e150))
    assert_untouched(model, before)
    named = float(str(caught.value).split("learning_rate_init=")[1].split()[0].rstrip(".:"))
    assert named < eta


def test_partial_fit_never_starts_again():
    def train():
        for _ in range(400):
            model.partial_fit(*data())

    model = fragile(activation="identity")
    with pytest.raises(ValueError, match="diverged"):
        train()


@failing
@pytest.mark.parametrize("loaded", [False, True])
def test_a_resumed_run_continues_with_the_same_rate(name, loaded):
    whole, model = fragile(name).fit(*data(name)), fragile(name)
    # "cosine" depends on max_iter, so the test interrupts the run instead of making it shorter.
    with ctrl_c_in_epoch(failed_epochs(name) + whole.n_iter_ - 1):
        model.fit(*data(name))
    assert 0 < model.n_iter_ < whole.n_iter_
    assert model.learning_rate_init_ == whole.learning_rate_init_
    model = pickle.loads(pickle.dumps(model)) if loaded else model
    model.set_params(max_iter=whole.max_iter).resume(*data(name))
    assert_same_training(model, whole)
    assert model.learning_rate_init_ == whole.learning_rate_init_


def failed_epochs(name):
    """The number of epochs that begin in the attempts that fail."""
    begun, shuffle = [], Batches.shuffle
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Batches, "shuffle", lambda self, rng: begun.append(1) or shuffle(self, rng))
        model = fragile(name).fit(*data(name))
    return len(begun) - model.n_iter_


def test_ctrl_c_in_an_attempt_that_would_fail_keeps_its_epochs():
    # Training was interrupted, so it is not known whether it would have failed.
    with ctrl_c_in_epoch(2):
        model = fragile().fit(*data())
    assert model.n_iter_ == 1
    assert model.learning_rate_init_ == pytest.approx(first_rate("finite"), rel=1e-12)


# Output and callbacks


@pytest.mark.parametrize("name", ["finite", "twice", "few epochs"])
def test_verbose_says_why_the_epochs_start_again(name, capsys):
    model = fragile(name, verbose=True).fit(*data(name))
    lines = capsys.readouterr().out.splitlines()
    breaks = [k for k, line in enumerate(lines) if "failed" in line]
    assert 4.0 ** len(breaks) == FAILING[name][1]
    eta = first_rate(name)
    capsys.readouterr()
    for number, k in enumerate(breaks):
        assert lines[k] == f"Training failed with eta {eta / 4**number:g}. It starts again with a smaller eta."
    last = [line for line in lines[breaks[-1] + 1 :] if line.startswith("Epoch")]
    assert [line.split()[1] for line in last] == [f"{k}/{model.max_iter}" for k in range(1, model.n_iter_ + 1)]


class Epochs:
    """A callback that records the tasks, and the losses of the models, that it gets."""

    def __init__(self):
        self.begun, self.ended, self.losses = [], [], []

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        if context.task_name == "epoch":
            self.begun.append(context.task_id)

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        if context.task_name == "epoch":
            self.ended.append(context.task_id)
        else:
            self.losses.append(fitted_estimator.loss_)


@needs_callbacks
@failing
def test_callbacks_are_called_once_for_every_epoch(name):
    epochs = Epochs()
    model = fragile(name).set_callbacks(epochs).fit(*data(name))
    n_told = max(model.n_iter_, len(epochs.begun))
    assert epochs.begun == epochs.ended == list(range(n_told))
    assert n_told <= model.max_iter
    assert epochs.losses == [model.loss_]
    plain = fragile(name).fit(*data(name))
    assert_same_training(model, plain)


def test_a_failed_attempt_causes_no_warning():
    with pytest.warns(ConvergenceWarning) as caught:
        fragile("few epochs", n_iter_no_change=10).fit(*data())
    assert sum("max_iter=3 epochs were done" in str(w.message) for w in caught) == 1
