"""How much memory a call allocates."""

import tracemalloc


def peak_of(function):
    """The number of bytes allocated at the peak of a call, beyond those allocated before it."""
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        function()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
