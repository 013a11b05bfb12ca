"""Random X in every valid form of rows, and in invalid forms."""

import tempfile
from datetime import date

import numpy as np
from scipy import sparse

from .values import BAD, GOOD, OPEN, Value, chance, choose

try:
    import pandas as pd
except ImportError:
    pd = None


class Duck:
    """An object that NumPy can convert to an array."""

    def __init__(self, array):
        self.array = array

    def __array__(self, dtype=None, copy=None):
        return self.array if dtype is None else self.array.astype(dtype)


class Float:
    """An object that Python can convert to a number."""

    def __init__(self, value):
        self.value = value

    def __float__(self):
        return float(self.value)


class Subclass(np.ndarray):
    """A subclass of arrays."""


def _strided(X):
    wide = np.zeros((X.shape[0] * 2, X.shape[1] * 3))
    wide[::2, ::3] = X
    return wide[::2, ::3]


def _read_only(X):
    X = X.copy()
    X.flags.writeable = False
    return X


def _memmap(X):
    with tempfile.TemporaryFile() as file:
        mapped = np.memmap(file, dtype=X.dtype, shape=X.shape)
    mapped[:] = X
    return mapped


def _thinned(X):
    """X with half of the entries 0, and with an empty row."""
    X = np.where(np.abs(X) < 0.7, 0.0, X)
    X[len(X) // 2] = 0.0
    return X


def _messy_csr(X):
    """A CSR matrix with unsorted and repeated indices, and with a stored zero."""
    S = sparse.csr_matrix(X)
    n, d = S.shape
    rows, columns, data = np.repeat(np.arange(n), np.diff(S.indptr)), S.indices, S.data
    order = np.lexsort((-np.tile(columns, 2), np.tile(rows, 2)))
    indptr = np.searchsorted(np.tile(rows, 2)[order], np.arange(n + 1))
    messy = sparse.csr_matrix((np.tile(data / 2, 2)[order], np.tile(columns, 2)[order], indptr), shape=(n, d))
    if messy.nnz:
        messy.data[0] = 0.0
    return messy


def _wide_indices(X):
    S = sparse.csr_matrix(X)
    S.indices, S.indptr = S.indices.astype(np.int64), S.indptr.astype(np.int64)
    return S


FORMS = {
    "float64": lambda X: X,
    "Fortran": np.asfortranarray,
    "strided": _strided,
    "reversed": lambda X: X[::-1, ::-1],
    "read-only": _read_only,
    "memmap": _memmap,
    "float32": lambda X: X.astype(np.float32),
    "float16": lambda X: X.astype(np.float16),
    "longdouble": lambda X: X.astype(np.longdouble),
    "big-endian": lambda X: X.astype(">f8"),
    "int8": lambda X: (3 * X).astype(np.int8),
    "uint8": lambda X: np.abs(3 * X).astype(np.uint8),
    "int64": lambda X: (3 * X).astype(np.int64),
    "uint64": lambda X: np.abs(3 * X).astype(np.uint64),
    "big-endian int": lambda X: (3 * X).astype(">i4"),
    "bool": lambda X: X > 0,
    "object": lambda X: X.astype(object),
    "list": lambda X: X.tolist(),
    "tuple": lambda X: tuple(map(tuple, X.tolist())),
    "list of arrays": list,
    "csr_matrix": lambda X: sparse.csr_matrix(_thinned(X)),
    "csc_matrix": lambda X: sparse.csc_matrix(_thinned(X)),
    "coo_matrix": lambda X: sparse.coo_matrix(_thinned(X)),
    "lil_matrix": lambda X: sparse.lil_matrix(_thinned(X)),
    "dok_matrix": lambda X: sparse.dok_matrix(_thinned(X)),
    "bsr_matrix": lambda X: sparse.bsr_matrix(_thinned(X)),
    "dia_matrix": lambda X: sparse.dia_matrix(_thinned(X)),
    "csr_array": lambda X: sparse.csr_array(_thinned(X)),
    "csc_array": lambda X: sparse.csc_array(_thinned(X)),
    "csr float32": lambda X: sparse.csr_matrix(_thinned(X).astype(np.float32)),
    "csr int": lambda X: sparse.csr_matrix((3 * X).astype(np.int32)),
    "csr bool": lambda X: sparse.csr_matrix(X > 0.5),
    "csr messy": lambda X: _messy_csr(_thinned(X)),
    "csr int64 indices": lambda X: _wide_indices(_thinned(X)),
    "csr of zeros": lambda X: sparse.csr_matrix(X.shape),
    "constant": np.ones_like,
    "zeros": np.zeros_like,
    "copies of a row": lambda X: np.repeat(X[:1], len(X), axis=0),
}
UNUSUAL = {
    "1e10": lambda X: X * 1e10,
    "1e30": lambda X: X * 1e30,
    "1e300": lambda X: X * 1e300,
    "1e300 csr": lambda X: sparse.csr_matrix(X * 1e300),
    "3e38 float32": lambda X: np.clip(X, -1, 1).astype(np.float32) * np.float32(3e38),
    "1e-300": lambda X: X * 1e-300,
    "denormal": lambda X: X * 1e-310,
    "one large": lambda X: np.where(np.arange(X.size).reshape(X.shape) == 0, 1e200, X),
    "minus zero": lambda X: np.full_like(X, -0.0),
    "uint64 near its end": lambda X: np.full(X.shape, 2**64 - 1, dtype=np.uint64),
    "masked array": lambda X: np.ma.array(X, mask=X > 1),
    "subclass": lambda X: X.view(Subclass),
    "duck": Duck,
    "object of text": lambda X: X.astype(str).astype(object),
    "text of numbers": lambda X: X.astype(str),
    "text of numbers in lists": lambda X: X.astype(str).tolist(),
    "nested objects": lambda X: np.array([[Float(value) for value in row] for row in X], dtype=object),
    "datetime": lambda X: X.astype("datetime64[s]"),
    "timedelta": lambda X: X.astype("timedelta64[s]"),
    "dates": lambda X: np.full(X.shape, date(2020, 1, 1), dtype=object),
    "object bool": lambda X: (X > 0).astype(object),
    "dict of a row": lambda X: {0: X},
    "set of rows": lambda X: set(map(tuple, X.tolist())),
    "range": lambda X: range(len(X)),
    "one row": lambda X: X[:1],
    "two rows": lambda X: X[:2],
}
WRONG = {
    "NaN": lambda X: _poked(X, np.nan),
    "infinity": lambda X: _poked(X, np.inf),
    "minus infinity": lambda X: _poked(X, -np.inf),
    "NaN float32": lambda X: _poked(X, np.nan).astype(np.float32),
    "infinity Fortran": lambda X: np.asfortranarray(_poked(X, np.inf)),
    "infinity float16": lambda X: _poked(X, np.inf).astype(np.float16),
    "too large for float64": lambda X: np.full(X.shape, np.longdouble(10) ** 4000),
    "NaN csr": lambda X: sparse.csr_matrix(_poked(X, np.nan)),
    "infinity csc": lambda X: sparse.csc_matrix(_poked(X, np.inf)),
    "NaN in lists": lambda X: _poked(X, np.nan).tolist(),
    "None in lists": lambda X: [[None, *row[1:]] for row in X.tolist()],
    "NaN object": lambda X: _poked(X, np.nan).astype(object),
    "no rows": lambda X: X[:0],
    "no columns": lambda X: X[:, :0],
    "no rows csr": lambda X: sparse.csr_matrix(X[:0]),
    "empty list": lambda X: [],
    "list of empty": lambda X: [[] for _ in X],
    "1-d": lambda X: X[:, 0],
    "1-d list": lambda X: X[:, 0].tolist(),
    "3-d": lambda X: X[:, :, None],
    "4-d": lambda X: X[None, None],
    "0-d": lambda X: np.array(1.0),
    "number": lambda X: 3.5,
    "None": lambda X: None,
    "text": lambda X: "some text",
    "bytes": lambda X: b"bytes",
    "object": lambda X: object(),
    "type": lambda X: np.ndarray,
    "slice": lambda X: slice(3),
    "complex": lambda X: X + 1j,
    "complex csr": lambda X: sparse.csr_matrix(X + 1j),
    "complex object": lambda X: (X + 1j).astype(object),
    "text array": lambda X: np.full(X.shape, "text"),
    "text object": lambda X: np.full(X.shape, "text", dtype=object),
    "bytes array": lambda X: np.full(X.shape, b"text"),
    "dict object": lambda X: np.full(X.shape, {}, dtype=object),
    "None object": lambda X: np.full(X.shape, None, dtype=object),
    "ragged": lambda X: [[1.0], *X.tolist()] if X.shape[1] > 1 else [[1.0, 2.0], *X.tolist()],
    "matrix": np.matrix,
    "structured": lambda X: np.zeros(len(X), dtype=[("a", float), ("b", int)]),
    "void": lambda X: np.zeros(X.shape, dtype="V8"),
}
if pd is not None:
    NAMES = [f"column {k}" for k in range(100)]

    def _mixed(X):
        frame = pd.DataFrame(X, columns=NAMES[: X.shape[1]])
        first = frame.columns[0]
        frame[first] = (3 * frame[first]).astype(np.int8)
        return frame

    FORMS |= {
        "DataFrame": lambda X: pd.DataFrame(X, columns=NAMES[: X.shape[1]]),
        "DataFrame float32": lambda X: pd.DataFrame(X.astype(np.float32), columns=NAMES[: X.shape[1]]),
        "DataFrame mixed": _mixed,
        "DataFrame of numbered columns": pd.DataFrame,
        "DataFrame with an index": lambda X: pd.DataFrame(X, index=[f"row {k}" for k in range(len(X))]),
        "DataFrame Int64": lambda X: pd.DataFrame((3 * X).astype(int)).astype("Int64"),
        "DataFrame Float64": lambda X: pd.DataFrame(X).astype("Float64"),
    }
    UNUSUAL |= {
        "DataFrame of other names": lambda X: pd.DataFrame(X, columns=NAMES[: X.shape[1]][::-1]),
        "DataFrame of mixed names": lambda X: pd.DataFrame(X, columns=[0, *NAMES[: X.shape[1] - 1]]),
        "DataFrame of equal names": lambda X: pd.DataFrame(X, columns=["a"] * X.shape[1]),
        "DataFrame of levels": lambda X: pd.DataFrame(X, columns=[("a", k) for k in range(X.shape[1])]),
        "DataFrame sparse": lambda X: pd.DataFrame.sparse.from_spmatrix(sparse.csr_matrix(_thinned(X))),
        "DataFrame bool": lambda X: pd.DataFrame(X > 0),
        "DataFrame category": lambda X: pd.DataFrame((2 * X).astype(int)).astype("category"),
        "DataFrame text": lambda X: pd.DataFrame(X.astype(str)),
        "DataFrame dates": lambda X: pd.DataFrame(X.astype("datetime64[s]")),
        "DataFrame object": lambda X: pd.DataFrame(X).astype(object),
    }
    WRONG |= {
        "DataFrame NaN": lambda X: pd.DataFrame(_poked(X, np.nan)),
        "DataFrame NA": lambda X: _with_missing(X),
        "DataFrame without rows": lambda X: pd.DataFrame(X).iloc[:0],
        "Series": lambda X: pd.Series(X[:, 0]),
    }


def _with_missing(X):
    frame = pd.DataFrame((3 * X).astype(int)).astype("Int64")
    frame.iloc[0, 0] = pd.NA
    return frame


def _poked(X, value):
    X = X.copy()
    X[len(X) // 2, -1] = value
    return X


def rows(rng, n, n_features, shares=(0.86, 0.08)):
    """A random X of n rows. `shares` are the probabilities of a GOOD and an OPEN one; otherwise X is BAD."""
    base = rng.normal(size=(n, n_features))
    u = rng.random()
    verdict, table = (GOOD, FORMS) if u < shares[0] else (OPEN, UNUSUAL) if u < sum(shares) else (BAD, WRONG)
    name = choose(rng, list(table))
    return Value(table[name](base), verdict, f"{name} ({n}, {n_features})")


def dense(X):
    """X as a plain float64 matrix."""
    return np.asarray(X.toarray() if sparse.issparse(X) else X, dtype=np.float64)


def n_rows(X):
    """The number of rows, or None if X has no rows."""
    X = X.array if isinstance(X, Duck) else X
    try:
        return X.shape[0] if hasattr(X, "shape") else len(X)
    except (TypeError, IndexError):
        return None


def size(rng):
    """A random number of rows: usually a small one, which is fast, and sometimes more rows than one part has."""
    if chance(rng, 0.02):
        return int(rng.integers(500, 1200))
    return int(rng.integers(12, 45))


def n_columns(X):
    """The number of columns of a GOOD X."""
    return X.shape[1] if hasattr(X, "shape") else len(X[0])


def names_of(X):
    """The names of the columns if all are text, or None."""
    if pd is None or not isinstance(X, pd.DataFrame) or not all(isinstance(name, str) for name in X.columns):
        return None
    return list(X.columns)
