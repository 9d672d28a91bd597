"""The files of Export: what a page shows, in every form, made for who asks."""

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlencode

import numpy as np

from capsviz.app import compare, measured_files, messages, overlap, parameters, pose, replay, session, versus
from capsviz.app.experiments import Trial, trial_text
from capsviz.app.lab_files import lab_slide
from capsviz.app.measured_files import Stand
from capsviz.app.messages import Laid, Looked, Morph, Sweep
from capsviz.app.training_choice import Checkpoint
from capsviz.checks import real, whole
from capsviz.errors import MessageError
from capsviz.figures import export, replay_numbers
from capsviz.figures.compare import Column, compare_json, compare_table
from capsviz.figures.export import Origin
from capsviz.figures.handout import replay_html, routing_html
from capsviz.figures.inside import SCOPES, layer_rows, maps_table
from capsviz.figures.pose import pose_limit
from capsviz.figures.reading import named
from capsviz.figures.versus import Versus, versus_json, versus_table
from capsviz.inputs.pairs import FARTHEST
from capsviz.inputs.replay import strokes_of
from capsviz.measures.sweeps import STEPS, morph, sweep
from capsviz.models.comparison import entries
from capsviz.models.size import activations, sizes
from capsviz.networks.base import DEFAULT, find
from capsviz.texts import noun, say
from capsviz.traces.base import COUPLING, POSES, SEVERAL, Shape

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FILES = 6  # that are kept for all sessions together, of up to some MB
# Seconds that an iteration is seen, a step of a move, and the end of a replay more.
ROUND, MOVE, LAST = 1.2, 0.1, 2.0
MOVES = 25  # of a film of a pose
PICTURES, FILMS, PAGES, NUMBERS = ("png", "svg"), ("gif", "mp4"), ("html",), ("npz", "json", "csv")
PAGE, REPLAY, SWEEP, MORPH = "page", "replay", "sweep", "morph"  # what there is to take along

Offer = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Request:
    """What a browser asks for.

    Attributes:
        number: of the request: the answer carries it.
        kind: of file, as its name ends.
        dark: whether a picture is light on dark.
        digit: the class that is looked at on Routing, or whose numbers Pose's sliders are; None for the answer.
        pose: [D] its numbers, or [J * D] of all classes; None where they stand as encoded.
        thing: "page", or what stands on it.
        motion: of the thing, on Pose.
    """

    number: int
    kind: str
    dark: bool
    digit: int | None = None
    pose: tuple[float, ...] | None = None
    thing: str = PAGE
    motion: Sweep | Morph | None = None
    looked: Looked | None = None  # of Inside
    parts: int = 0  # of Overlap: bits of those that are of the second digit


@dataclass(frozen=True)
class Wanted:
    """All that decides what is in a file: two of the same are the same file."""

    page: str
    network: str
    sha256: str
    drawing: str
    iterations: int
    spoken: str
    thing: str
    kind: str
    dark: bool
    digit: int | None
    pose: tuple[float, ...] | None
    motion: Sweep | Morph | None
    trial: Trial | None = None  # of Compare, with several networks
    second: str | None = None  # of Compare, with two drawings: the other one, as a text, "" for none
    laid: Laid | None = None  # of Overlap: what lies over the drawing, if anything does
    looked: Looked | None = None  # of Inside: what is looked at
    parts: int = 0  # of Overlap, of the drawing alone: bits of its parts that are of the second digit
    stand: Stand | None = None  # of Training and Lab: what has been measured so far


def offer(page: str, answer: session.Answer | None, now: session.Reading) -> Offer:
    """The files that a page offers of an answer, {thing: kinds}: a film only where something moves."""
    films = FILMS if export.makes_mp4() else FILMS[:1]
    if page == "model":
        return {PAGE: (*PICTURES, *NUMBERS[1:])}
    if page in ("training", "lab"):
        return measured_files.offer(page)
    if answer is None:
        return {}
    trace = answer.trace
    if page == "overlap":
        if not {COUPLING, SEVERAL} <= session.spec().offers:
            return {}
        return {PAGE: (*PICTURES, *NUMBERS)}
    if page == "draw":
        replayed = {REPLAY: (*films, *PAGES, *NUMBERS)} if strokes_of(now.drawing) else {}
        return {PAGE: (*PICTURES, *NUMBERS), **replayed}
    if page == "pose" and POSES in trace.offers & session.spec().offers:
        moving = {} if pose.plain() else {SWEEP: (*PICTURES, *films), MORPH: films}
        return {PAGE: (*PICTURES, *NUMBERS), **moving}
    if page == "inside":
        return {PAGE: (*PICTURES, *NUMBERS)}
    if page == "compare":
        return {PAGE: (*PICTURES, *NUMBERS[1:])}
    if page == "routing" and trace.shape.routing in ("dynamic", "attention"):
        played = films if len(trace.scores) > 1 else ()
        alone = PAGES if answer.reconstructions is not None else ()
        return {PAGE: (*PICTURES, *played, *alone, *NUMBERS)}
    return {}


def parse_request(sent: object, shape: Shape, offered: Offer) -> Request:
    """The file that a browser asks for, of what is ``offered``; the pose comes as the address has it, with commas.

    Raises:
        MessageError: if a field is missing, has a wrong type, or is out of range.
    """
    if not isinstance(sent, Mapping) or not isinstance(sent.get("dark"), bool):
        raise MessageError(say("export.request"))
    thing, kind = sent.get("thing"), sent.get("kind")
    if not isinstance(thing, str) or kind not in offered.get(thing, ()):
        raise MessageError(say("export.request"))
    number = whole(sent.get("number"), 0, 2**53, say("message.request"))
    digit = sent.get("digit")
    if digit is not None:
        digit = whole(digit, 0, len(shape.classes) - 1, say("message.capsule", kind=noun(shape.kind)))
    motion = None
    if thing in (SWEEP, MORPH):
        motion = messages.parse_motion(sent.get("motion"), shape)
        if isinstance(motion, Sweep) != (thing == SWEEP):
            raise MessageError(say("export.request"))
    looked = None if sent.get("looked") is None else messages.parse_looked(sent["looked"], shape)
    parts = whole(sent.get("second", 0), 0, 2**parameters.MOST_PARTS - 1, say("export.request"))
    shown = _pose(sent.get("pose"), shape)
    return Request(number, kind, sent["dark"], digit, shown, thing, motion, looked, parts)


def _pose(text: object, shape: Shape) -> tuple[float, ...] | None:
    if text is None:
        return None
    every = len(shape.classes) * shape.pose
    parts = text.split(",", every) if isinstance(text, str) and len(text) < 60_000 else []
    if not shape.pose or len(parts) not in (shape.pose, every):
        raise MessageError(say("message.pose", count=shape.pose))
    try:
        numbers = [float(part) for part in parts]
    except ValueError as error:
        raise MessageError(say("message.pose", count=shape.pose)) from error
    limit = pose_limit(shape)
    return tuple(real(value, -limit, limit, say("message.poseNumber")) for value in numbers)


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
        if wanted.page == "training" and wanted.stand:
            return measured_files.training_file(wanted.kind, wanted.stand, link(wanted), wanted.dark)
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
        if self.page in ("routing", "pose") or wanted.trial is not None:
            self.digit = settings["digit"] = self.trace.prediction if wanted.digit is None else wanted.digit
        if self.page == "pose":
            encoded = self.trace.v[-1, self.digit]
            given = encoded if wanted.pose is None else np.array(wanted.pose, np.float32)
            self.fed = given if given.shape == encoded.shape else given.reshape(self.trace.v[-1].shape)
            self.pose = self.fed if self.fed.ndim == 1 else self.fed[self.digit]
            settings["pose"] = np.round(self.fed.astype(float), 7).tolist()
        if isinstance(wanted.motion, Sweep):
            settings |= {"dimension": wanted.motion.dimension, "span": wanted.motion.span}
        elif wanted.motion:
            settings |= {
                "digits": list(wanted.motion.digits),
                "poses": [list(one) for one in wanted.motion.poses],
            }
        if self.page == "overlap":
            self.picture = overlap.pictured(now, wanted.laid or Laid())
            self.trace = self.picture.trace
            self.apart = overlap.told_apart(self.picture, 2 if wanted.laid else wanted.parts)
            settings |= overlap.settings_of(self.apart, self.trace.classes)
            if wanted.laid:
                settings |= {"over": wanted.laid.example, "moved": [wanted.laid.right, wanted.laid.down]}
        if self.wanted.looked:
            settings |= vars(self.wanted.looked)
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
            write = export.film_gif if kind == "gif" else export.film_mp4
            return write(images, seconds, origin, LAST if self.wanted.thing == REPLAY else 0)
        if kind == "html":
            return self.handout().encode("utf-8")
        if self.wanted.thing == REPLAY:
            if kind == "csv":
                return export.table_csv(*replay_numbers.replay_table(self.replay), origin)
            return (replay_numbers.replay_npz if kind == "npz" else replay_numbers.replay_json)(
                self.replay, origin
            )
        if stand := self.wanted.stand:
            return measured_files.table_file(kind, stand, origin)
        if self.page == "model":
            if kind == "json":
                return export.networks_json(entries(), origin)
            return export.table_csv(*export.networks_table_of(entries()), origin)
        if self.wanted.second is not None:
            if kind == "csv":
                return export.table_csv(*versus_table(self.versus), origin)
            return versus_json(self.versus, origin.facts())
        if wanted := self.wanted.trial:
            if kind == "csv":
                return export.table_csv(*compare_table(self.columns), origin)
            return compare_json(self.columns, wanted.changes, origin.facts())
        more = {"pose": self.fed} if self.page == "pose" else {}
        if kind == "csv":
            return export.table_csv(*self.table(), origin)
        return (export.npz if kind == "npz" else export.trace_json)(self.trace, origin, more)

    @cached_property
    def columns(self) -> list[Column]:
        assert self.wanted.trial is not None
        return compare.columns_of(self.wanted.trial, self.now)

    @cached_property
    def versus(self) -> Versus:
        return versus.both(self.now, self.wanted.second)

    @cached_property
    def replay(self) -> Any:
        return replay.replayed(self.wanted.network, self.wanted.drawing, self.wanted.iterations)

    def handout(self) -> str:
        line, text = self.origin.line(), self.origin.text()
        if self.wanted.thing == REPLAY:
            return replay_html(
                self.replay, say("replay.title"), line, text, replay.unsure_below(self.now.iterations)
            )
        drawn = cast(np.ndarray, self.answer.reconstructions)
        return routing_html(self.trace, drawn, say("routing.question"), line, text)

    def table(self) -> export.Table:
        if self.page == "routing":
            return export.coupling_table(self.trace)
        if self.page == "inside":
            return maps_table(self.trace.features, self.model.first_layer())
        if self.page == "pose":
            return export.pose_table(self.trace.v[-1, self.digit], self.pose)
        return export.scores_table(self.trace)

    def slide(self) -> "Figure":
        from capsviz.figures import slides

        if self.page == "lab":
            return lab_slide(self.model, self.wanted.thing, **self.look)
        if self.page == "model":
            return slides.networks_slide(entries(), self.wanted.network, **self.look)
        if self.page == "inside":
            spec = self.model.spec
            rows = layer_rows(spec, sizes(spec), activations(spec))
            looked = self.wanted.looked or Looked()
            return slides.inside_slide(
                self.trace, self.model.first_layer(), rows, scope=looked.scope, map=looked.map, **self.look
            )
        if self.wanted.second is not None:
            return slides.versus_slide(self.versus, **self.look)
        if self.wanted.trial:
            true = cast(int, self.digit)
            return slides.compare_slide(self.columns, self.wanted.trial.changes, true, **self.look)
        if self.page == "overlap":
            limit = self.model.card["unsure_below"]
            return slides.overlap_slide(self.trace, self.picture.drawings, limit, self.apart, **self.look)
        if self.page == "routing":
            draw = slides.routing_slide if self.trace.shape.iterates else slides.attention_slide
            return draw(self.trace, self.digit, **self.look)
        if isinstance(self.wanted.motion, Sweep):
            moved = self.wanted.motion
            images = sweep(self.model, moved.pose, moved.digit, moved.span, STEPS)
            return slides.sweep_slide(self.trace.shape, images, moved.digit, moved.span, **self.look)
        if self.page == "pose":
            image = self.model.decode(self.fed, self.digit if self.fed.ndim == 1 else None)
            return self.posed(self.pose, image, cast(int, self.digit))
        drawn, limit = self.answer.reconstructions, self.model.card["unsure_below"]
        places = named(self.trace.scores[-1], limit, self.trace.shape.answers)
        return slides.draw_slide(
            self.trace,
            self.now.drawing.pixels(),
            None if drawn is None else drawn[-1, list(places)].sum(0).clip(max=1),
            unsure_below=limit,
            judged=self.answer.judged,
            **self.look,
        )

    def film(self) -> "Iterator[Figure | np.ndarray]":
        """Routing iteration by iteration; a replay moment by moment; a number of a pose, or all of them, on the move."""
        from capsviz.figures import slides

        motion = self.wanted.motion
        if self.page == "routing":
            for iteration in range(1, len(self.trace.scores) + 1):
                yield slides.routing_slide(self.trace, self.digit, iteration, **self.look)
        elif motion is None:
            limit = replay.unsure_below(self.now.iterations)
            yield from slides.replay_film(self.replay, unsure_below=limit, **self.look)
        elif isinstance(motion, Morph):
            images = morph(self.model, *motion.poses, motion.digits, MOVES)
            yield from slides.morph_slides(self.trace.shape, images, motion.digits, **self.look)
        else:
            images = sweep(self.model, motion.pose, motion.digit, motion.span, MOVES)[motion.dimension]
            start = np.array(motion.pose, np.float32)
            own = start if start.ndim == 1 else start[motion.digit]
            for image, move in zip(images, np.linspace(-motion.span, motion.span, MOVES), strict=True):
                moved = own.copy()
                moved[motion.dimension] += np.float32(move)
                yield self.posed(moved, image, motion.digit, motion.dimension)

    def posed(self, numbers: np.ndarray, image: np.ndarray, digit: int, moved: int | None = None) -> "Figure":
        from capsviz.figures import slides

        found = pose.measurements(self.wanted.network, self.wanted.sha256)
        measured = None if found is None else found.digits[digit]
        return slides.pose_slide(self.trace, image, numbers, digit, measured, moved=moved, **self.look)


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
    if wanted.laid is not None:
        query["over"] = str(wanted.laid.example)
        query["moved"] = f"{wanted.laid.right + FARTHEST}.{wanted.laid.down + FARTHEST}"
    elif wanted.parts:
        query["second"] = str(wanted.parts)
    if looked := wanted.looked:
        query["map"] = str(looked.map)
        query["capsule" if find(wanted.network).shape.grid else "output"] = str(looked.capsule)
        query["scope"] = looked.scope if looked.scope != SCOPES[0] else None
    if wanted.stand is not None:
        query[parameters.TRAINING if wanted.page == "training" else parameters.SECTION] = wanted.stand.said
        if wanted.stand.step:
            query[parameters.CHECKPOINT] = Checkpoint(wanted.stand.run[0], wanted.stand.step).text()
    if wanted.second:
        query["versus"] = wanted.second if len(wanted.second) <= parameters.LONGEST_DRAWING else None
    elif wanted.trial is not None:
        query["compare"] = trial_text(wanted.trial)
    path = "" if wanted.page == "draw" else wanted.page
    return f"/{path}?{urlencode({name: value for name, value in query.items() if value}, safe=',')}"
