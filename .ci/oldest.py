"""Print the lower bounds in pyproject.toml as exact versions, in the form of pip's requirement files.

Without arguments these are the required dependencies and the extras that work with the oldest supported NumPy. With
--newer-numpy these are the required dependencies with a newer NumPy and SciPy, and the packages that need them.
"""

import re
import sys
import tomllib
from pathlib import Path

# The other extras are not for tests (docs, benchmark), or their packages take too long to test (dask, clusters).
EXTRAS = ("plot", "polars", "onnx", "images", "skops", "ecosystem", "test")
# The oldest versions of these packages need at least these.
NEED_NEWER_NUMPY = ("imbalanced-learn", "skops")
NEWER = {"numpy": "numpy>=1.25.2", "scipy": "scipy>=1.11.4"}
# Versions that the oldest packages need: matplotlib 3.7 uses names of pyparsing that 3.3 deprecates.
ALSO = ["pyparsing<3.3"]


def bounds(project, *, newer_numpy):
    """The requirements of the two groups above, with lower bounds."""
    extras = [each for extra in EXTRAS for each in project["optional-dependencies"][extra]]
    chosen = [each for each in extras if name(each).startswith(NEED_NEWER_NUMPY) == newer_numpy]
    required = [NEWER.get(name(each), each) if newer_numpy else each for each in project["dependencies"]]
    return list(dict.fromkeys(required + chosen)) + ([] if newer_numpy else ALSO)


def name(requirement):
    return re.match(r"[\w.-]+", requirement)[0]


with open(Path(__file__).parents[1] / "pyproject.toml", "rb") as file:
    for requirement in bounds(tomllib.load(file)["project"], newer_numpy="--newer-numpy" in sys.argv):
        print(requirement.replace(">=", "=="))
