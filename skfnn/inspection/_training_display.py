"""The plot of a training run: loss and validation score against the epoch."""

import numpy as np

from ._axes import grid, log_ticks, loss_name, marks, panels, score_name, whole_ticks
from ._find import fitted_network


class TrainingCurveDisplay:
    """Training loss, validation loss and validation score against the epoch.

    Create the display with :meth:`from_estimator`, which also draws it.

    Parameters
    ----------
    history : dict of list
        The attribute `history_` of a fitted network, or a dict with `epoch`, `loss`,
        `validation_loss` and `validation_score`. None in a list marks an epoch without
        validation.
    loss_name : str, default="loss"
        The label of the axis of losses.
    score_name : str, default="validation score"
        The label of the axis of scores.
    validation_name : str, default="validation"
        What the legend calls the rows of the validation set, for example `"test"`.

    Attributes
    ----------
    ax_ : ndarray of matplotlib Axes
        The panel of the losses and, if there are scores, the panel of the scores.
    figure_ : matplotlib Figure
        The figure that contains the panels.
    lines_ : dict of matplotlib Line2D
        The curves, by their keys in `history`.
    best_epoch_ : int or None
        The first epoch with the best validation score. None without scores.

    See Also
    --------
    BatchSizeTradeoffDisplay : Validation curves of several batch sizes.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.datasets import load_digits
    >>> from skfnn import FNNClassifier
    >>> from skfnn.inspection import TrainingCurveDisplay
    >>> X, y = load_digits(return_X_y=True)
    >>> clf = FNNClassifier(
    ...     (20,),
    ...     early_stopping=True,
    ...     max_iter=20,
    ...     n_iter_no_change=None,
    ...     random_state=0,
    ... )
    >>> display = TrainingCurveDisplay.from_estimator(clf.fit(X / 16, y))
    >>> sorted(display.lines_)
    ['loss', 'validation_loss', 'validation_score']
    >>> plt.close(display.figure_)
    """

    def __init__(
        self,
        history,
        *,
        loss_name="loss",
        score_name="validation score",
        validation_name="validation",
    ):
        self.history = history
        self.loss_name = loss_name
        self.score_name = score_name
        self.validation_name = validation_name

    @classmethod
    def from_estimator(cls, estimator, *, ax=None, yscale="log", validation_name="validation"):
        """Draw the training run of a fitted estimator.

        Parameters
        ----------
        estimator : FNNClassifier, FNNRegressor or meta-estimator
            A network after `fit` or `partial_fit`, a fitted pipeline that ends in one,
            or a fitted search or :class:`~sklearn.compose.TransformedTargetRegressor`
            around one. For a search, the display shows the training run of
            `best_estimator_`.
        ax : matplotlib Axes or pair of them, default=None
            The axes to draw in, see :meth:`plot`.
        yscale : str, default="log"
            The scale of the axis of losses.
        validation_name : str, default="validation"
            What the legend and the axis of scores call the rows of the validation set.
            Choose `"test"` if you passed the test rows as `X_val`.

        Returns
        -------
        display : TrainingCurveDisplay
            The display, already drawn.

        Raises
        ------
        TypeError
            If `estimator` contains no network.
        sklearn.exceptions.NotFittedError
            If the network is not fitted.
        """
        model = fitted_network(estimator)
        history = {key: list(values) for key, values in model.history_.items()}
        display = cls(
            history,
            loss_name=loss_name(model),
            score_name=score_name(model, validation_name),
            validation_name=validation_name,
        )
        return display.plot(ax=ax, yscale=yscale)

    def plot(self, ax=None, *, yscale="log"):
        """Draw the display.

        Parameters
        ----------
        ax : matplotlib Axes or pair of them, default=None
            The axes to draw in. With validation scores there are two panels. Pass two
            axes, or a single one of a grid of subplots, which is then split. None makes
            a new figure.
        yscale : str, default="log"
            The scale of the axis of losses, as in
            :meth:`matplotlib.axes.Axes.set_yscale`.

        Returns
        -------
        self : TrainingCurveDisplay
            The display.
        """
        curves = {key: _numbers(self.history[key]) for key in ("loss", "validation_loss", "validation_score")}
        curves = {key: values for key, values in curves.items() if np.isfinite(values).any()}
        scores = curves.get("validation_score")
        self.figure_, self.ax_ = panels("TrainingCurveDisplay.plot", ax, 1 if scores is None else 2)
        self.best_epoch_ = None if scores is None else int(self.history["epoch"][int(np.nanargmax(scores))])

        self.lines_ = {}
        losses = self.ax_[0]
        style = {"color": "0.45", "linestyle": "-"}
        self._draw(losses, curves, "loss", label="training", **style)
        style = {"color": "C0", "linestyle": "--", "marker": "o"}
        self._draw(losses, curves, "validation_loss", label=self.validation_name, **style)
        losses.set(xlabel="epoch", ylabel=self.loss_name, yscale=yscale)
        if yscale == "log":
            log_ticks(losses.yaxis)
        if scores is not None:
            self._draw(self.ax_[1], curves, "validation_score", **style)
            self.ax_[1].set(xlabel="epoch", ylabel=self.score_name)
            best, style = np.nanmax(scores), {"color": "C3", "linestyle": ":"}
            losses.axvline(self.best_epoch_, label=f"best score: epoch {self.best_epoch_}", **style)
            self.ax_[1].axvline(self.best_epoch_, **style)
            star = {"color": "C3", "marker": "*", "linestyle": "", "markersize": 13, "zorder": 3}
            self.ax_[1].plot([self.best_epoch_], [best], label=f"best score: {best:.3g}", **star)
        for axes in self.ax_:
            grid(axes)
            whole_ticks(axes.xaxis)
            axes.legend()
        return self

    def _draw(self, axes, curves, key, **style):
        """Draw one of the curves. An epoch between two epochs without validation appears as a single marker."""
        if key not in curves:
            return
        values = curves[key]
        alone = np.isnan(values).any()
        every = 1 if alone else marks(len(values))
        if len(values) == 1:
            style = {"marker": "."} | style
        (self.lines_[key],) = axes.plot(self.history["epoch"], values, markevery=every, markersize=4.5, **style)


def _numbers(values):
    """The values as an array, with NaN for None."""
    return np.array([np.nan if value is None else value for value in values], dtype=float)
