"""How each peer trains the same network on the same rows.

A trainer is created from a task and its data. ``start(layers)`` sets the weights and clears the optimiser's memory,
``epoch(rows)`` makes one pass over the first `rows` rows, and ``layers()`` returns the weights. ``__init__`` does the
work that a user of the peer would do once, outside the loop over epochs. ``partial_fit`` accepts no initial weights,
and no estimator has a public way to clear its optimiser's memory, so the trainers of estimators write into private
attributes.
"""

import importlib.util
import os
from itertools import pairwise

import numpy as np
from scipy.linalg.blas import sgemm

PACKAGES = {
    "skfnn": "skfnn",
    "skfnn-fit": "skfnn",
    "sklearn": "sklearn",
    "torch": "torch",
    "jax": "jax",
    "gemm": "scipy",
}


def present(names, packages=PACKAGES):
    """The peers whose packages are installed; prints a line for each of the others."""
    found = []
    for name in names:
        if name not in packages:
            raise SystemExit(f"There is no peer {name!r}. Choose from {', '.join(packages)}.")
        if importlib.util.find_spec(packages[name]) is None:
            print(f"{name}: not installed, skipped")
        else:
            found.append(name)
    return found


def make_trainer(name, task, X, y):
    """The trainer of a peer."""
    return TRAINERS[name](task, X, y)


class _EstimatorTrainer:
    """The code that skfnn and scikit-learn share: one ``partial_fit`` is one epoch."""

    def __init__(self, task, X, y):
        self.X, self.y, self.classes = X, y, np.arange(task.sizes[-1])
        self.model = self.make(
            task.hidden,
            task.activation,
            solver=task.solver,
            learning_rate_init=task.eta,
            momentum=task.momentum,
            alpha=0.0,
            batch_size=task.batch_size,
            shuffle=task.shuffles,
            random_state=task.seed,
        )
        rows = min(len(y), len(self.classes))
        self.model.partial_fit(X[:rows], y[:rows], classes=self.classes)

    def start(self, layers):
        for (weights, biases), own_weights, own_biases in zip(
            layers, self.model.coefs_, self.model.intercepts_, strict=True
        ):
            own_weights[...] = weights
            own_biases[...] = biases
        self.forget()

    def epoch(self, rows):
        self.model.partial_fit(self.X[:rows], self.y[:rows])

    def layers(self):
        return list(zip(self.model.coefs_, self.model.intercepts_, strict=True))


class SkfnnTrainer(_EstimatorTrainer):
    """``FNNClassifier.partial_fit``."""

    def make(self, *args, **settings):
        from skfnn import FNNClassifier

        return FNNClassifier(*args, **settings)

    def forget(self):
        self.model._state.solver = {}


class SkfnnFitTrainer(SkfnnTrainer):
    """``FNNClassifier.fit`` with warm starts of one epoch, timed by ``history_``: the loop without the checks."""

    def epoch(self, rows):
        self.model.set_params(warm_start=True, max_iter=1).fit(self.X[:rows], self.y[:rows])
        return self.model.history_["seconds"][-1]


class SklearnTrainer(_EstimatorTrainer):
    """``MLPClassifier.partial_fit``."""

    def make(self, *args, **settings):
        from sklearn.neural_network import MLPClassifier

        return MLPClassifier(*args, **settings)

    def forget(self):
        if hasattr(self.model, "_optimizer"):
            del self.model._optimizer


def torch_network(sizes, activation="relu"):
    """A PyTorch module."""
    from torch import nn

    hidden = {"relu": nn.ReLU, "tanh": nn.Tanh, "logistic": nn.Sigmoid, "identity": nn.Identity}[activation]
    parts = []
    for fan_in, fan_out in pairwise(sizes):
        parts += [nn.Linear(fan_in, fan_out), hidden()]
    return nn.Sequential(*parts[:-1])


class TorchTrainer:
    """PyTorch in eager mode: tensors in memory, mini-batches by index, no DataLoader."""

    def __init__(self, task, X, y):
        import torch

        torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
        self.torch, self.task = torch, task
        self.X, self.y = torch.from_numpy(np.ascontiguousarray(X)), torch.from_numpy(y)
        torch.manual_seed(task.seed)
        self.model = torch_network(task.sizes, task.activation)

    def start(self, layers):
        torch, task = self.torch, self.task
        with torch.no_grad():
            for linear, (weights, biases) in zip(self._linear(), layers, strict=True):
                linear.weight.copy_(torch.from_numpy(weights.T.copy()))
                linear.bias.copy_(torch.from_numpy(biases))
        if task.solver == "adam":
            self.optimiser = torch.optim.Adam(self.model.parameters(), task.eta, fused=True)
        else:
            nesterov = {"momentum": task.momentum, "nesterov": True} if task.momentum else {}
            self.optimiser = torch.optim.SGD(self.model.parameters(), task.eta, **nesterov)

    def epoch(self, rows):
        X, y, model, optimiser = self.X, self.y, self.model, self.optimiser
        cross_entropy, size = self.torch.nn.functional.cross_entropy, self.task.batch_size
        order = self.torch.randperm(rows) if self.task.shuffles else None
        for start in range(0, rows, size):
            rows_now = slice(start, min(start + size, rows)) if order is None else order[start : start + size]
            loss = cross_entropy(model(X[rows_now]), y[rows_now])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()

    def layers(self):
        return [(part.weight.detach().numpy().T.copy(), part.bias.detach().numpy().copy()) for part in self._linear()]

    def _linear(self):
        return [part for part in self.model if isinstance(part, self.torch.nn.Linear)]


class JaxTrainer:
    """JAX: ``jit`` of a whole epoch, a ``lax.scan`` over the mini-batches of a permutation. Parameters are donated."""

    def __init__(self, task, X, y):
        import jax
        import jax.numpy as jnp

        self.jax, self.jnp, self.task = jax, jnp, task
        self.X, self.y = jnp.asarray(X), jnp.asarray(y, jnp.int32)
        self.rng = np.random.default_rng(task.seed)
        step = _jax_step(jax, jnp, task)

        def epoch(state, X, y, order):
            whole = len(order) // task.batch_size * task.batch_size
            if not task.shuffles and whole == task.batch_size == len(order):
                return step(state, X[:whole], y[:whole])

            def batch(state, rows):
                # NumPy made the row numbers, so JAX need not check their bounds.
                get = {"mode": "promise_in_bounds"}
                return step(state, X.at[rows].get(**get), y.at[rows].get(**get)), None

            state, _ = jax.lax.scan(batch, state, order[:whole].reshape(-1, task.batch_size))
            return batch(state, order[whole:])[0] if whole < len(order) else state

        self._epoch = jax.jit(epoch, donate_argnums=0)

    def start(self, layers):
        jnp, jax = self.jnp, self.jax
        params = [(jnp.array(weights), jnp.array(biases)) for weights, biases in layers]

        def zeros():
            return jax.tree.map(jnp.zeros_like, params)

        memory = {"adam": lambda: (zeros(), zeros()), "sgd": zeros if self.task.momentum else tuple}
        self.state = params, memory[self.task.solver](), jnp.zeros((), jnp.int32)

    def epoch(self, rows):
        order = self.rng.permutation(rows) if self.task.shuffles else np.arange(rows)
        self.state = self._epoch(self.state, self.X, self.y, order.astype(np.int32))
        self.jax.block_until_ready(self.state)

    def layers(self):
        return [(np.array(weights), np.array(biases)) for weights, biases in self.state[0]]


def _jax_step(jax, jnp, task):
    """One iteration of the task's algorithm, as a function of JAX arrays."""
    activation = {"relu": jax.nn.relu, "tanh": jnp.tanh, "logistic": jax.nn.sigmoid, "identity": lambda z: z}
    f, n_classes, eta, mu = activation[task.activation], task.sizes[-1], task.eta, task.momentum

    def loss(params, X, y):
        a = X
        for weights, biases in params[:-1]:
            a = f(a @ weights + biases)
        weights, biases = params[-1]
        log_p = jax.nn.log_softmax(a @ weights + biases)
        return -jnp.mean(jnp.sum(jax.nn.one_hot(y, n_classes, dtype=log_p.dtype) * log_p, axis=1))

    def sgd(params, memory, t, gradient):
        return jax.tree.map(lambda w, g: w - eta * g, params, gradient), memory

    def momentum(params, memory, t, gradient):
        memory = jax.tree.map(lambda v, g: mu * v - eta * g, memory, gradient)
        return jax.tree.map(lambda w, v, g: w + mu * v - eta * g, params, memory, gradient), memory

    def adam(params, memory, t, gradient):
        beta_1, beta_2, epsilon = 0.9, 0.999, 1e-8
        m = jax.tree.map(lambda m, g: beta_1 * m + (1 - beta_1) * g, memory[0], gradient)
        v = jax.tree.map(lambda v, g: beta_2 * v + (1 - beta_2) * g * g, memory[1], gradient)
        rate = eta * jnp.sqrt(1 - beta_2**t) / (1 - beta_1**t)
        return jax.tree.map(lambda w, m, v: w - rate * m / (jnp.sqrt(v) + epsilon), params, m, v), (m, v)

    update = adam if task.solver == "adam" else momentum if mu else sgd

    def step(state, X, y):
        params, memory, t = state
        gradient = jax.grad(loss)(params, X, y)
        return *update(params, memory, t + 1, gradient), t + 1

    return step


class GemmTrainer:
    """The bare matrix products of an iteration, by SciPy's ``sgemm`` on contiguous arrays: a floor that learns nothing.

    The products are the forward pass, the weight gradient (added to the weights, beta = 1) and, except in the first
    layer, the backward pass. A C-ordered (n, m) array is its transpose in Fortran order, so ``sgemm`` takes it without
    a copy.
    """

    def __init__(self, task, X, y):
        self.X, self.task = np.ascontiguousarray(X, np.float32), task
        self._panels = {}

    def start(self, layers):
        # Fortran-ordered (fan_out, fan_in).
        self.weights = [np.array(weights, np.float32).T for weights, _ in layers]
        self._panels.clear()

    def epoch(self, rows):
        size, X = self.task.batch_size, self.X
        for start in range(0, rows, size):
            stop = min(start + size, rows)
            self._products(X[start:stop].T, self._panel(stop - start))

    def layers(self):
        return None

    def _panel(self, n):
        """The outputs and deltas of every layer, Fortran-ordered (fan_out, n)."""
        if n not in self._panels:
            rng = np.random.default_rng(0)
            made = [[rng.random((n, k), np.float32).T for k in self.task.sizes[1:]] for _ in range(2)]
            self._panels[n] = made
        return self._panels[n]

    def _products(self, X, panel):
        outputs, deltas = panel
        a = X
        for w, z in zip(self.weights, outputs, strict=True):
            sgemm(1.0, w, a, 0.0, z, 0, 0, 1)  # Z^T = W^T A^T
            a = z
        for k in range(len(self.weights) - 1, -1, -1):
            if k:
                sgemm(1.0, self.weights[k], deltas[k], 0.0, deltas[k - 1], 1, 0, 1)  # D^T = W D^T
            # The tiny factor leaves the weights unchanged.
            sgemm(-1e-30, deltas[k], outputs[k - 1] if k else X, 1.0, self.weights[k], 0, 1, 1)  # W^T += D^T A


TRAINERS = {
    "skfnn": SkfnnTrainer,
    "skfnn-fit": SkfnnFitTrainer,
    "sklearn": SklearnTrainer,
    "torch": TorchTrainer,
    "jax": JaxTrainer,
    "gemm": GemmTrainer,
}
