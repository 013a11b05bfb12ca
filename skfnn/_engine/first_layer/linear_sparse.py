"""The first layer for sparse rows under a solver whose steps are linear."""

import numpy as np

from ..tuning import DEFAULT
from .sparse import SparseFirstLayer


class LinearSparseFirstLayer(SparseFirstLayer):
    """Takes the steps of a linear solver itself; touches only the rows of W whose features occur.

    The weights W and, with momentum, the velocity V take the step ``(W, V) <- T (W, V) + u P`` with the new part
    ``P = -eta/n X^T D``, a 2 x 2 matrix T and two numbers u. With plain SGD, T and u are one number each (see the
    solvers). T contains the L2 term and the decay of the velocity, so applying it would change every row. Instead W and
    V are stored as ``M (A, B)`` with a 2 x 2 matrix M: a step does ``M <- T M`` and adds ``M^-1 u P`` to A and B. At
    the end of the block, and before M becomes too small to divide by, A and B are turned into W and V, and M into the
    identity.
    """

    # A step divides by the determinant of M, which must not become smaller than this.
    SMALLEST = 0.03

    def __init__(self, layers, capacity, tuning=DEFAULT):
        super().__init__(layers[0], capacity)
        self._arrays = [layer[:-1] for layer in layers]
        self._biases = [layer[-1] for layer in layers]
        self._mix = self._identity = np.eye(len(layers))
        n_units = layers[0].shape[1]
        self._part_rows = max(1, tuning.part_numbers // n_units)
        self._parts = np.empty((2 * (len(layers) - 1), self._part_rows, n_units), layers[0].dtype)

    def set_step(self, solver, shrinkage):
        """Set the solver's step for the next blocks; in each step the L2 term reduces W by the fraction `shrinkage`."""
        self._transition, self._effect = solver.transition(shrinkage)
        self._bias_transition = solver.transition(0.0)[0]

    def forward(self, start, stop, out):
        """Write the pre-activations of the mini-batch into `out` (n, n_units)."""
        self._at = slice(start, stop)
        np.copyto(out, self._bias)
        for share, weights in zip(self._mix[0].tolist(), self._arrays, strict=True):
            if share:
                z = self._product(weights, out.shape)
                if share != 1.0:
                    np.multiply(z, share, out=z)
                np.add(out, z, out=out)

    def update(self, start, delta, scale):
        """Take the step of the mini-batch, with ``P = scale * X^T delta``."""
        self._mix = _times(self._transition, self._mix)
        for share, array in zip(_times(_inverse(self._mix), self._effect).tolist(), self._arrays, strict=True):
            self._add(delta, scale * share, array)
        new = scale * np.add.reduce(delta, 0)
        old = [bias.copy() for bias in self._biases]
        for bias, row, effect in zip(self._biases, self._bias_transition.tolist(), self._effect.tolist(), strict=True):
            np.copyto(bias, sum(share * b for share, b in zip(row, old, strict=True)) + effect * new)
        if abs(_determinant(self._mix)) < self.SMALLEST:
            self.end()

    def end(self):
        """Finish the block: turn A and B into W and V."""
        if self._mix is self._identity:
            return
        for start in range(0, len(self._weights), self._part_rows):
            self._mix_in_place(*(array[start : start + self._part_rows] for array in self._arrays))
        self._mix = self._identity

    def _mix_in_place(self, a, b=None):
        """Multiply rows of A, or of A and B, by M."""
        if b is None:
            np.multiply(a, float(self._mix[0, 0]), out=a)
            return
        (aa, ab), (ba, bb) = self._mix.tolist()
        new, part = self._parts[:, : len(a)]
        np.multiply(a, ba, out=new)
        np.multiply(a, aa, out=a)
        np.multiply(b, ab, out=part)
        np.add(a, part, out=a)
        np.multiply(b, bb, out=b)
        np.add(b, new, out=b)


def _times(left, right):
    """The product of small matrices, without BLAS."""
    return np.einsum("ij,j...->i...", left, right)


def _determinant(m):
    return m[0, 0] if len(m) == 1 else m[0, 0] * m[1, 1] - m[0, 1] * m[1, 0]


def _inverse(m):
    adjugate = np.ones((1, 1)) if len(m) == 1 else np.array([[m[1, 1], -m[0, 1]], [-m[1, 0], m[0, 0]]])
    return adjugate / _determinant(m)
