"""The suites contain every value, or every pair of values, of the parameters of a test, always in the same choice."""

from itertools import combinations, product
from types import SimpleNamespace

import pytest
from selection import SUITE, covering, selected

CASES = [dict(zip("abc", values, strict=True)) for values in product(range(4), range(3), range(5))]


def values(cases):
    return {item for case in cases for item in case.items()}


def test_the_chosen_cases_contain_every_value():
    chosen = covering(CASES)
    assert values(CASES[k] for k in chosen) == values(CASES)
    assert len(chosen) == 5  # fewer cannot have the five values of c
    assert chosen == sorted(set(chosen))


def pairs(cases):
    return {pair for case in cases for pair in combinations(case.items(), 2)}


def test_the_cases_of_the_full_suite_contain_every_pair():
    chosen = covering(CASES, 2)
    assert pairs(CASES[k] for k in chosen) == pairs(CASES)
    assert 20 <= len(chosen) <= 24  # fewer than 20 cannot have the pairs of a and c


def test_the_choice_is_the_same_every_time():
    assert covering(CASES, 2) == covering([dict(case) for case in CASES], 2)


def test_every_case_of_one_parameter_is_chosen():
    assert covering([{"a": k} for k in range(4)]) == list(range(4))


def item(name, params=None, *markers):
    """A replacement for a collected test."""
    marks = {marker.name: marker for marker in markers}
    result = SimpleNamespace(nodeid=f"{name}[{params}]" if params else name, get_closest_marker=marks.get)
    if params:
        result.callspec = SimpleNamespace(params=params)
    return result


@pytest.mark.parametrize(("suite", "fewest"), [(False, 3), (True, 9)])
def test_a_suite_leaves_out_cases_and_no_test(suite, fewest, monkeypatch):
    monkeypatch.setattr(SUITE, "full", suite)
    values = [object() for _ in range(5)]
    grid = [dict(zip("abc", three, strict=True)) for three in product(values[:3], repeat=3)]
    cases = [item("cases", params) for params in grid]
    plain, long = item("plain"), item("long", None, pytest.mark.full.mark)
    kept = selected([*cases, plain, long])
    assert plain in kept
    assert (long in kept) == suite
    assert [each.nodeid for each in kept] == [each.nodeid for each in [*cases, plain, long] if each in kept]
    assert fewest <= sum(each in kept for each in cases) <= 1.4 * fewest
