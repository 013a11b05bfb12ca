"""The plot of the trade-off: validation curves of several batch sizes."""

import numpy as np

from ._axes import LINE_STYLES, MARKERS, grid, log_ticks, loss_name, marks, panels, pyplot, score_name, whole_ticks
from ._tradeoff import batch_size_tradeoff

METRICS = ("validation_loss", "validation_score", "loss")


class BatchSizeTradeoffDisplay:
    """Validation curves by epoch and by second, one line per batch size.

    By epoch, small mini-batches get further because they make more steps. By second,
    the result depends on the cost of a step. Create the display with
    :meth:`from_estimator`, which also draws it.

    Parameters
    ----------
    tradeoff : :class:`~sklearn.utils.Bunch`
        The result of :func:`batch_size_tradeoff`.
    loss_name : str, default="loss"
        The name of the loss in the label of its axis.
    score_name : str, default="validation score"
        The label of the axis if it shows scores.

    Attributes
    ----------
    ax_ : ndarray of matplotlib Axes
        The panel by epoch and the panel by second.
    figure_ : matplotlib Figure
        The figure that contains the panels.
    lines_ : list of list of matplotlib Line2D
        The curves of each panel, in the order of ``tradeoff.batch_sizes``.

    See Also
    --------
    batch_size_tradeoff : Computes the numbers.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.model_selection import train_test_split
    >>> from skfnn import FNNClassifier
    >>> from skfnn.inspection import BatchSizeTradeoffDisplay
    >>> X, y = load_digits(return_X_y=True)
    >>> X_train, X_val, y_train, y_val = train_test_split(X / 16, y, random_state=0)
    >>> clf = FNNClassifier(
    ...     (20,), max_iter=5, n_iter_no_change=None, random_state=0
    ... )
    >>> display = BatchSizeTradeoffDisplay.from_estimator(
    ...     clf, X_train, y_train, [10, 100, "full"], X_val=X_val, y_val=y_val
    ... )
    >>> [axes.get_xlabel() for axes in display.ax_]
    ['epoch', 'training time (s)']
    >>> plt.close(display.figure_)
    """

    def __init__(self, tradeoff, *, loss_name="loss", score_name="validation score"):
        self.tradeoff = tradeoff
        self.loss_name = loss_name
        self.score_name = score_name

    @classmethod
    def from_estimator(
        cls, estimator, X, y, batch_sizes, *, X_val, y_val, n_jobs=None, metric="validation_loss", ax=None
    ):
        """Train at several batch sizes and draw the validation curves.

        Parameters
        ----------
        estimator : FNNClassifier or FNNRegressor
            The estimator to train, see :func:`batch_size_tradeoff`.
        X : {array-like, sparse matrix} of shape (B, n_features)
            The training rows.
        y : array-like of shape (B,) or (B, n_outputs)
            The labels or targets of the rows.
        batch_sizes : list of {int, 'full', 'auto'}
            The batch sizes.
        X_val, y_val : array-like
            The validation set.
        n_jobs : int, default=None
            How many training runs to do at the same time.
        metric : str, default='validation_loss'
            The curve to draw: 'validation_loss', 'validation_score' or 'loss', see
            :meth:`plot`.
        ax : matplotlib Axes or pair of them, default=None
            The axes to draw in, see :meth:`plot`.

        Returns
        -------
        display : BatchSizeTradeoffDisplay
            The display, already drawn.
        """
        _check_metric(metric)
        tradeoff = batch_size_tradeoff(estimator, X, y, batch_sizes, X_val=X_val, y_val=y_val, n_jobs=n_jobs)
        display = cls(tradeoff, loss_name=loss_name(estimator), score_name=score_name(estimator))
        return display.plot(ax=ax, metric=metric)

    def plot(self, ax=None, *, metric="validation_loss"):
        """Draw the display.

        Parameters
        ----------
        ax : matplotlib Axes or pair of them, default=None
            The axes to draw in: two axes, or a single one of a grid of subplots, which
            is then split. None makes a new figure.
        metric : str, default='validation_loss'
            The curve to draw: 'validation_loss', 'validation_score' or 'loss', which is
            the training loss. The axes of losses and seconds are logarithmic.

        Returns
        -------
        self : BatchSizeTradeoffDisplay
            The display.
        """
        _check_metric(metric)
        tradeoff = self.tradeoff
        sizes = np.asarray(tradeoff.batch_sizes)
        self.figure_, self.ax_ = panels("BatchSizeTradeoffDisplay.plot", ax, 2, sharey=True)
        # Small batch sizes are dark and large ones are light. The palest colours are left out.
        shades = pyplot("").get_cmap("viridis")(np.linspace(0.0, 0.82, len(sizes)))[np.argsort(np.argsort(sizes))]

        self.lines_: list[list] = [[], []]
        for k, (size, history) in enumerate(zip(sizes, tradeoff.histories, strict=True)):
            label = f"{size:,} (full batch)" if size == tradeoff.n_rows else f"{size:,}"
            style = {"color": shades[k], "linestyle": LINE_STYLES[k % len(LINE_STYLES)], "label": label}
            style |= {"marker": MARKERS[k % len(MARKERS)], "markersize": 5}
            style["markevery"] = marks(len(history["epoch"]), shift=k)
            for lines, axes, key in zip(self.lines_, self.ax_, ("epoch", "seconds"), strict=True):
                lines += axes.plot(history[key], history[metric], **style)

        self.ax_[0].set(xlabel="epoch", ylabel=self._label(metric))
        self.ax_[1].set(xlabel="training time (s)", xscale="log")
        self.ax_[1].xaxis.set_minor_formatter("")  # the labels of 2, 3, 4, ... times a power of ten would overlap
        if metric != "validation_score":
            for axes in self.ax_:
                axes.set_yscale("log")
            for axes in self.ax_:
                log_ticks(axes.yaxis)
        whole_ticks(self.ax_[0].xaxis)
        for axes in self.ax_:
            grid(axes)
        if ax is None:
            self.ax_[1].legend(title="batch size (rows)", loc="center left", bbox_to_anchor=(1.02, 0.5))
        else:
            self.ax_[0].legend(title="batch size (rows)")
        return self

    def _label(self, metric):
        """The label of the y axis."""
        if metric == "validation_score":
            return self.score_name
        return f"{'training' if metric == 'loss' else 'validation'} {self.loss_name}"


def _check_metric(metric):
    if metric not in METRICS:
        raise ValueError(f"metric must be one of {METRICS}, got {metric!r}.")
