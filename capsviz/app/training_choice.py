"""What is chosen before a training, as a link has it: "dynamic_types.4_R.2_data.mnist_rate.0.005_weight.0_routed.0"; and which step of one is looked at."""

import re
from dataclasses import dataclass
from typing import Any

from capsviz.checks import quoted
from capsviz.errors import MessageError
from capsviz.texts import say
from capsviz.training.live_plan import (
    DATA,
    RATES,
    TYPES,
    WEIGHTS,
    Controls,
    Plan,
    Row,
    nearest,
    parse_controls,
    parse_plan,
)

LONGEST = 120  # characters of a choice in a link: all parts of one take 80
USUAL_TYPES = {"attention": 16, "dynamic": 8}
DATA_IN_LINKS = {name.replace("_", "-"): name for name in DATA}  # between parts of a choice stands _
_CHECKPOINT = re.compile(r"r([0-9]{1,12})\.s([1-9][0-9]{0,8})")
_NUMBER = re.compile(r"[0-9]{1,4}(\.[0-9]{1,6})?")
# The parts of a choice in a link, after the kind of network: the field that each is.
_PARTS = {
    "types": "types",
    "R": "iterations",
    "data": "data",
    "rate": "rate",
    "weight": "weight",
    "routed": "routed",
}


@dataclass(frozen=True)
class Choice:
    """What a training is to begin with.

    Attributes:
        kind: of network, of ``live_plan.KINDS``.
        types: of primary capsules; 0 for as many as are usual of the kind.
        iterations: of dynamic routing.
        data: of ``live_plan.DATA``; "" for the best that there are.
        rate, weight, routed: as of ``live_plan.Controls``.
    """

    kind: str = Plan.kind
    types: int = 0
    iterations: int = Plan.iterations
    data: str = ""
    rate: float = Controls.rate
    weight: float = Controls.weight
    routed: bool = True

    def plan(self, offered: tuple[str, ...], number: int) -> Plan:
        """The plan of a run, on data of those that are ``offered``.

        Raises:
            MessageError: if the data that were chosen are not among them.
        """
        known: dict[str, Any] = {"kind": self.kind, "types": self.shown_types, "iterations": self.iterations}
        return parse_plan(known | ({"data": self.data} if self.data else {}) | {"number": number}, offered)

    def controls(self) -> Controls:
        """What the run is told first."""
        return Controls(self.rate, self.iterations, self.weight, self.routed)

    @property
    def shown_types(self) -> int:
        """The number of capsule types, of those that there are of the kind."""
        return nearest(self.types or USUAL_TYPES[self.kind], TYPES[self.kind])

    def text(self) -> str:
        """What a link says of it; "" where nothing is as it would not be without."""
        usual = Choice(self.kind)
        written = {
            "types": "" if self.shown_types == usual.shown_types else str(self.shown_types),
            "R": "" if self.iterations == usual.iterations else str(self.iterations),
            "data": self.data.replace("_", "-"),
            "rate": "" if self.rate == usual.rate else f"{self.rate:g}",
            "weight": "" if self.weight == usual.weight else f"{self.weight:g}",
            "routed": "" if self.routed else "0",
        }
        parts = [f"{name}.{value}" for name, value in written.items() if value]
        return "_".join([self.kind, *parts]) if parts or self.kind != Choice.kind else ""


@dataclass(frozen=True)
class Checkpoint:
    """A step of a training, as a link has it: "r1764217000.s450"."""

    run: int  # its number
    step: int

    def text(self) -> str:
        """As it stands in a link."""
        return f"r{self.run}.s{self.step}"


def checkpoint_of(text: str) -> Checkpoint:
    """The checkpoint of a link.

    Raises:
        MessageError: if it cannot be read.
    """
    found = _CHECKPOINT.fullmatch(text)
    if not found:
        raise MessageError(say("address.checkpoint.unreadable", asked=quoted(text)))
    return Checkpoint(int(found[1]), int(found[2]))


def of_run(plan: Plan, first: Row) -> Choice:
    """What a training has begun with, by its plan and its first row."""
    begun = {name: first.controls[name] for name in ("rate", "weight", "routed")}
    iterations = plan.iterations if plan.kind == "dynamic" else Plan.iterations
    return Choice(plan.kind, plan.types, iterations, plan.data, **begun)


def choice(sent: dict[str, Any]) -> Choice:
    """What was chosen, by the fields of ``Choice``; what is left out is as there.

    Raises:
        MessageError: if a field has a wrong type, or names what there is not.
    """
    plan = parse_plan({name: sent[name] for name in ("kind", "types", "iterations") if name in sent}, DATA)
    data = sent.get("data", "")
    told = parse_controls(
        {name: sent[name] for name in ("rate", "weight", "routed") if name in sent}, Controls()
    )
    return Choice(
        kind=plan.kind,
        types=plan.types if "types" in sent else 0,
        iterations=plan.iterations if plan.kind == "dynamic" else Plan.iterations,
        data=parse_plan({"data": data}, DATA).data if data else "",
        rate=nearest(told.rate, RATES),
        weight=nearest(told.weight, WEIGHTS),
        routed=told.routed,
    )


def of_text(text: str) -> Choice:
    """The choice of a link.

    Raises:
        MessageError: if it cannot be read, or names what there is not.
    """
    unreadable = MessageError(say("address.training.unreadable", asked=quoted(text)))
    if len(text) > LONGEST:
        raise unreadable
    kind, *parts = text.split("_")
    sent: dict[str, Any] = {"kind": kind}
    for part in parts:
        name, _, value = part.partition(".")
        field = _PARTS.get(name, "")
        if not field or field in sent:
            raise unreadable
        if field == "data" and value in DATA_IN_LINKS:
            sent[field] = DATA_IN_LINKS[value]
        elif field == "routed" and value in ("0", "1"):
            sent[field] = value == "1"
        elif field in ("rate", "weight") and _NUMBER.fullmatch(value):
            sent[field] = float(value)
        elif field in ("types", "iterations") and value.isascii() and value.isdecimal():
            sent[field] = int(value[:9])
        else:
            raise unreadable
    return choice(sent)
