"""Random weights and initial values."""

from itertools import pairwise

import numpy as np
from scipy import sparse

from .matrices import pd
from .values import BAD, GOOD, OPEN, Value, chance, drawn


def weights(rng, n, shares=(0.75, 0.13)):
    """Random sample weights for n rows."""
    w = rng.uniform(0.1, 3.0, size=n)
    half = np.where(np.arange(n) % 2, 0.0, w)

    def with_one(value):
        result = w.astype(np.result_type(w, type(value)) if not isinstance(value, (str, dict)) else object)
        result[n // 3] = value
        return result

    good = {"floats": w, "float32": w.astype(np.float32), "ints": 1 + np.arange(n), "ones": np.ones(n)}
    good |= {"list": w.tolist(), "bools": np.ones(n, dtype=bool), "number": 2.0, "None": None, "strided": w[::-1]}
    open_ = {"half are zero": half, "1e300": w * 1e300, "1e-300": w * 1e-300, "denormal": w * 1e-310}
    open_ |= {
        "one alone": np.where(np.arange(n) == 0, 1.0, 0.0),
        "one huge": with_one(1e300),
        "one tiny": with_one(5e-324),
    }
    open_ |= {"text of numbers": w.astype(str), "object": w.astype(object), "tuple": tuple(w.tolist()), "int": 3}
    open_ |= {"largest": np.full(n, 1.7e308), "uint64": np.full(n, 2**64 - 1, dtype=np.uint64)}
    bad = {"one negative": with_one(-1.0), "one NaN": with_one(np.nan), "one infinite": with_one(np.inf)}
    bad |= {
        "zeros": np.zeros(n),
        "short": w[:-1],
        "long": np.append(w, 1.0),
        "matrix": np.ones((n, 2)),
        "text": "weights",
    }
    bad |= {"complex": w + 1j, "one text": with_one("x"), "empty": [], "dict": {0: 1.0}, "3-d": np.ones((n, 1, 1))}
    bad |= {"sparse": sparse.csr_matrix(w), "None in a list": [None] * n, "object()": object(), "zero": 0.0, "-1": -1}
    if pd is not None:
        good["Series"] = pd.Series(w)
        open_["frame"] = pd.DataFrame(w)
        bad["NA"] = pd.Series([pd.NA] * n)
    return drawn(rng, good, open_, bad, shares)


def initial_values(rng, sizes, biases):
    """Random `coefs_init` or, with `biases`, `intercepts_init` for a network with layers of these sizes."""
    shapes = [(b,) if biases else (a, b) for a, b in pairwise(sizes)]
    if sum(int(np.prod(shape, dtype=float)) for shape in shapes) > 10**6:  # a network that is too large on purpose
        return Value(None, GOOD, "None")
    arrays = [rng.normal(size=shape) / np.sqrt(sizes[0]) for shape in shapes]

    def with_first(value):
        return [value, *arrays[1:]]

    good = {"arrays": arrays, "lists": [a.tolist() for a in arrays], "tuple": tuple(arrays)}
    good |= {"float32": [a.astype(np.float32) for a in arrays], "ints": [np.ones(shape, dtype=int) for shape in shapes]}
    good |= {"Fortran": [np.asfortranarray(a) for a in arrays], "zeros": [np.zeros(shape) for shape in shapes]}
    open_ = {"1e30": [a * 1e30 for a in arrays], "1e200": [a * 1e200 for a in arrays]}
    open_ |= {"object": with_first(arrays[0].astype(object)), "text of numbers": with_first(arrays[0].astype(str))}
    open_ |= {"bools": [a > 0 for a in arrays], "longdouble": with_first(np.full(shapes[0], np.longdouble(10) ** 400))}
    open_ |= {
        "largest": with_first(np.full(shapes[0], 1.7e308)),
        "1e-320": [np.full(shape, 1e-320) for shape in shapes],
    }
    bad = {
        "too few": arrays[:-1],
        "too many": arrays + [np.ones(3)],
        "number": 0.5,
        "text": "he",
        "dict": {0: arrays[0]},
    }
    bad |= {"NaN": with_first(np.full(shapes[0], np.nan)), "infinite": with_first(np.full(shapes[0], np.inf))}
    bad |= {
        "None": with_first(None),
        "of text": with_first(np.full(shapes[0], "x")),
        "ragged": with_first([[1], [1, 2]]),
    }
    bad |= {"complex": with_first(arrays[0] + 1j), "sparse": with_first(sparse.csr_matrix(np.atleast_2d(arrays[0])))}
    bad |= {"a column more": with_first(np.ones((*shapes[0][:-1], shapes[0][-1] + 1))), "empty": [], "set": {1, 2}}
    bad |= {
        "a dimension more": with_first(arrays[0][None]),
        "object()": object(),
        "dates": with_first(np.array(["2020"], "M8")),
    }
    return drawn(rng, good, open_, bad, (0.6, 0.2))


def validation(rng, rows, targets):
    """Random X_val, y_val and sample_weight_val. `rows(shares)` and `targets(n, shares)` draw X and y."""
    arguments = {}
    if chance(rng, 0.75):
        return arguments
    X, n = rows((0.85, 0.08))
    arguments["X_val"], arguments["y_val"] = X, targets(n, (0.9, 0.05))
    if chance(rng, 0.2):
        arguments["sample_weight_val"] = weights(rng, n)
    if chance(rng, 0.05):
        missing = rng.choice(["X_val", "y_val"])
        # X_val and y_val are useless without each other.
        arguments[str(missing)] = Value(None, BAD, "None")
    if "sample_weight_val" in arguments and arguments["sample_weight_val"].verdict == GOOD and chance(rng, 0.03):
        for name in ("X_val", "y_val"):
            arguments[name] = Value(None, BAD if arguments["sample_weight_val"].value is not None else OPEN, "None")
    return arguments
