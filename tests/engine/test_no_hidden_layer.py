"""A network without a hidden layer is a linear model."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression, Ridge

from skfnn import FNNClassifier, FNNRegressor
from skfnn.inspection import hidden_activations

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, y = load_digits(n_class=4, return_X_y=True)
X = X[:200] / 16
y = y[:200]
KINDS = {
    "SGD": {"batch_size": 1},
    "mini-batches": {"batch_size": 16, "alpha": 1.0},
    "one mini-batch": {"batch_size": "full"},
    "momentum": {"momentum": 0.9, "batch_size": 50},
    "Adam": {"solver": "adam", "weight_decay": 0.01, "learning_rate_init": 0.05},
    "L-BFGS": {"solver": "lbfgs"},
    "clipping": {"max_grad_norm": 0.1, "batch_size": 20},
    "dropout": {"dropout": 0.5},
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", [np.asarray, sparse.csr_matrix])
def test_every_way_of_training_works(kind, form):
    clf = FNNClassifier((), max_iter=20, random_state=0, **KINDS[kind]).fit(form(X), y)
    assert [w.shape for w in clf.coefs_] == [(64, 4)]
    assert clf.score(form(X), y) > 0.9
    raw = X @ clf.coefs_[0] + clf.intercepts_[0]
    np.testing.assert_allclose(clf.decision_function(form(X)), raw, rtol=0, atol=1e-12)


def test_a_classifier_without_hidden_layers_is_logistic_regression():
    clf = FNNClassifier((), solver="lbfgs", alpha=1.0, max_iter=1000, tol=1e-8, random_state=0).fit(X, y)
    other = LogisticRegression(C=1.0, max_iter=1000, tol=1e-8).fit(X, y)
    # Both models minimise the same function. L-BFGS stops when a step reduces it by less than 2e-9 of its value.
    np.testing.assert_allclose(clf.predict_proba(X), other.predict_proba(X), rtol=0, atol=1e-3)


def test_a_regressor_without_hidden_layers_is_ridge_regression():
    reg = FNNRegressor([], solver="lbfgs", alpha=2.0, max_iter=1000, tol=1e-10, random_state=0).fit(X, y)
    np.testing.assert_allclose(reg.predict(X), Ridge(alpha=2.0).fit(X, y).predict(X), rtol=0, atol=1e-3)


def test_there_are_no_hidden_activations():
    clf = FNNClassifier((), max_iter=1, random_state=0).fit(X, y)
    with pytest.raises(ValueError, match="no hidden layer"):
        hidden_activations(clf, X)
