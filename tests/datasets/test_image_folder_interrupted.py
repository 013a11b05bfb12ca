"""An interrupted run of load_image_folder continues and loses no row."""

import errno
import io
import json
import os
import shutil

import numpy as np
import pytest
from picture_folders import BROKEN, Decodings, interrupt, load, small_folder

from skfnn.datasets import _picture_cache

pytestmark = pytest.mark.usefixtures("quick")


@pytest.mark.parametrize("at", [0, 1, 68, 299])
def test_an_interrupted_run_continues(at, pictures, expected, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        Decodings(patch, at, interrupt)
        with pytest.raises(KeyboardInterrupt):
            load(pictures, cache=tmp_path, on_error="skip")
    rest = Decodings(monkeypatch)
    data = load(pictures, cache=tmp_path, on_error="skip")
    assert len(rest.files) == 300 - at
    np.testing.assert_array_equal(data.data, expected[0])
    assert list(data.filenames) == expected[2]
    assert tuple(data.skipped) == BROKEN


@pytest.mark.parametrize("at", [3, 100, 247])
def test_a_killed_run_continues_from_its_last_record(at, pictures, expected, tmp_path, monkeypatch):
    # A process that is killed leaves what is on disk at this moment.
    monkeypatch.setattr(_picture_cache, "_SAVE_EVERY", 50)
    with monkeypatch.context() as patch:
        Decodings(patch, at, lambda: shutil.copytree(tmp_path / "cache", tmp_path / "left"))
        load(pictures, cache=tmp_path / "cache", on_error="skip")
    rest = Decodings(monkeypatch)
    data = load(pictures, cache=tmp_path / "left", on_error="skip")
    assert len(rest.files) == 300 - at // 50 * 50
    np.testing.assert_array_equal(data.data, expected[0])
    assert tuple(data.skipped) == BROKEN


def test_an_interruption_between_skipping_a_file_and_counting_it_loses_no_row(
    pictures, expected, tmp_path, monkeypatch
):
    def interrupted(record, name, value):
        if name == "done" and value == 1:  # the first file is broken
            interrupt()
        object.__setattr__(record, name, value)

    with monkeypatch.context() as patch:
        patch.setattr(_picture_cache.Record, "__setattr__", interrupted)
        with pytest.raises(KeyboardInterrupt):
            load(pictures, cache=tmp_path, on_error="skip")
    assert json.loads(next(tmp_path.glob("*.json")).read_bytes())["skipped"] == {}
    data = load(pictures, cache=tmp_path, on_error="skip")
    np.testing.assert_array_equal(data.data, expected[0])
    assert tuple(data.skipped) == BROKEN


@pytest.mark.parametrize("step", ["write", "fsync", "record"])
def test_a_run_that_a_full_disk_ends_continues(step, pictures, expected, tmp_path, monkeypatch):
    def full(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    class Full(io.FileIO):
        def write(self, data):
            if self.tell() > 50_000:
                full()
            return super().write(data)

    monkeypatch.setattr(_picture_cache, "_SAVE_EVERY", 20)
    with monkeypatch.context() as patch:
        if step == "write":
            patch.setattr(_picture_cache, "open", Full, raising=False)
        else:
            name = {"fsync": "fsync", "record": "replace"}[step]
            Decodings(patch, 50, lambda: patch.setattr(os, name, full))
        with pytest.raises(OSError, match="No space"):
            load(pictures, cache=tmp_path, on_error="skip")
    rest = Decodings(monkeypatch)
    np.testing.assert_array_equal(load(pictures, cache=tmp_path, on_error="skip").data, expected[0])
    assert len(rest.files) < 300
    assert not [name for name in os.listdir(tmp_path) if name.endswith(".tmp")]


def test_an_interruption_is_not_hidden_by_a_full_disk(tmp_path, monkeypatch):
    def interrupt_with_a_full_disk():
        monkeypatch.setattr(os, "replace", lambda *args: os.stat(tmp_path / "an OSError"))
        interrupt()

    folder = small_folder(tmp_path / "set")
    Decodings(monkeypatch, 2, interrupt_with_a_full_disk)
    with pytest.raises(KeyboardInterrupt):
        load(folder)
