"""The plot of gradient noise: variance against batch size."""

import numpy as np

from ._axes import grid, panels
from ._noise import gradient_noise

# To show the noise scale, the axis extends beyond the batch sizes by at most this factor.
REACH = 10.0


class GradientNoiseDisplay:
    """Measured and predicted variance of mini-batch gradients against the batch size.

    Both axes are logarithmic, so the law ``sigma^2 / Omega`` is a straight line that
    falls at 45 degrees. Near the full batch, the factor ``(B - Omega) / (B - 1)`` bends
    it down. The full batch has a variance of exactly 0, which a logarithmic axis cannot
    show. Create the display with :meth:`from_estimator`, which also draws it.

    Parameters
    ----------
    noise : :class:`~sklearn.utils.Bunch`
        The result of :func:`gradient_noise`.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes.
    figure_ : matplotlib Figure
        The figure that contains the axes.
    lines_ : dict of matplotlib Line2D
        The lines `predicted` and, unless the mean gradient is 0,
        `gradient_norm_squared`. Also `measured` if mini-batches were drawn, and
        `noise_scale` if it is finite and positive.

    See Also
    --------
    gradient_noise : Computes the numbers.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.datasets import load_digits
    >>> from skfnn import FNNClassifier
    >>> from skfnn.inspection import GradientNoiseDisplay
    >>> X, y = load_digits(return_X_y=True)
    >>> X = X / 16
    >>> clf = FNNClassifier(
    ...     (20,), max_iter=5, n_iter_no_change=None, random_state=0
    ... )
    >>> display = GradientNoiseDisplay.from_estimator(
    ...     clf.fit(X, y), X, y, n_draws=50, random_state=0
    ... )
    >>> display.ax_.get_xscale()
    'log'
    >>> plt.close(display.figure_)
    """

    def __init__(self, noise):
        self.noise = noise

    @classmethod
    def from_estimator(cls, estimator, X, y, *, ax=None, **kwargs):
        """Measure the gradient noise of a fitted estimator and draw it.

        Parameters
        ----------
        estimator : FNNClassifier, FNNRegressor or Pipeline
            A fitted estimator, or a fitted pipeline that ends in one.
        X : {array-like, sparse matrix} of shape (B, n_features)
            The rows.
        y : array-like of shape (B,) or (B, n_outputs)
            The labels or targets of the rows.
        ax : matplotlib Axes, default=None
            The axes to draw in. None makes a new figure.
        **kwargs : dict
            Keyword arguments of :func:`gradient_noise`: `batch_sizes`, `sample_weight`,
            `n_draws`, `random_state`.

        Returns
        -------
        display : GradientNoiseDisplay
            The display, already drawn.
        """
        return cls(gradient_noise(estimator, X, y, **kwargs)).plot(ax=ax)

    def plot(self, ax=None):
        """Draw the display.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            The axes to draw in. None makes a new figure.

        Returns
        -------
        self : GradientNoiseDisplay
            The display.
        """
        noise = self.noise
        self.figure_, (self.ax_,) = panels("GradientNoiseDisplay.plot", ax, 1)
        ax = self.ax_
        order = np.argsort(noise.batch_sizes)
        sizes = np.asarray(noise.batch_sizes)[order]
        predicted, measured = _positive(noise.predicted_variance)[order], _positive(noise.measured_variance)[order]

        self.lines_ = {}
        (self.lines_["predicted"],) = ax.plot(
            sizes,
            predicted,
            "--",
            color="0.3",
            marker="x",
            label=r"predicted: $\sigma^2/\Omega \cdot (B-\Omega)/(B-1)$",
        )
        if np.isfinite(measured).any():
            style = {"color": "C0", "markersize": 8, "fillstyle": "none", "markeredgewidth": 1.6}
            (self.lines_["measured"],) = ax.plot(sizes, measured, "o", label="measured", **style)
        norm, scale = noise.gradient_norm_squared, noise.noise_scale
        low, high = sizes[0] / 1.4, sizes[-1] * 1.4
        if norm > 0.0:
            label = "squared norm of the mean gradient"
            self.lines_["gradient_norm_squared"] = ax.axhline(norm, color="C2", linestyle="-.", label=label)
        if 0.0 < scale < np.inf:
            label = f"noise scale: {float(f'{scale:.3g}'):,g} rows"
            if scale <= sizes[-1] * REACH and scale >= sizes[0] / REACH:
                low, high = min(low, scale / 1.4), max(high, scale * 1.4)
            else:
                label += " (outside)"
            self.lines_["noise_scale"] = ax.axvline(scale, color="C3", linestyle=":", linewidth=2, label=label)
        ax.set(xscale="log", yscale="log", xlim=(low, high))
        ax.set(xlabel=r"batch size $\Omega$ (rows)", ylabel="variance of the mini-batch gradient")
        grid(ax)
        ax.legend()
        return self


def _positive(values):
    """The values, with NaN in place of values that a logarithmic axis cannot show."""
    values = np.asarray(values, dtype=float)
    return np.where(values > 0.0, values, np.nan)
