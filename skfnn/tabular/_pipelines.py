"""Pipelines from a raw table to a network."""

from sklearn import get_config
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder

from .._classifier import FNNClassifier
from .._regressor import FNNRegressor
from . import _settings
from ._averaged import _OWN, AveragedFNNClassifier, AveragedFNNRegressor
from ._encoder import PiecewiseLinearEncoder
from ._kinds import categories, numbers
from ._words import words


def make_tabular_classifier(*, n_nets=None, n_jobs=None, **params):
    """Make a pipeline that turns a raw table into class probabilities.

    The first step makes numbers of order one of every column: numbers go through
    :class:`PiecewiseLinearEncoder`, and text, categories and booleans through
    :class:`sklearn.preprocessing.OneHotEncoder`. The second step trains networks with
    settings for tables and averages their predictions [1]_. Batch size, number of epochs
    and learning rate depend on the number of rows.

    Parameters
    ----------
    n_nets : int, default=None
        The number of networks. None takes the number that was found good on development
        tables. Training takes `n_nets` times as long as that of one network.
    n_jobs : int, default=None
        The number of processes that train networks at the same time, as in joblib.
    **params
        Parameters of :class:`~skfnn.FNNClassifier` that replace the settings for tables.

    Returns
    -------
    model : sklearn.pipeline.Pipeline
        The pipeline, not fitted, with the steps 'columns' and 'net'. After `fit`,
        ``model[-1].nets_`` has the networks.

    See Also
    --------
    make_tabular_regressor : The same for numbers to predict.
    PiecewiseLinearEncoder : The encoding of the numbers.

    Notes
    -----
    The table is a pandas or polars frame, or an array. The columns are sorted by their
    types in `fit`:

    - Integers and floats are numbers, also if the column has the type object. Text,
      categories and booleans are categories. To treat whole numbers as categories, make
      text of them.
    - A missing number has a column of its own. A missing category is a category.
    - Categories with fewer than four rows in `fit`, and categories that are new in
      `predict`, count as one rare category. If no category of the column is rare in `fit`,
      new ones are zeros in all columns.
    - Columns of dates or durations, and two columns of the same name, raise an error.

    In a search, the names of the parameters begin with

    - ``net__estimator__`` for the parameters of a network: ``net__estimator__dropout``;
    - ``net__`` for `n_nets`, `max_iter`, `batch_size`, `learning_rate_init`,
      `random_state` and `n_jobs`: ``net__max_iter``;
    - ``columns__numbers__`` for the encoder: ``columns__numbers__n_bins``;
    - ``columns__categories__one_hot__`` for the categories.

    If metadata routing is enabled when this function is called, the pipeline passes
    `X_val`, `y_val`, `sample_weight` and `sample_weight_val` from `fit` to the networks,
    and transforms `X_val` as it transforms `X`.

    References
    ----------
    .. [1] Lakshminarayanan, Pritzel and Blundell (2017), "Simple and scalable predictive
       uncertainty estimation using deep ensembles", :arxiv:`1612.01474`.

    Examples
    --------
    >>> import pandas as pd
    >>> from skfnn.tabular import make_tabular_classifier
    >>> X = pd.DataFrame({
    ...     "age": [23, 31, None, 52] * 20,
    ...     "city": ["Rome", None, "Oslo", "Rome"] * 20,
    ...     "member": [True, False, False, True] * 20,
    ... })
    >>> y = ["yes", "no", "no", "yes"] * 20
    >>> model = make_tabular_classifier(n_nets=2, max_iter=20, random_state=0)
    >>> model.fit(X, y).predict(X[:4])
    array(['yes', 'no', 'no', 'yes'], dtype='<U3')
    """
    return _pipeline(AveragedFNNClassifier, FNNClassifier, _settings.CLASSIFIER, n_nets, n_jobs, params)


def make_tabular_regressor(*, n_nets=None, n_jobs=None, **params):
    """Make a pipeline that turns a raw table into predicted numbers.

    The first step makes numbers of order one of every column: numbers go through
    :class:`PiecewiseLinearEncoder`, and text, categories and booleans through
    :class:`sklearn.preprocessing.OneHotEncoder`. The second step trains networks with
    settings for tables and averages their predictions [1]_. Batch size, number of epochs
    and learning rate depend on the number of rows.

    Parameters
    ----------
    n_nets : int, default=None
        The number of networks. None takes the number that was found good on development
        tables. Training takes `n_nets` times as long as that of one network.
    n_jobs : int, default=None
        The number of processes that train networks at the same time, as in joblib.
    **params
        Parameters of :class:`~skfnn.FNNRegressor` that replace the settings for tables.

    Returns
    -------
    model : sklearn.pipeline.Pipeline
        The pipeline, not fitted, with the steps 'columns' and 'net'. After `fit`,
        ``model[-1].nets_`` has the networks.

    See Also
    --------
    make_tabular_classifier : The same for classes.
    PiecewiseLinearEncoder : The encoding of the numbers.

    Notes
    -----
    The table is a pandas or polars frame, or an array. The columns are sorted by their
    types in `fit`:

    - Integers and floats are numbers, also if the column has the type object. Text,
      categories and booleans are categories. To treat whole numbers as categories, make
      text of them.
    - A missing number has a column of its own. A missing category is a category.
    - Categories with fewer than four rows in `fit`, and categories that are new in
      `predict`, count as one rare category. If no category of the column is rare in `fit`,
      new ones are zeros in all columns.
    - Columns of dates or durations, and two columns of the same name, raise an error.

    In a search, the names of the parameters begin with

    - ``net__estimator__`` for the parameters of a network: ``net__estimator__dropout``;
    - ``net__`` for `n_nets`, `max_iter`, `batch_size`, `learning_rate_init`,
      `random_state` and `n_jobs`: ``net__max_iter``;
    - ``columns__numbers__`` for the encoder: ``columns__numbers__n_bins``;
    - ``columns__categories__one_hot__`` for the categories.

    If metadata routing is enabled when this function is called, the pipeline passes
    `X_val`, `y_val`, `sample_weight` and `sample_weight_val` from `fit` to the networks,
    and transforms `X_val` as it transforms `X`.

    References
    ----------
    .. [1] Lakshminarayanan, Pritzel and Blundell (2017), "Simple and scalable predictive
       uncertainty estimation using deep ensembles", :arxiv:`1612.01474`.

    Examples
    --------
    >>> import pandas as pd
    >>> from skfnn.tabular import make_tabular_regressor
    >>> X = pd.DataFrame({
    ...     "age": [23, 31, None, 52] * 20,
    ...     "city": ["Rome", None, "Oslo", "Rome"] * 20,
    ...     "member": [True, False, False, True] * 20,
    ... })
    >>> y = [10.0, 20.0, 30.0, 40.0] * 20
    >>> model = make_tabular_regressor(n_nets=2, max_iter=20, random_state=0)
    >>> round(model.fit(X, y).score(X, y), 1)
    1.0
    """
    return _pipeline(AveragedFNNRegressor, FNNRegressor, _settings.REGRESSOR, n_nets, n_jobs, params)


def _pipeline(averaged, network, settings, n_nets, n_jobs, params):
    """The pipeline of a kind of network; `params` go to the average or to each network."""
    own = {name: params[name] for name in _OWN if name in params}
    others = {name: value for name, value in params.items() if name not in own}
    net = network(**_settings.NET | settings | others)
    routes = get_config()["enable_metadata_routing"]
    if routes:
        net.set_fit_request(sample_weight=True, X_val=True, y_val=True, sample_weight_val=True)
    average = averaged(net, _settings.N_NETS if n_nets is None else n_nets, n_jobs=n_jobs, **own)
    steps = [("columns", _columns()), ("net", average)]
    return Pipeline(steps, transform_input=["X_val"] if routes else None)


def _columns():
    """What makes numbers of order one of every column."""
    one_hot = Pipeline(
        [
            ("words", FunctionTransformer(words, feature_names_out="one-to-one")),
            ("one_hot", OneHotEncoder(**_settings.ONE_HOT)),
        ]
    )
    encoder = PiecewiseLinearEncoder(**_settings.ENCODER)
    return ColumnTransformer([("numbers", encoder, numbers), ("categories", one_hot, categories)], sparse_threshold=0.0)
