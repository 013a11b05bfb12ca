"""Accuracy, log loss and R^2 of the defaults, beside those of MLPClassifier, MLPRegressor and HistGradientBoosting.

The parts: "units" trains on the same data in other units; "tables" trains on the report tables; "regret" compares
learning_rate_init="auto" with the best learning rate of a grid, and "init" compares initial values, both on the
development tables; "mnist" trains 784-128-64-10 with a given learning rate.
"""

import time
import warnings
from statistics import mean, stdev

import numpy as np
from sklearn import datasets
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.metrics import accuracy_score, log_loss, mean_poisson_deviance, r2_score
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skfnn import FNNClassifier, FNNRegressor

from . import _data, _tables
from ._report import begin, numbers, parser, print_table, write_csv

KINDS = ("classification", "regression")
SETTINGS = {
    "default": {},
    "adam": {"solver": "adam"},
    "batch 32": {"batch_size": 32},
    "default, 2 layers": {"hidden_layer_sizes": (100, 50)},
    "adam, 2 layers": {"solver": "adam", "hidden_layer_sizes": (100, 50)},
}
# The setting of scikit-learn's network to compare a setting with. Its solver is always Adam.
COUNTERPART = {
    "default": "default",
    "adam": "default",
    "batch 32": "batch 32",
    "default, 2 layers": "default, 2 layers",
    "adam, 2 layers": "default, 2 layers",
}
# The scores of a model that fails. No R^2 counts as less than this one.
FAILED = {
    "classification": {"accuracy": 0.0, "log_loss": 5.0},
    "regression": {"r2": -1.0},
    "counts": {"deviance": 2.0},
}
BATCH_SIZES = (1, 8, 32, 200, "full")


# --- Models and scores ------------------------------------------------------------------------------------------------


def fnn(kind, **params):
    """skfnn's network. It gets the features and the targets as they are."""
    if kind == "classification":
        return FNNClassifier(**params)
    return FNNRegressor(**params, **({"loss": "poisson"} if kind == "counts" else {}))


def mlp(kind, *, scale_targets=True, **params):
    """scikit-learn's network behind a StandardScaler, for regression with standardised targets."""
    if kind == "classification":
        return make_pipeline(StandardScaler(), MLPClassifier(**params))
    return scaled(MLPRegressor(**params), kind, scale_targets=scale_targets)


def boosting(kind, seed):
    """scikit-learn's boosted trees."""
    return {"classification": HistGradientBoostingClassifier, "regression": HistGradientBoostingRegressor}[kind](
        random_state=seed
    )


def scaled(net, kind, *, scale_targets=True):
    """A network behind the scalers that scikit-learn recommends."""
    model = make_pipeline(StandardScaler(), net)
    if kind != "regression" or not scale_targets:
        return model
    return TransformedTargetRegressor(model, transformer=StandardScaler())


def score(model, kind, X, y, X_test, y_test):
    """Fit the model; return its scores on the test rows, in the units of y, and the seconds."""
    begun = time.perf_counter()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that training has not converged
            model.fit(X, y)
    except ValueError:  # training diverged
        return FAILED[kind] | {"seconds": time.perf_counter() - begun}
    return scores(model, kind, X_test, y_test) | {"seconds": time.perf_counter() - begun}


def scores(model, kind, X, y):
    """The scores of a fitted model."""
    if kind == "classification":
        probabilities = np.asarray(model.predict_proba(X), dtype=np.float64)
        probabilities /= probabilities.sum(axis=1, keepdims=True)
        found = {
            "accuracy": accuracy_score(y, model.predict(X)),
            "log_loss": log_loss(y, probabilities, labels=model.classes_),
        }
        return {"accuracy": found["accuracy"], "log_loss": min(found["log_loss"], FAILED[kind]["log_loss"])}
    predicted = np.asarray(model.predict(X), dtype=np.float64)
    if not np.isfinite(predicted).all():
        return FAILED[kind]
    if kind == "regression":
        return {"r2": max(r2_score(y, predicted), FAILED[kind]["r2"])}
    constant = mean_poisson_deviance(y, np.full(len(y), y.mean()))
    deviance = mean_poisson_deviance(y, np.maximum(predicted, 1e-12)) / constant
    return {"deviance": min(deviance, FAILED[kind]["deviance"])}


def folds(kind, X, y, n_folds, seed):
    """Yield (X, y, X_test, y_test) for every fold."""
    splitter = StratifiedKFold if kind == "classification" else KFold
    for train, test in splitter(n_folds, shuffle=True, random_state=seed).split(X, y):
        yield X[train], y[train], X[test], y[test]


def mean_score(make, kind, X, y, n_folds, seed, metric):
    """The mean over the folds of one score of the models that `make(seed)` returns."""
    parts = enumerate(folds(kind, X, y, n_folds, seed))
    return mean(score(make(seed + k), kind, *part)[metric] for k, part in parts)


def standard_error(values):
    """The standard error of a mean."""
    return stdev(values) / len(values) ** 0.5 if len(values) > 1 else float("nan")


# --- The same data in other units -------------------------------------------------------------------------------------


def units(given, line):
    """Train on the same data in different units, and compare with the network behind scalers."""
    records = []
    for label, kind, X, y in _unit_cases(given.quick):
        metric = "accuracy" if kind == "classification" else "r2"
        models = {
            "default": lambda seed, kind=kind: fnn(kind, random_state=seed),
            "default, scalers": lambda seed, kind=kind: scaled(fnn(kind, random_state=seed, standardize=False), kind),
            "adam": lambda seed, kind=kind: fnn(kind, random_state=seed, solver="adam"),
            "adam, scalers": lambda seed, kind=kind: scaled(
                fnn(kind, random_state=seed, solver="adam", standardize=False), kind
            ),
            "sklearn, scalers": lambda seed, kind=kind: mlp(kind, random_state=seed),
        }
        found = {name: mean_score(make, kind, X, y, 5, given.seed, metric) for name, make in models.items()}
        records.append({"data": label, "metric": metric} | {name: float(value) for name, value in found.items()})
        print(*records[-1].values(), flush=True)
    print_table(list(records[0]), [_digits(record.values(), 4) for record in records])
    worst = min(
        (record[name] - record[f"{name}, scalers"], record["data"], name)
        for record in records
        for name in ("default", "adam")
    )
    print(f"lowest difference to the network behind scalers: {worst[0]:.4f} ({worst[1]}, {worst[2]})")
    write_csv("defaults-units", records, line)
    special = [*_mnist_bytes(given.quick), *_friedman(given), *_lbfgs(given)]
    print_table(list(special[0]), [_digits(record.values(), 4) for record in special])
    write_csv("defaults-units-special", special, line)


def _unit_cases(quick):
    """Yield (label, kind, X, y)."""
    sets = {
        "wine": datasets.load_wine,
        "breast cancer": datasets.load_breast_cancer,
        "iris": datasets.load_iris,
        "digits": datasets.load_digits,
    }
    for name, fetch in list(sets.items())[: 1 if quick else None]:
        X, y = fetch(return_X_y=True)
        for change, factor, shift in (("", 1, 0), (" x 1e4", 1e4, 0), (" x 1e-4", 1e-4, 0), (" + 1000", 1, 1000)):
            yield name + (change or " raw"), "classification", X * factor + shift, y
    X, y = datasets.load_diabetes(return_X_y=True, scaled=False)
    yield "diabetes raw", "regression", X, y
    yield "diabetes, columns of size 0.05", "regression", datasets.load_diabetes().data, y
    if quick:
        return
    rng = np.random.RandomState(0)
    Z = rng.normal(size=(1000, 6))
    signal = Z[:, 0] + 0.5 * Z[:, 1] * Z[:, 2] + np.tanh(Z[:, 3]) + 0.3 * rng.normal(size=1000)
    yield "log-normal features, y 2e5", "regression", np.exp(Z) * 10.0 ** np.arange(-1, 5), 2e5 + 5e4 * signal
    X_f, y_f = datasets.make_friedman1(1000, noise=1.0, random_state=0)
    for name, X_, y_ in (("diabetes", X, y), ("friedman", X_f, y_f)):
        for change, factor, shift in (("", 1, 0), (" x 1e4", 1e4, 0), (" x 1e-4", 1e-4, 0), (" + 1e6", 1, 1e6)):
            yield f"{name}, y{change}", "regression", X_, y_ * factor + shift


def _mnist_bytes(quick):
    """10,000 rows of MNIST for 20 epochs, as bytes and divided by 255."""
    rows, epochs = (500, 2) if quick else (10_000, 20)
    raw, ready = _data.mnist_bytes(), _data.mnist()
    for solver in ("sgd", "adam"):
        net = FNNClassifier(solver=solver, max_iter=epochs, n_iter_no_change=None, random_state=0)
        found = [net.fit(d.X[:rows], d.y[:rows]).score(d.X_test, d.y_test) for d in (raw, ready)]
        yield _special(f"MNIST bytes, 20 epochs, {solver}", "accuracy", found[0], "pixels / 255", found[1])


def _friedman(given):
    """MLPRegressor's settings on both sides."""
    X, y = datasets.make_friedman1(1000, noise=1.0, random_state=0)
    theirs = MLPRegressor().get_params() | {"validation_fraction": None}
    for label, extra in (("", {}), (", glorot, not standardised", {"init": "glorot", "standardize": False})):
        settings = theirs | extra
        ours = mean_score(
            lambda seed, settings=settings: FNNRegressor(**settings | {"random_state": seed}),
            *("regression", X, y, 5, given.seed, "r2"),
        )
        other = mean_score(lambda seed: MLPRegressor(random_state=seed), "regression", X, y, 5, given.seed, "r2")
        yield _special(f"friedman, MLPRegressor's settings{label}", "r2", ours, "MLPRegressor", other)


def _lbfgs(given):
    """L-BFGS on targets that look like prices."""
    X, y = datasets.make_friedman1(1000, noise=0.0, random_state=0)
    X, y = StandardScaler().fit_transform(X), 3e5 + 1e5 * (y - y.mean()) / y.std()
    ours, other = (
        mean_score(
            lambda seed, make=make: make(solver="lbfgs", random_state=seed),
            *("regression", X, y, 5, given.seed, "r2"),
        )
        for make in (FNNRegressor, MLPRegressor)
    )
    yield _special("lbfgs, prices 3e5 +- 1e5", "r2", ours, "MLPRegressor", other)


def _special(label, metric, value, other, other_value):
    return {"data": label, "metric": metric, "skfnn": float(value), "beside": other, "its score": float(other_value)}


# --- Real tables ------------------------------------------------------------------------------------------------------


def tables(given, line):
    """Train on the report tables: skfnn on the columns as they are, scikit-learn's networks behind scalers."""
    lists = _tables.DEVELOPMENT if given.development else _tables.REPORT
    where = "defaults-tables-development" if given.development else "defaults-tables"
    for kind in KINDS:
        records = []
        for name in lists[kind][: 2 if given.quick else None]:
            X, y = _tables.load_some(kind, name, given.rows)
            parts = [(seed, part) for seed in given.seeds for part in folds(kind, X, y, given.folds, seed)]
            for k, (seed, part) in enumerate(parts):
                for (package, setting), model in _contestants(kind, given.seed + k, given.settings).items():
                    key = {"table": name, "seed": seed, "part": k, "package": package, "setting": setting}
                    records.append(key | score(model, kind, *part))
            print(name, X.shape, f"{sum(r['seconds'] for r in records if r['table'] == name):.0f} s", flush=True)
        write_csv(f"{where}-{kind}", records, line)
        for metric in ("accuracy", "log_loss") if kind == "classification" else ("r2",):
            _summarise(records, metric)


def _contestants(kind, seed, names):
    """The models by package and setting."""
    made = {}
    for name in names:
        made["skfnn", name] = fnn(kind, random_state=seed, **SETTINGS[name])
        params = SETTINGS[COUNTERPART[name]]
        made["sklearn", COUNTERPART[name]] = mlp(kind, random_state=seed, **params)
    if kind == "regression":
        made["sklearn, y as it is", "default"] = mlp(kind, random_state=seed, scale_targets=False)
    made["boosting", "default"] = boosting(kind, seed)
    return made


def _summarise(records, metric):
    """Print the means over the tables, and the paired differences with their standard errors."""
    values = {}
    for record in records:
        by_table = values.setdefault((record["package"], record["setting"]), {})
        by_table.setdefault(record["table"], []).append(record[metric])
    values = {key: {table: mean(v) for table, v in by_table.items()} for key, by_table in values.items()}
    rows = []
    for (package, setting), own in values.items():
        other = values.get(("sklearn", COUNTERPART[setting]))
        row = [package, setting, f"{mean(own.values()):.4f}"]
        if other is None or package == "sklearn":
            rows.append([*row, "-", "-", "-"])
            continue
        differences = [own[table] - other[table] for table in own]
        better = sum((d < 0) if metric == "log_loss" else (d > 0) for d in differences)
        error = f"{standard_error(differences):.4f}"
        rows.append([*row, f"{mean(differences):+.4f}", error, f"{better} of {len(differences)}"])
    print_table(["package", "setting", metric, "less sklearn's", "standard error", "better on"], rows)


# --- The learning rate, on development tables -------------------------------------------------------------------------


def regret(given, line):
    """How much learning_rate_init="auto" loses against the best learning rate of a grid for each table."""
    records = []
    for kind, names in _tables.DEVELOPMENT.items():
        for name in names[: 1 if given.quick else None]:
            for solver in ("sgd", "adam"):
                for batch_size in given.batch_sizes:
                    records += _one_regret(kind, name, solver, batch_size, given)
            print(name, f"{sum(r['seconds'] for r in records if r['table'] == name):.0f} s", flush=True)
    write_csv("defaults-regret", records, line)
    _summarise_regret(records)


def _one_regret(kind, name, solver, batch_size, given):
    """The records of one table: every rate of the grid, the rule, and the rule before it."""
    metric, limits = _metric_to_minimise(kind), _limits(batch_size)
    part = _development_split(kind, name, limits["rows"], given.seed)
    old = 0.001 if solver == "adam" else 0.1 if kind == "classification" else 0.002
    records = []
    for rule, eta in [("auto", "auto"), ("before", old), *(("grid", eta) for eta in _grid(solver, batch_size, kind))]:
        params = {"solver": solver, "batch_size": _clip(batch_size, part), "learning_rate_init": eta}
        net = fnn(kind, random_state=given.seed, max_iter=limits["max_iter"], **params)
        found = score(net, kind, *part)
        eta = getattr(net, "learning_rate_init_", eta)
        value = -found["r2"] if metric == "r2" else found[metric]
        key = {"kind": kind, "table": name, "solver": solver, "batch_size": batch_size, "rule": rule, "eta": eta}
        records.append(key | {"value": value, "seconds": found["seconds"]})
    best = min(record["value"] for record in records)
    return [record | {"regret": record["value"] - best} for record in records]


def _metric_to_minimise(kind):
    return {"classification": "log_loss", "regression": "r2", "counts": "deviance"}[kind]


def _limits(batch_size):
    """Fewer rows and epochs for the small batch sizes, which take long."""
    return {1: {"rows": 400, "max_iter": 50}, 8: {"rows": 600, "max_iter": 100}}.get(
        batch_size, {"rows": 1000, "max_iter": 200}
    )


def _development_split(kind, name, rows, seed):
    """(X, y, X_test, y_test): at most `rows` and at most two thirds of the rows to train with, 1,500 to test with."""
    X, y = _tables.load(kind, name)
    order = np.random.RandomState(1000 + seed).permutation(len(X))
    n = min(rows, int(0.67 * len(X)))
    train, test = order[:n], order[n : n + 1500]
    if kind == "classification":
        test = test[np.isin(y[test], y[train])]
    return X[train], y[train], X[test], y[test]


def _clip(batch_size, part):
    return batch_size if batch_size == "full" else min(batch_size, len(part[0]))


def _grid(solver, batch_size, kind):
    """Learning rates that double, around those that suit the batch size."""
    lowest = {
        "sgd": {1: 0.0004, 8: 0.0016, 32: 0.00625, 200: 0.0125, "full": 0.025},
        "adam": {1: 0.00002, 8: 0.0001, 32: 0.0002, 200: 0.0004, "full": 0.0004},
    }[solver][batch_size]
    if kind == "counts" and solver == "sgd":
        lowest /= 8
    return [lowest * 2**k for k in range(7)]


def _summarise_regret(records):
    """Print the mean and the largest regret over the tables."""
    rows = []
    for kind in _tables.DEVELOPMENT:
        for solver in ("sgd", "adam"):
            for batch_size in dict.fromkeys(record["batch_size"] for record in records):
                key = (kind, solver, batch_size)
                found = [r for r in records if (r["kind"], r["solver"], r["batch_size"]) == key]
                new, old = ([r["regret"] for r in found if r["rule"] == rule] for rule in ("auto", "before"))
                if new:
                    rows.append([*key, *(f"{f(v):.3f}" for f, v in ((mean, new), (max, new), (mean, old), (max, old)))])
    print_table(["kind", "solver", "batch size", "auto: mean", "largest", "before: mean", "largest"], rows)


# --- Initial values, on development tables ----------------------------------------------------------------------------


def init(given, line):
    """Compare the rules for the initial values."""
    settings = {
        "default": {},
        "adam": {"solver": "adam"},
        "batch 32": {"batch_size": 32},
        "lbfgs": {"solver": "lbfgs"},
        "default, 3 layers": {"hidden_layer_sizes": (64, 64, 64)},
    }
    records = []
    for kind in KINDS:
        for name in _tables.DEVELOPMENT[kind][: 1 if given.quick else None]:
            part = _development_split(kind, name, 1000, given.seed)
            for setting, params in settings.items():
                for rule in ("auto", "glorot", "he", "lecun"):
                    net = fnn(kind, random_state=given.seed, init=rule, **params)
                    key = {"kind": kind, "table": name, "setting": setting, "init": rule}
                    found = score(net, kind, *part)
                    records.append(key | {metric: found.get(metric) for metric in ("log_loss", "accuracy", "r2")})
            print(name, flush=True)
    write_csv("defaults-init", records, line)
    for metric in ("log_loss", "accuracy", "r2"):
        kind = "regression" if metric == "r2" else "classification"
        values = {}
        for record in records:
            if record["kind"] == kind:
                values.setdefault((record["setting"], record["init"]), []).append(record[metric])
        rules = ("auto", "glorot", "he", "lecun")
        rows = [[setting, *(f"{mean(values[setting, rule]):.4f}" for rule in rules)] for setting in settings]
        print_table([metric, "auto", "glorot", "he", "lecun"], rows)


# --- A given learning rate --------------------------------------------------------------------------------------------


def mnist(given, line):
    """784-128-64-10 for 20 epochs at learning rate 0.1, float32, pixels / 255."""
    data = _data.mnist()
    rows, epochs = (1000, 2) if given.quick else (60_000, 20)
    records = []
    for batch_size in (10, 100):
        for seed in range(2 if given.quick else 5):
            net = FNNClassifier((128, 64), batch_size=batch_size, learning_rate_init=0.1, random_state=seed)
            net.set_params(max_iter=epochs, n_iter_no_change=None).fit(data.X[:rows], data.y[:rows])
            found = net.score(data.X_test, data.y_test)
            records.append({"batch_size": batch_size, "seed": seed, "accuracy": found})
            print(*records[-1].values(), flush=True)
        found = [r["accuracy"] for r in records if r["batch_size"] == batch_size]
        print(f"Omega = {batch_size}: mean {mean(found):.4f}, standard deviation {stdev(found):.4f}", flush=True)
    write_csv("defaults-mnist", records, line)


PARTS = {"units": units, "tables": tables, "regret": regret, "init": init, "mnist": mnist}


def main():
    options = parser(__doc__, threads=1)
    add = options.add_argument
    add("--parts", type=numbers(str), default="units,tables", help=f"some of {', '.join(PARTS)}")
    add("--settings", type=lambda text: text.split(";"), default=list(SETTINGS), help="of tables, separated by ;")
    add("--rows", type=int, default=1500, help="the most rows of a table")
    add("--folds", type=int, default=3, help="folds of tables")
    add("--seeds", type=numbers(int), default=[0], help="of folds, splits and networks; tables takes more than one")
    add("--batch-sizes", type=_batch_sizes, default=list(BATCH_SIZES), help="of regret")
    add("--development", action="store_true", help="take the development tables in tables")
    given = options.parse_args()
    given.seed = given.seeds[0]
    line = begin(given)
    for part in given.parts:
        print(f"\n{part}: {PARTS[part].__doc__.splitlines()[0]}", flush=True)
        PARTS[part](given, line)


def _batch_sizes(text):
    return [part if part == "full" else int(part) for part in text.split(",")]


def _digits(values, digits):
    return [f"{value:.{digits}f}" if isinstance(value, float) else value for value in values]


if __name__ == "__main__":
    main()
