"""The data sets of the benchmarks: MNIST or a stand-in, digits, and sparse rows like those of texts."""

import gzip
import os
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

_TRAIN_ROWS, _TEST_ROWS, _PIXELS, _CLASSES = 60_000, 10_000, 784, 10


class Data(NamedTuple):
    """A training set and a test set."""

    X: Any  # (n, n_features)
    y: np.ndarray  # (n,), class numbers
    X_test: Any = None
    y_test: np.ndarray | None = None


def mnist_folder():
    """The folder with the four IDX files, found through the environment variable SKFNN_DATA, or None."""
    root = os.environ.get("SKFNN_DATA")
    for folder in (Path(root), Path(root) / "mnist") if root else ():
        if _idx_path(folder, "train-images-idx3-ubyte") is not None:
            return folder
    return None


def announce_mnist():
    """Print which data the benchmark uses."""
    folder = mnist_folder()
    if folder is None:
        print("data: MNIST not found (SKFNN_DATA), using a synthetic stand-in of the same shapes", flush=True)
    else:
        print(f"data: MNIST from {folder}", flush=True)


@cache
def mnist_bytes():
    """MNIST as uint8 pixels."""
    folder = mnist_folder()
    if folder is None:
        return _stand_in()
    return Data(
        _read_idx(folder, "train-images-idx3-ubyte").reshape(_TRAIN_ROWS, _PIXELS),
        _read_idx(folder, "train-labels-idx1-ubyte").astype(np.int64),
        _read_idx(folder, "t10k-images-idx3-ubyte").reshape(_TEST_ROWS, _PIXELS),
        _read_idx(folder, "t10k-labels-idx1-ubyte").astype(np.int64),
    )


@cache
def mnist():
    """MNIST as float32 in [0, 1]."""
    raw = mnist_bytes()
    scale = np.float32(1 / 255)
    return Data(raw.X * scale, raw.y, raw.X_test * scale, raw.y_test)


@cache
def digits():
    """scikit-learn's digits, float32 in [0, 1], 1,797 x 64."""
    from sklearn.datasets import load_digits

    X, y = load_digits(return_X_y=True)
    return Data((X / 16).astype(np.float32), y)


@cache
def text_like(n_rows, n_columns, distribution, n_nonzeros=100, n_classes=10, seed=0):
    """Random CSR rows of unit length with `n_nonzeros` distinct columns each.

    `distribution` is "uniform" if all columns are equally likely, or "zipf" if the column of rank r has a probability
    proportional to 1/r, like the words of a text.
    """
    rng = np.random.default_rng(seed)
    columns = np.empty((n_rows, n_nonzeros), np.int32)
    log_n = np.log(n_columns)
    for row in columns:
        found = np.empty(0, np.int64)
        while len(found) < n_nonzeros:
            u = rng.random(4 * n_nonzeros)
            drawn = np.exp(u * log_n) if distribution == "zipf" else u * n_columns
            found = np.unique(np.concatenate([found, drawn.astype(np.int64)]))
        row[:] = np.sort(rng.choice(found, n_nonzeros, replace=False))
    values = rng.random((n_rows, n_nonzeros), np.float32) + np.float32(0.1)
    values /= np.linalg.norm(values, axis=1, keepdims=True)
    pointers = np.arange(n_rows + 1, dtype=np.int32) * np.int32(n_nonzeros)
    X = sparse.csr_array((values.ravel(), columns.ravel(), pointers), shape=(n_rows, n_columns))
    y = rng.integers(n_classes, size=n_rows)
    y[:n_classes] = np.arange(n_classes)
    return Data(X, y)


def load(name, *args):
    """The data set of this name, created once per process."""
    return {"mnist": mnist, "mnist_bytes": mnist_bytes, "digits": digits, "text_like": text_like}[name](*args)


def _idx_path(folder, name):
    for path in (folder / name, folder / f"{name}.gz"):
        if path.exists():
            return path
    return None


def _read_idx(folder, name):
    """The array in an IDX file of bytes, compressed with gzip or not."""
    path = _idx_path(folder, name)
    if path is None:
        raise SystemExit(f"{folder} has neither {name} nor {name}.gz")
    content = path.read_bytes()
    if path.suffix == ".gz":
        content = gzip.decompress(content)
    n_axes = content[3]
    shape = np.frombuffer(content, ">i4", n_axes, 4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * n_axes).reshape(shape)


def _stand_in(seed=0):
    """Bytes with MNIST's shapes and about MNIST's share of zeros. A network learns the classes, but not at once."""
    rng = np.random.default_rng(seed)
    prototypes = rng.random((_CLASSES, 8, _PIXELS), np.float32)

    def draw(n):
        y = rng.integers(_CLASSES, size=n)
        X = np.empty((n, _PIXELS), np.uint8)
        for start in range(0, n, 5000):
            part = slice(start, min(start + 5000, n))
            labels = y[part]
            ink = prototypes[labels, rng.integers(8, size=len(labels))]
            ink = ink + 0.35 * rng.standard_normal(ink.shape, np.float32)
            X[part] = np.clip((ink - 0.7) * 600, 0, 255)
        return X, y

    return Data(*draw(_TRAIN_ROWS), *draw(_TEST_ROWS))
