"""load_image_folder: what it returns, which files count, errors and progress."""

import io
import os
import shutil
import sys

import numpy as np
import pytest
from picture_folders import BROKEN, CLASSES, KINDS, SIZE, direct, load, small_folder
from sklearn.utils import Bunch

from skfnn import FNNClassifier
from skfnn.datasets import _progress

pytestmark = pytest.mark.usefixtures("quick")


# What is returned


def test_the_rows_are_those_of_a_direct_decoding(pictures, expected, tmp_path):
    X, y, names = expected
    assert len(y) == 300 - len(BROKEN)
    data = load(pictures, cache=tmp_path, on_error="skip")
    assert isinstance(data, Bunch)
    assert isinstance(data.data, np.memmap)
    assert data.data.dtype == np.uint8
    np.testing.assert_array_equal(data.data, X)
    np.testing.assert_array_equal(data.target, y)
    assert data.target.dtype == np.int64
    assert list(data.target_names) == list(CLASSES)
    assert list(data.filenames) == names
    assert data.images_shape == (*SIZE, 3)
    assert tuple(data.skipped) == BROKEN
    assert "not a picture" in data.skipped["cat/007.jpg"]
    assert "294 pictures of 5 classes" in data.DESCR


def test_grey_rows_are_those_of_a_direct_decoding(tmp_path):
    folder = small_folder(tmp_path / "set")
    X, y = load(folder, color=False, return_X_y=True)
    assert load(folder, color=False).images_shape == SIZE
    assert X.shape == (4, SIZE[0] * SIZE[1])
    np.testing.assert_array_equal(X[3], direct(folder / "b/1.png", color=False))
    np.testing.assert_array_equal(y, [0, 0, 1, 1])


def test_one_number_is_the_height_and_the_width(tmp_path):
    folder = small_folder(tmp_path / "set")
    np.testing.assert_array_equal(load(folder, 7).data, load(folder, (7, 7), cache=tmp_path / "other").data)
    assert load(folder, 7).images_shape == (7, 7, 3)


def test_the_array_on_disk_is_a_file_for_numpy(tmp_path):
    X = load(small_folder(tmp_path / "set"), return_X_y=True)[0]
    np.testing.assert_array_equal(np.load(tmp_path / f"set-{SIZE[0]}x{SIZE[1]}-color.npy"), X)
    with pytest.raises(ValueError, match="read-only"):
        X[0] = 0


def test_a_network_learns_from_the_array(pictures, tmp_path):
    X, y = load(pictures, cache=tmp_path, on_error="skip", return_X_y=True)
    clf = FNNClassifier(20, batch_size=20, max_iter=15, n_iter_no_change=None, random_state=0).fit(X, y)
    assert clf.score(X, y) > 0.9  # guessing is right for 0.2


# Which files count


def test_hidden_files_and_files_beside_the_classes_are_ignored_and_subfolders_are_not(tmp_path):
    folder = small_folder(tmp_path / "set")
    names = list(load(folder).filenames)
    for file in ("readme.txt", "a/.DS_Store", "a/Thumbs.db", "b/desktop.ini", "a/._0.png"):
        (folder / file).write_text("no picture")
    for hidden in (".git", "__MACOSX"):
        (folder / hidden).mkdir()
        (folder / hidden / "0.png").write_text("no picture")
    assert list(load(folder).filenames) == names
    (folder / "a/below/further").mkdir(parents=True)
    shutil.copy(folder / "b/0.png", folder / "a/below/further/0.png")
    data = load(folder)
    assert list(data.filenames) == [*names[:2], "a/below/further/0.png", *names[2:]]
    np.testing.assert_array_equal(data.target, [0, 0, 0, 1, 1])


def test_an_empty_folder_is_a_class(tmp_path):
    folder = small_folder(tmp_path / "set")
    load(folder)
    (folder / "aa").mkdir()
    data = load(folder)
    assert list(data.target_names) == ["a", "aa", "b"]
    np.testing.assert_array_equal(data.target, [0, 0, 2, 2])


# Errors


def test_without_pillow_an_error_says_what_to_install(tmp_path, monkeypatch):
    folder = small_folder(tmp_path / "set")
    monkeypatch.setitem(sys.modules, "PIL", None)
    monkeypatch.delitem(sys.modules, "PIL.Image")
    with pytest.raises(ImportError, match='with the extra "images"'):
        load(folder)
    assert os.listdir(tmp_path) == ["set"]


@pytest.mark.parametrize("size", [0, -3, 2.0, True, "8", None, (8,), (8, 8, 3), (8, 0), (8, 8.0), (8, None)])
def test_a_wrong_size_is_an_error(size, tmp_path):
    with pytest.raises(ValueError, match="'image_size' parameter of load_image_folder must be an int in the range"):
        load(tmp_path, size)


@pytest.mark.parametrize("on_error", ["ignore", None, True])
def test_a_wrong_on_error_is_an_error(on_error, tmp_path):
    with pytest.raises(ValueError, match=r"'on_error' parameter of load_image_folder must be a str among .*Got"):
        load(tmp_path, on_error=on_error)


def test_a_folder_without_classes_or_pictures_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="missing"):
        load(tmp_path / "missing")
    (tmp_path / "set").mkdir()
    (tmp_path / "set/0.png").write_bytes(KINDS["PNG"])
    with pytest.raises(NotADirectoryError, match=r"0\.png"):
        load(tmp_path / "set/0.png")
    with pytest.raises(ValueError, match="set: a folder for each class expected, found no folder"):
        load(tmp_path / "set")
    (tmp_path / "set/a").mkdir()
    with pytest.raises(ValueError, match="set: pictures in the folders of the classes expected, found no file"):
        load(tmp_path / "set")


# Progress


def test_the_progress_is_a_line_for_each_tenth_and_nothing_for_a_complete_cache(pictures, tmp_path, capsys):
    for _ in range(2):
        load(pictures, cache=tmp_path, on_error="skip", verbose=True)
    out, err = capsys.readouterr()
    lines = err.splitlines()
    assert out == ""
    assert len(lines) == 10
    assert lines[0] == "pictures: 30 of 300 files read (10%, 1 skipped)"
    assert lines[-1] == "pictures: 300 of 300 files read (100%, 6 skipped)"


def test_without_verbose_nothing_is_printed(pictures, tmp_path, capsys):
    load(pictures, cache=tmp_path, on_error="skip")
    assert capsys.readouterr() == ("", "")


def test_on_a_terminal_the_line_changes_in_place(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    seconds = iter([10.0, 10.1, 10.6, 10.7])
    monkeypatch.setattr(_progress.time, "monotonic", lambda: next(seconds))
    monkeypatch.setattr(sys, "stderr", Terminal())
    progress = _progress.Progress("set", 4, True)
    for done in (1, 2, 3, 4):
        progress.report(done, 0)
    shown = [f"\rset: {done} of 4 files read ({done * 25}%)" for done in (1, 3, 4)]
    assert sys.stderr.getvalue() == "".join(shown) + "\n"
