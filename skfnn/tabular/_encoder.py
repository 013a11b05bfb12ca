"""Piecewise linear encoding of numbers, `PiecewiseLinearEncoder`."""

from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin, _fit_context
from sklearn.utils.validation import FLOAT_DTYPES, _check_feature_names_in, check_is_fitted, validate_data

from .._estimator.constraints import CONSTRAINTS
from .._estimator.doc_links import DocumentationLink
from ._bins import describe, half
from ._kinds import readable

_Strings = type(CONSTRAINTS["init"][0])
_Interval = type(CONSTRAINTS["alpha"][0])

# Scaled columns stay within this distance from 0, and are almost linear within a third of it.
CLIP = 3.0
FAR = 1e6  # the square of a larger number could overflow; the smooth clip makes the same of both


class PiecewiseLinearEncoder(DocumentationLink, TransformerMixin, BaseEstimator):
    """Encode each number by its position along the quantiles of its column.

    The quantiles of a column cut its range into bins with edges
    :math:`b_0 < b_1 < ... < b_T`. A value x becomes T columns [1]_::

        e_t(x) = (x - b_{t-1}) / (b_t - b_{t-1}), clipped to [0, 1]

    Bins below x are 1, bins above x are 0, and the bin of x has the position within it.
    A linear function of these columns is a continuous piecewise linear function of x, so
    the first layer of a network can bend at each quantile. Skewed columns and columns of
    any unit become numbers from 0 to 1.

    Parameters
    ----------
    n_bins : int, default=8
        The largest number of bins of a column. A column with at most ``n_bins + 1``
        different values has an edge at each value. Equal quantiles count once, so a column
        can have fewer bins.
    include_scaled : bool, default=True
        Whether to keep each column beside its bins. The column is then shifted by its
        median, divided by the distance between its quartiles, and clipped smoothly to
        (-3, 3) by ``z / sqrt(1 + (z / 3)^2)`` [2]_. If the quartiles are equal, it is
        divided by half the range.
    extrapolation : {'clip', 'linear'}, default='clip'
        What becomes of values outside the range seen in `fit`. 'clip' treats them as the
        nearest value of the range. 'linear' continues the first and the last bin, below 0
        and above 1.

    Attributes
    ----------
    bin_edges_ : list of ndarray
        The edges of the bins of each column, fewer than two for a column without a bin.
    center_ : ndarray of shape (n_features,)
        The median of each column. It stands in for missing values.
    scale_ : ndarray of shape (n_features,)
        What each column is divided by for `include_scaled`.
    has_missing_ : ndarray of shape (n_features,)
        Whether a column had a missing value in `fit`.
    n_features_in_ : int
        The number of columns seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features,)
        Their names. Defined only if all names are strings.

    See Also
    --------
    make_tabular_classifier : A pipeline with this encoder.
    sklearn.preprocessing.KBinsDiscretizer : Bins without a position within them.
    sklearn.preprocessing.SplineTransformer : Smooth pieces that overlap.

    Notes
    -----
    The columns of the result are first the scaled columns, then the bins of all columns,
    then one column of 0 and 1 for each column that had missing values in `fit`, 1 where
    the value is missing. The other columns of a missing value are those of the median. A
    missing value in a column without one in `fit` is treated as the median.

    A column that is constant in `fit` adds nothing to the result, but its missing values
    do.

    float32 stays float32; everything else becomes float64.

    References
    ----------
    .. [1] Gorishniy, Rubachev and Babenko (2022), "On embeddings for numerical features in
       tabular deep learning", :arxiv:`2203.05556`.
    .. [2] Holzmüller, Grinsztajn and Steinwart (2024), "Better by default: strong pre-tuned
       MLPs and boosted trees on tabular data", :arxiv:`2407.04491`.

    Examples
    --------
    >>> import numpy as np
    >>> from skfnn.tabular import PiecewiseLinearEncoder
    >>> X = np.array([[0.0], [1.0], [4.0], [8.0], [np.nan]])
    >>> encoder = PiecewiseLinearEncoder(n_bins=3, include_scaled=False).fit(X)
    >>> encoder.bin_edges_
    [array([0., 1., 4., 8.])]
    >>> encoder.transform([[0.5], [6.0], [9.0]])
    array([[0.5, 0. , 0. , 0. ],
           [1. , 1. , 0.5, 0. ],
           [1. , 1. , 1. , 0. ]])
    >>> encoder.get_feature_names_out()
    array(['x0_bin1', 'x0_bin2', 'x0_bin3', 'x0_missing'], dtype=object)
    """

    _parameter_constraints = {  # noqa: RUF012  (scikit-learn's form)
        "n_bins": [_Interval(Integral, 1, None, closed="left")],
        "include_scaled": ["boolean"],
        "extrapolation": [_Strings({"clip", "linear"})],
    }

    def __init__(self, n_bins=8, *, include_scaled=True, extrapolation="clip"):
        self.n_bins = n_bins
        self.include_scaled = include_scaled
        self.extrapolation = extrapolation

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Find the bins of each column.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
            The rows. NaN stands for a missing value.
        y : None
            Ignored.

        Returns
        -------
        self : PiecewiseLinearEncoder
            The fitted encoder.

        Raises
        ------
        ValueError
            If X has infinite values, or text that is no number.
        """
        X = validate_data(self, readable(X), dtype=FLOAT_DTYPES, ensure_all_finite="allow-nan")
        columns = [describe(values, self.n_bins) for values in X.T]
        self.bin_edges_ = [column.edges for column in columns]
        self.center_ = np.array([column.center for column in columns])
        self.scale_ = np.array([column.scale for column in columns])
        self.has_missing_ = np.array([column.has_missing for column in columns])
        return self

    def transform(self, X):
        """Encode the rows.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
            The rows.

        Returns
        -------
        encoded : ndarray of shape (n, n_encoded)
            The columns that `get_feature_names_out` names.

        Raises
        ------
        ValueError
            If X has infinite values, text that is no number, or other columns than in
            `fit`.
        """
        check_is_fitted(self)
        X = validate_data(self, readable(X), dtype=FLOAT_DTYPES, ensure_all_finite="allow-nan", reset=False)
        missing = np.isnan(X)
        scaled, binned, flagged = self._sources()
        halves = half(np.where(missing, self.center_.astype(X.dtype), X) if missing.any() else X)
        encoded = np.empty((len(X), len(scaled) + len(binned) + len(flagged)), X.dtype)
        ends = np.cumsum([len(scaled), len(binned)])
        self._scale(halves, scaled, out=encoded[:, : ends[0]])
        self._position(halves, binned, out=encoded[:, ends[0] : ends[1]])
        encoded[:, ends[1] :] = missing[:, flagged]
        return encoded

    def get_feature_names_out(self, input_features=None):
        """Name the columns of the result.

        Parameters
        ----------
        input_features : array-like of str, default=None
            The names of the columns of X. None takes those seen in `fit`, else x0, x1 and
            so on.

        Returns
        -------
        names : ndarray of str
            ``age``, ``age_bin1``, ``age_bin2``, ..., ``age_missing``.
        """
        check_is_fitted(self, "n_features_in_")
        names = _check_feature_names_in(self, input_features)
        scaled, _, flagged = self._sources()
        bins = [f"{names[j]}_bin{t}" for j, edges in enumerate(self.bin_edges_) for t in range(1, len(edges))]
        missing = [f"{names[j]}_missing" for j in flagged]
        return np.array([*names[scaled], *bins, *missing], dtype=object)

    def _sources(self):
        """The numbers of the columns behind the scaled columns, the bins and the flags of missing values."""
        n_bins = np.array([max(len(edges) - 1, 0) for edges in self.bin_edges_], dtype=np.intp)
        varies = np.flatnonzero(n_bins)
        scaled = varies if self.include_scaled else varies[:0]
        return scaled, np.repeat(np.arange(len(n_bins)), n_bins), np.flatnonzero(self.has_missing_)

    def _scale(self, halves, columns, out):
        """Write the scaled, smoothly clipped columns into `out`, from halves of the values."""
        np.subtract(np.take(halves, columns, axis=1), half(self.center_[columns]).astype(halves.dtype), out=out)
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            out /= _positive(half(self.scale_[columns]), halves.dtype)
        np.clip(out, -FAR, FAR, out=out)
        out /= np.sqrt(1.0 + np.square(out / CLIP))

    def _position(self, halves, columns, out):
        """Write the positions along the bins into `out`, from halves of the values."""
        left, width, low, high = self._bins(halves.dtype)
        np.subtract(np.take(halves, columns, axis=1), left, out=out)  # twice as fast as halves[:, columns]
        with np.errstate(over="ignore"):
            out /= width
        np.clip(out, low, high, out=out)

    def _bins(self, dtype):
        """Half the left edge and half the width of each bin, and the bounds of the position in it."""
        edges = [half(edges) for edges in self.bin_edges_ if len(edges) > 1]
        if not edges:
            return (np.empty(0, dtype),) * 4
        left = np.concatenate([e[:-1] for e in edges]).astype(dtype)
        width = _positive(np.concatenate([np.diff(e) for e in edges]), dtype)
        low, high = np.zeros(len(left), dtype), np.ones(len(left), dtype)
        if self.extrapolation == "linear":
            ends = np.cumsum([len(e) - 1 for e in edges])
            low[np.append(0, ends[:-1])], high[ends - 1] = np.finfo(dtype).min, np.finfo(dtype).max
        return left, width, low, high

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _positive(widths, dtype):
    """The widths in another type; one that this type cannot hold becomes its smallest normal number."""
    return np.maximum(widths.astype(dtype), np.finfo(dtype).tiny)
