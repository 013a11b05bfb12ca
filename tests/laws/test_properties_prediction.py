"""A model's predictions: probabilities, and methods that agree with each other."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.metrics import accuracy_score, r2_score

pytest.importorskip("hypothesis")

from hypothesis import given
from hypothesis import strategies as st
from strategies import CLASSIFICATION, DENSE, REGRESSION, problems, seeds, settings, sparse_forms

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

DTYPES = ("float64", "float32")
# With rows of this size, the raw outputs of the small networks here are finite even in float32.
sizes = st.sampled_from([0.0, 1e-300, 1e-38, 1e-3, 1.0, 1e3, 1e12, 1e30])


# All kinds except Poisson regression, whose mean is the exponential of a raw output and may overflow.
LINEAR = (*CLASSIFICATION, "regression", "several outputs")


def rounding(X, outputs):
    """How much outputs may differ if their sums have another order.

    There are sums of up to 8 terms in four layers with weights of size 1. The terms may cancel, so the bound is
    relative to the largest term.
    """
    return 1000 * np.finfo(outputs.dtype).eps * max(1.0, 10.0 * np.abs(X).max(), float(np.abs(outputs).max()))


def fitted(data, kinds):
    """A fitted model, its problem, and new rows, some of them much larger or smaller than the training rows."""
    problem = data.draw(problems(kinds))
    model = problem.fit(**data.draw(settings(problem, dtypes=DTYPES)))
    n_rows = data.draw(st.integers(1, 700))  # one row has its own code path, and many rows have several parts
    rng = np.random.default_rng(data.draw(seeds))
    return problem, model, rng.normal(size=(n_rows, problem.X.shape[1])) * data.draw(sizes)


@given(st.data())
def test_probabilities_are_finite_between_0_and_1_and_sum_to_1(data):
    problem, model, X = fitted(data, CLASSIFICATION)
    p = model.predict_proba(X)
    assert p.dtype == model.coefs_[0].dtype
    assert p.shape == (len(X), len(model.classes_))
    assert np.isfinite(p).all()
    assert (p >= 0).all()
    assert (p <= 1).all()
    if problem.kind != "multilabel":
        # Probabilities are quotients by the sum of up to five rounded numbers.
        np.testing.assert_allclose(p.sum(axis=1), 1.0, rtol=0, atol=8 * np.finfo(p.dtype).eps)
    log_p = model.predict_log_proba(X)
    assert np.isfinite(log_p).all()
    assert (log_p <= 0).all()
    # A logarithm has the relative rounding error of the probability and its own rounding error. Probabilities below the
    # normal numbers have fewer digits.
    normal, eps = p > np.finfo(p.dtype).tiny, np.finfo(p.dtype).eps
    size = 800 + np.abs(model.decision_function(X)).max()
    np.testing.assert_allclose(log_p[normal], np.log(p[normal]), rtol=4 * eps, atol=4 * eps * min(size, 1e5))
    assert (log_p[~normal] < np.log(2 * np.finfo(p.dtype).tiny)).all()


@given(st.data())
def test_the_predicted_class_has_the_largest_probability_and_raw_output(data):
    problem, model, X = fitted(data, CLASSIFICATION)
    predicted, p, z = model.predict(X), model.predict_proba(X), model.decision_function(X)
    assert np.isfinite(z).all()
    if problem.kind == "multilabel":
        assert z.shape == p.shape == predicted.shape
        assert set(np.unique(predicted)) <= {0, 1}
        np.testing.assert_array_equal(predicted, z > 0)
        # A raw output of 1e-20 gives the probability 1/2.
        assert (p[predicted == 1] >= 0.5).all()
        assert (p[predicted == 0] <= 0.5).all()
        return
    assert set(predicted.tolist()) <= set(problem.y.tolist())
    assert predicted.dtype == model.classes_.dtype
    codes = np.searchsorted(model.classes_, predicted)
    np.testing.assert_array_equal(p[np.arange(len(X)), codes], p.max(axis=1))
    if problem.kind == "binary":
        assert z.shape == (len(X),)
        np.testing.assert_array_equal(codes, z > 0)
    else:
        assert z.shape == p.shape
        np.testing.assert_array_equal(codes, z.argmax(axis=1))


@given(st.data())
def test_probabilities_follow_the_formula_from_the_raw_outputs(data):
    problem, model, X = fitted(data, CLASSIFICATION)
    p, z = model.predict_proba(X), model.decision_function(X).astype(np.longdouble)
    if problem.kind == "multiclass":
        e = np.exp(z - z.max(axis=1, keepdims=True))
        expected = e / e.sum(axis=1, keepdims=True)
    else:
        z = np.column_stack([-z, z]) if problem.kind == "binary" else z
        # The argument of exp is at most 0 in both branches.
        tail = np.exp(-np.abs(z))
        expected = np.where(z >= 0, 1 / (1 + tail), tail / (1 + tail))
    # A raw output of size d, or the difference of two, has a rounding error of d * eps / 2. This is also the relative
    # error of its exponential. Exponentials of numbers below -745, or -104 in float32, underflow.
    info = np.finfo(p.dtype)
    np.testing.assert_allclose(p, expected.astype(float), rtol=800 * info.eps, atol=info.tiny)


@given(st.data())
def test_predicting_rows_one_by_one_or_together_gives_the_same(data):
    # The results are equal up to rounding, because BLAS has different routines for one row and for several.
    problem, model, X = fitted(data, LINEAR)
    response = "decision_function" if problem.kind in CLASSIFICATION else "predict"
    together = getattr(model, response)(X)
    chosen = sorted(data.draw(st.sets(st.integers(0, len(X) - 1), min_size=1, max_size=3)))
    atol = rounding(X, together)
    for row in chosen:
        np.testing.assert_allclose(getattr(model, response)(X[row : row + 1])[0], together[row], rtol=0, atol=atol)
    np.testing.assert_allclose(getattr(model, response)(X[chosen]), together[chosen], rtol=0, atol=atol)


@given(st.data())
def test_the_form_of_the_rows_changes_no_prediction(data):
    problem, model, X = fitted(data, LINEAR)
    form = DENSE[data.draw(st.sampled_from(sorted(DENSE)))]
    np.testing.assert_array_equal(model.predict(form(X)), model.predict(X))
    response = "decision_function" if problem.kind in CLASSIFICATION else "predict"
    dense, thin = (getattr(model, response)(rows) for rows in (X, data.draw(sparse_forms())(X)))
    np.testing.assert_allclose(thin, dense, rtol=0, atol=rounding(X, dense))


@given(st.data())
def test_the_score_is_the_mean_accuracy_of_the_predictions(data):
    problem, model, _ = fitted(data, CLASSIFICATION)
    rows = data.draw(st.sampled_from([np.asarray, sparse.csr_matrix]))(problem.X)
    expected = accuracy_score(problem.y, model.predict(problem.X), sample_weight=problem.weights)
    assert model.score(rows, problem.y, problem.weights) == expected


@given(st.data())
def test_predictions_of_a_regression_are_finite_and_score_by_r2(data):
    problem, model, _ = fitted(data, REGRESSION)
    y = model.predict(problem.X)
    assert y.dtype == model.coefs_[0].dtype
    assert y.shape == problem.y.shape
    assert np.isfinite(y).all()
    if problem.kind == "poisson":
        assert (y > 0).all()
    if len(y) >= 2 and (problem.weights is None or (problem.weights > 0).sum() >= 2):
        assert model.score(problem.X, problem.y, problem.weights) == r2_score(
            problem.y, y, sample_weight=problem.weights
        )
