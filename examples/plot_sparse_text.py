"""
Text classification on sparse data
==================================

Text becomes numbers by counting words. The matrix of counts has many thousand columns,
and nearly all its entries are zero. :class:`~skfnn.FNNClassifier` takes such a matrix
as it is. With plain SGD, a step touches only the weights of the words that occur in its
mini-batch. Here the network learns which package a paragraph of documentation comes
from: NumPy, SciPy or scikit-learn. We compare its accuracy with a linear model, and its
time with :class:`~sklearn.neural_network.MLPClassifier`.
"""

# Authors: The skfnn developers
# SPDX-License-Identifier: BSD-3-Clause

# %%
# The text
# --------
#
# The text consists of the docstrings of public functions and classes, cut into
# paragraphs. Code and the names of the packages are removed, because they would give
# the answer away.
import importlib
import inspect
import re
import warnings

names = {
    "numpy": "linalg ma random",
    "scipy": "cluster fft integrate interpolate linalg ndimage optimize signal sparse "
    "spatial special stats",
    "sklearn": "cluster datasets decomposition ensemble linear_model metrics "
    "model_selection preprocessing svm",
}
code = re.compile(r"^\s*(>>>|\.\.\.).*$", re.MULTILINE)
giveaway = re.compile(r"\b(numpy|np|scipy|sp|sklearn|scikit-learn)\b", re.IGNORECASE)


def docstrings(package):
    """Yield the docstring of everything public that can be called."""
    for name in ["", *names[package].split()]:
        module = importlib.import_module(f"{package}.{name}".rstrip("."))
        for attribute in sorted(set(module.__all__) & set(dir(module))):
            if callable(getattr(module, attribute)):
                yield inspect.getdoc(getattr(module, attribute)) or ""


packages = {}  # paragraph: (package, number of the docstring)
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # about deprecated functions
    for package in names:
        for document in docstrings(package):
            number = len(packages)
            for paragraph in re.split(r"\n\s*\n", code.sub("", document)):
                paragraph = giveaway.sub("", paragraph)
                if len(paragraph.split()) >= 10:
                    packages.setdefault(paragraph, (package, number))
texts = list(packages)
y, groups = zip(*packages.values(), strict=True)
print(f"{len(texts):,} paragraphs:", {package: y.count(package) for package in names})

# %%
# All paragraphs of a docstring are in the training set, or all are in the test set.
# Otherwise the network could recognise the docstring.
import numpy as np
from sklearn.model_selection import GroupShuffleSplit

y, texts = np.array(y), np.array(texts, dtype=object)
train, test = next(
    GroupShuffleSplit(1, test_size=0.25, random_state=0).split(texts, y, groups)
)

# %%
# A hash function assigns words and pairs of words to columns, and we count them. Each
# row is scaled to length 1. In float32, the counts take half the memory, and the
# network computes in float32 too.
from sklearn.feature_extraction.text import HashingVectorizer


def vectorizer(n_columns):
    return HashingVectorizer(n_features=n_columns, ngram_range=(1, 2), dtype=np.float32)


X_train = vectorizer(2**16).transform(texts[train])
X_test = vectorizer(2**16).transform(texts[test])
n_rows, n_columns = X_train.shape
entries = X_train.nnz / n_rows
print(f"{n_rows:,} rows, {n_columns:,} columns, {entries:.0f} entries per row")

# %%
# Training
# --------
#
# The learning rate falls to zero along a cosine, which removes the noise of small
# mini-batches from the last epochs. On text, a linear model is the one to beat.
from time import perf_counter

from sklearn.linear_model import LogisticRegression

from skfnn import FNNClassifier

clf = FNNClassifier(
    hidden_layer_sizes=(32,),
    batch_size=20,
    learning_rate_init=0.2,
    learning_rate="cosine",
    max_iter=15,
    n_iter_no_change=None,
    random_state=0,
)
started = perf_counter()
_ = clf.fit(X_train, y[train], X_val=X_test, y_val=y[test])
seconds = perf_counter() - started
accuracy = clf.score(X_test, y[test])
print(f"FNNClassifier:      test accuracy {accuracy:.3f}, {seconds:.1f} s")

started = perf_counter()
linear = LogisticRegression(C=10, max_iter=300).fit(X_train, y[train])
seconds = perf_counter() - started
accuracy = linear.score(X_test, y[test])
print(f"LogisticRegression: test accuracy {accuracy:.3f}, {seconds:.1f} s")

# %%
# The time of a step
# ------------------
#
# Both packages train the same network with the same mini-batches and plain SGD, on more
# and more columns. We time an epoch of 300 rows, which has 15 steps.
from sklearn.neural_network import MLPClassifier

sgd = {
    "hidden_layer_sizes": (32,),
    "solver": "sgd",
    "momentum": 0.0,
    "batch_size": 20,
    "learning_rate_init": 0.2,
}
n_columns = 2 ** np.arange(10, 19, 2)
few = np.random.default_rng(0).choice(train, 300, replace=False)
milliseconds = {"MLPClassifier": [], "FNNClassifier": []}
for size in n_columns:
    X, labels = vectorizer(size).transform(texts[few]), y[few]
    mlp = MLPClassifier(**sgd, random_state=0)
    _ = mlp.partial_fit(X[:20], labels[:20], classes=list(names))
    started = perf_counter()
    _ = mlp.partial_fit(X, labels)
    milliseconds["MLPClassifier"].append(1000 * (perf_counter() - started) / 15)
    fnn = FNNClassifier(**sgd, max_iter=5, n_iter_no_change=None, random_state=0)
    seconds = np.median(fnn.fit(X, labels).history_["seconds"])
    milliseconds["FNNClassifier"].append(1000 * seconds / 15)

print("columns | ms per step: MLPClassifier, FNNClassifier")
for row in zip(n_columns, *milliseconds.values(), strict=True):
    print("{:7,} | {:26.2f} {:14.3f}".format(*row))

# %%
import matplotlib.pyplot as plt

fig, (ax_score, ax_time) = plt.subplots(1, 2, figsize=(11, 4.3), layout="constrained")
_ = ax_score.plot(
    clf.history_["epoch"], clf.validation_scores_, "o-", label="FNNClassifier"
)
_ = ax_score.axhline(
    linear.score(X_test, y[test]), color="k", ls="--", label="logistic regression"
)
_ = ax_score.axhline(
    (y[test] == "scipy").mean(), color="0.5", ls=":", label="always SciPy"
)
_ = ax_score.set(xlabel="epoch", ylabel="test accuracy")
for (name, values), style in zip(milliseconds.items(), ["C1s--", "C0o-"], strict=True):
    _ = ax_time.plot(n_columns, values, style, label=name)
_ = ax_time.set(xlabel="columns", ylabel="time for a step of 20 rows (ms)")
_ = ax_time.set(xscale="log", yscale="log")
ax_time.set_xticks(n_columns, [f"{size:,}" for size in n_columns])
ax_time.minorticks_off()
ax_time.yaxis.set_major_formatter("{x:g}")
for ax in (ax_score, ax_time):
    _ = ax.legend()
    ax.grid(alpha=0.3)

fig.savefig("sparse_text.png", dpi=120)

# %%
# Conclusion
# ----------
ratio = np.divide(milliseconds["MLPClassifier"], milliseconds["FNNClassifier"])
for size, times in zip(n_columns[[0, -1]], ratio[[0, -1]], strict=True):
    print(
        f"{size:7,} columns: MLPClassifier takes {times:.0f} times as long for a step"
    )

# %%
# **Accuracy: a tie.** Both models find the package of nearly nine in ten paragraphs.
# Always saying SciPy would be right for a little more than half of them. With other
# random seeds, the network and the linear model differ by at most a percentage point,
# either way. That is common for text whose words are counted, because single words
# carry most of the information. A hidden layer helps if features mean something only in
# combination.
#
# **Time: MLPClassifier grows with the columns.** ``MLPClassifier`` updates every weight
# in every step. In ``FNNClassifier`` with plain SGD, the time depends on the entries of
# the mini-batch. It still grows a little with the columns, because their weights lie
# far apart in memory and no longer fit into the processor's cache. Momentum and Adam
# move more weights than those of the words that occur, so they are slower on such data:
# see :doc:`the page on speed </user_guide/speed>`.
