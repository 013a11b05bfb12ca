"""Other units of features and targets change nothing except the units of the predictions."""

import numpy as np
import pytest
from scalers import (
    CLOSE,
    SOLVERS,
    X,
    Y,
    Z,
    assert_close,
    descents,
    estimator,
    kinds,
    outputs,
    regressions,
    signal,
    solvers,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


# Other units

MAPS = [(1e4, 0.0), (1e-4, 0.0), (1.0, 1e6), (1e4, 1e6), (-3.0, 0.0), (-3.0, 1e6)]


@pytest.mark.parametrize("standardize", [True, "auto"])
@pytest.mark.parametrize("hidden", [(), (6,), (6, 4, 4)], ids=len)
@pytest.mark.parametrize(("a", "b"), MAPS)
@solvers
@regressions
def test_another_unit_of_the_targets_changes_the_predictions_by_the_same_map(kind, solver, a, b, hidden, standardize):
    y = signal[:, 0] if kind == "one output" else signal
    params = SOLVERS[solver] | {"hidden_layer_sizes": hidden, "standardize": standardize}
    # The sign of the initial outputs is random, and a negative unit reverses it.
    start = estimator(kind, **params | {"max_iter": 1}).fit(X, y) if a < 0 else None
    models = []
    for factor, shift in ((1.0, 0.0), (a, b)):
        init = {}
        if start is not None:
            init["coefs_init"], init["intercepts_init"] = mapped(start, factor, shift)
        models.append(estimator(kind, **params).fit(X, factor * y + shift, **init))
    # Numbers near 1e6 have an error of 1e-10.
    tolerance = 1e-6 if solver == "lbfgs" else CLOSE
    assert_close((models[1].predict(X) - b) / a, models[0].predict(X), tolerance)
    np.testing.assert_allclose(np.array(models[1].loss_curve_) / a**2, models[0].loss_curve_, rtol=tolerance)
    assert models[1].learning_rate_init_ == models[0].learning_rate_init_ if solver != "lbfgs" else True


def mapped(model, a, b):
    """The weights and the biases of a network whose outputs are a times those of `model`, plus b."""
    coefs, intercepts = list(model.coefs_), list(model.intercepts_)
    return [*coefs[:-1], a * coefs[-1]], [*intercepts[:-1], a * intercepts[-1] + b]


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize(("a", "b"), [(1e4, 0.0), (1e-4, 0.0), (1.0, 1e6)])
@descents
@regressions
def test_another_unit_of_the_targets_does_not_change_the_last_epoch(kind, solver, a, b, early_stopping):
    y = signal[:, 0] if kind == "one output" else signal
    params = SOLVERS[solver] | {"standardize": "auto", "max_iter": 1000, "tol": 1e-3, "n_iter_no_change": 3}
    first, second = (
        estimator(kind, early_stopping=early_stopping, **params).fit(X, factor * y + shift)
        for factor, shift in ((1.0, 0.0), (a, b))
    )
    assert 3 < first.n_iter_ < 1000
    assert second.n_iter_ == first.n_iter_


@pytest.mark.parametrize("standardize", [True, "auto"])
@solvers
@kinds
def test_other_units_of_the_features_do_not_change_the_predictions(kind, solver, standardize):
    D, c = np.array([1e-3, 1e-6, 60.0, 1e5, 2.0]), np.array([20.0, 0.0, -4e4, 1e3, 7.0])
    params = SOLVERS[solver] | {"standardize": standardize}
    first, second = (estimator(kind, **params).fit(rows, Y[kind]) for rows in (X, X * D + c))
    assert first.feature_scale_ is not None
    np.testing.assert_allclose(second.feature_scale_, D * first.feature_scale_, rtol=1e-10)
    # An offset of 4e4 is 100 times the spread of the third column.
    assert_close(outputs(second, X * D + c), outputs(first, X), 1e-5 if solver == "lbfgs" else 1e-7)


# float32 and offsets


@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
@pytest.mark.parametrize("source", ["float32", "float64"])
@kinds
def test_float32_with_a_large_offset_trains_as_well_as_float64(kind, source, solver):
    # Timestamps have a mean of a million times the spread, which float32 rounds to a sixteenth of a unit. The mean is
    # exactly 1e6 here, so that it is the same number in both types.
    rows = (1e6 + np.round(8 * np.concatenate([Z[:65], -Z[:65]])) / 8).astype(source)
    assert np.ptp(rows) < 10
    params = SOLVERS[solver] | {"standardize": "auto"}
    single, double = (estimator(kind, dtype=dtype, **params).fit(rows, Y[kind]) for dtype in ("float32", "float64"))
    assert {p.dtype for p in single.coefs_ + single.intercepts_} == {np.dtype("float32")}
    # For ten epochs, each operation has an error of 1e-7, and L-BFGS magnifies it.
    assert_close(outputs(single, rows), outputs(double, rows), 0.05 if solver == "lbfgs" else 1e-3)
    # Any other mean is rounded to a float32 number. The centre is then off by at most a thirtieth of the spread.
    rows = rows + rows.dtype.type(0.25) * (np.arange(130) % 3 == 0)[:, None]
    single, double = (estimator(kind, dtype=dtype, **params).fit(rows, Y[kind]) for dtype in ("float32", "float64"))
    assert abs(single.score(rows, Y[kind]) - double.score(rows, Y[kind])) < 0.02
