"""The architecture of the package: who may import what, and what the hot loop must not do."""

import ast
import re
from pathlib import Path

import pytest

import skfnn

PACKAGE = Path(skfnn.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))


def name_of(path):
    """The name of a module in these tests: _engine/losses, or _engine for _engine/__init__.py."""
    relative = path.relative_to(PACKAGE).with_suffix("")
    return (relative.parent if relative.name == "__init__" and relative.parent.name else relative).as_posix()


TREES = {name_of(path): ast.parse(path.read_text()) for path in FILES}
PACKAGES = {name_of(path) for path in FILES if path.name == "__init__.py"}

# A module imports from its own floor and from the floors below it. Modules on no floor are above all floors.
FLOORS = ["_engine", "_training", "_estimator"]
# The foundations of the engine: of the engine's modules, each imports at most those named here.
FOUNDATIONS = {
    "activations": set(),
    "batches": {"rows", "tuning"},
    "blas": set(),
    "clipping": {"blas"},
    "coordinates": {"rows"},
    "dropout": set(),
    "initial": {"activations"},
    "losses": {"blas"},
    "network": set(),
    "passes": {"activations", "blas", "dropout"},
    "penalty": {"blas"},
    "rates": set(),
    "rows": set(),
    "solvers": {"blas", "tuning"},
    "sparse": set(),
    "targets": set(),
    "threads": set(),
    "tuning": set(),
    "workspace": {"blas"},
}
ENGINE = [module for module in TREES if module.startswith("_engine")]
WITHOUT_SCIKIT_LEARN = [module for module in TREES if module.startswith(("_engine", "_training"))]
ESTIMATORS = {"_classifier", "_regressor"}

modules = pytest.mark.parametrize("module", TREES)


def parse_imports(tree, package):
    """(line, dotted module, name in it or "") of every import in the syntax tree of a module in `package`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name, ""
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: 1 - node.level or None] if node.level else []
            base = ".".join(above + ([node.module] if node.module else []))
            for alias in node.names:
                yield node.lineno, base, alias.name


def imports(module):
    """All imports of a module of the package, also those inside functions."""
    parts = [] if module == "__init__" else module.split("/")
    return parse_imports(TREES[module], ".".join(["skfnn", *(parts if module in PACKAGES else parts[:-1])]))


def imported_from(module, package):
    """The names that a module imports from another project's package."""
    return [name for _, name, _ in imports(module) if name.split(".")[0] == package]


def own_imports(module):
    """The modules of the package that a module imports."""
    found = set()
    for _, base, name in imports(module):
        if base.split(".")[0] == "skfnn":
            inside = base.split(".")[1:]
            path = "/".join([*inside, name])
            found.add(path if path in TREES else "/".join(inside) or "__init__")
    return found - {module}


def floor_of(module):
    """The number of a module's floor."""
    first = module.split("/")[0]
    return FLOORS.index(first) if first in FLOORS else len(FLOORS)


def test_the_floors_and_the_foundations_exist():
    assert {module.split("/")[0] for module in TREES} >= {*FLOORS, *ESTIMATORS}
    assert {f"_engine/{module}" for module in FOUNDATIONS} <= set(TREES)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("from . import a, b", {("skfnn._engine", "a"), ("skfnn._engine", "b")}),
        ("from .a import b", {("skfnn._engine.a", "b")}),
        ("from .._training.loop import run", {("skfnn._training.loop", "run")}),
        ("from .. import callbacks", {("skfnn", "callbacks")}),
        ("def f():\n    import sklearn.base", {("sklearn.base", "")}),
        ("from sklearn import base", {("sklearn", "base")}),
    ],
)
def test_the_search_for_imports_resolves_relative_ones(code, expected):
    assert {found[1:] for found in parse_imports(ast.parse(code), "skfnn._engine")} == expected


def test_the_search_for_imports_finds_a_known_one():
    assert "_engine/blas" in own_imports("_engine/losses")
    assert {"_classifier", "_regressor"} <= own_imports("__init__")


@modules
def test_imports_go_downwards(module):
    assert not {other for other in own_imports(module) if floor_of(other) > floor_of(module)}


@pytest.mark.parametrize("module", FOUNDATIONS)
def test_the_foundations_of_the_engine_import_only_the_listed_modules(module):
    assert own_imports(f"_engine/{module}") <= {f"_engine/{other}" for other in FOUNDATIONS[module]}


@pytest.mark.parametrize("module", WITHOUT_SCIKIT_LEARN)
def test_the_two_lower_floors_do_not_know_scikit_learn(module):
    assert not imported_from(module, "sklearn")


@pytest.mark.parametrize("module", sorted(ESTIMATORS))
def test_the_two_estimators_do_not_know_each_other(module):
    assert not own_imports(module) & ESTIMATORS


@modules
def test_no_module_imports_the_top_level_package(module):
    assert "__init__" not in own_imports(module)


def test_there_are_no_circular_imports():
    graph = {module: own_imports(module) & set(TREES) for module in TREES}
    done = set()
    while len(done) < len(graph):
        ready = {module for module in graph.keys() - done if graph[module] <= done}
        assert ready, f"these import each other: {sorted(graph.keys() - done)}"
        done |= ready


# The kernel behind "csr @ dense", which adds to its result. If SciPy moves it, the module works without it.
ALLOWED_PRIVATE = {("_engine/sparse", "scipy.sparse._sparsetools")}


@modules
def test_no_private_module_of_another_package_is_imported(module):
    private = [
        f"line {line}: {name}"
        for line, name, _ in imports(module)
        if name.split(".")[0] != "skfnn"
        if any(part.startswith("_") and part != "__future__" for part in name.split("."))
        if (module, name) not in ALLOWED_PRIVATE
    ]
    assert not private


@modules
def test_scikit_learns_private_modules_are_not_used_through_attributes(module):
    # The test above does not find sklearn.utils._mask.f or importlib.import_module("sklearn.utils._mask").
    text = [
        node.value
        for node in ast.walk(TREES[module])
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("sklearn.")
    ]
    dotted = [ast.unparse(node) for node in ast.walk(TREES[module]) if isinstance(node, ast.Attribute)]
    # Names with one underscore are private; names such as sklearn.__file__ are not.
    assert not [name for name in text + dotted if re.match(r"sklearn\..*\b_(?!_)", name)]


@modules
def test_no_module_needs_another_numerical_library(module):
    foreign = {"torch", "jax", "numba", "cupy", "tensorflow", "keras", "cython", "pandas", "polars"}
    assert not [name for _, name, _ in imports(module) if name.split(".")[0] in foreign]


def test_matplotlib_is_imported_only_when_something_is_drawn():
    for module, tree in TREES.items():
        top = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
        names = [
            alias.name if isinstance(node, ast.Import) else node.module or "" for node in top for alias in node.names
        ]
        assert not [name for name in names if name.split(".")[0] == "matplotlib"], module


def products(tree):
    """(enclosing class, line, source) of every matrix product that NumPy would compute."""
    functions = {"dot", "matmul", "vdot", "inner", "tensordot", "outer", "multi_dot"}

    def walk(node, owner):
        if isinstance(node, ast.ClassDef):
            owner = node.name
        if isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.MatMult):
            yield owner, node.lineno, ast.unparse(node)
        if (
            isinstance(node, ast.Attribute)
            and node.attr in functions
            and ast.unparse(node.value) in {"np", "np.linalg"}
        ):
            yield owner, node.lineno, ast.unparse(node)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("numpy"):
            for alias in node.names:
                if alias.name in functions:
                    yield owner, node.lineno, ast.unparse(node)
        # If a is an array, a.dot(b) is NumPy's; blas(dtype).dot is a BLAS routine.
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "dot":
            routine = ast.unparse(node.func.value)
            if routine != "np" and "blas" not in routine:
                yield owner, node.lineno, ast.unparse(node)
        for child in ast.iter_child_nodes(node):
            yield from walk(child, owner)

    return list(walk(tree, None))


# SciPy computes the products of a CSR matrix without a BLAS.
SPARSE_PRODUCTS = {"_engine/sparse": {"X[rows] @ W", "occurring.T @ D"}}


@pytest.mark.parametrize("module", ENGINE)
def test_the_engine_uses_one_blas(module):
    # Two libraries that take turns with their thread pools stall each other (see _engine/blas.py).
    found = [p for p in products(TREES[module]) if p[0] != "SparseFirstLayer"]
    assert not [p for p in found if not any(allowed in p[2] for allowed in SPARSE_PRODUCTS.get(module, ()))]


@pytest.mark.parametrize(
    "code",
    ["a @ b", "a @= b", "np.dot(a, b)", "np.matmul(a, b, out=c)", "np.vdot(a, a)", "np.inner(a, b)", "a.dot(b)"]
    + ["from numpy import dot", "f = np.matmul"],
)
def test_the_search_for_products_finds_them(code):
    assert products(ast.parse(code))
    assert not products(ast.parse("blas(z.dtype).dot(z, y)\nself._blas.gemm(1.0, a, b)\nnp.multiply(a, b, out=a)"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_no_file_is_longer_than_400_lines(path):
    assert len(path.read_text().splitlines()) <= 400


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_the_first_docstring_line_says_what_a_file_is_for(path):
    docstring = ast.get_docstring(ast.parse(path.read_text()))
    assert docstring
    assert docstring.splitlines()[0].endswith(".")
