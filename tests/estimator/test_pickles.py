"""A copy of a model predicts and continues like the model."""

import copy
import pickle

import joblib
import numpy as np
import pytest
from short_runs import estimator
from small_tables import X_iris, y_iris

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


STATES = [{}, {"momentum": 0.9}, {"solver": "adam"}, {"validation_fraction": 0.2}, {"dtype": "float32"}]


@pytest.mark.parametrize("params", STATES, ids=str)
@pytest.mark.parametrize("protocol", [2, pickle.HIGHEST_PROTOCOL])
def test_a_pickle_predicts_and_continues_like_the_model(protocol, params, assert_identical):
    clf = estimator(**params).fit(X_iris, y_iris)
    loaded = pickle.loads(pickle.dumps(clf, protocol))
    np.testing.assert_array_equal(loaded.predict_proba(X_iris), clf.predict_proba(X_iris))
    assert loaded.history_ == clf.history_
    for model in (clf, loaded):
        model.partial_fit(X_iris, y_iris).partial_fit(X_iris, y_iris)
    assert_identical(clf, loaded)


@pytest.mark.parametrize("params", STATES, ids=str)
@pytest.mark.parametrize("mmap_mode", [None, "r", "c"])
def test_a_memory_mapped_model_predicts_and_can_be_trained_further(tmp_path, mmap_mode, params, assert_identical):
    clf = estimator(hidden_layer_sizes=(50, 50), **params).fit(X_iris, y_iris)
    joblib.dump(clf, tmp_path / "model")
    bytes_before = (tmp_path / "model").read_bytes()
    loaded = joblib.load(tmp_path / "model", mmap_mode=mmap_mode)
    if mmap_mode == "r":
        assert not loaded.coefs_[0].flags.writeable
    np.testing.assert_array_equal(loaded.predict_proba(X_iris), clf.predict_proba(X_iris))
    for model in (clf, loaded):
        model.partial_fit(X_iris, y_iris)
        model.set_params(warm_start=True, max_iter=2).fit(X_iris, y_iris)
    assert_identical(clf, loaded)
    loaded.coefs_[0][...] = 0.0  # training replaced the mapped model with one in memory
    assert (tmp_path / "model").read_bytes() == bytes_before


def test_a_deep_copy_is_trained_independently():
    clf = estimator(solver="adam").fit(X_iris, y_iris)
    before = clf.predict_proba(X_iris)
    copy.deepcopy(clf).partial_fit(X_iris, y_iris)
    np.testing.assert_array_equal(clf.predict_proba(X_iris), before)
    assert len(clf.loss_curve_) == 5
