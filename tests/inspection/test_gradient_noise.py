"""gradient_noise, compared with a loop over the rows in float64 and with random mini-batches."""

import numpy as np
import pytest
from reference import row_gradient
from scipy import sparse
from selection import full_only
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.class_weight import compute_sample_weight

from skfnn import FNNClassifier, FNNRegressor
from skfnn.inspection import gradient_noise

rng = np.random.default_rng(0)
B = 150
X = rng.normal(size=(B, 6))
X[rng.random(X.shape) < 0.4] = 0.0  # entries that sparse rows leave out
signal = X @ rng.normal(size=(6, 3)) + 0.5 * rng.normal(size=(B, 3))
counts = rng.poisson(np.exp(0.3 * signal[:, :1])).astype(float)
weights = rng.uniform(0.2, 3.0, size=B)
weights[:5] = 0.0

PARAMS = {
    "hidden_layer_sizes": (7, 4),
    "activation": "tanh",
    "batch_size": 30,
    "dtype": "float64",
    # The tests compare gradients in the user's units.
    "standardize": False,
    "learning_rate_init": 0.1,
    "max_iter": 4,
    "n_iter_no_change": None,
    "random_state": 0,
}

# name: estimator, y, targets (B, n_outputs), kind of the problem in reference.py.
CASES = {
    "softmax": (FNNClassifier, signal.argmax(axis=1), np.eye(3)[signal.argmax(axis=1)], "multiclass"),
    "binary": (FNNClassifier, signal[:, 0] > 0, (signal[:, :1] > 0).astype(float), "binary"),
    "multilabel": (FNNClassifier, (signal > 0).astype(int), (signal > 0).astype(float), "multilabel"),
    "squared error": (FNNRegressor, signal[:, 0], signal[:, :1], "squared_error"),
    "two outputs": (FNNRegressor, signal[:, :2], signal[:, :2], "squared_error"),
    "poisson": (FNNRegressor, counts[:, 0], counts, "poisson"),
}

every_loss = pytest.mark.parametrize("case", CASES)

# Sums of 150 squares are computed in another order. The variance is the difference of two such sums.
RTOL = 1e-10


def fitted(case, rows=X, **params):
    estimator, y, _, _ = CASES[case]
    loss = {"loss": "poisson"} if case == "poisson" else {}
    return estimator(**(PARAMS | loss | params)).fit(rows, y)


def row_gradients(model, rows, targets, kind, w):
    """For each layer, the gradients of the rows times w / mean(w), (B, n_parameters)."""
    gradients = [[] for _ in model.coefs_]
    for x, t, weight in zip(rows, targets, w / w.mean(), strict=True):
        _, coef_grads, intercept_grads = row_gradient(x, t, model.coefs_, model.intercepts_, "tanh", kind)
        for layer, parts in enumerate(zip(coef_grads, intercept_grads, strict=True)):
            gradients[layer].append(weight * np.concatenate([part.ravel() for part in parts]))
    return [np.array(each) for each in gradients]


def assert_as_by_rows(noise, gradients):
    variances = np.array([((g - g.mean(axis=0)) ** 2).sum(axis=1).mean() for g in gradients])
    norms = np.array([(g.mean(axis=0) ** 2).sum() for g in gradients])
    np.testing.assert_allclose(noise.variance_by_layer, variances, rtol=RTOL)
    np.testing.assert_allclose(noise.gradient_norm_squared_by_layer, norms, rtol=RTOL)
    np.testing.assert_allclose(noise.noise_scale_by_layer, variances / norms, rtol=RTOL)
    np.testing.assert_allclose(noise.variance, variances.sum(), rtol=RTOL)
    np.testing.assert_allclose(noise.gradient_norm_squared, norms.sum(), rtol=RTOL)
    np.testing.assert_allclose(noise.noise_scale, variances.sum() / norms.sum(), rtol=RTOL)


@every_loss
@pytest.mark.parametrize("weighted", [False, True], ids=["", "weighted"])
def test_variance_and_norm_equal_those_from_the_rows_gradients(case, weighted):
    _, y, targets, kind = CASES[case]
    model = fitted(case)
    noise = gradient_noise(model, X, y, sample_weight=weights if weighted else None, n_draws=0)
    assert_as_by_rows(noise, row_gradients(model, X, targets, kind, weights if weighted else np.ones(B)))


@every_loss
def test_sparse_rows_give_the_same_noise(case):
    _, y, targets, kind = CASES[case]
    model = fitted(case, sparse.csr_matrix(X))
    noise = gradient_noise(model, sparse.csr_matrix(X), y, n_draws=0)
    assert_as_by_rows(noise, row_gradients(model, X, targets, kind, np.ones(B)))


@pytest.mark.parametrize("class_weight", ["balanced", {0: 3.0, 1: 0.5, 2: 1.0}], ids=str)
def test_class_weight_and_sample_weight_both_count(class_weight):
    _, y, targets, kind = CASES["softmax"]
    model = fitted("softmax", class_weight=class_weight)
    noise = gradient_noise(model, X, y, n_draws=0)
    w = compute_sample_weight(class_weight, y)
    assert_as_by_rows(noise, row_gradients(model, X, targets, kind, w))
    if class_weight != "balanced":  # balanced weights depend on the sample weights
        noise = gradient_noise(model, X, y, sample_weight=weights, n_draws=0)
        assert_as_by_rows(noise, row_gradients(model, X, targets, kind, w * weights))


@pytest.mark.parametrize("case", ["softmax", "binary", "multilabel"])
def test_label_smoothing_affects_the_noise(case):
    _, y, targets, kind = CASES[case]
    model = fitted(case, label_smoothing=0.2)
    smoothed = 0.8 * targets + 0.2 / (3 if case == "softmax" else 2)
    noise = gradient_noise(model, X, y, n_draws=0)
    assert_as_by_rows(noise, row_gradients(model, X, smoothed, kind, np.ones(B)))


def test_dropout_and_the_l2_term_are_left_out():
    _, y, targets, kind = CASES["softmax"]
    model = fitted("softmax", dropout=0.5, alpha=1.0)
    assert_as_by_rows(gradient_noise(model, X, y, n_draws=0), row_gradients(model, X, targets, kind, np.ones(B)))


@pytest.mark.parametrize("case", ["softmax", "squared error"])
def test_noise_of_more_rows_than_one_chunk(case):
    _, y, targets, kind = CASES[case]
    model = fitted(case)
    noise = gradient_noise(model, np.tile(X, (5, 1)), np.tile(y, 5), batch_sizes=[5 * B], n_draws=2, random_state=0)
    assert_as_by_rows(noise, row_gradients(model, X, targets, kind, np.ones(B)))
    assert noise.measured_variance[0] == 0.0


def test_float32_noise_agrees_within_its_precision():
    _, y, targets, kind = CASES["softmax"]
    model = fitted("softmax", dtype="float32")
    gradients = row_gradients(model, X, targets, kind, np.ones(B))
    noise = gradient_noise(model, X, y, n_draws=0)
    # These are squares of sums of a few numbers, each with a relative rounding error of 6e-8.
    np.testing.assert_allclose(noise.variance, sum(g.var(axis=0).sum() for g in gradients), rtol=1e-5)


# Mini-batches


@pytest.mark.parametrize("rows_of", [np.asarray, sparse.csr_matrix], ids=["dense", "sparse"])
@pytest.mark.parametrize("case", ["softmax", "binary", "multilabel"])
def test_random_mini_batches_have_the_predicted_variance(case, rows_of):
    noise = gradient_noise(fitted(case), rows_of(X), CASES[case][1], batch_sizes=[1, 4, 20, 100], random_state=0)
    # For 200 draws, the standard deviation of the ratio over seeds is about 0.06 at one row, and smaller at more rows.
    np.testing.assert_allclose(noise.measured_variance, noise.predicted_variance, rtol=0.15)


@pytest.mark.parametrize("case", [full_only("softmax"), "two outputs", full_only("poisson")])
def test_random_mini_batches_have_the_predicted_variance_with_sample_weights(case):
    settings = {"batch_sizes": [4, 60], "sample_weight": weights, "n_draws": 2000}
    noise = gradient_noise(fitted(case), X, CASES[case][1], random_state=0, **settings)
    # Weights make the rows more unequal. The standard deviation is 0.11 at four rows for 200 draws, so it is 0.035 for
    # 2,000.
    np.testing.assert_allclose(noise.measured_variance, noise.predicted_variance, rtol=0.1)


def test_the_predicted_variance_is_exact_for_draws_without_replacement():
    _, y, targets, kind = CASES["softmax"]
    model = fitted("softmax")
    rows = X[:6]
    noise = gradient_noise(model, rows, y[:6], batch_sizes=[1, 2, 3, 5, 6], n_draws=0)
    gradients = np.hstack(row_gradients(model, rows, targets[:6], kind, np.ones(6)))
    mean = gradients.mean(axis=0)
    for size, predicted in zip(noise.batch_sizes, noise.predicted_variance, strict=True):
        # Take all subsets of this size instead of random ones.
        masks = np.array([m for m in np.ndindex(*(2,) * 6) if sum(m) == size])
        distances = masks @ gradients / size - mean
        np.testing.assert_allclose(predicted, (distances**2).sum(axis=1).mean(), rtol=RTOL, atol=1e-25)


@every_loss
@pytest.mark.parametrize("weighted", [False, True], ids=["", "weighted"])
def test_at_full_batch_the_variance_is_exactly_zero(case, weighted):
    w = weights if weighted else None
    noise = gradient_noise(fitted(case), X, CASES[case][1], batch_sizes=[B], sample_weight=w, n_draws=3)
    assert noise.predicted_variance[0] == 0.0
    assert noise.measured_variance[0] == 0.0
    assert noise.variance > 0.0


def test_a_single_row_has_no_variance():
    noise = gradient_noise(fitted("softmax"), X[:1], CASES["softmax"][1][:1], batch_sizes=[1], n_draws=2)
    assert noise.measured_variance[0] == noise.predicted_variance[0] == 0.0
    # The two squared norms come from the factors and from the products. They are equal up to rounding.
    assert noise.variance <= 1e-15 * noise.gradient_norm_squared


def test_random_state_determines_the_draws():
    model, y = fitted("softmax"), CASES["softmax"][1]
    a, b, c = (gradient_noise(model, X, y, n_draws=5, random_state=seed).measured_variance for seed in (0, 0, 1))
    np.testing.assert_array_equal(a, b)
    assert (a != c).all()


def test_without_draws_nothing_is_measured():
    model, y = fitted("softmax"), CASES["softmax"][1]
    noise = gradient_noise(model, X, y, n_draws=0)
    assert np.isnan(noise.measured_variance).all()
    np.testing.assert_array_equal(noise.predicted_variance, gradient_noise(model, X, y).predicted_variance)


@pytest.mark.parametrize(("n", "expected"), [(1, [1]), (3, [1]), (150, [1, 4, 16, 64]), (64, [1, 4, 16, 64])])
def test_default_batch_sizes_are_powers_of_four_up_to_the_number_of_rows(n, expected):
    noise = gradient_noise(fitted("softmax"), X[:n], CASES["softmax"][1][:n], n_draws=0)
    assert noise.batch_sizes.tolist() == expected


def test_default_batch_sizes_end_at_1024():
    rows, y = np.tile(X, (40, 1)), np.tile(CASES["softmax"][1], 40)
    noise = gradient_noise(fitted("softmax"), rows, y, n_draws=0)
    assert noise.batch_sizes.tolist() == [1, 4, 16, 64, 256, 1024]


@pytest.mark.parametrize(
    "sizes", [[0], [-1], [1, B + 1], [2.0], [], [True], 4, [[1, 2]], "full", ["full"], [None]], ids=str
)
def test_bad_batch_sizes_are_refused(sizes):
    with pytest.raises(ValueError, match=f"batch_sizes must hold whole numbers from 1 to the number of rows, {B}"):
        gradient_noise(fitted("softmax"), X, CASES["softmax"][1], batch_sizes=sizes)


# The recommendation


def biased(distance, n=B):
    """A regressor that predicts 0 for targets of variance 1 whose mean is `distance`."""
    targets = rng.normal(size=n)
    targets = (targets - targets.mean()) / targets.std() + distance
    model = FNNRegressor((1,), standardize=False, dtype="float64", max_iter=1, n_iter_no_change=None, random_state=0)
    zeros = {"coefs_init": [np.zeros((2, 1)), np.zeros((1, 1))], "intercepts_init": [np.zeros(1), np.zeros(1)]}
    model.fit(np.zeros((n, 2)), np.zeros(n), **zeros)  # there is nothing to learn, so the weights stay zero
    return model, np.zeros((n, 2)), targets


@pytest.mark.parametrize(
    ("distance", "expected"),
    [(1.0, 1), (0.5, 4), (0.25, 16), (0.2, 32), (100.0, 1), (0.01, B)],
)
def test_recommended_batch_size_is_the_noise_scale_as_a_power_of_two(distance, expected):
    # Only the output's bias has a gradient: -y_b, with variance 1 and mean -distance.
    noise = gradient_noise(*biased(distance), n_draws=0)
    np.testing.assert_allclose(noise.noise_scale, 1.0 / distance**2, rtol=1e-9)
    assert noise.recommended_batch_size == expected
    assert isinstance(noise.recommended_batch_size, int)


@pytest.mark.parametrize("case", CASES)
def test_recommended_batch_size_is_near_the_noise_scale(case):
    noise = gradient_noise(fitted(case), X, CASES[case][1], n_draws=0)
    clipped = np.clip(noise.noise_scale, 1, B)
    assert clipped / np.sqrt(2) <= noise.recommended_batch_size <= clipped * np.sqrt(2)


# Pipelines, estimators and errors


def test_in_a_pipeline_the_other_steps_transform_the_rows():
    y = CASES["softmax"][1]
    pipeline = make_pipeline(StandardScaler(), FNNClassifier(**PARAMS)).fit(X, y)
    a = gradient_noise(pipeline, X, y, random_state=0, n_draws=5)
    b = gradient_noise(pipeline[-1], pipeline[0].transform(X), y, random_state=0, n_draws=5)
    assert a.keys() == b.keys()
    for key in a:
        np.testing.assert_array_equal(a[key], b[key])


def test_the_estimator_is_not_changed():
    _, y, _, _ = CASES["softmax"]
    model = fitted("softmax", dropout=0.3, momentum=0.5, class_weight="balanced")
    before = dict(vars(model))
    coefs = [W.copy() for W in model.coefs_]
    history = {key: list(values) for key, values in model.history_.items()}
    rows, labels, w = X.copy(), y.copy(), weights.copy()
    gradient_noise(model, X, y, sample_weight=weights)
    assert vars(model).keys() == before.keys()
    assert all(vars(model)[name] is value for name, value in before.items())
    assert model.history_ == history
    for W, old in zip(model.coefs_, coefs, strict=True):
        np.testing.assert_array_equal(W, old)
    for now, old in ((X, rows), (y, labels), (weights, w)):
        np.testing.assert_array_equal(now, old)


def test_noise_of_the_digits_in_float32():
    data, labels = load_digits(return_X_y=True)
    data = (data / 16).astype("float32")
    clf = FNNClassifier((16,), max_iter=3, n_iter_no_change=None, random_state=0).fit(data, labels)
    noise = gradient_noise(clf, data, labels, batch_sizes=[16, len(data)], n_draws=100, random_state=0)
    np.testing.assert_allclose(noise.measured_variance[0], noise.predicted_variance[0], rtol=0.15)
    assert noise.measured_variance[1] == 0.0


def test_only_fitted_networks_are_accepted():
    y = CASES["softmax"][1]
    with pytest.raises(NotFittedError):
        gradient_noise(FNNClassifier(), X, y)
    with pytest.raises(TypeError, match="estimator must be an FNNClassifier"):
        gradient_noise(MLPClassifier(), X, y)


def test_data_that_do_not_fit_are_refused():
    model, y = fitted("softmax"), CASES["softmax"][1]
    with pytest.raises(ValueError, match="features"):
        gradient_noise(model, X[:, :3], y)
    with pytest.raises(ValueError, match="classes not in"):
        gradient_noise(model, X, y + 1)
    with pytest.raises(ValueError, match="sample_weight"):
        gradient_noise(model, X, y, sample_weight=np.zeros(B))
