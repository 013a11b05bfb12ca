"""Which pictures a folder contains, and which class each belongs to."""

import os
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

# Files and folders that operating systems create, besides those whose names begin with a dot.
_OF_THE_SYSTEM = {"Thumbs.db", "desktop.ini", "__MACOSX"}


class Listing(NamedTuple):
    """The files of a folder with one folder per class."""

    folder: Path
    classes: list  # the names of the classes, sorted
    files: list  # "class/name" of every file, sorted by class
    fingerprint: str  # changes if a file is added, removed, renamed or written

    def path_of(self, file):
        """The path of one of `files`."""
        return self.folder.joinpath(file)


def list_pictures(folder):
    """The listing of a folder."""
    classes, files, digest = [], [], sha256()
    for entry in _visible(folder):
        if not entry.is_dir():  # a file beside the class folders has no class
            continue
        classes.append(entry.name)
        digest.update(os.fsencode(f"{entry.name}\n"))
        for name, size, changed in _walk(entry.path, f"{entry.name}/"):
            files.append(name)
            digest.update(os.fsencode(f"{name}\0{size}\0{changed}\n"))
    return Listing(Path(folder), classes, files, digest.hexdigest())


def _walk(folder, prefix):
    """Yield (name, size, time of the last change) of every file in a folder and its subfolders."""
    for entry in _visible(folder):
        name = prefix + entry.name
        if entry.is_dir():
            yield from _walk(entry.path, f"{name}/")
            continue
        try:
            status = entry.stat()
        except FileNotFoundError:  # a link that leads nowhere; reading it raises the error
            yield name, -1, -1
        else:
            yield name, status.st_size, status.st_mtime_ns


def _visible(folder):
    """The entries of a folder, sorted by name, without hidden ones."""
    with os.scandir(folder) as entries:
        shown = [entry for entry in entries if entry.name[0] != "." and entry.name not in _OF_THE_SYSTEM]
    return sorted(shown, key=lambda entry: entry.name)
