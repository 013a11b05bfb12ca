"""Other problems that users reported: probabilities, Ctrl-C, messages, warnings and help."""

import io
import warnings
from contextlib import redirect_stdout, suppress

import numpy as np
import pytest
from reported import SETTINGS, SOLVERS, VALUES, X, classifier, kinds, labels, y
from scipy.special import log_expit, log_softmax
from sklearn.ensemble import BaggingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skfnn import FNNClassifier, exceptions
from skfnn._engine.batches import Batches

# Logarithms of small probabilities


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("target", [y, y > 0, labels], ids=["multiclass", "binary", "multilabel"])
@pytest.mark.parametrize("solver", SOLVERS)
def test_log_probabilities_come_from_the_raw_outputs(target, dtype, solver):
    clf = FNNClassifier(**(SETTINGS | {"max_iter": 200, "solver": solver, "dtype": dtype})).fit(X, target)
    clf.coefs_[-1] *= 300.0
    far = 30.0 * X
    raw = clf.decision_function(far).astype(np.float64)
    if target.ndim == 2:
        expected = log_expit(raw)
    elif raw.ndim == 1:
        expected = np.column_stack([log_expit(-raw), log_expit(raw)])
    else:
        expected = log_softmax(raw, axis=1)
    found = clf.predict_log_proba(far)
    assert found.dtype == dtype
    assert found.min() < -1000.0
    # In float32, raw outputs of 10,000 are rounded to 1e-3.
    np.testing.assert_allclose(
        found, expected, rtol=1e-6 if dtype == "float32" else 1e-12, atol=2e-3 if dtype == "float32" else 1e-9
    )
    proba = clf.predict_proba(far)
    assert proba.min() > 0.0
    seen = proba > np.finfo(dtype).tiny
    np.testing.assert_allclose(found[seen], np.log(proba[seen]), rtol=1e-5, atol=1e-6)


# Ctrl-C


@pytest.fixture
def ctrl_c(monkeypatch):
    """Press Ctrl-C in the third epoch of every fit; the result counts the interruptions."""
    shuffle, counts = Batches.shuffle, {"epochs": 0, "interrupts": 0}

    def interrupted(self, *args):
        counts["epochs"] += 1
        if counts["epochs"] % 3 == 0:
            counts["interrupts"] += 1
            raise KeyboardInterrupt
        return shuffle(self, *args)

    monkeypatch.setattr(Batches, "shuffle", interrupted)
    return counts


@pytest.mark.parametrize(
    "train",
    [
        lambda clf: GridSearchCV(clf, {"alpha": [0.0, 1.0]}, cv=3).fit(X, y),
        lambda clf: cross_val_score(clf, X, y, cv=3),
        lambda clf: BaggingClassifier(clf, 3, random_state=0).fit(X, y),
        lambda clf: GridSearchCV(make_pipeline(StandardScaler(), clf), {"fnnclassifier__alpha": [0.0]}).fit(X, y),
    ],
    ids=["search", "cross-validation", "bagging", "search over a pipeline"],
)
def test_ctrl_c_ends_a_search_or_an_ensemble(train, ctrl_c):
    with pytest.raises(KeyboardInterrupt):
        train(classifier())
    assert ctrl_c["interrupts"] == 1


@pytest.mark.parametrize("wrap", [lambda clf: clf, lambda clf: make_pipeline(StandardScaler(), clf)])
def test_ctrl_c_in_a_fit_that_the_user_called_keeps_the_finished_epochs(wrap, ctrl_c):
    model = wrap(classifier())
    with pytest.warns(exceptions.InterruptedWarning, match="last finished epoch"):
        model.fit(X, y)
    assert (model if isinstance(model, FNNClassifier) else model[-1]).n_iter_ == 2


# A plateau


@kinds
def test_a_plateau_causes_a_warning(kind):
    deep = kind(**(SETTINGS | {"hidden_layer_sizes": (20,) * 4, "activation": "logistic", "learning_rate_init": 1e-4}))
    with pytest.warns(exceptions.ConstantPredictionWarning, match="no better than a constant"):
        deep.fit(X, VALUES[kind])


# What verbose prints


class Pipe(io.StringIO):
    """Counts the lines that a reader at the other end sees immediately."""

    flushed = 0

    def flush(self):
        self.flushed = self.getvalue().count("\n")


@kinds
@pytest.mark.filterwarnings("ignore:L-BFGS did not converge")
@pytest.mark.parametrize(("solver", "word"), [("sgd", "Epoch"), ("adam", "Epoch"), ("lbfgs", "Iteration")])
def test_verbose_prints_each_epoch_at_once_under_its_name(kind, solver, word):
    with redirect_stdout(Pipe()) as pipe:
        kind(**(SETTINGS | {"verbose": True, "solver": solver})).fit(X, VALUES[kind])
    lines = pipe.getvalue().splitlines()
    assert pipe.flushed == len(lines)
    assert [line.split()[0] for line in lines[:3]] == [word] * 3


@pytest.mark.parametrize(("scoring", "times"), [("loss", 1), (None, 2)])
def test_the_validation_loss_is_printed_once(scoring, times):
    with redirect_stdout(io.StringIO()) as out:
        classifier(verbose=True, scoring=scoring).fit(X, y, X_val=X, y_val=y)
    assert out.getvalue().splitlines()[0].count("validation") == times


@kinds
def test_lbfgs_says_why_it_has_no_partial_fit(kind):
    assert not hasattr(kind(solver="lbfgs"), "partial_fit")
    with pytest.raises(AttributeError, match="partial_fit is only available for solver='sgd' and solver='adam'"):
        kind(solver="lbfgs").partial_fit(X, VALUES[kind])


# Filters by category


@pytest.mark.parametrize(
    ("category", "trigger"),
    [
        (exceptions.NotConvergedWarning, lambda: classifier(max_iter=5, n_iter_no_change=10).fit(X, y)),
        (exceptions.ConstantPredictionWarning, lambda: classifier(learning_rate_init=1e-6).fit(X, y)),
        (exceptions.ScaleWarning, lambda: classifier(learning_rate_init=0.1, standardize=False).fit(1000 * X, y)),
        (exceptions.BatchSizeWarning, lambda: classifier(batch_size=500).fit(X, y)),
        (
            exceptions.DivergenceWarning,
            lambda: [
                net.partial_fit(1e3 * X, y, classes=[0, 1, 2])
                for net in [classifier(learning_rate_init=10.0, standardize=False)]
                for _ in range(3)
            ],
        ),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_warnings_can_be_filtered_by_category(category, trigger):
    with warnings.catch_warnings(record=True) as caught, suppress(ValueError):  # training may diverge after the warning
        warnings.simplefilter("always")
        trigger()
    found = [w for w in caught if w.category is category]
    assert len(found) == 1
    assert found[0].filename == __file__
    with warnings.catch_warnings(), suppress(ValueError):
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", category=exceptions.SkfnnWarning)
        trigger()


def test_warnings_also_have_scikit_learns_category_if_it_has_one():
    for name in ("NotConvergedWarning", "ConstantPredictionWarning", "DivergenceWarning"):
        assert issubclass(getattr(exceptions, name), ConvergenceWarning)
    for name in exceptions.__all__:
        assert issubclass(getattr(exceptions, name), exceptions.SkfnnWarning)
        assert issubclass(getattr(exceptions, name), UserWarning)


# Hover help


@kinds
def test_every_parameter_and_attribute_has_an_entry_of_its_own(kind, monkeypatch):
    common = pytest.importorskip("sklearn.utils._repr_html.common")
    if not hasattr(common, "get_docstring"):
        pytest.skip("this scikit-learn does not show attributes")
    model = kind(**SETTINGS).fit(X, VALUES[kind])
    fitted = [name for name in dir(model) if name.endswith("_") and not name.startswith("_")]
    for section, names in (("Parameters", model.get_params()), ("Attributes", fitted)):
        for name in names:
            assert common.get_docstring(kind, section, name), name
    # scikit-learn shows the entries as hover help if there is documentation to link to.
    monkeypatch.setattr(kind, "_doc_link_module", "skfnn")
    monkeypatch.setattr(kind, "_doc_link_template", "https://example.org/{estimator_module}.{estimator_name}.html")
    assert "decay rate of the first moment" in kind()._repr_html_()
