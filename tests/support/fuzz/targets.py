"""Random y in every valid form, and in invalid forms."""

from typing import NamedTuple

import numpy as np
from scipy import sparse

from .matrices import pd
from .values import BAD, GOOD, OPEN, Value, chance, choose

# Labels of classes, by name.
ALPHABETS = {
    "int": np.array([0, 1, 2, 3, 4]),
    "negative int": np.array([-7, -1, 3, 10, 1000]),
    "large int": np.array([2**40, 2**41, 2**42, 2**43, 2**62]),
    "uint8": np.array([5, 6, 200, 254, 255], dtype=np.uint8),
    "int8": np.array([-128, -1, 0, 1, 127], dtype=np.int8),
    "float": np.array([-1.0, 0.0, 1.0, 2.0, 1e6]),
    "float32": np.array([0.0, 1.0, 2.0, 3.0, 4.0], dtype=np.float32),
    "bool": np.array([False, True]),
    "text": np.array(["a", "b", "cc", "d", "a longer one"]),
    "object text": np.array(["a", "b", "cc", "d", "e"], dtype=object),
    "empty text": np.array(["", " ", "a", "ü", "\0x"]),
}
# Labels that scikit-learn's own rules accept or refuse.
ODD_ALPHABETS = {
    "bytes": np.array([b"a", b"b", b"c"]),
    "object int": np.array([0, 1, 2], dtype=object),
    "object bool": np.array([False, True], dtype=object),
    "mixed": np.array(["a", 1, 2.0], dtype=object),
    "dates": np.array(["2020-01-01", "2021-01-01", "2022-01-01"], dtype="datetime64[D]"),
    "float16": np.array([0.0, 1.0, 2.0], dtype=np.float16),
    "near": np.array([1.0, 1.0 + 2**-52, 2.0]),
    "beyond float64": np.array([2**53, 2**53 + 1, 2**53 + 2]),
}


class Problem(NamedTuple):
    """The problem to learn: labels of these classes, or numbers."""

    kind: str  # "binary", "multiclass", "multilabel", "one target", "several targets"
    classes: np.ndarray | None
    n_outputs: int  # columns of y
    odd: bool  # whether scikit-learn's rules decide about these labels
    name: str

    @property
    def n_units(self):
        """The number of outputs of the network."""
        return len(self.classes) if self.kind == "multiclass" else self.n_outputs

    def values(self, rng, n):
        """A plain y of n rows. It contains every class if there are enough rows."""
        if self.kind in ("binary", "multiclass"):
            k = len(self.classes)
            return self.classes[rng.permutation(np.concatenate([np.arange(k), rng.integers(k, size=n)])[:n])]
        if self.kind == "multilabel":
            return rng.integers(2, size=(n, self.n_outputs))
        y = rng.normal(size=(n, self.n_outputs))
        return y[:, 0] if self.kind == "one target" else y


def problem(rng, kind):
    """A random problem for "classifier" or "regressor"."""
    if kind == "regressor":
        if chance(rng, 0.6):
            return Problem("one target", None, 1, False, "one target")
        n_outputs = int(rng.integers(2, 4))
        return Problem("several targets", None, n_outputs, False, f"{n_outputs} targets")
    if chance(rng, 0.2):
        n_labels = int(rng.integers(2, 5))
        return Problem("multilabel", np.arange(n_labels), n_labels, False, f"{n_labels} labels")
    odd = chance(rng, 0.06)
    alphabets = ODD_ALPHABETS if odd else ALPHABETS
    name = choose(rng, list(alphabets))
    k = int(rng.integers(2, 1 + len(alphabets[name])))
    return Problem("binary" if k == 2 else "multiclass", alphabets[name][:k], 1, odd, f"{k} classes, {name}")


def problem_of(model, kind):
    """The problem that a trained "classifier" or "regressor" has learned."""
    n = model.n_outputs_
    if kind == "regressor":
        return Problem("one target" if n == 1 else "several targets", None, n, False, "of the model")
    if model.out_activation_ == "softmax":
        return Problem("multiclass", model.classes_, 1, False, "of the model")
    return Problem("binary" if n == 1 else "multilabel", model.classes_, n, False, "of the model")


def _column(y):
    return y.reshape(-1, 1)


# Forms of a plain y: for any y, for one column, for an indicator matrix, for numbers.
FORMS = {"array": lambda y: y, "list": lambda y: y.tolist(), "read-only": lambda y: _read_only(y)}
FLAT_FORMS = {"column": _column, "strided": lambda y: np.repeat(y, 2)[::2], "tuple": lambda y: tuple(y.tolist())}
INDICATOR_FORMS = {
    "csr": sparse.csr_matrix,
    "csc": sparse.csc_matrix,
    "csr_array": sparse.csr_array,
    "float": lambda y: y.astype(float),
    "bool": lambda y: y.astype(bool),
    "int8": lambda y: y.astype(np.int8),
    "Fortran": np.asfortranarray,
}
NUMBER_FORMS = {
    "float32": lambda y: y.astype(np.float32),
    "int": lambda y: (3 * y).astype(int),
    "constant": np.ones_like,
    "big-endian": lambda y: y.astype(">f8"),
    "bool": lambda y: y > 0,
    "uint8": lambda y: np.abs(3 * y).astype(np.uint8),
}
UNUSUAL = {
    "object": lambda y: y.astype(object),
    "text": lambda y: y.astype(str),
    "object of text": lambda y: y.astype(str).astype(object),
    "masked": lambda y: np.ma.array(y),
    "two columns": lambda y: np.column_stack([y, y]),
    "row": lambda y: y.reshape(1, -1),
    "list of lists": lambda y: [[value] for value in y.tolist()],
    "one class": lambda y: np.repeat(y[:1], len(y), axis=0),
    "all different": lambda y: np.arange(len(y)),
    "counts": lambda y: np.arange(len(y)) % 3,
    "matrix": lambda y: np.asmatrix(y.reshape(len(y), -1)),
    "dict": lambda y: dict(enumerate(y.tolist())),
    "dates": lambda y: np.arange(len(y)).astype("datetime64[D]"),
    "sparse column": lambda y: sparse.csr_matrix(np.ones((len(y), 1))),
    "indicator": lambda y: np.eye(3, dtype=int)[np.arange(len(y)) % 3],
    "sparse indicator": lambda y: sparse.csr_matrix(np.eye(3, dtype=int)[np.arange(len(y)) % 3]),
    "sparse of numbers": lambda y: sparse.csr_matrix(np.outer(np.arange(len(y)), [1.5, 2.5])),
    "huge": lambda y: np.linspace(-1e300, 1e300, len(y)),
    "tiny": lambda y: np.linspace(-1e-300, 1e-300, len(y)),
    "large": lambda y: np.linspace(-1e5, 1e5, len(y)),
    "half": lambda y: np.arange(len(y)) / 2.0,
    "bytes": lambda y: np.full(len(y), b"a"),
    "sets": lambda y: [{1, 2} for _ in y],
    "lists of labels": lambda y: [[0], [1, 2]] * (len(y) // 2) + [[1]] * (len(y) % 2),
}
WRONG = {
    "None": lambda y: None,
    "short": lambda y: y[:-1],
    "long": lambda y: np.concatenate([y, y[:1]]),
    "empty": lambda y: y[:0],
    "empty list": lambda y: [],
    "3-d": lambda y: np.zeros((len(y), 2, 2)),
    "0-d": lambda y: np.array(1),
    "number": lambda y: 1,
    "text alone": lambda y: "labels",
    "NaN": lambda y: np.where(np.arange(len(y)) == 1, np.nan, np.arange(len(y)) % 2.0),
    "infinity": lambda y: np.where(np.arange(len(y)) == 1, np.inf, np.arange(len(y)) % 2.0),
    "None in a list": lambda y: [None] * len(y),
    "None among others": lambda y: [None, *["a", "b"] * len(y)][: len(y)],
    "complex": lambda y: np.arange(len(y)) % 2 + 1j,
    "dicts": lambda y: [{} for _ in y],
    "ragged": lambda y: [[1, 2], *[[1]] * (len(y) - 1)],
    "structured": lambda y: np.zeros(len(y), dtype=[("a", float), ("b", int)]),
    "type": lambda y: int,
    "NaN matrix": lambda y: np.full((len(y), 2), np.nan),
}
if pd is not None:
    FORMS |= {"pandas": lambda y: pd.Series(y) if y.ndim == 1 else pd.DataFrame(y)}
    FLAT_FORMS |= {
        "frame of one column": pd.DataFrame,
        "Series with an index": lambda y: pd.Series(y, index=range(len(y), 0, -1)),
    }
    UNUSUAL |= {
        "categories": lambda y: pd.Series(y.tolist(), dtype="category") if y.ndim == 1 else y,
        "nullable": lambda y: pd.Series(np.arange(len(y)) % 3, dtype="Int64"),
        "Index": lambda y: pd.Index(y) if y.ndim == 1 and y.dtype != np.float16 else y,
        "string": lambda y: pd.Series(y.ravel()[: len(y)].astype(str), dtype="string"),
    }
    WRONG |= {
        "NA": lambda y: pd.Series([pd.NA] * len(y)),
        "nullable with NA": lambda y: pd.Series([pd.NA, *[0, 1] * len(y)][: len(y)], dtype="Int64"),
    }


def _read_only(y):
    y = y.copy()
    y.flags.writeable = False
    return y


def forms(of):
    """The valid forms of the y of a problem."""
    if of.kind == "multilabel":
        return FORMS | INDICATOR_FORMS
    if of.classes is not None:
        return FORMS | FLAT_FORMS
    return FORMS | NUMBER_FORMS | (FLAT_FORMS if of.kind == "one target" else {})


def targets(rng, of, n, shares=(0.9, 0.06)):
    """A random y of n rows. `shares` are the probabilities of a GOOD and an OPEN one; otherwise y is BAD."""
    y = of.values(rng, n)
    u = rng.random()
    verdict, table = (GOOD, forms(of)) if u < shares[0] else (OPEN, UNUSUAL) if u < sum(shares) else (BAD, WRONG)
    name = choose(rng, list(table))
    if n < 3:  # too few rows to contain the mistake
        verdict = OPEN
    # Every class must occur, and y must have the problem's form.
    elif of.odd or (of.classes is not None and n < 2 * len(of.classes)):
        verdict = max(verdict, OPEN)
    return Value(table[name](y), verdict, f"{name} of {of.name}")


def announced(rng, of):
    """A random value of `classes` for the first call of partial_fit: None, a correct or a wrong one."""
    if of.kind == "multilabel":
        return Value(None, GOOD, "None") if chance(rng, 0.8) else Value([0, 1, 2], OPEN, "columns")
    right = of.classes
    verdict = OPEN if of.odd else GOOD
    good = {"right": right, "list": right.tolist(), "reversed": right[::-1], "twice": np.concatenate([right, right])}
    if pd is not None:
        good["Series"] = pd.Series(right)
    if chance(rng, 0.8):
        name = choose(rng, list(good))
        return Value(good[name], verdict, name)
    table = {
        "None": (None, OPEN),
        "all but one": (right[:-1], OPEN),
        "one more": ([*right.tolist(), "z" if right.dtype.kind in "OU" else 7], OPEN),
        "of text": (["x", "y", "z"], OPEN),
        "of numbers": ([100, 101, 102], OPEN),
        "text": ("ab", OPEN),
        "number": (3, BAD),
        "empty": ([], BAD),
        "one": (right[:1], BAD),
        "matrix": (np.arange(4).reshape(2, 2), BAD),
        "column": (right.reshape(-1, 1), OPEN),
        "NaN": (np.array([0.0, np.nan]), OPEN),
        "None in a list": ([None, 1], OPEN),
        "mixed": (["a", 1], OPEN),
        "ragged": ([[1], [1, 2]], BAD),
        "dict": ({0: 1, 1: 2}, OPEN),
        "set": ({0, 1}, OPEN),
        "object": (object(), BAD),
        "complex": (np.array([1j, 2j]), OPEN),
    }
    name = choose(rng, list(table))
    value, verdict = table[name]
    return Value(value, verdict, name)
