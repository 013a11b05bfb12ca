r"""
The noise of mini-batch gradients
=================================

The mean gradient of a mini-batch is an estimate of the gradient over all B rows: right
on average, but noisy. If the gradients of single rows have the variance
:math:`\sigma^2`, then the mean of :math:`\Omega` of them, drawn without replacement,
has the variance :math:`\sigma^2 / \Omega \cdot (B - \Omega) / (B - 1)`. This example
compares the law with random mini-batches, and follows the noise through a training run.
"""

# Authors: The skfnn developers
# SPDX-License-Identifier: BSD-3-Clause

# %%
# The law
# -------
#
# We look at a small network after one epoch and after thirty.
# :func:`~skfnn.inspection.gradient_noise` computes :math:`\sigma^2` and the gradient
# :math:`G` over all rows in one pass. Then it draws 500 random mini-batches of each
# size, and measures the mean squared distance of their gradients from :math:`G`.
import numpy as np
from sklearn.datasets import load_digits

from skfnn import FNNClassifier
from skfnn.inspection import gradient_noise

X, y = load_digits(return_X_y=True)
X = X / 16

settings = {
    "hidden_layer_sizes": (32,),
    "batch_size": 32,
    "learning_rate_init": 0.05,
    "n_iter_no_change": None,
}
early = FNNClassifier(max_iter=1, random_state=0, **settings).fit(X, y)
late = FNNClassifier(max_iter=30, random_state=0, **settings).fit(X, y)

sizes = [1, 4, 16, 64, 256, 1024, 1700, len(X)]
noises = [
    gradient_noise(clf, X, y, batch_sizes=sizes, n_draws=500, random_state=0)
    for clf in (early, late)
]

print("           | after 1 epoch        | after 30 epochs")
print("batch size |  measured  predicted |  measured  predicted")
for k, size in enumerate(sizes):
    pairs = [(n.measured_variance[k], n.predicted_variance[k]) for n in noises]
    cells = " | ".join(f"{m:9.5f}  {p:9.5f}" for m, p in pairs)
    print(f"{size:10d} | {cells}")

# %%
# :class:`~skfnn.inspection.GradientNoiseDisplay` draws the measurements.
import matplotlib.pyplot as plt

from skfnn.inspection import GradientNoiseDisplay

fig, axes = plt.subplots(1, 2, figsize=(12, 5), sharey=True, layout="constrained")
for ax, noise, title in zip(
    axes, noises, ["After 1 epoch", "After 30 epochs"], strict=True
):
    _ = GradientNoiseDisplay(noise).plot(ax=ax)
    _ = ax.set(title=title)
_ = axes[1].set(ylabel="")

fig.savefig("gradient_noise.png", dpi=120)

# %%
# On two logarithmic axes :math:`\sigma^2 / \Omega` is a straight line: four times the
# rows give a quarter of the variance and half of the noise. Close to all 1,797 rows the
# line bends down, because such a mini-batch leaves out hardly any row. At the full
# batch both variances are exactly 0, which a logarithmic axis cannot show. If you
# extend the straight line, it crosses the squared norm of :math:`G` where noise and
# signal are equal. This batch size is the *noise scale* :math:`\sigma^2 / \lVert G
# \rVert^2`.
#
# After thirty epochs the measured values scatter more at small batch sizes. By then the
# network has learned most rows, and a twentieth of them makes up about seven tenths of
# :math:`\sigma^2`. How often 500 draws of one or four rows contain one of these is
# chance.
#
# Through a training run
# ----------------------
#
# Without the draws (``n_draws=0``) a measurement costs little more than one pass over
# the data, so you can make one after every epoch. Here are three training runs from
# different initial weights.
EPOCHS = 30
variance, norm = np.empty((2, 3, EPOCHS))
for seed in range(3):
    clf = FNNClassifier(random_state=seed, **settings)
    for epoch in range(EPOCHS):
        clf.partial_fit(X, y, classes=np.unique(y))
        noise = gradient_noise(clf, X, y, n_draws=0)
        variance[seed, epoch] = noise.variance
        norm[seed, epoch] = noise.gradient_norm_squared

# %%
# The curves are the geometric means of the three runs. The grey bands are their ranges.
fig, (ax_parts, ax_scale) = plt.subplots(1, 2, figsize=(12, 4.5), layout="constrained")
epochs = np.arange(1, EPOCHS + 1)
curves = [
    (ax_parts, variance, "-", "o", r"variance of the rows $\sigma^2$"),
    (ax_parts, norm, "--", "s", r"squared norm of the gradient $\|G\|^2$"),
    (ax_scale, variance / norm, "-", "^", r"noise scale $\sigma^2 / \|G\|^2$"),
]
for ax, values, line, marker, label in curves:
    _ = ax.fill_between(epochs, values.min(axis=0), values.max(axis=0), color="0.85")
    mean = np.exp(np.log(values).mean(axis=0))
    _ = ax.semilogy(epochs, mean, line, marker=marker, markevery=3, label=label)
_ = ax_scale.axhline(
    settings["batch_size"], color="0.3", ls=":", label="batch size of the runs"
)
_ = ax_parts.set(xlabel="epoch", ylabel="squared length of a gradient")
_ = ax_scale.set(xlabel="epoch", ylabel="batch size (rows)")
for ax in (ax_parts, ax_scale):
    _ = ax.legend()
    ax.grid(alpha=0.3)

fig.savefig("gradient_noise_through_training.png", dpi=120)

# %%
# Conclusion
# ----------
scale = np.exp(np.log(variance / norm).mean(axis=0))
print(f"Noise scale in the first five epochs: {scale[:5].mean():.0f} rows")
print(f"Noise scale in the last five epochs:  {scale[-5:].mean():.0f} rows")

# %%
# The variance is as predicted, at every batch size and with any weights: it is a law of
# sampling, not of networks.
#
# During training :math:`\sigma^2` halves, but the squared gradient falls to about a
# tenth. So the noise scale grows, here from about a hundred rows to several hundred. In
# the first epochs, the steps of mini-batches of 32 rows have somewhat more noise than
# signal. In the last epochs they have ten times as much noise as signal, or more. That
# is why a smaller learning rate or larger mini-batches help late in training and cost
# time early.
#
# The noise scale is not a constant that you measure once. With a constant learning rate
# the weights move back and forth, and the gradient with them: from one epoch to the
# next, the noise scale of a training run can change more than tenfold. To choose a
# batch size, average :math:`\sigma^2` and :math:`\lVert G \rVert^2` separately over
# several epochs, as :ref:`sphx_glr_auto_examples_plot_choosing_a_batch_size.py` does.
