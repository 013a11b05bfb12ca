"""Products of some rows of a CSR matrix with a dense one, added in place.

The kernels behind SciPy's ``csr @ dense`` add to their result and take a range of rows without making a new matrix.
``csr @ dense`` and ``csr.T @ dense`` themselves write a new dense array each time, and that of the second has
n_features rows. If few features occur, they take several times as long as the kernels.
"""

import numpy as np

try:
    from scipy.sparse._sparsetools import csc_matvecs, csr_matvecs
except ImportError:  # pragma: no cover - a SciPy that has moved them
    KERNELS = None
else:
    KERNELS = csr_matvecs, csc_matvecs


def add_product(X, rows, W, out, kernels=KERNELS):
    """``out += X[rows] @ W`` for a slice of rows; `W` (n_features, k) and `out` (n, k) are C-contiguous."""
    if kernels is None:
        out += X[rows] @ W
        return
    pointers = X.indptr[rows.start : rows.stop + 1]
    kernels[0](len(out), X.shape[1], W.shape[1], pointers, X.indices, X.data, W.reshape(-1), out.reshape(-1))


def add_transposed_product(X, rows, D, out, kernels=KERNELS):
    """``out += X[rows].T @ D`` for a slice of rows; `D` (n, k) and `out` (n_features, k) are C-contiguous."""
    if kernels is None:
        part = X[rows]
        columns, indices = np.unique(part.indices, return_inverse=True)
        occurring = type(part)((part.data, indices, part.indptr), shape=(len(D), len(columns)))
        out[columns] += occurring.T @ D
        return
    # The arrays of a matrix in CSR form are those of its transpose in CSC form.
    pointers = X.indptr[rows.start : rows.stop + 1]
    kernels[1](X.shape[1], len(D), D.shape[1], pointers, X.indices, X.data, D.reshape(-1), out.reshape(-1))
