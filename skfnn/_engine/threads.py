"""How many threads BLAS takes for the products of a block of rows.

Handing a small product to a second thread costs more than it saves: what one core has in its cache the other must
fetch. The number of threads is BLAS's own, for the whole process, and decides how its sums are rounded. So it is
lowered within a section only, never raised above what was found, and put back at its end; and there is one section at a
time, so that what runs in one thread of Python changes no number in another.
"""

import os
from functools import cache
from threading import RLock

from threadpoolctl import ThreadpoolController

# From so many multiplications on several threads are faster: measured on two cores (Zen 3), with layers of 64 to 512
# units. On an Intel machine it was from 8 million on.
SMALLEST_SHARED = 3_000_000


@cache
def _library():
    """The library behind SciPy's BLAS routines, which is loaded by now; None where nothing is known of it."""
    libraries = ThreadpoolController().select(user_api="blas").lib_controllers
    # SciPy's wheels bring their own, beside NumPy's; other distributions have one for both.
    own = [library for library in libraries if "scipy.libs" in library.filepath]
    return next(iter(own or libraries), None)


class Threads:
    """The number of threads of SciPy's BLAS."""

    def __init__(self):
        self.lock = RLock()  # a signal handler that predicts may come in the middle of a section
        self._found = None  # the number outside a section; None where it has been put back
        self._now = None

    def section(self, work, body):
        """The result of ``body()``, whose products have `work` multiplications, or what ``use`` says within."""
        # No context manager of ours: Ctrl-C between its entry and the body would leave the lock taken.
        with self.lock:
            try:
                self.use(work)
                return body()
            finally:
                if self._found is not None:
                    self._set(self._found)
                    self._found = None

    def use(self, work):
        """Take one thread for products of few multiplications, else as many as were found; within a section."""
        if self._found is None:
            library = _library()
            self._found = self._now = library.get_num_threads() if library else 1
        self._set(self._found if work >= SMALLEST_SHARED else 1)

    def _set(self, number):
        if number != self._now:
            _library().set_num_threads(number)
            self._now = number


THREADS = Threads()

if hasattr(os, "register_at_fork"):
    # A process is forked between sections: in the child there is no thread that would end one.
    os.register_at_fork(
        before=THREADS.lock.acquire, after_in_parent=THREADS.lock.release, after_in_child=THREADS.lock.release
    )
