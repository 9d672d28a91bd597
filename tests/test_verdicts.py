"""Whether a claim is borne out: by intervals and limits that are said, each side tried."""

import numpy as np
import pytest

from capsviz.figures.claims import verdict_words
from capsviz.measures.claims import CLAIMS, Found
from capsviz.measures.refusals import _again, refusals
from capsviz.measures.samples import Measured
from capsviz.measures.statistics import newcombe_paired
from capsviz.measures.verdicts import NO, OPEN, RULES, YES, verdict
from capsviz.models.rates import wilson
from capsviz.texts import languages, speaking

MEASURED = {"fewAnswers": "once", "polarises": "fall", "twoAlike": "pair", "absent": "read"}


def found(name: str, low: float, high: float) -> Found:
    """What decides a claim, between two ends; what does not, at 0.5."""
    other = Measured(0.5, 0.5, 0.5, 9, 9)
    names = ["once", "long", "wrongOnce", "wrong", "changed", "before", "after", "fall", "pair", "same"]
    measured = dict.fromkeys(names, other) | {MEASURED[name]: Measured((low + high) / 2, low, high, 9, 9)}
    return Found(measured, {"trained": 3, "most": 50})


def test_every_claim_has_a_rule() -> None:
    assert set(RULES) == set(CLAIMS)


@pytest.mark.parametrize(("name", "limit"), [("fewAnswers", 0.1), ("polarises", 0), ("absent", 0.5)])
def test_what_is_said_to_be_small_is_so_with_its_whole_interval(name: str, limit: float) -> None:
    assert verdict(name, found(name, limit - 0.09, limit - 0.01)).outcome == YES
    assert verdict(name, found(name, limit - 0.09, limit + 0.01)).outcome == OPEN
    assert verdict(name, found(name, limit - 0.01, 1)).outcome == OPEN
    assert verdict(name, found(name, limit + 0.01, 1)).outcome == NO


def test_what_is_said_of_most_is_so_with_its_whole_interval() -> None:
    name = "twoAlike"
    assert verdict(name, found(name, 0.51, 1)).outcome == YES
    assert verdict(name, found(name, 0.49, 1)).outcome == OPEN
    assert verdict(name, found(name, 0, 0.51)).outcome == OPEN
    assert verdict(name, found(name, 0, 0.49)).outcome == NO


def test_one_length_that_differs_refutes_blindness() -> None:
    same = Measured(1, 0.8, 1, 76, 19)
    outcome, measured = verdict("signBlind", Found({"same": same}, {"apart": 3e-7}))
    assert (outcome, measured) == (YES, Measured(3e-7, 3e-7, 3e-7, 76, 19))
    assert verdict("signBlind", Found({"same": same}, {"apart": 2e-5})).outcome == NO


def paired(both: int, first: int, second: int, neither: int) -> tuple[np.ndarray, np.ndarray]:
    counts = [both, first, second, neither]
    return np.repeat([True, True, False, False], counts), np.repeat([True, False, True, False], counts)


def test_a_paired_difference_has_newcombe_s_interval() -> None:
    """36, 12, 2 and 0 of 50: 0.20, 0.0569 to 0.3404 (Newcombe 1998, paired, method 10)."""
    one, other = paired(36, 12, 2, 0)
    assert newcombe_paired(one, other) == pytest.approx((0.0569, 0.3404), abs=1e-4)
    assert newcombe_paired(other, one) == pytest.approx((-0.3404, -0.0569), abs=1e-4)
    # Those that agree are correlated: by hand, 20 * 16 - 12 * 2 - 25 over the root of 32 * 18 * 22 * 28.
    low, high = newcombe_paired(*paired(20, 12, 2, 16))
    phi = 271 / (32 * 18 * 22 * 28) ** 0.5
    (l1, u1), (l2, u2) = wilson(32, 50), wilson(22, 50)
    a, b, c, d = 0.64 - l1, u2 - 0.44, u1 - 0.64, 0.44 - l2
    assert low == pytest.approx(0.2 - (a * a - 2 * phi * a * b + b * b) ** 0.5)
    assert high == pytest.approx(0.2 + (c * c - 2 * phi * c * d + d * d) ** 0.5)
    # Two that count everywhere: Wilson's of either, at one end.
    assert newcombe_paired(*paired(200, 0, 0, 0)) == pytest.approx((-0.0188, 0.0188), abs=1e-4)


def refuse(plain: np.ndarray, capsules: np.ndarray, true: np.ndarray | None = None) -> Measured | None:
    """What is behind, of signs with these errors and of pictures with errors up to 1, of one drawing in two."""
    true = np.linspace(0, 1, 40) if true is None else true
    errors = {"CNN": (true, plain), "capsules": (true, capsules)}
    drawings = [str(at // 2) for at in range(len(true))]
    return refusals(errors, drawings, ["CNN"], (0.0, 0.05), 1).behind


def test_networks_are_compared_on_the_same_signs_by_thresholds_that_are_uncertain() -> None:
    far = np.where(np.arange(200) < 150, 9.0, 0.0)  # refused, or not, whatever the threshold
    same = refuse(far, far)
    assert same is not None
    # 150 of 200, the same ones: the bootstrap has no spread, Newcombe's for pairs little; of independent ones it were 0.085.
    assert same[:3] == pytest.approx((0, *newcombe_paired(far > 1, far > 1)))
    assert same[2] < 0.05
    assert same[3:] == (200, 200)
    # Signs as far as the broadest pictures: their refusal hangs on which pictures the threshold is taken from.
    near = np.linspace(0.9, 1, 200)
    unsure = refuse(near, np.full(200, 9.0))
    sure = newcombe_paired(near > np.quantile(np.linspace(0, 1, 40), 0.95), np.ones(200, bool))
    assert unsure is not None
    assert unsure.value == pytest.approx(-0.5, abs=0.02)
    assert unsure.low < sure[0] - 0.1
    assert unsure.high > sure[1] + 0.1
    # A share has it as well.
    alone = refusals({"A": (np.linspace(0, 1, 40), near)}, [str(at // 2) for at in range(40)], [], (0.05,), 0)
    assert alone.behind is None
    assert alone.points["A"][0].high > wilson(100, 200)[1] + 0.1


def test_signs_are_drawn_anew_the_same_ones_for_all_networks() -> None:
    """Where thresholds are sure, a share of 60 of 200 varies by the root of 0.3 * 0.7 / 200."""
    true, there = np.zeros(40), (np.arange(200) < 60).astype(float)
    again = _again({"A": (true, there), "B": (true, there)}, [str(at) for at in range(40)], [0.95])
    assert again["A"].std() == pytest.approx((0.3 * 0.7 / 200) ** 0.5, rel=0.1)
    np.testing.assert_array_equal(again["A"], again["B"])


def test_the_best_of_each_kind_are_compared_and_none_alone() -> None:
    true, signs = np.zeros(20), np.arange(200)
    errors = {
        name: (true, (signs < count).astype(float))
        for name, count in (("CNN", 180), ("worse", 100), ("capsules", 184), ("others", 20))
    }
    drawings = [str(at) for at in range(20)]
    found = refusals(errors, drawings, ["CNN", "worse"], (0.05,), 0)
    assert found.behind is not None
    assert found.behind.value == pytest.approx(-0.02)
    assert [one[0].value for one in found.points.values()] == pytest.approx([0.9, 0.5, 0.92, 0.1])
    assert refusals(errors, drawings, [], (0.05,), 0).behind is None
    assert refusals(errors, drawings, list(errors), (0.05,), 0).behind is None


def refusing(value: float, half: float = 0.01) -> Found:
    numbers = {"alarms": 5.0, "others": 200, "size": 28}
    return Found({"behind": Measured(value, value - half, value + half, 200, 200)}, numbers)


def test_a_plain_network_refuses_as_well_up_to_five_points_less() -> None:
    assert verdict("refused", refusing(-0.03)).outcome == YES
    assert verdict("refused", refusing(-0.045)).outcome == OPEN
    assert verdict("refused", refusing(-0.07)).outcome == NO
    assert verdict("refused", refusing(0)._replace(measured={})) == (OPEN, None)


@pytest.mark.parametrize("code", languages())
def test_a_verdict_says_its_number_its_interval_and_its_rule(code: str) -> None:
    with speaking(code):
        said = {
            "polarises": verdict_words("polarises", found("polarises", -0.592, -0.572)),
            "signBlind": verdict_words("signBlind", Found({"same": Measured(1, 1, 1, 9, 9)}, {"apart": 0.0})),
            "refused": verdict_words("refused", refusing(-0.02, 0.014)),
            "alone": verdict_words("refused", refusing(0)._replace(measured={})),
        }
    assert [one[0] for one in said.values()] == [YES, YES, YES, OPEN]
    if code != "en":
        return
    assert said["polarises"][1:] == (
        "Borne out here",
        "Entropy of c after 50 iterations, less that after 3, of the most there can be: −58.2% (−59.2% to −57.2%). "
        "Borne out if all of the interval is below 0%, refuted if above.",
    )
    assert "0. Borne out below 0.00001" in said["signBlind"][2]
    assert "−2.0% (−3.4% to −0.6%)" in said["refused"][2]
    assert "above −5%" in said["refused"][2]
    assert "not of adversarial images as in the paper" in said["refused"][2]
    assert said["alone"][1] == "Nothing to compare"
    assert "28 × 28" in said["alone"][2]
