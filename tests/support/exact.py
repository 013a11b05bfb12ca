"""A classifier whose iterates can be compared with the reference loop, and that loop with the classifier's settings."""

import numpy as np
import reference
from tuned import FNNClassifier

# Both sides do the same float64 operations in different orders. After some hundred steps with numbers of size 1, they
# differ by about 1e-13.
ATOL = 1e-10

# With these rates, training is stable at every batch size. Otherwise the first rounding would drive two runs apart.
SOLVERS = {
    "plain": {},
    "momentum": {"momentum": 0.9, "nesterovs_momentum": False, "learning_rate_init": 0.02},
    "nesterov": {"momentum": 0.9, "nesterovs_momentum": True, "learning_rate_init": 0.02},
    "adam": {"solver": "adam", "learning_rate_init": 0.01},
}


def estimator(n_epochs, **params):
    """An estimator that trains for exactly `n_epochs`, in float64, without scaling and shuffling the rows.

    `params` replace these settings.
    """
    settings = {
        "hidden_layer_sizes": (6, 4),
        "activation": "tanh",
        "batch_size": 16,
        "learning_rate_init": 0.1,
        "standardize": False,
        "shuffle": False,
        "dtype": "float64",
        "max_iter": n_epochs,
        "n_iter_no_change": np.inf,
        "random_state": 0,
    }
    return FNNClassifier(**(settings | params))


def by_loop(clf, X, T, start, kind, n_epochs, **params):
    """Train the reference loop with the settings of a fitted `clf`, in which `params` replace some."""
    settings = {
        "activation": clf.activation,
        "kind": kind,
        "batch_size": clf.batch_size,
        "n_epochs": n_epochs,
        "eta": clf.learning_rate_init_,
        "solver": clf.solver,
        "momentum": clf.momentum,
        "nesterov": clf.nesterovs_momentum,
        "beta_1": clf.beta_1,
        "beta_2": clf.beta_2,
        "epsilon": clf.epsilon,
        "alpha": clf.alpha,
        "learning_rate": clf.learning_rate,
        "power_t": clf.power_t,
    }
    return reference.train(X, T, *start, **(settings | params))
