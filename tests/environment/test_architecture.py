"""The architecture of the package: who may import what, and what the hot loop must not do."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

import skfnn

PACKAGE = Path(skfnn.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))


def name_of(path):
    """The name of a module in these tests: _engine/losses, or _engine for _engine/__init__.py."""
    relative = path.relative_to(PACKAGE).with_suffix("")
    return (relative.parent if relative.name == "__init__" and relative.parent.name else relative).as_posix()


MODULES = {name_of(path): path for path in FILES}
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
ESTIMATORS = {"_classifier", "_regressor"}


@cache
def tree_of(module):
    """The syntax tree of a module."""
    return ast.parse(MODULES[module].read_text())


def offenders(found, modules=MODULES):
    """What `found(module)` finds, for the modules where it finds something."""
    return {module: sorted(found(module)) for module in modules if found(module)}


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


@cache
def imports(module):
    """All imports of a module of the package, also those inside functions."""
    parts = [] if module == "__init__" else module.split("/")
    package = ".".join(["skfnn", *(parts if module in PACKAGES else parts[:-1])])
    return list(parse_imports(tree_of(module), package))


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
            found.add(path if path in MODULES else "/".join(inside) or "__init__")
    return found - {module}


def floor_of(module):
    """The number of a module's floor."""
    first = module.split("/")[0]
    return FLOORS.index(first) if first in FLOORS else len(FLOORS)


def test_the_floors_and_the_foundations_exist():
    assert {module.split("/")[0] for module in MODULES} >= {*FLOORS, *ESTIMATORS}
    assert {f"_engine/{module}" for module in FOUNDATIONS} <= set(MODULES)


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


def test_imports_go_downwards():
    assert not offenders(lambda module: {o for o in own_imports(module) if floor_of(o) > floor_of(module)})


@pytest.mark.parametrize("module", FOUNDATIONS)
def test_the_foundations_of_the_engine_import_only_the_listed_modules(module):
    assert own_imports(f"_engine/{module}") <= {f"_engine/{other}" for other in FOUNDATIONS[module]}


def test_the_two_lower_floors_do_not_know_scikit_learn():
    lower = [module for module in MODULES if floor_of(module) < 2]
    assert not offenders(lambda module: imported_from(module, "sklearn"), lower)


@pytest.mark.parametrize("module", sorted(ESTIMATORS))
def test_the_two_estimators_do_not_know_each_other(module):
    assert not own_imports(module) & ESTIMATORS


def test_no_module_imports_the_top_level_package():
    assert not offenders(lambda module: own_imports(module) & {"__init__"})


def test_there_are_no_circular_imports():
    graph = {module: own_imports(module) & set(MODULES) for module in MODULES}
    done = set()
    while len(done) < len(graph):
        ready = {module for module in graph.keys() - done if graph[module] <= done}
        assert ready, f"these import each other: {sorted(graph.keys() - done)}"
        done |= ready


# The kernel behind "csr @ dense", which adds to its result. If SciPy moves it, the module works without it.
ALLOWED_PRIVATE = {("_engine/sparse", "scipy.sparse._sparsetools")}


def test_no_private_module_of_another_package_is_imported():
    def private(module):
        return [
            f"line {line}: {name}"
            for line, name, _ in imports(module)
            if name.split(".")[0] != "skfnn"
            if any(part.startswith("_") and part != "__future__" for part in name.split("."))
            if (module, name) not in ALLOWED_PRIVATE
        ]

    assert not offenders(private)


def test_scikit_learns_private_modules_are_not_used_through_attributes():
    # The test above does not find sklearn.utils._mask.f or importlib.import_module("sklearn.utils._mask").
    @cache
    def private(module):
        nodes = list(ast.walk(tree_of(module)))
        text = [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
        dotted = [ast.unparse(node) for node in nodes if isinstance(node, ast.Attribute)]
        # Names with one underscore are private; names such as sklearn.__file__ are not.
        return [name for name in text + dotted if re.match(r"sklearn\..*\b_(?!_)", name)]

    assert not offenders(private)


def test_no_module_needs_another_numerical_library():
    foreign = {"torch", "jax", "numba", "cupy", "tensorflow", "keras", "cython", "pandas", "polars"}
    assert not offenders(lambda module: {name for _, name, _ in imports(module) if name.split(".")[0] in foreign})


def test_matplotlib_is_imported_only_when_something_is_drawn():
    for module in MODULES:
        top = [node for node in tree_of(module).body if isinstance(node, ast.Import | ast.ImportFrom)]
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


def test_the_engine_uses_one_blas():
    # Two libraries that take turns with their thread pools stall each other (see _engine/blas.py).
    @cache
    def others(module):
        found = [p for p in products(tree_of(module)) if p[0] != "SparseFirstLayer"]
        return [p[1:] for p in found if not any(allowed in p[2] for allowed in SPARSE_PRODUCTS.get(module, ()))]

    assert not offenders(others, [module for module in MODULES if floor_of(module) == 0])


@pytest.mark.parametrize(
    "code",
    ["a @ b", "a @= b", "np.dot(a, b)", "np.matmul(a, b, out=c)", "np.vdot(a, a)", "np.inner(a, b)", "a.dot(b)"]
    + ["from numpy import dot", "f = np.matmul"],
)
def test_the_search_for_products_finds_them(code):
    assert products(ast.parse(code))
    assert not products(ast.parse("blas(z.dtype).dot(z, y)\nself._blas.gemm(1.0, a, b)\nnp.multiply(a, b, out=a)"))


def test_no_file_is_longer_than_400_lines():
    assert not [module for module, path in MODULES.items() if len(path.read_text().splitlines()) > 400]


def test_the_first_docstring_line_says_what_a_file_is_for():
    first = {module: (ast.get_docstring(tree_of(module)) or "").partition("\n")[0] for module in MODULES}
    assert not [module for module, line in first.items() if not line.endswith(".")]
