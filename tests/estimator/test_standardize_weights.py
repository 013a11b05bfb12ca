"""The weights of a standardised network belong to the user's units."""

import copy
import pickle

import numpy as np
import pytest
from interrupted import by_pickle
from scalers import SOLVERS, ByHand, X, Y, Z, assert_close, estimator, in_numpy, kinds, outputs, signal, solvers

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize("hidden", [(), (6,), (6, 4, 4)], ids=len)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("standardize", [True, False, "auto"])
@kinds
def test_the_outputs_follow_from_the_weights_alone(kind, standardize, dtype, hidden):
    rows, y = (X, Y[kind]) if standardize else (Z, Y["classes"] if kind == "classes" else signal[:, :3])
    params = SOLVERS["sgd"] | {"standardize": standardize, "hidden_layer_sizes": hidden, "dtype": dtype}
    model = estimator(kind, **params).fit(rows, y)
    assert model.coefs_[0].dtype == dtype
    # A year is 200 times its spread, which magnifies the error of a float32 weight by 200.
    assert_close(in_numpy(model, rows), outputs(model, rows), 1e-11 if dtype == "float64" else 1e-3)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("standardize", [True, "auto", False])
@kinds
def test_writing_into_the_weights_changes_the_predictions(kind, standardize, dtype):
    rows, y = (X, Y[kind]) if standardize else (Z, Y["classes"] if kind == "classes" else signal)
    model = estimator(kind, standardize=standardize, dtype=dtype, **SOLVERS["sgd"]).fit(rows, y)
    tolerance = 1e-9 if dtype == "float64" else 1e-3
    held = model.coefs_[0], model.intercepts_[1]
    ways = [
        lambda: model.coefs_[0].__setitem__(3, 0.0),  # a temporary view
        lambda: model.intercepts_[-1].__iadd__(model.target_scale_ if model.target_scale_ is not None else 1.0),
        lambda: held[0][3].fill(0.5 if model.feature_scale_ is None else 0.5 / model.feature_scale_[3]),  # a kept one
        lambda: held[1].fill(0.25),
        lambda: model.coefs_[-1].__imul__(-1.0),
    ]
    for write in ways:
        before = outputs(model, rows)
        expected = [p.copy() for p in (*model.coefs_, *model.intercepts_)]
        write()
        found = [*model.coefs_, *model.intercepts_]
        assert any((p != q).any() for p, q in zip(found, expected, strict=True))
        after = outputs(model, rows)
        assert (np.abs(after - before) / np.ptp(before, axis=0)).max() > 0.01
        assert_close(after, in_numpy(model, rows), tolerance)
        # Copies contain the written weights.
        np.testing.assert_array_equal(outputs(by_pickle(model), rows), after)


@pytest.mark.parametrize("standardize", [True, "auto", False])
@kinds
def test_a_written_weight_is_read_back_and_pickled_even_if_the_model_was_not_used_in_between(kind, standardize):
    rows, y = (X, Y[kind]) if standardize else (Z, Y["classes"] if kind == "classes" else signal)
    model = estimator(kind, standardize=standardize, **SOLVERS["sgd"]).fit(rows, y)
    spread = np.ptp(outputs(model, rows), axis=0)
    model.coefs_[1][:] = 0.5
    model.intercepts_[0][:] = -0.125
    # The weights of the first layer are converted between units, which rounds them.
    np.testing.assert_allclose(model.coefs_[1], 0.5, rtol=1e-12)
    np.testing.assert_allclose(model.intercepts_[0], -0.125, rtol=1e-9)
    loaded = pickle.loads(pickle.dumps(model))
    np.testing.assert_allclose(loaded.intercepts_[0], -0.125, rtol=1e-9)
    model.coefs_[0][:] = 0.0
    copied = copy.deepcopy(model)
    for each in (copied, model):  # the outputs are constant
        assert (np.ptp(outputs(each, rows), axis=0) < 1e-9 * spread).all()


@pytest.mark.parametrize("solver", ["sgd", "nesterov", "adam"])
@kinds
def test_partial_fit_continues_from_the_written_weights(kind, solver):
    y = Y[kind]
    params = SOLVERS[solver] | {"shuffle": False}
    model, by_hand = estimator(kind, **params).fit(X, y), ByHand(kind, X, y, **params).call("fit", X, y)
    # Both networks get the same weights, each in its own units.
    model.coefs_[0][:, 2] = 0.0
    model.coefs_[1][:] *= 0.5
    model.intercepts_[1][:] = 0.1
    by_hand.net.intercepts_[0][2] -= by_hand.features.mean_ / by_hand.features.scale_ @ by_hand.net.coefs_[0][:, 2]
    by_hand.net.coefs_[0][:, 2] = 0.0
    by_hand.net.coefs_[1][:] *= 0.5
    by_hand.net.intercepts_[1][:] = 0.1
    assert_close(outputs(model, X), by_hand.outputs(X))
    for _ in range(3):
        model.partial_fit(X, y)
        by_hand.call("partial_fit", X, y)
    assert_close(outputs(model, X), by_hand.outputs(X))


def test_reading_the_weights_changes_nothing(assert_identical):
    models = [estimator("three outputs", dtype=dtype).fit(X, Y["three outputs"]) for dtype in ("float32", "float64")]
    for model in models:
        before, other = model.predict(X), by_pickle(model)
        for _ in range(3):
            kept = model.coefs_, model.intercepts_
            np.testing.assert_array_equal(model.predict(X), before)
        for p, q in zip((*kept[0], *kept[1]), (*model.coefs_, *model.intercepts_), strict=True):
            assert np.shares_memory(p, q)  # as long as a view exists, the model returns the same one
        assert_identical(model.partial_fit(X, Y["three outputs"]), other.partial_fit(X, Y["three outputs"]))


@pytest.mark.parametrize("standardize", [True, "auto"])
@pytest.mark.parametrize("hidden", [(), (6,), (6, 4, 4)], ids=len)
@solvers
@kinds
def test_a_network_given_its_own_weights_predicts_the_same_before_training(kind, solver, hidden, standardize):
    y, params = Y[kind], {"hidden_layer_sizes": hidden, "standardize": standardize}
    model = estimator(kind, **params, **SOLVERS[solver]).fit(X, y)
    # Steps of this length change no weight. On other rows, the means and scales differ.
    for rows in (slice(None), slice(None, None, 3)):
        other = estimator(kind, **params, learning_rate_init=1e-300, max_iter=1)
        other.fit(X[rows], y[rows], coefs_init=model.coefs_, intercepts_init=model.intercepts_)
        assert_close(outputs(other, X), outputs(model, X), 1e-10)
        for p, q in zip(other.coefs_ + other.intercepts_, model.coefs_ + model.intercepts_, strict=True):
            # Subtracting the mean of a year and adding it again costs a bias some digits.
            np.testing.assert_allclose(p, q, rtol=1e-10, atol=1e-10 * np.abs(q).max())


@kinds
def test_given_initial_values_act_as_in_the_pipeline(kind):
    y = Y[kind]
    start = estimator(kind, **SOLVERS["sgd"]).fit(X[:60], y[:60])
    model = estimator(kind, **SOLVERS["sgd"])
    model.fit(X, y, coefs_init=start.coefs_, intercepts_init=start.intercepts_)
    by_hand = ByHand(kind, X, y, **SOLVERS["sgd"])
    m, s = by_hand.features.mean_, by_hand.features.scale_
    coefs, intercepts = [W.copy() for W in start.coefs_], [b.copy() for b in start.intercepts_]
    intercepts[0] += m @ coefs[0]
    coefs[0] *= s[:, None]
    if kind != "classes":
        coefs[-1] /= by_hand.targets.scale_
        intercepts[-1] = (intercepts[-1] - by_hand.targets.mean_) / by_hand.targets.scale_
    by_hand.call("fit", X, y, coefs_init=coefs, intercepts_init=intercepts)
    assert_close(outputs(model, X), by_hand.outputs(X))
