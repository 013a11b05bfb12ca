"""
Learning curves of a three-layer network
========================================

A network with two hidden layers and an output layer learns scikit-learn's handwritten
digits by mini-batch SGD. In every epoch the training rows are put into a new random
order and cut into mini-batches of 32 rows. Every mini-batch moves the weights by one
step ``W <- W - eta * mean(G)``. After every epoch :class:`~skfnn.FNNClassifier`
computes the loss and the accuracy on the test set. These two sequences are the learning
curves.
"""

# Authors: The skfnn developers
# SPDX-License-Identifier: BSD-3-Clause

# %%
# The data
# --------
#
# The data are 1,797 images of 8 x 8 pixels with values from 0 to 16. Dividing by 16
# brings every feature into [0, 1], a scale on which gradient descent with a learning
# rate of 0.1 works well. A fifth of the rows is kept for the test.
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X / 16, y, test_size=0.2, stratify=y, random_state=0
)

# %%
# Training
# --------
#
# We pass the test set as ``X_val`` and ``y_val``. The network is only evaluated on it:
# it takes no step on these rows, and because ``early_stopping`` is off, they do not
# decide when training ends. ``n_iter_no_change=None`` asks for all 50 epochs, whatever
# the training loss does. With ``verbose=True`` every epoch prints a line.

from skfnn import FNNClassifier

clf = FNNClassifier(
    hidden_layer_sizes=(128, 64),
    batch_size=32,
    learning_rate_init=0.1,
    max_iter=50,
    n_iter_no_change=None,
    random_state=0,
    verbose=True,
)
_ = clf.fit(X_train, y_train, X_val=X_test, y_val=y_test)

# %%
# An epoch has ceil(B / batch size) iterations. The last mini-batch of an epoch is
# smaller if the batch size does not divide the number B of training rows.
per_epoch = clf.n_steps_ // clf.n_iter_
print(f"\n{len(X_train)} training rows, {clf.n_iter_} epochs of {per_epoch} iterations")

# %%
# The curves
# ----------
#
# :class:`~skfnn.inspection.TrainingCurveDisplay` draws the curves from ``history_``,
# which has one entry per epoch. ``validation_name="test"`` labels our rows correctly.
# The star marks the best epoch. It is for information only: if you choose an epoch by
# the test rows, you need other rows to judge the choice.
from skfnn.inspection import TrainingCurveDisplay

display = TrainingCurveDisplay.from_estimator(clf, validation_name="test")
display.figure_.savefig("learning_curves.png", dpi=120)

# %%
# Conclusion
# ----------
history = clf.history_
loss, accuracy = history["validation_loss"], history["validation_score"]
epochs = history["epoch"]
reached = next(k for k, value in zip(epochs, accuracy, strict=True) if value >= 0.95)
print(
    f"Test accuracy: at least 0.95 from epoch {reached}, {accuracy[-1]:.3f} at the end"
)
print(f"Test loss:     {loss[0]:.3f} after one epoch, {loss[-1]:.3f} at the end")
loss = clf.loss_curve_
print(f"Training loss: {loss[0]:.3f} after one epoch, {loss[-1]:.3f} at the end")
print("The curves are in learning_curves.png.")

# %%
# Both curves of the test set level off: most of the accuracy is reached after ten
# epochs, and little changes after about thirty. The training loss continues to fall,
# from epoch 10 to the last one to about a tenth, because the network learns its
# training rows by heart. The test loss stays at about a tenth of its first value. Once
# the two curves separate, further epochs cost time and gain little.
#
# Next: the same on a larger set in :ref:`sphx_glr_auto_examples_plot_mnist.py`, or the
# effect of the batch size in :ref:`sphx_glr_auto_examples_plot_same_clock.py`.
