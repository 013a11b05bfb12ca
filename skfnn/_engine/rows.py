"""The rows of X: gathered, shifted, cast and scaled one block at a time."""

from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
from scipy import sparse

# A number is well within the range of float32 if its binary exponent, and that of its inverse, is below this.
_EXPONENT = 60


@dataclass(frozen=True)
class RowFormat:
    """Rows are read as ``(x - mean) / scale`` in `dtype`; a mean or scale of None leaves that step out."""

    dtype: np.dtype
    mean: Any = None
    scale: Any = None

    @cached_property
    def factor(self):
        """What a row is multiplied by: one multiplication is faster than one division. None if there is no scale."""
        return None if self.scale is None else 1.0 / self.scale

    def converter(self, source):
        """The function ``convert(out, rows)`` that writes dense rows of the type `source` in this format to `out`."""
        found = self._converters.get(source)
        if found is None:
            found = self._converters[source] = _converter(self, source)
        return found

    @cached_property
    def _converters(self):
        """The converters made so far: making one takes a quarter of the time of predicting one row."""
        return {}


class Rows:
    """Blocks of rows of a dense or CSR matrix `X`, brought into a RowFormat.

    ``take(rows)`` accepts a slice or an array of row numbers. A dense block is a C-contiguous array (n, n_features): a
    view of X if possible, otherwise a buffer that the next call overwrites.
    """

    def __init__(self, X, form, capacity):
        self.X, self.dtype = X, form.dtype
        # Shifted rows are no longer sparse. So a network trained on shifted dense rows reads sparse rows as dense ones.
        self._densifies = sparse.issparse(X) and form.mean is not None
        self.sparse = sparse.issparse(X) and not self._densifies
        self._convert = form.converter(X.dtype)
        self._factor = form.factor
        if not self.sparse:
            self._unchanged = self._convert is _cast and X.dtype == form.dtype
            self._contiguous = not self._densifies and X.flags.c_contiguous
            self._buffer = np.empty((capacity, X.shape[1]), form.dtype)
            gathers = not self._densifies and X.dtype != form.dtype
            self._raw = self._buffer if not gathers else np.empty((capacity, X.shape[1]), X.dtype)

    def take(self, rows):
        """The block of these rows."""
        if self.sparse:
            return self._take_sparse(rows)
        if self._densifies:
            dense = self.X[rows].toarray()
            block = self._buffer[: len(dense)]
            self._convert(block, dense)
            return block
        if isinstance(rows, slice):
            if self._contiguous and self._unchanged:
                return self.X[rows]
            block = self._buffer[: rows.stop - rows.start]
            self._convert(block, self.X[rows])
            return block
        block = self._buffer[: len(rows)]
        if not self._contiguous:
            # np.take would copy the whole of X first.
            self._convert(block, self.X[rows])
            return block
        raw = self._raw[: len(rows)]
        np.take(self.X, rows, axis=0, out=raw, mode="clip")
        if not self._unchanged:
            self._convert(block, raw)
        return block

    def _take_sparse(self, rows):
        """The block of these rows as CSR."""
        block = self.X[rows]
        if self._factor is None:
            return block.astype(self.dtype, copy=False)
        # A new array of values, because a block may share them with X.
        data = np.asarray(block.data * self._factor[block.indices], self.dtype)
        return type(block)((data, block.indices, block.indptr), shape=block.shape)


def _converter(form: RowFormat, source):
    if form.mean is None and form.scale is None:
        return _cast
    # Shift before the cast: float32 has too few digits for a large offset with small differences.
    between = np.result_type(source, form.dtype)
    if not _fits(form, between):
        return partial(_convert_in_double, form)
    mean: Any = None if form.mean is None else form.mean.astype(between)
    factor: Any = None if form.scale is None else form.factor.astype(form.dtype)
    return partial(_shift_and_scale, mean, factor)


def _shift_and_scale(mean, factor, out, rows):
    if mean is None:
        _cast(out, rows)
    else:
        np.subtract(rows, mean, out=out)
    if factor is not None:
        np.multiply(out, factor, out=out)


def _fits(form, between):
    """Whether the mean and scale of a form are well within the range of the types in which they are used."""
    shift_fits = form.mean is None or between == np.float64 or np.frexp(form.mean)[1].max() < _EXPONENT
    scale_fits = form.scale is None or form.dtype == np.float64 or np.abs(np.frexp(form.scale)[1]).max() < _EXPONENT
    return shift_fits and scale_fits


def _convert_in_double(form, out, rows):
    """Write dense rows into `out`, for a form whose numbers need the range of float64."""
    rows = rows if form.mean is None else rows - form.mean
    np.copyto(out, rows if form.scale is None else rows * form.factor)


def _cast(out, rows):
    np.copyto(out, rows)
