"""The estimators in third-party packages: optuna, imbalanced-learn, shap and mapie (extra `ecosystem`)."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris, make_classification, make_regression
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from skfnn import FNNClassifier, FNNRegressor

SETTINGS = {"hidden_layer_sizes": (8,), "solver": "adam", "learning_rate_init": 0.02, "batch_size": 20}
SETTINGS |= {"max_iter": 30, "n_iter_no_change": None, "random_state": 0}
# These packages, or packages that they import, may warn about the newest NumPy or scikit-learn.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]


@pytest.fixture
def iris():
    X, y = load_iris(return_X_y=True)
    return train_test_split(StandardScaler().fit_transform(X), y, random_state=0)


def test_optuna_prunes_by_partial_fit(iris):
    optuna = pytest.importorskip("optuna")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    X, X_val, y, y_val = iris
    epochs = []

    def objective(trial):
        rate = trial.suggest_categorical("rate", [0.02, 1e-7])
        clf = FNNClassifier(**(SETTINGS | {"learning_rate_init": rate}))
        for epoch in range(20):
            clf.partial_fit(X, y, classes=[0, 1, 2])
            trial.report(clf.score(X_val, y_val), epoch)
            if trial.should_prune():
                epochs.append(clf.n_iter_)
                raise optuna.TrialPruned
        return clf.score(X_val, y_val)

    sampler = optuna.samplers.GridSampler({"rate": [0.02, 1e-7]}, seed=0)
    study = optuna.create_study(
        direction="maximize", sampler=sampler, pruner=optuna.pruners.MedianPruner(n_startup_trials=1)
    )
    study.enqueue_trial({"rate": 0.02})
    study.optimize(objective, n_trials=3)
    assert study.best_params == {"rate": 0.02}
    assert study.best_value > 0.9
    assert epochs
    assert max(epochs) < 20


def test_imbalanced_learn_resamples_the_training_rows():
    over_sampling = pytest.importorskip("imblearn.over_sampling")
    pipeline = pytest.importorskip("imblearn.pipeline")
    X, y = make_classification(300, 6, n_informative=4, weights=[0.95], random_state=0)
    sampler = over_sampling.RandomOverSampler(random_state=0)
    model = pipeline.make_pipeline(StandardScaler(), sampler, FNNClassifier(**SETTINGS)).fit(X, y)
    scaler = StandardScaler().fit(X)
    own = FNNClassifier(**SETTINGS).fit(*clone(sampler).fit_resample(scaler.transform(X), y))
    np.testing.assert_array_equal(model.predict_proba(X), own.predict_proba(scaler.transform(X)))
    assert model[-1].t_ == 30 * 2 * (y == 0).sum()  # both classes are equally frequent


def test_shap_values_add_up_to_the_prediction():
    shap = pytest.importorskip("shap")
    X, y = make_regression(80, 3, random_state=0)
    model = FNNRegressor(**SETTINGS).fit(X, y)
    background = X[:10]
    values = shap.Explainer(model.predict, background, algorithm="exact")(X[:5])
    np.testing.assert_allclose(values.base_values, model.predict(background).mean(), rtol=1e-6)
    np.testing.assert_allclose(values.base_values + values.values.sum(axis=1), model.predict(X[:5]), rtol=1e-6)


def test_mapie_gives_intervals_of_the_stated_coverage():
    mapie = pytest.importorskip("mapie.regression")
    X, y = make_regression(900, 3, noise=20.0, random_state=0)
    model = FNNRegressor(**SETTINGS).fit(X[:300], y[:300])
    conformal = mapie.SplitConformalRegressor(model, confidence_level=0.9, prefit=True)
    conformal.conformalize(X[300:600], y[300:600])
    predicted, intervals = conformal.predict_interval(X[600:])
    np.testing.assert_array_equal(predicted, model.predict(X[600:]))
    low, high = intervals[:, 0, 0], intervals[:, 1, 0]
    # The standard deviation of the coverage of 300 rows, with 300 for the calibration, is 0.025.
    assert 0.8 < np.mean((low <= y[600:]) & (y[600:] <= high)) < 0.98
