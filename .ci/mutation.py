"""Mutation testing of the engine: python .ci/mutation.py [--only PATTERN]

A mutant is one small change to one function: another operator or number, an argument left out or None, an inverted
condition. A mutant is killed if a test fails, crashes or takes far too long. It survives if no test does. The file
mutation.toml beside this one lists the modules, the tests, and the known survivors, each with the reason why it may
survive. The ``strict=`` argument of zip is not changed: it guards against faults elsewhere. The exit code is 1 if a
survivor has no reason, if a reason has no survivor, or if less than 95 % are killed.

    --only PATTERN   functions such as "_engine.losses.SquaredError.*"; may be given several times

The mutants are mutmut's (``pip install "mutmut>=3.8,<3.9"``). Its own runner starts pytest for each mutant, which takes
most of the time. Here the tests are collected once. They run once unchanged, to find how long each test takes and which
functions it calls. Then the process forks for every mutant. The child installs the changed function and runs the tests
that call it, the short ones first, until one fails. No file is written.
"""

import argparse
import ast
import difflib
import fnmatch
import gc
import mmap
import os
import re
import resource
import sys
import textwrap
import time
import tomllib
from collections import Counter, defaultdict
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import libcst as cst
import pytest
from libcst.metadata import MetadataWrapper
from mutmut.mutation.file_mutation import MutationVisitor, deep_replace
from mutmut.mutation.mutators import mutation_operators
from mutmut.mutation.pragma_handling import IgnoredCode

ROOT = Path(__file__).resolve().parents[1]
LIST = Path(__file__).with_suffix(".toml")
LEAST_SHARE = 0.95
# The tests of a mutant may take TIMES their usual time plus MORE seconds.
TIMES, MORE = 5, 10
MEMORY = 4 << 30
# The argument of zip that says how it compares lengths.
STRICT = r",\s*(strict=\w+)?\)"


@dataclass(frozen=True)
class Mutant:
    """One change to one function."""

    module: str  # skfnn._engine.losses
    function: str  # SquaredError.value
    source: str
    change: str  # the lines that differ, without their indentation: "- before" and "+ after"

    @property
    def name(self):
        """The function, as the list names it."""
        return f"{self.module.removeprefix('skfnn.')}.{self.function}"

    def place(self):
        """The module or class that holds the function, and its name there."""
        *owner, name = self.function.split(".")
        module = import_module(self.module)
        return getattr(module, owner[0]) if owner else module, name

    def install(self):
        """Replace the function by the changed one, in every module that imports it as well."""
        holder, name = self.place()
        original = getattr(holder, name)
        # Inside another function, whose argument is the name that a plain super() in a method looks up.
        code = "def make(__class__):\n" + textwrap.indent(self.source, "    ") + f"\n    return {name}\n"
        scope = vars(sys.modules[self.module])
        exec(compile(code, "<mutant>", "exec"), scope)
        changed = scope.pop("make")(holder)
        setattr(holder, name, changed)
        for module in list(sys.modules.values()):
            if vars(module).get(name) is original:
                setattr(module, name, changed)


def mutants_of(name):
    """All mutants of a module."""
    path = ROOT / Path(*name.split(".")).with_suffix(".py")
    visitor = MutationVisitor(mutation_operators, IgnoredCode(set(), set(), set()))
    module = MetadataWrapper(cst.parse_module(path.read_text(encoding="utf-8"))).visit(visitor)
    functions = {}
    for node in module.body:
        if isinstance(node, cst.FunctionDef):
            functions[node] = node.name.value
        elif isinstance(node, cst.ClassDef):
            parts = [part for part in node.body.body if isinstance(part, cst.FunctionDef)]
            functions |= {part: f"{node.name.value}.{part.name.value}" for part in parts}
    for mutation in visitor.mutations:
        function = mutation.contained_by_top_level_function
        if function in functions:
            changed = deep_replace(function, mutation.original_node, mutation.mutated_node)
            before, after = (textwrap.dedent(module.code_for_node(f)).strip("\n") for f in (function, changed))
            if re.sub(STRICT, ")", after) != re.sub(STRICT, ")", before):
                ast.parse(after)
                lines = difflib.ndiff(before.splitlines(), after.splitlines())
                change = "\n".join(f"{line[0]} {line[2:].strip()}" for line in lines if line[0] in "+-")
                yield Mutant(name, functions[function], after, change)


class Runner:
    """A pytest plugin that runs the tests for every mutant."""

    def __init__(self, mutants):
        self.mutants = mutants
        self.failed, self.killed = False, {}
        self.position = mmap.mmap(-1, 4)  # of the test that runs; shared with the children

    def pytest_runtest_logreport(self, report):
        """Record a failure."""
        self.failed |= report.failed

    def passing(self, items):
        """Run tests; yields whether each one passes."""
        for item, nextitem in zip(items, [*items[1:], None], strict=True):
            self.failed = False
            item.ihook.pytest_runtest_protocol(item=item, nextitem=nextitem)
            yield not self.failed

    def pytest_runtestloop(self, session):
        """Run the tests once unchanged, then for every mutant."""
        if session.testsfailed:
            return None  # pytest's own loop stops because of the error in the collection
        seconds, callers, seen = {}, defaultdict(list), set()
        sys.setprofile(lambda frame, event, _: seen.add(frame.f_code))
        start = time.process_time()
        for item, passes in zip(session.items, self.passing(session.items), strict=True):
            if not passes:
                pytest.exit(f"{item.nodeid} fails without a mutant", 2)
            for code in seen:
                callers[code].append(item)
            seen.clear()
            seconds[item], start = time.process_time() - start, time.process_time()
        sys.setprofile(None)
        print(f"{len(seconds)} tests, {sum(seconds.values()):.0f} s; {len(self.mutants)} mutants", flush=True)
        gc.freeze()  # a collection in a child would copy all memory
        last = {}  # for every function, the test that killed its previous mutant
        for number, mutant in enumerate(self.mutants, 1):
            items = callers[getattr(*mutant.place()).__code__]
            items.sort(key=lambda item: (item is not last.get(mutant.name), seconds[item]))
            killed = bool(items) and self.kills(items, mutant, TIMES * sum(map(seconds.get, items)) + MORE)
            if killed:
                last[mutant.name] = items[int.from_bytes(self.position[:])]
            self.killed[mutant] = killed
            if number % 100 == 0:
                print(number, end=" ", flush=True)
        return True

    def kills(self, items, mutant, seconds):
        """Whether one of the tests fails, in a fork of this process, with the mutant in place."""
        self.position[:] = bytes(4)
        pid = os.fork()
        if pid == 0:
            try:
                resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds)))
                resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
                resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
                items[0].config.pluginmanager.unregister(name="terminalreporter")
                mutant.install()
                for k, passes in enumerate(self.passing(items), 1):
                    if not passes:
                        os._exit(1)
                    self.position[:] = k.to_bytes(4)
                os._exit(0)
            except BaseException:
                os._exit(1)
        return os.waitpid(pid, 0)[1] != 0


@dataclass(frozen=True)
class Reason:
    """Why mutants of some functions may survive: those whose change fits a pattern."""

    functions: str  # a name or a pattern of names, as for --only
    change: re.Pattern
    kind: str

    def holds(self, mutant):
        """Whether the reason applies to this mutant."""
        return fnmatch.fnmatchcase(mutant.name, self.functions) and self.change.fullmatch(mutant.change) is not None


def reasons_of(survivors):
    """The reasons of the list."""
    for entry in survivors:
        changes = [re.escape(change.strip()) for change in entry.get("changes", [])]
        for change in changes + entry.get("patterns", []):
            yield Reason(entry.get("functions", "*"), re.compile(change), entry["kind"])


def main():
    """Run everything; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", action="append", metavar="PATTERN")
    only = parser.parse_args().only
    os.chdir(ROOT)
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # a forked child has no other threads
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(ROOT))
    settings = tomllib.loads(LIST.read_text(encoding="utf-8"))
    reasons = list(reasons_of(settings["survivors"]))
    mutants = dict.fromkeys(m for name in settings["modules"] for m in mutants_of(name))
    runner = Runner([m for m in mutants if any(fnmatch.fnmatchcase(m.name, pattern) for pattern in only or ["*"])])
    options = ["-q", "--full", "--tb=short", "-p", "no:cacheprovider", "-p", "no:faulthandler", "-p", "no:randomly"]
    code = pytest.main([*options, *settings["tests"]], plugins=[runner])
    if len(runner.killed) < len(runner.mutants):
        return int(code) or 2

    counts, found = defaultdict(Counter), set()
    for mutant, killed in runner.killed.items():
        reason = None if killed else next((reason for reason in reasons if reason.holds(mutant)), None)
        found.add(reason)
        outcome = "killed" if killed else "unknown" if reason is None else reason.kind
        for module in (mutant.module, "all"):
            counts[module].update([outcome, "mutants"])
        if outcome == "unknown":
            print(f"\nsurvives without a reason: {mutant.name}\n{mutant.change}")
    gone = [] if only else [reason for reason in reasons if reason not in found]
    for reason in gone:
        print(f"\na reason without a survivor: {reason.functions}\n{reason.change.pattern}")
    outcomes = ["mutants", "killed", *sorted({reason.kind for reason in reasons}), "unknown"]
    print(f"\n{'':20}", *(f"{outcome:>12}" for outcome in [*outcomes, "share killed"]))
    for module, count in sorted(counts.items()):
        share = count["killed"] / count["mutants"]
        print(f"{module:20}", *(f"{count[outcome]:12}" for outcome in outcomes), f"{share:12.1%}")
    few = counts["all"]["killed"] < LEAST_SHARE * counts["all"]["mutants"]
    return int(bool(counts["all"]["unknown"] or gone or few))


if __name__ == "__main__":
    sys.exit(main())
