"""Checkpoint: what it saves, when it saves, and what it loads."""

import bz2
import copy
import gzip
import lzma
import os
import pickle
import sys
import types
import warnings
from pathlib import Path

import numpy as np
import pytest
from interrupted import (
    N_EPOCHS,
    Act,
    X,
    Y,
    assert_same_training,
    assert_untouched,
    contents,
    estimator,
    needs_callbacks,
    up_and_down,
)
from sklearn.exceptions import InconsistentVersionWarning
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skfnn import FNNClassifier, FNNRegressor
from skfnn._estimator import version as _version
from skfnn.callbacks import Checkpoint

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
kinds = pytest.mark.parametrize("kind", [FNNClassifier, FNNRegressor])
y = Y[FNNClassifier]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.joblib"


@pytest.fixture(scope="module")
def fitted():
    return estimator(momentum=0.9).fit(X, y)


class WithOwnParameter(FNNClassifier):
    """A user's own class, with an additional parameter."""

    def __init__(self, hidden_layer_sizes=(5,), *, callbacks=None):
        super().__init__(hidden_layer_sizes)
        self.callbacks = callbacks


class Watch(Act):
    """A callback that calls `see()` after every epoch and keeps the results."""

    def __init__(self, see):
        super().__init__(0, None)
        self.see, self.seen = see, []

    def on_fit_task_end(self, estimator, context):
        if context.task_name == "epoch":
            self.seen.append(self.see())


def epochs_in(path):
    """The number of epochs of the model in a file, or None if there is no file."""
    return Checkpoint.load(path).n_iter_ if path.exists() else None


# Parameters


@pytest.mark.parametrize("every", [0, -1, 1.5, 2.0, "2", True, None, np.nan], ids=repr)
def test_every_must_be_a_positive_int(every):
    with pytest.raises(ValueError, match=r"The 'every' parameter of Checkpoint must be an int in the range \[1, inf\)"):
        Checkpoint("model", every=every)


@pytest.mark.parametrize("path", [None, 3, ["model"]], ids=repr)
def test_path_must_be_a_path(path):
    with pytest.raises(TypeError, match="The 'path' parameter of Checkpoint must be a str or path-like"):
        Checkpoint(path)


@pytest.mark.parametrize("kind", [str, Path, os.fsencode], ids=["str", "Path", "bytes"])
def test_all_kinds_of_paths_are_accepted(kind, path, fitted):
    checkpoint = Checkpoint(kind(str(path)), every=np.int64(3))
    assert repr(checkpoint) == f"Checkpoint({str(path)!r}, every=3)"
    checkpoint.save(fitted)
    assert_same_training(Checkpoint.load(kind(str(path))), fitted)


# save and load


@pytest.mark.parametrize("params", [{}, {"momentum": 0.9}, {"solver": "adam"}, {"early_stopping": True}], ids=str)
@kinds
def test_a_loaded_model_equals_the_saved_one_and_continues_like_it(kind, params, path):
    model = estimator(kind, max_iter=3, **params).fit(X, Y[kind])
    Checkpoint(path).save(model)
    loaded = Checkpoint.load(path)
    assert type(loaded) is kind
    assert vars(loaded).keys() == vars(model).keys()
    assert_same_training(loaded, model)
    for goes_on in (loaded, model):
        goes_on.set_params(max_iter=N_EPOCHS).resume(X, Y[kind])
    assert_same_training(loaded, model)


def test_an_unfitted_estimator_can_be_saved(path):
    Checkpoint(path).save(estimator())
    assert_same_training(Checkpoint.load(path).resume(X, y), estimator().fit(X, y))


def test_saving_leaves_the_estimator_as_it_was(path, fitted):
    before = contents(fitted)
    Checkpoint(path).save(fitted)
    assert_untouched(fitted, before)


@needs_callbacks
def test_callbacks_stay_with_the_estimator_and_are_not_in_the_file(path):
    callback = Act(1, lambda model: False)
    callback.cannot_be_pickled = lambda: None
    model = estimator().set_callbacks(callback, Checkpoint(path)).fit(X, y)
    Checkpoint(path).save(model)
    loaded = Checkpoint.load(path)
    callback.calls.clear()
    assert_same_training(loaded.fit(X, y), model.fit(X, y))
    assert callback.calls.count("setup") == 1


def test_a_parameter_that_is_called_callbacks_is_in_the_file(path):
    Checkpoint(path).save(WithOwnParameter(callbacks=7))
    assert Checkpoint.load(path).callbacks == 7


@pytest.mark.parametrize("other", [make_pipeline(StandardScaler()), StandardScaler(), {"a": 1}, None], ids=repr)
def test_only_networks_are_saved(other, path, fitted):
    Checkpoint(path).save(fitted)
    with pytest.raises(TypeError, match=f"FNNClassifier or FNNRegressor, got {type(other).__name__}"):
        Checkpoint(path).save(other)
    assert_same_training(Checkpoint.load(path), fitted)


def test_a_relative_path_refers_to_the_current_folder(tmp_path, monkeypatch, fitted):
    monkeypatch.chdir(tmp_path)
    Checkpoint("model").save(fitted)
    assert os.listdir(tmp_path) == ["model"]


@pytest.mark.parametrize("exists", [True, False])
def test_a_link_stays_a_link(exists, tmp_path, fitted):
    (tmp_path / "elsewhere").mkdir()
    target, link = tmp_path / "elsewhere" / "model", tmp_path / "link"
    try:
        link.symlink_to(target)
    except OSError:
        pytest.skip("links are not allowed here")
    if exists:
        target.write_bytes(b"the last one")
    Checkpoint(link).save(fitted)
    assert link.is_symlink()
    assert os.listdir(target.parent) == ["model"]
    assert_same_training(Checkpoint.load(link), fitted)


# Files that are not checkpoints

CONTENTS = {
    "nothing": b"",
    "text": b"epoch,loss\n1,0.5\n",
    "zeros": bytes(1000),
    "a cut gzip file": gzip.compress(bytes(1000))[:15],
    "no gzip file": b"\x1f\x8b" + b"a" * 100,
    "no bz2 file": b"BZ" + b"a" * 100,
    "no xz file": lzma.compress(bytes(1000))[:20] + b"a" * 100,
    "a dict": pickle.dumps({"n_iter_": 3}),
    "a compressed dict": bz2.compress(pickle.dumps({"n_iter_": 3})),
    "another estimator": pickle.dumps(StandardScaler()),
}


@pytest.mark.parametrize("name", CONTENTS)
def test_a_file_that_is_not_a_checkpoint_is_an_error_that_names_it(name, path):
    path.write_bytes(CONTENTS[name])
    with pytest.raises(ValueError, match="is not a file that Checkpoint wrote") as caught:
        Checkpoint.load(path)
    assert repr(str(path)) in str(caught.value)


@pytest.mark.parametrize("end", ["missing", "zero"])
def test_a_file_whose_end_is_missing_or_zero_is_an_error_that_names_it(end, path, fitted):
    Checkpoint(path).save(fitted)
    content = path.read_bytes()
    for n in [*range(0, len(content), 41), len(content) - 1]:
        path.write_bytes(content[:n].ljust(len(content) if end == "zero" else n, b"\0"))
        with pytest.raises(ValueError, match="is not a file that Checkpoint wrote") as caught:
            Checkpoint.load(path)
        assert repr(str(path)) in str(caught.value)


def test_if_the_file_does_not_exist_the_error_says_so(path, tmp_path):
    with pytest.raises(FileNotFoundError, match="model.joblib"):
        Checkpoint.load(path)
    with pytest.raises(OSError, match="directory|denied"):
        Checkpoint.load(tmp_path)


@pytest.mark.parametrize(("absent", "error"), [("module", ModuleNotFoundError), ("function", AttributeError)])
def test_a_missing_module_or_function_of_a_checkpoint_is_named(absent, error, path, monkeypatch):
    module = types.ModuleType("my_scorers")
    exec("def my_scorer(model, X, y):\n    return 0.0", module.__dict__)
    monkeypatch.setitem(sys.modules, "my_scorers", module)
    Checkpoint(path).save(estimator(scoring=module.my_scorer))
    if absent == "module":
        monkeypatch.delitem(sys.modules, "my_scorers")
    else:
        del module.my_scorer
    with pytest.raises(error, match="my_scorer"):
        Checkpoint.load(path)


def test_a_checkpoint_of_another_version_loads_with_a_warning(path, fitted, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(_version, "__version__", "0.0.1")
        Checkpoint(path).save(fitted)
    with pytest.warns(InconsistentVersionWarning, match="saved by skfnn 0.0.1"):
        assert_same_training(Checkpoint.load(path), fitted)
    with warnings.catch_warnings():
        warnings.simplefilter("error", InconsistentVersionWarning)
        with pytest.raises(InconsistentVersionWarning):
            Checkpoint.load(path)


# As a callback


@needs_callbacks
@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
@kinds
def test_the_file_has_the_model_of_every_epoch(kind, solver, path):
    see = Watch(lambda: Checkpoint.load(path))
    model = estimator(kind, solver=solver).set_callbacks(Checkpoint(path), see).fit(X, Y[kind])
    for epoch, loaded in enumerate(see.seen, 1):
        assert_same_training(loaded, estimator(kind, solver=solver, max_iter=epoch).fit(X, Y[kind]))
    assert len(see.seen) == N_EPOCHS
    assert_same_training(Checkpoint.load(path), model)


@needs_callbacks
@pytest.mark.parametrize(
    ("every", "seen"), [(1, [1, 2, 3, 4, 5]), (2, [None, 2, 2, 4, 4]), (5, [None] * 4 + [5]), (9, [None] * 5)]
)
def test_the_file_is_written_after_every_n_epochs_and_at_the_end(every, seen, path):
    see = Watch(lambda: epochs_in(path))
    estimator(max_iter=5).set_callbacks(Checkpoint(path, every), see).fit(X, y)
    assert see.seen == seen
    assert epochs_in(path) == 5


@needs_callbacks
def test_in_resume_epochs_are_counted_from_the_start_of_fit(path):
    see = Watch(lambda: epochs_in(path))
    model = estimator(max_iter=2).fit(X, y).set_params(max_iter=N_EPOCHS)
    model.set_callbacks(Checkpoint(path, every=3), see).resume(X, y)
    assert see.seen == [3, 3, 3, 6]


@needs_callbacks
def test_at_the_end_the_file_has_the_best_weights_of_early_stopping(path):
    model = estimator(early_stopping=True, scoring=up_and_down).set_callbacks(Checkpoint(path)).fit(X, y)
    assert model.best_validation_score_ > model.validation_scores_[-1]
    assert_same_training(Checkpoint.load(path), model)


@needs_callbacks
def test_in_the_last_step_of_a_pipeline_it_saves_the_network(path):
    pipeline = make_pipeline(StandardScaler(), estimator().set_callbacks(Checkpoint(path, every=4))).fit(X, y)
    assert_same_training(Checkpoint.load(path), pipeline[-1])
    half = make_pipeline(StandardScaler(), estimator(max_iter=4).set_callbacks(Checkpoint(path))).fit(X, y)
    rows = half[:-1].transform(X)
    assert_same_training(Checkpoint.load(path).set_params(max_iter=N_EPOCHS).resume(rows, y), pipeline[-1])


@needs_callbacks
def test_in_a_search_the_file_holds_the_fit_that_wrote_last(path):
    model = estimator(max_iter=2).set_callbacks(Checkpoint(path))
    search = GridSearchCV(model, {"alpha": [0.0, 1.0]}, cv=2).fit(X, y)
    assert_same_training(Checkpoint.load(path), search.best_estimator_)


@needs_callbacks
@pytest.mark.parametrize("outer", [make_pipeline, lambda model: GridSearchCV(model, {})], ids=["pipeline", "search"])
def test_on_anything_but_a_network_it_says_where_it_belongs(outer, path):
    outer = outer(estimator())
    with pytest.raises(TypeError, match=f"got {type(outer).__name__}.*the network itself"):
        outer.set_callbacks(Checkpoint(path)).fit(X, y)


@needs_callbacks
@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda c: pickle.loads(pickle.dumps(c))])
def test_copies_write_to_the_same_path(duplicate, path):
    model = estimator().set_callbacks(duplicate(Checkpoint(path, every=4))).fit(X, y)
    assert_same_training(Checkpoint.load(path), model)


# Errors are raised before the first epoch and not after it


def assert_fails_before_the_first_epoch(model, checkpoint, error, match):
    watch = Act(0, None)
    model.set_callbacks(watch, checkpoint)
    before = contents(model)
    with pytest.raises(error, match=match):
        model.fit(X, y)
    assert watch.calls == ["setup", "teardown"]
    assert_untouched(model, before)


@needs_callbacks
def test_a_folder_that_does_not_exist_is_an_error_before_the_first_epoch(tmp_path):
    checkpoint = Checkpoint(tmp_path / "no folder" / "model")
    assert_fails_before_the_first_epoch(estimator(), checkpoint, FileNotFoundError, "there is no folder .*no folder")
    assert os.listdir(tmp_path) == []


@needs_callbacks
def test_a_path_that_is_a_folder_is_an_error_before_the_first_epoch(tmp_path):
    assert_fails_before_the_first_epoch(estimator(), Checkpoint(tmp_path), IsADirectoryError, "it is a folder")


@needs_callbacks
@pytest.mark.parametrize("name", ["learning_rate", "scoring"])
def test_a_parameter_that_cannot_be_pickled_is_an_error_before_the_first_epoch(name, path):
    model = estimator(**{name: lambda *args: 0.1}, validation_fraction=0.1)
    message = f"Checkpoint cannot save the parameter {name}="
    assert_fails_before_the_first_epoch(model, Checkpoint(path), ValueError, message)
