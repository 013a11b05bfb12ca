"""
Learning curves of a three-layer network
========================================

A feedforward network with two hidden layers and an output layer learns scikit-learn's handwritten digits by mini-batch
SGD: in every epoch the training rows are put into a new random order and cut into mini-batches of 32 rows, and every
mini-batch moves the weights by one step ``W <- W - eta * mean(G)``. After every epoch
:class:`~skfnn.FNNClassifier` takes the loss and the accuracy on the test set. These two sequences are the learning
curves.
"""

# Authors: The skfnn developers
# SPDX-License-Identifier: BSD-3-Clause

# %%
# The data
# --------
#
# 1,797 images of 8 x 8 pixels with values from 0 to 16. Dividing by 16 brings every feature into [0, 1], a scale on
# which gradient descent with a learning rate of 0.1 works well. A fifth of the rows is kept for the test.
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X / 16, y, test_size=0.2, stratify=y, random_state=0)

# %%
# Training
# --------
#
# The test set is given to ``fit`` as the validation set. It is only looked at: no step is taken on it, and as
# ``early_stopping`` is off, it does not decide when training ends. ``n_iter_no_change=None`` asks for all of the 50
# epochs, whatever the training loss does. With ``verbose=True`` every epoch prints a line.

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
# An epoch has ceil(B / batch size) iterations; the last mini-batch of an epoch is smaller where the batch size does not
# divide the number B of training rows.
print(
    f"\n{len(X_train)} training rows, {clf.n_iter_} epochs of {clf.n_steps_ // clf.n_iter_} iterations: {clf.n_steps_}"
)

# %%
# The curves
# ----------
#
# :class:`~skfnn.inspection.TrainingCurveDisplay` draws them from ``history_``, which has one entry an epoch for each.
# What it calls validation is the test set here. The accuracy of the best epoch, which it marks, is for the eye only: an
# epoch that is chosen by the test rows has no test rows left to be judged by.
from skfnn.inspection import TrainingCurveDisplay

display = TrainingCurveDisplay.from_estimator(clf)
display.figure_.savefig("learning_curves.png", dpi=120)

# %%
# Conclusion
# ----------
history = clf.history_
loss, accuracy = history["validation_loss"], history["validation_score"]
reached = next(epoch for epoch, value in zip(history["epoch"], accuracy, strict=True) if value >= 0.95)
print(f"Test accuracy: 95 % is passed in epoch {reached}; {accuracy[-1]:.1%} after the last epoch.")
print(
    f"Test loss: from {loss[0]:.3f} to {loss[-1]:.3f}; training loss: from {clf.loss_curve_[0]:.3f} to {clf.loss_:.4f}."
)
print("The curves are in learning_curves.png.")

# %%
# Both curves of the test set saturate: most of the accuracy is there after ten epochs, and after about thirty little
# changes. The training loss goes on falling, from epoch 10 to the last to about a tenth, as the network learns its own
# training rows by heart; the test loss falls to about half at best. Where the two part, further epochs cost time and
# bring little.
