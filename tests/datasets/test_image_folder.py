"""load_image_folder: rows equal to a direct decoding, whatever the files are and however often a run stops."""

import contextlib
import errno
import io
import json
import os
import shutil
import sys

import numpy as np
import pytest
from sklearn.utils import Bunch

from skfnn import FNNClassifier
from skfnn.datasets import _picture_cache, _pictures, _progress, load_image_folder

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


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Without waiting for the disk; no test takes its power away."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """A folder of 300 pictures in five classes: JPEG, grey JPEG, PNG and GIF, and six broken files among them."""
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


@pytest.fixture(scope="module")
def expected(pictures):
    """What a direct decoding gives: X, y and the names of the rows."""
    names = [f"{name}/{path.name}" for name in CLASSES for path in sorted((pictures / name).iterdir())]
    names = [name for name in names if name not in BROKEN]
    y = [CLASSES.index(name.split("/")[0]) for name in names]
    return np.array([direct(pictures / name) for name in names]), np.array(y), names


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


# What is returned


def test_the_rows_are_those_of_a_direct_decoding(pictures, expected, tmp_path):
    X, y, names = expected
    assert len(y) == 300 - len(BROKEN)
    data = load(pictures, cache=tmp_path, on_error="skip")
    assert isinstance(data, Bunch)
    assert isinstance(data.data, np.memmap)
    assert data.data.dtype == np.uint8
    np.testing.assert_array_equal(data.data, X)
    np.testing.assert_array_equal(data.target, y)
    assert data.target.dtype == np.int64
    assert list(data.target_names) == list(CLASSES)
    assert list(data.filenames) == names
    assert data.images_shape == (*SIZE, 3)
    assert tuple(data.skipped) == BROKEN
    assert "not a picture" in data.skipped["cat/007.jpg"]
    assert "294 pictures of 5 classes" in data.DESCR


def test_grey_rows_are_those_of_a_direct_decoding(tmp_path):
    folder = small_folder(tmp_path / "set")
    X, y = load(folder, color=False, return_X_y=True)
    assert load(folder, color=False).images_shape == SIZE
    assert X.shape == (4, SIZE[0] * SIZE[1])
    np.testing.assert_array_equal(X[3], direct(folder / "b/1.png", color=False))
    np.testing.assert_array_equal(y, [0, 0, 1, 1])


def test_one_number_is_the_height_and_the_width(tmp_path):
    folder = small_folder(tmp_path / "set")
    np.testing.assert_array_equal(load(folder, 7).data, load(folder, (7, 7), cache=tmp_path / "other").data)
    assert load(folder, 7).images_shape == (7, 7, 3)


def test_the_array_on_disk_is_a_file_for_numpy(tmp_path):
    X = load(small_folder(tmp_path / "set"), return_X_y=True)[0]
    np.testing.assert_array_equal(np.load(tmp_path / f"set-{SIZE[0]}x{SIZE[1]}-color.npy"), X)
    with pytest.raises(ValueError, match="read-only"):
        X[0] = 0


def test_a_network_learns_from_the_array(pictures, tmp_path):
    X, y = load(pictures, cache=tmp_path, on_error="skip", return_X_y=True)
    clf = FNNClassifier(20, batch_size=20, max_iter=15, n_iter_no_change=None, random_state=0).fit(X, y)
    assert clf.score(X, y) > 0.9  # guessing is right for 0.2


# Broken files


def test_a_broken_file_is_an_error_that_names_it_and_skipping_continues_there(
    pictures, expected, tmp_path, monkeypatch
):
    (tmp_path / "set").mkdir()
    folder = shutil.copytree(pictures, tmp_path / "set", dirs_exist_ok=True)
    for file in BROKEN[:3]:
        (folder / file).unlink()
    with pytest.raises(ValueError, match=r"set/dog/057\.jpg: Pillow cannot decode the picture: .*truncated"):
        load(folder, cache=tmp_path)
    rest = Decodings(monkeypatch)
    data = load(folder, cache=tmp_path, on_error="skip")
    assert len(rest.files) == 123  # from this file on
    assert tuple(data.skipped) == BROKEN[3:]
    np.testing.assert_array_equal(data.data, expected[0])


def test_a_cache_with_skipped_files_is_an_error_if_they_are_not_to_be_skipped(pictures, tmp_path, monkeypatch):
    load(pictures, cache=tmp_path, on_error="skip")
    rest = Decodings(monkeypatch)
    with pytest.raises(ValueError, match=r"bird/000\.jpg: not a picture"):
        load(pictures, cache=tmp_path)
    assert len(load(pictures, cache=tmp_path, on_error="skip").skipped) == len(BROKEN)
    assert rest.files == []


def test_a_repaired_file_is_not_skipped_any_more(tmp_path):
    folder = small_folder(tmp_path / "set")
    (folder / "a/2.png").write_bytes(b"soon")
    assert len(load(folder, on_error="skip").data) == 4
    shutil.copy(folder / "b/0.png", folder / "a/2.png")
    data = load(folder, on_error="skip")
    assert not data.skipped
    np.testing.assert_array_equal(data.data[2], data.data[3])


@pytest.mark.parametrize("on_error", ["raise", "skip"])
def test_only_broken_files_are_an_error(on_error, tmp_path):
    (tmp_path / "set/a").mkdir(parents=True)
    (tmp_path / "set/a/notes.txt").write_text("no picture")
    for _ in range(2):  # the second call reads the record of the first
        with pytest.raises(ValueError, match=r"notes\.txt: not a picture"):
            load(tmp_path / "set", on_error=on_error)


@pytest.mark.parametrize("on_error", ["raise", "skip"])
@pytest.mark.skipif(os.name == "nt", reason="links need a right of their own on Windows")
def test_a_file_that_cannot_be_read_is_an_error_and_never_skipped(on_error, tmp_path):
    # The picture may be intact. A disk that fails must not make the set smaller.
    folder = small_folder(tmp_path / "set")
    (folder / "a/link.png").symlink_to(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match=r"link\.png"):
        load(folder, on_error=on_error)


def test_a_lack_of_memory_is_not_the_fault_of_a_file(tmp_path, monkeypatch):
    def decode(*args):
        raise MemoryError

    monkeypatch.setattr(_pictures, "_decode", decode)
    with pytest.raises(MemoryError):
        load(small_folder(tmp_path / "set"), on_error="skip")


def test_a_picture_above_pillows_limit_is_an_error_that_names_it(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 20)
    with pytest.raises(ValueError, match=r"a.0\.png: Pillow cannot decode the picture: .*exceeds limit of 40 pixels"):
        load(small_folder(tmp_path / "set"))


# Which files count


def test_hidden_files_and_files_beside_the_classes_are_ignored_and_subfolders_are_not(tmp_path):
    folder = small_folder(tmp_path / "set")
    names = list(load(folder).filenames)
    for file in ("readme.txt", "a/.DS_Store", "a/Thumbs.db", "b/desktop.ini", "a/._0.png"):
        (folder / file).write_text("no picture")
    for hidden in (".git", "__MACOSX"):
        (folder / hidden).mkdir()
        (folder / hidden / "0.png").write_text("no picture")
    assert list(load(folder).filenames) == names
    (folder / "a/below/further").mkdir(parents=True)
    shutil.copy(folder / "b/0.png", folder / "a/below/further/0.png")
    data = load(folder)
    assert list(data.filenames) == [*names[:2], "a/below/further/0.png", *names[2:]]
    np.testing.assert_array_equal(data.target, [0, 0, 0, 1, 1])


def test_an_empty_folder_is_a_class(tmp_path):
    folder = small_folder(tmp_path / "set")
    load(folder)
    (folder / "aa").mkdir()
    data = load(folder)
    assert list(data.target_names) == ["a", "aa", "b"]
    np.testing.assert_array_equal(data.target, [0, 0, 2, 2])


# Kinds of pictures


def saved(picture, kind, **options):
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def one(content, tmp_path, size=SIZE, **params):
    """The pixels of one file."""
    path = tmp_path / "one" / "class" / "picture"  # a name that tells nothing
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    data = load(tmp_path / "one", size, **params)
    return data.data.reshape(data.images_shape)


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


@pytest.mark.parametrize("color", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_picture_is_decoded(kind, color, tmp_path):
    pixels = one(KINDS[kind], tmp_path, color=color)
    np.testing.assert_array_equal(pixels.ravel(), direct(io.BytesIO(KINDS[kind]), color=color))
    assert pixels.std() > 10


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
@pytest.mark.parametrize("color", [True, False])
def test_transparent_parts_are_white(mode, color, tmp_path):
    if mode == "P":
        picture = Image.new("P", (16, 12), 0)
        picture.putpalette([0, 0, 0, 0, 0, 0])
        picture.paste(1, (8, 0, 16, 12))
        content = saved(picture, "PNG", transparency=0)
    else:
        picture = Image.new("RGBA", (16, 12), (0, 0, 0, 0))
        picture.paste((0, 0, 0, 255), (8, 0, 16, 12))
        content = saved(picture.convert(mode), "PNG")
    pixels = one(content, tmp_path, color=color)
    assert (pixels[:, :8] == 255).all()
    assert (pixels[:, 8:] == 0).all()


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_become_the_upper_eight(kind, tmp_path):
    values = np.arange(12 * 16, dtype=np.uint16).reshape(12, 16) * 341  # up to 65,131
    content = saved(Image.fromarray(values), kind)
    np.testing.assert_array_equal(one(content, tmp_path, color=False), values // 256)


@pytest.mark.parametrize("values", [np.full((9, 9), 1e5, np.int32), np.full((9, 9), 0.5, np.float32)])
def test_other_numbers_are_no_picture(values, tmp_path):
    with pytest.raises(ValueError, match="class/picture: .* 8 or 16 bits expected, found"):
        one(saved(Image.fromarray(values), "TIFF"), tmp_path)


@pytest.mark.parametrize("orientation", range(10))
def test_a_picture_is_shown_upright(orientation, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = orientation  # 0 and 9 have no meaning
    picture = RGB.resize((32, 24))
    content = saved(picture, "PNG", exif=exif.tobytes())
    pixels = one(content, tmp_path, (16, 12))
    # Pillow scales the columns, rounds, and scales the rows. Turned pictures are rounded at another place.
    np.testing.assert_allclose(pixels.ravel(), direct(io.BytesIO(content), (16, 12)).astype(int), rtol=0, atol=1)
    plain = direct(io.BytesIO(saved(picture, "PNG")), (16, 12))
    assert np.array_equal(pixels.ravel(), plain) == (orientation in (0, 1, 9))


EXIF = {"cut off": b"II*\0\x08\0\0\0\x05\0\x12\x01\x03\0\xff\xff\xff\x7f", "something else": b"no EXIF data"}


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("damage", EXIF)
def test_damaged_exif_data_do_not_matter(damage, kind, tmp_path):
    # Pillow warns of them, or raises an error.
    content = saved(RGB, kind, exif=b"Exif\0\0" + EXIF[damage])
    np.testing.assert_array_equal(one(content, tmp_path).ravel(), direct(io.BytesIO(saved(RGB, kind))))


@pytest.mark.parametrize("upright", [False, True])
def test_the_centre_is_kept_in_its_proportions(upright, tmp_path):
    picture = Image.new("RGB", (90, 30), "red")
    picture.paste("blue", (30, 0, 60, 30))
    content = saved(picture.transpose(Image.Transpose.ROTATE_90) if upright else picture, "PNG")
    pixels = one(content, tmp_path, 10)
    # The scaling mixes colours in the outermost pixels only.
    inner = pixels[1:-1] if upright else pixels[:, 1:-1]
    assert (inner == (0, 0, 255)).all()


def test_a_large_jpeg_is_decoded_at_a_smaller_size(tmp_path, monkeypatch):
    # The picture is smooth, so a decoding in part and one in full differ by little.
    gradient = np.add.outer(np.linspace(0, 120, 600), np.linspace(0, 120, 800)).astype(np.uint8)
    content = saved(Image.fromarray(gradient), "JPEG", quality=95)
    decoded, box = [], _pictures._central_box
    monkeypatch.setattr(_pictures, "_central_box", lambda size, target: decoded.append(size) or box(size, target))
    pixels = one(content, tmp_path).astype(int)
    assert decoded == [(100, 75)]
    assert np.abs(pixels.ravel() - direct(io.BytesIO(content))).max() <= 3


# A second run


def test_a_second_run_only_opens_the_cache(pictures, expected, tmp_path, monkeypatch):
    load(pictures, cache=tmp_path, on_error="skip")
    rest = Decodings(monkeypatch)
    monkeypatch.setattr(_picture_cache, "replace", interrupt)  # nothing is written
    monkeypatch.setitem(sys.modules, "PIL", None)  # and Pillow is not needed
    data = load(pictures, cache=tmp_path, on_error="skip")
    assert rest.files == []
    np.testing.assert_array_equal(data.data, expected[0])
    np.testing.assert_array_equal(data.target, expected[1])
    assert list(data.filenames) == expected[2]


def test_every_size_and_colour_has_its_own_cache(tmp_path, monkeypatch):
    folder = small_folder(tmp_path / "set")
    forms = [((5, 6), True), ((6, 5), True), ((5, 6), False), ((10, 3), True)]
    first = [np.array(load(folder, size, color=color).data) for size, color in forms]
    rest = Decodings(monkeypatch)
    for (size, color), X in zip(forms, first, strict=True):
        np.testing.assert_array_equal(load(folder, size, color=color).data, X)
        np.testing.assert_array_equal(X[0], direct(folder / "a/0.png", size, color))
    assert rest.files == []


def rewrite(folder):
    """Other pixels in a file of the same size, at another time."""
    path = folder / "a/0.png"
    status = path.stat()
    content = saved(Image.new("RGB", (9, 9), "white"), "PNG")
    path.write_bytes(content + bytes(status.st_size - len(content)))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1_000_000_000))


CHANGES = {
    "added": lambda folder: shutil.copy(folder / "a/0.png", folder / "b/00.png"),
    "removed": lambda folder: (folder / "a/0.png").unlink(),
    "renamed": lambda folder: (folder / "a/1.png").rename(folder / "a/2.png"),
    "moved": lambda folder: (folder / "a/0.png").rename(folder / "b/9.png"),
    "written": rewrite,
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("stopped", [False, True])
def test_a_changed_folder_is_decoded_again(change, stopped, tmp_path, monkeypatch):
    folder = small_folder(tmp_path / "set")
    if stopped:
        with monkeypatch.context() as patch, contextlib.suppress(KeyboardInterrupt):
            Decodings(patch, 2, interrupt)
            load(folder)
    else:
        old = load(folder).data
        before = np.array(old)
    CHANGES[change](folder)
    data = load(folder)
    np.testing.assert_array_equal(data.data, [direct(folder / name) for name in data.filenames])
    assert list(data.filenames) == sorted(f"{path.parent.name}/{path.name}" for path in folder.glob("*/*"))
    if not stopped:
        np.testing.assert_array_equal(old, before)  # an array that is in use stays as it is


def test_a_moved_folder_keeps_its_cache(tmp_path, monkeypatch):
    small_folder(tmp_path / "here/set")
    X = np.array(load(tmp_path / "here/set").data)
    shutil.move(tmp_path / "here", tmp_path / "there")
    rest = Decodings(monkeypatch)
    np.testing.assert_array_equal(load(tmp_path / "there/set").data, X)
    assert rest.files == []


# Other files in place of the cache


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_cache_of_another_folder_is_an_error(tmp_path):
    small_folder(tmp_path / "one/set"), small_folder(tmp_path / "two/set", 3)
    load(tmp_path / "one/set", cache=tmp_path / "cache")
    before = contents(tmp_path / "cache")
    with pytest.raises(
        ValueError, match=r"json: the cache of .*two.set expected, found that of .*one.set\. .* 'cache'"
    ):
        load(tmp_path / "two/set", cache=tmp_path / "cache")
    assert contents(tmp_path / "cache") == before


@pytest.mark.parametrize("suffix", ["npy", "json"])
@pytest.mark.parametrize("content", [b"mine", b"[1]", b'{"mine": 1}'])
def test_a_file_of_somebody_else_is_an_error_and_stays(suffix, content, tmp_path):
    folder = small_folder(tmp_path / "set")
    path = tmp_path / f"set-{SIZE[0]}x{SIZE[1]}-color.{suffix}"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"set-12x16-color.*expected|not a file that load_image_folder wrote"):
        load(folder)
    assert path.read_bytes() == content
    assert len(os.listdir(tmp_path)) == 2


def cut(path):
    content = path.read_bytes()
    path.write_bytes(content[:-1])


def lengthen(path):
    path.write_bytes(path.read_bytes() + b"more")


def without_header(path):
    path.write_bytes(bytes(128) + path.read_bytes()[128:])


def with_another_shape(path):
    path.write_bytes(path.read_bytes().replace(b"(4, 576)", b"(576, 4)"))


DAMAGE = {
    "gone": os.unlink,
    "cut": cut,
    "longer": lengthen,
    "without header": without_header,
    "another shape": with_another_shape,
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_array_is_made_again(damage, tmp_path):
    folder = small_folder(tmp_path / "set")
    X = np.array(load(folder).data)
    path = tmp_path / f"set-{SIZE[0]}x{SIZE[1]}-color.npy"
    intact = path.read_bytes()
    DAMAGE[damage](path)
    np.testing.assert_array_equal(load(folder).data, X)
    assert path.read_bytes() == intact


@pytest.mark.parametrize("damage", ["gone", "cut"])
def test_a_damaged_array_of_an_interrupted_run_is_made_again(damage, tmp_path, monkeypatch):
    folder = small_folder(tmp_path / "set")
    with monkeypatch.context() as patch:
        Decodings(patch, 3, interrupt)
        with pytest.raises(KeyboardInterrupt):
            load(folder)
    DAMAGE[damage](tmp_path / f"set-{SIZE[0]}x{SIZE[1]}-color.npy")
    data = load(folder)
    np.testing.assert_array_equal(data.data, [direct(folder / name) for name in data.filenames])
    assert len(data.data) == 4


# Interruptions


@pytest.mark.parametrize("at", [0, 1, 68, 299])
def test_an_interrupted_run_continues(at, pictures, expected, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        Decodings(patch, at, interrupt)
        with pytest.raises(KeyboardInterrupt):
            load(pictures, cache=tmp_path, on_error="skip")
    rest = Decodings(monkeypatch)
    data = load(pictures, cache=tmp_path, on_error="skip")
    assert len(rest.files) == 300 - at
    np.testing.assert_array_equal(data.data, expected[0])
    assert list(data.filenames) == expected[2]
    assert tuple(data.skipped) == BROKEN


@pytest.mark.parametrize("at", [3, 100, 247])
def test_a_killed_run_continues_from_its_last_record(at, pictures, expected, tmp_path, monkeypatch):
    # A process that is killed leaves what is on disk at this moment.
    monkeypatch.setattr(_picture_cache, "_SAVE_EVERY", 50)
    with monkeypatch.context() as patch:
        Decodings(patch, at, lambda: shutil.copytree(tmp_path / "cache", tmp_path / "left"))
        load(pictures, cache=tmp_path / "cache", on_error="skip")
    rest = Decodings(monkeypatch)
    data = load(pictures, cache=tmp_path / "left", on_error="skip")
    assert len(rest.files) == 300 - at // 50 * 50
    np.testing.assert_array_equal(data.data, expected[0])
    assert tuple(data.skipped) == BROKEN


def test_an_interruption_between_skipping_a_file_and_counting_it_loses_no_row(
    pictures, expected, tmp_path, monkeypatch
):
    def interrupted(record, name, value):
        if name == "done" and value == 1:  # the first file is broken
            interrupt()
        object.__setattr__(record, name, value)

    with monkeypatch.context() as patch:
        patch.setattr(_picture_cache.Record, "__setattr__", interrupted)
        with pytest.raises(KeyboardInterrupt):
            load(pictures, cache=tmp_path, on_error="skip")
    assert json.loads(next(tmp_path.glob("*.json")).read_bytes())["skipped"] == {}
    data = load(pictures, cache=tmp_path, on_error="skip")
    np.testing.assert_array_equal(data.data, expected[0])
    assert tuple(data.skipped) == BROKEN


@pytest.mark.parametrize("step", ["write", "fsync", "record"])
def test_a_run_that_a_full_disk_ends_continues(step, pictures, expected, tmp_path, monkeypatch):
    def full(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    class Full(io.FileIO):
        def write(self, data):
            if self.tell() > 50_000:
                full()
            return super().write(data)

    monkeypatch.setattr(_picture_cache, "_SAVE_EVERY", 20)
    with monkeypatch.context() as patch:
        if step == "write":
            patch.setattr(_picture_cache, "open", Full, raising=False)
        else:
            name = {"fsync": "fsync", "record": "replace"}[step]
            Decodings(patch, 50, lambda: patch.setattr(os, name, full))
        with pytest.raises(OSError, match="No space"):
            load(pictures, cache=tmp_path, on_error="skip")
    rest = Decodings(monkeypatch)
    np.testing.assert_array_equal(load(pictures, cache=tmp_path, on_error="skip").data, expected[0])
    assert len(rest.files) < 300
    assert not [name for name in os.listdir(tmp_path) if name.endswith(".tmp")]


def test_an_interruption_is_not_hidden_by_a_full_disk(tmp_path, monkeypatch):
    def interrupt_with_a_full_disk():
        monkeypatch.setattr(os, "replace", lambda *args: os.stat(tmp_path / "an OSError"))
        interrupt()

    folder = small_folder(tmp_path / "set")
    Decodings(monkeypatch, 2, interrupt_with_a_full_disk)
    with pytest.raises(KeyboardInterrupt):
        load(folder)


# Where the cache is


def test_the_cache_is_beside_the_folder_or_where_it_is_asked_for(tmp_path):
    folder = small_folder(tmp_path / "parent/set")
    load(folder)
    assert sorted(os.listdir(tmp_path / "parent")) == ["set", "set-12x16-color.json", "set-12x16-color.npy"]
    load(folder, 3, cache=tmp_path / "new/cache", color=False)
    assert sorted(os.listdir(tmp_path / "new/cache")) == ["set-3x3-grey.json", "set-3x3-grey.npy"]
    assert len(os.listdir(tmp_path / "parent")) == 3


@pytest.mark.skipif(os.name == "nt", reason="links need a right of their own on Windows")
def test_the_cache_of_a_link_is_beside_the_link(tmp_path):
    small_folder(tmp_path / "far/set")
    (tmp_path / "near").mkdir()
    (tmp_path / "near/link").symlink_to(tmp_path / "far/set")
    load(tmp_path / "near/link")
    assert os.listdir(tmp_path / "far") == ["set"]
    assert sorted(os.listdir(tmp_path / "near")) == ["link", "link-12x16-color.json", "link-12x16-color.npy"]


def test_a_cache_that_cannot_be_written_is_an_error_that_says_what_to_do(tmp_path):
    folder = small_folder(tmp_path / "set")
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=r"The cache cannot be written to .*file.below: .*Give .* as 'cache'"):
        load(folder, cache=tmp_path / "file/below")


def test_a_cache_among_the_classes_is_an_error(tmp_path):
    folder = small_folder(tmp_path / "set")
    with pytest.raises(ValueError, match="'cache' parameter of load_image_folder must be a folder outside"):
        load(folder, cache=folder / "c")
    load(folder, cache=folder)  # beside the classes
    assert len(load(folder, cache=folder).data) == 4


# Errors


def test_without_pillow_an_error_says_what_to_install(tmp_path, monkeypatch):
    folder = small_folder(tmp_path / "set")
    monkeypatch.setitem(sys.modules, "PIL", None)
    monkeypatch.delitem(sys.modules, "PIL.Image")
    with pytest.raises(ImportError, match=r'pip install "skfnn\[images\]"'):
        load(folder)
    assert os.listdir(tmp_path) == ["set"]


@pytest.mark.parametrize("size", [0, -3, 2.0, True, "8", None, (8,), (8, 8, 3), (8, 0), (8, 8.0), (8, None)])
def test_a_wrong_size_is_an_error(size, tmp_path):
    with pytest.raises(ValueError, match="'image_size' parameter of load_image_folder must be an int in the range"):
        load(tmp_path, size)


@pytest.mark.parametrize("on_error", ["ignore", None, True])
def test_a_wrong_on_error_is_an_error(on_error, tmp_path):
    with pytest.raises(ValueError, match=r"'on_error' parameter of load_image_folder must be a str among .*Got"):
        load(tmp_path, on_error=on_error)


def test_a_folder_without_classes_or_pictures_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="missing"):
        load(tmp_path / "missing")
    (tmp_path / "set").mkdir()
    (tmp_path / "set/0.png").write_bytes(KINDS["PNG"])
    with pytest.raises(NotADirectoryError, match=r"0\.png"):
        load(tmp_path / "set/0.png")
    with pytest.raises(ValueError, match="set: a folder for each class expected, found no folder"):
        load(tmp_path / "set")
    (tmp_path / "set/a").mkdir()
    with pytest.raises(ValueError, match="set: pictures in the folders of the classes expected, found no file"):
        load(tmp_path / "set")


# Progress


def test_the_progress_is_a_line_for_each_tenth_and_nothing_for_a_complete_cache(pictures, tmp_path, capsys):
    for _ in range(2):
        load(pictures, cache=tmp_path, on_error="skip", verbose=True)
    out, err = capsys.readouterr()
    lines = err.splitlines()
    assert out == ""
    assert len(lines) == 10
    assert lines[0] == "pictures: 30 of 300 files read (10%, 1 skipped)"
    assert lines[-1] == "pictures: 300 of 300 files read (100%, 6 skipped)"


def test_without_verbose_nothing_is_printed(pictures, tmp_path, capsys):
    load(pictures, cache=tmp_path, on_error="skip")
    assert capsys.readouterr() == ("", "")


def test_on_a_terminal_the_line_changes_in_place(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    seconds = iter([10.0, 10.1, 10.6, 10.7])
    monkeypatch.setattr(_progress.time, "monotonic", lambda: next(seconds))
    monkeypatch.setattr(sys, "stderr", Terminal())
    progress = _progress.Progress("set", 4, True)
    for done in (1, 2, 3, 4):
        progress.report(done, 0)
    shown = [f"\rset: {done} of 4 files read ({done * 25}%)" for done in (1, 3, 4)]
    assert sys.stderr.getvalue() == "".join(shown) + "\n"
