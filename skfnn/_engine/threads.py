"""How many threads BLAS uses for the products of a block of rows.

Handing a small product to a second thread costs more than it saves, because the other core must fetch what the first
has in its cache. The number of threads belongs to BLAS and applies to the whole process. It also decides how sums are
rounded. So the number is only lowered, never raised above the one found, only within a section, and it is restored at
the section's end. Sections exclude each other, so work in one Python thread changes no result in another.
"""

import os
from functools import cache
from threading import RLock

from threadpoolctl import ThreadpoolController

# With at least this many multiplications, several threads are faster: measured on two cores (Zen 3), with layers of 64
# to 512 units. On an Intel machine the limit was 8 million.
SMALLEST_SHARED = 3_000_000


@cache
def find_library():
    """The library behind SciPy's BLAS routines, which is loaded by now; None if threadpoolctl does not know it."""
    libraries = ThreadpoolController().select(user_api="blas").lib_controllers
    # SciPy's wheels contain a library of their own, beside NumPy's. Other distributions have one for both.
    own = [library for library in libraries if "scipy.libs" in library.filepath]
    return next(iter(own or libraries), None)


class Threads:
    """The number of threads of SciPy's BLAS; ``find_library()`` gives the library, or None."""

    def __init__(self, find_library=find_library):
        self.find_library = find_library
        self.lock = RLock()  # a signal handler may predict in the middle of a section
        self._found = None  # the number outside of sections; None if it has been restored
        self._now = None

    def section(self, work, body):
        """Run ``body()`` with the number of threads that suits products of `work` multiplications; return its result.

        ``use`` can change the number inside.
        """
        # Not a context manager of our own: Ctrl-C between its entry and the body would leave the lock taken.
        with self.lock:
            try:
                self.use(work)
                return body()
            finally:
                if self._found is not None:
                    self._set(self._found)
                    self._found = None

    def use(self, work):
        """Within a section: use one thread for products with few multiplications, otherwise as many as were found."""
        if self._found is None:
            library = self.find_library()
            self._found = self._now = library.get_num_threads() if library else 1
        self._set(self._found if work >= SMALLEST_SHARED else 1)

    def _set(self, number):
        if number != self._now:
            self.find_library().set_num_threads(number)
            self._now = number


THREADS = Threads()

if hasattr(os, "register_at_fork"):
    # A fork waits for the end of a section, because the child would have no thread to end it.
    os.register_at_fork(
        before=THREADS.lock.acquire, after_in_parent=THREADS.lock.release, after_in_child=THREADS.lock.release
    )
