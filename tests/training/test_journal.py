"""The journal: a commit is complete and can be repeated."""

import numpy as np
import pytest

from skfnn._engine.network import Network
from skfnn._training.journal import Journal
from skfnn._training.state import HISTORY_KEYS, TrainingState


def new_state():
    network = Network((2, 1), ())
    return TrainingState(network, np.zeros(3), 0, solver={"velocity": np.zeros(3), "t": 0})


def record(epoch, score=None):
    return dict.fromkeys(HISTORY_KEYS, 0.0) | {"epoch": epoch, "validation_score": score}


def train(state, value):
    """Change a state in place, as an epoch does."""
    state.theta[:] = value
    state.solver["velocity"][:] = -value
    state.solver["t"] = value


def contents(state):
    best = None if state.best is None else (state.best.theta.tolist(), state.best.score)
    solver = [np.asarray(value).tolist() for value in state.solver.values()]
    return state.theta.tolist(), solver, state.progress, {k: list(v) for k, v in state.history.items()}, best


def after_one_epoch():
    state = new_state()
    journal = Journal(state)
    train(state, 1.0)
    journal.commit(record(1, 0.5), state.progress._replace(epoch=1), True)
    return state, journal


def test_rolling_back_returns_to_the_last_commit():
    state, journal = after_one_epoch()
    before = contents(state)
    train(state, 2.0)
    assert contents(state) != before
    journal.roll_back()
    assert contents(state) == before
    assert journal.last_theta.tolist() == [1.0] * 3
    assert journal.last_theta is not state.theta


def test_the_best_weights_come_from_the_best_epoch():
    state, journal = after_one_epoch()
    for value, is_best in ((2.0, False), (3.0, True), (4.0, False)):
        train(state, value)
        journal.commit(record(int(value), value), state.progress._replace(epoch=int(value)), is_best)
    assert state.best.theta.tolist() == [3.0] * 3
    assert state.best.score == 3.0
    assert state.history["epoch"] == [1, 2, 3, 4]


class Interrupted(dict):
    """A history that raises KeyboardInterrupt once, when the column `at` is written."""

    def arm(self, at):
        self._at = at

    def items(self):
        for key, values in super().items():
            if key == self._at:
                self._at = None
                raise KeyboardInterrupt
            yield key, values


@pytest.mark.parametrize("at", HISTORY_KEYS)
def test_an_interrupted_commit_is_completed_by_rolling_back(at):
    expected, journal = after_one_epoch()
    train(expected, 2.0)
    journal.commit(record(2, 0.7), expected.progress._replace(epoch=2), True)

    state, journal = after_one_epoch()
    state.history = Interrupted(state.history)
    state.history.arm(at)
    train(state, 2.0)
    with pytest.raises(KeyboardInterrupt):
        journal.commit(record(2, 0.7), state.progress._replace(epoch=2), True)
    journal.roll_back()
    assert contents(state) == contents(expected)
