"""Fitted models as ONNX graphs, converted by skl2onnx."""

from math import sqrt
from numbers import Real

import numpy as np
from sklearn.base import is_classifier
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from ._classifier import FNNClassifier
from ._engine.activations import LEAKY_SLOPE, SELU_ALPHA, SELU_SCALE
from ._regressor import FNNRegressor
from .tabular._averaged import AveragedFNNClassifier, AveragedFNNRegressor
from .tabular._encoder import PiecewiseLinearEncoder
from .tabular._onnx import at_temperature, encode, mean

__all__ = ["register_converters", "to_onnx"]


def to_onnx(model, X=None, *, options=None, **params):
    """Convert a fitted model to ONNX.

    This function calls :func:`register_converters` and then :func:`skl2onnx.to_onnx`.
    One default differs: the option 'zipmap' of classifiers is off, so the probabilities
    are an array and not a list of dicts.

    The graph computes in float64 if `X` is float64, and in float32 otherwise.

    Parameters
    ----------
    model : FNNClassifier, FNNRegressor, or Pipeline or other meta-estimator
        A fitted model. skl2onnx must be able to convert its other parts.
    X : ndarray of shape (n, n_features), default=None
        Rows of the type that the graph will receive. One row is enough, because only
        the dtype and the number of columns matter. None if `initial_types` is given.
    options : dict, default=None
        Options of the converters, as in :func:`skl2onnx.to_onnx`. FNNClassifier has the
        options 'zipmap', 'raw_scores' (return the output layer before its activation
        instead of probabilities), 'output_class_labels' and 'nocl'. A plain name, as in
        ``{"raw_scores": True}``, sets an option of the model or of the last step of a
        pipeline.
    **params
        The other parameters of :func:`skl2onnx.to_onnx`: `initial_types`,
        `target_opset`, `name` and so on.

    Returns
    -------
    onnx_model : onnx.ModelProto
        The graph. A classifier has two outputs: 'label' of shape (n,), or (n, n_labels)
        for a multilabel problem, and 'probabilities' of shape (n, n_classes). A
        regressor has one output of shape (n, n_outputs).

    Raises
    ------
    ImportError
        If skl2onnx is not installed.
    NotFittedError
        If the model is not fitted.

    Examples
    --------
    With the extra ``onnx`` installed::

        from skfnn.onnx import to_onnx

        onnx_model = to_onnx(clf, X[:1].astype("float32"))
        with open("clf.onnx", "wb") as file:
            file.write(onnx_model.SerializeToString())
    """
    register_converters()
    import skl2onnx

    check_is_fitted(model)
    if is_classifier(model):
        options = _without_zipmap(model, options or {})
    return skl2onnx.to_onnx(model, X, options=options, **params)


def register_converters():
    """Register the converters of skfnn's estimators with skl2onnx.

    After this call, :func:`skl2onnx.to_onnx` and :func:`skl2onnx.convert_sklearn`
    convert FNNClassifier, FNNRegressor and the parts of ``skfnn.tabular``, alone or
    inside pipelines and other meta-estimators.
    :func:`to_onnx` makes this call itself. You can call it more than once.

    Raises
    ------
    ImportError
        If skl2onnx is not installed.

    Examples
    --------
    With the extra ``onnx`` installed::

        import skl2onnx
        from skfnn.onnx import register_converters

        register_converters()
        onnx_model = skl2onnx.to_onnx(pipeline, X[:1].astype("float32"))
    """
    try:
        from skl2onnx import update_registered_converter
    except ImportError as error:
        raise ImportError('The ONNX export needs skl2onnx: install skfnn with the extra "onnx".') from error
    options = {"zipmap": [True, False, "columns"], "output_class_labels": [False, True], "nocl": [True, False]}
    for model, types, converter, more in (
        (FNNClassifier, _set_classifier_types, _convert_classifier, options | {"raw_scores": [True, False]}),
        (AveragedFNNClassifier, _set_classifier_types, _convert_mean_classifier, options),
        (FNNRegressor, _set_regressor_types, _convert_regressor, None),
        (AveragedFNNRegressor, _set_regressor_types, _convert_mean_regressor, None),
        (PiecewiseLinearEncoder, _set_encoder_types, _convert_encoder, None),
    ):
        update_registered_converter(model, f"Skfnn{model.__name__}", types, converter, options=more)


def _without_zipmap(model, options):
    """The options for converting a classifier, with 'zipmap' off unless the options set it."""
    last = model
    while isinstance(last, Pipeline):
        last = last[-1]
    if any(not isinstance(key, str) for key in options):  # one dict per estimator, given by id or class
        own = options.get(type(last), {}) | options.get(id(last), {})
        return options | {id(last): {"zipmap": False} | own}
    if any("__" in key or isinstance(value, dict) for key, value in options.items()):  # options by the names of steps
        return {"zipmap": False} | options
    return {id(last): {"zipmap": False} | options}


# skl2onnx needs two functions per estimator: one sets the types of its outputs, one adds its nodes.


def _set_classifier_types(operator):
    from skl2onnx.common.data_types import Int64TensorType, StringTensorType

    model, n = operator.raw_operator, _checked_rows(operator, n_outputs=2)
    classes = _exported_classes(operator.scope_inst, model)
    label_type = StringTensorType if classes.dtype.kind == "U" else Int64TensorType
    operator.outputs[0].set_type(label_type([n, len(classes)] if _nets(model)[0]._task.multilabel else [n]))
    operator.outputs[1].type.shape = [n, len(classes)]


def _set_regressor_types(operator):
    n = _checked_rows(operator, n_outputs=1)
    operator.outputs[0].type.shape = [n, _nets(operator.raw_operator)[0].n_outputs_]


def _set_encoder_types(operator):
    encoder = operator.raw_operator
    operator.outputs[0].type.shape = [_checked_rows(operator, n_outputs=1), len(encoder.get_feature_names_out())]


def _nets(model):
    """The networks of an average, or the network alone."""
    return getattr(model, "nets_", [model])


def _checked_rows(operator, n_outputs):
    """Check that the operator can be converted; return the number of rows of its input (None: any number)."""
    from skl2onnx.common import data_types, utils

    utils.check_input_and_output_numbers(operator, input_count_range=1, output_count_range=n_outputs)
    names = ("Float", "Double", "Boolean", "Int8", "UInt8", "Int32", "Int64")
    utils.check_input_and_output_types(operator, [getattr(data_types, f"{name}TensorType") for name in names])
    return operator.inputs[0].get_first_dimension()


def _exported_classes(scope, model):
    """The class labels as int64 or str, the only label types in ONNX. The option 'nocl' gives their numbers."""
    from skl2onnx.common.utils_classifier import get_label_classes

    classes = np.asarray(get_label_classes(scope, model))
    if all(isinstance(label, str) for label in classes):
        return classes.astype(str)
    if not all(isinstance(label, Real | np.bool_) and float(label).is_integer() for label in classes):
        raise ValueError(f"Only whole numbers and strings can be class labels in ONNX, got classes_={classes!r}.")
    return classes.astype(np.int64)


def _convert_classifier(scope, operator, container):
    model, graph = operator.raw_operator, _Graph(scope, operator, container)
    label, scores = (variable.full_name for variable in operator.outputs)
    raw = graph.raw_outputs(model)
    if model._task.multilabel:
        graph.add("Cast", graph.add("Greater", raw, 0.0), to=graph.types["int64"], out=label)
    else:
        if model._task.binary:
            raw = graph.add("Concat", graph.add("Neg", raw), raw, axis=1)
        # Like `predict`, take the class from the raw outputs, because probabilities may tie at 1.0.
        number = graph.add("ArgMax", raw, axis=1, keepdims=0)
        graph.add("Gather", _exported_classes(scope, model), number, out=label)
    raw_scores = container.get_options(model, {"raw_scores": False})["raw_scores"]
    OUTPUTS["identity" if raw_scores else model.out_activation_](graph, raw, scores)


def _convert_regressor(scope, operator, container):
    model, graph = operator.raw_operator, _Graph(scope, operator, container)
    OUTPUTS[model.out_activation_](graph, graph.raw_outputs(model), operator.outputs[0].full_name)


def _convert_mean_classifier(scope, operator, container):
    model, graph = operator.raw_operator, _Graph(scope, operator, container)
    label, scores = (variable.full_name for variable in operator.outputs)
    is_multilabel, is_calibrated = model.nets_[0]._task.multilabel, model.temperature_ != 1.0
    p = mean(graph, [_activated(graph, net) for net in model.nets_], None if is_calibrated else scores)
    if is_calibrated:
        p = at_temperature(graph, p, model.temperature_, is_multilabel, scores)
    if is_multilabel:
        graph.add("Cast", graph.add("Greater", p, 0.5), to=graph.types["int64"], out=label)
    else:
        number = graph.add("ArgMax", p, axis=1, keepdims=0)
        graph.add("Gather", _exported_classes(scope, model), number, out=label)


def _convert_mean_regressor(scope, operator, container):
    model, graph = operator.raw_operator, _Graph(scope, operator, container)
    mean(graph, [_activated(graph, net) for net in model.nets_], operator.outputs[0].full_name)


def _activated(graph, net):
    """Add a network; return the name of its probabilities or predictions."""
    raw = graph.raw_outputs(net)
    if getattr(net._task, "binary", False):
        raw = graph.add("Concat", graph.add("Neg", raw), raw, axis=1)
    return OUTPUTS[net.out_activation_](graph, raw, None)


def _convert_encoder(scope, operator, container):
    graph = _Graph(scope, operator, container)
    rows = graph.cast(operator.inputs[0].full_name, graph.dtype)
    encode(graph, operator.raw_operator, rows, operator.outputs[0].full_name)


class _Graph:
    """Adds nodes to the graph of a container. Strings are names of values; arrays and numbers become constants."""

    def __init__(self, scope, operator, container):
        from onnx import TensorProto
        from skl2onnx.common.data_types import DoubleTensorType

        self._scope, self._container, self._input = scope, container, operator.inputs[0]
        self.types = {
            "float32": TensorProto.FLOAT,
            "float64": TensorProto.DOUBLE,
            "int64": TensorProto.INT64,
            "str": TensorProto.STRING,
        }
        self.dtype = "float64" if isinstance(self._input.type, DoubleTensorType) else "float32"

    def add(self, op_type, *inputs, out=None, **attributes):
        """Add a node and return the name of its output, which is `out` if given."""
        names = [value if isinstance(value, str) else self._constant(value) for value in inputs]
        out = out or self._scope.get_unique_variable_name(op_type.lower())
        name = self._scope.get_unique_operator_name(op_type)
        self._container.add_node(op_type, names, out, name=name, **attributes)
        return out

    def cast(self, value, dtype):
        """Add a type conversion and return the name of its output."""
        return self.add("Cast", value, to=self.types[dtype])

    def raw_outputs(self, model):
        """Add all layers, without the last activation, and return the name of the raw outputs (n, n_outputs).

        The graph uses the layers in the coordinates of training. In the user's units, float32 would have too few digits
        for features with a large offset.
        """
        state = model._state.updated()
        coordinates = state.coordinates
        h = self._rows(coordinates)
        for name, layer in zip(
            [*state.network.activations, "identity"], state.network.layers(state.theta), strict=True
        ):
            h = ACTIVATIONS[name](self, self.add("Gemm", h, layer[:-1], layer[-1]))
        if coordinates.target_scale is not None:
            h = self.add("Add", self.add("Mul", h, coordinates.target_scale), coordinates.target_mean)
        return h

    def _rows(self, coordinates):
        """Add the shift and the scale of the rows and return the name of the result."""
        from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType

        h = self._input.full_name
        if coordinates.feature_mean is not None:
            # Subtract in float64: the difference of two large numbers can be small and must stay exact.
            mean = self._constant(coordinates.feature_mean, "float64")
            h = self.cast(self.add("Sub", self.cast(h, "float64"), mean), self.dtype)
        elif not isinstance(self._input.type, DoubleTensorType | FloatTensorType):
            h = self.cast(h, self.dtype)
        return h if coordinates.feature_scale is None else self.add("Div", h, coordinates.feature_scale)

    def _constant(self, value, dtype=None):
        """Add an array or a number and return its name. Floats get `dtype`, or the type in which the graph computes."""
        value, floats, dtype = np.asarray(value), dtype or self.dtype, "int64"
        if value.dtype.kind == "f":
            dtype = floats
            value = value.astype(dtype)
        elif value.dtype.kind == "U":
            dtype = "str"
            value = np.char.encode(value, "utf-8").astype(object)
        name = self._scope.get_unique_variable_name("constant")
        self._container.add_initializer(name, self.types[dtype], value.shape, value.ravel())
        return name


# These activations use only operators that onnxruntime also has in float64. In float64, onnxruntime has no Elu, Selu,
# Softplus, LeakyRelu or Gelu.


def _logistic(graph, z, out=None):
    # onnxruntime's own Sigmoid has an absolute error of 1e-7 in float32 and returns 0 below -18.
    return graph.add("Reciprocal", graph.add("Add", graph.add("Exp", graph.add("Neg", z)), 1.0), out=out)


def _leaky_relu(graph, z):
    return graph.add("Max", z, graph.add("Mul", z, LEAKY_SLOPE))


def _elu(graph, z, alpha=1.0):
    below = graph.add("Sub", graph.add("Exp", graph.add("Min", z, 0.0)), 1.0)
    return graph.add("Add", graph.add("Relu", z), graph.add("Mul", below, alpha))


def _selu(graph, z):
    return graph.add("Mul", _elu(graph, z, SELU_ALPHA), SELU_SCALE)


def _gelu(graph, z):
    # onnxruntime has Erf in float32 only. Its error is at most 1e-7.
    scaled = graph.add("Mul", z, sqrt(0.5))
    erf = graph.cast(graph.add("Erf", graph.cast(scaled, "float32")), graph.dtype)
    return graph.add("Mul", graph.add("Mul", z, 0.5), graph.add("Add", erf, 1.0))


def _silu(graph, z):
    return graph.add("Mul", z, _logistic(graph, z))


def _softplus(graph, z):
    tail = graph.add("Exp", graph.add("Neg", graph.add("Abs", z)))
    return graph.add("Add", graph.add("Relu", z), graph.add("Log", graph.add("Add", tail, 1.0)))


ACTIVATIONS = {
    "identity": lambda graph, z: z,
    "logistic": _logistic,
    "tanh": lambda graph, z: graph.add("Tanh", z),
    "relu": lambda graph, z: graph.add("Relu", z),
    "leaky_relu": _leaky_relu,
    "elu": _elu,
    "selu": _selu,
    "gelu": _gelu,
    "silu": _silu,
    "softplus": _softplus,
}

OUTPUTS = {
    "identity": lambda graph, z, out: graph.add("Identity", z, out=out),
    "exp": lambda graph, z, out: graph.add("Exp", z, out=out),
    "logistic": _logistic,
    "softmax": lambda graph, z, out: graph.add("Softmax", z, axis=1, out=out),
}
