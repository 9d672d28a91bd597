"""Export, in the frame of every page: the same menu of files everywhere, each made when somebody asks for it."""

import base64
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlencode

import numpy as np
import streamlit as st

from capsviz import texts
from capsviz.app import guess, parameters, pose, session
from capsviz.checks import real, whole
from capsviz.errors import CapsvizError, MessageError
from capsviz.figures import export
from capsviz.figures.bundle import browser_assets
from capsviz.figures.export import Origin
from capsviz.figures.handout import routing_html
from capsviz.figures.pose import pose_limit
from capsviz.inputs import drawings
from capsviz.measures.sweeps import sweep
from capsviz.models.comparison import entries
from capsviz.networks.base import DEFAULT
from capsviz.texts import drawn, language, noun, say
from capsviz.traces.base import POSES, Shape

if TYPE_CHECKING:
    from matplotlib.figure import Figure

EXPORT_KEY = "export"  # the component; its state: "asked", a request, None once its file has come
MADE_KEY = "export_made"  # (request as it came, what became of it): outlasts a run that is cut off
FILES = 6  # that are kept for all sessions together, of up to some MB
ROUND, MOVE = 1.2, 0.1  # seconds that an iteration and a step of a sweep are seen
STEPS, SPAN = 13, 0.25  # of a sweep: the paper's span
TYPES = {
    "png": "image/png",
    "svg": "image/svg+xml",
    "gif": "image/gif",
    "mp4": "video/mp4",
    "html": "text/html",
    "npz": "application/octet-stream",
    "json": "application/json",
    "csv": "text/csv",
}
PICTURES, FILMS, PAGES, NUMBERS = ("png", "svg"), ("gif", "mp4"), ("html",), ("npz", "json", "csv")

_script, _style = browser_assets("exporting", "panel", "exporting")
_export = st.components.v2.component("capsviz_export", js=_script, css=_style)


@dataclass(frozen=True)
class Request:
    """What a browser asks for.

    Attributes:
        number: of the request: the answer carries it.
        kind: of ``TYPES``.
        dark: whether a picture is light on dark.
        digit: on Pose, the class whose numbers the sliders are.
        pose: [D] its numbers, or [J * D] of all classes; None where they stand as encoded.
    """

    number: int
    kind: str
    dark: bool
    digit: int | None = None
    pose: tuple[float, ...] | None = None


@dataclass(frozen=True)
class Wanted:
    """All that decides what is in a file: two of the same are the same file."""

    page: str
    network: str
    sha256: str
    drawing: str
    iterations: int
    spoken: str
    kind: str
    dark: bool
    digit: int | None
    pose: tuple[float, ...] | None


def parse_request(sent: object, shape: Shape, kinds: tuple[str, ...]) -> Request:
    """The file that a browser asks for, of ``kinds``; the pose comes as the address has it, with commas.

    Raises:
        MessageError: if a field is missing, has a wrong type, or is out of range.
    """
    if (
        not isinstance(sent, Mapping)
        or sent.get("kind") not in kinds
        or not isinstance(sent.get("dark"), bool)
    ):
        raise MessageError(say("export.request"))
    number = whole(sent.get("number"), 0, 2**53, say("message.request"))
    digit, text = sent.get("digit"), sent.get("pose")
    if not shape.pose or digit is None:
        return Request(number, sent["kind"], sent["dark"])
    place = whole(digit, 0, len(shape.classes) - 1, say("message.capsule", kind=noun(shape.kind)))
    if text is None:
        return Request(number, sent["kind"], sent["dark"], place)
    every = len(shape.classes) * shape.pose
    parts = text.split(",", every) if isinstance(text, str) and len(text) < 60_000 else []
    if len(parts) not in (shape.pose, every):
        raise MessageError(say("message.pose", count=shape.pose))
    try:
        numbers = [float(part) for part in parts]
    except ValueError as error:
        raise MessageError(say("message.pose", count=shape.pose)) from error
    limit = pose_limit(shape)
    values = tuple(real(value, -limit, limit, say("message.poseNumber")) for value in numbers)
    return Request(number, sent["kind"], sent["dark"], place, values)


def kinds_of(page: str, answer: session.Answer | None) -> tuple[str, ...]:
    """The files that a page offers of an answer: a film only where something moves."""
    if page == "model":
        return (*PICTURES, *NUMBERS[1:])
    if answer is None:
        return ()
    trace = answer.trace
    found = list(PICTURES)
    if page == "routing" and trace.shape.routing not in ("dynamic", "attention"):
        return ()
    if page == "pose" and POSES not in trace.offers:
        return ()
    if page == "pose" or (page == "routing" and len(trace.scores) > 1):
        found += FILMS if export.makes_mp4() else FILMS[:1]
    if page == "routing" and answer.reconstructions is not None:
        found += PAGES
    return (*found, *NUMBERS)


@st.fragment
def control(page: str) -> None:
    """The button and its menu; only this part runs again for a file.

    Args:
        page: name of the page that is shown.
    """
    now = session.reading()
    answer = None if guess.covered() else now.answer  # a file would tell
    kinds = kinds_of(page, answer)
    notes = [say("export.carries")] if kinds else [say("export.nothing", kind=drawn())]
    if page == "pose" and kinds:
        notes.insert(0, say("export.sliders"))
    if "gif" in kinds and "mp4" not in kinds:
        notes.append(say("export.without"))
    data = {
        "page": page,
        "groups": [
            [name, [kind for kind in group if kind in kinds]]
            for name, group in (
                ("picture", PICTURES),
                ("animation", FILMS),
                ("page", PAGES),
                ("numbers", NUMBERS),
            )
        ],
        "notes": notes,
        "classes": len(session.spec().shape.classes),
        "prediction": None if answer is None else answer.trace.prediction,
        "made": _answered(page, now, kinds),
        "texts": texts.for_script("common", "export"),
    }
    _export(key=EXPORT_KEY, data=data, on_asked_change=lambda: None)


def _answered(page: str, now: session.Reading, kinds: tuple[str, ...]) -> dict[str, Any] | None:
    """The file that was asked for, or one sentence about why there is none; None once the browser has it."""
    state = st.session_state
    sent = state.get(EXPORT_KEY, {}).get("asked")
    if sent is None:
        state.pop(MADE_KEY, None)
        return None
    before, made = state.get(MADE_KEY, (None, None))
    if before != sent:
        made = _file(sent, page, now, kinds)
        state[MADE_KEY] = (sent, made)
    return cast("dict[str, Any]", made)


def _file(sent: object, page: str, now: session.Reading, kinds: tuple[str, ...]) -> dict[str, Any]:
    number = sent.get("number") if isinstance(sent, Mapping) else None
    try:
        request = parse_request(sent, session.model().shape, kinds)
        wanted = Wanted(
            page,
            session.network(),
            session.model().sha256,
            drawings.encode(now.drawing),
            now.iterations,
            language(),
            request.kind,
            request.dark,
            request.digit,
            request.pose,
        )
        data = made(wanted)
    except CapsvizError as error:
        return {"number": number, "problem": str(error)}
    except RuntimeError as error:  # what PyTorch raises when a device fails
        return {"number": number, "problem": session.failure(error)}
    except (OSError, ValueError, ImportError, MemoryError) as error:  # of a library that writes files
        print(f"capsviz: {error!r}", file=sys.stderr, flush=True)
        return {"number": number, "problem": say("export.failed", reason=type(error).__name__)}
    name = f"capsviz-{page}-{wanted.network}.{request.kind}"
    content = base64.b64encode(data).decode("ascii")
    return {"number": request.number, "name": name, "type": TYPES[request.kind], "data": content}


# One file at a time on the whole server: two would take twice as long, and answers must not wait for many.
_making = threading.Lock()


@lru_cache(maxsize=FILES)
def made(wanted: Wanted) -> bytes:
    """The file itself, of the session's answer, which ``wanted`` names.

    Raises:
        CapsvizError: if it cannot be made.
    """
    now = session.reading()
    with _making:
        return _View(wanted, now).file()


class _View:
    """What a page shows, in every form."""

    def __init__(self, wanted: Wanted, now: session.Reading) -> None:
        self.wanted, self.page, self.now = wanted, wanted.page, now
        self.model = session.model()
        if now.answer is not None:
            self.answer, self.trace = now.answer, now.answer.trace
        settings: dict[str, Any] = {}
        if self.page != "model" and self.model.shape.iterates:
            settings["R"] = wanted.iterations
        self.digit: int | None = None
        if self.page == "pose":
            self.digit = self.trace.prediction if wanted.digit is None else wanted.digit
            encoded = self.trace.v[-1, self.digit]
            given = encoded if wanted.pose is None else np.array(wanted.pose, np.float32)
            self.fed = given if given.shape == encoded.shape else given.reshape(self.trace.v[-1].shape)
            self.pose = self.fed if self.fed.ndim == 1 else self.fed[self.digit]
            settings |= {"digit": self.digit, "pose": np.round(self.fed.astype(float), 7).tolist()}
        spec = self.model.spec
        self.origin = Origin(spec.name, spec.title, self.model.sha256, link(wanted), settings)
        self.look: dict[str, Any] = {"dark": wanted.dark, "origin": self.origin.line()}

    def file(self) -> bytes:
        kind, origin = self.wanted.kind, self.origin
        if kind in PICTURES:
            return (export.png if kind == "png" else export.svg)(self.slide(), origin)
        if kind in FILMS:
            images, seconds = export.frames(self.film()), ROUND if self.page == "routing" else MOVE
            if self.page == "pose":
                images = export.there_and_back(images)
            return (export.film_gif if kind == "gif" else export.film_mp4)(images, seconds, origin)
        if kind == "html":
            drawn = cast(np.ndarray, self.answer.reconstructions)
            title = say("routing.question")
            page = routing_html(self.trace, drawn, title, origin.line(), origin.text())
            return page.encode("utf-8")
        if self.page == "model":
            if kind == "json":
                return export.networks_json(entries(), origin)
            return export.table_csv(*export.networks_table_of(entries()), origin)
        more = {"pose": self.fed} if self.page == "pose" else {}
        if kind == "csv":
            return export.table_csv(*self.table(), origin)
        return (export.npz if kind == "npz" else export.trace_json)(self.trace, origin, more)

    def table(self) -> export.Table:
        if self.page == "routing":
            return export.coupling_table(self.trace)
        if self.page == "pose":
            return export.pose_table(self.trace.v[-1, self.digit], self.pose)
        return export.scores_table(self.trace)

    def slide(self) -> "Figure":
        from capsviz.figures import slides

        if self.page == "model":
            return slides.networks_slide(entries(), self.wanted.network, **self.look)
        if self.page == "routing":
            if self.trace.shape.iterates:
                return slides.routing_slide(self.trace, **self.look)
            return slides.attention_slide(self.trace, **self.look)
        if self.page == "pose":
            return self.posed(
                self.pose, self.model.decode(self.fed, self.digit if self.fed.ndim == 1 else None)
            )
        drawn, trace = self.answer.reconstructions, self.trace
        return slides.draw_slide(
            trace,
            self.now.drawing.pixels(),
            None if drawn is None else drawn[-1, trace.prediction],
            unsure_below=self.model.card["unsure_below"],
            judged=self.answer.judged,
            **self.look,
        )

    def film(self) -> Iterator["Figure"]:
        """Routing iteration by iteration; of a pose the number with the strongest effect, moved up."""
        from capsviz.figures import slides

        if self.page == "routing":
            for iteration in range(1, len(self.trace.scores) + 1):
                yield slides.routing_slide(self.trace, iteration=iteration, **self.look)
            return
        measured, digit = self.measured(), cast(int, self.digit)
        dimension = 0
        if measured:
            dimension = max(range(len(self.pose)), key=lambda at: (measured.components[at].strength, -at))
        span = SPAN * pose.pose_unit(self.trace)
        images = sweep(self.model, self.fed, digit, span, STEPS)[dimension]
        for image, move in zip(images, np.linspace(-span, span, STEPS, dtype=np.float32), strict=True):
            moved = self.pose.copy()
            moved[dimension] += move
            yield self.posed(moved, image, dimension)

    def posed(self, numbers: np.ndarray, image: np.ndarray, moved: int | None = None) -> "Figure":
        from capsviz.figures import slides

        return slides.pose_slide(
            self.trace, image, numbers, self.digit, self.measured(), moved=moved, **self.look
        )

    def measured(self) -> Any:
        found = pose.measurements(self.wanted.network, self.wanted.sha256)
        return found and found.digits[cast(int, self.digit)]


def link(wanted: Wanted) -> str:
    """The address, from its path on, that opens the same page with the same drawing."""
    query = {"network": wanted.network if wanted.network != DEFAULT else None}
    if len(wanted.drawing) <= parameters.LONGEST_DRAWING:
        query["drawing"] = wanted.drawing
    if wanted.iterations != session.trained():
        query["R"] = str(wanted.iterations)
    if wanted.digit is not None:
        query["digit"] = str(wanted.digit)
    if wanted.pose is not None:
        query["pose"] = ",".join(f"{value:g}" for value in wanted.pose)
    path = "" if wanted.page == "draw" else wanted.page
    return f"/{path}?{urlencode({name: value for name, value in query.items() if value}, safe=',')}"
