"""Checkpoints of a training run on disk.

`Checkpoint` is a callback for scikit-learn's protocol, which needs scikit-learn 1.9 or
later. Its ``save`` and ``load`` work with every version.
"""

import copy
import os
import pickle
from numbers import Integral

import joblib

from ._atomic import folder_and_name, remove_leftovers, replace
from ._estimator.base import BaseFNN

__all__ = ["Checkpoint"]

# Another training run with the same path removes temporary files when it starts. It may remove one that `save` is
# writing; `save` then tries again. After this many failures in a row the cause must be another one.
_ATTEMPTS = 20


class Checkpoint:
    """Saves a network during training, so that an interrupted run can continue.

    Set it on an estimator with ``set_callbacks``. It then writes the complete training
    state to a file every `every` epochs and at the end of `fit`. Each checkpoint
    replaces the file in a single operation. Even if the process or the machine stops
    during the write, `path` holds the last complete checkpoint. Callbacks need
    scikit-learn 1.9. With an older version, or between calls of `partial_fit`, call
    :meth:`save`.

    Parameters
    ----------
    path : str or path-like
        The file. Its folder must exist. Each training run needs its own path. The
        candidates of a search share their callbacks, so the file holds the candidate
        that wrote last.
    every : int, default=1
        The number of epochs between two checkpoints, counted from the start of `fit`.

    See Also
    --------
    skfnn.FNNClassifier.resume : Continues until `max_iter` epochs are done in total.

    Notes
    -----
    The file is a pickle, as ``joblib.dump`` writes it. Load only files that you trust.
    The file does not contain callbacks. All parameters of the estimator must be
    picklable: use functions of a module, not lambdas.

    `Checkpoint` writes to a temporary file in the same folder, forces it to disk
    (``fsync``) and renames it to `path`. If a process is killed during this, the
    temporary file stays; the next `fit` with the same path removes it.

    Examples
    --------
    >>> import os, tempfile
    >>> from sklearn.datasets import load_iris
    >>> from skfnn import FNNClassifier
    >>> from skfnn.callbacks import Checkpoint
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = FNNClassifier(n_iter_no_change=None, random_state=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     checkpoint = Checkpoint(os.path.join(folder, "iris.joblib"))
    ...     for _ in range(5):
    ...         checkpoint.save(clf.partial_fit(X, y, classes=[0, 1, 2]))
    ...     loaded = Checkpoint.load(checkpoint.path)
    >>> loaded.n_iter_
    5
    >>> loaded.set_params(max_iter=8).resume(X, y).n_iter_
    8
    """

    def __init__(self, path, every=1):
        try:
            self.path = os.fsdecode(path)
        except TypeError:
            message = f"The 'path' parameter of Checkpoint must be a str or path-like. Got {path!r} instead."
            raise TypeError(message) from None
        if isinstance(every, bool) or not isinstance(every, Integral) or every < 1:
            raise ValueError(
                f"The 'every' parameter of Checkpoint must be an int in the range [1, inf). Got {every!r} instead."
            )
        self.every = every

    def __repr__(self):
        return f"Checkpoint({self.path!r}, every={self.every})"

    def save(self, estimator):
        """Write an estimator to `path` and replace the file that was there.

        Parameters
        ----------
        estimator : FNNClassifier or FNNRegressor
            The estimator.

        Raises
        ------
        TypeError
            If the estimator is not an FNNClassifier or FNNRegressor.
        OSError
            If the file cannot be written. The old file is then unchanged.
        """
        _check_kind(estimator)
        # The attributes that scikit-learn sets on an estimator for its callbacks only make sense in this process.
        model = copy.copy(estimator)
        for name in [name for name in vars(model) if name.startswith("_") and "callback" in name]:
            delattr(model, name)
        for attempt in range(_ATTEMPTS):
            try:
                replace(self.path, lambda file: joblib.dump(model, file))
                return
            except FileNotFoundError:
                if attempt == _ATTEMPTS - 1:
                    raise

    @staticmethod
    def load(path):
        """Read an estimator from a file that `save` wrote.

        Parameters
        ----------
        path : str or path-like
            The file. It is a pickle. Load only files that you trust.

        Returns
        -------
        estimator : FNNClassifier or FNNRegressor
            The estimator as it was saved, without callbacks.

        Raises
        ------
        ValueError
            If `save` did not write this file.
        OSError
            If the file cannot be read. FileNotFoundError if it does not exist.
        """
        try:
            estimator = joblib.load(path)
        except (ImportError, AttributeError, MemoryError, Warning):
            raise  # these errors do not mean a bad file, and they name what is missing
        except Exception as error:
            # An OSError without a number comes from a decompressor, because the file is damaged.
            if isinstance(error, OSError) and error.errno is not None:
                raise
            raise ValueError(f"{os.fsdecode(path)!r} is not a file that Checkpoint wrote: {error}") from error
        if not isinstance(estimator, BaseFNN):
            raise ValueError(
                f"{os.fsdecode(path)!r} is not a file that Checkpoint wrote: it holds a {type(estimator).__name__}."
            )
        return estimator

    # scikit-learn's protocol

    def setup(self, estimator, context):
        """Check that checkpoints can be written, and remove old temporary files.

        So an error is raised before the first epoch and not after it.

        Parameters
        ----------
        estimator : FNNClassifier or FNNRegressor
            The estimator that is about to be trained.
        context : sklearn.callback.CallbackContext
            The task of the fit.

        Raises
        ------
        TypeError
            If the estimator is not an FNNClassifier or FNNRegressor.
        ValueError
            If a parameter of the estimator cannot be pickled.
        FileNotFoundError
            If the folder of `path` does not exist.
        IsADirectoryError
            If `path` is a folder.
        """
        _check_kind(estimator)
        for name, value in estimator.get_params(deep=False).items():
            try:
                pickle.dumps(value)
            except Exception as error:
                raise ValueError(f"Checkpoint cannot save the parameter {name}={value!r}: {error}") from error
        folder, name = folder_and_name(self.path)
        if not os.path.isdir(folder):
            raise FileNotFoundError(f"Checkpoint cannot write {self.path!r}: there is no folder {folder!r}.")
        if os.path.isdir(os.path.join(folder, name)):
            raise IsADirectoryError(f"Checkpoint cannot write {self.path!r}: it is a folder.")
        remove_leftovers(folder, name)

    def on_fit_task_begin(self, estimator, context):
        """Do nothing.

        Parameters
        ----------
        estimator : FNNClassifier or FNNRegressor
            The estimator in training.
        context : sklearn.callback.CallbackContext
            The task that begins.
        """

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        """Save the model if a checkpoint is due.

        Parameters
        ----------
        estimator : FNNClassifier or FNNRegressor
            The estimator in training.
        context : sklearn.callback.CallbackContext
            The task that ends.
        fitted_estimator : FNNClassifier or FNNRegressor, default=None
            The current model. None after an iteration of L-BFGS that found no lower
            point.

        Returns
        -------
        stop : bool
            Always False, because a checkpoint does not end training.
        """
        if fitted_estimator is not None and (context.task_name == "fit" or fitted_estimator.n_iter_ % self.every == 0):
            self.save(fitted_estimator)
        return False

    def teardown(self, estimator, context):
        """Do nothing.

        Parameters
        ----------
        estimator : FNNClassifier or FNNRegressor
            The estimator that was trained.
        context : sklearn.callback.CallbackContext
            The task of the fit.
        """


def _check_kind(estimator):
    """Raise TypeError if an estimator is not a network of this package."""
    if not isinstance(estimator, BaseFNN):
        raise TypeError(
            f"Checkpoint saves an FNNClassifier or FNNRegressor, got {type(estimator).__name__}. In a pipeline or a "
            "search, set the callback on the network itself."
        )
