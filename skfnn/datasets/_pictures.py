"""One picture file as pixels of a given size."""

import io
import warnings

import numpy as np

# The EXIF tag, and what turns a stored picture upright for each of its values (EXIF 2.32, section 4.6.4).
_ORIENTATION = 0x0112
_TURNS = {
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}
_ON_ITS_SIDE = {5, 6, 7, 8}
# A JPEG is decoded at 1/2, 1/4 or 1/8 of its size if that is still this many times the size asked for.
_GAP = 2


def require_pillow():
    """Raise an ImportError that says what to install, if Pillow is missing."""
    try:
        import PIL.Image  # noqa: F401
    except ImportError as error:
        raise ImportError('load_image_folder needs Pillow: install skfnn with the extra "images".') from error


def read_picture(path, image_size, color):
    """The pixels of a picture file, uint8, (height, width, 3) or (height, width).

    An OSError says that the file cannot be read, a ValueError that what it contains cannot be decoded.
    """
    from PIL import UnidentifiedImageError

    # Pillow gets the bytes and not the file: its errors are then about the picture, never about the disk.
    with open(path, "rb") as file:
        content = io.BytesIO(file.read())
    try:
        with warnings.catch_warnings():
            # About damaged EXIF data and unusual palettes, which do not keep Pillow from decoding the picture.
            warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
            return _decode(content, image_size, color)
    except MemoryError:
        raise
    except UnidentifiedImageError:
        raise ValueError("not a picture in a format that Pillow reads") from None
    except Exception as error:  # a damaged file can raise many kinds of error
        raise ValueError(f"Pillow cannot decode the picture: {error}") from error


def _decode(file, image_size, color):
    """The pixels of an open file."""
    from PIL import Image

    height, width = image_size
    with Image.open(file) as picture:
        picture.draft(None, (_GAP * max(image_size),) * 2)  # JPEG only; nothing happens in other formats
        picture.load()
        orientation = _orientation(picture)
        size = (height, width) if orientation in _ON_ITS_SIDE else (width, height)
        plain = _plain(picture, color)
        small = plain.resize(size, Image.Resampling.BILINEAR, box=_central_box(plain.size, size))
    if orientation in _TURNS:
        small = small.transpose(Image.Transpose[_TURNS[orientation]])
    if small.mode == "RGBA":
        small = Image.alpha_composite(Image.new("RGBA", small.size, "white"), small)
    return np.asarray(small.convert("RGB" if color else "L"))


def _orientation(picture):
    """The EXIF orientation, 1 if there is none. Damaged EXIF data count as none, because the pixels are intact."""
    try:
        return int(picture.getexif().get(_ORIENTATION, 1))
    except Exception:
        return 1


def _plain(picture, color):
    """The picture in mode RGB, L, or RGBA if it has transparent parts: the modes that Pillow can resize exactly."""
    from PIL import Image

    if picture.mode.startswith("I"):  # 16 bits a pixel; older versions of Pillow use 32 bits for them
        values = np.asarray(picture)
        if values.min() < 0 or values.max() > 0xFFFF:
            raise ValueError("pixels of 8 or 16 bits expected, found 32 bits")
        return Image.fromarray((values >> 8).astype(np.uint8))
    if picture.mode == "F":
        raise ValueError("pixels of 8 or 16 bits expected, found floating-point numbers")
    transparent = picture.mode in ("LA", "PA", "RGBA") or "transparency" in picture.info
    mode = "RGBA" if transparent else "RGB" if color else "L"
    return picture if picture.mode == mode else picture.convert(mode)


def _central_box(size, target):
    """The largest central box (left, top, right, bottom) of a picture with the proportions of the target."""
    width, height = size
    if width * target[1] > height * target[0]:
        box_width, box_height = height * target[0] / target[1], height
    else:
        box_width, box_height = width, width * target[1] / target[0]
    left, top = (width - box_width) / 2, (height - box_height) / 2
    return left, top, left + box_width, top + box_height
