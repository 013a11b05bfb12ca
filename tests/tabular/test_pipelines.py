"""Raw tables of many kinds become predictions."""

import pickle

import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline

from skfnn import FNNClassifier, FNNRegressor
from skfnn.tabular import make_tabular_classifier, make_tabular_regressor

pd = pytest.importorskip("pandas")

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

QUICK = {"n_nets": 2, "max_iter": 15, "hidden_layer_sizes": (16,), "random_state": 0}
N = 200
rng = np.random.default_rng(0)


def table(n=N, seed=0):
    """A frame of all kinds of columns, and y, which depends on a number, a text and a boolean."""
    rng = np.random.default_rng(seed)
    age, city, flag = rng.normal(40.0, 10.0, n), rng.choice(["Oslo", "Rome", "Bern"], n), rng.random(n) > 0.5
    signal = (age - 40.0) / 10.0 + np.where(city == "Rome", 2.0, 0.0) - np.where(flag, 1.0, 0.0)
    frame = pd.DataFrame(
        {
            "age": np.where(rng.random(n) < 0.1, np.nan, age),
            "income": np.exp(rng.normal(size=n)),
            "city": np.where(rng.random(n) < 0.1, None, city),
            "flag": flag,
            "constant": 3.5,
            "constant text": "x",
            "visits": pd.array(np.where(rng.random(n) < 0.2, None, rng.integers(0, 5, n)), dtype="Int64"),
            "member": pd.array(np.where(rng.random(n) < 0.2, None, rng.random(n) > 0.5), dtype="boolean"),
            "grade": pd.Categorical(rng.choice(["low", "high"], n)),
            "mixed": np.array([1, "a", 2.0, None] * (n // 4), dtype=object),
            "id": [f"c{j}" for j in rng.integers(0, 1000, n)],
        }
    )
    return frame, signal


frame, signal = table()
labels = np.where(signal > 0.2, "yes", "no")


def classifier(**params):
    return make_tabular_classifier(**QUICK | params)


def regressor(**params):
    return make_tabular_regressor(**QUICK | params)


def test_a_classifier_learns_from_every_kind_of_column():
    model = classifier(max_iter=60).fit(frame, labels)
    test, test_signal = table(seed=1)
    # A constant has 0.5 to 0.6; without the city or the flag about 0.75.
    assert model.score(test, np.where(test_signal > 0.2, "yes", "no")) > 0.8


def test_a_regressor_learns_from_every_kind_of_column():
    model = regressor(max_iter=60).fit(frame, 1e5 + 1e4 * signal)
    test, test_signal = table(seed=1)
    # One in ten ages and cities are missing, so a perfect model has about 0.9.
    assert model.score(test, 1e5 + 1e4 * test_signal) > 0.7


def test_the_settings_without_parameters_train():
    model = make_tabular_classifier(max_iter=1).fit(frame, labels)
    assert model.predict_proba(frame).shape == (N, 2)
    assert make_tabular_regressor(max_iter=1).fit(frame, signal).predict(frame).shape == (N,)


def test_parameters_go_to_the_average_or_to_the_networks():
    model = make_tabular_classifier(
        n_nets=3, n_jobs=1, max_iter=7, batch_size=9, dropout=0.5, alpha=2.0, random_state=5
    )
    average = model[-1]
    assert (average.n_nets, average.n_jobs, average.max_iter, average.batch_size) == (3, 1, 7, 9)
    assert average.random_state == 5
    assert (average.estimator.dropout, average.estimator.alpha) == (0.5, 2.0)
    assert type(average.estimator) is FNNClassifier
    assert type(make_tabular_regressor()[-1].estimator) is FNNRegressor


def test_an_unknown_parameter_is_an_error():
    with pytest.raises(TypeError, match="droput"):
        make_tabular_classifier(droput=0.5)


@pytest.mark.parametrize("dtype", ["object", "str", "string", "category"])
def test_the_type_of_a_text_column_does_not_matter(dtype):
    expected = classifier().fit(frame, labels).predict_proba(frame)
    other = frame.assign(city=pd.Series(frame["city"].tolist(), dtype=dtype))
    np.testing.assert_array_equal(classifier().fit(other, labels).predict_proba(other), expected)


def test_frames_of_polars_and_pandas_give_the_same_model():
    pl = pytest.importorskip("polars")
    pytest.importorskip("pyarrow")
    usual = frame.drop(columns=["mixed"])
    other = pl.from_pandas(usual)
    a, b = classifier().fit(usual, labels), classifier().fit(other, labels)
    np.testing.assert_array_equal(a.predict_proba(usual), b.predict_proba(other))
    np.testing.assert_array_equal(a.predict_proba(usual), a.predict_proba(other))


def test_a_polars_frame_trains_without_pandas_columns():
    pl = pytest.importorskip("polars")
    other = pl.DataFrame({"x": [0.0, None, 2.0, 3.0] * 10, "t": ["a", "b", None, "b"] * 10, "b": [True, None] * 20})
    y = ["u", "v", "v", "u"] * 10
    assert classifier(max_iter=60).fit(other, y).score(other, y) == 1.0


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "uint8"])
def test_an_array_of_numbers(dtype):
    X = rng.integers(0, 100, (80, 3)).astype(dtype)
    model = regressor(max_iter=60).fit(X, X[:, 0] * 2.0)
    assert model.score(X, X[:, 0] * 2.0) > 0.9


def test_an_array_of_objects():
    X = frame.to_numpy(dtype=object)
    assert set(classifier().fit(X, labels).predict(X)) <= {"yes", "no"}


def test_columns_may_come_in_another_order():
    model = classifier().fit(frame, labels)
    np.testing.assert_array_equal(model.predict_proba(frame[frame.columns[::-1]]), model.predict_proba(frame))


def test_new_and_rare_categories_are_one_category():
    model = classifier().fit(frame.assign(city=["Oslo"] * 90 + ["Rome"] * 107 + ["A", "B", "C"]), labels)
    rows = frame.iloc[[0, 0, 0]].assign(city=["A", "Paris", "Rome"])
    rare, new, frequent = model.predict_proba(rows)
    np.testing.assert_array_equal(rare, new)
    assert not np.array_equal(rare, frequent)


def test_new_missing_values_and_new_categories_in_predict_are_no_error():
    complete = pd.DataFrame({"x": np.arange(20.0), "t": ["a", "b"] * 10, "b": [True, False] * 10})
    model = classifier().fit(complete, ["u", "v"] * 10)
    rows = pd.DataFrame({"x": [np.nan], "t": [None], "b": [None]})
    assert np.isfinite(model.predict_proba(rows)).all()


def test_a_thousand_categories_stay_few_columns():
    X = pd.DataFrame({"id": [f"c{j}" for j in range(1000)] * 2, "x": np.arange(2000.0)})
    model = regressor(max_iter=2).fit(X, X["x"])
    # Each occurs twice, so all are rare.
    assert model[:-1].transform(X[:1]).shape[1] <= 10


def test_a_date_is_an_error():
    dated = frame.assign(when=pd.Timestamp("2020-01-01"))
    with pytest.raises(ValueError, match=r"'when' has dates or times .* days since a fixed date"):
        classifier().fit(dated, labels)


def test_a_repeated_name_is_an_error():
    with pytest.raises(ValueError, match="more than one column named 'age'|unique column names.*\n.*age"):
        classifier().fit(pd.concat([frame, frame[["age"]]], axis=1), labels)


@pytest.mark.parametrize("n", [2, 5, 12])
def test_few_rows(n):
    model = classifier().fit(frame.iloc[:n], ["u", "v"] * (n // 2) + ["u"] * (n % 2))
    assert model.predict_proba(frame).shape == (N, 2)


def test_more_columns_than_rows():
    X = rng.normal(size=(30, 200))
    y = X[:, 0] > 0
    assert classifier(max_iter=60).fit(X, y).score(X, y) == 1.0


# scikit-learn's tools


def test_a_grid_search_sets_every_part():
    grid = {
        "columns__numbers__n_bins": [2, 4],
        "columns__categories__one_hot__min_frequency": [1],
        "net__estimator__dropout": [0.0],
        "net__n_nets": [1],
        "net__max_iter": [2, 3],
        "net__batch_size": [32],
        "net__learning_rate_init": [0.01],
    }
    search = GridSearchCV(classifier(), grid, cv=2).fit(frame, labels)
    assert len(search.cv_results_["params"]) == 4
    assert len(search.best_estimator_[-1].nets_) == 1


def test_cross_validation_and_clone():
    assert len(cross_val_score(clone(regressor(max_iter=2)), frame, signal, cv=3)) == 3


def test_a_validation_set_is_transformed_on_its_way():
    test, test_signal = table(60, seed=1)
    y_val = np.where(test_signal > 0.2, "yes", "no")
    weights = np.ones(N)
    with sklearn.config_context(enable_metadata_routing=True):
        model = classifier(max_iter=3).fit(frame, labels, X_val=test, y_val=y_val, sample_weight=weights)
        for net in model[-1].nets_:
            assert net.validation_scores_[-1] == net.score(model[:-1].transform(test), y_val)
        plain = classifier(max_iter=3, n_folds=None).fit(frame, labels)
    assert plain[-1].nets_[0].validation_scores_ is None


def test_a_part_of_the_rows_is_held_out():
    model = classifier(early_stopping=True, n_iter_no_change=3).fit(frame, labels)
    assert len(model[-1].nets_[0].validation_scores_) == model[-1].nets_[0].n_iter_


def test_names_of_the_columns():
    model = classifier(max_iter=1).fit(frame, labels)
    names = model[:-1].get_feature_names_out().tolist()
    assert {"numbers__age", "numbers__age_bin1", "numbers__age_missing", "categories__city_Rome"} <= set(names)
    columns = clone(model[0]).set_output(transform="pandas")
    encoded = columns.fit_transform(frame)
    assert encoded.columns.tolist() == names


def test_a_pickle_predicts_the_same():
    model = classifier().fit(frame, labels)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict_proba(frame), model.predict_proba(frame))


@pytest.mark.parametrize("kind", ["classifier", "regressor"])
def test_a_skops_file_predicts_the_same(kind):
    io = pytest.importorskip("skops.io")
    model = (classifier() if kind == "classifier" else regressor()).fit(
        frame, labels if kind == "classifier" else signal
    )
    content = io.dumps(model)
    trusted = io.get_untrusted_types(data=content)
    assert all(name.startswith("skfnn.") for name in trusted)
    np.testing.assert_array_equal(io.loads(content, trusted=trusted).predict(frame), model.predict(frame))


def test_the_pipelines_are_plain_pipelines():
    assert type(classifier()) is type(regressor()) is Pipeline
    assert list(classifier().named_steps) == ["columns", "net"]
