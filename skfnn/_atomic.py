"""Replacing a file in one step: readers see a complete file, old or new."""

import os
import re
from uuid import uuid4


def folder_and_name(path):
    """The folder and the name of the file that a path refers to, with links followed."""
    return os.path.split(os.path.realpath(path))


def replace(path, write):
    """Replace a file by what `write(file)` writes, in one step: readers see a complete file, old or new."""
    folder, name = folder_and_name(path)
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
    if os.name != "nt":  # Windows cannot force a folder to disk
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def remove_leftovers(folder, name):
    """Remove the temporary files for the file `name` that killed processes left in its folder."""
    ours = re.compile(re.escape(f".{name}.") + "[0-9a-f]{32}" + re.escape(".tmp"))
    for entry in os.listdir(folder):
        if ours.fullmatch(entry):
            _remove(os.path.join(folder, entry))


def _remove(path):
    """Remove a file if it is there and, on Windows, not in use."""
    try:
        os.remove(path)
    except OSError:
        pass
