"""Random values of every parameter of the constructors."""

import numpy as np

from .values import BAD, GOOD, OPEN, UsersError, Value, chance, choose, entry, listed


def rate_falling(step):
    """A valid learning rate as a function."""
    return 0.1 / (1 + step)


def rate_text(step):
    """A learning rate that is invalid."""
    return "fast"


def rate_negative_later(step):
    """A learning rate that becomes invalid after some steps."""
    return 0.01 if step < 3 else -1.0


def rate_nan(step):
    """A learning rate that is not a number."""
    return np.nan


def rate_of_numpy(step):
    """A learning rate as a NumPy number."""
    return np.float32(0.01)


def rate_raises(step):
    """A learning rate that fails."""
    raise UsersError("rate")


def score_size(estimator, X, y, sample_weight=None):
    """A scorer that uses its arguments."""
    return float(np.shape(estimator.predict(X))[0] + np.shape(y)[0])


def score_weighted(estimator, X, y, sample_weight=None):
    """A scorer that takes weights."""
    return 0.0 if sample_weight is None else float(np.sum(sample_weight))


def score_nan(estimator, X, y):
    """A score that is not a number."""
    return np.nan


def score_infinite(estimator, X, y):
    """An infinite score."""
    return -np.inf


def score_text(estimator, X, y):
    """A score that is a text."""
    return "good"


def score_none(estimator, X, y):
    """A score that is None."""
    return None


def score_array(estimator, X, y):
    """Several scores."""
    return np.array([0.5, 0.5])


def score_dict(estimator, X, y):
    """Several scores, as a multimetric scorer gives them."""
    return {"accuracy": 0.5}


def score_raises(estimator, X, y):
    """A scorer that fails."""
    raise UsersError("score")


NAN, INF = float("nan"), float("inf")
ACTIVATIONS = ["identity", "logistic", "tanh", "relu", "leaky_relu", "elu", "selu", "gelu", "silu", "softplus"]
FLAG = (listed([True, False, np.True_]), listed([0, 1]), listed(["yes", None, 2.5, [True]]))
NOT_NUMBERS = ["x", None, [0.1], NAN, 1j]
SCORERS = ["accuracy", "balanced_accuracy", "f1", "f1_macro", "neg_log_loss", "neg_brier_score", "roc_auc", "r2"]
SCORERS += ["roc_auc_ovr", "neg_mean_squared_error", "neg_mean_poisson_deviance", "average_precision", "top_k_accuracy"]
SCORERS += ["d2_absolute_error_score", "max_error", "jaccard", "precision", "rand_score", "explained_variance"]
SCORE_FUNCTIONS = [score_size, score_nan, score_infinite, score_text, score_none, score_array, score_dict]
SCORE_FUNCTIONS += [score_weighted, score_raises]
RATE_FUNCTIONS = [rate_text, rate_negative_later, rate_nan, rate_raises]

# No machine lets a process use the 160 terabytes of this network.
TOO_WIDE = 10**13


def named(functions):
    """A table of functions by their names."""
    return {function.__name__: function for function in functions}


# parameter: (GOOD values, OPEN values, BAD values). OPEN values are accepted, but they are extreme: training may
# diverge, or the data may be too small for them.
TABLES = {
    "hidden_layer_sizes": (
        listed([(5,), 5, [4, 3], (), np.int64(3), np.array([3, 2]), (2, 3, 2, 3), (1,), 70, (3, 40)]),
        listed([True, range(2, 4), {3: 1}, {4}, b"ab", "", (TOO_WIDE,), (2, TOO_WIDE), (10**30,), [np.True_, 2]]),
        listed([0, -5, (5, 0), (5, -1), (2.5,), 2.5, ("5",), "5", [[5, 3]], None, NAN, (NAN,), (None,), np.array(5.0)]),
    ),
    "activation": (
        listed(ACTIVATIONS),
        listed([["relu"], ("tanh", "relu"), ["gelu", "selu"], [], ["relu"] * 4]),
        listed(["relu6", "", None, 3, ["relu6"], [3], {"relu"}, b"relu", np.array(["relu"]), NAN]),
    ),
    "solver": (listed(["sgd", "adam", "lbfgs"]), {}, listed(["newton", None, 1, ["sgd"], b"sgd", "SGD"])),
    "batch_size": (
        listed(["auto", "full", 1, 2, 7, np.int64(3), 1000, 10**30]),
        listed([True]),
        listed([0, -1, 2.5, "half", None, NAN, INF, [3], np.array([3]), 3.0]),
    ),
    "shuffle": FLAG,
    "init": (listed(["auto", "glorot", "he", "lecun"]), {}, listed(["xavier", "", None, 1, ["he"], b"he"])),
    "standardize": (listed(["auto", True, False, np.True_]), listed([0, 1]), listed(["yes", None, 2.5, [True]])),
    "learning_rate_init": (
        listed(["auto", 0.01, 0.001, np.float32(0.01), 1e-300, 5e-324]),
        listed([1, 10.0, 1e10, 1e38, 1e300, INF]),
        listed([0, -0.1, "fast", "0.1", *NOT_NUMBERS]),
    ),
    "learning_rate": (
        listed(["constant", "invscaling", "adaptive", "cosine"]) | named([rate_falling, rate_of_numpy]),
        named(RATE_FUNCTIONS),
        listed(["falling", None, 3, ["constant"], 0.1]),
    ),
    "power_t": (listed([0.5, 1, 0, 2.0]), listed([1e300, INF, 400.0]), listed([-1, *NOT_NUMBERS])),
    "momentum": (listed([0.0, 0.5, 0.9, 0]), listed([1.0, 1, 1 - 1e-16]), listed([1.5, -0.1, *NOT_NUMBERS])),
    "nesterovs_momentum": FLAG,
    "beta_1": (listed([0.9, 0, 0.5]), listed([1 - 1e-16, 1e-300]), listed([1.0, -0.1, *NOT_NUMBERS])),
    "beta_2": (listed([0.999, 0, 0.5]), listed([1 - 1e-16, 1e-300]), listed([1.0, -0.1, *NOT_NUMBERS])),
    "epsilon": (listed([1e-8, 1e-3, 1]), listed([1e-300, 1e300, 5e-324, 1e-45]), listed([0, -1.0, *NOT_NUMBERS])),
    "alpha": (listed([0, 0.0, 1e-4, 0.1, 1e-300]), listed([5, 1e10, 1e300, INF]), listed([-1.0, *NOT_NUMBERS])),
    "weight_decay": (listed([0.0, 1e-2, 1e-300]), listed([5, 1e10, 1e300, INF]), listed([-1.0, *NOT_NUMBERS])),
    "dropout": (listed([0.0, 0.2, 0.5, 0]), listed([1 - 1e-12, 1e-300]), listed([1, 1.0, -0.1, *NOT_NUMBERS])),
    "max_grad_norm": (
        listed([None, 1.0, 0.1, 100]),
        listed([1e-300, 1e300, 5e-324, INF]),
        listed([0, -1.0, "x", [1], NAN]),
    ),
    "max_iter": (listed([1, 2, 3, 5, np.int64(2)]), listed([True, 40]), listed([0, -1, 2.5, *NOT_NUMBERS])),
    "tol": (listed([1e-4, 0.0, 0.1]), listed([INF, 1e300]), listed([-1.0, *NOT_NUMBERS])),
    "n_iter_no_change": (
        listed([1, 2, 10, INF, None]),
        listed([True]),
        listed([0, -1, 2.5, *(value for value in NOT_NUMBERS if value is not None)]),
    ),
    "early_stopping": FLAG,
    "validation_fraction": (
        listed([None, 0, 0.0, 0.1, 0.5]),
        listed([0.999, 1e-10, 1e-300]),
        listed([1, 1.0, -0.1, 1.5, "x", NAN]),
    ),
    "scoring": (
        listed([None, "loss"]) | named([score_size]),
        listed(SCORERS) | named(SCORE_FUNCTIONS),
        listed(["accurracy", 3, ["accuracy"], {"a": "accuracy"}, True]),
    ),
    "dtype": (
        listed(["auto", "float32", "float64"]),
        {},
        listed(["float16", None, np.float32, "f4", np.dtype("float64"), 32]),
    ),
    "max_fun": (listed([15000, 10, 1]), listed([True]), listed([0, -1, 2.5, *NOT_NUMBERS])),
    "warm_start": FLAG,
    "random_state": (listed([0, None, 2**32 - 1, np.int64(3)]), {}, listed(["seed", 2.5, -1, 2**32, [0], NAN])),
    "verbose": (listed([False]), listed([True, 1, 5]), listed(["x", -1, None, 2.5])),
    # Only for the classifier. `class_weights` makes a dict for the problem's labels.
    "label_smoothing": (listed([0.0, 0.1, 0.5]), listed([1 - 1e-16, 1e-300]), listed([1.0, -0.1, *NOT_NUMBERS])),
    "class_weight": (listed([None, "balanced"]), {}, listed(["even", 3, 0.5, {1, 2}])),
    # Only for the regressor.
    "loss": (listed(["squared_error"]), listed(["poisson"]), listed(["huber", None, 3, ["poisson"]])),
}


def class_weights(rng, problem):
    """A class weight for the labels of a problem."""
    labels = [label.item() if isinstance(label, np.generic) else label for label in problem.classes]
    weights = {label: float(rng.uniform(0.1, 3)) for label in labels}
    if problem.kind == "multilabel":
        each = [{0: 1.0, 1: float(rng.uniform(0.1, 3))} for _ in range(problem.n_outputs)]
        table = {"list": each, "list too short": each[:-1], "list of text": ["balanced"] * len(each), "dict": weights}
        table |= {"list of None": [None] * len(each), "list of negative": [{0: 1.0, 1: -1.0}] * len(each)}
        return entry(rng, OPEN, table)
    if chance(rng, 0.4) and problem.kind in ("binary", "multiclass"):
        return Value(weights, OPEN if problem.odd else GOOD, "dict")
    first = {labels[0]: 2.0}
    wrong = {"negative": -1.0, "NaN": NAN, "infinite": INF, "text": "2", "None": None, "huge": 1e300, "tiny": 1e-320}
    table = {f"dict, one {name}": weights | {labels[0]: value} for name, value in wrong.items()}
    table |= {"dict, zeros": dict.fromkeys(labels, 0.0), "dict, one zero": weights | {labels[0]: 0.0}}
    table |= {"dict of one": first, "dict of others": {"other": 1.0}, "empty dict": {}, "list of dict": [first]}
    return entry(rng, OPEN, table)


def one(rng, name, problem, share_bad):
    """A random value of the parameter `name`."""
    if name == "class_weight" and chance(rng, 0.5):
        return class_weights(rng, problem)
    if name == "random_state" and chance(rng, 0.1):
        if chance(rng, share_bad):
            return Value(np.random.default_rng(0), BAD, "Generator")
        return Value(np.random.RandomState(int(rng.integers(100))), GOOD, "RandomState")
    good, open_, bad = TABLES[name]
    if chance(rng, share_bad):
        return entry(rng, BAD, bad)
    return entry(rng, OPEN, open_) if open_ and chance(rng, 0.08) else entry(rng, GOOD, good)


def several(rng, names, problem, share_bad=0.0):
    """Random values of some parameters, by name. Each is BAD with the probability `share_bad`."""
    n = min(len(names), int(rng.geometric(0.2)))
    return {name: one(rng, name, problem, share_bad) for name in rng.choice(names, n, replace=False).tolist()}


def together(estimator, incremental):
    """The verdict of the combination of parameters that are each accepted alone."""
    if estimator.solver != "lbfgs":
        return GOOD
    off = estimator.dropout == 0.0 and estimator.max_grad_norm is None
    return GOOD if off and not incremental else BAD


def is_too_wide(hidden_layer_sizes):
    """Whether the network is too large for memory."""
    return isinstance(hidden_layer_sizes, tuple) and TOO_WIDE in hidden_layer_sizes


def first_parameters(rng, names, problem):
    """Random parameters for a new estimator; for most estimators all of them are valid."""
    params = several(rng, names, problem, choose(rng, [0.0, 0.0, 0.0, 0.2]))
    params.setdefault("max_iter", Value(int(rng.integers(1, 5)), GOOD, "few"))
    if params["max_iter"].verdict == OPEN and chance(rng, 0.7):
        params["max_iter"] = Value(2, GOOD, "2")
    if chance(rng, 0.7):
        params.setdefault("hidden_layer_sizes", Value((4,), GOOD, "(4,)"))
    params.setdefault("random_state", Value(0, GOOD, "0"))
    return params
