"""
Numbers as positions between quantiles
======================================

Incomes, prices and distances are skewed: most values are small, and a few are large. A
model that is given such a column as it is sees most rows crowded together at one end.
:class:`~skfnn.tabular.PiecewiseLinearEncoder` cuts the column at its quantiles, so that
each bin has the same number of rows, and makes a column of each bin. This example draws
these columns, and the functions that a linear model and a small network fit with and
without them.
"""

# Authors: The skfnn developers
# SPDX-License-Identifier: BSD-3-Clause

# %%
# The data
# --------
#
# The column is the yearly income of 3,000 households, in thousands. We predict what a
# household spends on holidays. The data are simulated, so that we know the truth: a
# constant up to an income of 18, then a steep rise, then a plateau, and slowly more
# above 60. The spending of each household deviates from the truth at random.
import numpy as np
from sklearn.model_selection import train_test_split

rng = np.random.default_rng(0)
n = 3000
income = rng.lognormal(3.4, 0.8, n)  # thousands per year


def true_spending(income):
    """What households with this income spend on average, in thousands per year."""
    return np.interp(income, [18, 30, 60, 300], [1.5, 3.5, 3.5, 9.5])


spending = true_spending(income) + rng.normal(0, 0.5, n)
X_train, X_test, y_train, y_test = train_test_split(
    income[:, None], spending, random_state=0
)
shares = np.quantile(income, [0, 0.25, 0.5, 0.75, 1])
print("minimum, quartiles and maximum:", *shares.round(1))

# %%
# The columns
# -----------
#
# The edges of the bins are quantiles of the training rows. Each bin becomes a column: 0
# below the bin, 1 above it, and the position within it. ``include_scaled=True``, the
# default, would add the income itself, scaled and smoothly clipped.
from skfnn.tabular import PiecewiseLinearEncoder

encoder = PiecewiseLinearEncoder(n_bins=6, include_scaled=False).fit(X_train)
edges = encoder.bin_edges_[0]
print("edges:", *edges.round(1))
for value in [12.0, 30.0, 100.0]:
    print(f"an income of {value:5} becomes", encoder.transform([[value]])[0].round(2))

# %%
# The bins are narrow where there are many rows, and wide where there are few. Above the
# histogram of the incomes, the picture shows each column as a function of the income.
import matplotlib.pyplot as plt

shown = np.linspace(0, 150, 1501)  # two of a hundred households have a larger income
fig, (ax_rows, ax_columns) = plt.subplots(
    2, 1, figsize=(9, 5.5), sharex=True, height_ratios=[1, 1.6], layout="constrained"
)
_ = ax_rows.hist(X_train[:, 0], bins=75, range=(0, 150), color="0.75")
_ = ax_rows.set(ylabel="rows", title="The column, its quantiles, and the new columns")
encoded = encoder.transform(shown[:, None])
for k, name in enumerate(encoder.get_feature_names_out(["income"])):
    _ = ax_columns.plot(shown, encoded[:, k], lw=2, label=name)
for edge in edges[:-1]:  # the last edge is outside the picture
    for ax in (ax_rows, ax_columns):
        _ = ax.axvline(edge, color="k", ls=":", lw=0.8)
_ = ax_columns.set(xlabel="income (thousands)", ylabel="new column", xlim=(0, 150))
_ = ax_columns.legend(loc="right", bbox_to_anchor=(1, 0.65))

fig.savefig("piecewise_linear_columns.png", dpi=120)

# %%
# What models make of them
# ------------------------
#
# A linear model adds the columns with one weight each, so its function has a slope of
# its own in each bin. A hidden unit of a network also bends its function, but training
# has to move the bend to the right place. Both models get the income as it is, and then
# the columns of 16 bins.
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline

from skfnn import FNNRegressor


def network(epochs=60):
    """A small network."""
    return FNNRegressor(
        hidden_layer_sizes=(16,),
        solver="adam",
        batch_size=64,
        learning_rate_init=0.005,
        learning_rate="cosine",
        max_iter=epochs,
        n_iter_no_change=None,
        random_state=0,
    )


def with_bins(model, n_bins=16):
    """The model behind an encoder."""
    return make_pipeline(PiecewiseLinearEncoder(n_bins, include_scaled=False), model)


def distance(model):
    """Root mean squared distance of the predictions from the truth on the test rows."""
    errors = model.predict(X_test) - true_spending(X_test[:, 0])
    return np.sqrt(np.mean(errors**2))


models = {
    ("linear model", "income"): LinearRegression(),
    ("linear model", "bins"): with_bins(LinearRegression()),
    ("network", "income"): network(),
    ("network", "bins"): with_bins(network()),
}
print("model        | input  | distance from the truth")
for (kind, columns), model in models.items():
    _ = model.fit(X_train, y_train)
    print(f"{kind:12} | {columns:6} | {distance(model):.3f}")

# %%
# The pictures show the four functions, and the rows that they were fitted to.
fig, axes = plt.subplots(1, 2, figsize=(11, 4.3), sharey=True, layout="constrained")
for ax, kind in zip(axes, ["linear model", "network"], strict=True):
    _ = ax.plot(X_train[:, 0], y_train, ".", color="0.85", ms=3, label="training rows")
    _ = ax.plot(shown, true_spending(shown), "k:", lw=2, label="truth")
    for columns, style in [("income", "C1--"), ("bins", "C0-")]:
        fitted = models[kind, columns].predict(shown[:, None])
        _ = ax.plot(shown, fitted, style, label=f"{kind} of the {columns}")
    _ = ax.set(title=f"A {kind}", xlabel="income (thousands)", xlim=(0, 150))
    _ = ax.set_ylim(0, 7.5)
    _ = ax.legend(loc="upper left")
    ax.grid(alpha=0.3)
_ = axes[0].set_ylabel("holidays (thousands)")

fig.savefig("piecewise_linear_encoding.png", dpi=120)
# sphinx_gallery_thumbnail_number = 2

# %%
# More bins, and more epochs
# --------------------------
#
# How many bins does the linear model need? And does a longer training run let the
# network find the bends without the bins?
for n_bins in [1, 2, 4, 8, 16, 32, 64, 128]:
    model = with_bins(LinearRegression(), n_bins).fit(X_train, y_train)
    print(f"linear model, {n_bins:3} bins: distance {distance(model):.3f}")
for epochs in [60, 600]:
    on_income = network(epochs).fit(X_train, y_train)
    on_bins = with_bins(network(epochs)).fit(X_train, y_train)
    print(f"network, {epochs:3} epochs: distance {distance(on_income):.3f}", end="")
    print(f", with bins {distance(on_bins):.3f}")

# %%
# Conclusion
# ----------
#
# With the bins, a linear model follows the rise and the plateau, which are invisible to
# it in the income itself. Too few bins cannot follow the truth. Too many follow the
# noise, because each slope is then fitted to few rows.
#
# A network needs the bins less, but it learns much faster with them. After 60 epochs on
# the income, it has smoothed over the first bend and the plateau. After 600 epochs it
# has found all bends, and comes closer to the truth than with the bins, because it can
# put a bend anywhere.
#
# :func:`~skfnn.tabular.make_tabular_classifier` and
# :func:`~skfnn.tabular.make_tabular_regressor` encode the numbers of a table in this
# way. The user guide has more about :doc:`tables </user_guide/tables>`.
