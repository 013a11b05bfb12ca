"""Frames between the steps of a pipeline, and wrong feature names."""

import warnings

import numpy as np
import pytest
from sklearn.ensemble import StackingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from small_tables import X_iris, X_line, flowers, y_iris, y_line
from tool_problems import PROBLEMS, classifier, regressor

NAMES = ["length", "width", "height", "weight"]


def frame_of(library, X, names):
    frames = pytest.importorskip(library)
    return frames.DataFrame(X, columns=names) if library == "pandas" else frames.DataFrame(X, schema=names)


@pytest.mark.filterwarnings("error:.*feature names")
@pytest.mark.parametrize("library", ["pandas", "polars"])
@pytest.mark.parametrize("kind", ["classifier", "regressor"])
def test_a_pipeline_may_pass_frames_between_its_steps(kind, library):
    make, X, y = PROBLEMS[kind]
    frame = frame_of(library, X, NAMES)
    model = make_pipeline(StandardScaler(), make()).set_output(transform=library).fit(frame, y)
    np.testing.assert_array_equal(model[-1].feature_names_in_, NAMES)
    assert type(model[:-1].transform(frame)) is type(frame)
    plain = make_pipeline(StandardScaler(), make()).fit(X, y)
    raw = "decision_function" if kind == "classifier" else "predict"
    # The scaler sums the columns of frames and arrays in different orders, and twelve epochs magnify the difference.
    np.testing.assert_allclose(getattr(model, raw)(frame), getattr(plain, raw)(X), rtol=0, atol=1e-9)
    np.testing.assert_allclose(model.score(frame, y), plain.score(X, y), rtol=1e-9)
    assert not hasattr(plain[-1], "feature_names_in_")


def test_stacking_names_the_columns_of_probabilities():
    frame = frame_of("pandas", X_iris, NAMES)
    stacking = StackingClassifier([("net", classifier())], LogisticRegression(), cv=3).set_output(transform="pandas")
    columns = stacking.fit(frame, flowers).transform(frame)
    np.testing.assert_array_equal(columns, classifier().fit(X_iris, y_iris).predict_proba(X_iris))
    assert [name.startswith("stackingclassifier_net") for name in columns] == [True] * 3


def change(case, library, X):
    """The changed frame or array for prediction."""
    renamed = ["length", "width", "height", "mass"]
    order = [3, 0, 1, 2]
    return {
        "another order": lambda: frame_of(library, X[:, order], [NAMES[k] for k in order]),
        "another name": lambda: frame_of(library, X, renamed),
        "a column missing": lambda: frame_of(library, X[:, :3], NAMES[:3]),
        "a column more": lambda: frame_of(library, np.column_stack([X, X[:, 0]]), [*NAMES, "more"]),
        "no names": lambda: X,
    }[case]()


def outcome(model, X, y, method):
    """The error or warning of a call, without the estimator's name."""
    arguments = (X,) if method in ("predict", "predict_proba") else (X, y)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            getattr(model, method)(*arguments)
            raised = None
        except ValueError as error:
            raised = str(error)
    said = [str(w.message) for w in caught if "feature names" in str(w.message)]
    name = type(model).__name__
    return (raised and raised.replace(name, "MODEL")), [text.replace(name, "MODEL") for text in said]


CASES = ["another order", "another name", "a column missing", "a column more", "no names"]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("library", ["pandas", "polars"])
@pytest.mark.parametrize("method", ["predict", "predict_proba", "score", "partial_fit"])
@pytest.mark.parametrize("case", CASES)
def test_wrong_feature_names_raise_or_warn_as_in_scikit_learn(case, method, library):
    given = frame_of(library, X_iris, NAMES)
    wrong = change(case, library, X_iris)
    ours = outcome(classifier(max_iter=2).fit(given, y_iris), wrong, y_iris, method)
    theirs = outcome(MLPClassifier(3, max_iter=2).fit(given, y_iris), wrong, y_iris, method)
    assert ours == theirs
    assert bool(ours[0]) == (case != "no names")
    assert bool(ours[1]) == (case == "no names")


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("library", ["pandas", "polars"])
@pytest.mark.parametrize("case", CASES)
def test_wrong_feature_names_in_regression(case, library):
    given, wrong = frame_of(library, X_line, NAMES), change(case, library, X_line)
    for method in ("predict", "score", "partial_fit"):
        ours = outcome(regressor(max_iter=2).fit(given, y_line), wrong, y_line, method)
        theirs = outcome(MLPRegressor(hidden_layer_sizes=3, max_iter=2).fit(given, y_line), wrong, y_line, method)
        assert ours == theirs
        assert bool(ours[0]) != bool(ours[1])


@pytest.mark.parametrize("make", [classifier, regressor])
def test_names_that_are_not_all_strings(make):
    y = y_line > 0 if make is classifier else y_line
    numbered = frame_of("pandas", X_line, [0, 1, 2, 3])
    assert not hasattr(make().fit(numbered, y), "feature_names_in_")
    with pytest.raises(TypeError, match="Feature names are only supported if all input features have string names"):
        make().fit(frame_of("pandas", X_line, [0, 1, "a", "b"]), y)


@pytest.mark.parametrize("make", [classifier, regressor])
def test_a_frame_after_an_array_causes_a_warning(make):
    y = y_line > 0 if make is classifier else y_line
    model = make().fit(X_line, y)
    with pytest.warns(UserWarning, match=r"X has feature names, but \w+ was fitted without feature names"):
        model.predict(frame_of("pandas", X_line, NAMES))
