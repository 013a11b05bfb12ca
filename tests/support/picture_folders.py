"""Folders of drawn pictures, and their direct decoding."""

import io

import numpy as np
import pytest

from skfnn.datasets import _picture_cache, load_image_folder

Image = pytest.importorskip("PIL.Image", reason="the pictures are decoded by Pillow")
from PIL import ImageDraw, ImageOps  # noqa: E402

CLASSES = ("bird", "cat", "dog", "fish", "horse")
COLOURS = ("red", "green", "blue", "yellow", "purple")
N_EACH = 60
SIZE = (12, 16)  # height and width
BROKEN = ("bird/000.jpg", "cat/007.jpg", "cat/008.png", "dog/057.jpg", "horse/030.jpg", "horse/059.gif")


def drawn(k, rng):
    """A small picture of class k. Smaller than four times SIZE: a JPEG of it is decoded in full."""
    width, height = (int(n) for n in rng.integers(10, 50, size=2))
    picture = Image.new("RGB", (width, height), tuple(int(v) for v in rng.integers(100, 156, size=3)))
    ImageDraw.Draw(picture).ellipse((0, 0, width - 3, height - 5), fill=COLOURS[k])
    return picture


def small_folder(folder, n_each=2):
    """A folder with a few intact pictures in two classes."""
    rng = np.random.default_rng(1)
    for k, name in enumerate(("a", "b")):
        (folder / name).mkdir(parents=True)
        for i in range(n_each):
            drawn(k, rng).save(folder / name / f"{i}.png")
    return folder


def direct(path, size=SIZE, color=True):
    """The row of a picture by Pillow's own functions."""
    with Image.open(path) as picture:
        picture = ImageOps.exif_transpose(picture).convert("RGB" if color else "L")
    return np.asarray(ImageOps.fit(picture, size[::-1], Image.Resampling.BILINEAR)).ravel()


def load(path, size=SIZE, **params):
    return load_image_folder(path, size, **{"verbose": False, **params})


class Decodings:
    """Counts the calls of read_picture, and calls `act` before the call `at`."""

    def __init__(self, monkeypatch, at=None, act=None):
        self.files, self._at, self._act, self._read = [], at, act, _picture_cache.read_picture
        monkeypatch.setattr(_picture_cache, "read_picture", self)

    def __call__(self, path, *args):
        if len(self.files) == self._at:
            self._act()
        self.files.append(path)
        return self._read(path, *args)


def interrupt():
    raise KeyboardInterrupt


def saved(picture, kind, **options):
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def ycck(picture):
    """A CMYK JPEG whose Adobe marker says that the first three channels are YCC."""
    content = bytearray(saved(picture.convert("CMYK"), "JPEG"))
    marker = content.index(b"Adobe")
    assert content[marker + 11] == 0
    content[marker + 11] = 2
    return bytes(content)


RGB = drawn(1, np.random.default_rng(3))
KINDS = {
    "JPEG": saved(RGB, "JPEG"),
    "progressive JPEG": saved(RGB, "JPEG", progressive=True),
    "grey JPEG": saved(RGB.convert("L"), "JPEG"),
    "CMYK JPEG": saved(RGB.convert("CMYK"), "JPEG"),
    "YCCK JPEG": ycck(RGB),
    "PNG": saved(RGB, "PNG"),
    "palette": saved(RGB.quantize(8), "PNG"),
    "black and white": saved(RGB.convert("1"), "PNG"),
    "BMP": saved(RGB, "BMP"),
    "TIFF": saved(RGB, "TIFF"),
    "GIF, animated": saved(RGB, "GIF", save_all=True, append_images=[RGB.rotate(90)]),
}
