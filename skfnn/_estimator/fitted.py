"""The fitted model: its parameters, its attributes, and its forward pass."""

from typing import Any

from sklearn.utils.validation import check_is_fitted

from .._engine import tuning
from .._engine.prediction import Predictor
from .._training.state import TrainingState
from .data import checked, is_ready
from .version import VersionedState
from .weights import InVars, LayerList, write_layers


class FittedNetwork(VersionedState):
    """What an FNN estimator can do once it has parameters.

    `_state` is the TrainingState; `_task` knows what the outputs mean. A pickle holds both as plain data.
    """

    _tuning = tuning.DEFAULT
    _task_from_plain: Any
    _state: TrainingState
    _task: Any

    def __sklearn_is_fitted__(self):
        return hasattr(self, "_state")

    @property
    def coefs_(self):
        """The weights of every layer, (fan_in, fan_out), in the user's units; writing into them changes the model."""
        return LayerList([layer[:-1] for layer in self._fitted_layers()], "coefs_")

    @coefs_.setter
    def coefs_(self, values):
        write_layers(self.coefs_, values, "coefs_")

    @property
    def intercepts_(self):
        """The biases of every layer, (fan_out,), in the user's units; writing into them changes the model."""
        return LayerList([layer[-1] for layer in self._fitted_layers()], "intercepts_")

    @intercepts_.setter
    def intercepts_(self, values):
        write_layers(self.intercepts_, values, "intercepts_")

    @property
    def out_activation_(self):
        """The function that turns raw outputs into predictions. It follows from the task and cannot be set."""
        if not hasattr(self, "_task"):
            raise AttributeError(f"This {type(self).__name__} is not fitted yet: call fit first.")
        return self._task.loss.out_activation

    @out_activation_.setter
    def out_activation_(self, value):
        raise AttributeError(
            f"out_activation_ cannot be set to {value!r}: it follows from the loss. Apply your own function to the raw "
            "outputs, which decision_function returns."
        )

    def _fitted_layers(self):
        if not hasattr(self, "_state"):
            raise AttributeError(f"This {type(self).__name__} is not fitted yet: call fit first.")
        return self._state.users_layers()

    def __copy__(self):
        """A copy that can be trained without changing this estimator."""
        copy = type(self).__new__(type(self))
        copy.__dict__.update(vars(self))
        if hasattr(self, "_state"):
            copy._state = self._state.separated()
            copy.__dict__.update(copy._attributes_of(copy._state))
            copy._show_layers_in_vars()
        return copy

    def _show_layers_in_vars(self):
        """Make ``vars(self)`` contain the weights, although they are properties."""
        self.__dict__.update({name: InVars(self, name) for name in ("coefs_", "intercepts_")})

    def __getstate__(self):
        if hasattr(self, "_state"):
            self._state.updated()
        state = super().__getstate__()
        return {name: value for name, value in state.items() if not isinstance(value, InVars)}

    def __setstate__(self, state):
        super().__setstate__(state)
        if hasattr(self, "_state"):
            self._show_layers_in_vars()

    def restore_best(self):
        """Restore the weights of the `partial_fit` call with the best validation score.

        `partial_fit` keeps these weights whenever it gets a validation set. (After `fit`
        with ``early_stopping=True`` you need not call this method: `fit` restores the best
        weights itself.) Only the weights change. The history and the state of the optimiser
        stay, and a further `partial_fit` continues from the restored weights.

        Returns
        -------
        self : estimator
            The estimator, with the best weights.

        Raises
        ------
        ValueError
            If no `partial_fit` call was given `X_val` and `y_val`.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from skfnn import FNNClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> clf = FNNClassifier(random_state=0)
        >>> for _ in range(20):
        ...     clf = clf.partial_fit(
        ...         X[::2], y[::2], classes=[0, 1, 2], X_val=X[1::2], y_val=y[1::2]
        ...     )
        >>> bool(clf.restore_best().score(X[1::2], y[1::2]) == clf.best_validation_score_)
        True
        """
        check_is_fitted(self)
        if self._state.best is None:
            raise ValueError("There are no best weights to restore: call partial_fit with X_val and y_val first.")
        self._state.restore_best()
        return self

    def _attributes_of(self, state):
        """The public attributes that follow from a state."""
        history, progress, coordinates = state.history, state.progress, state.coordinates
        validated = history["validation_loss"][-1] is not None
        return {
            "history_": history,
            "feature_mean_": coordinates.feature_mean,
            "feature_scale_": coordinates.feature_scale,
            "target_mean_": coordinates.target_mean,
            "target_scale_": coordinates.target_scale,
            "n_iter_": progress.epoch,
            "t_": progress.t,
            "n_steps_": progress.n_steps,
            "n_layers_": len(state.network.sizes),
            "n_outputs_": state.network.sizes[-1],
            "loss_curve_": history["loss"],
            "loss_": history["loss"][-1],
            "best_loss_": None if self.early_stopping and validated else progress.best_loss,
            "validation_scores_": history["validation_score"] if validated else None,
            "validation_loss_curve_": history["validation_loss"] if validated else None,
            "best_validation_score_": progress.best_score if validated else None,
        }

    def _predictor(self, X):
        """Check X; return the forward pass of the fitted network for its rows."""
        if not is_ready(self, X):
            X = checked(self, X, reset=False)
        state = self._state.updated()
        capacity = self._tuning.rows_at_once(state.network, X, state.theta.dtype)
        return Predictor(state.network, state.theta, X, capacity, state.coordinates)

    def _raw_outputs(self, X, activate=None):
        """The output layer (n, n_outputs) before its activation, or after it if `activate` is given."""
        return self._predictor(X).raw_outputs(activate)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
