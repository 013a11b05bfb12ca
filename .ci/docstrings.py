"""Check the docstrings of all public names against the numpydoc standard.

``numpydoc lint`` checks whole files, which contain public and private names. This script checks public names only.
pyproject.toml lists the checks that apply.
"""

import importlib
import inspect
import pkgutil
import sys
import tomllib
from pathlib import Path

from numpydoc.validate import ERROR_MSGS, validate

import skfnn


def public_names():
    """Yield the import path of every public class, method and function of skfnn."""
    found = [module.name for module in pkgutil.walk_packages(skfnn.__path__, "skfnn.") if "._" not in module.name]
    for module in [skfnn, *map(importlib.import_module, found)]:
        for name in getattr(module, "__all__", ()):
            thing = getattr(module, name)
            if inspect.isclass(thing) or inspect.isfunction(thing):
                yield f"{module.__name__}.{name}"
            if inspect.isclass(thing):
                yield from (f"{module.__name__}.{name}.{method}" for method in own_methods(thing))


def own_methods(cls):
    """Yield the public methods of a class, without those that it inherits from scikit-learn."""
    for name, member in inspect.getmembers(cls, callable):
        if name[0] != "_" and (getattr(member, "__module__", None) or "").startswith("skfnn"):
            yield name


def main():
    """Print the errors; return the number of docstrings with errors."""
    with open(Path(__file__).parents[1] / "pyproject.toml", "rb") as file:
        settings = set(tomllib.load(file)["tool"]["numpydoc_validation"]["checks"])
    checks = set(ERROR_MSGS) - settings if "all" in settings else settings
    names, wrong = list(public_names()), 0
    for name in names:
        errors = [f"{code} {message}" for code, message in validate(name)["errors"] if code in checks]
        wrong += bool(errors)
        for error in errors:
            print(f"{name}: {error}")
    print(f"{len(names)} public docstrings, {wrong} with errors")
    return wrong


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
