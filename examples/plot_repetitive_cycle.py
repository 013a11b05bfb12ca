"""
Sample-level training runs in circles
=====================================

Sample-level training takes one step for each row (``batch_size=1``) and goes through the rows in the same order in
every epoch (``shuffle=False``). With a constant learning rate a pass over the data then ends where it began: the
weights go round and round and get no nearer to a minimum. This is the *repetitive cycle*. SGD differs in one thing
only, a new random order in every epoch (``shuffle=True``, the default), and does not get caught.
"""

# Authors: The skfnn developers
# SPDX-License-Identifier: BSD-3-Clause

# %%
# The experiment
# --------------
#
# The digits 0, 1 and 2 come sorted by class, as rows from a file often do. A small network learns them with a constant
# learning rate. An L2 penalty keeps the minimum at finite weights, so that there is a place to arrive at.
#
# To see where the weights are *within* a pass, a pass is trained in chunks of ten rows, one call of ``partial_fit`` for
# each. As ``batch_size=1``, every call takes ten steps, and the eighteen calls of a pass take the same steps as one
# call on all 180 rows would. (The L2 term of a step is ``alpha / B * W`` with B the rows of the call; therefore
# ``alpha`` is written as a multiple of the chunk.)
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
    """Train a new network; the row numbers of a pass come from ``order_of_pass()``.

    Returns the network and the weights after every chunk, (PASSES, chunks, n_weights).
    """
    clf = FNNClassifier(
        hidden_layer_sizes=(4,),
        activation="tanh",
        batch_size=1,
        shuffle=False,
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
# Three trainings start from the same weights and differ in the order of the rows only: sorted by class in every pass;
# in one random order, the same in every pass; in a new random order in every pass, which is SGD.
rng = np.random.default_rng(0)
one_order = rng.permutation(len(X))
trainings = {
    "sorted order": train(lambda: np.arange(len(X))),
    "one mixed order": train(lambda: one_order),
    "SGD": train(lambda: rng.permutation(len(X))),
}

# %%
# What happened
# -------------
#
# Three lengths tell a circle from a standstill and from a minimum: how far the end of a pass is from the end of the
# pass before; how far away from there the weights get in between; the norm of the gradient of the objective at the
# end of the pass. One full-batch step moves the weights by eta times this gradient, so the gradient is read off such
# a step.


def displacement(path):
    """How far the end of a pass is from the end of the pass before, for every pass but the first."""
    return np.linalg.norm(path[1:, -1] - path[:-1, -1], axis=1)


def excursion(path):
    """How far the weights get from the end of the pass before, for every pass but the first."""
    return np.linalg.norm(path[1:] - path[:-1, -1:], axis=2).max(axis=1)


def at(clf, theta):
    """A copy of the network with the weights `theta`: writing into ``coefs_`` changes what a network predicts."""
    clf, start = copy.deepcopy(clf), 0
    for values in clf.coefs_ + clf.intercepts_:
        values[...] = theta[start : start + values.size].reshape(values.shape)
        start += values.size
    return clf


def gradient_norm(clf):
    """The norm of the gradient of the objective over all rows."""
    before = weights(clf)
    step = copy.deepcopy(clf).set_params(batch_size="full", learning_rate_init=1e-3, alpha=DECAY * len(X))
    return np.linalg.norm(weights(step.partial_fit(X, y)) - before) / 1e-3


def loss(clf):
    """The mean cross-entropy of all rows."""
    return -clf.predict_log_proba(X)[np.arange(len(y)), y].mean()


print("Mean of the last ten passes")
print(f"{'':16} | end to end | farthest within | gradient norm |   loss | accuracy")
for name, (clf, path) in trainings.items():
    ends = [at(clf, theta) for theta in path[-10:, -1]]
    lengths = f"{displacement(path)[-10:].mean():10.4f} | {excursion(path)[-10:].mean():15.4f}"
    gradient = np.mean([gradient_norm(end) for end in ends])
    mean_loss, accuracy = np.mean([(loss(end), end.score(X, y)) for end in ends], axis=0)
    print(f"{name:16} | {lengths} | {gradient:13.4f} | {mean_loss:6.4f} | {accuracy:8.3f}")

# %%
# The picture
# -----------
#
# Left: the last three passes in the plane of the two directions in which the weights move most when the order is
# sorted, each training about its own centre. Middle: the distances of the table for every pass. Right: the loss of
# all rows within the last four passes.
import matplotlib.pyplot as plt

fig, (ax_plane, ax_moves, ax_loss) = plt.subplots(1, 3, figsize=(14, 4.8), layout="constrained")
plane = PCA(2).fit(trainings["sorted order"][1][-1])

# Red, yellow and dark blue differ in brightness too.
styles = [("#d1495b", "o"), ("#f2a541", "s"), ("#1b3a6b", "^")]
for (color, marker), (name, (clf, path)) in zip(styles, trainings.items(), strict=True):
    points = plane.transform(path[-3:].reshape(-1, path.shape[2]))
    _ = ax_plane.plot(*(points - points.mean(axis=0)).T, f"{marker}-", color=color, lw=1, ms=4, label=name)

    passes = np.arange(2, PASSES + 1)
    _ = ax_moves.semilogy(passes, displacement(path), color=color)
    _ = ax_moves.semilogy(passes, excursion(path), color=color, ls=":")

    losses = [loss(at(clf, theta)) for theta in path[-4:].reshape(-1, path.shape[2])]
    times = PASSES - 4 + np.arange(1, len(losses) + 1) / path.shape[1]
    _ = ax_loss.semilogy(times, losses, color=color, marker=marker, ms=3, lw=1)

_ = ax_plane.set(xlabel="first direction", ylabel="second direction", title="Weights in the last three passes")
_ = ax_plane.set_aspect("equal", adjustable="datalim")
_ = ax_moves.set(xlabel="pass", ylabel="distance of the weights", title="Solid: end to end; dotted: farthest within")
_ = ax_loss.set(xlabel="pass", ylabel="cross-entropy (nats)", title="Loss within the last four passes")
_ = ax_loss.set_xticks(range(PASSES - 4, PASSES + 1))
for ax in (ax_plane, ax_moves, ax_loss):
    ax.grid(alpha=0.3)
_ = fig.legend(loc="outside lower center", ncols=3)

fig.savefig("repetitive_cycle.png", dpi=120)

# %%
# Conclusion
# ----------
path = trainings["sorted order"][1]
moved, far = displacement(path)[-1], excursion(path)[-1]
print(
    f"In sorted order pass {PASSES} ends {moved:.4f} from where it began, after having been {far:.2f} away: a circle."
)

# %%
# With a fixed order the ends of the passes close in on one point, while within a pass the weights keep moving as far
# as ever: the solid red line falls, the dotted one does not. It is not a minimum that they close in on, as the
# gradient of the objective there is large. Every class pulls the weights its way as long as its rows last, and the
# pulls of a whole pass cancel. More epochs change nothing: the loss goes up and down on the same curve in every pass.
#
# A well-mixed fixed order makes the circle small, and here harmless, but it is a circle all the same, whose place and
# size depend on one draw. SGD has no such circle: the ends of its passes scatter about the minimum, about as far from
# each other as from anything in between. It does not stand still either; that takes a smaller or a decreasing
# learning rate, or larger mini-batches.
