"""Uploaded files: every kind that Pillow reads comes out upright and readable, every bad one is refused."""

import io
import struct
import time
import zlib

import numpy as np
import pytest
from PIL import Image

from capsviz.errors import ImageError
from capsviz.inputs.examples import EXAMPLES, render
from capsviz.inputs.images import ENDINGS, FORMATS, MAX_BYTES, read_image
from capsviz.inputs.preprocess import canvas_to_mnist

DRAWING = render(EXAMPLES[0].strokes, EXAMPLES[0].width)
EXPECTED = canvas_to_mnist(DRAWING)


def encode(image: Image.Image, kind: str, **options) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def grey() -> Image.Image:
    return Image.fromarray(DRAWING)


def transparent() -> Image.Image:
    """Black strokes on nothing."""
    image = Image.new("RGBA", grey().size)
    image.putalpha(grey())
    return image


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds no pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b""))
        + chunk(b"IEND", b"")
    )


FILES = {
    "PNG grey": lambda: encode(grey(), "PNG"),
    "PNG RGB": lambda: encode(grey().convert("RGB"), "PNG"),
    "PNG palette": lambda: encode(grey().convert("RGB").quantize(16), "PNG"),
    "PNG 1 bit": lambda: encode(grey().point(lambda v: 255 * (v > 127), "1"), "PNG"),
    "PNG 16 bit": lambda: encode(Image.fromarray(DRAWING.astype(np.uint16) * 257), "PNG"),
    "PNG 16 bit, dark": lambda: encode(Image.fromarray(DRAWING.astype(np.uint16) * 100), "PNG"),
    "PNG transparent": lambda: encode(transparent(), "PNG"),
    "PNG transparent palette": lambda: encode(transparent().quantize(16), "PNG"),
    "PNG grey and alpha": lambda: encode(transparent().convert("LA"), "PNG"),
    "JPEG grey": lambda: encode(grey(), "JPEG", quality=90),
    "JPEG RGB": lambda: encode(grey().convert("RGB"), "JPEG", quality=90),
    "JPEG CMYK": lambda: encode(grey().convert("RGB").convert("CMYK"), "JPEG", quality=90),
    "WebP": lambda: encode(grey().convert("RGB"), "WEBP", lossless=True),
    "WebP transparent": lambda: encode(transparent(), "WEBP", lossless=True),
    "GIF, first frame": lambda: encode(
        grey(),
        "GIF",
        save_all=True,
        append_images=[Image.new("L", (280, 280)), Image.new("L", (280, 280), 99)],
    ),
    "TIFF 32-bit float": lambda: encode(Image.fromarray(DRAWING / np.float32(255)), "TIFF"),
    "TIFF 32-bit integer": lambda: encode(Image.fromarray(DRAWING.astype(np.int32) * 257), "TIFF"),
    "BMP": lambda: encode(grey(), "BMP"),
    "PPM": lambda: encode(grey().convert("RGB"), "PPM"),
    "PGM": lambda: encode(grey(), "PPM"),
}
AVIF = pytest.mark.skipif("AVIF" not in FORMATS, reason="the installed Pillow cannot decode AVIF")


@pytest.mark.parametrize("kind", FILES)
def test_every_kind_of_file_gives_the_same_digit(kind):
    image = canvas_to_mnist(read_image(FILES[kind]()))
    assert np.corrcoef(image.ravel(), EXPECTED.ravel())[0, 1] > 0.985


@AVIF
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_avif(mode):
    picture = transparent() if mode == "RGBA" else grey().convert(mode)
    pixels = read_image(encode(picture, "AVIF", quality=90))
    assert pixels.shape[:2] == DRAWING.shape
    assert np.corrcoef(canvas_to_mnist(pixels).ravel(), EXPECTED.ravel())[0, 1] > 0.985


def heif(major: bytes, *others: bytes) -> bytes:
    """The first box of such a file, and something behind it."""
    brands = major + b"\0\0\0\0" + b"".join(others)
    return struct.pack(">I", 8 + len(brands)) + b"ftyp" + brands + bytes(200)


@pytest.mark.parametrize(
    "data",
    [
        heif(b"heic", b"mif1", b"heic"),
        heif(b"heix"),
        heif(b"mif1", b"MiHB", b"heic"),
        heif(b"msf1", b"hevc"),
        heif(b"mif1", b"miaf", b"MiHB", b"heix"),
        heif(b"heim"),
        heif(b"heis"),
        heif(b"hevc"),
        heif(b"hevx"),
        heif(b"hevm"),
        heif(b"hevs"),
        heif(b"mif1"),
        heif(b"msf1"),
        *(heif(b"abcd", *[b"efgh"] * k, b"heic") for k in range(4)),
    ],
    ids=lambda data: f"{data[8:12].decode()} {data.count(b'efgh')}",
)
def test_heic_says_what_to_do(data):
    with pytest.raises(ImageError, match=r"HEIC.*export this one as JPEG.*Settings, Camera, Formats"):
        read_image(data)


@pytest.mark.parametrize("data", [heif(b"isom", b"mp41"), b"\0\0\0\x18ftypheic"[:8], heif(b"heic")[1:]])
def test_other_containers_are_just_no_images(data):
    with pytest.raises(ImageError, match="not an image"):
        read_image(data)


def test_brands_of_later_boxes_do_not_count_nor_does_the_version():
    with pytest.raises(ImageError, match="not an image"):
        read_image(heif(b"isom", b"mp41")[:20] + b"heic" * 4)
    with pytest.raises(ImageError, match="not an image"):
        read_image(heif(b"isom", b"mp41").replace(b"isom\0\0\0\0", b"isomheic"))


@pytest.mark.parametrize("brand", [b"avif", b"avis"])
def test_avif_where_it_cannot_be_decoded_says_so(brand, monkeypatch):
    monkeypatch.setattr("capsviz.inputs.images.FORMATS", ("PNG", "JPEG"))
    with pytest.raises(ImageError, match="AVIF files cannot be read here: export"):
        read_image(heif(b"mif1", brand))


@AVIF
def test_a_broken_avif_is_damaged_or_no_image():
    with pytest.raises(ImageError, match=r"damaged or incomplete|not an image"):
        read_image(encode(grey(), "AVIF")[:300])


def test_endings_are_those_of_the_formats():
    expected = {"png", "jpg", "jpeg", "webp", "gif", "bmp", "tif", "tiff", "ppm", "pgm"}
    assert expected <= set(ENDINGS)
    assert ("avif" in ENDINGS) == ("AVIF" in FORMATS)
    assert not {"eps", "ps", "pdf", "heic", "svg", "psd", "ico"} & set(ENDINGS)
    assert list(ENDINGS) == sorted(ENDINGS)
    assert not any(ending.startswith(".") for ending in ENDINGS)


@pytest.mark.parametrize(
    "data", [b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", b"8BPS\0\1", b"\0\0\1\0\1\0"]
)
def test_formats_that_are_not_taken_reach_no_decoder(data):
    with pytest.raises(ImageError, match="not an image"):
        read_image(data + bytes(300))


def test_the_limit_on_bytes_is_twenty_megabytes():
    png = FILES["PNG grey"]()
    # What follows a PNG's end is no part of it.
    assert read_image(png + bytes(20 * 2**20 - len(png))).shape == DRAWING.shape
    with pytest.raises(ImageError, match="over the limit of 20"):
        read_image(png + bytes(20 * 2**20 - len(png) + 1))


def test_the_limit_on_pixels_is_fifty_million(monkeypatch):
    with pytest.raises(ImageError, match="damaged"):  # let through; it has no pixels
        read_image(png_header(10_000, 5_000))
    with pytest.raises(ImageError, match="50 million"):
        read_image(png_header(10_000, 5_001))


def test_sixteen_bits_keep_their_range():
    levels = np.array([[0, 1, 255], [256, 40000, 65535]], np.uint16)
    pixels = read_image(encode(Image.fromarray(levels), "PNG"))
    assert pixels.dtype == np.uint16
    np.testing.assert_array_equal(pixels, levels)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_is_turned_upright(orientation):
    # Image.Transpose undoes each orientation; its inverse makes the file a camera would write.
    t = Image.Transpose
    as_stored = {
        1: None,
        2: t.FLIP_LEFT_RIGHT,
        3: t.ROTATE_180,
        4: t.FLIP_TOP_BOTTOM,
        5: t.TRANSPOSE,
        6: t.ROTATE_90,
        7: t.TRANSVERSE,
        8: t.ROTATE_270,
    }[orientation]
    upright = Image.fromarray(np.pad(DRAWING, ((0, 60), (0, 0))))
    stored = upright if as_stored is None else upright.transpose(as_stored)
    exif = Image.Exif()
    exif[0x0112] = orientation
    pixels = read_image(encode(stored, "JPEG", quality=95, exif=exif))
    assert pixels.shape == (340, 280)
    assert np.abs(pixels.astype(int) - np.asarray(upright)).mean() < 2


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_large_photo_is_reduced(kind):
    photo = Image.fromarray(255 - DRAWING).resize((4000, 3000)).convert("RGB")
    pixels = read_image(encode(photo, kind))
    assert pixels.shape == (768, 1024, 3)
    assert canvas_to_mnist(pixels).max() == 1


@pytest.mark.parametrize(
    "data",
    [
        b"Dear reader, this is no picture.\n" * 50,
        b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n",
        b"\x00" * 100,
        b"\x89PNG",
    ],
    ids=["text", "PDF", "zeros", "four bytes of a PNG"],
)
def test_what_is_not_an_image(data):
    with pytest.raises(ImageError, match="not an image"):
        read_image(data)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_truncated(kind):
    data = encode(grey().convert("RGB"), kind)
    with pytest.raises(ImageError, match=r"damaged or incomplete|not an image"):
        read_image(data[: len(data) // 2])


def test_a_png_with_a_flipped_byte():
    data = bytearray(encode(grey(), "PNG"))
    data[len(data) // 2] ^= 0xFF
    with pytest.raises(ImageError, match="damaged"):
        read_image(bytes(data))


def test_empty():
    with pytest.raises(ImageError, match="empty"):
        read_image(b"")


@pytest.mark.parametrize("size", [(20_000, 20_000), (10_000, 9_000), (8_000, 7_000)])
def test_too_many_pixels_are_refused_from_the_header(size):
    start = time.perf_counter()
    with pytest.raises(ImageError, match=r"50 million.*scale it down"):
        read_image(png_header(*size))
    assert time.perf_counter() - start < 0.5


def test_too_many_bytes():
    with pytest.raises(ImageError, match="over the limit of 20"):
        read_image(bytes(MAX_BYTES + 1))
