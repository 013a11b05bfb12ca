"""Pipelines from a raw table to a network."""

from functools import partial

from sklearn import get_config
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder

from .._classifier import FNNClassifier
from .._estimator.docs import with_common_parts
from .._regressor import FNNRegressor
from . import _settings
from ._averaged import _OWN, AveragedFNNClassifier, AveragedFNNRegressor
from ._docs import PARTS
from ._encoder import PiecewiseLinearEncoder
from ._kinds import categories, numbers
from ._words import words

_with_common_parts = partial(with_common_parts, parts=PARTS)


@_with_common_parts
def make_tabular_classifier(*, n_nets=None, n_folds=_settings.N_FOLDS, n_jobs=None, **params):
    """Make a pipeline that turns a raw table into class probabilities.

    One number, the temperature [2]_, makes all probabilities softer or sharper. It is
    chosen so that the log loss of the networks on the rows they leave out is low.

    <steps and numbers>
    **params
        Parameters of :class:`~skfnn.FNNClassifier` that replace the settings for tables.

    <returns>

    See Also
    --------
    make_tabular_regressor : The same for numbers to predict.
    PiecewiseLinearEncoder : The encoding of the numbers.

    <notes and references>

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
    average = {"n_nets": n_nets, "n_folds": n_folds, "n_jobs": n_jobs}
    return _pipeline(AveragedFNNClassifier, FNNClassifier, _settings.CLASSIFIER, average, params)


@_with_common_parts
def make_tabular_regressor(*, n_nets=None, n_folds=_settings.N_FOLDS, n_jobs=None, **params):
    """Make a pipeline that turns a raw table into predicted numbers.

    <steps and numbers>
    **params
        Parameters of :class:`~skfnn.FNNRegressor` that replace the settings for tables.

    <returns>

    See Also
    --------
    make_tabular_classifier : The same for classes.
    PiecewiseLinearEncoder : The encoding of the numbers.

    <notes and references>

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
    average = {"n_nets": n_nets, "n_folds": n_folds, "n_jobs": n_jobs}
    return _pipeline(AveragedFNNRegressor, FNNRegressor, _settings.REGRESSOR, average, params)


def _pipeline(averaged, network, settings, average, params):
    """The pipeline of a kind of network; `average` goes to the average, `params` to it or to each network."""
    own = {name: params[name] for name in _OWN if name in params}
    others = {name: value for name, value in params.items() if name not in own}
    net = network(**_settings.NET | settings | others)
    routes = get_config()["enable_metadata_routing"]
    if routes:
        net.set_fit_request(sample_weight=True, X_val=True, y_val=True, sample_weight_val=True)
    if average["n_nets"] is None:
        average["n_nets"] = _settings.N_NETS
    steps = [("columns", _columns()), ("net", averaged(net, **average, **own))]
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
