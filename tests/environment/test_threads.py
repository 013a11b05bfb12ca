"""Threads and processes that run at the same time give the same results as one, and change no global setting."""

import os
import random
import subprocess
import sys
import textwrap
import threading
import warnings

import joblib
import numpy as np
import pytest
from scipy import sparse
from selection import full_only
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from threadpoolctl import threadpool_info, threadpool_limits

from skfnn import FNNClassifier, FNNRegressor
from skfnn.inspection import batch_size_tradeoff, gradient_noise, hidden_activations

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

N_THREADS = 8

rng = np.random.default_rng(0)
# More rows than one part has.
BYTES = rng.integers(0, 8, size=(1100, 12), dtype=np.uint8)
FORMS = {"float32": BYTES.astype(np.float32), "uint8": BYTES, "sparse": sparse.csr_matrix(BYTES * (BYTES > 5.0))}
BITS = (BYTES[:, :3] > 3).astype(int)
Y = {"binary": BITS[:, 0], "multiclass": BITS @ [1, 2, 4], "multilabel": BITS, "regression": BITS @ [0.5, 1.0, -1.0]}
METHODS = ["predict", "predict_proba", "predict_log_proba", "decision_function"]


def estimator(problem="multiclass", **params):
    kind, rate = (FNNRegressor, 0.02) if problem == "regression" else (FNNClassifier, 0.2)
    settings = {"hidden_layer_sizes": (20, 10), "learning_rate_init": rate, "max_iter": 5, "random_state": 0}
    settings["n_iter_no_change"] = np.inf  # so that nothing warns after the last epoch
    return kind(**(settings | params))


def numbers(model):
    """The parameters of a model, as bytes."""
    return [array.tobytes() for array in model.coefs_ + model.intercepts_]


@pytest.fixture
def in_threads():
    """A function that runs functions at the same time, each in its own thread, and returns their results."""

    def run(functions):
        barrier, results = threading.Barrier(len(functions)), [None] * len(functions)

        def work(k):
            barrier.wait(timeout=60)
            results[k] = functions[k]()

        threads = [threading.Thread(target=work, args=(k,)) for k in range(len(functions))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return results

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)  # threads take turns after a few lines
    yield run
    sys.setswitchinterval(interval)


# Threads


@pytest.mark.parametrize("problem", Y)
@pytest.mark.parametrize("form", FORMS)
def test_8_threads_sharing_an_estimator_predict_the_same_as_one(form, problem, in_threads):
    model = estimator(problem).fit(FORMS[form], Y[problem])
    methods = [getattr(model, name) for name in METHODS if hasattr(model, name)]
    # Each thread has its own rows, so the test notices if one writes into another's buffers.
    rows = [FORMS[form][k:] for k in range(N_THREADS)]
    expected = [[method(X) for method in methods] for X in rows]
    assert len({results[0].tobytes() for results in expected}) == N_THREADS

    def predictions(X):
        return lambda: [[method(X) for method in methods] for _ in range(3)]

    for repeated, once in zip(in_threads([predictions(X) for X in rows]), expected, strict=True):
        for results in repeated:
            for found, result in zip(results, once, strict=True):
                np.testing.assert_array_equal(found, result)


def test_8_threads_sharing_an_estimator_inspect_it_like_one(in_threads):
    X, y = FORMS["float32"], Y["multiclass"]
    model = estimator().fit(X, y)

    def inspected(k):
        noise = gradient_noise(model, X[k:], y[k:], batch_sizes=[10], n_draws=3, random_state=k)
        return noise.variance, noise.measured_variance.tolist(), hidden_activations(model, X[k:], 1).tobytes()

    expected = [inspected(k) for k in range(N_THREADS)]
    assert in_threads([lambda k=k: inspected(k) for k in range(N_THREADS)]) == expected


# One estimator for each code path of training.
TRAININGS = {
    "plain": {},
    "plain, few rows a batch": {"batch_size": 4, "max_iter": 2},
    "momentum, few rows a batch": {"batch_size": 4, "max_iter": 2, "momentum": 0.9, "learning_rate_init": 0.002},
    "adam": {"solver": "adam"},
    "clipped": {"max_grad_norm": 0.1, "batch_size": 20},
    "dropout": {"dropout": 0.3},
    "lbfgs": {"solver": "lbfgs"},
    "early stopping": {"early_stopping": True, "batch_size": "full"},
}


@pytest.mark.parametrize("form", [full_only("float32"), "uint8", "sparse"])
def test_fits_in_parallel_threads_do_not_disturb_each_other(form, in_threads):
    X, y = FORMS[form], Y["multiclass"]
    models = [estimator(**params) for params in TRAININGS.values()]
    expected = [numbers(clone(model).fit(X, y)) for model in models]
    assert len({tuple(each) for each in expected}) == len(models)
    for fitted, serial in zip(in_threads([lambda m=m: m.fit(X, y) for m in models]), expected, strict=True):
        assert numbers(fitted) == serial


def test_streams_in_parallel_threads_do_not_disturb_each_other(in_threads):
    X, y = FORMS["float32"], Y["multiclass"]

    def stream(params):
        model = estimator(**params)
        for start in range(0, 1000, 100):
            model.partial_fit(X[start : start + 100], y[start : start + 100], classes=np.unique(y))
        return numbers(model)

    streams = [params for params in TRAININGS.values() if params.get("solver") != "lbfgs"]
    expected = [stream(params) for params in streams]
    assert in_threads([lambda p=p: stream(p) for p in streams]) == expected


def test_a_model_predicts_the_same_while_other_threads_train(in_threads):
    X, y = FORMS["float32"], Y["multiclass"]
    model = estimator().fit(X, y)
    expected = model.predict_proba(X)

    def predictions():
        return [model.predict_proba(X) for _ in range(10)]

    others = [estimator(**params) for params in TRAININGS.values()]
    found = in_threads([predictions, *(lambda m=m: m.fit(X, y) for m in others)])[0]
    for proba in found:
        np.testing.assert_array_equal(proba, expected)


# joblib


GRID = {"batch_size": [5, 100], "solver": ["sgd", "adam"]}
X_few, y_few = FORMS["float32"][:200], Y["multiclass"][:200]


def search_results(n_jobs=None):
    """The results of a search, except the times, and the refitted model."""
    search = GridSearchCV(estimator(), GRID, cv=3, n_jobs=n_jobs, error_score="raise").fit(X_few, y_few)
    scores = {key: list(values) for key, values in search.cv_results_.items() if "time" not in key}
    return scores, numbers(search.best_estimator_)


@pytest.fixture(scope="module")
def serial_search():
    found = search_results()
    assert len(set(found[0]["mean_test_score"])) > 2
    return found


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_a_search_with_any_joblib_backend_equals_one_in_one_process(backend, serial_search):
    with joblib.parallel_backend(backend, n_jobs=2):
        assert search_results() == serial_search


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_cross_validation_with_any_joblib_backend_equals_that_in_one_process(backend):
    expected = cross_val_score(estimator(), X_few, y_few, cv=4)
    with joblib.parallel_backend(backend):
        found = cross_val_score(estimator(), X_few, y_few, cv=4, n_jobs=2)
    np.testing.assert_array_equal(found, expected)


# A new process does the forking. Other tests may have left threads in this one, and a child of it could wait for a lock
# forever.

FORK = """
    import multiprocessing, os, pickle, warnings
    import joblib
    import numpy as np
    from sklearn.model_selection import GridSearchCV, cross_val_score
    from skfnn import FNNClassifier

    # Python 3.12 also counts the threads of the BLAS, which handles a fork itself.
    warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)

    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 300)).astype(np.float32)
    y = (X[:, 0] > 0) + (X[:, 1] > 0) * 1

    def network(**params):
        settings = dict(max_iter=2, n_iter_no_change=None, random_state=0)
        return FNNClassifier((200,), **(settings | params))

    def everything():
        # A prediction, a new model, and the old model trained further, as bytes.
        proba, new = model.predict_proba(X), network(solver="adam").fit(X, y)
        more = pickle.loads(pickle.dumps(model)).partial_fit(X, y)
        return [array.tobytes() for array in (proba, *new.coefs_, *more.coefs_)]

    model = network().fit(X, y)
    expected = everything()
    assert len(set(expected)) == len(expected)

    def os_fork():
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            status = 1
            try:
                with os.fdopen(writing, "wb") as pipe:
                    pickle.dump(everything(), pipe)
                status = 0
            finally:
                os._exit(status)
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            found = pickle.load(pipe)
        assert os.waitpid(child, 0)[1] == 0
        return found

    def pool():
        with multiprocessing.get_context("fork").Pool(2) as workers:
            first, second = [workers.apply_async(everything) for _ in range(2)]
            assert first.get() == second.get()
            return first.get()

    def joblibs():
        grid, fold = {"batch_size": [5, 100], "solver": ["sgd", "adam"]}, dict(cv=3, error_score="raise")
        def search():
            found = GridSearchCV(network(), grid, **fold).fit(X, y)
            scores = cross_val_score(network(), X, y, **fold).tolist()
            return scores, found.cv_results_["mean_test_score"].tolist(), found.best_estimator_.coefs_[0].tobytes()
        one = search()
        with joblib.parallel_backend("multiprocessing", n_jobs=2):
            assert search() == one
        return expected

    assert FORK() == expected
    # The parent process continues as before.
    assert everything() == expected
    print("the same")
"""


@pytest.mark.skipif(not hasattr(os, "fork") or sys.platform == "darwin", reason="this system does not fork processes")
@pytest.mark.parametrize("way", ["os_fork", full_only("pool"), full_only("joblibs")])
def test_a_process_forked_after_fit_predicts_and_trains_like_its_parent(way):
    program = textwrap.dedent(FORK).replace("FORK()", f"{way}()")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "the same\n"


# No change of global settings


def settings_of_the_process():
    """Settings of the whole process that a call could change by mistake."""
    pools = {info["filepath"]: info["num_threads"] for info in threadpool_info()}
    return {
        "environment": dict(os.environ),
        "threads": pools,
        "NumPy's errors": np.geterr(),
        "NumPy's buffer": np.getbufsize(),
        "NumPy's random numbers": repr(np.random.get_state()),  # noqa: NPY002
        "Python's random numbers": random.getstate(),
        "filters of warnings": list(warnings.filters),
        "working directory": os.getcwd(),
        "limits": (sys.getrecursionlimit(), sys.getswitchinterval()),
    }


def failing_scorer(error):
    def score(model, X, y):
        raise error

    return score


def rate_that_grows(step):
    return 100.0**step


X_bad = np.where(np.arange(X_few.size).reshape(X_few.shape) == 7, np.nan, X_few)
FITTED = estimator().fit(X_few, y_few)
CALLS = {
    "fit": lambda: estimator().fit(X_few, y_few),
    "fit by adam": lambda: estimator(solver="adam", early_stopping=True).fit(X_few, y_few),
    "fit by lbfgs": lambda: estimator(solver="lbfgs").fit(X_few, y_few),
    "fit of sparse rows": lambda: estimator(momentum=0.9).fit(FORMS["sparse"], Y["multiclass"]),
    "partial_fit": lambda: estimator().partial_fit(X_few, y_few, classes=np.unique(y_few)),
    "resume": lambda: clone(FITTED).resume(X_few, y_few),
    "predict": lambda: FITTED.predict(X_few),
    "predict_proba": lambda: FITTED.predict_proba(FORMS["sparse"]),
    "score": lambda: FITTED.score(X_few, y_few),
    "regression": lambda: estimator("regression").fit(X_few, y_few).predict(X_few),
    "gradient_noise": lambda: gradient_noise(FITTED, X_few, y_few, n_draws=2, random_state=0),
    "batch_size_tradeoff": lambda: batch_size_tradeoff(
        estimator(), X_few, y_few, X_val=X_few, y_val=y_few, batch_sizes=[10, "full"]
    ),
    "hidden_activations": lambda: hidden_activations(FITTED, X_few, 0),
}
FAILURES = {
    "invalid parameter": (ValueError, lambda: estimator(alpha=-1.0).fit(X_few, y_few)),
    "NaN in X": (ValueError, lambda: estimator().fit(X_bad, y_few)),
    "NaN in X of predict": (ValueError, lambda: FITTED.predict(X_bad)),
    "divergence": (
        ValueError,
        lambda: estimator(activation="identity", learning_rate=rate_that_grows, batch_size=10).fit(X_few, y_few),
    ),
    "divergence of partial_fit": (
        ValueError,
        lambda: estimator(activation="identity", learning_rate=rate_that_grows, batch_size=10).partial_fit(
            X_few, y_few, classes=np.unique(y_few)
        ),
    ),
    "error of a scorer": (
        OSError,
        lambda: estimator(early_stopping=True, scoring=failing_scorer(OSError())).fit(X_few, y_few),
    ),
    "Ctrl-C": (
        KeyboardInterrupt,
        lambda: estimator(validation_fraction=0.2, scoring=failing_scorer(KeyboardInterrupt())).fit(X_few, y_few),
    ),
    "divergence in batch_size_tradeoff": (
        ValueError,
        lambda: batch_size_tradeoff(
            estimator(activation="identity", learning_rate=rate_that_grows, batch_size=10),
            X_few,
            y_few,
            X_val=X_few,
            y_val=y_few,
            batch_sizes=[10],
        ),
    ),
    "batch size of gradient_noise": (ValueError, lambda: gradient_noise(FITTED, X_few, y_few, batch_sizes=[0])),
}


@pytest.fixture(params=[1, 2])
def thread_limit(request):
    """Let the BLAS of the process use one thread or two."""
    with threadpool_limits(request.param, user_api="blas"):
        yield request.param


@pytest.mark.usefixtures("thread_limit")
@pytest.mark.parametrize("name", CALLS)
def test_no_call_leaves_a_setting_of_the_process_changed(name):
    before = settings_of_the_process()
    CALLS[name]()
    assert settings_of_the_process() == before


@pytest.mark.usefixtures("thread_limit")
@pytest.mark.filterwarnings("ignore:learning_rate_init")
@pytest.mark.parametrize("name", FAILURES)
def test_no_failure_leaves_a_setting_of_the_process_changed(name):
    error, call = FAILURES[name]
    before = settings_of_the_process()
    with pytest.raises(error):
        call()
    assert settings_of_the_process() == before


def test_a_change_of_each_setting_would_be_seen(thread_limit, monkeypatch):
    before = settings_of_the_process()
    assert set(before["threads"].values()) >= {thread_limit}
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "77")
    with threadpool_limits(3 - thread_limit, user_api="blas"), np.errstate(over="raise"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        np.random.random()  # noqa: NPY002
        random.random()
        after = settings_of_the_process()
    names = {"environment", "threads", "NumPy's errors", "NumPy's random numbers", "Python's random numbers"}
    assert {name for name in before if before[name] != after[name]} == names | {"filters of warnings"}
