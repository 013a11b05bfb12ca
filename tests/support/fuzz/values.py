"""A random value, and what it must lead to."""

from typing import Any, NamedTuple

# What a call must come to: GOOD values are accepted, a BAD one is refused, an OPEN one may be either, which depends on
# the other values. A call is as its worst value is: one BAD value makes it fail.
GOOD, OPEN, BAD = range(3)


class Value(NamedTuple):
    """A value, its verdict, and what it is called in a report."""

    value: Any
    verdict: int
    name: str


class UsersError(Exception):
    """What functions of the user raise: skfnn lets it pass."""


def choose(rng, items):
    """One of the items."""
    return items[rng.integers(len(items))]


def chance(rng, probability):
    """True with this probability."""
    return rng.random() < probability


def entry(rng, verdict, table):
    """A random entry of a table from names to values."""
    name = choose(rng, list(table))
    return Value(table[name], verdict, name)


def drawn(rng, good, open_, bad, shares=(0.7, 0.15)):
    """A value from one of three tables; the third has what is left of the probability."""
    u = rng.random()
    tables = [(GOOD, good), (OPEN, open_), (BAD, bad)]
    verdict, table = tables[0 if u < shares[0] else 1 if u < sum(shares) else 2]
    return entry(rng, verdict, table or good) if table else entry(rng, GOOD, good)


def listed(items):
    """A table of values that are called what they look like."""
    return {repr(item): item for item in items}
