"""Bad data and bad parameters of FNNClassifier, with patterns of the messages."""

import numpy as np
from scipy import sparse

from skfnn import FNNClassifier

rng = np.random.default_rng(0)
X = rng.normal(size=(40, 4))
y = np.arange(40) % 3
X_more, y_more = rng.normal(size=(30, 4)), np.arange(30) % 3


def estimator(**params):
    return FNNClassifier(**({"hidden_layer_sizes": (5,), "momentum": 0.5, "max_iter": 3, "random_state": 0} | params))


def poked(value):
    """X with one entry changed."""
    result = X.copy()
    result[3, 1] = value
    return result


def weights(value):
    w = np.ones(40)
    w[3] = value
    return w


# name: (X, y, other arguments, pattern of the message)
BAD_FOR_BOTH = {
    "NaN": (poked(np.nan), y, {}, "X contains NaN"),
    "infinity": (poked(np.inf), y, {}, "X contains infinity"),
    "minus infinity": (poked(-np.inf), y, {}, "X contains infinity"),
    "infinity in float32": (poked(np.inf).astype(np.float32), y, {}, "X contains infinity"),
    "NaN in a sparse X": (sparse.csr_matrix(poked(np.nan)), y, {}, "X contains NaN"),
    "NaN in y": (X, np.where(y == 2, np.nan, y), {}, "y contains NaN"),
    "no rows": (X[:0], y[:0], {}, r"0 sample\(s\)"),
    "no columns": (X[:, :0], y, {}, r"0 feature\(s\)"),
    "one-dimensional X": (X[:, 0], y, {}, "2D array"),
    "three-dimensional X": (X[:, :, None], y, {}, "dim 3"),
    "y of another length": (X, y[:-1], {}, "inconsistent numbers of samples"),
    "no y": (X, None, {}, "requires y to be passed"),
    "continuous y": (X, X[:, 0], {}, "Unknown label type: continuous"),
    "two columns of classes": (X, np.column_stack([y, y]), {}, "Unknown label type: multiclass-multioutput"),
    "complex X": (X + 1j, y, {}, "Complex data not supported"),
    "complex y": (X, y + 1j, {}, "Complex data not supported"),
    "text in an object array": (
        np.full((40, 4), "text", dtype=object),
        y,
        {},
        "X holds text.*numbers.*OneHotEncoder",
    ),
    "text": (np.full((40, 4), "text"), y, {}, "X holds text.*numbers.*OneHotEncoder"),
    "negative weight": (X, y, {"sample_weight": weights(-1)}, "sample_weight"),
    "NaN weight": (X, y, {"sample_weight": weights(np.nan)}, "sample_weight"),
    "infinite weight": (X, y, {"sample_weight": weights(np.inf)}, "sample_weight"),
    "all weights zero": (X, y, {"sample_weight": np.zeros(40)}, "sample_weight"),
    "weights of another length": (X, y, {"sample_weight": np.ones(39)}, "sample_weight"),
    "weights in a matrix": (X, y, {"sample_weight": np.ones((40, 2))}, "[Ss]ample.weight"),
    "X_val with fewer columns": (X, y, {"X_val": X_more[:, :3], "y_val": y_more}, "X_val.*features"),
    "X_val with more columns": (X, y, {"X_val": np.hstack([X_more] * 2), "y_val": y_more}, "X_val.*features"),
    "X_val with NaN": (X, y, {"X_val": poked(np.nan), "y_val": y}, "X_val.*NaN"),
    "X_val with infinity": (X, y, {"X_val": poked(np.inf), "y_val": y}, "X_val.*infinity"),
    "X_val complex": (X, y, {"X_val": X + 1j, "y_val": y}, "X_val.*Complex"),
    "X_val of text": (X, y, {"X_val": np.full((40, 4), "text", dtype=object), "y_val": y}, "X_val.*text"),
    "X_val empty": (X, y, {"X_val": X[:0], "y_val": y[:0]}, "X_val.*0 sample"),
    "X_val without y_val": (X, y, {"X_val": X_more}, "X_val and y_val must be given together"),
    "y_val without X_val": (X, y, {"y_val": y_more}, "X_val and y_val must be given together"),
    "y_val of another length": (X, y, {"X_val": X_more, "y_val": y_more[:-1]}, "y_val.*inconsistent numbers"),
    "labels in y_val never seen": (X, y, {"X_val": X_more, "y_val": y_more + 1}, "y_val.*3"),
    "labels in y_val of another type": (
        X,
        y,
        {"X_val": X_more, "y_val": np.array(["a", "b", "c"])[y_more]},
        "y_val.*a",
    ),
    "text of the labels in y_val": (X, y, {"X_val": X_more, "y_val": y_more.astype(str)}, "y_val.*'0'"),
    "y_val continuous": (X, y, {"X_val": X_more, "y_val": X_more[:, 0]}, "y_val.*continuous"),
    "y_val with labels in columns": (
        X,
        y,
        {"X_val": X_more, "y_val": np.eye(3, dtype=int)[y_more]},
        "y_val.*multilabel",
    ),
    "sample_weight_val alone": (X, y, {"sample_weight_val": np.ones(30)}, "sample_weight_val"),
    "negative weight in validation": (
        *(X, y, {"X_val": X, "y_val": y, "sample_weight_val": weights(-1)}),
        "sample_weight_val",
    ),
    "all validation weights zero": (
        *(X, y, {"X_val": X, "y_val": y, "sample_weight_val": np.zeros(40)}),
        "sample_weight_val",
    ),
    "validation weights of another length": (
        *(X, y, {"X_val": X_more, "y_val": y_more, "sample_weight_val": np.ones(31)}),
        "sample_weight_val",
    ),
}
BAD_FOR_FIT = {
    "coefs_init too short": (X, y, {"coefs_init": [np.ones((4, 5))]}, "coefs_init.*2 layers.*1"),
    "coefs_init too long": (X, y, {"coefs_init": [np.ones((4, 5)), np.ones((5, 3)), np.ones((3, 3))]}, "coefs_init.*3"),
    "coefs_init transposed": (X, y, {"coefs_init": [np.ones((5, 4)), np.ones((5, 3))]}, r"coefs_init\[0\].*\(4, 5\)"),
    "coefs_init of one number": (X, y, {"coefs_init": 0.5}, "coefs_init"),
    "coefs_init ragged": (X, y, {"coefs_init": [[[1.0], [1.0, 2.0]], np.ones((5, 3))]}, "coefs_init"),
    "coefs_init with NaN": (
        X,
        y,
        {"coefs_init": [np.full((4, 5), np.nan), np.ones((5, 3))]},
        r"coefs_init\[0\].*finite",
    ),
    "coefs_init of text": (X, y, {"coefs_init": [np.full((4, 5), "a"), np.ones((5, 3))]}, r"coefs_init\[0\]"),
    "intercepts_init too short": (X, y, {"intercepts_init": [np.ones(5)]}, "intercepts_init.*2 layers.*1"),
    "intercepts_init of the wrong shape": (
        *(X, y, {"intercepts_init": [np.ones(5), np.ones(4)]}),
        r"intercepts_init\[1\].*\(3,\).*\(4,\)",
    ),
    "intercepts_init with infinity": (
        X,
        y,
        {"intercepts_init": [np.full(5, np.inf), np.ones(3)]},
        r"intercepts_init\[0\]",
    ),
}
BAD_DATA = BAD_FOR_BOTH | BAD_FOR_FIT

# name: (parameters, name of the parameter in the message)
BAD_PARAMETERS = {
    "batch_size 0": {"batch_size": 0},
    "batch_size -1": {"batch_size": -1},
    "batch_size 2.5": {"batch_size": 2.5},
    "batch_size half": {"batch_size": "half"},
    "batch_size None": {"batch_size": None},
    "hidden_layer_sizes 0": {"hidden_layer_sizes": 0},
    "hidden_layer_sizes negative": {"hidden_layer_sizes": -5},
    "hidden_layer_sizes with 0": {"hidden_layer_sizes": (5, 0)},
    "hidden_layer_sizes with a negative one": {"hidden_layer_sizes": (5, -1)},
    "hidden_layer_sizes with a fraction": {"hidden_layer_sizes": (2.5,)},
    "hidden_layer_sizes a fraction": {"hidden_layer_sizes": 2.5},
    "hidden_layer_sizes with text": {"hidden_layer_sizes": ("5",)},
    "hidden_layer_sizes nested": {"hidden_layer_sizes": [[5, 3]]},
    "hidden_layer_sizes None": {"hidden_layer_sizes": None},
    "activation unknown": {"activation": "relu6"},
    "activation None": {"activation": None},
    "activation unknown in a list": {"activation": ["relu6"]},
    "activation of a wrong type in a list": {"activation": [3]},
    "activation list too long": {"activation": ["relu", "tanh"]},
    "activation list empty": {"activation": []},
    "validation_fraction 1": {"validation_fraction": 1},
    "validation_fraction 1.0": {"validation_fraction": 1.0},
    "validation_fraction negative": {"validation_fraction": -0.1},
    "validation_fraction that leaves no training row": {"validation_fraction": 0.999},
    "solver": {"solver": "newton"},
    "learning_rate": {"learning_rate": "falling"},
    "learning_rate_init 0": {"learning_rate_init": 0.0},
    "learning_rate_init negative": {"learning_rate_init": -0.1},
    "learning_rate_init text": {"learning_rate_init": "fast"},
    "power_t": {"power_t": -1},
    "momentum": {"momentum": 1.5},
    "nesterovs_momentum": {"nesterovs_momentum": "yes"},
    "beta_1": {"beta_1": 1.0},
    "beta_2": {"beta_2": -0.1},
    "epsilon": {"epsilon": 0.0},
    "alpha": {"alpha": -1.0},
    "max_iter": {"max_iter": 0},
    "max_fun": {"max_fun": 0},
    "tol": {"tol": -1.0},
    "n_iter_no_change": {"n_iter_no_change": 0},
    "early_stopping": {"early_stopping": "yes"},
    "shuffle": {"shuffle": "yes"},
    "scoring": {"scoring": "accurracy"},
    "class_weight": {"class_weight": "even"},
    "class_weight of an unknown class": {"class_weight": {7: 1.0}},
    "class_weight negative": {"class_weight": {0: -1.0}},
    "class_weight NaN": {"class_weight": {0: np.nan}},
    "dtype": {"dtype": "float16"},
    "warm_start": {"warm_start": "yes"},
    "random_state": {"random_state": "seed"},
}


def name_in(case):
    (name,) = BAD_PARAMETERS[case]
    # scikit-learn checks class_weight; its message names the class or the weights.
    return "class_weight|[Cc]lass" if name == "class_weight" else name
