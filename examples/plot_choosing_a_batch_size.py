r"""
Choosing a batch size by the gradient noise
===========================================

How large should a mini-batch be? The *noise scale* :math:`\sigma^2 / \lVert G \rVert^2`
gives an answer. Here :math:`\sigma^2` is the variance of the rows' gradients and
:math:`G` is their mean. Far below the noise scale a step is mostly noise, and twice the
rows make a step worth about twice as much. Far above it the noise is gone, and more
rows bring nothing. McCandlish et al. (2018, :arxiv:`1812.06162`) turn this into a
prediction. This example tests it: it measures the noise scale in a few short training
runs, then trains at six batch sizes to see what each of them really needs.
"""

# Authors: The skfnn developers
# SPDX-License-Identifier: BSD-3-Clause

# %%
# The measurement
# ---------------
#
# Train with a moderate batch size and learning rate until the validation loss is 0.25.
# After every epoch, :func:`~skfnn.inspection.gradient_noise` gives the variance of the
# rows' gradients and the squared norm of their mean. Both change during training, and
# the second one jumps. So average each of them over the epochs first, and divide
# afterwards.
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skfnn import FNNClassifier
from skfnn.inspection import gradient_noise

X, y = load_digits(return_X_y=True)
X_train, X_val, y_train, y_val = train_test_split(
    X / 16, y, test_size=0.25, stratify=y, random_state=0
)
B, TARGET, SEEDS = len(X_train), 0.25, [0, 1, 2]


def epochs_of(batch_size, eta, seed):
    """Train without end, and yield the network after every epoch."""
    clf = FNNClassifier(
        (64,), batch_size=batch_size, learning_rate_init=eta, random_state=seed
    )
    while True:
        yield clf.partial_fit(
            X_train, y_train, classes=range(10), X_val=X_val, y_val=y_val
        )


variance, norm = [], []
for seed in SEEDS:
    for clf in epochs_of(64, 0.05, seed):
        noise = gradient_noise(clf, X_train, y_train, n_draws=0)
        variance.append(noise.variance)
        norm.append(noise.gradient_norm_squared)
        if clf.validation_loss_curve_[-1] < TARGET:
            break
noise_scale = np.mean(variance) / np.mean(norm)
print(f"Noise scale: {noise_scale:.0f} rows")

# %%
# The prediction
# --------------
#
# With the learning rate that suits it best, a batch size of :math:`\Omega` needs
# :math:`S_{\min} (1 + \mathcal{B} / \Omega)` steps, and so :math:`S_{\min} (\Omega +
# \mathcal{B})` rows. Here :math:`\mathcal{B}` is the noise scale, and :math:`S_{\min}`
# is the number of steps that training would need without noise. At :math:`\Omega =
# \mathcal{B}` training needs twice the smallest possible number of steps and twice the
# smallest possible number of rows. Both curves bend there.
#
# The test
# --------
#
# Each batch size gets the best of three learning rates. (An earlier, wider search over
# 0.02, 0.05, 0.1 and so on found these three.) The cost is the number of epochs until
# the validation loss is 0.25. Within the last epoch, the logarithm of the loss is
# interpolated.
rates = {
    1: [0.02, 0.05, 0.1],
    4: [0.1, 0.2, 0.5],
    16: [0.2, 0.5, 1.0],
    64: [0.5, 1.0, 2.0],
    256: [0.5, 1.0, 2.0],
    B: [0.5, 1.0, 2.0],
}
batch_sizes = np.array(list(rates))


def cost_to_target(batch_size, eta, seed, limit):
    """Epochs and seconds until the loss is TARGET; infinite above `limit` epochs."""
    losses = [np.log(10.0)]  # ten classes, nothing learned yet
    for clf in epochs_of(batch_size, eta, seed):
        losses.append(clf.validation_loss_curve_[-1])
        if losses[-1] < TARGET:
            before, after = np.log(losses[-2:])
            epochs = clf.n_iter_ - 1 + (before - np.log(TARGET)) / (before - after)
            return epochs, epochs * np.median(clf.history_["seconds"])
        if clf.n_iter_ > limit:
            return np.inf, np.inf


costs = np.full((len(SEEDS), len(rates), 2), np.inf)
for seed in SEEDS:
    for k, size in enumerate(batch_sizes):
        for eta in rates[size]:
            # Stop after 100 epochs, or if the run takes longer than the best one.
            cost = cost_to_target(size, eta, seed, limit=min(100, costs[seed, k, 0]))
            costs[seed, k] = min(tuple(costs[seed, k]), cost)
epochs, seconds = np.exp(np.log(costs).mean(axis=0)).T  # geometric means over the seeds
rows, steps = epochs * B, epochs * np.ceil(B / batch_sizes)

print("batch size | epochs |  steps |    rows | milliseconds")
for row in zip(batch_sizes, epochs, steps, rows, 1e3 * seconds, strict=True):
    print("{:10d} | {:6.1f} | {:6.0f} | {:7,.0f} | {:12.1f}".format(*row))

# %%
# One number of the prediction is not measured but fitted: :math:`S_{\min}`, which
# shifts both curves up or down. The place where they bend comes from the noise scale.
import matplotlib.pyplot as plt
from matplotlib.ticker import LogLocator

sizes = np.geomspace(1, B, 100)
fewest_steps = np.exp(np.log(steps / (1 + noise_scale / batch_sizes)).mean())

fig, (ax_steps, ax_rows, ax_time) = plt.subplots(
    1, 3, figsize=(13, 4.3), layout="constrained"
)
_ = ax_steps.plot(
    sizes,
    fewest_steps * (1 + noise_scale / sizes),
    "--",
    color="0.4",
    label="predicted",
)
_ = ax_steps.plot(batch_sizes, steps, "o", ms=8, label="measured")
_ = ax_rows.plot(
    sizes, fewest_steps * (sizes + noise_scale), "--", color="0.4", label="predicted"
)
_ = ax_rows.plot(batch_sizes, rows, "o", ms=8, label="measured")
_ = ax_time.plot(batch_sizes, 1e3 * seconds, "o-", ms=8, label="measured")
for ax, what in [
    (ax_steps, "steps"),
    (ax_rows, "rows"),
    (ax_time, "training time (ms)"),
]:
    _ = ax.axvline(
        noise_scale,
        color="C3",
        ls=":",
        lw=2,
        label=f"noise scale: {noise_scale:.0f} rows",
    )
    _ = ax.set(
        xscale="log", xlabel="batch size (rows)", ylabel=f"{what} to a loss of {TARGET}"
    )
    _ = ax.legend()
    ax.xaxis.set_major_formatter("{x:,g}")
    ax.grid(alpha=0.3)
for ax in (ax_steps, ax_rows):
    _ = ax.set_yscale("log")
    ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.yaxis.set_major_formatter("{x:,g}")
    ax.yaxis.set_minor_formatter("")
_ = ax_time.set_ylim(0)

fig.savefig("choosing_a_batch_size.png", dpi=120)

# %%
# Conclusion
# ----------
fastest = batch_sizes[np.argmin(seconds)]
print(f"Noise scale: {noise_scale:.0f} rows")
print(f"Rows that SGD needs / steps that a full batch needs: {rows[0] / steps[-1]:.0f}")
print(f"The fastest batch size: {fastest}")

# %%
# The prediction is right to within a factor of two, over three orders of magnitude of
# the batch size. Small mini-batches all need about the same number of rows, large ones
# about the same number of steps, and the noise scale lies where one regime turns into
# the other.
#
# The ends of the curves alone also show the bend: divide the rows that SGD needs by the
# steps that a full batch needs. Over several seeds and splits of the data this gives 30
# to 50 rows, while the noise scale is 70 to 95. The measurement took three training
# runs, the curves took 54.
#
# In seconds, all batch sizes from 16 to 256 are good here, and those at the ends are
# several times slower. On the left, few rows share the cost of a step. On the right,
# the additional rows bring nothing. So any batch size within a factor of four of the
# noise scale will do. Tune the learning rate instead.
#
# Four cautions:
#
# - Each batch size had its own learning rate, from 0.05 or 0.1 for single rows to 1.0
#   for the full batch. With one learning rate for all of them, none of this holds.
# - The noise scale depends on when you measure it. It grows while the loss falls (see
#   :ref:`sphx_glr_auto_examples_plot_gradient_noise.py`), so a lower target asks for
#   larger mini-batches.
# - The prediction is for plain gradient descent on a loss that curves alike in all
#   directions. Momentum, Adam and badly scaled features can move the bend. Merrill et
#   al. (2025, :arxiv:`2505.23971`) question whether the noise scale is a good proxy for
#   it in large models.
# - This is about the speed of training, not about the quality of the final network.
#   Compare that on a validation set, as in
#   :ref:`sphx_glr_auto_examples_plot_batch_size_grid_search.py`.
#
# ``recommended_batch_size`` in the result of :func:`~skfnn.inspection.gradient_noise`
# is the noise scale of a single measurement, rounded to a power of two. It is a first
# guess, with the same four cautions.
