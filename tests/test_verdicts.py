"""Whether a claim is borne out: by intervals and limits that are said, each side tried."""

import pytest

from capsviz.figures.claims import verdict_words
from capsviz.measures.claims import CLAIMS, Found
from capsviz.measures.samples import Measured
from capsviz.measures.verdicts import NO, OPEN, RULES, YES, difference, verdict
from capsviz.models.rates import wilson
from capsviz.texts import languages, speaking

MEASURED = {"fewAnswers": "once", "polarises": "after", "twoAlike": "pair", "absent": "drawn"}


def found(name: str, low: float, high: float) -> Found:
    """What decides a claim, between two ends; what does not, at 0.5."""
    other = Measured(0.5, 0.5, 0.5, 9)
    names = ["once", "long", "wrongOnce", "wrong", "changed", "before", "after", "pair", "drawn", "same"]
    measured = dict.fromkeys(names, other) | {MEASURED[name]: Measured((low + high) / 2, low, high, 9)}
    return Found(measured, {"trained": 3, "most": 50})


def test_every_claim_has_a_rule() -> None:
    assert set(RULES) == set(CLAIMS)


@pytest.mark.parametrize(("name", "limit"), [("fewAnswers", 0.1), ("polarises", 0.5)])
def test_what_is_said_to_be_small_is_so_with_its_whole_interval(name: str, limit: float) -> None:
    assert verdict(name, found(name, 0, limit - 0.01)).outcome == YES
    assert verdict(name, found(name, 0, limit + 0.01)).outcome == OPEN
    assert verdict(name, found(name, limit - 0.01, 1)).outcome == OPEN
    assert verdict(name, found(name, limit + 0.01, 1)).outcome == NO


@pytest.mark.parametrize("name", ["twoAlike", "absent"])
def test_what_is_said_of_most_is_so_with_its_whole_interval(name: str) -> None:
    assert verdict(name, found(name, 0.51, 1)).outcome == YES
    assert verdict(name, found(name, 0.49, 1)).outcome == OPEN
    assert verdict(name, found(name, 0, 0.51)).outcome == OPEN
    assert verdict(name, found(name, 0, 0.49)).outcome == NO


def test_one_length_that_differs_refutes_blindness() -> None:
    same = Measured(1, 0.8, 1, 76)
    outcome, measured = verdict("signBlind", Found({"same": same}, {"apart": 3e-7}))
    assert (outcome, measured) == (YES, Measured(3e-7, 3e-7, 3e-7, 76))
    assert verdict("signBlind", Found({"same": same}, {"apart": 2e-5})).outcome == NO


def test_a_difference_has_newcombe_s_interval() -> None:
    """56 of 70 less 48 of 80: 0.20, 0.0524 to 0.3339 (Newcombe 1998, Table II, method 10)."""
    shares = [Measured(k / n, *wilson(k, n), n) for k, n in ((56, 70), (48, 80))]
    apart = difference(*shares)
    assert apart[:3] == pytest.approx((0.2, 0.0524, 0.3339), abs=1e-4)
    assert apart.images == 70
    back = difference(*shares[::-1])
    assert back[:3] == pytest.approx((-0.2, -0.3339, -0.0524), abs=1e-4)


def refusing(plain: float, *capsules: float, half: float = 0.01) -> Found:
    networks = {"CNN": plain, **{f"capsules {at}": value for at, value in enumerate(capsules)}}
    measured = {name: Measured(at, at - half, at + half, 200) for name, at in networks.items()}
    return Found({}, {"alarms": 5.0, "others": 200}, measured, plain=["CNN"])


def test_a_plain_network_refuses_as_well_as_the_best_with_capsules() -> None:
    outcome, measured = verdict("refused", refusing(0.9, 0.5, 0.92))
    assert outcome == YES
    assert measured is not None
    assert measured.value == pytest.approx(-0.02)  # the better of the two
    assert verdict("refused", refusing(0.9, 0.95)).outcome == OPEN
    assert verdict("refused", refusing(0.9, 0.97)).outcome == NO
    assert verdict("refused", refusing(0.9, 0.92, half=0.1)).outcome == OPEN
    assert verdict("refused", refusing(0.9)) == (OPEN, None)
    assert verdict("refused", refusing(0.9)._replace(plain=())) == (OPEN, None)


@pytest.mark.parametrize("code", languages())
def test_a_verdict_says_its_number_its_interval_and_its_rule(code: str) -> None:
    with speaking(code):
        said = {
            "polarises": verdict_words("polarises", found("polarises", 0.408, 0.428)),
            "signBlind": verdict_words("signBlind", Found({"same": Measured(1, 1, 1, 9)}, {"apart": 0.0})),
            "refused": verdict_words("refused", refusing(0.9, 0.92)),
            "alone": verdict_words("refused", refusing(0.9)),
        }
    assert [one[0] for one in said.values()] == [YES, YES, YES, OPEN]
    if code != "en":
        return
    assert said["polarises"][1:] == (
        "Borne out here",
        "Entropy of c after 50 iterations, of the most there can be: 41.8% (40.8% to 42.8%). "
        "Borne out if all of the interval is below 50%, refuted if all of it is above.",
    )
    assert "0. Borne out below 0.00001" in said["signBlind"][2]
    assert "−2.0% (−3.4% to −0.6%)" in said["refused"][2]
    assert "above −5%" in said["refused"][2]
    assert said["alone"][1].startswith("Nothing to compare")
