"""The calls that a session may make, and how often it makes them."""

import copy
import pickle
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import clone

from . import callbacks, oracle, parameters
from .call import Call
from .oracle import require
from .prediction_calls import batch_size_tradeoff_, gradient_noise_, hidden_activations_, predict, prediction, score
from .training_calls import fit, partial_fit, resume
from .values import BAD, GOOD, OPEN, Value, chance, choose


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
    "predict_proba": Maker(5, prediction("predict_proba")),
    "predict_log_proba": Maker(3, prediction("predict_log_proba")),
    "decision_function": Maker(4, prediction("decision_function")),
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
