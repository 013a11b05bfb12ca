"""The BLAS routines of one precision, all from one library.

The wheels of NumPy and SciPy each contain an OpenBLAS, and each OpenBLAS has its own pool of threads. A loop that
alternates between the two loses a scheduler's time slice at every change, because the idle pool keeps spinning: on two
cores, 8 ms per iteration were measured, while the products themselves take 0.3 ms. So the training loop takes all its
products from SciPy's library, whose routines can also add to their result (``beta=1``), and never uses ``np.dot`` or
``@``.

Call the routines with positional arguments on Fortran-contiguous arrays of the right type. SciPy copies anything else,
and a result written "in place" would be lost in that copy.
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
        # The same as gemm for one row, in place in c, but four to eight times as fast, because gemm first copies b into
        # an order of its own. The wrapper accepts matrices of one row or one column as vectors.
        gemv(alpha, b, a, beta, c, 0, 1, 0, 1, 1 - trans_b, overwrite_c)

    return Blas._make([*routines, row_gemm])
