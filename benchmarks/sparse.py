"""The time per iteration on sparse rows like those of texts, for skfnn and MLPClassifier."""

from dataclasses import replace

from . import _timing
from ._bench import check_equal_losses, start_benches
from ._report import begin, numbers, parser, print_table, write_csv
from ._tasks import SOLVERS, make_task
from ._trainers import present

_CLASSES = 10


def main():
    options = parser(__doc__)
    add = options.add_argument
    add("--rows", type=int, default=8000)
    add("--columns", type=numbers(int), default="50000,500000")
    add("--distributions", type=numbers(str), default="uniform,zipf", help="how often the columns occur")
    add("--hidden", type=int, default=100)
    add("--batch-sizes", type=numbers(int), default="32,200")
    add("--solver", choices=SOLVERS, default="sgd")
    add("--rounds", type=int, default=5, help="timed turns per peer")
    add("--iterations", type=int, default=5, help="iterations per turn of MLPClassifier; skfnn does a whole epoch")
    add("--peers", type=numbers(str), default="skfnn,sklearn", help="some of skfnn, skfnn-fit, sklearn")
    arguments = options.parse_args()
    if arguments.quick:
        arguments.rows, arguments.columns, arguments.rounds, arguments.iterations = 1000, [5000], 2, 2

    line = begin(arguments)
    peers = present(arguments.peers)
    records = []
    for n_columns in arguments.columns:
        for distribution in arguments.distributions:
            workers = start_benches(peers, "text_like", arguments.rows, n_columns, distribution)
            for batch_size in arguments.batch_sizes:
                records += _measure(workers, n_columns, distribution, batch_size, arguments)
            for worker in workers.values():
                worker.close()
    write_csv("sparse", records, line)


def _measure(workers, n_columns, distribution, batch_size, arguments):
    sizes = (n_columns, arguments.hidden, _CLASSES)
    task = make_task(sizes, batch_size, arguments.rows, arguments.solver)
    few = replace(task, rows=min(task.rows, batch_size * arguments.iterations))
    tasks = {name: few if name == "sklearn" else task for name in workers}
    print(f"{arguments.rows} x {n_columns}, {distribution}, {arguments.solver}, Omega = {batch_size}:")
    check_equal_losses(workers, replace(few, rows=min(few.rows, 3 * batch_size)), epochs=2)
    for name, worker in workers.items():
        worker.call("prepare", tasks[name])
    samples = _timing.alternate(workers, arguments.rounds, "timed_epoch")
    rows = []
    for name, own in samples.items():
        per_iteration = _timing.median(own) / tasks[name].iterations
        ratio = None
        if "skfnn" in samples:
            ratio = _timing.paired_ratio(own, samples["skfnn"]) * task.iterations / tasks[name].iterations
        rows.append([name, per_iteration * 1e6, per_iteration * task.iterations, ratio, _timing.busy_cores(own)])
    print_table(["peer", "us/iteration", "s/epoch", "/ skfnn", "busy cores"], rows)
    keys = ("peer", "us_an_iteration", "seconds_an_epoch", "ratio", "busy_cores")
    setting = {"columns": n_columns, "distribution": distribution, "solver": arguments.solver, "batch_size": batch_size}
    return [{**setting, **dict(zip(keys, row, strict=True))} for row in rows]


if __name__ == "__main__":
    main()
