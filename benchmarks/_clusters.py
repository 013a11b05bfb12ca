"""Local clusters of a few workers, which die on demand.

Every cluster runs on this machine. The environment variables that limit the threads of BLAS are removed first, so that
the workers show what the cluster itself sets.
"""

import contextlib
import os
import signal
import sys
import time
from pathlib import Path

from threadpoolctl import threadpool_info

ROOT = Path(__file__).parents[1]
_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
# A worker process is this many generations below the process that stands for its machine.
GENERATIONS = {"dask": 0, "ray": 1, "spark": 2}


class Witness:
    """A scorer that returns the accuracy. It notes who calls it, and can kill its worker or machine once.

    `generations` is the distance from the worker process to the process of its machine. `victim` is None, "worker" or
    "machine". The victim dies in the first call for a network of batch size 100.
    """

    def __init__(self, folder, generations, victim=None):
        self.folder, self.generations, self.victim, self.main = Path(folder), generations, victim, os.getpid()

    def __call__(self, estimator, X, y):
        pid = os.getpid()
        if pid != self.main:
            machine = _ancestor(pid, self.generations)
            self._note(f"{pid} {machine} {_blas_threads()}", f"{pid}.caller")
            if self.victim is not None and estimator.batch_size == 100:
                self._kill_once({"worker": pid, "machine": machine}[self.victim])
        return estimator.score(X, y)

    def _note(self, text, name):
        """Write a file at once, because the cluster may kill this process at any time."""
        part = self.folder / f"{name}.part"
        part.write_text(text)
        part.replace(self.folder / name)

    def _kill_once(self, pid):
        try:
            with open(self.folder / "killed", "x") as file:  # only one of all workers succeeds
                file.write(str(pid))
        except FileExistsError:
            return
        os.kill(pid, signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)

    def callers(self):
        """Pairs of process and machine of all workers, and the largest number of BLAS threads among them."""
        notes = [path.read_text().split() for path in self.folder.glob("*.caller")]
        return {(int(pid), int(machine)) for pid, machine, _ in notes}, max((int(note[2]) for note in notes), default=0)

    def killed(self):
        """The process that was killed, or None."""
        path = self.folder / "killed"
        return int(path.read_text()) if path.exists() else None


def prepare_environment():
    """Set what the processes of a cluster inherit: the way to skfnn, and no limit on the threads of BLAS."""
    for name in _THREADS:
        os.environ.pop(name, None)
    os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    os.environ.update({"RAY_USAGE_STATS_ENABLED": "0", "RAY_LOG_TO_DRIVER": "0"})
    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"


@contextlib.contextmanager
def dask_cluster(workers):
    """A scheduler and its workers. Its address replaces the one of the passage."""
    from distributed import LocalCluster

    with LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None) as cluster:
        yield {"tcp://scheduler:8786": cluster.scheduler_address}


@contextlib.contextmanager
def ray_cluster(workers):
    """A head node without a core, and nodes of one core. The passage finds it by ``address="auto"``."""
    import ray
    from ray.cluster_utils import Cluster

    settings = {"object_store_memory": 10**8, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, **settings})
    try:
        for _ in range(workers):
            cluster.add_node(num_cpus=1, **settings)
        os.environ["RAY_ADDRESS"] = cluster.address
        yield {}
    finally:
        os.environ.pop("RAY_ADDRESS", None)
        ray.shutdown()
        cluster.shutdown()


@contextlib.contextmanager
def spark_cluster(workers):
    """A master and executors of one core, each in a virtual machine of its own. The passage uses the active session."""
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master(f"local-cluster[{workers},1,1024]").config("spark.ui.enabled", "false")
    spark = builder.config("spark.ui.showConsoleProgress", "false").getOrCreate()
    spark.sparkContext.setLogLevel("OFF")
    try:
        # The tracker counts the driver too.
        _wait_until(lambda: len(spark.sparkContext._jsc.sc().statusTracker().getExecutorInfos()) > workers)
        yield {}
    finally:
        spark.stop()


CLUSTERS = {"dask": dask_cluster, "ray": ray_cluster, "spark": spark_cluster}


def _wait_until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise SystemExit(f"The workers did not start within {seconds} seconds.")
        time.sleep(0.2)


def _ancestor(pid, generations):
    for _ in range(generations):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        pid = int(fields[1])
    return pid


def _blas_threads():
    return max(info["num_threads"] for info in threadpool_info() if info["user_api"] == "blas")
