"""Searches, ensembles and streams on a Dask cluster, even if a worker dies.

The cluster has two worker processes on this machine. For the code that runs on it, it is like any other cluster. If a
test compares numbers bit for bit, both sides use one BLAS thread, because the number of threads affects rounding.
"""

import itertools
import os
import signal

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.ensemble import BaggingClassifier
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from threadpoolctl import threadpool_limits

from skfnn import FNNClassifier
from skfnn.inspection import batch_size_tradeoff

pytest.importorskip("distributed")
da = pytest.importorskip("dask.array")

import dask  # noqa: E402
from distributed import Client, LocalCluster  # noqa: E402

N_ROWS = 600
GRID = {"batch_size": [8, 64], "learning_rate_init": [0.03, 0.1, 0.3]}
# The combination that is being trained when a worker is killed.
FATAL = (64, 0.1)


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return (X[:N_ROWS] / 16).astype(np.float32), y[:N_ROWS]


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """A client of a cluster with two worker processes of one thread each. A nanny restarts workers that die."""
    folder = tmp_path_factory.mktemp("workers")
    # The active memory manager would delete the copies that a test makes for safety.
    with (
        dask.config.set({"distributed.scheduler.active-memory-manager.start": False}),
        LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            dashboard_address=None,
            memory_limit=0,
            local_directory=str(folder),
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


@pytest.fixture(autouse=True)
def one_thread():
    with threadpool_limits(1, user_api="blas"):
        yield


class KillsItsWorkerOnce:
    """A scorer that returns the accuracy. It kills the first worker that calls it in the middle of a certain run."""

    def __init__(self, path):
        self.main, self.path = os.getpid(), path

    def __call__(self, estimator, X, y):
        training = (estimator.batch_size, estimator.learning_rate_init)
        if training == FATAL and len(estimator.history_["epoch"]) >= 1 and os.getpid() != self.main:
            try:
                with open(self.path, "x") as file:  # only one of all workers succeeds
                    file.write(str(os.getpid()))
            except FileExistsError:
                pass
            else:
                os.kill(os.getpid(), signal.SIGKILL)
        return accuracy_score(y, estimator.predict(X))


def estimator(**params):
    settings = {"hidden_layer_sizes": (16,), "max_iter": 4, "n_iter_no_change": None, "random_state": 0}
    return FNNClassifier(**(settings | params))


def search(digits, *, cv=3, **params):
    return GridSearchCV(estimator(**params), GRID, cv=cv, error_score="raise").fit(*digits)


def assert_same_search(a, b, assert_identical):
    """Two searches have the same results except the seconds, and the same best network bit for bit."""
    assert a.cv_results_.keys() == b.cv_results_.keys()
    for key, values in a.cv_results_.items():
        if not key.endswith("_time"):
            np.testing.assert_array_equal(values, b.cv_results_[key], err_msg=key)
    assert a.best_params_ == b.best_params_
    assert len(set(a.cv_results_["mean_test_score"])) > 1  # a search among equal candidates would prove nothing
    assert_identical(a.best_estimator_, b.best_estimator_)


def pids(client):
    return set(client.run(os.getpid).values())


def test_a_grid_search_on_the_cluster_equals_one_in_one_process(client, digits, assert_identical):
    alone = search(digits)
    with joblib.parallel_backend("dask"):
        together = search(digits)
    assert_same_search(together, alone, assert_identical)


def test_an_ensemble_on_the_cluster_equals_one_in_one_process(client, digits, assert_identical):
    ensemble = BaggingClassifier(estimator(), n_estimators=4, random_state=0)
    alone = clone(ensemble).fit(*digits)
    with joblib.parallel_backend("dask"):
        together = clone(ensemble).fit(*digits)
    for a, b in zip(together.estimators_, alone.estimators_, strict=True):
        assert_identical(a, b)
    np.testing.assert_array_equal(together.predict_proba(digits[0]), alone.predict_proba(digits[0]))


def test_batch_size_tradeoff_on_the_cluster_equals_that_in_one_process(client, digits):
    (X, y), half = digits, N_ROWS // 2
    validation = {"X_val": X[half:], "y_val": y[half:]}
    alone = batch_size_tradeoff(estimator(), X[:half], y[:half], [16, 64], **validation)
    with joblib.parallel_backend("dask"):
        together = batch_size_tradeoff(estimator(), X[:half], y[:half], [16, 64], **validation)
    np.testing.assert_array_equal(together.gradient_variance, alone.gradient_variance)
    for a, b in zip(together.histories, alone.histories, strict=True):
        assert a["validation_loss"] == b["validation_loss"]
        assert len(a["seconds"]) == 4


# A stream of chunks


def in_pieces(digits, folder, sizes):
    """Rows and labels as Dask arrays whose chunks are files, and as NumPy arrays, chunk by chunk."""
    for name, array in zip("Xy", digits, strict=True):
        chunks = (sizes, *((n,) for n in array.shape[1:]))
        da.to_npy_stack(folder / name, da.from_array(array, chunks=chunks))
    stops = np.cumsum(sizes)[:-1]
    return (da.from_npy_stack(folder / name) for name in "Xy"), zip(*(np.split(a, stops) for a in digits), strict=True)


@pytest.mark.parametrize("settings", [{}, {"momentum": 0.9}, {"solver": "adam"}], ids=["plain", "momentum", "adam"])
def test_training_on_dask_chunks_equals_training_on_arrays(client, digits, tmp_path, settings, assert_identical):
    (X, y), pieces = in_pieces(digits, tmp_path, (250, 100, 250))
    X = 2 * X - 1
    streamed, alone = estimator(**settings), estimator(**settings)
    classes = np.arange(10)
    chunks = zip(X.blocks, y.blocks, strict=True)
    ahead = client.compute(next(chunks))
    while ahead:
        rows, labels = client.gather(ahead)
        following = next(chunks, None)
        ahead = following and client.compute(following)  # the cluster computes this while this process trains
        streamed.partial_fit(rows, labels, classes=classes)
    for rows, labels in pieces:
        alone.partial_fit(2 * rows - 1, labels, classes=classes)
    assert streamed.n_iter_ == 3
    assert streamed.t_ == N_ROWS
    assert_identical(streamed, alone)


def test_dask_mls_incremental_calls_partial_fit_for_each_chunk(client, digits, tmp_path, assert_identical):
    wrappers = pytest.importorskip("dask_ml.wrappers")
    (X, y), pieces = in_pieces(digits, tmp_path, (300, 300))
    incremental = wrappers.Incremental(estimator(), shuffle_blocks=False).fit(X, y, classes=np.arange(10))
    alone = estimator()
    for rows, labels in pieces:
        alone.partial_fit(rows, labels, classes=np.arange(10))
    assert_identical(incremental.estimator_, alone)
    np.testing.assert_array_equal(incremental.predict(X).compute(), alone.predict(digits[0]))


# This test is the last one, because a dead worker takes seconds to return


def test_a_search_gives_the_same_results_if_a_worker_is_killed(client, digits, tmp_path, assert_identical):
    note = tmp_path / "killed"
    params = {"validation_fraction": 0.2, "scoring": KillsItsWorkerOnce(note)}
    alone = search(digits, **params)
    assert not note.exists()
    before = pids(client)
    # First give all workers the data that every task reads. By default there is one copy, and it dies with its worker.
    folds = list(StratifiedKFold(3).split(*digits))
    with joblib.parallel_backend("dask", scatter=[*digits, *itertools.chain(*folds)]):
        together = search(digits, cv=folds, **params)
    client.wait_for_workers(2, timeout=60)
    after = pids(client)
    assert len(before) == len(after) == 2
    assert before - after == {int(note.read_text())}
    assert_same_search(together, alone, assert_identical)
