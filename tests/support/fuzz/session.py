"""The random calls on one estimator, and their judgement."""

import contextlib
import io
import signal
import traceback
import warnings
from typing import NamedTuple

import numpy as np

from skfnn import FNNClassifier, FNNRegressor

from . import oracle, parameters
from .call import TRAINING
from .calls import CALLS
from .oracle import Broken, require
from .targets import problem
from .values import BAD, GOOD, UsersError, chance, choose

CALLS_A_SESSION = 10
# Processor time, so that a busy machine does not look like a hang. A call takes milliseconds.
SECONDS_A_CALL = 60.0

# The allowed texts of warnings that are not UserWarnings.
ALLOWED_WARNINGS = [
    "FutureWarning: elementwise comparison failed",  # NumPy 1.24, for labels of numbers and labels of text
    "DeprecationWarning: elementwise comparison failed",  # NumPy 1.24, for pd.NA and for dates
]
# The error of NumPy 1.24 if scikit-learn compares an array of pd.NA with itself.
COMPARISON_FAILED = "'bool' object has no attribute 'any'"
# Methods that may change the estimator.
CHANGING = (*TRAINING, "restore_best", "set_params", "set_callbacks", "write")


class Hang(BaseException):
    """A call takes too long."""


class Finding(NamedTuple):
    """A call after which a law did not hold."""

    law: str
    call: str
    trace: str


@contextlib.contextmanager
def alarm(seconds):
    """Raise Hang in the body after these seconds of processor time; only in the main thread of systems with signals."""

    def ring(number, frame):
        raise Hang(f"a call took more than {seconds:g} seconds")

    if not hasattr(signal, "setitimer"):
        yield
        return
    before = signal.signal(signal.SIGPROF, ring)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        signal.signal(signal.SIGPROF, before)


class Session:
    """Random calls on one estimator, determined by `seed` and `index`.

    After ``run``, `outcomes` is a list of (method, verdict, outcome), and `finding` is None if every law holds.
    `report` is called with a text about every call.
    """

    def __init__(self, seed, index, report=lambda text: None):
        self.rng = np.random.default_rng([seed, index])
        self.report = report
        self.kind = choose(self.rng, ["classifier", "classifier", "regressor"])
        self.problem = problem(self.rng, self.kind)
        self.n_features = int(self.rng.integers(1, 8))
        self.estimator = FNNClassifier() if self.kind == "classifier" else FNNRegressor()
        self.names = list(self.estimator.get_params())
        self.verdicts = {}  # of the parameters
        self.trained = None  # what is known about the estimator's model
        self.outcomes, self.finding, self.text = [], None, ""

    def run(self):
        """Make the calls until one breaks a law."""
        given = parameters.first_parameters(self.rng, self.names, self.problem)
        self.estimator.set_params(**{name: value.value for name, value in given.items()})
        self.note_parameters(given)
        self.report(f"{type(self.estimator).__name__}({_named(given)})  # {self.problem.name}")
        for number in range(CALLS_A_SESSION):
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # warnings from making strange values
                    call = CALLS[self._next_method(number)].prepare(self)
                self._make(call)
            except (Broken, Hang) as broken:
                self.finding = Finding(str(broken), self.text, traceback.format_exc())
                break
            except Exception as error:
                law = f"the fuzzer itself fails, or what it reads does not exist: {type(error).__name__}: {error}"
                self.finding = Finding(law, self.text, traceback.format_exc())
                break
        return self

    def note_parameters(self, given):
        """Record the verdict of the new parameters."""
        self.verdicts |= {name: value.verdict for name, value in given.items()}

    def verdicts_good(self):
        """Whether every parameter is GOOD."""
        return max(self.verdicts.values(), default=GOOD) == GOOD

    def _next_method(self, number):
        if number == 0 and chance(self.rng, 0.8):
            return choose(self.rng, TRAINING)
        if BAD in self.verdicts.values() and chance(self.rng, 0.4):
            return "set_params"
        methods = list(CALLS)
        shares = np.array([call.share for call in CALLS.values()])
        return methods[self.rng.choice(len(methods), p=shares / shares.sum())]

    def _make(self, call):
        """Make a call and judge it."""
        method, values = call.method, {name: value.value for name, value in call.arguments.items()}
        self.text = f"{method}({_named(call.arguments)})"
        self.report(self.text)
        estimator = self.estimator
        before, prints = oracle.state(estimator), {name: oracle.print_of(value) for name, value in values.items()}
        params = estimator.get_params(deep=False)
        result = error = None
        with warnings.catch_warnings(record=True) as caught, contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("always")
            try:
                with alarm(SECONDS_A_CALL):
                    result = call.function(**values)
            except Exception as raised:
                error = raised
        came = "accepted" if error is None else type(error).__name__
        self.outcomes.append((method, call.verdict, came))
        self.report(f"    {came}" if error is None else f"    {came}: {error}"[:500])
        try:
            for name, value in values.items():
                require(oracle.print_of(value) == prints[name], f"{method} modified {name}")
            oracle.require_documented_warnings(caught, method, ALLOWED_WARNINGS)
            if error is not None:
                self._judge_error(call, error)
                oracle.require_unchanged(estimator, before, f"a failed {method}")
                return
            require(call.verdict != BAD, f"{method} accepted something that it must refuse")
            if method not in CHANGING:
                oracle.require_unchanged(estimator, before, method)
            if method != "set_params":
                now = estimator.get_params(deep=False)
                require(all(now[name] is params[name] for name in params), f"{method} replaced a parameter")
            call.judge(result)
        except Broken as broken:
            raise broken from error

    def _judge_error(self, call, error):
        """Require that an error is of a documented kind and has a reason."""
        estimator, kinds = self.estimator, list(call.errors)
        if callable(estimator.scoring) or callable(estimator.learning_rate) or hasattr(estimator, "_skl_callbacks"):
            kinds.append(UsersError)
        if parameters.is_too_wide(estimator.hidden_layer_sizes):
            kinds.append(MemoryError)
        if str(error) == COMPARISON_FAILED and np.lib.NumpyVersion(np.__version__) < "1.25.0":
            kinds.append(AttributeError)
        oracle.require_documented(error, call.method, kinds)
        if call.verdict == GOOD:
            diverged = call.method in TRAINING and str(error).startswith("Training diverged")
            require(diverged, f"{call.method} refused something that it must accept: {type(error).__name__}: {error}")


def _named(values):
    return ", ".join(f"{name}={value.name}" for name, value in values.items())
