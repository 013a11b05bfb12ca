"""A network that is no better than the best constant causes a warning."""

import pickle
import warnings

import numpy as np
import pytest
from interrupted import ctrl_c_in_epoch
from judged import B, X, diverging, iris, signal, species, warnings_of
from sklearn.exceptions import ConvergenceWarning

from skfnn import FNNClassifier, FNNRegressor

# Plateaus

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
    assert message.endswith("still falling: raise max_iter or try another learning_rate_init.")


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
