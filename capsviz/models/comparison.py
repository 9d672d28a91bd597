"""All networks side by side, from the files beside their weights: no network is loaded, nor are its weights read."""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from capsviz.errors import WeightsError
from capsviz.models.card import all_epochs
from capsviz.models.size import Size, sizes, together
from capsviz.models.weights import available, load_card, load_evaluation, locate
from capsviz.networks.base import Spec, find

if TYPE_CHECKING:
    from capsviz.models.model import Model

_ANSWERS = 15  # that are timed; as many more come before, until caches and clocks have settled


@dataclass(frozen=True)
class Entry:
    """What is compared of one network.

    Attributes:
        spec: of it.
        card: the facts of its training.
        evaluation: what was measured of it; None if nothing was.
        parts: how large it is, by ``Layer.part``.
    """

    spec: Spec
    card: Mapping[str, Any]
    evaluation: Mapping[str, Any] | None
    parts: Mapping[str, Size]

    @property
    def error(self) -> Mapping[str, Any]:
        """What was measured as its error, an "error_rate" with its "interval": of pairs, if it reads two at once."""
        measured = self.evaluation or {}
        found: Mapping[str, Any] = measured.get("pairs", measured)
        return found

    @property
    def seconds(self) -> float:
        """How long its training took, the last one of several."""
        return float(sum(row["seconds"] for row in self.card["log"]))

    @property
    def epochs(self) -> tuple[int, int]:
        """Epochs of that training, and of all that led to these weights."""
        return self.card["settings"]["epochs"], all_epochs(self.card)


def tested_on_drawings(evaluation: Mapping[str, Any]) -> bool:
    """Whether the test set is itself the drawings that were measured: then both are one measurement."""
    return "drawings" in evaluation and "confusion" not in evaluation["drawings"]


def entry(name: str) -> Entry:
    """What is compared of the network ``name``; imports PyTorch, to count.

    Raises:
        WeightsError: if its card is missing or damaged.
    """
    spec, card = find(name), load_card(locate(name))
    try:
        evaluation = load_evaluation(name, card)
    except WeightsError:  # which the network's own page says
        evaluation = None
    return Entry(spec, card, evaluation, sizes(spec))


def entries() -> list[Entry]:
    """Of all networks whose weights are here, in their order.

    Raises:
        WeightsError: if the card of one is missing or damaged.
    """
    return [entry(name) for name in available()]


def milliseconds(model: "Model") -> float:
    """How long an answer to one image takes where the model is, without preparing it: the median of some."""
    image = np.random.default_rng(0).uniform(size=(model.shape.size, model.shape.size))
    times = []
    for _ in range(2 * _ANSWERS):
        began = perf_counter()
        model.trace(image)
        times.append(1000 * (perf_counter() - began))
    return median(times[_ANSWERS:])


def as_json(entry: Entry, time: float | None = None) -> dict[str, Any]:
    """The same for programs; "milliseconds" if it was measured, None for what was not."""
    spec, measured = entry.spec, entry.evaluation or {}
    answer, every = together(entry.parts, decoder=False), together(entry.parts)
    last, epochs = entry.epochs
    drawn = measured.get("drawings")
    return {
        "name": spec.name,
        "title": spec.title,
        "classes": list(spec.shape.classes),
        "score": spec.shape.score,
        "parameters": answer.parameters,
        "parameters_with_decoder": every.parameters,
        "multiply_adds": answer.multiply_adds,
        "multiply_adds_with_decoder": every.multiply_adds,
        "data": spec.data.name,
        "error_rate": entry.error.get("error_rate"),
        "interval": entry.error.get("interval"),
        "drawings": drawn and {key: drawn[key] for key in ("drawings", "writers", "rate", "interval")},
        "ece": measured["calibration"]["ece"] if measured else None,
        "training": {
            "seconds": entry.seconds,
            "epochs": last,
            "all_epochs": epochs,
            "device": entry.card["device"],
        },
        "source": {
            "paper": spec.source.paper,
            "link": spec.source.link,
            "accuracy": spec.source.accuracy or None,
        },
        **({} if time is None else {"milliseconds": round(time, 2)}),
    }
