"""
The repetitive cycle: why SGD shuffles the rows
===============================================

Sample-level training takes one step for each row (``batch_size=1``) and goes through
the rows in the same order in every epoch (``shuffle=False``). With a constant learning
rate, a pass over the data then ends where it began: the weights run in a circle and get
no closer to a minimum. This is the *repetitive cycle*. SGD differs in one thing only, a
new random order in every epoch (``shuffle=True``, the default), and it does not get
caught.
"""

# Authors: The skfnn developers
# SPDX-License-Identifier: BSD-3-Clause

# %%
# The experiment
# --------------
#
# The digits 0, 1 and 2 are sorted by class, as rows from a file often are. A small
# network learns them with a constant learning rate. An L2 penalty gives the objective a
# minimum at finite weights, so there is a place to arrive at. ``standardize=False``
# leaves the pixels as they are, between 0 and 1. Otherwise the first rows, which are
# all of one class, would decide how they are scaled.
#
# To see where the weights are *within* a pass, we train each pass in chunks of ten
# rows, with one call of ``partial_fit`` per chunk. With ``batch_size=1`` every call
# takes ten steps, and the 18 calls of a pass take the same steps as one call on all 180
# rows. (The L2 term of a step is ``alpha / B * W``, where B is the number of rows in
# the call. That is why ``alpha`` is a multiple of the chunk size here.)
import copy

import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from skfnn import FNNClassifier

X, y = load_digits(n_class=3, return_X_y=True)
X, y = X[:180] / 16, y[:180]
by_class = np.argsort(y, kind="stable")
X, y = X[by_class], y[by_class]

ETA, DECAY, CHUNK, PASSES = 0.1, 0.01, 10, 100


def weights(clf):
    """All weights and biases as one vector."""
    return np.concatenate([values.ravel() for values in clf.coefs_ + clf.intercepts_])


def train(order_of_pass):
    """Train a new network on the rows that ``order_of_pass()`` gives for each pass.

    Return the network, and the weights after every chunk: (PASSES, chunks, n_weights).
    """
    clf = FNNClassifier(
        hidden_layer_sizes=(4,),
        activation="tanh",
        batch_size=1,
        shuffle=False,
        standardize=False,
        learning_rate_init=ETA,
        alpha=DECAY * CHUNK,
        random_state=0,
    )
    path = []
    for _ in range(PASSES):
        rows = order_of_pass()
        for start in range(0, len(rows), CHUNK):
            chunk = rows[start : start + CHUNK]
            clf.partial_fit(X[chunk], y[chunk], classes=[0, 1, 2])
            path.append(weights(clf))
    return clf, np.reshape(path, (PASSES, -1, len(path[0])))


# %%
# Three runs start from the same weights. They differ only in the order of the rows:
# sorted by class in every pass; one random order, the same in every pass; and a new
# random order in every pass, which is SGD.
rng = np.random.default_rng(0)
one_order = rng.permutation(len(X))
runs = {
    "sorted order": train(lambda: np.arange(len(X))),
    "one mixed order": train(lambda: one_order),
    "SGD": train(lambda: rng.permutation(len(X))),
}

# %%
# Measure the circle
# ------------------
#
# Three lengths distinguish a circle from a standstill and from a minimum:
#
# - the distance between the end of a pass and the end of the pass before,
# - the largest distance of the weights from that point within the pass,
# - the norm of the gradient of the objective at the end of the pass. One full-batch
#   step moves the weights by eta times this gradient, so we compute the gradient from
#   such a step.


def displacement(path):
    """The distance from the end of one pass to the end of the next."""
    return np.linalg.norm(path[1:, -1] - path[:-1, -1], axis=1)


def excursion(path):
    """The largest distance within a pass from the end of the pass before."""
    return np.linalg.norm(path[1:] - path[:-1, -1:], axis=2).max(axis=1)


def at(clf, theta):
    """A copy of the network with the weights `theta`, written into its ``coefs_``."""
    clf, start = copy.deepcopy(clf), 0
    for values in clf.coefs_ + clf.intercepts_:
        values[...] = theta[start : start + values.size].reshape(values.shape)
        start += values.size
    return clf


def gradient_norm(clf):
    """The norm of the gradient of the objective over all rows."""
    before = weights(clf)
    step = copy.deepcopy(clf)
    step.set_params(batch_size="full", learning_rate_init=1e-3, alpha=DECAY * len(X))
    return np.linalg.norm(weights(step.partial_fit(X, y)) - before) / 1e-3


def loss(clf):
    """The mean cross-entropy of all rows."""
    return -clf.predict_log_proba(X)[np.arange(len(y)), y].mean()


print("Mean of the last ten passes")
print(f"{'':16} | end to end | farthest within | gradient norm |   loss | accuracy")
for name, (clf, path) in runs.items():
    ends = [at(clf, theta) for theta in path[-10:, -1]]
    moved, far = displacement(path)[-10:].mean(), excursion(path)[-10:].mean()
    gradient = np.mean([gradient_norm(end) for end in ends])
    scores = [(loss(end), end.score(X, y)) for end in ends]
    mean_loss, accuracy = np.mean(scores, axis=0)
    print(f"{name:16} | {moved:10.4f} | {far:15.4f} | ", end="")
    print(f"{gradient:13.4f} | {mean_loss:6.4f} | {accuracy:8.3f}")

# %%
# The picture
# -----------
#
# Left: the last three passes, each run around its own centre, in the plane of the two
# directions in which the weights move most in sorted order. Middle: the distances of
# the table, for every pass. Right: the loss of all rows within the last four passes.
import matplotlib.pyplot as plt
from matplotlib.ticker import LogLocator, NullLocator

fig, (ax_plane, ax_moves, ax_loss) = plt.subplots(
    1, 3, figsize=(14, 4.8), layout="constrained"
)
plane = PCA(2).fit(runs["sorted order"][1][-1])

# Red, yellow and dark blue also differ in brightness.
styles = [("#d1495b", "o"), ("#f2a541", "s"), ("#1b3a6b", "^")]
for (color, marker), (name, (clf, path)) in zip(styles, runs.items(), strict=True):
    points = plane.transform(path[-3:].reshape(-1, path.shape[2]))
    points = points - points.mean(axis=0)
    style = {"color": color, "marker": marker, "lw": 1}
    _ = ax_plane.plot(*points.T, ms=4, label=name, **style)

    passes = np.arange(2, PASSES + 1)
    _ = ax_moves.semilogy(passes, displacement(path), color=color)
    _ = ax_moves.semilogy(passes, excursion(path), color=color, ls=":")

    losses = [loss(at(clf, theta)) for theta in path[-4:].reshape(-1, path.shape[2])]
    times = PASSES - 4 + np.arange(1, len(losses) + 1) / path.shape[1]
    _ = ax_loss.semilogy(times, losses, ms=3, **style)

_ = ax_plane.set(xlabel="first direction", ylabel="second direction")
_ = ax_plane.set_title("Weights in the last three passes")
_ = ax_plane.set_aspect("equal", adjustable="datalim")
_ = ax_moves.set(xlabel="pass", ylabel="distance of the weights")
_ = ax_moves.set_title("Distances in every pass")
_ = ax_moves.plot([], [], color="0.3", label="from end to end")
_ = ax_moves.plot([], [], color="0.3", ls=":", label="farthest within the pass")
_ = ax_moves.legend(loc="lower left")
_ = ax_loss.set(xlabel="pass", ylabel="cross-entropy (nats)")
_ = ax_loss.set_title("Loss within the last four passes")
_ = ax_loss.set_xticks(range(PASSES - 4, PASSES + 1))
for axis in (ax_moves.yaxis, ax_loss.yaxis):
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter("{x:g}")
    axis.set_minor_locator(NullLocator())
for ax in (ax_plane, ax_moves, ax_loss):
    ax.grid(alpha=0.3)
lines, labels = ax_plane.get_legend_handles_labels()
_ = fig.legend(lines, labels, loc="outside lower center", ncols=3)

fig.savefig("repetitive_cycle.png", dpi=120)

# %%
# Conclusion
# ----------
path = runs["sorted order"][1]
moved, far = displacement(path)[-1], excursion(path)[-1]
print(f"Sorted order, pass {PASSES}: the weights move {far:.2f} away from their start")
print(f"and end {moved:.4f} away from it: a circle.")

# %%
# **Sorted order: a circle.** The ends of the passes approach one point, while within a
# pass the weights keep moving as far as ever: the solid red line falls, the dotted one
# does not. The point is not a minimum, because the gradient of the objective is large
# there. Every class pulls the weights its way as long as its rows last, and over a
# whole pass the pulls cancel. More epochs change nothing: the loss goes up and down on
# the same curve in every pass.
#
# **One mixed order: a small circle.** It is harmless here, but its place and size
# depend on a single draw.
#
# **SGD: no circle.** The ends of its passes scatter around the minimum, about as far
# from each other as from any point in between. SGD does not come to rest either. For
# that, use a smaller or a decreasing learning rate, or larger mini-batches.
