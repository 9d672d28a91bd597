"""Networks of trainings on the page, chosen at one of their checkpoints: kept beside the run, and in the menu as any other."""

import json
import shutil
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path

from capsviz.errors import CapsvizError
from capsviz.models.weights import (
    FILE,
    as_trained,
    beside,
    load_card,
    places,
    read_facts,
    write_atomically,
)
from capsviz.networks.base import networks, register
from capsviz.training.live_networks import name_of, spec_of
from capsviz.training.live_plan import DATA, Place, Plan, parse_plan, root, told_of

MOST_KEPT = 20  # networks; of more, those go that were opened first


def keep(place: Place, plan: Plan, step: int) -> str:
    """Keep the network of a checkpoint, whatever becomes of its run; its name, under which it is known from now on.

    Raises:
        CapsvizError: if the checkpoint is gone, or cannot be read.
        OSError: if it cannot be copied.
    """
    name = f"{name_of(plan)}.s{step}"
    if name not in networks():
        kept, there = place.folder.parent / "kept", place.checkpoint(step)
        folder = kept / name
        folder.mkdir(parents=True, exist_ok=True)
        for file in (beside(there / FILE, "card.json"), there / "told.json", there / FILE):
            shutil.copyfile(file, folder / file.name)
        write_atomically(folder / "plan.json", json.dumps(asdict(plan)).encode())
        _know(folder)
        for old in sorted(kept.iterdir(), key=lambda path: path.stat().st_mtime)[:-MOST_KEPT]:
            shutil.rmtree(old, ignore_errors=True)
    return name


def restore() -> None:
    """Know those again that an earlier server has kept; of what cannot be read, nothing is known."""
    with suppress(CapsvizError, OSError):
        for folder in sorted((root() / "kept").iterdir()):
            with suppress(CapsvizError, OSError, ValueError):
                _know(folder)


def _know(folder: Path) -> None:
    """Register the network in a folder, under the folder's name, and that of its run, which its card names."""
    plan = parse_plan(read_facts(folder / "plan.json"), DATA)
    told = told_of(read_facts(folder / "told.json"))
    first, _, step = folder.name.rpartition(".s")
    if first != name_of(plan) or not step.isdecimal():
        raise CapsvizError(f"{folder} is not of the run that its plan names.")
    if folder.name in networks():
        return
    if first not in networks():
        register(spec_of(plan, told), str(folder))
    spec = as_trained(spec_of(plan, told, folder.name), load_card(folder / FILE))
    title = f"{spec.title}, step {step}"
    if any(title == other.title for other in networks().values()):
        title = f"{title} (run {plan.number})"
    register(replace(spec, title=title), str(folder))
    places[folder.name] = folder / FILE
