"""A long stream of small chunks: the time and the memory of ``partial_fit``, for each 1,000 calls."""

import time

import numpy as np

from ._memory import resident
from ._report import begin, numbers, parser, print_table, write_csv
from ._tasks import initial_weights, make_task
from ._trainers import make_trainer, present
from ._workers import Worker

_SIZES = (20, 16, 3)
_CHUNKS = 100
_STEP = 1000


class StreamBench:
    """One model, trained chunk by chunk, in a worker."""

    def __init__(self, peer, rows, solver):
        rng = np.random.default_rng(0)
        self._X = rng.standard_normal((_CHUNKS, rows, _SIZES[0]), np.float32)
        self._y = (self._X[:, :, 0] > 0) * 1 + (self._X[:, :, 1] > 0)
        task = make_task(_SIZES, rows, rows, solver)
        trainer = make_trainer(peer, task, self._X[0], self._y[0])
        trainer.start(initial_weights(task))
        self._model, self._next = trainer.model, 0

    def calls(self, n):
        """The seconds of each of the next n calls, and the resident memory after them, in bytes."""
        seconds = []
        for _ in range(n):
            X, y = self._X[self._next], self._y[self._next]
            self._next = (self._next + 1) % _CHUNKS
            start = time.perf_counter()
            self._model.partial_fit(X, y)
            seconds.append(time.perf_counter() - start)
        return np.array(seconds), resident()


def main():
    options = parser(__doc__, threads=1)
    add = options.add_argument
    add("--calls", type=int, default=10_000)
    add("--rows", type=int, default=20, help="rows per chunk")
    add("--solver", default="sgd")
    add("--peers", type=numbers(str), default="skfnn,sklearn", help="one or both of skfnn, sklearn")
    arguments = options.parse_args()
    if arguments.quick:
        arguments.calls = 2 * _STEP

    line = begin(arguments)
    peers = present(arguments.peers)
    workers = {peer: Worker(StreamBench, peer, arguments.rows, arguments.solver) for peer in peers}
    records = []
    for done in range(_STEP, arguments.calls + 1, _STEP):
        for peer, worker in workers.items():
            seconds, memory = worker.call("calls", _STEP)
            records.append(
                {
                    "peer": peer,
                    "calls": done,
                    "us": float(np.median(seconds)) * 1e6,
                    "us_tenth": float(np.percentile(seconds, 10)) * 1e6,
                    "memory_mb": None if memory is None else memory / 1e6,
                }
            )
    for worker in workers.values():
        worker.close()
    for peer in peers:
        _print([record for record in records if record["peer"] == peer], arguments)
    write_csv("long_run", records, line)


def _print(records, arguments):
    """Print the table of one peer, and a line with the growth from the first to the last calls."""
    print(f"{records[0]['peer']}, {'-'.join(map(str, _SIZES))}, {arguments.solver}, {arguments.rows} rows per call:")
    headers = ["after", "us/call", "fastest tenth", "resident MB"]
    print_table(headers, [list(record.values())[1:] for record in records])
    first, last = records[0], records[-1]
    ratios = [last[key] / first[key] for key in ("us", "us_tenth")]
    text = f"last {_STEP} calls / first: {ratios[0]:.3f}, by the fastest tenth {ratios[1]:.3f}"
    if first["memory_mb"] is not None:
        text += f"; memory since the first: {last['memory_mb'] - first['memory_mb']:+.2f} MB"
    print(text + "\n")


if __name__ == "__main__":
    main()
