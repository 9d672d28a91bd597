"""The files of pages that measure by themselves, without the drawing: the training that goes on here, and the Lab."""

import io
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from capsviz.app import lab_files, lab_found, session
from capsviz.app.training_choice import of_run
from capsviz.errors import CapsvizError
from capsviz.figures import export, live
from capsviz.figures.export import Origin
from capsviz.models.weights import FILE, load_card
from capsviz.texts import say
from capsviz.training import live_process
from capsviz.training.live_networks import name_of, spec_of
from capsviz.training.live_plan import Place, Plan, Story, Told, root

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NUMBERS = ("csv", "json", "npz")
CURVES = ["step", "seconds", "loss", "reconstruction", "error", "entropy"]
CONTROLS = ["rate", "iterations", "weight", "routed"]


@dataclass(frozen=True)
class Stand:
    """What a page shows of its measurements, as far as they have come: two of the same are the same file.

    Attributes:
        said: what its link says of it: a training's choice, or the part of the Lab that is open.
        rows: of the Lab, ``lab_found.table``.
        run: of a training, its number and the last step of its curves.
        trained: which kind of network it trains; "" on the Lab.
        step: of the checkpoint that is looked at; 0 for the latest picture.
    """

    said: str = ""
    rows: tuple[lab_found.Row, ...] = ()
    run: tuple[int, int] = (0, 0)
    trained: str = ""
    step: int = 0


def offer(page: str) -> Mapping[str, tuple[str, ...]]:
    """What one of these pages has to take along, {thing: kinds}."""
    if page == "lab":
        return lab_files.offer(session.model().sha256)
    found = _run()
    if found is None:
        return {}
    return {lab_files.PAGE: (*(lab_files.PICTURES if found[2].picture.is_file() else ()), *NUMBERS)}


def stand(page: str, sha256: str) -> Stand | None:
    """What is shown now; None of any other page."""
    state = st.session_state
    if page == "lab":
        return Stand(state.get(session.SECTION_KEY, ""), lab_found.table(sha256))
    found = _run() if page == "training" else None
    if found is None:
        return None
    story, plan, _ = found
    looked = state.get(session.CHECKPOINT_KEY)
    return Stand(
        of_run(plan, story.rows[0]).text(),
        run=(plan.number, story.rows[-1].step),
        trained=plan.kind,
        step=looked.step if looked and looked.run == plan.number and looked.step in story.checkpoints else 0,
    )


def table_file(kind: str, now: Stand, origin: Origin) -> bytes:
    """The Lab's table."""
    if kind == "csv":
        return export.table_csv(lab_found.HEAD, now.rows, origin)
    rows = [dict(zip(lab_found.HEAD, row, strict=True)) for row in now.rows]
    return _json({"origin": origin.facts(), "measured": rows})


def training_file(kind: str, now: Stand, link: str, dark: bool) -> bytes:
    """The curves of the training, or the picture of how far it has come, here and now or at a checkpoint.

    Raises:
        CapsvizError: if another training has begun since, or what was drawn is gone.
    """
    found = _run()
    if found is None or (found[1].number, found[0].rows[-1].step < now.run[1]) != (now.run[0], False):
        raise CapsvizError(say("export.over"))
    story, plan, place = found
    told = story.told
    assert told is not None  # of a run that has rows
    origin = _origin(plan, told, place, now, link)
    folder = place.checkpoint(now.step) if now.step else place.folder
    if kind in lab_files.PICTURES:
        figure = _slide(story, told, folder, dark, origin)
        return (export.png if kind == "png" else export.svg)(figure, origin)
    rows = [row for row in story.rows if row.step <= now.run[1]]
    head = [*CURVES, *CONTROLS]
    cells = [
        [*(getattr(row, name) for name in CURVES), *(row.controls[name] for name in CONTROLS)] for row in rows
    ]
    if kind == "csv":
        return export.table_csv(
            head, [["" if cell is None else cell for cell in row] for row in cells], origin
        )
    if kind == "json":
        facts = {"plan": asdict(plan), "data": asdict(told)}
        return _json(
            {"origin": origin.facts(), **facts, "rows": [dict(zip(head, row, strict=True)) for row in cells]}
        )
    return _npz(dict(zip(head, zip(*cells, strict=True), strict=True)), folder, told, origin)


def _run() -> tuple[Story, Plan, Place] | None:
    """The run of this machine, once something of it is measured."""
    try:
        there = root()
        story, place = live_process.look(there), live_process.place(there)
    except (CapsvizError, OSError):
        return None
    plan = place.plan()
    return (story, plan, place) if story and plan and story.rows and story.told else None


def _origin(plan: Plan, told: Told, place: Place, now: Stand, link: str) -> Origin:
    """Of the run; of a checkpoint, with the checksum of its weights."""
    sha256 = load_card(place.checkpoint(now.step) / FILE)["sha256"] if now.step else ""
    settings = {"step": now.step or now.run[1], "plan": asdict(plan)}
    return Origin(name_of(plan), spec_of(plan, told).title, sha256, link, settings)


def _slide(story: Story, told: Told, folder: Path, dark: bool, origin: Origin) -> "Figure":
    from capsviz.figures import slides

    picture = live.read_picture(folder / "picture.npz", len(told.classes))
    return slides.training_slide(story.rows, picture, told, dark=dark, origin=origin.line())


def _npz(columns: Mapping[str, Any], folder: Path, told: Told, origin: Origin) -> bytes:
    """The curves, what is not measured as NaN, and the picture's arrays where there is one."""
    arrays = {
        name: np.array([np.nan if cell is None else cell for cell in cells])
        for name, cells in columns.items()
    }
    try:
        picture = live.read_picture(folder / "picture.npz", len(told.classes))._asdict()
        arrays |= {f"picture_{name}": np.asarray(value) for name, value in picture.items()}
    except CapsvizError:  # before the first one
        pass
    buffer = io.BytesIO()
    named: dict[str, Any] = {**arrays, "classes": np.array(told.classes), "origin": np.array(origin.text())}
    np.savez_compressed(buffer, **named)
    return buffer.getvalue()


def _json(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False).encode("utf-8")
