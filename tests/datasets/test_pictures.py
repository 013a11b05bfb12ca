"""Every kind of picture becomes the bytes of a direct decoding."""

import io

import numpy as np
import pytest
from picture_folders import KINDS, RGB, SIZE, Image, direct, load, saved

from skfnn.datasets import _pictures

pytestmark = pytest.mark.usefixtures("quick")


def one(content, tmp_path, size=SIZE, **params):
    """The pixels of one file."""
    path = tmp_path / "one" / "class" / "picture"  # a name that tells nothing
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    data = load(tmp_path / "one", size, **params)
    return data.data.reshape(data.images_shape)


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
