"""Processes that run sessions. A crash or a hang of a process is also a finding."""

import faulthandler
import multiprocessing
import tempfile
import time
from collections import Counter
from multiprocessing.connection import wait
from typing import NamedTuple

from .session import SECONDS_A_CALL, Finding, Session

# Python's alarm cannot interrupt a call that waits or hangs in compiled code. After this time, the process is killed.
SECONDS_A_SIGN = 5 * SECONDS_A_CALL


class Result(NamedTuple):
    """The result of many sessions."""

    outcomes: Counter  # how often (method, verdict, outcome) occurred
    findings: list  # (index, Finding), by index


def _work(connection, seed, indices, traces, run):
    """The body of a worker process: run the sessions with these indices."""
    with open(traces, "w") as file:
        faulthandler.enable(file)
        for index in indices:
            connection.send((index, None))

            def report(text, index=index):
                connection.send((index, text))

            session = run(seed, index, report)
            connection.send((index, (Counter(session.outcomes), session.finding)))
    connection.close()


def run_session(seed, index, report):
    """Run a session."""
    return Session(seed, index, report).run()


class _Worker:
    """A process and its last message."""

    def __init__(self, seed, indices, run):
        self.left = list(indices)
        self._traces = tempfile.NamedTemporaryFile("r", suffix=".txt")
        # Spawn the process, because libraries may have threads, and share nothing with it.
        context = multiprocessing.get_context("spawn")
        self.connection, other = context.Pipe(duplex=False)
        self._process = context.Process(
            target=_work, args=(other, seed, self.left, self._traces.name, run), daemon=True
        )
        self._process.start()
        other.close()
        self.said, self.heard = "", time.monotonic()

    def listen(self, result):
        """Receive a message. Return whether there will be more."""
        self.heard = time.monotonic()
        try:
            index, message = self.connection.recv()
        except EOFError:
            self._process.join()
            if self.left:
                self._lost(result, f"the process died: exit code {self._process.exitcode}")
            return False
        if message is None:
            self.said = ""
        elif isinstance(message, str):
            self.said = message
        else:
            outcomes, finding = message
            self.left.remove(index)
            result.outcomes.update(outcomes)
            if finding is not None:
                result.findings.append((index, finding))
        return True

    def _lost(self, result, law):
        index = self.left.pop(0)
        result.findings.append((index, Finding(law, self.said, self._traces.read())))

    def is_silent(self):
        """Whether the process has been silent for so long that it must hang."""
        return time.monotonic() - self.heard > SECONDS_A_SIGN

    def end(self, result):
        """Kill a process that hangs."""
        self._process.kill()
        self._process.join()
        self._lost(result, f"a call took more than {SECONDS_A_SIGN:g} seconds and did not react to an interruption")


def run_many(seed, n_sessions, jobs, run=run_session):
    """Run sessions 0, ..., n_sessions - 1 in several processes.

    The result does not depend on which process runs a session. If a process dies or hangs, another one takes over the
    sessions after the one that failed.
    """
    result = Result(Counter(), [])
    workers = [_Worker(seed, range(job, n_sessions, jobs), run) for job in range(min(jobs, n_sessions))]
    while workers:
        ready = wait([worker.connection for worker in workers], timeout=1.0)
        for worker in list(workers):
            more = True
            if worker.connection in ready:
                more = worker.listen(result)
            elif worker.is_silent():
                worker.end(result)
                more = False
            if not more:
                workers.remove(worker)
                if worker.left:
                    workers.append(_Worker(seed, worker.left, run))
    result.findings.sort(key=lambda found: found[0])
    return result
