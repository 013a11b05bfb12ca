"""Which cases of a parametrised test the short test suite runs."""

from collections import defaultdict
from itertools import combinations

# How many parameters whose values must meet in some case, by the name of the marker.
STRENGTHS = {"every_value": 1, "every_pair": 2}


def covering(cases, strength):
    """The positions of a few cases that contain every combination of `strength` values that any case contains.

    A case is a dict: parameter name -> number of its value. Each next case is the one with most new combinations, and
    the first of equally good ones, so that the choice is the same in every process.
    """
    combined = [set(combinations(sorted(case.items()), min(strength, len(case)))) for case in cases]
    missing = set().union(*combined)
    chosen = []
    while missing:
        best = max(range(len(cases)), key=lambda k: len(combined[k] & missing))
        chosen.append(best)
        missing -= combined[best]
    return sorted(chosen)


def short(items):
    """Of the collected tests, those of the short suite, in their order."""
    groups = defaultdict(list)
    for position, item in enumerate(items):
        groups[item.nodeid.partition("[")[0]].append(position)
    kept = set()
    for positions in groups.values():
        first = items[positions[0]]
        positions = [k for k in positions if items[k].get_closest_marker("full") is None]
        strength = next((STRENGTHS[name] for name in STRENGTHS if first.get_closest_marker(name)), None)
        if strength is not None and hasattr(first, "callspec"):
            positions = [positions[k] for k in covering([items[k].callspec.indices for k in positions], strength)]
        kept.update(positions)
    return [item for position, item in enumerate(items) if position in kept]
