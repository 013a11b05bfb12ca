"""
Full batch, SGD and mini-batches against the same clock
=======================================================

Full-batch training takes one step for a pass over all rows, SGD takes one for every row, mini-batch SGD something in
between. Counted in passes, the more steps the better. But steps cost time, and what a user waits for is seconds. Here
the three train the same network from the same weights, first for the same number of epochs, then for the same time.
"""

# Authors: The skfnn developers
# SPDX-License-Identifier: BSD-3-Clause

# %%
# The data
# --------
#
# Handwritten digits. Every training image is there five times: as it is, and moved by one pixel to each side. This
# makes 6,735 rows that tell less than five times as much as 1,347, as most rows of a large data set do.
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

X, y = load_digits(return_X_y=True)
X = (X / 16).astype(np.float32)
X_train, X_val, y_train, y_val = train_test_split(X, y, test_size=0.25, stratify=y, random_state=0)

images = np.pad(X_train.reshape(-1, 8, 8), ((0, 0), (1, 1), (1, 1)))
moves = [(1, 1), (0, 1), (2, 1), (1, 0), (1, 2)]
X_train = np.concatenate([images[:, i : i + 8, j : j + 8].reshape(-1, 64) for i, j in moves])
y_train = np.tile(y_train, len(moves))

# %%
# The same number of epochs
# -------------------------
#
# :func:`~skfnn.inspection.batch_size_tradeoff` trains a network at each batch size, all else equal, and
# :class:`~skfnn.inspection.BatchSizeTradeoffDisplay` draws the validation loss by epoch and by second.
import matplotlib.pyplot as plt

from skfnn import FNNClassifier
from skfnn.inspection import BatchSizeTradeoffDisplay, batch_size_tradeoff

net = FNNClassifier((64,), learning_rate_init=0.02, max_iter=12, n_iter_no_change=None, random_state=0)
tradeoff = batch_size_tradeoff(net, X_train, y_train, [1, 32, "full"], X_val=X_val, y_val=y_val)
display = BatchSizeTradeoffDisplay(tradeoff, loss_name="cross-entropy (nats)").plot()

print("batch size | steps an epoch | us a step | us a row")
for size, steps, seconds in zip(tradeoff.batch_sizes, tradeoff.n_steps, tradeoff.seconds_per_step, strict=True):
    print(f"{size:10d} | {steps // net.max_iter:14d} | {1e6 * seconds:9.1f} | {1e6 * seconds / size:8.2f}")

# %%
# By epochs the order is clear. By seconds it is less so: a row costs SGD several times what it costs a mini-batch,
# since every step has costs of its own, whatever its size, and products of small matrices do not use the processor
# well. The lines also end at different times, and one learning rate for all of them is not fair to large batches, which
# bear a larger one.
#
# The same time
# -------------
#
# So each algorithm gets a learning rate of its own, one of the best that a search by factors of two to three found. And
# all get the same time. One call of ``partial_fit`` is one epoch; ``history_["seconds"]`` says how long it took,
# validation not included.
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
        clf.partial_fit(X_train, y_train, classes=np.unique(y), X_val=X_val, y_val=y_val)
        elapsed += clf.history_["seconds"][-1]
    models[name] = clf

# %%
fig, ax = plt.subplots(figsize=(7, 4.5), layout="constrained")
styles = [("#7ad151", "-.", "^"), ("#2a788e", "--", "s"), ("#440154", "-", "o")]
for (name, clf), (color, line, marker) in zip(models.items(), styles, strict=True):
    time = np.cumsum(clf.history_["seconds"])
    # Marks at equal distances of the logarithmic axis.
    marks = np.unique(np.searchsorted(time, np.geomspace(time[0], time[-1], 9)).clip(max=len(time) - 1))
    label = f"{name}: {clf.n_iter_:,} epochs, {clf.n_steps_:,} steps"
    _ = ax.plot(
        time, clf.validation_loss_curve_, line, color=color, marker=marker, markevery=marks.tolist(), label=label
    )
_ = ax.set(xscale="log", yscale="log", xlabel="training time (s)", ylabel="validation cross-entropy (nats)")
_ = fig.legend(loc="outside upper center")
ax.grid(alpha=0.3)

fig.savefig("same_clock.png", dpi=120)

# %%
# Conclusion
# ----------
print(f"{'':18} | seconds to a validation loss of 0.2 |    0.1 |   0.05 | after {SECONDS} s")
for name, clf in models.items():
    time, loss = np.cumsum(clf.history_["seconds"]), np.array(clf.validation_loss_curve_)
    reached = [time[np.argmax(loss < target)] if (loss < target).any() else np.nan for target in (0.2, 0.1, 0.05)]
    print(f"{name:18} | {reached[0]:35.3f} | {reached[1]:6.3f} | {reached[2]:6.3f} | {loss[-1]:8.4f}")

# %%
# Mini-batches are ahead from their first epoch on, until SGD comes close or catches up in the end. They reach a loss of
# 0.2 and of 0.1 several times as fast as SGD, which takes ten times as long for a pass and more, and ten times as fast
# as full-batch training, or more. A full batch has the cheapest rows and the most expensive steps: it does a few
# hundred in the time in which mini-batches do tens of thousands, and its steps are far from being so much better. SGD
# has the most steps, but no row shares the cost of one. With mini-batches of 32 a step costs two to three times as
# much, and its noise has a thirty-second of the variance, which allows ten times the learning rate.
#
# The seconds are those of one machine, the order is not: where the rows of a batch share the cost of a step, and a
# data set has many rows that tell much the same, there is a batch size in the middle that is faster than both ends.
# :ref:`sphx_glr_auto_examples_plot_choosing_a_batch_size.py` looks for it.
