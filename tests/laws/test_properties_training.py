"""Changes that do not matter for a problem change the trained model at most by rounding."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

pytest.importorskip("hypothesis")

from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import (
    ANY_COORDINATES,
    CLASSIFICATION,
    KINDS,
    LABELS,
    SMOOTH,
    assert_close,
    assert_same_bits,
    problems,
    rounding,
    seeds,
    settings,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

containers = st.sampled_from([np.asarray, sparse.csr_matrix])


# Precision


@given(st.data())
def test_float32_is_float64_rounded(data):
    # The activations have continuous slopes: near a kink, one rounding would change a step by its full size. L-BFGS is
    # left out, because its line search compares losses that float32 cannot distinguish.
    problem = data.draw(problems())
    solvers = ("plain", "momentum", "nesterov", "adam")
    chosen = settings(problem, solvers=solvers, activations=SMOOTH, standardize=ANY_COORDINATES)
    # epsilon must be larger than the rounding of gradients. With 1e-8, Adam takes full steps along rounding errors of
    # zeros.
    params = data.draw(chosen) | {"epsilon": 1e-3}
    X = data.draw(containers)(problem.X)
    start = problem.initial_values(params["hidden_layer_sizes"])
    single, double = (problem.fit(X, start, **(params | {"dtype": dtype})) for dtype in ("float32", "float64"))
    for p, q in zip(single.coefs_ + single.intercepts_, double.coefs_ + double.intercepts_, strict=True):
        assert (p.dtype, q.dtype) == (np.float32, np.float64)
        # Numbers of size 1 are rounded to 6e-8 in up to 1800 steps. A Poisson loss has steps of size 10.
        np.testing.assert_allclose(p, q, rtol=0, atol=1e-4)
    np.testing.assert_allclose(single.loss_curve_, double.loss_curve_, rtol=1e-4, atol=1e-4)


# Weights


@given(st.data())
def test_multiplying_weights_by_a_constant_changes_nothing(data):
    problem = data.draw(problems(weighted=True))
    params = data.draw(settings(problem, standardize=ANY_COORDINATES))
    # The products must be normal numbers, because numbers below 2e-308 have fewer digits.
    power = data.draw(st.integers(-1000, 1000))
    factor = data.draw(st.floats(1.0, 2.0)) * 2.0**power
    start = problem.initial_values(params["hidden_layer_sizes"])
    base, scaled, doubled = (
        replace(problem, weights=problem.weights * c).fit(start=start, **params) for c in (1.0, factor, 2.0**power)
    )
    assert_close(base, scaled, rounding(base))
    assert_same_bits(base, doubled)  # multiplying by a power of 2 causes no rounding


@pytest.mark.filterwarnings("ignore:R.2 score is not well-defined with less than two samples")
@given(st.data())
def test_multiplying_validation_weights_by_a_constant_changes_no_score(data):
    # Weights must stay within the range of float32, which ends at 3e38.
    problem = data.draw(problems(weighted=True))
    params = data.draw(settings(problem, dtypes=("float32", "float64"), standardize=ANY_COORDINATES))
    factor = 2.0 ** data.draw(st.integers(-1000, 1000))
    base, scaled = (
        problem.estimator(**params).fit(
            problem.X, problem.y, X_val=problem.X, y_val=problem.y, sample_weight_val=problem.weights * c
        )
        for c in (1.0, factor)
    )
    for name in ("validation_loss_curve_", "validation_scores_"):
        # Outside a certain range, skfnn itself multiplies the weights by a power of 2, so sums are rounded in the same
        # way.
        np.testing.assert_allclose(getattr(scaled, name), getattr(base, name), rtol=1e-6)
        assert np.isfinite(base.validation_loss_curve_).all()


@given(st.data())
def test_at_full_batch_rows_of_weight_0_have_no_effect(data):
    problem = data.draw(problems(weighted=True).filter(lambda p: (p.weights == 0).any()))
    params = data.draw(settings(problem, batch_size="full", standardize=ANY_COORDINATES))
    kept = problem.rows(problem.weights > 0)
    # Every class must keep some rows, or the problem would have fewer classes.
    assume(problem.kind not in ("binary", "multiclass") or set(kept.y.tolist()) == set(problem.y.tolist()))
    # The L2 term is divided by the number of rows.
    strength = {"alpha": params["alpha"] * len(kept.X) / len(problem.X)}
    start = problem.initial_values(params["hidden_layer_sizes"])
    base, without = problem.fit(start=start, **params), kept.fit(start=start, **(params | strength))
    assert_close(base, without, rounding(base))


@given(st.data())
def test_class_weights_equal_row_weights(data):
    # The means and scales of features depend on sample weights but not on class weights.
    problem = data.draw(problems(["binary", "multiclass"]))
    params = data.draw(settings(problem))
    classes, codes = np.unique(problem.y, return_inverse=True)
    values = 2.0 ** np.array(data.draw(st.lists(st.integers(-3, 3), min_size=len(classes), max_size=len(classes))))
    by_class = problem.fit(class_weight=dict(zip(classes.tolist(), values.tolist(), strict=True)), **params)
    weights = values[codes] * (1.0 if problem.weights is None else problem.weights)
    assert_same_bits(by_class, replace(problem, weights=weights).fit(**params))


# Names and orders


def renamed(problem, data):
    """The problem with other labels, and the new number of each class, in the old order of the classes."""
    classes, codes = np.unique(problem.y, return_inverse=True)
    n = len(classes)
    name = data.draw(st.sampled_from([name for name, labels in LABELS.items() if len(labels) >= n]))
    labels = np.array(data.draw(st.permutations(LABELS[name][:n].tolist())), dtype=LABELS[name].dtype)
    new = np.unique(labels)
    return labels[codes], np.array([new.tolist().index(label) for label in labels.tolist()])


@given(st.data())
def test_permuting_the_classes_permutes_the_columns(data):
    problem = data.draw(problems(["binary", "multiclass"]))
    params = data.draw(settings(problem, standardize=ANY_COORDINATES))
    coefs, intercepts = problem.initial_values(params["hidden_layer_sizes"])
    y, new_column = renamed(problem, data)
    if problem.kind == "binary":
        # The single unit gives the difference between the second class and the first.
        sign = 1.0 if new_column[0] == 0 else -1.0
        permuted = [*coefs[:-1], sign * coefs[-1]], [*intercepts[:-1], sign * intercepts[-1]]
    else:
        old_column = np.argsort(new_column)
        permuted = [*coefs[:-1], coefs[-1][:, old_column]], [*intercepts[:-1], intercepts[-1][old_column]]
    base = problem.fit(start=(coefs, intercepts), **params)
    other = replace(problem, y=y).fit(start=permuted, **params)
    atol = rounding(base)
    np.testing.assert_allclose(other.loss_curve_, base.loss_curve_, rtol=0, atol=atol)
    p, q = base.predict_proba(problem.X), other.predict_proba(problem.X)
    np.testing.assert_allclose(q[:, new_column], p, rtol=0, atol=atol)
    # If two classes are equally likely, either may be predicted.
    largest = np.sort(p, axis=1)
    clear = largest[:, -1] > largest[:, -2] + 3 * atol
    old_codes = np.searchsorted(base.classes_, base.predict(problem.X))
    new_codes = np.searchsorted(other.classes_, other.predict(problem.X))
    np.testing.assert_array_equal(new_codes[clear], new_column[old_codes[clear]])


@given(st.data())
def test_permuting_the_labels_or_outputs_permutes_the_columns(data):
    problem = data.draw(problems(["multilabel", "several outputs"]))
    params = data.draw(settings(problem, standardize=ANY_COORDINATES))
    coefs, intercepts = problem.initial_values(params["hidden_layer_sizes"])
    order = data.draw(st.permutations(range(problem.n_outputs)))
    permuted = [*coefs[:-1], coefs[-1][:, order]], [*intercepts[:-1], intercepts[-1][order]]
    base = problem.fit(start=(coefs, intercepts), **params)
    other = replace(problem, y=problem.y[:, order]).fit(start=permuted, **params)
    response = "predict_proba" if problem.kind == "multilabel" else "predict"
    found, expected = (getattr(model, response)(problem.X) for model in (other, base))
    np.testing.assert_allclose(found, expected[:, order], rtol=0, atol=rounding(base))


@given(st.data())
def test_permuting_features_and_units_changes_nothing_but_their_order(data):
    problem = data.draw(problems())
    params = data.draw(settings(problem, standardize=ANY_COORDINATES))
    container = data.draw(containers)
    sizes = (problem.X.shape[1], *params["hidden_layer_sizes"], problem.n_outputs)
    orders = [data.draw(st.permutations(range(n))) for n in sizes[:-1]] + [list(range(sizes[-1]))]
    coefs, intercepts = problem.initial_values(params["hidden_layer_sizes"])

    def permuted(coefs, intercepts):
        weights = [W[np.ix_(m, n)] for W, m, n in zip(coefs, orders, orders[1:], strict=False)]
        return weights, [b[n] for b, n in zip(intercepts, orders[1:], strict=True)]

    base = problem.fit(container(problem.X), (coefs, intercepts), **params)
    other = problem.fit(container(problem.X[:, orders[0]]), permuted(coefs, intercepts), **params)
    expected = permuted(base.coefs_, base.intercepts_)
    for p, q in zip(other.coefs_ + other.intercepts_, expected[0] + expected[1], strict=True):
        np.testing.assert_allclose(p, q, rtol=0, atol=rounding(base))


@given(st.data())
def test_at_full_batch_the_order_of_the_rows_does_not_matter(data):
    problem = data.draw(problems(KINDS))
    params = data.draw(settings(problem, batch_size="full", standardize=ANY_COORDINATES))
    order = np.random.default_rng(data.draw(seeds)).permutation(len(problem.X))
    container = data.draw(containers)
    start = problem.initial_values(params["hidden_layer_sizes"])
    base, other = (p.fit(container(p.X), start, **params) for p in (problem, problem.rows(order)))
    assert_close(base, other, rounding(base))


@given(st.data())
def test_a_batch_size_of_all_rows_equals_the_full_batch_bit_for_bit(data):
    problem = data.draw(problems())
    params = data.draw(settings(problem, batch_size="full", standardize=ANY_COORDINATES))
    assert_same_bits(problem.fit(**params), problem.fit(**(params | {"batch_size": len(problem.X)})))


@given(st.data())
def test_a_feature_that_is_always_zero_learns_nothing(data):
    # Without an L2 term, the weights of this feature keep their initial values. The other weights are the same as
    # without the feature.
    problem = data.draw(problems(CLASSIFICATION))
    params = data.draw(settings(problem, solvers=("plain", "momentum", "nesterov", "adam"))) | {"alpha": 0.0}
    container = data.draw(containers)
    coefs, intercepts = problem.initial_values(params["hidden_layer_sizes"])
    extra = np.random.default_rng(problem.seed).normal(size=(1, coefs[0].shape[1]))
    base = problem.fit(container(problem.X), (coefs, intercepts), **params)
    wide_X = np.hstack([problem.X, np.zeros((len(problem.X), 1))])
    wider = problem.fit(container(wide_X), ([np.vstack([coefs[0], extra]), *coefs[1:]], intercepts), **params)
    np.testing.assert_array_equal(wider.coefs_[0][-1:], extra)
    np.testing.assert_allclose(wider.coefs_[0][:-1], base.coefs_[0], rtol=0, atol=rounding(base))
