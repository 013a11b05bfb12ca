"""Run the guide's passages on Dask, Ray and Spark (docs/user_guide/scaling_out.md) on local clusters of two workers.

Every search must equal the serial one bit for bit, and where the guide says that a search survives the loss of a worker
or a machine, one is killed on the way. The passages are read from the page. Replaced are the address of Dask's
scheduler and the size of the cluster that `Client()` starts. Linux only.
"""

import argparse
import contextlib
import doctest
import functools
import importlib.metadata
import re
import tempfile
import time
import warnings

import numpy as np
from sklearn.model_selection import GridSearchCV
from threadpoolctl import threadpool_limits

from ._clusters import CLUSTERS, GENERATIONS, ROOT, Witness, prepare_environment
from ._report import environment, numbers, print_table, write_csv

PAGE = ROOT / "docs" / "user_guide" / "scaling_out.md"
_PACKAGES = {"dask": ("dask", "distributed"), "ray": ("ray",), "spark": ("pyspark", "joblibspark")}
_HEADINGS = {"dask": "On a Dask cluster", "ray": "On a Ray cluster", "spark": "On a Spark cluster"}
_SMALL = {"Client()": "Client(n_workers=2, threads_per_worker=1, dashboard_address=None)"}
SAME = "as the serial search"

# Cluster, number of its passage, workers, what is killed, how the search may end.
RUNS = [
    ("dask", 1, 2, None, SAME),
    ("dask", 1, 2, "worker", f"FutureCancelledError or {SAME}"),  # which worker has the only copy is chance
    ("dask", 2, 2, "worker", SAME),
    ("ray", 1, 2, None, SAME),
    ("ray", 1, 2, "worker", "ActorDiedError"),
    ("ray", 2, 2, "worker", SAME),
    ("ray", 2, 3, "machine", SAME),  # the third machine takes the place of the lost one
    ("spark", 1, 2, None, SAME),
    ("spark", 1, 2, "worker", SAME),
    ("spark", 1, 2, "machine", SAME),
]


def passages(heading):
    """The blocks of code below a heading of the page, without examples with prompts."""
    section = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## )", PAGE.read_text(), re.M | re.S)
    if section is None:
        raise SystemExit(f"{PAGE} has no section '{heading}'.")
    return [code for code in re.findall(r"^```python\n(.*?)^```", section[1], re.M | re.S) if ">>>" not in code]


def first_example():
    """The names that the page's first example defines: data, network and grid."""
    names = {}
    for example in doctest.DocTestParser().get_examples(PAGE.read_text()):
        if example.source.startswith("search = "):
            return names
        exec(example.source, names)
    raise SystemExit(f"{PAGE} has no example with a search.")


def run(code, names, witness):
    """Run a passage with a scorer that notes its callers; return the search."""
    names = {**names, "GridSearchCV": functools.partial(GridSearchCV, scoring=witness)}
    try:
        exec(code, names)
        return names["search"]
    finally:
        if client := names.get("client"):
            client.close()
            if client.cluster is not None:
                client.cluster.close()


def same(a, b):
    """Whether two searches have the same results except the seconds, and the same best network bit for bit."""
    if a.cv_results_.keys() != b.cv_results_.keys() or a.best_params_ != b.best_params_:
        return False
    results = [key for key in a.cv_results_ if not key.endswith("_time")]
    networks = [(*search.best_estimator_.coefs_, *search.best_estimator_.intercepts_) for search in (a, b)]
    return all(np.array_equal(a.cv_results_[key], b.cv_results_[key]) for key in results) and all(
        np.array_equal(*pair) for pair in zip(*networks, strict=True)
    )


def measure(cluster, number, workers, victim, names, serial):
    """Run one passage on a new cluster; return the record of how it ended."""
    record = {"cluster": cluster, "passage": number, "killed": victim or "nothing"}
    record |= dict.fromkeys(["processes", "machines", "BLAS threads", "seconds", "end"])
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        try:
            replacements = stack.enter_context(CLUSTERS[cluster](workers))
        except Exception as error:  # Ray, for instance, gives a node 30 seconds
            return record | {"end": f"the cluster did not start: {error}"}
        witness = Witness(folder, GENERATIONS[cluster], victim)
        code = passages(_HEADINGS[cluster])[number - 1]
        for old, new in {**_SMALL, **replacements}.items():
            code = code.replace(old, new)
        start = time.perf_counter()
        try:
            end = SAME if same(run(code, names, witness), serial) else "other results"
        except Exception as error:
            end = type(error).__name__
        seconds = time.perf_counter() - start
        if (witness.killed() is None) != (victim is None):
            end += ", nothing was killed"
        callers, threads = witness.callers()
    machines = {machine for _, machine in callers}
    found = {"processes": len(callers), "machines": len(machines), "BLAS threads": threads}
    return record | found | {"seconds": seconds, "end": end}


def _missing(cluster):
    try:
        for package in _PACKAGES[cluster]:
            importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError as error:
        return error.name


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clusters", type=numbers(str), default=list(CLUSTERS), help="dask, ray, spark")
    arguments = parser.parse_args()
    for cluster in arguments.clusters:
        if package := _missing(cluster):
            print(f"{cluster}: not run, because {package} is not installed")
    chosen = [c for c in arguments.clusters if not _missing(c)]
    prepare_environment()
    line = environment(packages=("numpy", "scikit-learn", "joblib", *(p for c in chosen for p in _PACKAGES[c])))
    print(line, flush=True)
    warnings.simplefilter("ignore")  # joblibspark and PySpark warn about each other's versions

    records, failed = [], []
    with threadpool_limits(1, user_api="blas"), tempfile.TemporaryDirectory() as folder:
        names = first_example()
        serial = run("search = GridSearchCV(net, grid, cv=3).fit(X, y)", names, Witness(folder, 0))
        if len(set(serial.cv_results_["mean_test_score"])) == 1:
            raise SystemExit("All candidates are equal, so the comparison would prove nothing.")
        for cluster, *settings, expected in RUNS:
            if cluster in chosen:
                records.append(measure(cluster, *settings, names, serial))
                print(*records[-1].values(), sep=", ", flush=True)
                if records[-1]["end"] not in expected.split(" or "):
                    failed.append((cluster, *settings))
    if records:
        print_table(list(records[0]), [list(record.values()) for record in records])
        write_csv("clusters", records, line)
    if failed:
        raise SystemExit(f"Not as the guide says: {failed}")


if __name__ == "__main__":
    main()
