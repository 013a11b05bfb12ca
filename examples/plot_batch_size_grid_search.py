"""
Grid search over batch size and learning rate
=============================================

The batch size and the learning rate are best chosen together: a larger mini-batch has a less noisy gradient and takes
fewer steps an epoch, so it bears, and needs, longer steps. Here a pipeline of
:class:`~sklearn.preprocessing.StandardScaler` and :class:`~skfnn.FNNClassifier` is searched over both with
:class:`~sklearn.model_selection.GridSearchCV`.
"""

# Authors: The skfnn developers
# SPDX-License-Identifier: BSD-3-Clause

# %%
# The grid
# --------
#
# Every candidate trains for ten epochs from the same random initial weights, so it sees every row ten times.
# ``n_iter_no_change=None`` keeps the training loss from ending a training before that. All trainings together take
# about as long as starting processes for them would; with longer ones ``n_jobs=-1`` uses all cores.
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
    FNNClassifier(hidden_layer_sizes=(32,), max_iter=10, n_iter_no_change=None, random_state=0),
)
search = GridSearchCV(
    pipeline,
    {"fnnclassifier__batch_size": batch_sizes, "fnnclassifier__learning_rate_init": learning_rates},
    cv=3,
    error_score=np.nan,
)

# %%
# If training diverges, ``fit`` raises ``ValueError``. With ``error_score=np.nan``, the search continues, gives the
# candidate no score, and ranks it last. The warnings about this are expected, because the grid contains learning rates
# that are too large, and some that are too small for ten epochs. A score of 0.000 would look like a network that
# predicts every row wrongly, although there is no network at all.
with warnings.catch_warnings():
    warnings.simplefilter("ignore", FitFailedWarning)
    warnings.simplefilter("ignore", ConstantPredictionWarning)
    warnings.filterwarnings("ignore", "One or more of the test scores are non-finite")
    _ = search.fit(X_train, y_train)

# %%
# The map
# -------
#
# ``cv_results_`` has the candidates with the last parameter running fastest, so a reshape gives the table.
shape = len(batch_sizes), len(learning_rates)
accuracy = search.cv_results_["mean_test_score"].reshape(shape)
seconds = search.cv_results_["mean_fit_time"].reshape(shape).mean(axis=1)


def as_text(score):
    """A score with three digits. A candidate has none if training diverged in one of the folds."""
    return "diverged" if np.isnan(score) else f"{score:.3f}"


print("Cross-validated accuracy after 10 epochs, and the mean time of a fit")
print("batch_size | learning_rate_init:" + "".join(f"{eta:>9g}" for eta in learning_rates) + " | seconds")
for size, row, time in zip(batch_sizes, accuracy, seconds, strict=True):
    print(f"{size!s:>10} | " + " " * 19 + "".join(f"{as_text(value):>9}" for value in row) + f" | {time:7.3f}")

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
    _ = ax.text(j, i, as_text(value), ha="center", va="center", color="white" if value <= 0.6 else "black")
_ = fig.colorbar(image, label="accuracy")

fig.savefig("batch_size_grid_search.png", dpi=120)

# %%
# Conclusion
# ----------
best = {name.removeprefix("fnnclassifier__"): value for name, value in search.best_params_.items()}
print(f"Best: {best}, cross-validated accuracy {search.best_score_:.3f}")
print(f"Accuracy on the test set: {search.score(X_test, y_test):.3f}")

# %%
# The accuracy is nearly the same along the diagonals of the map, where the quotient of learning rate and batch size is:
# as long as the steps are small, one step of ten rows and rate 0.01 does what ten steps of one row and rate 0.001 do.
# So ten times the batch size wants about ten times the learning rate. The diagonal ends where a step becomes too long.
# For SGD (batch size 1) that is the case at 0.1 already: nothing averages the noise of a single row away, and training
# diverges in at least one of the folds. Full-batch training takes ten steps in all, and no rate of this grid makes up
# for so few. Mini-batches of ten and of thirty rows come within 0.01 of the best accuracy, those of a hundred within
# 0.03. They stand rates up to 0.3 and take less time than SGD, which is why they are the usual choice.
#
# :ref:`sphx_glr_auto_examples_plot_choosing_a_batch_size.py` finds a batch size by a measurement instead.
