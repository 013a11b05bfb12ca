"""Calibration of networks, and networks that are frozen."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import make_classification
from sklearn.ensemble import VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import log_loss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.fixes import parse_version
from small_tables import X_iris, y_iris
from tool_problems import PROBLEMS, SKLEARN, classifier

# Calibration


def overconfident(n_classes):
    """A network trained far too long on noisy labels, its training rows, and other rows."""
    X, y = make_classification(400, 6, n_informative=4, n_redundant=0, n_classes=n_classes, flip_y=0.3, random_state=0)
    clf = classifier(hidden_layer_sizes=(64,), learning_rate_init=0.01, max_iter=60)
    return clf, (X[:200], y[:200]), (X[200:], y[200:])


METHODS = [
    "sigmoid",
    "isotonic",
    pytest.param(
        "temperature",
        marks=pytest.mark.skipif(SKLEARN < parse_version("1.8"), reason="temperature scaling needs scikit-learn 1.8"),
    ),
]


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("method", METHODS)
def test_calibration_corrects_an_overconfident_network(method, n_classes):
    clf, train, test = overconfident(n_classes)
    raw = log_loss(test[1], clone(clf).fit(*train).predict_proba(test[0]))
    for ensemble in (True, False):
        calibrated = CalibratedClassifierCV(clf, method=method, cv=3, ensemble=ensemble).fit(*train)
        proba = calibrated.predict_proba(test[0])
        np.testing.assert_allclose(proba.sum(axis=1), 1.0, rtol=1e-12)
        # The improvement is 0.09 to 0.27 nats.
        assert log_loss(test[1], proba) < raw - 0.05


@pytest.mark.parametrize("method", ["sigmoid", "isotonic"])
def test_a_frozen_network_is_calibrated_as_it_is(method):
    clf, train, test = overconfident(2)
    clf.fit(*train)
    before = clf.coefs_[0].copy()
    calibrated = CalibratedClassifierCV(FrozenEstimator(clf), method=method).fit(*test)
    np.testing.assert_array_equal(clf.coefs_[0], before)
    # Both methods apply an increasing function to the decision function.
    proba = calibrated.predict_proba(test[0])[:, 1]
    in_order = proba[np.argsort(clf.decision_function(test[0]))]
    assert (np.diff(in_order) >= 0).all()
    assert in_order[-1] - in_order[0] > 0.3
    assert log_loss(test[1], proba) < log_loss(test[1], clf.predict_proba(test[0]))


@pytest.mark.skipif(SKLEARN < parse_version("1.8"), reason="temperature scaling needs scikit-learn 1.8")
def test_temperature_scaling_divides_the_raw_outputs_by_one_number():
    clf, train, test = overconfident(3)
    clf.fit(*train)
    calibrated = CalibratedClassifierCV(FrozenEstimator(clf), method="temperature").fit(*test)
    np.testing.assert_array_equal(calibrated.predict(test[0]), clf.predict(test[0]))
    ratios = np.diff(np.log(calibrated.predict_proba(test[0])), axis=1) / np.diff(
        clf.decision_function(test[0]), axis=1
    )
    # Logarithms of probabilities near 0 and 1 lose digits.
    np.testing.assert_allclose(ratios, ratios[0, 0], rtol=1e-6)
    assert 0.05 < ratios[0, 0] < 0.9  # the probabilities are softer than the network's


def test_calibration_passes_sample_weights_to_the_network():
    # The rows of weight zero have wrong labels.
    weights = np.tile([1.0, 0.0], 75)
    y = np.where(weights > 0, y_iris, (y_iris + 1) % 3)
    clf = classifier(max_iter=40)
    weighted = CalibratedClassifierCV(clf, cv=3).fit(X_iris, y, sample_weight=weights)
    assert weighted.score(X_iris, y_iris) > 0.9
    assert CalibratedClassifierCV(clf, cv=3).fit(X_iris, y).score(X_iris, y_iris) < 0.8


# Frozen


@pytest.mark.parametrize("kind", ["classifier", "regressor"])
def test_a_frozen_network_is_not_trained_again(kind):
    make, X, y = PROBLEMS[kind]
    model = make().fit(X, y)
    before, predicted = [W.copy() for W in model.coefs_], model.predict(X)
    frozen = clone(FrozenEstimator(model)).fit(X[:20], y[:20])
    np.testing.assert_array_equal(frozen.predict(X), predicted)
    assert frozen.estimator is model
    np.testing.assert_array_equal(make_pipeline(StandardScaler(), frozen).fit(X, y)[-1].coefs_[0], before[0])
    for now, then in zip(model.coefs_, before, strict=True):
        np.testing.assert_array_equal(now, then)
    assert frozen.score(X, y) == model.score(X, y)


def test_a_frozen_network_with_other_networks_in_a_vote():
    frozen = FrozenEstimator(classifier().fit(X_iris[::2], y_iris[::2]))
    voting = VotingClassifier([("old", frozen), ("new", classifier(random_state=1))], voting="soft")
    voting.fit(X_iris, y_iris)
    fresh = classifier(random_state=1).fit(X_iris, y_iris)
    expected = (frozen.predict_proba(X_iris) + fresh.predict_proba(X_iris)) / 2
    np.testing.assert_allclose(voting.predict_proba(X_iris), expected, rtol=1e-12)
