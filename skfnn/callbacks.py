"""Checkpoints of a training on disk.

A callback for scikit-learn's protocol (1.9 or later); ``save`` and ``load`` work with every version.
"""

import copy
import os
import pickle
import re
from numbers import Integral
from uuid import uuid4

import joblib

from ._estimator.base import BaseFNN

__all__ = ["Checkpoint"]

# A new file may be taken away by another training that clears up before it writes to the same path; then it is written
# again. So many such encounters in a row are something else.
_ATTEMPTS = 20


class Checkpoint:
    """Saves a network while it is trained, so that a training that was stopped can go on.

    Set on an estimator by ``set_callbacks``, it writes the whole state of the training to a file: after every epoch, or
    every so many, and at the end of `fit`. The file is replaced in one go. Whatever happens while it is written, even
    the end of the process or of the machine, `path` has the last complete checkpoint. Callbacks need scikit-learn 1.9;
    without them, and between calls of `partial_fit`, call :meth:`save`.

    Parameters
    ----------
    path : str or path-like
        The file. Its folder must exist. Each training needs a path of its own: in a search, whose candidates share
        their callbacks, the file is about the one that wrote last.
    every : int, default=1
        The number of epochs from one checkpoint to the next, counted from the start of `fit`.

    See Also
    --------
    skfnn.FNNClassifier.resume : Trains on until `max_iter` epochs have been done in total.

    Notes
    -----
    The file is a pickle, as ``joblib.dump`` writes it: load files only that you trust. It has no callbacks in it. What
    the estimator has as parameters must be picklable: functions of a module, not lambdas.

    The checkpoint is written to a temporary file in the same folder, forced to disk (``fsync``) and renamed to `path`.
    What a killed process leaves of such a file is removed at the start of the next `fit` with the same path.

    Examples
    --------
    >>> import os, tempfile
    >>> from sklearn.datasets import load_iris
    >>> from skfnn import FNNClassifier
    >>> from skfnn.callbacks import Checkpoint
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = FNNClassifier(n_iter_no_change=float("inf"), random_state=0)
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
        """Write an estimator to `path`, in place of what was there.

        Parameters
        ----------
        estimator : FNNClassifier or FNNRegressor
            The estimator.

        Raises
        ------
        TypeError
            Where the estimator is no network of this package.
        OSError
            Where the file cannot be written; what was there is still there.
        """
        _check_kind(estimator)
        # Whatever scikit-learn hangs on an estimator for its callbacks belongs to this process.
        model = copy.copy(estimator)
        for name in [name for name in vars(model) if name.startswith("_") and "callback" in name]:
            delattr(model, name)
        for attempt in range(_ATTEMPTS):
            try:
                _replace(self.path, lambda file: joblib.dump(model, file))
                return
            except FileNotFoundError:
                if attempt == _ATTEMPTS - 1:
                    raise

    @staticmethod
    def load(path):
        """Read an estimator that was saved.

        Parameters
        ----------
        path : str or path-like
            The file. It is a pickle: load files only that you trust.

        Returns
        -------
        estimator : FNNClassifier or FNNRegressor
            The estimator as it was saved, without callbacks.

        Raises
        ------
        ValueError
            Where the file is not one that `save` wrote.
        OSError
            Where the file cannot be read; FileNotFoundError where there is none.
        """
        try:
            estimator = joblib.load(path)
        except (ImportError, AttributeError, MemoryError, Warning):
            raise  # not about the file's contents: what is missing is named
        except Exception as error:
            if isinstance(error, OSError) and error.errno is not None:  # without a number it is a decompressor's
                raise
            raise ValueError(f"{os.fsdecode(path)!r} is not a file that Checkpoint wrote: {error}") from error
        if not isinstance(estimator, BaseFNN):
            raise ValueError(
                f"{os.fsdecode(path)!r} is not a file that Checkpoint wrote: it holds a {type(estimator).__name__}."
            )
        return estimator

    # scikit-learn's protocol

    def setup(self, estimator, context):
        """Check what would only fail after the first epoch, and clear up what killed processes left.

        Parameters
        ----------
        estimator : FNNClassifier or FNNRegressor
            The estimator that is about to be trained.
        context : sklearn.callback.CallbackContext
            The task of the fit.

        Raises
        ------
        TypeError
            Where the estimator is no network of this package.
        ValueError
            Where a parameter of the estimator cannot be pickled.
        FileNotFoundError
            Where the folder of `path` does not exist.
        IsADirectoryError
            Where `path` is a folder.
        """
        _check_kind(estimator)
        for name, value in estimator.get_params(deep=False).items():
            try:
                pickle.dumps(value)
            except Exception as error:
                raise ValueError(f"Checkpoint cannot save the parameter {name}={value!r}: {error}") from error
        folder, name = _folder_and_name(self.path)
        if not os.path.isdir(folder):
            raise FileNotFoundError(f"Checkpoint cannot write {self.path!r}: there is no folder {folder!r}.")
        if os.path.isdir(os.path.join(folder, name)):
            raise IsADirectoryError(f"Checkpoint cannot write {self.path!r}: it is a folder.")
        _remove_leftovers(folder, name)

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
        """Save the model, if it is its turn.

        Parameters
        ----------
        estimator : FNNClassifier or FNNRegressor
            The estimator in training.
        context : sklearn.callback.CallbackContext
            The task that ends.
        fitted_estimator : FNNClassifier or FNNRegressor, default=None
            The model as it is now; None after an iteration of L-BFGS that found no lower point.

        Returns
        -------
        stop : bool
            False: a checkpoint ends no training.
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
    """Raise where an estimator is no network of this package."""
    if not isinstance(estimator, BaseFNN):
        raise TypeError(
            f"Checkpoint saves an FNNClassifier or FNNRegressor, got {type(estimator).__name__}. In a pipeline or a "
            "search it is about the network itself."
        )


def _folder_and_name(path):
    """The folder and the name of the file that a path leads to."""
    return os.path.split(os.path.realpath(path))


def _replace(path, write):
    """Put what `write(file)` writes in the place of a file, at once: readers find the old one or the new one, whole."""
    folder, name = _folder_and_name(path)
    temporary = os.path.join(folder, f".{name}.{uuid4().hex}.tmp")
    try:
        with open(temporary, "xb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, os.path.join(folder, name))
    except BaseException:
        _remove(temporary)
        raise
    if os.name != "nt":  # Windows has no way to force a folder to disk
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _remove_leftovers(folder, name):
    """Remove the temporary files that killed processes left beside the file of this name."""
    ours = re.compile(re.escape(f".{name}.") + "[0-9a-f]{32}" + re.escape(".tmp"))
    for entry in os.listdir(folder):
        if ours.fullmatch(entry):
            _remove(os.path.join(folder, entry))


def _remove(path):
    """Remove a file that may be gone, or in use, which Windows does not allow."""
    try:
        os.remove(path)
    except OSError:
        pass
