"""Calls that use a model: predictions, scores, inspection."""

import numpy as np
from sklearn.exceptions import NotFittedError
from sklearn.utils import Bunch

from skfnn.inspection import batch_size_tradeoff, gradient_noise, hidden_activations

from . import oracle
from .arguments import weights
from .call import Call, any_rows, for_model, worst
from .matrices import n_rows
from .oracle import require
from .targets import targets
from .values import BAD, GOOD, OPEN, Value, chance, entry, listed


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


def prediction(method):
    def prepare(session):
        if not hasattr(session.estimator, method):  # a regressor has no probabilities
            return predict(session)
        X, n = any_rows(session)
        verdict, trained = for_model(session, X), session.trained

        def judge(result):
            activation = trained.activation if trained.usual and verdict == GOOD else None
            rows = n if X.verdict == GOOD else n_rows(X.value)
            oracle.require_prediction(method, session.estimator, X.value, rows, trained.problem, result, activation)

        return _needs_model(session, method, getattr(session.estimator, method), {"X": X}, verdict, judge)

    prepare.__name__ = method
    return prepare


predict = prediction("predict")


def score(session):
    """A call of scikit-learn's score."""
    X, n = any_rows(session, (0.85, 0.05))
    arguments = {"X": X, "y": targets(session.rng, session.problem, n, (0.9, 0.05))}
    if chance(session.rng, 0.2):
        w = weights(session.rng, n, (1.0, 0.0))
        # Metrics do not accept a single number.
        arguments["sample_weight"] = w._replace(verdict=OPEN) if w.name == "number" else w
    verdict = max(worst(arguments), for_model(session, X))
    if session.trained is not None and session.trained.problem is not session.problem:
        verdict = max(verdict, OPEN)

    def judge(result):
        require(isinstance(result, float), f"score gives a number, not {result!r}")
        usual = verdict == GOOD and session.trained.usual
        require(np.isfinite(result) or n < 2 or not usual, f"score gives {result}")

    return _needs_model(session, "score", session.estimator.score, arguments, verdict, judge)


def hidden_activations_(session):
    """A call of hidden_activations."""
    X, n = any_rows(session)
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

    verdict = max(worst(arguments), for_model(session, X))
    return _needs_model(session, "hidden_activations", call, arguments, verdict, judge)


def gradient_noise_(session):
    """A call of gradient_noise."""
    rng = session.rng
    X, n = any_rows(session, (0.85, 0.07))
    arguments = {"X": X, "y": targets(rng, session.problem, n, (0.9, 0.05))}
    if chance(rng, 0.2):
        arguments["sample_weight"] = weights(rng, n)
    wrong = entry(rng, BAD, listed([[0], [n + 1], "x", 3, [1.5], [[1]], [None], {1}, [-1], [2**70], [True]]))
    arguments["batch_sizes"] = wrong if chance(rng, 0.1) else entry(rng, GOOD, listed([None, [1, 3], [n], (2,)]))
    wrong = entry(rng, BAD, listed([-1, 2.5, "x", None, True]))
    arguments["n_draws"] = wrong if chance(rng, 0.05) else entry(rng, GOOD, listed([0, 1, 3, np.int64(2)]))
    arguments["random_state"] = entry(rng, BAD, listed(["x", 1.5])) if chance(rng, 0.05) else Value(0, GOOD, "0")
    verdict = max(worst(arguments), for_model(session, X))
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
    X, n = any_rows(session, (0.9, 0.05))
    X_val, n_val = any_rows(session, (0.9, 0.05))
    arguments = {"X": X, "y": targets(rng, session.problem, n, (0.95, 0.03))}
    arguments |= {"X_val": X_val, "y_val": targets(rng, session.problem, n_val, (0.95, 0.03))}
    wrong = entry(rng, BAD, listed([[0], [n + 1], "full", 3, [1.5], [[1]], [None], [], ["half"], [2**70], None]))
    good = entry(rng, GOOD, listed([[3], [5, "full"], ("auto",), np.array([7])]))
    arguments["batch_sizes"] = wrong if chance(rng, 0.15) else good
    # One run may diverge. A clone with invalid parameters is refused, unless only its batch size was invalid.
    wrong = BAD in [verdict for name, verdict in session.verdicts.items() if name != "batch_size"]
    verdict = BAD if session.estimator.solver == "lbfgs" or wrong else worst(arguments)

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
