"""Networks that are trained with dropout."""

from functools import partial

import exact

SOLVERS = {
    "plain": {},
    "plain, L2": {"alpha": 2.0},
    "momentum": {"momentum": 0.9, "nesterovs_momentum": False, "learning_rate_init": 0.02},
    "nesterov, L2": {"momentum": 0.9, "learning_rate_init": 0.02, "alpha": 2.0},
    "adam": {"solver": "adam", "learning_rate_init": 0.01},
    "clipped": {"max_grad_norm": 0.05},
    "clipped adam": {"solver": "adam", "learning_rate_init": 0.01, "max_grad_norm": 0.05},
}

estimator = partial(exact.estimator, dropout=0.3)
