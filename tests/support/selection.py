"""Which cases of a parametrised test the short and the full test suite run."""

from collections import defaultdict
from functools import partial
from itertools import combinations

import numpy as np
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
    values = [list(case.items()) for case in cases]
    combined = [list(combinations(case, min(strength, len(case)))) for case in values]
    having_value, having_combination = positions_of(values), positions_of(combined)
    # For each case: the number of its combinations that no chosen case has, and how often its values were chosen.
    new, uses = np.array([len(each) for each in combined]), np.zeros(len(cases), dtype=int)
    chosen, seen = [], set()
    while (most := new.max()) > 0:
        candidates = np.flatnonzero(new == most)
        best = int(candidates[uses[candidates].argmin()])
        chosen.append(best)
        for combination in combined[best]:
            if combination not in seen:
                seen.add(combination)
                new[having_combination[combination]] -= 1
        for value in values[best]:
            uses[having_value[value]] += 1
    return sorted(chosen)


def positions_of(members):
    """For each member of any of these lists: the positions of the lists that have it."""
    result = defaultdict(list)
    for position, each in enumerate(members):
        for member in each:
            result[member].append(position)
    return {member: np.array(positions) for member, positions in result.items()}


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
