"""Measuring in pairs: all peers take turns, and ratios are taken within a turn."""

import time
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Sample:
    """One measurement: the wall time of `calls` calls, and the processor time of all threads meanwhile."""

    seconds: float
    cpu_seconds: float
    calls: int = 1


def measure(function, *args, calls=1):
    """Time `calls` calls of a function; runs in a worker."""
    cpu, start = time.process_time(), time.perf_counter()
    for _ in range(calls):
        function(*args)
    seconds = time.perf_counter() - start
    return Sample(seconds, time.process_time() - cpu, calls)


def alternate(workers, rounds, method, *args):
    """Call a method that returns a `Sample` on every worker in turn, `rounds` times.

    The order rotates, so that no worker always follows the same other one.

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
    """Seconds a call of every sample, (rounds,)."""
    return np.array([s.seconds / s.calls for s in samples])


def median(samples):
    """Median seconds a call."""
    return float(np.median(seconds(samples)))


def quartiles(samples):
    """First and third quartile of the seconds a call."""
    return [float(q) for q in np.percentile(seconds(samples), [25, 75])]


def paired_ratio(samples, base):
    """Median over the rounds of samples/base, each measured in the same round."""
    return float(np.median(seconds(samples) / seconds(base)))


def busy_cores(samples):
    """Median of processor time over wall time: how many cores were busy."""
    return float(np.median([s.cpu_seconds / s.seconds for s in samples]))
