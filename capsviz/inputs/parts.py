"""Connected parts of ink, and the lines of ruled paper among them.

A part is measured by where it lies and by what reaches it, so that one can choose: ``ink`` does. Lines that cross the
picture are found first, since they join the digit to whatever else they cross.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

Point = tuple[float, float]  # (x, y) as fractions of a picture, x right, y down

GRID = 96  # a side, of the grid on which connected parts are sought
REACH = 3  # cells from a part to a point that is meant to lie on it
HUGGING = 0.85  # of a frame lies at its own box's border
LINE_SLOPE = 0.25
LINE_LENGTH = 0.7  # of the picture's side
RULED = 3  # lines, and more, are a ruling; one or two may be bars of the digit
LINE_WIDTH = 0.6  # of the digit's own stroke: one or two lines that are as thin
LINE_TURNS = 2  # grid cells from one slope that is tried to the next, over the whole side


# --- connected parts ------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Parts:
    """Connected parts of ink, sought on a grid [h, w] of cells; each array after ``cell`` is [parts]."""

    labels: np.ndarray  # int [h, w], which part; -1 where there is no ink
    cell: int  # pixels a side
    area: np.ndarray  # inked pixels
    strength: np.ndarray  # mean amount of ink in these
    top: np.ndarray  # of the box around it, in cells
    bottom: np.ndarray
    left: np.ndarray
    right: np.ndarray
    depth: np.ndarray  # mean distance of its cells from the picture's border, of half the shorter side
    off_centre: np.ndarray  # distance of its centre from the picture's, of half a side
    at_border: np.ndarray  # bool, whether it reaches the picture's border
    hugging: np.ndarray  # share of its cells at its own box's border

    def height(self) -> np.ndarray:
        """Of the boxes, in cells."""
        return self.bottom - self.top + 1

    def width(self) -> np.ndarray:
        """Of the boxes, in cells."""
        return self.right - self.left + 1

    def cover(self) -> np.ndarray:
        """Of the square around each part, by its ink."""
        return self.area / (self.cell * np.maximum(self.height(), self.width())) ** 2

    def is_frame(self) -> np.ndarray:
        """Whether each part is large and runs along its own box, as a frame around a digit does."""
        h, w = self.labels.shape
        return (self.hugging > HUGGING) & (self.height() > 0.6 * h) & (self.width() > 0.6 * w)

    def select(self, which: np.ndarray) -> np.ndarray:
        """Bool [h, w], the cells of the parts for which ``which`` [parts] is True."""
        return np.append(which, False)[self.labels]

    def pixels(self, cells: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """A mask of cells as one of pixels."""
        return cells.repeat(self.cell, axis=0).repeat(self.cell, axis=1)[: shape[0], : shape[1]]

    def allowed(self, without: Sequence[Point]) -> np.ndarray:
        """Bool [parts]: False for those at, or nearest within ``REACH`` cells of, one of the points."""
        allowed = np.ones(len(self.area), bool)
        h, w = self.labels.shape
        rows, columns = np.nonzero(self.labels >= 0)
        for x, y in without if len(rows) else ():
            apart = np.hypot(rows + 0.5 - y * h, columns + 0.5 - x * w)
            nearest = apart.argmin()
            if apart[nearest] <= REACH:
                allowed[self.labels[rows[nearest], columns[nearest]]] = False
        return allowed


def find_parts(
    amount: np.ndarray, level: float, shape: tuple[int, int] | None = None, at: tuple[int, int] = (0, 0)
) -> Parts:
    """Find the 8-connected parts of what is inked to at least ``level``.

    Args:
        amount: float32 [H, W].
        level: of full ink.
        shape: of the picture, if ``amount`` is a cutting of it beyond which nothing is inked.
        at: the row and the column at which that begins.
    """
    height, width = shape or amount.shape
    cell = -(-max(height, width) // GRID)
    inked = amount >= level
    cutting = tuple(slice(start, start + size) for start, size in zip(at, amount.shape, strict=True))
    within = _cell_of(height, width, cell)[cutting][inked]
    cells = _cells(within, (height, width), cell)
    h, w = cells.shape
    y, x = np.nonzero(cells)
    roots, part = np.unique(label(cells)[y, x], return_inverse=True)
    labels = np.full((h, w), -1)
    labels[y, x] = part
    of_pixel = labels.ravel()[within]
    count, area = np.bincount(part), np.bincount(of_pixel)

    order = np.argsort(part, kind="stable")
    starts = np.searchsorted(part[order], np.arange(len(roots)))

    def extreme(of: np.ufunc, values: np.ndarray) -> np.ndarray:
        return np.asarray(of.reduceat(values[order], starts)) if len(roots) else np.zeros(0, np.int64)

    top, bottom = extreme(np.minimum, y), extreme(np.maximum, y)
    left, right = extreme(np.minimum, x), extreme(np.maximum, x)
    to_border = np.minimum(np.minimum(y, h - 1 - y), np.minimum(x, w - 1 - x)) / (min(h, w) / 2)
    to_box = np.minimum(
        np.minimum(y - top[part], bottom[part] - y), np.minimum(x - left[part], right[part] - x)
    )
    rim = 1 + 0.06 * np.maximum(bottom - top, right - left)
    cy, cx = (np.bincount(part, place + 0.5) / count for place in (y, x))
    return Parts(
        labels=labels,
        cell=cell,
        area=area,
        strength=np.bincount(of_pixel, amount[inked]) / area,
        top=top,
        bottom=bottom,
        left=left,
        right=right,
        depth=np.bincount(part, to_border) / count,
        off_centre=np.hypot(2 * cy / h - 1, 2 * cx / w - 1),
        at_border=(top == 0) | (left == 0) | (bottom == h - 1) | (right == w - 1),
        hugging=np.bincount(part, to_box <= rim[part]) / count,
    )


def box_of(mask: np.ndarray) -> tuple[slice, slice]:
    """Rows and columns of the smallest box around what is True in a mask [H, W]; empty where nothing is."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return slice(0, 0), slice(0, 0)
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def _cells(within: np.ndarray, shape: tuple[int, ...], cell: int) -> np.ndarray:
    """Bool [h, w]: which of the square cells of a picture are among ``within``, as ``_cell_of`` counts them."""
    cells = np.zeros([-(-size // cell) for size in shape], bool)
    cells.ravel()[within] = True
    return cells


@lru_cache(maxsize=4)
def _cell_of(height: int, width: int, cell: int) -> np.ndarray:
    """[height, width] the cell in which each pixel lies, counted row by row; a picture is looked at several times."""
    across = -(-width // cell)
    found: np.ndarray = (np.arange(height) // cell)[:, None] * across + np.arange(width) // cell
    return found


def label(mask: np.ndarray) -> np.ndarray:
    """Number the 8-connected components of a mask [H, W]; each pixel gets the lowest index in its own."""
    height, width = mask.shape
    across = width + 1  # a column without ink parts a row from the next, also where they are read as one line
    line = np.zeros(height * across + 1, bool)
    line[1:].reshape(height, across)[:, :width] = mask
    turns = np.flatnonzero(line[1:] != line[:-1])
    starts, ends = turns[::2], turns[1::2]  # of the runs of ink, row by row; the end excluded
    # Runs of the row above that a run touches, at its corners too.
    first = ends.searchsorted(starts - across, "left")
    last = starts.searchsorted(ends - across, "right")
    parent = list(range(len(starts)))

    def root(run: int) -> int:
        while parent[run] != run:
            parent[run] = run = parent[parent[run]]
        return run

    for run, (begin, end) in enumerate(zip(first.tolist(), last.tolist(), strict=True)):
        for above in range(begin, end):
            one, other = root(run), root(above)
            parent[max(one, other)] = min(one, other)
    roots = [root(run) for run in range(len(parent))]
    # Of a run that begins at a place of the line, row by row with its empty column, in the mask without it.
    places = starts - starts // across
    labels = np.arange(mask.size)
    labels[mask.ravel()] = places[roots].repeat(ends - starts)
    return labels.reshape(mask.shape)


def dilate(image: np.ndarray, square: bool) -> np.ndarray:
    """Dilate by one pixel, with a square of 3x3 or with a plus sign."""
    rows = image.copy()
    np.maximum(rows[1:], image[:-1], out=rows[1:])
    np.maximum(rows[:-1], image[1:], out=rows[:-1])
    source = rows if square else image
    np.maximum(rows[:, 1:], source[:, :-1].copy(), out=rows[:, 1:])
    np.maximum(rows[:, :-1], source[:, 1:].copy(), out=rows[:, :-1])
    return rows


# --- lines that cross the picture -----------------------------------------------------------------------


def _runs(mask: np.ndarray) -> np.ndarray:
    """The length of the vertical run of True through each pixel of a mask [H, W]; 0 outside."""
    height = len(mask)
    row = np.arange(1, height + 1, dtype=np.int32)[:, None]
    before = np.maximum.accumulate(np.where(mask, 0, row), axis=0)
    after = np.minimum.accumulate(np.where(mask, height + 1, row)[::-1], axis=0)[::-1]
    return np.where(mask, after - before - 1, 0)


def _lines_across(mask: np.ndarray) -> tuple[np.ndarray, int]:
    """Which pixels of a mask [H, W] lie on thin lines, nearly level, that cross the picture; and how many do so."""
    height, width = mask.shape
    cell = -(-max(height, width) // GRID)
    w = -(-width // cell)
    ends = max(1, w // 16)

    def cross(columns: np.ndarray) -> bool:
        """Whether cells that are inked in these columns, bool [w], might lie on a line that crosses the picture."""
        return bool(columns.sum() >= LINE_LENGTH * w and columns[:ends].any() and columns[-ends:].any())

    found, count = np.zeros_like(mask), 0
    if not cross(np.logical_or.reduceat(mask.any(0), np.arange(0, width, cell))):
        return found, count
    runs = _runs(mask)
    thickest = 2 + 0.04 * min(height, width)
    thin = mask & (runs <= thickest)
    near = _cells(_cell_of(*mask.shape, cell)[thin], mask.shape, cell).astype(np.uint8)
    near[1:] |= near[:-1]  # row k: what lies within a cell of the border between rows k - 1 and k
    if not cross(np.asarray(near.any(0))):
        return found, count
    h = len(near)
    steepest = round(LINE_SLOPE * w)
    slopes = np.arange(-steepest, steepest + 1, LINE_TURNS)
    shifts = np.rint(slopes[:, None] * (np.arange(w) / w - 0.5)).astype(int)  # [slopes, w]
    rows = np.arange(h)[:, None] + steepest
    padded = np.pad(near, ((steepest, steepest), (0, 0)))
    met = padded[rows + shifts[:, None, :], np.arange(w)]  # [slopes, h, w]
    length = met.sum(2, dtype=np.int32) * (met[:, :, :ends].any(2) & met[:, :, -ends:].any(2))
    longest, slope = length.max(0), slopes[length.argmax(0)]
    pixel_rows, across = np.arange(height)[:, None] + 0.5, (np.arange(width) + 0.5) / width - 0.5
    for row in np.flatnonzero(longest >= LINE_LENGTH * w):
        if (
            longest[row] <= longest[max(0, row - 2) : row].max(initial=0)
            or longest[row] < longest[row : row + 3].max()
        ):
            continue  # the same line, met less well, or met already
        middle = (row + slope[row] * across) * cell
        along = thin & ~found & (np.abs(pixel_rows - middle) <= 1.5 * cell + thickest / 2)
        if along.any():
            found |= along & (
                runs <= 1.3 * np.median(runs[along]) + 1
            )  # longer runs are a stroke that crosses
            count += 1
    return found, count


def without_lines(amount: np.ndarray, level: float) -> np.ndarray:
    """Cut lines that cross the picture, level or upright, out of the ink [H, W]."""
    mask = amount >= level
    gone, count = _lines_across(mask)
    upright, more = _lines_across((mask & ~gone).T)
    gone, count = gone | upright.T, count + more
    if count == 0:
        return amount
    rest = mask & ~gone
    if count < RULED and stroke_width(gone) > LINE_WIDTH * stroke_width(rest):
        return amount  # a bar of the digit itself, in a picture cut to it
    return np.where(gone | (dilate(gone, square=False) & ~mask), np.float32(0), amount)


def stroke_width(mask: np.ndarray) -> float:
    """Of a mask [H, W], in pixels: twice its area over its outline."""
    wide = np.pad(mask, 1)
    outline = (wide[1:] != wide[:-1]).sum() + (wide[:, 1:] != wide[:, :-1]).sum()
    return 2 * float(mask.sum()) / max(1.0, outline * np.pi / 4)  # as counted on a grid, over all directions
