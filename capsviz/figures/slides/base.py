"""An empty slide, and what is put on it. All lengths are pixels of 1920 x 1080, from the top left corner.

Drawn with Matplotlib's objects and with files of its own fonts: nothing is set or read that threads share, and a slide is
the same on every machine. Matplotlib is imported with the first slide.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from capsviz.checks import one_line
from capsviz.figures.theme import AGAINST_COLOUR, FOR_COLOUR, class_colours
from capsviz.texts.numbers import number
from capsviz.traces.base import LENGTH, MARGIN_ABSENT, MARGIN_PRESENT, Shape

WIDTH, HEIGHT, MARGIN = 1920, 1080, 72
RIGHT = WIDTH - MARGIN
SMALL, TEXT, HEAD = 24, 30, 48  # sizes of type
DPI = 100
LEADING = 1.3  # of lines of type
MOST_BARS, MOST_IN_A_COLUMN = 26, 13
_MARKS = re.compile(r"\*\*|\+\+|--")
_UNKNOWN = "\N{REPLACEMENT CHARACTER}"


class Look(NamedTuple):
    """Colours of a slide, the app's own."""

    paper: str
    ink: str
    soft: str  # of what is said beside
    line: str
    panel: str


LIGHT = Look("#fdfdfb", "#17191d", "#4d5159", "#d4d4cf", "#ececea")
DARK = Look("#101317", "#eceef1", "#b3b8c0", "#363c45", "#1f242b")
FOR, AGAINST = ("#{:02x}{:02x}{:02x}".format(*colour) for colour in (FOR_COLOUR, AGAINST_COLOUR))


@cache
def _font_file(bold: bool) -> str:
    import matplotlib

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return str(Path(matplotlib.get_data_path(), "fonts", "ttf", name))


@cache
def _letters(bold: bool) -> frozenset[int]:
    """Code points that the font has."""
    from matplotlib.font_manager import get_font

    return frozenset(get_font(_font_file(bold)).get_charmap())


def plain(words: str, bold: bool = False) -> str:
    """A text on one line, without marks, and with a sign in place of each letter that the font lacks."""
    known = _letters(bold)
    spaced = _MARKS.sub("", words).replace("\N{NO-BREAK SPACE}", " ")  # which is seen as any other
    return "".join(c if ord(c) in known else _UNKNOWN for c in one_line(spaced))


@cache
def _advances(bold: bool, letters: str) -> float:
    """Width of a text set in a size of 1."""
    from matplotlib.font_manager import get_font

    font = get_font(_font_file(bold))
    font.set_size(100, 72)
    font.set_text(letters, 0.0)
    return float(font.get_width_height()[0]) / 64 / 100


def width_of(words: str, size: float, bold: bool = False) -> float:
    """Pixels that a plain text takes."""
    return size * sum(_advances(bold, word) for word in words.split(" ")) + size * 0.318 * words.count(" ")


def cut(words: str, size: float, width: float, bold: bool = False) -> str:
    """A plain text, cut short with an ellipsis where it is wider than ``width``."""
    if width_of(words, size, bold) <= width:
        return words
    while words and width_of(f"{words}…", size, bold) > width:
        words = words[:-1]
    return f"{words.rstrip()}…"


def fitting(words: str, size: float, width: float, bold: bool = False) -> float:
    """The size of type, ``size`` or smaller, in which words have room on one line; the smallest is ``SMALL``."""
    return max(SMALL, min(size, size * width / max(width_of(plain(words, bold), size, bold), 1)))


def wrapped(words: str, size: float, width: float, bold: bool = False) -> list[str]:
    """Lines of a plain text, none wider than ``width``."""
    lines: list[str] = []
    for word in words.split():
        joined = f"{lines[-1]} {word}" if lines else word
        if lines and width_of(joined, size, bold) <= width:
            lines[-1] = joined
        else:
            lines.append(cut(word, size, width, bold))
    return lines


class Slide:
    """A slide in the making; ``figure`` is what it comes to."""

    def __init__(self, title: str, dark: bool, origin: str) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        self.look = DARK if dark else LIGHT
        self.figure: Figure = Figure((WIDTH / DPI, HEIGHT / DPI), dpi=DPI, facecolor=self.look.paper)
        FigureCanvasAgg(self.figure)
        self._axes: Any = self.figure.add_axes((0, 0, 1, 1))
        self._axes.set_axis_off()
        self._axes.set(xlim=(0, WIDTH), ylim=(HEIGHT, 0), autoscale_on=False)
        self.text(MARGIN, MARGIN, title, HEAD, bold=True, width=1240)
        self.text(MARGIN, HEIGHT - 64, origin, SMALL, soft=True, width=RIGHT - MARGIN)

    def text(
        self,
        x: float,
        y: float,
        words: str,
        size: float = SMALL,
        *,
        bold: bool = False,
        soft: bool = False,
        align: str = "left",
        width: float | None = None,
        lines: int = 1,
        colour: str = "",
    ) -> float:
        """Set words whose first line's letters begin at ``y``; the y below the last line.

        Args:
            x: of their left end, middle or right end, as ``align`` says ("left", "center", "right").
            width: that they have; what does not fit into so many ``lines`` is cut short.
        """
        from matplotlib.font_manager import FontProperties

        said = plain(words, bold)
        shown = [said] if width is None else wrapped(said, size, width, bold) if lines > 1 else [said]
        if len(shown) > lines:
            shown = [*shown[: lines - 1], " ".join(shown[lines - 1 :])]
        if width is not None:
            shown = [cut(line, size, width, bold) for line in shown]
        font = FontProperties(fname=_font_file(bold), size=size * 72 / DPI)
        colour = colour or (self.look.soft if soft else self.look.ink)
        for line in shown:
            # The letters' baseline: whatever they are, lines stand equally far apart.
            self._axes.text(
                x,
                y + 0.76 * size,
                line,
                fontproperties=font,
                color=colour,
                ha=align,
                va="baseline",
                parse_math=False,
            )
            y += LEADING * size
        return y

    def picture(self, pixels: np.ndarray, x: float, y: float, width: float, height: float) -> None:
        """Put a picture, grey [H, W] or RGB [H, W, 3] of uint8, each of its pixels an even rectangle."""
        rgb = np.repeat(pixels[..., None], 3, axis=2) if pixels.ndim == 2 else pixels
        rows, columns = rgb.shape[:2]
        up = max(1, round(height / rows)), max(1, round(width / columns))
        large = rgb.repeat(up[0], axis=0).repeat(up[1], axis=1)
        extent = (x, x + width, y + height, y)
        self._axes.imshow(large, extent=extent, aspect="auto", interpolation="nearest", zorder=1)

    def box(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        colour: str = "",
        line: str = "",
        thick: float = 2,
    ) -> None:
        """Put a rectangle, filled or with a line around it."""
        from matplotlib.patches import Rectangle

        edge = {"edgecolor": line, "linewidth": thick * 72 / DPI} if line else {"linewidth": 0}
        self._axes.add_patch(
            Rectangle((x, y), width, height, facecolor=colour or "none", zorder=2 if line else 1.5, **edge)
        )

    def curve(
        self,
        x: Sequence[float] | np.ndarray,
        y: Sequence[float] | np.ndarray,
        colour: str = "",
        thick: float = 2,
        dot: float = 0,
        dashed: bool = False,
    ) -> None:
        """Put a line through points, with a dot of so many pixels at each."""
        self._axes.plot(
            *(x, y),
            color=colour or self.look.line,
            linewidth=thick * 72 / DPI,
            marker="o" if dot else "",
            markersize=dot * 72 / DPI,
            linestyle=(0, (4, 4)) if dashed else "-",
            solid_capstyle="round",
            zorder=1.5 if dashed else 3,
        )

    def dots(
        self, x: np.ndarray, y: np.ndarray, areas: np.ndarray, colours: Sequence[str], mark: str = "o"
    ) -> None:
        """Put discs of so many square pixels, or other marks of Matplotlib's as large, with a black rim."""
        diameters = 2 * np.sqrt(np.asarray(areas) / np.pi) * 72 / DPI
        self._axes.scatter(
            x, y, s=diameters**2, c=colours, marker=mark, edgecolors="#000000", linewidths=1, zorder=4
        )

    def answer(self, name: str, says: str, colour: str = "") -> None:
        """At the top right: the name of a class, large, and what is said of it."""
        self.text(RIGHT, MARGIN - 12, name, 76, bold=True, align="right", width=420, colour=colour)
        self.text(RIGHT, MARGIN + 80, says, TEXT, soft=True, align="right", width=1100)

    def film(self, put: Callable[[int], None], count: int, height: int) -> Iterator[np.ndarray]:
        """Images uint8 [H, W, 3] of the slide as it stands, each with what ``put`` puts on it for its number, from 0.

        What stands still is drawn once, which is most of the work; what is put lies above it.
        """
        self.figure.set_dpi(height / self.figure.get_figheight())
        canvas: Any = self.figure.canvas
        canvas.draw()
        paper, still = canvas.copy_from_bbox(self.figure.bbox), set(self._axes.get_children())
        for at in range(count):
            put(at)
            moving = [artist for artist in self._axes.get_children() if artist not in still]
            canvas.restore_region(paper)
            for artist in sorted(moving, key=lambda artist: artist.get_zorder()):
                self._axes.draw_artist(artist)
            yield np.asarray(canvas.buffer_rgba())[..., :3].copy()
            for artist in moving:
                artist.remove()

    def scores(
        self,
        scores: np.ndarray,
        shape: Shape,
        x: float,
        y: float,
        width: float,
        height: float,
        claimed: Sequence[int] = (),
        limit: float | None = None,
    ) -> float:
        """A bar for each class, the highest 26 of many; the y below them.

        ``claimed`` are the classes that stand out, if not the highest alone; ``limit`` is marked, if not training's margins.
        """
        places = np.arange(len(scores))
        if len(places) > MOST_BARS:
            places = np.sort(np.argsort(-scores, kind="stable")[:MOST_BARS])
        columns = 1 if len(places) <= MOST_IN_A_COLUMN else 2
        rows = -(-len(places) // columns)
        gap = 36 if columns > 1 else 0
        wide, step = (width - gap * (columns - 1)) / columns, min(height / rows, 44)
        colours = class_colours(len(scores))
        names = max(width_of(plain(shape.classes[place], True), SMALL, True) for place in places)
        names, figures = min(names, 0.4 * wide) + 12, width_of("0.00", SMALL) + 10
        span = wide - names - figures
        margins = (MARGIN_ABSENT, MARGIN_PRESENT) if shape.score == LENGTH else (0.5,)
        marks = margins if limit is None else (limit,)
        spots = [divmod(at, rows) for at in range(len(places))]
        for column, row in spots:
            left = x + column * (wide + gap) + names
            self.box(left, y + (row + 0.2) * step, span, 0.6 * step, self.look.panel)
        for column in range(columns):
            left = x + column * (wide + gap) + names
            for mark in marks:
                at = left + mark * span
                self.curve((at, at), (y, y + rows * step), dashed=True)
        strong = claimed or (int(scores.argmax()),)
        for place, (column, row) in zip(places, spots, strict=True):
            left, top = x + column * (wide + gap), y + row * step
            bold = int(place) in strong
            self.text(left, top + (step - SMALL) / 2, shape.classes[place], SMALL, bold=bold, width=names - 8)
            self.box(left + names, top + 0.2 * step, span * float(scores[place]), 0.6 * step, colours[place])
            said = number(float(scores[place]))
            self.text(left + wide, top + (step - SMALL) / 2, said, bold=bold, align="right")
        return y + rows * step


def spread(wanted: Sequence[float], apart: float, low: float, high: float) -> list[float]:
    """Heights as near to the ``wanted`` ones as they can be without being nearer to each other than ``apart``."""
    order = np.argsort(wanted, kind="stable")
    placed: list[float] = []
    for at in order:
        placed.append(max(wanted[at], placed[-1] + apart if placed else low))
    over = placed[-1] - high if placed else 0
    if over > 0:  # push up again from the bottom
        for at in range(len(placed) - 1, -1, -1):
            most = high if at == len(placed) - 1 else placed[at + 1] - apart
            placed[at] = min(placed[at], most)
    found = [0.0] * len(placed)
    for at, height in zip(order, placed, strict=True):
        found[at] = height
    return found
