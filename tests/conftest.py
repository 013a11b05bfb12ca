"""Fixtures that several test modules use."""

import numpy as np
import pytest


@pytest.fixture(scope="session")
def assert_identical():
    """A function: two fitted networks have the same parameters bit for bit."""

    def check(a, b):
        assert len(a.coefs_) == len(b.coefs_)
        for p, q in zip(a.coefs_ + a.intercepts_, b.coefs_ + b.intercepts_, strict=True):
            np.testing.assert_array_equal(p, q)

    return check


@pytest.fixture(scope="session")
def assert_parameters():
    """A function: a fitted network has these weights and biases, to a tolerance that the caller states."""

    def check(clf, coefs, intercepts, *, rtol=0.0, atol):
        assert len(clf.coefs_) == len(coefs)
        assert len(clf.intercepts_) == len(intercepts)
        for p, q in zip(list(clf.coefs_) + list(clf.intercepts_), list(coefs) + list(intercepts), strict=True):
            np.testing.assert_allclose(p, q, rtol=rtol, atol=atol)

    return check
