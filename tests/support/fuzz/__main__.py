"""The command ``python -m fuzz``."""

import argparse
import sys
from collections import Counter

from .session import CALLS_A_SESSION, Session
from .values import BAD, GOOD, OPEN
from .workers import run_many

DESCRIPTION = """\
Random calls of FNNClassifier and FNNRegressor, in sessions of ten calls on one estimator, with valid and invalid
parameters and data. Every call must end in a correct result or in a documented error that changes nothing. The command
prints every call that does not, and how to repeat it. The exit code is 1 if there is such a call.
"""
NAMES = {GOOD: "valid", OPEN: "either", BAD: "invalid"}


def main(arguments=None):
    """Run the command. Return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=DESCRIPTION)
    parser.add_argument("--calls", type=int, default=20_000, help="the minimum number of calls (default: 20000)")
    parser.add_argument("--seed", type=int, default=0, help="another seed makes other calls (default: 0)")
    parser.add_argument("--jobs", type=int, default=2, help="the number of processes (default: 2)")
    parser.add_argument("--only", metavar="SEED:INDEX", help="repeat one session, and print its calls")
    options = parser.parse_args(arguments)
    if options.only:
        return repeat(*map(int, options.only.split(":")))
    if options.calls < 1 or options.jobs < 1 or options.seed < 0:
        parser.error("--calls and --jobs must be at least 1, --seed at least 0")
    result = run_many(options.seed, -(-options.calls // CALLS_A_SESSION), options.jobs)
    for index, finding in result.findings:
        print(f"python -m fuzz --only {options.seed}:{index}  # {finding.law} -- after {finding.call}")
    print_summary(result)
    return 1 if result.findings else 0


def print_summary(result):
    """Print how many calls had each outcome."""
    table = Counter()
    for (method, verdict, came), number in result.outcomes.items():
        table[method, NAMES[verdict], came == "accepted"] += number
    methods = sorted({method for method, _, _ in table})
    print(f"{'accepted / refused':24}" + "".join(f"{name:>16}" for name in NAMES.values()))
    for method in methods:
        cells = [f"{table[method, name, True]} / {table[method, name, False]}" for name in NAMES.values()]
        print(f"{method:24}" + "".join(f"{cell:>16}" for cell in cells))
    errors = Counter()
    for (_, _, came), number in result.outcomes.items():
        errors[came] += number
    print(", ".join(f"{name} {number}" for name, number in errors.most_common()))
    print(f"{result.outcomes.total()} calls, {len(result.findings)} findings")


def repeat(seed, index):
    """Repeat the calls of one session and print each. Return the exit code."""
    session = Session(seed, index, report=print).run()
    if session.finding is None:
        print("every law holds")
        return 0
    print(f"\n{session.finding.trace}\nFINDING: {session.finding.law} -- after {session.finding.call}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
