"""The way of the image through the network, from pixels to reconstruction, as a strip."""

import html

import numpy as np

from capsviz.figures.lengths import lengths_bars
from capsviz.figures.theme import data_uri, ink, number, signed
from capsviz.texts import capital, markup, noun, say, spelled
from capsviz.traces.base import MARGIN_ABSENT, MARGIN_PRESENT
from capsviz.traces.routing import RoutingTrace

TILES = 3  # feature maps along one side of their mosaic


def strongest_features(features: np.ndarray, count: int) -> np.ndarray:
    """Indices of the feature maps [F, h, w] with the highest mean activation, strongest first."""
    return np.argsort(features.mean(axis=(1, 2)))[::-1][:count]


def place_shares(trace: RoutingTrace, digit: int) -> np.ndarray:
    """[rows, columns] signed shares in |s| of ``digit``, summed over the capsule types at each place of the grid."""
    grid = trace.grid
    return trace.share[-1, :, digit].reshape(grid.types, grid.rows, grid.columns).sum(axis=0)


def _mosaic(maps: np.ndarray) -> np.ndarray:
    """[H, W] picture of the first TILES x TILES maps with a gap of one pixel, values as they are."""
    height, width = maps.shape[1:]
    picture = np.zeros((TILES * (height + 1) - 1, TILES * (width + 1) - 1), maps.dtype)
    for index, tile in enumerate(maps):
        row, column = divmod(index, TILES)
        top, left = row * (height + 1), column * (width + 1)
        picture[top : top + height, left : left + width] = tile
    return picture


def _station(title: str, operation: str, body: str, caption: str, kind: str = "") -> str:
    return (
        f'<figure class="cv-station {kind}"><h2>{title}</h2><p>{operation}</p>{body}'
        f"<figcaption>{caption}</figcaption></figure>"
    )


def _picture(pixels: np.ndarray, alt: str) -> str:
    return f'<img src="{data_uri(pixels)}" alt="{html.escape(alt)}">'


def pipeline_strip(trace: RoutingTrace, reconstruction: np.ndarray) -> str:
    """HTML of five stations: pixels, feature maps, primary capsules, lengths, reconstruction.

    Args:
        trace: one image's trace.
        reconstruction: [S, S] what the longest class capsule draws, in 0..1.
    """
    place, grid, size = trace.prediction, trace.grid, trace.shape.size
    chosen = strongest_features(trace.features, TILES * TILES)
    brightest = float(trace.features[chosen].max())
    mosaic = ink(_mosaic(trace.features[chosen]) / max(brightest, 1e-6))
    shares = place_shares(trace, place)
    limit = float(np.abs(shares).max())
    strongest = shares.flat[np.abs(shares).argmax()] / max(float(np.linalg.norm(trace.s[-1, place])), 1e-6)
    lengths = trace.lengths[-1]
    name, kind = trace.answer, trace.shape.kind
    # The first convolution has a stride of 1, so that its kernel, and then the second one's, follow from the sizes.
    first = size - trace.features.shape[1] + 1
    places = {"rows": grid.rows, "columns": grid.columns}

    stations = [
        _station(
            say("draw.pixels.title"),
            say("draw.pixels.size", size=size),
            _picture(ink(trace.image), say("draw.pixels.alt", size=size)),
            say("draw.pixels.caption"),
        ),
        _station(
            say("draw.maps.title"),
            say("draw.maps.operation", filters=len(trace.features), kernel=first),
            _picture(mosaic, say("draw.maps.alt", count=spelled(len(chosen)))),
            say(
                "draw.maps.caption",
                count=len(chosen),
                filters=len(trace.features),
                brightest=number(brightest, 1),
            ),
        ),
        _station(
            say("draw.capsules.title"),
            say("draw.capsules.operation", kernel=grid.field - first + 1, stride=grid.stride),
            _picture(
                signed(shares, max(limit, 1e-6)),
                say("draw.capsules.alt", **places, kind=noun(kind), name=name),
            ),
            markup(
                f"draw.capsules.{'takes' if strongest < 0 else 'makes'}",
                **places,
                capsules=grid.capsules,
                types=grid.types,
                name=name,
                percent=number(100 * abs(strongest), 0),
            ),
        ),
        _station(
            capital(say("draw.ten.title", count=spelled(len(lengths)))),
            say("draw.ten.operation", count=trace.iterations),
            lengths_bars(lengths, trace.classes, kind),
            say(
                "draw.ten.caption",
                sum=number(float(lengths.sum())),
                kind=noun(kind),
                present=MARGIN_PRESENT,
                absent=MARGIN_ABSENT,
            ),
            "cv-wide",
        ),
        _station(
            say("draw.redrawn.title"),
            say("draw.redrawn.operation"),
            _picture(ink(reconstruction), say("draw.redrawn.alt", kind=noun(kind), name=name)),
            markup("draw.redrawn.caption", count=trace.shape.pose, name=name),
        ),
    ]
    arrow = '<div class="cv-arrow" aria-hidden="true">→</div>'
    return f'<div class="cv-frame"><div class="cv-strip">{arrow.join(stations)}</div></div>'
