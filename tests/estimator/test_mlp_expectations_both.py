"""What scikit-learn's tests expect of MLPClassifier and MLPRegressor alike, and of MLPRegressor alone."""

import joblib
import numpy as np
import pytest
from sklearn.datasets import load_digits, load_iris, make_regression
from sklearn.exceptions import ConvergenceWarning, UndefinedMetricWarning
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from skfnn import FNNClassifier, FNNRegressor

not_converged = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
estimators = pytest.mark.parametrize("kind", [FNNClassifier, FNNRegressor])

X_iris, y_iris = load_iris(return_X_y=True)
X_iris = StandardScaler().fit_transform(X_iris)
X_digits, y_digits = load_digits(n_class=2, return_X_y=True)
X_digits, y_digits = MinMaxScaler().fit_transform(X_digits[:100]), y_digits[:100]
X_line, y_line = make_regression(n_samples=200, n_features=10, noise=1.0, random_state=1)
X_line, y_line = StandardScaler().fit_transform(X_line), (y_line - y_line.mean()) / y_line.std()
TWO_ROWS = [[3, 2], [1, 6]], [1, 0]

# L-BFGS


@not_converged
@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu", "leaky_relu", "elu", "selu", "gelu"])
def test_lbfgs_fits_a_regression_with_every_activation(activation):
    bent = np.sin(X_line[:, 0]) + y_line
    reg = FNNRegressor(50, activation, solver="lbfgs", max_iter=300, random_state=1).fit(X_line, bent)
    # The linear network cannot fit the sine, which is about a fifth of the variance. The others also learn the noise.
    assert reg.score(X_line, bent) > (0.8 if activation == "identity" else 0.98)


@pytest.mark.parametrize("activation", ["identity", "tanh", "relu"])
def test_max_fun_limits_lbfgs_in_regression(activation):
    reg = FNNRegressor(50, activation, solver="lbfgs", max_iter=150, max_fun=10, tol=0.0, random_state=1)
    with pytest.warns(ConvergenceWarning):
        reg.fit(X_line, y_line)
    assert 1 <= reg.n_iter_ <= 10


@not_converged
def test_several_outputs_are_learned():
    X, Y = make_regression(n_samples=200, n_targets=5, random_state=11)
    reg = FNNRegressor(50, solver="lbfgs", max_iter=200, random_state=1)
    assert reg.fit(X, Y).score(X, Y) > 0.9
    assert reg.predict(X).shape == (200, 5)
    assert reg.out_activation_ == "identity"


# partial_fit


@not_converged
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_partial_fit_learns_a_regression(momentum):
    params = {"momentum": momentum, "learning_rate_init": 0.02, "batch_size": "full", "random_state": 1}
    whole = FNNRegressor(max_iter=100, n_iter_no_change=np.inf, **params).fit(X_line, y_line)
    parts = FNNRegressor(**params)
    for _ in range(100):
        parts.partial_fit(X_line, y_line)
    np.testing.assert_array_equal(parts.predict(X_line), whole.predict(X_line))
    assert parts.score(X_line, y_line) > 0.65


@not_converged
@estimators
def test_partial_fit_continues_after_a_fit_that_was_stopped_early(kind):
    net = kind(20, early_stopping=True, max_iter=20, random_state=0).fit(X_iris, y_iris)
    before, epochs = [c.copy() for c in net.coefs_], net.n_iter_
    net.partial_fit(X_iris, y_iris)
    assert net.n_iter_ == epochs + 1
    assert len(net.loss_curve_) == epochs + 1
    # The call had no rows to score, so this epoch adds no score.
    scores = net.history_["validation_score"]
    assert [score is None for score in scores] == [False] * epochs + [True]
    assert (net.coefs_[0] != before[0]).any()


@not_converged
def test_a_loaded_regression_learns_another_target(tmp_path):
    params = {"solver": "adam", "learning_rate_init": 0.01, "max_iter": 400, "n_iter_no_change": np.inf}
    reg = FNNRegressor(42, random_state=42, **params).fit([[2]], [4])
    np.testing.assert_allclose(reg.predict([[2]]), [4], rtol=0.01)
    joblib.dump(reg, tmp_path / "reg.pkl")
    loaded = joblib.load(tmp_path / "reg.pkl")
    for _ in range(400):
        loaded.partial_fit([[2]], [1])
    np.testing.assert_allclose(loaded.predict([[2]]), [1], rtol=1e-3)
    np.testing.assert_allclose(reg.predict([[2]]), [4], rtol=0.01)  # the pickled model did not change


# Epochs


@not_converged
def test_shuffle_has_an_effect_on_a_regression():
    params = {"max_iter": 1, "batch_size": 1, "random_state": 0}
    again = {
        s: [FNNRegressor(1, shuffle=s, **params).fit(X_line, y_line).coefs_[0] for _ in "12"] for s in (False, True)
    }
    for first, second in again.values():
        np.testing.assert_array_equal(first, second)
    assert (again[False][0] != again[True][0]).any()


@estimators
@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_training_stops_when_it_has_converged_by_tol(kind, solver):
    net = kind(tol=0.5, max_iter=3000, solver=solver, random_state=0).fit(*TWO_ROWS)
    assert net.n_iter_ < 3000


@estimators
@pytest.mark.parametrize("patience", [2, 5, 50])
def test_more_than_n_iter_no_change_epochs_without_improvement_stop_training(kind, patience):
    tol = 0.01
    # Patience judges the loss in the coordinates of training, which are the user's units here.
    net = kind(tol=tol, max_iter=3000, n_iter_no_change=patience, standardize=False, random_state=0)
    net.fit(X_digits, y_digits)
    assert net.n_iter_ < 3000
    # The last improvement by tol was n_iter_no_change + 1 epochs before the end.
    losses = np.array(net.loss_curve_)
    best_before = np.concatenate([[np.inf], np.minimum.accumulate(losses)[:-1]])
    improving = np.flatnonzero(losses <= best_before - tol)
    assert len(losses) - 1 - improving[-1] == patience + 1


@not_converged
@estimators
def test_partial_fit_prints_its_epoch(capsys, kind):
    net = kind(2, max_iter=2, verbose=10, random_state=0).fit(*TWO_ROWS)
    assert capsys.readouterr().out.count("loss") == 2
    net.partial_fit(*TWO_ROWS)
    (line,) = capsys.readouterr().out.splitlines()
    assert "Epoch 3" in line
    assert f"loss {net.loss_:.6f}" in line


@estimators
def test_the_adaptive_rate_falls_until_training_stops(kind):
    net = kind(tol=0.5, max_iter=3000, learning_rate="adaptive", random_state=0).fit(*TWO_ROWS)
    assert net.n_iter_ < 3000
    rates = np.array(net.history_["learning_rate"])
    assert rates[-1] <= 1e-6 < rates[0]
    steps = rates[:-1] / rates[1:]
    np.testing.assert_allclose(steps[steps != 1.0], 5.0)


# Early stopping


@estimators
def test_early_stopping_watches_the_validation_score(kind):
    tol = 0.2
    net = kind(tol=tol, max_iter=3000, early_stopping=True, random_state=0).fit(X_digits, y_digits)
    assert net.n_iter_ < 3000
    assert net.best_loss_ is None
    assert isinstance(net.validation_scores_, list)
    assert max(net.validation_scores_) == net.best_validation_score_
    assert max(net.validation_scores_[-2:]) < net.best_validation_score_ + tol


@estimators
def test_without_early_stopping_there_are_no_scores(kind):
    net = kind(tol=0.2, max_iter=3000, random_state=0).fit(X_digits, y_digits)
    assert net.validation_scores_ is None
    assert net.best_validation_score_ is None
    assert net.best_loss_ == min(net.loss_curve_)


@not_converged
def test_a_class_of_one_row_makes_the_split_plain():
    X, y = [[1.0, 2.0], [2.0, 3.0], [3.0, 4.0], [4.0, 5.0]], [0, 0, 0, 1]
    clf = FNNClassifier(early_stopping=True, max_iter=5, random_state=0).fit(X, y)
    assert len(clf.validation_scores_) == clf.n_iter_
    assert set(clf.validation_scores_) <= {0.0, 1.0}  # one row is held out


@not_converged
@estimators
@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
def test_with_early_stopping_equal_weights_change_nothing(kind, solver):
    params = {
        "solver": solver,
        "early_stopping": True,
        "validation_fraction": 0.1,
        "tol": 1e-2,
        "batch_size": 10,
        "random_state": 42,
        "max_iter": 50,
    }
    plain = kind(10, **params).fit(X_iris, y_iris)
    weighted = kind(10, **params).fit(X_iris, y_iris, sample_weight=np.full(150, 2.0))
    # Dividing by a power of 2 is exact.
    np.testing.assert_allclose(weighted.validation_scores_, plain.validation_scores_, rtol=1e-10)
    np.testing.assert_allclose(weighted.coefs_[0], plain.coefs_[0], rtol=1e-8, atol=1e-10)


@not_converged
def test_two_rows_are_too_few_for_a_validation_score():
    X, y = make_regression(n_samples=3, n_features=5, random_state=0)
    with pytest.warns(UndefinedMetricWarning, match="less than two samples"):
        reg = FNNRegressor(early_stopping=True, learning_rate_init=1e-6, random_state=0).fit(X, y)
    # No score is an improvement, so the weights of the last epoch remain.
    assert np.isnan(reg.validation_scores_).all()
    assert reg.n_iter_ == reg.n_iter_no_change + 1
    for n in (1, 2):
        with pytest.raises(ValueError, match="training rows"):
            FNNRegressor(early_stopping=True).fit(X[:n], y[:n])


@not_converged
@pytest.mark.filterwarnings("error::UserWarning")
def test_feature_names_are_kept_in_a_regression_with_early_stopping():
    pd = pytest.importorskip("pandas")
    X = pd.DataFrame(X_line[:20, :2], columns=["a", "b"])
    for scoring in (None, "r2"):
        reg = FNNRegressor(early_stopping=True, validation_fraction=0.2, scoring=scoring, max_iter=5, random_state=0)
        reg.fit(X, pd.Series(np.ones(20), name="target"))
        np.testing.assert_array_equal(reg.feature_names_in_, ["a", "b"])
        reg.predict(X)


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_diverging_loss_is_an_error_even_with_early_stopping(early_stopping):
    reg = FNNRegressor(activation="identity", learning_rate_init=1.0, max_iter=20, random_state=0)
    with pytest.raises(ValueError, match="diverged.*learning_rate_init=1.*smaller learning_rate_init"):
        reg.set_params(early_stopping=early_stopping).fit(X_iris, y_iris)
    assert not hasattr(reg, "validation_scores_")
    assert not hasattr(reg, "coefs_")


# Warm starts


@not_converged
@pytest.mark.parametrize(
    ("labels", "counts"),
    [([0, 1], [75, 75]), ([0, 1, 3], [50] * 3), ([0, 1, 2, 3], [37, 37, 38, 38]), (range(5), [30] * 5)],
)
def test_a_warm_start_on_other_classes_names_both(labels, counts):
    clf = FNNClassifier(2, solver="lbfgs", warm_start=True, random_state=42, tol=1e-2, max_iter=20)
    clf.fit(X_iris, y_iris).fit(X_iris, y_iris)
    clf.fit(X_iris, np.repeat([0, 1, 2], [40, 40, 70]))
    with pytest.raises(ValueError, match=r"Previously got \[0 1 2\], `y` has \[0 1") as caught:
        clf.fit(X_iris, np.repeat(labels, counts))
    assert str(np.array(labels)) in str(caught.value)


@not_converged
@estimators
def test_each_warm_start_does_max_iter_epochs(kind):
    net = kind(2, warm_start=True, max_iter=3, random_state=0)
    for calls in (1, 2, 3):
        net.fit(X_iris, y_iris)
        assert net.n_iter_ == 3
        assert len(net.loss_curve_) == 3 * calls


@not_converged
@estimators
def test_a_warm_start_may_stop_early(kind):
    net = kind(max_iter=10, random_state=0, warm_start=True, early_stopping=True).fit(X_iris, y_iris)
    before = len(net.validation_scores_)
    net.set_params(max_iter=20).fit(X_iris, y_iris)
    assert len(net.validation_scores_) > before


@estimators
@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
def test_each_warm_start_without_convergence_warns(kind, solver):
    # With n_iter_no_change=np.inf, SGD and Adam train for max_iter epochs.
    net = kind(solver=solver, warm_start=True, max_iter=5, tol=0.0, n_iter_no_change=1000, random_state=0)
    for max_iter in (5, 8):
        with pytest.warns(ConvergenceWarning):
            net.set_params(max_iter=max_iter).fit(X_iris, y_iris)
        assert net.n_iter_ == max_iter
