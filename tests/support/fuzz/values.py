"""A random value and its verdict."""

from typing import Any, NamedTuple

# The verdicts: skfnn must accept a GOOD value and refuse a BAD one. Whether it accepts an OPEN value depends on the
# other values. A call has the verdict of its worst value: one BAD value makes the call fail.
GOOD, OPEN, BAD = range(3)


class Value(NamedTuple):
    """A value, its verdict, and its name in a report."""

    value: Any
    verdict: int
    name: str


class UsersError(Exception):
    """The error of a user's function. skfnn does not catch it."""


def choose(rng, items):
    """A random item."""
    return items[rng.integers(len(items))]


def chance(rng, probability):
    """True with this probability."""
    return rng.random() < probability


def entry(rng, verdict, table):
    """A random entry of a table from names to values."""
    name = choose(rng, list(table))
    return Value(table[name], verdict, name)


def drawn(rng, good, open_, bad, shares=(0.7, 0.15)):
    """A value from one of three tables. The third has the remaining probability."""
    u = rng.random()
    tables = [(GOOD, good), (OPEN, open_), (BAD, bad)]
    verdict, table = tables[0 if u < shares[0] else 1 if u < sum(shares) else 2]
    return entry(rng, verdict, table or good) if table else entry(rng, GOOD, good)


def listed(items):
    """A table of values named by their repr."""
    return {repr(item): item for item in items}
