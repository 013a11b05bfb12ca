"""How many threads BLAS uses for the products of a block of rows.

Sharing a small product with a second thread costs more than it saves, because the second core must first fetch the data
from the cache of the first. BLAS has one number of threads for the whole process, and this number also decides how sums
are rounded. So the number is changed only within a section: it is never raised above the number found at the start, and
the end of the section restores it. Only one section runs at a time, so work in one Python thread changes no result in
another.
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
    """The loaded library that provides SciPy's BLAS routines; None if threadpoolctl does not know it."""
    libraries = ThreadpoolController().select(user_api="blas").lib_controllers
    # SciPy's wheels contain their own library. Other distributions have one library for NumPy and SciPy.
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
        """Within a section: use one thread for small products, otherwise as many as there were outside."""
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
    # A fork waits until the present section ends, because the child would have no thread that ends it.
    os.register_at_fork(
        before=THREADS.lock.acquire, after_in_parent=THREADS.lock.release, after_in_child=THREADS.lock.release
    )
