"""Tools for interrupted training runs, and comparisons of two models."""

import io
import pickle
from contextlib import contextmanager
from importlib.util import find_spec

import joblib
import numpy as np
import pytest
from sklearn.datasets import make_classification

from skfnn import FNNClassifier, FNNRegressor
from skfnn._engine.batches import Batches

needs_callbacks = pytest.mark.skipif(find_spec("sklearn.callback") is None, reason="callbacks need scikit-learn 1.9")

rows, labels = make_classification(130, 6, n_informative=4, n_classes=3, random_state=0)
X, X_val = rows[:90], rows[90:]
Y = {FNNClassifier: labels[:90], FNNRegressor: np.abs(rows[:90, :2])}
Y_VAL = {FNNClassifier: labels[90:], FNNRegressor: np.abs(rows[90:, :2])}
N_EPOCHS = 6


def estimator(kind=FNNClassifier, **params):
    """An estimator that trains for exactly six epochs by default."""
    common = {"hidden_layer_sizes": (5,), "batch_size": 20, "learning_rate_init": 0.05, "n_iter_no_change": None}
    return kind(**(common | {"max_iter": N_EPOCHS, "random_state": 0} | params))


SCORES = [0.5, 0.6, 0.4, 0.7, 0.3, 0.2, 0.75, 0.6, 0.55, 0.8, 0.1, 0.5]
AFTER_A_FALL = [3, 5, 6, 8, 9, 11]  # after these epochs, and after the last epoch, the last weights are not the best


def up_and_down(model, X, y):
    """A scorer that returns SCORES, one per epoch, whatever the model predicts."""
    n_done = len(model.history_["epoch"])
    return SCORES[n_done] if n_done < len(SCORES) else 0.0


@contextmanager
def ctrl_c_in_epoch(k):
    """Press Ctrl-C in the middle of epoch k of training in the body. Training must keep the earlier epochs and warn."""
    load, shuffle, loaded, shuffled = Batches.load, Batches.shuffle, [], []

    def counted_shuffle(self, make_rng):
        loaded.clear()
        shuffled.append(make_rng)
        shuffle(self, make_rng)

    def interrupted_load(self, *block):
        loaded.append(block)
        n_blocks = len(list(self.blocks()))
        # L-BFGS does not shuffle: an iteration reads every block once.
        epoch = len(shuffled) or 1 + (len(loaded) - 1) // n_blocks
        # "In the middle" means after the first block of rows, if the epoch has several.
        if epoch == k and (len(loaded) - 1) % n_blocks + 1 == min(2, n_blocks):
            raise KeyboardInterrupt
        return load(self, *block)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Batches, "shuffle", counted_shuffle)
        patch.setattr(Batches, "load", interrupted_load)
        with pytest.warns(UserWarning, match="Training interrupted") as caught:
            yield caught


def by_pickle(model):
    """The model loaded from a pickle of this one."""
    return pickle.loads(pickle.dumps(model))


def by_joblib(model):
    """The model loaded from a joblib file of this one."""
    file = io.BytesIO()
    joblib.dump(model, file)
    file.seek(0)
    return joblib.load(file)


class Act:
    """A callback that calls `act(model)` after epoch k. Its result decides whether to stop."""

    def __init__(self, k, act):
        self.k, self.act, self.calls = k, act, []

    def setup(self, estimator, context):
        self.calls.append("setup")

    def teardown(self, estimator, context):
        self.calls.append("teardown")

    def on_fit_task_begin(self, estimator, context):
        self.calls.append(f"{context.task_name} of {context.max_subtasks}")

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        if context.task_name == "epoch" and fitted_estimator.n_iter_ == self.k:
            return self.act(fitted_estimator)
        return False


def fail(model):
    """Raise an error, like a faulty callback."""
    raise RuntimeError("a mistake")


def assert_same_training(a, b):
    """Two models are the same bit for bit, and so are all their records except the seconds."""
    for p, q in zip(a.coefs_ + a.intercepts_, b.coefs_ + b.intercepts_, strict=True):
        np.testing.assert_array_equal(p, q)
    for name in ("n_iter_", "t_", "n_steps_", "loss_", "best_loss_", "loss_curve_", "best_validation_score_"):
        np.testing.assert_equal(getattr(a, name), getattr(b, name), name)
    np.testing.assert_equal(a.validation_scores_, b.validation_scores_)
    assert a.validation_loss_curve_ == b.validation_loss_curve_
    assert {len(values) for values in a.history_.values()} == {len(b.loss_curve_)}
    np.testing.assert_equal(  # learning_rate is a NaN with L-BFGS
        {key: values for key, values in a.history_.items() if key != "seconds"},
        {key: values for key, values in b.history_.items() if key != "seconds"},
    )


def contents(model):
    """The attributes of an estimator, and a pickle of everything that training changes in place."""
    state = vars(model).get("_state")
    return dict(vars(model)), pickle.dumps([state and state.to_plain(), vars(model).get("history_")])


def assert_untouched(model, before):
    """The attributes are the same objects with the same contents."""
    attributes, values = contents(model)
    assert attributes.keys() == before[0].keys()
    for name, value in attributes.items():
        assert value is before[0][name], name
    assert values == before[1]
