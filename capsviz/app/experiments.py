"""What a browser or a link asks of routing: how many iterations, and which experiment, checked or refused with a sentence."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from capsviz.app.messages import LARGEST
from capsviz.checks import quoted, whole
from capsviz.errors import MessageError
from capsviz.texts import say
from capsviz.traces.base import CapsuleGrid
from capsviz.traces.surgery import COUPLINGS, MOST_ITERATIONS, WEIGHTINGS

CARRIED = "carried"  # the experiment that starts routing with the b that another drawing left behind


def routing_iterations(sent: object) -> int:
    """R as the Routing view asks for it.

    Raises:
        MessageError: if it is anything but a whole number that routing can run for.
    """
    return whole(sent, 1, MOST_ITERATIONS, say("message.iterations"))


@dataclass(frozen=True)
class Operation:
    """One experiment on routing, as surgery.js asks for it; without any, routing as it was."""

    number: int = 0  # of the request: the answer carries it
    coupling: str = "routing"  # one of COUPLINGS, or CARRIED
    iterations: int | None = None  # None: as many as the drawing was routed with
    seed: int = 1  # of "random"
    example: str = ""  # whose b is carried over
    types: tuple[int, ...] = ()  # silenced capsule types, and
    places: tuple[int, ...] = ()  # places of the grid, row * columns + column


def operation(sent: object, grid: CapsuleGrid, examples: Collection[str]) -> Operation:
    """The experiment that a browser asks for; what it leaves out is as in ``Operation``.

    Args:
        grid: of the network's primary capsules.
        examples: names of the drawings whose b can be carried over.

    Raises:
        MessageError: if a field has a wrong type, or names what there is not.
    """
    if not isinstance(sent, Mapping):
        raise MessageError(say("message.experiment"))
    coupling = _experiment(sent.get("coupling", "routing"), (*COUPLINGS, CARRIED))
    iterations, example = sent.get("iterations"), sent.get("example") or ""
    if not isinstance(example, str) or example not in (*examples, *(() if coupling == CARRIED else ("",))):
        raise MessageError(say("message.example", found=quoted(example)))
    return Operation(
        number=whole(sent.get("number", 0), 0, LARGEST, say("message.request")),
        coupling=coupling,
        iterations=None if iterations is None else routing_iterations(iterations),
        seed=whole(sent.get("seed", 1), 0, LARGEST, say("message.seed")),
        example=example,
        types=_silenced(sent.get("types", ()), grid.types, "type"),
        places=_silenced(sent.get("places", ()), grid.places, "place"),
    )


@dataclass(frozen=True)
class Weighting:
    """One experiment on attention routing, as attention_surgery.js asks for it; without any, attention as it was."""

    number: int = 0  # of the request: the answer carries it
    coupling: str = "attention"  # one of WEIGHTINGS
    capsules: tuple[int, ...] = ()  # silenced primary capsules


def weighting(sent: object, primary: int) -> Weighting:
    """The experiment that a browser asks for, of ``primary`` capsules; what it leaves out is as in ``Weighting``.

    Raises:
        MessageError: if a field has a wrong type, or names what there is not.
    """
    if not isinstance(sent, Mapping):
        raise MessageError(say("message.experiment"))
    return Weighting(
        number=whole(sent.get("number", 0), 0, LARGEST, say("message.request")),
        coupling=_experiment(sent.get("coupling", "attention"), WEIGHTINGS),
        capsules=_silenced(sent.get("capsules", ()), primary, "capsule"),
    )


def _experiment(sent: object, known: tuple[str, ...]) -> str:
    if not isinstance(sent, str) or sent not in known:
        raise MessageError(say("message.noExperiment", found=quoted(sent), known=", ".join(known)))
    return sent


def _silenced(sent: object, count: int, what: str) -> tuple[int, ...]:
    """Which of ``count`` are silenced, in order."""
    if not isinstance(sent, (list, tuple)) or len(sent) > count:
        raise MessageError(say(f"message.silence.{what}", count=count))
    return tuple(sorted({whole(index, 0, count - 1, say(f"message.silenced.{what}")) for index in sent}))
