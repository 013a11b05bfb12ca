"""The figures and axes that displays draw into."""

import numpy as np
from sklearn.base import is_classifier

# Lines differ in style and marker, so that they can be told apart in greyscale too.
LINE_STYLES = ("-", "--", "-.", ":")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
# A line with more points than this has markers only at some of its points.
MARKED_POINTS = 12


def pyplot(caller):
    """Import matplotlib.pyplot, or raise an ImportError that names `caller`."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(f"{caller} needs matplotlib: python -m pip install matplotlib") from error
    return plt


def panels(caller, ax, n_panels, *, sharey=False):
    """The figure and `n_panels` axes side by side: new axes, the given axes, or one given axes split into panels.

    One axes is split as in scikit-learn's PartialDependenceDisplay.
    """
    plt = pyplot(caller)
    if ax is None:
        width = 6.4 if n_panels == 1 else 5.0 * n_panels
        figure, axes = plt.subplots(
            1, n_panels, figsize=(width, 4.2), layout="constrained", squeeze=False, sharey=sharey
        )
        return figure, axes[0]
    given = np.asarray(ax, dtype=object).ravel()
    if len(given) == n_panels:
        return given[0].figure, given
    if len(given) != 1:
        raise ValueError(f"{caller} draws {n_panels} panel(s): ax must be 1 or {n_panels} axes, got {len(given)}.")
    place = given[0].get_subplotspec()
    if place is None:
        raise ValueError(f"{caller} draws {n_panels} panels: ax must be {n_panels} axes, or one of a grid to split.")
    given[0].set_axis_off()
    figure = given[0].figure
    # A layout engine sets the space between the panels itself.
    grid = place.subgridspec(1, n_panels, wspace=0.35 if figure.get_layout_engine() is None else None)
    axes = [figure.add_subplot(grid[0, 0])]
    axes += [figure.add_subplot(grid[0, k], sharey=axes[0] if sharey else None) for k in range(1, n_panels)]
    if sharey:
        for shared in axes[1:]:
            shared.tick_params(labelleft=False)
    return figure, np.array(axes, dtype=object)


def whole_ticks(axis):
    """Place the ticks of an axis of epochs at whole numbers only."""
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))


def log_ticks(axis):
    """Label a logarithmic axis with plain numbers: the fewer decades it covers, the more ticks in each of them."""
    from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

    low, high = axis.get_view_interval()
    decades = np.log10(high / low)
    subs = (1, 2, 5) if decades < 2.5 else (1,)
    axis.set_major_locator(MaxNLocator(5) if decades < 0.5 else LogLocator(subs=subs))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter("{x:g}")


def marks(n_points, shift=0):
    """Which points of a line have a marker: all points of a short line, about twelve points of a long one."""
    every = max(1, -(-n_points // MARKED_POINTS))
    return (shift % every, every)


def grid(ax):
    """Draw light grid lines behind the curves and remove the top and right sides of the frame."""
    ax.grid(alpha=0.3, which="major")
    ax.set_axisbelow(True)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)


def loss_name(model):
    """The name of an estimator's loss, with its unit if it has one."""
    names = {"squared_error": "half squared error", "poisson": "half Poisson deviance"}
    return names.get(getattr(model, "loss", ""), "cross-entropy loss (nats)")


def score_name(model, rows="validation"):
    """The name of an estimator's score on its validation set; `rows` is what these rows are called."""
    scoring = model.scoring
    if scoring is None:
        return f"{rows} accuracy" if is_classifier(model) else f"{rows} R²"
    if scoring == "loss":
        return f"minus the {rows} loss"
    name = scoring if isinstance(scoring, str) else getattr(scoring, "__name__", "score")
    return f"{rows} {name.replace('_', ' ')}"
