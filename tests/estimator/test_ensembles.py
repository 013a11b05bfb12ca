"""Bagging, voting, stacking, and one network per class or output."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import (
    BaggingClassifier,
    BaggingRegressor,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_predict
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputRegressor
from sklearn.preprocessing import StandardScaler
from small_tables import X_iris, X_line, flowers, y_iris, y_line
from tool_problems import PROBLEMS, Y_line, classifier, regressor

# Ensembles


@pytest.mark.parametrize("max_features", [1.0, 3])
@pytest.mark.parametrize("kind", ["classifier", "regressor"])
def test_bagging_averages_networks_on_bootstrap_samples(kind, max_features):
    make, X, y = PROBLEMS[kind]
    bagging = BaggingClassifier if kind == "classifier" else BaggingRegressor
    model = bagging(make(), n_estimators=3, max_features=max_features, random_state=0).fit(X, y)
    codes = y_iris if kind == "classifier" else y
    predictions = []
    for member, rows, columns in zip(
        model.estimators_, model.estimators_samples_, model.estimators_features_, strict=True
    ):
        # If an estimator accepts sample weights, scikit-learn passes how often it drew each row.
        counts = np.bincount(rows, minlength=len(X)).astype(float)
        own = clone(member).fit(X[:, columns], codes, counts)
        np.testing.assert_array_equal(own.coefs_[0], member.coefs_[0])
        predict = own.predict_proba if kind == "classifier" else own.predict
        predictions.append(predict(X[:, columns]))
    mean = np.mean(predictions, axis=0)
    found = model.predict_proba(X) if kind == "classifier" else model.predict(X)
    np.testing.assert_allclose(found, mean, rtol=1e-12, atol=1e-15)
    assert len({member.random_state for member in model.estimators_}) == 3
    assert model.score(X, y) > 0.8


@pytest.mark.parametrize("kind", ["classifier", "regressor"])
def test_bagging_leaves_out_rows_of_weight_zero(kind):
    weights = np.tile([1.0, 0.0], 75)
    if kind == "classifier":
        model, X, y = BaggingClassifier(classifier(max_iter=40), 3, random_state=0), X_iris, y_iris
        wrong = (y + 1) % 3
    else:
        model, X, y = BaggingRegressor(regressor(max_iter=40), 3, random_state=0), X_line, y_line
        weights, wrong = weights[:120], -y
    given = np.where(weights > 0, y, wrong)
    assert model.fit(X, given, sample_weight=weights).score(X, y) > 0.9
    assert model.fit(X, given).score(X, y) < 0.8


def test_soft_voting_averages_the_probabilities():
    members = [("a", classifier()), ("b", classifier(solver="sgd", random_state=1)), ("c", LogisticRegression())]
    voting = VotingClassifier(members, voting="soft", weights=[3, 1, 2]).fit(X_iris, flowers)
    each = [clone(member).fit(X_iris, y_iris).predict_proba(X_iris) for _, member in members]
    expected = np.average(each, axis=0, weights=[3, 1, 2])
    # The logistic regression is fitted to the same labels. Only the order of summation differs.
    np.testing.assert_allclose(voting.predict_proba(X_iris), expected, rtol=1e-12)
    np.testing.assert_array_equal(voting.predict(X_iris), voting.classes_[expected.argmax(axis=1)])
    assert voting.score(X_iris, flowers) > 0.9


def test_a_voting_regressor_averages_the_predictions():
    members = [("a", regressor()), ("b", regressor(solver="sgd")), ("c", LinearRegression())]
    voting = VotingRegressor(members, weights=[3, 1, 2]).fit(X_line, y_line)
    each = [clone(member).fit(X_line, y_line).predict(X_line) for _, member in members]
    np.testing.assert_allclose(voting.predict(X_line), np.average(each, axis=0, weights=[3, 1, 2]), rtol=1e-12)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_voting_passes_sample_weights_to_the_networks(sign):
    weights = np.linspace(0.0, 2.0, 120)
    y = y_line > 0
    voting = VotingClassifier([("a", classifier())], voting="soft").fit(X_line, y, sample_weight=weights[:: int(sign)])
    expected = classifier().fit(X_line, y, weights[:: int(sign)])
    np.testing.assert_array_equal(voting.predict_proba(X_line), expected.predict_proba(X_line))
    assert abs(expected.coefs_[0] - classifier().fit(X_line, y).coefs_[0]).max() > 1e-3


def test_a_stacking_classifier_learns_from_held_out_probabilities():
    final = LogisticRegression()
    members = [("a", classifier()), ("b", classifier(hidden_layer_sizes=(3,), random_state=1))]
    stacking = StackingClassifier(members, final, cv=3).fit(X_iris, flowers)
    assert stacking.stack_method_ == ["predict_proba", "predict_proba"]
    folds = StratifiedKFold(3)
    held_out = np.hstack(
        [cross_val_predict(member, X_iris, y_iris, cv=folds, method="predict_proba") for _, member in members]
    )
    own = clone(final).fit(held_out, y_iris)
    np.testing.assert_allclose(stacking.final_estimator_.coef_, own.coef_, rtol=1e-10)
    whole = np.hstack([clone(member).fit(X_iris, y_iris).predict_proba(X_iris) for _, member in members])
    np.testing.assert_allclose(stacking.transform(X_iris), whole, rtol=1e-12)
    np.testing.assert_allclose(stacking.predict_proba(X_iris), own.predict_proba(whole), rtol=1e-8)
    assert stacking.score(X_iris, flowers) > 0.9


def test_a_stacking_regressor_learns_from_held_out_predictions():
    members = [("a", regressor()), ("b", regressor(hidden_layer_sizes=(3,), random_state=1))]
    stacking = StackingRegressor(members, LinearRegression(), cv=3).fit(X_line, y_line)
    held_out = np.column_stack([cross_val_predict(member, X_line, y_line, cv=KFold(3)) for _, member in members])
    own = LinearRegression().fit(held_out, y_line)
    np.testing.assert_allclose(stacking.final_estimator_.coef_, own.coef_, rtol=1e-8)
    whole = np.column_stack([clone(member).fit(X_line, y_line).predict(X_line) for _, member in members])
    np.testing.assert_allclose(stacking.predict(X_line), own.predict(whole), rtol=1e-8)
    assert stacking.score(X_line, y_line) > 0.8


def test_stacking_accepts_networks_that_are_already_fitted():
    members = [("a", classifier().fit(X_iris, y_iris)), ("b", classifier(random_state=1).fit(X_iris, y_iris))]
    stacking = StackingClassifier(members, LogisticRegression(), cv="prefit").fit(X_iris, y_iris)
    expected = np.hstack([member.predict_proba(X_iris) for _, member in members])
    np.testing.assert_array_equal(stacking.transform(X_iris), expected)
    for (_, given), used in zip(members, stacking.estimators_, strict=True):
        assert given is used


# One network per class, one network per output


def test_one_vs_rest_trains_one_binary_network_per_class():
    model = OneVsRestClassifier(classifier(max_iter=30)).fit(X_iris, flowers)
    raw = np.column_stack(
        [classifier(max_iter=30).fit(X_iris, (y_iris == k).astype(int)).decision_function(X_iris) for k in range(3)]
    )
    np.testing.assert_allclose(model.decision_function(X_iris), raw, rtol=1e-12)
    np.testing.assert_array_equal(model.predict(X_iris), model.classes_[raw.argmax(axis=1)])
    each = 1.0 / (1.0 + np.exp(-raw))
    np.testing.assert_allclose(model.predict_proba(X_iris), each / each.sum(axis=1, keepdims=True), rtol=1e-10)
    assert model.score(X_iris, flowers) > 0.9


def test_one_vs_rest_accepts_multilabel_targets():
    Y = np.column_stack([y_line > 0, X_line[:, 2] > 0]).astype(int)
    model = OneVsRestClassifier(classifier(max_iter=30)).fit(X_line, Y)
    each = [classifier(max_iter=30).fit(X_line, Y[:, k]).predict(X_line) for k in range(2)]
    np.testing.assert_array_equal(model.predict(X_line), np.column_stack(each))
    assert model.score(X_line, Y) > 0.8


def test_a_multi_output_regressor_trains_one_network_per_output():
    model = MultiOutputRegressor(regressor()).fit(X_line, Y_line)
    each = [regressor().fit(X_line, Y_line[:, k]).predict(X_line) for k in range(3)]
    np.testing.assert_array_equal(model.predict(X_line), np.column_stack(each))
    assert abs(model.predict(X_line) - regressor().fit(X_line, Y_line).predict(X_line)).max() > 1e-3
    # partial_fit exists if the network has it
    model = MultiOutputRegressor(regressor())
    for _ in range(3):
        model.partial_fit(X_line, Y_line)
    assert [member.n_iter_ for member in model.estimators_] == [3, 3, 3]
    np.testing.assert_array_equal(
        model.predict(X_line)[:, 1], regressor(max_iter=3).fit(X_line, Y_line[:, 1]).predict(X_line)
    )


@pytest.mark.parametrize("targets", [y_line, Y_line], ids=["one output", "three outputs"])
def test_targets_are_standardised_and_predictions_scaled_back(targets):
    y = 1000.0 * targets + 50.0
    model = TransformedTargetRegressor(regressor(max_iter=40), transformer=StandardScaler()).fit(X_line, y)
    scale, mean = y.std(axis=0), y.mean(axis=0)
    own = regressor(max_iter=40).fit(X_line, (y - mean) / scale)
    # The scaler rounds differently, and forty epochs magnify the difference.
    np.testing.assert_allclose(model.predict(X_line), own.predict(X_line) * scale + mean, rtol=0, atol=1e-6)
    assert model.score(X_line, y) > 0.8
    assert model.predict(X_line).shape == y.shape
