"""Objects that live in a process of their own and are called from this one.

Every peer has its own process because thread pools disturb each other. If two OpenBLAS pools (NumPy's and SciPy's) take
turns within a process, the idle pool spins on the cores that the other pool needs, for about 8 ms per change. A worker
that is not called blocks on its pipe. Before each call, `SETTLE` seconds pass, so that the pools of the last worker are
asleep.
"""

import multiprocessing
import time
import traceback
import warnings

# OpenBLAS threads spin for some 25 ms after their last product before they sleep.
SETTLE = 0.05

_SPAWN = multiprocessing.get_context("spawn")  # a fresh interpreter, which reads the thread counts when it loads NumPy


class Worker:
    """A process that creates ``factory(*args)`` and calls its methods one after the other.

    `factory` must be importable by its module and name. Arguments and results are pickled.
    """

    def __init__(self, factory, *args):
        self._pipe, theirs = _SPAWN.Pipe()
        self._process = _SPAWN.Process(target=_serve, args=(theirs, factory, args), daemon=True)
        self._process.start()
        theirs.close()
        self._receive()

    def call(self, method, *args):
        """Wait until the machine is quiet, then call a method of the object and return its result."""
        time.sleep(SETTLE)
        self._pipe.send((method, args))
        return self._receive()

    def close(self):
        """End the process."""
        self._pipe.close()
        self._process.join(timeout=10)
        if self._process.is_alive():
            self._process.terminate()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def _receive(self):
        try:
            failed, result = self._pipe.recv()
        except EOFError:
            self._process.join()
            raise SystemExit(f"A worker ended unexpectedly, exit code {self._process.exitcode}.") from None
        if failed:
            raise SystemExit(f"A worker failed:\n{result}")
        return result


def _serve(pipe, factory, args):
    """The worker's side: create the object, then answer calls until the pipe is closed."""
    warnings.simplefilter("ignore")  # clipped batch sizes and missing convergence are intended here
    try:
        target = factory(*args)
        pipe.send((False, None))
        while True:
            method, arguments = pipe.recv()
            pipe.send((False, getattr(target, method)(*arguments)))
    except EOFError:
        return
    except BaseException:
        pipe.send((True, traceback.format_exc()))
