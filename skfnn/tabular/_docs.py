"""The docstring parts that the two pipelines for tables share, and those of their averages of networks."""

PARTS = {
    "<steps and numbers>": """\
    The first step makes numbers of order one of every column: numbers go through
    :class:`PiecewiseLinearEncoder`, and text, categories and booleans through
    :class:`sklearn.preprocessing.OneHotEncoder`. The second step trains networks with
    settings for tables and averages their predictions [1]_. Batch size, number of epochs
    and learning rate depend on the number of rows. Each network leaves out another fold of
    the rows, and keeps the weights of the epoch with the lowest loss on it.

    Parameters
    ----------
    n_nets : int, default=None
        The number of networks. None takes the number that was found good on development
        tables. Training takes `n_nets` times as long as that of one network.
    n_folds : int, default=8
        The number of folds. Network number k leaves out fold k; if there are more networks
        than folds, several leave out the same fold. With None, or with fewer than four
        rows per fold, all networks train on all rows until the last epoch.
    n_jobs : int, default=None
        The number of processes that train networks at the same time, as in joblib.
""",
    "<parameters of an average>": """\
    Parameters
    ----------
    estimator : FNNClassifier or FNNRegressor
        The network, which is copied and not trained itself.
    n_nets : int, default=1
        The number of networks.
    n_folds : int, default=None
        The number of folds of the rows. Network number k leaves out fold k. With None, all
        networks train on all rows.
    max_iter : 'auto' or int, default='auto'
        The number of epochs of each network. 'auto' chooses it for the number of rows.
    batch_size : 'auto', 'full' or int, default='auto'
        The number of rows in a mini-batch. 'auto' chooses it for the number of rows.
    learning_rate_init : 'auto' or float, default='auto'
        The learning rate eta. 'auto' chooses it for the batch size.
    n_jobs : int, default=None
        The number of processes that train networks at the same time, as in joblib.
    random_state : int, RandomState instance or None, default=None
        Determines the seeds of the networks.
""",
    "<returns>": """\
    Returns
    -------
    model : sklearn.pipeline.Pipeline
        The pipeline, not fitted, with the steps 'columns' and 'net'. After `fit`,
        ``model[-1].nets_`` has the networks.
""",
    "<notes and references>": """\
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
    - ``net__`` for `n_nets`, `n_folds`, `max_iter`, `batch_size`, `learning_rate_init`,
      `random_state` and `n_jobs`: ``net__max_iter``;
    - ``columns__numbers__`` for the encoder: ``columns__numbers__n_bins``;
    - ``columns__categories__one_hot__`` for the categories.

    If metadata routing is enabled when this function is called, the pipeline passes
    `X_val`, `y_val`, `sample_weight` and `sample_weight_val` from `fit` to the networks,
    and transforms `X_val` as it transforms `X`.

    If you give a validation set or a `validation_fraction`, the networks leave out no
    folds.

    References
    ----------
    .. [1] Lakshminarayanan, Pritzel and Blundell (2017), "Simple and scalable predictive
       uncertainty estimation using deep ensembles", :arxiv:`1612.01474`.
    .. [2] Guo, Pleiss, Sun and Weinberger (2017), "On calibration of modern neural
       networks", :arxiv:`1706.04599`.
""",
}
