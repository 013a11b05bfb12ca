"""What FNNRegressor learns, in one call or several, and how it works in scikit-learn's tools."""

import pickle

import numpy as np
import pytest
import reference
from regressors import COUNTS, X_train, X_val, estimator, losses, outputs, problem, split, start_for, y_train
from sklearn.base import clone, is_regressor
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_diabetes
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression, PoissonRegressor
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale
from sklearn.utils import get_tags

from skfnn import FNNRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


# The result of training


@pytest.mark.parametrize("weighted", [False, True])
def test_converged_linear_layers_solve_least_squares(weighted):
    X, y = problem("squared_error", 3)
    weights = np.arange(40.0) if weighted else None
    reg = FNNRegressor(8, "identity", solver="lbfgs", tol=1e-9, max_iter=2000, random_state=0).fit(X, y, weights)
    # SciPy stops when a step reduces R by less than 2e-9 of its value.
    expected = LinearRegression().fit(X, y, weights).predict(X)
    np.testing.assert_allclose(reg.predict(X), expected, atol=1e-3)


def test_converged_linear_layers_solve_poisson_regression():
    X, y = problem("poisson", 1)
    params = {"loss": "poisson", "solver": "lbfgs", "tol": 1e-9, "max_iter": 2000}
    reg = FNNRegressor(8, "identity", random_state=0, **params).fit(X, y)
    expected = PoissonRegressor(alpha=0.0, tol=1e-10, max_iter=1000).fit(X, y).predict(X)
    # As above, with predictions up to 10.
    np.testing.assert_allclose(reg.predict(X), expected, rtol=5e-3)


@losses
def test_after_lbfgs_predictions_and_targets_have_the_same_mean(loss):
    # The derivative with respect to the last bias is the mean of prediction - y, for both losses.
    X, y = problem(loss, 3)
    reg = estimator(loss=loss, solver="lbfgs", alpha=1.0, tol=1e-8, max_iter=1000).fit(X, y)
    np.testing.assert_allclose(reg.predict(X).mean(axis=0), y.mean(axis=0), atol=2e-4)


def test_poisson_predicts_positive_means():
    X, y = problem("poisson", 3)
    reg = estimator(loss="poisson").fit(X, y)
    assert reg.out_activation_ == "exp"
    assert (reg.predict(1e3 * X) >= 0).all()
    assert (reg.predict(X) > 0).all()
    raw = reference.raw_outputs(X, reg.coefs_, reg.intercepts_, "tanh")
    np.testing.assert_allclose(reg.predict(X), np.exp(raw), rtol=1e-12)


def test_set_params_after_fit_does_not_change_predictions():
    X, y = problem("poisson", 1)
    reg = estimator(loss="poisson").fit(X, y)
    before = reg.predict(X)
    np.testing.assert_array_equal(reg.set_params(loss="squared_error").predict(X), before)


@pytest.mark.parametrize(
    "params",
    [
        {"solver": "adam", "learning_rate_init": 0.01},
        {"solver": "adam", "learning_rate_init": 0.01, "weight_decay": 0.01},
        {"solver": "lbfgs"},
        {"momentum": 0.9, "learning_rate_init": 0.005},
        {"batch_size": 1, "learning_rate_init": 0.01},
        {"dropout": 0.1},
        {"max_grad_norm": 1.0},
        {"learning_rate": "cosine"},
        {"learning_rate": "adaptive"},
        {"early_stopping": True, "validation_fraction": 0.2, "n_iter_no_change": 20},
        {"dtype": "float32"},
        {"activation": ["relu", "gelu"]},
        {"alpha": 0.1},
    ],
    ids=str,
)
def test_every_setting_learns_the_diabetes_data(params):
    X, y = map(scale, load_diabetes(return_X_y=True))
    settings = {"hidden_layer_sizes": (16, 8), "max_iter": 40, "batch_size": 20, "learning_rate_init": 0.03}
    reg = estimator(**(settings | params)).fit(X[:350], y[:350])
    assert reg.score(X[:350], y[:350]) > 0.4  # least squares: 0.51


def test_max_grad_norm_limits_the_step_length():
    X, y = problem("squared_error", 3)
    start = start_for(3)
    lengths = []
    for limit in (None, 0.5):
        reg = estimator(batch_size="full", max_iter=1, learning_rate_init=1.0, max_grad_norm=limit)
        reg.fit(X, 10 * y, coefs_init=start[0], intercepts_init=start[1])
        ends = zip(reg.coefs_ + reg.intercepts_, [*start[0], *start[1]], strict=True)
        lengths.append(np.sqrt(sum(((p - q) ** 2).sum() for p, q in ends)))
    assert lengths[0] > 1.0
    np.testing.assert_allclose(lengths[1], 0.5, rtol=1e-10)


# Several calls


@pytest.mark.parametrize("params", [{}, {"momentum": 0.9}, {"solver": "adam"}, {"dropout": 0.2}], ids=str)
@losses
def test_k_partial_fits_equal_one_fit_of_k_epochs(loss, params, assert_identical):
    X, y, _, _ = split(loss, 3)
    params = {"loss": loss, "learning_rate_init": 0.01} | params
    parts = estimator(**params)
    for _ in range(6):
        parts.partial_fit(X, y)
    whole = estimator(**params).fit(X, y)
    assert_identical(parts, whole)
    assert parts.loss_curve_ == whole.loss_curve_
    assert parts.n_iter_ == 6


def test_partial_fit_with_a_validation_set_keeps_the_best_weights():
    X, y, rows, targets = split("squared_error", 1)
    reg = estimator(learning_rate_init=0.3)
    predictions = []
    for _ in range(20):
        predictions.append(reg.partial_fit(X, y, X_val=rows, y_val=targets).predict(rows))
    best = int(np.argmax(reg.validation_scores_))
    assert best < 19
    np.testing.assert_array_equal(reg.predict(rows), predictions[-1])
    np.testing.assert_array_equal(reg.restore_best().predict(rows), predictions[best])
    assert len(reg.validation_scores_) == 20


def test_restore_best_needs_a_validation_set():
    with pytest.raises(ValueError, match="restore"):
        estimator().partial_fit(X_train, y_train).restore_best()
    with pytest.raises(NotFittedError):
        estimator().restore_best()


def test_lbfgs_has_no_partial_fit():
    assert not hasattr(estimator(solver="lbfgs"), "partial_fit")


@pytest.mark.parametrize("params", [{}, {"momentum": 0.9, "learning_rate_init": 0.01}, {"solver": "adam"}], ids=str)
def test_a_warm_start_continues(params, assert_identical):
    whole = estimator(max_iter=6, **params).fit(X_train, y_train)
    parts = estimator(max_iter=3, warm_start=True, **params).fit(X_train, y_train).fit(X_train, y_train)
    assert_identical(parts, whole)
    assert parts.loss_curve_ == whole.loss_curve_


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_another_number_of_outputs_is_refused_and_nothing_changes(method):
    reg = estimator(warm_start=True).fit(X_train, y_train)
    before = reg.predict(X_val)
    for y in (y_train[:, 0], y_train[:, :2]):
        with pytest.raises(ValueError, match="outputs"):
            getattr(reg, method)(X_train, y)
    np.testing.assert_array_equal(reg.predict(X_val), before)
    assert estimator().fit(X_train, y_train).fit(X_train, y_train[:, 0]).n_outputs_ == 1


# scikit-learn's tools


def test_the_tags_describe_the_estimator():
    assert is_regressor(FNNRegressor())
    tags = get_tags(FNNRegressor())
    assert tags.target_tags.multi_output
    assert tags.target_tags.single_output
    assert tags.input_tags.sparse
    assert not tags.regressor_tags.poor_score


def test_a_clone_has_the_parameters_and_no_model():
    reg = estimator(loss="poisson", dropout=0.1).fit(X_train, COUNTS[:60])
    copy = clone(reg)
    assert copy.get_params() == reg.get_params()
    assert not hasattr(copy, "coefs_")


@pytest.mark.parametrize("params", [{}, {"momentum": 0.9}, {"solver": "adam"}, {"loss": "poisson"}], ids=str)
def test_a_pickle_predicts_and_continues_like_the_model(params, assert_identical):
    reg = estimator(**({"learning_rate_init": 0.01} | params)).partial_fit(X_train, COUNTS[:60])
    copy = pickle.loads(pickle.dumps(reg))
    np.testing.assert_array_equal(copy.predict(X_val), reg.predict(X_val))
    assert_identical(copy.partial_fit(X_train, COUNTS[:60]), reg.partial_fit(X_train, COUNTS[:60]))


@outputs
def test_targets_may_be_transformed(n_outputs):
    X, y, rows, targets = split("squared_error", n_outputs)
    model = TransformedTargetRegressor(estimator(max_iter=60), transformer=StandardScaler())
    model.fit(X, 1e6 * y + 1e7)
    inner = estimator(max_iter=60).fit(X, scale(y))
    expected = inner.predict(rows) * y.std(axis=0) + y.mean(axis=0)
    # The offset and the scale cost seven digits.
    np.testing.assert_allclose((model.predict(rows) - 1e7) / 1e6, expected, rtol=0, atol=1e-6)
    np.testing.assert_allclose(model.score(rows, 1e6 * targets + 1e7), r2_score(targets, expected), rtol=1e-5)


def test_a_grid_search_finds_the_learning_rate_that_learns():
    X, y = map(scale, load_diabetes(return_X_y=True))
    pipeline = make_pipeline(StandardScaler(), estimator(max_iter=10))
    grid = {"fnnregressor__learning_rate_init": [1e-5, 0.03], "fnnregressor__batch_size": [10, 50]}
    search = GridSearchCV(pipeline, grid, cv=3).fit(X, y)
    assert search.best_params_["fnnregressor__learning_rate_init"] == 0.03
    assert search.best_score_ > 0.4
    np.testing.assert_array_equal(search.predict(X), search.best_estimator_.predict(X))


def test_cross_validation_scores_are_r2():
    scores = [cross_val_score(estimator(), X_train, y_train, cv=3, scoring=s) for s in (None, "r2")]
    np.testing.assert_array_equal(scores[0], scores[1])


def test_random_state_determines_the_model(assert_identical):
    a, b, c = (estimator(dropout=0.2, random_state=seed).fit(X_train, y_train) for seed in (0, 0, 1))
    assert_identical(a, b)
    assert not np.array_equal(a.coefs_[0], c.coefs_[0])


def test_feature_names_are_kept():
    pd = pytest.importorskip("pandas")
    names = list("abcde")
    frame = pd.DataFrame(X_train, columns=names)
    reg = estimator(early_stopping=True, scoring="r2").fit(frame, y_train)
    assert list(reg.feature_names_in_) == names
    with pytest.raises(ValueError, match="feature names"):
        reg.predict(frame[names[::-1]])
