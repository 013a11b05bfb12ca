"""From the parameters a user gives to the objects and numbers that training uses."""

import warnings

import numpy as np

from .._engine.activations import ACTIVATIONS
from .._engine.solvers import Adam, Momentum, PlainSGD
from .._training import schedules as _schedules


def hidden_sizes(hidden_layer_sizes):
    """The sizes of the hidden layers as a tuple."""
    sizes = hidden_layer_sizes if np.iterable(hidden_layer_sizes) else [hidden_layer_sizes]
    sizes = tuple(sizes)
    if not all(isinstance(size, (int, np.integer)) and size > 0 for size in sizes):
        raise ValueError(f"hidden_layer_sizes must hold integers > 0, got {hidden_layer_sizes!r}.")
    return tuple(int(size) for size in sizes)


def activation_names(activation, n_hidden):
    """The name of the activation of every hidden layer."""
    names = (activation,) * n_hidden if isinstance(activation, str) else tuple(activation)
    if len(names) != n_hidden:
        raise ValueError(
            f"activation must be one name or a list with one name for each of the {n_hidden} hidden layers, "
            f"got {len(names)} names: {activation!r}."
        )
    for name in names:
        if not isinstance(name, str) or name not in ACTIVATIONS:
            raise ValueError(f"activation must be one of {sorted(ACTIVATIONS)}, got {name!r}.")
    return names


def rows_in_batch(batch_size, n_rows):
    """The number of rows of a mini-batch."""
    if batch_size == "full":
        return n_rows
    if batch_size == "auto":
        return min(200, n_rows)
    if batch_size > n_rows:
        warnings.warn(
            f"batch_size={batch_size} is larger than the number of training rows, {n_rows}. It is clipped to {n_rows}.",
            UserWarning,
            stacklevel=6,
        )
    return min(int(batch_size), n_rows)


def initial_learning_rate(params, sgd_rate):
    """The eta that ``learning_rate_init`` stands for; None where the solver has none."""
    if callable(params["learning_rate"]) and params["solver"] != "lbfgs":
        return _schedules.user_rate(params["learning_rate"], 0)
    if params["learning_rate_init"] != "auto":
        return float(params["learning_rate_init"])
    return 0.001 if params["solver"] == "adam" else sgd_rate * (1.0 - params["momentum"])


def make_solver(params):
    """The solver object; None for L-BFGS."""
    if params["solver"] == "lbfgs":
        return None
    if params["solver"] == "adam":
        settings = (params[name] for name in ("beta_1", "beta_2", "epsilon", "weight_decay"))
        return Adam(*map(float, settings))
    if params["momentum"] > 0:
        return Momentum(float(params["momentum"]), params["nesterovs_momentum"])
    return PlainSGD()


def make_schedule(params, eta_0):
    """The function from a training's progress to the next epoch's eta; None for L-BFGS."""
    if params["solver"] == "lbfgs":
        return None
    return _schedules.make_schedule(params["learning_rate"], eta_0, float(params["power_t"]), params["max_iter"])


def check_solver(params):
    """Raise where a parameter asks for what the solver cannot do."""
    for name, off in (("dropout", 0.0), ("max_grad_norm", None)):
        if params["solver"] == "lbfgs" and params[name] != off:
            raise ValueError(
                f"{name}={params[name]!r} needs solver='sgd' or 'adam'; 'lbfgs' minimises a fixed function."
            )


def write_initial_values(network, theta, coefs_init, intercepts_init):
    """Put the arrays given to ``fit`` into the parameters, in place."""
    for name, given, part in (("coefs_init", coefs_init, np.s_[:-1]), ("intercepts_init", intercepts_init, np.s_[-1])):
        if given is None:
            continue
        layers = network.layers(theta)
        if not isinstance(given, (list, tuple, np.ndarray)):
            raise ValueError(f"{name} must be a list with one array for each layer, got {type(given).__name__}.")
        if len(given) != len(layers):
            raise ValueError(f"{name} must have one array for each of the {len(layers)} layers, got {len(given)}.")
        for number, (layer, values) in enumerate(zip(layers, given, strict=True)):
            try:
                values = np.asarray(values)
            except ValueError as error:
                raise ValueError(f"{name}[{number}] is not an array: {error}") from error
            if values.shape != layer[part].shape:
                raise ValueError(f"{name}[{number}] must have the shape {layer[part].shape}, got {values.shape}.")
            if values.dtype.kind not in "fiub" or not np.isfinite(values).all():
                raise ValueError(f"{name}[{number}] must hold finite real numbers.")
            with np.errstate(over="ignore", under="ignore"):
                layer[part] = values
            if not np.isfinite(layer[part]).all():
                raise ValueError(f"{name}[{number}] holds numbers that are too large for {theta.dtype}.")
