"""
Regression: the power of a wind turbine
=======================================

How much power does a wind turbine give at this wind, this temperature and this
pressure? :class:`~skfnn.FNNRegressor` learns it from measurements in their own units:
metres per second, degrees and hectopascals in, kilowatts out. It needs no scaler, for
the features or for the target. This example trains it, compares it with two other
models, and draws the power curve that it has learned.
"""

# Authors: The skfnn developers
# SPDX-License-Identifier: BSD-3-Clause

# %%
# The data
# --------
#
# The measurements are simulated, so that we know the truth. The power in the wind grows
# with the density of the air and with the cube of the wind speed. The turbine has a
# rotor of 80 m, starts at 3 m/s and never gives more than 2,000 kW. The rotor loses
# power if it does not face the wind. Each measurement has an error with a standard
# deviation of 40 kW.
import numpy as np
from sklearn.model_selection import train_test_split

rng = np.random.default_rng(0)
n = 4000
X = np.column_stack(
    [
        9 * rng.weibull(2, n),  # wind speed, m/s
        rng.normal(8, 9, n),  # temperature, degrees Celsius
        rng.normal(1000, 12, n),  # pressure, hPa
        rng.normal(0, 12, n),  # angle between the rotor and the wind, degrees
    ]
)


def true_power(X):
    """The power of the turbine in kW, without measurement errors."""
    speed, temperature, pressure, angle = X.T
    density = 100 * pressure / (287 * (temperature + 273.15))  # kg per cubic metre
    facing = np.cos(np.deg2rad(angle)) ** 3
    power = 0.42 * density / 2 * np.pi * 40**2 * speed**3 * facing / 1000
    return np.where(speed < 3, 0.0, np.minimum(power, 2000))


y = true_power(X) + rng.normal(0, 40, n)
X_rest, X_test, y_rest, y_test = train_test_split(X, y, test_size=1000, random_state=0)
X_train, X_val, y_train, y_val = train_test_split(X_rest, y_rest, random_state=0)
print(f"Rows: {len(X_train)} training, {len(X_val)} validation, {len(X_test)} test")

# %%
# Training
# --------
#
# The network has two hidden layers and trains for 100 epochs, with mini-batches of 32
# rows and a learning rate that falls to zero along a cosine. The learning rate at the
# start is chosen on the validation set. ``"auto"``, the default, is cautious: it also
# has to work for small and noisy tables. These rows tolerate a larger one.
from skfnn import FNNRegressor

settings = {
    "hidden_layer_sizes": (64, 32),
    "solver": "adam",
    "batch_size": 32,
    "learning_rate": "cosine",
    "max_iter": 100,
    "n_iter_no_change": None,
    "random_state": 0,
}
runs = []
for eta in ["auto", 0.001, 0.003, 0.01]:
    net = FNNRegressor(learning_rate_init=eta, **settings)
    runs.append(net.fit(X_train, y_train, X_val=X_val, y_val=y_val))
    # The loss is half of the mean squared error.
    error = np.sqrt(2 * net.validation_loss_curve_[-1])
    print(
        f"eta {eta!s:5} ({net.learning_rate_init_:g}): validation error {error:.1f} kW"
    )
reg = min(runs, key=lambda net: net.validation_loss_curve_[-1])

# %%
# Compare it with others
# ----------------------
#
# A linear model and boosted trees, both with their default settings, get the same rows.
# The error is the root mean squared error on the test rows. It cannot be much less than
# 40 kW, because that is the error of the measurements.
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score, root_mean_squared_error

models = {
    "FNNRegressor": reg,
    "boosted trees": HistGradientBoostingRegressor().fit(X_train, y_train),
    "linear model": LinearRegression().fit(X_train, y_train),
}
print("              | RMSE in kW | R²")
for name, model in models.items():
    predicted = model.predict(X_test)
    error, r2 = root_mean_squared_error(y_test, predicted), r2_score(y_test, predicted)
    print(f"{name:13} | {error:10.1f} | {r2:.4f}")

# %%
# The picture
# -----------
#
# Left: the learning curve. Right: the power curve at 8 degrees, 1,000 hPa and a rotor
# that faces the wind.
import matplotlib.pyplot as plt

fig, (ax_loss, ax_power) = plt.subplots(1, 2, figsize=(11, 4.3), layout="constrained")

# Twice the loss is the mean squared error. Its square root has the unit of y.
epochs = reg.history_["epoch"]
for curve, style, label in [
    (reg.loss_curve_, "-", "training rows"),
    (reg.validation_loss_curve_, "C0--", "validation set"),
]:
    color = {"color": "0.45"} if style == "-" else {}
    _ = ax_loss.plot(epochs, np.sqrt(2 * np.array(curve)), style, label=label, **color)
_ = ax_loss.axhline(40, color="k", ls=":", label="error of the measurements")
_ = ax_loss.set(xlabel="epoch", ylabel="root mean squared error (kW)", yscale="log")
ticks = [30, 40, 50, 100, 200]
_ = ax_loss.set_yticks(ticks, [str(tick) for tick in ticks])
ax_loss.minorticks_off()

speeds = np.linspace(0, 22, 300)
calm = np.column_stack([speeds, np.full(300, 8), np.full(300, 1000), np.zeros(300)])
_ = ax_power.plot(
    X_train[:, 0], y_train, ".", color="0.75", ms=3, label="training rows"
)
_ = ax_power.plot(speeds, true_power(calm), "k:", lw=2, label="truth")
lines = {"FNNRegressor": "C0-", "linear model": "C1--"}
for name, style in lines.items():
    _ = ax_power.plot(speeds, models[name].predict(calm), style, label=name)
_ = ax_power.set(xlabel="wind speed (m/s)", ylabel="power (kW)", xlim=(0, 22))
_ = ax_power.set_ylim(-400, 3100)
for ax in (ax_loss, ax_power):
    _ = ax.legend()
    ax.grid(alpha=0.3)

fig.savefig("regression.png", dpi=120)

# %%
# Conclusion
# ----------
distance = root_mean_squared_error(true_power(X_test), reg.predict(X_test))
print(f"Distance of the network from the truth on the test rows: {distance:.0f} kW")

# %%
# The network learns the three parts of the curve: no power below 3 m/s, then the cube
# of the wind speed, then a constant 2,000 kW. It is twice as close to the truth as a
# single measurement, because it averages the errors of many rows. A linear model cannot
# bend, so its error is more than five times as large.
#
# On the validation rows the error comes close to that of the measurements. On the
# training rows it falls below, which means that the network begins to learn the errors
# of the measurements by heart. More epochs would not help.
#
# Nothing was scaled. Multiply a feature by 1,000 or give the power in watts, and the
# predictions are the same, in watts. The user guide has more about :doc:`regression
# </user_guide/regression>` and about :doc:`features and targets in any units
# </user_guide/standardising>`.
