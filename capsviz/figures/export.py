"""Files to take along: pictures, films, numbers and a page, each of which says where it comes from."""

import csv
import io
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from capsviz import __version__
from capsviz.errors import CapsvizError
from capsviz.models.comparison import Entry, as_json
from capsviz.texts import say
from capsviz.traces.attention import AttentionTrace
from capsviz.traces.base import LENGTH
from capsviz.traces.plain import PlainTrace
from capsviz.traces.routing import RoutingTrace

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FILM_HEIGHT = 720  # pixels; its width follows
MOST_FRAMES = 64
RATE = 10  # images a second of a film
SHORT = 8  # digits of a checksum that are seen
_FORMULA = ("=", "+", "-", "@", "\t")  # with which a cell begins that a spreadsheet would compute


@dataclass(frozen=True)
class Origin:
    """Where a file comes from.

    Attributes:
        network: name of the network.
        title: what people call it.
        sha256: of its weights; "" of what a training has come to, of which no weights are kept.
        link: that opens the same in the app, from its address on: "/routing?drawing=...".
        settings: what was chosen, "R" for routing iterations, "step" of a training.
    """

    network: str
    title: str
    sha256: str
    link: str
    settings: Mapping[str, Any] = field(default_factory=dict)

    def facts(self) -> dict[str, Any]:
        """All of it, for JSON; no checksum where no weights are kept."""
        return {
            "software": f"capsviz {__version__}",
            "network": self.network,
            "title": self.title,
            **({"weights_sha256": self.sha256} if self.sha256 else {}),
            "settings": dict(self.settings),
            "link": self.link,
        }

    def text(self) -> str:
        """``facts`` as JSON on one line, in ASCII, as every format's metadata can hold it."""
        return json.dumps(self.facts())

    def line(self) -> str:
        """What is seen of it."""
        count, step = self.settings.get("R"), self.settings.get("step")
        parts = {"iterations": count, "step": step}
        return say(
            "export.origin" if self.sha256 else "export.originUnkept",
            network=self.title,
            weights=self.sha256[:SHORT],
            settings="".join(say(f"export.{name}", count=n) for name, n in parts.items() if n is not None),
            version=__version__,
        )


# --- pictures and films -----------------------------------------------------------------------------------


def pixels(figure: "Figure", height: int = 1080) -> np.ndarray:
    """uint8 [H, W, 3] of a slide."""
    figure.set_dpi(height / figure.get_figheight())
    canvas: Any = figure.canvas
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def png(figure: "Figure", origin: Origin) -> bytes:
    """A picture of 1920 x 1080, its origin in tEXt chunks."""
    info = PngInfo()
    info.add_text("Software", f"capsviz {__version__}")
    info.add_text("Source", origin.link)
    info.add_text("Description", origin.text())
    buffer = io.BytesIO()
    Image.fromarray(pixels(figure)).save(buffer, "PNG", pnginfo=info, compress_level=3)
    return buffer.getvalue()


def svg(figure: "Figure", origin: Origin) -> bytes:
    """A drawing of the same size that can be enlarged, its origin in <metadata>; letters are outlines, which need no font."""
    buffer = io.BytesIO()
    metadata = {
        "Creator": f"capsviz {__version__}",
        "Source": origin.link,
        "Description": origin.text(),
        "Date": None,
    }
    figure.savefig(buffer, format="svg", facecolor=figure.get_facecolor(), metadata=metadata)
    text = buffer.getvalue().decode("utf-8")
    begin, end = text.index("<!DOCTYPE"), text.index("<svg")
    return (text[:begin] + text[end:]).encode(
        "utf-8"
    )  # the type's address would be asked for by some readers


def frames(figures: "Iterator[Figure | np.ndarray]") -> list[np.ndarray]:
    """uint8 [720, 1280, 3] of each of the slides, or images of that size, at most 64."""
    shown = []
    for figure in figures:
        shown.append(figure if isinstance(figure, np.ndarray) else pixels(figure, FILM_HEIGHT))
        if len(shown) > MOST_FRAMES:
            raise CapsvizError(f"A film has at most {MOST_FRAMES} images: leave some out.")
    return shown


def there_and_back(images: list[np.ndarray]) -> list[np.ndarray]:
    """The images, and those between the last and the first again: a loop without a jump."""
    return [*images, *images[-2:0:-1]]


def film_gif(images: Sequence[np.ndarray], seconds: float, origin: Origin, last: float = 0) -> bytes:
    """An endless GIF, its origin in the comment.

    Args:
        images: uint8 [H, W, 3] each, as of ``frames``.
        seconds: that each is seen.
        origin: of it.
        last: seconds that the last one is seen longer.
    """
    first = Image.fromarray(np.concatenate([images[0], images[-1]]))  # has the colours of all
    palette = first.quantize(255, dither=Image.Dither.NONE)
    shown = [Image.fromarray(one).quantize(palette=palette, dither=Image.Dither.NONE) for one in images]
    durations = [max(20, round(100 * seconds) * 10)] * len(shown)
    durations[-1] += round(100 * last) * 10
    buffer = io.BytesIO()
    shown[0].save(
        buffer,
        "GIF",
        save_all=True,
        append_images=shown[1:],
        duration=durations,
        loop=0,
        comment=origin.text().encode("ascii"),
    )
    return buffer.getvalue()


def makes_mp4() -> bool:
    """Whether PyAV is installed, which MP4 needs."""
    return find_spec("av") is not None


def film_mp4(images: Sequence[np.ndarray], seconds: float, origin: Origin, last: float = 0) -> bytes:
    """The same as an MP4 of H.264, as players and slides take it, its origin in the comment.

    Raises:
        CapsvizError: if PyAV is not installed.
    """
    if not makes_mp4():
        raise CapsvizError(say("export.without"))
    import av

    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        container.metadata["comment"] = origin.text()
        container.metadata["title"] = f"capsviz {__version__}"
        stream: Any = container.add_stream("libx264", rate=RATE, options={"crf": "18", "preset": "veryfast"})
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = "yuv420p"  # what every player knows
        for at, image in enumerate(images):
            longer = last if at == len(images) - 1 else 0
            for _ in range(max(1, round((seconds + longer) * RATE))):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode())
    return buffer.getvalue()


# --- numbers ----------------------------------------------------------------------------------------------

_RECOMPUTE = '''"""Computes {what} of this file again, with NumPy alone: python recompute.py FILE.npz"""
import sys

import numpy as np

data = np.load(sys.argv[1])
{body}
print("largest difference:", difference)
sys.exit(int(difference > 1e-6))
'''
_DYNAMIC = """votes = data["u_hat"].astype(float)  # [I, J, D]
b, difference = np.zeros(votes.shape[:2]), 0.0
for kept in data["c"]:  # Procedure 1 of arXiv:1710.09829
    c = np.exp(b - b.max(axis=1, keepdims=True))
    c /= c.sum(axis=1, keepdims=True)
    s = np.einsum("ij,ijd->jd", c, votes)
    squared = (s**2).sum(axis=1, keepdims=True)
    v = s * np.sqrt(squared) / (1 + squared)
    difference = max(difference, np.abs(c - kept).max())
    b += np.einsum("ijd,jd->ij", votes, v)"""
_ATTENTION = """votes = data["u_hat"].astype(float)  # [I, J, D]
b = np.einsum("ijd,jd->ij", votes, votes.sum(axis=0)) / np.sqrt(votes.shape[2])  # Eq. 5 of arXiv:2101.12491
c = np.exp(b - b.max(axis=1, keepdims=True))
c /= c.sum(axis=1, keepdims=True)
difference = np.abs(c - data["c"][0]).max()"""
_PLAIN = """logits = data["logits"].astype(float)
p = np.exp(logits - logits.max())
p /= p.sum()
difference = np.abs(p - data["scores"][-1]).max()"""


def script(what: str, body: str) -> str:
    """A script that needs only NumPy, for ``archive``.

    Args:
        what: it computes again.
        body: lines that compute the ``difference`` to the file's arrays, ``data``.
    """
    return _RECOMPUTE.format(what=what, body=body)


def recompute(trace: RoutingTrace | PlainTrace) -> str:
    """A script that computes c, or of a plain network the probabilities, of ``npz``'s file again."""
    if isinstance(trace, PlainTrace):
        return script("the probabilities", _PLAIN)
    return script("c", _ATTENTION if isinstance(trace, AttentionTrace) else _DYNAMIC)


def arrays(trace: RoutingTrace | PlainTrace) -> dict[str, np.ndarray]:
    """The trace's arrays under their names, with the scores [R, J]."""
    if isinstance(trace, PlainTrace):
        names = ["image", "features", "whole", "logits", "v"]
    else:
        names = ["image", "features", "u", "u_hat", "b", "c", "s", "v"]
    if isinstance(trace, AttentionTrace):
        names.append("prior")
    found = {name: getattr(trace, name) for name in names if getattr(trace, name) is not None}
    return {**found, "scores": trace.scores}


def npz(
    trace: RoutingTrace | PlainTrace, origin: Origin, more: Mapping[str, np.ndarray] | None = None
) -> bytes:
    """The trace as NumPy's file, with "classes", "origin" (JSON) and, in the archive beside them, ``recompute.py``.

    Args:
        trace: of the drawing.
        origin: of it.
        more: arrays that belong to it, by names of their own.
    """
    return archive({**arrays(trace), **(more or {})}, trace.classes, origin, recompute(trace))


def archive(kept: Mapping[str, np.ndarray], classes: Sequence[str], origin: Origin, script: str) -> bytes:
    """Arrays as NumPy's file, with "classes", "origin" (JSON) and, beside them, a ``script`` as ``recompute.py``."""
    buffer = io.BytesIO()
    named: dict[str, Any] = {**kept, "classes": np.array(classes), "origin": np.array(origin.text())}
    np.savez_compressed(buffer, **named)
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED) as file:
        file.writestr("recompute.py", script)
    return buffer.getvalue()


def trace_json(
    trace: RoutingTrace | PlainTrace, origin: Origin, more: Mapping[str, np.ndarray] | None = None
) -> bytes:
    """The numbers that people read: image, scores, c, s and v of each iteration."""
    kept = {**arrays(trace), **(more or {})}
    numbers = {
        name: rounded(array)
        for name, array in kept.items()
        if name not in ("features", "u", "u_hat", "b", "whole")
    }
    content = {"origin": origin.facts(), "classes": list(trace.classes), "answer": trace.answer, **numbers}
    return json.dumps(content, ensure_ascii=False).encode("utf-8")


def rounded(array: np.ndarray) -> Any:
    """Lists of numbers with seven decimals: more than single precision has of what is near 1."""
    return np.round(array.astype(float), 7).tolist()


def networks_json(entries: Sequence[Entry], origin: Origin) -> bytes:
    """All networks side by side, as ``python -m capsviz networks --json`` prints them."""
    content = {"origin": origin.facts(), "networks": [as_json(one) for one in entries]}
    return json.dumps(content, ensure_ascii=False, indent=1).encode("utf-8")


def table_csv(head: Sequence[str], rows: Sequence[Sequence[Any]], origin: Origin) -> bytes:
    """A table for spreadsheets, its origin in lines before it that begin with #."""
    buffer = io.StringIO()
    for name, value in origin.facts().items():
        text = value if isinstance(value, str) else json.dumps(value)
        buffer.write(f"# {name}: {' '.join(text.split())}\r\n")
    writer = csv.writer(buffer)
    writer.writerow(map(_cell, head))
    writer.writerows([list(map(_cell, row)) for row in rows])
    return b"\xef\xbb\xbf" + buffer.getvalue().encode("utf-8")  # by which spreadsheets know UTF-8


def _cell(value: Any) -> Any:
    if isinstance(value, float):
        return f"{value:.7f}"
    # Names of classes are anybody's: no spreadsheet is to compute them.
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


Table = tuple[list[str], list[list[Any]]]


def scores_table(trace: RoutingTrace | PlainTrace) -> Table:
    """A row for each class: its score after each step."""
    score = "length" if trace.shape.score == LENGTH else "probability"
    count = len(trace.scores)
    head = ["class", *(f"{score} {step + 1}" if count > 1 else score for step in range(count))]
    return head, [
        [name, *map(float, column)] for name, column in zip(trace.classes, trace.scores.T, strict=True)
    ]


def coupling_table(trace: RoutingTrace) -> Table:
    """A row for each primary capsule in each iteration: where it sits, and its c to each class."""
    head = ["iteration", "capsule", "type", "row", "column", *(f"c to {name}" for name in trace.classes)]
    rows = [
        [iteration + 1, capsule, *trace.grid.spot(capsule), *map(float, values)]
        for iteration, c in enumerate(trace.c)
        for capsule, values in enumerate(c)
    ]
    return head, rows


def pose_table(encoded: np.ndarray, now: np.ndarray) -> Table:
    """A row for each number [D] of a pose: as it was encoded, and now."""
    pairs = zip(encoded.tolist(), now.tolist(), strict=True)
    return ["dimension", "encoded", "now"], [[at, *pair] for at, pair in enumerate(pairs)]


def networks_table_of(entries: Sequence[Entry]) -> Table:
    """A row for each network."""
    head = ["network", "title", "parameters", "multiply_adds", "error_rate", "interval_low", "interval_high"]
    rows = []
    for one in map(as_json, entries):
        low, high = one["interval"] or ("", "")
        error = "" if one["error_rate"] is None else one["error_rate"]
        rows.append([one["name"], one["title"], one["parameters"], one["multiply_adds"], error, low, high])
    return head, rows
