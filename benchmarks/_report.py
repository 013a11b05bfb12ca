"""What all benchmarks share: command-line options, printed tables and result files."""

import argparse
import csv
import datetime
import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path

from ._threads import pin_to_cores, set_threads

RESULTS = Path(__file__).parent / "results"
_PACKAGES = ("numpy", "scipy", "scikit-learn", "torch", "jax", "skorch")


def parser(description, **defaults):
    """An argument parser with the options of every benchmark; `defaults` replaces their defaults."""
    made = argparse.ArgumentParser(description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    made.add_argument("--quick", action="store_true", help="use the smallest sizes, to check that the benchmark works")
    made.add_argument("--threads", type=int, default=os.cpu_count(), help="number of threads in every library")
    made.add_argument("--pin", action="store_true", help="bind all processes to as many cores as there are threads")
    made.set_defaults(**defaults)
    return made


def begin(arguments):
    """Set threads and cores for the workers that start later; print and return the line that describes the machine."""
    set_threads(arguments.threads)
    cores = pin_to_cores(arguments.threads) if arguments.pin else None
    line = environment()
    line += f"; {arguments.threads} thread(s)" + (f" bound to core(s) {cores}" if cores else "")
    if arguments.quick:
        line += "; --quick: the timings mean nothing"
    print(line, flush=True)
    return line


def environment(packages=_PACKAGES):
    """The machine, versions, date and load in one line."""
    versions = [f"skfnn {_skfnn_version()}", f"Python {platform.python_version()}"]
    for package in packages:
        try:
            versions.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            versions.append(f"no {package}")
    load = f"load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "load unknown"
    now = datetime.datetime.now().isoformat(sep=" ", timespec="minutes")
    machine = f"{_processor()}, {os.cpu_count()} cores, {platform.system()} {platform.release()}"
    return "; ".join([now, machine, _kernels(), ", ".join(versions), load])


def _kernels():
    """The processor for which SciPy's OpenBLAS chose its kernels. On an unknown processor it may choose old ones."""
    import scipy.linalg.blas  # noqa: F401  (loads the library)
    from threadpoolctl import threadpool_info

    found = {info.get("architecture", "?") for info in threadpool_info() if info["user_api"] == "blas"}
    return "BLAS kernels for " + " and ".join(sorted(found))


def print_table(headers, rows):
    """Print rows of cells below their headers, text aligned left and numbers right."""
    text = [[_cell(value) for value in row] for row in rows]
    widths = [max(len(str(cell)) for cell in column) for column in zip(headers, *text, strict=True)]
    left = [bool(rows) and isinstance(rows[0][k], str) for k in range(len(headers))]
    for line in [list(headers), ["-" * width for width in widths], *text]:
        cells = (c.ljust(w) if to_left else c.rjust(w) for c, w, to_left in zip(line, widths, left, strict=True))
        print("  ".join(cells).rstrip())
    print(flush=True)


def write_csv(name, records, environment_line):
    """Write dicts with equal keys to ``results/NAME.csv``, below a comment with the machine; return the path."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.csv"
    with open(path, "w", newline="") as file:
        file.write(f"# {environment_line}\n")
        writer = csv.DictWriter(file, fieldnames=list(records[0]))
        writer.writeheader()
        writer.writerows(records)
    print(f"written: {path}")
    return path


def numbers(kind):
    """A parser of comma-separated values, for argparse."""

    def parse(text):
        return [kind(part) for part in text.split(",") if part]

    parse.__name__ = f"comma-separated {kind.__name__}"
    return parse


def number(value):
    """A float with three digits; from 1,000 on, with all digits before the point."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _cell(value):
    if value is None:
        return "-"
    if not isinstance(value, float):
        return str(value)
    return number(value)


def _processor():
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _skfnn_version():
    """The commit, or the version if this is not a git checkout."""
    command = ["git", "describe", "--always", "--dirty"]
    try:
        found = subprocess.run(command, cwd=RESULTS.parent, capture_output=True, text=True, check=True)
        return found.stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        import skfnn

        return skfnn.__version__
