"""`fit` compares the model with the best constant prediction, and never returns a useless model without a warning."""

import copy
import pickle
import warnings

import numpy as np
import pytest
import reference
from interrupted import ctrl_c_in_epoch
from scipy.optimize import minimize
from selection import full_only
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import StandardScaler

from skfnn import FNNClassifier, FNNRegressor
from skfnn._estimator.judgement import Trial, constant_loss, relative_change
from skfnn._estimator.tasks import Labels, RealTargets

rng = np.random.default_rng(0)
B = 60
X = rng.normal(size=(B, 4))
signal = X @ rng.normal(size=(4, 3)) + 0.3 * rng.normal(size=(B, 3))
counts = rng.poisson(np.exp(0.5 * signal)).astype(float)
WEIGHTS = rng.uniform(0.2, 3.0, size=B)
WEIGHTS[:5] = 0.0

# name of the problem: y and the targets (B, n_outputs)
PROBLEMS = {
    "binary": (signal[:, 0] > 0.4, (signal[:, :1] > 0.4).astype(float)),
    "multiclass": (signal.argmax(axis=1), np.eye(3)[signal.argmax(axis=1)]),
    "multilabel": ((signal > 0.5).astype(int), (signal > 0.5).astype(float)),
    "squared_error": (signal[:, 0] + 5.0, signal[:, :1] + 5.0),
    "several outputs": (signal * [1.0, 10.0, 0.1], signal * [1.0, 10.0, 0.1]),
    "poisson": (counts[:, 0], counts[:, :1]),
    "several counts": (counts, counts),
}
CLASSIFICATION = ["binary", "multiclass", "multilabel"]


def kind_of(problem):
    return {"several outputs": "squared_error", "several counts": "poisson"}.get(problem, problem)


def least_constant_loss(targets, weights, kind):
    """The smallest mean loss of constant raw outputs, found by a minimiser that only uses the loss."""

    def mean_loss(z):
        return np.average([reference.row_loss(z, t, kind) for t in targets], weights=weights)

    return minimize(mean_loss, np.zeros(targets.shape[1]), method="BFGS", options={"gtol": 1e-9}).fun


def task_of(problem, y, **labels):
    """The task of a problem."""
    if problem in CLASSIFICATION:
        known = Labels.find(y)
        return Labels(known.classes, known.multilabel, **labels)
    return RealTargets.find(y, kind_of(problem))


def smoothed(targets, problem, smoothing):
    """Targets that are moved towards equal fractions of the classes; a logistic unit has the classes 0 and 1."""
    n_classes = targets.shape[1] if problem == "multiclass" else 2
    return (1.0 - smoothing) * targets + smoothing / n_classes


# The minimiser uses finite differences. Their relative error is the root of the rounding, and a minimum has its square.
RTOL = 1e-8


# The loss of the best constant


@pytest.mark.parametrize("rows", [None, np.arange(3, B, 2)], ids=["all rows", "some rows"])
@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["", "weighted"])
@pytest.mark.parametrize("problem", PROBLEMS)
def test_the_constant_loss_is_the_least_loss_of_a_constant(problem, weights, rows):
    y, targets = PROBLEMS[problem]
    task = task_of(problem, y)
    some = slice(None) if rows is None else rows
    expected = least_constant_loss(targets[some], None if weights is None else weights[some], kind_of(problem))
    found = constant_loss(task.loss, task.targets(y), rows, weights)
    np.testing.assert_allclose(found, expected, rtol=RTOL)


@pytest.mark.parametrize("class_weight", [None, "balanced"])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("problem", CLASSIFICATION)
def test_the_constant_loss_includes_label_smoothing_and_class_weights(problem, smoothing, class_weight):
    y, targets = PROBLEMS[problem]
    task = task_of(problem, y, smoothing=smoothing, class_weight=class_weight)
    weights = task.row_weights(y, None)
    if class_weight and problem != "multilabel":
        np.testing.assert_allclose(weights, reference.row_weights(y, class_weight="balanced"), rtol=1e-12)
    expected = least_constant_loss(smoothed(targets, problem, smoothing), weights, problem)
    np.testing.assert_allclose(constant_loss(task.loss, task.targets(y), None, weights), expected, rtol=RTOL)


def test_equally_frequent_labels_have_a_loss_of_log_of_their_number():
    y = np.arange(40) % 4
    task = Labels.find(y)
    np.testing.assert_allclose(constant_loss(task.loss, task.targets(y), None, None), np.log(4), rtol=1e-14)


# Plateaus

iris, species = load_iris(return_X_y=True)
iris = StandardScaler().fit_transform(iris)
NO_BETTER = "predicts no better than a constant"


def saturated(**params):
    """A network of many logistic layers, which stays on the plateau where all rows look the same."""
    settings = {"hidden_layer_sizes": (20,) * 4, "activation": "logistic", "learning_rate_init": 0.1, "batch_size": 20}
    return FNNClassifier(**(settings | {"random_state": 0} | params))


def dead(**params):
    """A network, and initial values with which its hidden units output 0 for every row."""
    settings = {"hidden_layer_sizes": (5,), "learning_rate_init": 0.1, "max_iter": 300, "random_state": 0}
    values = {
        "coefs_init": [np.ones((4, 5)), np.ones((5, 3))],
        "intercepts_init": [np.full(5, -100.0), np.array([1.0, 0.0, -1.0])],
    }
    return FNNClassifier(**(settings | params)), values


def warnings_of(call):
    """The messages of the ConvergenceWarnings of ``call()``, which must give no other warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    assert all(issubclass(w.category, ConvergenceWarning) for w in caught)
    return [str(w.message) for w in caught]


@pytest.mark.parametrize("n_layers", [3, 4])
@pytest.mark.parametrize("batch_size", [20, "full"])
@pytest.mark.parametrize("eta", [0.01, "auto"])
def test_a_plateau_of_saturated_units_warns_and_says_so(eta, batch_size, n_layers):
    clf = saturated(hidden_layer_sizes=(20,) * n_layers, learning_rate_init=eta, batch_size=batch_size)
    (message,) = warnings_of(lambda: clf.fit(iris, species))
    assert clf.n_iter_ < 200  # patience ended the run; without the warning it would look like a success
    assert clf.score(iris, species) < 0.7
    assert NO_BETTER in message
    assert "1.099 is the loss of the best constant prediction" in message
    assert f"learning_rate_init={clf.learning_rate_init_:g}" in message
    assert "saturated or dead" in message


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_dead_units_warn_although_the_output_finds_the_best_constant(dtype):
    clf, values = dead(dtype=dtype)
    (message,) = warnings_of(lambda: clf.fit(iris, species, **values))
    np.testing.assert_allclose(clf.loss_, np.log(3), rtol=1e-3)
    assert NO_BETTER in message


def test_a_network_that_learns_does_not_warn():
    assert warnings_of(lambda: saturated(solver="lbfgs", alpha=0.1, max_iter=1000).fit(iris, species)) == []
    assert warnings_of(lambda: FNNClassifier(random_state=0, max_iter=1000).fit(iris, species)) == []


@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
def test_targets_unrelated_to_x_cause_a_warning(solver):
    # With such a large alpha, the network can do no better than a constant.
    y = np.random.default_rng(1).normal(size=200)
    reg = FNNRegressor((5,), solver=solver, alpha=2000.0, learning_rate_init=0.01, random_state=0, max_iter=2000)
    assert [NO_BETTER in m for m in warnings_of(lambda: reg.fit(np.ones((200, 2)), y))] == [True]


def test_too_few_epochs_cause_only_one_warning():
    # While the loss still falls, the warning about max_iter already says what to do.
    (message,) = warnings_of(lambda: saturated(activation="relu", max_iter=3).fit(iris, species))
    assert "max_iter=3" in message
    # Without that warning, the comparison says that the loss was still falling.
    clf = FNNClassifier((5,), learning_rate_init=0.003, max_iter=15, n_iter_no_change=None, random_state=0)
    (message,) = warnings_of(lambda: clf.fit(iris, species))
    assert NO_BETTER in message
    assert "still falling: raise max_iter" in message


def test_large_features_are_named_as_the_cause():
    clf = saturated(standardize=False, learning_rate_init=1e-7, activation="tanh")
    labels = np.random.default_rng(0).permutation(species)
    (message,) = warnings_of(lambda: clf.fit(iris * [1.0, 1e3, 1.0, 1.0], labels))
    assert NO_BETTER in message
    assert "The largest feature is feature 1, with a root mean square of 1e+03." in message
    assert "standardize='auto'" in message


@pytest.mark.parametrize("k", [1, 5])
def test_resume_also_compares_with_the_constant(k):
    clf = saturated(max_iter=k, n_iter_no_change=None)
    with pytest.warns(ConvergenceWarning, match=NO_BETTER):
        clf.fit(iris, species)
    with pytest.warns(ConvergenceWarning, match=NO_BETTER):
        clf.set_params(max_iter=k + 1).resume(iris, species)
    # A run that does nothing causes no warning.
    assert warnings_of(lambda: clf.resume(iris, species)) == []


def test_after_ctrl_c_nothing_is_judged():
    clf = saturated(max_iter=5, n_iter_no_change=None)
    with ctrl_c_in_epoch(3) as caught:
        clf.fit(iris, species)
    assert clf.n_iter_ == 2
    assert [NO_BETTER in str(w.message) for w in caught] == [False]


@pytest.mark.parametrize("standardize", ["auto", False])
@pytest.mark.parametrize("alpha", [0.0, 10.0])
@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
def test_nothing_can_be_better_for_constant_targets(solver, alpha, standardize):
    settings = {"solver": solver, "alpha": alpha, "standardize": standardize, "max_iter": 500, "random_state": 0}
    reg = FNNRegressor((5,), n_iter_no_change=20 if solver == "sgd" else np.inf, **settings)
    assert warnings_of(lambda: reg.fit(X, np.full(B, 3.0))) == []
    clf = FNNClassifier((5,), n_iter_no_change=None, **settings)
    assert warnings_of(lambda: clf.fit(X, np.column_stack([np.zeros(B, int), np.ones(B, int)]))) == []


# Divergence while all numbers are finite


def diverging(kind=FNNRegressor, **params):
    """A network whose loss ends far above the constant's. No number overflows, because its gradients are clipped."""
    settings = {"hidden_layer_sizes": (10,), "activation": "tanh", "learning_rate_init": 1.0, "batch_size": 5}
    settings |= {"max_grad_norm": 1e3, "standardize": False, "max_iter": 30, "random_state": 0}
    return kind(**(settings | params))


@pytest.mark.parametrize("warm_start", [False, True])
@pytest.mark.parametrize("method", ["fit", "resume"])
def test_divergence_with_finite_numbers_raises_and_changes_nothing(method, warm_start):
    y = 100.0 * signal[:, 0]
    good = {"learning_rate_init": 1e-4, "max_iter": 30}
    reg = diverging(warm_start=warm_start, n_iter_no_change=None, **good).fit(X, y)
    assert reg.score(X, y) > 0.1
    before = copy.deepcopy(reg)
    reg.set_params(learning_rate_init=1.0, max_iter=60)
    with pytest.raises(
        ValueError, match=r"diverged with learning_rate_init=1: .* far above .*smaller.*root mean square"
    ):
        getattr(reg, method)(X, y)
    reg.set_params(**good)
    assert vars(reg).keys() == vars(before).keys()
    assert reg.history_ == before.history_
    np.testing.assert_array_equal(reg.predict(X), before.predict(X))
    for model in (reg, before):
        model.partial_fit(X, y)
    np.testing.assert_array_equal(reg.predict(X), before.predict(X))
    # An estimator whose first fit fails stays unfitted.
    fresh = diverging()
    with pytest.raises(ValueError, match="far above"):
        fresh.fit(X, y)
    assert vars(fresh).keys() == vars(diverging()).keys()


def test_the_error_has_both_losses_in_the_units_of_y():
    y = 100.0 * signal[:, 0]
    with pytest.raises(ValueError, match="far above") as caught:
        diverging(n_iter_no_change=None, standardize="auto", learning_rate_init=5.0).fit(X, y)
    ended, constant = (float(part.split()[-1].rstrip(",")) for part in str(caught.value).split(", ")[:2])
    np.testing.assert_allclose(constant, y.var() / 2, rtol=1e-3)
    assert ended > 10 * constant


@pytest.mark.parametrize("scale", [1.0, 1e160])
def test_lbfgs_is_also_compared_with_the_constant(scale):
    # The line search finds no lower point, so the initial parameters would be the model.
    clf = FNNClassifier((6,), solver="lbfgs", alpha=0.1, max_iter=2000, standardize=False, random_state=0)
    rows = scale * X
    if scale == 1.0:
        assert warnings_of(lambda: clf.fit(rows, species[:B] == 0)) == []
        return
    with pytest.raises(ValueError, match="far above"):
        clf.fit(rows, signal[:, 0] > 0)


@pytest.mark.parametrize(
    ("highest", "loss", "initial", "diverged"),
    [
        (2e4, 1.9e4, 2e4, False),  # raw features can have such an initial loss, and a small rate hardly changes it
        (2e4, 2.1e4, 2e4, True),  # the loss rose
        (3e5, 1.0e4, 2e4, True),  # an epoch exploded, and the loss did not recover
        (2e4, 1.9e4, None, True),  # L-BFGS has no learning rate that could be too small
    ],
)
def test_a_very_large_final_loss_is_compared_with_the_initial_one(highest, loss, initial, diverged):
    trial = Trial(constant=0.7, may_restart=False, typical=0.7)
    trial.watch(highest)
    assert trial.has_diverged(loss, initial) == diverged
    # A smaller automatic rate is tried in any case.
    trial.may_restart = True
    assert trial.has_diverged(loss, initial)


@pytest.mark.parametrize(
    ("loss", "initial", "change", "hardly_moved"),
    [
        (1.49, 1.5, 1e-6, True),
        (1.30, 1.5, 1e-6, False),  # the loss moved
        (1.49, 1.5, 0.1, False),  # the parameters moved
        (1.00, 1.001, 1e-6, False),  # the initial parameters are as good as the constant
    ],
)
def test_training_hardly_moved_if_neither_loss_nor_parameters_did(loss, initial, change, hardly_moved):
    trial = Trial(constant=1.0, may_restart=False)
    assert trial.has_hardly_moved(loss, initial, change) == hardly_moved


def test_the_change_of_the_parameters_is_relative_to_their_norm():
    initial = np.array([3.0, 4.0])
    np.testing.assert_allclose(relative_change(initial + [0.0, 0.1], initial), 0.02, rtol=1e-12)
    # A change of parameters that were all zero is never small.
    assert not relative_change(np.zeros(2), np.zeros(2)) < 1.0


# Streams


def test_a_stream_that_does_not_train_warns_once():
    y = 100.0 * signal[:, 0]
    reg = diverging()

    def train():
        for _ in range(10):
            reg.partial_fit(X, y)

    (message,) = warnings_of(train)
    assert "the training loss of this call is" in message
    assert "far above" in message
    assert "learning_rate_init=1" in message
    assert warnings_of(train) == []
    # A copy knows that the user was warned.
    reg = pickle.loads(pickle.dumps(reg))
    assert warnings_of(train) == []


def stream(sizes, unusual=()):
    """Chunks of one problem with these sizes. The chunks whose numbers are in `unusual` have very different targets."""
    generator = np.random.default_rng(3)
    for number, size in enumerate(sizes):
        rows = generator.normal(size=(size, 4))
        yield rows, rows[:, 0] + 0.1 * generator.normal(size=size) + (30.0 if number in unusual else 0.0)


@pytest.mark.parametrize("batch_size", ["auto", 10])
@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_a_stream_that_trains_does_not_warn(solver, batch_size):
    reg = FNNRegressor((10,), solver=solver, batch_size=batch_size, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        warnings.filterwarnings("ignore", "batch_size=10 is larger")
        for rows, y in stream([50, *range(1, 60)]):
            reg.partial_fit(rows, y)


@pytest.mark.parametrize(("unusual", "n_warnings"), [((20,), 0), ((20, 21, 30, 31), 0), ((20, 21, 22), 1)], ids=str)
def test_a_call_with_unusual_targets_is_no_divergence(unusual, n_warnings):
    reg = FNNRegressor((10,), learning_rate_init=1e-4, random_state=0)

    def train():
        for rows, y in stream([50] * 40, unusual):
            reg.partial_fit(rows, y)

    assert len(warnings_of(train)) == n_warnings


@pytest.mark.parametrize("n_rows", [1, 3])
def test_rows_one_by_one_do_not_warn(n_rows):
    # The best constant for one row has no loss at all.
    clf = FNNClassifier((10,), random_state=0)
    order = np.random.default_rng(0).permutation(len(iris))

    def train():
        for _ in range(3):
            for start in range(0, len(order), n_rows):
                rows = order[start : start + n_rows]
                clf.partial_fit(iris[rows], species[rows], classes=[0, 1, 2])

    assert warnings_of(train) == []
    assert clf.score(iris, species) > 0.8


# Random networks, data and learning rates

CASES_AT_ONCE = 10


def random_regression(seed):
    """A random regressor and random data."""
    rng = np.random.default_rng([7, seed])
    n_rows, n_features, n_outputs = rng.integers(20, 150), rng.integers(1, 9), rng.choice([1, 1, 2])
    rows = rng.normal(size=(n_rows, n_features))
    y = np.tanh(rows @ rng.normal(size=(n_features, n_outputs)))
    y = y + rng.uniform(0, 2) * rng.normal(size=y.shape)
    # Either each column has its own unit, or all columns share one.
    scales = 10.0 ** rng.uniform(-4, 6, size=n_features if rng.random() < 0.5 else 1)
    y = y * 10.0 ** rng.uniform(-4, 6) + rng.choice([0.0, 1.0, 1e4])
    depth = int(rng.integers(0, 4))
    activations = ["relu", "tanh", "logistic", "gelu", "identity", "selu", "softplus", "elu"]
    params = {
        "hidden_layer_sizes": tuple(int(n) for n in rng.integers(1, 60, size=depth)),
        "activation": str(rng.choice(activations)),
        "solver": str(rng.choice(["sgd", "adam", "lbfgs"])),
        "learning_rate_init": "auto" if rng.random() < 0.3 else float(10.0 ** rng.uniform(-4, 1)),
        "standardize": ["auto", True, False][rng.integers(3)],
        "init": str(rng.choice(["auto", "glorot", "he", "lecun"])),
        "batch_size": [1, 10, "auto", "full"][rng.integers(4)],
        "momentum": float(rng.choice([0.0, 0.9])),
        "alpha": float(rng.choice([0.0, 1.0])),
        "max_iter": int(rng.integers(2, 40)),
        "n_iter_no_change": [10, np.inf][rng.integers(2)],
        "early_stopping": bool(rng.random() < 0.2),
        "random_state": seed,
    }
    rows = rows * scales + rng.choice([0.0, 10.0]) * scales
    return FNNRegressor(**params), rows, y if n_outputs > 1 else y[:, 0]


def losses(reg, rows, y):
    """The training loss of a fitted network and of the best constant, in the coordinates of training."""
    y = y.reshape(len(y), -1)
    scale = 1.0 if reg.target_scale_ is None else reg.target_scale_
    residuals = (reg.predict(rows).reshape(y.shape) - y) / scale
    return (residuals**2).sum() / len(y) / 2, (y / scale).var(axis=0).sum() / 2


def outcome(seed):
    """How training of a random case ends: with "error", "warning" or "better"; "silence" is not allowed."""
    reg, rows, y = random_regression(seed)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            reg.fit(rows[5:], y[5:], X_val=rows[:5], y_val=y[:5])
        except ValueError as error:
            return "error" if "Training diverged" in str(error) else str(error)
    if any(issubclass(w.category, ConvergenceWarning) for w in caught):
        return "warning"
    loss, constant = losses(reg, rows[5:], y[5:])
    return "better" if loss < constant else "silence"


@pytest.mark.parametrize("block", [0, 1, *(full_only(k) for k in range(2, 20))])
def test_no_random_regression_ends_worse_than_the_constant_in_silence(block):
    seeds = range(block * CASES_AT_ONCE, (block + 1) * CASES_AT_ONCE)
    outcomes = {seed: outcome(seed) for seed in seeds}
    assert set(outcomes.values()) <= {"error", "warning", "better"}, outcomes
    # Without this line, the law would hold for a network that always warns.
    assert block > 1 or list(outcomes.values()).count("better") > 1


@pytest.mark.parametrize("eta", [1e-12, 1e-6, 1e-4])
@pytest.mark.parametrize("solver", ["sgd", "adam"])
@pytest.mark.parametrize("batch_size", [10, "full"])
def test_a_learning_rate_that_is_too_small_is_no_divergence(batch_size, solver, eta):
    # The loss stays at its initial value, 50, while the constant 10 has a loss of 0.5. A smaller rate would not help.
    rng = np.random.default_rng(0)
    rows, y = rng.normal(size=(60, 3)), 10.0 + rng.normal(size=60)
    params = {"solver": solver, "learning_rate_init": eta, "batch_size": batch_size, "standardize": False}
    reg = FNNRegressor((4,), max_iter=1, n_iter_no_change=None, random_state=0, **params)
    with pytest.warns(ConvergenceWarning, match="no better than a constant"):
        reg.fit(rows, y)
    assert reg.loss_ > 40
