"""A classifier that trains for a moment."""

from skfnn import FNNClassifier


def estimator(**params):
    settings = {"hidden_layer_sizes": (6,), "batch_size": 20, "max_iter": 5, "random_state": 0}
    return FNNClassifier(**(settings | params))
