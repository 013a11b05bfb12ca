"""
From a raw table to a tuned network
===================================

A table from practice has numbers in any units, text, booleans and missing values.
:func:`~skfnn.tabular.make_tabular_classifier` takes it as it is. This example trains
the pipeline on such a table, tunes three parameters with
:class:`~sklearn.model_selection.RandomizedSearchCV`, compares the result with boosted
trees that are tuned with the same number of candidates, and draws what both have
learned.
"""

# Authors: The skfnn developers
# SPDX-License-Identifier: BSD-3-Clause

# %%
# The table
# ---------
#
# A hospital wants to know which patients will miss their appointment, so that it can
# call them before. The table is simulated, so that we know the true probabilities.
# Patients miss an appointment more often if they booked it long before and got no
# reminder, if they are young, if they missed others, and if they come from far away,
# above all in the rain.
import numpy as np
import pandas as pd

rng = np.random.default_rng(0)
n = 3000
clinics = ["dentist", "eyes", "heart", "skin", "bones", "nerves", "sleep", "travel"]
shares = [0.3, 0.2, 0.15, 0.15, 0.1, 0.06, 0.03, 0.01]
complete = pd.DataFrame(
    {
        "age": rng.gamma(6, 8, n).clip(1, 97).round(),
        "days_ahead": rng.lognormal(2.5, 1.2, n).round(),
        "distance_km": rng.lognormal(1.8, 0.9, n).round(1),
        "missed_before": rng.poisson(0.6, n),
        "hour": rng.integers(8, 18, n),
        "rain_mm": rng.gamma(0.3, 12, n).round(1),
        "clinic": rng.choice(clinics, n, p=shares),
        "weekday": rng.choice(["Mon", "Tue", "Wed", "Thu", "Fri"], n),
        "reminder": rng.random(n) < 0.6,
        "insured": rng.random(n) < 0.9,
    }
)


def true_probability(table):
    """The probability that the patient misses the appointment."""
    wait = np.interp(np.log1p(table["days_ahead"]), [0, 1.5, 3.5], [-2.4, -1.3, 1.6])
    young = 1 / (1 + np.exp((table["age"] - 30) / 4))
    far = np.log(table["distance_km"].clip(0.1) / 6)
    log_odds = (
        -3.5
        + wait * np.where(table["reminder"], 0.5, 1.5)
        + 2.4 * young
        + 1.4 * table["missed_before"].clip(upper=3)
        + 0.8 * far * np.where(table["rain_mm"] > 2, 2, 1)
        + 1.1 * ((table["weekday"] == "Mon") & (table["hour"] < 10))
        - 1.6 * table["clinic"].isin(["heart", "nerves"])
    )
    return 1 / (1 + np.exp(-log_odds.to_numpy()))


probability = true_probability(complete)
missed = np.where(rng.random(n) < probability, "missed", "came")

# %%
# As in practice, values are missing. New patients have no earlier appointments, and the
# hospital does not know where everybody lives.
table = complete.astype({"missed_before": "Int64", "insured": "boolean"})
for name, share in [
    ("distance_km", 0.15),
    ("missed_before", 0.2),
    ("clinic", 0.05),
    ("insured", 0.1),
]:
    table.loc[rng.random(n) < share, name] = None
summary = {
    "type": table.dtypes,
    "missing": table.isna().sum(),
    "example": table.iloc[0],
}
print(pd.DataFrame(summary).to_string())
print(f"{np.mean(missed == 'missed'):.0%} of the appointments were missed")

# %%
# From the table to probabilities
# -------------------------------
#
# Nothing has to be scaled, filled or encoded. The pipeline makes numbers of all
# columns, trains eight networks, and averages their probabilities.
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

from skfnn.tabular import make_tabular_classifier

X_train, X_test, y_train, y_test = train_test_split(
    table, missed, train_size=1000, random_state=0
)
model = make_tabular_classifier(random_state=0).fit(X_train, y_train)
n_columns = len(model[0].get_feature_names_out())
print(f"{len(model[-1].nets_)} networks, each on {n_columns} columns")
print(f"log loss on the test rows: {log_loss(y_test, model.predict_proba(X_test)):.3f}")

# %%
# Tune it
# -------
#
# The search draws 5 candidates. The name of a parameter says which part of the
# pipeline is meant: the encoding of the numbers (``columns__numbers``), each network
# (``net__estimator``), or the training of all networks (``net``). To save time, a
# candidate is two networks instead of eight.
from time import perf_counter

from scipy.stats import loguniform, randint, uniform
from sklearn.model_selection import RandomizedSearchCV

trials = {"n_iter": 5, "scoring": "neg_log_loss", "cv": 3, "random_state": 0}
seconds = {}
started = perf_counter()
search = RandomizedSearchCV(
    make_tabular_classifier(n_nets=2, random_state=0),
    {
        "columns__numbers__n_bins": randint(2, 17),
        "net__estimator__dropout": uniform(0, 0.5),
        "net__learning_rate_init": loguniform(0.0005, 0.01),
    },
    refit=False,
    **trials,
).fit(X_train, y_train)
for name, value in search.best_params_.items():
    print(f"{name}: {value:.3g}")

# %%
# With the parameters of the best candidate, we train all networks.
tuned = make_tabular_classifier(random_state=0).set_params(**search.best_params_)
_ = tuned.fit(X_train, y_train)
seconds["networks, tuned"] = perf_counter() - started

# %%
# Compare it with boosted trees
# -----------------------------
#
# The trees need text and booleans as pandas categories. They get the same rows, the
# same folds and the same number of candidates. On so few rows, several threads would
# mostly wait for each other, so the trees get one.
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

others = table.select_dtypes(exclude="number").columns
coded = table.astype(dict.fromkeys(others, "category"))
C_train, C_test = coded.loc[X_train.index], coded.loc[X_test.index]
one_thread = threadpool_limits(1)
trees = HistGradientBoostingClassifier(random_state=0).fit(C_train, y_train)
started = perf_counter()
tuned_trees = RandomizedSearchCV(
    HistGradientBoostingClassifier(random_state=0),
    {
        "learning_rate": loguniform(0.02, 0.3),
        "max_leaf_nodes": randint(3, 32),
        "min_samples_leaf": randint(5, 60),
    },
    **trials,
).fit(C_train, y_train)
seconds["trees, tuned"] = perf_counter() - started

# %%
# The log loss of a row is minus the logarithm of the probability of what happened. Its
# mean over the test rows has a standard error. The true probabilities show how much is
# left to win, although no model can reach them, because values are missing.
probabilities = {
    "networks": model.predict_proba(X_test)[:, 1],
    "networks, tuned": tuned.predict_proba(X_test)[:, 1],
    "trees": trees.predict_proba(C_test)[:, 1],
    "trees, tuned": tuned_trees.predict_proba(C_test)[:, 1],
    "truth": probability[X_test.index],
}
losses = {
    name: -np.log(np.where(y_test == "missed", p, 1 - p))
    for name, p in probabilities.items()
}


def mean_and_error(values):
    """The mean and its standard error."""
    return np.mean(values), np.std(values) / np.sqrt(len(values))


print("                | log loss          | accuracy | seconds of search and fit")
for name, p in probabilities.items():
    mean, error = mean_and_error(losses[name])
    accuracy = np.mean((p > 0.5) == (y_test == "missed"))
    took = f"{seconds[name]:.0f}" if name in seconds else ""
    print(f"{name:15} | {mean:.3f} +- {error:.3f}   | {accuracy:8.3f} | {took}")

# %%
# The picture
# -----------
#
# Left: the table above. Right: what the tuned networks and the tuned trees have
# learned. The probability of missing the appointment, averaged over 300 test rows,
# depends on the days from the booking to the appointment, and on the reminder.
import matplotlib.pyplot as plt

fig, (ax_loss, ax_days) = plt.subplots(
    1, 2, figsize=(11, 4.3), width_ratios=[1, 1.3], layout="constrained"
)
colors = {"networks": "C0", "trees": "C1", "truth": "k"}
for k, (name, values) in enumerate(losses.items()):
    mean, error = mean_and_error(values)
    color = colors[name.split(",")[0]]
    _ = ax_loss.errorbar(mean, k, xerr=error, fmt="o", color=color, capsize=4)
_ = ax_loss.set_yticks(range(len(losses)), losses)
_ = ax_loss.set_ylim(len(losses) - 0.5, -0.5)
_ = ax_loss.set(xlabel="log loss on the test rows, with standard error")
ax_loss.locator_params(axis="x", nbins=5)

days = np.unique(np.geomspace(1, 100, 13).round())
some = X_test.index[:300]
for reminder, style, label in [(False, "-", "no reminder"), (True, "--", "reminder")]:
    means = {"networks": [], "trees": [], "truth": []}
    for day in days:
        change = {"days_ahead": day, "reminder": reminder}
        p = tuned.predict_proba(table.loc[some].assign(**change))
        means["networks"].append(p[:, 1].mean())
        categories = coded.loc[some].assign(**change).astype(coded.dtypes)
        means["trees"].append(tuned_trees.predict_proba(categories)[:, 1].mean())
        means["truth"].append(
            true_probability(complete.loc[some].assign(**change)).mean()
        )
    for name, values in means.items():
        curve = {"color": colors[name], "label": f"{name}, {label}"}
        _ = ax_days.plot(days, values, style, **curve)
_ = ax_days.set(
    xlabel="days from booking to appointment", ylabel="mean probability", xscale="log"
)
_ = ax_days.set_xticks([1, 3, 10, 30, 100], ["1", "3", "10", "30", "100"])
ax_days.minorticks_off()
_ = ax_days.legend()
for ax in (ax_loss, ax_days):
    ax.grid(alpha=0.3)

fig.savefig("raw_table.png", dpi=120)
one_thread.restore_original_limits()

# %%
# Conclusion
# ----------
#
# The difference of two models on the same rows has a smaller standard error than each
# of the two, because some rows are difficult for both.
mean, error = mean_and_error(losses["networks, tuned"] - losses["trees, tuned"])
print(f"tuned networks minus tuned trees: {mean:+.4f} +- {error:.4f}")

# %%
# If the difference is within two standard errors, this table cannot tell which of the
# two is better. The rows are few, and what happens is partly chance. A model that
# learns them by heart is then confident and wrong. The networks guard against that:
# each leaves out some rows, and keeps the weights of the epoch that was best for them.
#
# The networks draw smooth curves, and the trees draw steps. Which is closer to the
# truth depends on the table, so try both on yours, with the same folds.
#
# The user guide has more about :doc:`tables </user_guide/tables>`: dates, codes,
# validation sets, and how to save the model. The example
# :ref:`sphx_glr_auto_examples_plot_piecewise_linear_encoding.py` shows what becomes of
# a column of numbers.
