"""Which cases of a parametrised test the short and the full test suite run."""

from collections import Counter, defaultdict
from functools import partial
from itertools import combinations

import pytest


class Suite:
    """Which suite runs. The option --full sets it before the test modules are imported."""

    full = False


SUITE = Suite()

# A value of a parameter that only the full suite tests.
full_only = partial(pytest.param, marks=pytest.mark.full)


def covering(cases, strength=1):
    """The positions of a few cases that contain every combination of `strength` values that any of the cases contains.

    A case is a dict: parameter -> value. Cases are chosen one by one: the one with most new combinations, among these
    the one whose values were chosen least often, and then the first. So every process makes the same choice.
    """
    if all(len(case) <= strength for case in cases):
        return list(range(len(cases)))
    combined = [set(combinations(case.items(), min(strength, len(case)))) for case in cases]
    missing = set().union(*combined)
    chosen, uses = [], Counter()
    while missing:
        new = [len(combinations & missing) for combinations in combined]
        most = max(new)
        best = min(
            (k for k, count in enumerate(new) if count == most),
            key=lambda k: sum(uses[value] for value in cases[k].items()),
        )
        chosen.append(best)
        missing -= combined[best]
        uses.update(cases[best].items())
    return sorted(chosen)


def identities(params):
    """The identities of the values. Values may be of any type, and parametrize passes the same object to all cases."""
    return {name: id(value) for name, value in params.items()}


def selected(items):
    """The collected tests that belong to the suite, in their order."""
    strength = 2 if SUITE.full else 1
    groups = defaultdict(list)
    for position, item in enumerate(items):
        if SUITE.full or item.get_closest_marker("full") is None:
            groups[item.nodeid.partition("[")[0]].append(position)
    kept = set()
    for positions in groups.values():
        first = items[positions[0]]
        if hasattr(first, "callspec"):
            positions = [
                positions[k] for k in covering([identities(items[k].callspec.params) for k in positions], strength)
            ]
        kept.update(positions)
    return [item for position, item in enumerate(items) if position in kept]
