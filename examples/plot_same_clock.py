"""
Full batch, SGD and mini-batches against the same clock
=======================================================

Full-batch training takes one step for a pass over all rows, SGD takes one step for
every row, and mini-batch SGD is in between. Per pass, more steps are better. But steps
cost time, and users wait for seconds, not for passes. Here the three train the same
network from the same weights: first for the same number of epochs, then for the same
time.
"""

# Authors: The skfnn developers
# SPDX-License-Identifier: BSD-3-Clause

# %%
# The data
# --------
#
# The data are handwritten digits. Every training image appears five times: unchanged,
# and moved by one pixel to each side. This makes 6,735 rows, which contain less than
# five times the information of 1,347 rows. Most large data sets repeat themselves in
# this way.
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

X, y = load_digits(return_X_y=True)
X = (X / 16).astype(np.float32)
X_train, X_val, y_train, y_val = train_test_split(
    X, y, test_size=0.25, stratify=y, random_state=0
)

images = np.pad(X_train.reshape(-1, 8, 8), ((0, 0), (1, 1), (1, 1)))
moves = [(1, 1), (0, 1), (2, 1), (1, 0), (1, 2)]
X_train = np.concatenate(
    [images[:, i : i + 8, j : j + 8].reshape(-1, 64) for i, j in moves]
)
y_train = np.tile(y_train, len(moves))

# %%
# The same number of epochs
# -------------------------
#
# :func:`~skfnn.inspection.batch_size_tradeoff` trains one network at each batch size,
# with all else equal. :class:`~skfnn.inspection.BatchSizeTradeoffDisplay` draws the
# validation loss against the epoch and against the time.
import matplotlib.pyplot as plt

from skfnn import FNNClassifier
from skfnn.inspection import BatchSizeTradeoffDisplay, batch_size_tradeoff

net = FNNClassifier(
    (64,), learning_rate_init=0.02, max_iter=12, n_iter_no_change=None, random_state=0
)
tradeoff = batch_size_tradeoff(
    net, X_train, y_train, [1, 32, "full"], X_val=X_val, y_val=y_val
)
display = BatchSizeTradeoffDisplay(tradeoff, loss_name="cross-entropy (nats)").plot()

print("batch size | steps per epoch | us per step | us per row")
for size, steps, seconds in zip(
    tradeoff.batch_sizes, tradeoff.n_steps, tradeoff.seconds_per_step, strict=True
):
    per_step, per_row = 1e6 * seconds, 1e6 * seconds / size
    print(
        f"{size:10d} | {steps // net.max_iter:15d} | {per_step:11.1f} | {per_row:10.2f}"
    )

# %%
# Per epoch the order is clear. Per second it is less clear: a row costs SGD several
# times what it costs a mini-batch, because every step has a fixed cost, and products of
# small matrices use the processor badly. Also, the lines end at different times, and
# one learning rate for all of them is unfair to large batches, which tolerate a larger
# one.
#
# The same time
# -------------
#
# So each algorithm gets a learning rate of its own, one of the best that a search by
# factors of two to three found, and all get the same time. One call of ``partial_fit``
# is one epoch. ``history_["seconds"]`` has its time, without validation.
SECONDS = 1.5
settings = {
    "full batch": {"batch_size": "full", "learning_rate_init": 1.0},
    "mini-batches of 32": {"batch_size": 32, "learning_rate_init": 0.2},
    "SGD": {"batch_size": 1, "learning_rate_init": 0.02},
}
models = {}
for name, params in settings.items():
    clf = FNNClassifier((64,), random_state=0, **params)
    elapsed = 0.0
    while elapsed < SECONDS:
        clf.partial_fit(
            X_train, y_train, classes=np.unique(y), X_val=X_val, y_val=y_val
        )
        elapsed += clf.history_["seconds"][-1]
    models[name] = clf

# %%
from matplotlib.ticker import LogLocator, NullLocator

fig, ax = plt.subplots(figsize=(7, 4.5), layout="constrained")
styles = [("#7ad151", "-.", "^"), ("#2a788e", "--", "s"), ("#440154", "-", "o")]
for (name, clf), (color, line, marker) in zip(models.items(), styles, strict=True):
    time = np.cumsum(clf.history_["seconds"])
    # Place the markers at equal distances on the logarithmic axis.
    marks = np.searchsorted(time, np.geomspace(time[0], time[-1], 9))
    style = {"color": color, "ls": line, "marker": marker}
    style["markevery"] = np.unique(marks.clip(max=len(time) - 1)).tolist()
    label = f"{name}: {clf.n_iter_:,} epochs, {clf.n_steps_:,} steps"
    _ = ax.plot(time, clf.validation_loss_curve_, label=label, **style)
_ = ax.set(xlabel="training time (s)", ylabel="validation cross-entropy (nats)")
_ = ax.set(xscale="log", yscale="log")
for axis in (ax.xaxis, ax.yaxis):
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter("{x:g}")
    axis.set_minor_locator(NullLocator())
_ = fig.legend(loc="outside upper center")
ax.grid(alpha=0.3)

fig.savefig("same_clock.png", dpi=120)

# %%
# Conclusion
# ----------
print("                   | seconds to a validation loss of | loss after")
print(f"                   |       0.2 |       0.1 |    0.05 | {SECONDS} s")


def seconds_to(target, time, loss):
    """The training time until the loss is below the target, or "-"."""
    below = loss < target
    return f"{time[np.argmax(below)]:.3f}" if below.any() else "-"


for name, clf in models.items():
    time = np.cumsum(clf.history_["seconds"])
    loss = np.array(clf.validation_loss_curve_)
    a, b, c = (seconds_to(target, time, loss) for target in (0.2, 0.1, 0.05))
    print(f"{name:18} | {a:>9} | {b:>9} | {c:>7} | {loss[-1]:.3f}")

# %%
# **Mini-batches** are ahead from their first epoch, until SGD comes close or catches up
# at the end. They reach a loss of 0.2 and 0.1 several times as fast as SGD, and about
# ten times as fast as full-batch training, or more. A step with 32 rows costs two to
# three times as much as a step with one row, and its noise has a thirty-second of the
# variance, which allows ten times the learning rate.
#
# **A full batch** has the cheapest rows and the most expensive steps. It takes a few
# hundred steps in the time in which mini-batches take tens of thousands, and its steps
# are not that much better.
#
# **SGD** takes the most steps, but no rows share the cost of a step, so a pass takes
# more than ten times as long as with mini-batches.
#
# The seconds depend on the machine, the order does not. If the rows of a batch share
# the cost of a step, and if many rows of a data set say much the same, then a batch
# size in the middle is faster than both extremes.
# :ref:`sphx_glr_auto_examples_plot_choosing_a_batch_size.py` looks for it.
