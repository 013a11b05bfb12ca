"""What dropout drops, when it drops nothing, and how it works with other settings."""

import pickle

import numpy as np
import pytest
from dropped import SOLVERS, estimator
from reference import initial_values, problem
from scipy import sparse
from sklearn.metrics import accuracy_score, log_loss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tuned import FNNRegressor

from skfnn._engine import activations
from skfnn._engine.dropout import Dropout
from skfnn._engine.network import Network
from skfnn._engine.passes import Passes
from skfnn._engine.workspace import Workspace

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


# The masks


@pytest.mark.parametrize("dropout", [0.1, 0.5, 0.9])
def test_the_fraction_of_dropped_units_is_the_probability(dropout):
    # A step with one row moves the weights of every unit that is kept, because softplus has a slope everywhere.
    n_units = 3000
    clf = estimator(1, hidden_layer_sizes=(n_units,), activation="softplus", dropout=dropout, batch_size=1)
    clf.partial_fit(np.ones((1, 3)), [0], classes=[0, 1])
    before = clf.coefs_[0].copy()
    clf.partial_fit(np.ones((1, 3)), [1])
    dropped = (clf.coefs_[0] == before).all(axis=0).mean()
    # Five standard errors of a fraction; the seed is fixed.
    assert abs(dropped - dropout) < 5 * np.sqrt(dropout * (1 - dropout) / n_units)


@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize("dropout", [0.2, 0.5])
def test_dropout_does_not_change_the_expected_pre_activation(activation, dropout):
    n, network = 20_000, Network((3, 8, 2), (activation,))
    theta = np.random.default_rng(0).normal(size=network.n_parameters)
    layers = network.layers(theta)
    z = np.array([0.5, -1.0, 2.0]) @ layers[0][:-1] + layers[0][-1]

    drop = Dropout(dropout, network, n, np.float64)
    drop.begin_epoch(np.random.default_rng)
    raw = {}
    for name, passes, keep in (
        ("with", Passes(network, theta, drop), drop.keep),
        ("without", Passes(network, theta), 1.0),
    ):
        panel = Workspace(network, n, np.float64, keep=keep).panel(n)
        panel.outputs[0][...] = z
        raw[name] = np.empty((n, 2), order="F")
        passes.forward(panel, raw[name])
    spread = raw["with"].std(axis=0)
    assert (spread > 0.1).all()
    # Five standard errors of a mean of independent draws.
    error = np.abs(raw["with"].mean(axis=0) - raw["without"][0])
    assert (error < 5 * spread / np.sqrt(n)).all()


def test_masks_change_from_row_to_row_from_batch_to_batch_and_from_epoch_to_epoch():
    drop = Dropout(0.3, Network((3, 30, 2), ("identity",)), 23, np.float64)
    ((apply, _),) = drop.around([activations.ACTIVATIONS["identity"]])

    def mask():
        z = np.ones((23, 30), order="F")
        apply(z, None, None)
        return z

    found = []
    for epoch in range(2):
        drop.begin_epoch(lambda stream, epoch=epoch: np.random.default_rng([epoch, stream]))
        found += [mask(), mask()]
    assert set(np.unique(found)) == {0.0, 1.0}
    # All rows of all masks differ.
    assert len({row.tobytes() for row in np.vstack(found)}) == 4 * 23


# No dropout in prediction and validation


def test_nothing_is_dropped_in_prediction(assert_parameters):
    X, y, _ = problem("multiclass", 70)
    clf = estimator(3, dropout=0.5).fit(X, y)
    p = clf.predict_proba(X)
    np.testing.assert_array_equal(p, clf.predict_proba(X))
    plain = estimator(1, dropout=0.0).fit(X, y)
    for mine, theirs in zip(plain.coefs_ + plain.intercepts_, clf.coefs_ + clf.intercepts_, strict=True):
        mine[...] = theirs
    np.testing.assert_array_equal(p, plain.predict_proba(X))


@pytest.mark.parametrize("given", [True, False])
def test_nothing_is_dropped_in_validation(given):
    X, y, _ = problem("multiclass", 90)
    X_val, y_val = (X[60:], y[60:]) if given else (None, None)
    rows = []

    def scorer(clf, X, y):
        rows[:] = [X, y]
        return accuracy_score(y, clf.predict(X))

    params = {"dropout": 0.5, "validation_fraction": 0.3}
    spied = estimator(3, scoring=scorer, **params).fit(X, y, X_val=X_val, y_val=y_val)
    clf = estimator(3, **params).fit(X, y, X_val=X_val, y_val=y_val)
    np.testing.assert_allclose(clf.validation_scores_, spied.validation_scores_, rtol=1e-14)
    assert clf.validation_scores_[-1] == clf.score(*rows)
    expected = log_loss(rows[1], clf.predict_proba(rows[0]), labels=clf.classes_)
    np.testing.assert_allclose(clf.validation_loss_curve_[-1], expected, rtol=1e-10)


def test_validation_does_not_change_training(assert_identical):
    X, y, _ = problem("multiclass", 70)
    assert_identical(estimator(3).fit(X, y, X_val=X, y_val=y), estimator(3).fit(X, y))


# Repeatability, and continued training


def test_random_state_makes_dropout_repeatable(assert_identical):
    X, y, _ = problem("multiclass", 70)
    start = initial_values((5, 6, 4, 3), seed=1)
    fits = [
        estimator(2, random_state=seed).fit(X, y, coefs_init=start[0], intercepts_init=start[1]) for seed in (5, 5, 6)
    ]
    assert_identical(fits[0], fits[1])
    assert (fits[0].coefs_[0] != fits[2].coefs_[0]).any()  # the rows are in order, so only the masks differ


def test_a_probability_too_small_to_drop_a_unit_changes_no_bit(assert_identical):
    # 1 - 1e-17 is 1, so no unit is dropped. Initial values and the order of the rows must not depend on dropout.
    X, y, _ = problem("multiclass", 70)
    assert_identical(*(estimator(2, dropout=p, shuffle=True, max_grad_norm=0.1).fit(X, y) for p in (0.0, 1e-17)))


@pytest.mark.parametrize("name", SOLVERS)
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
def test_k_partial_fits_equal_one_fit_of_k_epochs(name, container, assert_identical):
    X, y, _ = problem("multiclass", 70)
    X, params = container(X), {"shuffle": True} | SOLVERS[name]
    whole, parts = estimator(4, **params).fit(X, y), estimator(4, **params)
    for _ in range(4):
        parts.partial_fit(X, y, classes=np.unique(y))
    assert_identical(whole, parts)
    assert whole.loss_curve_ == parts.loss_curve_
    warm = estimator(2, warm_start=True, **params).fit(X, y).fit(X, y)
    assert_identical(whole, warm)


@pytest.mark.parametrize("name", ["plain", "nesterov, L2", "adam"])
def test_a_pickled_model_continues_like_the_model_itself(name, assert_identical):
    X, y, _ = problem("multiclass", 70)
    clf = estimator(2, shuffle=True, **SOLVERS[name]).fit(X, y)
    copy = pickle.loads(pickle.dumps(clf))
    for _ in range(2):
        clf.partial_fit(X, y)
        copy.partial_fit(X, y)
    assert_identical(clf, copy)
    assert_identical(clf, estimator(4, shuffle=True, **SOLVERS[name]).fit(X, y))


# Together with other settings


def test_lbfgs_refuses_dropout():
    X, y, _ = problem("multiclass", 23)
    clf = estimator(3, solver="lbfgs")
    with pytest.raises(ValueError, match="dropout=0.3 needs solver='sgd' or 'adam'"):
        clf.fit(X, y)
    assert not hasattr(clf, "coefs_")
    clf.set_params(dropout=0.0).fit(X, y)


@pytest.mark.parametrize("dropout", [-0.1, 1.0, 1.5, "0.5", None, float("nan")])
def test_a_probability_outside_0_to_1_is_refused(dropout):
    X, y, _ = problem("multiclass", 23)
    with pytest.raises(ValueError, match="dropout"):
        estimator(3, dropout=dropout).fit(X, y)


def test_early_stopping_restores_the_best_weights(assert_identical):
    X, y, _ = problem("multiclass", 150)
    X_val, y_val = X[100:], y[100:]
    X, y = X[:100], y[:100]
    params = {"learning_rate_init": 0.5, "dropout": 0.5, "shuffle": True, "scoring": "loss"}
    clf = estimator(60, early_stopping=True, **(params | {"n_iter_no_change": 5})).fit(X, y, X_val=X_val, y_val=y_val)
    best = int(np.argmax(clf.validation_scores_))
    assert best < clf.n_iter_ - 1
    assert_identical(clf, estimator(best + 1, **params).fit(X, y))


def test_class_weights_act_as_row_weights(assert_identical):
    X, y, _ = problem("multiclass", 70)
    weighted = estimator(3, class_weight={3: 0.25, 11: 4.0}).fit(X, y)
    by_row = estimator(3).fit(X, y, sample_weight=np.select([y == 3, y == 11], [0.25, 4.0], 1.0))
    assert_identical(weighted, by_row)
    assert (weighted.coefs_[0] != estimator(3).fit(X, y).coefs_[0]).any()


def test_data_frames_in_a_pipeline():
    pd = pytest.importorskip("pandas")
    X, y, _ = problem("multiclass", 70)
    frame = pd.DataFrame(X, columns=list("abcde"))
    fits = [make_pipeline(StandardScaler(), estimator(3)).fit(rows, y) for rows in (frame, X)]
    # A frame's columns are summed in a different order than an array's.
    np.testing.assert_allclose(fits[0].predict_proba(frame), fits[1].predict_proba(X), rtol=1e-10)
    assert list(fits[0][:-1].get_feature_names_out()) == list("abcde")


def test_the_regressor_supports_dropout():
    X, _, T = problem("multilabel", 70)
    params = {"batch_size": 16, "max_iter": 3, "n_iter_no_change": None, "random_state": 0, "shuffle": False}
    reg = FNNRegressor((6,), dropout=0.5, **params).fit(X, T)
    np.testing.assert_array_equal(reg.predict(X), FNNRegressor((6,), dropout=0.5, **params).fit(X, T).predict(X))
    assert (reg.predict(X) != FNNRegressor((6,), **params).fit(X, T).predict(X)).any()
