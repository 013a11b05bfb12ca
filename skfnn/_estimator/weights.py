"""The lists `coefs_` and `intercepts_`: one array per layer; writing into an array changes the model."""

import weakref
from collections.abc import Sequence

import numpy as np


class LayerList(list):
    """The arrays of all layers.

    ``m.coefs_[0] = W`` writes `W` into the array, so the model changes as with ``m.coefs_[0][:] = W``. The number of
    arrays and their shapes are fixed.
    """

    def __init__(self, arrays, name):
        super().__init__(arrays)
        self._name = name

    def __setitem__(self, place, value):
        if isinstance(place, slice):
            numbers = range(len(self))[place]
            write_layers([self[k] for k in numbers], value, self._name, numbers)
        else:
            write_layers([self[place]], [value], self._name, [range(len(self))[place]])

    def __reduce__(self):
        return list, ([array.copy() for array in self],)

    def _refuse(self, *args, **kwargs):
        raise TypeError(
            f"{self._name} has one array for each layer: the list cannot grow, shrink or change its order. To change "
            f"weights, write into an array, for instance {self._name}[0] += delta."
        )

    __delitem__ = __iadd__ = __imul__ = append = clear = extend = insert = pop = remove = reverse = sort = _refuse


class InVars(Sequence):
    """The entry of ``vars(estimator)`` for one of these lists; it always shows the present list.

    The entry cannot be the list itself, because training replaces the parameters.
    """

    def __init__(self, estimator, name):
        self._estimator, self._name = weakref.ref(estimator), name

    def _now(self):
        return getattr(self._estimator(), self._name)

    def __len__(self):
        return len(self._now())

    def __getitem__(self, place):
        return self._now()[place]

    def __setitem__(self, place, value):
        self._now()[place] = value

    def __repr__(self):
        return repr(self._now())


def write_layers(arrays, values, name, numbers=None):
    """Write `values`, one for each array, into the arrays, in place, after checking all of them."""
    values = list(values)
    if len(values) != len(arrays):
        raise ValueError(f"{name} must have one array for each of the {len(arrays)} layers, got {len(values)}.")
    numbers = range(len(arrays)) if numbers is None else numbers
    checked = [_checked(array, value, f"{name}[{k}]") for array, value, k in zip(arrays, values, numbers, strict=True)]
    for array, value in zip(arrays, checked, strict=True):
        np.copyto(array, value)


def _checked(array, value, name):
    """Check a value for an array; return a copy with the array's shape and type.

    It must be a copy, because the value may be a view of another layer.
    """
    value = np.asarray(value)
    if value.shape != array.shape:
        raise ValueError(f"{name} must have the shape {array.shape}, got {value.shape}.")
    if value.dtype.kind in "fiub":
        with np.errstate(over="ignore", under="ignore"):
            value = value.astype(array.dtype)
        if np.isfinite(value).all():
            return value
    raise ValueError(f"{name} must hold finite real numbers that {array.dtype} can represent.")
