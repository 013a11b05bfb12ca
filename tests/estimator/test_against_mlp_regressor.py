"""FNNRegressor does what MLPRegressor does."""

import inspect
from functools import partial

import mlp
import numpy as np
import pytest
from regressors import containers, mean_loss, outputs, problem, start_for
from sklearn.neural_network import MLPRegressor, _multilayer_perceptron

from skfnn import FNNClassifier, FNNRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

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
