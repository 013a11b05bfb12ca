"""Dropout, against a NumPy loop with the same masks."""

import pickle
from functools import partial

import exact
import numpy as np
import pytest
import reference
from reference import ACTIVATIONS, initial_values, n_outputs, names_of, output, problem, row_loss, train
from scipy import sparse
from sklearn.metrics import accuracy_score, log_loss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tuned import FNNRegressor, retuned

from skfnn._engine import activations
from skfnn._engine.dropout import Dropout
from skfnn._engine.network import Network
from skfnn._engine.passes import Passes
from skfnn._engine.workspace import Workspace

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

# Both sides do the same float64 operations in different orders. After some hundred steps with numbers of size 1, they
# differ by about 1e-13.
ATOL = 1e-10

SOLVERS = {
    "plain": {},
    "plain, L2": {"alpha": 2.0},
    "momentum": {"momentum": 0.9, "nesterovs_momentum": False, "learning_rate_init": 0.02},
    "nesterov, L2": {"momentum": 0.9, "learning_rate_init": 0.02, "alpha": 2.0},
    "adam": {"solver": "adam", "learning_rate_init": 0.01},
    "clipped": {"max_grad_norm": 0.05},
    "clipped adam": {"solver": "adam", "learning_rate_init": 0.01, "max_grad_norm": 0.05},
}


estimator = partial(exact.estimator, dropout=0.3)


# The loop


def masks(seed, epoch, parts, hidden, keep):
    """The masks of all rows in all hidden layers, drawn part by part, layer by layer and unit by unit."""
    rng = np.random.default_rng([seed, epoch, 1])
    by_row = []
    for n in parts:
        layers = [(rng.random(n * units, dtype=np.float32) < keep).reshape(units, n) for units in hidden]
        by_row += [[layer[:, row].astype(float) for layer in layers] for row in range(n)]
    return by_row


def masked_row_gradient(x, t, mask, keep, coefs, intercepts, activation, kind):
    """Like ``reference.row_gradient``, but with hidden outputs multiplied by mask / keep."""
    names = names_of(activation, len(coefs) - 1)
    inputs, pre = [x], []
    for layer, (W, b) in enumerate(zip(coefs, intercepts, strict=True)):
        pre.append(inputs[-1] @ W + b)
        if layer < len(names):
            f = ACTIVATIONS[names[layer]][0]
            inputs.append(np.array([f(v) for v in pre[-1].tolist()]) * mask[layer] / keep)
    delta = output(pre[-1], kind) - t
    coef_grads, intercept_grads = [None] * len(coefs), [None] * len(coefs)
    for layer in range(len(coefs) - 1, -1, -1):
        coef_grads[layer], intercept_grads[layer] = np.outer(inputs[layer], delta), delta
        if layer:
            derivative = ACTIVATIONS[names[layer - 1]][1]
            slope = np.array([derivative(v) for v in pre[layer - 1].tolist()])
            delta = (coefs[layer] @ delta) * slope * mask[layer - 1] / keep
    return row_loss(pre[-1], t, kind), coef_grads, intercept_grads


def masked_batch_gradient(clf, parts):
    """A replacement for ``reference.batch_gradient`` that applies masks, counts epochs and clips."""
    keep, epoch, by_row = 1.0 - clf.dropout, -1, None

    def batch_gradient(X, T, rows, coefs, intercepts, activation, kind, alpha, w, mean_w, B):
        nonlocal epoch, by_row
        if rows[0] == 0:
            epoch += 1
            by_row = masks(clf._state.seed, epoch, parts, clf.hidden_layer_sizes, keep)
        sums, loss = [np.zeros_like(p) for p in coefs + intercepts], 0.0
        for b in rows:
            value, *grads = masked_row_gradient(X[b], T[b], by_row[b], keep, coefs, intercepts, activation, kind)
            loss += w[b] / mean_w * value
            for s, g in zip(sums, grads[0] + grads[1], strict=True):
                s += w[b] / mean_w * g / len(rows)
        if clf.max_grad_norm is not None:
            norm = np.sqrt(sum((s**2).sum() for s in sums))
            sums = [s * min(1.0, clf.max_grad_norm / norm) for s in sums]
        for s, W in zip(sums, coefs, strict=False):
            s += alpha / B * W
        return sums, loss

    return batch_gradient


def compare(
    kind="multiclass",
    *,
    n_rows=70,
    n_epochs=2,
    container=np.asarray,
    sample_weight=None,
    sizes=None,
    parts=None,
    monkeypatch,
    assert_parameters,
    **params,
):
    """Train with the package and with the loop, and compare the parameters and the loss curves."""
    X, y, T = problem(kind, n_rows)
    clf = retuned(estimator(n_epochs, **params), **(sizes or {}))
    start = initial_values((X.shape[1], *clf.hidden_layer_sizes, n_outputs(kind)), seed=1)
    clf.fit(container(X), y, sample_weight=sample_weight, coefs_init=start[0], intercepts_init=start[1])
    size = n_rows if clf.batch_size == "full" else clf.batch_size
    if parts is None:
        parts = [min(size, n_rows - begin) for begin in range(0, n_rows, size)]
    assert sum(parts) == n_rows
    monkeypatch.setattr(reference, "batch_gradient", masked_batch_gradient(clf, parts))
    coefs, intercepts, losses, _ = train(
        X,
        T,
        *start,
        activation=clf.activation,
        kind=kind,
        batch_size=size,
        n_epochs=n_epochs,
        eta=clf.learning_rate_init_,
        solver=clf.solver,
        momentum=clf.momentum,
        nesterov=clf.nesterovs_momentum,
        alpha=clf.alpha,
        weights=sample_weight,
    )
    assert max(abs(p - q).max() for p, q in zip(coefs, start[0], strict=True)) > 1e-3  # training moved
    assert_parameters(clf, coefs, intercepts, atol=ATOL)
    np.testing.assert_allclose(clf.loss_curve_, losses, rtol=0, atol=ATOL)


@pytest.mark.parametrize("batch_size", [1, 5, 16, "full"])
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize("solver", SOLVERS)
def test_training_equals_the_loop_with_the_same_masks(solver, container, batch_size, monkeypatch, assert_parameters):
    compare(
        container=container,
        batch_size=batch_size,
        monkeypatch=monkeypatch,
        assert_parameters=assert_parameters,
        **SOLVERS[solver],
    )


@pytest.mark.parametrize("activation", list(ACTIVATIONS) + [["relu", "logistic"]], ids=str)
@pytest.mark.parametrize("batch_size", [5, 16])
def test_training_equals_the_loop_with_every_activation(activation, batch_size, monkeypatch, assert_parameters):
    # The layers have 16 x 6 and 16 x 4 outputs, or 5 x 4. ReLU's derivative is computed differently for large layers.
    compare(activation=activation, batch_size=batch_size, monkeypatch=monkeypatch, assert_parameters=assert_parameters)


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "elu"])
def test_training_equals_the_loop_with_wide_layers(activation, monkeypatch, assert_parameters):
    compare(
        activation=activation,
        hidden_layer_sizes=(40, 30),
        batch_size=30,
        monkeypatch=monkeypatch,
        assert_parameters=assert_parameters,
    )


@pytest.mark.parametrize("kind", ["binary", "multilabel"])
@pytest.mark.parametrize("hidden", [(5,), (5, 4, 3)])
@pytest.mark.parametrize("dropout", [0.1, 0.5, 0.8])
def test_training_equals_the_loop_for_every_output_and_depth(kind, hidden, dropout, monkeypatch, assert_parameters):
    compare(
        kind, hidden_layer_sizes=hidden, dropout=dropout, monkeypatch=monkeypatch, assert_parameters=assert_parameters
    )


@pytest.mark.parametrize("batch_size", [1, 16, "full"])
def test_training_equals_the_loop_with_row_weights(batch_size, monkeypatch, assert_parameters):
    weight = np.random.default_rng(3).integers(0, 4, size=70).astype(float)
    compare(sample_weight=weight, batch_size=batch_size, monkeypatch=monkeypatch, assert_parameters=assert_parameters)


@pytest.mark.parametrize("solver", ["plain, L2", "nesterov, L2", "adam", "clipped"])
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
def test_training_equals_the_loop_if_a_batch_is_split_into_parts(solver, container, monkeypatch, assert_parameters):
    # A part has at least 64 rows. The batches have 100 and 50 rows.
    compare(
        n_rows=150,
        batch_size=100,
        parts=[64, 36, 50],
        sizes={"chunk_rows": 64},
        container=container,
        monkeypatch=monkeypatch,
        assert_parameters=assert_parameters,
        **SOLVERS[solver],
    )


def test_float32_drops_the_same_units():
    X, y, _ = problem("multiclass", 70)
    fits = {dtype: estimator(2, dtype=dtype, shuffle=True).fit(X, y) for dtype in ("float32", "float64")}
    single, double = fits["float32"], fits["float64"]
    assert single.coefs_[0].dtype == np.float32
    for p, q in zip(single.coefs_, double.coefs_, strict=True):
        # Ten steps, each of which rounds weights of size 1 to 6e-8. One more dropped unit would move them by 1e-3.
        np.testing.assert_allclose(p, q, rtol=0, atol=5e-6)


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
