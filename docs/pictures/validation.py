"""Validation loss and accuracy, with the epochs in which early stopping ends."""

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skfnn import FNNClassifier

X, y = load_digits(return_X_y=True)
parts = train_test_split(X, y, test_size=0.6, stratify=y, random_state=0)
X_train, X_val, y_train, y_val = parts


def train(**params):
    clf = FNNClassifier((64,), batch_size=16, random_state=0, **params)
    return clf.fit(X_train, y_train, X_val=X_val, y_val=y_val)


curves = train(max_iter=120, n_iter_no_change=None)
by_score = train(max_iter=500, early_stopping=True).n_iter_
by_loss = train(max_iter=500, early_stopping=True, scoring="loss").n_iter_
fig, axes = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
axes[0].plot(curves.history_["epoch"], curves.validation_loss_curve_, "k")
axes[1].plot(curves.history_["epoch"], curves.validation_scores_, "k")
for ax, label in zip(axes, ("validation loss", "validation accuracy"), strict=True):
    ax.axvline(by_score, color="C1", linestyle="--", label="end by accuracy")
    ax.axvline(by_loss, color="C0", label="end by loss")
    ax.set(xlabel="epoch", ylabel=label)
    ax.grid(alpha=0.3)
axes[0].set(yscale="log")
axes[0].set_yticks([0.2, 0.5, 1, 2], ["0.2", "0.5", "1", "2"])
axes[0].minorticks_off()
axes[1].legend()
