"""Paired measurements: all peers take turns, and ratios compare times of the same turn."""

import time
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Sample:
    """One measurement: the wall time of `calls` calls, and the processor time of all threads during them."""

    seconds: float
    cpu_seconds: float
    calls: int = 1


def measure(function, *args, calls=1):
    """Time `calls` calls of a function, in a worker."""
    cpu, start = time.process_time(), time.perf_counter()
    for _ in range(calls):
        function(*args)
    seconds = time.perf_counter() - start
    return Sample(seconds, time.process_time() - cpu, calls)


def alternate(workers, rounds, method, *args):
    """Call a method that returns a `Sample` on every worker in turn, `rounds` times.

    The order rotates, so that no worker always follows the same other worker.

    Returns
    -------
    samples : dict from the worker's name to its `Sample` of every round
    """
    names = list(workers)
    samples = {name: [] for name in names}
    for turn in range(rounds):
        shift = turn % len(names)
        for name in names[shift:] + names[:shift]:
            samples[name].append(workers[name].call(method, *args))
    return samples


def seconds(samples):
    """The seconds per call of every sample, (rounds,)."""
    return np.array([s.seconds / s.calls for s in samples])


def median(samples):
    """The median of the seconds per call."""
    return float(np.median(seconds(samples)))


def quartiles(samples):
    """The first and third quartile of the seconds per call."""
    return [float(q) for q in np.percentile(seconds(samples), [25, 75])]


def paired_ratio(samples, base):
    """The median over the rounds of samples/base, with both measured in the same round."""
    return float(np.median(seconds(samples) / seconds(base)))


def busy_cores(samples):
    """The median of processor time over wall time, which is the number of busy cores."""
    return float(np.median([s.cpu_seconds / s.seconds for s in samples]))
