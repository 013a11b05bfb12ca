"""Without pandas, matplotlib, rich, skl2onnx or Pillow, models are the same, and clear errors name what is missing.

Each case runs this file as a program in its own process, in which the import system does not find the packages.
The short suite has one such process, and trains the models to compare with in its own.
"""

import contextlib
import hashlib
import importlib
import importlib.util
import io
import json
import os
import pkgutil
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from selection import full_only
from threadpoolctl import threadpool_limits

PACKAGES = ("pandas", "matplotlib", "rich", "skl2onnx", "PIL")
PARAMS = {"hidden_layer_sizes": (6,), "batch_size": 20, "max_iter": 4, "n_iter_no_change": None}


class Without:
    """A module finder that does not find some packages, as if they were not installed."""

    def __init__(self, finder, absent):
        self.finder, self.absent = finder, absent

    def find_spec(self, name, path=None, target=None):
        return None if name.partition(".")[0] in self.absent else self.finder.find_spec(name, path, target)

    def __getattr__(self, name):
        return getattr(self.finder, name)


def hide(absent):
    loaded = set(absent) & set(sys.modules)
    assert not loaded, loaded
    sys.meta_path[:] = [Without(finder, absent) for finder in sys.meta_path]


def outcome(call):
    """The result of a call: "done", or the text of the ImportError."""
    try:
        call()
    except ImportError as error:
        return str(error)
    return "done"


def digest(arrays):
    return hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()


def report(absent):
    """All results that the tests compare with those of the process that finds all packages."""
    hide(absent)
    import sklearn.datasets
    import sklearn.model_selection  # noqa: F401

    before = set(sys.modules)  # scikit-learn itself imports pandas and rich if it finds them
    import skfnn

    for module in pkgutil.walk_packages(skfnn.__path__, "skfnn."):
        importlib.import_module(module.name)
    imported = [name for name in PACKAGES if name in sys.modules and name not in before]

    found, (clf, X, y, noise, trade) = train()
    return found | {
        "imported": imported,
        "parser": openml_parser(),
        "displays": displays(clf, X, y, noise, trade),
        "onnx": outcome(lambda: skfnn.onnx.to_onnx(clf, X[:1].astype("float32"))),
        "progress bar": progress_bar(skfnn.FNNClassifier(**PARAMS, random_state=0), X, y),
    }


def train():
    """The results of fits, predictions and searches, and what the rest of the report draws and exports."""
    import numpy as np
    import scipy.sparse as sp
    from sklearn.datasets import make_classification
    from sklearn.model_selection import GridSearchCV, cross_val_score

    from skfnn import FNNClassifier, FNNRegressor
    from skfnn.inspection import batch_size_tradeoff, gradient_noise, hidden_activations

    X, y = make_classification(90, 5, random_state=0)
    clf = FNNClassifier(**PARAMS, early_stopping=True, scoring="neg_log_loss", random_state=0).fit(X, y)
    reg = FNNRegressor(**PARAMS, random_state=0, verbose=True)
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        reg.fit(sp.csr_array(X), X[:, :2])
    parts = FNNClassifier(**PARAMS, random_state=0)
    for rows in (slice(45), slice(45, None)):
        parts.partial_fit(X[rows], y[rows], classes=[0, 1])
    search = GridSearchCV(FNNClassifier(**PARAMS, random_state=0), {"alpha": [0.0, 1.0], "batch_size": [10, "full"]})
    search.fit(X, y)
    noise = gradient_noise(clf, X, y, batch_sizes=[5, 20], n_draws=5, random_state=0)
    trade = batch_size_tradeoff(clf, X[:60], y[:60], [10, 30], X_val=X[60:], y_val=y[60:])
    numbers = [
        *clf.coefs_,
        *reg.coefs_,
        *parts.coefs_,
        *search.best_estimator_.coefs_,
        clf.predict_proba(X),
        reg.predict(X),
        search.cv_results_["mean_test_score"],
        cross_val_score(parts, X, y),
        hidden_activations(clf, X),
        noise.measured_variance,
    ]
    found = {
        "digest": digest(np.asarray(part, dtype=float) for part in numbers),
        "lines": len(printed.getvalue().splitlines()),
        "html": "FNNClassifier" in clf._repr_html_(),
    }
    return found, (clf, X, y, noise, trade)


def openml_parser():
    """The parser that fetch_mnist would use for OpenML's file."""
    from skfnn.datasets import _sources, fetch_mnist

    parsers = []

    def fetch_openml(name, *, parser, **_):
        parsers.append(parser)
        raise OSError("no network")

    _sources.fetch_openml = fetch_openml
    empty = os.environ["SKFNN_TEST_EMPTY"]
    os.environ.update(SKFNN_DATA=empty, SCIKIT_LEARN_DATA=empty)
    with contextlib.suppress(OSError):
        fetch_mnist(data_home=empty)
    return parsers


def displays(clf, X, y, noise, trade):
    """The result of drawing, for each display. A display that only holds data needs no package."""
    from skfnn.inspection import BatchSizeTradeoffDisplay, GradientNoiseDisplay, TrainingCurveDisplay

    two = {"X_val": X[60:], "y_val": y[60:]}
    return {
        "training": outcome(lambda: TrainingCurveDisplay.from_estimator(clf)),
        "noise": outcome(lambda: GradientNoiseDisplay.from_estimator(clf, X, y, batch_sizes=[5], n_draws=2)),
        "noise, data": outcome(lambda: GradientNoiseDisplay(noise)),
        "trade-off": outcome(lambda: BatchSizeTradeoffDisplay.from_estimator(clf, X, y, [10, 30], **two)),
        "trade-off, data": outcome(lambda: BatchSizeTradeoffDisplay(trade)),
    }


def progress_bar(clf, X, y):
    try:
        from sklearn.callback import ProgressBar
    except ImportError:
        return "no callbacks"
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")  # scikit-learn's callbacks are experimental
        return outcome(lambda: clf.set_callbacks(ProgressBar()).fit(X, y))


CASES = [full_only(()), full_only(("pandas",)), full_only(("matplotlib",)), full_only(("rich",)), PACKAGES]
names = pytest.mark.parametrize("absent", CASES, ids=lambda absent: " and ".join(absent) or "nothing")


@pytest.fixture(scope="module")
def reports(request, tmp_path_factory):
    """The result of `report` for every tested case. The processes run at the same time."""
    tested = {item.callspec.params["absent"] for item in request.session.items if item.path == request.path}
    root = Path(__file__).parents[2]
    environment = os.environ | {
        "SKFNN_TEST_EMPTY": str(tmp_path_factory.mktemp("empty")),
        "PYTHONPATH": os.pathsep.join([str(root), str(root / "tests" / "support"), os.environ.get("PYTHONPATH", "")]),
        "MPLBACKEND": "Agg",
        "OPENBLAS_NUM_THREADS": "1",
    }
    settings = {"env": environment, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    processes = {absent: subprocess.Popen([sys.executable, __file__, *absent], **settings) for absent in tested}
    found = {}
    if () not in tested:
        with threadpool_limits(1, user_api="blas"), warnings.catch_warnings(action="ignore"):
            found[()] = train()[0]
    for absent, process in processes.items():
        out, err = process.communicate()
        assert process.returncode == 0, f"without {absent}: {err}"
        found[absent] = json.loads(out.splitlines()[-1])
    return found


def is_there(package, absent):
    return package not in absent and importlib.util.find_spec(package) is not None


@names
def test_importing_the_package_imports_no_optional_package(absent, reports):
    assert reports[absent]["imported"] == []


@names
def test_fits_predictions_and_searches_are_the_same_bit_for_bit(absent, reports):
    keys = ("digest", "lines", "html")
    assert [reports[absent][key] for key in keys] == [reports[()][key] for key in keys]
    assert reports[absent]["lines"] >= 4
    assert reports[absent]["html"]


@names
def test_openml_is_read_without_pandas(absent, reports):
    assert reports[absent]["parser"] == ["auto" if is_there("pandas", absent) else "liac-arff"]


@names
def test_drawing_without_matplotlib_says_what_to_install(absent, reports):
    found = reports[absent]["displays"]
    assert {key: value for key, value in found.items() if "data" in key} == {
        "noise, data": "done",
        "trade-off, data": "done",
    }
    drawn = {key: value for key, value in found.items() if "data" not in key}
    assert len(drawn) == 3
    if is_there("matplotlib", absent):
        assert set(drawn.values()) == {"done"}
    else:
        assert all("Display" in text and "python -m pip install matplotlib" in text for text in drawn.values())


@names
def test_exporting_without_skl2onnx_says_what_to_install(absent, reports):
    found = reports[absent]["onnx"]
    if is_there("skl2onnx", absent):
        assert found == "done"
    else:
        assert 'install skfnn with the extra "onnx"' in found


@names
def test_a_progress_bar_without_rich_says_what_it_needs(absent, reports):
    found = reports[absent]["progress bar"]
    if found == "no callbacks":
        pytest.skip("callbacks need scikit-learn 1.9")
    if is_there("rich", absent):
        assert found == "done"
    else:
        assert "requires rich" in found  # scikit-learn's message


if __name__ == "__main__":
    found = report(sys.argv[1:])
    print()  # in case the line is not empty
    print(json.dumps(found))
