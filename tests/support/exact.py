"""The classifier set up so that its iterates can be held against a loop in float64."""

import numpy as np
from tuned import FNNClassifier


def estimator(n_epochs, **params):
    """An estimator that trains for exactly `n_epochs`, in float64, the rows in order, unless told otherwise."""
    settings = {
        "hidden_layer_sizes": (6, 4),
        "activation": "tanh",
        "batch_size": 16,
        "learning_rate_init": 0.1,
        "shuffle": False,
        "dtype": "float64",
        "max_iter": n_epochs,
        "n_iter_no_change": np.inf,
        "random_state": 0,
    }
    return FNNClassifier(**(settings | params))
