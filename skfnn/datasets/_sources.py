"""Where an image set comes from: files in one of several folders, or OpenML if there are no files."""

import os
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from sklearn.datasets import fetch_openml, get_data_home

from ._files import find, read_cifar, read_idx, read_idx_labels
from ._sets import SETS


def load(images, parts, data_home, download):
    """X (n, n_pixels) and y (n,) of the parts ("train", "test" or both) in the given order."""
    folders = []  # the folders that were searched
    for folder in _candidates(images, data_home):
        folders.append(str(folder))
        paths = {part: [find(folder, file) for file in images.files[part]] for part in parts}
        if all(path is not None for part in parts for path in paths[part]):
            pieces = [_read(images, part, paths[part]) for part in parts]
            break
    else:
        files = ", ".join(file for part in parts for file in images.files[part])
        missing = f"{images.title} (the files {files}, with or without .gz) was not found in {', '.join(folders)}"
        if not download:
            raise OSError(f"{missing}; download_if_missing is False.")
        pieces = _download(images, parts, data_home, missing)
    return np.concatenate([X for X, _ in pieces]), np.concatenate([y for _, y in pieces]).astype(np.int64)


def _candidates(images, data_home):
    """The folders that may hold the files, in order of search. scikit-learn's is created only if its turn comes."""
    others = {folder for other in SETS.values() for folder in other.folders} - set(images.folders)
    for root in (lambda: data_home, lambda: os.environ.get("SKFNN_DATA") or None, get_data_home):
        home = root()
        if home is None:
            continue
        home = Path(home).expanduser()
        yield from (home / folder for folder in images.folders)
        # MNIST and Fashion-MNIST have the same file names, so a folder "mnist" must not serve Fashion-MNIST.
        if home.resolve().name not in others:
            yield home


def _read(images, part, paths):
    """X (n, n_pixels) and y (n,) of "train" or "test" from its files."""
    n_rows = images.n_rows(part)
    if images.n_labels:
        n_each = n_rows // len(paths)
        read = [read_cifar(path, n_each, images.n_pixels, images.n_labels) for path in paths]
        X, y = (np.concatenate(arrays) for arrays in zip(*read, strict=True))
    else:
        X = read_idx(paths[0], (n_rows, *images.images_shape)).reshape(n_rows, -1)
        y = read_idx_labels(paths[1], n_rows, len(images.target_names))
    _check_split(images, part, y, ", ".join(map(str, paths)))
    return X, y


def _download(images, parts, data_home, missing):
    """A list with X and y of every part, from OpenML, which puts the training rows first."""
    parser = "auto" if find_spec("pandas") else "liac-arff"
    try:
        found = fetch_openml(images.openml, version=1, data_home=data_home, as_frame=False, parser=parser)
    except Exception as error:  # a broken connection or a damaged reply can raise many kinds of error
        reason = f"{type(error).__name__}: {error}"
        raise OSError(f"{missing}, and OpenML did not bring it: {reason}") from error
    source = f"OpenML's data set {images.openml!r}"
    n_train, n_test = images.n_rows("train"), images.n_rows("test")
    shape = (n_train + n_test, images.n_pixels)
    X, y = np.asarray(found.data), _class_numbers(images, found.target)
    if X.shape != shape or y.shape != shape[:1]:
        raise ValueError(f"{source}: the shape {shape} expected, found {X.shape} and {len(y)} labels.")
    pieces = []
    for part in parts:
        rows = slice(n_train) if part == "train" else slice(n_train, None)
        _check_split(images, part, y[rows], source)
        # NaN fails both comparisons.
        if not (X[rows].min(initial=0) >= 0 and X[rows].max(initial=0) <= 255):
            raise ValueError(f"{source}: pixels from 0 to 255 expected.")
        pixels = X[rows].astype(np.uint8)
        if not np.array_equal(pixels, X[rows]):
            raise ValueError(f"{source}: whole numbers expected as pixels.")
        pieces.append((pixels, y[rows]))
    return pieces


def _class_numbers(images, target):
    """OpenML's labels as class numbers; -1 for unknown ones. They may be numbers, numbers as text, or class names."""
    names = images.target_names
    numbers = {str(k): k for k in range(len(names))} | {name: k for k, name in enumerate(names)}
    numbers |= {f"{k}.0": k for k in range(len(names))}
    return np.array([numbers.get(str(label), -1) for label in np.asarray(target)], dtype=np.int64)


def _check_split(images, part, y, source):
    """Raise ValueError if the class sizes show that the rows are of another set or another part of the split."""
    expected = images.class_sizes[part]
    found = tuple(int(np.sum(y == k)) for k in range(len(expected)))
    if found != expected:
        k = next(k for k in range(len(expected)) if found[k] != expected[k])
        raise ValueError(
            f"{source}: this is not {images.title}: {expected[k]} {part} rows of class {k} expected, found {found[k]}."
        )
