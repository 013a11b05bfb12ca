"""
Tune a network for a table with a halving search
================================================

Which batch size and which learning rate suit a table? A full grid search trains every
candidate to the end. :class:`~sklearn.model_selection.HalvingGridSearchCV` starts all
candidates with a ninth of the rows, keeps the best third of the candidates, gives them
three times as many rows, and so on. This example searches over both parameters of
:class:`~skfnn.FNNClassifier` on a table with numbers and categories, and compares the
result with the full grid.
"""

# Authors: The skfnn developers
# SPDX-License-Identifier: BSD-3-Clause

# %%
# The table
# ---------
#
# The table has 4,000 customers of a telephone company, and we predict who leaves. It is
# simulated, with numbers in different units and two columns of text. The probability to
# leave depends on combinations of columns. For example, a high price makes customers
# leave only if their contract is monthly.
import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

rng = np.random.default_rng(0)
n = 4000
table = pd.DataFrame(
    {
        "age": rng.integers(18, 90, n),
        "months": rng.gamma(2, 15, n).round(),
        "price": rng.lognormal(3.5, 0.4, n).round(2),
        "gigabytes": rng.lognormal(1, 1, n).round(1) + 0.1,
        "contract": rng.choice(["monthly", "one year", "two years"], n),
        "region": rng.choice(["north", "south", "east", "west"], n),
    }
)
monthly, young = table["contract"] == "monthly", table["age"] < 35
score = (
    1.5 * monthly * (table["price"] - 30) / 15
    + 1.5 * young * np.log(table["gigabytes"])
    - table["months"] / 20
    + (table["region"] == "east") * np.where(monthly, -1.0, 1.5)
)
leaves = rng.random(n) < 1 / (1 + np.exp(-2 * score))
X_train, X_test, y_train, y_test = train_test_split(table, leaves, random_state=0)
print(table.head(3).to_string())
print(f"{leaves.mean():.0%} of the customers leave")

# %%
# The model
# ---------
#
# Text becomes columns of zeros and ones. The numbers stay in their units, because the
# network standardises them itself. The learning rate falls to zero along a cosine,
# which removes the noise of small mini-batches at the end, and dropout keeps the
# network from learning single rows by heart.
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from skfnn import FNNClassifier

encoder = make_column_transformer(
    (OneHotEncoder(sparse_output=False), make_column_selector(dtype_exclude="number")),
    remainder="passthrough",
)
network = FNNClassifier(
    hidden_layer_sizes=(64,),
    solver="adam",
    learning_rate="cosine",
    dropout=0.2,
    max_iter=30,
    n_iter_no_change=None,
    random_state=0,
)
model = make_pipeline(encoder, network)

# %%
# Both searches
# -------------
#
# Halving distributes rows: 333 for all 18 candidates, 999 for the best six, and 2,997,
# all of them, for the best two. The full grid trains all candidates on all rows. The
# score is the log loss, which is a finer measure than the accuracy. Some candidates
# learn nothing from so few rows. ``fit`` warns about them, and we ignore the warnings.
import warnings
from time import perf_counter

from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import GridSearchCV, HalvingGridSearchCV

from skfnn.exceptions import ConstantPredictionWarning

batch_sizes = [8, 32, 128]
learning_rates = [0.0003, 0.001, 0.003, 0.01, 0.03, 0.1]
grid = {
    "fnnclassifier__batch_size": batch_sizes,
    "fnnclassifier__learning_rate_init": learning_rates,
}
halving = HalvingGridSearchCV(
    model,
    grid,
    resource="n_samples",
    min_resources=333,
    factor=3,
    scoring="neg_log_loss",
    cv=3,
    random_state=0,
)
full = GridSearchCV(model, grid, scoring="neg_log_loss", cv=3)

seconds = {}
searches = {"halving": halving, "full grid": full}
for name, search in searches.items():
    started = perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConstantPredictionWarning)
        _ = search.fit(X_train, y_train)
    seconds[name] = perf_counter() - started

results = pd.DataFrame(halving.cv_results_)
for rows, candidates in results.groupby("n_resources"):
    print(f"halving: {len(candidates):2} candidates on {rows:4} rows")

# %%
# The result
# ----------
from sklearn.metrics import log_loss

print("          | seconds | batch size |  eta | log loss: folds | test rows")
for name, search in searches.items():
    size, eta = (search.best_params_[key] for key in grid)
    test = log_loss(y_test, search.predict_proba(X_test))
    print(f"{name:9} | {seconds[name]:7.1f} | {size:10} | {eta:4}", end="")
    print(f" | {-search.best_score_:15.3f} | {test:9.3f}")

# %%
# The picture
# -----------
#
# Left: the candidates of each round of halving. Right: the full grid. The number in a
# cell is the log loss, and the dots count the rounds of halving in which the candidate
# took part.
import matplotlib.pyplot as plt

fig, (ax_rounds, ax_map) = plt.subplots(1, 2, figsize=(12, 4.6), layout="constrained")
key_size, key_eta = (f"param_{key}" for key in grid)
for k, size in enumerate(batch_sizes):
    of_size = results[results[key_size] == size]
    for eta, rows in of_size.groupby(key_eta):
        style = {"color": f"C{k}", "marker": "os^D"[k], "alpha": 0.8, "ms": 5}
        label = f"batch size {size}" if eta == learning_rates[0] else None
        _ = ax_rounds.plot(
            rows["n_resources"], -rows["mean_test_score"], label=label, **style
        )
_ = ax_rounds.set(xlabel="rows", ylabel="log loss (3 folds)", xscale="log")
_ = ax_rounds.set_xticks([333, 999, 2997], ["333", "999", "2,997"])
ax_rounds.minorticks_off()
_ = ax_rounds.legend()
ax_rounds.grid(alpha=0.3)

loss = -full.cv_results_["mean_test_score"].reshape(len(batch_sizes), -1)
top = np.quantile(loss, 0.9)
image = ax_map.imshow(loss, cmap="viridis_r", aspect="auto", vmax=top)
n_rounds = results.groupby([key_size, key_eta]).size()
for (i, j), value in np.ndenumerate(loss):
    rounds = n_rounds[batch_sizes[i], learning_rates[j]]
    color = "black" if value < (loss.min() + top) / 2 else "white"
    text = f"{value:.3f}\n{'●' * rounds}"
    _ = ax_map.text(j, i, text, ha="center", va="center", color=color)
_ = ax_map.set_xticks(
    range(len(learning_rates)), [f"{eta:g}" for eta in learning_rates]
)
_ = ax_map.set_yticks(range(len(batch_sizes)), [str(size) for size in batch_sizes])
_ = ax_map.set(xlabel="learning rate", ylabel="batch size (rows)")
_ = fig.colorbar(image, label="log loss on all rows (3 folds)", extend="max")

fig.savefig("search_for_tables.png", dpi=120)

# %%
# Conclusion
# ----------
fits = {"halving": results["n_resources"].sum(), "full grid": len(loss.ravel()) * 3000}
for name, rows in fits.items():
    size, eta = (searches[name].best_params_[key] for key in grid)
    print(
        f"{name:9}: {rows:6,} rows in all candidates, best batch size {size}, eta {eta}"
    )

# %%
# Halving trains on a third of the rows, summed over all candidates, and finds the same
# candidate as the full grid. It saves less time than rows, because small training runs
# have a fixed cost. On a larger table it saves more.
#
# The map shows why both parameters have to be tuned together: the best learning rate
# grows with the batch size. It also shows why a search may stop early. Near the best
# cell several candidates are equally good to within the noise of the folds, so it does
# not matter which of them survives.
#
# You can distribute epochs instead of rows, with
# ``resource="fnnclassifier__max_iter"``. But a short training run prefers larger
# learning rates than a long one, so the first rounds then reject the candidates that
# would be the best at the end.
#
# To search at random instead of on a grid, use
# :class:`~sklearn.model_selection.HalvingRandomSearchCV`. The user guide has more about
# :doc:`the batch size and the learning rate </user_guide/choosing>`.
