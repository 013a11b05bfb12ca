"""Training never copies the whole of X, and the hot loop allocates nothing."""

import numpy as np
import pytest
from memory import peak_of
from scipy import sparse
from selection import full_only
from sklearn.exceptions import ConvergenceWarning

from skfnn import FNNClassifier
from skfnn._engine.penalty import L2Penalty
from skfnn._engine.trainer import Trainer

pytestmark = pytest.mark.filterwarnings("ignore")


def byte_rows(n_rows, n_features):
    return np.random.default_rng(0).integers(0, 256, size=(n_rows, n_features), dtype=np.uint8)


# No copy of X

FORMS = {
    "C": lambda X: X,
    "Fortran": np.asfortranarray,  # the memory order of a DataFrame's columns
    "columns": lambda X: np.repeat(X, 2, axis=1)[:, ::2],
}


@pytest.mark.parametrize("batch_size", [100, "full"])
def test_training_on_bytes_does_not_make_floats_of_them_all(batch_size):
    X, y = byte_rows(20_000, 784), np.arange(20_000) % 10
    clf = FNNClassifier(16, batch_size=batch_size, learning_rate_init=1e-7, max_iter=1)
    # As float32, X has 63 MB. A block of 1024 rows and a sample of rows in float64 have 16 MB.
    assert peak_of(lambda: clf.fit(X, y)) < 4 * X.size / 3


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_no_memory_layout_makes_training_copy_x(dtype, form, shuffle):
    X, y = FORMS[form](byte_rows(60_000, 256).astype(dtype)), np.arange(60_000) % 10
    clf = FNNClassifier(4, batch_size=10_000, learning_rate_init=1e-7, max_iter=1, shuffle=shuffle)
    # Allowed are two buffers of a block, a sample of the rows and its squares, and some numbers per row.
    allowed = 1024 * 256 * (4 + X.itemsize) + 1000 * 256 * (8 + 8) + 60_000 * 8 * 10
    assert allowed < X.nbytes
    assert peak_of(lambda: clf.fit(X, y)) < allowed


@pytest.mark.parametrize("n_rows", [500, full_only(1999)])
def test_training_on_few_wide_rows_does_not_copy_them_all(n_rows):
    X = byte_rows(n_rows, 20_000)
    X[:, :2000] = np.where(np.arange(n_rows) % 2, 255, 0)[:, None]  # so that the rows are easy to distinguish
    y = np.arange(n_rows) % 2
    n_epochs = 10_000 // n_rows  # enough to learn the classes, so that the loss need not be compared with a constant's
    clf = FNNClassifier(2, "tanh", batch_size=20, learning_rate_init=1e-3, max_iter=n_epochs, random_state=0)
    # The buffers of a block of 64 rows have 6.5 MB here. X has 40 and 160 MB as float32.
    assert peak_of(lambda: clf.fit(X, y)) < 4 * X.size / 2


@pytest.mark.filterwarnings("default:The network predicts no better than a constant")
def test_a_run_that_learns_nothing_is_evaluated_in_parts():
    X, y = byte_rows(2000, 20_000), np.arange(2000) % 2
    clf = FNNClassifier(2, batch_size=20, learning_rate_init=1e-9, max_iter=1, random_state=0)
    # One part has buffers of 20 MB. X has 160 MB as float32.
    with pytest.warns(ConvergenceWarning, match="no better than a constant"):
        assert peak_of(lambda: clf.fit(X, y)) < 4 * X.size / 5


def test_sparse_rows_are_not_made_dense():
    rng = np.random.default_rng(0)
    X = sparse.csr_matrix((rng.random(80_000), (rng.integers(2000, size=80_000), rng.integers(20_000, size=80_000))))
    clf = FNNClassifier(2, batch_size=100, max_iter=1)
    # A dense X would have 320 MB. Its non-zeros have 1 MB, the parameters 0.3 MB.
    assert peak_of(lambda: clf.fit(X, np.arange(X.shape[0]) % 2)) < 16e6


def test_prediction_works_in_parts():
    X, y = byte_rows(20_000, 784), np.arange(20_000) % 10
    clf = FNNClassifier(16, batch_size=100, learning_rate_init=1e-7, max_iter=1).fit(X[:1000], y[:1000])
    # Two buffers of 1024 rows have 4 MB, the result has 0.8 MB.
    assert peak_of(lambda: clf.predict_proba(X)) < 4 * X.size / 5


def test_a_memory_map_is_read_and_not_loaded(tmp_path):
    X, y = byte_rows(20_000, 784), np.arange(20_000) % 10
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    clf = FNNClassifier(16, batch_size=100, learning_rate_init=1e-7, max_iter=1)
    assert peak_of(lambda: clf.fit(mapped, y)) < 4 * X.size / 3


# The hot loop allocates nothing

N_ROWS, N_FEATURES, N_UNITS = 1300, 200, 200
ORDER = 8 * N_ROWS  # the new order of the rows exists before the old one is freed


def few(dtype):
    """The number of bytes that an epoch may allocate and free, independently of the sizes.

    NumPy casts (a comparison to the floats of a slope) through buffers of 8,192 numbers. The places of the targets in a
    block of at most 1,024 rows need a few arrays of integers. The smallest array that a careless step would allocate,
    a layer's gradient, has 40,000 numbers.
    """
    return 12_000 * np.dtype(dtype).itemsize


@pytest.fixture
def epoch_peaks(monkeypatch):
    """The number of bytes allocated at the peak of every epoch."""
    peaks, epoch = [], Trainer.epoch

    def measured(self, *args):
        result = []
        peaks.append(peak_of(lambda: result.append(epoch(self, *args))))
        return result[0]

    monkeypatch.setattr(Trainer, "epoch", measured)
    return peaks


SOLVERS = {
    "plain": {},
    "plain, alpha": {"alpha": 1.0},
    "momentum": {"momentum": 0.9},
    "momentum, alpha": {"momentum": 0.9, "alpha": 1.0},
    "adam": {"solver": "adam"},
}


# 7: several mini-batches per block. 100: one per block. 1100 and "full": several blocks per mini-batch.
@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("batch_size", [7, 100, 1100, "full"])
@pytest.mark.parametrize("solver", SOLVERS)
def test_an_epoch_allocates_nothing_besides_its_workspace(solver, batch_size, shuffle, epoch_peaks):
    rng = np.random.default_rng(0)
    X, y = rng.random((N_ROWS, N_FEATURES), dtype=np.float32), rng.integers(10, size=N_ROWS)
    clf = FNNClassifier(N_UNITS, batch_size=batch_size, shuffle=shuffle, max_iter=2, **SOLVERS[solver])
    clf.fit(X, y)
    # The first epoch creates the views of the blocks.
    assert epoch_peaks[1] < few(np.float32) + ORDER * shuffle


@pytest.mark.parametrize("activation", ["tanh", "gelu", "selu", "softplus"])
@pytest.mark.parametrize("n_classes", [2, 10])
@pytest.mark.parametrize("dtype", [np.uint8, np.float64])
def test_no_activation_loss_weight_or_cast_allocates_in_an_epoch(dtype, n_classes, activation, epoch_peaks):
    rng = np.random.default_rng(0)
    X, y = rng.integers(2, size=(N_ROWS, N_FEATURES)).astype(dtype), rng.integers(n_classes, size=N_ROWS)
    clf = FNNClassifier((N_UNITS, N_UNITS), activation, batch_size=100, shuffle=False, max_iter=2)
    clf.fit(X, y, sample_weight=rng.random(N_ROWS))
    assert epoch_peaks[1] < few(clf.coefs_[0].dtype)


def test_the_measurement_sees_a_gradient(epoch_peaks, monkeypatch):
    monkeypatch.setattr(L2Penalty, "value", lambda self: 0.0 * float(np.empty(N_FEATURES * N_UNITS, np.float32).size))
    X, y = np.random.default_rng(0).random((N_ROWS, N_FEATURES), dtype=np.float32), np.arange(N_ROWS) % 3
    FNNClassifier(N_UNITS, max_iter=2, shuffle=False).fit(X, y)
    assert epoch_peaks[1] > few(np.float32)
