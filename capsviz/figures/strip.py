"""The way of the image through the network, from pixels to reconstruction, as a strip."""

import html
import math
from collections.abc import Collection, Sequence

import numpy as np

from capsviz.figures.lengths import MOST_IN_A_COLUMN, lengths_bars
from capsviz.figures.reading import together
from capsviz.figures.theme import added, class_colours, data_uri, ink, shaded, signed
from capsviz.texts import capital, markup, noun, say, spelled
from capsviz.texts.numbers import number
from capsviz.traces.base import MARGIN_ABSENT, MARGIN_PRESENT, Trace
from capsviz.traces.plain import PlainTrace
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


def _station(panel: str, title: str, operation: str, body: str, caption: str, kind: str = "") -> str:
    return (
        f'<figure class="cv-station {kind}" data-panel="{panel}"><h2>{title}</h2><p>{operation}</p>{body}'
        f"<figcaption>{caption}</figcaption></figure>"
    )


def _picture(pixels: np.ndarray, alt: str) -> str:
    return f'<img src="{data_uri(pixels)}" alt="{html.escape(alt)}">'


def pipeline_strip(
    trace: RoutingTrace | PlainTrace,
    reconstruction: np.ndarray | None = None,
    covered: bool = False,
    without: Collection[str] = (),
    places: Sequence[int] = (),
) -> str:
    """HTML of the stations that the trace has: pixels, feature maps, primary capsules or numbers, scores, reconstruction.

    Args:
        trace: one image's trace.
        reconstruction: [S, S] what the pose of the answer's class draws, in 0..1, or [N, S, S] of its N classes; None for
            a network without poses.
        covered: leave out what gives the answer away.
        without: names of stations to leave out: "seen", "maps", "primary", "lengths", "redrawn".
        places: of the N classes.
    """
    stations = {"seen": _pixels(trace), "maps": _maps(trace)}
    if covered:
        veil = '<figure class="cv-station cv-veil"><b>?</b>'
        stations["lengths"] = f"{veil}<figcaption>{say('guess.covered')}</figcaption></figure>"
        look = " cv-covered"
    else:
        if isinstance(trace, PlainTrace):
            stations["primary"] = _numbers(trace)
        else:
            stations["primary"] = _places(trace) if trace.grid.places > 1 else _capsules(trace)
        stations["lengths"] = _scores(trace)
        if reconstruction is not None:
            one = reconstruction.ndim == 2
            stations["redrawn"] = (
                _redrawn(trace, reconstruction) if one else _redrawn_together(trace, reconstruction, places)
            )
        look = ("" if reconstruction is not None else " cv-short") + (
            " cv-many" if len(trace.classes) > MOST_IN_A_COLUMN else ""
        )
    shown = {name: station for name, station in stations.items() if name not in without}
    if not shown:
        return ""
    columns = ""
    if len(shown) < len(stations):
        look += " cv-part"
        wide = ("minmax(0, 16rem)", "minmax(230px, 32rem)")
        columns = f' style="--stations: {" auto ".join(wide[name == "lengths"] for name in shown)}"'
    arrow = '<div class="cv-arrow" aria-hidden="true">→</div>'
    return (
        f'<div class="cv-frame"><div class="cv-strip{look}"{columns}>{arrow.join(shown.values())}</div></div>'
    )


def _pixels(trace: Trace) -> str:
    size = trace.shape.size
    return _station(
        "seen",
        say("draw.pixels.title"),
        say("draw.pixels.size", size=size),
        _picture(ink(trace.image), say("draw.pixels.alt", size=size)),
        say("draw.pixels.caption"),
    )


def _first_kernel(trace: RoutingTrace | PlainTrace) -> int:
    """Side of the first convolution's kernel: its stride is 1, so that it follows from the sizes."""
    return trace.shape.size - trace.features.shape[1] + 1


def _maps(trace: RoutingTrace | PlainTrace) -> str:
    chosen = strongest_features(trace.features, TILES * TILES)
    brightest = float(trace.features[chosen].max())
    mosaic = ink(shaded(_mosaic(trace.features[chosen]) / max(brightest, 1e-6)))
    filters = len(trace.features)
    return _station(
        "maps",
        say("draw.maps.title"),
        say("draw.maps.operation", filters=filters, kernel=_first_kernel(trace)),
        _picture(mosaic, say("draw.maps.alt", count=spelled(len(chosen)))),
        say("draw.maps.caption", count=len(chosen), filters=filters, brightest=number(brightest, 1)),
    )


def _places(trace: RoutingTrace) -> str:
    """Primary capsules at several places: a map of what each place makes of the answer."""
    place, grid = trace.prediction, trace.grid
    shares = place_shares(trace, place)
    limit = float(np.abs(shares).max())
    strongest = shares.flat[np.abs(shares).argmax()] / max(float(np.linalg.norm(trace.s[-1, place])), 1e-6)
    places = {"rows": grid.rows, "columns": grid.columns}
    alt = say("draw.capsules.alt", **places, kind=noun(trace.shape.kind), name=trace.answer)
    return _station(
        "primary",
        say("draw.capsules.title"),
        say("draw.capsules.operation", kernel=grid.field - _first_kernel(trace) + 1, stride=grid.stride),
        _picture(signed(shares, max(limit, 1e-6)), alt),
        markup(
            f"draw.capsules.{'takes' if strongest < 0 else 'makes'}",
            **places,
            capsules=grid.capsules,
            types=grid.types,
            name=trace.answer,
            percent=number(100 * abs(strongest), 0),
        ),
    )


def _capsules(trace: RoutingTrace) -> str:
    """Primary capsules that all see the same: a bar for what each makes of the answer, to the right or to the left."""
    place, name = trace.prediction, trace.answer
    percent = 100 * trace.share[-1, :, place] / max(float(np.linalg.norm(trace.s[-1, place])), 1e-6)
    limit = max(float(np.abs(percent).max()), 1e-6)
    bars = "".join(
        f'<li title="{say("draw.capsules.share", capsule=capsule, percent=number(share, 0))}">'
        f'<span class="{"cv-takes" if share < 0 else "cv-makes"}" style="width:{50 * abs(share) / limit:.1f}%"></span></li>'
        for capsule, share in enumerate(percent.tolist())
    )
    alt = html.escape(
        say("draw.capsules.sharesAlt", count=len(percent), kind=noun(trace.shape.kind), name=name)
    )
    strongest = percent[np.abs(percent).argmax()]
    return _station(
        "primary",
        say("draw.capsules.title"),
        say("draw.capsules.whole", size=trace.grid.field),
        f'<ol class="cv-votes" aria-label="{alt}">{bars}</ol>',
        markup(
            f"draw.capsules.{'takes' if strongest < 0 else 'makes'}Whole",
            capsules=len(percent),
            name=name,
            percent=number(abs(strongest), 0),
        ),
    )


def _numbers(trace: PlainTrace) -> str:
    """What the dense layer reads: a cell for each number, row by row, in a rectangle that has no other."""
    count, brightest = len(trace.whole), float(trace.whole.max())
    columns = next(n for n in range(math.isqrt(count - 1) + 1, count + 1) if count % n == 0)
    cells = trace.whole.reshape(-1, columns) / max(brightest, 1e-6)
    return _station(
        "primary",
        say("draw.whole.title", count=count),
        say("draw.whole.operation"),
        _picture(ink(cells), say("draw.whole.alt", count=count)),
        say(
            "draw.whole.caption",
            count=count,
            above=int((trace.whole > 0).sum()),
            brightest=number(brightest, 1),
        ),
    )


def _scores(trace: Trace) -> str:
    shape, scores = trace.shape, trace.scores[-1]
    caption = say(
        f"draw.ten.caption.{shape.score}",
        sum=number(float(scores.sum())),
        kind=noun(shape.kind),
        present=MARGIN_PRESENT,
        absent=MARGIN_ABSENT,
    )
    return _station(
        "lengths",
        capital(say(f"draw.ten.title.{shape.score}", count=spelled(len(scores)))),
        say(f"draw.ten.operation.{shape.routing or shape.score}", count=len(trace.scores)),
        lengths_bars(scores, trace.classes, shape.kind, shape.score),
        caption,
        "cv-wide",
    )


def _redrawn(trace: Trace, reconstruction: np.ndarray) -> str:
    name, plain = trace.answer, "" if trace.shape.grid else "Plain"
    return _station(
        "redrawn",
        say("draw.redrawn.title"),
        say("draw.redrawn.operation"),
        _picture(
            ink(shaded(reconstruction)),
            say(f"draw.redrawn.alt{plain}", kind=noun(trace.shape.kind), name=name),
        ),
        markup(
            f"draw.redrawn.caption{plain}", count=trace.shape.pose, kind=noun(trace.shape.kind), name=name
        ),
    )


def _redrawn_together(trace: Trace, reconstructions: np.ndarray, places: Sequence[int]) -> str:
    name, colours = together(trace.classes, places), class_colours(len(trace.classes))
    alt = say("draw.redrawn.altTogether", kinds=noun(trace.shape.kind, 2), name=name)
    return _station(
        "redrawn",
        say("draw.redrawn.title"),
        say("draw.redrawn.operation"),
        _picture(added(reconstructions, [colours[place] for place in places]), alt),
        markup("draw.redrawn.captionTogether", count=trace.shape.pose, name=name),
    )
