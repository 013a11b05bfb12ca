"""Mutation testing of the engine: python .ci/mutation.py [--only PATTERN] [--known] [--report FILE]

Every mutant is one small change to one function: another operator or number, an argument left out or None, a condition
turned round. It is killed if a test fails (or ends in a crash, or takes far too long) and survives if none does. The
modules, the tests, and every survivor that has been looked at, with the reason why it may live, are in mutation.toml
beside this file. What a zip says about lengths (``strict=``) is left as it is: it guards against faults elsewhere.
Exits with 1 where a survivor is not in that list, where an entry of the list is no survivor, or where less than 90 % of
the mutants are killed.

    --only PATTERN   functions such as "_losses.SquaredError.*"; may be given several times
    --known          skip the mutants in the list
    --report FILE    write what became of every mutant, as JSON

The mutants are mutmut's (``pip install "mutmut>=3.8,<3.9"``). Its own runner starts pytest for each of them, which
takes most of the time; here the tests are collected once. They run once as they are, which tells how long each takes
and which functions it calls. Then the process forks for every mutant, and the child puts the changed function in place
and runs the tests that call it, the short ones first, until one fails. No file is written.
"""

import argparse
import ast
import difflib
import fnmatch
import importlib
import json
import os
import re
import resource
import signal
import sys
import textwrap
import time
import tomllib
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

import libcst as cst
import pytest
from libcst.metadata import MetadataWrapper
from mutmut.mutation.file_mutation import MutationVisitor, deep_replace
from mutmut.mutation.mutators import mutation_operators
from mutmut.mutation.pragma_handling import IgnoredCode

ROOT = Path(__file__).resolve().parents[1]
LIST = Path(__file__).with_suffix(".toml")
LEAST_SHARE = 0.9
# A mutant may take so many times the seconds that its tests take without it, and so many seconds more.
TIMES, MORE = 5, 10
MEMORY = 4 << 30


# Of a call's arguments: how a zip compares the lengths.
STRICT = r",\s*(strict=\w+)?\)"


@dataclass(frozen=True)
class Mutant:
    """One change to one function."""

    module: str  # skfnn._losses
    function: str  # SquaredError.value
    source: str
    change: str  # the lines that differ, without their indentation: "- before" and "+ after"

    @property
    def name(self):
        """The function as the list has it."""
        return f"{self.module.removeprefix('skfnn.')}.{self.function}"

    def install(self):
        """Put the changed function in the place of the right one."""
        module = importlib.import_module(self.module)
        *owner, name = self.function.split(".")
        holder = getattr(module, owner[0]) if owner else module
        # In a function of its own, whose argument is what a plain super() in a method looks for.
        code = "def make(__class__):\n" + textwrap.indent(self.source, "    ") + f"\n    return {name}\n"
        exec(compile(code, "<mutant>", "exec"), module.__dict__)
        setattr(holder, name, module.__dict__.pop("make")(holder))


def functions_of(module):
    """The nodes of the functions and methods of a module, with their names."""
    for node in module.body:
        if isinstance(node, cst.FunctionDef):
            yield node, node.name.value
        elif isinstance(node, cst.ClassDef):
            for part in node.body.body:
                if isinstance(part, cst.FunctionDef):
                    yield part, f"{node.name.value}.{part.name.value}"


def mutants_of(name):
    """All mutants of a module."""
    path = ROOT / Path(*name.split(".")).with_suffix(".py")
    visitor = MutationVisitor(mutation_operators, IgnoredCode(set(), set(), set()))
    module = MetadataWrapper(cst.parse_module(path.read_text())).visit(visitor)
    names = dict(functions_of(module))
    for mutation in visitor.mutations:
        function = mutation.contained_by_top_level_function
        if function not in names:
            continue
        before = textwrap.dedent(module.code_for_node(function)).strip("\n")
        changed = deep_replace(function, mutation.original_node, mutation.mutated_node)
        after = textwrap.dedent(module.code_for_node(changed)).strip("\n")
        if re.sub(STRICT, ")", after) == re.sub(STRICT, ")", before):
            continue
        ast.parse(after)
        yield Mutant(name, names[function], after, difference(before, after))


def difference(before, after):
    """The lines that differ."""
    lines = difflib.ndiff(before.splitlines(), after.splitlines())
    return "\n".join(f"{line[0]} {line[2:].strip()}" for line in lines if line[0] in "+-")


class Calls:
    """The code of the functions that are called while it is active."""

    def __init__(self):
        self.seen = set()

    def __enter__(self):
        self.seen = set()
        sys.setprofile(self._note)
        return self

    def __exit__(self, *_):
        sys.setprofile(None)

    def _note(self, frame, event, _):
        if event == "call":
            self.seen.add(frame.f_code)


class Runner:
    """A pytest plugin whose loop over the tests is the one over the mutants."""

    def __init__(self, mutants, report):
        self.mutants, self.report = mutants, report
        self.failed, self.results = False, {}

    def pytest_runtest_logreport(self, report):
        """Note that a test fails."""
        self.failed |= report.failed

    def _passes(self, item, nextitem):
        self.failed = False
        item.ihook.pytest_runtest_protocol(item=item, nextitem=nextitem)
        return not self.failed

    def pytest_runtestloop(self, session):
        """Run the tests once as they are, then for every mutant."""
        seconds, callers = {}, defaultdict(list)
        with Calls() as calls:
            for item, nextitem in zip(session.items, [*session.items[1:], None], strict=True):
                calls.seen = set()
                start = time.process_time()
                if not self._passes(item, nextitem):
                    pytest.exit(f"{item.nodeid} fails without a mutant", 2)
                seconds[item] = time.process_time() - start
                for code in calls.seen:
                    callers[code].append(item)
        first = {}  # of every function the test that killed last
        print(f"\n{len(seconds)} tests, {sum(seconds.values()):.0f} s; {len(self.mutants)} mutants", flush=True)
        for number, mutant in enumerate(self.mutants, 1):
            items = sorted(callers.get(code_of(mutant), []), key=seconds.get)
            killer = first.get(mutant.name)
            if killer is not None:
                items.remove(killer)
                items.insert(0, killer)
            result, killer = self._run(mutant, items, sum(map(seconds.get, items)))
            if killer is not None:
                first[mutant.name] = killer
            self.results[mutant] = result
            if result in {"survived", "no tests"} or number % 100 == 0:
                print(f"{number}: {mutant.name}: {result}\n{mutant.change}", flush=True)
        return True

    def _run(self, mutant, items, seconds):
        """What becomes of a mutant, and the test that kills it."""
        if not items:
            return "no tests", None
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                os.close(reading)
                limit = int(TIMES * seconds + MORE)
                resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))
                resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
                resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
                signal.alarm(10 * limit)  # where it waits for something that never comes
                items[0].config.pluginmanager.unregister(name="terminalreporter")
                mutant.install()
                for k, (item, nextitem) in enumerate(zip(items, [*items[1:], None], strict=True)):
                    if not self._passes(item, nextitem):
                        os.write(writing, str(k).encode())
                        os._exit(1)
                os._exit(0)
            except BaseException:
                os._exit(1)
        os.close(writing)
        with os.fdopen(reading) as file:
            killer = file.read()
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        results = {0: "survived", 1: "killed", -signal.SIGXCPU: "too slow", -signal.SIGALRM: "too slow"}
        return results.get(code, "crashed"), items[int(killer)] if killer else None


def code_of(mutant):
    """The code object of the function as it is."""
    thing = sys.modules[mutant.module]
    for name in mutant.function.split("."):
        thing = getattr(thing, name)
    return thing.__code__


def main():
    """Run everything; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", action="append", default=[], metavar="PATTERN")
    parser.add_argument("--known", action="store_true", help="skip the mutants in the list")
    parser.add_argument("--report", type=Path, metavar="FILE")
    args = parser.parse_args()
    settings = tomllib.loads(LIST.read_text(encoding="utf-8"))
    # A text of a change names all mutants of a function that have it.
    known = {(s["function"], change.strip()): s["reason"] for s in settings["survivors"] for change in s["changes"]}

    os.chdir(ROOT)
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # a forked child has no other threads
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(ROOT))
    mutants = [m for name in settings["modules"] for m in mutants_of(name)]
    if args.only:
        mutants = [m for m in mutants if any(fnmatch.fnmatch(m.name, pattern) for pattern in args.only)]
    asked = {(m.name, m.change) for m in mutants}
    if args.known:
        mutants = [m for m in mutants if (m.name, m.change) not in known]
    runner = Runner(mutants, args.report)
    options = ["-q", "--tb=no", "-p", "no:cacheprovider", "-p", "no:faulthandler", "-p", "no:randomly"]
    code = pytest.main([*options, *settings["tests"]], plugins=[runner])
    if len(runner.results) < len(mutants):
        return int(code) or 2

    if args.report:
        rows = [{"function": m.name, "change": m.change, "result": result} for m, result in runner.results.items()]
        args.report.write_text(json.dumps(rows, indent=1))
    alive = [m for m, result in runner.results.items() if result in {"survived", "no tests"}]
    counts = defaultdict(Counter)
    for mutant, result in runner.results.items():
        counts[mutant.module][result] += 1
    print(f"\n{'module':25}{'mutants':>9}{'killed':>9}{'survived':>9}{'share':>9}")
    for module, results in counts.items():
        total, lives = results.total(), results["survived"] + results["no tests"]
        print(f"{module:25}{total:9}{total - lives:9}{lives:9}{1 - lives / total:9.1%}")
    share = 1 - len(alive) / max(1, len(mutants))
    print(f"{'':25}{len(mutants):9}{len(mutants) - len(alive):9}{len(alive):9}{share:9.1%}")

    unknown = [m for m in alive if (m.name, m.change) not in known]
    for mutant in unknown:
        print(f"\nnot in the list: {mutant.name}\n{mutant.change}")
    found = {(m.name, m.change) for m in alive}
    gone = [] if args.known else [key for key in known if key in asked and key not in found]
    if not args.only:
        gone += [key for key in known if key not in asked]
    for name, change in gone:
        print(f"\nin the list, but no survivor: {name}\n{change}")
    return int(bool(unknown or gone or share < LEAST_SHARE))


if __name__ == "__main__":
    sys.exit(main())
