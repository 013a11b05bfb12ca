"""The memory of a process: now, and its peak during a call."""

import ctypes
import gc
import resource
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Peak:
    """Memory at the peak of a call above that before it.

    ``bytes`` comes from the kernel's high-water mark, set back before the call; where there is none (not Linux) it is
    ``maxrss_bytes``, the growth of ``ru_maxrss``, which misses what stays below an earlier peak of the process.
    """

    bytes: int
    maxrss_bytes: int


def peak_above(function, *args):
    """Call a function; returns its `Peak` and its result."""
    gc.collect()
    _give_back()
    high_water = _reset_high_water()
    before, maxrss = (_status("VmRSS") if high_water else 0), _maxrss()
    result = function(*args)
    grown = _maxrss() - maxrss
    return Peak(_status("VmHWM") - before if high_water else grown, grown), result


def resident():
    """Bytes of the process that are in memory now; None where the system does not say."""
    try:
        return _status("VmRSS")
    except OSError:
        return None


def _give_back():
    """Let the C library return freed memory, so that it does not count as memory before the call."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # another library than glibc
            ctypes.CDLL("libc.so.6").malloc_trim(0)


def _reset_high_water():
    """Set VmHWM back to what is in use now; returns whether that worked (proc(5), clear_refs)."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
        return True
    except OSError:
        return False


def _status(key):
    """A line of /proc/self/status, in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(key + ":"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"/proc/self/status has no {key}")


def _maxrss():
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
