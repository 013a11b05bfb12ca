r"""
The noise of mini-batch gradients
=================================

The mean gradient of a mini-batch is an estimate of the gradient over all B rows: right on average, and noisy. If the
gradients of single rows have the variance :math:`\sigma^2`, that of the mean of :math:`\Omega` of them, drawn without
replacement, is :math:`\sigma^2 / \Omega \cdot (B - \Omega) / (B - 1)`. Here the law is held against random
mini-batches, and the noise is followed through a training.
"""

# Authors: The skfnn developers
# SPDX-License-Identifier: BSD-3-Clause

# %%
# The law
# -------
#
# A small network, after one epoch and after thirty. :func:`~skfnn.inspection.gradient_noise` computes
# :math:`\sigma^2` and the gradient :math:`G` over all rows in one pass, and then draws 500 random mini-batches of each
# size and measures how far their gradients are from :math:`G`, in the mean square.
import numpy as np
from sklearn.datasets import load_digits

from skfnn import FNNClassifier
from skfnn.inspection import gradient_noise

X, y = load_digits(return_X_y=True)
X = X / 16

settings = {"hidden_layer_sizes": (32,), "batch_size": 32, "learning_rate_init": 0.05, "n_iter_no_change": None}
early = FNNClassifier(max_iter=1, random_state=0, **settings).fit(X, y)
late = FNNClassifier(max_iter=30, random_state=0, **settings).fit(X, y)

sizes = [1, 4, 16, 64, 256, 1024, 1700, len(X)]
noises = [gradient_noise(clf, X, y, batch_sizes=sizes, n_draws=500, random_state=0) for clf in (early, late)]

print("batch size | measured / predicted variance after 1 epoch | after 30 epochs")
for size, *pairs in zip(
    sizes, *(zip(n.measured_variance, n.predicted_variance, strict=True) for n in noises), strict=True
):
    ratios = [f"{measured / predicted:.3f}" if predicted else "0 / 0" for measured, predicted in pairs]
    print(f"{size:10d} | {ratios[0]:>43} | {ratios[1]:>15}")

# %%
# :class:`~skfnn.inspection.GradientNoiseDisplay` draws what was measured.
import matplotlib.pyplot as plt

from skfnn.inspection import GradientNoiseDisplay

fig, axes = plt.subplots(1, 2, figsize=(12, 5), sharey=True, layout="constrained")
for ax, noise, title in zip(axes, noises, ["After 1 epoch", "After 30 epochs"], strict=True):
    _ = GradientNoiseDisplay(noise).plot(ax=ax)
    _ = ax.set(title=title)
_ = axes[1].set(ylabel="")

fig.savefig("gradient_noise.png", dpi=120)

# %%
# On two logarithmic axes :math:`\sigma^2 / \Omega` is a straight line: four times the rows, a quarter of the variance,
# half of the noise. Close to all 1,797 rows the line bends down, as such a mini-batch leaves hardly any row out; at the
# full batch, which has no place on a logarithmic axis, both variances are exactly 0. Where the line, without its bend,
# crosses the squared norm of :math:`G`, noise and signal are equal. This batch size is the *noise scale*
# :math:`\sigma^2 / \lVert G \rVert^2`.
#
# After thirty epochs the measured values scatter more at small batch sizes. Most rows have been learned by then: a
# twentieth of them makes about seven tenths of :math:`\sigma^2`, and it is chance how often 500 draws of one row or of
# four meet one of these.
#
# Through a training
# ------------------
#
# Without the draws (``n_draws=0``) a measurement costs little more than one pass over the data, so it can be made
# after every epoch. Here three trainings are followed, from different initial weights.
EPOCHS = 30
variance, norm = np.empty((2, 3, EPOCHS))
for seed in range(3):
    clf = FNNClassifier(random_state=seed, **settings)
    for epoch in range(EPOCHS):
        noise = gradient_noise(clf.partial_fit(X, y, classes=np.unique(y)), X, y, n_draws=0)
        variance[seed, epoch], norm[seed, epoch] = noise.variance, noise.gradient_norm_squared

# %%
# The geometric mean of the three is drawn, and in grey their range.
fig, (ax_parts, ax_scale) = plt.subplots(1, 2, figsize=(12, 4.5), layout="constrained")
epochs = np.arange(1, EPOCHS + 1)
curves = [
    (ax_parts, variance, "-", "o", r"variance of the rows $\sigma^2$"),
    (ax_parts, norm, "--", "s", r"squared norm of the gradient $\|G\|^2$"),
    (ax_scale, variance / norm, "-", "^", r"noise scale $\sigma^2 / \|G\|^2$"),
]
for ax, values, line, marker, label in curves:
    _ = ax.fill_between(epochs, values.min(axis=0), values.max(axis=0), color="0.85")
    _ = ax.semilogy(epochs, np.exp(np.log(values).mean(axis=0)), line, marker=marker, markevery=3, label=label)
_ = ax_scale.axhline(settings["batch_size"], color="0.3", ls=":", label="batch size of the training")
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
print(f"Noise scale: {scale[:5].mean():.0f} rows in epochs 1 to 5, {scale[-5:].mean():.0f} in the last five.")

# %%
# The variance is as predicted, at every batch size and at any weights: it is a law of sampling, not of networks.
#
# While training goes on, :math:`\sigma^2` halves, but the squared gradient falls to about a tenth. So the noise scale
# grows, here from about a hundred rows to several hundreds. In the first epochs the steps of mini-batches of 32 rows
# have somewhat more noise than signal, in the last ten times as much and more. That is why a smaller learning rate or
# larger mini-batches pay late and cost early.
#
# The noise scale is no constant to be measured once. With a constant learning rate the weights go to and fro, and
# the gradient with them: from one epoch to the next the noise scale of a training can change more than tenfold. For a
# choice of the batch size take averages over several epochs, of :math:`\sigma^2` and of :math:`\lVert G \rVert^2` each,
# as :ref:`sphx_glr_auto_examples_plot_choosing_a_batch_size.py` does.
