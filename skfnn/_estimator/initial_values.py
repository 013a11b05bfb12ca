"""The initial weights and biases that a user gives to ``fit``."""

from typing import Any, NamedTuple

import numpy as np


class InitialValues(NamedTuple):
    """The initial weights and biases given to ``fit``, in the user's units; None means the rule `init`."""

    coefs: Any = None
    intercepts: Any = None


NO_VALUES = InitialValues()


def write_initial_values(state, given):
    """Write the given initial values into the parameters of a state, in place."""
    if given.coefs is None and given.intercepts is None:
        return
    network, theta, coordinates = state.network, state.theta, state.coordinates
    if not coordinates.changes_weights:
        _write(network, theta, *given)
        return
    biases = [layer[-1].copy() for layer in network.layers(theta)]
    vector = coordinates.to_users_units(network, theta)
    _write(network, vector, *given)
    with np.errstate(over="ignore", under="ignore"):
        np.copyto(theta, coordinates.from_users_units(network, vector), casting="unsafe")
    if given.intercepts is None:
        for layer, bias in zip(network.layers(theta), biases, strict=True):
            layer[-1] = bias
    if not np.isfinite(theta).all():
        raise ValueError(f"coefs_init or intercepts_init holds numbers that are too large for {theta.dtype}.")


def _write(network, vector, coefs_init, intercepts_init):
    """Write the arrays given to ``fit`` into a parameter vector, in place."""
    for name, given, part in (("coefs_init", coefs_init, np.s_[:-1]), ("intercepts_init", intercepts_init, np.s_[-1])):
        if given is None:
            continue
        layers = network.layers(vector)
        if not isinstance(given, (list, tuple, np.ndarray)):
            raise ValueError(f"{name} must be a list with one array for each layer, got {type(given).__name__}.")
        if len(given) != len(layers):
            raise ValueError(f"{name} must have one array for each of the {len(layers)} layers, got {len(given)}.")
        for number, (layer, values) in enumerate(zip(layers, given, strict=True)):
            _write_initial_value(layer[part], values, f"{name}[{number}]")


def _write_initial_value(place, values, name):
    """Write one array into `place`, a view of the parameters."""
    try:
        values = np.asarray(values)
    except ValueError as error:
        raise ValueError(f"{name} is not an array: {error}") from error
    if values.shape != place.shape:
        raise ValueError(f"{name} must have the shape {place.shape}, got {values.shape}.")
    if values.dtype.kind not in "fiub" or not np.isfinite(values).all():
        raise ValueError(f"{name} must hold finite real numbers.")
    with np.errstate(over="ignore", under="ignore"):
        np.copyto(place, values, casting="unsafe")
    if not np.isfinite(place).all():
        raise ValueError(f"{name} holds numbers that are too large for {place.dtype}.")
