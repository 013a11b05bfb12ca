"""A bounded run of the fuzzer finds nothing, and the fuzzer finds faults that the tests put into the package."""

import faulthandler
import inspect
import os
import re
import threading
import time
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
from fuzz import __main__ as command
from fuzz import session, workers
from fuzz.session import CALLS_A_SESSION, Finding, Session
from fuzz.values import BAD, GOOD
from selection import full_only

from skfnn import FNNClassifier, FNNRegressor

SEED = 0


@pytest.fixture(scope="module")
def n_calls(full):
    """The number of random calls."""
    return 5_000 if full else 300


@pytest.fixture(scope="module")
def bounded_run(n_calls, full):
    """The result of the random calls. In the short suite they need no process of their own."""
    n_sessions = -(-n_calls // CALLS_A_SESSION)
    if full:
        return workers.run_many(SEED, n_sessions, 1)
    result = workers.Result(Counter(), [])
    for index in range(n_sessions):
        done = Session(SEED, index).run()
        result.outcomes.update(done.outcomes)
        if done.finding is not None:
            result.findings.append((index, done.finding))
    return result


def test_random_calls_end_in_a_correct_result_or_in_a_documented_error(bounded_run, n_calls):
    found = [
        f"python -m fuzz --only {SEED}:{index}  # {finding.law} -- after {finding.call}\n{finding.trace}"
        for index, finding in bounded_run.findings
    ]
    assert not found, "\n".join(found)
    assert bounded_run.outcomes.total() >= n_calls


@pytest.mark.parametrize("method", ["fit", "partial_fit", "predict", "score", "hidden_activations"])
def test_the_bounded_run_has_accepted_valid_calls_and_refused_invalid_ones(bounded_run, method):
    came = {(verdict, result == "accepted") for name, verdict, result in bounded_run.outcomes if name == method}
    assert {(GOOD, True), (BAD, False)} <= came
    assert (BAD, True) not in came


def test_seed_and_index_determine_a_session():
    told = [[], [], [], []]
    for texts, (seed, index) in zip(told, [(3, 5), (3, 5), (3, 6), (4, 5)], strict=True):
        Session(seed, index, texts.append).run()
    assert told[0] == told[1]
    assert told[0] != told[2]
    assert told[0] != told[3]


# The fuzzer finds faults


def instead(method):
    """A decorator for a function that replaces a method of the estimators; `call` is the original method."""

    def decorate(function):
        def put(monkeypatch):
            for kind in (FNNClassifier, FNNRegressor):
                original = inspect.getattr_static(kind, method, None)
                if original is not None:  # a regressor has no probabilities
                    monkeypatch.setattr(kind, method, replaced(original))

        def replaced(original):
            def call(self, *args, **kwargs):
                return function(lambda: original.__get__(self, type(self))(*args, **kwargs), self, *args, **kwargs)

            return call

        put.__name__ = function.__name__
        return put

    return decorate


@instead("predict_proba")
def probabilities_that_are_no_numbers(call, model, X):
    return np.full_like(call(), np.nan)


@instead("predict_proba")
def probabilities_of_another_row(call, model, X):
    return np.roll(call(), 1, axis=0)


@instead("predict_proba")
def probabilities_in_another_precision_of_half_the_rows(call, model, X):
    return call()[::2]


@instead("predict_log_proba")
def logarithms_above_0(call, model, X):
    return -call()


@instead("decision_function")
def raw_outputs_that_are_a_little_off(call, model, X):
    return call() + 0.01


@instead("predict")
def a_key_error(call, model, X):
    raise KeyError("an error that is not documented")


@instead("predict")
def an_error_without_a_message(call, model, X):
    call()
    raise ValueError


@instead("predict")
def a_model_that_is_not_there(call, model, X):
    if not hasattr(model, "coefs_"):
        raise ValueError("no model")
    return call()


@instead("predict")
def a_list(call, model, X):
    return call().tolist()


@instead("predict")
def a_column(call, model, X):
    return call().reshape(-1, 1)


@instead("predict")
def rows_that_are_written_into(call, model, X):
    result = call()
    if isinstance(X, np.ndarray) and X.flags.writeable and X.dtype == np.float64:
        X *= 2.0
    return result


@instead("predict")
def a_prediction_that_is_remembered(call, model, X):
    model.last_ = call()
    return model.last_


@instead("predict")
def a_warning_of_numpy(call, model, X):
    result = call()
    np.float64(1.0) / np.float64(0.0)
    return result


@instead("predict")
def a_call_that_does_not_end(call, model, X):
    while True:
        pass


@instead("fit")
def weights_that_are_no_numbers(call, model, *args, **kwargs):
    call()
    model.coefs_[0][...] = np.nan
    return model


@instead("fit")
def nothing_returned(call, model, *args, **kwargs):
    call()


@instead("fit")
def a_valid_call_refused(call, model, *args, **kwargs):
    raise ValueError("I do not feel like it.")


@instead("fit")
def an_attribute_that_a_failure_leaves(call, model, *args, **kwargs):
    model.begun_ = True
    result = call()
    del model.begun_
    return result


@instead("fit")
def a_parameter_replaced(call, model, *args, **kwargs):
    call()
    model.max_iter = 1 + model.max_iter
    return model


@instead("partial_fit")
def a_loss_that_is_not_recorded(call, model, *args, **kwargs):
    call()
    del model.history_["loss"][-1]
    return model


@instead("_validate_params")
def parameters_that_are_not_checked(call, model):
    pass


@instead("__getstate__")
def copies_without_their_history(call, model):
    state = call()
    return state | {"history_": {}} if "history_" in state else state


# Each fault, and the text of the law that it breaks.
FAULTS = {
    probabilities_that_are_no_numbers: "probabilities are from 0 to 1",
    # predict_log_proba calls predict_proba.
    probabilities_of_another_row: "predict_(log_)?proba is the softmax or logistic of the forward pass",
    probabilities_in_another_precision_of_half_the_rows: "predict_proba gives the shape",
    logarithms_above_0: "logarithms of probabilities are not positive",
    raw_outputs_that_are_a_little_off: "decision_function is the forward pass",
    a_key_error: "raised an undocumented KeyError",
    an_error_without_a_message: "raised a ValueError without a message",
    a_model_that_is_not_there: "without a model raised ValueError",
    a_list: "predict returns an array",
    a_column: "predict gives the shape",
    rows_that_are_written_into: "modified X",
    a_prediction_that_is_remembered: "attributes appeared or vanished: {'last_'}",
    a_warning_of_numpy: "an undocumented warning, RuntimeWarning",
    a_call_that_does_not_end: "a call took more than",
    weights_that_are_no_numbers: "the parameters are finite",
    nothing_returned: "training returns the estimator",
    a_valid_call_refused: "fit refused something that it must accept",
    an_attribute_that_a_failure_leaves: "attributes appeared or vanished: {'begun_'}",
    a_parameter_replaced: "fit replaced a parameter",
    a_loss_that_is_not_recorded: "the lists of history_ have lengths",
    parameters_that_are_not_checked: "accepted something that it must refuse|raised an undocumented",
    copies_without_their_history: "a copy by (pickle|deepcopy): the attribute history_ changed",
}


def first_finding(n_sessions):
    """The finding of the first session that has one."""
    for index in range(n_sessions):
        finding = Session(0, index).run().finding
        if finding is not None:
            return finding
    return Finding("nothing", "", "")


FIRST, *OTHERS = FAULTS


@pytest.mark.parametrize("put_fault", [FIRST, *map(full_only, OTHERS)], ids=lambda fault: fault.__name__)
def test_a_fault_is_found(put_fault, monkeypatch):
    put_fault(monkeypatch)
    monkeypatch.setattr(session, "SECONDS_A_CALL", 0.5)
    assert re.search(FAULTS[put_fault], first_finding(60).law)


# Processes that die or hang


def ordinary(seed, index, report):
    report("an ordinary call")
    return SimpleNamespace(outcomes=[("ordinary", GOOD, "accepted")], finding=None)


def crashing(seed, index, report):
    if index == 1:
        report("the call that crashes")
        faulthandler._sigsegv()
    return ordinary(seed, index, report)


def ending(seed, index, report):
    if index == 1:
        report("the call that ends Python")
        os._exit(7)
    return ordinary(seed, index, report)


def waiting(seed, index, report):
    if index == 1:
        report("the call that waits")
        threading.Event().wait()
    return ordinary(seed, index, report)


@pytest.mark.full
def test_a_process_that_crashes_is_a_finding_and_the_run_continues():
    result = workers.run_many(0, 4, 2, crashing)
    [(index, finding)] = result.findings
    assert index == 1
    assert "the process died: exit code" in finding.law
    assert finding.call == "the call that crashes"
    assert "crashing" in finding.trace  # the line of Python that crashed
    assert result.outcomes == {("ordinary", GOOD, "accepted"): 3}


@pytest.mark.full
def test_a_process_that_ends_too_early_is_a_finding():
    [(index, finding)] = workers.run_many(0, 2, 1, ending).findings
    assert (index, finding.law, finding.call) == (1, "the process died: exit code 7", "the call that ends Python")


@pytest.mark.full
def test_a_process_that_is_silent_for_too_long_is_killed_and_is_a_finding(monkeypatch):
    # With this patch the test need not wait.
    monkeypatch.setattr(workers._Worker, "is_silent", lambda self: self.said == "the call that waits")
    result = workers.run_many(0, 3, 1, waiting)
    [(index, finding)] = result.findings
    assert (index, finding.call) == (1, "the call that waits")
    assert "did not react to an interruption" in finding.law
    assert result.outcomes == {("ordinary", GOOD, "accepted"): 2}


def test_the_limit_of_silence_is_longer_than_the_limit_of_a_call():
    now = time.monotonic()
    assert not workers._Worker.is_silent(SimpleNamespace(heard=now - session.SECONDS_A_CALL))
    assert workers._Worker.is_silent(SimpleNamespace(heard=now - workers.SECONDS_A_SIGN - 1))


# The command


def test_the_command_fails_and_says_how_to_repeat_what_it_found(monkeypatch, capsys):
    found = workers.Result(Counter({("fit", BAD, "KeyError"): 1}), [(12, Finding("no law", "fit(X=list)", "trace"))])
    monkeypatch.setattr(command, "run_many", lambda seed, n_sessions, jobs: found)
    assert command.main(["--seed", "4"]) == 1
    printed = capsys.readouterr().out
    assert "python -m fuzz --only 4:12  # no law -- after fit(X=list)" in printed
    assert "1 calls, 1 findings" in printed


def test_the_command_makes_at_least_the_requested_number_of_calls(monkeypatch, capsys):
    asked = []

    def run_many(seed, n_sessions, jobs):
        asked.append((seed, n_sessions * CALLS_A_SESSION, jobs))
        return workers.Result(Counter(), [])

    monkeypatch.setattr(command, "run_many", run_many)
    assert command.main([]) == 0
    assert command.main(["--calls", "91", "--seed", "2", "--jobs", "3"]) == 0
    assert asked == [(0, 20_000, 2), (2, 100, 3)]


def test_a_session_can_be_repeated_by_its_number(monkeypatch, capsys):
    assert command.main(["--only", "0:3"]) == 0
    assert capsys.readouterr().out.endswith("every law holds\n")
    a_valid_call_refused(monkeypatch)
    codes = [command.main(["--only", f"0:{index}"]) for index in range(5)]
    assert 1 in codes
    assert "FINDING: fit refused something that it must accept" in capsys.readouterr().out
