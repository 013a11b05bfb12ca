"""scikit-learn's own checks of an estimator, for many configurations of it."""

import pytest
from selection import SUITE, covering
from sklearn.base import clone
from sklearn.utils.estimator_checks import estimator_checks_generator

# These fit a dozen forms of sparse X.
SPARSE_CHECKS = {"check_estimator_sparse_matrix", "check_estimator_sparse_array"}
WEIGHT_CHECKS = ("check_sample_weight_equivalence_on_dense_data", "check_sample_weight_equivalence_on_sparse_data")
# scikit-learn's checks replace weights by repeated rows. These are the reasons why a check fails if a parameter differs
# from its default. The laws that hold instead are in test_sample_weights.py and test_regressor_weights.py.
HELD_OUT = "the held-out rows are drawn by row: repeated rows fall on both sides, weighted rows on one"
REASONS = {
    "batch_size": "repeated rows are in other mini-batches than weighted ones: expected gradients agree, not the paths",
    "early_stopping": HELD_OUT,
    "validation_fraction": HELD_OUT,
    "dropout": "masks are drawn by row: repeated rows get a mask each, a weighted row gets one",
    "dtype": "float32 rounds to 1e-7, the tolerance of the check",
}


def weight_checks_that_fail(estimator):
    """The checks of sample weights that a configuration is expected to fail, with the reasons."""
    default = type(estimator)()
    changed = [name for name in REASONS if getattr(estimator, name) != getattr(default, name)]
    return dict.fromkeys(WEIGHT_CHECKS, REASONS[changed[0]]) if changed else {}


def in_other_coordinates(estimators, values=(True, False)):
    """The estimators with each of these values of `standardize`; the default is "auto"."""
    return [clone(estimator).set_params(standardize=value) for estimator in estimators for value in values]


def all_checks(estimators, expected_failed_checks=weight_checks_that_fail):
    """A decorator of a test of (estimator, check), with all checks of all estimators.

    scikit-learn's ``parametrize_with_checks`` does the same, but takes seconds to write out each estimator's parameters
    for each of its checks.
    """
    return _parametrize(estimators, _cases(estimators, expected_failed_checks))


def pairs_with_checks(estimators, expected_failed_checks=weight_checks_that_fail, *, only_full=()):
    """The same for a few of these cases.

    The full suite has every check with every value of `standardize`, and with every configuration of the other
    parameters. The short suite has each of them at least once, without the checks in `only_full`.
    """
    cases = _cases(estimators, expected_failed_checks)
    if not SUITE.full:
        cases = [case for case in cases if _parts(case)[1].func.__name__ not in only_full]
    settings = {id(estimator): _settings(estimator) for estimator in estimators}
    # Every case has a function of its own, so the check's name counts.
    described = [
        settings[id(estimator)] | {"check": (check.func.__name__, str(check.keywords))}
        for estimator, check in map(_parts, cases)
    ]
    return _parametrize(estimators, [cases[k] for k in covering(described, 2 if SUITE.full else 1)])


def _cases(estimators, expected_failed_checks):
    return [
        case
        for estimator in estimators
        for case in estimator_checks_generator(
            estimator, expected_failed_checks=expected_failed_checks(estimator), mark="xfail"
        )
    ]


def _parts(case):
    """The estimator and the check of a case, which is a pytest.param if the check is expected to fail."""
    return getattr(case, "values", case)


def _settings(estimator):
    """The value of `standardize`, and all other parameters."""
    others = {name: value for name, value in estimator.get_params().items() if name != "standardize"}
    return {"standardize": getattr(estimator, "standardize", None), "others": repr(sorted(others.items()))}


def _parametrize(estimators, cases):
    labels = {id(estimator): "".join(str(estimator).split()) for estimator in estimators}
    return pytest.mark.parametrize(
        ("estimator", "check"), cases, ids=lambda value: labels.get(id(value)) or value.func.__name__
    )
