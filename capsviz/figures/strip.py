"""The way of the image through the network, from pixels to reconstruction, as a strip."""

import numpy as np

from capsviz.figures.lengths import lengths_bars
from capsviz.figures.theme import data_uri, ink, number, signed
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
    size = maps.shape[1]
    picture = np.zeros((TILES * (size + 1) - 1,) * 2, maps.dtype)
    for index, tile in enumerate(maps):
        row, column = (position * (size + 1) for position in divmod(index, TILES))
        picture[row : row + size, column : column + size] = tile
    return picture


def _station(title: str, operation: str, body: str, caption: str, kind: str = "") -> str:
    return (
        f'<figure class="cv-station {kind}"><h2>{title}</h2><p>{operation}</p>{body}'
        f"<figcaption>{caption}</figcaption></figure>"
    )


def pipeline_strip(trace: RoutingTrace, reconstruction: np.ndarray) -> str:
    """HTML of five stations: pixels, feature maps, primary capsules, lengths, reconstruction.

    Args:
        trace: one image's trace.
        reconstruction: [28, 28] what the longest digit capsule draws, in 0..1.
    """
    digit = trace.prediction
    chosen = strongest_features(trace.features, TILES * TILES)
    brightest = float(trace.features[chosen].max())
    mosaic = ink(_mosaic(trace.features[chosen]) / max(brightest, 1e-6))
    shares = place_shares(trace, digit)
    limit = float(np.abs(shares).max())
    strongest = shares.flat[np.abs(shares).argmax()] / max(float(np.linalg.norm(trace.s[-1, digit])), 1e-6)
    says = f"{'takes' if strongest < 0 else 'makes'} {number(100 * abs(strongest), 0)}%"
    lengths = trace.lengths[-1]

    pixels = f'<img src="{data_uri(ink(trace.image))}" alt="the 28 by 28 pixels the network sees">'
    features = f'<img src="{data_uri(mosaic)}" alt="the nine strongest feature maps">'
    grid = (
        f'<img src="{data_uri(signed(shares, max(limit, 1e-6)))}" '
        f'alt="shares of the 6 by 6 places in digit {digit}">'
    )
    redrawn = f'<img src="{data_uri(ink(reconstruction))}" alt="digit {digit} as its capsule redraws it">'

    stations = [
        _station("Pixels", "28 × 28, 0 to 1", pixels, "Cropped, scaled and centred as MNIST’s digits are."),
        _station(
            "Feature maps",
            "256 filters, 9 × 9",
            features,
            f"The {len(chosen)} most active of 256; white is {number(brightest, 1)}.",
        ),
        _station(
            "Primary capsules",
            "9 × 9, stride 2",
            grid,
            f"1152: 32 at each of 6 × 6 places. <b class='cv-for'>Orange</b> places vote for {digit}, "
            f"<b class='cv-against'>blue</b> against; the strongest {says} of |s|{' away' if strongest < 0 else ''}.",
        ),
        _station(
            "Ten lengths",
            f"routing, {trace.iterations} iterations",
            lengths_bars(lengths),
            "Each on a scale of its own: they need not sum to 1 "
            f"(here {number(float(lengths.sum()))}). Training wants at least 0.9 if the digit is there, "
            "at most 0.1 if not.",
            "cv-wide",
        ),
        _station("Redrawn", "decoder", redrawn, f"From nothing but the 16 numbers of capsule {digit}."),
    ]
    arrow = '<div class="cv-arrow" aria-hidden="true">→</div>'
    return f'<div class="cv-frame"><div class="cv-strip">{arrow.join(stations)}</div></div>'
