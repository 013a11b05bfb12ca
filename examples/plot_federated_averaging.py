"""
Federated averaging
===================

Ten hospitals want one network, but their data must not leave them. In federated
averaging (McMahan et al. 2017) a server sends its weights to the hospitals, each
hospital trains a copy on its own rows, and the server takes the mean of the weights
that come back. Only weights travel. With :class:`~skfnn.FNNClassifier` a round takes
three lines: ``partial_fit`` on copies, and an assignment to ``coefs_`` and
``intercepts_``.
"""

# Authors: The skfnn developers
# SPDX-License-Identifier: BSD-3-Clause

# %%
# Ten hospitals
# -------------
#
# Handwritten digits play the part of the data. Each hospital has rows of two or three
# digits only, so no hospital can learn the whole task alone.
import copy

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skfnn import FNNClassifier

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X / 16, y, stratify=y, random_state=0
)

by_digit = np.argsort(y_train, kind="stable")
shards = np.array_split(by_digit, 20)  # two shards for each hospital
hospitals = [np.concatenate([shards[k], shards[k + 10]]) for k in range(10)]
for k, rows in enumerate(hospitals[:3]):
    print(f"hospital {k}: {len(rows)} rows, digits {np.unique(y_train[rows]).tolist()}")

# %%
# Rounds of averaging
# -------------------
#
# ``standardize=False`` switches standardisation off. The pixels have one scale already,
# and otherwise each copy would standardise them by the rows of its own hospital. The
# first ``partial_fit`` gives the server random weights. From then on, the server
# assigns the average to ``coefs_`` and ``intercepts_``.
settings = {
    "hidden_layer_sizes": (64,),
    "learning_rate_init": 0.1,
    "batch_size": 10,
    "standardize": False,
}
classes = np.arange(10)


def average(models, sizes):
    """The mean weights and biases; each model counts by its number of rows."""

    def mean(arrays_of_models):
        layers = zip(*arrays_of_models, strict=True)
        return [np.average(arrays, axis=0, weights=sizes) for arrays in layers]

    return mean(m.coefs_ for m in models), mean(m.intercepts_ for m in models)


def federated(n_rounds, n_epochs):
    """The test accuracy after every round of `n_epochs` epochs in each hospital."""
    server = FNNClassifier(random_state=0, **settings)
    server.partial_fit(X_train[hospitals[0]], y_train[hospitals[0]], classes=classes)
    accuracy = []
    for _ in range(n_rounds):
        local = [copy.deepcopy(server) for _ in hospitals]
        for model, rows in zip(local, hospitals, strict=True):
            for _ in range(n_epochs):
                model.partial_fit(X_train[rows], y_train[rows])
        server.coefs_, server.intercepts_ = average(
            local, [len(rows) for rows in hospitals]
        )
        accuracy.append(server.score(X_test, y_test))
    return accuracy


rounds = 40
curves = {
    f"federated, {n} epoch{'s' * (n > 1)} per round": federated(rounds, n)
    for n in (1, 5)
}

# %%
# Two comparisons: one network that sees all rows in one place, and the mean accuracy of
# the hospitals' own networks, which never exchange anything.
whole = FNNClassifier(random_state=0, **settings)
alone = [FNNClassifier(random_state=0, **settings) for _ in hospitals]
curves["all rows in one place"], curves["each hospital alone"] = [], []
for _ in range(rounds):
    whole.partial_fit(X_train, y_train, classes=classes)
    curves["all rows in one place"].append(whole.score(X_test, y_test))
    for model, rows in zip(alone, hospitals, strict=True):
        model.partial_fit(X_train[rows], y_train[rows], classes=classes)
    curves["each hospital alone"].append(
        np.mean([model.score(X_test, y_test) for model in alone])
    )

# %%
# The curves
# ----------
import matplotlib.pyplot as plt

fig, ax = plt.subplots(figsize=(7, 4.3), layout="constrained")
for (label, accuracy), style in zip(
    curves.items(), ("C0-", "C1-", "k--", "C3:"), strict=True
):
    _ = ax.plot(range(1, rounds + 1), accuracy, style, label=label)
_ = ax.set(
    title="Ten hospitals, two or three digits each",
    xlabel="round",
    ylabel="accuracy on test rows",
    ylim=(0, 1),
)
_ = ax.legend(loc="center right", bbox_to_anchor=(1, 0.45))
ax.grid(alpha=0.3)
fig.savefig("federated_averaging.png", dpi=120)

# %%
# Conclusion
# ----------
for label, accuracy in curves.items():
    print(f"{label:30} accuracy {accuracy[-1]:.3f} after {rounds} rounds")

# %%
# A hospital that trains alone recognises only the digits it has. Federated averaging
# reaches about 0.9, although no hospital ever shows a row. With five epochs per round
# it reaches 0.8 after fewer rounds than with one epoch, which matters if the connection
# is slow. Later, both are equally good: the longer each hospital trains alone, the
# further its weights move towards its own digits before the mean is taken. The network
# that sees all rows in one place stays ahead.
#
# The weights in ``coefs_`` always belong to X and y in your units. So the mean is also
# correct if each hospital standardises its own features, with ``standardize=True``. The
# :doc:`user guide </user_guide/resuming>` has more about weights of your own.
#
# Reference: McMahan, Moore, Ramage, Hampson and Agüera y Arcas (2017),
# "Communication-efficient learning of deep networks from decentralized data", AISTATS,
# :arxiv:`1602.05629`.
