"""What the tests of callbacks share."""

from importlib.util import find_spec

import pytest
from sklearn import __version__ as sklearn_version


@pytest.fixture
def skip_what_this_scikit_learn_cannot_do(request):
    """Skip with scikit-learn before 1.9, which has no callbacks. The tests for older versions say so in their names."""
    has_callbacks = find_spec("sklearn.callback") is not None
    if request.function.__name__.startswith("test_before_callbacks_existed") == has_callbacks:
        pytest.skip(f"callbacks need scikit-learn 1.9; this is {sklearn_version}")
