"""Image sets with their official split."""

import numpy as np
from sklearn.utils import Bunch

from ._sets import SETS
from ._sources import load


def fetch_mnist(*, subset="train", data_home=None, return_X_y=False, download_if_missing=True):
    """Load MNIST: 70,000 handwritten digits.

    The function looks for the files in `data_home`, then in the folder that the
    environment variable ``SKFNN_DATA`` names, then in scikit-learn's data home. In each
    of them, the files may lie in the folder itself or in a subfolder named ``mnist``.
    If the files are missing, :func:`sklearn.datasets.fetch_openml` downloads the set.

    Parameters
    ----------
    subset : {'train', 'test', 'all'}, default='train'
        The part of the official split: the 60,000 training rows, the 10,000 test rows,
        or both with the training rows first.
    data_home : str or path-like, default=None
        The folder to look in first. Downloads are cached in it. None caches them in
        scikit-learn's data home.
    return_X_y : bool, default=False
        Whether to return ``(data, target)`` instead of a Bunch.
    download_if_missing : bool, default=True
        Whether to download the set if its files are not found.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        With the attributes

        data : ndarray of shape (n, 784), uint8
            One image per row, with pixels from 0 (background) to 255.
        target : ndarray of shape (n,), int64
            The classes, from 0 to 9.
        target_names : ndarray of shape (10,), str
            The names of the classes.
        images_shape : tuple, ``(28, 28)``
            The images are ``data.reshape(-1, *images_shape)``.
        DESCR : str
            A description of the set, and its source.

    (data, target) : tuple if `return_X_y` is True
        The two arrays.

    Raises
    ------
    OSError
        If the files are missing and `download_if_missing` is False, or if the download
        fails. The message names the folders that were searched.
    ValueError
        If a file is damaged, too short, or not from this set. The message names the
        file and what was expected.

    Examples
    --------
    >>> from skfnn.datasets import fetch_mnist
    >>> X, y = fetch_mnist(return_X_y=True)  # doctest: +SKIP
    >>> X.shape, X.dtype  # doctest: +SKIP
    ((60000, 784), dtype('uint8'))
    """
    return _fetch("mnist", subset, data_home, return_X_y, download_if_missing)


def fetch_fashion_mnist(*, subset="train", data_home=None, return_X_y=False, download_if_missing=True):
    """Load Fashion-MNIST: 70,000 pictures of clothes in ten classes.

    The function looks for the files in `data_home`, then in the folder that the
    environment variable ``SKFNN_DATA`` names, then in scikit-learn's data home. In each
    of them, the files may lie in the folder itself or in a subfolder named
    ``fashion_mnist`` or ``fashion-mnist``. If the files are missing,
    :func:`sklearn.datasets.fetch_openml` downloads the set.

    Parameters
    ----------
    subset : {'train', 'test', 'all'}, default='train'
        The part of the official split: the 60,000 training rows, the 10,000 test rows,
        or both with the training rows first.
    data_home : str or path-like, default=None
        The folder to look in first. Downloads are cached in it. None caches them in
        scikit-learn's data home.
    return_X_y : bool, default=False
        Whether to return ``(data, target)`` instead of a Bunch.
    download_if_missing : bool, default=True
        Whether to download the set if its files are not found.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        With the attributes

        data : ndarray of shape (n, 784), uint8
            One image per row, with pixels from 0 (background) to 255.
        target : ndarray of shape (n,), int64
            The classes, from 0 to 9.
        target_names : ndarray of shape (10,), str
            The names of the classes.
        images_shape : tuple, ``(28, 28)``
            The images are ``data.reshape(-1, *images_shape)``.
        DESCR : str
            A description of the set, and its source.

    (data, target) : tuple if `return_X_y` is True
        The two arrays.

    Raises
    ------
    OSError
        If the files are missing and `download_if_missing` is False, or if the download
        fails. The message names the folders that were searched.
    ValueError
        If a file is damaged, too short, or not from this set. The message names the
        file and what was expected.

    Examples
    --------
    >>> from skfnn.datasets import fetch_fashion_mnist
    >>> X, y = fetch_fashion_mnist(return_X_y=True)  # doctest: +SKIP
    >>> X.shape, X.dtype  # doctest: +SKIP
    ((60000, 784), dtype('uint8'))
    """
    return _fetch("fashion_mnist", subset, data_home, return_X_y, download_if_missing)


def fetch_cifar10(*, subset="train", data_home=None, return_X_y=False, download_if_missing=True):
    """Load CIFAR-10: 60,000 colour photographs in ten classes.

    The function looks for the files in `data_home`, then in the folder that the
    environment variable ``SKFNN_DATA`` names, then in scikit-learn's data home. In each
    of them, the files may lie in the folder itself or in a subfolder named ``cifar10``
    or ``cifar-10-batches-bin``. If the files are missing,
    :func:`sklearn.datasets.fetch_openml` downloads the set.

    Parameters
    ----------
    subset : {'train', 'test', 'all'}, default='train'
        The part of the official split: the 50,000 training rows, the 10,000 test rows,
        or both with the training rows first.
    data_home : str or path-like, default=None
        The folder to look in first. Downloads are cached in it. None caches them in
        scikit-learn's data home.
    return_X_y : bool, default=False
        Whether to return ``(data, target)`` instead of a Bunch.
    download_if_missing : bool, default=True
        Whether to download the set if its files are not found.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        With the attributes

        data : ndarray of shape (n, 3072), uint8
            One image per row, with values from 0 to 255: all red values, then all
            green, then all blue.
        target : ndarray of shape (n,), int64
            The classes, from 0 to 9.
        target_names : ndarray of shape (10,), str
            The names of the classes.
        images_shape : tuple, ``(3, 32, 32)``
            The images are ``data.reshape(-1, *images_shape)``, with the colours first.
            ``.transpose(0, 2, 3, 1)`` puts the colours last.
        DESCR : str
            A description of the set, and its source.

    (data, target) : tuple if `return_X_y` is True
        The two arrays.

    Raises
    ------
    OSError
        If the files are missing and `download_if_missing` is False, or if the download
        fails. The message names the folders that were searched.
    ValueError
        If a file is damaged, too short, or not from this set. The message names the
        file and what was expected.

    Examples
    --------
    >>> from skfnn.datasets import fetch_cifar10
    >>> X, y = fetch_cifar10(return_X_y=True)  # doctest: +SKIP
    >>> X.shape, X.dtype  # doctest: +SKIP
    ((50000, 3072), dtype('uint8'))
    """
    return _fetch("cifar10", subset, data_home, return_X_y, download_if_missing)


def fetch_cifar100(*, subset="train", data_home=None, return_X_y=False, download_if_missing=True):
    """Load CIFAR-100: 60,000 colour photographs in a hundred classes.

    The function looks for the files in `data_home`, then in the folder that the
    environment variable ``SKFNN_DATA`` names, then in scikit-learn's data home. In each
    of them, the files may lie in the folder itself or in a subfolder named ``cifar100``
    or ``cifar-100-binary``. If the files are missing,
    :func:`sklearn.datasets.fetch_openml` downloads the set.

    Parameters
    ----------
    subset : {'train', 'test', 'all'}, default='train'
        The part of the official split: the 50,000 training rows, the 10,000 test rows,
        or both with the training rows first.
    data_home : str or path-like, default=None
        The folder to look in first. Downloads are cached in it. None caches them in
        scikit-learn's data home.
    return_X_y : bool, default=False
        Whether to return ``(data, target)`` instead of a Bunch.
    download_if_missing : bool, default=True
        Whether to download the set if its files are not found.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        With the attributes

        data : ndarray of shape (n, 3072), uint8
            One image per row, with values from 0 to 255: all red values, then all
            green, then all blue.
        target : ndarray of shape (n,), int64
            The classes, from 0 to 99. The twenty superclasses are not read.
        target_names : ndarray of shape (100,), str
            The names of the classes.
        images_shape : tuple, ``(3, 32, 32)``
            The images are ``data.reshape(-1, *images_shape)``, with the colours first.
            ``.transpose(0, 2, 3, 1)`` puts the colours last.
        DESCR : str
            A description of the set, and its source.

    (data, target) : tuple if `return_X_y` is True
        The two arrays.

    Raises
    ------
    OSError
        If the files are missing and `download_if_missing` is False, or if the download
        fails. The message names the folders that were searched.
    ValueError
        If a file is damaged, too short, or not from this set. The message names the
        file and what was expected.

    Examples
    --------
    >>> from skfnn.datasets import fetch_cifar100
    >>> X, y = fetch_cifar100(return_X_y=True)  # doctest: +SKIP
    >>> X.shape, X.dtype  # doctest: +SKIP
    ((50000, 3072), dtype('uint8'))
    """
    return _fetch("cifar100", subset, data_home, return_X_y, download_if_missing)


def _fetch(name, subset, data_home, return_X_y, download_if_missing):
    """The set `name`, in the form that the public functions return."""
    images = SETS[name]
    if not isinstance(subset, str) or subset not in ("train", "test", "all"):
        raise ValueError(
            f"The 'subset' parameter of fetch_{name} must be a str among {{'all', 'test', 'train'}}. "
            f"Got {subset!r} instead."
        )
    parts = ("train", "test") if subset == "all" else (subset,)
    X, y = load(images, parts, data_home, download_if_missing)
    if return_X_y:
        return X, y
    return Bunch(
        data=X,
        target=y,
        target_names=np.array(images.target_names),
        images_shape=images.images_shape,
        DESCR=images.descr,
    )
