"""The peak memory of training on the bytes of MNIST, without the data and the imports."""

import importlib

from . import _data
from ._memory import peak_above
from ._report import begin, numbers, parser, print_table, write_csv
from ._tasks import initial_weights, make_task
from ._trainers import make_trainer, present
from ._workers import Worker

_MODULES = {"skfnn": "skfnn", "skfnn-fit": "skfnn", "sklearn": "sklearn.neural_network"}


class MemoryBench:
    """Trains one peer on the raw uint8 rows, in a worker that measures once.

    The pixels are not scaled, because the benchmark measures what the peer does with raw bytes. The learning rate is
    small for this reason.
    """

    def __init__(self, peer, task, warm):
        data = _data.mnist_bytes()
        self._X, self._y = data.X[: task.rows], data.y[: task.rows]
        self._peer, self._task = peer, task
        importlib.import_module(_MODULES[peer])
        if warm:  # so that modules that load at the first fit count as imports
            small = make_task((784, 4, 10), 32, 64, eta=1e-5)
            self._train(small, 1)

    def peak(self, epochs):
        """The bytes at the peak of creating and training the model, and the bytes of its parameters."""
        peak, trainer = peak_above(self._train, self._task, epochs)
        parameters = sum(weights.size + biases.size for weights, biases in trainer.layers())
        return peak, 4 * parameters

    def _train(self, task, epochs):
        trainer = make_trainer(self._peer, task, self._X[: task.rows], self._y[: task.rows])
        trainer.start(initial_weights(task))
        for _ in range(epochs):
            trainer.epoch(task.rows)
        return trainer


def main():
    options = parser(__doc__)
    add = options.add_argument
    add("--net", default="784-512-256-10")
    add("--batch-sizes", type=numbers(str), default="100,full")
    add("--rows", type=int, default=60_000)
    add("--epochs", type=int, default=1)
    add("--solver", default="sgd")
    add("--peers", type=numbers(str), default="skfnn,skfnn-fit,sklearn", help=f"some of {', '.join(_MODULES)}")
    arguments = options.parse_args()
    if arguments.quick:
        arguments.net, arguments.rows = "784-64-32-10", 10_000

    line = begin(arguments)
    _data.announce_mnist()
    sizes = [int(size) for size in arguments.net.split("-")]
    records = []
    for batch_size in arguments.batch_sizes:
        task = make_task(sizes, batch_size, arguments.rows, arguments.solver, eta=1e-5)
        for peer in present(arguments.peers, _MODULES):
            records.append(_measure(peer, task, batch_size, arguments))
    headers = ["peer", "Omega", "peak MB", "peak MB of a first fit", "by ru_maxrss", "parameters MB"]
    print(f"{arguments.net}, {arguments.solver}, {arguments.rows} x 784 bytes ({arguments.rows * 784 / 1e6:.0f} MB):")
    keys = ("peer", "batch_size", "peak_mb", "first_fit_mb", "maxrss_mb", "parameters_mb")
    print_table(headers, [[record[key] for key in keys] for record in records])
    write_csv("memory", records, line)


def _measure(peer, task, batch_size, arguments):
    """The record of one peer, from two separate processes: with and without a tiny fit before."""
    found = {}
    for warm in (True, False):
        with Worker(MemoryBench, peer, task, warm) as worker:
            found[warm] = worker.call("peak", arguments.epochs)
    peak, parameter_bytes = found[True]
    return {
        "net": arguments.net,
        "solver": arguments.solver,
        "rows": task.rows,
        "peer": peer,
        "batch_size": batch_size,
        "peak_mb": peak.bytes / 1e6,
        "first_fit_mb": found[False][0].bytes / 1e6,
        "maxrss_mb": peak.maxrss_bytes / 1e6,
        "parameters_mb": parameter_bytes / 1e6,
    }


if __name__ == "__main__":
    main()
