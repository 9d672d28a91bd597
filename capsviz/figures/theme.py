"""Colours with one meaning each, and arrays turned into pictures with them."""

import base64
import struct
import zlib
from collections.abc import Sequence

import numpy as np

# One for each of ten classes. Lightness rises in equal steps from the darkest to the lightest (so they differ in
# grey print), hues were spread for the three kinds of colour blindness too: the two nearest of any pair,
# in normal or simulated deficient sight, are 0.1 apart in Oklab. Always shown with the numeral.
CLASS_COLOURS = (
    "#6f6ad1",
    "#dbb500",
    "#77557e",
    "#ff6eba",
    "#a19600",
    "#71e4f8",
    "#00a07c",
    "#a95229",
    "#a3d498",
    "#9789ff",
)

FOR_COLOUR = (240, 138, 36)  # orange: a positive quantity, a vote for
AGAINST_COLOUR = (58, 134, 224)  # blue: a negative quantity, a vote against


def class_colours(count: int) -> tuple[str, ...]:
    """One colour for each class, "#rrggbb"; with more than ten they come round again: the name is always beside it."""
    return tuple(CLASS_COLOURS[index % len(CLASS_COLOURS)] for index in range(count))


# Of a picture that comes with each answer: half a step, 1/48, is not to be seen, and it has half as many bytes.
SHADES = 25
_PNG_KINDS = {(): 0, (3,): 2, (4,): 6}  # colour types of the format, by a pixel's shape


def data_uri(pixels: np.ndarray) -> str:
    """A PNG as a data URI from uint8 pixels, grey [H, W], RGB [H, W, 3] or RGBA [H, W, 4].

    Its rows are not filtered, which for few colours makes a tenth less than Pillow does, in a twentieth of the time.
    """
    height, width = pixels.shape[:2]
    kind = _PNG_KINDS[pixels.shape[2:]]
    rows = np.pad(pixels.reshape(height, -1), ((0, 0), (1, 0)))  # before each row, that it has no filter
    deflate = zlib.compressobj(6, zlib.DEFLATED, zlib.MAX_WBITS, 9)
    packed = deflate.compress(rows.tobytes()) + deflate.flush()
    size = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", size) + _chunk(b"IDAT", packed) + _chunk(b"IEND", b"")
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")


def _chunk(name: bytes, content: bytes) -> bytes:
    """A part of a PNG: length, name, content, checksum."""
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def ink(image: np.ndarray) -> np.ndarray:
    """Grey levels 0..255 of an image in 0..1: white ink on black, in both themes."""
    return np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)


def shaded(values: np.ndarray) -> np.ndarray:
    """Values in -1..1 at the nearest of ``SHADES`` equal steps from 0 to 1, or to -1."""
    return np.asarray(np.rint(values * (SHADES - 1)) / (SHADES - 1))


def levels(image: np.ndarray) -> list[int]:
    """The grey levels of ``ink`` as a list, row by row, for JSON."""
    grey: list[int] = ink(image).ravel().tolist()
    return grey


def added(drawings: np.ndarray, colours: Sequence[str]) -> np.ndarray:
    """RGB pixels of drawings [N, S, S] in 0..1, each in its colour "#rrggbb", added where they lie over each other."""
    channels = np.array([[int(colour[at : at + 2], 16) for at in (1, 3, 5)] for colour in colours])
    return np.rint(np.einsum("nyx,nc->yxc", drawings, channels).clip(max=255)).astype(np.uint8)


def signed(values: np.ndarray, limit: float) -> np.ndarray:
    """RGB pixels of signed values: black at 0, full orange at ``limit``, full blue at minus ``limit``."""
    colour = np.where(values[..., None] >= 0, FOR_COLOUR, AGAINST_COLOUR)
    strength = np.clip(np.abs(values) / limit, 0, 1)[..., None]
    return np.rint(colour * strength).astype(np.uint8)
