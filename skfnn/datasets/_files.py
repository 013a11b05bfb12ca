"""Readers of the image sets' file formats, which check every number of a file before they use it."""

import gzip
import zlib
from contextlib import contextmanager
from math import prod

import numpy as np

_UNSIGNED_BYTES = 0x08  # the type code of IDX files


def find(folder, name):
    """The path of the file `name` in `folder`, under any of its usual names, or None."""
    for spelling in (name, name.replace("-idx", ".idx")):
        for path in (folder / spelling, folder / f"{spelling}.gz"):
            if path.is_file():
                return path
    return None


def read_idx(path, shape):
    """The bytes of an IDX file, which must have this shape; read-only.

    The header has two zero bytes, the type of the values, the number of dimensions, and the size of each dimension in
    four bytes, the highest first. The shape is checked before the values are read, so a damaged header cannot cause a
    large allocation.
    """
    with _opened(path) as file:
        magic = file.read(4)
        if len(magic) < 4 or magic[:2] != b"\0\0":
            raise ValueError(f"{path}: not an IDX file: two zero bytes, a type and a number of dimensions expected.")
        if magic[2] != _UNSIGNED_BYTES:
            raise ValueError(f"{path}: type code {_UNSIGNED_BYTES:#04x} (bytes) expected, found {magic[2]:#04x}.")
        if magic[3] != len(shape):
            raise ValueError(f"{path}: {len(shape)} dimension(s) expected, found {magic[3]}.")
        header = file.read(4 * len(shape))
        if len(header) < 4 * len(shape):
            raise ValueError(f"{path}: {len(shape)} dimension(s) expected, but the file ends in its header.")
        found = tuple(int(n) for n in np.frombuffer(header, ">u4"))
        if found != tuple(shape):
            raise ValueError(f"{path}: the shape {tuple(shape)} expected, found {found}.")
        return _read_rest(file, path, prod(shape), f"for the shape {tuple(shape)}").reshape(shape)


def read_idx_labels(path, n_rows, n_classes):
    """The labels in an IDX file, (n_rows,); read-only."""
    labels = read_idx(path, (n_rows,))
    _check_labels(path, labels, n_classes)
    return labels


def read_cifar(path, n_rows, n_pixels, n_classes):
    """The pixels (n_rows, n_pixels) and labels (n_rows,) of a binary CIFAR file; read-only.

    A row of the file has its labels, one byte each, and then its pixels. `n_classes` has the number of classes of each
    label. The function returns the last label only.
    """
    width = len(n_classes) + n_pixels
    with _opened(path) as file:
        rows = _read_rest(file, path, n_rows * width, f"for {n_rows} rows of {width}").reshape(n_rows, width)
    for k, n in enumerate(n_classes):
        _check_labels(path, rows[:, k], n)
    return rows[:, len(n_classes) :], rows[:, len(n_classes) - 1]


@contextmanager
def _opened(path):
    """Open a file, and decompress it if its name ends in .gz. A damaged gzip file raises a ValueError."""
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else open(path, "rb") as file:
            yield file
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"{path}: an intact gzip file expected, found: {error}") from error


def _read_rest(file, path, n_bytes, reason):
    """The rest of a file, which must have `n_bytes` bytes."""
    # Reading one more byte detects a file that is too long, and makes gzip verify its checksum.
    content = file.read(n_bytes + 1)
    if len(content) != n_bytes:
        found = "more" if len(content) > n_bytes else f"only {len(content)}"
        raise ValueError(f"{path}: {n_bytes} bytes expected {reason}, found {found}.")
    return np.frombuffer(content, np.uint8)


def _check_labels(path, labels, n_classes):
    if labels.max(initial=0) >= n_classes:
        raise ValueError(f"{path}: labels from 0 to {n_classes - 1} expected, found {labels.max()}.")
