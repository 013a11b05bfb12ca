"""The size of the test suite, its processes, and the fixtures of several test modules."""

import gc
import os
from pathlib import Path

import numpy as np
import pytest
from selection import SUITE, selected

DOCS = Path(__file__).parents[1] / "docs"
# The pages that the short suite leaves out, unless the command line names them. They train as long as users do.
LONG_PAGES = (DOCS / "user_guide", DOCS / "tables.md")


def pytest_addoption(parser):
    """Add ``--full``, the size that .ci/run uses."""
    parser.addoption("--full", action="store_true", help="run more cases of every test")


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config):
    """Run the whole suite in two processes if pytest-xdist is installed and the command line does not say otherwise."""
    option = config.option
    if hasattr(config, "workerinput"):
        option.without_long_pages = config.workerinput["without_long_pages"]
        return
    whole = config.args_source is pytest.Config.ArgsSource.TESTPATHS
    option.without_long_pages = whole and not option.full
    if whole and config.pluginmanager.hasplugin("xdist") and option.numprocesses is None and not option.usepdb:
        option.numprocesses = 2
        # Each process runs half of the tests in order. The one that ends first takes over the last tests of the other.
        option.dist = "worksteal"
        # Two threads in each of two processes would wait for each other, those of the BLAS and those of scikit-learn's
        # boosted trees (OpenMP). Tests about threads set their own number.
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node):
    """Tell a process of pytest-xdist what the first process chose."""
    node.workerinput["without_long_pages"] = node.config.option.without_long_pages


def pytest_configure(config):
    """Choose how many random cases each law gets."""
    SUITE.full = config.getoption("full")
    if SUITE.full:
        os.environ.setdefault("HYPOTHESIS_PROFILE", "full")


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """Keep the garbage collector away from the million objects of the collected tests, which live until the end."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    """Leave out the cases that do not belong to the suite."""
    kept = selected(items)
    if config.option.without_long_pages:
        kept = [item for item in kept if not any(item.path.is_relative_to(page) for page in LONG_PAGES)]
    left_out = set(items).difference(kept)
    config.hook.pytest_deselected(items=[item for item in items if item in left_out])
    items[:] = kept


@pytest.fixture(scope="session")
def full(request):
    """Whether the suite runs at its full size."""
    return request.config.getoption("full")


@pytest.fixture(scope="session")
def assert_identical():
    """A function that checks that two fitted networks have the same parameters bit for bit."""

    def check(a, b):
        assert len(a.coefs_) == len(b.coefs_)
        for p, q in zip(a.coefs_ + a.intercepts_, b.coefs_ + b.intercepts_, strict=True):
            np.testing.assert_array_equal(p, q)

    return check


@pytest.fixture(scope="session")
def assert_parameters():
    """A function that checks that a fitted network has these weights and biases, within a given tolerance."""

    def check(clf, coefs, intercepts, *, rtol=0.0, atol):
        assert len(clf.coefs_) == len(coefs)
        assert len(clf.intercepts_) == len(intercepts)
        for p, q in zip(list(clf.coefs_) + list(clf.intercepts_), list(coefs) + list(intercepts), strict=True):
            np.testing.assert_allclose(p, q, rtol=rtol, atol=atol)

    return check
