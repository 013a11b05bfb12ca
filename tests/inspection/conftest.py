"""What the tests of the displays share."""

import pytest


@pytest.fixture
def plt():
    """Pyplot without a window. All figures are closed afterwards."""
    pytest.importorskip("matplotlib").use("Agg")
    import matplotlib.pyplot as plt

    yield plt
    plt.close("all")
