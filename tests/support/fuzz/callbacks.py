"""Callbacks of every kind, if scikit-learn has callbacks."""

from .values import BAD, GOOD, UsersError, entry

try:
    from sklearn.callback import CallbackSupportMixin  # noqa: F401
except ImportError:  # scikit-learn < 1.9
    EXIST = False
else:
    EXIST = True


class Quiet:
    """A callback that does nothing."""

    def setup(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        return False

    def teardown(self, estimator, context):
        pass


class Looking(Quiet):
    """A callback that looks at the model."""

    def on_fit_task_end(self, estimator, context, *, X=None, fitted_estimator=None):
        if X is not None and fitted_estimator is not None:
            fitted_estimator.predict(X)
        return False


class Stopping(Quiet):
    """A callback that ends training after the first epoch."""

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        return True


class Failing(Quiet):
    """A callback that raises at the end of an epoch."""

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        raise UsersError("callback")


class FailingAtOnce(Quiet):
    """A callback that raises before training begins."""

    def on_fit_task_begin(self, estimator, context):
        raise UsersError("callback")


def callbacks(rng):
    """The arguments of ``set_callbacks``, as a Value."""
    if rng.random() < 0.2:
        return entry(rng, BAD, {"text": ("x",), "number": (3,), "None": (None,)})
    table = {kind.__name__: (kind(),) for kind in (Quiet, Looking, Stopping, Failing, FailingAtOnce)}
    return entry(rng, GOOD, table | {"none": (), "two": (Quiet(), Stopping())})
