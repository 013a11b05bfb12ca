"""
Callbacks: a progress bar, scores and a film of the training run
================================================================

A callback is an object that ``fit`` calls after every epoch. It can show the progress,
score the network, keep a copy of it, or stop the training. scikit-learn has callbacks
since version 1.9. This example sets three of them on one :class:`~skfnn.FNNClassifier`:
scikit-learn's progress bar, its monitor of scores, and a callback of our own, which
films how a network learns two spirals.
"""

# Authors: The skfnn developers
# SPDX-License-Identifier: BSD-3-Clause

# %%
# The data
# --------
#
# Two classes of points in the plane are wound around each other. No straight line
# separates them.
import numpy as np


def spirals(n, rng):
    """Draw n points on two noisy arms."""
    arm = rng.integers(2, size=n)
    radius = np.sqrt(rng.uniform(0.02, 1, n))
    angle = 3.5 * np.pi * radius + np.pi * arm
    X = 3 * np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])
    return X + rng.normal(scale=0.08, size=X.shape), arm


rng = np.random.default_rng(0)
X_train, y_train = spirals(600, rng)
X_val, y_val = spirals(1000, rng)

# %%
# Write a callback
# ----------------
#
# A callback has four methods. ``on_fit_task_end`` is called after every epoch, and once
# more at the end of ``fit``. Our method asks for ``fitted_estimator``, so it receives a
# copy of the network, which it may keep while training continues. If it returns True,
# training stops: here, as soon as the training loss is low enough.


class Film:
    """Keep the network after some epochs; stop when the loss is low enough."""

    def __init__(self, epochs, enough):
        self.epochs, self.enough = epochs, enough

    def setup(self, estimator, context):
        self.frames = []

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        return context.task_name == "epoch" and self.look(fitted_estimator)

    def teardown(self, estimator, context):
        pass

    def look(self, network):
        done = network.loss_ <= self.enough
        if done or network.n_iter_ in self.epochs:
            self.frames.append(network)
        return done


# %%
# Training
# --------
#
# ``ProgressBar`` needs the package rich. The example leaves the bar out if rich is
# missing. ``ScoringMonitor`` scores the *training* rows after every epoch. The
# validation set needs no callback: its scores are in ``validation_scores_``.
from importlib.util import find_spec

from skfnn import FNNClassifier

settings = {
    "hidden_layer_sizes": (32, 32),
    "activation": "tanh",
    "batch_size": 20,
    "learning_rate_init": 0.1,
    "momentum": 0.9,
    "max_iter": 200,
    "n_iter_no_change": None,
    "random_state": 0,
}
film = Film(epochs=[1, 10, 25], enough=0.03)
clf = FNNClassifier(**settings)

try:
    from sklearn.callback import ProgressBar, ScoringMonitor
except ImportError:
    monitor = None
    print("This scikit-learn has no callbacks. The loop below makes the film.")
else:
    monitor = ScoringMonitor(scoring="accuracy")
    bar = [ProgressBar()] if find_spec("rich") else []
    clf.set_callbacks(film, monitor, *bar)
    clf.fit(X_train, y_train, X_val=X_val, y_val=y_val)
    print(f"Stopped after epoch {clf.n_iter_}, training loss {clf.loss_:.3f}")

# %%
# The same without callbacks
# --------------------------
#
# A call of ``partial_fit`` is one epoch of ``fit``, with the same random numbers. So a
# loop can do what a callback does, with any version of scikit-learn, and it leads to
# the same network.
import copy

by_hand = Film(film.epochs, film.enough)
by_hand.setup(None, None)
looped = FNNClassifier(**settings)
for _ in range(looped.max_iter):
    looped.partial_fit(X_train, y_train, classes=[0, 1], X_val=X_val, y_val=y_val)
    if by_hand.look(copy.deepcopy(looped)):
        break

if monitor is None:
    clf, film = looped, by_hand
difference = max(
    abs(a - b).max() for a, b in zip(clf.coefs_, looped.coefs_, strict=True)
)
print(f"Largest difference between the weights: {difference}")

# %%
# The film
# --------
#
# The shades of grey show the predicted probability of class 1.
import matplotlib.pyplot as plt

n_frames = len(film.frames)
fig, axes = plt.subplot_mosaic(
    [range(n_frames), n_frames * ["scores"]], figsize=(11, 6.2), layout="constrained"
)

ticks = np.linspace(-3.4, 3.4, 200)
grid = np.stack(np.meshgrid(ticks, ticks), axis=-1).reshape(-1, 2)
for k, frame in enumerate(film.frames):
    probability = frame.predict_proba(grid)[:, 1].reshape(200, 200)
    shades = axes[k].contourf(
        ticks, ticks, probability, levels=np.linspace(0, 1, 11), cmap="gray"
    )
    # Orange and blue differ in brightness too, and their edges show on any grey.
    _ = axes[k].plot(
        *X_train[y_train == 0].T,
        "o",
        ms=3.5,
        mfc="#ffb14e",
        mec="k",
        mew=0.5,
        label="class 0",
    )
    _ = axes[k].plot(
        *X_train[y_train == 1].T,
        "s",
        ms=3.5,
        mfc="#1b3a6b",
        mec="w",
        mew=0.5,
        label="class 1",
    )
    _ = axes[k].set(
        title=f"epoch {frame.n_iter_}", xlabel="first feature", aspect="equal"
    )
_ = axes[0].set_ylabel("second feature")
_ = axes[0].legend(loc="lower right", fontsize=8, handletextpad=0.2, borderpad=0.3)
_ = fig.colorbar(
    shades,
    ax=[axes[k] for k in range(n_frames)],
    label="probability of class 1",
    shrink=0.8,
)

epochs = clf.history_["epoch"]
if monitor is not None:
    log = [
        row["accuracy"]
        for row in monitor.get_logs().data
        if row["task_name"] == "epoch"
    ]
    _ = axes["scores"].plot(
        epochs, log, color="0.45", label="training rows (ScoringMonitor)"
    )
_ = axes["scores"].plot(
    epochs, clf.validation_scores_, "--", color="C0", label="validation set"
)
for k, frame in enumerate(film.frames):
    _ = axes["scores"].axvline(
        frame.n_iter_, color="C3", ls=":", label="frames" if k == 0 else None
    )
_ = axes["scores"].set(xlabel="epoch", ylabel="accuracy")
_ = axes["scores"].legend(loc="upper left")
axes["scores"].grid(alpha=0.3)

fig.savefig("callbacks.png", dpi=120)

# %%
# Conclusion
# ----------
for frame in film.frames:
    print(
        f"epoch {frame.n_iter_:3}: validation accuracy {frame.score(X_val, y_val):.3f}"
    )

# %%
# After one epoch the probability is little more than a slope across the plane. Then the
# network bends it, step by step, around both arms. On the way the accuracy goes up and
# down, because mini-batches of 20 rows with momentum make long and noisy steps. That is
# why the callback looks at every epoch instead of relying on a fixed number of epochs.
# It stops training after about an eighth of the 200 epochs that were allowed, when
# nearly all validation points are classified correctly.
#
# The last frame also shows what no score tells: in the corners, where there are no
# points, the network is as sure as it is on the arms.
#
# The progress bar jumps to 100 % when training stops early. The :doc:`user guide
# </user_guide/callbacks>` has more about callbacks, also in pipelines and searches.
