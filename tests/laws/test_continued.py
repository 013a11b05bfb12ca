"""Training can be repeated and continued exactly, and depends on the form of X by rounding only."""

import pickle
from functools import partial

import exact
import numpy as np
import pytest
from exact import SOLVERS
from problems import initial_values, problem
from scipy import sparse
from tuned import FNNClassifier

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

estimator = partial(exact.estimator, batch_size=7)

# Repeatability


@pytest.mark.parametrize("solver", [*SOLVERS, "lbfgs"])
def test_random_state_makes_everything_repeatable(solver, assert_identical):
    X, y, _ = problem("multiclass", 60)
    params = SOLVERS.get(solver, {"solver": "lbfgs"})
    fits = [
        estimator(4, shuffle=True, random_state=seed, early_stopping=solver != "lbfgs", **params).fit(X, y)
        for seed in (5, 5, 6)
    ]
    assert_identical(fits[0], fits[1])
    assert fits[0].loss_curve_ == fits[1].loss_curve_
    assert fits[0].validation_scores_ == fits[1].validation_scores_
    assert (fits[0].coefs_[0] != fits[2].coefs_[0]).any()


def test_a_random_state_object_gives_different_fits(assert_identical):
    X, y, _ = problem("multiclass", 23)
    rng = np.random.RandomState(0)
    first, second = (estimator(2, random_state=rng, shuffle=True).fit(X, y) for _ in range(2))
    assert (first.coefs_[0] != second.coefs_[0]).any()
    assert_identical(first, estimator(2, random_state=np.random.RandomState(0), shuffle=True).fit(X, y))


def test_training_does_not_use_the_global_random_state():
    X, y, _ = problem("multiclass", 23)
    np.random.seed(0)  # noqa: NPY002
    expected = np.random.random()  # noqa: NPY002
    np.random.seed(0)  # noqa: NPY002
    estimator(2, random_state=3, shuffle=True).fit(X, y)
    assert np.random.random() == expected  # noqa: NPY002


def test_training_does_not_write_into_its_arguments():
    X, y, _ = problem("multiclass", 23)
    start = initial_values((5, 6, 4, 3), seed=1)
    weight = np.ones(23)
    given = [X, y, weight, *start[0], *start[1]]
    copies = [a.copy() for a in given]
    estimator(2).fit(X, y, sample_weight=weight, coefs_init=start[0], intercepts_init=start[1]).partial_fit(X, y)
    for array, copy in zip(given, copies, strict=True):
        np.testing.assert_array_equal(array, copy)


# Continued training

CONTINUED = {
    **SOLVERS,
    "invscaling": {"learning_rate": "invscaling", "power_t": 0.3},
    "adaptive": {"learning_rate": "adaptive", "tol": 0.5, "n_iter_no_change": 1},
    "adaptive adam": {"solver": "adam", "learning_rate": "adaptive", "tol": 0.5, "n_iter_no_change": 1},
    "float32": {"dtype": "float32"},
    "with alpha": {"alpha": 2.0, "momentum": 0.5},
}


@pytest.mark.parametrize("batch_size", [1, 7, "full"])
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize("name", CONTINUED)
def test_k_partial_fits_equal_one_fit_of_k_epochs(name, container, batch_size, assert_identical):
    X, y, _ = problem("multiclass", 70)
    X, weight = container(X), np.random.default_rng(0).random(70)
    params = {"batch_size": batch_size} | CONTINUED[name]
    whole = estimator(5, **params).fit(X, y, sample_weight=weight)
    parts = estimator(5, **params)
    for _ in range(5):
        parts.partial_fit(X, y, sample_weight=weight, classes=np.unique(y))
    assert_identical(whole, parts)
    assert whole.n_steps_ == parts.n_steps_
    assert whole.n_iter_ == parts.n_iter_ == 5
    assert whole.t_ == parts.t_ == 5 * 70
    assert whole.loss_curve_ == parts.loss_curve_
    assert whole.history_["learning_rate"] == parts.history_["learning_rate"]
    if "adaptive" in name:
        assert min(whole.history_["learning_rate"]) < 0.1  # the rate fell, so the calls continued its fall


def test_fit_starts_anew_after_partial_fit(assert_identical):
    X, y, _ = problem("multiclass", 23)
    for params in SOLVERS.values():
        clf = estimator(3, shuffle=True, **params)
        first = [c.copy() for c in clf.fit(X, y).coefs_]
        clf.partial_fit(X, y)
        assert (clf.coefs_[0] != first[0]).any()
        clf.fit(X, y)
        assert_identical(clf, estimator(3, shuffle=True, **params).fit(X, y))
        assert clf.n_iter_ == 3
        assert len(clf.loss_curve_) == 3


@pytest.mark.parametrize("name", CONTINUED)
@pytest.mark.parametrize("begin", ["fit", "partial_fit"])
def test_a_pickled_model_continues_like_the_model_itself(begin, name, assert_identical):
    X, y, _ = problem("multiclass", 70)
    clf = estimator(3, **({"shuffle": True} | CONTINUED[name]))
    if begin == "fit":
        clf.fit(X, y)
    else:
        clf.partial_fit(X, y, classes=np.unique(y)).partial_fit(X, y)
    copy = pickle.loads(pickle.dumps(clf))
    assert_identical(clf, copy)
    np.testing.assert_array_equal(clf.predict_proba(X), copy.predict_proba(X))
    for _ in range(3):
        clf.partial_fit(X, y)
        copy.partial_fit(X, y)
    assert_identical(clf, copy)
    assert clf.loss_curve_ == copy.loss_curve_
    assert clf.n_iter_ == copy.n_iter_


@pytest.mark.parametrize("name", CONTINUED)
def test_a_warm_started_fit_continues_like_partial_fit(name, assert_identical):
    X, y, _ = problem("multiclass", 70)
    params = {"shuffle": True} | CONTINUED[name] | {"n_iter_no_change": 100}
    warm = estimator(2, warm_start=True, **params).fit(X, y).fit(X, y)
    parts = estimator(2, **params)
    for _ in range(4):
        parts.partial_fit(X, y, classes=np.unique(y))
    assert_identical(warm, parts)


@pytest.mark.parametrize(("params", "factor"), [({}, 1.05), ({"solver": "adam"}, 3.05), ({"momentum": 0.9}, 2.05)])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_pickle_holds_little_besides_parameters_and_solver_state(params, factor, early_stopping):
    rng = np.random.default_rng(0)
    X, y = rng.random((100, 784), dtype=np.float32), np.arange(100) % 10
    clf = FNNClassifier((512, 256), max_iter=2, random_state=0, early_stopping=early_stopping, **params).fit(X, y)
    n_bytes = sum(p.nbytes for p in clf.coefs_ + clf.intercepts_)
    assert n_bytes == 4 * (785 * 512 + 513 * 256 + 257 * 10)
    assert len(pickle.dumps(clf)) <= factor * n_bytes + 20_000


# Precision


@pytest.mark.parametrize("batch_size", [1, 7, 33, "full"])
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize("solver", SOLVERS)
def test_a_float32_run_equals_the_float64_run_up_to_rounding(solver, container, batch_size):
    X, y, _ = problem("multiclass", 150)
    start = initial_values((5, 6, 4, 3), seed=1)
    fits = {
        dtype: estimator(2, batch_size=batch_size, dtype=dtype, alpha=0.5, **SOLVERS[solver]).fit(
            container(X), y, coefs_init=start[0], intercepts_init=start[1]
        )
        for dtype in ("float32", "float64")
    }
    single, double = fits["float32"], fits["float64"]
    assert single.coefs_[0].dtype == np.float32
    assert double.coefs_[0].dtype == np.float64
    difference = max(
        abs(p - q).max()
        for p, q in zip(single.coefs_ + single.intercepts_, double.coefs_ + double.intercepts_, strict=True)
    )
    # There are at most 300 steps. Each rounds weights of size 1 with an error of 6e-8 and passes on earlier errors.
    # Adam divides by the root of V, which magnifies the errors of small gradients.
    assert 0 < difference < (2e-3 if solver == "adam" else 1e-4)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "bool", "float16", "float32", "int16"])
def test_rows_are_cast_without_wrapping_around(dtype, assert_identical):
    X, y, _ = problem("multiclass", 70)
    X = np.abs(X * 3).astype(dtype)
    for params in ({"batch_size": 1}, {"batch_size": 20}, {"batch_size": "full"}, {"solver": "adam"}):
        clf = estimator(2, shuffle=True, **({"dtype": "auto"} | params)).fit(X, y)
        assert clf.coefs_[0].dtype == np.float32
        assert_identical(clf, estimator(2, shuffle=True, dtype="auto", **params).fit(X.astype(np.float32), y))


@pytest.mark.parametrize("batch_size", [1, 7, "full"])
@pytest.mark.parametrize("dtype", ["f4", "f8", "u1", ">f8"])
@pytest.mark.parametrize(
    "form", [np.asfortranarray, lambda X: np.repeat(X, 2, axis=0)[::2], lambda X: X[:, ::-1].copy()[:, ::-1]]
)
def test_the_memory_order_of_x_does_not_matter(form, dtype, batch_size, assert_identical):
    X, y, _ = problem("multiclass", 70)
    X = np.ascontiguousarray(np.abs(X * 3).astype(dtype))
    assert not form(X).flags.c_contiguous
    for shuffle in (False, True):
        params = {"shuffle": shuffle, "batch_size": batch_size}
        assert_identical(estimator(2, **params).fit(form(X), y), estimator(2, **params).fit(X, y))


def test_x_may_be_a_memory_map(tmp_path, assert_identical):
    X, y, _ = problem("multiclass", 70)
    mapped = np.memmap(tmp_path / "X", dtype=X.dtype, mode="w+", shape=X.shape)
    mapped[:] = X
    mapped.flush()
    mapped = np.memmap(tmp_path / "X", dtype=X.dtype, mode="r", shape=X.shape)
    assert_identical(estimator(2, shuffle=True).fit(mapped, y), estimator(2, shuffle=True).fit(X, y))
