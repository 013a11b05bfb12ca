"""What the property tests draw: problems, settings and forms of arrays, and how many of each.

A profile says how many examples each law gets. "short" is the default: 10 examples, the same in every run. "full" has
50, and `python -m pytest --full` chooses it. "thorough" draws 1,000 examples, new ones in every run, and prints how to
reproduce a failure:

    HYPOTHESIS_PROFILE=thorough python -m pytest tests/laws/test_properties*.py

Hypothesis draws shapes, settings and forms, so that it can shrink a failure to the smallest one. It also draws the seed
of the random stream that the numbers in the arrays come from. These numbers have the size of standardised features;
test_numbers.py and test_saturation.py have numbers near the ends of the range of floats.
"""

import os
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from scipy import sparse

hypothesis = pytest.importorskip("hypothesis")
st = pytest.importorskip("hypothesis.strategies")

from skfnn import FNNClassifier, FNNRegressor  # noqa: E402

# Without a database of examples a run leaves no files.
COMMON = {"deadline": None, "database": None, "suppress_health_check": [hypothesis.HealthCheck.too_slow]}
hypothesis.settings.register_profile("short", max_examples=10, derandomize=True, **COMMON)
hypothesis.settings.register_profile("full", max_examples=50, derandomize=True, **COMMON)
hypothesis.settings.register_profile("thorough", max_examples=1000, print_blob=True, **COMMON)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "short"))

# Problems

# The order of these labels differs from that of the classes. Binary problems use two labels, others three to five.
LABELS = {
    "int64": np.array([7, 0, 3, 12, 5]),
    "int8": np.array([1, -1, 0, 100, -100], np.int8),
    "uint8": np.array([255, 0, 3, 128, 5], np.uint8),
    "negative": np.array([-3, -1, -20, -7, -100]),
    "floats": np.array([2.0, -1.0, 0.0, 10.0, 5.0]),
    "text": np.array(["no", "yes", "", "perhaps", "ähnlich"]),
    "objects": np.array(["no", "yes", "never", "perhaps", "ähnlich"], dtype=object),
    "bool": np.array([True, False]),
}
CLASSIFICATION = ("binary", "multiclass", "multilabel")
REGRESSION = ("regression", "several outputs", "poisson")
KINDS = CLASSIFICATION + REGRESSION


@dataclass
class Problem:
    """Rows `X` (n, n_features) in float64, targets `y`, and `weights` (n,) or None."""

    kind: str
    X: np.ndarray
    y: np.ndarray
    weights: np.ndarray | None
    seed: int

    @property
    def n_outputs(self):
        """The number of output units."""
        if self.kind in ("binary", "regression", "poisson"):
            return 1
        return len(np.unique(self.y)) if self.kind == "multiclass" else self.y.shape[1]

    def rows(self, rows):
        """The problem with these rows only."""
        weights = None if self.weights is None else self.weights[rows]
        return replace(self, X=self.X[rows], y=self.y[rows], weights=weights)

    def estimator(self, **params):
        """An estimator for the problem."""
        if self.kind in CLASSIFICATION:
            return FNNClassifier(**params)
        loss = "poisson" if self.kind == "poisson" else "squared_error"
        return FNNRegressor(**({"loss": loss} | params))

    def fit(self, X=None, start=(None, None), **params):
        """An estimator fitted to the problem, or to `X` instead of the problem's X, from the initial values `start`."""
        rows = self.X if X is None else X
        init = {"coefs_init": start[0], "intercepts_init": start[1]}
        return self.estimator(**params).fit(rows, self.y, self.weights, **init)

    def initial_values(self, hidden):
        """Initial weights and biases, all of size 1/2.

        Tests compare two runs with different rounding that start here. With zero biases, a unit could be exactly at the
        kink of its activation, for example if the gradients of its bias cancel. Rounding would then decide its side.
        """
        rng = np.random.default_rng([self.seed, 1])
        sizes = (self.X.shape[1], *hidden, self.n_outputs)
        coefs = [rng.normal(scale=0.5, size=shape) for shape in pairwise(sizes)]
        return coefs, [rng.normal(scale=0.5, size=n) for n in sizes[1:]]


seeds = st.integers(0, 2**32 - 1)


@st.composite
def problems(draw, kinds=KINDS, weighted=None):
    """A problem of 1 to 600 rows and 1 to 8 features. Many or even all of its entries may be zero."""
    kind = draw(st.sampled_from(kinds))
    n_classes = draw(st.integers(3, 5)) if kind in ("multiclass", "multilabel", "several outputs") else 2
    # Usually a few rows, sometimes more than one block (64 rows) or one part of a large batch (512 rows).
    least = n_classes if kind in ("binary", "multiclass") else 1
    few = st.integers(least, 40)
    n_rows = draw(st.one_of(few, few, few, st.sampled_from([64, 65, 130, 600])))
    n_features = draw(st.integers(1, 8))
    zeros = draw(st.sampled_from([0.0, 0.3, 0.9, 1.0]))
    seed = draw(seeds)
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, n_features))
    X[rng.random(X.shape) < zeros] = 0.0
    if kind in ("binary", "multiclass"):
        names = [name for name, labels in LABELS.items() if len(labels) >= n_classes]
        codes = np.arange(n_rows) % n_classes  # no class is missing
        y = LABELS[draw(st.sampled_from(names))][:n_classes][rng.permutation(codes)]
    elif kind == "multilabel":
        y = (rng.random((n_rows, n_classes)) < 0.4).astype(int)
    elif kind == "poisson":
        X *= 0.2  # predictions are exponentials of raw outputs
        y = rng.poisson(1.5, n_rows).astype(float)
    else:
        y = rng.normal(size=(n_rows, n_classes) if kind == "several outputs" else n_rows)
    weights = None
    if draw(st.booleans()) if weighted is None else weighted:
        weights = rng.uniform(0.1, 10.0, n_rows)
        weights[rng.random(n_rows) < draw(st.sampled_from([0.0, 0.5]))] = 0.0
        weights[rng.integers(n_rows)] = 1.0
    return Problem(kind, X, y, weights, seed)


# Settings

SMOOTH = ("identity", "logistic", "tanh", "elu", "gelu", "silu", "softplus")
ACTIVATIONS = (*SMOOTH, "relu", "leaky_relu", "selu")
# With these rates, a few epochs are stable. Otherwise the first rounding would drive two runs apart.
SOLVERS = {
    "plain": {"learning_rate_init": 0.05},
    "momentum": {"learning_rate_init": 0.01, "momentum": 0.9, "nesterovs_momentum": False},
    "nesterov": {"learning_rate_init": 0.01, "momentum": 0.9},
    "adam": {"learning_rate_init": 0.01, "solver": "adam"},
    "lbfgs": {"solver": "lbfgs"},
}
# The losses of these problems are steeper than cross-entropy.
RATE_OF_KIND = {"regression": 0.1, "several outputs": 0.1, "poisson": 0.01}
WITH_EPOCHS = tuple(name for name in SOLVERS if name != "lbfgs")
INITS = ("auto", "glorot", "he", "lecun")
# Most laws hold in any coordinates of training. The others compare numbers with those of unscaled rows.
ANY_COORDINATES = (False, "auto", True)
hidden_layers = st.lists(st.integers(1, 6), max_size=3).map(tuple)


@st.composite
def settings(
    draw,
    problem,
    *,
    solvers=tuple(SOLVERS),
    activations=ACTIVATIONS,
    batch_size=None,
    dtypes=("float64",),
    standardize=(False,),
):
    """Parameters of an estimator for the problem that trains for one to three epochs."""
    hidden = draw(hidden_layers)
    solver = SOLVERS[draw(st.sampled_from(solvers))]
    if not hidden and "momentum" in solver:
        hidden = (1,)  # see test_without_a_hidden_layer_momentum_trains_sparse_rows_like_dense_ones
    if batch_size is None:
        batch_size = draw(st.sampled_from(["full", "auto"]) | st.integers(1, len(problem.X)))
    params = {
        "hidden_layer_sizes": hidden,
        "activation": [draw(st.sampled_from(activations)) for _ in hidden],
        "batch_size": batch_size,
        "alpha": draw(st.sampled_from([0.0, 0.1, 1.0])),
        "standardize": draw(st.sampled_from(standardize)),
        "init": draw(st.sampled_from(INITS)),
        "shuffle": draw(st.booleans()),
        "dtype": draw(st.sampled_from(dtypes)),
        "random_state": draw(st.integers(0, 100)),
        "max_iter": draw(st.integers(1, 3)),
        "n_iter_no_change": None,
    }
    if "learning_rate_init" in solver:
        solver = solver | {"learning_rate_init": solver["learning_rate_init"] * RATE_OF_KIND.get(problem.kind, 1.0)}
    return params | solver


# Forms of arrays: the same numbers elsewhere in memory or in another order


def read_only(a):
    """A read-only copy."""
    a = a.copy()
    a.flags.writeable = False
    return a


def _strided(a):
    big = np.repeat(a, 2, axis=0)
    return np.repeat(big, 3, axis=1)[::2, ::3] if a.ndim == 2 else big[::2]


def _reversed(a):
    where = (slice(None, None, -1),) * a.ndim
    return a[where].copy()[where]


def _unaligned(a):
    memory = np.frombuffer(b"\0" + a.tobytes(), np.uint8)[1:]
    return memory.view(a.dtype).reshape(a.shape) if a.size else a


def _memory_map(a):
    with TemporaryDirectory() as folder:  # the pages remain after the file is removed
        path = Path(folder, "a.npy")
        np.save(path, a)
        return np.load(path, mmap_mode="r")


DENSE = {
    "C order": np.ascontiguousarray,
    "Fortran order": np.asfortranarray,
    "strided": _strided,
    "reversed": _reversed,
    "read-only": read_only,
    "unaligned": _unaligned,
    "memory map": _memory_map,
    "byte-swapped": lambda a: a.astype(a.dtype.newbyteorder()),
    "nested lists": lambda a: a.tolist(),
    "objects": lambda a: a.astype(object),
}


def _rebuilt(X, kind, data, rows, columns, index):
    """A CSR or CSC matrix with these entries in this order, including duplicates and zeros."""
    major, minor = (rows, columns) if kind.startswith("csr") else (columns, rows)
    order = np.argsort(major, kind="stable")
    counts = np.bincount(major, minlength=X.shape[0] if kind.startswith("csr") else X.shape[1])
    pointers = np.concatenate([[0], np.cumsum(counts)])
    made = getattr(sparse, kind)((data[order], minor[order], pointers), shape=X.shape)
    # SciPy chooses the narrowest type itself.
    made.indices, made.indptr = made.indices.astype(index), made.indptr.astype(index)
    return made


@st.composite
def sparse_forms(draw):
    """A function that turns a dense X into a sparse one with the same numbers."""
    kind = draw(st.sampled_from(["csr_matrix", "csr_array", "csc_matrix", "csc_array"]))
    index = draw(st.sampled_from([np.int32, np.int64]))
    explicit_zeros, duplicates, unsorted, seed = (*(draw(st.booleans()) for _ in range(3)), draw(seeds))

    def make(X):
        rng = np.random.default_rng(seed)
        rows, columns = np.nonzero(np.ones_like(X) if explicit_zeros else X)
        data = X[rows, columns]
        if duplicates:
            # Store every entry as two halves, which are exact.
            data, rows, columns = np.tile(data / 2, 2), np.tile(rows, 2), np.tile(columns, 2)
        if unsorted or duplicates:
            order = rng.permutation(len(data))
            data, rows, columns = data[order], rows[order], columns[order]
        made = _rebuilt(X, kind, data, rows, columns, index)
        assert made.indices.dtype == made.indptr.dtype == index
        np.testing.assert_array_equal(made.toarray(), X)
        return made

    return make


# The result of training


def numbers_of(model):
    """All numbers of a fitted model, by name, except times."""
    found = {f"coefs_[{k}]": values for k, values in enumerate(model.coefs_)}
    found |= {f"intercepts_[{k}]": values for k, values in enumerate(model.intercepts_)}
    found |= {f"history {name}": values for name, values in model.history_.items() if name != "seconds"}
    return found | {name: getattr(model, name) for name in ("n_iter_", "n_steps_", "t_", "loss_")}


def assert_same_bits(a, b):
    """Two models have the same parameters and history, bit for bit."""
    mine, other = numbers_of(a), numbers_of(b)
    assert mine.keys() == other.keys()
    for name, values in mine.items():
        np.testing.assert_array_equal(values, other[name], err_msg=name)
        if isinstance(values, np.ndarray):
            assert values.dtype == other[name].dtype


def assert_close(a, b, atol):
    """Two models have the same parameters and losses within a tolerance."""
    for mine, other in ((a.coefs_, b.coefs_), (a.intercepts_, b.intercepts_), (a.loss_curve_, b.loss_curve_)):
        for p, q in zip(mine, other, strict=True):
            np.testing.assert_allclose(q, p, rtol=0, atol=atol)


def rounding(model):
    """How much two runs of a few epochs in float64 may differ if their sums are rounded differently.

    Numbers of size 1 to 100 (a Poisson loss, row weights up to 10) are rounded to 1e-14 some hundred times. Adam
    divides a gradient by the root of its square, plus 1e-8: the rounding of a zero gradient becomes 1e-6 of a step.
    L-BFGS starts with a step of length 1 along the gradient and divides by differences of gradients.
    """
    return 1e-6 if model.solver == "lbfgs" else 1e-7 if model.solver == "adam" else 1e-10
