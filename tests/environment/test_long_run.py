"""A long stream of calls of partial_fit: memory and work do not grow, and a user may shorten the history."""

import copy
import json
import os
import pickle
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from skfnn import FNNClassifier, FNNRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

# The stream runs in its own process, which needs memory only for the stream.
STREAM = """
    import gc, json, pickle, sys, tracemalloc
    import numpy as np
    import skfnn
    from skfnn import FNNClassifier

    rng = np.random.default_rng(0)
    X = rng.normal(size=(2000, 10)).astype(np.float32)
    y = (X[:, 0] > 0) + (X[:, 1] > 0) * 1
    model = FNNClassifier((8,), solver="adam", learning_rate="adaptive", random_state=0)
    last, done = int(sys.argv[1]), 0

    def calls(n):
        global done
        for done in range(done + 1, done + n + 1):
            rows = slice(20 * (done % 100), 20 * (done % 100) + 20)
            model.partial_fit(X[rows], y[rows], classes=[0, 1, 2])

    def resident():
        try:
            with open("/proc/self/status") as status:
                return next(1024 * int(line.split()[1]) for line in status if line.startswith("VmRSS:"))
        except OSError:
            return None

    def functions_called():
        # The number of functions that one call uses: Python functions, and C functions that Python calls.
        number = 0

        def count(frame, event, argument):
            nonlocal number
            number += event in ("call", "c_call")

        sys.setprofile(count)
        calls(1)
        sys.setprofile(None)
        return number

    def traced():
        # Only allocations by lines of the package. The caches of Python and other packages do not matter here.
        gc.collect()
        own = tracemalloc.Filter(True, skfnn.__path__[0] + "/*")
        return sum(trace.size for trace in tracemalloc.take_snapshot().filter_traces([own]).traces)

    def peak():
        # The peak memory of a call. Some calls also extend a list of the history.
        peaks = []
        for _ in range(4):
            before = tracemalloc.get_traced_memory()[0]
            tracemalloc.reset_peak()
            calls(1)
            peaks.append(tracemalloc.get_traced_memory()[1] - before)
        return min(peaks[1:])

    def shorten():
        for values in model.history_.values():
            del values[:-1]

    def pickled():
        copied = pickle.loads(pickle.dumps(model))
        for values in copied.history_.values():
            del values[:-1]
        return len(pickle.dumps(copied))

    found = {}
    calls(199)  # by now, the adaptive learning rate falls
    found["functions, early"] = functions_called()
    found["pickled, early"] = pickled()
    tracemalloc.start()
    found["peak, early"] = peak()
    tracemalloc.stop()
    calls(last // 10 - done)
    before = resident()
    calls(last - 1 - done)
    found["functions, late"] = functions_called()
    after = resident()
    found["resident"] = None if before is None else after - before
    found["pickled, late"] = pickled()
    found["calls"] = model.n_iter_
    found["entries"] = [len(values) for values in model.history_.values()]
    tracemalloc.start()
    found["peak, late"] = peak()
    shorten()
    before = traced()
    calls(500)
    found["kept by 500"] = traced() - before
    shorten()
    found["kept by 500 without their history"] = traced() - before
    print(json.dumps(found))
"""


N_CALLS = 10_000
# The stream takes 15 seconds.
of_the_stream = pytest.mark.full


@pytest.fixture(scope="module")
def stream():
    """The measurements of a stream of 10,000 calls."""
    program = [sys.executable, "-W", "error", "-c", textwrap.dedent(STREAM), str(N_CALLS)]
    # The thread pool of a BLAS has its own memory.
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    run = subprocess.run(program, capture_output=True, text=True, env=environment)
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)
    assert found["calls"] == N_CALLS
    return found


# Memory


@of_the_stream
def test_9000_calls_after_the_first_1000_need_less_than_2_mb(stream):
    if stream["resident"] is None:
        pytest.skip("this system has no /proc that says how much memory is resident")
    assert stream["resident"] < 2e6


@of_the_stream
def test_9000_calls_keep_less_than_2_mb(stream):
    assert stream["kept by 500"] / 500 < 2e6 / 9000


@of_the_stream
def test_a_call_keeps_only_its_entry_in_the_history(stream):
    assert stream["entries"] == [N_CALLS] * 6
    # The numbers of an entry, and their places in six lists.
    assert stream["kept by 500"] > 500 * 100
    # Longer counters need a few bytes per call.
    assert stream["kept by 500 without their history"] < 500 * 20


@of_the_stream
def test_a_pickle_without_history_does_not_grow_in_10000_calls(stream):
    # Only the counters of steps and rows have more digits.
    assert abs(stream["pickled, late"] - stream["pickled, early"]) < 100


# Work


@of_the_stream
def test_call_10000_calls_as_many_functions_as_call_200(stream):
    assert stream["functions, late"] == stream["functions, early"]


@of_the_stream
def test_call_10000_allocates_as_much_as_call_200(stream):
    # A copy of one list of the history has 80,000 bytes.
    assert abs(stream["peak, late"] - stream["peak, early"]) < 10_000


# A user may shorten the history: training reads only its last entry.

rng = np.random.default_rng(0)
X = rng.normal(size=(120, 5)).astype(np.float32)
y = (X[:, 0] > 0) + (X[:, 1] > 0) * 1
STREAMS = {
    "plain": (FNNClassifier, {}),
    "dropout": (FNNClassifier, {"dropout": 0.3}),
    "adam": (FNNClassifier, {"solver": "adam"}),
    "adaptive": (FNNClassifier, {"learning_rate": "adaptive", "momentum": 0.9, "tol": 0.5, "n_iter_no_change": 1}),
    "invscaling": (FNNClassifier, {"learning_rate": "invscaling"}),
    "cosine": (FNNClassifier, {"learning_rate": "cosine", "max_iter": 30}),
    "regression": (FNNRegressor, {}),
}
streams = pytest.mark.parametrize("name", STREAMS)


def network(name="plain", **params):
    kind, own = STREAMS[name]
    return kind(**({"hidden_layer_sizes": (6,), "batch_size": 20, "random_state": 0} | own | params))


def shorten(model, keep=1):
    for values in model.history_.values():
        del values[:-keep]


def assert_same_training(shortened, whole, assert_identical):
    """Two models are the same, and one has the last entries of the other's history, except the seconds."""
    assert_identical(shortened, whole)
    assert (shortened.n_iter_, shortened.t_, shortened.n_steps_) == (whole.n_iter_, whole.t_, whole.n_steps_)
    assert (shortened.loss_, shortened.best_loss_) == (whole.loss_, whole.best_loss_)
    n = len(shortened.history_["epoch"])
    assert n < len(whole.history_["epoch"])
    for key, values in shortened.history_.items():
        assert len(values) == n
        if key != "seconds":
            assert values == whole.history_[key][-n:]


@pytest.mark.parametrize("keep", [1, 7])
@streams
def test_shortening_the_history_does_not_change_a_stream(name, keep, assert_identical):
    whole = network(name)
    first = {} if name == "regression" else {"classes": [0, 1, 2]}
    whole.partial_fit(X, y, **first)
    shortened = copy.deepcopy(whole)
    for k in range(12):
        validation = {"X_val": X[:40], "y_val": y[:40]} if k % 2 else {}
        for model in (whole, shortened):
            model.partial_fit(X, y, **validation)
        shorten(shortened, keep)
        shortened = pickle.loads(pickle.dumps(shortened))
    assert_same_training(shortened, whole, assert_identical)
    assert shortened.history_["epoch"] == list(range(14 - keep, 14))
    assert_identical(shortened.restore_best(), whole.restore_best())


@streams
def test_the_curves_are_shortened_together_with_the_history(name):
    model = network(name, validation_fraction=0.2, max_iter=9, n_iter_no_change=None).fit(X, y)
    shorten(model, 4)
    curves = [model.loss_curve_, model.validation_loss_curve_, model.validation_scores_]
    assert [len(curve) for curve in curves] == [4, 4, 4]


@streams
def test_shortening_the_history_does_not_change_a_resumed_fit(name, assert_identical):
    params = {"n_iter_no_change": None, "max_iter": 5}
    whole = network(name, **(STREAMS[name][1] | params)).fit(X, y)
    shortened = copy.deepcopy(whole)
    shorten(shortened)
    for model in (whole, shortened):
        model.set_params(max_iter=9).resume(X, y)
        assert model.n_iter_ == 9
    assert_same_training(shortened, whole, assert_identical)


@streams
def test_shortening_the_history_does_not_change_a_warm_start(name, assert_identical):
    params = {"n_iter_no_change": None, "max_iter": 5, "warm_start": True, "early_stopping": True}
    whole = network(name, **(STREAMS[name][1] | params)).fit(X, y)
    shortened = copy.deepcopy(whole)
    shorten(shortened, 2)
    for model in (whole, shortened):
        model.fit(X, y)
        assert model.n_iter_ == 5
    assert_same_training(shortened, whole, assert_identical)


def test_ctrl_c_in_a_warm_start_from_a_shortened_history_leaves_the_last_finished_epoch(assert_identical):
    calls = []

    def interrupted(model, X, y):
        calls.append(None)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return 0.0

    params = {"validation_fraction": 0.2, "n_iter_no_change": None, "warm_start": True}
    whole = network(max_iter=5, **params).fit(X, y)
    shortened = copy.deepcopy(whole)
    shorten(shortened, 2)
    whole.set_params(max_iter=3, scoring=lambda model, X, y: 0.0).fit(X, y)
    with pytest.warns(UserWarning, match="[Ii]nterrupted"):
        shortened.set_params(scoring=interrupted).fit(X, y)
    assert shortened.n_iter_ == 3
    assert_same_training(shortened, whole, assert_identical)


def test_a_call_that_fails_leaves_a_shortened_history_as_it_is():
    model = network().partial_fit(X, y, classes=[0, 1, 2]).partial_fit(X, y).partial_fit(X, y)
    shorten(model, 2)
    before = copy.deepcopy(model.history_)

    def failing(model, X, y):
        raise OSError

    for error, params, arguments in [
        (ValueError, {}, {"sample_weight": np.zeros(len(y))}),
        (OSError, {"scoring": failing}, {"X_val": X, "y_val": y}),
    ]:
        with pytest.raises(error):
            model.set_params(**params).partial_fit(X, y, **arguments)
        assert model.history_ == before
