"""Which cases of a parametrised test the short test suite runs."""

from collections import Counter, defaultdict
from functools import partial

import pytest


class Suite:
    """Which suite runs. The option --full sets it before the test modules are imported."""

    full = False


SUITE = Suite()

# A value of a parameter that only the full suite tests.
full_only = partial(pytest.param, marks=pytest.mark.full)


def covering(cases):
    """The positions of a few cases that contain every value of every parameter.

    A case is a dict: parameter -> value. Cases are chosen one by one: the one with most new values, among these the one
    whose values were chosen least often, and then the first. So every process makes the same choice.
    """
    cases = [set(case.items()) for case in cases]
    missing = set().union(*cases)
    chosen, uses = [], Counter()
    while missing:
        new = [len(case & missing) for case in cases]
        most = max(new)
        best = min(
            (k for k, count in enumerate(new) if count == most), key=lambda k: sum(uses[value] for value in cases[k])
        )
        chosen.append(best)
        missing -= cases[best]
        uses.update(cases[best])
    return sorted(chosen)


def identities(params):
    """The identities of the values. Values may be of any type, and parametrize passes the same object to all cases."""
    return {name: id(value) for name, value in params.items()}


def short(items):
    """The collected tests that belong to the short suite, in their order."""
    groups = defaultdict(list)
    for position, item in enumerate(items):
        if item.get_closest_marker("full") is None:
            groups[item.nodeid.partition("[")[0]].append(position)
    kept = set()
    for positions in groups.values():
        first = items[positions[0]]
        if hasattr(first, "callspec"):
            positions = [positions[k] for k in covering([identities(items[k].callspec.params) for k in positions])]
        kept.update(positions)
    return [item for position, item in enumerate(items) if position in kept]
