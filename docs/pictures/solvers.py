"""Validation loss of the four solvers on digits, against the epoch."""

import warnings

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skfnn import FNNClassifier

X, y = load_digits(return_X_y=True)
X_train, X_val, y_train, y_val = train_test_split(X, y, stratify=y, random_state=0)
solvers = {
    "plain SGD": {},
    "momentum 0.9": {"momentum": 0.9},
    "Adam": {"solver": "adam"},
    "L-BFGS": {"solver": "lbfgs", "tol": 0.0},
}
fig, ax = plt.subplots(figsize=(7, 3.6), layout="constrained")
for (name, params), style in zip(solvers.items(), ["-", "--", "-.", ":"], strict=True):
    clf = FNNClassifier(batch_size=32, max_iter=40, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # 40 iterations of L-BFGS are not enough
        clf.set_params(n_iter_no_change=None, **params)
        clf.fit(X_train, y_train, X_val=X_val, y_val=y_val)
    losses = clf.validation_loss_curve_
    ax.plot(range(1, len(losses) + 1), losses, style, label=name)
ax.set(xlabel="epoch (L-BFGS: iteration)", ylabel="validation loss", yscale="log")
ax.set_yticks([0.2, 0.5, 1, 2], ["0.2", "0.5", "1", "2"])
ax.minorticks_off()
ax.legend()
ax.grid(alpha=0.3)
