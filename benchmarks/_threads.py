"""How many threads and which cores the measured processes use."""

import os

# JAX takes the size of its thread pool from NPROC (PjRt's DefaultThreadPoolSize). The XLA flags that are usually
# recommended for this have no effect in JAX 0.10: with both set to one thread, 1.9 cores were busy.
_COUNTS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "NPROC")


def set_threads(threads):
    """Set the thread count of every library, through the environment, for all processes that start later.

    The parent process has already loaded NumPy, but this does not matter because it measures nothing.
    """
    for name in _COUNTS:
        os.environ[name] = str(threads)
    many = "true" if threads > 1 else "false"
    flags = f"--xla_cpu_multi_thread_eigen={many} intra_op_parallelism_threads={threads}"
    os.environ["XLA_FLAGS"] = flags
    os.environ["JAX_PLATFORMS"] = "cpu"


def pin_to_cores(count):
    """Bind this process, and those that it starts later, to the first `count` of its cores; return the cores."""
    if not hasattr(os, "sched_setaffinity"):
        raise SystemExit("--pin: this system cannot bind a process to a core.")
    cores = sorted(os.sched_getaffinity(0))[:count]
    os.sched_setaffinity(0, cores)
    return cores
