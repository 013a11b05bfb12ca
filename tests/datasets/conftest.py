"""Small image sets, and the folder of drawn pictures for load_image_folder; picture_folders needs Pillow."""

import os
from urllib.error import URLError

import numpy as np
import pytest
from small_sets import SIZES

from skfnn.datasets import _sources
from skfnn.datasets._sets import SETS


@pytest.fixture
def small_sets(monkeypatch, tmp_path):
    """Use small image sets, and no data folders except those that a test makes."""
    for name, sizes in SIZES.items():
        train, test = zip(*sizes, strict=True)
        monkeypatch.setitem(SETS, name, SETS[name]._replace(class_sizes={"train": train, "test": test}))
    monkeypatch.delenv("SKFNN_DATA", raising=False)
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path / "scikit_learn_data"))

    def no_network(*args, **kwargs):
        raise URLError("no network")

    monkeypatch.setattr(_sources, "fetch_openml", no_network)


@pytest.fixture
def quick(monkeypatch):
    """Without waiting for the disk; no test takes its power away."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    """A folder of 300 pictures in five classes: JPEG, grey JPEG, PNG and GIF, and six broken files among them."""
    from picture_folders import BROKEN, CLASSES, N_EACH, drawn

    folder = tmp_path_factory.mktemp("set") / "pictures"
    rng = np.random.default_rng(0)
    for k, name in enumerate(CLASSES):
        (folder / name).mkdir(parents=True)
        for i in range(N_EACH):
            picture = drawn(k, rng)
            if i % 10 == 1:
                picture = picture.convert("L")
            suffix = {8: "png", 9: "gif"}.get(i % 10, "jpg")
            picture.save(folder / name / f"{i:03}.{suffix}")
    contents = [b"", b"no picture", None, None, None, None]  # None: cut off
    for file, content in zip(BROKEN, contents, strict=True):
        path = folder / file
        path.write_bytes(path.read_bytes()[:-60] if content is None else content)
    return folder


@pytest.fixture(scope="session")
def expected(pictures):
    """What a direct decoding gives: X, y and the names of the rows."""
    from picture_folders import BROKEN, CLASSES, direct

    names = [f"{name}/{path.name}" for name in CLASSES for path in sorted((pictures / name).iterdir())]
    names = [name for name in names if name not in BROKEN]
    y = [CLASSES.index(name.split("/")[0]) for name in names]
    return np.array([direct(pictures / name) for name in names]), np.array(y), names
