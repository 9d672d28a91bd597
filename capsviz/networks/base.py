"""What a network is, in a form that can be read without PyTorch, and how all of them are found.

A network is one module of this folder that holds ``NETWORKS``, a tuple of specs: adding such a file adds the
network. Nothing else in the package names one, but for ``DEFAULT``.
"""

import pkgutil
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from importlib import import_module
from threading import Lock
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import capsviz.networks
from capsviz import texts
from capsviz.checks import shown
from capsviz.errors import NetworkError
from capsviz.inputs.data import DataSet
from capsviz.traces.base import COUPLING, OFFERS, POSES, SEVERAL, Shape

if TYPE_CHECKING:
    from torch import nn

DEFAULT = "dynamic.mnist"  # the network that the app opens with
_NAME = re.compile(r"[a-z][a-z0-9]*(\.[a-z][a-z0-9]*)*")
_ALIAS = re.compile(r"[a-z][a-z0-9]*([.-][a-z0-9]+)*")


@dataclass(frozen=True)
class Source:
    """Where a network was published.

    Attributes:
        authors: their names, for people.
        title: of the paper.
        year: of it.
        paper: its short name, "arXiv:1710.09829".
        link: to it.
        venue: where it appeared, "NeurIPS 2017".
        accuracy: what it reports on the same data, in words; "" where that cannot be compared.
        of: the id, within [model.published] of the texts, that says what this is the figure of; "" where nothing is.
    """

    authors: str
    title: str
    year: int
    paper: str
    link: str
    venue: str = ""
    accuracy: str = ""
    of: str = ""


@dataclass(frozen=True)
class Layer:
    """One layer, for the table of layers and the strip.

    Attributes:
        part: name of the network's child that has its parameters; also the id under which the texts describe it.
        size: of its output, without the batch.
        facts: whatever the texts name of it: kernels, strides, filters.
    """

    part: str
    size: tuple[int, ...]
    facts: Mapping[str, int | str]


@dataclass(frozen=True)
class Spec:
    """A network, all but its weights.

    Attributes:
        name: architecture and data, as ``dynamic.mnist``: also the folder of its weights.
        title: what people call it, in a few words.
        source: where it was published.
        data: what it is trained and measured on.
        shape: image, classes, capsules, routing.
        offers: of ``traces.base.OFFERS``.
        layers: in the order in which an image passes them.
        build: makes the module with its initial values, on PyTorch's default device; imports PyTorch. The module is a
            ``Way`` of models/model.py.
        quick: makes, of the module on the CPU with the weights it will keep, a quicker way to compute; None if there is
            none.
        aliases: other names that lead here, for ever.
        of: makes the spec of the same architecture for other data, of a name, a title and these, and for images of another
            ``size``, if that is given; None if it has a fixed size.
    """

    name: str
    title: str
    source: Source
    data: DataSet
    shape: Shape
    offers: frozenset[str]
    layers: tuple[Layer, ...]
    build: "Callable[[Spec], nn.Module]"
    quick: "Callable[[Any], Any] | None" = None
    aliases: tuple[str, ...] = ()
    of: "Callable[..., Spec] | None" = None


_known: dict[str, Spec] = {}
_aliases: dict[str, str] = {}
_finding = Lock()
_found = False


def networks() -> Mapping[str, Spec]:
    """All networks by their names, the default first.

    Raises:
        NetworkError: if a file of this folder describes none, or one that cannot be used.
    """
    _discover()
    return MappingProxyType(_known)


def find(name: str) -> Spec:
    """The network of a name or an alias.

    Raises:
        NetworkError: if there is none.
    """
    known = networks()
    spec = known.get(_aliases.get(name, name))
    if spec is None:
        raise NetworkError(f"There is no network {shown(name)}: choose one of {', '.join(known)}.")
    return spec


def register(spec: Spec, origin: str) -> None:
    """Make a network known by its name and aliases.

    Args:
        spec: the network.
        origin: the file that it stands in, for who has to mend it.

    Raises:
        NetworkError: if a field is missing or of another kind, or a name is taken.
    """
    _check(spec, origin)
    names = (spec.name, *spec.aliases)
    for place, name in enumerate(names):
        if name in _known or name in _aliases or name in names[:place]:
            raise NetworkError(f"{origin}: there is a network {name} already: give this one another name.")
    _known[spec.name] = spec
    _aliases.update(dict.fromkeys(spec.aliases, spec.name))


def unregister(name: str) -> None:
    """Forget a network again."""
    spec = _known.pop(name)
    for alias in spec.aliases:
        del _aliases[alias]


def _check(spec: Spec, origin: str) -> None:
    """See that a spec is one, and that its parts belong together.

    Raises:
        NetworkError: if not.
    """
    if not isinstance(spec, Spec):
        raise NetworkError(
            f"{origin}: NETWORKS must hold specs, not {type(spec).__name__}: see networks/base.py."
        )
    kinds: dict[str, Callable[[Any], bool]] = {
        **dict.fromkeys(("name", "title"), lambda value: isinstance(value, str) and bool(value)),
        "source": lambda value: isinstance(value, Source),
        "data": lambda value: isinstance(value, DataSet),
        "shape": lambda value: isinstance(value, Shape),
        "offers": lambda value: isinstance(value, frozenset),
        "layers": lambda value: _is_tuple(value, Layer) and bool(value),
        "build": callable,
        "quick": lambda value: value is None or callable(value),
        "aliases": lambda value: _is_tuple(value, str),
        "of": lambda value: value is None or callable(value),
    }
    for field in fields(spec):
        value = getattr(spec, field.name)
        if not kinds[field.name](value):
            raise NetworkError(f"{origin}: {field.name} must not be {shown(value)}: see networks/base.py.")
    if not _NAME.fullmatch(spec.name):
        raise NetworkError(
            f"{origin}: a name is architecture and data, as dynamic.mnist, not {shown(spec.name)}: use small letters, "
            "digits and dots."
        )
    for alias in spec.aliases:
        if not _ALIAS.fullmatch(alias):
            raise NetworkError(
                f"{origin}: {shown(alias)} cannot be an alias: use small letters, digits, dots, hyphens."
            )
    poses = spec.shape.pose > 0
    able = {COUPLING: spec.shape.grid is not None, POSES: poses, SEVERAL: poses and spec.shape.answers > 1}
    unable = sorted(str(offer) for offer in spec.offers if not able.get(offer))
    if unable:
        raise NetworkError(
            f"{origin}: {spec.name} cannot offer {', '.join(unable)}: there are {', '.join(OFFERS)}; the first needs a "
            "grid of capsules, the others poses, and the last several answers to an image."
        )
    if spec.data.classes != spec.shape.classes:
        raise NetworkError(
            f"{origin}: {spec.name} has other classes than its data, {spec.data.name}: give both the same ones, in the "
            "same order."
        )
    if spec.data.sizes.keys() != {"train", "test"} or not 0 < spec.data.held_out < spec.data.sizes["train"]:
        raise NetworkError(
            f"{origin}: the data of {spec.name}, {spec.data.name}, must have a train and a test half, and hold some "
            "images of the first out, not all: see inputs/data.py."
        )
    if f"common.kind.{spec.shape.kind}" not in texts.texts(texts.FIRST):
        raise NetworkError(
            f"{origin}: there is no word for a class of the kind {shown(spec.shape.kind)}: add it to [common.kind] in "
            "texts/en.toml."
        )


def _is_tuple(value: object, kind: type) -> bool:
    return isinstance(value, tuple) and all(isinstance(part, kind) for part in value)


def _discover() -> None:
    """Register the networks of every module of this folder, once."""
    global _found
    with _finding:  # several people's first pages may ask at once
        if _found:
            return
        found: list[tuple[Spec, str]] = []
        for module in pkgutil.iter_modules(capsviz.networks.__path__):
            if module.name == "base":
                continue
            origin = f"networks/{module.name}.py"
            try:
                specs = import_module(f"{__package__}.{module.name}").NETWORKS
            except Exception as error:  # of a file, a field or a size that is missing or wrong
                reason = " ".join(str(error).split()).rstrip(".")
                raise NetworkError(
                    f"{origin} describes no network ({reason}): see networks/base.py."
                ) from error
            if not _is_tuple(specs, object):
                raise NetworkError(f"{origin}: NETWORKS must be a tuple of specs, not {shown(specs)}.")
            found += [(spec, origin) for spec in specs]
        # The names together: two files may want the same.
        try:
            for spec, origin in sorted(found, key=lambda entry: getattr(entry[0], "name", "") != DEFAULT):
                register(spec, origin)
            if DEFAULT not in _known:
                raise NetworkError(
                    f"There is no network {DEFAULT}, with which the app opens: restore its file, or name another in "
                    "networks/base.py."
                )
        except NetworkError:
            _known.clear()
            _aliases.clear()
            raise
        _found = True
