"""hidden_activations, compared with a forward pass written from the formulas."""

import numpy as np
import pytest
from reference import ACTIVATIONS, forward
from scipy import sparse
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import SelectKBest
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from skfnn import FNNClassifier, FNNRegressor
from skfnn.inspection import hidden_activations

X, y = load_iris(return_X_y=True)
X = StandardScaler().fit_transform(X)
X[abs(X) < 0.3] = 0.0  # entries that sparse rows leave out
NAMES = ["sepal length", "sepal width", "petal length", "petal width"]

# Sums of a few numbers of size 1 are computed in another order.
ATOL = {"float64": 1e-12, "float32": 2e-5}


SETTINGS = {
    "hidden_layer_sizes": (7, 5, 3),
    "solver": "adam",
    "learning_rate_init": 0.02,
    "batch_size": 20,
    "max_iter": 15,
    "n_iter_no_change": None,
    "random_state": 0,
}


def classifier(**params):
    return FNNClassifier(**(SETTINGS | params))


def regressor(**params):
    return FNNRegressor(**(SETTINGS | params))


def by_hand(model, rows, layer):
    """The output of a hidden layer, computed row by row in float64 from the weights of the model."""
    coefs = [W.astype(float) for W in model.coefs_]
    intercepts = [b.astype(float) for b in model.intercepts_]
    activation = model.activation
    n_hidden = len(coefs) - 1
    inputs = [forward(row, coefs, intercepts, activation)[0] for row in np.asarray(rows, float)]
    return np.array([each[layer % n_hidden + 1] for each in inputs])


CONTAINERS = {
    "array": lambda rows: rows,
    "Fortran-ordered": np.asfortranarray,
    "list": lambda rows: rows.tolist(),
    "csr_matrix": sparse.csr_matrix,
    "csc_matrix": sparse.csc_matrix,
    "csr_array": sparse.csr_array,
    "coo_array": sparse.coo_array,
}


# The values


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_every_activation_follows_its_formula(activation, container, dtype):
    clf = classifier(activation=activation, dtype=dtype).fit(container(X), y)
    for layer, units in enumerate((7, 5, 3)):
        found = hidden_activations(clf, container(X[:40]), layer)
        assert found.shape == (40, units)
        assert found.dtype == dtype
        np.testing.assert_allclose(found, by_hand(clf, X[:40], layer), rtol=0, atol=ATOL[dtype])
        assert np.ptp(found) > 0.01


def test_every_layer_has_its_own_activation():
    names = ["tanh", "softplus", "gelu"]
    clf = classifier(activation=names).fit(X, y)
    for layer in range(3):
        np.testing.assert_allclose(hidden_activations(clf, X, layer), by_hand(clf, X, layer), rtol=0, atol=1e-12)
    assert hidden_activations(clf, X, 1).min() > 0  # softplus


@pytest.mark.parametrize("layer", [0, 1, 2])
def test_layers_may_be_counted_from_the_end(layer):
    clf = classifier(activation="tanh").fit(X, y)
    expected = hidden_activations(clf, X, layer)
    np.testing.assert_array_equal(hidden_activations(clf, X, layer - 3), expected)
    np.testing.assert_array_equal(hidden_activations(clf, X, np.int64(layer)), expected)


def test_the_last_layer_is_the_default():
    clf = classifier(activation="tanh").fit(X, y)
    np.testing.assert_array_equal(hidden_activations(clf, X), hidden_activations(clf, X, 2))


@pytest.mark.parametrize("problem", ["multiclass", "binary", "multilabel", "one output", "three outputs", "poisson"])
def test_the_output_layer_reads_the_last_hidden_layer(problem):
    targets = {
        "multiclass": y,
        "binary": y > 0,
        "multilabel": np.column_stack([y > 0, y > 1]).astype(int),
        "one output": X[:, 0],
        "three outputs": X[:, :3],
        "poisson": y,
    }[problem]
    regression = problem in ("one output", "three outputs", "poisson")
    loss = {"loss": "poisson"} if problem == "poisson" else {}
    model = (regressor(activation="silu", **loss) if regression else classifier(activation="silu")).fit(X, targets)
    hidden = hidden_activations(model, X)
    np.testing.assert_allclose(hidden, by_hand(model, X, 2), rtol=0, atol=1e-12)
    raw = hidden @ model.coefs_[-1] + model.intercepts_[-1]
    raw = raw[:, 0] if raw.shape[1] == 1 else raw
    raw = np.exp(raw) if problem == "poisson" else raw
    found = model.predict(X) if regression else model.decision_function(X)
    np.testing.assert_allclose(found, raw, rtol=0, atol=1e-12)


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_no_unit_is_dropped(dropout):
    clf = classifier(activation="tanh", dropout=dropout).fit(X, y)
    np.testing.assert_allclose(hidden_activations(clf, X, 1), by_hand(clf, X, 1), rtol=0, atol=1e-12)


def test_a_single_hidden_layer_works():
    clf = classifier(hidden_layer_sizes=4, activation="tanh").fit(X, y)
    for layer in (0, -1):
        np.testing.assert_allclose(hidden_activations(clf, X, layer), by_hand(clf, X, 0), rtol=0, atol=1e-12)


# Many rows


@pytest.mark.parametrize("sizes", [(6, 4), (700, 4)], ids=["narrow", "wide"])
@pytest.mark.parametrize("container", [np.asarray, np.asfortranarray, sparse.csr_matrix])
@pytest.mark.parametrize("n_rows", [1, 2, 511, 512, 513, 1024, 1500])
def test_rows_are_processed_in_parts(n_rows, container, sizes):
    clf = classifier(hidden_layer_sizes=sizes, activation=["tanh", "relu"], max_iter=1).fit(X, y)
    rows = np.random.default_rng(0).normal(size=(n_rows, 4))
    for layer in (0, 1):
        found = hidden_activations(clf, container(rows), layer)
        assert found.shape == (n_rows, sizes[layer])
        # These are sums of 700 products of at most size 1.
        np.testing.assert_allclose(found, by_hand(clf, rows, layer), rtol=0, atol=1e-12)


def test_relu_units_are_correct_after_a_smaller_part():
    # ReLU reads a buffer of zeros that all parts share, and no part may change it.
    clf = classifier(activation=["tanh", "relu", "tanh"]).fit(X, y)
    rows = np.random.default_rng(0).normal(size=(1100, 4))
    expected = hidden_activations(clf, rows, 1)
    assert (expected == 0).any()
    assert (expected >= 0).all()
    parts = [hidden_activations(clf, part, 1) for part in np.split(rows, [13, 600, 601])]
    # For another number of rows, BLAS may sum the products in another order.
    np.testing.assert_allclose(np.concatenate(parts), expected, rtol=0, atol=1e-13)


# The rows


@pytest.mark.parametrize("container", CONTAINERS)
def test_the_form_of_x_makes_no_difference(container):
    clf = classifier(activation="tanh").fit(X, y)
    found = hidden_activations(clf, CONTAINERS[container](X), 1)
    assert type(found) is np.ndarray
    # Sparse products are summed in another order.
    np.testing.assert_allclose(found, hidden_activations(clf, X, 1), rtol=0, atol=1e-14)


@pytest.mark.filterwarnings("error:.*feature names")
@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_x_may_be_a_frame(library):
    frames = pytest.importorskip(library)
    frame = frames.DataFrame(X, columns=NAMES) if library == "pandas" else frames.DataFrame(X, schema=NAMES)
    clf = classifier(activation="tanh").fit(frame, y)
    found = hidden_activations(clf, frame, 0)
    assert type(found) is np.ndarray
    np.testing.assert_allclose(found, by_hand(clf, X, 0), rtol=0, atol=1e-12)
    with pytest.raises(ValueError, match="feature names"):
        hidden_activations(clf, frame[NAMES[::-1]], 0)
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        hidden_activations(clf, X, 0)


@pytest.mark.parametrize("given", ["float64", "float32", "uint8"])
@pytest.mark.parametrize("dtype", ["float64", "float32", "auto"])
def test_the_result_has_the_precision_of_the_model(dtype, given):
    rows = (np.abs(X) * 3).astype(given)
    clf = classifier(activation="tanh", dtype=dtype).fit(rows, y)
    expected = {"auto": "float64" if given == "float64" else "float32"}.get(dtype, dtype)
    for other in ("float64", "float32", "uint8"):
        found = hidden_activations(clf, rows.astype(other), 1)
        assert found.dtype == expected
    np.testing.assert_allclose(
        hidden_activations(clf, rows, 1), by_hand(clf, rows, 1), rtol=0, atol=10 * ATOL[expected]
    )


@pytest.mark.parametrize("container", [np.array, sparse.csr_matrix])
def test_rows_are_not_modified(container):
    clf = classifier().fit(X, y)
    rows, before = container(X), [W.copy() for W in clf.coefs_]
    found = hidden_activations(clf, rows)
    np.testing.assert_array_equal(rows.toarray() if sparse.issparse(rows) else rows, X)
    expected = found.copy()
    found[...] = 7.0  # the result belongs to the caller
    np.testing.assert_array_equal(hidden_activations(clf, rows), expected)
    for now, then in zip(clf.coefs_, before, strict=True):
        np.testing.assert_array_equal(now, then)


# The estimator


def test_the_other_steps_of_a_pipeline_transform_the_rows():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(X * [1, 10, 100, 1000] + 5, columns=NAMES)
    steps = [("scale", StandardScaler()), ("none", "passthrough"), ("best", SelectKBest(k=2))]
    model = Pipeline([*steps, ("net", classifier(activation="tanh"))]).set_output(transform="pandas").fit(frame, y)
    rows = SelectKBest(k=2).fit_transform(StandardScaler().fit_transform(frame.to_numpy()), y)
    for layer in (0, -1):
        # The scaler sums the columns of frames and arrays in different orders.
        found = hidden_activations(model, frame, layer)
        np.testing.assert_allclose(found, by_hand(model[-1], rows, layer), rtol=0, atol=1e-12)


def test_a_pipeline_may_end_in_a_pipeline_and_in_a_regressor():
    inner = make_pipeline(StandardScaler(), regressor(activation="tanh"))
    model = make_pipeline(StandardScaler(with_std=False), inner).fit(X + 3, X[:, 0])
    found = hidden_activations(model, X + 3)
    np.testing.assert_allclose(found, by_hand(inner[-1], StandardScaler().fit_transform(X), 2), rtol=0, atol=1e-12)


def test_frozen_networks_and_networks_in_other_estimators_work():
    clf = classifier().fit(X, y)
    np.testing.assert_array_equal(hidden_activations(FrozenEstimator(clf), X), hidden_activations(clf, X))
    model = TransformedTargetRegressor(regressor(), transformer=StandardScaler()).fit(X, 5 * X[:, 0])
    np.testing.assert_allclose(
        hidden_activations(model.regressor_, X), by_hand(model.regressor_, X, 2), rtol=0, atol=1e-12
    )


def test_written_weights_are_used():
    clf = classifier(hidden_layer_sizes=(3,), activation="identity").fit(X, y)
    clf.coefs_[0][...] = np.eye(4)[:, 1:]
    clf.intercepts_[0][...] = [1.0, 2.0, 3.0]
    np.testing.assert_allclose(hidden_activations(clf, X), X[:, 1:] + [1, 2, 3], rtol=0, atol=1e-14)


def test_after_partial_fit_the_new_weights_are_used():
    clf = classifier(activation="tanh").partial_fit(X, y, classes=[0, 1, 2])
    first = hidden_activations(clf, X)
    clf.partial_fit(X, y)
    np.testing.assert_allclose(hidden_activations(clf, X), by_hand(clf, X, 2), rtol=0, atol=1e-12)
    assert abs(hidden_activations(clf, X) - first).max() > 1e-3


# Errors


@pytest.mark.parametrize("layer", [3, -4, 100, 0.0, np.float64(1.0), "0", None, [0], slice(1)], ids=str)
def test_the_layer_must_exist(layer):
    clf = classifier().fit(X, y)
    with pytest.raises(ValueError, match=r"layer must be a whole number from -3 to 2 .*3 hidden layer.*, got "):
        hidden_activations(clf, X, layer)


def test_the_output_layer_is_not_hidden():
    clf = classifier(hidden_layer_sizes=(4,)).fit(X, y)
    with pytest.raises(ValueError, match="from -1 to 0 for a network with 1 hidden layer"):
        hidden_activations(clf, X, 1)


@pytest.mark.parametrize(
    "model",
    [classifier(), regressor(), make_pipeline(StandardScaler(), classifier()), FrozenEstimator(classifier())],
    ids=["classifier", "regressor", "pipeline", "frozen"],
)
def test_the_estimator_must_be_fitted(model):
    with pytest.raises(NotFittedError, match="is not fitted yet"):
        hidden_activations(model, X)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (X[:, :3], "X has 3 features, but FNNClassifier is expecting 4"),
        (X[0], "Expected 2D array, got 1D array"),
        (X[:0], "Found array with 0 sample"),
        (np.where(X > 1, np.nan, X), "contains NaN"),
        (np.where(X > 1, np.inf, X), "contains infinity"),
        (sparse.csr_matrix(np.where(X > 1, np.nan, X)), "contains NaN"),
    ],
    ids=["features", "one row", "no rows", "NaN", "infinity", "sparse NaN"],
)
def test_the_rows_are_checked_as_for_predict(rows, message):
    clf = classifier().fit(X, y)
    for call in (lambda: hidden_activations(clf, rows), lambda: clf.predict(rows)):
        with pytest.raises(ValueError, match=message):
            call()
