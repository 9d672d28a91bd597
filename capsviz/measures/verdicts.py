"""Whether what an experiment found bears out the claim that it is of: one number, its 95% interval, and a limit that is said."""

from collections.abc import Callable
from typing import NamedTuple

from capsviz.measures.claims import Found
from capsviz.measures.samples import Measured

YES, NO, OPEN = "yes", "no", "open"
ROUNDING = 1e-5  # of lengths in single precision


class Verdict(NamedTuple):
    """What is said of a claim.

    Attributes:
        outcome: "yes", "no", or "open": that too little was measured to tell.
        measured: the number that decides, and its interval; None where nothing could be compared.
    """

    outcome: str
    measured: Measured | None


class Rule(NamedTuple):
    """How a claim is judged: borne out if the whole interval lies beyond the limit, not if all of it lies on the other side.

    Attributes:
        decides: the number that decides, of what was found; None where there is none.
        limit: of it.
        above: whether the claim says that it is larger; else that it is smaller.
        exact: whether the number is no estimate: one image on which it lies beyond the limit decides.
    """

    decides: Callable[[Found], Measured | None]
    limit: float
    above: bool
    exact: bool = False


def verdict(name: str, found: Found) -> Verdict:
    """What the rule of a claim, of ``RULES``, makes of what its experiment found."""
    rule = RULES[name]
    measured = rule.decides(found)
    if measured is None:
        return Verdict(OPEN, None)
    least, most = (measured.low, measured.high) if rule.above else (-measured.high, -measured.low)
    limit = rule.limit if rule.above else -rule.limit
    return Verdict(YES if least > limit else NO if most < limit else OPEN, measured)


def _measured(name: str) -> Callable[[Found], Measured | None]:
    return lambda found: found.measured.get(name)


def _apart(found: Found) -> Measured:
    """The largest difference of any length: of all images, so that it has no interval."""
    largest = found.numbers["apart"]
    same = found.measured["same"]
    return Measured(largest, largest, largest, same.images, same.drawings)


# Of each of ``claims.CLAIMS``; what the numbers are is said by the texts lab.claim.NAME.decides.
RULES = {
    "fewAnswers": Rule(_measured("once"), 0.1, above=False),
    "polarises": Rule(_measured("fall"), 0, above=False),
    "signBlind": Rule(_apart, ROUNDING, above=False, exact=True),
    "twoAlike": Rule(_measured("pair"), 0.5, above=True),
    "absent": Rule(_measured("read"), 0.5, above=False),
    "refused": Rule(_measured("behind"), -0.05, above=True),
}
