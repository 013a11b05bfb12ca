"""A peer in a worker: set up for a task, checked, timed epoch by epoch."""

from dataclasses import replace

from . import _data, _tasks
from ._timing import Sample, measure
from ._trainers import make_trainer
from ._workers import Worker


class Bench:
    """Trains one peer on one data set; lives in a worker.

    Parameters
    ----------
    peer : str, a name in TRAINERS
    data : tuple, the arguments of ``_data.load``
    """

    def __init__(self, peer, *data):
        self._peer, self._data = peer, _data.load(*data)

    def prepare(self, task):
        """Make the trainer and compile what it compiles; returns the seconds that took."""
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
        """Mean loss over the task's rows."""
        task = self._task
        return _tasks.mean_loss(task, self._trainer.layers(), self._data.X[: task.rows], self._data.y[: task.rows])

    def accuracy(self):
        """Accuracy on the test set."""
        return _tasks.accuracy(self._task, self._trainer.layers(), self._data.X_test, self._data.y_test)

    def loss_after(self, task, epochs):
        """Mean losses before and after a few epochs of a task in which nothing is random."""
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
    """A worker for every peer."""
    return {peer: Worker(Bench, peer, *data) for peer in peers}


# Iterations an epoch, and the relative difference of the losses that is allowed. Without the event below, float32
# rounding stays under 1e-5; an eta that is 1 % off shows as 1e-2. PyTorch's Adam adds epsilon after the bias
# correction, the others before it (the Adam paper's efficient form): it moves weights with gradients near 1e-8.
_CHECKS = {"sgd": (20, 2e-4), "adam": (6, 3e-3)}


def check_equal_losses(workers, task, epochs=3, tries=4):
    """Stop the program unless all peers reach the same loss after the same steps.

    The order of the rows is fixed, the loss is worked out from the weights in float64. Where a pre-activation is zero
    up to rounding, ReLU's derivative is 0 in one peer and 1 in another, and from there on two correct trainings in
    float32 part (seen: weights differ by 5e-7 before such a step and by 9e-4 after it, by 1e-15 in float64). Work that
    is not the same differs from any initial weights, so others are tried before the program stops.
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
