"""
Grid search over batch size and learning rate
=============================================

Choose the batch size and the learning rate together. A larger mini-batch has a less
noisy gradient and takes fewer steps per epoch, so it tolerates, and needs, a larger
learning rate. This example searches over both with
:class:`~sklearn.model_selection.GridSearchCV`, for a pipeline of
:class:`~sklearn.preprocessing.StandardScaler` and :class:`~skfnn.FNNClassifier`.
"""

# Authors: The skfnn developers
# SPDX-License-Identifier: BSD-3-Clause

# %%
# The grid
# --------
#
# Every candidate starts from the same random weights and trains for ten epochs, so it
# sees every row ten times. ``n_iter_no_change=None`` asks for all ten epochs. Here a
# fit takes about as long as starting a process for it. If your fits take longer, use
# all cores with ``n_jobs=-1``.
import warnings

import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import FitFailedWarning
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skfnn import FNNClassifier
from skfnn.exceptions import ConstantPredictionWarning

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)

batch_sizes = [1, 10, 30, 100, 300, "full"]
learning_rates = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3]

pipeline = make_pipeline(
    StandardScaler(),
    FNNClassifier(
        hidden_layer_sizes=(32,), max_iter=10, n_iter_no_change=None, random_state=0
    ),
)
search = GridSearchCV(
    pipeline,
    {
        "fnnclassifier__batch_size": batch_sizes,
        "fnnclassifier__learning_rate_init": learning_rates,
    },
    cv=3,
    error_score=np.nan,
)

# %%
# If training diverges, ``fit`` raises ``ValueError``. With ``error_score=np.nan`` the
# search continues: the candidate gets no score and ranks last. (A score of 0 would look
# like a network that predicts every row wrongly, although there is no network at all.)
# The grid contains some learning rates that are too large, and some that are too small
# for ten epochs, so the warnings about them are expected.
with warnings.catch_warnings():
    warnings.simplefilter("ignore", FitFailedWarning)
    warnings.simplefilter("ignore", ConstantPredictionWarning)
    warnings.filterwarnings("ignore", "One or more of the test scores are non-finite")
    _ = search.fit(X_train, y_train)

# %%
# The map
# -------
#
# In ``cv_results_`` the last parameter changes fastest, so ``reshape`` turns the scores
# into a table.
shape = len(batch_sizes), len(learning_rates)
accuracy = search.cv_results_["mean_test_score"].reshape(shape)
seconds = np.median(search.cv_results_["mean_fit_time"].reshape(shape), axis=1)


def as_text(score):
    """A score with three digits; it is missing if training diverged in a fold."""
    return "diverged" if np.isnan(score) else f"{score:.3f}"


print("Cross-validated accuracy after 10 epochs, and the median time of a fit")
print(
    "batch_size | learning_rate_init:"
    + "".join(f"{eta:>9g}" for eta in learning_rates)
    + " | seconds"
)
for size, row, time in zip(batch_sizes, accuracy, seconds, strict=True):
    print(
        f"{size!s:>10} | "
        + " " * 19
        + "".join(f"{as_text(value):>9}" for value in row)
        + f" | {time:7.3f}"
    )

# %%
import matplotlib.pyplot as plt

fig, ax = plt.subplots(figsize=(7, 5), layout="constrained")
image = ax.imshow(accuracy, vmin=0, vmax=1, cmap="viridis", aspect="auto")
_ = ax.set_xticks(range(len(learning_rates)), [f"{eta:g}" for eta in learning_rates])
_ = ax.set_yticks(range(len(batch_sizes)), [str(size) for size in batch_sizes])
_ = ax.set(
    xlabel="learning rate (learning_rate_init)",
    ylabel="batch size (batch_size), rows",
    title="Cross-validated accuracy after 10 epochs",
)
for (i, j), value in np.ndenumerate(accuracy):
    _ = ax.text(
        j,
        i,
        as_text(value),
        ha="center",
        va="center",
        color="white" if value <= 0.6 else "black",
    )
_ = fig.colorbar(image, label="accuracy")

fig.savefig("batch_size_grid_search.png", dpi=120)

# %%
# Conclusion
# ----------
best = {
    name.removeprefix("fnnclassifier__"): value
    for name, value in search.best_params_.items()
}
print(f"Best: {best}, cross-validated accuracy {search.best_score_:.3f}")
print(f"Accuracy on the test set: {search.score(X_test, y_test):.3f}")

# %%
# **Along the diagonals of the map the accuracy is nearly the same.** On a diagonal, the
# learning rate divided by the batch size is constant. While the steps are small, one
# step with ten rows and rate 0.01 does what ten steps with one row and rate 0.001 do.
# So ten times the batch size needs about ten times the learning rate.
#
# **The diagonals end where a step becomes too long.** SGD (batch size 1) diverges at
# 0.1 in at least one of the folds, because nothing averages out the noise of a single
# row.
#
# **A full batch is too slow.** It takes only ten steps in ten epochs, and no learning
# rate in this grid makes up for so few steps.
#
# **Mini-batches are the usual choice.** With 10, 30 or 100 rows their accuracy is
# within 0.01 of the best one. They tolerate rates up to 0.3, and they take a fifth of
# the time of SGD or less.
#
# Next: :ref:`sphx_glr_auto_examples_plot_choosing_a_batch_size.py` finds a batch size
# by a measurement instead of a search.
