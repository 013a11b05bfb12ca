"""Sample weights of FNNRegressor: a row of weight w equals w rows."""

import numpy as np
import pytest
from regressors import containers, estimator, losses, problem, split

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

N_ROWS = 24
X_few, WEIGHTS = problem("squared_error", 1, n_rows=N_ROWS)[0], np.random.default_rng(5).integers(0, 4, size=N_ROWS)
REPEATED = np.repeat(np.arange(N_ROWS), WEIGHTS)


@containers
@pytest.mark.parametrize("alpha", [0.0, 1.0])
@pytest.mark.parametrize(
    "params",
    [{}, {"momentum": 0.9}, {"solver": "adam"}, {"solver": "adam", "weight_decay": 0.1}, {"max_grad_norm": 0.3}],
    ids=str,
)
@losses
def test_at_full_batch_a_row_of_weight_w_equals_w_rows(loss, params, alpha, container, assert_parameters):
    y = problem(loss, 3, n_rows=N_ROWS)[1]
    settings = {"loss": loss, "batch_size": "full", "max_iter": 30, "learning_rate_init": 0.02} | params
    weighted = estimator(alpha=alpha, **settings).fit(container(X_few), y, WEIGHTS)
    # alpha is divided by the number of rows, so k times the rows need k times the alpha.
    strength = alpha * len(REPEATED) / N_ROWS
    repeated = estimator(alpha=strength, **settings).fit(container(X_few[REPEATED]), y[REPEATED])
    # Thirty times, sums are computed in another order.
    assert_parameters(weighted, repeated.coefs_, repeated.intercepts_, atol=1e-9)
    np.testing.assert_allclose(weighted.loss_curve_, repeated.loss_curve_, rtol=1e-9)
    plain = estimator(alpha=alpha, **settings).fit(container(X_few), y)
    assert np.abs(weighted.predict(X_few) - plain.predict(X_few)).max() > 1e-3  # the weights matter


@losses
def test_for_lbfgs_a_row_of_weight_w_equals_w_rows(loss, assert_parameters):
    y = problem(loss, 3, n_rows=N_ROWS)[1]
    weighted = estimator(loss=loss, solver="lbfgs", max_iter=8).fit(X_few, y, WEIGHTS)
    repeated = estimator(loss=loss, solver="lbfgs", max_iter=8).fit(X_few[REPEATED], y[REPEATED])
    # The line search magnifies the rounding.
    assert_parameters(weighted, repeated.coefs_, repeated.intercepts_, atol=1e-7)


def test_in_validation_a_row_of_weight_w_equals_w_rows():
    X, y, rows, targets = split("squared_error", 3)
    weights = np.arange(20) % 4
    chosen = np.repeat(np.arange(20), weights)
    weighted = estimator().fit(X, y, X_val=rows, y_val=targets, sample_weight_val=weights)
    repeated = estimator().fit(X, y, X_val=rows[chosen], y_val=targets[chosen])
    np.testing.assert_allclose(weighted.validation_scores_, repeated.validation_scores_, rtol=1e-12)
    np.testing.assert_allclose(weighted.validation_loss_curve_, repeated.validation_loss_curve_, rtol=1e-12)


@pytest.mark.parametrize("batch_size", [1, 7, "full"])
def test_only_the_ratios_of_the_weights_matter(batch_size, assert_parameters):
    X, y, _, _ = split("squared_error", 3)
    weights = np.arange(60.0)
    a, b = (estimator(batch_size=batch_size, learning_rate_init=0.01).fit(X, y, w) for w in (weights, 1e3 * weights))
    assert_parameters(a, b.coefs_, b.intercepts_, atol=1e-10)  # 1e3 is not a power of two
