"""The L2 term of the objective."""

from .blas import blas


class L2Penalty:
    """``decay / 2 * ||W||^2`` over the weights of `layers`, with decay = alpha/B; biases are not penalised."""

    def __init__(self, layers, decay):
        self.decay = decay
        self._weights = [layer[:-1].reshape(-1) for layer in layers]
        self._blas = blas(layers[0].dtype)

    def value(self):
        """The penalty at the present weights."""
        if not self.decay:
            return 0.0
        return 0.5 * self.decay * sum(float(self._blas.dot(w, w)) for w in self._weights)

    def add_gradient(self, layers):
        """Add the penalty's gradient to the gradient of each layer, in place."""
        if self.decay:
            for weights, gradient in zip(self._weights, layers, strict=True):
                self._blas.axpy(weights, gradient[:-1].reshape(-1), weights.size, self.decay)
