"""What a step of a lesson can ask to be done: one table of conditions, which figures/browser/conditions.js looks at.

Each is a name with what is wanted of it; a step may name several, and all must hold. Python and the views of a page say
what is so (figures/browser/lesson.js, ``app.tour``); what counts as changed or moved is held against how the step began.
"""

from collections.abc import Callable
from dataclasses import dataclass

from capsviz.app.experiments import CARRIED
from capsviz.checks import real, whole
from capsviz.errors import MessageError
from capsviz.figures.attention import STEPS
from capsviz.figures.pose import pose_limit
from capsviz.networks.base import Spec, networks
from capsviz.texts import say
from capsviz.traces.base import LENGTH, POSES, SEVERAL
from capsviz.traces.surgery import COUPLINGS, MOST_ITERATIONS, WEIGHTINGS

Wanted = bool | int | float | str | tuple[str, ...] | tuple[float, ...]

ROUTING, POSE, OVERLAP, COMPARE = ("routing",), ("pose",), ("overlap",), ("compare",)


@dataclass(frozen=True)
class Condition:
    """One thing that can be noticed.

    Attributes:
        wanted: the value that a file gives, checked for a network and turned into what the script is sent.
        pages: where it can be done; none for all.
    """

    wanted: Callable[[object, Spec], Wanted]
    pages: tuple[str, ...] = ()


def _yes(value: object, spec: Spec) -> Wanted:
    if value is not True:
        raise MessageError(say("lessons.fault.yes"))
    return True


def _one_of(known: Callable[[Spec], tuple[str, ...]]) -> Callable[[object, Spec], Wanted]:
    """A word, or several of which each will do."""

    def wanted(value: object, spec: Spec) -> Wanted:
        words = value if isinstance(value, list) else [value]
        names = known(spec)
        for word in words:
            if word not in names:
                raise MessageError(say("lessons.fault.choice", found=shortened(word), known=", ".join(names)))
        if not words:
            raise MessageError(say("lessons.fault.choice", found="[]", known=", ".join(names)))
        return tuple(words)

    return wanted


def _at_least(low: float, high: Callable[[Spec], float]) -> Callable[[object, Spec], Wanted]:
    return lambda value, spec: real(value, low, high(spec), say("lessons.fault.value"))


def _number(low: int, high: Callable[[Spec], int]) -> Callable[[object, Spec], Wanted]:
    return lambda value, spec: whole(value, low, high(spec), say("lessons.fault.value"))


def _between(high: Callable[[Spec], float]) -> Callable[[object, Spec], Wanted]:
    """[least, most]."""

    def wanted(value: object, spec: Spec) -> Wanted:
        if not isinstance(value, list) or len(value) != 2:
            raise MessageError(say("lessons.fault.between"))
        low, most = (real(end, 0, high(spec), say("lessons.fault.value")) for end in value)
        return low, most

    return wanted


def _couplings(spec: Spec) -> tuple[str, ...]:
    return WEIGHTINGS if spec.shape.routing == "attention" else (*COUPLINGS, CARRIED)


def _groups(spec: Spec) -> int:
    return spec.shape.grid.capsules if spec.shape.grid else 0


def _last_step(spec: Spec) -> int:
    return (4 * MOST_ITERATIONS if spec.shape.iterates else len(STEPS)) - 1


def shortened(value: object) -> str:
    """What stands in a file, short enough for a sentence."""
    text = str(value)
    return text if len(text) <= 40 else f"{text[:40]}…"


CONDITIONS = {
    # Of the drawing and its answer.
    "drawn": Condition(_yes),  # the person has drawn since the step began
    "answer": Condition(_one_of(lambda spec: spec.shape.classes)),
    "changed": Condition(_yes),  # the answer is another than when the step began
    "longest": Condition(_between(lambda spec: 1)),  # the highest score
    "sum": Condition(_between(lambda spec: len(spec.shape.classes))),  # of all scores
    # Of what the session is about.
    "network": Condition(_one_of(lambda spec: tuple(networks()))),
    "iterations": Condition(_number(1, lambda spec: MOST_ITERATIONS)),
    # Of the Routing page; the clock is of two drawings on Compare, too.
    "step": Condition(_number(0, _last_step), (*ROUTING, *COMPARE)),  # reached, or a later one
    "capsule": Condition(_yes, ROUTING),  # another primary capsule was chosen
    "class": Condition(_one_of(lambda spec: spec.shape.classes), (*ROUTING, *POSE)),  # is chosen
    "experiment": Condition(_one_of(_couplings), ROUTING),  # is chosen
    "silenced": Condition(_number(1, _groups), ROUTING),  # so many groups of capsules at least
    "broken": Condition(_yes, ROUTING),  # an experiment's answer is another than the network's
    # Of the Pose page; how far in the pose's own numbers.
    "slider": Condition(_at_least(0.01, lambda spec: 2 * pose_limit(spec.shape)), POSE),  # any was moved
    "strongest": Condition(
        _at_least(0.01, lambda spec: 2 * pose_limit(spec.shape)), POSE
    ),  # the first one was
    # Of the Overlap page.
    "slid": Condition(_number(1, lambda spec: 50), OVERLAP),  # so far from both, towards one alone
    "asked": Condition(_one_of(lambda spec: spec.shape.classes), OVERLAP),  # is asked for
    "laid": Condition(_yes, OVERLAP),  # an example lies over the drawing
    "dimension": Condition(
        _number(0, lambda spec: spec.shape.pose - 1), POSE
    ),  # this one was, farther than others
}


def can_be_done(name: str, page: str, spec: Spec) -> bool:
    """Whether a page shows, of a network, what a condition is about."""
    condition = CONDITIONS[name]
    if condition.pages and page not in condition.pages:
        return False
    if name == "sum":
        return spec.shape.score == LENGTH  # probabilities sum to 1
    if page in OVERLAP:
        return SEVERAL in spec.offers
    return page not in POSE or POSES in spec.offers
