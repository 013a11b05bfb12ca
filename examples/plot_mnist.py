"""
MNIST: learning curves and mistakes
===================================

A network with two hidden layers of 128 and 64 units learns the 60,000 training images
of MNIST, with mini-batches of 100 rows and a learning rate of 0.1: 600 iterations per
epoch. After every epoch we compute the loss and the accuracy on the 10,000 test images.
Then we look at the test images that the network gets wrong.

:func:`~skfnn.datasets.fetch_mnist` reads the four files of MNIST from the folder in the
environment variable ``SKFNN_DATA`` or from scikit-learn's data home. If they are in
neither place, it downloads MNIST from OpenML once. This site is built without
downloads: if the files were missing when it was built, this page shows the code without
its output. :doc:`/mnist` has the results in any case.
"""

# sphinx_gallery_thumbnail_path = '_static/mnist_curves.png'
# Authors: The skfnn developers
# SPDX-License-Identifier: BSD-3-Clause

# %%
# The data
# --------
#
# Convert the pixels to numbers in [0, 1] of type float32. The network then computes in
# float32, which is twice as fast as float64.
import matplotlib.pyplot as plt
import numpy as np

from skfnn import FNNClassifier
from skfnn.datasets import fetch_mnist
from skfnn.inspection import TrainingCurveDisplay

X_train, y_train = fetch_mnist(subset="train", return_X_y=True)
X_test, y_test = fetch_mnist(subset="test", return_X_y=True)
X_train, X_test = (X.astype(np.float32) / 255 for X in (X_train, X_test))
n_train, n_pixels = X_train.shape
print(f"{n_train:,} training rows, {len(X_test):,} test rows, {n_pixels} pixels")

# %%
# Training
# --------
#
# ``n_iter_no_change=None`` asks for all 25 epochs, whatever the training loss does. The
# test images are the validation set, for the curves only: they do not influence the
# training run.
clf = FNNClassifier(
    hidden_layer_sizes=(128, 64),
    batch_size=100,
    learning_rate_init=0.1,
    max_iter=25,
    n_iter_no_change=None,
    random_state=0,
)
_ = clf.fit(X_train, y_train, X_val=X_test, y_val=y_test)

accuracy, seconds = clf.validation_scores_, sum(clf.history_["seconds"])
print(f"{clf.n_iter_} epochs, {clf.n_steps_:,} iterations, {seconds:.1f} s")
for epoch in (1, 5, 25):
    print(f"epoch {epoch:2}: test accuracy {accuracy[epoch - 1]:.2%}")

# %%
# The learning curves
# -------------------
#
# At first the test loss falls with the training loss. Then it levels off, while the
# training loss continues to fall: the network learns its training rows by heart.
display = TrainingCurveDisplay.from_estimator(clf, validation_name="test")
_ = display.figure_.suptitle("MNIST, 784-128-64-10")
plt.show()

# %%
# The mistakes
# ------------
#
# Which test images does the network get wrong? The picture shows the most confident
# mistakes first.
probability = clf.predict_proba(X_test)
predicted = clf.classes_[probability.argmax(axis=1)]
wrong = np.flatnonzero(predicted != y_test)
wrong = wrong[np.argsort(-probability[wrong].max(axis=1))]
print(f"The network misreads {len(wrong)} of {len(y_test):,} test images")

fig, axes = plt.subplots(2, 6, figsize=(9, 4), layout="constrained")
for ax in axes.flat:
    _ = ax.axis("off")
for row, ax in zip(wrong, axes.flat, strict=False):
    _ = ax.imshow(X_test[row].reshape(28, 28), cmap="gray_r")
    _ = ax.set_title(
        f"{y_test[row]} read as {predicted[row]}\n({probability[row].max():.1%} sure)",
        fontsize=9,
    )
_ = fig.suptitle("The most confident mistakes")
plt.show()

# %%
# Conclusion
# ----------
#
# Plain mini-batch SGD with nothing added reads 98 of 100 test images correctly after 25
# passes over the training rows, in well under a minute. A person would have to look
# twice at some of the remaining images. But the network is almost certain of its worst
# mistakes: if it knows its training rows by heart, its probabilities are no measure of
# doubt. Dropout, an L2 term and label smoothing (``dropout``, ``alpha``,
# ``label_smoothing``) make it less certain and reduce its errors.
#
# Next: :doc:`/mnist` has 100 epochs with five seeds, and larger networks beside
# published results.
