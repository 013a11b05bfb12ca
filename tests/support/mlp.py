"""The same training with skfnn and with scikit-learn's multilayer perceptrons."""

import numpy as np


def pair(fnn_class, mlp_class, X, y, start, *, sample_weight=None, **params):
    """Both networks, trained in float64 from the same initial values, with all rows in one batch by default."""
    params = {"hidden_layer_sizes": (6, 4), "activation": "tanh", "max_iter": 50} | params
    params = {"tol": 0.0, "n_iter_no_change": np.inf, "shuffle": False, "batch_size": X.shape[0]} | params
    fnn = fnn_class(dtype="float64", standardize=False, **params)
    fnn.fit(X, y, sample_weight=sample_weight, coefs_init=start[0], intercepts_init=start[1])
    # A first fit gives all attributes their shapes. The values below replace its results, and warm_start keeps them.
    mlp = mlp_class(warm_start=True, **(params | {"max_iter": 1})).fit(X, y)
    for fitted, given in ((mlp.coefs_, start[0]), (mlp.intercepts_, start[1])):
        for mine, values in zip(fitted, given, strict=True):
            mine[...] = values
    mlp.t_, mlp.best_loss_, mlp.loss_curve_ = 0, np.inf, []
    mlp._no_improvement_count = 0
    weights = {} if sample_weight is None else {"sample_weight": sample_weight}
    mlp.set_params(max_iter=params["max_iter"]).fit(X, y, **weights)
    return fnn, mlp
