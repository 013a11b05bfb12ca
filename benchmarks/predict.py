"""Prediction of 1, 100 and 1,000,000 rows: time and extra memory of ``predict_proba``, 100-100-10, float32."""

import os

import numpy as np

from . import _timing
from ._memory import peak_above
from ._report import begin, numbers, parser, print_table, write_csv
from ._tasks import initial_weights, make_task
from ._trainers import make_trainer, present
from ._workers import Worker

_SIZES = (100, 100, 10)


class PredictBench:
    """A model with given weights, and rows to predict, in a worker."""

    def __init__(self, peer, most_rows):
        rng = np.random.default_rng(0)
        self._X = rng.standard_normal((most_rows, _SIZES[0]), np.float32)
        task = make_task(_SIZES, 50, 200)
        y = rng.integers(_SIZES[-1], size=task.rows)
        y[: _SIZES[-1]] = np.arange(_SIZES[-1])
        trainer = make_trainer(peer, task, self._X[: task.rows].copy(), y)
        trainer.start(initial_weights(task))
        self._predict = _torch_predict(trainer) if peer == "torch" else trainer.model.predict_proba

    def timed(self, rows, target_seconds):
        """Measure enough calls to last about `target_seconds`."""
        X = self._X[:rows]
        self._predict(X[:200])
        once = _timing.measure(self._predict, X).seconds
        return _timing.measure(self._predict, X, calls=int(np.clip(target_seconds / once, 1, 10_000)))

    def extra_memory(self, rows):
        """The bytes at the peak of one call minus the bytes before it, and the bytes of the result."""
        X = self._X[:rows]
        self._predict(X[:200])
        peak, result = peak_above(self._predict, X)
        return peak.bytes, result.nbytes

    def probabilities(self, rows):
        return self._predict(self._X[:rows])


def _torch_predict(trainer):
    """A function from rows to probabilities, both NumPy arrays."""
    torch, model = trainer.torch, trainer.model

    def predict(X):
        with torch.inference_mode():
            return torch.softmax(model(torch.from_numpy(X)), dim=1).numpy()

    return predict


def main():
    options = parser(__doc__)
    add = options.add_argument
    add("--rows", type=numbers(int), default="1,100,1000000")
    add("--rounds", type=int, default=7)
    add("--peers", type=numbers(str), default="skfnn,sklearn,torch")
    arguments = options.parse_args()
    if arguments.quick:
        arguments.rows, arguments.rounds = [1, 100, 50_000], 2

    line = begin(arguments)
    peers = present(arguments.peers)
    workers = {peer: Worker(PredictBench, peer, max(*arguments.rows, 200)) for peer in peers}
    _check(workers)
    records = []
    for rows in arguments.rows:
        print(f"{rows} row(s), {'-'.join(map(str, _SIZES))}, {os.environ['OMP_NUM_THREADS']} thread(s):")
        records += _measure(workers, rows, arguments)
    for worker in workers.values():
        worker.close()
    write_csv("predict", records, line)


def _check(workers):
    """Stop unless all peers give the same probabilities, up to float32 rounding."""
    found = {peer: worker.call("probabilities", 100) for peer, worker in workers.items()}
    first = next(iter(found.values()))
    for peer, values in found.items():
        if not np.allclose(values, first, rtol=0, atol=1e-5):
            raise SystemExit(f"THE PEERS DO NOT PREDICT THE SAME: {peer} is off by {np.abs(values - first).max():g}.")


def _measure(workers, rows, arguments):
    seconds = 0.01 if arguments.quick else 0.1
    memory = {peer: worker.call("extra_memory", rows) for peer, worker in workers.items()}
    samples = _timing.alternate(workers, arguments.rounds, "timed", rows, seconds)
    records = []
    for peer, own in samples.items():
        records.append(
            {
                "rows": rows,
                "peer": peer,
                "us": _timing.median(own) * 1e6,
                "ratio": _timing.paired_ratio(own, samples["skfnn"]) if "skfnn" in samples else None,
                "extra_mb": memory[peer][0] / 1e6,
                "result_mb": memory[peer][1] / 1e6,
                "busy_cores": _timing.busy_cores(own),
            }
        )
    headers = ["peer", "us/call", "/ skfnn", "extra MB", "of it result", "busy cores"]
    print_table(headers, [list(record.values())[1:] for record in records])
    return records


if __name__ == "__main__":
    main()
