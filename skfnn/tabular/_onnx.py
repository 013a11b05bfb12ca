"""The encoder and the average of networks as nodes of an ONNX graph."""

import numpy as np

from ._bins import half
from ._encoder import CLIP, FAR


def encode(graph, encoder, x, out):
    """Add the columns of a PiecewiseLinearEncoder for the rows `x`, (n, n_features)."""
    scaled, binned, flagged = encoder._sources()
    missing = graph.add("IsNaN", x)
    x = graph.add("Where", missing, encoder.center_, x)
    parts = []
    if len(scaled):
        z = graph.add("Sub", graph.add("Gather", x, scaled, axis=1), encoder.center_[scaled])
        z = graph.add("Div", z, encoder.scale_[scaled])
        z = graph.add("Max", graph.add("Min", z, FAR), -FAR)
        third = graph.add("Div", z, CLIP)
        root = graph.add("Sqrt", graph.add("Add", graph.add("Mul", third, third), 1.0))
        parts.append(graph.add("Div", z, root))
    if len(binned):
        left, width, low, high = encoder._bins(np.dtype(graph.dtype))
        e = graph.add("Sub", graph.add("Mul", graph.add("Gather", x, binned, axis=1), half(1.0)), left)
        e = graph.add("Div", e, width)
        parts.append(graph.add("Max", graph.add("Min", e, high), low))
    if len(flagged):
        parts.append(graph.add("Gather", graph.cast(missing, graph.dtype), flagged, axis=1))
    graph.add("Concat", *parts, axis=1, out=out)


def mean(graph, values, out=None):
    """Add the mean of values of equal shape."""
    return graph.add("Div", graph.add("Sum", *values), float(len(values)), out=out)


def at_temperature(graph, p, temperature, is_multilabel, out):
    """Add the probabilities `p`, (n, n_outputs), at a temperature."""
    z = graph.add("Log", p)
    if not is_multilabel:
        return graph.add("Softmax", graph.add("Div", z, temperature), axis=1, out=out)
    z = graph.add("Sub", z, graph.add("Log", graph.add("Sub", 1.0, p)))
    return graph.add("Sigmoid", graph.add("Div", z, temperature), out=out)
