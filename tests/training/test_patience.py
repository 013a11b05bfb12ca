"""Patience: when a run stops, and when it lowers its learning rate."""

import math

import pytest

from skfnn._training.patience import Patience
from skfnn._training.state import Progress


def verdicts(patience, values, eta=0.1):
    """The verdict after each value, and the final progress."""
    progress, found = Progress(), []
    for value in values:
        progress, verdict = patience.judge(patience.count(progress, value), eta * progress.rate_scale)
        found.append(verdict)
    return found, progress


@pytest.mark.parametrize("epochs", [0, 1, 3])
def test_a_run_stops_after_more_than_the_given_epochs_without_improvement(epochs):
    found, progress = verdicts(Patience(0.1, epochs), [1.0] + [0.95] * (epochs + 1))
    assert [verdict.stops for verdict in found] == [False] * (epochs + 1) + [True]
    assert found[-1].message == (f"Training loss did not improve by tol=0.1 for {epochs} consecutive epochs. Stopping.")
    assert progress.no_improvement == epochs + 1


def test_an_improvement_by_exactly_tol_counts():
    found, progress = verdicts(Patience(0.25, 0), [1.0, 0.75, 0.5])
    assert not any(verdict.stops for verdict in found)
    assert progress.no_improvement == 0


def test_small_improvements_do_not_add_up():
    # Each epoch is better than the previous one by less than tol, so none counts as an improvement.
    found, _ = verdicts(Patience(0.1, 1), [1.0, 0.95, 0.90])
    assert found[-1].stops


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_value_that_is_not_finite_is_no_improvement(value):
    _, progress = verdicts(Patience(0.0, 10), [1.0, value])
    assert progress.no_improvement == 1
    assert progress.to_beat == 1.0


def test_infinite_patience_never_stops():
    found, _ = verdicts(Patience(1.0, math.inf), [1.0] * 50)
    assert not any(verdict.stops for verdict in found)


def test_with_stops_off_a_stall_is_only_counted():
    found, progress = verdicts(Patience(0.1, 1, stops=False), [1.0] * 5)
    assert not any(verdict.stops or verdict.message for verdict in found)
    assert progress.no_improvement == 4


def test_adaptive_divides_the_rate_by_5_down_to_the_smallest_and_then_stops():
    found, progress = verdicts(Patience(0.1, 0, adaptive=True), [1.0] * 20, eta=1e-5)
    lowered = [verdict for verdict in found if verdict.message and not verdict.stops]
    assert [verdict.message.rsplit(" ", 1)[1] for verdict in lowered] == ["2e-06.", "4e-07."]
    assert progress.rate_scale == pytest.approx(1 / 25)
    assert any(verdict.stops for verdict in found)


def test_adaptive_compares_the_median_so_that_one_lucky_epoch_lowers_nothing():
    values = [1.0, 0.9, 0.1, 0.8, 0.7, 0.6, 0.5, 0.4]  # the third epoch is lucky
    adaptive, _ = verdicts(Patience(0.01, 3, adaptive=True), values)
    plain, _ = verdicts(Patience(0.01, 3), values)
    assert not any(verdict.message for verdict in adaptive)
    assert any(verdict.message for verdict in plain)


def test_the_message_names_what_is_watched():
    found, _ = verdicts(Patience(0.1, 0, watches="Validation score"), [1.0, 1.0])
    assert found[-1].message.startswith("Validation score did not improve")
