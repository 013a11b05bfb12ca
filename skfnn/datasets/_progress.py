"""A line on stderr that says how many files are done."""

import sys
import time

_SECONDS = 0.5  # between two changes of the line on a terminal


class Progress:
    """Reports `total` files. Elsewhere than on a terminal it prints one line for each tenth."""

    def __init__(self, name, total, verbose):
        self._name, self._total = name, total
        self._stream = sys.stderr if verbose else None
        self._terminal = self._stream is not None and self._stream.isatty()
        self._shown = 0.0

    def report(self, done, skipped):
        """Say that `done` files are done, and that `skipped` of them could not be decoded."""
        if self._stream is None:
            return
        last = done == self._total
        now = time.monotonic() if self._terminal else done * 10 // self._total
        if not last and now < self._shown + (_SECONDS if self._terminal else 1):
            return
        self._shown = now
        note = f", {skipped:,} skipped" if skipped else ""
        line = f"{self._name}: {done:,} of {self._total:,} files read ({done / self._total:.0%}{note})"
        self._stream.write(f"\r{line}{chr(10) if last else ''}" if self._terminal else f"{line}\n")
        self._stream.flush()
