"""Categories of every type become words that do not depend on the type of the column."""

import numpy as np
import pytest

from skfnn.tabular._words import MISSING, words

pd = pytest.importorskip("pandas")


def column(values, dtype=None):
    return words(pd.DataFrame({"x": pd.Series(values, dtype=dtype)}))[:, 0].tolist()


def test_text_stays_as_it_is():
    assert column(["a", " b", ""]) == ["a", " b", ""]


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
def test_every_missing_value_is_the_same_word(missing):
    assert column(["a", missing], "object") == ["a", MISSING]


@pytest.mark.parametrize("dtype", ["str", "string", "category", "object"])
def test_the_type_of_text_does_not_matter(dtype):
    assert column(["a", None, "b"], dtype) == ["a", MISSING, "b"]


def test_whole_numbers_are_written_alike():
    assert column([1, 2], "category") == column(pd.Series([1.0, 2.0]).astype("category")) == ["1", "2"]
    assert column([1, 1.0, 1.5, "x"], "object") == ["1", "1", "1.5", "x"]


def test_large_whole_numbers_stay_different():
    assert column([2**60, 2**60 + 1], "category") == [str(2**60), str(2**60 + 1)]


@pytest.mark.parametrize("dtype", ["bool", "object", "boolean", "category"])
def test_booleans(dtype):
    assert column([True, False], dtype) == ["True", "False"]


def test_true_and_one_are_two_words_in_any_order():
    assert column([True, 1], "object") == ["True", "1"]
    assert column([1, True], "object") == ["1", "True"]


def test_arrays_and_frames_of_polars():
    expected = [["a", "True"], [MISSING, "False"]]
    assert words(np.array([["a", True], [None, False]], dtype=object)).tolist() == expected
    pl = pytest.importorskip("polars")
    assert words(pl.DataFrame({"t": ["a", None], "b": [True, False]})).tolist() == expected


def test_no_rows_and_no_columns():
    assert words(pd.DataFrame({"a": [], "b": []})).shape == (0, 2)
    assert words(pd.DataFrame(index=range(3))).shape == (3, 0)
