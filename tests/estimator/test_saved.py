"""Saved models hold only plain data, and models from files of every format can predict and be trained further.

tests/support/save_models.py says how the files in saved/ were made.
"""

import io
import json
import pickle
import pickletools
import re

import joblib
import numpy as np
import pytest
from interrupted import ctrl_c_in_epoch
from save_models import FOLDER, TARGETS, X, classes, continued, make_models, outputs, several
from sklearn.base import clone
from sklearn.exceptions import InconsistentVersionWarning

from skfnn import FNNClassifier, FNNRegressor
from skfnn._estimator import version

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    # The files stay when the version of the package changes.
    pytest.mark.filterwarnings(
        f"ignore::{InconsistentVersionWarning.__module__}.{InconsistentVersionWarning.__name__}"
    ),
]


# What a file may name


def interrupted():
    """A model whose training was interrupted and whose weights are not those of the last epoch."""
    settings = {"early_stopping": True, "n_iter_no_change": None, "batch_size": 5, "learning_rate_init": 1.0}
    clf = FNNClassifier((4,), **settings, max_iter=30, random_state=0)
    with ctrl_c_in_epoch(20):
        clf.fit(X, classes)
    assert clf._state.paused_theta is not None
    return clf


def written_into():
    """A model whose weight arrays the user holds and has changed."""
    reg = FNNRegressor((4,), max_iter=3, random_state=0).fit(X, several)
    held = list(reg.coefs_)
    held[0][0, 0] += 1.0
    reg.held_ = held
    return reg


def started_again():
    """A model whose first learning rate failed."""
    rows = np.random.default_rng(0).normal(size=(200, 5))
    reg = FNNRegressor(standardize=False, max_iter=20, random_state=0).fit(5.0 * rows, rows[:, 0])
    assert reg._state.rate_divisor > 1
    return reg


MODELS = {
    **{name: lambda name=name: make_models()[name] for name in TARGETS},
    "unfitted": FNNClassifier,
    "interrupted": interrupted,
    "written into": written_into,
    "started again": started_again,
    "one class": lambda: FNNClassifier(max_iter=3).fit(X, np.ones(len(X))),
    "one call": lambda: FNNRegressor().partial_fit(X, several),
}


PYTHON = {"builtins", "__builtin__", "_codecs", "copyreg", "copy_reg"}


def named_by_opcodes(model):
    """The classes and functions that a pickle names, from its opcodes. Protocol 2 uses one opcode for each."""
    opcodes = list(pickletools.genops(pickle.dumps(model, protocol=2)))
    assert not any(opcode.name == "STACK_GLOBAL" for opcode, _, _ in opcodes)
    return {tuple(argument.split(" ")) for opcode, argument, _ in opcodes if opcode.name == "GLOBAL"}


class Recorder(pickle.Unpickler):
    """Records the names in a pickle while it is loaded."""

    def __init__(self, file):
        super().__init__(file)
        self.named = set()

    def find_class(self, module, name):
        self.named.add((module, name))
        return super().find_class(module, name)


def named_in_loading(model, protocol):
    """The classes and functions that a pickle names, recorded while it is loaded."""
    recorder = Recorder(io.BytesIO(pickle.dumps(model, protocol=protocol)))
    recorder.load()
    return recorder.named


@pytest.mark.parametrize("name", MODELS)
def test_a_pickle_names_no_class_of_skfnn_except_the_estimator(name):
    model = MODELS[name]()
    for named in (named_by_opcodes(model), named_in_loading(model, 2), named_in_loading(model, 5)):
        assert {each for each in named if each[0].split(".")[0] == "skfnn"} == {
            (type(model).__module__, type(model).__name__)
        }
        # All other names are NumPy functions that make arrays and numbers, and Python's own types.
        assert {module.split(".")[0] for module, _ in named} <= {"skfnn", "numpy", *PYTHON}


@pytest.mark.parametrize("name", MODELS)
def test_only_plain_data_are_saved(name):
    def check(value):
        assert type(value) in (dict, list, tuple, str, int, float, bool, type(None), np.ndarray) or isinstance(
            value, np.generic
        ), type(value)
        if isinstance(value, np.ndarray):
            assert value.dtype.kind in "fiubUO"
        for part in value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ():
            check(part)

    check(MODELS[name]().__getstate__())


# The files

FORMATS = sorted(int(re.search(r"\d+", path.stem)[0]) for path in FOLDER.glob("format_*.pickle"))
NAMES = list(json.loads((FOLDER / "format_1.json").read_text()))
formats = pytest.mark.parametrize("number", FORMATS)
names = pytest.mark.parametrize("name", NAMES)
# Another BLAS rounds sums differently, for a dozen epochs.
ATOL = {"float64": 1e-6, "float32": 1e-4}


def load(number, name):
    """A saved model and its expected numbers."""
    models = pickle.loads((FOLDER / f"format_{number}.pickle").read_bytes())
    return models[name], json.loads((FOLDER / f"format_{number}.json").read_text())[name]


def assert_outputs(model, expected):
    atol = ATOL[model.coefs_[0].dtype.name] * max(1.0, np.abs(expected).max())
    np.testing.assert_allclose(outputs(model), expected, rtol=0, atol=atol)


def test_a_file_of_the_current_format_exists():
    assert FORMATS[-1] == version.FORMAT
    assert list(make_models()) == NAMES


@formats
@names
def test_a_saved_model_makes_the_same_predictions(number, name):
    model, numbers = load(number, name)
    assert_outputs(model, numbers["predicted"])
    # Training with the present version gives the same model.
    if number == version.FORMAT:
        assert_outputs(make_models()[name], numbers["predicted"])


@formats
@names
def test_a_saved_model_can_be_trained_further(number, name):
    model, numbers = load(number, name)
    n_epochs = len(model.loss_curve_)
    assert_outputs(continued(name, model), numbers["continued"])
    assert model.history_["epoch"] == list(range(1, len(model.loss_curve_) + 1))
    assert len(model.loss_curve_) > n_epochs
    assert np.abs(np.subtract(numbers["continued"], numbers["predicted"])).max() > 1e-3


@formats
def test_the_best_weights_are_saved(number):
    model, numbers = load(number, "classifier, partial_fit")
    assert_outputs(model.restore_best(), numbers["best"])


@formats
@names
def test_a_saved_model_works_like_any_estimator(number, name):
    model, numbers = load(number, name)
    assert type(clone(model)) is type(model)
    again = pickle.loads(pickle.dumps(model))
    assert vars(again).keys() == vars(model).keys()
    assert_outputs(again, numbers["predicted"])
    model.coefs_[0][...] = 0.0  # every row looks the same
    assert np.ptp(outputs(model), axis=0).max() < 1e-9
    assert model.fit(X, TARGETS[name]).n_iter_ > 0


# Other formats


@pytest.mark.parametrize("number", [None, 0, version.FORMAT + 1, "1"])
@pytest.mark.parametrize("kind", [FNNClassifier, FNNRegressor])
def test_an_unknown_format_is_an_error_that_says_what_to_do(kind, number, monkeypatch, tmp_path):
    model = kind((3,), max_iter=2, random_state=0).fit(X, classes if kind is FNNClassifier else several)
    with monkeypatch.context() as patch:
        patch.setattr(version, "FORMAT", number)
        saved = pickle.dumps(model)
        joblib.dump(model, tmp_path / "model.joblib")
    message = f"This {kind.__name__} was saved in format {number}; skfnn {version.__version__} reads format 1. Fit it"
    with pytest.raises(ValueError, match=re.escape(message)):
        pickle.loads(saved)
    with pytest.raises(ValueError, match=re.escape(message)):
        joblib.load(tmp_path / "model.joblib")


def test_the_parameters_of_an_unfitted_model_load_from_any_format(monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(version, "FORMAT", 7)
        saved = pickle.dumps(FNNClassifier((3, 2), solver="adam"))
    assert pickle.loads(saved).get_params() == FNNClassifier((3, 2), solver="adam").get_params()
