"""Whatever happens while Checkpoint writes, the file contains the last complete checkpoint."""

import errno
import io
import json
import os
import shutil
import subprocess
import sys

import pytest
from interrupted import Act, X, Y, assert_same_training, assert_untouched, contents, estimator, needs_callbacks

from skfnn import FNNClassifier, _atomic
from skfnn.callbacks import Checkpoint

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
y = Y[FNNClassifier]
HEX = "0123456789abcdef" * 2


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.joblib"


@pytest.fixture(scope="module")
def old():
    return estimator(max_iter=3, momentum=0.9).fit(X, y)


@pytest.fixture(scope="module")
def new():
    return estimator(max_iter=4, momentum=0.9).fit(X, y)


def assert_only(path, model):
    """Check that the folder contains only this file, and the file this model."""
    assert os.listdir(path.parent) == [path.name]
    assert_same_training(Checkpoint.load(path), model)


# The order of the steps


def test_the_contents_are_forced_to_disk_before_renaming_and_the_name_afterwards(path, old, new, monkeypatch):
    Checkpoint(path).save(old)
    fsync, replace, calls = os.fsync, os.replace, []

    def recorded_fsync(descriptor):
        fsync(descriptor)
        status = os.fstat(descriptor)
        folder = os.path.samestat(status, os.stat(path.parent))
        calls.append("fsync of the folder" if folder else ("fsync", status.st_size, status.st_ino))

    def recorded_replace(source, target):
        assert os.path.dirname(source) == os.path.dirname(target)
        assert_same_training(Checkpoint.load(path), old)
        status = os.stat(source)
        calls.append(("rename", status.st_size, status.st_ino))
        replace(source, target)

    monkeypatch.setattr(os, "fsync", recorded_fsync)
    monkeypatch.setattr(os, "replace", recorded_replace)
    Checkpoint(path).save(new)
    # Checkpoint renames the file that it forced to disk, after writing all of it.
    status = path.stat()
    expected = [("fsync", status.st_size, status.st_ino), ("rename", status.st_size, status.st_ino)]
    assert calls == expected + ["fsync of the folder"] * (os.name != "nt")
    assert_only(path, new)


# Errors during a write


class Full(io.FileIO):
    """A file on a disk that becomes full after some writes."""

    def write(self, data):
        if self.tell() > 500:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(data)


def refuse(*args):
    raise OSError(errno.EIO, "Input/output error")


def interrupt(*args):
    raise KeyboardInterrupt


FAULTS = {
    "open": (_atomic, "open", refuse),
    "write": (_atomic, "open", Full),
    "fsync": (os, "fsync", refuse),
    "rename": (os, "replace", refuse),
}
faults = pytest.mark.parametrize("fault", FAULTS)


@faults
@pytest.mark.parametrize("exists", [True, False])
def test_an_error_leaves_the_last_checkpoint_and_no_other_file(exists, fault, path, old, new, monkeypatch):
    if exists:
        Checkpoint(path).save(old)
    with monkeypatch.context() as patch:
        patch.setattr(*FAULTS[fault], raising=False)
        with pytest.raises(OSError, match="No space|Input/output"):
            Checkpoint(path).save(new)
    if exists:
        assert_only(path, old)
    else:
        assert os.listdir(path.parent) == []
    Checkpoint(path).save(new)
    assert_only(path, new)


def test_an_unpicklable_model_leaves_the_last_checkpoint_and_no_other_file(path, old, new):
    Checkpoint(path).save(old)
    with pytest.raises(Exception, match="lambda"):
        Checkpoint(path).save(estimator(learning_rate=lambda step: 0.1))
    assert_only(path, old)


@needs_callbacks
@faults
def test_an_error_in_fit_leaves_the_estimator_as_it_was_and_the_last_checkpoint(fault, path, monkeypatch):
    model = estimator(momentum=0.9)
    full = Act(2, lambda model: monkeypatch.setattr(*FAULTS[fault], raising=False))
    model.set_callbacks(Checkpoint(path), full)
    before = contents(model)
    with pytest.raises(OSError, match="No space|Input/output"):
        model.fit(X, y)
    assert_untouched(model, before)
    monkeypatch.undo()
    assert_only(path, estimator(momentum=0.9, max_iter=2).fit(X, y))


@needs_callbacks
def test_ctrl_c_during_a_write_leaves_the_last_checkpoint_and_keeps_the_epoch(path, monkeypatch):
    written = []

    def stop(descriptor):
        written.append(os.listdir(path.parent))
        monkeypatch.undo()
        raise KeyboardInterrupt

    arm = Act(3, lambda model: monkeypatch.setattr(os, "fsync", stop))
    model = estimator(max_iter=20).set_callbacks(Checkpoint(path, every=3), arm)
    with pytest.warns(UserWarning, match="Training interrupted"):
        model.fit(X, y)
    assert model.n_iter_ == 6
    assert len(written[0]) == 2  # the checkpoint, and the file that was to replace it
    assert_only(path, model)  # written at the end of `fit`
    assert_same_training(model, estimator().fit(X, y))


# Two training runs that write to the same path


def meeting(monkeypatch, meet, times):
    """Call `meet(file)` instead of renaming a file, the first `times` times."""
    replace, met = os.replace, []

    def late(source, target):
        met.append(source)
        if len(met) <= times:
            meet(source)
        replace(source, target)

    monkeypatch.setattr(os, "replace", late)
    return met


@pytest.mark.parametrize("times", [1, 5])
def test_a_file_that_another_run_removed_is_written_again(times, path, old, new, monkeypatch):
    Checkpoint(path).save(old)
    met = meeting(monkeypatch, lambda file: Checkpoint(path).setup(old, None), times)
    Checkpoint(path).save(new)
    assert len(set(met)) == times + 1
    assert_only(path, new)


def test_a_file_that_always_disappears_is_an_error(path, old, new, monkeypatch):
    Checkpoint(path).save(old)
    met = meeting(monkeypatch, os.remove, 10**9)
    with pytest.raises(FileNotFoundError):
        Checkpoint(path).save(new)
    assert 1 < len(met) < 100
    assert_only(path, old)


def test_a_folder_that_disappeared_is_an_error(path, new, monkeypatch):
    meeting(monkeypatch, lambda file: shutil.rmtree(path.parent), 1)
    with pytest.raises(FileNotFoundError):
        Checkpoint(path).save(new)


# Files that killed processes leave


def test_leftovers_of_the_same_path_are_removed_when_training_starts(path, old):
    ours = [f".model.joblib.{HEX}.tmp", f".model.joblib.{HEX[::-1]}.tmp"]
    others = [
        "model.joblib",
        f".other.joblib.{HEX}.tmp",
        f".modelXjoblib.{HEX}.tmp",
        f"model.joblib.{HEX}.tmp",
        f".model.joblib.{HEX}.tmp.gz",
        f".model.joblib.{HEX[1:]}.tmp",
        f".model.joblib.{HEX.upper()}.tmp",
        ".model.joblib.tmp",
    ]
    for name in ours + others:
        (path.parent / name).write_bytes(b"some")
    Checkpoint(path).setup(old, None)
    assert sorted(os.listdir(path.parent)) == sorted(others)


def test_a_leftover_that_cannot_be_removed_is_ignored(path, old):
    # On Windows, a file in use cannot be removed.
    (path.parent / f".model.joblib.{HEX}.tmp").mkdir()
    Checkpoint(path).setup(old, None)
    Checkpoint(path).save(old)
    assert_same_training(Checkpoint.load(path), old)


def run(script, *arguments):
    """Run a script in its own process and read its output as JSON."""
    command = [sys.executable, "-c", script, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


# For every n, a process ends at the n-th step of a write. The script prints the steps, how the process ended, and what
# the file contains, up to the first n that no process reached.
DIE_AT_EVERY_STEP = """
import io, itertools, json, os, signal, sys
import numpy as np
from skfnn import _atomic
from skfnn.callbacks import Checkpoint

path = sys.argv[1]
old, new = map(Checkpoint.load, sys.argv[2:])

def step(name):
    global left
    left -= 1
    if left == 0:
        os.write(pipe, name.encode())
        os.kill(os.getpid(), signal.SIGKILL)

class File(io.FileIO):
    def __init__(self, *args):
        step("before open")
        super().__init__(*args)
        step("after open")

    def write(self, data):  # without a buffer, so that the data are in the file at once
        data = memoryview(data).cast("B")
        step("before write")
        super().write(data[: len(data) // 2])
        step("in write")
        super().write(data[len(data) // 2 :])
        return len(data)

    def close(self):
        if not self.closed:
            step("before close")
        super().close()

def between(name, function):
    def call(*args):
        step("before " + name)
        result = function(*args)
        step("after " + name)
        return result
    return call

def which(model):
    for name, other in (("old", old), ("new", new)):
        if model.n_iter_ == other.n_iter_ and all(map(np.array_equal, model.coefs_, other.coefs_)):
            return name

results = []
for n in itertools.count(1):
    Checkpoint(path).save(old)
    reader, pipe = os.pipe()
    child = os.fork()
    if not child:
        left = n
        _atomic.open, os.fsync, os.replace = File, between("fsync", os.fsync), between("rename", os.replace)
        Checkpoint(path).save(new)
        os._exit(0)
    os.close(pipe)
    status = os.waitpid(child, 0)[1]
    with open(reader) as file:
        results.append([file.read(), os.WIFSIGNALED(status), which(Checkpoint.load(path))])
    if status == 0:
        break
print(json.dumps(results))
"""


@pytest.mark.full  # the short suite has the next test
@needs_fork
def test_a_process_killed_at_any_step_of_a_write_leaves_the_old_or_the_new_file(tmp_path, old, new):
    models = tmp_path / "old", tmp_path / "new"
    for model, file in zip((old, new), models, strict=True):
        Checkpoint(file).save(model)
    folder = tmp_path / "folder"
    folder.mkdir()
    *killed, survivor = run(DIE_AT_EVERY_STEP, folder / "model", *models)
    assert survivor == ["", False, "new"]
    assert all(by_signal for _, by_signal, _ in killed)
    steps = [step for step, _, _ in killed]
    renamed = steps.index("after rename")
    assert [model for _, _, model in killed] == ["old"] * renamed + ["new"] * (len(killed) - renamed)
    assert steps[:3] == ["before open", "after open", "before write"]
    assert steps.count("in write") > 10
    assert steps[renamed - 4 :] == [
        *("before fsync", "after fsync", "before close", "before rename"),
        *("after rename", "before fsync", "after fsync"),
    ]
    # Each process left a file, except those that ended before opening it or after renaming it.
    assert len(os.listdir(folder)) == 1 + renamed - 1
    Checkpoint(folder / "model").setup(old, None)
    assert os.listdir(folder) == ["model"]


# Processes save models one after another and report each. The script kills each process some time after a few models,
# and prints the number of reports and the number of the model in the file.
DIE_SOMEWHERE = """
import json, os, signal, sys
import numpy as np
from skfnn.callbacks import Checkpoint

path = sys.argv[1]
model, number = Checkpoint.load(path), 0
results = []
for n in [1, 2, 3, 4] * 4:
    reader, pipe = os.pipe()
    child = os.fork()
    if not child:
        while True:
            number += 1
            for p in model.coefs_:
                p.fill(number)
            Checkpoint(path).save(model)
            os.write(pipe, b".")
    for _ in range(n):
        os.read(reader, 1)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(pipe)
    with open(reader, "rb") as reports:
        n += len(reports.read())  # those made before the process was killed
    loaded = Checkpoint.load(path)
    found = int(loaded.coefs_[0][0, 0])
    assert all((p == found).all() for p in loaded.coefs_)
    results.append([n, found])
print(json.dumps(results))
"""


@needs_fork
def test_a_process_killed_at_any_time_leaves_the_last_complete_checkpoint(path):
    # The script fills the weights with whole numbers. Converting them to other units would round them.
    Checkpoint(path).save(estimator(hidden_layer_sizes=(100, 100), max_iter=1, standardize=False).fit(X, y))
    results = run(DIE_SOMEWHERE, path)
    assert len(results) == 16
    # If the file has a later model, the process was killed before it reported that model.
    assert all(found in (said, said + 1) for said, found in results)
