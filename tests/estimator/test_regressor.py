"""FNNRegressor: its losses, gradients and steps against formulas and MLPRegressor, and what users rely on."""

import inspect
import pickle
from functools import partial

import mlp
import numpy as np
import pytest
import reference
from problems import initial_values
from scipy import sparse
from sklearn.base import clone, is_regressor
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_diabetes
from sklearn.exceptions import DataConversionWarning, NotFittedError
from sklearn.linear_model import LinearRegression, PoissonRegressor
from sklearn.metrics import get_scorer, mean_poisson_deviance, mean_squared_error, r2_score
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.neural_network import MLPRegressor, _multilayer_perceptron
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale
from sklearn.utils import get_tags

from skfnn import FNNClassifier, FNNRegressor
from skfnn._engine.losses import PoissonDeviance, SquaredError

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

NAMES = ["squared_error", "poisson"]
LOSSES = {"squared_error": SquaredError(), "poisson": PoissonDeviance()}
N_FEATURES, HIDDEN = 5, (6, 4)
losses = pytest.mark.parametrize("loss", NAMES)
outputs = pytest.mark.parametrize("n_outputs", [1, 3])
containers = pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix], ids=["dense", "sparse"])


def problem(loss, n_outputs, n_rows=40, seed=0):
    """Random rows with some zero entries, and targets of size 1 that depend on the rows (counts for Poisson)."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, N_FEATURES))
    X[rng.random(X.shape) < 0.3] = 0.0
    y = X @ rng.normal(scale=0.5, size=(N_FEATURES, n_outputs)) + 0.3 * rng.normal(size=(n_rows, n_outputs))
    if loss == "poisson":
        y = rng.poisson(np.exp(y)).astype(float)
        assert (y == 0).any()
    return X, y[:, 0] if n_outputs == 1 else y


def start_for(n_outputs, seed=1):
    return initial_values((N_FEATURES, *HIDDEN, n_outputs), seed=seed, scale=0.4)


def estimator(**params):
    """An estimator that, by default, trains for exactly max_iter epochs without scaling rows and targets."""
    settings = {"hidden_layer_sizes": HIDDEN, "activation": "tanh", "max_iter": 6, "learning_rate_init": 0.05}
    settings |= {"batch_size": 10, "n_iter_no_change": None, "standardize": False, "random_state": 0}
    return FNNRegressor(**(settings | params))


def mean_loss(loss, y, predicted, weights=None):
    """The documented loss, computed with scikit-learn's metrics: it is summed over the outputs."""
    metric = mean_poisson_deviance if loss == "poisson" else mean_squared_error
    y, predicted = (np.reshape(a, (len(a), -1)) for a in (y, predicted))
    return sum(metric(a, b, sample_weight=weights) / 2 for a, b in zip(y.T, predicted.T, strict=True))


# The losses


def raw_problem(loss, n_outputs, n=17):
    rng = np.random.default_rng(0)
    z = rng.normal(size=(n, n_outputs))
    y = rng.normal(size=(n, n_outputs)) if loss == "squared_error" else rng.poisson(1.5, size=(n, n_outputs))
    return z, y.astype(float), rng.integers(0, 4, size=n).astype(float)


def value_and_delta(loss, z, y, weights=None, dtype=np.float64):
    """The sum of the rows' losses, and its derivative. The arguments do not change."""
    # The rows form one block with one mini-batch.
    z, y = (np.array(a, dtype).T[None].copy() for a in (z, y))
    delta, row = np.full_like(z[0].T, np.nan, order="F"), np.full((1, z.shape[2]), np.nan, dtype)
    weights = None if weights is None else np.array(weights, dtype)[None]
    LOSSES[loss].write_delta(z[0].T, y[0].T, delta, row.T, None if weights is None else weights.T)
    return LOSSES[loss].value(z, y, row, weights), delta


@pytest.mark.parametrize("weighted", [False, True])
@outputs
@losses
def test_the_mean_loss_is_half_the_metric_of_scikit_learn(loss, n_outputs, weighted):
    z, y, weights = raw_problem(loss, n_outputs)
    weights = weights if weighted else None
    value, _ = value_and_delta(loss, z, y, weights)
    assert isinstance(value, float)
    predicted = z.copy()
    LOSSES[loss].activate(predicted)
    np.testing.assert_array_equal(predicted, np.exp(z) if loss == "poisson" else z)
    # A few roundings of numbers up to 10.
    total = len(z) if weights is None else weights.sum()
    np.testing.assert_allclose(value / total, mean_loss(loss, y, predicted, weights), rtol=1e-13)


@pytest.mark.parametrize("weighted", [False, True])
@outputs
@losses
def test_delta_is_the_derivative_of_the_loss(loss, n_outputs, weighted):
    z, y, weights = raw_problem(loss, n_outputs)
    weights = weights if weighted else None
    _, delta = value_and_delta(loss, z, y, weights)
    h = 1e-5
    for index in np.ndindex(z.shape):
        step = np.zeros_like(z)
        step[index] = h
        up, down = (value_and_delta(loss, z + s, y, weights)[0] for s in (step, -step))
        # Central differences: a truncation error of h^2, and the rounding of a sum of size 100 divided by h, 2e-9.
        np.testing.assert_allclose(delta[index], (up - down) / (2 * h), rtol=0, atol=1e-8)


@losses
def test_the_loss_of_a_perfect_prediction_is_zero(loss):
    y = np.array([[0.5, 1.0, 3.0]])
    z = np.log(y) if loss == "poisson" else y
    value, delta = value_and_delta(loss, z, y)
    # Logarithm and exponential are rounded to 1e-16.
    np.testing.assert_allclose(value, 0.0, atol=1e-15)
    np.testing.assert_allclose(delta, 0.0, atol=1e-15)


def test_the_poisson_loss_of_a_count_of_zero_is_the_mean():
    value, delta = value_and_delta("poisson", [[-1e4, 0.0, 1.0]], [[0.0, 0.0, 0.0]])
    np.testing.assert_allclose(value, 1.0 + np.e, rtol=1e-15)
    np.testing.assert_allclose(delta, [[0.0, 1.0, np.e]], rtol=1e-15)


@losses
def test_float32_losses_are_float64_losses_rounded(loss):
    z, y, weights = raw_problem(loss, 3)
    value, delta = value_and_delta(loss, z, y, weights, np.float32)
    assert delta.dtype == np.float32
    exact, exact_delta = value_and_delta(loss, z, y, weights)
    # Numbers up to 10, each rounded to 6e-8, are multiplied by weights up to 3.
    np.testing.assert_allclose(value, exact, rtol=1e-5)
    np.testing.assert_allclose(delta, exact_delta, atol=1e-5)


# The gradient


def objective(X, y, coefs, intercepts, loss, alpha, weights):
    """R(W), row by row."""
    return reference.objective(X, np.reshape(y, (len(X), -1)), coefs, intercepts, "tanh", loss, alpha, weights)


def finite_differences(X, y, start, *rest):
    """The derivative of R with respect to every parameter, weights first."""
    coefs, intercepts = ([p.copy() for p in part] for part in start)
    h, differences = 1e-5, []
    for p in coefs + intercepts:
        difference = np.empty_like(p)
        for index in np.ndindex(p.shape):
            value, both = p[index], []
            for p[index] in (value + h, value - h):
                both.append(objective(X, y, coefs, intercepts, *rest))
            p[index] = value
            difference[index] = (both[0] - both[1]) / (2 * h)
        differences.append(difference)
    return differences


@pytest.mark.parametrize("weights", [None, (0.0, 1.0, 2.5, 0.3, 1.0, 4.0, 0.0, 0.7, 1.0)], ids=["plain", "weights"])
@pytest.mark.parametrize("alpha", [0.0, 1.3])
@outputs
@losses
def test_a_step_of_length_1_is_the_gradient_of_the_objective(loss, n_outputs, alpha, weights):
    X, y = problem(loss, n_outputs, n_rows=9)
    start = start_for(n_outputs)
    expected = finite_differences(X, y, start, loss, alpha, weights)
    assert max(np.abs(g).max() for g in expected) > 0.1
    # Plain SGD adds products of factors to the weights. Momentum adds them to the velocity, which is -eta * gradient at
    # first.
    for momentum in (0.0, 0.9):
        for container in (np.asarray, sparse.csr_matrix):
            reg = estimator(loss=loss, alpha=alpha, momentum=momentum, nesterovs_momentum=False, batch_size="full")
            reg.set_params(max_iter=1, learning_rate_init=1.0)
            reg.fit(container(X), y, sample_weight=weights, coefs_init=start[0], intercepts_init=start[1])
            for before, after, g in zip([*start[0], *start[1]], reg.coefs_ + reg.intercepts_, expected, strict=True):
                # The error of a central difference is h^2 times a third derivative, plus the rounding of R divided by
                # h: 1e-10.
                np.testing.assert_allclose(before - after, g, rtol=1e-6, atol=1e-9)
            np.testing.assert_allclose(reg.loss_, objective(X, y, *start, loss, alpha, weights), rtol=1e-12)


@containers
@losses
def test_the_gradient_of_many_rows_is_the_mean_over_their_halves(loss, container):
    # skfnn processes 1000 rows in parts.
    X, y = problem(loss, 3, n_rows=1000)
    start = start_for(3)
    ends = []
    for rows in (slice(None), slice(0, 500), slice(500, None)):
        reg = estimator(loss=loss, batch_size="full", max_iter=1, learning_rate_init=1.0)
        reg.fit(container(X[rows]), y[rows], coefs_init=start[0], intercepts_init=start[1])
        ends.append([*reg.coefs_, *reg.intercepts_, np.array(reg.loss_)])
    for whole, first, second in zip(*ends, strict=True):
        # A thousand numbers of size 1 are summed in another order.
        np.testing.assert_allclose(whole, (first + second) / 2, rtol=0, atol=1e-12)


@pytest.mark.parametrize("batch_size", [1, 4, "full"])
def test_every_step_shrinks_the_weights_by_alpha_over_n_rows(batch_size, assert_parameters):
    # With rows and targets of zeros, only the L2 term has an effect.
    coefs, intercepts = start_for(3)[0], [np.zeros(n) for n in (*HIDDEN, 3)]
    reg = estimator(alpha=5.0, learning_rate_init=0.1, batch_size=batch_size, max_iter=3)
    reg.fit(np.zeros((20, N_FEATURES)), np.zeros((20, 3)), coefs_init=coefs, intercepts_init=intercepts)
    assert reg.n_steps_ == {1: 60, 4: 15, "full": 3}[batch_size]
    shrunk = [W * (1 - 0.1 * 5.0 / 20) ** reg.n_steps_ for W in coefs]
    assert_parameters(reg, shrunk, intercepts, atol=1e-14)  # 60 roundings of numbers of size 1


# MLPRegressor

HAS_POISSON = "loss" in MLPRegressor().get_params()
HAS_WEIGHTS = "sample_weight" in inspect.signature(MLPRegressor.fit).parameters
needs_weights = pytest.mark.skipif(not HAS_WEIGHTS, reason="this MLPRegressor does not accept sample weights")
mlp_losses = pytest.mark.parametrize(
    "loss",
    [
        "squared_error",
        pytest.param(
            "poisson", marks=pytest.mark.skipif(not HAS_POISSON, reason="this MLPRegressor has no Poisson loss")
        ),
    ],
)
SOLVERS = {
    "plain": {"solver": "sgd", "momentum": 0.0, "learning_rate_init": 0.05},
    "momentum": {"solver": "sgd", "momentum": 0.9, "nesterovs_momentum": False, "learning_rate_init": 0.02},
    "nesterov": {"solver": "sgd", "momentum": 0.9, "nesterovs_momentum": True, "learning_rate_init": 0.02},
    "adam": {"solver": "adam", "learning_rate_init": 0.01},
}
# Both regressors do the same float64 operations in different orders, fifty times, on numbers of size 1.
SAME = {"rtol": 0, "atol": 1e-8}


pair = partial(mlp.pair, FNNRegressor, MLPRegressor)


@containers
@pytest.mark.parametrize("alpha", [0.0, 1.0])
@outputs
@mlp_losses
@pytest.mark.parametrize("solver", SOLVERS)
def test_full_batch_weights_agree(solver, loss, n_outputs, alpha, container, assert_parameters):
    X, y = problem(loss, n_outputs)
    start = start_for(n_outputs)
    fnn, mlp = pair(container(X), y, start, loss=loss, alpha=alpha, **SOLVERS[solver])
    assert max(np.abs(p - q).max() for p, q in zip(mlp.coefs_, start[0], strict=True)) > 0.1  # training moved
    assert_parameters(fnn, mlp.coefs_, mlp.intercepts_, **SAME)
    np.testing.assert_allclose(fnn.predict(X), mlp.predict(X), **SAME)
    np.testing.assert_allclose(fnn.score(X, y), mlp.score(X, y), **SAME)
    assert fnn.out_activation_ == mlp.out_activation_
    if loss == "poisson" or n_outputs == 1:
        np.testing.assert_allclose(fnn.loss_curve_, mlp.loss_curve_, **SAME)
    elif alpha == 0.0:
        # MLPRegressor reports the mean over the outputs, but uses the gradient of the sum over them.
        np.testing.assert_allclose(fnn.loss_curve_, np.multiply(mlp.loss_curve_, n_outputs), **SAME)


@pytest.mark.parametrize("activation", ["identity", "logistic", "relu"])
@pytest.mark.parametrize("solver", SOLVERS)
def test_full_batch_weights_agree_for_other_activations(solver, activation, assert_parameters):
    X, y = problem("squared_error", 1)
    fnn, mlp = pair(X, y, start_for(1), activation=activation, alpha=0.5, **SOLVERS[solver])
    assert_parameters(fnn, mlp.coefs_, mlp.intercepts_, **SAME)


@needs_weights
@outputs
@mlp_losses
@pytest.mark.parametrize("solver", SOLVERS)
def test_full_batch_weights_agree_with_sample_weights(solver, loss, n_outputs, assert_parameters):
    X, y = problem(loss, n_outputs)
    weight = np.random.default_rng(0).random(40) * 3
    fnn, mlp = pair(X, y, start_for(n_outputs), sample_weight=weight, loss=loss, alpha=0.0, **SOLVERS[solver])
    assert_parameters(fnn, mlp.coefs_, mlp.intercepts_, **SAME)
    # MLPRegressor divides alpha by the sum of the weights, FNNRegressor by B: the same if the mean weight is 1.
    weight = weight / weight.mean()
    fnn, mlp = pair(X, y, start_for(n_outputs), sample_weight=weight, loss=loss, alpha=1.0, **SOLVERS[solver])
    assert_parameters(fnn, mlp.coefs_, mlp.intercepts_, **SAME)


@mlp_losses
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("batch_size", [1, 4, 20])
def test_minibatch_weights_agree_without_alpha_and_weights(batch_size, solver, loss, assert_parameters):
    # Without alpha and weights, both regressors define the same mini-batch gradient.
    X, y = problem(loss, 3)
    params = SOLVERS[solver] | {"learning_rate_init": 0.005, "max_iter": 8}
    fnn, mlp = pair(X, y, start_for(3), batch_size=batch_size, loss=loss, alpha=0.0, **params)
    assert_parameters(fnn, mlp.coefs_, mlp.intercepts_, **SAME)


@pytest.mark.parametrize("tol", [1e-2, 1e-3])
@pytest.mark.parametrize("solver", SOLVERS)
def test_training_stops_in_the_same_epoch(solver, tol):
    X, y = problem("squared_error", 1)
    params = SOLVERS[solver] | {"tol": tol, "n_iter_no_change": 4, "max_iter": 1000}
    fnn, mlp = pair(X, y, start_for(1), alpha=5.0, **params)
    assert 1 < mlp.n_iter_ < 1000
    assert fnn.n_iter_ == mlp.n_iter_
    np.testing.assert_allclose([fnn.loss_, fnn.best_loss_], [mlp.loss_, mlp.best_loss_], **SAME)


def sum_over_outputs(y, predicted, sample_weight=None):
    return mean_loss("squared_error", y, predicted, sample_weight)


@pytest.mark.parametrize("weighted", [False, pytest.param(True, marks=needs_weights)])
@pytest.mark.parametrize("alpha", [0.0, 1.0])
@outputs
@mlp_losses
def test_lbfgs_agrees_for_ten_iterations(loss, n_outputs, alpha, weighted, assert_parameters, monkeypatch):
    if loss == "squared_error" and n_outputs > 1:
        # MLPRegressor gives L-BFGS the mean over the outputs but the gradient of the sum. This patch gives it the sum.
        monkeypatch.setitem(_multilayer_perceptron.LOSS_FUNCTIONS, "squared_error", sum_over_outputs)
    X, y = problem(loss, n_outputs)
    weight = np.random.default_rng(0).random(40) if weighted else None
    if weighted:
        weight /= weight.mean()
    params = {"solver": "lbfgs", "tol": 1e-10, "max_iter": 10, "alpha": alpha, "loss": loss}
    fnn, mlp = pair(X, y, start_for(n_outputs), sample_weight=weight, **params)
    assert fnn.n_iter_ == mlp.n_iter_ == 10
    np.testing.assert_allclose(fnn.loss_, mlp.loss_, **SAME)
    assert_parameters(fnn, mlp.coefs_, mlp.intercepts_, **SAME)


def test_every_parameter_of_mlpregressor_exists_and_its_defaults_are_accepted():
    X, y = problem("squared_error", 1)
    params = MLPRegressor(random_state=0, max_iter=400).get_params()
    assert set(params) <= set(FNNRegressor().get_params())
    assert FNNRegressor(**params).fit(X, y).score(X, y) > 0.7


@pytest.mark.parametrize("params", [{}, {"early_stopping": True}, {"solver": "adam"}, {"solver": "lbfgs"}], ids=str)
@outputs
def test_every_fitted_attribute_of_mlpregressor_exists_with_its_type(n_outputs, params):
    X, y = problem("squared_error", n_outputs)
    params = {"max_iter": 5, "random_state": 0, "learning_rate_init": 0.01} | params
    mlp, fnn = (cls(**params).fit(X, y) for cls in (MLPRegressor, FNNRegressor))
    public = [name for name in vars(mlp) if name.endswith("_") and not name.startswith("_")]
    assert "coefs_" in public
    for name in public:
        mine, theirs = getattr(fnn, name), getattr(mlp, name)
        assert isinstance(mine, type(theirs)) or np.isscalar(mine) == np.isscalar(theirs), name
        assert (mine is None) == (theirs is None), name
    for name in ("n_features_in_", "n_outputs_", "n_layers_", "out_activation_"):
        assert getattr(fnn, name) == getattr(mlp, name)
    assert [c.shape for c in fnn.coefs_] == [c.shape for c in mlp.coefs_]
    assert fnn.predict(X).shape == mlp.predict(X).shape == y.shape


def test_every_method_of_mlpregressor_exists():
    mlp, fnn = MLPRegressor(solver="sgd"), FNNRegressor()
    methods = [name for name in dir(mlp) if not name.startswith("_") and callable(getattr(mlp, name))]
    assert "partial_fit" in methods
    assert [name for name in methods if not callable(getattr(fnn, name, None))] == []


def test_the_parameters_are_those_of_the_classifier_that_apply_to_regression():
    ours, theirs = FNNRegressor().get_params(), FNNClassifier().get_params()
    assert set(ours) - set(theirs) == {"loss"}
    assert set(theirs) - set(ours) == {"class_weight", "label_smoothing"}
    assert list(inspect.signature(FNNRegressor).parameters)[:2] == ["hidden_layer_sizes", "activation"]
    for name in ("fit", "partial_fit"):
        mine, other = (set(inspect.signature(getattr(c, name)).parameters) for c in (FNNRegressor, FNNClassifier))
        assert mine == other - {"classes"}


# The result of training


@pytest.mark.parametrize("weighted", [False, True])
def test_converged_linear_layers_solve_least_squares(weighted):
    X, y = problem("squared_error", 3)
    weights = np.arange(40.0) if weighted else None
    reg = FNNRegressor(8, "identity", solver="lbfgs", tol=1e-9, max_iter=2000, random_state=0).fit(X, y, weights)
    # SciPy stops when a step reduces R by less than 2e-9 of its value.
    expected = LinearRegression().fit(X, y, weights).predict(X)
    np.testing.assert_allclose(reg.predict(X), expected, atol=1e-3)


def test_converged_linear_layers_solve_poisson_regression():
    X, y = problem("poisson", 1)
    params = {"loss": "poisson", "solver": "lbfgs", "tol": 1e-9, "max_iter": 2000}
    reg = FNNRegressor(8, "identity", random_state=0, **params).fit(X, y)
    expected = PoissonRegressor(alpha=0.0, tol=1e-10, max_iter=1000).fit(X, y).predict(X)
    # As above, with predictions up to 10.
    np.testing.assert_allclose(reg.predict(X), expected, rtol=5e-3)


@losses
def test_after_lbfgs_predictions_and_targets_have_the_same_mean(loss):
    # The derivative with respect to the last bias is the mean of prediction - y, for both losses.
    X, y = problem(loss, 3)
    reg = estimator(loss=loss, solver="lbfgs", alpha=1.0, tol=1e-8, max_iter=1000).fit(X, y)
    np.testing.assert_allclose(reg.predict(X).mean(axis=0), y.mean(axis=0), atol=2e-4)


def test_poisson_predicts_positive_means():
    X, y = problem("poisson", 3)
    reg = estimator(loss="poisson").fit(X, y)
    assert reg.out_activation_ == "exp"
    assert (reg.predict(1e3 * X) >= 0).all()
    assert (reg.predict(X) > 0).all()
    raw = reference.raw_outputs(X, reg.coefs_, reg.intercepts_, "tanh")
    np.testing.assert_allclose(reg.predict(X), np.exp(raw), rtol=1e-12)


def test_set_params_after_fit_does_not_change_predictions():
    X, y = problem("poisson", 1)
    reg = estimator(loss="poisson").fit(X, y)
    before = reg.predict(X)
    np.testing.assert_array_equal(reg.set_params(loss="squared_error").predict(X), before)


@pytest.mark.parametrize(
    "params",
    [
        {"solver": "adam", "learning_rate_init": 0.01},
        {"solver": "adam", "learning_rate_init": 0.01, "weight_decay": 0.01},
        {"solver": "lbfgs"},
        {"momentum": 0.9, "learning_rate_init": 0.005},
        {"batch_size": 1, "learning_rate_init": 0.01},
        {"dropout": 0.1},
        {"max_grad_norm": 1.0},
        {"learning_rate": "cosine"},
        {"learning_rate": "adaptive"},
        {"early_stopping": True, "validation_fraction": 0.2, "n_iter_no_change": 20},
        {"dtype": "float32"},
        {"activation": ["relu", "gelu"]},
        {"alpha": 0.1},
    ],
    ids=str,
)
def test_every_setting_learns_the_diabetes_data(params):
    X, y = map(scale, load_diabetes(return_X_y=True))
    settings = {"hidden_layer_sizes": (16, 8), "max_iter": 40, "batch_size": 20, "learning_rate_init": 0.03}
    reg = estimator(**(settings | params)).fit(X[:350], y[:350])
    assert reg.score(X[:350], y[:350]) > 0.4  # least squares: 0.51


def test_max_grad_norm_limits_the_step_length():
    X, y = problem("squared_error", 3)
    start = start_for(3)
    lengths = []
    for limit in (None, 0.5):
        reg = estimator(batch_size="full", max_iter=1, learning_rate_init=1.0, max_grad_norm=limit)
        reg.fit(X, 10 * y, coefs_init=start[0], intercepts_init=start[1])
        ends = zip(reg.coefs_ + reg.intercepts_, [*start[0], *start[1]], strict=True)
        lengths.append(np.sqrt(sum(((p - q) ** 2).sum() for p, q in ends)))
    assert lengths[0] > 1.0
    np.testing.assert_allclose(lengths[1], 0.5, rtol=1e-10)


# Validation

X_train, y_train = problem("squared_error", 3, n_rows=80)
X_val, y_val = X_train[60:], y_train[60:]
X_train, y_train = X_train[:60], y_train[:60]
COUNTS = problem("poisson", 3, n_rows=80)[1]


def split(loss, n_outputs):
    """Training and validation rows and targets of a problem."""
    y = COUNTS if loss == "poisson" else np.vstack([y_train, y_val])
    y = y[:, 0] if n_outputs == 1 else y
    return X_train, y[:60], X_val, y[60:]


@pytest.mark.parametrize("weighted", [False, True])
@outputs
@losses
@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
def test_each_epoch_records_the_loss_and_r2_of_its_weights(solver, loss, n_outputs, weighted):
    X, y, rows, targets = split(loss, n_outputs)
    weights = np.arange(20.0) if weighted else None
    params = {"solver": solver, "loss": loss}
    whole = estimator(**params).fit(X, y, X_val=rows, y_val=targets, sample_weight_val=weights)
    assert len(whole.validation_scores_) == len(whole.validation_loss_curve_) == whole.n_iter_ == 6
    for epoch in range(1, 7):
        reg = estimator(**params, max_iter=epoch).fit(X, y)
        predicted = reg.predict(rows)
        # The sums have another order.
        expected = r2_score(targets, predicted, sample_weight=weights)
        np.testing.assert_allclose(reg.score(rows, targets, weights), expected, rtol=1e-12)
        np.testing.assert_allclose(whole.validation_scores_[epoch - 1], expected, rtol=1e-10)
        expected = mean_loss(loss, targets, predicted, weights)
        np.testing.assert_allclose(whole.validation_loss_curve_[epoch - 1], expected, rtol=1e-10)
    assert len(set(whole.validation_loss_curve_)) == 6
    assert whole.best_validation_score_ == max(whole.validation_scores_)


@pytest.mark.parametrize("name", ["r2", "neg_mean_absolute_error", "explained_variance"])
def test_scoring_may_be_the_name_of_a_scorer(name):
    reg = estimator(scoring=name).fit(X_train, y_train, X_val=X_val, y_val=y_val)
    np.testing.assert_allclose(reg.validation_scores_[-1], get_scorer(name)(reg, X_val, y_val), rtol=1e-12)


def test_scoring_loss_is_the_negative_validation_loss():
    reg = estimator(scoring="loss").fit(X_train, y_train, X_val=X_val, y_val=y_val)
    np.testing.assert_array_equal(reg.validation_scores_, -np.array(reg.validation_loss_curve_))


@pytest.mark.parametrize(("params", "n_held"), [({"early_stopping": True}, 6), ({"validation_fraction": 0.25}, 15)])
@outputs
def test_rows_are_held_out(n_outputs, params, n_held):
    X, y, _, _ = split("squared_error", n_outputs)
    reg = estimator(**params).fit(X, y)
    assert reg.t_ == 6 * (60 - n_held)
    assert len(reg.validation_scores_) == 6
    assert np.isfinite(reg.validation_scores_).all()


@pytest.mark.parametrize("params", [{}, {"solver": "adam"}, {"solver": "lbfgs"}], ids=str)
def test_early_stopping_restores_the_weights_of_the_best_epoch(params, assert_identical):
    # With a large eta the score goes up and down. L-BFGS overfits.
    settings = {"max_iter": 200, "n_iter_no_change": 3, "learning_rate_init": 0.2} | params
    X, y, rows, targets = split("squared_error", 1)
    reg = estimator(early_stopping=True, **settings).fit(X, y, X_val=rows, y_val=targets)
    best = int(np.argmax(reg.validation_scores_))
    assert best < reg.n_iter_ - 1 < 199
    assert reg.best_loss_ is None
    assert reg.best_validation_score_ == reg.validation_scores_[best]
    np.testing.assert_allclose(reg.score(rows, targets), reg.best_validation_score_, rtol=1e-12)
    assert_identical(reg, estimator(**(settings | {"max_iter": best + 1, "n_iter_no_change": None})).fit(X, y))


# Several calls


@pytest.mark.parametrize("params", [{}, {"momentum": 0.9}, {"solver": "adam"}, {"dropout": 0.2}], ids=str)
@losses
def test_k_partial_fits_equal_one_fit_of_k_epochs(loss, params, assert_identical):
    X, y, _, _ = split(loss, 3)
    params = {"loss": loss, "learning_rate_init": 0.01} | params
    parts = estimator(**params)
    for _ in range(6):
        parts.partial_fit(X, y)
    whole = estimator(**params).fit(X, y)
    assert_identical(parts, whole)
    assert parts.loss_curve_ == whole.loss_curve_
    assert parts.n_iter_ == 6


def test_partial_fit_with_a_validation_set_keeps_the_best_weights():
    X, y, rows, targets = split("squared_error", 1)
    reg = estimator(learning_rate_init=0.3)
    predictions = []
    for _ in range(20):
        predictions.append(reg.partial_fit(X, y, X_val=rows, y_val=targets).predict(rows))
    best = int(np.argmax(reg.validation_scores_))
    assert best < 19
    np.testing.assert_array_equal(reg.predict(rows), predictions[-1])
    np.testing.assert_array_equal(reg.restore_best().predict(rows), predictions[best])
    assert len(reg.validation_scores_) == 20


def test_restore_best_needs_a_validation_set():
    with pytest.raises(ValueError, match="restore"):
        estimator().partial_fit(X_train, y_train).restore_best()
    with pytest.raises(NotFittedError):
        estimator().restore_best()


def test_lbfgs_has_no_partial_fit():
    assert not hasattr(estimator(solver="lbfgs"), "partial_fit")


@pytest.mark.parametrize("params", [{}, {"momentum": 0.9, "learning_rate_init": 0.01}, {"solver": "adam"}], ids=str)
def test_a_warm_start_continues(params, assert_identical):
    whole = estimator(max_iter=6, **params).fit(X_train, y_train)
    parts = estimator(max_iter=3, warm_start=True, **params).fit(X_train, y_train).fit(X_train, y_train)
    assert_identical(parts, whole)
    assert parts.loss_curve_ == whole.loss_curve_


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_another_number_of_outputs_is_refused_and_nothing_changes(method):
    reg = estimator(warm_start=True).fit(X_train, y_train)
    before = reg.predict(X_val)
    for y in (y_train[:, 0], y_train[:, :2]):
        with pytest.raises(ValueError, match="outputs"):
            getattr(reg, method)(X_train, y)
    np.testing.assert_array_equal(reg.predict(X_val), before)
    assert estimator().fit(X_train, y_train).fit(X_train, y_train[:, 0]).n_outputs_ == 1


# The form of X and y


@pytest.mark.parametrize("container", [sparse.csr_matrix, sparse.csc_matrix, sparse.csr_array])
@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
@losses
def test_sparse_x_gives_the_same_results_as_dense_x(loss, solver, container, assert_parameters):
    X, y, rows, targets = split(loss, 3)
    params = {"loss": loss, "solver": solver}
    dense = estimator(**params).fit(X, y, X_val=rows, y_val=targets)
    other = estimator(**params).fit(container(X), y, X_val=container(rows), y_val=targets)
    # Sparse products are summed in another order.
    assert_parameters(other, dense.coefs_, dense.intercepts_, atol=1e-10)
    np.testing.assert_allclose(other.validation_scores_, dense.validation_scores_, rtol=0, atol=1e-10)
    np.testing.assert_allclose(other.predict(container(rows)), dense.predict(rows), rtol=0, atol=1e-10)


@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
@losses
def test_float32_and_float64_give_the_same_predictions(loss, solver):
    X, y, rows, targets = split(loss, 3)
    single, double = (
        estimator(loss=loss, solver=solver, dtype=dtype).fit(X, y, X_val=rows, y_val=targets)
        for dtype in ("float32", "float64")
    )
    # 36 steps with an error of 1e-7 each, which the line search of L-BFGS magnifies.
    np.testing.assert_allclose(single.predict(rows), double.predict(rows), rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(single.validation_scores_, double.validation_scores_, rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize(
    ("source", "dtype", "expected"),
    [
        ("float64", "auto", "float64"),
        ("float32", "auto", "float32"),
        ("uint8", "auto", "float32"),
        ("int64", "auto", "float64"),
        ("float64", "float32", "float32"),
        ("float32", "float64", "float64"),
    ],
)
@outputs
@losses
def test_predictions_have_the_dtype_of_the_model(loss, n_outputs, source, dtype, expected):
    X, y, rows, _ = split(loss, n_outputs)
    reg = estimator(loss=loss, dtype=dtype).fit(np.abs(X).astype(source), y)
    assert {p.dtype for p in reg.coefs_ + reg.intercepts_} == {np.dtype(expected)}
    for given in (rows, rows.astype(np.float32), sparse.csr_matrix(rows)):
        assert reg.predict(given).dtype == expected


@pytest.mark.parametrize("form", [np.ndarray.tolist, np.asfortranarray, lambda y: y.astype(object), "pandas"])
@outputs
def test_the_form_of_the_targets_makes_no_difference(n_outputs, form, assert_identical):
    X, y, rows, targets = split("squared_error", n_outputs)
    if form == "pandas":
        pd = pytest.importorskip("pandas")
        form = pd.Series if n_outputs == 1 else pd.DataFrame
    expected = estimator().fit(X, y, X_val=rows, y_val=targets)
    found = estimator().fit(X, form(y), X_val=rows, y_val=form(targets))
    assert_identical(found, expected)
    # The means are computed in another memory order.
    np.testing.assert_allclose(found.validation_scores_, expected.validation_scores_, rtol=1e-12)
    assert isinstance(found.predict(rows), np.ndarray)


@pytest.mark.parametrize("dtype", ["int64", "uint8", "bool", "float32", "float16"])
@losses
def test_the_number_type_of_the_targets_does_not_matter(loss, dtype, assert_identical):
    X, _, rows, _ = split(loss, 1)
    y = np.arange(60) % 2
    expected = estimator(loss=loss, validation_fraction=0.2).fit(X, y.astype(float))
    found = estimator(loss=loss, validation_fraction=0.2).fit(X, y.astype(dtype))
    assert_identical(found, expected)
    np.testing.assert_allclose(found.validation_scores_, expected.validation_scores_, rtol=1e-6)  # float16 means
    assert found.predict(rows).dtype == np.float64


def test_a_column_of_targets_causes_the_warning_of_mlpregressor(assert_identical):
    X, y, rows, _ = split("squared_error", 1)
    expected = estimator().fit(X, y)
    for cls in (MLPRegressor, FNNRegressor):
        with pytest.warns(DataConversionWarning, match="column-vector y"):
            fitted = cls(**({} if cls is MLPRegressor else estimator().get_params())).fit(X, y[:, None])
        assert fitted.predict(rows).shape == (20,)
    assert_identical(fitted, expected)


@pytest.mark.filterwarnings("error::UserWarning")
def test_a_single_output_has_one_dimension_and_several_have_two():
    X, y, rows, _ = split("squared_error", 3)
    assert estimator().fit(X, y).predict(rows).shape == (20, 3)
    assert estimator().fit(X, y[:, 0]).predict(rows).shape == (20,)
    assert estimator().fit(X, y[:, 0]).predict(rows[:1]).shape == (1,)


# Sample weights

N_ROWS = 24
X_few, WEIGHTS = problem("squared_error", 1, n_rows=N_ROWS)[0], np.random.default_rng(5).integers(0, 4, size=N_ROWS)
REPEATED = np.repeat(np.arange(N_ROWS), WEIGHTS)


@containers
@pytest.mark.parametrize("alpha", [0.0, 1.0])
@pytest.mark.parametrize(
    "params",
    [{}, {"momentum": 0.9}, {"solver": "adam"}, {"solver": "adam", "weight_decay": 0.1}, {"max_grad_norm": 0.3}],
    ids=str,
)
@losses
def test_at_full_batch_a_row_of_weight_w_equals_w_rows(loss, params, alpha, container, assert_parameters):
    y = problem(loss, 3, n_rows=N_ROWS)[1]
    settings = {"loss": loss, "batch_size": "full", "max_iter": 30, "learning_rate_init": 0.02} | params
    weighted = estimator(alpha=alpha, **settings).fit(container(X_few), y, WEIGHTS)
    # alpha is divided by the number of rows, so k times the rows need k times the alpha.
    strength = alpha * len(REPEATED) / N_ROWS
    repeated = estimator(alpha=strength, **settings).fit(container(X_few[REPEATED]), y[REPEATED])
    # Thirty times, sums are computed in another order.
    assert_parameters(weighted, repeated.coefs_, repeated.intercepts_, atol=1e-9)
    np.testing.assert_allclose(weighted.loss_curve_, repeated.loss_curve_, rtol=1e-9)
    plain = estimator(alpha=alpha, **settings).fit(container(X_few), y)
    assert np.abs(weighted.predict(X_few) - plain.predict(X_few)).max() > 1e-3  # the weights matter


@losses
def test_for_lbfgs_a_row_of_weight_w_equals_w_rows(loss, assert_parameters):
    y = problem(loss, 3, n_rows=N_ROWS)[1]
    weighted = estimator(loss=loss, solver="lbfgs", max_iter=8).fit(X_few, y, WEIGHTS)
    repeated = estimator(loss=loss, solver="lbfgs", max_iter=8).fit(X_few[REPEATED], y[REPEATED])
    # The line search magnifies the rounding.
    assert_parameters(weighted, repeated.coefs_, repeated.intercepts_, atol=1e-7)


def test_in_validation_a_row_of_weight_w_equals_w_rows():
    X, y, rows, targets = split("squared_error", 3)
    weights = np.arange(20) % 4
    chosen = np.repeat(np.arange(20), weights)
    weighted = estimator().fit(X, y, X_val=rows, y_val=targets, sample_weight_val=weights)
    repeated = estimator().fit(X, y, X_val=rows[chosen], y_val=targets[chosen])
    np.testing.assert_allclose(weighted.validation_scores_, repeated.validation_scores_, rtol=1e-12)
    np.testing.assert_allclose(weighted.validation_loss_curve_, repeated.validation_loss_curve_, rtol=1e-12)


@pytest.mark.parametrize("batch_size", [1, 7, "full"])
def test_only_the_ratios_of_the_weights_matter(batch_size, assert_parameters):
    X, y, _, _ = split("squared_error", 3)
    weights = np.arange(60.0)
    a, b = (estimator(batch_size=batch_size, learning_rate_init=0.01).fit(X, y, w) for w in (weights, 1e3 * weights))
    assert_parameters(a, b.coefs_, b.intercepts_, atol=1e-10)  # 1e3 is not a power of two


# Bad input

NAN, INF = (np.where(np.arange(60) == 3, value, 1.0) for value in (np.nan, np.inf))
BAD_TARGETS = {
    "text": (["a"] * 60, "numbers"),
    "NaN": (NAN, "NaN"),
    "infinity": (INF, "infinity"),
    "NaN in one output": (np.column_stack([NAN, np.ones(60)]), "NaN"),
    "complex numbers": (np.ones(60) + 1j, "[Cc]omplex"),
    "another number of rows": (np.ones(59), "inconsistent"),
    "three dimensions": (np.ones((60, 2, 2)), "dim"),
    "no outputs": (np.ones((60, 0)), "0 feature"),
    "none": (None, "requires y"),
}


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize("case", BAD_TARGETS)
@losses
def test_bad_targets_are_refused_and_leave_the_estimator_as_it_was(loss, case, method):
    targets, message = BAD_TARGETS[case]
    reg = estimator(loss=loss)
    with pytest.raises(ValueError, match=message):
        getattr(reg, method)(X_train, targets)
    assert vars(reg) == vars(estimator(loss=loss))
    reg.fit(X_train, np.abs(y_train[:, 0]))
    before = reg.predict(X_val)
    with pytest.raises(ValueError, match=message):
        getattr(reg, method)(X_train, targets)
    np.testing.assert_array_equal(reg.predict(X_val), before)


def test_poisson_refuses_negative_targets():
    counts = COUNTS[:60].copy()
    counts[5, 1] = -1e-9
    with pytest.raises(ValueError, match="loss='poisson'.*>= 0.*negative"):
        estimator(loss="poisson").fit(X_train, counts)
    with pytest.raises(ValueError, match=r"validation set.*negative"):
        estimator(loss="poisson").fit(X_train, COUNTS[:60], X_val=X_train[:9], y_val=counts[:9])
    assert estimator().fit(X_train, counts).n_outputs_ == 3


@pytest.mark.parametrize(
    ("targets", "message"),
    [(y_val[:, :2], "y_val has 2 outputs, but y has 3"), (NAN[:20], "NaN"), (["a"] * 20, "numbers")],
    ids=["outputs", "NaN", "text"],
)
def test_bad_validation_targets_are_refused(targets, message):
    reg = estimator()
    with pytest.raises(ValueError, match=f"validation set.*{message}"):
        reg.fit(X_train, y_train, X_val=X_val, y_val=targets)
    assert not hasattr(reg, "coefs_")


@pytest.mark.parametrize(
    ("params", "name"),
    [
        ({"loss": "log_loss"}, "loss"),
        ({"loss": None}, "loss"),
        ({"scoring": "no such score"}, "scoring"),
        ({"dropout": 1.0}, "dropout"),
        ({"max_grad_norm": 0.0}, "max_grad_norm"),
        ({"weight_decay": -1.0}, "weight_decay"),
        ({"solver": "lbfgs", "dropout": 0.2}, "dropout"),
        ({"batch_size": 0}, "batch_size"),
    ],
    ids=str,
)
def test_a_bad_parameter_is_named(params, name):
    with pytest.raises(ValueError, match=name):
        estimator(**params).fit(X_train, y_train)


def test_prediction_before_fit_says_that_the_estimator_is_not_fitted():
    with pytest.raises(NotFittedError):
        FNNRegressor().predict(X_val)
    with pytest.raises(NotFittedError):
        FNNRegressor().score(X_val, y_val)


@pytest.mark.parametrize("params", [{"learning_rate_init": 50.0}, {"solver": "sgd", "loss": "poisson"}], ids=str)
def test_training_that_diverges_says_so_and_leaves_the_estimator_unfitted(params):
    reg = estimator(**({"activation": "identity", "learning_rate_init": 50.0, "max_iter": 100} | params))
    with pytest.raises(ValueError, match="Training diverged"):
        reg.fit(X_train, 10 * COUNTS[:60])
    assert not hasattr(reg, "coefs_")


# scikit-learn's tools


def test_the_tags_describe_the_estimator():
    assert is_regressor(FNNRegressor())
    tags = get_tags(FNNRegressor())
    assert tags.target_tags.multi_output
    assert tags.target_tags.single_output
    assert tags.input_tags.sparse
    assert not tags.regressor_tags.poor_score


def test_a_clone_has_the_parameters_and_no_model():
    reg = estimator(loss="poisson", dropout=0.1).fit(X_train, COUNTS[:60])
    copy = clone(reg)
    assert copy.get_params() == reg.get_params()
    assert not hasattr(copy, "coefs_")


@pytest.mark.parametrize("params", [{}, {"momentum": 0.9}, {"solver": "adam"}, {"loss": "poisson"}], ids=str)
def test_a_pickle_predicts_and_continues_like_the_model(params, assert_identical):
    reg = estimator(**({"learning_rate_init": 0.01} | params)).partial_fit(X_train, COUNTS[:60])
    copy = pickle.loads(pickle.dumps(reg))
    np.testing.assert_array_equal(copy.predict(X_val), reg.predict(X_val))
    assert_identical(copy.partial_fit(X_train, COUNTS[:60]), reg.partial_fit(X_train, COUNTS[:60]))


@outputs
def test_targets_may_be_transformed(n_outputs):
    X, y, rows, targets = split("squared_error", n_outputs)
    model = TransformedTargetRegressor(estimator(max_iter=60), transformer=StandardScaler())
    model.fit(X, 1e6 * y + 1e7)
    inner = estimator(max_iter=60).fit(X, scale(y))
    expected = inner.predict(rows) * y.std(axis=0) + y.mean(axis=0)
    # The offset and the scale cost seven digits.
    np.testing.assert_allclose((model.predict(rows) - 1e7) / 1e6, expected, rtol=0, atol=1e-6)
    np.testing.assert_allclose(model.score(rows, 1e6 * targets + 1e7), r2_score(targets, expected), rtol=1e-5)


def test_a_grid_search_finds_the_learning_rate_that_learns():
    X, y = map(scale, load_diabetes(return_X_y=True))
    pipeline = make_pipeline(StandardScaler(), estimator(max_iter=10))
    grid = {"fnnregressor__learning_rate_init": [1e-5, 0.03], "fnnregressor__batch_size": [10, 50]}
    search = GridSearchCV(pipeline, grid, cv=3).fit(X, y)
    assert search.best_params_["fnnregressor__learning_rate_init"] == 0.03
    assert search.best_score_ > 0.4
    np.testing.assert_array_equal(search.predict(X), search.best_estimator_.predict(X))


def test_cross_validation_scores_are_r2():
    scores = [cross_val_score(estimator(), X_train, y_train, cv=3, scoring=s) for s in (None, "r2")]
    np.testing.assert_array_equal(scores[0], scores[1])


def test_random_state_determines_the_model(assert_identical):
    a, b, c = (estimator(dropout=0.2, random_state=seed).fit(X_train, y_train) for seed in (0, 0, 1))
    assert_identical(a, b)
    assert not np.array_equal(a.coefs_[0], c.coefs_[0])


def test_feature_names_are_kept():
    pd = pytest.importorskip("pandas")
    names = list("abcde")
    frame = pd.DataFrame(X_train, columns=names)
    reg = estimator(early_stopping=True, scoring="r2").fit(frame, y_train)
    assert list(reg.feature_names_in_) == names
    with pytest.raises(ValueError, match="feature names"):
        reg.predict(frame[names[::-1]])


@pytest.mark.parametrize(
    "y",
    [
        np.arange(60).astype("M8[D]"),
        np.arange(60).astype("m8[D]"),
        np.arange(60).astype(str),
        np.array([None] * 60),
        np.array([*range(59), np.inf], dtype=object),
        np.array(["a"] * 60, dtype=object),
        sparse.csr_matrix(np.ones((60, 2))),
    ],
    ids=["dates", "durations", "digits", "None", "infinite", "words", "sparse"],
)
def test_targets_that_are_not_finite_numbers_are_refused(y):
    with pytest.raises(ValueError, match="y "):
        FNNRegressor(max_iter=1).fit(np.random.default_rng(0).normal(size=(60, 4)), y)


def test_a_validation_score_of_predictions_that_overflow_is_nan():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 4)), rng.random(60)
    reg = FNNRegressor(loss="poisson", max_iter=2, n_iter_no_change=None, random_state=0)
    reg.fit(X, y, X_val=X[:9] * 1e4, y_val=y[:9])
    assert np.isnan(reg.validation_scores_).all()
