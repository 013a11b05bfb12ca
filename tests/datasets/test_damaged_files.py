"""Damaged files of the image sets give a ValueError that names the file, or exactly the values in the file.

The tests flip bits, cut out or insert parts, and change numbers in the headers of many files, and read them
with the public functions. Parsers written here from the file formats determine the expected result.
"""

import gzip
import os
import re
import struct
import tracemalloc
import zlib
from http.client import IncompleteRead

import numpy as np
import pytest
from selection import SUITE

from skfnn.datasets import _sources, fetch_cifar10, fetch_cifar100, fetch_mnist
from skfnn.datasets._sets import SETS

# name: (function, rows of every class, names of the training files)
IDX_FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte")
SMALL = {
    "mnist": (fetch_mnist, (1,) * 10, IDX_FILES),
    "cifar10": (fetch_cifar10, (1,) * 10, tuple(f"data_batch_{k}.bin" for k in range(1, 6))),
    "cifar100": (fetch_cifar100, (1,) * 100, ("train.bin",)),
}
# For every set, compressed and uncompressed: 2,400 files in total in the full suite.
MUTANTS = 400 if SUITE.full else 150

every_set = pytest.mark.parametrize("name", SMALL)
both_forms = pytest.mark.parametrize("suffix", ["", ".gz"])


@pytest.fixture(autouse=True)
def small_sets(monkeypatch, tmp_path):
    """Use small image sets that exist only in the folder of the test."""
    for name, (_, sizes, _) in SMALL.items():
        monkeypatch.setitem(SETS, name, SETS[name]._replace(class_sizes={"train": sizes, "test": sizes}))
    monkeypatch.delenv("SKFNN_DATA", raising=False)
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path / "scikit_learn_data"))


def idx(array):
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def intact(name):
    """The contents of the training files of a small set."""
    rng = np.random.default_rng(0)
    _, sizes, files = SMALL[name]
    y = rng.permutation(np.repeat(np.arange(len(sizes), dtype=np.uint8), sizes))
    if name == "mnist":
        return [idx(rng.integers(256, size=(len(y), 28, 28), dtype=np.uint8)), idx(y)]
    # Runs of equal bytes, as in photographs, make compressed files contain more than literal bytes.
    pixels = np.repeat(rng.integers(256, size=(len(y), 3072 // 8), dtype=np.uint8), 8, axis=1)
    labels = np.column_stack([y // 5, y] if name == "cifar100" else [y])
    return [part.tobytes() for part in np.split(np.hstack([labels, pixels]), len(files))]


def write(folder, name, suffix, contents=None):
    """Write the training files; return their paths."""
    paths = [folder / f"{file}{suffix}" for file in SMALL[name][2]]
    for path, content in zip(paths, contents or intact(name), strict=True):
        path.write_bytes(gzip.compress(content, 1, mtime=0) if suffix else content)
    return paths


def fetch(name, folder):
    return SMALL[name][0](data_home=folder, return_X_y=True, download_if_missing=False)


# The values in the bytes


def unpacked(content, suffix):
    """The bytes of a file, or None if the compression is damaged."""
    if not suffix:
        return content
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error):
        return None


def parsed_idx(content, shape):
    """The values in a file, or None if it is not an intact file of this shape."""
    head = 4 + 4 * len(shape)
    if len(content) < head or struct.unpack(f">BBBB{len(shape)}I", content[:head]) != (0, 0, 8, len(shape), *shape):
        return None
    return np.frombuffer(content[head:], np.uint8).reshape(shape) if len(content) - head == np.prod(shape) else None


def expected(name, contents):
    """X and y from the unpacked files, or None if the files are not the image set."""
    _, sizes, files = SMALL[name]
    n = len(sizes)
    if any(content is None for content in contents):
        return None
    if name == "mnist":
        X, y = parsed_idx(contents[0], (n, 28, 28)), parsed_idx(contents[1], (n,))
        if X is None or y is None:
            return None
        X = X.reshape(n, 784)
    else:
        n_labels = 2 if name == "cifar100" else 1
        width = n_labels + 3072
        if any(len(content) != n // len(files) * width for content in contents):
            return None
        rows = np.frombuffer(b"".join(contents), np.uint8).reshape(n, width)
        X, y = rows[:, n_labels:], rows[:, n_labels - 1]
        if name == "cifar100" and rows[:, 0].max() > 19:
            return None
    return (X, y) if np.array_equal(np.sort(y), np.arange(n)) else None


# Ways to damage a file


def flip(rng, content):
    altered = bytearray(content)
    for _ in range(rng.integers(1, 4)):
        altered[rng.integers(len(altered))] ^= 1 << rng.integers(8)
    return bytes(altered)


def flip_early(rng, content):
    """Flip a bit among the first bytes, where the header is."""
    altered = bytearray(content)
    altered[rng.integers(min(20, len(altered)))] ^= 1 << rng.integers(8)
    return bytes(altered)


def truncate(rng, content):
    return content[: rng.integers(len(content))]


def truncate_a_little(rng, content):
    return content[: -int(rng.integers(1, 10))]


def extend(rng, content):
    return content + (rng.bytes(rng.integers(1, 40)) if rng.integers(2) else bytes(rng.integers(1, 40)))


def cut_out(rng, content):
    place = rng.integers(len(content))
    return content[:place] + content[place + rng.integers(1, 50) :]


def put_in(rng, content):
    place = rng.integers(len(content))
    return content[:place] + rng.bytes(rng.integers(1, 50)) + content[place:]


def overwrite_a_number(rng, content):
    """Replace four bytes, usually in the header, with a number that often breaks programs."""
    place = 4 * int(rng.integers(4 if rng.random() < 0.8 else len(content) // 4))
    number = rng.choice([0, 1, 10, 11, 28, 2**31 - 1, 2**31, 2**32 - 1, 60_000, 0x00000803, 0x00000801, 0x1F8B0800])
    return content[:place] + int(number).to_bytes(4, "big") + content[place + 4 :]


def twice(rng, content):
    return content + content


def empty(rng, content):
    return b""


def noise(rng, content):
    return rng.bytes(len(content))


def reverse(rng, content):
    return content[::-1]


def other_form(rng, content):
    """Compress a file that should not be compressed, or compress it once more."""
    return gzip.compress(content, 1, mtime=0)


DAMAGES = [
    flip,
    flip_early,
    truncate,
    truncate_a_little,
    extend,
    cut_out,
    put_in,
    overwrite_a_number,
    overwrite_a_number,
]
DAMAGES += [flip, twice, empty, noise, reverse, other_form]


def wrong_end(rng, content):
    """Change the checksum or the length at the end of a gzip file."""
    place = len(content) - 8 + int(rng.integers(8))
    return content[:place] + bytes([content[place] ^ (1 << rng.integers(8))]) + content[place + 1 :]


def flagged(rng, content):
    """Set flags in the gzip header that announce a name, a comment, extra bytes or a checksum of the header."""
    return content[:3] + bytes([rng.integers(1, 32)]) + content[4:]


def in_members(rng, content):
    """Write the bytes as two gzip members, which is valid, with something between them, which may be invalid."""
    plain = gzip.decompress(content)
    place = rng.integers(len(plain))
    between = [b"", bytes(3), b"x"][rng.integers(3)]
    return gzip.compress(plain[:place], 1) + between + gzip.compress(plain[place:], 1)


def damaged_inside(rng, content):
    """An intact gzip file that contains a damaged file."""
    return gzip.compress(DAMAGES[rng.integers(len(DAMAGES))](rng, gzip.decompress(content)), 1, mtime=0)


GZIP_DAMAGES = DAMAGES + [wrong_end, flagged, in_members] * 2 + [damaged_inside] * len(DAMAGES)


@both_forms
@every_set
def test_a_damaged_file_is_a_value_error_that_names_it_or_is_read_correctly(tmp_path, name, suffix):
    contents = intact(name)
    paths = write(tmp_path, name, suffix, contents)
    for array, values in zip(fetch(name, tmp_path), expected(name, contents), strict=True):
        np.testing.assert_array_equal(array, values)
    damages = GZIP_DAMAGES if suffix else DAMAGES
    rng = np.random.default_rng(0)
    accepted = refused = 0
    for k in range(MUTANTS):
        which = int(rng.integers(len(paths)))
        path = paths[which]
        whole = path.read_bytes()
        content = damages[k % len(damages)](rng, whole)
        path.write_bytes(content)
        says = expected(name, [*contents[:which], unpacked(content, suffix), *contents[which + 1 :]])
        if says is None:
            with pytest.raises(ValueError, match=re.escape(str(path))):
                fetch(name, tmp_path)
            refused += 1
        else:
            read = fetch(name, tmp_path)
            for array, values in zip(read, says, strict=True):
                np.testing.assert_array_equal(array, values)
            accepted += 1
        path.write_bytes(whole)
    # A flipped bit of a pixel cannot be noticed, but most other damage can.
    assert refused > MUTANTS / 2
    assert accepted > (0 if suffix else MUTANTS / 20)


@both_forms
def test_numbers_of_a_header_never_lead_to_a_large_allocation(tmp_path, suffix):
    images, _ = intact("mnist")
    path, _ = write(tmp_path, "mnist", suffix)
    rng = np.random.default_rng(0)
    for _ in range(50):
        sizes = rng.choice([0, 1, 10, 28, 2**16, 2**31 - 1, 2**31, 2**32 - 1], size=3)
        n_dimensions = int(rng.choice([0, 1, 2, 3, 4, 8, 255]))
        header = struct.pack(">BBBB3I", 0, 0, 8, n_dimensions, *(int(size) for size in sizes))
        if (n_dimensions, *sizes) == (3, 10, 28, 28):
            continue
        content = header + images[16:]
        path.write_bytes(gzip.compress(content, 1) if suffix else content)
        tracemalloc.start()
        try:
            with pytest.raises(ValueError, match="expected") as error:
                fetch("mnist", tmp_path)
            # The file has 7,856 bytes. The rest is for buffers of the file and of gzip and for tracebacks.
            assert tracemalloc.get_traced_memory()[1] < 1e6
        finally:
            tracemalloc.stop()
        assert str(path) in str(error.value)


@every_set
def test_anything_but_a_regular_file_counts_as_missing(tmp_path, name):
    paths = write(tmp_path, name, "")
    things = [
        lambda path: path.mkdir(),
        lambda path: path.symlink_to(path.name),
        lambda path: path.symlink_to("nowhere"),
    ]
    if hasattr(os, "mkfifo"):
        things.append(os.mkfifo)  # opening it would wait for a writer
    for make in things:
        for path in paths:
            content = path.read_bytes()
            path.unlink()
            make(path)
            with pytest.raises(OSError, match="was not found") as error:
                fetch(name, tmp_path)
            assert path.name in str(error.value)
            path.rmdir() if path.is_dir() else path.unlink()
            path.write_bytes(content)
    assert len(fetch(name, tmp_path)) == 2


@pytest.mark.parametrize(
    "error", [EOFError("end"), zlib.error("invalid"), IncompleteRead(b"abc", 7), KeyError("data"), ValueError("md5")]
)
def test_any_error_of_a_damaged_download_becomes_an_os_error_that_names_it(tmp_path, monkeypatch, error):
    def answer(*args, **kwargs):
        raise error

    monkeypatch.setattr(_sources, "fetch_openml", answer)
    with pytest.raises(OSError, match=f"OpenML did not bring it: {type(error).__name__}") as caught:
        fetch_mnist(data_home=tmp_path)
    assert caught.value.__cause__ is error
