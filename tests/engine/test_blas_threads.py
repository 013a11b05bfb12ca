"""How many threads BLAS uses: one for small products, otherwise as many as it had before."""

import threading

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from skfnn import FNNClassifier
from skfnn._engine.threads import SMALLEST_SHARED, THREADS, Threads


class Library:
    """A replacement for threadpoolctl's BLAS library that remembers which numbers of threads are set."""

    def __init__(self, number=4):
        self.number, self.calls, self.interrupt = number, [], False

    def get_num_threads(self):
        return self.number

    def set_num_threads(self, number):
        if self.interrupt:
            self.interrupt = False
            raise KeyboardInterrupt
        self.calls.append(number)
        self.number = number


@pytest.fixture
def library(monkeypatch):
    """A library that replaces the real one in all sections."""
    library = Library()
    monkeypatch.setattr(THREADS, "find_library", lambda: library)
    return library


def test_small_products_get_one_thread_and_the_number_is_restored(library):
    assert Threads(lambda: library).section(SMALLEST_SHARED - 1, library.get_num_threads) == 1
    assert library.calls == [1, 4]


def test_large_products_get_all_threads_that_were_found(library):
    assert Threads(lambda: library).section(SMALLEST_SHARED, library.get_num_threads) == 4
    assert library.calls == []


def test_within_a_section_the_number_follows_the_work(library):
    threads = Threads(lambda: library)

    def body():
        threads.use(SMALLEST_SHARED)
        threads.use(2 * SMALLEST_SHARED)
        assert library.number == 4
        threads.use(0)
        threads.use(1)
        assert library.number == 1

    threads.section(0, body)
    assert library.calls == [1, 4, 1, 4]


def test_a_limit_of_the_user_is_never_raised(library):
    threads = Threads(lambda: library)
    for limit in (1, 3):
        library.number = limit
        threads.section(0, lambda: threads.use(SMALLEST_SHARED))
        assert max(library.calls, default=0) <= limit
        assert library.number == limit


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_the_number_of_threads_is_restored_after_an_error(library, error):
    threads = Threads(lambda: library)

    def body():
        raise error

    with pytest.raises(error):
        threads.section(0, body)
    assert library.number == 4
    assert threads.section(0, library.get_num_threads) == 1
    assert library.number == 4


def test_the_next_section_restores_a_number_that_could_not_be_restored(library):
    threads = Threads(lambda: library)

    def body():
        library.interrupt = True

    with pytest.raises(KeyboardInterrupt):
        threads.section(0, body)
    assert library.number == 1
    assert threads.section(0, library.get_num_threads) == 1
    assert library.number == 4


def test_without_a_known_library_nothing_is_set():
    assert Threads(lambda: None).section(0, int) == 0


def test_two_threads_do_not_enter_a_section_at_once(library):
    threads, entered = Threads(lambda: library), threading.Event()

    thread = threading.Thread(target=threads.section, args=(SMALLEST_SHARED, entered.set))

    def body():
        thread.start()
        assert not entered.wait(0.1)
        assert library.number == 1

    threads.section(0, body)
    thread.join()
    assert entered.is_set()
    assert library.number == 4


def problem(n_rows, n_features):
    rng = np.random.default_rng(0)
    X = rng.random((n_rows, n_features), dtype=np.float32)
    return X, (X[:, 0] > 0.5).astype(int)


def fitted(**params):
    params = {"hidden_layer_sizes": (30,), "max_iter": 2, "n_iter_no_change": None, "random_state": 0} | params
    return FNNClassifier(**params)


@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
@pytest.mark.parametrize("batch_size", [1, 20, "full"])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_training_uses_one_thread_for_small_products(library, solver, batch_size):
    X, y = problem(100, 7)
    clf = fitted(solver=solver, batch_size=batch_size).fit(X, y)
    clf.predict_proba(X)
    assert set(library.calls) == {1, 4}
    assert library.calls[-1] == 4


def test_a_large_product_of_a_mini_batch_uses_several_threads(library):
    X, y = problem(600, 200)
    fitted(hidden_layer_sizes=(90,), batch_size=500).fit(X[:500], y[:500])
    assert 500 * 201 * 90 >= SMALLEST_SHARED
    assert library.calls == []
    fitted(hidden_layer_sizes=(90,), batch_size=100).fit(X, y)
    assert 1 in library.calls


def test_a_block_may_use_several_threads_although_its_mini_batches_use_one(library):
    X, y = problem(64, 1000)
    fitted(hidden_layer_sizes=(130, 4), batch_size=4, max_iter=1).fit(X, y)
    # The first layer multiplies the whole block of 64 rows, with two threads. The products of a mini-batch are small.
    assert 64 * 1001 * 130 >= SMALLEST_SHARED
    assert library.calls == [1, 4]


def test_a_scorer_and_the_caller_see_the_original_number_of_threads():
    seen = []

    def score(estimator, X, y):
        seen.append([info["num_threads"] for info in threadpool_info()])
        return 0.0

    X, y = problem(100, 5)
    before = [info["num_threads"] for info in threadpool_info()]
    fitted(scoring=score, batch_size=10).fit(X, y, X_val=X, y_val=y)
    assert seen == [before, before]
    assert [info["num_threads"] for info in threadpool_info()] == before
