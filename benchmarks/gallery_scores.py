"""The scores of scikit-learn's gallery of multilayer perceptrons, beside those of the same networks here.

Each setting of a gallery script is trained with `MLPClassifier` or `MLPRegressor`, and with the estimator that the
drop-in line makes of it, from several seeds. A seed draws the initial weights, the order of the rows and the rows that
early stopping holds out. The data and the split stay those of the script. The benchmark states the data and settings of
scikit-learn 1.9 in its own words.

Two scripts need a download. MNIST comes from the folder that SKFNN_DATA names, and the bike rentals from the file
``hour.csv`` of UCI's Bike Sharing Dataset (``--bikes``). Without its file, a script is left out.
"""

import argparse
import warnings
from functools import cache
from statistics import mean, stdev
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import is_classifier
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_diabetes, load_digits, load_iris, make_circles, make_classification, make_moons
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, QuantileTransformer, StandardScaler

from . import _data
from ._report import environment, write_csv


class Rows(NamedTuple):
    """The rows to train on and the rows to score, as the network gets them."""

    X: Any
    y: np.ndarray
    X_score: Any
    y_score: np.ndarray


class Case(NamedTuple):
    """One training run of a gallery script."""

    setting: str
    rows: Rows
    mlp: Any  # the estimator of scikit-learn


def drop_in(mlp):
    """The estimator here that trains what `mlp` trains."""
    from skfnn import FNNClassifier, FNNRegressor

    fnn = (FNNClassifier if is_classifier(mlp) else FNNRegressor)(**mlp.get_params())
    return fnn.set_params(init="glorot", standardize=False, validation_fraction=None)


def moons():
    return make_moons(noise=0.3, random_state=0)


def circles():
    return make_circles(noise=0.2, factor=0.5, random_state=1)


def shifted_classes(seed):
    """Two informative columns, shifted at random."""
    X, y = make_classification(n_features=2, n_redundant=0, n_clusters_per_class=1, random_state=seed)
    return X + 2 * np.random.RandomState(2).uniform(size=X.shape), y


def scored_on_training_rows(X, y):
    return Rows(X, y, X, y)


@cache
def standardised_split(draw, *args):
    """60 rows to train on and 40 to test."""
    X, X_test, y, y_test = train_test_split(*draw(*args), test_size=0.4, random_state=42)
    scaler = StandardScaler().fit(X)
    return Rows(scaler.transform(X), y, scaler.transform(X_test), y_test)


def training_curves(arguments):
    """Seven ways to choose the steps, on four small data sets; accuracy on the training rows."""
    eta, momentum = {"learning_rate_init": 0.2}, {"momentum": 0.9}
    steps = {}
    for schedule in ("constant", "invscaling"):
        common = {"solver": "sgd", "learning_rate": schedule} | eta
        steps[f"{schedule} rate"] = common | {"momentum": 0.0}
        steps[f"{schedule} rate, momentum"] = common | momentum | {"nesterovs_momentum": False}
        steps[f"{schedule} rate, Nesterov"] = common | momentum
    steps["Adam"] = {"solver": "adam", "learning_rate_init": 0.01}
    sets = {"iris": (load_iris, 400), "digits": (load_digits, 15), "circles": (circles, 400), "moons": (moons, 400)}
    for name, (draw, epochs) in sets.items():
        X, y = draw(return_X_y=True) if draw in (load_iris, load_digits) else draw()
        rows = scored_on_training_rows(MinMaxScaler().fit_transform(X), y)
        for label, params in steps.items():
            yield Case(f"{name}, {label}", rows, MLPClassifier(max_iter=epochs, **params))


def alphas(arguments):
    """Five strengths of the penalty on three data sets, by L-BFGS."""
    for name, args in {"moons": (moons,), "circles": (circles,), "linear": (shifted_classes, 0)}.items():
        for alpha in np.logspace(-1, 1, 5):
            mlp = MLPClassifier([10, 10], solver="lbfgs", alpha=alpha, max_iter=2000, early_stopping=True)
            yield Case(f"{name}, alpha {alpha:.2f}", standardised_split(*args), mlp)


def classifier_comparison(arguments):
    """The network among the ten classifiers, on three data sets."""
    for name, args in {"moons": (moons,), "circles": (circles,), "linear": (shifted_classes, 1)}.items():
        yield Case(name, standardised_split(*args), MLPClassifier(alpha=1, max_iter=1000))


def mnist_filters(arguments):
    """A short training run on 30 % of the 70,000 images of MNIST."""
    if _data.mnist_folder() is None:
        print("mnist_filters is left out: SKFNN_DATA names no folder with MNIST")
        return
    from skfnn.datasets import fetch_mnist

    X, y = fetch_mnist(subset="all", return_X_y=True)
    X, X_test, y, y_test = train_test_split(X / 255, y, random_state=0, test_size=0.7)
    mlp = MLPClassifier((40,), max_iter=8, solver="sgd", learning_rate_init=0.2)
    yield Case("8 epochs", Rows(X, y, X_test, y_test), mlp)


def partial_dependence(arguments):
    """Bike rentals by the hour: trained on one year, tested on the next."""
    if arguments.bikes is None:
        print("partial_dependence is left out: --bikes names no file")
        return
    import pandas as pd

    table = pd.read_csv(arguments.bikes).iloc[::5]
    numerical = ["temp", "atemp", "hum", "windspeed"]
    categorical = ["season", "mnth", "hr", "holiday", "weekday", "workingday", "weathersit"]
    table["weathersit"] = table["weathersit"].clip(upper=3)  # heavy rain is too rare for a class of its own
    first = table["yr"] == 0
    columns = ColumnTransformer(
        [
            ("numerical", QuantileTransformer(n_quantiles=100, random_state=0), numerical),
            ("categorical", OneHotEncoder(handle_unknown="ignore"), categorical),
        ]
    )
    X, X_test = columns.fit_transform(table[first]), columns.transform(table[~first])
    rows = Rows(X, table["cnt"][first].to_numpy(), X_test, table["cnt"][~first].to_numpy())
    yield Case(
        "bike rentals, R²",
        rows,
        MLPRegressor(hidden_layer_sizes=(30, 15), learning_rate_init=0.01, early_stopping=True),
    )


def partial_dependence_visualization_api(arguments):
    """The diabetes table; R² on the training rows."""
    X, y = load_diabetes(return_X_y=True)
    rows = scored_on_training_rows(StandardScaler().fit_transform(X), y)
    yield Case("diabetes, R²", rows, MLPRegressor(hidden_layer_sizes=(100, 100), tol=1e-2, max_iter=500))


SCRIPTS = {  # by the path in scikit-learn's folder "examples", without "plot_" and ".py"
    "neural_networks/mlp_training_curves": training_curves,
    "neural_networks/mlp_alpha": alphas,
    "neural_networks/mnist_filters": mnist_filters,
    "classification/classifier_comparison": classifier_comparison,
    "inspection/partial_dependence": partial_dependence,
    "inspection/partial_dependence_visualization_api": partial_dependence_visualization_api,
}


def train(estimator, rows, seed):
    """Train once; return the score and the last loss."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that training has not converged, which the scripts accept
        estimator.set_params(random_state=seed).fit(rows.X, rows.y)
    return estimator.score(rows.X_score, rows.y_score), estimator.loss_


def compare(case, script, seeds):
    """Train both sides from every seed; return the record of the result."""
    record = {"script": script, "setting": case.setting, "seeds": seeds}
    for name, estimator in {"mlp": case.mlp, "fnn": drop_in(case.mlp)}.items():
        scores, losses = zip(*(train(estimator, case.rows, seed) for seed in range(seeds)), strict=True)
        record |= {f"{name}_score": mean(scores), f"{name}_sd": stdev(scores)}
        record |= {f"{name}_loss": mean(losses), f"{name}_loss_sd": stdev(losses)}
    for what, sd in {"score": "sd", "loss": "loss_sd"}.items():
        difference = record[f"fnn_{what}"] - record[f"mlp_{what}"]
        error = np.hypot(record[f"mlp_{sd}"], record[f"fnn_{sd}"]) / np.sqrt(seeds)
        record |= {f"{what}_difference": difference, f"{what}_standard_errors": difference / error if error else None}
    return record


def markdown(record, script):
    """The row of a setting in the table of the scores."""
    sides = (f"{record[f'{side}_score']:.3f} ± {record[f'{side}_sd']:.3f}" for side in ("mlp", "fnn"))
    errors = record["score_standard_errors"]  # None if every seed has the same score
    differences = f"{record['score_difference']:+.3f}", "-" if errors is None else f"{errors:+.1f}"
    return f"| {' | '.join([script, record['setting'], *sides, *differences])} |"


def main():
    """Compare at every setting of the chosen scripts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20, help="number of seeds, at least 2 (20)")
    parser.add_argument("--scripts", default="", help="only scripts whose names contain this")
    parser.add_argument("--bikes", help="path of UCI's hour.csv")
    parser.add_argument("--quick", action="store_true", help="use two seeds, to check that the benchmark works")
    arguments = parser.parse_args()
    seeds = 2 if arguments.quick else arguments.seeds
    line = environment()
    print(line, flush=True)
    print("| script | setting | MLP | FNN | difference | standard errors |\n|---|---|---|---|---|---|", flush=True)
    records = []
    for script, cases in SCRIPTS.items():
        shown = f"`{script}`"
        for case in cases(arguments) if arguments.scripts in script else ():
            records.append(compare(case, script, seeds))
            print(markdown(records[-1], shown), flush=True)
            shown = ""
    if not records:
        raise SystemExit(f"no script to run: --scripts={arguments.scripts!r} leaves {list(SCRIPTS)} out")
    write_csv("gallery_scores", records, line)


if __name__ == "__main__":
    main()
