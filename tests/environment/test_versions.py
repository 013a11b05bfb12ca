"""A model from another version of skfnn loads with scikit-learn's warning; models of this version do not warn."""

import copy
import pickle
import re
import warnings

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.exceptions import InconsistentVersionWarning
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skfnn
from skfnn import FNNClassifier, FNNRegressor
from skfnn._estimator import version as _version

X, y = make_classification(60, 5, random_state=0)
SETTINGS = {"hidden_layer_sizes": (4,), "max_iter": 20, "n_iter_no_change": None, "random_state": 0}

models = pytest.mark.parametrize("kind", [FNNClassifier, FNNRegressor])


class Subclass(FNNClassifier):
    """A user's own class outside of skfnn, with its own attributes."""

    def fit(self, X, y):
        self.rows_ = len(X)
        return super().fit(X, y)


@pytest.fixture
def dumps_with(monkeypatch):
    """A function that pickles a model as another version of skfnn would."""

    def dumps(version, model, dump=pickle.dumps):
        with monkeypatch.context() as patch:
            patch.setattr(_version, "__version__", version)
            return dump(model)

    return dumps


class Unversioned:
    """Pickle a model like a class that does not record the version."""

    def __init__(self, model):
        self.model = model

    def __reduce__(self):
        state = self.model.__getstate__()
        del state["_skfnn_version"]
        return object.__new__, (type(self.model),), state


def test_the_version_is_public_and_well_formed():
    assert skfnn.__version__ == _version.__version__
    assert re.fullmatch(r"\d+\.\d+\.\d+(\.dev\d+|rc\d+)?", skfnn.__version__)


@models
@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_the_same_version_loads_without_a_warning(kind, protocol, assert_identical):
    model = kind(**SETTINGS).fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loaded = pickle.loads(pickle.dumps(model, protocol))
    assert vars(loaded).keys() == vars(model).keys()
    assert_identical(loaded, model)


@models
@pytest.mark.parametrize("version", ["0.0.1", "0.1", "99.0.0"])
def test_another_version_older_or_newer_loads_with_a_warning(kind, version, dumps_with, assert_identical):
    model = kind(**SETTINGS).fit(X, y)
    dumped = dumps_with(version, model)
    with pytest.warns(InconsistentVersionWarning) as record:
        loaded = pickle.loads(dumped)
    assert len(record) == 1
    assert record[0].filename == __file__  # the warning names the line that loads
    text = str(record[0].message)
    for part in (kind.__name__, f"saved by skfnn {version}", f"loaded by skfnn {skfnn.__version__}"):
        assert part in text
    assert_identical(loaded, model)
    assert vars(loaded).keys() == vars(model).keys()
    # If the model is saved again, it has this version.
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pickle.loads(pickle.dumps(loaded))


@models
def test_a_state_without_a_version_counts_as_older(kind, assert_identical):
    model = kind(**SETTINGS).fit(X, y)
    dumped = pickle.dumps(Unversioned(model))
    with pytest.warns(InconsistentVersionWarning, match="saved by an older skfnn and is loaded by skfnn"):
        loaded = pickle.loads(dumped)
    assert_identical(loaded, model)


@models
@pytest.mark.parametrize("number", [None, 0, _version.FORMAT + 1])
def test_a_fitted_model_in_another_format_is_refused(kind, number):
    state = kind(**SETTINGS).fit(X, y).__getstate__() | {"_skfnn_format": number}
    model = kind()
    with pytest.raises(ValueError, match=f"This {kind.__name__} was saved in format {number}; .* Fit it again"):
        model.__setstate__(state)
    assert not hasattr(model, "coefs_")


PLAIN = (int, float, str, bool, type(None), np.ndarray)


def only_plain(value):
    """Whether a value is a number, a text, an array, or a container of such values."""
    if isinstance(value, dict):
        return all(only_plain(item) for item in value.values())
    if isinstance(value, list):
        return all(only_plain(item) for item in value)
    return type(value) in PLAIN


@models
@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_saved_model_is_plain_data(kind, standardize, early_stopping):
    model = kind(standardize=standardize, early_stopping=early_stopping, **SETTINGS).fit(X, y)
    state = pickle.loads(pickle.dumps(model.__getstate__()))
    assert {name for name, value in state.items() if not only_plain(value)} <= {"hidden_layer_sizes"}


def test_the_fields_of_scikit_learns_warning_name_skfnn(dumps_with):
    # scikit-learn's guide turns the warning into an error and reads these attributes.
    dumped = dumps_with("0.0.1", FNNClassifier())
    with warnings.catch_warnings():
        warnings.simplefilter("error", InconsistentVersionWarning)
        with pytest.raises(InconsistentVersionWarning) as caught:
            pickle.loads(dumped)
    warning = caught.value
    assert (warning.estimator_name, warning.original_sklearn_version, warning.current_sklearn_version) == (
        "FNNClassifier",
        "skfnn 0.0.1",
        f"skfnn {skfnn.__version__}",
    )


def test_subclasses_and_steps_of_a_pipeline_also_warn(dumps_with):
    model = make_pipeline(StandardScaler(), Subclass(**SETTINGS)).fit(X, y)
    dumped = dumps_with("0.0.1", model)
    with pytest.warns(InconsistentVersionWarning, match="This Subclass was saved by skfnn 0.0.1") as record:
        loaded = pickle.loads(dumped)
    assert len(record) == 1
    assert loaded[-1].rows_ == len(X)
    np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))


def test_a_joblib_file_of_another_version_warns(tmp_path, dumps_with, assert_identical):
    model = FNNClassifier(**SETTINGS).fit(X, y)
    dumps_with("0.0.1", model, lambda model: joblib.dump(model, tmp_path / "model.joblib"))
    with pytest.warns(InconsistentVersionWarning, match="FNNClassifier was saved by skfnn 0.0.1"):
        loaded = joblib.load(tmp_path / "model.joblib")
    assert_identical(loaded, model)


def test_a_skops_file_keeps_the_model_and_its_version(dumps_with, assert_identical):
    io = pytest.importorskip("skops.io")
    model = FNNClassifier(**SETTINGS).fit(X, y)
    dumped = io.dumps(model)
    trusted = io.get_untrusted_types(data=dumped)
    assert all(name.startswith("skfnn.") for name in trusted)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert_identical(io.loads(dumped, trusted=trusted), model)
    dumped = dumps_with("0.0.1", model, io.dumps)
    with pytest.warns(InconsistentVersionWarning, match="saved by skfnn 0.0.1"):
        loaded = io.loads(dumped, trusted=trusted)
    assert_identical(loaded, model)


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, clone], ids=lambda function: function.__name__)
@pytest.mark.parametrize("kind", [FNNClassifier, FNNRegressor, Subclass])
@pytest.mark.parametrize("fitted", [False, True])
def test_copies_do_not_warn_and_have_no_extra_attributes(duplicate, kind, fitted):
    model = kind(**SETTINGS)
    if fitted:
        model.fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        other = duplicate(model)
    assert type(other) is kind
    assert other.get_params() == model.get_params()
    expected = model.get_params() if duplicate is clone else vars(model)
    assert {name for name in vars(other) if not name.startswith("_sklearn")} == set(expected)


def test_a_copy_of_a_loaded_model_does_not_warn_again(dumps_with):
    dumped = dumps_with("0.0.1", FNNClassifier(**SETTINGS).fit(X, y))
    with pytest.warns(InconsistentVersionWarning):
        loaded = pickle.loads(dumped)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        copy.deepcopy(loaded).partial_fit(X, y)


def test_setstate_does_not_change_the_given_state(dumps_with):
    state = FNNClassifier(**SETTINGS).fit(X, y).__getstate__()
    before = dict(state)
    FNNClassifier().__setstate__(state)
    assert state.keys() == before.keys()


def test_a_search_whose_workers_are_processes_does_not_warn():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # joblib itself warns about its worker processes on a slow machine.
        warnings.filterwarnings("ignore", "A worker stopped", UserWarning)
        search = GridSearchCV(FNNClassifier(**SETTINGS), {"alpha": [0.0, 1.0]}, cv=2, n_jobs=2).fit(X, y)
    assert search.best_params_ in ({"alpha": 0.0}, {"alpha": 1.0})
