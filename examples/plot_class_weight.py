"""
Rare classes: class_weight, precision and recall
================================================

One row in thirty belongs to the class that matters. A network that is trained on all
rows alike finds fewer than half of these rows, because a wrong prediction for each of
them costs little. ``class_weight="balanced"`` gives both classes the same total weight
in the loss. This example shows what that gains, what it costs, and what it does to the
probabilities of :class:`~skfnn.FNNClassifier`.
"""

# Authors: The skfnn developers
# SPDX-License-Identifier: BSD-3-Clause

# %%
# The data
# --------
from sklearn.datasets import make_classification
from sklearn.model_selection import train_test_split

X, y = make_classification(
    n_samples=30_000,
    n_features=20,
    n_informative=8,
    n_redundant=4,
    weights=[0.97],
    class_sep=0.8,
    flip_y=0.01,
    random_state=0,
)
X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=20_000, stratify=y, random_state=0
)
n_rare = y_train.sum()
print(f"{len(y_train):,} training rows, {n_rare} of them rare")

# %%
# Training
# --------
#
# With ``"balanced"``, a row of class k has the weight B / (K B_k): B_k of the B rows
# belong to this class, and K is the number of classes. Nothing else changes. (If you
# use a validation set, choose a metric that suits the task with ``scoring``, for
# example ``"balanced_accuracy"`` or ``"average_precision"``.)
import numpy as np

from skfnn import FNNClassifier

settings = {
    "hidden_layer_sizes": (50,),
    "batch_size": 50,
    "learning_rate_init": 0.05,
    "max_iter": 20,
    "n_iter_no_change": None,
    "random_state": 0,
}
plain = FNNClassifier(**settings).fit(X_train, y_train)
balanced = FNNClassifier(class_weight="balanced", **settings).fit(X_train, y_train)

# %%
# Three decision rules
# --------------------
#
# ``predict`` returns 1 if the probability is above 1/2. You can also apply a lower
# threshold to the plain network. Here it is the share of the rare class, because that
# is the threshold that the class weights correspond to.
#
# The balanced network describes data in which both classes are equally frequent. The
# true odds of the rare class are lower, by the ratio of the two class frequencies. So
# its probabilities can be corrected.
share = y_train.mean()
p_plain = plain.predict_proba(X_test)[:, 1]
p_balanced = balanced.predict_proba(X_test)[:, 1]
p_corrected = share * p_balanced / (share * p_balanced + (1 - share) * (1 - p_balanced))

# %%
from sklearn.metrics import (
    average_precision_score,
    balanced_accuracy_score,
    precision_score,
    recall_score,
)

decisions = {
    "plain, above 0.5": p_plain > 0.5,
    f"plain, above {share:.3f}": p_plain > share,
    "balanced, above 0.5": p_balanced > 0.5,
}
print("                    | precision | recall | accuracy | balanced accuracy")
for name, said in decisions.items():
    scores = (score(y_test, said) for score in (precision_score, recall_score))
    accuracy = np.mean(said == y_test)
    balanced_accuracy = balanced_accuracy_score(y_test, said)
    print(f"{name:19} |", "{:9.2f} | {:6.2f} |".format(*scores), end="")
    print(f" {accuracy:8.3f} | {balanced_accuracy:17.3f}")

# %%
# Two numbers say how good the probabilities are: their mean, which should be the share
# of the rare class among the test rows, and the log loss.
from sklearn.metrics import log_loss

print(f"Share of the rare class: {y_test.mean():.3f}")
probabilities = {
    "plain": p_plain,
    "balanced": p_balanced,
    "balanced, corrected": p_corrected,
}
for name, p in probabilities.items():
    loss = log_loss(y_test, p)
    print(f"{name:19} | mean probability {p.mean():.3f} | log loss {loss:.3f}")

# %%
# The picture
# -----------
import matplotlib.pyplot as plt
from sklearn.calibration import calibration_curve
from sklearn.metrics import precision_recall_curve

fig, (ax_pr, ax_calibration) = plt.subplots(
    1, 2, figsize=(11, 4.6), layout="constrained"
)

for name, p, style in [("plain", p_plain, "C0-"), ("balanced", p_balanced, "C1--")]:
    precision, recall, _ = precision_recall_curve(y_test, p)
    label = f"{name} (average precision {average_precision_score(y_test, p):.2f})"
    _ = ax_pr.plot(recall, precision, style, label=label)
for (name, said), marker in zip(decisions.items(), ["o", "s", "^"], strict=True):
    point = recall_score(y_test, said), precision_score(y_test, said)
    color = "C1" if name.startswith("balanced") else "C0"
    _ = ax_pr.plot(*point, marker, ms=9, color=color, mec="k", label=name)
_ = ax_pr.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02))

styles = ["C0o-", "C1^--", "kx:"]
for (name, p), style in zip(probabilities.items(), styles, strict=True):
    observed, predicted = calibration_curve(y_test, p, n_bins=8, strategy="uniform")
    _ = ax_calibration.plot(predicted, observed, style, label=name)
_ = ax_calibration.plot([0, 1], [0, 1], color="0.6", lw=1, label="perfectly calibrated")
_ = ax_calibration.set(
    xlabel="predicted probability of the rare class",
    ylabel="observed share of the rare class",
    xlim=(0, 1),
    ylim=(0, 1.02),
)
for ax in (ax_pr, ax_calibration):
    _ = ax.legend()
    ax.grid(alpha=0.3)

fig.savefig("class_weight.png", dpi=120)

# %%
# Conclusion
# ----------
rare = y_test == 1
print(f"{rare.sum()} test rows are rare, {(~rare).sum():,} are common. Above 0.5:")
for name, p in [("plain", p_plain), ("balanced", p_balanced)]:
    found, wrong = (p[rare] > 0.5).sum(), (p[~rare] > 0.5).sum()
    print(f"{name:8} finds {found} rare rows and takes {wrong:,} common rows for rare")

# %%
# ``class_weight="balanced"`` moves the decision to another point of nearly the same
# curve. It finds nearly three quarters of the rare rows instead of two fifths. The
# price: about three in four of the rows that it reports are not rare. A lower threshold
# on the plain network leads to the same point.
#
# The curve itself does not become better. Here it is slightly worse, because a few
# hundred rows now make up half of the loss, and the network learns them by heart. (With
# other random seeds it is sometimes slightly better.) The accuracy shows none of this:
# a model that calls every row common reaches 96.5 %.
#
# The probabilities of the balanced network are wrong by design: of the rows where it
# says 0.8, only about one in eight is rare. Correcting the odds by the class
# frequencies brings them much closer to the diagonal. So:
#
# - If you need probabilities, or if you know the costs of the two errors, train without
#   weights and choose the threshold, for example with
#   :class:`~sklearn.model_selection.TunedThresholdClassifierCV`.
# - If you only use ``predict``, and both classes matter alike,
#   ``class_weight="balanced"`` is all you need.
#
# The :doc:`user guide </user_guide/validation>` also covers weights in a stream of
# ``partial_fit`` calls and weights for multilabel targets.
