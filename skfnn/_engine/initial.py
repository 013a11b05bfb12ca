"""The rules for the initial parameters: how large they are in each layer.

He, Zhang, Ren and Sun (2015), "Delving deep into rectifiers", arXiv 1502.01852; Glorot and Bengio (2010),
"Understanding the difficulty of training deep feedforward neural networks"; LeCun, Bottou, Orr and Müller (1998),
"Efficient backprop".
"""

from collections.abc import Callable
from math import sqrt

import numpy as np

from .activations import ACTIVATIONS


def glorot(fan_in, fan_out, activation):
    """The bounds of weights and biases that ``MLPClassifier`` uses; logistic units get narrower ones."""
    bound = sqrt((2.0 if activation == "logistic" else 6.0) / (fan_in + fan_out))
    return bound, bound


def he(fan_in, fan_out, activation):
    """The bound that keeps the variance of the outputs of ReLU units the same from layer to layer; zero biases."""
    return sqrt(6.0 / fan_in), 0.0


def lecun(fan_in, fan_out, activation):
    """The bounds of weights and biases that PyTorch uses."""
    return 1.0 / sqrt(fan_in), 1.0 / sqrt(fan_in)


RULES: dict[str, Callable[[int, int, str], tuple[float, float]]] = {"glorot": glorot, "he": he, "lecun": lecun}


def rules_of_layers(init, activations):
    """The name of the rule for each layer.

    "auto" uses LeCun's bound in the first layer: with He's bound, a table of few features would start with
    pre-activations that are too large. Behind the first layer it uses He's bound for units like ReLU, because deep
    networks do not train without it, and Glorot's bound for other units and for the outputs.
    """
    if init != "auto":
        return [init] * (len(activations) + 1)
    behind = ["he" if ACTIVATIONS[name].relu_like else "glorot" for name in activations[1:]]
    return ["lecun", *behind, "glorot"] if activations else ["lecun"]


def initial_parameters(network, init, rng, dtype):
    """A parameter vector with random weights and biases, uniform within the bounds of the rule `init`."""
    theta = np.zeros(network.n_parameters, dtype)
    rules = rules_of_layers(init, network.activations)
    for layer, name, activation in zip(network.layers(theta), rules, [*network.activations, "identity"], strict=True):
        fan_in, fan_out = layer.shape[0] - 1, layer.shape[1]
        weights, biases = RULES[name](fan_in, fan_out, activation)
        if init == "auto":
            biases = 1.0 / sqrt(fan_in)
        layer[:-1] = rng.uniform(-weights, weights, (fan_in, fan_out))
        if biases:
            layer[-1] = rng.uniform(-biases, biases, fan_out)
    return theta
