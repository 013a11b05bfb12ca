"""The cost of measuring gradient noise, relative to one forward and backward pass over the same rows, float32."""

import numpy as np

from . import _data, _timing
from ._report import begin, numbers, parser, print_table, write_csv
from ._workers import Worker

# The pass that the others are compared with: the engine's full-batch gradient, with buffers allocated beforehand.
BASE = "gradient"


class NoiseBench:
    """One network on rows of MNIST, in a worker.

    One process measures all four functions on the same arrays. The functions differ by a few hundredths, and the
    location of a process's memory can make a difference of the same size.
    """

    def __init__(self, hidden, rows):
        from skfnn import FNNClassifier
        from skfnn._estimator.call import PARTIAL_FIT
        from skfnn._estimator.data import Given
        from skfnn._estimator.objective import objective_of
        from skfnn.inspection import gradient_noise

        data = _data.mnist()
        X, y = data.X[:rows], data.y[:rows]
        fit_once = {"max_iter": 1, "n_iter_no_change": None, "random_state": 0}
        # One epoch of small steps moves the weights away from their initial values.
        model = FNNClassifier(hidden, batch_size=100, learning_rate_init=0.01, **fit_once).fit(X, y)
        # The same weights under full-batch training. Its steps are too short to matter here.
        full = FNNClassifier(hidden, batch_size="full", learning_rate_init=1e-8, **fit_once)
        full.fit(X, y, coefs_init=model.coefs_, intercepts_init=model.intercepts_)

        _, data = model._checked(PARTIAL_FIT, Given(X, y, None), model._task)
        self._objective = objective = objective_of(model, data)
        self._noise = lambda: gradient_noise(model, X, y, n_draws=0)
        self._functions = {
            BASE: objective.value_and_gradient,
            "row norms": objective.row_norms,
            "partial_fit": lambda: full.partial_fit(X, y),
            "gradient_noise": self._noise,
        }

    def names(self):
        """The names of the measured functions."""
        return list(self._functions)

    def squared_norms(self):
        """The squared norm of the full-batch gradient, from the engine and from `gradient_noise`."""
        gradient = self._objective.value_and_gradient()[1].astype(np.float64)
        return float(gradient @ gradient), self._noise().gradient_norm_squared

    def timed(self, name):
        """Measure one call."""
        return _timing.measure(self._functions[name])


class Entry:
    """One function of a worker, with the interface that `alternate` calls."""

    def __init__(self, worker, name):
        self._worker, self._name = worker, name

    def call(self, method):
        return self._worker.call(method, self._name)


def main():
    options = parser(__doc__, threads=1)
    add = options.add_argument
    add("--nets", type=numbers(str), default="784-128-64-10,784-512-256-10")
    add("--rows", type=int, default=60_000)
    add("--rounds", type=int, default=15)
    arguments = options.parse_args()
    if arguments.quick:
        arguments.nets, arguments.rows, arguments.rounds = ["784-64-32-10"], 5_000, 3

    line = begin(arguments)
    _data.announce_mnist()
    records = []
    for net in arguments.nets:
        records += _measure(net, arguments)
    write_csv("gradient_noise", records, line)


def _measure(net, arguments):
    """The records of one network."""
    hidden = tuple(int(size) for size in net.split("-")[1:-1])
    with Worker(NoiseBench, hidden, arguments.rows) as worker:
        _check(*worker.call("squared_norms"))
        entries = {name: Entry(worker, name) for name in worker.call("names")}
        samples = _timing.alternate(entries, arguments.rounds, "timed")
    records = []
    for name, own in samples.items():
        ratios = _timing.seconds(own) / _timing.seconds(samples[BASE])
        first, last = np.percentile(ratios, [25, 75])
        records.append(
            {
                "net": net,
                "rows": arguments.rows,
                "what": name,
                "ms": _timing.median(own) * 1e3,
                "ratio": _timing.paired_ratio(own, samples[BASE]),
                "ratio_first_quartile": float(first),
                "ratio_third_quartile": float(last),
                "busy_cores": _timing.busy_cores(own),
            }
        )
    print(f"{net}, {arguments.rows} rows, {arguments.rounds} turns:")
    headers = ["what", "ms", f"/ {BASE}", "quartile 1", "quartile 3", "busy cores"]
    print_table(headers, [list(record.values())[2:] for record in records])
    return records


def _check(gradient, noise):
    """Stop unless both passes find the same gradient, up to float32 rounding."""
    print(f"squared norm of the gradient: {gradient:.7g} by the gradient, {noise:.7g} by gradient_noise")
    if not np.isclose(gradient, noise, rtol=1e-4, atol=0):
        raise SystemExit("THE TWO PASSES DO NOT FIND THE SAME GRADIENT.")


if __name__ == "__main__":
    main()
