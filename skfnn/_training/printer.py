"""Prints one line per epoch."""

import math


class Printer:
    """Prints the epochs of a training run if it is `on`; `last` is the number of the last possible epoch.

    `unit` is the word for an epoch.
    """

    def __init__(self, on, last, unit="Epoch"):
        self._on, self._last, self._unit = on, last, unit

    def epoch(self, record):
        """Print the line of an epoch, whose entries in the history are `record`."""
        if self._on:
            print(self.line(record), flush=True)

    def say(self, message):
        """Print a message."""
        if self._on and message:
            print(message, flush=True)

    def line(self, record):
        """The line of an epoch."""
        parts = [f"{self._unit} {record['epoch']}/{self._last}", f"loss {record['loss']:.6f}"]
        if record["validation_loss"] is not None:
            parts.append(f"validation loss {record['validation_loss']:.6f}")
            if record["validation_score"] != -record["validation_loss"]:  # else scoring="loss"
                parts.append(f"validation score {record['validation_score']:.4f}")
        if not math.isnan(record["learning_rate"]):
            parts.append(f"eta {record['learning_rate']:g}")
        parts.append(f"{record['seconds']:.3f} s")
        return "  ".join(parts)
