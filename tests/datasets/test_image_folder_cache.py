"""The cache of load_image_folder: when it is read, made again or refused, and where it is."""

import contextlib
import os
import shutil
import sys

import numpy as np
import pytest
from picture_folders import SIZE, Decodings, Image, direct, interrupt, load, saved, small_folder

from skfnn.datasets import _picture_cache

pytestmark = pytest.mark.usefixtures("quick")


# A second run


def test_a_second_run_only_opens_the_cache(pictures, expected, tmp_path, monkeypatch):
    load(pictures, cache=tmp_path, on_error="skip")
    rest = Decodings(monkeypatch)
    monkeypatch.setattr(_picture_cache, "replace", interrupt)  # nothing is written
    monkeypatch.setitem(sys.modules, "PIL", None)  # and Pillow is not needed
    data = load(pictures, cache=tmp_path, on_error="skip")
    assert rest.files == []
    np.testing.assert_array_equal(data.data, expected[0])
    np.testing.assert_array_equal(data.target, expected[1])
    assert list(data.filenames) == expected[2]


def test_every_size_and_colour_has_its_own_cache(tmp_path, monkeypatch):
    folder = small_folder(tmp_path / "set")
    forms = [((5, 6), True), ((6, 5), True), ((5, 6), False), ((10, 3), True)]
    first = [np.array(load(folder, size, color=color).data) for size, color in forms]
    rest = Decodings(monkeypatch)
    for (size, color), X in zip(forms, first, strict=True):
        np.testing.assert_array_equal(load(folder, size, color=color).data, X)
        np.testing.assert_array_equal(X[0], direct(folder / "a/0.png", size, color))
    assert rest.files == []


def rewrite(folder):
    """Other pixels in a file of the same size, at another time."""
    path = folder / "a/0.png"
    status = path.stat()
    content = saved(Image.new("RGB", (9, 9), "white"), "PNG")
    path.write_bytes(content + bytes(status.st_size - len(content)))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1_000_000_000))


CHANGES = {
    "added": lambda folder: shutil.copy(folder / "a/0.png", folder / "b/00.png"),
    "removed": lambda folder: (folder / "a/0.png").unlink(),
    "renamed": lambda folder: (folder / "a/1.png").rename(folder / "a/2.png"),
    "moved": lambda folder: (folder / "a/0.png").rename(folder / "b/9.png"),
    "written": rewrite,
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("stopped", [False, True])
def test_a_changed_folder_is_decoded_again(change, stopped, tmp_path, monkeypatch):
    folder = small_folder(tmp_path / "set")
    if stopped:
        with monkeypatch.context() as patch, contextlib.suppress(KeyboardInterrupt):
            Decodings(patch, 2, interrupt)
            load(folder)
    else:
        old = load(folder).data
        before = np.array(old)
    CHANGES[change](folder)
    data = load(folder)
    np.testing.assert_array_equal(data.data, [direct(folder / name) for name in data.filenames])
    assert list(data.filenames) == sorted(f"{path.parent.name}/{path.name}" for path in folder.glob("*/*"))
    if not stopped:
        np.testing.assert_array_equal(old, before)  # an array that is in use stays as it is


def test_a_moved_folder_keeps_its_cache(tmp_path, monkeypatch):
    small_folder(tmp_path / "here/set")
    X = np.array(load(tmp_path / "here/set").data)
    shutil.move(tmp_path / "here", tmp_path / "there")
    rest = Decodings(monkeypatch)
    np.testing.assert_array_equal(load(tmp_path / "there/set").data, X)
    assert rest.files == []


# Other files in place of the cache


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_cache_of_another_folder_is_an_error(tmp_path):
    small_folder(tmp_path / "one/set"), small_folder(tmp_path / "two/set", 3)
    load(tmp_path / "one/set", cache=tmp_path / "cache")
    before = contents(tmp_path / "cache")
    with pytest.raises(
        ValueError, match=r"json: the cache of .*two.set expected, found that of .*one.set\. .* 'cache'"
    ):
        load(tmp_path / "two/set", cache=tmp_path / "cache")
    assert contents(tmp_path / "cache") == before


@pytest.mark.parametrize("suffix", ["npy", "json"])
@pytest.mark.parametrize("content", [b"mine", b"[1]", b'{"mine": 1}'])
def test_a_file_of_somebody_else_is_an_error_and_stays(suffix, content, tmp_path):
    folder = small_folder(tmp_path / "set")
    path = tmp_path / f"set-{SIZE[0]}x{SIZE[1]}-color.{suffix}"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"set-12x16-color.*expected|not a file that load_image_folder wrote"):
        load(folder)
    assert path.read_bytes() == content
    assert len(os.listdir(tmp_path)) == 2


def cut(path):
    content = path.read_bytes()
    path.write_bytes(content[:-1])


def lengthen(path):
    path.write_bytes(path.read_bytes() + b"more")


def without_header(path):
    path.write_bytes(bytes(128) + path.read_bytes()[128:])


def with_another_shape(path):
    path.write_bytes(path.read_bytes().replace(b"(4, 576)", b"(576, 4)"))


DAMAGE = {
    "gone": os.unlink,
    "cut": cut,
    "longer": lengthen,
    "without header": without_header,
    "another shape": with_another_shape,
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_array_is_made_again(damage, tmp_path):
    folder = small_folder(tmp_path / "set")
    X = np.array(load(folder).data)
    path = tmp_path / f"set-{SIZE[0]}x{SIZE[1]}-color.npy"
    intact = path.read_bytes()
    DAMAGE[damage](path)
    np.testing.assert_array_equal(load(folder).data, X)
    assert path.read_bytes() == intact


@pytest.mark.parametrize("damage", ["gone", "cut"])
def test_a_damaged_array_of_an_interrupted_run_is_made_again(damage, tmp_path, monkeypatch):
    folder = small_folder(tmp_path / "set")
    with monkeypatch.context() as patch:
        Decodings(patch, 3, interrupt)
        with pytest.raises(KeyboardInterrupt):
            load(folder)
    DAMAGE[damage](tmp_path / f"set-{SIZE[0]}x{SIZE[1]}-color.npy")
    data = load(folder)
    np.testing.assert_array_equal(data.data, [direct(folder / name) for name in data.filenames])
    assert len(data.data) == 4


# Where the cache is


def test_the_cache_is_beside_the_folder_or_where_it_is_asked_for(tmp_path):
    folder = small_folder(tmp_path / "parent/set")
    load(folder)
    assert sorted(os.listdir(tmp_path / "parent")) == ["set", "set-12x16-color.json", "set-12x16-color.npy"]
    load(folder, 3, cache=tmp_path / "new/cache", color=False)
    assert sorted(os.listdir(tmp_path / "new/cache")) == ["set-3x3-grey.json", "set-3x3-grey.npy"]
    assert len(os.listdir(tmp_path / "parent")) == 3


@pytest.mark.skipif(os.name == "nt", reason="links need a right of their own on Windows")
def test_the_cache_of_a_link_is_beside_the_link(tmp_path):
    small_folder(tmp_path / "far/set")
    (tmp_path / "near").mkdir()
    (tmp_path / "near/link").symlink_to(tmp_path / "far/set")
    load(tmp_path / "near/link")
    assert os.listdir(tmp_path / "far") == ["set"]
    assert sorted(os.listdir(tmp_path / "near")) == ["link", "link-12x16-color.json", "link-12x16-color.npy"]


def test_a_cache_that_cannot_be_written_is_an_error_that_says_what_to_do(tmp_path):
    folder = small_folder(tmp_path / "set")
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=r"The cache cannot be written to .*file.below: .*Give .* as 'cache'"):
        load(folder, cache=tmp_path / "file/below")


def test_a_cache_among_the_classes_is_an_error(tmp_path):
    folder = small_folder(tmp_path / "set")
    with pytest.raises(ValueError, match="'cache' parameter of load_image_folder must be a folder outside"):
        load(folder, cache=folder / "c")
    load(folder, cache=folder)  # beside the classes
    assert len(load(folder, cache=folder).data) == 4
