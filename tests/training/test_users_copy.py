"""Writing into coefs_ and intercepts_ of a model that was trained in other coordinates."""

import gc
import pickle
import threading
from copy import deepcopy

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from tuned import FNNClassifier, FNNRegressor

from skfnn._engine.coordinates import Coordinates
from skfnn._engine.network import Network
from skfnn._training.state import TrainingState

rng = np.random.default_rng(0)
X = rng.normal(size=(60, 3)) * [1.0, 100.0, 1e4] + [0.0, 1000.0, -1e4]
Y = np.column_stack([X @ [2.0, 0.1, 0.003], np.sin(X[:, 0]) * 1e3])
NETWORK = Network((3, 4, 2), ("tanh",))


def model(**params):
    return FNNRegressor((4,), "tanh", max_iter=20, n_iter_no_change=None, random_state=0, **params).fit(X, Y)


def predicted(coefs, intercepts, rows=X):
    """The predictions of a network with these parameters in the user's units, computed with NumPy."""
    return np.tanh(rows @ coefs[0] + intercepts[0]) @ coefs[1] + intercepts[1]


def own_state(dtype=float):
    """A state in coordinates that change every part of the first and the last layer."""
    coordinates = Coordinates(
        rng.normal(size=3) * 10, rng.uniform(0.1, 10, 3), rng.normal(size=2), rng.uniform(0.1, 10, 2)
    )
    return TrainingState(NETWORK, rng.normal(size=NETWORK.n_parameters).astype(dtype), 0, coordinates)


def check(reg):
    """The predictions of the model agree with its parameters in the user's units."""
    # These are sums of numbers up to 1e5, multiplied by weights of size 1/1000.
    assert_allclose(reg.predict(X), predicted(reg.coefs_, reg.intercepts_), rtol=1e-9, atol=1e-7)


# Ways to write, all through arrays that are freed at once.
WRITES = {
    "all weights of the first layer": lambda reg: reg.coefs_[0].__setitem__(..., 0.001),
    "all weights of the last layer": lambda reg: reg.coefs_[1].__setitem__(..., 3.0),
    "a mask": lambda reg: reg.coefs_[0].__imul__(np.arange(12).reshape(3, 4) % 2),
    "one weight": lambda reg: reg.coefs_[0].__setitem__((1, 2), -0.01),
    "first biases": lambda reg: reg.intercepts_[0].__setitem__(..., 0.5),
    "one of the last biases": lambda reg: reg.intercepts_[1].__setitem__(0, -20.0),
}


@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize("write", WRITES)
def test_a_written_weight_is_used_and_nothing_else_changes(write, kept):
    reg = model()
    before = deepcopy(reg.coefs_ + reg.intercepts_)
    held = reg.coefs_ if kept else None
    WRITES[write](reg)
    after = deepcopy(reg.coefs_ + reg.intercepts_)
    changed = [p != q for p, q in zip(before, after, strict=True)]
    assert any(mask.any() for mask in changed)
    check(reg)
    del held
    gc.collect()
    # The arrays are computed again from the parameters of training, so only rounding may differ.
    for p, q, mask in zip(after, reg.coefs_ + reg.intercepts_, changed, strict=True):
        assert_allclose(q, p, rtol=1e-12, atol=1e-12 * np.abs(p).max())
        assert (q[mask & (p == 0)] == 0).all()  # a weight that was set to 0 stays 0
    for p, q, mask in zip(before, after, changed, strict=True):
        assert_array_equal(p[~mask], q[~mask])


def test_a_write_counts_even_if_its_array_is_freed_before_the_next_prediction():
    reg = model()
    weights = reg.coefs_[0]
    before = reg.predict(X)
    weights[...] = 0.0
    del weights
    gc.collect()
    assert (reg.predict(X) != before).any()
    assert_allclose(reg.predict(X), np.broadcast_to(reg.predict(X)[0], Y.shape), rtol=1e-12)  # no feature has an effect


def test_arrays_show_later_writes_through_other_arrays():
    reg = model()
    held = reg.coefs_[0]
    reg.predict(X)
    reg.coefs_[0][0, 0] = 7.0
    assert held[0, 0] == 7.0
    assert np.shares_memory(held, reg.coefs_[0])


def test_no_copy_is_kept_if_nobody_holds_the_arrays():
    reg = model()
    _ = reg.coefs_
    del _
    reg.predict(X)
    assert reg._state._users is None
    held = reg.intercepts_
    reg.predict(X)
    assert reg._state._users is not None
    assert np.shares_memory(held[0], reg._state._users.vector)


@pytest.mark.parametrize("use", ["predict", "pickle", "partial_fit", "warm start", "resume"])
def test_every_use_of_the_model_sees_what_was_written(use):
    reg, other = model(), model()
    for each in (reg, other):
        each.coefs_[1][...] = 0.5
    other.predict(X)  # applies the changes
    for each in (reg, other):
        if use == "pickle":
            each = pickle.loads(pickle.dumps(each))
        elif use == "partial_fit":
            each.partial_fit(X, Y)
        elif use == "warm start":
            each.set_params(warm_start=True, max_iter=2).fit(X, Y)
        elif use == "resume":
            each.set_params(max_iter=22).resume(X, Y)
        assert_allclose(each.predict(X), predicted(each.coefs_, each.intercepts_), rtol=1e-9, atol=1e-7)
    assert_array_equal(reg.predict(X), other.predict(X))


def test_arrays_from_an_earlier_epoch_do_not_change():
    kept = []

    def keeping(reg, X, y):
        kept.append((reg.coefs_, reg.intercepts_, reg.predict(X)))
        return 0.0

    params = {"max_iter": 5, "n_iter_no_change": None, "random_state": 0, "scoring": keeping}
    reg = FNNRegressor((4,), "tanh", **params).fit(X, Y, X_val=X, y_val=Y)
    assert len(kept) == 5
    for coefs, intercepts, said in kept:
        assert_allclose(predicted(coefs, intercepts), said, rtol=1e-9, atol=1e-7)
    assert (kept[0][0][0] != kept[1][0][0]).all()
    check(reg)


def test_threads_that_predict_at_once_apply_a_change_once():
    reg, expected = model(), model()
    for each in (reg, expected):
        each.intercepts_[1][...] += 1000.0
    barrier, found = threading.Barrier(8), [None] * 8

    def work(k):
        barrier.wait(timeout=60)
        found[k] = reg.predict(X)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for result in found:
        assert_array_equal(result, expected.predict(X))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_state_takes_over_a_single_changed_number_of_every_kind(dtype):
    for layer, place in ((0, (0, 1)), (0, (3, 2)), (1, (2, 0)), (1, (4, 1))):  # a weight and a bias of both layers
        state = own_state(dtype)
        exact = state.coordinates.to_users_units(NETWORK, state.theta)
        NETWORK.layers(exact)[layer][place] = 0.25
        state.users_layers()[layer][place] = 0.25
        found = state.coordinates.to_users_units(NETWORK, state.updated().theta)
        # The parameters of training are rounded, and biases of size 100 are sums of products of these with means.
        assert_allclose(found, exact, rtol=0, atol=2000 * np.finfo(dtype).eps)


def test_in_the_users_own_coordinates_the_arrays_are_the_parameters_themselves():
    clf = FNNClassifier((4,), standardize=False, random_state=0)
    clf.partial_fit(rng.normal(size=(30, 3)), np.arange(30) % 2, classes=[0, 1])
    assert np.shares_memory(clf.coefs_[0], clf._state.theta)
    assert clf._state._users is None
