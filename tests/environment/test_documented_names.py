"""Every name in the code that the contributor guide and its drawings mention exists."""

import ast
import re
import sys
from functools import cache
from pathlib import Path

import pytest

import skfnn

PACKAGE = Path(skfnn.__file__).parent
ROOT = Path(__file__).resolve().parents[2]
GUIDE = ROOT / "docs" / "contributing.md"
# Words in the guide that are not names of this package: commands, other packages, formulas.
FOREIGN = {"MLPClassifier", "mypy", "importorskip", "toctree", "docs", "skfnn"}

pytestmark = pytest.mark.skipif(not GUIDE.exists(), reason="the documentation is not installed")


@cache
def defined():
    """Every name that the package defines: modules, classes, functions, parameters, variables, attributes."""
    names = set()
    for path in PACKAGE.rglob("*.py"):
        names |= {path.stem, path.parent.name}
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef | ast.FunctionDef):
                names.add(node.name)
            elif isinstance(node, ast.arg):
                names.add(node.arg)
            elif isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
                names.add(node.id if isinstance(node, ast.Name) else node.attr)
    return names


def inline_names():
    """The names in the guide's inline code."""
    text = re.sub(r"```.*?```", "", GUIDE.read_text(encoding="utf-8"), flags=re.S)
    found = re.findall(r"`([A-Za-z_][\w.]*)`", text)
    return sorted({name for name in found if not name.startswith("test_")} - FOREIGN)


def flow_names():
    """The functions and modules in the guide's description of a mini-batch."""
    flow = re.search(r"```text\n(fit .*?)```", GUIDE.read_text(encoding="utf-8"), flags=re.S)[1]
    return sorted({word for line in flow.splitlines() for word in line.split()[:2]})


def test_the_names_in_the_guide_exist():
    assert len(inline_names()) > 10
    assert not [n for n in inline_names() if not (ROOT / n).exists() and not set(n.split(".")) <= defined()]


def test_the_names_in_the_description_of_the_flow_exist():
    assert len(flow_names()) > 10
    assert not [name for name in flow_names() if not set(name.split(".")) <= defined()]


def test_the_files_that_the_guide_names_exist():
    paths = re.findall(r"`(?:python -m pytest )?([\w./]+\.(?:py|md))`", GUIDE.read_text(encoding="utf-8"))
    assert len(paths) > 5
    assert not [path for path in paths if not (ROOT / path).exists() and path not in {"speed.md"}]


def test_the_modules_in_the_drawing_of_the_flow_exist(monkeypatch):
    pytest.importorskip("docutils")
    monkeypatch.syspath_prepend(str(ROOT / "docs" / "_extensions"))
    drawings = __import__("drawings")
    titles = [station[3] for station in drawings.STATIONS if station[3] != "X, y"]
    assert {name for title in titles for name in title.split(", ")} <= defined()
    del sys.modules["drawings"]


def test_the_drawing_of_the_architecture_has_every_module(monkeypatch):
    pytest.importorskip("docutils")
    monkeypatch.syspath_prepend(str(ROOT / "docs" / "_extensions"))
    drawn = __import__("drawings").architecture()
    for floor in ("_engine", "_training", "_estimator"):
        names = {path.stem for path in (PACKAGE / floor).glob("[!_]*.py")}
        assert not [name for name in names if f">{name}</text>" not in drawn]
    del sys.modules["drawings"]
