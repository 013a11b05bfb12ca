"""Fixtures that several test modules use."""

import numpy as np
import pytest

from skfnn._engine import batches as _batches
from skfnn._engine import trainer as _training


@pytest.fixture(scope="module")
def small_blocks():
    """Blocks of 64 rows at most, and deferred wherever they can be: small problems go the ways of large ones."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (_batches, _training):
            patch.setattr(module, "BLOCK_ROWS", 64)
        patch.setattr(_training, "_deferring_pays", lambda batches, *_: batches.block_batches > 1)
        yield


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
