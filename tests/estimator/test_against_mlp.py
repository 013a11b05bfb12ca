"""FNNClassifier compared with MLPClassifier: the same numbers, and the same interface."""

import inspect
from functools import partial

import mlp
import numpy as np
import pytest
from problems import initial_values, n_outputs, problem
from scipy import sparse
from sklearn.datasets import load_iris
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

from skfnn import FNNClassifier

not_converged = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

pair = partial(mlp.pair, FNNClassifier, MLPClassifier)


def start_for(kind, seed=1):
    return initial_values((5, 6, 4, n_outputs(kind)), seed=seed)


SOLVERS = {
    "plain": {"solver": "sgd", "momentum": 0.0, "learning_rate_init": 0.3},
    "momentum": {"solver": "sgd", "momentum": 0.9, "nesterovs_momentum": False, "learning_rate_init": 0.1},
    "nesterov": {"solver": "sgd", "momentum": 0.9, "nesterovs_momentum": True, "learning_rate_init": 0.1},
    "adam": {"solver": "adam", "learning_rate_init": 0.01},
}

# Both classifiers do the same float64 operations in different orders, fifty times, on numbers of size 1.
SAME_WEIGHTS = {"rtol": 0, "atol": 1e-8}

# MLPClassifier clips probabilities at 2e-16. All probabilities of these problems are much larger.
SAME_LOSS = {"rtol": 0, "atol": 1e-10}

# The same numbers


@not_converged
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix], ids=["dense", "sparse"])
@pytest.mark.parametrize("alpha", [0.0, 1.0])
@pytest.mark.parametrize("kind", ["binary", "multiclass", "multilabel"])
@pytest.mark.parametrize("solver", SOLVERS)
def test_full_batch_weights_agree(solver, kind, alpha, container, assert_parameters):
    X, y, _ = problem(kind, 40)
    start = start_for(kind)
    fnn, mlp = pair(container(X), y, start, alpha=alpha, **SOLVERS[solver])
    assert max(np.abs(p - q).max() for p, q in zip(mlp.coefs_, start[0], strict=True)) > 0.1  # training moved
    assert_parameters(fnn, mlp.coefs_, mlp.intercepts_, **SAME_WEIGHTS)
    np.testing.assert_allclose(fnn.loss_curve_, mlp.loss_curve_, **SAME_LOSS)
    np.testing.assert_allclose(fnn.predict_proba(X), mlp.predict_proba(X), **SAME_WEIGHTS)
    np.testing.assert_allclose(fnn.predict_log_proba(X), mlp.predict_log_proba(X), rtol=0, atol=1e-7)
    np.testing.assert_array_equal(fnn.predict(X), mlp.predict(X))


@not_converged
@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
@pytest.mark.parametrize("solver", SOLVERS)
def test_full_batch_weights_agree_for_every_shared_activation(solver, activation, assert_parameters):
    X, y, _ = problem("multiclass", 40)
    fnn, mlp = pair(X, y, start_for("multiclass"), activation=activation, alpha=0.5, **SOLVERS[solver])
    assert_parameters(fnn, mlp.coefs_, mlp.intercepts_, **SAME_WEIGHTS)


@not_converged
@pytest.mark.parametrize("solver", SOLVERS)
def test_full_batch_weights_agree_with_sample_weights(solver, assert_parameters):
    X, y, _ = problem("multiclass", 40)
    weight = np.random.default_rng(0).random(40) * 3
    fnn, mlp = pair(X, y, start_for("multiclass"), sample_weight=weight, alpha=0.0, **SOLVERS[solver])
    assert_parameters(fnn, mlp.coefs_, mlp.intercepts_, **SAME_WEIGHTS)
    # MLPClassifier divides alpha by the sum of the weights, FNNClassifier by B: the same if the mean weight is 1.
    fnn, mlp = pair(X, y, start_for("multiclass"), sample_weight=weight / weight.mean(), alpha=1.0, **SOLVERS[solver])
    assert_parameters(fnn, mlp.coefs_, mlp.intercepts_, **SAME_WEIGHTS)


@not_converged
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("batch_size", [1, 4, 10, 20])
def test_minibatch_weights_agree_without_alpha_and_weights(batch_size, solver, assert_parameters):
    # Without alpha and weights, both classifiers define the same mini-batch gradient.
    X, y, _ = problem("multiclass", 40)
    params = SOLVERS[solver] | {"learning_rate_init": 0.01, "max_iter": 10}
    fnn, mlp = pair(X, y, start_for("multiclass"), batch_size=batch_size, alpha=0.0, **params)
    assert_parameters(fnn, mlp.coefs_, mlp.intercepts_, **SAME_WEIGHTS)
    np.testing.assert_allclose(fnn.loss_curve_, mlp.loss_curve_, **SAME_LOSS)


@not_converged
@pytest.mark.parametrize("params", [{"power_t": 0.5}, {"power_t": 0.1}], ids=str)
@pytest.mark.parametrize("solver", ["plain", "momentum", "nesterov"])
def test_invscaling_agrees(solver, params, assert_parameters):
    X, y, _ = problem("multiclass", 40)
    params = SOLVERS[solver] | {"learning_rate": "invscaling"} | params
    fnn, mlp = pair(X, y, start_for("multiclass"), alpha=1.0, **params)
    assert_parameters(fnn, mlp.coefs_, mlp.intercepts_, **SAME_WEIGHTS)


@not_converged
@pytest.mark.parametrize("solver", ["plain", "momentum", "nesterov"])
def test_adaptive_agrees(solver, assert_parameters):
    X, y, _ = problem("multiclass", 40)
    params = SOLVERS[solver] | {"learning_rate": "adaptive", "tol": 0.01, "n_iter_no_change": 3, "max_iter": 60}
    fnn, _ = pair(X, y, start_for("multiclass"), alpha=1.0, **params)
    rates = fnn.history_["learning_rate"]
    np.testing.assert_allclose(list(dict.fromkeys(rates)), fnn.learning_rate_init_ / 5.0 ** np.arange(len(set(rates))))
    first = rates.count(rates[0])
    assert len(rates) > first
    # Up to that epoch both agree. Afterwards they define a stall differently: MLPClassifier compares with the best
    # epoch.
    fnn, mlp = pair(X, y, start_for("multiclass"), alpha=1.0, **params | {"max_iter": first - 1})
    assert fnn.n_iter_ == mlp.n_iter_ == first - 1
    assert_parameters(fnn, mlp.coefs_, mlp.intercepts_, **SAME_WEIGHTS)


@not_converged
@pytest.mark.parametrize("n_iter_no_change", [1, 4, 10])
@pytest.mark.parametrize("tol", [1e-2, 1e-3])
@pytest.mark.parametrize("solver", SOLVERS)
def test_training_stops_in_the_same_epoch(solver, tol, n_iter_no_change):
    X, y, _ = problem("multiclass", 40)
    params = SOLVERS[solver] | {"tol": tol, "n_iter_no_change": n_iter_no_change, "max_iter": 1000}
    fnn, mlp = pair(X, y, start_for("multiclass"), alpha=5.0, **params)
    assert 1 < mlp.n_iter_ < 1000
    assert fnn.n_iter_ == mlp.n_iter_
    assert len(fnn.loss_curve_) == fnn.n_iter_
    np.testing.assert_allclose(fnn.best_loss_, mlp.best_loss_, rtol=0, atol=1e-8)
    np.testing.assert_allclose(fnn.loss_, mlp.loss_, rtol=0, atol=1e-8)


@not_converged
@pytest.mark.parametrize("alpha", [2.0, 3.0, 4.0])
@pytest.mark.parametrize("kind", ["binary", "multiclass", "multilabel"])
def test_lbfgs_reaches_the_same_loss(kind, alpha):
    # With a strong L2 term, only one minimum is in reach. With a weak one, hundreds of iterations magnify the rounding
    # until it decides between several minima.
    X, y, _ = problem(kind, 40)
    params = {"solver": "lbfgs", "tol": 1e-8, "max_iter": 1000, "alpha": alpha}
    fnn, mlp = pair(X, y, start_for(kind), **params)
    assert fnn.loss_ < fnn.loss_curve_[0] - 0.01
    np.testing.assert_allclose(fnn.loss_, mlp.loss_, rtol=0, atol=1e-6)


@not_converged
@pytest.mark.parametrize("alpha", [0.0, 1.0])
@pytest.mark.parametrize("kind", ["binary", "multiclass", "multilabel"])
def test_lbfgs_agrees_for_ten_iterations(kind, alpha, assert_parameters):
    # Without an L2 term the loss has no unique minimum. Ten iterations magnify the rounding only a little.
    X, y, _ = problem(kind, 40)
    fnn, mlp = pair(X, y, start_for(kind), solver="lbfgs", tol=1e-10, max_iter=10, alpha=alpha)
    assert fnn.n_iter_ == mlp.n_iter_ == 10
    np.testing.assert_allclose(fnn.loss_, mlp.loss_, rtol=0, atol=1e-6)
    assert_parameters(fnn, mlp.coefs_, mlp.intercepts_, atol=1e-6)


# The same interface


@not_converged
def test_every_parameter_of_mlpclassifier_exists_and_its_defaults_are_accepted():
    X, y = load_iris(return_X_y=True)
    clf = FNNClassifier(**MLPClassifier(random_state=0).get_params())
    assert clf.fit(StandardScaler().fit_transform(X), y).score(StandardScaler().fit_transform(X), y) > 0.9


def test_hidden_layer_sizes_and_activation_come_first():
    for cls in (FNNClassifier, MLPClassifier):
        assert list(inspect.signature(cls).parameters)[:2] == ["hidden_layer_sizes", "activation"]
    assert FNNClassifier((3,), "tanh").get_params()["activation"] == "tanh"


@pytest.mark.parametrize(
    ("params", "rate"),
    [
        ({}, 0.2),
        ({"batch_size": 25}, 0.2 / 8**0.75),
        ({"momentum": 0.9}, 0.02),
        ({"hidden_layer_sizes": (20, 20)}, 0.1),
        ({"solver": "adam"}, 0.001),
        ({"solver": "adam", "batch_size": 50}, 0.0005),
        ({"learning_rate_init": 0.7}, 0.7),
    ],
    ids=str,
)
@not_converged
def test_learning_rate_init_is_the_rate_that_auto_chose(params, rate):
    X, y = load_iris(return_X_y=True)
    clf = FNNClassifier(max_iter=1, **params).fit(X, y)
    np.testing.assert_allclose(clf.learning_rate_init_, rate, rtol=1e-14)
    np.testing.assert_allclose(clf.history_["learning_rate"], [rate], rtol=1e-14)


@not_converged
@pytest.mark.parametrize("params", [{}, {"early_stopping": True}, {"solver": "adam"}, {"solver": "lbfgs"}], ids=str)
@pytest.mark.parametrize("kind", ["binary", "multiclass", "multilabel"])
def test_every_fitted_attribute_of_mlpclassifier_exists_with_its_type(kind, params):
    X, y, _ = problem(kind, 60)
    if kind == "binary":
        y = (y == "yes").astype(int)  # scikit-learn 1.7 cannot stop early with text labels
    params = {"max_iter": 5, "random_state": 0} | params
    mlp, fnn = (cls(**params).fit(X, y) for cls in (MLPClassifier, FNNClassifier))
    public = [name for name in vars(mlp) if name.endswith("_") and not name.startswith("_")]
    assert "coefs_" in public
    for name in public:
        mine, theirs = getattr(fnn, name), getattr(mlp, name)
        assert isinstance(mine, type(theirs)) or np.isscalar(mine) == np.isscalar(theirs), name
        assert (mine is None) == (theirs is None), name
    for name in ("n_features_in_", "n_outputs_", "n_layers_", "out_activation_"):
        assert getattr(fnn, name) == getattr(mlp, name)
    np.testing.assert_array_equal(fnn.classes_, mlp.classes_)
    assert [c.shape for c in fnn.coefs_] == [c.shape for c in mlp.coefs_]
    assert [c.shape for c in fnn.intercepts_] == [c.shape for c in mlp.intercepts_]


def test_every_method_of_mlpclassifier_exists():
    mlp, fnn = MLPClassifier(solver="sgd"), FNNClassifier(solver="sgd")
    methods = [name for name in dir(mlp) if not name.startswith("_") and callable(getattr(mlp, name))]
    assert "partial_fit" in methods
    assert [name for name in methods if not callable(getattr(fnn, name, None))] == []
