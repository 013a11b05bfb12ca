"""What depends on the number of rows."""

from math import ceil
from unittest.mock import patch

import pytest

from skfnn.tabular._settings import ROWS, by_rows

RULE = {"batch_size": 64, "min_batches": 8, "epochs": 60, "min_steps": 1000, "max_steps": 10_000}
RULE |= {"rate": 0.002, "rate_batch": 64}


@pytest.fixture(autouse=True)
def rule():
    with patch.dict(ROWS["regression"], RULE, clear=True):
        yield


@pytest.mark.parametrize("n_rows", [1, 2, 7, 100, 512, 5000, 10**6])
def test_the_rule_stays_within_its_limits(n_rows):
    found = by_rows("regression", n_rows)
    assert 1 <= found["batch_size"] <= 64
    steps = ceil(n_rows / found["batch_size"])
    assert steps >= min(8, n_rows)
    assert steps * found["max_iter"] <= 10_000 or found["max_iter"] == 1
    assert steps * found["max_iter"] >= 1000
    assert found["learning_rate_init"] == pytest.approx(0.002 * (found["batch_size"] / 64) ** 0.5)


def test_the_middle_of_the_range_has_the_settings_as_they_are():
    assert by_rows("regression", 2000) == {"batch_size": 64, "max_iter": 60, "learning_rate_init": 0.002}


def test_what_is_given_stays():
    given = {"batch_size": 500, "max_iter": 3, "learning_rate_init": 0.5}
    assert by_rows("regression", 100, **given) == given


def test_a_given_batch_size_changes_the_rate():
    assert by_rows("regression", 256, batch_size="full")["learning_rate_init"] == pytest.approx(0.004)
    assert by_rows("regression", 256, batch_size=16)["learning_rate_init"] == pytest.approx(0.001)
