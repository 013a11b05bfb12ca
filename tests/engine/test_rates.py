"""The learning rate of every step of an epoch."""

from dataclasses import FrozenInstanceError

import pytest

from skfnn._engine.rates import StepRates


def test_a_constant_rate_is_the_same_in_every_step():
    rates = StepRates(0.1)
    assert not rates.varies
    assert rates.of_steps(3, 7) == [0.1] * 4
    assert rates.of_steps(3, 3) == []


def test_a_function_is_called_once_for_each_step_in_order():
    called = []

    def rate(step):
        called.append(step)
        return 1.0 / (1 + step)

    rates = StepRates(0.0, rate)
    assert rates.varies
    assert called == []
    assert rates.of_steps(0, 2) + rates.of_steps(2, 2) + rates.of_steps(2, 5) == [1.0, 1 / 2, 1 / 3, 1 / 4, 1 / 5]
    assert called == [0, 1, 2, 3, 4]


def test_rates_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        StepRates(0.1).first = 0.2
