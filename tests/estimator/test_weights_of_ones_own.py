"""`coefs_` and `intercepts_` behave like lists of arrays, and writing into them changes the model."""

import copy
import pickle
import weakref

import joblib
import numpy as np
import pytest
from sklearn.base import clone

from skfnn import FNNClassifier, FNNRegressor

rng = np.random.default_rng(0)
# Raw columns of a table, so standardize="auto" standardises them.
X_raw = rng.normal(size=(60, 4)) * [1.0, 50.0, 0.01, 3.0] + [0.0, 100.0, 5.0, -2.0]
X_plain = rng.normal(size=(60, 4))
Y = {FNNClassifier: rng.integers(0, 3, 60), FNNRegressor: 100.0 * X_plain[:, :2] + 7.0}
# Three epochs are enough here.
pytestmark = [
    pytest.mark.filterwarnings("ignore::skfnn.exceptions.ConstantPredictionWarning"),
    pytest.mark.filterwarnings("ignore:L-BFGS did not converge"),
]


def fitted(kind, standardize, **params):
    settings = {"hidden_layer_sizes": (5, 5), "max_iter": 3, "n_iter_no_change": None, "random_state": 0}
    model = kind(**(settings | {"standardize": standardize} | params))
    return model.fit(X_raw if standardize else X_plain, Y[kind])


def raw(model, X):
    return model.decision_function(X) if isinstance(model, FNNClassifier) else model.predict(X)


def by_hand(coefs, intercepts, X):
    """The output layer of a ReLU network, written from the formula."""
    for W, b in zip(coefs[:-1], intercepts[:-1], strict=True):
        X = np.maximum(X @ W + b, 0.0)
    return X @ coefs[-1] + intercepts[-1]


def arrays(model):
    return [W.copy() for W in model.coefs_], [b.copy() for b in model.intercepts_]


kinds = pytest.mark.parametrize("kind", [FNNClassifier, FNNRegressor])
coordinates = pytest.mark.parametrize("standardize", [True, False])
solvers = pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])


def item(model, coefs, intercepts):
    for layers, new in ((model.coefs_, coefs), (model.intercepts_, intercepts)):
        for k, values in enumerate(new):
            layers[k] = values


def item_of_a_new_list(model, coefs, intercepts):
    for k, (W, b) in enumerate(zip(coefs, intercepts, strict=True)):
        model.coefs_[k] = W
        model.intercepts_[k - len(coefs)] = b


def entries(model, coefs, intercepts):
    for own, new in zip(model.coefs_ + model.intercepts_, coefs + intercepts, strict=True):
        own[:] = new


def in_place(model, coefs, intercepts):
    for k, (W, b) in enumerate(zip(coefs, intercepts, strict=True)):
        model.coefs_[k] += W - model.coefs_[k]
        model.intercepts_[k] *= 0.0
        model.intercepts_[k] += b


def slices(model, coefs, intercepts):
    model.coefs_[:] = coefs
    model.intercepts_[:2], model.intercepts_[2:] = intercepts[:2], intercepts[2:]


def lists(model, coefs, intercepts):
    model.coefs_ = [W.tolist() for W in coefs]
    model.intercepts_ = tuple(intercepts)


def vars_of_the_model(model, coefs, intercepts):
    for k, (W, b) in enumerate(zip(coefs, intercepts, strict=True)):
        vars(model)["coefs_"][k] = W
        vars(model)["intercepts_"][k] = b


WAYS = [item, item_of_a_new_list, entries, in_place, slices, lists, vars_of_the_model]


@pytest.mark.parametrize("write", WAYS)
@kinds
@coordinates
@solvers
def test_every_way_to_write_weights_changes_the_predictions(write, kind, standardize, solver):
    model, X = fitted(kind, standardize, solver=solver), X_raw if standardize else X_plain
    coefs, intercepts = arrays(model)
    coefs, intercepts = [rng.normal(size=W.shape) for W in coefs], [rng.normal(size=b.shape) for b in intercepts]
    write(model, coefs, intercepts)
    expected = by_hand(coefs, intercepts, X)
    # The standardised parameters are rounded, and so are their products with features of size 100.
    np.testing.assert_allclose(raw(model, X), expected, rtol=1e-9, atol=1e-9 * abs(expected).max())
    for own, new in zip(model.coefs_ + model.intercepts_, coefs + intercepts, strict=True):
        np.testing.assert_allclose(own, new, rtol=1e-9, atol=1e-9)


@kinds
@coordinates
def test_training_continues_from_the_written_weights(kind, standardize):
    X, y = X_raw if standardize else X_plain, Y[kind]
    model, other = fitted(kind, standardize), fitted(kind, standardize)
    coefs = arrays(model)[0]
    mask = rng.integers(0, 2, coefs[0].shape)
    model.coefs_[0] *= mask
    other.coefs_ = [coefs[0] * mask, *coefs[1:]]
    for member in (model, other):
        member.partial_fit(X, y)
    for a, b in zip(model.coefs_, other.coefs_, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)
    assert abs(model.coefs_[0] - fitted(kind, standardize).partial_fit(X, y).coefs_[0]).max() > 1e-3


@kinds
@coordinates
@pytest.mark.parametrize("train", ["partial_fit", "resume", "warm fit"])
def test_earlier_arrays_show_the_new_weights_after_training(kind, standardize, train):
    X, y = X_raw if standardize else X_plain, Y[kind]
    model = fitted(kind, standardize)
    coefs, intercepts = model.coefs_, model.intercepts_
    before = coefs[0].copy()
    model.set_params(max_iter=6, warm_start=train == "warm fit")
    getattr(model, "fit" if train == "warm fit" else train)(X, y)
    assert not np.array_equal(coefs[0], before)
    for old, new in zip(coefs + intercepts, model.coefs_ + model.intercepts_, strict=True):
        np.testing.assert_array_equal(old, new)
    coefs[0][:] = 0.0  # writing into them still changes the model
    assert not model.coefs_[0].any()


@coordinates
def test_earlier_arrays_show_restored_best_weights(standardize):
    X, y = X_raw if standardize else X_plain, Y[FNNClassifier]
    model = fitted(FNNClassifier, standardize)
    model.partial_fit(X, y, X_val=X[:20], y_val=y[:20])
    best, kept = model.coefs_, arrays(model)[0]
    model.partial_fit(X, y)
    model.restore_best()
    for old, new in zip(best, kept, strict=True):
        np.testing.assert_allclose(old, new, rtol=1e-12)


@kinds
@coordinates
def test_a_call_that_raises_leaves_the_weights_and_their_arrays_as_they_were(kind, standardize):
    model = fitted(kind, standardize)
    views, before = model.coefs_, arrays(model)[0]
    with pytest.raises(ValueError, match="NaN"):
        model.partial_fit(X_raw * np.nan, Y[kind])
    for old, view, new in zip(before, views, model.coefs_, strict=True):
        np.testing.assert_array_equal(old, new)
        np.testing.assert_array_equal(view, new)


# Copies


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
@kinds
@coordinates
def test_a_copy_has_the_written_weights_and_is_independent(duplicate, kind, standardize):
    X, y = X_raw if standardize else X_plain, Y[kind]
    model = fitted(kind, standardize)
    model.coefs_[0] = np.ones_like(model.coefs_[0])
    other = duplicate(model)
    np.testing.assert_allclose(other.coefs_[0], 1.0, rtol=1e-12)
    np.testing.assert_array_equal(raw(other, X), raw(model, X))
    history = len(model.history_["epoch"])
    other.coefs_[1] = np.zeros_like(other.coefs_[1])
    other.partial_fit(X, y)
    assert model.coefs_[1].any()
    np.testing.assert_allclose(model.coefs_[0], 1.0, rtol=1e-12)
    assert len(model.history_["epoch"]) == history
    np.testing.assert_array_equal(vars(other)["coefs_"][1], other.coefs_[1])


def test_a_clone_and_a_new_fit_start_without_the_written_weights(assert_identical):
    model = fitted(FNNClassifier, True)
    views = model.coefs_
    model.coefs_ = [np.zeros_like(W) for W in model.coefs_]
    assert_identical(clone(model).fit(X_raw, Y[FNNClassifier]), fitted(FNNClassifier, True))
    model.fit(X_raw, Y[FNNClassifier])
    assert_identical(model, fitted(FNNClassifier, True))
    assert not views[0].any()  # the arrays of the old model do not change


def test_the_lists_are_copied_and_pickled_as_lists_of_arrays():
    layers = fitted(FNNClassifier, False).coefs_
    for other in (copy.deepcopy(layers), pickle.loads(pickle.dumps(layers))):
        assert type(other) is list
        other[0][:] = 0.0
        assert layers[0].any()
    assert type(layers + layers) is list
    assert len(layers + layers) == 6


def test_writing_into_a_read_only_memory_mapped_model_copies_it_first(tmp_path):
    joblib.dump(fitted(FNNClassifier, False), tmp_path / "model.joblib")
    model = joblib.load(tmp_path / "model.joblib", mmap_mode="r")
    with pytest.raises(ValueError, match="read-only"):
        model.coefs_[0] = np.zeros((4, 5))
    model = copy.deepcopy(model)
    model.coefs_[0] = np.zeros((4, 5))
    assert not model.coefs_[0].any()


def test_onnx_exports_the_written_weights():
    pytest.importorskip("skl2onnx")
    runtime = pytest.importorskip("onnxruntime")
    from skfnn.onnx import to_onnx

    model = fitted(FNNRegressor, True)
    model.coefs_ = [0.5 * W for W in model.coefs_]
    graph = to_onnx(model, X_raw[:1])
    found = runtime.InferenceSession(graph.SerializeToString()).run(None, {"X": X_raw})[0]
    np.testing.assert_allclose(found, model.predict(X_raw), rtol=1e-9)


# What is refused


@kinds
@coordinates
def test_a_wrong_shape_is_an_error_that_names_both_shapes(kind, standardize):
    model = fitted(kind, standardize)
    before = arrays(model)[0]
    with pytest.raises(ValueError, match=r"coefs_\[0\] must have the shape \(4, 5\), got \(5, 4\)"):
        model.coefs_[0] = np.ones((5, 4))
    with pytest.raises(ValueError, match=r"coefs_\[2\] must have the shape \(5, \d\), got \(\)"):
        model.coefs_[-1] = 1.0
    with pytest.raises(ValueError, match=r"intercepts_\[1\] must have the shape \(5,\), got \(6,\)"):
        model.intercepts_ = [np.ones(5), np.ones(6), np.ones(1)]
    with pytest.raises(ValueError, match="one array for each of the 3 layers, got 2"):
        model.coefs_ = model.coefs_[:2]
    # All arrays are checked before the first one is written.
    with pytest.raises(ValueError, match=r"coefs_\[2\]"):
        model.coefs_ = [np.zeros((4, 5)), np.zeros((5, 5)), np.zeros((9, 9))]
    for a, b in zip(before, model.coefs_, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("value", [np.nan, np.inf, 1j, "a", None, 1e300])
def test_only_finite_real_numbers_of_the_models_precision_are_accepted(value):
    model = fitted(FNNClassifier, False, dtype="float32")
    with pytest.raises(ValueError, match=r"coefs_\[0\] must hold finite real numbers that float32 can represent"):
        model.coefs_[0] = np.full((4, 5), value)


@pytest.mark.parametrize("change", [list.append, list.extend, list.remove, list.__iadd__])
def test_the_list_cannot_grow_or_shrink(change):
    layers = fitted(FNNClassifier, False).coefs_
    with pytest.raises(TypeError, match="cannot grow, shrink or change its order"):
        getattr(layers, change.__name__)([1])
    with pytest.raises(TypeError, match="cannot grow"):
        del layers[0]
    with pytest.raises(TypeError, match="cannot grow"):
        layers.reverse()


def test_layers_may_be_swapped_and_transposed():
    model = FNNClassifier((5, 5, 5), max_iter=3, n_iter_no_change=None, random_state=0).fit(X_plain, Y[FNNClassifier])
    _, a, b, _ = arrays(model)[0]
    model.coefs_[1:3] = model.coefs_[2:0:-1]
    np.testing.assert_array_equal(model.coefs_[1], b)
    np.testing.assert_array_equal(model.coefs_[2], a)
    model.coefs_[1] = model.coefs_[1].T
    np.testing.assert_array_equal(model.coefs_[1], b.T)


@kinds
def test_weights_before_fit_are_an_attribute_error(kind):
    for name in ("coefs_", "intercepts_", "out_activation_"):
        assert not hasattr(kind(), name)
    with pytest.raises(AttributeError, match="not fitted"):
        kind().coefs_ = []


@kinds
def test_out_activation_cannot_be_set(kind):
    model = fitted(kind, False)
    before = model.out_activation_
    with pytest.raises(AttributeError, match="out_activation_ cannot be set to 'tanh': it follows from the loss"):
        model.out_activation_ = "tanh"
    assert model.out_activation_ == before == {FNNClassifier: "softmax", FNNRegressor: "identity"}[kind]


@kinds
@coordinates
def test_vars_shows_the_present_weights(kind, standardize):
    X, y = X_raw if standardize else X_plain, Y[kind]
    model = fitted(kind, standardize)
    weights = vars(model)["coefs_"]
    model.partial_fit(X, y)
    assert len(weights) == 3
    assert repr(weights) == repr(list(model.coefs_))
    for a, b in zip(weights, model.coefs_, strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_weights_in_vars_do_not_keep_the_model_alive():
    model = fitted(FNNClassifier, False)
    gone = weakref.ref(model)
    del model
    assert gone() is None


# Applications


@kinds
@coordinates
def test_federated_averaging_works(kind, standardize):
    X, y = X_raw if standardize else X_plain, Y[kind]
    server = fitted(kind, standardize)
    clients = [copy.deepcopy(server).partial_fit(X[k::3], y[k::3]) for k in range(3)]
    mean = [np.mean(layers, axis=0) for layers in zip(*(client.coefs_ for client in clients), strict=True)]
    server.coefs_ = mean
    server.intercepts_ = [np.mean(b, axis=0) for b in zip(*(client.intercepts_ for client in clients), strict=True)]
    for a, b in zip(server.coefs_, mean, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


def test_hand_made_weights_compute_a_gate():
    table = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    model = FNNClassifier((2,), max_iter=1, n_iter_no_change=None, random_state=0).fit(table, [0, 1, 1, 0])
    # x1 + x2 - 2 * relu(x1 + x2 - 1) is the exclusive or of x1 and x2.
    model.coefs_ = [np.ones((2, 2)), [[1.0], [-2.0]]]
    model.intercepts_ = [[0.0, -1.0], [-0.5]]
    np.testing.assert_array_equal(model.predict(table), [0, 1, 1, 0])
    np.testing.assert_array_equal(model.decision_function(table), [-0.5, 0.5, 0.5, -0.5])


def test_a_target_network_can_follow_by_soft_updates():
    online, target = fitted(FNNRegressor, True), fitted(FNNRegressor, True, random_state=1)
    expected = [0.9 * t + 0.1 * o for t, o in zip(target.coefs_, online.coefs_, strict=True)]
    for t, o in zip(target.coefs_, online.coefs_, strict=True):
        t += 0.1 * (o - t)
    for a, b in zip(target.coefs_, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)
