"""The BLAS routines of one precision, all from one library.

NumPy and SciPy wheels each bring an OpenBLAS of their own, each with its own pool of threads. A loop that alternates
between the two pays a scheduler's time slice for every change, because the idle pool goes on spinning: 8 ms an
iteration were measured on two cores where the products themselves take 0.3 ms. So every product of the training loop
comes from SciPy's library, whose routines can also add into their result (``beta=1``), and none from ``np.dot`` or
``@``.

The routines are called with positional arguments on Fortran-contiguous arrays of the right type; anything else would be
copied, and a result written "in place" would be lost in that copy.
"""

from functools import cache
from typing import Any, NamedTuple

import numpy as np
from scipy.linalg import get_blas_funcs


class Blas(NamedTuple):
    """The routines that the training loop uses."""

    gemm: Any
    gemv: Any
    axpy: Any
    dot: Any


@cache
def blas(dtype: np.dtype) -> Blas:
    """The routines for arrays of `dtype` (float32 or float64)."""
    return Blas(*get_blas_funcs(Blas._fields, dtype=dtype))
