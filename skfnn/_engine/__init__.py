"""One epoch of training and prediction, on arrays."""
