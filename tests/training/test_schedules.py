"""Learning-rate schedules: cosine, functions of the step, and an adaptive rate that one lucky epoch cannot mislead."""

import math
import pickle
from collections import Counter

import monitors
import numpy as np
import pytest
from exact import ATOL, SOLVERS, by_loop, estimator
from problems import initial_values, n_outputs, problem
from scipy import sparse
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from tuned import FNNRegressor, retuned

from skfnn._training.schedules import make_schedule

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def cosine(eta, epoch, n_epochs):
    """Equation 5 of Loshchilov and Hutter (2017), with a minimum eta of 0 and without restarts."""
    return eta * 0.5 * (1.0 + math.cos(math.pi * epoch / n_epochs))


def falling(step):
    """An eta that differs from step to step."""
    return 0.1 / (1.0 + 0.05 * step) + 0.02 * (step % 3)


def gentle(step):
    """A smaller varying eta, for solvers with longer steps."""
    return 0.1 * falling(step)


class Counting:
    """A schedule that counts its calls for each step."""

    def __init__(self, function=falling):
        self.function, self.calls = function, Counter()

    def __call__(self, step):
        self.calls[step] += 1
        return self.function(step)


# Cosine


@pytest.mark.parametrize("batch_size", [1, 16, "full"])
@pytest.mark.parametrize("alpha", [0.0, 3.0])
@pytest.mark.parametrize("solver", SOLVERS)
def test_cosine_equals_the_loop_with_the_eta_of_the_formula(solver, alpha, batch_size, assert_parameters):
    X, y, T = problem("multiclass", 70)
    start = initial_values((5, 6, 4, 3), seed=1)
    clf = estimator(3, learning_rate="cosine", alpha=alpha, batch_size=batch_size, **SOLVERS[solver])
    clf.fit(X, y, coefs_init=start[0], intercepts_init=start[1])
    eta = clf.learning_rate_init_
    eta_of = lambda epoch, step: cosine(eta, epoch, 3)  # noqa: E731
    coefs, intercepts, *_ = by_loop(clf, X, T, start, "multiclass", 3, learning_rate=eta_of)
    assert_parameters(clf, coefs, intercepts, atol=ATOL)


@pytest.mark.parametrize("n_epochs", [1, 2, 7, 100])
def test_cosine_falls_from_eta_towards_zero_over_max_iter(n_epochs):
    X, y, _ = problem("multiclass", 23)
    rates = estimator(n_epochs, learning_rate="cosine").fit(X, y).history_["learning_rate"]
    np.testing.assert_allclose(rates, [cosine(0.1, epoch, n_epochs) for epoch in range(n_epochs)], rtol=1e-12)
    assert rates[0] == 0.1
    assert (np.diff(rates) < 0).all()
    if n_epochs == 100:
        assert 0 < rates[-1] < 1e-3 * rates[0]


def test_cosine_starts_from_the_automatic_eta():
    X, y, _ = problem("multiclass", 23)
    for params in ({}, {"momentum": 0.9}, {"solver": "adam"}):
        automatic = {"learning_rate_init": "auto"} | params
        eta = estimator(4, **automatic).fit(X, y).learning_rate_init_
        clf = estimator(4, learning_rate="cosine", **automatic).fit(X, y)
        np.testing.assert_allclose(clf.history_["learning_rate"][2], eta / 2, rtol=1e-12)


@pytest.mark.parametrize("solver", SOLVERS)
def test_with_cosine_max_iter_partial_fits_equal_one_fit(solver, assert_identical):
    X, y, _ = problem("multiclass", 70)
    params = {"learning_rate": "cosine", "shuffle": True} | SOLVERS[solver]
    whole, parts = estimator(5, **params).fit(X, y), estimator(5, **params)
    for _ in range(5):
        parts = pickle.loads(pickle.dumps(parts.partial_fit(X, y, classes=np.unique(y))))
    assert_identical(whole, parts)
    assert whole.history_["learning_rate"] == parts.history_["learning_rate"]


def test_every_fit_with_cosine_starts_at_eta_even_a_warm_start():
    X, y, _ = problem("multiclass", 23)
    clf = estimator(4, learning_rate="cosine", warm_start=True).fit(X, y).fit(X, y)
    rates = clf.history_["learning_rate"]
    assert rates[:4] == rates[4:]
    assert estimator(4, learning_rate="cosine").fit(X, y).fit(X, y).history_["learning_rate"] == rates[:4]


# A function of the step


@pytest.mark.parametrize("batch_size", [1, 3, 16, 40, "full"])
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize("alpha", [0.0, 3.0])
@pytest.mark.parametrize("solver", SOLVERS)
def test_every_step_asks_once_for_its_own_eta(solver, alpha, container, batch_size, assert_parameters):
    X, y, T = problem("multiclass", 90)
    start = initial_values((5, 6, 4, 3), seed=1)
    rate = Counting(falling if solver == "plain" else gentle)
    clf = estimator(3, learning_rate=rate, alpha=alpha, batch_size=batch_size, **SOLVERS[solver])
    clf.fit(container(X), y, coefs_init=start[0], intercepts_init=start[1])
    calls = rate.calls.copy()
    steps = 90 if batch_size == 1 else 1 if batch_size == "full" else -(-90 // batch_size)
    assert sorted(calls) == list(range(3 * steps))
    # The history asks again, for the first step of each epoch.
    assert all(calls[step] == 1 for step in calls if step % steps)

    eta_of = lambda epoch, step: rate.function(step)  # noqa: E731
    coefs, intercepts, *_ = by_loop(clf, X, T, start, "multiclass", 3, learning_rate=eta_of)
    assert_parameters(clf, coefs, intercepts, atol=ATOL)
    assert clf.history_["learning_rate"] == [rate.function(epoch * steps) for epoch in range(3)]
    assert clf.learning_rate_init_ == rate.function(0)


@pytest.mark.parametrize("kind", ["binary", "multilabel"])
def test_every_step_has_its_own_eta_for_every_output(kind, assert_parameters):
    X, y, T = problem(kind, 70)
    start = initial_values((5, 6, 4, n_outputs(kind)), seed=1)
    clf = estimator(2, learning_rate=falling, batch_size=3)
    clf.fit(X, y, coefs_init=start[0], intercepts_init=start[1])
    coefs, intercepts, *_ = by_loop(clf, X, T, start, kind, 2, learning_rate=lambda epoch, step: falling(step))
    assert_parameters(clf, coefs, intercepts, atol=ATOL)


@pytest.mark.parametrize("alpha", [0.0, 3.0])
def test_a_batch_that_is_split_into_parts_is_one_step(alpha, assert_parameters):
    # A part has at least 64 rows.
    X, y, T = problem("multiclass", 150)
    start = initial_values((5, 6, 4, 3), seed=1)
    rate = Counting()
    clf = retuned(estimator(3, learning_rate=rate, batch_size=100, alpha=alpha), chunk_rows=64)
    clf.fit(X, y, coefs_init=start[0], intercepts_init=start[1])
    assert sorted(rate.calls) == list(range(6))
    assert all(rate.calls[step] == 1 for step in (1, 3, 5))
    eta_of = lambda epoch, step: falling(step)  # noqa: E731
    coefs, intercepts, *_ = by_loop(clf, X, T, start, "multiclass", 3, learning_rate=eta_of)
    assert_parameters(clf, coefs, intercepts, atol=ATOL)


def test_a_constant_function_equals_a_constant_eta(assert_parameters):
    # 90 rows, one per step. With a constant eta and an L2 term, the first layer shrinks its weights once per block.
    X, y, _ = problem("multiclass", 90)
    for params in ({}, {"alpha": 2.0}, {"momentum": 0.5}, {"solver": "adam"}):
        params = {"batch_size": 1, "shuffle": True} | params
        constant = estimator(2, learning_rate_init=0.03, **params).fit(X, y)
        function = estimator(2, learning_rate=lambda step: 0.03, **params).fit(X, y)
        assert_parameters(function, constant.coefs_, constant.intercepts_, atol=ATOL)


def test_learning_rate_init_is_not_used_with_a_function(assert_identical):
    X, y, _ = problem("multiclass", 23)
    assert_identical(*(estimator(2, learning_rate=falling, learning_rate_init=eta).fit(X, y) for eta in (1e-9, 7.0)))


@pytest.mark.parametrize("solver", SOLVERS)
def test_partial_fits_continue_the_numbering_of_steps(solver, assert_identical):
    X, y, _ = problem("multiclass", 70)
    rate = Counting(gentle)
    params = {"shuffle": True} | SOLVERS[solver]
    whole, parts = estimator(3, learning_rate=gentle, **params).fit(X, y), estimator(3, learning_rate=rate, **params)
    for epoch in range(3):
        rate.calls.clear()
        parts.partial_fit(X, y, classes=np.unique(y))
        # Step 0 is also asked for learning_rate_init_.
        assert sorted(set(rate.calls) - {0}) == [k for k in range(5 * epoch, 5 * epoch + 5) if k]
    assert_identical(whole, parts)
    assert whole.history_["learning_rate"] == parts.history_["learning_rate"]
    assert parts.n_steps_ == 15


def test_a_model_with_a_module_function_can_be_pickled_and_continued(assert_identical):
    X, y, _ = problem("multiclass", 70)
    clf = estimator(2, learning_rate=falling).fit(X, y)
    copy = pickle.loads(pickle.dumps(clf))
    assert copy.learning_rate is falling
    assert_identical(clf.partial_fit(X, y), copy.partial_fit(X, y))
    assert_identical(copy, estimator(3, learning_rate=falling).fit(X, y))


def test_a_function_is_a_parameter_like_any_other():
    X, y, _ = problem("multiclass", 60)
    clf = estimator(2, learning_rate=falling)
    assert clone(clf).get_params()["learning_rate"] is falling
    search = GridSearchCV(clf, {"learning_rate": [falling, gentle, "cosine"]}, cv=2).fit(X, y)
    assert search.best_params_["learning_rate"] in (falling, gentle, "cosine")
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_every_epoch_prints_the_eta_of_its_first_step(capsys):
    X, y, _ = problem("multiclass", 32)
    estimator(2, learning_rate=lambda step: 0.5 / (1 + step), verbose=True).fit(X, y)
    lines = capsys.readouterr().out.splitlines()
    assert "eta 0.5 " in lines[0]
    assert "eta 0.166667 " in lines[1]


def test_an_eta_of_zero_changes_nothing():
    X, y, _ = problem("multiclass", 32)
    clf = estimator(2, learning_rate=lambda step: 0.1 if step < 2 else 0).fit(X, y)
    first = estimator(1, learning_rate=lambda step: 0.1).fit(X, y)
    for p, q in zip(clf.coefs_, first.coefs_, strict=True):
        np.testing.assert_array_equal(p, q)


def test_lbfgs_does_not_call_the_function():
    X, y, _ = problem("multiclass", 32)
    rate = Counting()
    estimator(2, solver="lbfgs", learning_rate=rate).fit(X, y)
    assert not rate.calls


def test_the_regressor_supports_the_schedules():
    X, _, T = problem("multilabel", 40)
    params = {"batch_size": 16, "max_iter": 4, "n_iter_no_change": None, "random_state": 0}
    reg = FNNRegressor((4,), learning_rate=falling, **params).fit(X, T)
    assert reg.history_["learning_rate"] == [falling(3 * epoch) for epoch in range(4)]
    reg = FNNRegressor((4,), learning_rate="cosine", **params).fit(X, T)
    np.testing.assert_allclose(reg.history_["learning_rate"][2], reg.learning_rate_init_ / 2, rtol=1e-12)


BAD = [-0.1, float("nan"), float("inf"), "fast", None, [0.1, 0.2], 1j]


@pytest.mark.parametrize("step", [0, 1, 7])
@pytest.mark.parametrize("bad", BAD, ids=str)
def test_an_invalid_rate_is_refused_and_its_step_is_named(bad, step):
    # With two batches per epoch, these steps are the start, the first epoch and the fourth epoch.
    X, y, _ = problem("multiclass", 32)
    clf = estimator(5, learning_rate=lambda k: bad if k == step else 0.1)
    with pytest.raises(ValueError, match=f"learning_rate must return .* for step {step}"):
        clf.fit(X, y)
    assert not hasattr(clf, "coefs_")
    assert not hasattr(clf, "history_")


def test_a_fitted_model_stays_as_it_was_if_its_function_fails(assert_identical):
    def rate(step):
        if step == 5:
            raise RuntimeError("no rate today")
        return 0.1

    X, y, _ = problem("multiclass", 32)
    clf = estimator(2, learning_rate=rate).fit(X, y)
    copy = pickle.loads(pickle.dumps(clf.set_params(learning_rate="constant")))
    clf.set_params(learning_rate=rate)
    with pytest.raises(RuntimeError, match="no rate today"):
        clf.partial_fit(X, y)
    assert_identical(clf, copy)
    assert clf.history_ == copy.history_


@pytest.mark.parametrize("name", ["linear", 0.1, None, ["cosine"]])
def test_a_schedule_that_is_neither_a_name_nor_a_function_is_refused(name):
    X, y, _ = problem("multiclass", 23)
    with pytest.raises(ValueError, match="learning_rate"):
        estimator(2, learning_rate=name).fit(X, y)


# Adaptive: scikit-learn issue 15596


def etas(losses, *, watch, adaptive=True, patience=5):
    """The eta of every epoch until a monitor stops that gets these losses, or scores that mirror them."""
    settings = {"schedule": make_schedule("adaptive", 0.5, 0.5, 100), "adaptive": adaptive, "patience": patience}
    if watch == "loss":
        return monitors.watch(losses, **settings)[1]
    return monitors.watch([1.0] * len(losses), scores=[-loss for loss in losses], **settings)[1]


def falls(given):
    """The epochs, counted from 0, that began with a lower eta than the one before."""
    return [k for k in range(1, len(given)) if given[k] < given[k - 1]]


@pytest.mark.parametrize("watch", ["loss", "score"])
@pytest.mark.parametrize("lucky", [0, 1, 2, 3, 10, 30])
def test_one_lucky_epoch_does_not_lower_eta_while_the_losses_fall(lucky, watch):
    losses = [1.0 - 0.005 * epoch for epoch in range(60)]
    losses[lucky] = 0.05
    given = etas(losses, watch=watch)
    assert len(given) == 60
    assert not falls(given)
    # A rule that compares with the best of all epochs is misled: without an adaptive rate, training stops here.
    assert len(etas(losses, watch=watch, adaptive=False)) == lucky + 1 + 5 + 1


@pytest.mark.parametrize("watch", ["loss", "score"])
def test_lucky_epochs_again_and_again_do_not_lower_eta(watch):
    losses = [1.0 - 0.005 * epoch for epoch in range(60)]
    losses[4::6] = [0.05] * len(losses[4::6])
    assert not falls(etas(losses, watch=watch))


@pytest.mark.parametrize("watch", ["loss", "score"])
def test_after_a_change_of_eta_the_last_epochs_must_be_beaten(watch):
    # As the issue reports: after a few epochs with a low loss, the losses are far higher and fall steadily, but do not
    # reach the low again.
    losses = [0.13] * 3 + [0.6 - 0.005 * epoch for epoch in range(60)]
    given = etas(losses, watch=watch)
    assert len(given) == len(losses)
    assert falls(given) == [8]


@pytest.mark.parametrize("watch", ["loss", "score"])
def test_constant_losses_lower_eta_each_time_patience_runs_out(watch):
    given = etas([1.0] * 30, watch=watch)
    # There is a median after two epochs. From then on, every six epochs are one more than the patience.
    assert falls(given) == [8, 14, 20, 26]
    np.testing.assert_allclose([given[k] for k in (0, 8, 14, 20, 26)], 0.5 / 5.0 ** np.arange(5), rtol=1e-14)


def test_early_stopping_with_an_adaptive_rate_is_not_fooled_by_a_lucky_score():
    X, y, _ = problem("multiclass", 40)
    # The scores rise by 0.01 in each epoch, except that the fifth is 0.9.
    scores = iter([0.9 if epoch == 4 else 0.2 + 0.01 * epoch for epoch in range(30)])
    params = {"learning_rate": "adaptive", "early_stopping": True, "n_iter_no_change": 3}
    clf = estimator(30, scoring=lambda clf, X, y: next(scores), **params).fit(X, y, X_val=X, y_val=y)
    assert clf.n_iter_ == 30
    assert set(clf.history_["learning_rate"]) == {0.1}
    # The lucky weights are restored nevertheless.
    assert clf.best_validation_score_ == 0.9
    best = estimator(5).fit(X, y)
    np.testing.assert_array_equal(clf.coefs_[0], best.coefs_[0])
