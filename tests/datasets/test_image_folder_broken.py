"""load_image_folder and broken files: an error that names the file, or a list of those that were skipped."""

import os
import shutil

import numpy as np
import pytest
from picture_folders import BROKEN, Decodings, Image, load, small_folder

from skfnn.datasets import _pictures

pytestmark = pytest.mark.usefixtures("quick")


def test_a_broken_file_is_an_error_that_names_it_and_skipping_continues_there(
    pictures, expected, tmp_path, monkeypatch
):
    (tmp_path / "set").mkdir()
    folder = shutil.copytree(pictures, tmp_path / "set", dirs_exist_ok=True)
    for file in BROKEN[:3]:
        (folder / file).unlink()
    with pytest.raises(ValueError, match=r"set/dog/057\.jpg: Pillow cannot decode the picture: .*truncated"):
        load(folder, cache=tmp_path)
    rest = Decodings(monkeypatch)
    data = load(folder, cache=tmp_path, on_error="skip")
    assert len(rest.files) == 123  # from this file on
    assert tuple(data.skipped) == BROKEN[3:]
    np.testing.assert_array_equal(data.data, expected[0])


def test_a_cache_with_skipped_files_is_an_error_if_they_are_not_to_be_skipped(pictures, tmp_path, monkeypatch):
    load(pictures, cache=tmp_path, on_error="skip")
    rest = Decodings(monkeypatch)
    with pytest.raises(ValueError, match=r"bird/000\.jpg: not a picture"):
        load(pictures, cache=tmp_path)
    assert len(load(pictures, cache=tmp_path, on_error="skip").skipped) == len(BROKEN)
    assert rest.files == []


def test_a_repaired_file_is_not_skipped_any_more(tmp_path):
    folder = small_folder(tmp_path / "set")
    (folder / "a/2.png").write_bytes(b"soon")
    assert len(load(folder, on_error="skip").data) == 4
    shutil.copy(folder / "b/0.png", folder / "a/2.png")
    data = load(folder, on_error="skip")
    assert not data.skipped
    np.testing.assert_array_equal(data.data[2], data.data[3])


@pytest.mark.parametrize("on_error", ["raise", "skip"])
def test_only_broken_files_are_an_error(on_error, tmp_path):
    (tmp_path / "set/a").mkdir(parents=True)
    (tmp_path / "set/a/notes.txt").write_text("no picture")
    for _ in range(2):  # the second call reads the record of the first
        with pytest.raises(ValueError, match=r"notes\.txt: not a picture"):
            load(tmp_path / "set", on_error=on_error)


@pytest.mark.parametrize("on_error", ["raise", "skip"])
@pytest.mark.skipif(os.name == "nt", reason="links need a right of their own on Windows")
def test_a_file_that_cannot_be_read_is_an_error_and_never_skipped(on_error, tmp_path):
    # The picture may be intact. A disk that fails must not make the set smaller.
    folder = small_folder(tmp_path / "set")
    (folder / "a/link.png").symlink_to(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match=r"link\.png"):
        load(folder, on_error=on_error)


def test_a_lack_of_memory_is_not_the_fault_of_a_file(tmp_path, monkeypatch):
    def decode(*args):
        raise MemoryError

    monkeypatch.setattr(_pictures, "_decode", decode)
    with pytest.raises(MemoryError):
        load(small_folder(tmp_path / "set"), on_error="skip")


def test_a_picture_above_pillows_limit_is_an_error_that_names_it(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 20)
    with pytest.raises(ValueError, match=r"a.0\.png: Pillow cannot decode the picture: .*exceeds limit of 40 pixels"):
        load(small_folder(tmp_path / "set"))
