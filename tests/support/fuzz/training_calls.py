"""Calls that train: random arguments, their verdict, and the laws of the results."""

import copy

import numpy as np

from . import oracle, parameters
from .arguments import initial_values, validation, weights
from .call import Call, Trained, any_rows, for_model, worst
from .matrices import n_columns, names_of
from .oracle import require
from .targets import announced, problem_of, targets
from .values import BAD, GOOD, OPEN, chance

# These weights are larger than usual ones, but the raw outputs of usual rows stay finite.
LARGEST_USUAL_WEIGHT = 1e4


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
    X, n = any_rows(session)
    arguments = {"X": X, "y": targets(rng, of, n)}
    if chance(rng, 0.25):
        arguments["sample_weight"] = weights(rng, n)
    if incremental and session.kind == "classifier" and (fresh or chance(rng, 0.2)):
        arguments["classes"] = announced(rng, of)
    arguments |= validation(
        rng, lambda shares: any_rows(session, shares), lambda n, shares: targets(rng, of, n, shares)
    )
    of_parameters = max(session.verdicts.values(), default=GOOD)
    verdict = max(worst(arguments), of_parameters, parameters.together(estimator, incremental))
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
    if not fresh and (not _continues(session) or for_model(session, arguments["X"]) != GOOD):
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
