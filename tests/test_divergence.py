"""Training that goes wrong, or is bound to."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.datasets import load_breast_cancer, load_digits, load_iris
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.preprocessing import StandardScaler, scale

from skfnn import FNNClassifier

X, y = load_iris(return_X_y=True)
BAD = [
    ({"learning_rate_init": 1e200}, X, "learning_rate_init=1e"),
    ({"learning_rate_init": 1e200, "momentum": 0.9}, X, "learning_rate_init"),
    ({"learning_rate_init": 1e200, "batch_size": 1}, X, "learning_rate_init"),
    ({"learning_rate_init": 1e200, "batch_size": "full"}, X, "learning_rate_init"),
    ({"learning_rate_init": 1e300, "solver": "adam"}, X, "learning_rate_init"),
    ({"learning_rate_init": 1e150}, X * 1e8, "StandardScaler"),
    ({"learning_rate_init": 1.0}, X * [1, 1, 1e200, 1], "feature 2"),
]


def small(**params):
    # The identity does not die as a ReLU does: it diverges.
    return FNNClassifier((10,), "identity", random_state=0, max_iter=20, **params)


@pytest.mark.parametrize(("params", "X_bad", "said"), BAD)
def test_divergence_names_cause_and_remedy_and_leaves_no_model(params, X_bad, said):
    clf = small(**params)
    with warnings.catch_warnings():
        # The warning at the start is wanted; nothing of NumPy's may leak.
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", "The features are too large", UserWarning)
        with pytest.raises(ValueError, match=said) as caught:
            clf.fit(X_bad, y)
    message = str(caught.value)
    assert "diverged" in message
    assert "smaller learning_rate_init" in message
    assert "root mean square" in message
    with pytest.raises(NotFittedError):
        clf.predict(X)
    assert not [name for name in vars(clf) if name.endswith("_")]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_a_model_that_was_good_survives_the_divergence_of_a_further_training(method):
    clf = small(warm_start=True, n_iter_no_change=np.inf).fit(X, y)
    before = clf.predict_proba(X), clf.n_iter_, clf.t_, list(clf.loss_curve_), clf.n_steps_
    with pytest.raises(ValueError, match="diverged"):
        getattr(clf.set_params(learning_rate_init=1e200, batch_size=10), method)(X, y)
    assert_array_equal(clf.predict_proba(X), before[0])
    assert (clf.n_iter_, clf.t_, clf.loss_curve_, clf.n_steps_) == before[1:]
    assert {len(values) for values in clf.history_.values()} == {20}
    # It goes on as if nothing had been.
    other = small(warm_start=True, n_iter_no_change=np.inf).fit(X, y).partial_fit(X, y)
    clf.set_params(learning_rate_init="auto", batch_size="auto").partial_fit(X, y)
    assert_array_equal(clf.predict_proba(X), other.predict_proba(X))


def test_features_that_make_plain_sgd_hopeless_are_warned_of_at_the_start():
    X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    with pytest.warns(UserWarning, match="too large") as caught:
        FNNClassifier(random_state=0, max_iter=1).fit(X, y)
    warning = next(w for w in caught if "too large" in str(w.message))
    assert "'worst area'" in str(warning.message)
    assert "StandardScaler" in str(warning.message)
    assert "learning_rate_init=0.1" in str(warning.message)
    assert warning.filename == __file__


@pytest.mark.parametrize(
    "case",
    [
        (load_digits(return_X_y=True), {}),
        (load_iris(return_X_y=True), {}),
        ((scale(load_digits().data), load_digits().target), {"batch_size": 1}),
        ((StandardScaler().fit_transform(load_breast_cancer().data), load_breast_cancer().target), {}),
        ((np.random.default_rng(0).normal(size=(200, 784)), np.arange(200) % 2), {"learning_rate_init": 0.3}),
        # A learning rate that fits the scale, and solvers that do not mind it.
        (load_breast_cancer(return_X_y=True), {"learning_rate_init": 1e-9}),
        (load_breast_cancer(return_X_y=True), {"solver": "adam"}),
        (load_breast_cancer(return_X_y=True), {"solver": "lbfgs"}),
    ],
)
def test_data_that_can_be_trained_on_is_not_warned_of(case):
    data, params = case
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", ConvergenceWarning)
        FNNClassifier((10,), random_state=0, max_iter=1, **params).fit(*data)


@pytest.mark.filterwarnings("ignore:The features are too large")
def test_the_epoch_of_the_divergence_is_the_one_at_whose_end_it_shows():
    clf = small(learning_rate_init=0.01, n_iter_no_change=np.inf).partial_fit(X, y, classes=[0, 1, 2])
    with pytest.raises(ValueError, match="in epoch 2 "):
        clf.set_params(learning_rate_init=1e30, batch_size=10).partial_fit(X, y)
