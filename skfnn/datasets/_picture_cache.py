"""The pixels of a folder of pictures in one file, which an interrupted run continues.

The file ``NAME.npy`` contains one row per decoded picture, in the order of the listing. Rows are only appended, and the
header that makes it a file for ``numpy.load`` is written last. ``NAME.json``, the record, says what the rows are made
from and how many files are done. It is replaced in one step, after the rows that it counts have been forced to disk. So
whenever a run ends, the record counts complete rows only.
"""

import io
import json
import os
from dataclasses import asdict, dataclass, field
from math import prod

import numpy as np

from .._atomic import folder_and_name, remove_leftovers, replace
from ._pictures import read_picture, require_pillow

_FORMAT = 1
_HEADER = 128  # the bytes of the header of a .npy file with two dimensions
_SAVE_EVERY = 1000  # the files between two records


@dataclass
class Record:
    """What the rows of a cache are made from, and how far the run is."""

    folder: str
    image_size: list
    color: bool
    fingerprint: str
    n_files: int
    format: int = _FORMAT
    done: int = 0  # the number of files that were decoded or skipped
    skipped: dict = field(default_factory=dict)  # file: the reason
    complete: bool = False
    target_names: list = field(default_factory=list)  # these two only if complete
    filenames: list = field(default_factory=list)  # of each row

    @property
    def n_rows(self):
        """The number of decoded pictures."""
        return self.done - len(self.skipped)

    def is_of(self, other):
        """Whether both describe the same pictures in the same form."""
        names = ("image_size", "color", "fingerprint", "n_files", "format")
        return all(getattr(self, name) == getattr(other, name) for name in names)


class Cache:
    """The cache of one listing for one size and colour, in the folder `where`."""

    def __init__(self, listing, image_size, color, where):
        self._listing = listing
        self._image_size, self._color = image_size, color
        self._n_pixels = prod(image_size) * (3 if color else 1)
        stem = f"{listing.folder.name}-{image_size[0]}x{image_size[1]}-{'color' if color else 'grey'}"
        self._pixels, self._record_path = where / f"{stem}.npy", where / f"{stem}.json"

    def load(self, on_error, progress):
        """The array on disk (n, n_pixels) and its record; decodes what is not in the cache yet."""
        record = self._read_record()
        if record is None:
            require_pillow()  # before anything is written
            record = self._start()
        if record.skipped and on_error == "raise":
            file, reason = next(iter(record.skipped.items()))
            raise ValueError(f"{self._listing.path_of(file)}: {reason}.")
        if not record.complete:
            require_pillow()
            self._run(record, on_error, progress)
        return np.load(self._pixels, mmap_mode="r"), record

    def _new_record(self):
        listing = self._listing
        size = list(self._image_size)
        return Record(str(listing.folder), size, self._color, listing.fingerprint, len(listing.files))

    def _read_record(self):
        """The record on disk, or None if there is none or if its pictures have changed since.

        A file that load_image_folder did not write, or wrote for another folder, is an error: a run would replace it.
        """
        advice = "Delete it, or give another folder as 'cache'."
        try:
            record = Record(**json.loads(self._record_path.read_bytes()))
        except (FileNotFoundError, NotADirectoryError):
            if self._pixels.exists():
                raise ValueError(
                    f"{self._pixels}: {self._record_path.name} expected beside this file. {advice}"
                ) from None
            return None
        except (ValueError, TypeError) as error:
            raise ValueError(f"{self._record_path}: not a file that load_image_folder wrote. {advice}") from error
        new = self._new_record()
        if record.is_of(new):
            return record if self._is_intact(record) else None
        if record.folder != new.folder:
            raise ValueError(
                f"{self._record_path}: the cache of {new.folder} expected, found that of {record.folder}. {advice}"
            )
        return None

    def _is_intact(self, record):
        """Whether the file has the rows that the record counts."""
        try:
            size = self._pixels.stat().st_size
        except FileNotFoundError:
            return False
        expected = self._position(record.n_rows)
        if not record.complete:
            return size >= expected
        try:
            return size == expected and np.load(self._pixels, mmap_mode="r").shape == self._shape_of(record)
        except ValueError:
            return False

    def _shape_of(self, record):
        """The shape of the array of all rows."""
        return record.n_rows, self._n_pixels

    def _position(self, n_rows):
        """The number of bytes before the row `n_rows`."""
        return _HEADER + n_rows * self._n_pixels

    def _header(self, record):
        """The first bytes of the finished file."""
        header = io.BytesIO()
        form = {"descr": "|u1", "fortran_order": False, "shape": self._shape_of(record)}
        np.lib.format.write_array_header_1_0(header, form)
        assert len(header.getvalue()) == _HEADER
        return header.getvalue()

    def _start(self):
        """An empty cache, in place of the one that may be there."""
        try:
            self._pixels.parent.mkdir(parents=True, exist_ok=True)
            remove_leftovers(*folder_and_name(self._record_path))
            # A new file, because an array of an earlier call may still use the old one.
            self._pixels.unlink(missing_ok=True)
            record = self._new_record()
            self._save(record)
            with open(self._pixels, "xb") as file:
                file.write(bytes(_HEADER))
        except OSError as error:
            raise OSError(
                f"The cache cannot be written to {self._pixels.parent}: {error}. "
                "Give a folder that can be written as 'cache'."
            ) from error
        return record

    def _save(self, record):
        """Replace the record on disk."""
        content = json.dumps(asdict(record), indent=1).encode()
        replace(self._record_path, lambda file: file.write(content))

    def _run(self, record, on_error, progress):
        """Decode the files that are not done. Changes the record in place."""
        with open(self._pixels, "r+b") as file:
            file.seek(self._position(record.n_rows))
            try:
                for name in self._listing.files[record.done :]:
                    self._append(file, name, record, on_error)
                    progress.report(record.done, len(record.skipped))
                    if record.done % _SAVE_EVERY == 0:
                        self._save_rows(file, record)
                self._finish(file, record)
            except BaseException:
                try:
                    self._save_rows(file, record)
                except OSError:  # the disk is full, say; the record before this one holds
                    pass
                raise

    def _append(self, file, name, record, on_error):
        """Write the row of a file, or note that it is skipped."""
        path = self._listing.path_of(name)
        try:
            pixels = read_picture(path, self._image_size, self._color)
        except ValueError as error:
            if on_error == "raise":
                raise ValueError(f"{path}: {error}.") from error
            record.skipped[name] = str(error)
        else:
            file.write(np.ascontiguousarray(pixels))
        record.done += 1

    def _save_rows(self, file, record):
        """Force the rows to disk, then count them in the record."""
        file.flush()
        os.fsync(file.fileno())
        if not record.complete and record.done < record.n_files:
            # An interruption can come after a file was noted as skipped and before it was counted as done.
            record.skipped.pop(self._listing.files[record.done], None)
        self._save(record)

    def _finish(self, file, record):
        """Write the header, and the names of the rows into the record."""
        if not record.n_rows:
            name, reason = next(iter(record.skipped.items()))
            raise ValueError(
                f"{self._listing.folder}: none of its {record.n_files} files could be decoded. The first is {name}: "
                f"{reason}."
            )
        file.seek(0)
        file.write(self._header(record))
        record.target_names = self._listing.classes
        record.filenames = [name for name in self._listing.files if name not in record.skipped]
        file.flush()
        os.fsync(file.fileno())
        record.complete = True
        self._save(record)
