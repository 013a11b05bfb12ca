"""The architecture of the package: who may import what, and what the hot loop may not do."""

import ast
from pathlib import Path

import pytest

import skfnn

PACKAGE = Path(skfnn.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
TREES = {path.relative_to(PACKAGE).with_suffix("").as_posix(): ast.parse(path.read_text()) for path in FILES}

# The engine takes arrays, not estimators. Of the package a module imports these, at most.
MAY_IMPORT = {
    "_activations": set(),
    "_blas": set(),
    "_losses": {"_blas"},
    "_network": {"_activations", "_blas"},
    "_batches": set(),
    "_solvers": {"_blas"},
    "_schedules": set(),
    "_first_layer": {"_blas", "_sparse"},
    "_sparse": set(),
    "_dropout": set(),
    "_clipping": set(),
    "_training": {"_batches", "_blas", "_clipping", "_dropout", "_first_layer", "_network", "_solvers", "_threads"},
    "_threads": set(),
    "_monitor": {"_schedules"},
    "_prediction": {"_batches", "_first_layer", "_network", "_threads"},
}
# Above the engine: from the parameters a user gives to the engine's objects. No module imports one that is above it.
LAYERS = [
    set(MAY_IMPORT) | {"_diagnosis"},
    {"_settings", "_constraints", "_input", "_callbacks", "_docs", "_validation", "_model", "_resuming"},
    {"_base"},
]
TOP = {"_classifier", "_regressor"}

# Every step of training goes through these.
HOT = ["_network", "_losses", "_solvers", "_training", "_first_layer", "_dropout", "_clipping"]

modules = pytest.mark.parametrize("module", TREES)


def imports(module):
    """(line, dotted name of the module) of every import, wherever it stands; the package's own begin with a dot."""
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            if base.strip("."):
                yield node.lineno, base
            else:  # from . import a, b
                for alias in node.names:
                    yield node.lineno, base + alias.name


def own_imports(module):
    """The modules of the package that a module imports."""
    found = set()
    for _, name in imports(module):
        if name.startswith("."):
            found.add(name.lstrip(".").split(".")[0])
        elif name.split(".")[0] == "skfnn":
            found.add(name.partition(".")[2] or "__init__")
    return found


def test_the_modules_of_the_engine_exist():
    assert set(MAY_IMPORT) <= set(TREES)
    assert {"_base", "_classifier", "_settings", "_constraints"} <= set(TREES)


@pytest.mark.parametrize("module", MAY_IMPORT)
def test_the_engine_knows_no_estimator(module):
    assert own_imports(module) <= MAY_IMPORT[module]


@pytest.mark.parametrize("module", MAY_IMPORT)
def test_the_engine_does_not_know_scikit_learn(module):
    assert not [name for _, name in imports(module) if name.split(".")[0] == "sklearn"]


@modules
def test_imports_go_downwards(module):
    level = next((k for k, names in enumerate(LAYERS) if module in names), len(LAYERS))
    above = TOP.union(*LAYERS[level + 1 :]) if level < len(LAYERS) else set()
    if module in TOP:
        above = TOP - {module}
    assert not own_imports(module) & (above | {"__init__"})


def test_no_import_runs_in_a_circle():
    graph = {module: own_imports(module) & set(TREES) for module in TREES}
    done = set()
    while len(done) < len(graph):
        ready = {module for module in graph.keys() - done if graph[module] <= done}
        assert ready, f"these import each other: {sorted(graph.keys() - done)}"
        done |= ready


# The kernel behind "csr @ dense", which adds into its result; the module does without where SciPy has moved it.
ALLOWED_PRIVATE = {("_sparse", "scipy.sparse._sparsetools")}


@modules
def test_no_private_module_of_another_package_is_imported(module):
    private = [
        f"line {line}: {name}"
        for line, name in imports(module)
        if not name.startswith(".") and any(part.startswith("_") and part != "__future__" for part in name.split("."))
        if (module, name) not in ALLOWED_PRIVATE
    ]
    assert not private


@modules
def test_scikit_learns_private_modules_are_not_reached_by_attribute(module):
    # sklearn.utils._mask.f, or importlib.import_module("sklearn.utils._mask"), would get around the test above.
    text = [
        node.value
        for node in ast.walk(TREES[module])
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("sklearn.")
    ]
    assert not [value for value in text if "._" in value]
    dotted = [ast.unparse(node) for node in ast.walk(TREES[module]) if isinstance(node, ast.Attribute)]
    assert not [name for name in dotted if name.startswith("sklearn.") and "._" in name]


@modules
def test_numpy_and_scipy_are_all_it_takes(module):
    foreign = {"torch", "jax", "numba", "cupy", "tensorflow", "keras", "cython", "pandas", "polars"}
    assert not [name for _, name in imports(module) if name.split(".")[0] in foreign]


def test_matplotlib_is_imported_where_something_is_drawn_only():
    for module, tree in TREES.items():
        top = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
        names = [
            alias.name if isinstance(node, ast.Import) else node.module or "" for node in top for alias in node.names
        ]
        assert not [name for name in names if name.split(".")[0] == "matplotlib"], module


def products(tree):
    """(enclosing class, line, source) of every matrix product that NumPy would do."""
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
        # a.dot(b) of an array; the BLAS routine of that name is called as blas(dtype).dot.
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "dot":
            routine = ast.unparse(node.func.value)
            if routine != "np" and "blas" not in routine:
                yield owner, node.lineno, ast.unparse(node)
        for child in ast.iter_child_nodes(node):
            yield from walk(child, owner)

    return list(walk(tree, None))


@pytest.mark.parametrize("module", HOT)
def test_the_hot_loop_has_one_blas(module):
    # Two libraries' pools of threads in turn stall (see _blas.py). SciPy's product of a CSR matrix uses no BLAS.
    assert not [p for p in products(TREES[module]) if p[0] != "SparseFirstLayer"]


@pytest.mark.parametrize(
    "code",
    ["a @ b", "a @= b", "np.dot(a, b)", "np.matmul(a, b, out=c)", "np.vdot(a, a)", "np.inner(a, b)", "a.dot(b)"]
    + ["from numpy import dot", "f = np.matmul"],
)
def test_the_search_for_products_finds_them(code):
    assert products(ast.parse(code))
    assert not products(ast.parse("blas(z.dtype).dot(z, y)\nself._blas.gemm(1.0, a, b)\nnp.multiply(a, b, out=a)"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_file_is_above_400_lines(path):
    assert len(path.read_text().splitlines()) <= 400


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_first_docstring_line_says_what_a_file_is_for(path):
    docstring = ast.get_docstring(ast.parse(path.read_text()))
    assert docstring
    assert docstring.splitlines()[0].endswith(".")
