"""Halving searches, predictions of held-out rows, learning curves."""

import numpy as np
import pytest
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import (
    HalvingGridSearchCV,
    KFold,
    LearningCurveDisplay,
    StratifiedKFold,
    cross_val_predict,
    cross_val_score,
    learning_curve,
)
from small_tables import X_iris, X_line, flowers, y_line
from tool_problems import PROBLEMS, Y_line, agg, classifier, regressor


# The smallest rate is too small for any progress.
@pytest.mark.filterwarnings("ignore:The network predicts no better than a constant")
@pytest.mark.parametrize("kind", ["classifier", "regressor"])
def test_a_halving_search_gives_more_epochs_to_fewer_candidates(kind):
    make, X, y = PROBLEMS[kind]
    folds = (StratifiedKFold if kind == "classifier" else KFold)(3)
    grid = {"learning_rate_init": [1e-5, 1e-3, 0.02], "hidden_layer_sizes": [(3,), (8,), (16,)]}
    search = HalvingGridSearchCV(
        make(), grid, resource="max_iter", min_resources=2, max_resources=18, factor=3, cv=folds, random_state=0
    ).fit(X, y)
    assert (search.n_resources_, search.n_candidates_) == ([2, 6, 18], [9, 3, 1])
    results = search.cv_results_
    for k in (0, 4, 9, 11, 12):
        params = results["params"][k]
        assert params["max_iter"] == results["n_resources"][k]
        np.testing.assert_allclose(
            results["mean_test_score"][k], cross_val_score(make(**params), X, y, cv=folds).mean(), rtol=1e-12
        )
    assert search.best_params_["learning_rate_init"] == 0.02
    assert search.best_estimator_.n_iter_ == 18
    np.testing.assert_array_equal(search.predict(X), make(**search.best_params_).fit(X, y).predict(X))


@pytest.mark.parametrize("method", ["predict_proba", "predict_log_proba", "decision_function", "predict"])
def test_cross_val_predict_uses_a_network_that_did_not_see_the_row(method):
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    found = cross_val_predict(classifier(), X_iris, flowers, cv=folds, method=method)
    for train, test in folds.split(X_iris, flowers):
        clf = classifier().fit(X_iris[train], flowers[train])
        np.testing.assert_array_equal(found[test], getattr(clf, method)(X_iris[test]))
    assert found.shape == ((150,) if method == "predict" else (150, 3))


@pytest.mark.parametrize("targets", [y_line, Y_line], ids=["one output", "three outputs"])
def test_cross_val_predict_works_with_a_regressor(targets):
    found = cross_val_predict(regressor(), X_line, targets, cv=KFold(3))
    for train, test in KFold(3).split(X_line):
        own = regressor().fit(X_line[train], targets[train])
        np.testing.assert_array_equal(found[test], own.predict(X_line[test]))
    assert found.shape == targets.shape


@pytest.mark.parametrize("kind", ["classifier", "regressor"])
def test_a_learning_curve_is_drawn(kind):
    plt = agg()
    make, X, y = PROBLEMS[kind]
    folds = (StratifiedKFold if kind == "classifier" else KFold)(3, shuffle=True, random_state=0)
    display = LearningCurveDisplay.from_estimator(
        make(), X, y, train_sizes=[30, 60], cv=folds, shuffle=True, random_state=0, std_display_style=None
    )
    np.testing.assert_array_equal(display.train_sizes, [30, 60])
    rng, expected = np.random.RandomState(0), []
    for train, test in folds.split(X, y):
        order = rng.permutation(train)
        expected.append([make().fit(X[order[:n]], y[order[:n]]).score(X[test], y[test]) for n in (30, 60)])
    np.testing.assert_allclose(display.test_scores, np.transpose(expected), rtol=1e-12)
    test_line = display.lines_[1]
    np.testing.assert_allclose(test_line.get_ydata(), display.test_scores.mean(axis=1))
    assert display.ax_.get_xlabel()
    plt.close("all")


@pytest.mark.parametrize("kind", ["classifier", "regressor"])
def test_a_learning_curve_may_use_partial_fit(kind):
    make, X, y = PROBLEMS[kind]
    folds = (StratifiedKFold if kind == "classifier" else KFold)(3, shuffle=True, random_state=0)
    _, _, found = learning_curve(make(), X, y, train_sizes=[20, 40, 60], cv=folds, exploit_incremental_learning=True)
    classes = {"classes": np.unique(y)} if kind == "classifier" else {}
    for k, (train, test) in enumerate(folds.split(X, y)):
        own = make()
        for part, score in zip(np.split(train[:60], [20, 40]), found[:, k], strict=True):
            own.partial_fit(X[part], y[part], **classes)
            np.testing.assert_allclose(own.score(X[test], y[test]), score, rtol=1e-12)
