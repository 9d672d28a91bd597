"""Image files, as people upload them, into arrays that ``canvas_to_mnist`` takes."""

import io

import numpy as np
from PIL import Image, ImageOps

from capsviz.errors import ImageError
from capsviz.texts import say
from capsviz.texts.numbers import number

MAX_BYTES = 20 * 1024 * 1024
MAX_PIXELS = 50_000_000
MAX_SIDE = 1024  # larger pictures are reduced to this; a digit needs far less

# Pillow's others are rare, and one of them, EPS, would run a program to be drawn. AVIF only where the installed
# Pillow can decode it: its ending is known only there.
FORMATS = tuple(
    kind
    for kind in ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "AVIF")
    if kind in Image.registered_extensions().values()
)
ENDINGS = tuple(  # of their files' names, without the dot
    sorted(ending[1:] for ending, kind in Image.registered_extensions().items() if kind in FORMATS)
)
# Brands of HEIF files (ISO/IEC 23008-12) whose pictures are coded as HEVC, or whose coding they leave open.
HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}
AVIF_BRANDS = {b"avif", b"avis"}


def read_image(data: bytes) -> np.ndarray:
    """Decode an image file of any raster format that Pillow reads; of an animation, its first frame.

    Args:
        data: the bytes of the file, at most 20 MB and 50 megapixels.

    Returns:
        uint8 [H, W] (grey), [H, W, 3] (RGB) or [H, W, 4] (RGBA), uint16 [H, W] (16-bit grey) or float32
        [H, W] (as TIFF may hold); upright, at most 1024 pixels a side.

    Raises:
        ImageError: if this is not an image, or a damaged one, or one too large.
    """
    if not data:
        raise ImageError(say("image.empty"))
    if len(data) > MAX_BYTES:
        raise ImageError(say("image.large", size=number(len(data) / 2**20, 0), limit=MAX_BYTES // 2**20))
    _refuse_containers(data)
    image = _open(data)
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise ImageError(say("image.pixels", width=width, height=height, limit=MAX_PIXELS // 1_000_000))
    try:
        image.draft(image.mode, (MAX_SIDE, MAX_SIDE))  # a JPEG is reduced while it is decoded
        image.load()
        ImageOps.exif_transpose(image, in_place=True)
        image = _to_plain_mode(image)
        # No reducing gap: Pillow cannot reduce 16-bit grey in two steps.
        image.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.BOX, reducing_gap=None)
    except Exception as error:  # Pillow's decoders raise OSError, SyntaxError, ValueError, struct.error, ...
        raise ImageError(say("image.damaged")) from error
    return np.asarray(image)


def _refuse_containers(data: bytes) -> None:
    """Say what to do about pictures as phones keep them, which Pillow cannot decode."""
    if data[4:8] != b"ftyp":
        return
    end = min(int.from_bytes(data[:4], "big"), 256)  # of the box
    # The first brand, a version, and all others.
    brands = {data[8:12], *(data[k : k + 4] for k in range(16, end, 4))}
    if brands & AVIF_BRANDS:
        if "AVIF" not in FORMATS:
            raise ImageError(say("image.avif"))
    elif brands & HEIF_BRANDS:
        raise ImageError(say("image.heic"))


def _open(data: bytes) -> Image.Image:
    """Read the header and no pixel."""
    try:
        return Image.open(io.BytesIO(data), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageError(say("image.bomb", limit=MAX_PIXELS // 1_000_000)) from error
    except Exception as error:
        raise ImageError(say("image.none")) from error


def _to_plain_mode(image: Image.Image) -> Image.Image:
    """Convert to L, I;16, F, RGB or RGBA, with the range and the transparency kept."""
    if image.mode == "F":
        return image
    if image.mode.startswith("I"):
        # 16-bit grey; Pillow holds that of some formats in 32 bits, and converting it to L would clip it.
        return Image.fromarray(np.asarray(image).clip(0, 65535).astype(np.uint16))
    if image.has_transparency_data:
        return image.convert("RGBA")
    return image.convert("L" if image.mode in ("1", "L") else "RGB")
