"""Networks that one has trained, beside those that are in the repository: known by a name once they are added."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from capsviz.checks import one_line
from capsviz.errors import CapsvizError
from capsviz.models.own import own_name
from capsviz.models.weights import load_weights, locate, places
from capsviz.networks.base import Spec, networks, register

_MOST = 50  # networks in one list; each takes some 30 MB once it has been chosen


def add(folder: str | Path) -> Spec:
    """Make the network whose weights are in a folder known, beside the others, under a name made of the folder's.

    Raises:
        WeightsError: if there are none, or they cannot be used.
    """
    path = locate(Path(folder).resolve())
    for name, place in places.items():
        if place == path:
            return networks()[name]
    weights = load_weights(path)  # all of it: what is wrong is said now, and not when someone chooses it
    name = _free(own_name(path.parent))
    title = weights.spec.title
    if any(title == spec.title for spec in networks().values()):
        title = f"{title} ({one_line(path.parent.name)[:40]})"
    spec = replace(weights.spec, name=name, title=title, aliases=())
    register(spec, str(path))
    places[name] = path
    return spec


def called(folder: str) -> str | None:
    """Name of the network whose weights are in a folder of this name; None where there is none, or more than one."""
    found = [name for name, path in places.items() if path.parent.name.casefold() == folder.casefold()]
    return found[0] if len(found) == 1 else None


def _free(name: str) -> str:
    """The name, with a number if there is a network of that name."""
    taken = networks()
    number = 2
    free = name
    while free in taken:
        free = f"{name}.n{number}"
        number += 1
    return free


def add_all(value: str, say: Callable[[str], None]) -> None:
    """Add the networks of a list of folders, as ``CAPSVIZ_NETWORKS`` has it; of one that cannot be used, say why.

    Args:
        value: folders, between which are the system's separator of paths, or spaces where no folder has such a name.
        say: called with a line for each.
    """
    folders: list[str] = []
    for part in filter(None, map(str.strip, value.split(os.pathsep))):
        folders += [part] if Path(part).exists() else part.split()
    for folder in folders[:_MOST]:
        try:
            spec = add(folder)
        except (CapsvizError, OSError) as error:
            say(f"{folder} is left out: {error}")
        else:
            say(f"{folder} is in the menu as {spec.title} (network={spec.name})")
    if len(folders) > _MOST:
        say(f"These are more than {_MOST} folders: those after {one_line(folders[_MOST - 1])} are left out.")
