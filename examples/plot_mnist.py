"""
MNIST in full
=============

60,000 handwritten digits to train with, 10,000 to test with, two hidden layers of 128 and 64 units, mini-batches of 100
rows and a learning rate of 0.1: an epoch has 600 iterations. After every epoch the loss and the accuracy on the test
images are taken. Then the test images that the network is wrong about are looked at.

MNIST is taken from the folder that the environment variable ``SKFNN_DATA`` names, or from scikit-learn's data home.
Nothing is downloaded: where the files are missing, scikit-learn's own small digits stand in, 1,797 images of 8 x 8
pixels, and the line below says so. ``fetch_mnist()`` without further arguments would bring the files.
"""

# Authors: The skfnn developers
# SPDX-License-Identifier: BSD-3-Clause

# %%
# The data
# --------
#
# Pixels become numbers in [0, 1], as float32: training then computes in float32, which is twice as fast as float64.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skfnn import FNNClassifier
from skfnn.datasets import fetch_mnist
from skfnn.inspection import TrainingCurveDisplay

try:
    X_train, y_train = fetch_mnist(subset="train", return_X_y=True, download_if_missing=False)
    X_test, y_test = fetch_mnist(subset="test", return_X_y=True, download_if_missing=False)
    name, side, batch_size = "MNIST", 28, 100
except OSError:
    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=360, stratify=y, random_state=0)
    name, side, batch_size = "scikit-learn's digits, as MNIST was not found", 8, 32

largest = np.float32(X_train.max())
X_train, X_test = (X.astype(np.float32) / largest for X in (X_train, X_test))
print(f"{name}: {len(X_train)} training rows, {len(X_test)} test rows, {X_train.shape[1]} pixels")

# %%
# Training
# --------
#
# ``n_iter_no_change=None`` trains for all the epochs, whatever the training loss does. The test images are given as
# the validation set for the sake of the curves; they decide nothing.
clf = FNNClassifier(
    hidden_layer_sizes=(128, 64),
    batch_size=batch_size,
    learning_rate_init=0.1,
    max_iter=25,
    n_iter_no_change=None,
    random_state=0,
)
_ = clf.fit(X_train, y_train, X_val=X_test, y_val=y_test)

accuracy, seconds = clf.validation_scores_, sum(clf.history_["seconds"])
print(f"{clf.n_steps_} iterations in {clf.n_iter_} epochs, {clf.n_steps_ // clf.n_iter_} an epoch, {seconds:.1f} s")
for epoch in (1, 5, 25):
    print(f"epoch {epoch:2}: test accuracy {accuracy[epoch - 1]:.2%}")

# %%
# The learning curves
# -------------------
#
# What the display calls validation is the test set here. The test loss falls with the training loss at first; then it
# flattens, while the training loss goes on falling: the network learns its training rows by heart.
display = TrainingCurveDisplay.from_estimator(clf)
display.figure_.suptitle(f"{name}, {X_train.shape[1]}-128-64-10, test set")
plt.show()

# %%
# The mistakes
# ------------
#
# The test images that are misread, those first of which the network is surest.
probability = clf.predict_proba(X_test)
predicted = clf.classes_[probability.argmax(axis=1)]
wrong = np.flatnonzero(predicted != y_test)
wrong = wrong[np.argsort(-probability[wrong].max(axis=1))]
print(f"{len(wrong)} of {len(y_test)} test images are misread")

fig, axes = plt.subplots(2, 6, figsize=(9, 4), layout="constrained")
for ax in axes.flat:
    ax.axis("off")
for row, ax in zip(wrong, axes.flat, strict=False):
    ax.imshow(X_test[row].reshape(side, side), cmap="gray_r")
    ax.set_title(f"{y_test[row]} read as {predicted[row]}\n({probability[row].max():.1%} sure)", fontsize=9)
fig.suptitle("The surest mistakes")
plt.show()

# %%
# Conclusion
# ----------
#
# Plain mini-batch SGD with nothing added reads 98 of 100 test images of MNIST right after 25 passes over the training
# rows, in well under a minute, and about 97 of 100 of the small digits, of which there are fewer to learn from. Some of
# what is left a person would have to look at twice. But of the first of its mistakes the network is nearly certain:
# probabilities of a network that knows its training rows by heart are no measure of doubt. Dropout, an L2 term and
# label smoothing (``dropout``, ``alpha``, ``label_smoothing``) make it less sure and its errors fewer.
#
# The page :doc:`/mnist` goes on to 100 epochs, with five seeds, and to larger networks beside published results.
