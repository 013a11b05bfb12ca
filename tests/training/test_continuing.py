"""What a call counts and continues after earlier calls."""

import pytest
from six_epochs import X, estimator, y

not_converged = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


# What is counted over several calls


@not_converged
@pytest.mark.parametrize(("batch_size", "n_batches"), [(1, 90), (20, 5), (89, 2), ("full", 1), ("auto", 1)])
def test_counters_continue_over_warm_starts_and_partial_fits(batch_size, n_batches):
    clf = estimator(batch_size=batch_size, max_iter=3).fit(X, y)
    assert (clf.n_iter_, clf.t_, clf.n_steps_, len(clf.loss_curve_)) == (3, 270, 3 * n_batches, 3)
    clf.partial_fit(X, y)
    assert (clf.n_iter_, clf.t_, clf.n_steps_, len(clf.loss_curve_)) == (4, 360, 4 * n_batches, 4)
    clf.set_params(warm_start=True, max_iter=2).fit(X, y)
    # n_iter_ belongs to the last fit, as in MLPClassifier. The other counters continue.
    assert (clf.n_iter_, clf.t_, clf.n_steps_, len(clf.loss_curve_)) == (2, 540, 6 * n_batches, 6)
    clf.partial_fit(X, y)
    assert (clf.n_iter_, clf.t_, clf.n_steps_, len(clf.loss_curve_)) == (3, 630, 7 * n_batches, 7)
    assert clf.history_["epoch"] == list(range(1, 8))
    clf.set_params(warm_start=False).fit(X, y)
    assert (clf.n_iter_, clf.t_, clf.n_steps_, len(clf.loss_curve_)) == (2, 180, 2 * n_batches, 2)


def test_n_iter_counts_the_epochs_of_all_partial_fits():
    clf = estimator()
    for k in range(1, 6):
        clf.partial_fit(X[: 15 + 5 * k], y[: 15 + 5 * k], classes=[0, 1, 2])
        assert clf.n_iter_ == k
        assert clf.t_ == sum(15 + 5 * j for j in range(1, k + 1))


@not_converged
def test_the_last_and_the_best_loss_are_those_of_the_curve():
    clf = estimator(learning_rate_init=3.0, max_iter=30).fit(X, y)
    assert clf.loss_ == clf.loss_curve_[-1]
    assert clf.best_loss_ == min(clf.loss_curve_) < clf.loss_


# Continuing


CONTINUED = {
    "plain": {},
    "momentum": {"momentum": 0.9, "nesterovs_momentum": False},
    "nesterov": {"momentum": 0.9},
    "adam": {"solver": "adam"},
    "adam, float32": {"solver": "adam", "dtype": "float32"},
    "adam, invscaling": {"solver": "adam", "learning_rate": "invscaling"},
    "momentum, adaptive": {"momentum": 0.9, "learning_rate": "adaptive", "tol": 0.1, "n_iter_no_change": 2},
    "validation held out": {"momentum": 0.9, "validation_fraction": 0.2},
}


@not_converged
@pytest.mark.parametrize("name", CONTINUED)
def test_two_warm_started_fits_of_k_epochs_equal_one_fit_of_2k(name, assert_identical):
    whole = estimator(max_iter=12, **CONTINUED[name]).fit(X, y)
    assert whole.n_iter_ == 12
    halves = estimator(max_iter=6, warm_start=True, **CONTINUED[name]).fit(X, y)
    first = [p.copy() for p in halves.coefs_]
    halves.fit(X, y)
    assert_identical(halves, whole)
    assert any((p != q).any() for p, q in zip(first, halves.coefs_, strict=True))
    for key in ("epoch", "loss", "learning_rate", "validation_loss", "validation_score"):
        assert halves.history_[key] == whole.history_[key]
    assert (halves.t_, halves.n_steps_, halves.best_loss_) == (whole.t_, whole.n_steps_, whole.best_loss_)
    if "adaptive" in name:
        assert len(set(whole.history_["learning_rate"])) > 2  # it fell twice


@not_converged
@pytest.mark.parametrize("name", ["plain", "momentum", "nesterov", "adam"])
def test_a_fit_without_warm_start_forgets_everything(name, assert_identical):
    clf = estimator(**CONTINUED[name]).fit(X, y)
    again = estimator(**CONTINUED[name]).fit(X[::2], y[::2]).fit(X, y)
    assert_identical(clf, again)
    assert clf.loss_curve_ == again.loss_curve_


@not_converged
def test_another_solver_starts_with_a_new_state(assert_identical):
    clf = estimator(momentum=0.9, shuffle=False, warm_start=True, standardize=False).fit(X, y)
    weights, biases = [w.copy() for w in clf.coefs_], [b.copy() for b in clf.intercepts_]
    clf.set_params(solver="adam", max_iter=1).fit(X, y)
    fresh = estimator(solver="adam", max_iter=1, shuffle=False, standardize=False)
    fresh.fit(X, y, coefs_init=weights, intercepts_init=biases)
    assert_identical(clf, fresh)


@not_converged
def test_a_new_fit_does_not_change_an_earlier_history():
    clf = estimator().fit(X, y)
    curve = clf.loss_curve_
    clf.fit(X, y)
    assert len(curve) == len(clf.loss_curve_) == 6
