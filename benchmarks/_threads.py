"""How many threads, and which cores, the measured processes use."""

import os

# NPROC is what counts for JAX: its thread pool takes its size from there (PjRt's DefaultThreadPoolSize). The XLA flags
# that are usually named for this change nothing in JAX 0.10: 1.9 cores were busy with both set to one thread.
_COUNTS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "NPROC")


def set_threads(threads):
    """Tell every library's thread count to the processes started from here on, through the environment.

    The parent process measures nothing, so it does not matter that its own NumPy is loaded already.
    """
    for name in _COUNTS:
        os.environ[name] = str(threads)
    many = "true" if threads > 1 else "false"
    flags = f"--xla_cpu_multi_thread_eigen={many} intra_op_parallelism_threads={threads}"
    os.environ["XLA_FLAGS"] = flags
    os.environ["JAX_PLATFORMS"] = "cpu"


def pin_to_cores(count):
    """Bind this process, and those it starts from here on, to the first `count` of its cores; returns them."""
    if not hasattr(os, "sched_setaffinity"):
        raise SystemExit("--pin: this system cannot bind a process to a core.")
    cores = sorted(os.sched_getaffinity(0))[:count]
    os.sched_setaffinity(0, cores)
    return cores
