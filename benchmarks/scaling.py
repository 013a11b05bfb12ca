"""How the cost of training grows with B, width, depth and batch size: exponents fitted on logarithmic axes."""

import numpy as np

from . import _data, _timing
from ._bench import start_benches
from ._report import begin, numbers, parser, print_table, write_csv
from ._tasks import make_task
from ._trainers import present

# The varied quantity, its values, and the time whose growth the exponent describes. The depth counts hidden layers.
SWEEPS = {
    "B": ([2000, 4000, 8000, 16000, 32000, 60000], "seconds per epoch"),
    "width": ([64, 128, 256, 512, 1024], "seconds per iteration, 784-w-w-10"),
    "depth": ([1, 2, 4, 8, 16], "seconds per iteration, 784-128-...-128-10"),
    "batch_size": ([1, 3, 10, 30, 100, 300, 1000, 3000], "seconds per iteration"),
}


def main():
    options = parser(__doc__)
    add = options.add_argument
    add("--peers", type=numbers(str), default="skfnn", help="one or more of skfnn, sklearn, torch, jax, gemm")
    add("--sweeps", type=numbers(str), default=",".join(SWEEPS), help="the quantities to vary")
    add("--batch-size", type=int, default=100, help="batch size if it is not varied")
    add("--epochs", type=int, default=5, help="timed epochs per value")
    add("--rows", type=int, default=10_000, help="rows per epoch if B is not varied")
    arguments = options.parse_args()
    if arguments.quick:
        arguments.epochs, arguments.rows = 2, 1000

    line = begin(arguments)
    _data.announce_mnist()
    workers = start_benches(present(arguments.peers), "mnist")
    records = []
    for sweep in arguments.sweeps:
        values = SWEEPS[sweep][0]
        found = []
        for value in values[:3] if arguments.quick else values:
            found += _measure(workers, sweep, value, arguments)
        print_table(list(found[0]), [list(record.values()) for record in found])
        records += found
    for worker in workers.values():
        worker.close()
    print_table(["varied", "peer", "exponent", "standard error", "from", "to", "of"], list(_exponents(records)))
    write_csv("scaling", records, line)


def fit_exponent(x, seconds):
    """Fit log(seconds) = a + k log(x) by least squares; return k and its standard error."""
    u, v = np.log(x), np.log(seconds)
    u = u - u.mean()
    k = u @ v / (u @ u)
    residuals = v - v.mean() - k * u
    error = np.sqrt(residuals @ residuals / max(len(x) - 2, 1) / (u @ u))
    return float(k), float(error)


def _task(sweep, value, arguments):
    """The task with one of its numbers changed."""
    varied = {"B": arguments.rows, "width": 128, "depth": 2, "batch_size": arguments.batch_size, sweep: value}
    sizes = (784, *(varied["width"],) * varied["depth"], 10)
    rows = varied["B"]
    if sweep == "batch_size":
        rows = min(rows, 1000 * value)  # at most 1,000 iterations
    return make_task(sizes, varied["batch_size"], rows, eta=0.01)


def _measure(workers, sweep, value, arguments):
    task = _task(sweep, value, arguments)
    for worker in workers.values():
        worker.call("prepare", task)
    samples = _timing.alternate(workers, arguments.epochs, "timed_epoch")
    records = []
    for name, own in samples.items():
        seconds = _timing.median(own)
        each = {"seconds_an_epoch": seconds, "us_an_iteration": seconds / task.iterations * 1e6}
        records.append({"varied": sweep, "peer": name, "value": value, **each})
    return records


def _exponents(records):
    """Yield one row per sweep and peer."""
    for sweep in dict.fromkeys(r["varied"] for r in records):
        for peer in dict.fromkeys(r["peer"] for r in records):
            own = [r for r in records if r["varied"] == sweep and r["peer"] == peer]
            key = "seconds_an_epoch" if sweep == "B" else "us_an_iteration"
            x = [r["value"] for r in own]
            exponent, error = fit_exponent(x, [r[key] for r in own])
            yield [sweep, peer, exponent, error, x[0], x[-1], SWEEPS[sweep][1]]


if __name__ == "__main__":
    main()
