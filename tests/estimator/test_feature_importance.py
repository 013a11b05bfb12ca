"""scikit-learn's inspection of a network: permutation importance and partial dependence."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.inspection import PartialDependenceDisplay, partial_dependence, permutation_importance
from small_tables import X_iris, X_line, flowers, y_line
from tool_problems import agg, classifier, regressor


@pytest.mark.parametrize("container", ["array", "frame"])
@pytest.mark.parametrize("make", [classifier, regressor])
def test_permutation_importance_finds_the_features_that_matter(make, container):
    # Features 0 and 1 determine the targets, 2 and 3 are noise.
    y = y_line if make is regressor else np.where(y_line > 0, "high", "low")
    X = X_line
    if container == "frame":
        X = pytest.importorskip("pandas").DataFrame(X_line, columns=list("abcd"))
    model = make(max_iter=40).fit(X, y)
    found = permutation_importance(model, X, y, n_repeats=5, random_state=0)
    assert found.importances.shape == (4, 5)
    assert found.importances_mean[:2].min() > 0.1
    assert abs(found.importances_mean[2:]).max() < 0.05


def by_hand(predict, X, column, grid):
    """The mean predictions if one column is set to each value of a grid, (n_values, ...)."""
    means = []
    for value in grid:
        changed = X.copy()
        changed[:, column] = value
        means.append(predict(changed).mean(axis=0))
    return np.array(means)


@pytest.mark.parametrize(
    ("model", "X", "y", "response"),
    [
        (classifier(), X_iris, flowers, "predict_proba"),
        (classifier(), X_iris, flowers, "decision_function"),
        (regressor(), X_line, y_line, "predict"),
    ],
    ids=["predict_proba", "decision_function", "predict"],
)
def test_partial_dependence_is_the_mean_over_changed_rows(model, X, y, response):
    model = clone(model).fit(X, y)
    method = "auto" if response == "predict" else response
    found = partial_dependence(model, X, [2], response_method=method, grid_resolution=5, kind="average")
    expected = by_hand(getattr(model, response), X, 2, found["grid_values"][0])
    expected = expected[:, None] if expected.ndim == 1 else expected
    np.testing.assert_allclose(found["average"], expected.T, rtol=1e-10)
    assert np.ptp(found["average"]) > 0.01


@pytest.mark.parametrize("make", [classifier, regressor])
def test_partial_dependence_is_drawn(make):
    plt = agg()
    frame = pytest.importorskip("pandas").DataFrame(X_line, columns=list("abcd"))
    y = y_line if make is regressor else y_line > 0
    model = make().fit(frame, y)
    display = PartialDependenceDisplay.from_estimator(model, frame, ["a", "d"], grid_resolution=4)
    predict = model.predict if make is regressor else lambda X: model.predict_proba(X)[:, 1]
    for name, line in zip("ad", display.lines_[0], strict=True):
        expected = [predict(frame.assign(**{name: value})).mean() for value in line.get_xdata()]
        np.testing.assert_allclose(line.get_ydata(), expected, rtol=1e-10)
    plt.close("all")
