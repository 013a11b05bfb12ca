"""The image sets: where skfnn looks for them, their official splits, and errors for damaged files."""

import gzip
import os
import tracemalloc

import numpy as np
import pytest
from small_sets import FETCH, assert_rows, every_set, idx, write

from skfnn.datasets import fetch_cifar10, fetch_fashion_mnist, fetch_mnist
from skfnn.datasets._files import read_cifar, read_idx, read_idx_labels
from skfnn.datasets._sets import SETS

pytestmark = pytest.mark.usefixtures("small_sets")

# What is returned


@every_set
def test_the_three_subsets_are_the_official_split(tmp_path, name):
    write(tmp_path, name)
    train, test, both = (FETCH[name](subset=s, data_home=tmp_path, return_X_y=True) for s in ("train", "test", "all"))
    assert_rows(train, name, "train")
    assert_rows(test, name, "test")
    for k in (0, 1):
        np.testing.assert_array_equal(both[k], np.concatenate([train[k], test[k]]))
    assert_rows(FETCH[name](data_home=tmp_path, return_X_y=True), name, "train")


@every_set
def test_a_bunch_has_the_arrays_and_their_description(tmp_path, name):
    data = FETCH[name](data_home=write(tmp_path, name))
    assert_rows((data.data, data.target), name)
    assert data.data.dtype == np.uint8
    assert data.target.dtype == np.int64
    assert data.data.flags.writeable
    assert data.data.flags.c_contiguous
    assert np.prod(data.images_shape) == data.data.shape[1]
    assert len(set(data.target_names)) == len(data.target_names) == data.target.max() + 1
    assert data.DESCR.startswith(SETS[name].title)


def test_the_official_sizes_are_the_published_ones(monkeypatch):
    monkeypatch.undo()
    assert [SETS[name].n_rows("train") for name in FETCH] == [60_000, 60_000, 50_000, 50_000]
    assert [SETS[name].n_rows("test") for name in FETCH] == [10_000] * 4
    assert [SETS[name].n_pixels for name in FETCH] == [784, 784, 3072, 3072]


def test_the_names_of_the_hundred_classes_are_in_alphabetical_order():
    assert list(SETS["cifar100"].target_names) == sorted(SETS["cifar100"].target_names)
    assert list(SETS["cifar10"].target_names) == sorted(SETS["cifar10"].target_names)


@pytest.mark.parametrize("subset", ["Train", None, 0, ["train"], np.array(["train", "test"])])
def test_another_subset_is_refused(tmp_path, subset):
    with pytest.raises(ValueError, match="The 'subset' parameter of fetch_mnist must be a str among"):
        fetch_mnist(subset=subset, data_home=write(tmp_path, "mnist"))


# The order of the folders


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("dotted", [False, True])
@every_set
def test_the_usual_spellings_of_the_file_names_are_known(tmp_path, name, dotted, zipped):
    write(tmp_path, name, dotted=dotted, zipped=zipped)
    assert_rows(FETCH[name](data_home=str(tmp_path), return_X_y=True), name)


@pytest.mark.parametrize(
    ("name", "folder"), [(name, folder) for name in FETCH for folder in (*SETS[name].folders, ".")]
)
def test_files_are_found_in_every_home_directly_or_in_a_subfolder(tmp_path, monkeypatch, name, folder):
    homes = [tmp_path / home for home in ("scikit_learn_data", "SKFNN_DATA", "data_home")]
    monkeypatch.setenv("SKFNN_DATA", str(homes[1]))
    # Each folder has priority over the one written before it.
    for seed, home in enumerate(homes):
        write(home / folder, name, seed)
        found = FETCH[name](data_home=homes[2], return_X_y=True, download_if_missing=False)
        assert_rows(found, name, seed=seed)


def test_a_folder_that_lacks_a_file_is_skipped(tmp_path, monkeypatch):
    monkeypatch.setenv("SKFNN_DATA", str(write(tmp_path / "whole", "mnist", seed=1)))
    part = write(tmp_path / "part", "mnist", seed=0)
    (part / "t10k-labels-idx1-ubyte").unlink()
    assert_rows(fetch_mnist(data_home=part, return_X_y=True), "mnist", "train", seed=0)
    assert_rows(fetch_mnist(data_home=part, subset="test", return_X_y=True), "mnist", "test", seed=1)


def test_files_of_mnist_are_not_accepted_as_fashion_mnist(tmp_path):
    # Both sets have the same file names.
    with pytest.raises(OSError, match=r"Fashion-MNIST \(the files .* was not found"):
        fetch_fashion_mnist(data_home=write(tmp_path / "mnist", "mnist"), download_if_missing=False)
    folder = write(tmp_path / "other", "mnist")
    with pytest.raises(ValueError, match="this is not Fashion-MNIST: 2 train rows of class 0 expected, found 3") as e:
        fetch_fashion_mnist(data_home=folder)
    assert str(folder / "train-labels-idx1-ubyte") in str(e.value)


@every_set
def test_missing_files_are_an_error_that_lists_the_searched_folders(tmp_path, monkeypatch, name):
    monkeypatch.setenv("SKFNN_DATA", str(tmp_path / "B"))
    with pytest.raises(OSError, match="download_if_missing is False") as e:
        FETCH[name](data_home=tmp_path / "A", download_if_missing=False)
    for home in ("A", "B", "scikit_learn_data"):
        for folder in ("", *SETS[name].folders):
            assert str(tmp_path / home / folder) in str(e.value)
    assert all(file in str(e.value) for file in SETS[name].files["train"])


def test_a_failed_download_is_an_error_that_says_where_the_files_can_be_put(tmp_path):
    with pytest.raises(OSError, match="OpenML did not bring it: .*no network") as e:
        fetch_cifar10(data_home=tmp_path)
    assert str(tmp_path / "cifar10") in str(e.value)


# Damaged files


IMAGES = np.arange(60, dtype=np.uint8).reshape(5, 3, 4)
CONTENT = idx(IMAGES)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not an IDX file"),
        (CONTENT[:3], "not an IDX file"),
        (b"\1" + CONTENT[1:], "not an IDX file"),
        (gzip.compress(CONTENT, mtime=0), "not an IDX file"),
        (CONTENT[:2] + b"\x0d" + CONTENT[3:], "type code 0x08 .* expected, found 0x0d"),
        (idx(IMAGES.reshape(5, 12)), r"3 dimension\(s\) expected, found 2"),
        (CONTENT[:10], "ends in its header"),
        (idx(IMAGES[:4]), r"the shape \(5, 3, 4\) expected, found \(4, 3, 4\)"),
        (CONTENT[:-1], "60 bytes expected .*, found only 59"),
        (CONTENT + b"\0", "60 bytes expected .*, found more"),
    ],
)
def test_a_damaged_idx_file_is_an_error_that_names_it(tmp_path, content, message):
    path = tmp_path / "some-images"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message) as e:
        read_idx(path, IMAGES.shape)
    assert str(e.value).startswith(f"{path}: ")


def test_labels_of_other_classes_are_an_error(tmp_path):
    path = tmp_path / "labels"
    path.write_bytes(idx(np.array([0, 9, 10, 3], np.uint8)))
    with pytest.raises(ValueError, match="labels from 0 to 9 expected, found 10"):
        read_idx_labels(path, 4, 10)
    path.write_bytes(bytes([19, 99, 1, 2, 20, 0, 3, 4]))
    with pytest.raises(ValueError, match="labels from 0 to 19 expected, found 20"):
        read_cifar(path, 2, 2, (20, 100))
    path.write_bytes(bytes([19, 99, 1, 2, 0, 100, 3, 4]))
    with pytest.raises(ValueError, match="labels from 0 to 99 expected, found 100"):
        read_cifar(path, 2, 2, (20, 100))


@pytest.mark.parametrize("change", [lambda content: content[:-1], lambda content: content + b"\0"])
@every_set
def test_a_file_that_is_too_short_or_too_long_is_an_error_that_names_it(tmp_path, name, change):
    write(tmp_path, name)
    for file in SETS[name].files["train"]:
        path = tmp_path / file
        intact = path.read_bytes()
        path.write_bytes(change(intact))
        with pytest.raises(ValueError, match="bytes expected") as e:
            FETCH[name](data_home=tmp_path)
        assert str(path) in str(e.value)
        path.write_bytes(intact)


@pytest.mark.parametrize(
    "content",
    [
        b"\0\0\x08\3" + b"\xff" * 12,  # 2**96 bytes
        b"\0\0\x08\3" + np.array([200_000, 50, 50], ">u4").tobytes() + bytes(10**7),
        b"\0\0\x08\xff" + b"\xff" * 1020,
        idx(IMAGES) + bytes(10**7),
    ],
)
def test_no_damaged_file_takes_much_memory(tmp_path, content):
    (tmp_path / "raw").write_bytes(content)
    (tmp_path / "bomb.gz").write_bytes(gzip.compress(content, 1))
    for name in ("raw", "bomb.gz"):
        tracemalloc.start()
        try:
            with pytest.raises(ValueError, match="expected"):
                read_idx(tmp_path / name, IMAGES.shape)
            # Memory for the buffers of the file and of gzip is allowed; the content has ten million bytes.
            assert tracemalloc.get_traced_memory()[1] < 1e6
        finally:
            tracemalloc.stop()


def damaged(content, n, rng):
    """A file cut at every position, and n copies with some bytes changed, removed or added."""
    for length in range(len(content)):
        yield content[:length]
    for _ in range(n):
        altered = bytearray(content)
        for _ in range(rng.integers(1, 4)):
            altered[rng.integers(len(altered))] = rng.integers(256)
        place = rng.integers(len(altered))
        kind = rng.integers(4)
        if kind == 0:
            del altered[place : place + rng.integers(1, 5)]
        elif kind == 1:
            altered[place:place] = rng.bytes(rng.integers(1, 5))
        yield bytes(altered)


CIFAR = np.hstack([np.arange(6)[:, None], 10 * np.arange(6)[:, None], np.arange(48).reshape(6, 8)]).astype(np.uint8)
READERS = {
    "images": (idx(IMAGES), lambda path: [read_idx(path, (5, 3, 4))], [(5, 3, 4)]),
    "labels": (idx(np.arange(30, dtype=np.uint8) % 10), lambda path: [read_idx_labels(path, 30, 10)], [(30,)]),
    "CIFAR-100": (CIFAR.tobytes(), lambda path: read_cifar(path, 6, 8, (20, 100)), [(6, 8), (6,)]),
    "CIFAR-10": (CIFAR[:, 1:].tobytes(), lambda path: read_cifar(path, 6, 8, (100,)), [(6, 8), (6,)]),
}


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("kind", READERS)
def test_a_damaged_file_is_a_value_error_or_has_the_right_shape(tmp_path, kind, suffix):
    content, read, shapes = READERS[kind]
    if suffix:
        content = gzip.compress(content, mtime=0)
    path = tmp_path / f"file{suffix}"
    path.write_bytes(content)
    assert [array.shape for array in read(path)] == shapes
    messages = []
    for altered in damaged(content, 300, np.random.default_rng(0)):
        path.write_bytes(altered)
        try:
            assert [array.shape for array in read(path)] == shapes
        except ValueError as error:
            messages.append(str(error))
    assert len(messages) > len(content)  # every cut, and more
    assert all(message.startswith(f"{path}: ") for message in messages)


ZIPPED = gzip.compress(idx(np.frombuffer(np.random.default_rng(0).bytes(100), np.uint8)), mtime=0)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        ZIPPED[:1],
        ZIPPED[:9],
        ZIPPED[:60],
        ZIPPED[:-1],
        b"\0" + ZIPPED,
        ZIPPED + b"more",
        ZIPPED[:-8] + bytes([ZIPPED[-8] ^ 1]) + ZIPPED[-7:],  # the checksum
        ZIPPED[:60] + bytes([ZIPPED[60] ^ 1]) + ZIPPED[61:],
        ZIPPED[:10] + b"\xff" + ZIPPED[11:],
    ],
)
def test_a_damaged_gzip_file_is_an_error_that_names_it(tmp_path, content):
    path = tmp_path / "file.gz"
    path.write_bytes(ZIPPED)
    assert read_idx(path, (100,)).shape == (100,)
    path.write_bytes(content)
    with pytest.raises(ValueError, match="not an IDX file" if not content else "an intact gzip file expected") as e:
        read_idx(path, (100,))
    assert str(e.value).startswith(f"{path}: ")


# The real files


@pytest.mark.skipif(not os.environ.get("SKFNN_DATA"), reason="SKFNN_DATA does not name a folder with MNIST's files")
def test_the_real_mnist(monkeypatch):
    monkeypatch.undo()  # the official sizes and the folder again
    try:
        X, y = fetch_mnist(subset="all", return_X_y=True, download_if_missing=False)
    except OSError as error:
        pytest.skip(str(error))
    assert (X.shape, X.dtype, y.shape) == ((70_000, 784), np.uint8, (70_000,))
    # The first ten digits, and the well-known mean and standard deviation of the training pixels.
    assert y[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    frequencies = np.bincount(X[:60_000].ravel(), minlength=256) / (60_000 * 784)
    pixels = np.arange(256) / 255
    mean = frequencies @ pixels
    assert mean == pytest.approx(0.1307, abs=5e-5)
    assert np.sqrt(frequencies @ (pixels - mean) ** 2) == pytest.approx(0.3081, abs=5e-5)
