"""Small image sets in the files of the large ones."""

import gzip

import numpy as np
import pytest

from skfnn.datasets import fetch_cifar10, fetch_cifar100, fetch_fashion_mnist, fetch_mnist
from skfnn.datasets._sets import SETS

FETCH = {"mnist": fetch_mnist, "fashion_mnist": fetch_fashion_mnist, "cifar10": fetch_cifar10}
FETCH["cifar100"] = fetch_cifar100

# (training rows, test rows) of every class in the small sets. As in the real sets, the numbers of MNIST and
# Fashion-MNIST differ.
SIZES = {"mnist": [(3, 1), *[(2, 1)] * 8, (1, 1)], "fashion_mnist": [(2, 1)] * 10}
SIZES |= {"cifar10": [(2, 1)] * 10, "cifar100": [(2, 1)] * 100}

every_set = pytest.mark.parametrize("name", FETCH)


def rows(name, part, seed=0):
    """X and y of a small set, in a random order of the rows."""
    rng = np.random.default_rng([seed, part == "test"])
    sizes = SETS[name].class_sizes[part]
    y = rng.permutation(np.repeat(np.arange(len(sizes), dtype=np.uint8), sizes))
    return rng.integers(0, 256, size=(len(y), SETS[name].n_pixels), dtype=np.uint8), y


def idx(array):
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes() + array.tobytes()


def write(folder, name, seed=0, dotted=False, zipped=False):
    """Write the files of a small set in the form that its authors publish."""
    folder.mkdir(parents=True, exist_ok=True)
    for part in ("train", "test"):
        X, y = rows(name, part, seed)
        files = SETS[name].files[part]
        if SETS[name].n_labels:
            labels = np.column_stack([y // 5, y])[:, -len(SETS[name].n_labels) :]
            contents = [piece.tobytes() for piece in np.split(np.hstack([labels, X]), len(files))]
        else:
            contents = [idx(X.reshape(-1, 28, 28)), idx(y)]
        for file, content in zip(files, contents, strict=True):
            if dotted:
                file = file.replace("-idx", ".idx")
            if zipped:
                file, content = f"{file}.gz", gzip.compress(content)
            (folder / file).write_bytes(content)
    return folder


def assert_rows(found, name, part="train", seed=0):
    for a, b in zip(found, rows(name, part, seed), strict=True):
        np.testing.assert_array_equal(a, b)
