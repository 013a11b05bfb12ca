"""
Data larger than memory
=======================

Training needs one mini-batch at a time, so the rows may stay on disk. This example writes 100 MB of features to a file,
trains on it by ``fit`` through :class:`numpy.memmap` and by ``partial_fit`` chunk by chunk, and watches the memory.
"""

# Authors: The skfnn developers
# SPDX-License-Identifier: BSD-3-Clause

# %%
# The data
# --------
#
# Features such as an image model gives out, 500 numbers for each of 50,000 images of ten classes, written in chunks.
import tempfile
from pathlib import Path

import numpy as np

rng = np.random.default_rng(0)
n, n_features, n_classes, n_test = 50_000, 500, 10, 5_000
y = rng.integers(n_classes, size=n)
centres = rng.normal(size=(3 * n_classes, n_features)).astype(np.float32)
kind = y + n_classes * rng.integers(3, size=n)  # three kinds of images a class

folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)  # Windows deletes no file that is open
path = Path(folder.name) / "features.dat"
features = np.memmap(path, dtype=np.float32, mode="w+", shape=(n, n_features))
for start in range(0, n, 5_000):
    rows = slice(start, start + 5_000)
    features[rows] = centres[kind[rows]] + 5 * rng.standard_normal((5_000, n_features), dtype=np.float32)
features.flush()
del features
print(f"{path.stat().st_size / 1e6:.0f} MB on disk")

# %%
# ``fit`` on the file
# -------------------
#
# The array is given to ``fit`` like any other. Its slices, as for the validation set, stay on disk as well. What the
# process itself allocates is measured by ``tracemalloc``; pages of the file that the operating system keeps in memory
# as long as there is room are not counted, since it drops them when there is none.
import tracemalloc
from time import perf_counter

from skfnn import FNNClassifier

X = np.memmap(path, dtype=np.float32, mode="r", shape=(n, n_features))
X_train, y_train, X_test, y_test = X[:-n_test], y[:-n_test], X[-n_test:], y[-n_test:]
settings = {"batch_size": 100, "learning_rate_init": 0.02, "random_state": 0, "n_iter_no_change": np.inf}


def measured(train):
    """The result of a function, with its seconds and its peak of memory in MB."""
    tracemalloc.start()
    start = perf_counter()
    result = train()
    seconds, peak = perf_counter() - start, tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    return result, seconds, peak


clf = FNNClassifier((64,), max_iter=3, **settings)
clf, seconds, memory = measured(lambda: clf.fit(X_train, y_train, X_val=X_test, y_val=y_test))
peaks = {"fit on a memmap": memory}
print(f"fit: {seconds:.1f} s, {memory:.0f} MB, test accuracy {clf.score(X_test, y_test):.3f}")

# %%
# A stream of chunks
# ------------------
#
# ``partial_fit`` is one epoch over the rows that it is given. Here they are read in chunks of 5,000, as from a data
# base or from many files, and standardised on the way.
from sklearn.preprocessing import StandardScaler

scaler = StandardScaler()
for start in range(0, len(y_train), 5_000):
    scaler.partial_fit(X_train[start : start + 5_000])


def stream():
    """Three passes over the chunks, their order drawn anew for each."""
    model = FNNClassifier((64,), **settings)
    starts = np.arange(0, len(y_train), 5_000)
    for epoch in range(3):
        for start in np.random.default_rng(epoch).permutation(starts):
            chunk = slice(start, start + 5_000)
            model.partial_fit(scaler.transform(X_train[chunk]), y_train[chunk], classes=np.arange(n_classes))
    return model


streamed, seconds, memory = measured(stream)
peaks["partial_fit on chunks"] = memory
accuracy = streamed.score(scaler.transform(X_test), y_test)
print(f"partial_fit: {seconds:.1f} s, {memory:.0f} MB, test accuracy {accuracy:.3f}")

# %%
# The pictures
# ------------
import matplotlib.pyplot as plt

peaks["the data"] = path.stat().st_size / 1e6
fig, (ax, bars) = plt.subplots(1, 2, figsize=(10, 3.8), layout="constrained")
steps = np.array(clf.history_["epoch"])
_ = ax.plot(steps, clf.history_["loss"], "-", marker="o", color="0.4", label="training, fit")
_ = ax.plot(steps, clf.history_["validation_loss"], "--", marker="s", color="C0", label="validation, fit")
passes = np.arange(1, streamed.n_iter_ + 1) * 3 / streamed.n_iter_
_ = ax.plot(passes, streamed.history_["loss"], ":", marker=".", color="C3", label="training, chunk by chunk")
_ = ax.set(xlabel="passes over the data", ylabel="cross-entropy loss (nats)", yscale="log")
_ = ax.legend()
drawn = bars.barh(list(peaks), list(peaks.values()), color=["0.4", "C3", "0.8"])
_ = bars.bar_label(drawn, fmt="%.0f MB", padding=3)
_ = bars.set(xlabel="memory allocated at the peak (MB)", xlim=(0, 120))
fig.savefig("out_of_core.png", dpi=120)

# %%
# Conclusion
# ----------
#
# Both train on all rows with a small part of the memory that the data would take. ``fit`` needs the room of a few
# mini-batches and of the order of the rows, and nothing has to be written for it. The stream needs the room of a chunk,
# twice, for its standardised copy. It is the way to go where rows have to be prepared first or come from several files.
# Rows are shuffled within a chunk only, so they must not be sorted by class.
