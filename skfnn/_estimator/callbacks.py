"""scikit-learn's callbacks: one task a fit, with one task an epoch below it.

The protocol came with scikit-learn 1.9. With an older one everything but ``set_callbacks`` works.
"""

import functools

import numpy as np
from sklearn import __version__ as sklearn_version

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:  # scikit-learn < 1.9

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """What stands in for callbacks where scikit-learn has none."""

        def set_callbacks(self, *callbacks):
            """Raise: callbacks need a newer scikit-learn.

            Parameters
            ----------
            *callbacks : callback instances
                Not looked at.

            Raises
            ------
            ImportError
                Always.
            """
            raise ImportError(f"Callbacks need scikit-learn >= 1.9; this is scikit-learn {sklearn_version}.")

    def with_callbacks(method):
        """The method as it is, as far from its caller as with callbacks."""

        @functools.wraps(method)
        def call(estimator, *args, **kwargs):
            return method(estimator, *args, **kwargs)

        return call


class FitCallbacks:
    """Tells an estimator's callbacks where `fit` stands.

    X and y are those that the user passed; `state` is a function of nothing that returns the attributes of the model as
    it is, which callbacks see as their `fitted_estimator`.
    """

    def __init__(self, estimator, X, y, sample_weight, max_iter, state):
        self._context = estimator._init_callback_context(task_name="fit", max_subtasks=max_iter)
        metadata = {} if sample_weight is None else {"sample_weight": sample_weight}
        self._about = {"estimator": estimator, "X": X, "y": y, "metadata": metadata}
        # A model that a callback keeps, and trains on, is not to tear the callbacks down.
        self._state = lambda: state() | {"_skl_callbacks_to_teardown": []}
        # The training loop ignores what NumPy warns of; a callback's own warnings are its own.
        self._numpy_errors = np.geterr()
        self._context.call_on_fit_task_begin(**self._about)

    def begin_epoch(self):
        """Begin the task of an epoch."""
        self._epoch = self._context.subcontext(task_name="epoch")
        with np.errstate(**self._numpy_errors):
            self._epoch.call_on_fit_task_begin(**self._about)

    def end_epoch(self):
        """End the task of an epoch; returns whether a callback wants training to stop."""
        with np.errstate(**self._numpy_errors):
            return self._epoch.call_on_fit_task_end(**self._about, reconstruction_attributes=self._state)

    def abandon_epoch(self):
        """End the task of an epoch that was not finished: an iteration of L-BFGS that found no lower point."""
        with np.errstate(**self._numpy_errors):
            self._epoch.call_on_fit_task_end(estimator=self._about["estimator"])

    def end_fit(self):
        """End the task of the fit, which has set the fitted attributes."""
        self._context.call_on_fit_task_end(**self._about, reconstruction_attributes=self._state)


def fit_callbacks(estimator, X, y, sample_weight, max_iter, state):
    """The callbacks of a fit that begins; None where there are none."""
    if not getattr(estimator, "_skl_callbacks", None):
        return None
    return FitCallbacks(estimator, X, y, sample_weight, max_iter, state)
