"""PiecewiseLinearEncoder: against a loop from the formula, at the ends of its range, with scikit-learn's checks."""

from itertools import pairwise

import numpy as np
import pytest
from checks import pairs_with_checks
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skfnn.tabular import PiecewiseLinearEncoder

rng = np.random.default_rng(0)
SKEWED = np.column_stack([np.exp(rng.normal(size=300)), rng.normal(50.0, 3.0, 300), rng.integers(0, 4, 300)])


def position(x, left, right, is_first, is_last, extrapolation):
    """Formula (1) of Gorishniy et al. (2022), with both ends clipped for 'clip'."""
    if x < left and not (is_first and extrapolation == "linear"):
        return 0.0
    if x >= right and not (is_last and extrapolation == "linear"):
        return 1.0
    return (x - left) / (right - left)


def by_loop(encoder, X):
    """The bins of every row, written row by row."""
    rows = []
    for x in X:
        row = []
        for value, edges in zip(x, encoder.bin_edges_, strict=True):
            last = len(edges) - 2
            for t, (left, right) in enumerate(pairwise(edges)):
                row.append(position(value, left, right, t == 0, t == last, encoder.extrapolation))
        rows.append(row)
    return np.array(rows)


@pairs_with_checks(
    [
        PiecewiseLinearEncoder(),
        PiecewiseLinearEncoder(1),
        PiecewiseLinearEncoder(include_scaled=False),
        PiecewiseLinearEncoder(extrapolation="linear"),
    ],
    lambda estimator: {},
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("extrapolation", ["clip", "linear"])
@pytest.mark.parametrize("n_bins", [1, 5, 8])
def test_the_bins_are_those_of_the_formula(n_bins, extrapolation):
    encoder = PiecewiseLinearEncoder(n_bins, include_scaled=False, extrapolation=extrapolation).fit(SKEWED[:200])
    rows = np.vstack([SKEWED[200:], [[-3.0, 0.0, -1.0], [1e3, 1e3, 9.0]]])
    # Differences and quotients of numbers of order 1e3 in float64, by another order of operations.
    np.testing.assert_allclose(encoder.transform(rows), by_loop(encoder, rows), rtol=1e-12, atol=1e-12)


def test_the_edges_are_numpys_quantiles():
    encoder = PiecewiseLinearEncoder(6).fit(SKEWED)
    for j in (0, 1):
        expected = np.quantile(SKEWED[:, j], np.linspace(0, 1, 7))
        np.testing.assert_allclose(encoder.bin_edges_[j], expected, rtol=1e-14)
    np.testing.assert_allclose(encoder.center_, np.median(SKEWED, axis=0), rtol=1e-14)
    np.testing.assert_allclose(encoder.scale_, np.subtract(*np.quantile(SKEWED, [0.75, 0.25], axis=0)), rtol=1e-12)


def test_few_distinct_values_are_the_edges():
    column = np.repeat([0.0, 1.0, 5.0, 6.0], [1, 50, 3, 1])[:, None]
    encoder = PiecewiseLinearEncoder(3, include_scaled=False).fit(column)
    np.testing.assert_array_equal(encoder.bin_edges_[0], [0.0, 1.0, 5.0, 6.0])
    np.testing.assert_array_equal(encoder.transform([[5.0]]), [[1.0, 1.0, 0.0]])


def test_equal_quantiles_count_once():
    column = np.append(np.zeros(90), np.arange(1.0, 11.0))[:, None]
    (edges,) = PiecewiseLinearEncoder(8).fit(column).bin_edges_
    assert len(edges) == 2
    assert edges[[0, -1]].tolist() == [0.0, 10.0]


def test_the_scaled_column_is_robust_and_bounded():
    encoder = PiecewiseLinearEncoder(2).fit(SKEWED)
    z = (SKEWED - encoder.center_) / encoder.scale_
    np.testing.assert_allclose(encoder.transform(SKEWED)[:, :3], z / np.sqrt(1 + (z / 3) ** 2), rtol=1e-9, atol=1e-12)
    far = encoder.transform([[1e300, -1e300, 1e9]])[0, :3]
    np.testing.assert_allclose(far, [3.0, -3.0, 3.0], rtol=1e-6)


def test_equal_quartiles_are_replaced_by_half_the_range():
    column = np.append(np.zeros(90), np.full(10, 8.0))[:, None]
    assert PiecewiseLinearEncoder().fit(column).scale_ == [4.0]


def test_a_missing_value_has_a_column_and_else_is_the_median():
    X = np.array([[1.0, 0.0], [2.0, 1.0], [np.nan, 2.0], [3.0, 3.0]])
    encoder = PiecewiseLinearEncoder(2).fit(X)
    encoded = encoder.transform([[np.nan, np.nan], [2.0, 1.5]])
    assert encoder.has_missing_.tolist() == [True, False]
    np.testing.assert_array_equal(encoded[0, :-1], encoded[1, :-1])
    assert encoded[:, -1].tolist() == [1.0, 0.0]


def test_constant_and_empty_columns_add_nothing_but_their_missing_values():
    X = np.array([[7.0, np.nan, 7.0, 0.0], [7.0, np.nan, np.nan, 1.0]])
    encoder = PiecewiseLinearEncoder().fit(X)
    assert encoder.get_feature_names_out().tolist() == ["x3", "x3_bin1", "x1_missing", "x2_missing"]
    np.testing.assert_array_equal(encoder.transform([[8.0, np.nan, 9.0, 1.0]])[:, 1:], [[1.0, 1.0, 0.0]])


def test_a_table_of_constants_has_no_columns():
    assert PiecewiseLinearEncoder().fit_transform(np.ones((4, 2))).shape == (4, 0)


@pytest.mark.parametrize("include_scaled", [True, False])
def test_names_belong_to_the_columns(include_scaled):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"age": [1.0, 2.0, np.nan], "pay": [5.0, 5.5, 7.0]})
    encoder = PiecewiseLinearEncoder(2, include_scaled=include_scaled).set_output(transform="pandas")
    encoded = encoder.fit_transform(frame)
    assert encoded["age_missing"].tolist() == [0.0, 0.0, 1.0]
    assert encoded["pay_bin1"].tolist() == [0.0, 1.0, 1.0]
    assert encoded["pay_bin2"].tolist() == [0.0, 0.0, 1.0]
    assert ("pay" in encoded) is include_scaled


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_numbers_near_the_ends_of_the_range_stay_finite(dtype):
    info = np.finfo(dtype)
    X = np.array([[info.min, 1.0], [0.0, 1.0 + info.eps], [info.tiny, 2.0], [info.max, info.max]], dtype)
    for encoder in (PiecewiseLinearEncoder(2), PiecewiseLinearEncoder(8)):
        encoded = encoder.fit_transform(X)
        assert encoded.dtype == dtype
        assert np.isfinite(encoded).all()
        assert np.abs(encoded).max() <= 3.0
        for values in encoded[:, 2:].T:
            assert values.min() == 0.0
            assert values.max() == 1.0


def test_float32_is_float64_up_to_rounding():
    X = SKEWED.astype("float32")
    encoder = PiecewiseLinearEncoder().fit(X)
    # A bin is up to 1/50 of a value wide, so its position has 50 times the rounding error of float32, 6e-8.
    np.testing.assert_allclose(encoder.transform(X), encoder.transform(X.astype("float64")), atol=2e-4)


def test_a_row_is_encoded_alone_as_it_is_among_others():
    encoder = PiecewiseLinearEncoder().fit(SKEWED)
    np.testing.assert_array_equal(encoder.transform(SKEWED)[7:8], encoder.transform(SKEWED[7:8]))


def test_the_input_is_not_changed():
    X = np.array([[1.0, np.nan], [2.0, 3.0]])
    before = X.copy()
    PiecewiseLinearEncoder().fit(X).transform(X)
    np.testing.assert_array_equal(X, before)


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinity_is_an_error(value):
    with pytest.raises(ValueError, match="infinity"):
        PiecewiseLinearEncoder().fit([[1.0], [value]])


def test_errors_name_the_parameter():
    with pytest.raises(ValueError, match="n_bins"):
        PiecewiseLinearEncoder(0).fit(SKEWED)
    with pytest.raises(ValueError, match="extrapolation"):
        PiecewiseLinearEncoder(extrapolation="constant").fit(SKEWED)
    with pytest.raises(NotFittedError):
        PiecewiseLinearEncoder().transform(SKEWED)


def test_names_pass_through_a_pipeline():
    model = make_pipeline(FunctionTransformer(feature_names_out="one-to-one"), PiecewiseLinearEncoder(1)).fit(SKEWED)
    assert model.get_feature_names_out(["a", "b", "c"])[0] == "a"


def test_missing_values_of_every_type():
    pd = pytest.importorskip("pandas")
    expected = PiecewiseLinearEncoder(2).fit_transform([[1.0, 2.0], [2.0, np.nan], [4.0, 5.0]])
    columns = {"a": [1, 2, 4], "b": [2.0, None, 5.0]}
    frames = [pd.DataFrame(columns), pd.DataFrame(columns).astype("Float64"), pd.DataFrame(columns, dtype=object)]
    frames.append(pd.DataFrame({"a": [1, 2, 4], "b": pd.Series([2.0, pd.NA, 5.0], dtype=object)}))
    for X in [*frames, frames[-1].to_numpy()]:
        np.testing.assert_array_equal(PiecewiseLinearEncoder(2).fit_transform(X), expected)
