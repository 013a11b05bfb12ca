"""The short test suite contains every pair of parameter values of a test, and its choice is always the same."""

from itertools import combinations, product
from types import SimpleNamespace

import pytest
from selection import covering, short

CASES = [dict(zip("abc", values, strict=True)) for values in product(range(4), range(3), range(5))]


def combinations_of(cases, strength):
    return {part for case in cases for part in combinations(sorted(case.items()), strength)}


@pytest.mark.parametrize("strength", [1, 2, 3])
def test_the_chosen_cases_contain_every_combination(strength):
    chosen = covering(CASES, strength)
    assert combinations_of([CASES[k] for k in chosen], strength) == combinations_of(CASES, strength)
    # The best possible numbers are 5, 20 and 60.
    assert len(chosen) <= {1: 5, 2: 24, 3: 60}[strength]
    assert chosen == sorted(set(chosen))


def test_the_choice_is_the_same_every_time():
    assert covering(CASES, 2) == covering([dict(case) for case in CASES], 2)


def test_every_case_of_one_or_two_parameters_is_chosen():
    for names in ("a", "ab"):
        cases = [dict(zip(names, values, strict=True)) for values in product(range(4), repeat=len(names))]
        assert covering(cases, 2) == list(range(len(cases)))


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
    pairs = [item("pairs", params) for params in grid]
    single = [item("single", params, pytest.mark.every_value.mark) for params in grid]
    plain, long = item("plain"), item("long", None, pytest.mark.full.mark)
    kept = short([*pairs, plain, long, *single])
    assert plain in kept
    assert long not in kept
    assert [each.nodeid for each in kept] == [each.nodeid for each in [*pairs, plain, *single] if each in kept]
    assert 9 <= sum(each in kept for each in pairs) <= 12
    assert sum(each in kept for each in single) == 3


def test_the_values_of_a_case_may_be_replaced():
    # Every case has its own objects, as in scikit-learn's checks.
    marker = pytest.mark.every_value(values_of=lambda params: {"a": str(params["a"])}).mark
    items = [item(f"test[{k}]", {"a": [k % 2]}, marker) for k in range(6)]
    assert short(items) == items[:2]
