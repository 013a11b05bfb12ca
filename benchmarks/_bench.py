"""One peer in a worker process, set up for a task, checked, and timed epoch by epoch."""

from dataclasses import replace

from . import _data, _tasks
from ._timing import Sample, measure
from ._trainers import make_trainer
from ._workers import Worker


class Bench:
    """Trains one peer on one data set, in a worker.

    Parameters
    ----------
    peer : str, a name in TRAINERS
    data : tuple, the arguments of ``_data.load``
    """

    def __init__(self, peer, *data):
        self._peer, self._data = peer, _data.load(*data)

    def prepare(self, task):
        """Make the trainer and let it compile; return the seconds that this took."""
        self._task, self._trainer = task, None
        self._warm_rows = min(task.rows, max(min(task.batch_size, 1000), 32))

        def setup():
            X, y = self._data.X[: task.rows], self._data.y[: task.rows]
            self._trainer = make_trainer(self._peer, task, X, y)
            for rows in {task.rows, self._warm_rows}:
                self._trainer.start(_tasks.initial_weights(task))
                self._trainer.epoch(rows)

        seconds = measure(setup).seconds
        self._trainer.start(_tasks.initial_weights(task))
        return seconds

    def timed_epoch(self):
        """Wake the threads with a few untimed iterations, then measure an epoch."""
        self._trainer.epoch(self._warm_rows)
        own = []
        sample = measure(lambda: own.append(self._trainer.epoch(self._task.rows)))
        return sample if own[0] is None else Sample(own[0], sample.cpu_seconds)

    def loss(self):
        """The mean loss over the task's rows."""
        task = self._task
        return _tasks.mean_loss(task, self._trainer.layers(), self._data.X[: task.rows], self._data.y[: task.rows])

    def accuracy(self):
        """The accuracy on the test set."""
        return _tasks.accuracy(self._task, self._trainer.layers(), self._data.X_test, self._data.y_test)

    def loss_after(self, task, epochs):
        """The mean losses before and after a few epochs of a task, with the rows in fixed order."""
        X, y = self._data.X[: task.rows], self._data.y[: task.rows]
        layers = _tasks.initial_weights(task)
        trainer = make_trainer(self._peer, replace(task, shuffle=False), X, y)
        trainer.start(layers)
        for _ in range(epochs):
            trainer.epoch(task.rows)
        return _tasks.mean_loss(task, layers, X, y), _tasks.mean_loss(task, trainer.layers(), X, y)

    def release(self):
        """Drop the trainer."""
        self._trainer = None


def start_benches(peers, *data):
    """Start one worker per peer."""
    return {peer: Worker(Bench, peer, *data) for peer in peers}


# Iterations per epoch, and the largest relative difference allowed between the losses. Without the ReLU event that
# `check_equal_losses` describes, float32 rounding stays under 1e-5. An eta that is wrong by 1 % gives a difference of
# 1e-2. Adam has a larger tolerance because PyTorch adds epsilon after the bias correction and the other peers add it
# before (the Adam paper's efficient form). This changes weights whose gradients are near 1e-8.
_CHECKS = {"sgd": (20, 2e-4), "adam": (6, 3e-3)}


def check_equal_losses(workers, task, epochs=3, tries=4):
    """Stop the program unless all peers reach the same loss after the same steps.

    The order of the rows is fixed, and the loss is computed from the weights in float64. If a pre-activation is zero up
    to rounding, ReLU's derivative is 0 in one peer and 1 in another. From then on, two correct training runs in float32
    differ (seen: the weights differ by 5e-7 before such a step and by 9e-4 after it, but by 1e-15 in float64). Peers
    that do different work differ from any initial weights, so the check tries other initial weights before it stops the
    program.
    """
    iterations, tolerance = _CHECKS[task.solver]
    small = _tasks.small_version(task, iterations)
    learners = {name: worker for name, worker in workers.items() if name != "gemm"}
    for seed in range(task.seed, task.seed + tries):
        losses = {name: w.call("loss_after", replace(small, seed=seed), epochs) for name, w in learners.items()}
        before = next(iter(losses.values()))[0]
        after = {name: pair[1] for name, pair in losses.items()}
        lowest, highest = min(after.values()), max(after.values())
        text = f"{before:.4f} -> " + ", ".join(f"{name} {value:.7f}" for name, value in after.items())
        if highest - lowest <= tolerance * lowest and highest < before:
            print(f"same loss after {epochs * small.iterations} iterations: {text}", flush=True)
            return
        print(f"not the same loss from initial weights {seed}: {text}", flush=True)
    raise SystemExit(f"THE PEERS DO NOT DO THE SAME WORK: {epochs} epochs of {small}, {tries} initial weights.")
