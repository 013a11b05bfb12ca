"""Tables as they are: skfnn.tabular beside scikit-learn's networks, boosted trees and forests, and RealMLP.

Every model gets the raw columns, with text and missing values, behind the preparation that suits it. Alternatives to
the settings of skfnn.tabular are compared with ``--trial``, on the development tables.
"""

import functools
import importlib.util
import json
import logging
import os
import time
import warnings
from itertools import cycle
from statistics import mean
from unittest.mock import patch

import numpy as np
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder, StandardScaler
from threadpoolctl import threadpool_limits

from skfnn import FNNClassifier, FNNRegressor
from skfnn.tabular import _settings, make_tabular_classifier, make_tabular_regressor
from skfnn.tabular._kinds import categories, numbers
from skfnn.tabular._words import words

from . import _tables
from ._report import RESULTS, begin, parser, print_table, write_csv
from ._report import numbers as listed
from .defaults import FAILED, scores, standard_error

KINDS = ("classification", "regression")
METRICS = {"classification": ("accuracy", "log_loss"), "regression": ("r2",)}
BASE = "tabular"
# Names in pictures.
LABELS = {
    "log_loss": "log loss",
    "r2": "R²",
    "tabular": "skfnn.tabular",
    "fnn": "skfnn's defaults",
    "mlp": "scikit-learn's network",
    "boosting": "boosted trees",
    "forest": "random forest",
    "realmlp": "RealMLP",
}


# --- Models -----------------------------------------------------------------------------------------------------------
#
# Each function gets the kind of the table, a seed and the frame. It only looks at the types of the columns.


def tabular(kind, seed, frame, trial=None):
    """skfnn.tabular with its settings, or with those of a trial."""
    trial = trial or {}
    make = make_tabular_classifier if kind == "classification" else make_tabular_regressor
    net = trial.get("net", {}) | trial.get(kind, {})
    model = make(n_nets=trial.get("n_nets"), **net | {"random_state": seed})
    parts = {"encoder": "columns__numbers__", "one_hot": "columns__categories__one_hot__"}
    for part, prefix in parts.items():
        model.set_params(**{prefix + name: value for name, value in trial.get(part, {}).items()})
    return model


def fnn(kind, seed, frame):
    """skfnn's network with its defaults, on columns that are filled and one-hot encoded but not scaled."""
    net = FNNClassifier if kind == "classification" else FNNRegressor
    return make_pipeline(_filled(), net(random_state=seed))


def mlp(kind, seed, frame):
    """scikit-learn's network behind scalers."""
    if kind == "classification":
        return make_pipeline(_filled(), StandardScaler(), MLPClassifier(random_state=seed))
    model = make_pipeline(_filled(), StandardScaler(), MLPRegressor(random_state=seed))
    return TransformedTargetRegressor(model, transformer=StandardScaler())


def forest(kind, seed, frame):
    """scikit-learn's random forest."""
    model = RandomForestClassifier if kind == "classification" else RandomForestRegressor
    return make_pipeline(_filled(), model(random_state=seed))


def boosting(kind, seed, frame):
    """scikit-learn's boosted trees, with native categories and missing values."""
    codes = OrdinalEncoder(
        handle_unknown="use_encoded_value", unknown_value=np.nan, encoded_missing_value=np.nan, max_categories=250
    )
    columns = ColumnTransformer(
        [
            ("categories", make_pipeline(FunctionTransformer(words), codes), categories),
            ("numbers", "passthrough", numbers),
        ]
    )
    model = HistGradientBoostingClassifier if kind == "classification" else HistGradientBoostingRegressor
    coded = list(range(len(categories(frame))))
    return make_pipeline(columns, model(categorical_features=coded or None, random_state=seed))


def realmlp(kind, seed, frame):
    """RealMLP with its tuned defaults, of pytabkit. It takes categories as they are, but no missing numbers."""
    from pytabkit import RealMLP_TD_Classifier, RealMLP_TD_Regressor

    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)  # else ten lines for each fit
    logging.getLogger("pytorch_lightning.utilities.rank_zero").setLevel(logging.ERROR)
    model = RealMLP_TD_Classifier if kind == "classification" else RealMLP_TD_Regressor
    columns = ColumnTransformer(
        [("numbers", SimpleImputer(strategy="median"), numbers), ("words", FunctionTransformer(words), categories)]
    )
    n_numbers = len(numbers(frame))
    typed = FunctionTransformer(_typed, kw_args={"n_numbers": n_numbers})
    return make_pipeline(columns, typed, model(device="cpu", n_threads=torch_threads(), random_state=seed))


def torch_threads():
    """The number of threads that the option --threads set."""
    return int(os.environ.get("OMP_NUM_THREADS", os.cpu_count()))


def _filled():
    """The columns as numbers: the median for a missing number, a column for each category."""
    one_hot = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    return ColumnTransformer(
        [
            ("numbers", SimpleImputer(strategy="median"), numbers),
            ("categories", make_pipeline(FunctionTransformer(words), one_hot), categories),
        ],
        sparse_threshold=0.0,
    )


def _typed(X, n_numbers):
    """A frame with numbers first and text behind them."""
    import pandas as pd

    frame = pd.DataFrame(X, columns=[f"x{j}" for j in range(X.shape[1])])
    return frame.astype({name: float if j < n_numbers else "category" for j, name in enumerate(frame)})


MODELS = {"tabular": tabular, "fnn": fnn, "mlp": mlp, "boosting": boosting, "forest": forest, "realmlp": realmlp}


def contestants(given):
    """The functions that make the models, by name, and the rules for the number of rows of each."""
    made = {}
    for name in given.models:
        if name == "realmlp" and importlib.util.find_spec("pytabkit") is None:
            print("realmlp is left out: pytabkit is not installed")
            continue
        made[name] = (MODELS[name], {})
    for text in given.trial:
        name, _, setting = text.partition("=")
        trial = json.loads(setting)
        if unknown := set(trial) - {"net", "encoder", "one_hot", "rows", "n_nets", *KINDS}:
            raise SystemExit(f"--trial {name}: unknown {sorted(unknown)}")
        if unknown := set(trial.get("rows", {})) - set(_settings.ROWS["classification"]):
            raise SystemExit(f"--trial {name}: unknown rows {sorted(unknown)}")
        made[name] = (functools.partial(tabular, trial=trial), trial.get("rows", {}))
    return made


# --- Scores -----------------------------------------------------------------------------------------------------------


def measure(kind, given, models):
    """One record for each table, seed, fold and model."""
    names = (_tables.REPORT if given.list == "report" else _tables.DEVELOPMENT)[kind]
    names = [name for name in names if not given.tables or name in given.tables]
    records = []
    for name in names[: 2 if given.quick else None]:
        frame, y = _tables.load_some_frame(kind, name, given.rows)
        begun = time.perf_counter()
        for seed in given.seeds:
            for k, (train, test) in enumerate(_folds(kind, frame, y, given.folds, seed)):
                parts = frame.iloc[train], y[train], frame.iloc[test], y[test]
                for model, (make, rows) in models.items():
                    key = {"kind": kind, "table": name, "seed": seed, "fold": k, "model": model}
                    with patch.dict(_settings.ROWS[kind], rows):
                        records.append(key | _score(make(kind, 100 * seed + k, frame), kind, *parts))
        print(name, frame.shape, _line(kind, name, records), f"{time.perf_counter() - begun:.0f} s", flush=True)
    return records


def _folds(kind, frame, y, n_folds, seed):
    splitter = StratifiedKFold if kind == "classification" else KFold
    return splitter(n_folds, shuffle=True, random_state=seed).split(frame, y)


def _score(model, kind, X, y, X_test, y_test):
    """Fit the model; return its scores on the test rows and the seconds of fit and of prediction."""
    begun = time.perf_counter()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that training has not converged
            model.fit(X, y)
            fitted = time.perf_counter()
            found = scores(model, kind, X_test, y_test)
    except ValueError as error:
        print(f"failed: {error}", flush=True)
        found, fitted = FAILED[kind], time.perf_counter()
    return found | {"seconds": fitted - begun}


def _line(kind, table, records):
    """The mean scores of each model on one table."""
    metric = METRICS[kind][-1]
    return ", ".join(f"{model} {by_table[table]:.3f}" for model, by_table in _by_model(records, metric).items())


def _by_model(records, metric):
    """{model: {table: mean of a metric over its folds and seeds}}."""
    found = {}
    for record in records:
        found.setdefault(record["model"], {}).setdefault(record["table"], []).append(record[metric])
    return {model: {table: mean(v) for table, v in by_table.items()} for model, by_table in found.items()}


def summarise(records, metric, base):
    """Print the mean of each model, and the base less the model, paired by table, with its standard error."""
    values = _by_model(records, metric)
    seconds = _by_model(records, "seconds")
    rows = []
    for model, own in values.items():
        row = [model, f"{mean(own.values()):.4f}", f"{mean(seconds[model].values()):.2f}"]
        if model == base or base not in values:
            rows.append([*row, "-", "-", "-", "-"])
            continue
        differences = [values[base][table] - own[table] for table in own]
        better = sum((d < 0) if metric == "log_loss" else (d > 0) for d in differences)
        ratio = mean(values[base].values()) / mean(own.values())
        error = f"{standard_error(differences):.4f}"
        rows.append([*row, f"{mean(differences):+.4f}", error, f"{better} of {len(differences)}", f"{ratio:.3f}"])
    print_table(["model", metric, "seconds", f"{base} less it", "standard error", "better on", "ratio of means"], rows)


def draw(records, given, path):
    """Draw for each table the difference of the base to each other model."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    metrics = [metric for kind in given.kinds for metric in METRICS[kind]]
    tallest = max(len({r["table"] for r in records if r["kind"] == kind}) for kind in given.kinds)
    figure, axes = plt.subplots(
        1, len(metrics), figsize=(5 * len(metrics), 1.5 + 0.25 * tallest), layout="constrained", squeeze=False
    )
    for ax, metric in zip(axes[0], metrics, strict=True):
        values = _by_model([r for r in records if metric in r], metric)
        base = values.pop(given.beside)
        tables = sorted(base, key=lambda table: base[table])
        for marker, (model, own) in zip(cycle("os^vDP*X"), values.items()):
            label = LABELS.get(model, model)
            ax.plot([base[table] - own[table] for table in tables], tables, marker, alpha=0.7, label=label)
        ax.locator_params(axis="x", nbins=5)
        ax.axvline(0.0, color="0.5", linewidth=0.8)
        wins, beside = "below 0" if metric == "log_loss" else "above 0", LABELS.get(given.beside, given.beside)
        title = f"{LABELS.get(metric, metric)}: {beside} less the other model"
        ax.set(title=title, xlabel=f"{wins}: {beside} is better")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2 * len(metrics))
    figure.savefig(path, dpi=120)
    print(f"written: {path}")


def main():
    options = parser(__doc__, threads=1)
    add = options.add_argument
    add("--list", choices=("development", "report"), default="development", help="settings are chosen on development")
    add("--kinds", type=listed(str), default=list(KINDS))
    add("--models", type=listed(str), default=list(MODELS), help="the models to train")
    add("--tables", type=listed(str), default=[], help="only these tables")
    add("--rows", type=int, default=2000, help="largest number of rows of a table")
    add("--folds", type=int, default=3)
    add("--seeds", type=listed(int), default=[0], help="of folds and models")
    add("--beside", default=BASE, help="the model or trial to which the others are compared")
    add("--name", default=None, help="the end of the names of the result files; by default the name of the list")
    add(
        "--trial",
        action="append",
        default=[],
        metavar="NAME=JSON",
        help="skfnn.tabular with other settings, for example "
        'wide=\'{"net": {"hidden_layer_sizes": [256, 256]}, "encoder": {"n_bins": 16}, "rows": {"epochs": 100}}\'; '
        "the parts are net, encoder, one_hot, rows, n_nets, and classification or regression for one kind of network",
    )
    given = options.parse_args()
    line = begin(given)
    models = contestants(given)
    records = []
    for kind in given.kinds:
        print(f"\n{kind}, {given.list} tables")
        with threadpool_limits(given.threads):  # begin() sets them for processes that start later
            found = measure(kind, given, models)
        print()
        for metric in METRICS[kind]:
            summarise(found, metric, given.beside)
        write_csv(f"tables-{given.name or given.list}-{kind}", found, line)
        records += found
    if given.beside in models and len(models) > 1 and importlib.util.find_spec("matplotlib"):
        draw(records, given, RESULTS / f"tables-{given.name or given.list}.png")


if __name__ == "__main__":
    main()
