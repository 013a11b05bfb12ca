"""The settings of the tabular pipelines.

benchmarks/tables.py measures them and tries others. They were chosen on its development tables.
"""

from math import ceil, sqrt

# The parameters of PiecewiseLinearEncoder and of OneHotEncoder.
ENCODER = {"n_bins": 8}
ONE_HOT = {"handle_unknown": "infrequent_if_exist", "min_frequency": 4, "sparse_output": False}

# How many networks are averaged, and how many folds there are. Each network leaves out one fold.
N_NETS = 8
N_FOLDS = 8
# A network that leaves out a fold stops when its loss on the fold has not fallen for this many epochs.
PATIENCE = 12

# The parameters of each network.
NET = {
    "hidden_layer_sizes": (128, 128),
    "activation": "gelu",
    "solver": "adam",
    "learning_rate": "cosine",
    "n_iter_no_change": None,
    "dropout": 0.2,
    "weight_decay": 0.01,
    "dtype": "float32",
}
CLASSIFIER = {"label_smoothing": 0.02, "standardize": True}
REGRESSOR = {"standardize": "auto"}

# What depends on the number of rows, by the kind of the problem. A mini-batch has `batch_size` rows, or fewer if an
# epoch would have fewer than `min_batches` mini-batches. Training takes `epochs` epochs, or more to reach `min_steps`
# iterations in all, or fewer to stay within `max_steps`. The learning rate is `rate` at `rate_batch` rows per
# mini-batch and grows with the square root of their number.
_ROWS = {
    "batch_size": 64,
    "min_batches": 8,
    "epochs": 60,
    "min_steps": 0,
    "max_steps": 100_000,
    "rate_batch": 64,
}
ROWS = {"classification": _ROWS | {"rate": 0.004}, "regression": _ROWS | {"rate": 0.001}}


def by_rows(kind, n_rows, *, batch_size="auto", max_iter="auto", learning_rate_init="auto"):
    """The parameters of a network that depend on the number of training rows; those that are given stay."""
    rule = ROWS[kind]
    if batch_size == "auto":
        batch_size = max(1, min(rule["batch_size"], n_rows // rule["min_batches"]))
    rows_in_batch = n_rows if batch_size == "full" else batch_size
    if max_iter == "auto":
        steps = ceil(n_rows / rows_in_batch)
        longest = max(1, rule["max_steps"] // steps)
        max_iter = min(longest, max(rule["epochs"], ceil(rule["min_steps"] / steps)))
    if learning_rate_init == "auto":
        learning_rate_init = rule["rate"] * sqrt(rows_in_batch / rule["rate_batch"])
    return {"batch_size": batch_size, "max_iter": max_iter, "learning_rate_init": learning_rate_init}
