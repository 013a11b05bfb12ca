"""The calls that a session may make: random arguments, their verdict, and the laws of the results."""

import copy
import pickle
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils import Bunch

from skfnn.inspection import batch_size_tradeoff, gradient_noise, hidden_activations

from . import callbacks, oracle, parameters
from .arguments import initial_values, validation, weights
from .matrices import n_columns, n_rows, names_of, rows, size
from .oracle import require
from .targets import announced, problem_of, targets
from .values import BAD, GOOD, OPEN, Value, chance, choose, entry, listed

TRAINING = ("fit", "partial_fit", "resume")
# These weights are larger than usual ones, but the raw outputs of usual rows stay finite.
LARGEST_USUAL_WEIGHT = 1e4


class Call(NamedTuple):
    """A call to make."""

    method: str
    function: Any
    arguments: dict  # by name, Values
    verdict: int
    judge: Any = lambda result: None  # checks the result
    errors: tuple = ()  # kinds of errors that are correct here although they are not documented


class Trained(NamedTuple):
    """What the session knows about the model of an estimator."""

    problem: Any
    hidden: tuple
    activation: Any
    usual: bool  # whether all values of its training were GOOD


def _any_rows(session, shares=(0.86, 0.08)):
    """A random X and its number of rows."""
    n, d = size(session.rng), session.n_features + chance(session.rng, 0.03)
    X = rows(session.rng, n, d, shares)
    if X.verdict == OPEN and n_rows(X.value) is not None:
        n = n_rows(X.value)
    return X, n


def _for_model(session, X):
    """The verdict of X for the present model: X must have the model's number of columns and their names."""
    if X.verdict != GOOD or session.trained is None:
        return X.verdict
    if n_columns(X.value) != session.estimator.n_features_in_:
        return BAD
    known, names = getattr(session.estimator, "feature_names_in_", None), names_of(X.value)
    return OPEN if known is not None and names is not None and list(known) != names else GOOD


def _worst(arguments):
    return max(value.verdict for value in arguments.values())


# Training


def _hidden(session):
    """The sizes of the hidden layers in the parameter, or None if the parameter is invalid."""
    if session.verdicts.get("hidden_layer_sizes", GOOD) != GOOD:
        return None
    sizes = session.estimator.hidden_layer_sizes
    return tuple(int(size) for size in (sizes if np.iterable(sizes) else [sizes]))


def _continues(session):
    """Whether the present parameters and the session's labels allow training of the model to continue."""
    trained = session.trained
    if trained.problem is not session.problem or trained.hidden != _hidden(session):
        return False
    return trained.activation == session.estimator.activation


def _training(session, method):
    """Random arguments for training, their verdict, and whether training starts again."""
    rng, estimator, of = session.rng, session.estimator, session.problem
    incremental = method == "partial_fit"
    fresh = session.trained is None or (method == "fit" and not estimator.warm_start)
    X, n = _any_rows(session)
    arguments = {"X": X, "y": targets(rng, of, n)}
    if chance(rng, 0.25):
        arguments["sample_weight"] = weights(rng, n)
    if incremental and session.kind == "classifier" and (fresh or chance(rng, 0.2)):
        arguments["classes"] = announced(rng, of)
    arguments |= validation(
        rng, lambda shares: _any_rows(session, shares), lambda n, shares: targets(rng, of, n, shares)
    )
    of_parameters = max(session.verdicts.values(), default=GOOD)
    verdict = max(_worst(arguments), of_parameters, parameters.together(estimator, incremental))
    if verdict == GOOD:
        verdict = _agree(session, arguments, fresh, n)
    return arguments, verdict, fresh


def _agree(session, arguments, fresh, n):
    """The verdict of a combination of GOOD arguments for the present model."""
    given = [
        arguments[name].value for name in ("X", "X_val") if name in arguments and arguments[name].value is not None
    ]
    widths = {n_columns(X) for X in given} | (set() if fresh else {session.estimator.n_features_in_})
    if len(widths) > 1:
        return BAD
    if not fresh and (not _continues(session) or _for_model(session, arguments["X"]) != GOOD):
        return OPEN
    known = names_of(given[0]) if fresh else getattr(session.estimator, "feature_names_in_", None)
    if any(names_of(X) not in (None, known if known is None else list(known)) for X in given) and known is not None:
        return OPEN
    return GOOD


def _judge_training(session, arguments, verdict, fresh):
    """The laws of successful training."""
    n_epochs = 0 if fresh else len(session.estimator.history_["epoch"])

    def judge(result):
        model, trained = session.estimator, session.trained
        require(result is model, "training returns the estimator")
        sizes = model.hidden_layer_sizes
        hidden = tuple(int(size) for size in (sizes if np.iterable(sizes) else [sizes]))
        of = problem_of(model, session.kind) if fresh else trained.problem
        if fresh and arguments["y"].verdict == GOOD and arguments.get("classes", arguments["y"]).verdict == GOOD:
            require((of.kind, of.n_outputs) == session.problem[:3:2], f"a model of {of} for {session.problem}")
            of = session.problem
        d = n_columns(arguments["X"].value) if arguments["X"].verdict == GOOD else model.n_features_in_
        oracle.require_fitted(model, d, hidden, of, fresh, trained=len(model.history_["epoch"]) > n_epochs)
        largest = max((np.abs(W).max(initial=0.0) for W in model.coefs_), default=0.0)
        usual = verdict == GOOD and (fresh or trained.usual) and largest < LARGEST_USUAL_WEIGHT
        session.trained = Trained(of, hidden, copy.copy(model.activation), bool(usual))

    return judge


def fit(session):
    """A call of fit."""
    arguments, verdict, fresh = _training(session, "fit")
    hidden = _hidden(session)
    if hidden is not None and arguments["X"].verdict == GOOD:
        sizes = [n_columns(arguments["X"].value), *hidden, session.problem.n_units]
        for name, share in (("coefs_init", 0.1), ("intercepts_init", 0.07)):
            if chance(session.rng, share):
                arguments[name] = initial_values(session.rng, sizes, name == "intercepts_init")
                verdict = max(verdict, arguments[name].verdict)
    judge = _judge_training(session, arguments, verdict, fresh)
    return Call("fit", session.estimator.fit, arguments, verdict, judge)


def partial_fit(session):
    """A call of partial_fit. Estimators with L-BFGS do not have it."""
    arguments, verdict, fresh = _training(session, "partial_fit")
    judge = _judge_training(session, arguments, verdict, fresh)

    def call(**values):
        return session.estimator.partial_fit(**values)

    errors = (AttributeError,) if session.estimator.solver == "lbfgs" else ()
    return Call("partial_fit", call, arguments, verdict, judge, errors)


def resume(session):
    """A call of resume."""
    arguments, verdict, fresh = _training(session, "resume")
    judge = _judge_training(session, arguments, verdict, fresh)
    return Call("resume", session.estimator.resume, arguments, verdict, judge)


# Predictions


def _needs_model(session, method, function, arguments, verdict, judge):
    """A call that needs a model. Without one it must raise NotFittedError."""
    if session.trained is not None:
        if not session.trained.usual:
            verdict = max(verdict, OPEN)  # it may overflow
        return Call(method, function, arguments, verdict, judge)

    def call(**values):
        try:
            function(**values)
        except NotFittedError:
            raise
        except Exception as error:
            if verdict == GOOD:
                raise oracle.Broken(f"{method} without a model raised {type(error).__name__}: {error}") from error
            raise

    return Call(method, call, arguments, BAD)


def _prediction(method):
    def prepare(session):
        if not hasattr(session.estimator, method):  # a regressor has no probabilities
            return predict(session)
        X, n = _any_rows(session)
        verdict, trained = _for_model(session, X), session.trained

        def judge(result):
            activation = trained.activation if trained.usual and verdict == GOOD else None
            rows = n if X.verdict == GOOD else n_rows(X.value)
            oracle.require_prediction(method, session.estimator, X.value, rows, trained.problem, result, activation)

        return _needs_model(session, method, getattr(session.estimator, method), {"X": X}, verdict, judge)

    prepare.__name__ = method
    return prepare


predict = _prediction("predict")


def score(session):
    """A call of scikit-learn's score."""
    X, n = _any_rows(session, (0.85, 0.05))
    arguments = {"X": X, "y": targets(session.rng, session.problem, n, (0.9, 0.05))}
    if chance(session.rng, 0.2):
        w = weights(session.rng, n, (1.0, 0.0))
        # Metrics do not accept a single number.
        arguments["sample_weight"] = w._replace(verdict=OPEN) if w.name == "number" else w
    verdict = max(_worst(arguments), _for_model(session, X))
    if session.trained is not None and session.trained.problem is not session.problem:
        verdict = max(verdict, OPEN)

    def judge(result):
        require(isinstance(result, float), f"score gives a number, not {result!r}")
        usual = verdict == GOOD and session.trained.usual
        require(np.isfinite(result) or n < 2 or not usual, f"score gives {result}")

    return _needs_model(session, "score", session.estimator.score, arguments, verdict, judge)


def hidden_activations_(session):
    """A call of hidden_activations."""
    X, n = _any_rows(session)
    n_hidden = len(session.trained.hidden) if session.trained else 1
    layer = entry(session.rng, BAD, listed([n_hidden, -n_hidden - 1, 10**30, "x", None, 1.5, True, [0]]))
    if n_hidden and chance(session.rng, 0.85):
        layer = Value(int(session.rng.integers(-n_hidden, n_hidden)), GOOD, "of the network")
    arguments = {"X": X, "layer": layer}

    def judge(result):
        rows = n if X.verdict == GOOD else n_rows(X.value)
        require(result.shape == (rows, session.trained.hidden[layer.value]), f"the shape is {result.shape}")
        require(np.isfinite(result).all(), "activations are finite")

    def call(**values):
        return hidden_activations(session.estimator, **values)

    verdict = max(_worst(arguments), _for_model(session, X))
    return _needs_model(session, "hidden_activations", call, arguments, verdict, judge)


def gradient_noise_(session):
    """A call of gradient_noise."""
    rng = session.rng
    X, n = _any_rows(session, (0.85, 0.07))
    arguments = {"X": X, "y": targets(rng, session.problem, n, (0.9, 0.05))}
    if chance(rng, 0.2):
        arguments["sample_weight"] = weights(rng, n)
    wrong = entry(rng, BAD, listed([[0], [n + 1], "x", 3, [1.5], [[1]], [None], {1}, [-1], [2**70], [True]]))
    arguments["batch_sizes"] = wrong if chance(rng, 0.1) else entry(rng, GOOD, listed([None, [1, 3], [n], (2,)]))
    wrong = entry(rng, BAD, listed([-1, 2.5, "x", None, True]))
    arguments["n_draws"] = wrong if chance(rng, 0.05) else entry(rng, GOOD, listed([0, 1, 3, np.int64(2)]))
    arguments["random_state"] = entry(rng, BAD, listed(["x", 1.5])) if chance(rng, 0.05) else Value(0, GOOD, "0")
    verdict = max(_worst(arguments), _for_model(session, X))
    if session.trained is not None and (session.trained.problem is not session.problem or not session.verdicts_good()):
        verdict = max(verdict, OPEN)

    def call(**values):
        return gradient_noise(session.estimator, **values)

    def judge(result):
        require(type(result) is Bunch, "gradient_noise returns a Bunch")
        n_layers = len(session.trained.hidden) + 1
        for name in ("variance_by_layer", "gradient_norm_squared_by_layer", "noise_scale_by_layer"):
            require(result[name].shape == (n_layers,), f"the shape of {name} is {result[name].shape}")
        for name in ("predicted_variance", "measured_variance"):
            require(result[name].shape == np.shape(result.batch_sizes), f"the shape of {name}")
        for name in ("variance", "gradient_norm_squared", "variance_by_layer", "predicted_variance"):
            require((np.asarray(result[name]) >= 0).all(), f"{name} is {result[name]}")
            require(np.isfinite(result[name]).all(), f"{name} is {result[name]}")
        require(
            1 <= result.recommended_batch_size <= max(1, n_rows(X.value)), "a batch size from 1 to B is recommended"
        )

    return _needs_model(session, "gradient_noise", call, arguments, verdict, judge)


def batch_size_tradeoff_(session):
    """A call of batch_size_tradeoff."""
    rng = session.rng
    X, n = _any_rows(session, (0.9, 0.05))
    X_val, n_val = _any_rows(session, (0.9, 0.05))
    arguments = {"X": X, "y": targets(rng, session.problem, n, (0.95, 0.03))}
    arguments |= {"X_val": X_val, "y_val": targets(rng, session.problem, n_val, (0.95, 0.03))}
    wrong = entry(rng, BAD, listed([[0], [n + 1], "full", 3, [1.5], [[1]], [None], [], ["half"], [2**70], None]))
    good = entry(rng, GOOD, listed([[3], [5, "full"], ("auto",), np.array([7])]))
    arguments["batch_sizes"] = wrong if chance(rng, 0.15) else good
    # One run may diverge. A clone with invalid parameters is refused, unless only its batch size was invalid.
    wrong = BAD in [verdict for name, verdict in session.verdicts.items() if name != "batch_size"]
    verdict = BAD if session.estimator.solver == "lbfgs" or wrong else _worst(arguments)

    def call(**values):
        return batch_size_tradeoff(session.estimator, **values)

    def judge(result):
        sizes = np.atleast_1d(np.array(arguments["batch_sizes"].value, dtype=object))
        for name in ("batch_sizes", "seconds_per_step", "gradient_variance", "histories", "n_steps"):
            require(len(result[name]) == len(sizes), f"{name} has one entry for each batch size")
        for history in result.histories:
            require(len({len(values) for values in history.values()}) == 1, "histories have lists of equal length")
        require(np.isfinite(result.gradient_variance).all(), "variances are finite")

    return Call("batch_size_tradeoff", call, arguments, max(verdict, OPEN), judge)


# The other methods


def set_params(session):
    """A call of set_params. An unknown name is refused."""
    rng = session.rng
    if chance(rng, 0.1):
        name = choose(rng, ["n_layers", "estimator__alpha", "coefs_", "", "alpha_"])
        return Call("set_params", session.estimator.set_params, {name: Value(1, BAD, "1")}, BAD)
    given = parameters.several(rng, session.names, session.problem, 0.03)
    # One invalid parameter makes all training fail, so this call usually corrects all invalid ones.
    wrong = [name for name, verdict in session.verdicts.items() if verdict == BAD]
    if chance(rng, 0.7):
        given = {name: parameters.one(rng, name, session.problem, 0.0) for name in wrong} or given

    def judge(result):
        require(result is session.estimator, "set_params returns the estimator")
        session.note_parameters(given)

    return Call("set_params", session.estimator.set_params, given, GOOD, judge)


def get_params(session):
    """A call of get_params."""

    def judge(result):
        require(list(result) == sorted(session.names), f"get_params gives {list(result)}")

    return Call("get_params", session.estimator.get_params, {}, GOOD, judge)


def clone_(session):
    """A call of clone: the clone has the same parameters and no model."""

    def judge(result):
        require(type(result) is type(session.estimator), "a clone is of the same class")
        oracle.require_unfitted(result)
        pair = (result.get_params(), session.estimator.get_params())
        require(oracle.print_of(pair[0]) == oracle.print_of(pair[1]), "a clone has the same parameters")

    return Call("clone", lambda: clone(session.estimator), {}, GOOD, judge)


def _copied(method, function):
    def prepare(session):
        def judge(result):
            oracle.require_unchanged(result, oracle.state(session.estimator), f"a copy by {method}")
            for a, b in zip(getattr(result, "coefs_", []), getattr(session.estimator, "coefs_", []), strict=True):
                require(not np.shares_memory(a, b), f"a copy by {method} has its own weights")
                # In the user's units, weights that the user wrote differ from the copy's by rounding.
                require(np.allclose(a, b, rtol=1e-5, equal_nan=True), f"a copy by {method} has the same weights")

        return Call(method, lambda: function(session.estimator), {}, GOOD, judge)

    return prepare


def repr_(session):
    """A call of repr."""

    def judge(result):
        require(result.startswith(type(session.estimator).__name__), f"repr gives {result}")

    return Call("repr", lambda: repr(session.estimator), {}, GOOD, judge)


def restore_best(session):
    """A call of restore_best, which needs an earlier partial_fit with a validation set."""
    verdict = BAD if session.trained is None else OPEN

    def judge(result):
        require(result is session.estimator, "restore_best returns the estimator")
        require(all(np.isfinite(W).all() for W in result.coefs_), "the best weights are finite")

    return Call("restore_best", session.estimator.restore_best, {}, verdict, judge)


def write(session):
    """Write into coefs_, which changes what the model predicts."""
    if session.trained is None:
        return Call("write", lambda: session.estimator.coefs_, {}, BAD, errors=(AttributeError,))
    layer = int(session.rng.integers(len(session.estimator.coefs_)))

    def call():
        session.estimator.coefs_[layer][...] = 0.25

    def judge(result):
        require((session.estimator.coefs_[layer] == 0.25).all(), "coefs_ are the parameters themselves")

    return Call("write", call, {}, GOOD, judge)


def set_callbacks(session):
    """A call of set_callbacks."""
    given = callbacks.callbacks(session.rng)
    verdict = given.verdict if callbacks.EXIST else BAD
    errors = () if callbacks.EXIST else (ImportError,)

    def call(callbacks):
        return session.estimator.set_callbacks(*callbacks)

    def judge(result):
        require(result is session.estimator, "set_callbacks returns the estimator")
        # A callback may stop training before the first epoch ends, or make training fail.
        session.verdicts["callbacks"] = OPEN if given.value else GOOD

    return Call("set_callbacks", call, {"callbacks": given}, verdict, judge, errors)


class Maker(NamedTuple):
    """How to prepare a call, and how often to make it."""

    share: float
    prepare: Any


CALLS = {
    "fit": Maker(28, fit),
    "partial_fit": Maker(20, partial_fit),
    "resume": Maker(4, resume),
    "predict": Maker(8, predict),
    "predict_proba": Maker(5, _prediction("predict_proba")),
    "predict_log_proba": Maker(3, _prediction("predict_log_proba")),
    "decision_function": Maker(4, _prediction("decision_function")),
    "score": Maker(6, score),
    "hidden_activations": Maker(4, hidden_activations_),
    "gradient_noise": Maker(4, gradient_noise_),
    "batch_size_tradeoff": Maker(0.7, batch_size_tradeoff_),
    "set_params": Maker(8, set_params),
    "get_params": Maker(1, get_params),
    "clone": Maker(1.5, clone_),
    "pickle": Maker(1.5, _copied("pickle", lambda estimator: pickle.loads(pickle.dumps(estimator)))),
    "deepcopy": Maker(1, _copied("deepcopy", copy.deepcopy)),
    "repr": Maker(1, repr_),
    "restore_best": Maker(2, restore_best),
    "write": Maker(1, write),
    "set_callbacks": Maker(2, set_callbacks),
}
