"""scikit-learn's callbacks: one task per fit, and below it one task per epoch.

scikit-learn 1.9 introduced the protocol. With an older version everything except ``set_callbacks`` works.
"""

from typing import Any

import numpy as np
from sklearn import __version__ as sklearn_version

from .._training.monitor import NO_CALLBACKS

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:  # scikit-learn < 1.9

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """A replacement for a scikit-learn without callbacks."""

        def set_callbacks(self, *callbacks):
            """Raise: callbacks need a newer scikit-learn.

            Parameters
            ----------
            *callbacks : callback instances
                Ignored.

            Raises
            ------
            ImportError
                Always.
            """
            raise ImportError(f"Callbacks need scikit-learn >= 1.9; this is scikit-learn {sklearn_version}.")

    def with_callbacks(method):
        """The method as it is."""
        return method


class FitCallbacks:
    """Tells the callbacks of an estimator how far `fit` has come.

    `given` holds X, y and the weights as the user passed them. ``attributes()`` returns the present attributes of the
    model, which callbacks see in their `fitted_estimator`.
    """

    def __init__(self, estimator, given, max_iter, attributes):
        self._context = estimator._init_callback_context(task_name="fit", max_subtasks=max_iter)
        metadata = {} if given.sample_weight is None else {"sample_weight": given.sample_weight}
        self._about = {"estimator": estimator, "X": given.X, "y": given.y, "metadata": metadata}
        # A callback may keep the model and train it. That model must not tear down the callbacks of this fit.
        self._attributes = lambda: attributes() | {"_skl_callbacks_to_teardown": []}
        # The training loop ignores NumPy's warnings. Callbacks run with the user's settings.
        self._numpy_errors = np.geterr()
        self._begun = self._silent = 0
        self._epoch: Any = None
        self._context.call_on_fit_task_begin(**self._about)

    def begin_epoch(self):
        """Begin the task of an epoch."""
        if self._silent:
            self._silent -= 1
            self._epoch = None
            return
        self._begun += 1
        self._epoch = self._context.subcontext(task_name="epoch")
        with np.errstate(**self._numpy_errors):
            self._epoch.call_on_fit_task_begin(**self._about)

    def end_epoch(self):
        """End the task of an epoch; return whether a callback wants training to stop."""
        if self._epoch is None:
            return False
        with np.errstate(**self._numpy_errors):
            stops = self._epoch.call_on_fit_task_end(**self._about, reconstruction_attributes=self._attributes)
        self._epoch = None
        return stops

    def abandon_epoch(self):
        """End the task of an epoch that began but will not be finished."""
        if self._epoch is not None:
            with np.errstate(**self._numpy_errors):
                self._epoch.call_on_fit_task_end(estimator=self._about["estimator"])
        self._epoch = None

    def restart(self):
        """Prepare for another start of training. Epochs that callbacks know of are not announced again."""
        self.abandon_epoch()
        self._silent = self._begun

    def end_fit(self):
        """End the task of the fit; the fitted attributes are set by now."""
        self._context.call_on_fit_task_end(**self._about, reconstruction_attributes=self._attributes)


def fit_callbacks(estimator, call, given, max_iter, attributes):
    """The callbacks for a call that begins; `partial_fit` has none."""
    if call.one_epoch or not getattr(estimator, "_skl_callbacks", None):
        return NO_CALLBACKS
    return FitCallbacks(estimator, given, max_iter, attributes)
