"""Training with dropout equals a NumPy loop with the same masks."""

import numpy as np
import pytest
import reference
from dropped import SOLVERS, estimator
from reference import ACTIVATIONS, initial_values, n_outputs, names_of, output, problem, row_loss, train
from scipy import sparse
from tuned import retuned

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


# Both sides do the same float64 operations in different orders. After some hundred steps with numbers of size 1, they
# differ by about 1e-13.
ATOL = 1e-10


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
        # Each of ten steps rounds weights of size 1 to 6e-8. One more dropped unit would move them by 1e-3.
        np.testing.assert_allclose(p, q, rtol=0, atol=5e-6)
