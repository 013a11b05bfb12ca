"""Problems of unusual size: one row, thirty layers, 20,000 units, more than the memory."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from extremes import SOLVERS, STRICT, X, containers, estimator, solvers, step_of, y
from problems import initial_values, problem
from reference import gradient, objective
from tuned import FNNClassifier, FNNRegressor

pytestmark = STRICT


# One row


@containers
@pytest.mark.parametrize("solver", ["plain", "momentum", "adam"])
def test_partial_fit_row_by_row_equals_an_epoch_of_batches_of_one(solver, container, assert_parameters):
    params = {"batch_size": 1, "shuffle": False, "dtype": "float64", "max_iter": 1, **SOLVERS[solver]}
    whole, stream = estimator(**params).fit(container(X), y), estimator(**params)
    for k in range(30):
        stream.partial_fit(container(X[k : k + 1]), y[k : k + 1], classes=[0, 1, 2])
    # The first layer adds its steps once per block or immediately: thirty steps with numbers of size 1.
    assert_parameters(stream, whole.coefs_, whole.intercepts_, atol=1e-12)
    np.testing.assert_allclose(np.mean(stream.loss_curve_), whole.loss_, rtol=1e-12)
    assert stream.n_steps_ == whole.n_steps_ == 30


@containers
@solvers
def test_a_training_set_of_one_row_is_learned(solver, container):
    target = 0.75
    reg = FNNRegressor(
        4, "tanh", dtype="float64", tol=0.0, n_iter_no_change=None, max_iter=800, random_state=0, **SOLVERS[solver]
    )
    if reg.solver == "sgd":
        reg.set_params(learning_rate_init=0.05)
    reg.fit(container([[1.0, 2.0]]), [target])
    np.testing.assert_allclose(reg.predict(container([[1.0, 2.0]])), [target], atol=1e-3)


@pytest.mark.parametrize(
    "params", [{}, {"class_weight": "balanced"}, {"batch_size": 1}, {"early_stopping": True}], ids=str
)
@solvers
def test_a_class_may_have_one_row(solver, params):
    labels = np.zeros(30, int)
    labels[7] = 1
    labels[11] = 2
    rows = X.copy()
    rows[7], rows[11] = 4.0, -4.0
    clf = estimator(max_iter=20, **SOLVERS[solver], **params).fit(rows, labels)
    assert clf.predict_proba(rows).shape == (30, 3)
    assert np.isfinite(clf.loss_curve_).all()
    if params == {"class_weight": "balanced"}:
        # Balanced weights are n_rows / (n_classes * rows of the class): 30 / (3 * 28), and 10 for the single rows.
        weights = np.where(labels == 0, 30 / 84, 10.0)
        other = estimator(max_iter=20, **SOLVERS[solver]).fit(rows, labels, weights)
        np.testing.assert_allclose(clf.loss_curve_, other.loss_curve_, rtol=1e-9)


@containers
def test_as_many_classes_as_rows_are_learned(container):
    rows = np.random.default_rng(0).normal(size=(40, 30))
    clf = FNNClassifier(50, solver="adam", learning_rate_init=0.01, max_iter=200, random_state=0)
    assert clf.fit(container(rows), np.arange(40)[::-1]).score(container(rows), np.arange(40)[::-1]) == 1.0


# Very deep and very wide


@containers
@pytest.mark.parametrize("activation", ["tanh", "relu", "selu", "silu"])
def test_the_gradient_through_thirty_hidden_layers_is_exact(activation, container):
    rows, labels, T = problem("multiclass", 12)
    sizes = (5, *[6] * 30, 3)
    coefs, intercepts = initial_values(sizes, seed=3, scale=0.5)
    found, net = step_of(container(rows), labels, coefs, intercepts, activation)
    expected = gradient(rows, T, coefs, intercepts, activation, "multiclass")
    assert np.abs(expected[-1]).max() > 0.01
    np.testing.assert_allclose(net.loss_, objective(rows, T, coefs, intercepts, activation, "multiclass"), rtol=1e-12)
    for g, e in zip(found, expected, strict=True):
        # The gradients are differences of parameters of size 1, each rounded to 1e-16.
        np.testing.assert_allclose(g, e, rtol=1e-8, atol=1e-15)


@solvers
def test_thirty_hidden_layers_train(solver):
    clf = estimator(hidden_layer_sizes=(10,) * 30, max_iter=5, **SOLVERS[solver]).fit(X, y)
    assert np.isfinite(clf.loss_curve_).all()
    assert clf.n_layers_ == 32
    assert clf.predict_proba(X).shape == (30, 3)


def test_thirty_hidden_layers_whose_outputs_overflow_are_an_error():
    coefs = [np.full(shape, 1e12) for shape in [(3, 4), *[(4, 4)] * 29, (4, 3)]]
    with pytest.raises(ValueError, match="diverged.*epoch 1"):
        estimator(hidden_layer_sizes=(4,) * 30).fit(np.abs(X), y, coefs_init=coefs)


@containers
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    "sizes", [(4, 20_000, 3), (20_000, 5, 3), (4, 5, 20_000)], ids=["units", "features", "classes"]
)
def test_a_step_of_a_network_of_20000_units_follows_the_formula(sizes, dtype, container):
    n_features, n_units, n_classes = sizes
    rng = np.random.default_rng(4)
    rows = rng.normal(size=(20, n_features)) * (rng.random((20, n_features)) < 0.5)
    labels = np.resize(np.arange(n_classes), 20)
    W1, W2 = rng.normal(size=(n_features, n_units)) / 100, rng.normal(size=(n_units, n_classes)) / 100
    b1, b2 = rng.normal(size=n_units), rng.normal(size=n_classes)
    clf = FNNClassifier(n_units, "tanh", batch_size=20, learning_rate_init=1.0, dtype=dtype)
    # partial_fit does not accept initial values, and fit does not accept classes without rows.
    clf.partial_fit(container(rows), labels, classes=np.arange(n_classes))
    for mine, values in zip(clf.coefs_ + clf.intercepts_, [W1, W2, b1, b2], strict=True):
        mine[...] = values
    clf.partial_fit(container(rows), labels)
    T, network = (labels[:, None] == np.arange(n_classes)).astype(float), ([W1, W2], [b1, b2], "tanh", "multiclass")
    # Sums of up to 20,000 terms of size 1/100 have another order. The compared numbers have size 1.
    atol = 1e-12 if dtype == "float64" else 1e-5
    np.testing.assert_allclose(clf.loss_, objective(rows, T, *network), rtol=atol)
    steps = gradient(rows, T, *network)
    for mine, values, step in zip(clf.coefs_ + clf.intercepts_, [W1, W2, b1, b2], steps, strict=True):
        np.testing.assert_allclose(mine, values - step, rtol=0, atol=atol)


# Out of memory


def test_more_parameters_than_an_array_can_hold_are_an_error():
    for sizes in (10**18, 10**30, (10**9, 10**10)):
        clf = estimator(hidden_layer_sizes=sizes)
        with pytest.raises(ValueError, match="hidden_layer_sizes=.* is too large.*parameters"):
            clf.fit(X, y)
        assert not hasattr(clf, "classes_")


LIMITED = """
import resource
from pathlib import Path
import numpy as np
from skfnn import FNNClassifier

rng = np.random.default_rng(0)
X, y = rng.normal(size=(1000, 4)).astype(np.float32), rng.integers(0, 100_000, 1000)
FNNClassifier(4, max_iter=1, n_iter_no_change=None).fit(X[:10], np.arange(10) % 2)  # everything is imported
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 300 * 2**20,) * 2)


def refused(function, *args, **kwargs):
    try:
        function(*args, **kwargs)
    except MemoryError as error:
        return str(error)
    raise AssertionError("there was enough memory")


refused(np.ones, (1000, 100_000), np.float32)  # the one-hot targets of these rows, or their probabilities
"""


# Warnings of scikit-learn if most classes have one row, and of skfnn after a few epochs on random labels.
IGNORED = ["-W", "ignore:The number of unique classes", "-W", "ignore:The network predicts no better than a constant"]


def run_limited(code):
    """Run `code` in an interpreter that may allocate 300 MB after all imports."""
    resource = pytest.importorskip("resource")
    if not (hasattr(resource, "RLIMIT_AS") and Path("/proc/self/statm").exists()):
        pytest.skip("this system cannot limit the address space, or does not say how much is used")
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}  # each thread would reserve some address space
    path = os.pathsep.join(filter(None, [str(Path(__file__).parents[2]), environment.get("PYTHONPATH")]))
    done = subprocess.run(
        [sys.executable, "-W", "error", *IGNORED, "-c", LIMITED + code],
        env=environment | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr


@pytest.mark.full
def test_100000_classes_train_although_their_one_hot_targets_would_not_fit():
    run_limited("""
clf = FNNClassifier(8, random_state=0, batch_size=200)
clf.partial_fit(X, y, classes=np.arange(100_000))
assert abs(clf.loss_ - np.log(100_000)) < 0.1, clf.loss_  # before it has learned much
first = clf.loss_
for _ in range(2):
    clf.partial_fit(X, y)
assert clf.loss_ < first
p = clf.predict_proba(X[:10])
assert p.shape == (10, 100_000)
np.testing.assert_allclose(p.sum(axis=1), 1.0, atol=1e-4)  # 100,000 numbers in float32

# The error names the array that does not fit, and nothing is lost.
message = refused(clf.predict_proba, X)
assert "1000 rows" in message and "100000 numbers" in message and "fewer rows" in message, message
np.testing.assert_array_equal(clf.predict_proba(X[:10]), p)
""")


def test_a_network_too_large_for_memory_is_named_and_leaves_the_estimator_as_it_was():
    run_limited("""
clf = FNNClassifier(1000, max_iter=5, n_iter_no_change=None, random_state=0)
message = refused(clf.partial_fit, X[:200], y[:200], classes=np.arange(100_000))
assert "4, 1000, 100000 units" in message and "100,105,000 parameters" in message, message
assert "MiB" in message, message  # the size of the array that could not be allocated
assert not hasattr(clf, "coefs_") and not hasattr(clf, "classes_")

clf.fit(X[:200], y[:200] % 3)
before = clf.predict_proba(X)
message = refused(clf.set_params(hidden_layer_sizes=(20_000, 20_000)).fit, X[:200], y[:200] % 3)
assert "4, 20000, 20000, 3 units" in message, message
np.testing.assert_array_equal(clf.predict_proba(X), before)
""")
