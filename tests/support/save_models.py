"""Writes the files of saved models that tests/estimator/test_saved.py loads.

The files of each format stay in tests/estimator/saved/. When `FORMAT` in skfnn/_estimator/version.py changes, keep the
old files, make sure that they load, and write the files of the new format::

    PYTHONPATH=. python tests/support/save_models.py

This writes `format_<number>.pickle`, a dict of fitted models, and `format_<number>.json`: what each model predicts for
the first rows, and what it predicts after it has continued training.
"""

import json
import pickle
import warnings
from pathlib import Path

import numpy as np

from skfnn import FNNClassifier, FNNRegressor
from skfnn._estimator.version import FORMAT

FOLDER = Path(__file__).parents[1] / "estimator" / "saved"
N_PREDICTED = 5

# The data come from formulas, because random numbers may differ between versions of NumPy. The units are such that
# "auto" standardises the features.
grid = np.arange(1, 41)
X = np.column_stack([np.sin(grid), 1000.0 + 50.0 * np.cos(2.0 * grid), 0.01 * np.sin(3.0 * grid + 1.0)])
signal = X[:, 0] + 0.02 * (X[:, 1] - 1000.0)
classes = np.array(["high", "low", "middle"])[np.digitize(-signal, [-0.5, 0.5])]
several = np.column_stack([100.0 * signal, 7.0 - X[:, 0]])
counts = np.floor(np.exp(signal))
labels = np.column_stack([signal > 0, X[:, 2] > 0, X[:, 0] > 0.5]).astype(int)
X_val, signal_val = X[::4] + [0.1, 1.0, 0.001], signal[::4]
classes_val = classes[::4]

COMMON = {"hidden_layer_sizes": (6,), "activation": "tanh", "random_state": 0}
FITTED = COMMON | {"batch_size": 10, "max_iter": 8, "n_iter_no_change": None}


def by_calls(model, y, **arguments):
    """Call `partial_fit` on a model a few times; return the model."""
    for _ in range(6):
        model.partial_fit(X, y, **arguments)
    return model


def make_models():
    """A dict of fitted models: name -> model."""
    validated = {"X_val": X_val, "y_val": classes_val}
    early, single = {"early_stopping": True, "scoring": "loss"}, {"dtype": "float32", "class_weight": "balanced"}
    return {
        "classifier, fit": FNNClassifier(momentum=0.9, **early, **FITTED).fit(X, classes, **validated),
        "classifier, partial_fit": by_calls(
            FNNClassifier(solver="adam", learning_rate_init=0.02, **COMMON),
            classes,
            classes=["high", "low", "middle"],
            **validated,
        ),
        "classifier of labels, float32": FNNClassifier(**single, **FITTED).fit(X, labels),
        "classifier, lbfgs": FNNClassifier(solver="lbfgs", alpha=1.0, **FITTED).fit(X, classes == "low"),
        "regressor, fit": FNNRegressor(learning_rate_init=0.05, dropout=0.2, **FITTED).fit(X, several),
        "regressor, partial_fit": by_calls(
            FNNRegressor(momentum=0.9, learning_rate="invscaling", learning_rate_init=0.02, **COMMON), signal
        ),
        "regressor of counts": FNNRegressor(loss="poisson", max_grad_norm=1.0, **FITTED).fit(X, counts),
    }


TARGETS = {
    "classifier, fit": classes,
    "classifier, partial_fit": classes,
    "classifier of labels, float32": labels,
    "classifier, lbfgs": classes == "low",
    "regressor, fit": several,
    "regressor, partial_fit": signal,
    "regressor of counts": counts,
}


def continued(name, model):
    """Continue to train the model; return the same, changed model."""
    y = TARGETS[name]
    validated = {"X_val": X_val, "y_val": classes_val} if model.validation_scores_ else {}
    if "partial_fit" in name:
        return model.partial_fit(X, y, **validated)
    return model.set_params(max_iter=12).resume(X, y, **validated)


def outputs(model):
    """The predictions of a model for the first rows, as lists of numbers."""
    predict = model.predict_proba if isinstance(model, FNNClassifier) else model.predict
    return predict(X[:N_PREDICTED]).astype(float).tolist()


def by_old_numpy(saved):
    """A pickle of protocol 2 that NumPy 1 can read too, where some modules have other names."""
    return saved.replace(b"cnumpy._core.", b"cnumpy.core.")


def main():
    """Write the files of the current format."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        models = make_models()
        saved = by_old_numpy(pickle.dumps(models, protocol=2))
        numbers = {name: {"predicted": outputs(model)} for name, model in models.items()}
        for name, model in pickle.loads(saved).items():
            if model.validation_scores_ and "partial_fit" in name:
                numbers[name]["best"] = outputs(pickle.loads(pickle.dumps(model)).restore_best())
            numbers[name]["continued"] = outputs(continued(name, model))
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"format_{FORMAT}.pickle").write_bytes(saved)
    (FOLDER / f"format_{FORMAT}.json").write_text(json.dumps(numbers, indent=1) + "\n")


if __name__ == "__main__":
    main()
