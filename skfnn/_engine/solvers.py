"""The solvers: plain SGD, momentum and Adam, as steps in place.

A solver holds constant settings. Its state is a dict of arrays and numbers: ``init`` makes it, the caller keeps it, and
after ``bind`` the steps change it in place.
"""

from math import sqrt
from typing import Protocol

import numpy as np

from .blas import blas
from .tuning import DEFAULT


class Solver(Protocol):
    """A rule for steps along the gradient.

    `linear_parts` is the number of arrays that a linear step mixes: 1 (the weights), 2 (weights and velocity), or 0 if
    the step is not linear in the gradients.
    """

    linear_parts: int

    def init(self, dtype, n_parameters):
        """The state before the first step."""

    def bind(self, network, theta, state):
        """Work on these arrays from now on."""

    def step(self, gradient, eta):
        """Take a step along the gradient vector, in place; `gradient` may be overwritten."""


class LinearSolver(Solver, Protocol):
    """A solver whose step is linear in the gradients, so that it needs no gradient vector.

    A mini-batch's gradient is low rank: ``1/n * A^T D`` for each layer, with the layer's inputs A and deltas D.
    """

    def step_factors(self, factors, n, eta, decay):
        """Take a step of the last ``len(factors)`` layers, in place.

        For each of these layers, `factors` has a function ``accumulate(scale, beta, out)`` that does
        ``out = beta * out + scale * A^T D``. `decay` is the L2 strength alpha/B, which acts on the weights only.
        """

    def transition(self, shrinkage):
        """The matrix T and the numbers u of the step ``(W, V) <- T (W, V) + u P``.

        Here ``P = -eta G`` and ``shrinkage = eta * decay``.
        """

    def linear_layers(self):
        """The first layer's parts of W and V: the arrays that ``transition`` mixes."""


class PlainSGD:
    """``W <- W - eta * mean(G)``, nothing added."""

    linear_parts = 1

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
        """The first layer's parts of W: the arrays that ``transition`` mixes."""
        return [self._layers[0]]


class Momentum:
    """``V <- momentum * V - eta * G``, then ``W <- W + V``, or in Nesterov's form ``W <- W + momentum * V - eta * G``.

    Polyak (1964); Nesterov (1983), written as in Sutskever et al. (2013), "On the importance of initialization and
    momentum in deep learning", with W at the look-ahead point.
    """

    linear_parts = 2

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

    def step_factors(self, factors, n, eta, decay):
        """Take a step of the last ``len(factors)`` layers, in place."""
        first = len(self._layers) - len(factors)
        layers, velocities = self._layers[first:], self._velocities[first:]
        start = self._theta.size - sum(layer.size for layer in layers)
        theta, velocity = self._theta[start:], self._velocity[start:]
        if decay:
            for layer, v in zip(layers, velocities, strict=True):
                # Add the gradient of the L2 term at the present weights. `step` need not do this: its gradient contains
                # the term. Divide by the momentum, because the velocity is multiplied by it below. With Nesterov the
                # weights shrink as well, because the look back would undo the term.
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
        """The first layer's parts of W and V: the arrays that ``transition`` mixes."""
        return [self._layers[0], self._velocities[0]]


class Adam:
    """Adam (Kingma and Ba 2015, arXiv 1412.6980), in the form at the end of their section 2.

        M <- beta_1 M + (1 - beta_1) G,   V <- beta_2 V + (1 - beta_2) G^2
        W <- W - eta sqrt(1 - beta_2^t) / (1 - beta_1^t) * M / (sqrt(V) + epsilon)

    With `weight_decay` the weights, not the biases, first shrink by ``1 - eta * weight_decay``: AdamW (Loshchilov and
    Hutter 2019, arXiv 1711.05101, their algorithm 2 with eta for their schedule times alpha).

    The moments are stored divided by the numbers `scale_1` and `scale_2`, and only these numbers decay. That saves two
    passes over the parameters, and avoids denormal numbers if a feature is rarely non-zero. When a scale becomes small,
    its moment is multiplied by it, and the scale is reset to 1.
    """

    linear_parts = 0

    def __init__(self, beta_1, beta_2, epsilon, weight_decay=0.0, *, tuning=DEFAULT):
        self.beta_1, self.beta_2, self.epsilon, self.weight_decay = beta_1, beta_2, epsilon, weight_decay
        self._part = tuning.part_numbers

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
        # Part by part, so that a part stays in the cache during the seven passes over it.
        for start in range(0, gradient.size, self._part):
            part = slice(start, start + self._part)
            g, first, second = gradient[part], state["moment_1"][part], state["moment_2"][part]
            axpy(g, first, g.size, (1.0 - self.beta_1) / scale_1)
            np.multiply(g, g, out=g)
            axpy(g, second, g.size, (1.0 - self.beta_2) / scale_2)
            np.sqrt(second, out=g)
            np.add(g, self.epsilon / root, out=g)
            np.divide(first, g, out=g)
            axpy(g, self._theta[part], g.size, -eta * correction * scale_1 / root)

    def _decay(self, which, beta):
        """Multiply a moment by its beta, by changing its scale; return the scale."""
        state, name = self._state, "scale_" + which
        scale = state[name] * beta
        if scale < 1e-4:
            np.multiply(state["moment_" + which], scale, out=state["moment_" + which])
            scale = 1.0
        state[name] = scale
        return scale


LINEAR_SOLVERS: dict[str, type[LinearSolver]] = {"plain": PlainSGD, "momentum": Momentum}
SOLVERS: dict[str, type[Solver]] = {**LINEAR_SOLVERS, "adam": Adam}
