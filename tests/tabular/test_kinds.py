"""Columns are sorted by their types, and what cannot be used is named."""

import datetime
import decimal

import numpy as np
import pytest
from scipy import sparse

from skfnn.tabular._kinds import categories, is_missing, numbers

pd = pytest.importorskip("pandas")

SERIES = {
    "int": ([1, 2], "int64", "number"),
    "float32": ([1.0, np.nan], "float32", "number"),
    "Int64": ([1, None], "Int64", "number"),
    "Float64": ([1.0, None], "Float64", "number"),
    "bool": ([True, False], "bool", "category"),
    "boolean": ([True, None], "boolean", "category"),
    "object text": (["a", None], "object", "category"),
    "object numbers": ([1, 2.5], "object", "number"),
    "object numbers, missing": ([1, None], "object", "number"),
    "decimals": ([decimal.Decimal("1.5"), None], "object", "number"),
    "object booleans": ([True, None], "object", "category"),
    "a mixture": ([1, "a"], "object", "category"),
    "nothing": ([None, None], "object", "category"),
    "str": (["a", None], "str", "category"),
    "string": (["a", None], "string", "category"),
    "category": (["a", None], "category", "category"),
    "category of numbers": ([1, 2], "category", "category"),
}
DATES = {
    "datetime": (pd.to_datetime(["2020-01-01", None]), None),
    "with zone": (pd.to_datetime(["2020-01-01", None], utc=True), None),
    "timedelta": (pd.to_timedelta(["1 day", None]), None),
    "period": (pd.period_range("2020", periods=2, freq="D"), None),
    "object dates": ([datetime.date(2020, 1, 1), None], "object"),
}


@pytest.mark.parametrize("name", SERIES)
def test_the_kind_of_a_pandas_column(name):
    values, dtype, kind = SERIES[name]
    frame = pd.DataFrame({"x": pd.Series(values, dtype=dtype)})
    assert (numbers(frame), categories(frame)) == ((["x"], []) if kind == "number" else ([], ["x"]))


@pytest.mark.parametrize("name", DATES)
def test_a_date_is_an_error_that_says_what_to_do(name):
    values, dtype = DATES[name]
    frame = pd.DataFrame({"x": [1, 2], "when": pd.Series(values, dtype=dtype)})
    with pytest.raises(ValueError, match=r"'when' has dates or times .* year"):
        numbers(frame)


@pytest.mark.parametrize("values", [[[1], [2]], [{"a": 1}, None], [1 + 2j, 3]])
def test_what_is_no_number_and_no_word_is_an_error(values):
    frame = pd.DataFrame({"x": pd.Series(values, dtype="object")})
    with pytest.raises(ValueError, match=r"Column 'x' has values of type"):
        numbers(frame)


def test_repeated_names_are_an_error():
    frame = pd.DataFrame([[1, 2, 3]], columns=["a", "b", "a"])
    with pytest.raises(ValueError, match="more than one column named 'a'"):
        numbers(frame)


def test_a_sparse_matrix_is_an_error():
    with pytest.raises(TypeError, match="sparse"):
        numbers(sparse.csr_matrix([[1.0]]))


@pytest.mark.parametrize("X", [np.ones(3), pd.Series([1.0, 2.0]), 1.0])
def test_what_is_no_table_is_an_error(X):
    with pytest.raises(ValueError, match=r"rows and columns, got [01] dimension"):
        numbers(X)


@pytest.mark.parametrize("dtype", ["float64", "int8", "uint16"])
def test_the_columns_of_an_array_of_numbers(dtype):
    X = np.zeros((2, 3), dtype)
    assert numbers(X) == [0, 1, 2]
    assert categories(X) == []


def test_the_columns_of_an_array_of_objects_are_sorted_one_by_one():
    X = np.array([["a", 1, True], [None, 2.5, False]], dtype=object)
    assert numbers(X) == [1]
    assert categories(X) == [0, 2]


def test_names_that_are_no_strings_become_positions():
    frame = pd.DataFrame([["a", 2.0]], columns=[10, 20])
    assert categories(frame) == [0]
    assert numbers(frame) == [1]


@pytest.mark.parametrize("value", [None, np.nan, float("nan"), np.float32("nan"), pd.NA, pd.NaT])
def test_missing(value):
    assert is_missing(value)


@pytest.mark.parametrize("value", ["", 0, False, "nan", np.inf])
def test_not_missing(value):
    assert not is_missing(value)


def test_the_columns_of_a_polars_frame():
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame(
        {
            "i": [1, None],
            "f": [0.5, 1.5],
            "d": [decimal.Decimal("1.5"), None],
            "t": ["a", None],
            "b": [True, None],
            "c": pl.Series(["u", "v"], dtype=pl.Categorical),
            "e": pl.Series(["u", "v"], dtype=pl.Enum(["u", "v"])),
            "n": [None, None],
        }
    )
    assert numbers(frame) == ["i", "f", "d"]
    assert categories(frame) == ["t", "b", "c", "e", "n"]


@pytest.mark.parametrize("value", [datetime.date(2020, 1, 1), datetime.datetime(2020, 1, 1), datetime.timedelta(1)])
def test_a_date_in_polars_is_an_error(value):
    pl = pytest.importorskip("polars")
    with pytest.raises(ValueError, match="'when' has dates or times"):
        numbers(pl.DataFrame({"when": [value]}))


def test_a_list_in_polars_is_an_error():
    pl = pytest.importorskip("polars")
    with pytest.raises(ValueError, match="'x' has values of type List"):
        numbers(pl.DataFrame({"x": [[1, 2]]}))
