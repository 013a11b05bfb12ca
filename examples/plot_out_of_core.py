"""
Train from a file on disk: fit on a memmap, or chunks in a stream
=================================================================

Training needs one mini-batch at a time, so the rows can stay on disk. This example
writes 100 MB of features to a file and trains :class:`~skfnn.FNNClassifier` on it in
two ways: by ``fit`` on a :class:`numpy.memmap`, and by ``partial_fit`` on one chunk
after the other. It measures the memory of both, and shows what goes wrong if the rows
of the file are sorted.
"""

# Authors: The skfnn developers
# SPDX-License-Identifier: BSD-3-Clause

# %%
# The data
# --------
#
# The features are like those that an image model computes: 500 numbers for each of
# 50,000 images. There are ten classes, and each class has three kinds of images. The
# features are written in chunks.
import tempfile
from pathlib import Path

import numpy as np

rng = np.random.default_rng(0)
n, n_features, n_classes, n_test, n_chunk = 50_000, 500, 10, 5_000, 5_000
y = rng.integers(n_classes, size=n)
kind = y + n_classes * rng.integers(3, size=n)
centres = 0.2 * rng.standard_normal((3 * n_classes, n_features), dtype=np.float32)

folder = tempfile.TemporaryDirectory()
path = Path(folder.name) / "features.dat"
features = np.memmap(path, dtype=np.float32, mode="w+", shape=(n, n_features))
for start in range(0, n, n_chunk):
    rows = slice(start, start + n_chunk)
    noise = rng.standard_normal((n_chunk, n_features), dtype=np.float32)
    features[rows] = centres[kind[rows]] + noise
features.flush()
del features
print(f"{path.stat().st_size / 1e6:.0f} MB on disk")

# %%
# ``fit`` on the file
# -------------------
#
# ``fit`` takes the array like any other. Slices of it, such as the validation set, stay
# on disk too. ``tracemalloc`` measures what the process allocates. It does not count
# the pages of the file that the operating system keeps in memory while there is room.
import tracemalloc

from skfnn import FNNClassifier

X = np.memmap(path, dtype=np.float32, mode="r", shape=(n, n_features))
X_train, y_train, X_test, y_test = X[:-n_test], y[:-n_test], X[-n_test:], y[-n_test:]
settings = {
    "hidden_layer_sizes": (64,),
    "batch_size": 100,
    "learning_rate_init": 0.1,
    "random_state": 0,
}
n_passes, classes = 4, np.arange(n_classes)


def peak(train, *args):
    """Call a function; return its result and its peak memory in MB."""
    tracemalloc.start()
    result = train(*args)
    memory = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    return result, memory


def fit(n_rows):
    clf = FNNClassifier(**settings, max_iter=n_passes, n_iter_no_change=None)
    return clf.fit(X_train[:n_rows], y_train[:n_rows], X_val=X_test, y_val=y_test)


# %%
# A stream of chunks
# ------------------
#
# ``partial_fit`` trains for one epoch on the rows that it gets. Here these are chunks
# of 5,000 rows. A first pass over the chunks fits a scaler, which then standardises
# each chunk before training. Every pass has a new order of the chunks. The last chunk
# of a pass comes with the validation set, so there is one score per pass.
from sklearn.preprocessing import StandardScaler

scaler = StandardScaler()
for start in range(0, len(y_train), n_chunk):
    scaler.partial_fit(X_train[start : start + n_chunk])
X_test_scaled = scaler.transform(X_test)


def stream(n_rows, order=None):
    """Train on the rows in the order of the file, or in another order."""
    clf = FNNClassifier(**settings)
    for number in range(n_passes):
        starts = np.random.default_rng(number).permutation(
            np.arange(0, n_rows, n_chunk)
        )
        for start in starts:
            rows = slice(start, start + n_chunk)
            rows = rows if order is None else order[rows]
            last = start == starts[-1]
            validation = {"X_val": X_test_scaled, "y_val": y_test} if last else {}
            clf.partial_fit(
                scaler.transform(X_train[rows]),
                y_train[rows],
                classes=classes,
                **validation,
            )
    return clf


# %%
# Memory
# ------
#
# Now train in both ways, on more and more rows of the file.
n_rows = [5_000, 10_000, 20_000, 30_000, 45_000]
memory = {"fit": [], "partial_fit": []}
for size in n_rows:
    fitted, megabytes = peak(fit, size)
    memory["fit"].append(megabytes)
    streamed, megabytes = peak(stream, size)
    memory["partial_fit"].append(megabytes)
of_data = [size * n_features * 4 / 1e6 for size in n_rows]

print("  rows | data (MB) | fit (MB) | partial_fit (MB)")
for row in zip(n_rows, of_data, *memory.values(), strict=True):
    print("{:6,} | {:9.1f} | {:8.1f} | {:16.1f}".format(*row))

# %%
# Sorted rows
# -----------
#
# Files are often sorted by class. ``partial_fit`` shuffles the rows only within a
# chunk, and now each chunk contains one or two classes.
by_class = stream(len(y_train), order=np.argsort(y_train, kind="stable"))

# %%
# The picture
# -----------
import matplotlib.pyplot as plt

fig, (ax_memory, ax_score) = plt.subplots(1, 2, figsize=(11, 4.3), layout="constrained")
_ = ax_memory.plot(n_rows, of_data, "k:", label="the data")
_ = ax_memory.plot(
    n_rows,
    memory["partial_fit"],
    "s--",
    color="C1",
    label="partial_fit, chunks of 5,000 rows",
)
_ = ax_memory.plot(n_rows, memory["fit"], "o-", color="C0", label="fit on a memmap")
_ = ax_memory.set(
    xlabel="training rows", ylabel="memory allocated at the peak (MB)", ylim=(0, None)
)
_ = ax_memory.set_xticks(n_rows, [f"{size:,}" for size in n_rows], rotation=30)

for clf, style, label in [
    (fitted, "C0o-", "fit on a memmap"),
    (streamed, "C1s--", "partial_fit, rows in random order"),
    (by_class, "C3^:", "partial_fit, rows sorted by class"),
]:
    scores = [score for score in clf.history_["validation_score"] if score is not None]
    _ = ax_score.plot(range(1, n_passes + 1), scores, style, label=label)
_ = ax_score.set(
    xlabel="passes over the data",
    ylabel="test accuracy",
    ylim=(0, 1),
    xticks=range(1, n_passes + 1),
)
for ax in (ax_memory, ax_score):
    _ = ax.legend()
    ax.grid(alpha=0.3)

fig.savefig("out_of_core.png", dpi=120)

# %%
# Windows cannot delete an open file, so release the array before the folder.
X = X_train = X_test = None
folder.cleanup()

# %%
# Conclusion
# ----------
print(f"Memory at {n_rows[-1]:,} rows ({of_data[-1]:.0f} MB of data):")
for name, megabytes in memory.items():
    print(f"{name:19}: {megabytes[-1]:.0f} MB")
for name, clf in [
    ("fit", fitted),
    ("partial_fit", streamed),
    ("partial_fit, sorted", by_class),
]:
    print(f"{name:19}: test accuracy {clf.history_['validation_score'][-1]:.3f}")

# %%
# Neither needs more memory for more data, apart from 8 bytes per row in ``fit``, for
# the order of the rows. ``fit`` also needs room for some mini-batches and, once, for a
# sample of the rows, from which it judges their scale. The stream also holds a prepared
# chunk, here 10 MB. After the same number of passes both are equally good.
#
# - Use ``fit`` if one array can hold the data: nothing has to be prepared.
# - Use ``partial_fit`` if the rows need preparation or come from several files.
#
# This is true for rows in random order. If the rows are sorted by class, each chunk
# makes the network forget what the others taught, and a third of the accuracy is lost
# here. Write the rows in random order once. The user guide,
# :doc:`/user_guide/large_data`, shows how to do that without loading them all.
