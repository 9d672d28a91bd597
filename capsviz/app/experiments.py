"""What a browser or a link asks to be tried: iterations, an experiment on routing, changes of the picture; checked or refused."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from capsviz.app.messages import LARGEST
from capsviz.checks import quoted, whole
from capsviz.errors import MessageError
from capsviz.inputs.changes import CHANGES, Changes
from capsviz.measures.along import Coupling
from capsviz.texts import say
from capsviz.traces.base import CapsuleGrid
from capsviz.traces.surgery import COUPLINGS, MOST_ITERATIONS, MOST_ROUNDS, WEIGHTINGS

CARRIED = "carried"  # the experiment that starts routing with the b that another drawing left behind


def routing_iterations(sent: object) -> int:
    """R as the Routing view asks for it.

    Raises:
        MessageError: if it is anything but a whole number that routing can run for.
    """
    return whole(sent, 1, MOST_ITERATIONS, say("message.iterations"))


def _rounds(sent: object) -> int | None:
    """Routing iterations of an experiment; None for as many as without it."""
    return None if sent is None else whole(sent, 1, MOST_ROUNDS, say("message.iterations"))


def _bias(sent: object) -> bool:
    """Whether the bias of the authors' code is added: true or false, or 1 or 0 in a link."""
    return bool(whole(int(sent) if isinstance(sent, bool) else sent, 0, 1, say("message.bias")))


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
    bias: bool = False  # whether that of the authors' code is added


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
    example = sent.get("example") or ""
    if not isinstance(example, str) or example not in (*examples, *(() if coupling == CARRIED else ("",))):
        raise MessageError(say("message.example", found=quoted(example)))
    return Operation(
        number=whole(sent.get("number", 0), 0, LARGEST, say("message.request")),
        coupling=coupling,
        iterations=_rounds(sent.get("iterations")),
        bias=_bias(sent.get("bias", False)),
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


MOST_BESIDE = 2  # networks beside the session's


@dataclass(frozen=True)
class Trial:
    """One comparison, as compare.js asks for it; without any, the picture turned, before the networks that the page chooses."""

    number: int = 0  # of the request: the answer carries it
    change: str = "rotation"  # of CHANGES: the one that is tried over its whole range
    changes: Changes = field(default_factory=Changes)  # that one's own value is where the marker stands
    beside: tuple[str, ...] | None = None  # names of networks; None for those that the page chooses
    coupling: Coupling = field(default_factory=Coupling)  # of networks that iterate
    more: bool = False  # whether values beside the picture's own are to be measured as well
    ahead: bool = False  # whether nobody has moved the change yet: a step of it may be next


def trial(sent: object, networks: Collection[str]) -> Trial:
    """The comparison that a browser or a link asks for; what it leaves out is as in ``Trial``.

    Args:
        sent: "steps" says of changes how many steps of theirs they are away from none.
        networks: names of those that can stand beside the session's; others are left out.

    Raises:
        MessageError: if a field has a wrong type, or names what there is not.
    """
    if not isinstance(sent, Mapping):
        raise MessageError(say("message.trial"))
    steps, beside = sent.get("steps", {}), sent.get("beside")
    change = sent.get("change", Trial.change)
    if not isinstance(steps, Mapping) or len(steps) > len(CHANGES):
        raise MessageError(say("message.trial"))
    for name in (change, *steps):
        if not isinstance(name, str) or name not in CHANGES:
            raise MessageError(say("message.change", found=quoted(name), known=", ".join(CHANGES)))
    values = {
        name: CHANGES[name].at(whole(count, CHANGES[name].first, CHANGES[name].last, say("message.steps")))
        for name, count in steps.items()
    }
    if beside is not None:
        if not isinstance(beside, (list, tuple)) or len(beside) > MOST_BESIDE:
            raise MessageError(say("message.beside", most=MOST_BESIDE))
        beside = tuple(dict.fromkeys(name for name in beside if isinstance(name, str) and name in networks))
    return Trial(
        number=whole(sent.get("number", 0), 0, LARGEST, say("message.request")),
        change=change,
        changes=Changes(**values),
        beside=beside,
        coupling=Coupling(
            _experiment(sent.get("coupling", "routing"), COUPLINGS),
            _rounds(sent.get("iterations")),
            _bias(sent.get("bias", False)),
        ),
        more=sent.get("more") is True,
        ahead=sent.get("ahead") is True,
    )


def trial_text(asked: Trial) -> str:
    """A comparison as a link has it, ``parameters`` reads it."""
    steps = {
        name: round((getattr(asked.changes, name) - kind.same) / kind.step) for name, kind in CHANGES.items()
    }
    others = [f"{name}.{count}" for name, count in steps.items() if count and name != asked.change]
    beside = ["with."] if asked.beside == () else [f"with.{name}" for name in asked.beside or ()]
    how = asked.coupling
    rule = [f"rule.{how.name}"] * (how.name != "routing") + [f"R.{how.iterations}"] * (
        how.iterations is not None
    )
    return "_".join(
        [f"{asked.change}.{steps[asked.change]}", *others, *beside, *rule, *["bias.1"] * how.bias]
    )
