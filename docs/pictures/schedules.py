"""The learning rate of 40 epochs for five schedules."""

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits

from skfnn import FNNClassifier


def warm_up(step):  # 57 steps per epoch
    return 0.2 * min((step + 1) / 300, (300 / (step + 1)) ** 0.5)


X, y = load_digits(return_X_y=True)
fig, ax = plt.subplots(figsize=(7, 3.4), layout="constrained")
schedules = {
    "constant": {},
    "cosine": {},
    "invscaling": {"power_t": 0.25},
    "adaptive": {"tol": 0.02, "n_iter_no_change": 2},
    "a function": {"learning_rate": warm_up},
}
for (name, params), style in zip(schedules.items(), ["-", "--", "-.", ":", "-"], strict=True):
    clf = FNNClassifier((32,), batch_size=32, max_iter=40, random_state=0)
    clf.set_params(learning_rate=name, learning_rate_init=0.2, n_iter_no_change=None)
    history = clf.set_params(**params).fit(X / 16, y).history_
    ax.plot(history["epoch"], history["learning_rate"], style, label=name)
ax.set(xlabel="epoch", ylabel="learning rate", ylim=(0, None))
fig.legend(loc="outside right upper")
ax.grid(alpha=0.3)
