"""The short test suite contains every value of every parameter of a test, and its choice is always the same."""

from itertools import product
from types import SimpleNamespace

import pytest
from selection import covering, short

CASES = [dict(zip("abc", values, strict=True)) for values in product(range(4), range(3), range(5))]


def values(cases):
    return {item for case in cases for item in case.items()}


def test_the_chosen_cases_contain_every_value():
    chosen = covering(CASES)
    assert values(CASES[k] for k in chosen) == values(CASES)
    assert len(chosen) == 5  # fewer cannot have the five values of c
    assert chosen == sorted(set(chosen))


def test_the_choice_is_the_same_every_time():
    assert covering(CASES) == covering([dict(case) for case in CASES])


def test_every_case_of_one_parameter_is_chosen():
    assert covering([{"a": k} for k in range(4)]) == list(range(4))


def item(name, params=None, *markers):
    """A replacement for a collected test."""
    marks = {marker.name: marker for marker in markers}
    result = SimpleNamespace(nodeid=f"{name}[{params}]" if params else name, get_closest_marker=marks.get)
    if params:
        result.callspec = SimpleNamespace(params=params)
    return result


def test_the_short_suite_leaves_out_cases_and_no_test():
    values = [object() for _ in range(5)]
    grid = [dict(zip("abc", three, strict=True)) for three in product(values[:3], repeat=3)]
    cases = [item("cases", params) for params in grid]
    plain, long = item("plain"), item("long", None, pytest.mark.full.mark)
    kept = short([*cases, plain, long])
    assert plain in kept
    assert long not in kept
    assert [each.nodeid for each in kept] == [each.nodeid for each in [*cases, plain] if each in kept]
    assert sum(each in kept for each in cases) == 3
