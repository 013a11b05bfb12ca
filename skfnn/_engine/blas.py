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
    syrk: Any
    axpy: Any
    dot: Any
    asum: Any
    row_gemm: Any

    def gemm_of(self, n):
        """``gemm`` for products whose left factor has n rows."""
        return self.gemm if n > 1 else self.row_gemm


@cache
def blas(dtype: np.dtype) -> Blas:
    """The routines for arrays of `dtype` (float32 or float64)."""
    routines = get_blas_funcs(Blas._fields[:-1], dtype=dtype)
    gemv = routines[1]

    def row_gemm(alpha, a, b, beta, c, trans_a, trans_b, overwrite_c):
        # As gemm for one row, in place in c: four to eight times as fast, as gemm first copies b into an order of
        # its own. The wrapper takes matrices of one row, or of one column, as the vectors they are.
        gemv(alpha, b, a, beta, c, 0, 1, 0, 1, 1 - trans_b, overwrite_c)

    return Blas._make([*routines, row_gemm])
