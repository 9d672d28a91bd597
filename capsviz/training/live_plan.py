"""What a training on the page is asked for, what it can be told while it runs, what it says of itself, and where that lies.

Server and training are two processes that meet in a folder: each file there is written by one of them, whole or not at
all, and held to its form by whoever reads it. Without PyTorch, since the page shows it.
"""

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from capsviz.checks import quoted, real, whole
from capsviz.errors import CapsvizError, DataError, MessageError
from capsviz.inputs.data import MNIST, DataSet, Digits
from capsviz.inputs.own import MOST_CLASSES
from capsviz.models import facts
from capsviz.models.weights import FILE, read_facts, write_atomically
from capsviz.texts import FIRST, languages, say

T = TypeVar("T", int, float)

KINDS = ("attention", "dynamic")
DATA = MADE_UP, KNOWN, OWN = "made_up", "mnist", "own"  # what can be trained on
TYPES = {"attention": (4, 8, 16), "dynamic": (2, 4, 8, 16)}  # of primary capsules that can be chosen
MOST_ITERATIONS = 5
RATES = (1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2)
WEIGHTS = (0.0, 0.0005, 0.002, 0.005, 0.02)  # of the reconstruction loss; the second is the paper's

MOST_SECONDS = 15 * 60.0  # of training in one run
MOST_PAUSE = 30 * 60.0  # seconds for which it waits
MOST_CHECKPOINTS = 12  # of which every second goes when there is one more
MOST_ROWS = 600
MOST_UNREAD = 3  # pictures that are told of one by one
FREE = 500 * 2**20  # bytes of the disk that are left alone

SOURCE = "CAPSVIZ_TRAINING_DATA"  # the variable that says where images are
LIVE = "live."  # how the names of networks begin that were trained on the page
STATES = PREPARING, RUNNING, PAUSED, ENDED = "preparing", "running", "paused", "ended"
# Why it ended, if nobody asked for it; the page has a sentence for each.
REASONS = ("", "asked", "time", "waited", "server", "diverged", "disk", "data", "download", "failed")


@dataclass(frozen=True)
class Plan:
    """What to train, and on what: fixed for a run."""

    kind: str = "attention"  # of KINDS
    data: str = MADE_UP  # of DATA
    types: int = 16  # of primary capsules
    iterations: int = 3  # of routing, in the beginning; 1 of attention
    seed: int = 0
    number: int = 0  # of the run: when it began, in seconds since 1970


@dataclass(frozen=True)
class Controls:
    """What a run can be told while it goes on; it looks before each step.

    Attributes:
        rate: Adam's learning rate.
        iterations: of routing, where it iterates.
        weight: of the reconstruction loss beside the loss of the answers.
        routed: whether votes are routed: without, each class has the same share of every capsule.
        paused: whether to wait.
        ended: whether to end.
        back: step of the checkpoint to go back to, done once for each ``number``; None for none.
        number: one more with each going back.
    """

    rate: float = 2e-3
    iterations: int = 3
    weight: float = 5e-3
    routed: bool = True
    paused: bool = False
    ended: bool = False
    back: int | None = None
    number: int = 0


def nearest(value: float, known: Sequence[T]) -> T:
    """Of what can be chosen that which is nearest to a value."""
    return min(known, key=lambda one: abs(one - value))


# --- what a browser asks for -------------------------------------------------------------------------------


def parse_plan(sent: object, offered: tuple[str, ...]) -> Plan:
    """The plan that a browser asks for; what it leaves out is as in ``Plan``.

    Args:
        offered: the data that there are, of ``DATA``.

    Raises:
        MessageError: if a field has a wrong type, or names what there is not.
    """
    if not isinstance(sent, Mapping):
        raise MessageError(say("message.training"))
    kind = _among(sent.get("kind", Plan.kind), KINDS)
    types = whole(sent.get("types", Plan.types), 1, 32, say("message.types"))
    if types not in TYPES[kind]:
        raise MessageError(say("message.noTraining", found=types, known=", ".join(map(str, TYPES[kind]))))
    return Plan(
        kind,
        _among(sent.get("data", offered[0]), offered),
        types,
        _iterations(sent.get("iterations", Plan.iterations)) if kind == "dynamic" else 1,
        whole(sent.get("seed", 0), 0, 9_999, say("message.seed")),
        whole(sent.get("number", 0), 0, 2**40, say("message.request")),
    )


def parse_controls(sent: object, now: Controls) -> Controls:
    """What a browser wants of a run, the rest as it is ``now``.

    Raises:
        MessageError: if a field has a wrong type, or is out of its range.
    """
    if not isinstance(sent, Mapping):
        raise MessageError(say("message.training"))
    rate, weight = sent.get("rate", now.rate), sent.get("weight", now.weight)
    truths = {name: sent.get(name, getattr(now, name)) for name in ("routed", "paused", "ended")}
    if not all(isinstance(value, bool) for value in truths.values()):
        raise MessageError(say("message.training"))
    told = replace(
        now,
        rate=real(rate, RATES[0], RATES[-1], say("message.rate")),
        iterations=_iterations(sent.get("iterations", now.iterations)),
        weight=real(weight, WEIGHTS[0], WEIGHTS[-1], say("message.weight")),
        **truths,
    )
    back = sent.get("back")
    return told if back is None else replace(told, back=_step(back), number=now.number + 1)


def _among(sent: object, known: tuple[str, ...]) -> str:
    if not isinstance(sent, str) or sent not in known:
        raise MessageError(say("message.noTraining", found=quoted(sent), known=", ".join(known)))
    return sent


def _iterations(sent: object) -> int:
    return whole(sent, 1, MOST_ITERATIONS, say("message.iterations"))


def _step(sent: object) -> int:
    return whole(sent, 1, 10**9, say("message.checkpoint"))


# --- what a run says of itself -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Unread:
    """A picture of one's own that cannot be read.

    Attributes:
        file: its path within the folder.
        why: a sentence in each of ``languages``, by their codes.
    """

    file: str
    why: dict[str, str]


@dataclass(frozen=True)
class Told:
    """What is known of the data of a run, once they are read.

    Attributes:
        name: for people.
        classes: names of the labels 0, 1, ...
        kind: what a class is.
        train: images that are trained on.
        held: images held out, on which the error of each picture is measured.
        test: images of the test half, on which the error of each checkpoint is measured.
        alone: whether each image is a drawing of its own: else several are misread together, and no interval is given.
        left_out: pictures that cannot be read.
        unread: the first of them, at most ``MOST_UNREAD``.
    """

    name: str
    classes: tuple[str, ...]
    kind: str
    train: int
    held: int
    test: int
    alone: bool = True
    left_out: int = 0
    unread: tuple[Unread, ...] = ()

    def data_set(self) -> DataSet:
        """Its place among data sets; the images themselves are the run's."""
        sizes = {"train": self.train + self.held, "test": self.test}
        return DataSet(self.name, self.classes, sizes, self.held, False, _gone, _unknown, kind=self.kind)


def _gone(path: str | Path, half: str) -> Digits:
    raise DataError("The images of a training on the page are not kept: give another network.")


def _unknown(path: str | Path, half: str) -> str:
    return ""


@dataclass(frozen=True)
class Row:
    """What was measured at one moment: losses are means over the steps since the one before."""

    step: int
    seconds: float  # of training until then
    loss: float | None  # of the answers; None before the first step
    reconstruction: float | None  # squared error of a picture's pixels, summed, before its weight
    error: float  # share of the held-out images that are misread, 0..1
    entropy: float  # of c, as a share of log J: 1 where all classes have the same of every capsule
    controls: dict[str, Any]  # rate, iterations, weight, routed in force


@dataclass(frozen=True)
class Story:
    """What a run says of itself."""

    state: str  # of STATES
    reason: str = ""  # of REASONS, once it has ended
    step: int = 0
    seconds: float = 0.0
    told: Told | None = None
    rows: tuple[Row, ...] = ()
    checkpoints: tuple[int, ...] = ()  # their steps
    interval: float = 5.0  # seconds of training from one checkpoint to the next
    number: int = 0  # of the last going back that was done
    detail: str = ""  # what is wrong with the images, in English, for whoever runs the server


def drawing_weight(rows: Sequence[Row], step: int) -> float:
    """The most that reconstruction has counted until a step: at 0, the decoder has learnt nothing."""
    return max((row.controls["weight"] for row in rows if 0 < row.step <= step), default=0.0)


_controls = facts.form(
    {"rate": facts.share, "iterations": facts.several, "weight": facts.share, "routed": facts.truth}
)
_row = facts.form(
    {
        "step": facts.count,
        "seconds": facts.amount,
        "error": facts.share,
        "entropy": facts.amount,
        "controls": _controls,
        **dict.fromkeys(
            ("loss", "reconstruction"),
            lambda value, what: value if value is None else facts.amount(value, what),
        ),
    }
)
_each = dict.fromkeys(languages(), facts.text)
_told = facts.form(
    {
        **dict.fromkeys(("name", "kind"), facts.text),
        "classes": facts.listed(facts.text, 2, MOST_CLASSES),
        **dict.fromkeys(("train", "held", "test"), facts.several),
    },
    {
        "alone": facts.truth,
        "left_out": facts.count,
        "unread": facts.listed(
            facts.form({"file": facts.text, "why": facts.form({FIRST: facts.text}, _each)}), 0, MOST_UNREAD
        ),
    },
)
_story = facts.form(
    {
        "state": lambda value, what: _among(value, STATES),
        "reason": lambda value, what: _among(value, REASONS),
        **dict.fromkeys(("step", "number"), facts.count),
        **dict.fromkeys(("seconds", "interval"), facts.amount),
        "told": lambda value, what: None if value is None else told_of(value),
        "rows": facts.listed(_row, 0, MOST_ROWS),
        "checkpoints": facts.listed(facts.several, 0, MOST_CHECKPOINTS),
    },
    {"detail": facts.text},
)


def told_of(value: object) -> Told:
    """What is known of data, of a file's JSON."""
    known = _told(value, "told")
    unread = tuple(Unread(**one) for one in known.get("unread", ()))
    return Told(**{**known, "classes": tuple(known["classes"]), "unread": unread})


# --- the folder --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Place:
    """The folder of a run, and its files."""

    folder: Path

    def checkpoint(self, step: int) -> Path:
        """The folder of a checkpoint: its state, its weights with their card, its picture."""
        return self.folder / f"step-{step:07d}"

    def has(self, step: int) -> bool:
        """Whether a checkpoint is there, whole: its weights are written last."""
        return (self.checkpoint(step) / FILE).is_file()

    @property
    def picture(self) -> Path:
        """The latest picture."""
        return self.folder / "picture.npz"

    def plan(self) -> Plan | None:
        """The plan; None without a run, or where it cannot be read."""
        try:
            return parse_plan(read_facts(self.folder / "plan.json"), DATA)
        except (OSError, ValueError):
            return None

    def controls(self) -> Controls:
        """What it was told last; as in the beginning where that cannot be read."""
        try:
            value = read_facts(self.folder / "controls.json")
            back = value.pop("back", None)
            number = whole(value.pop("number", 0), 0, 10**9, "number")
            return replace(
                parse_controls(value, Controls()), back=None if back is None else _step(back), number=number
            )
        except (OSError, ValueError, AttributeError):
            return Controls()

    def story(self) -> Story | None:
        """What it says of itself; None where there is none, or none that can be read."""
        try:
            known = _story(read_facts(self.folder / "story.json"), "")
        except (OSError, ValueError):
            return None
        rows = tuple(Row(**row) for row in known.pop("rows"))
        return Story(**{**known, "rows": rows, "checkpoints": tuple(known["checkpoints"])})

    def write(self, value: Plan | Controls | Story) -> None:
        """Write one of the three, whole or not at all."""
        name = {Plan: "plan", Controls: "controls", Story: "story"}[type(value)]
        write_atomically(self.folder / f"{name}.json", json.dumps(asdict(value)).encode())


def root(environment: Mapping[str, str] = os.environ) -> Path:
    """The machine's folder of trainings, made if it is not there: nobody else may read or change it.

    Raises:
        CapsvizError: if it cannot be made, or is somebody else's.
    """
    named = environment.get("CAPSVIZ_TRAINING_FOLDER", "").strip()
    who = os.getuid() if hasattr(os, "getuid") else 0
    folder = Path(named) if named else Path(tempfile.gettempdir()) / f"capsviz-training-{who}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if hasattr(os, "getuid") and folder.lstat().st_uid != who:
            raise PermissionError(1, "it is somebody else's")
    except OSError as error:
        raise CapsvizError(
            f"The folder {folder} cannot be used ({error.strerror or error}): give another to CAPSVIZ_TRAINING_FOLDER."
        ) from error
    return folder


def source(environment: Mapping[str, str] = os.environ) -> Path:
    """Where MNIST or data of one's own are: as whoever runs the server says, else the usual folder of MNIST."""
    named = environment.get(SOURCE, "").strip()
    return Path(named) if named else Path(__file__).resolve().parents[2] / "data"


def nothing_at(path: Path) -> str:
    """Why there are no images at a path: it is "absent", "empty" or "closed"; "" if there may be some."""
    try:
        if path.is_dir():
            return "" if any(not entry.name.startswith(".") for entry in path.iterdir()) else "empty"
        return "" if path.exists() else "absent"
    except OSError:
        return "closed"


def is_here(path: Path) -> bool:
    """Whether MNIST is at a path, so that nothing need be downloaded."""
    return (path / "MNIST" / "raw").is_dir()


def offered(path: Path) -> tuple[str, ...]:
    """The data that can be trained on, the best first: MNIST or one's own where they are, and made-up digits."""
    if nothing_at(path):
        return (MADE_UP,)
    if is_here(path):
        return (KNOWN, MADE_UP)
    return (MADE_UP,) if MNIST.holds(path) else (OWN, MADE_UP)
