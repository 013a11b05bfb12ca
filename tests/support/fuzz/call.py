"""A call to make, the model that it finds, and random rows for it."""

from typing import Any, NamedTuple

from .matrices import n_columns, n_rows, names_of, rows, size
from .values import BAD, GOOD, OPEN, chance

TRAINING = ("fit", "partial_fit", "resume")


class Call(NamedTuple):
    """A call to make."""

    method: str
    function: Any
    arguments: dict  # by name, Values
    verdict: int
    judge: Any = lambda result: None  # checks the result
    errors: tuple = ()  # kinds of errors that are correct here although they are not documented


class Trained(NamedTuple):
    """What the session knows about the model of an estimator."""

    problem: Any
    hidden: tuple
    activation: Any
    usual: bool  # whether all values of its training were GOOD


def any_rows(session, shares=(0.86, 0.08)):
    """A random X and its number of rows."""
    n, d = size(session.rng), session.n_features + chance(session.rng, 0.03)
    X = rows(session.rng, n, d, shares)
    if X.verdict == OPEN and n_rows(X.value) is not None:
        n = n_rows(X.value)
    return X, n


def for_model(session, X):
    """The verdict of X for the present model: X must have the model's number of columns and their names."""
    if X.verdict != GOOD or session.trained is None:
        return X.verdict
    if n_columns(X.value) != session.estimator.n_features_in_:
        return BAD
    known, names = getattr(session.estimator, "feature_names_in_", None), names_of(X.value)
    return OPEN if known is not None and names is not None and list(known) != names else GOOD


def worst(arguments):
    return max(value.verdict for value in arguments.values())
