"""Everything that one call of a training method passes on to the next."""

import math
from dataclasses import asdict, dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from .._engine.coordinates import USERS, Coordinates
from .._engine.network import Network
from .._engine.threads import THREADS
from .users_copy import UsersCopy, users_vector

HISTORY_KEYS = ("epoch", "loss", "learning_rate", "validation_loss", "validation_score", "seconds")


@dataclass
class BestWeights:
    """The parameters of the epoch with the best validation score, and that score."""

    theta: np.ndarray
    score: float

    def copy(self):
        """A copy with its own array."""
        return BestWeights(self.theta.copy(), self.score)


class Progress(NamedTuple):
    """The numbers that pass from one epoch to the next, apart from the parameters and the solver's state."""

    t: int = 0  # rows processed
    n_steps: int = 0
    epoch: int = 0  # epochs of this training run
    best_loss: float = math.inf
    best_score: float = -math.inf
    to_beat: float = math.inf  # an epoch below this value is an improvement
    recent: tuple[float, ...] = (math.inf, math.inf)  # the last values, for "adaptive"
    no_improvement: int = 0  # epochs since the last improvement
    rate_scale: float = 1.0


def new_history():
    """An empty history."""
    return {key: [] for key in HISTORY_KEYS}


def _copied_history(history):
    return {key: list(values) for key, values in history.items()}


def _copied(values):
    return {name: value.copy() if isinstance(value, np.ndarray) else value for name, value in values.items()}


@dataclass
class TrainingState:
    """The state of a training run between two epochs.

    While a run is in progress, `best` holds the parameters of the best epoch if they are kept. Once `fit` has put these
    parameters back into `theta`, `best` is None and `restored_score` is their score. If that run was interrupted,
    `resume` continues from its last epoch: `paused_theta` holds the parameters of that epoch if they differ from the
    restored ones.
    """

    network: Network
    theta: np.ndarray
    seed: int
    coordinates: Coordinates = USERS
    solver: dict[str, Any] = field(default_factory=dict)
    progress: Progress = field(default_factory=Progress)
    history: dict[str, list] = field(default_factory=new_history)
    best: BestWeights | None = None
    restored_score: float | None = None
    paused_theta: np.ndarray | None = None
    # The automatic learning rate is divided by both numbers. The first follows from the first data, and restarts with a
    # smaller rate set the second.
    steepness: float = 1.0
    rate_divisor: float = 1.0
    far_calls: int = 0  # consecutive `partial_fit` calls with a loss that is far too large; FAR_CALLS after the warning
    whole_batch: int = 0  # the number of training rows, if `fit` took them all as one mini-batch
    _users: UsersCopy | None = field(default=None, init=False, compare=False, repr=False)

    def users_layers(self):
        """The layers [W; b] in the user's units; what the user writes into these arrays changes the model."""
        if not self.coordinates.changes_weights:
            return self.network.layers(self.theta)
        with THREADS.lock:
            self._take_changes()
            if self._users is None or not self._users.describes(self.theta):
                self._users = UsersCopy(users_vector(self.network, self.theta, self.coordinates), self.theta)
            return self.network.layers(self._users.vector)

    def updated(self):
        """Apply what the user wrote into ``users_layers``, and return this state."""
        if self._users is not None:
            # Two threads that predict must not both add the same changes.
            with THREADS.lock:
                self._take_changes()
                if self._users is not None and not self._users.has_views():
                    self._users = None
        return self

    def _take_changes(self):
        """Apply to the parameters what the user has written into ``users_layers`` since the last call."""
        users = self._users
        changes = users and users.changes()
        if not (users and changes):
            return
        is_current = users.describes(self.theta)
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            theta = self.coordinates.with_changes(self.network, self.theta, users.vector, *changes)
            np.copyto(self.theta, theta, casting="unsafe")
        if is_current:
            users.note(self.theta)

    def restore_best(self):
        """Copy the best parameters, if they are kept, into the model."""
        if self.best is not None:
            if not self.theta.flags.writeable:  # a model that was loaded from a memory map
                self.theta = self.theta.copy()
            np.copyto(self.theta, self.best.theta)
            self._refresh()

    def succeed(self, before):
        """Take the place of the state `before`: arrays that the user got from `before` show the new parameters."""
        if before is self:
            return
        self._users = before._users
        if before.theta.flags.writeable:
            np.copyto(before.theta, self.theta)
            self.theta = before.theta
        self._refresh()

    def put_back(self, theta):
        """Restore the parameters `theta`, after another state had taken the place of this one."""
        if not np.array_equal(theta, self.theta, equal_nan=True):
            np.copyto(self.theta, theta)
            self._refresh()

    def separated(self):
        """A copy that can be trained without changing the parameters and the history of this state."""
        return replace(self.updated(), theta=self.theta.copy(), history=_copied_history(self.history))

    def _refresh(self):
        """Update the arrays that the user has to the present parameters."""
        if self._users is not None:
            self._users.refresh(users_vector(self.network, self.theta, self.coordinates), self.theta)

    @property
    def epoch_number(self):
        """The number of the last epoch, from its entry: a user may have removed the first entries of the history."""
        numbers = self.history["epoch"]
        return numbers[-1] if numbers else 0

    def check_network(self, network):
        """Raise if `network` is not the one that was trained."""
        if network != self.network:
            raise ValueError(
                "Training cannot continue: hidden_layer_sizes or activation changed since the last call of fit. "
                "Change them back, or call fit with warm_start=False."
            )

    def to_train(self, call, keeps_best, divisor=1.0):
        """A state for `call` to train in place: with its own arrays, the same history, and the rate over `divisor`."""
        best, theta, progress = None, self.theta, self.progress
        if not call.continues:
            progress = progress._replace(epoch=0)
        elif keeps_best:
            best = self._best_copy()
        if call.continues and not call.one_epoch and self.paused_theta is not None:
            theta = self.paused_theta
        return replace(
            self,
            theta=theta.copy(),
            solver=_copied(self.solver),
            progress=progress,
            best=best,
            restored_score=None,
            paused_theta=None,
            rate_divisor=self.rate_divisor * divisor,
        )

    def _best_copy(self):
        """A copy of the best weights so far; None if there are none."""
        if self.best is not None:
            return self.best.copy()
        if self.restored_score is not None:
            return BestWeights(self.theta.copy(), self.restored_score)
        return None

    def begin_solver(self, solver):
        """Take the initial state of `solver`, unless the present solver state is of the same kind."""
        initial = solver.init(self.theta.dtype, self.theta.size)
        if self.solver.keys() != initial.keys():
            self.solver = initial

    def snapshot(self):
        """A copy that shares nothing with the training run in progress."""
        best = None if self.best is None else self.best.copy()
        history = _copied_history(self.history)
        return replace(self, theta=self.theta.copy(), solver=_copied(self.solver), history=history, best=best)

    def put_best_back(self, last_theta, interrupted):
        """Give the model the best epoch's parameters; an interrupted run keeps `last_theta`, to continue from it."""
        best = self.best
        if best is None:
            return
        np.copyto(self.theta, best.theta)
        if interrupted and not np.array_equal(last_theta, self.theta):
            self.paused_theta = last_theta
        self.best, self.restored_score = None, best.score

    # A pickle holds only arrays, numbers and names, so that these classes may move and change.

    def to_plain(self):
        """The state as a dict of plain data, without the history."""
        return {
            "sizes": list(self.network.sizes),
            "activations": list(self.network.activations),
            "theta": self.theta,
            "seed": self.seed,
            "coordinates": asdict(self.coordinates),
            "solver": dict(self.solver),
            "progress": self.progress._asdict() | {"recent": list(self.progress.recent)},
            "best": None if self.best is None else {"theta": self.best.theta, "score": self.best.score},
            "restored_score": self.restored_score,
            "paused_theta": self.paused_theta,
            "steepness": self.steepness,
            "rate_divisor": self.rate_divisor,
            "far_calls": self.far_calls,
            "whole_batch": self.whole_batch,
        }

    @classmethod
    def from_plain(cls, plain, history):
        """The state from the dict that ``to_plain`` made, and its history."""
        progress = Progress(**plain["progress"] | {"recent": tuple(plain["progress"]["recent"])})
        return cls(
            Network(tuple(plain["sizes"]), tuple(plain["activations"])),
            plain["theta"],
            plain["seed"],
            Coordinates(**plain["coordinates"]),
            plain["solver"],
            progress,
            history,
            plain["best"] and BestWeights(**plain["best"]),
            plain["restored_score"],
            plain["paused_theta"],
            plain["steepness"],
            plain["rate_divisor"],
            plain["far_calls"],
            plain["whole_batch"],
        )
