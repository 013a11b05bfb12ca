"""A classifier that trains for six epochs, and its table."""

from sklearn.datasets import make_classification

from skfnn import FNNClassifier

X, y = make_classification(120, 8, n_informative=5, n_classes=3, random_state=0)
X_val, y_val = X[90:], y[90:]
X, y = X[:90], y[:90]


def estimator(**params):
    """An estimator that trains for exactly six epochs unless told otherwise."""
    settings = {
        "hidden_layer_sizes": (7,),
        "batch_size": 20,
        "max_iter": 6,
        "tol": 0.0,
        "n_iter_no_change": 1000,
        "random_state": 0,
    }
    return FNNClassifier(**(settings | params))
