"""The memory of a process: its current size, and its peak during a call."""

import ctypes
import gc
import resource
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Peak:
    """The memory at the peak of a call, minus the memory before the call.

    ``bytes`` comes from the kernel's high-water mark, which is reset before the call. Systems other than Linux have no
    such mark; there, ``bytes`` equals ``maxrss_bytes``. ``maxrss_bytes`` is the growth of ``ru_maxrss`` and misses
    memory below an earlier peak of the process.
    """

    bytes: int
    maxrss_bytes: int


def peak_above(function, *args):
    """Call a function; return its `Peak` and its result."""
    gc.collect()
    _give_back()
    high_water = _reset_high_water()
    before, maxrss = (_status("VmRSS") if high_water else 0), _maxrss()
    result = function(*args)
    grown = _maxrss() - maxrss
    return Peak(_status("VmHWM") - before if high_water else grown, grown), result


def resident():
    """The bytes of the process that are in memory now, or None if the system does not report them."""
    try:
        return _status("VmRSS")
    except OSError:
        return None


def _give_back():
    """Let the C library return freed memory, so that it does not count as memory before the call."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # the C library is not glibc
            ctypes.CDLL("libc.so.6").malloc_trim(0)


def _reset_high_water():
    """Reset VmHWM to the current use and return whether that worked (proc(5), clear_refs)."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
        return True
    except OSError:
        return False


def _status(key):
    """The value of a line in /proc/self/status, in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(key + ":"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"/proc/self/status has no {key}")


def _maxrss():
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
