"""The solvers: plain SGD, momentum, Adam as steps in place.

A solver is constant settings; its state is a dict of arrays and numbers, made by ``init``, kept by the caller, worked
on between ``bind`` and the end of a training. ``step(gradient, eta)`` takes a step along the vector of the whole
gradient.

A mini-batch's gradient is low rank: ``1/n * A^T D`` for each layer, of the layer's inputs A and deltas D. Where
``takes_factors()`` holds, ``step_factors`` builds those products straight where they are wanted and no gradient is
ever written: `factors` has, for every layer, a function ``accumulate(scale, beta, out)`` that does
``out = beta * out + scale * A^T D``. `decay` is the L2 strength alpha/B; it acts on the weights, not on the biases.

Plain SGD and momentum are linear: ``transition(shrinkage)`` gives the matrix T and the numbers u of their step
``(W, V) <- T (W, V) + u P`` with ``P = -eta G`` and ``shrinkage = eta * decay``.
"""

from math import sqrt

import numpy as np

from .blas import blas

# Adam's passes over the parameters take so many at a time: 1.3 times as fast with 500,000, 1.7 times with 3,000,000.
PART = 65536


class PlainSGD:
    """``W <- W - eta * mean(G)``, nothing added."""

    def init(self, dtype, n_parameters):
        """The state before the first step."""
        return {}

    def bind(self, network, theta, state):
        """Work on these arrays from now on."""
        self._theta, self._layers = theta, network.layers(theta)
        self._axpy = blas(theta.dtype).axpy

    def step(self, gradient, eta):
        """Take a step, in place."""
        self._axpy(gradient, self._theta, gradient.size, -eta)

    def takes_factors(self):
        """Whether a step needs no gradient vector."""
        return True

    def step_factors(self, factors, n, eta, decay):
        """Take a step of the last ``len(factors)`` layers, in place."""
        shrink, scale = 1.0 - eta * decay, -eta / n
        for layer, accumulate in zip(self._layers[len(self._layers) - len(factors) :], factors, strict=True):
            if shrink != 1.0:
                np.multiply(layer[:-1], shrink, out=layer[:-1])
            accumulate(scale, 1.0, layer)

    def transition(self, shrinkage):
        """The matrix T (1, 1) and the vector u (1,) of a step."""
        return np.array([[1.0 - shrinkage]]), np.ones(1)

    def linear_layers(self):
        """The first layer's parts of W: the arrays that ``transition`` is about."""
        return [self._layers[0]]


class Momentum:
    """``V <- momentum * V - eta * G``, then ``W <- W + V``, or in Nesterov's form ``W <- W + momentum * V - eta * G``.

    Polyak (1964); Nesterov (1983), written as in Sutskever et al. (2013), "On the importance of initialization and
    momentum in deep learning", with W at the point looked ahead to.
    """

    def __init__(self, momentum, nesterov):
        self.momentum, self.nesterov = momentum, nesterov

    def init(self, dtype, n_parameters):
        """The state before the first step."""
        return {"velocity": np.zeros(n_parameters, dtype)}

    def bind(self, network, theta, state):
        """Work on these arrays from now on."""
        self._theta, self._velocity = theta, state["velocity"]
        self._layers, self._velocities = network.layers(theta), network.layers(self._velocity)
        self._axpy = blas(theta.dtype).axpy

    def step(self, gradient, eta):
        """Take a step, in place."""
        theta, velocity = self._theta, self._velocity
        self._look_back(theta, velocity)
        np.multiply(velocity, self.momentum, out=velocity)
        self._axpy(gradient, velocity, gradient.size, -eta)
        self._move(theta, velocity)

    def takes_factors(self):
        """Whether a step needs no gradient vector."""
        return True

    def step_factors(self, factors, n, eta, decay):
        """Take a step of the last ``len(factors)`` layers, in place."""
        first = len(self._layers) - len(factors)
        layers, velocities = self._layers[first:], self._velocities[first:]
        start = self._theta.size - sum(layer.size for layer in layers)
        theta, velocity = self._theta[start:], self._velocity[start:]
        if decay:
            for layer, v in zip(layers, velocities, strict=True):
                # What step's gradient has of the L2 term, divided by what the velocity is multiplied with below. It
                # is at the weights before the look back, and must not be looked back on.
                weights = layer[:-1].reshape(-1)
                self._axpy(weights, v[:-1].reshape(-1), weights.size, -eta * decay / self.momentum)
                if self.nesterov:
                    np.multiply(layer[:-1], 1.0 - eta * decay, out=layer[:-1])
        self._look_back(theta, velocity)
        for v, accumulate in zip(velocities, factors, strict=True):
            accumulate(-eta / n, self.momentum, v)
        self._move(theta, velocity)

    # -eta G = V_new - momentum V_old, so Nesterov's step is (1 + momentum) V_new - momentum V_old.
    def _look_back(self, theta, velocity):
        if self.nesterov:
            self._axpy(velocity, theta, theta.size, -self.momentum)

    def _move(self, theta, velocity):
        self._axpy(velocity, theta, theta.size, 1.0 + self.momentum if self.nesterov else 1.0)

    def transition(self, shrinkage):
        """The matrix T (2, 2) and the vector u (2,) of a step."""
        m = self.momentum
        velocity = np.array([-shrinkage, m])
        if self.nesterov:
            weights = np.array([1.0, -m]) + (1.0 + m) * velocity
            return np.array([weights, velocity]), np.array([1.0 + m, 1.0])
        weights = np.array([1.0, 0.0]) + velocity
        return np.array([weights, velocity]), np.ones(2)

    def linear_layers(self):
        """The first layer's parts of W and V: the arrays that ``transition`` is about."""
        return [self._layers[0], self._velocities[0]]


class Adam:
    """Adam (Kingma and Ba 2015, arXiv 1412.6980), in the form at the end of their section 2.

        M <- beta_1 M + (1 - beta_1) G,   V <- beta_2 V + (1 - beta_2) G^2
        W <- W - eta sqrt(1 - beta_2^t) / (1 - beta_1^t) * M / (sqrt(V) + epsilon)

    With `weight_decay` the weights, not the biases, first shrink by ``1 - eta * weight_decay``: AdamW (Loshchilov and
    Hutter 2019, arXiv 1711.05101, their algorithm 2 with eta for their schedule times alpha).

    The moments are kept divided by numbers `scale_1` and `scale_2` that take up the decay: two passes over the
    parameters less, and no denormal numbers where a feature is rarely non-zero. A scale that became small is put back
    to 1.
    """

    def __init__(self, beta_1, beta_2, epsilon, weight_decay=0.0):
        self.beta_1, self.beta_2, self.epsilon, self.weight_decay = beta_1, beta_2, epsilon, weight_decay

    def init(self, dtype, n_parameters):
        """The state before the first step."""
        moments = {name: np.zeros(n_parameters, dtype) for name in ("moment_1", "moment_2")}
        return moments | {"scale_1": 1.0, "scale_2": 1.0, "t": 0}

    def bind(self, network, theta, state):
        """Work on these arrays from now on."""
        self._theta, self._state = theta, state
        self._weights = [layer[:-1] for layer in network.layers(theta)] if self.weight_decay else []
        self._axpy = blas(theta.dtype).axpy

    def step(self, gradient, eta):
        """Take a step, in place; `gradient` is overwritten."""
        state, axpy = self._state, self._axpy
        for weights in self._weights:
            np.multiply(weights, 1.0 - eta * self.weight_decay, out=weights)
        state["t"] += 1
        scale_1, scale_2 = self._decay("1", self.beta_1), self._decay("2", self.beta_2)
        root = sqrt(scale_2)
        correction = sqrt(1.0 - self.beta_2 ** state["t"]) / (1.0 - self.beta_1 ** state["t"])
        # Part by part, so that the seven passes over a part find it in the cache.
        for start in range(0, gradient.size, PART):
            part = slice(start, start + PART)
            g, first, second = gradient[part], state["moment_1"][part], state["moment_2"][part]
            axpy(g, first, g.size, (1.0 - self.beta_1) / scale_1)
            np.multiply(g, g, out=g)
            axpy(g, second, g.size, (1.0 - self.beta_2) / scale_2)
            np.sqrt(second, out=g)
            np.add(g, self.epsilon / root, out=g)
            np.divide(first, g, out=g)
            axpy(g, self._theta[part], g.size, -eta * correction * scale_1 / root)

    def _decay(self, which, beta):
        """Multiply a moment by its beta, by way of its scale, which is returned."""
        state, name = self._state, "scale_" + which
        scale = state[name] * beta
        if scale < 1e-4:
            np.multiply(state["moment_" + which], scale, out=state["moment_" + which])
            scale = 1.0
        state[name] = scale
        return scale

    def takes_factors(self):
        """Whether a step needs no gradient vector."""
        return False
