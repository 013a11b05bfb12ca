"""
Early stopping with a validation set in a Pipeline
==================================================

Early stopping ends a training run when the loss on a validation set no longer falls,
and restores the weights of the best epoch. In a :class:`~sklearn.pipeline.Pipeline`,
the validation set must be scaled like the training rows. This example shows three ways
to do that, and one mistake.
"""

# Authors: The skfnn developers
# SPDX-License-Identifier: BSD-3-Clause

# %%
# The data
# --------
#
# There are three classes and 20 features in different units: their scales go from 0.1
# to 10. 15 % of the rows have a random label. A large network learns these labels by
# heart, and early stopping is there to prevent that. The 5,000 test rows are used only
# at the end.
import numpy as np
from sklearn.datasets import make_classification
from sklearn.model_selection import train_test_split

X, y = make_classification(
    n_samples=7000,
    n_features=20,
    n_informative=10,
    n_classes=3,
    flip_y=0.15,
    shift=1.0,
    scale=np.geomspace(0.1, 10, 20),
    random_state=0,
)
X_rest, X_test, y_rest, y_test = train_test_split(X, y, test_size=5000, random_state=0)
X_train, X_val, y_train, y_val = train_test_split(
    X_rest, y_rest, test_size=0.35, random_state=0
)
print(f"Rows: {len(X_train)} training, {len(X_val)} validation, {len(X_test)} test")

# %%
# Route the validation set
# ------------------------
#
# With scikit-learn's metadata routing, ``set_fit_request`` says that the network wants
# ``X_val`` and ``y_val``. ``transform_input=["X_val"]`` sends ``X_val`` through the
# scaler on the way. The scaler learns from the training rows only. The first run has no
# early stopping: ``n_iter_no_change=None`` asks for all 100 epochs.
import sklearn
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skfnn import FNNClassifier

settings = {
    "batch_size": 20,
    "learning_rate_init": 0.05,
    "max_iter": 100,
    "random_state": 0,
}

with sklearn.config_context(enable_metadata_routing=True):
    network = FNNClassifier(n_iter_no_change=None, **settings).set_fit_request(
        X_val=True, y_val=True
    )
    to_the_end = make_pipeline(StandardScaler(), network, transform_input=["X_val"])
    _ = to_the_end.fit(X_train, y_train, X_val=X_val, y_val=y_val)

# %%
# The second run has early stopping. With ``scoring="loss"`` the validation loss
# decides, which is a finer measure than the accuracy. Training ends after more than
# ``n_iter_no_change=10`` epochs without progress.
stopping = {
    **settings,
    "early_stopping": True,
    "scoring": "loss",
    "n_iter_no_change": 10,
}

with sklearn.config_context(enable_metadata_routing=True):
    network = FNNClassifier(**stopping).set_fit_request(X_val=True, y_val=True)
    routed = make_pipeline(StandardScaler(), network, transform_input=["X_val"])
    _ = routed.fit(X_train, y_train, X_val=X_val, y_val=y_val)

# %%
# Two ways without routing
# ------------------------
#
# **Hold rows out.** ``validation_fraction`` takes the validation set from the rows that
# come out of the scaler. Nothing has to be routed. But the scaler has seen these rows,
# and the network chooses which rows they are.
held_out = make_pipeline(
    StandardScaler(), FNNClassifier(validation_fraction=0.35, **stopping)
)
_ = held_out.fit(X_rest, y_rest)

# %%
# **Transform by hand.** Fit the scaler first, and pass both transformed sets to the
# network. The training run is the same as the routed one, number by number.
scaler = StandardScaler().fit(X_train)
by_hand = FNNClassifier(**stopping)
_ = by_hand.fit(
    scaler.transform(X_train), y_train, X_val=scaler.transform(X_val), y_val=y_val
)
for name, net in [("routed", routed[-1]), ("by hand", by_hand)]:
    print(f"{name:7}: lowest validation loss {min(net.validation_loss_curve_):.6f}")

# %%
# One mistake
# -----------
#
# Without ``transform_input``, the pipeline passes ``X_val`` on as it is. There is no
# error, but the network gets raw numbers where it expects scaled ones.
with sklearn.config_context(enable_metadata_routing=True):
    network = FNNClassifier(**stopping).set_fit_request(X_val=True, y_val=True)
    unscaled = make_pipeline(StandardScaler(), network)
    _ = unscaled.fit(X_train, y_train, X_val=X_val, y_val=y_val)

# %%
# The curves
# ----------
import matplotlib.pyplot as plt

fig, (ax_stop, ax_ways) = plt.subplots(1, 2, figsize=(11, 4.3), layout="constrained")

epochs = to_the_end[-1].history_["epoch"]
best = 1 + np.argmin(routed[-1].validation_loss_curve_)
_ = ax_stop.plot(
    epochs, to_the_end[-1].loss_curve_, color="0.45", label="training rows"
)
_ = ax_stop.plot(
    epochs,
    to_the_end[-1].validation_loss_curve_,
    "--",
    color="C0",
    label="validation set",
)
_ = ax_stop.axvline(best, color="C3", ls=":", lw=2, label=f"best epoch: {best}")
_ = ax_stop.axvline(
    routed[-1].n_iter_,
    color="k",
    ls="-.",
    lw=1,
    label=f"last epoch: {routed[-1].n_iter_}",
)
_ = ax_stop.set(
    title="100 epochs, and where early stopping stops",
    xlabel="epoch",
    ylabel="loss (cross-entropy)",
)

ways = {
    "routed, or by hand": (routed, "o-", "C0"),
    "validation_fraction": (held_out, "s--", "C1"),
    "transform_input forgotten": (unscaled, "x:", "C3"),
}
for label, (model, style, color) in ways.items():
    curve = model[-1].validation_loss_curve_
    _ = ax_ways.plot(
        range(1, len(curve) + 1), curve, style, color=color, ms=5, label=label
    )
_ = ax_ways.set(
    title="Validation loss during early stopping",
    xlabel="epoch",
    ylabel="validation loss",
    yscale="log",
)
_ = ax_ways.set_yticks([0.7, 1, 1.5, 2], ["0.7", "1", "1.5", "2"])
ax_ways.minorticks_off()
for ax in (ax_stop, ax_ways):
    _ = ax.legend()
    ax.grid(alpha=0.3)

fig.savefig("early_stopping.png", dpi=120)

# %%
# Conclusion
# ----------
from sklearn.metrics import log_loss

models = {
    "to the end": to_the_end,
    "routed": routed,
    "held out": held_out,
    "unscaled X_val": unscaled,
}
print("               | epochs | kept | test loss | test accuracy")
for name, model in models.items():
    network = model[-1]
    kept = (
        1 + np.argmin(network.validation_loss_curve_)
        if network.early_stopping
        else network.n_iter_
    )
    loss, accuracy = (
        log_loss(y_test, model.predict_proba(X_test)),
        model.score(X_test, y_test),
    )
    print(
        f"{name:14} | {network.n_iter_:6} | {kept:4} | {loss:9.3f} | {accuracy:13.3f}"
    )

# %%
# **Early stopping pays.** The training loss falls until the end. But from about the
# twentieth epoch on, the network learns the random labels of the training rows: the
# validation loss rises again, and at the end it is higher than after the first epoch.
# Early stopping keeps the weights of its lowest point. On the test rows, which had no
# influence on the choice, the loss is then a third lower and the accuracy more than
# five percentage points higher, with about a quarter of the epochs.
#
# **Both kinds of validation set work equally well**: the routed one and the rows held
# out. They contain different rows, so their curves differ.
#
# **Without** ``transform_input``, the validation loss is two to four times as high and
# does not fall with the training loss. The epoch that it picks is a matter of chance,
# and with some random seeds it does little harm. The sign to look for is a validation
# loss that is far above the training loss from the start.
#
# The validation set chose the epoch, so its loss at that epoch is slightly too good.
# Report the loss of a test set instead. The :doc:`user guide </user_guide/validation>`
# has more about validation sets: with weights, scaled targets and searches.
