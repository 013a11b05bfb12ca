"""Folders of pictures, with one folder per class."""

import os
from pathlib import Path

import numpy as np
from sklearn.utils import Bunch

from ._listing import list_pictures
from ._picture_cache import Cache
from ._progress import Progress


def load_image_folder(path, image_size, *, cache=None, color=True, on_error="raise", verbose=True, return_X_y=False):
    """Load a folder of pictures that has one folder per class.

    Caltech-101, Caltech-256 and ImageNet have this form, and your own pictures may have
    it too. The first call decodes every picture, scales it to one size and appends it
    to an array on disk, the cache. Later calls only open the cache. If a call is
    interrupted, the next one continues where it stopped. The set may be larger than the
    memory: the function holds one picture at a time, and ``FNNClassifier.fit`` reads
    the array one mini-batch at a time.

    Parameters
    ----------
    path : str or path-like
        The folder. Each folder in it is a class, and the files in the folder of a class
        and in its subfolders are pictures of the class. Files beside the class folders
        have no class and are ignored, and so are all files and folders that are hidden
        (``.DS_Store``) or that the operating system creates (``Thumbs.db``,
        ``desktop.ini``, ``__MACOSX``).
    image_size : int or tuple of (int, int)
        The height and width of all pictures in the result. One number is for both. A
        picture is scaled until it covers this size, and what sticks out is cut off
        equally on both sides.
    cache : str or path-like, default=None
        The folder of the cache. None is the folder that contains `path`. The folder is
        created if it does not exist. See Notes for the files.
    color : bool, default=True
        Whether a pixel has three values, red, green and blue. With False it has one,
        its brightness.
    on_error : {'raise', 'skip'}, default='raise'
        What to do with a file that cannot be decoded, because it is damaged or is not a
        picture. 'raise' raises an error that names the file. 'skip' leaves the file out
        and lists it in `skipped`. After an error, a call with 'skip' continues.
    verbose : bool, default=True
        Whether to show on stderr how many files have been decoded. Nothing is shown
        if all are in the cache.
    return_X_y : bool, default=False
        Whether to return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        With the attributes

        data : memmap of shape (n, n_pixels), uint8
            One picture per row, with values from 0 to 255, in a file that is opened
            read-only. `n_pixels` is height * width * 3, or height * width if `color`
            is False. The rows are sorted by class, then by name.
        target : ndarray of shape (n,), int64
            The classes: positions in `target_names`.
        target_names : ndarray of shape (n_classes,), str
            The names of the class folders, sorted. An empty folder is a class too.
        images_shape : tuple, ``(height, width, 3)`` or ``(height, width)``
            The pictures are ``data.reshape(-1, *images_shape)``. The colours come last,
            as in Pillow and matplotlib.
        filenames : ndarray of shape (n,), object
            The path of each picture, relative to `path`, with ``/`` between its parts.
        skipped : dict
            The files that were left out, with the reason for each.
        DESCR : str
            A description of the set.

    (data, target) : tuple if `return_X_y` is True
        The two arrays.

    Raises
    ------
    ValueError
        If a file cannot be decoded and `on_error` is 'raise', if no file can be
        decoded, if `path` has no class folders or no files in them, if a parameter has
        a wrong value, or if the cache belongs to another folder.
    OSError
        If `path` is not a folder, if a file cannot be read (also with
        ``on_error='skip'``), or if the cache cannot be written.
    ImportError
        If pictures have to be decoded and Pillow is not installed. The extra
        ``images`` installs it.

    See Also
    --------
    skfnn.FNNClassifier.fit : Trains on the array without a copy of it in memory.
    sklearn.datasets.load_files : Does the same for folders of texts.

    Notes
    -----
    The cache of ``pictures/train`` in size 64 consists of two files, which are in
    ``pictures`` by default: ``train-64x64-color.npy``, the array for ``numpy.load``,
    and ``train-64x64-color.json`` with the names of the files and classes and the state
    of the decoding. Another size or colour has other files. If a file in the folder is
    added, removed, renamed or written, all pictures are decoded again. The function
    compares names, sizes and times of change. The state is saved every 1,000 files and
    when a call ends, by Ctrl-C too. So at most 1,000 files are decoded again after a
    process is killed. Let one process finish the first call before others load the
    same folder.

    Pillow decides by the content of a file, not by its name, which format it has. The
    result shows the picture upright (EXIF orientation), on white if it has transparent
    parts, and the first picture of an animation. Grey pictures get three equal values
    if `color` is True. CMYK, YCCK and palettes become RGB, and 16 bits become 8. Colour
    profiles are not applied. A large JPEG is decoded at a half, a quarter or an eighth
    of its size if that is still at least twice `image_size`; the values then differ
    slightly from those of a full decoding. The scaling is bilinear with antialiasing.

    Beside one picture, only the names of the files are in memory, which take up to 250
    bytes per file.

    Examples
    --------
    >>> from skfnn.datasets import load_image_folder
    >>> train = load_image_folder("imagenet/train", 64)  # doctest: +SKIP
    >>> train.data.shape, train.data.dtype  # doctest: +SKIP
    ((1281167, 12288), dtype('uint8'))
    >>> pictures = train.data.reshape(-1, *train.images_shape)  # doctest: +SKIP
    """
    if on_error not in ("raise", "skip"):
        raise _invalid("on_error", "a str among {'raise', 'skip'}", on_error)
    size, color = _check_size(image_size), bool(color)
    folder = _absolute(path)
    listing = list_pictures(folder)
    if not listing.classes:
        raise ValueError(f"{folder}: a folder for each class expected, found no folder.")
    if not listing.files:
        raise ValueError(f"{folder}: pictures in the folders of the classes expected, found no file.")
    progress = Progress(folder.name, len(listing.files), verbose)
    X, record = Cache(listing, size, color, _cache_folder(cache, folder)).load(on_error, progress)
    numbers = {name: k for k, name in enumerate(record.target_names)}
    y = np.array([numbers[name.partition("/")[0]] for name in record.filenames], dtype=np.int64)
    if return_X_y:
        return X, y
    return Bunch(
        data=X,
        target=y,
        target_names=np.array(record.target_names),
        images_shape=(*size, 3) if color else size,
        filenames=np.array(record.filenames, dtype=object),
        skipped=record.skipped,
        DESCR=f"{len(y):,} pictures of {len(numbers):,} classes from {folder}, scaled to {size[0]} x {size[1]} pixels.",
    )


def _check_size(image_size):
    """The parameter as (height, width)."""
    sides = image_size if isinstance(image_size, tuple | list) else (image_size, image_size)
    if len(sides) != 2 or not all(isinstance(n, int | np.integer) and not isinstance(n, bool) and n > 0 for n in sides):
        expected = "an int in the range [1, inf) or a tuple (height, width) of two such ints"
        raise _invalid("image_size", expected, image_size)
    return int(sides[0]), int(sides[1])


def _cache_folder(cache, folder):
    """The folder of the cache."""
    if cache is None:
        return folder.parent
    where = _absolute(cache)
    if folder in where.parents:
        raise _invalid("cache", f"a folder outside {folder}, because folders in it are classes", str(cache))
    return where


def _absolute(path):
    """The absolute path, with links kept: the cache is beside the path that the user gave."""
    return Path(os.path.abspath(Path(path).expanduser()))


def _invalid(name, expected, value):
    return ValueError(f"The {name!r} parameter of load_image_folder must be {expected}. Got {value!r} instead.")
