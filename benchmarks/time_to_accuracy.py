"""Seconds of training to 97 % and 98 % test accuracy on MNIST, with the same schedule for every peer."""

import numpy as np

from . import _data
from ._bench import check_equal_losses, start_benches
from ._report import begin, numbers, parser, print_table, write_csv
from ._tasks import make_task
from ._trainers import present


def main():
    options = parser(__doc__)
    add = options.add_argument
    add("--net", default="784-128-64-10")
    add("--batch-size", type=int, default=100)
    add("--eta", type=float, default=0.1)
    add("--targets", type=numbers(float), default="0.97,0.98", help="test accuracies")
    add("--max-epochs", type=int, default=40)
    add("--seeds", type=int, default=3, help="number of runs, each with its own initial weights and order of rows")
    add("--rows", type=int, default=60_000)
    add("--peers", type=numbers(str), default="skfnn,sklearn,torch,jax")
    arguments = options.parse_args()
    if arguments.quick:
        arguments.targets, arguments.max_epochs, arguments.seeds, arguments.rows = [0.6, 0.8], 5, 2, 3000

    line = begin(arguments)
    _data.announce_mnist()
    workers = start_benches(present(arguments.peers), "mnist")
    sizes = [int(size) for size in arguments.net.split("-")]
    records = []
    for seed in range(arguments.seeds):
        task = make_task(sizes, arguments.batch_size, arguments.rows, eta=arguments.eta, seed=seed)
        if not seed:
            check_equal_losses(workers, task)
        records += race(workers, task, arguments)
    for worker in workers.values():
        worker.close()
    _print_medians(records, list(workers), arguments.targets)
    write_csv("time_to_accuracy", records, line)


def race(workers, task, arguments):
    """Train all peers in turn, epoch by epoch, until each reaches the highest target; return the records."""
    setup = {name: worker.call("prepare", task) for name, worker in workers.items()}
    curves = {name: [(0.0, 0.0)] for name in workers}  # seconds so far, test accuracy
    names, highest = list(workers), max(arguments.targets)
    for epoch in range(arguments.max_epochs):
        shift = epoch % len(names)
        running = [name for name in names[shift:] + names[:shift] if curves[name][-1][1] < highest]
        for name in running:
            worker, before = workers[name], curves[name][-1][0]
            seconds = worker.call("timed_epoch").seconds
            curves[name].append((before + seconds, worker.call("accuracy")))
    records = []
    for name, curve in curves.items():
        for target in arguments.targets:
            epochs = next((k for k, (_, accuracy) in enumerate(curve) if accuracy >= target), None)
            records.append(
                {
                    "seed": task.seed,
                    "peer": name,
                    "target": target,
                    "seconds": None if epochs is None else curve[epochs][0],
                    "epochs": epochs,
                    "seconds_an_epoch": curve[-1][0] / (len(curve) - 1),
                    "setup_seconds": setup[name],
                }
            )
    return records


def _print_medians(records, peers, targets):
    """Print medians over the seeds. A run that does not reach the target counts as infinitely long."""

    def middle(peer, target, key):
        found = [r[key] for r in records if r["peer"] == peer and r["target"] == target]
        return float(np.median([np.inf if value is None else value for value in found]))

    headers = ["peer"]
    for target in targets:
        headers += [f"s to {target:.1%}", "epochs"]
    headers += ["s/epoch", "setup s"]
    rows = []
    for peer in peers:
        cells = [middle(peer, target, key) for target in targets for key in ("seconds", "epochs")]
        rows.append([peer, *cells, *(middle(peer, targets[0], key) for key in ("seconds_an_epoch", "setup_seconds"))])
    print_table(headers, rows)


if __name__ == "__main__":
    main()
