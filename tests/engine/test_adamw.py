"""Adam with decoupled weight decay, against Loshchilov and Hutter's algorithm 2 in NumPy."""

import pickle
from math import sqrt

import numpy as np
import pytest
import reference
from reference import initial_values, n_outputs, problem
from scipy import sparse
from tuned import FNNClassifier, FNNRegressor, retuned

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

# Both sides do the same float64 operations in different orders. After some hundred steps with numbers of size 1, they
# differ by about 1e-13.
ATOL = 1e-10


def estimator(n_epochs, **params):
    """An estimator that trains with Adam for `n_epochs`, in float64, without shuffling; `params` replace settings."""
    settings = {
        "hidden_layer_sizes": (6, 4),
        "activation": "tanh",
        "solver": "adam",
        "batch_size": 16,
        "learning_rate_init": 0.02,
        "weight_decay": 0.5,
        "shuffle": False,
        "dtype": "float64",
        "max_iter": n_epochs,
        "n_iter_no_change": None,
        "random_state": 0,
    }
    return FNNClassifier(**(settings | params))


def adamw(clf, X, T, start, kind, etas, weights=None):
    """Train one epoch of AdamW with each of the `etas`; return weights and biases."""
    coefs, intercepts = [W.copy() for W in start[0]], [b.copy() for b in start[1]]
    parameters = coefs + intercepts
    m, v = [np.zeros_like(p) for p in parameters], [np.zeros_like(p) for p in parameters]
    B, t = len(X), 0
    size = B if clf.batch_size == "full" else clf.batch_size
    w = np.ones(B) if weights is None else weights
    for eta in etas:
        for begin in range(0, B, size):
            rows = range(begin, min(begin + size, B))
            grads, _ = reference.batch_gradient(
                X, T, rows, coefs, intercepts, clf.activation, kind, clf.alpha, w, w.mean(), B
            )
            t += 1
            for W in coefs:
                W *= 1.0 - eta * clf.weight_decay
            for k, (p, g) in enumerate(zip(parameters, grads, strict=True)):
                m[k] = clf.beta_1 * m[k] + (1.0 - clf.beta_1) * g
                v[k] = clf.beta_2 * v[k] + (1.0 - clf.beta_2) * g**2
                rate = eta * sqrt(1.0 - clf.beta_2**t) / (1.0 - clf.beta_1**t)
                p -= rate * m[k] / (np.sqrt(v[k]) + clf.epsilon)
    return coefs, intercepts


def compare(
    kind="multiclass",
    *,
    n_rows=70,
    n_epochs=2,
    container=np.asarray,
    weights=None,
    sizes=None,
    assert_parameters,
    **params,
):
    """Train with the package and with the loop, and compare the parameters."""
    X, y, T = problem(kind, n_rows)
    clf = retuned(estimator(n_epochs, **params), **(sizes or {}))
    start = initial_values((5, *clf.hidden_layer_sizes, n_outputs(kind)), seed=1)
    clf.fit(container(X), y, sample_weight=weights, coefs_init=start[0], intercepts_init=start[1])
    coefs, intercepts = adamw(clf, X, T, start, kind, clf.history_["learning_rate"], weights)
    assert_parameters(clf, coefs, intercepts, atol=ATOL)
    return clf


@pytest.mark.parametrize("batch_size", [1, 5, 16, 69, "full"])
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize("weight_decay", [0.01, 0.5, 20.0])
def test_training_equals_the_adamw_loop(weight_decay, container, batch_size, assert_parameters):
    compare(container=container, batch_size=batch_size, weight_decay=weight_decay, assert_parameters=assert_parameters)


@pytest.mark.parametrize("kind", ["binary", "multilabel"])
@pytest.mark.parametrize("hidden", [(5,), (5, 4, 3)])
def test_training_equals_the_loop_for_every_output_and_depth(kind, hidden, assert_parameters):
    compare(kind, hidden_layer_sizes=hidden, assert_parameters=assert_parameters)


@pytest.mark.parametrize("params", [{"beta_1": 0.5, "beta_2": 0.9}, {"epsilon": 0.1}, {"alpha": 3.0}], ids=str)
def test_training_equals_the_loop_with_other_settings(params, assert_parameters):
    compare(n_epochs=20, assert_parameters=assert_parameters, **params)


@pytest.mark.parametrize("batch_size", [5, "full"])
def test_training_equals_the_loop_with_row_weights(batch_size, assert_parameters):
    weights = np.random.default_rng(3).random(70)
    compare(weights=weights, batch_size=batch_size, assert_parameters=assert_parameters)


def test_training_equals_the_loop_if_a_batch_is_split_into_parts(assert_parameters):
    # A part has at least 64 rows.
    compare(n_rows=150, batch_size=100, sizes={"chunk_rows": 64}, assert_parameters=assert_parameters)


# Schedules: each step multiplies the decay by its own eta


def test_invscaling_scales_the_decay_too(assert_parameters):
    clf = compare(learning_rate="invscaling", power_t=0.3, n_epochs=4, assert_parameters=assert_parameters)
    assert len(set(clf.history_["learning_rate"])) == 4


def test_cosine_scales_the_decay_too(assert_parameters):
    clf = compare(learning_rate="cosine", n_epochs=4, assert_parameters=assert_parameters)
    assert len(set(clf.history_["learning_rate"])) == 4


def test_a_function_of_the_step_scales_the_decay_too(assert_parameters):
    # At full batch an epoch has one step.
    clf = compare(
        learning_rate=lambda step: 0.1 / (1 + step), batch_size="full", n_epochs=5, assert_parameters=assert_parameters
    )
    np.testing.assert_allclose(clf.history_["learning_rate"], [0.1, 0.05, 0.1 / 3, 0.025, 0.02], rtol=1e-14)


# The decay alone


@pytest.mark.parametrize("n_epochs", [1, 3])
def test_with_a_zero_gradient_the_weights_shrink_and_the_biases_stay(n_epochs, assert_parameters):
    X, y, _ = problem("multiclass", 20)
    start = initial_values((5, 6, 4, 3), seed=1)
    # No ReLU unit is active for any row, so only the last bias has a gradient.
    biases = [np.full(6, -100.0), np.full(4, -100.0), start[1][2]]
    clf = estimator(n_epochs, activation="relu", batch_size="full").fit(
        X, y, coefs_init=start[0], intercepts_init=biases
    )
    shrink = (1.0 - 0.02 * 0.5) ** n_epochs
    for p, W in zip(clf.coefs_, start[0], strict=True):
        np.testing.assert_allclose(p, shrink * W, rtol=1e-14)
    for p, b in zip(clf.intercepts_[:-1], biases[:-1], strict=True):
        np.testing.assert_array_equal(p, b)
    assert (clf.intercepts_[-1] != biases[-1]).all()


def test_the_decay_is_not_part_of_the_objective():
    X, y, _ = problem("multiclass", 70)
    with_decay, without = (estimator(1, weight_decay=decay, batch_size="full").fit(X, y) for decay in (0.5, 0.0))
    assert with_decay.loss_curve_ == without.loss_curve_


def test_a_decay_of_0_is_adam(assert_identical):
    X, y, _ = problem("multiclass", 70)
    zero = estimator(3, weight_decay=0).fit(X, y)
    assert_identical(zero, estimator(3, weight_decay=0.0).fit(X, y))
    assert (zero.coefs_[0] != estimator(3).fit(X, y).coefs_[0]).all()


@pytest.mark.parametrize("params", [{}, {"momentum": 0.9}, {"alpha": 1.0}, {"batch_size": 1}, {"solver": "lbfgs"}])
def test_other_solvers_ignore_weight_decay(params, assert_identical):
    X, y, _ = problem("multiclass", 70)
    params = {"solver": "sgd"} | params
    assert_identical(estimator(3, **params).fit(X, y), estimator(3, weight_decay=0.0, **params).fit(X, y))


# Together with other settings


def test_k_partial_fits_a_warm_start_and_a_pickle_continue_like_one_fit(assert_identical):
    X, y, _ = problem("multiclass", 70)
    whole, parts = estimator(4, shuffle=True).fit(X, y), estimator(4, shuffle=True)
    for _ in range(4):
        parts = pickle.loads(pickle.dumps(parts.partial_fit(X, y, classes=np.unique(y))))
    assert_identical(whole, parts)
    assert_identical(whole, estimator(2, shuffle=True, warm_start=True).fit(X, y).fit(X, y))


def test_the_regressor_supports_weight_decay():
    X, _, T = problem("multilabel", 70)
    params = {"solver": "adam", "batch_size": 16, "max_iter": 20, "n_iter_no_change": None, "random_state": 0}
    norms = [
        sum((W**2).sum() for W in FNNRegressor((6,), weight_decay=decay, **params).fit(X, T).coefs_)
        for decay in (0.0, 1.0, 10.0)
    ]
    assert norms[0] > norms[1] > norms[2]


@pytest.mark.parametrize("decay", [-0.1, "0.1", None, float("nan")])
def test_a_negative_or_invalid_weight_decay_is_refused(decay):
    X, y, _ = problem("multiclass", 23)
    with pytest.raises(ValueError, match="weight_decay"):
        estimator(3, weight_decay=decay).fit(X, y)
