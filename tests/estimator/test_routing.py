"""Validation data and weights reach the network through pipelines, searches and metadata routing."""

import numpy as np
import pytest
import sklearn
from scipy import sparse
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.datasets import make_classification, make_regression
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import get_scorer
from sklearn.model_selection import GridSearchCV, KFold, cross_validate
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing

from skfnn import FNNClassifier, FNNRegressor
from skfnn.exceptions import ScaleWarning

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

N, N_VAL, N_EPOCHS = 60, 25, 4
CLASSES = make_classification(N + N_VAL, 6, n_informative=4, n_classes=3, random_state=0)
NUMBERS = make_regression(N + N_VAL, 6, noise=5.0, random_state=0)
KINDS = {"classifier": (FNNClassifier, CLASSES), "regressor": (FNNRegressor, NUMBERS)}
kinds = pytest.mark.parametrize("kind", KINDS)
rng = np.random.default_rng(0)
WEIGHTS, WEIGHTS_VAL = rng.integers(1, 5, N).astype(float), rng.integers(0, 5, N_VAL).astype(float)
EVERYTHING = ("sample_weight", "X_val", "y_val", "sample_weight_val")


@pytest.fixture(autouse=True)
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


def estimator(kind, **params):
    """An estimator that trains for exactly four epochs by default."""
    settings = {"hidden_layer_sizes": (5,), "batch_size": 12, "max_iter": N_EPOCHS, "tol": 0.0}
    return KINDS[kind][0](**(settings | {"n_iter_no_change": 1000, "random_state": 0} | params))


def requesting(network, *names):
    return network.set_fit_request(**dict.fromkeys(names, True))


def data(kind):
    """Training and validation rows that are far from standardised, and standardised targets."""
    X, y = KINDS[kind][1]
    X = 1000.0 + 30.0 * X
    y = y if kind == "classifier" else (y - y.mean()) / y.std()
    return X[:N], y[:N], X[N:], y[N:]


def assert_same_curves(found, expected):
    """Two models got the same numbers in the same order, so nothing is rounded differently."""
    assert len(found.validation_scores_) == len(found.validation_loss_curve_) == found.n_iter_
    assert found.validation_scores_ == expected.validation_scores_
    assert found.validation_loss_curve_ == expected.validation_loss_curve_
    assert found.loss_curve_ == expected.loss_curve_


# Pipelines

SCORERS = {"classifier": "balanced_accuracy", "regressor": "neg_mean_absolute_error"}
solvers = pytest.mark.parametrize(
    "params", [{}, {"solver": "adam", "learning_rate_init": 0.01}, {"solver": "lbfgs"}], ids=["sgd", "adam", "lbfgs"]
)


@kinds
@solvers
@pytest.mark.parametrize("scored_by", ["default", "loss", "name"])
def test_the_scores_in_a_pipeline_equal_those_of_a_set_transformed_by_hand(kind, params, scored_by):
    X, y, X_val, y_val = data(kind)
    params = params | {"scoring": {"default": None, "loss": "loss", "name": SCORERS[kind]}[scored_by]}
    network = requesting(estimator(kind, **params), "X_val", "y_val")
    steps = [("scale", StandardScaler()), ("rotate", PCA(4)), ("network", network)]
    pipeline = Pipeline(steps, transform_input=["X_val"]).fit(X, y, X_val=X_val, y_val=y_val)
    before = make_pipeline(StandardScaler(), PCA(4)).fit(X)
    by_hand = estimator(kind, **params).fit(before.transform(X), y, X_val=before.transform(X_val), y_val=y_val)
    assert_same_curves(pipeline[-1], by_hand)
    assert len(set(by_hand.validation_loss_curve_)) == N_EPOCHS


@kinds
def test_the_score_of_an_epoch_equals_the_pipelines_score_after_it(kind):
    X, y, X_val, y_val = data(kind)
    network = requesting(estimator(kind), "X_val", "y_val")
    pipeline = make_pipeline(StandardScaler(), network, transform_input=["X_val"])
    scores = pipeline.fit(X, y, X_val=X_val, y_val=y_val)[-1].validation_scores_
    for epoch in range(1, N_EPOCHS + 1):
        shorter = make_pipeline(StandardScaler(), estimator(kind, max_iter=epoch)).fit(X, y)
        # Two functions compute the mean of the same 25 numbers.
        np.testing.assert_allclose(scores[epoch - 1], shorter.score(X_val, y_val), rtol=1e-12)


@kinds
def test_a_set_that_transform_input_does_not_name_is_not_transformed(kind):
    X, y, X_val, y_val = data(kind)
    raw = requesting(estimator(kind), "X_val", "y_val")
    pipeline, scaler = make_pipeline(StandardScaler(), raw), StandardScaler().fit(X)
    with pytest.warns(ScaleWarning, match="transform_input"):
        found = pipeline.fit(X, y, X_val=X_val, y_val=y_val)[-1]
    with pytest.warns(ScaleWarning, match="transform_input"):
        untransformed = estimator(kind).fit(scaler.transform(X), y, X_val=X_val, y_val=y_val)
    assert_same_curves(found, untransformed)
    transformed = estimator(kind).fit(scaler.transform(X), y, X_val=scaler.transform(X_val), y_val=y_val)
    assert found.validation_loss_curve_[-1] > 2 * transformed.validation_loss_curve_[-1]


@kinds
@pytest.mark.parametrize("scored_by", ["default", "loss", "name"])
def test_weights_of_training_and_validation_rows_are_routed(kind, scored_by):
    X, y, X_val, y_val = data(kind)
    params = {"scoring": {"default": None, "loss": "loss", "name": SCORERS[kind]}[scored_by]}
    network = requesting(estimator(kind, **params), *EVERYTHING)
    scaler = StandardScaler().set_fit_request(sample_weight=True)
    pipeline = make_pipeline(scaler, network, transform_input=["X_val"])
    given = {"X_val": X_val, "y_val": y_val, "sample_weight_val": WEIGHTS_VAL}
    pipeline.fit(X, y, sample_weight=WEIGHTS, **given)
    scaler = StandardScaler().fit(X, sample_weight=WEIGHTS)
    given["X_val"] = scaler.transform(X_val)
    by_hand = estimator(kind, **params).fit(scaler.transform(X), y, sample_weight=WEIGHTS, **given)
    assert_same_curves(pipeline[-1], by_hand)
    # Both kinds of weights have an effect here.
    other = estimator(kind, **params).fit(scaler.transform(X), y, **given)
    assert other.validation_loss_curve_ != by_hand.validation_loss_curve_
    del given["sample_weight_val"]
    other = estimator(kind, **params).fit(scaler.transform(X), y, sample_weight=WEIGHTS, **given)
    assert other.validation_scores_ != by_hand.validation_scores_


@kinds
def test_early_stopping_in_a_pipeline_watches_the_transformed_set(kind, assert_identical):
    X, y, X_val, y_val = data(kind)
    params = {"early_stopping": True, "learning_rate_init": 0.5, "n_iter_no_change": 3, "max_iter": 60}
    network = requesting(estimator(kind, **params), "X_val", "y_val")
    pipeline = make_pipeline(StandardScaler(), network, transform_input=["X_val"])
    found = pipeline.fit(X, y, X_val=X_val, y_val=y_val)[-1]
    scaler = StandardScaler().fit(X)
    by_hand = estimator(kind, **params).fit(scaler.transform(X), y, X_val=scaler.transform(X_val), y_val=y_val)
    assert_same_curves(found, by_hand)
    assert_identical(found, by_hand)
    assert found.n_iter_ < 60
    np.testing.assert_allclose(pipeline.score(X_val, y_val), found.best_validation_score_, rtol=1e-12)


@kinds
def test_a_frame_is_transformed_by_a_column_transformer(kind):
    pd = pytest.importorskip("pandas")
    X, y, X_val, y_val = data(kind)
    names = [f"x{k}" for k in range(6)]
    frames = []
    for rows in (X, X_val):
        frame = pd.DataFrame(rows, columns=names)
        frame["colour"] = np.where(rows[:, 0] > 1000.0, "red", "green")
        frames.append(frame)
    columns = ColumnTransformer([("numbers", StandardScaler(), names), ("colour", OneHotEncoder(), ["colour"])])
    network = requesting(estimator(kind), "X_val", "y_val")
    pipeline = make_pipeline(clone(columns), network, transform_input=["X_val"])
    pipeline.fit(frames[0], y, X_val=frames[1], y_val=y_val)
    columns.fit(frames[0])
    rows, rows_val = (columns.transform(frame) for frame in frames)
    assert rows.shape == (N, 8)
    assert_same_curves(pipeline[-1], estimator(kind).fit(rows, y, X_val=rows_val, y_val=y_val))


def test_text_becomes_sparse_validation_rows():
    words = np.array(["loss", "score", "epoch", "batch", "weight", "rate"])
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(words, size=5)) for _ in range(60)]
    y = np.array([text.count("loss") > 0 for text in texts])
    network = requesting(estimator("classifier"), "X_val", "y_val")
    pipeline = make_pipeline(TfidfVectorizer(), network, transform_input=["X_val"])
    pipeline.fit(texts[:40], y[:40], X_val=texts[40:], y_val=y[40:])
    vectors = TfidfVectorizer()
    rows, rows_val = vectors.fit_transform(texts[:40]), vectors.transform(texts[40:])
    assert sparse.issparse(rows_val)
    assert_same_curves(pipeline[-1], estimator("classifier").fit(rows, y[:40], X_val=rows_val, y_val=y[40:]))


def test_a_set_that_nobody_requested_is_refused():
    X, y, X_val, y_val = data("classifier")
    pipeline = make_pipeline(StandardScaler(), estimator("classifier"), transform_input=["X_val"])
    with pytest.raises(ValueError, match="X_val.*not explicitly set as requested"):
        pipeline.fit(X, y, X_val=X_val, y_val=y_val)


def test_validation_targets_are_not_transformed():
    X, y, X_val, y_val = data("regressor")
    y, y_val = 500.0 + 40.0 * y, 500.0 + 40.0 * y_val
    network = requesting(estimator("regressor"), "X_val", "y_val")
    pipeline = make_pipeline(StandardScaler(), network, transform_input=["X_val"])
    model = TransformedTargetRegressor(pipeline, transformer=StandardScaler())
    scaler, target_scaler = StandardScaler().fit(X), StandardScaler().fit(y[:, None])
    z, z_val = (target_scaler.transform(v[:, None]).ravel() for v in (y, y_val))
    by_hand = estimator("regressor").fit(scaler.transform(X), z, X_val=scaler.transform(X_val), y_val=z_val)
    found = model.fit(X, y, X_val=X_val, y_val=z_val).regressor_[-1]
    assert_same_curves(found, by_hand)
    # R^2 does not depend on a common scale, so it equals that of the whole model, apart from the rounding by scaling.
    np.testing.assert_allclose(found.validation_scores_[-1], model.score(X_val, y_val), rtol=1e-9)
    # These targets are 12 standard deviations away from those that the network learns.
    assert model.fit(X, y, X_val=X_val, y_val=y_val).regressor_[-1].validation_scores_[-1] < -10


@pytest.mark.parametrize("routed", [False, True])
@kinds
def test_a_held_out_set_is_transformed_with_and_without_routing(kind, routed):
    X, y, _, _ = data(kind)
    with sklearn.config_context(enable_metadata_routing=routed):
        found = make_pipeline(StandardScaler(), estimator(kind, validation_fraction=0.25)).fit(X, y)[-1]
    by_hand = estimator(kind, validation_fraction=0.25).fit(StandardScaler().fit_transform(X), y)
    assert_same_curves(found, by_hand)


# partial_fit


class Router(MetaEstimatorMixin, BaseEstimator):
    """The smallest meta-estimator that routes the arguments of its partial_fit."""

    def __init__(self, estimator):
        self.estimator = estimator

    def partial_fit(self, X, y, **params):
        routed = process_routing(self, "partial_fit", **params)
        self.estimator.partial_fit(X, y, **routed.estimator.partial_fit)
        return self

    def get_metadata_routing(self):
        mapping = MethodMapping().add(caller="partial_fit", callee="partial_fit")
        return MetadataRouter(owner=type(self).__name__).add(estimator=self.estimator, method_mapping=mapping)


@kinds
def test_partial_fit_gets_all_requested_arguments(kind, assert_identical):
    X, y, X_val, y_val = data(kind)
    X, X_val = (StandardScaler().fit(X).transform(rows) for rows in (X, X_val))
    given = {"X_val": X_val, "y_val": y_val, "sample_weight_val": WEIGHTS_VAL}
    # The first chunk has two of three classes. Without `classes`, the second chunk would raise an error.
    chunks = [np.flatnonzero(y != 2)[:20], np.arange(30, N)]
    if kind == "classifier":
        given["classes"] = np.array([0, 1, 2])
    network = estimator(kind).set_partial_fit_request(sample_weight=True, **dict.fromkeys(given, True))
    router, direct = Router(network), estimator(kind)
    for rows in chunks:
        router.partial_fit(X[rows], y[rows], sample_weight=WEIGHTS[rows], **given)
        direct.partial_fit(X[rows], y[rows], sample_weight=WEIGHTS[rows], **given)
    assert_identical(network, direct)
    assert network.validation_scores_ == direct.validation_scores_
    assert len(network.validation_scores_) == 2


# Searches and cross-validation


@kinds
def test_each_fold_is_scored_on_the_whole_set_transformed_by_its_own_steps(kind):
    X, y, X_val, y_val = data(kind)
    network = requesting(estimator(kind), "X_val", "y_val")
    pipeline = make_pipeline(StandardScaler(), network, transform_input=["X_val"])
    folds = list(KFold(3, shuffle=True, random_state=0).split(X))
    given = {"X_val": X_val, "y_val": y_val}
    result = cross_validate(pipeline, X, y, cv=folds, params=given, return_estimator=True, error_score="raise")
    for (train, _), fitted in zip(folds, result["estimator"], strict=True):
        scaler = StandardScaler().fit(X[train])
        by_hand = estimator(kind).fit(scaler.transform(X[train]), y[train], X_val=scaler.transform(X_val), y_val=y_val)
        assert_same_curves(fitted[-1], by_hand)


@kinds
def test_a_grid_search_over_a_pipeline_routes_everything(kind):
    X, y, X_val, y_val = data(kind)
    network = requesting(estimator(kind), *EVERYTHING)
    scaler = StandardScaler().set_fit_request(sample_weight=False)
    pipeline = Pipeline([("scale", scaler), ("network", network)], transform_input=["X_val"])
    grid = {"network__batch_size": [5, 20], "network__learning_rate_init": [0.01, 0.1]}
    scorer = get_scorer({"classifier": "accuracy", "regressor": "r2"}[kind]).set_score_request(sample_weight=False)
    search = GridSearchCV(pipeline, grid, scoring=scorer, cv=2, error_score="raise")
    given = {"y_val": y_val, "sample_weight_val": WEIGHTS_VAL}
    search.fit(X, y, sample_weight=WEIGHTS, X_val=X_val, **given)
    scaler = StandardScaler().fit(X)
    best = {name.removeprefix("network__"): value for name, value in search.best_params_.items()}
    by_hand = estimator(kind, **best)
    by_hand.fit(scaler.transform(X), y, sample_weight=WEIGHTS, X_val=scaler.transform(X_val), **given)
    assert_same_curves(search.best_estimator_[-1], by_hand)
    # Each fold was trained with its part of the weights. A search without weights has other scores.
    plain = clone(search).fit(X, y, X_val=X_val, y_val=y_val)
    assert (plain.cv_results_["mean_test_score"] != search.cv_results_["mean_test_score"]).any()


def validation_sets_of_a_search(X, y, X_val, y_val):
    """The validation sets that a search with one candidate and two folds passes to its fits and its refit."""
    seen = []

    def scorer(network, rows, labels):
        seen.append((rows, labels))
        return 0.5

    network = requesting(estimator("classifier", scoring=scorer, max_iter=1), "X_val", "y_val")
    search = GridSearchCV(network, {"batch_size": [20]}, cv=KFold(2), error_score="raise")
    search.fit(X, y, X_val=X_val, y_val=y_val)
    return seen


def test_a_search_does_not_split_a_set_of_another_length():
    X, y, X_val, y_val = data("classifier")
    seen = validation_sets_of_a_search(X / 1000, y, X_val / 1000, y_val)
    assert len(seen) == 3
    for rows, labels in seen:
        np.testing.assert_array_equal(rows, X_val / 1000)
        np.testing.assert_array_equal(labels, y_val)


def test_a_search_splits_a_set_with_as_many_rows_as_x():
    # scikit-learn does this, and the guide warns about it. If scikit-learn changes, remove that warning.
    X, y, _, _ = data("classifier")
    X = X / 1000
    backwards = slice(None, None, -1)
    seen = validation_sets_of_a_search(X, y, X[backwards], y[backwards])
    train_of_the_folds = [np.arange(30, 60), np.arange(30), np.arange(60)]
    for (rows, labels), train in zip(seen, train_of_the_folds, strict=True):
        np.testing.assert_array_equal(rows, X[backwards][train])
        np.testing.assert_array_equal(labels, y[backwards][train])


@pytest.mark.parametrize("routed", [False, True])
@pytest.mark.parametrize("cut", ["X_val", "y_val"])
def test_if_a_search_splits_only_one_of_x_val_and_y_val_the_error_says_so(cut, routed):
    X, y, _, _ = data("classifier")
    given = {"X_val": X / 1000, "y_val": y}
    kept = "y_val" if cut == "X_val" else "X_val"
    given[kept] = given[kept][:50]
    sizes = {"X_val": 50, "y_val": 50} | {cut: 40}  # a fold of 60 rows trains on 40
    with sklearn.config_context(enable_metadata_routing=routed):
        network = estimator("classifier")
        if routed:
            network = requesting(network, "X_val", "y_val")
        search = GridSearchCV(network, {"batch_size": [20]}, cv=3, error_score="raise")
        message = rf"rows: {sizes['X_val']} and {sizes['y_val']}\..*GridSearchCV.*as many rows as X"
        with pytest.raises(ValueError, match=message):
            search.fit(X / 1000, y, **given)


def test_if_a_search_splits_only_sample_weight_val_the_error_names_it():
    X, y, X_val, y_val = data("classifier")
    network = requesting(estimator("classifier"), "X_val", "y_val", "sample_weight_val")
    search = GridSearchCV(network, {"batch_size": [20]}, cv=3, error_score="raise")
    with pytest.raises(ValueError, match=r"sample_weight_val.*\(40,\).*\(25,\)"):
        search.fit(X / 1000, y, X_val=X_val / 1000, y_val=y_val, sample_weight_val=np.ones(N))
