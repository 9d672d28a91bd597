"""What routing costs: the arithmetic against the paper's figures and counted products, and what is measured of tensors."""

import platform
import threading
from pathlib import Path

import numpy as np
import pytest
import torch

from capsviz.app import work
from capsviz.figures import chart_table
from capsviz.figures.price import expected, price_figure
from capsviz.measures import price as measured
from capsviz.measures.price import AXES, PAPER, Cost, Sizes, bytes_made, cost, points, price
from capsviz.models.size import sizes
from capsviz.networks.base import find


def test_the_paper_s_layer_has_its_published_sizes() -> None:
    assert Sizes(3, 1152, 10, 16) == PAPER
    assert PAPER.weights == 1_474_560
    assert PAPER.votes == 1152 * 10 * 16 == 184_320
    assert PAPER.bytes == 4 * (184_320 + 2 * 11_520)


def test_multiply_adds_are_those_that_are_counted_on_the_network_itself() -> None:
    # ``models.size`` counts the products that PyTorch computes.
    assert PAPER.multiply_adds == sizes(find("dynamic.mnist"))["digits"].multiply_adds
    # By hand: 2 capsules, 3 classes, 4 components: 192 weights; 24 votes, in 2 sums and 1 agreement.
    assert Sizes(2, 2, 3, 4).multiply_adds == 192 + 3 * 24


def test_every_axis_changes_one_size_and_has_the_paper_s() -> None:
    for axis, layer in points():
        others = [name for name in AXES if name != axis]
        assert all(getattr(layer, name) == getattr(PAPER, name) for name in others)
    for axis, values in AXES.items():
        assert getattr(PAPER, axis) in values
        assert list(values) == sorted(set(values))


@pytest.mark.parametrize(
    "wrong", [{"iterations": 0}, {"classes": -1}, {"primary": 10**7}, {"iterations": 101}]
)
def test_a_layer_out_of_bounds_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="no layer"):
        Sizes(**wrong)


def test_bytes_are_those_of_new_tensors_and_not_of_views() -> None:
    a = torch.zeros(5, 4)

    def compute() -> None:
        b = a + 1  # 80 bytes
        b.t()[0].add_(1)  # views, in place: nothing new
        torch.cat([b, b]).double()  # 160, and 320

    assert bytes_made(compute) == 80 + 160 + 320


def test_a_layer_makes_its_votes_at_least_once_and_more_with_more_iterations() -> None:
    one, two = (cost(Sizes(iterations, 6, 4, 3), repeats=3) for iterations in (1, 2))
    assert one.repeats == 3
    assert 0 < one.low <= one.seconds <= one.high
    assert one.made > one.sizes.bytes
    # A second iteration: agreement [J, I, 1] and its sum with b, c, s, and what squash makes of [J, D] and [J, 1].
    assert two.made - one.made > 4 * 3 * 24
    again = cost(Sizes(1, 6, 4, 3), repeats=3)
    assert again.made == one.made


def test_the_spread_is_that_of_the_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measured, "_times", lambda *given: [0.01 * k for k in range(1, 12)])
    found = cost(Sizes(1, 6, 4, 3))
    assert (found.low, found.seconds, found.high) == pytest.approx((0.02, 0.06, 0.1))


def test_the_machine_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    given = tmp_path / "cpuinfo"
    given.write_text("processor : 0\nmodel name\t: A Chip: 3 GHz\nmodel name\t: Another\n")
    monkeypatch.setattr(measured, "CPUINFO", given)
    measured.machine.cache_clear()
    assert measured.machine() == f"A Chip: 3 GHz, PyTorch {torch.__version__}"
    given.unlink()
    measured.machine.cache_clear()
    assert measured.machine() == f"{platform.machine()}, PyTorch {torch.__version__}"
    measured.machine.cache_clear()


def test_all_points_are_measured_once_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Sizes] = []

    def fake(layer: Sizes) -> Cost:
        asked.append(layer)
        assert torch.get_num_threads() == 1
        return Cost(layer, 0.001, 7, 3, 0.001, 0.002)

    monkeypatch.setattr(measured, "cost", fake)
    threads, shares = torch.get_num_threads(), []
    found = price(shares.append)
    assert torch.get_num_threads() == threads
    assert sorted(found) == sorted(AXES)
    assert [one.sizes.pose for one in found["pose"]] == list(AXES["pose"])
    assert len(asked) == len(set(asked)) == sum(map(len, AXES.values())) - len(AXES) + 1
    assert shares[0] == 0
    assert shares == sorted(shares)
    assert shares[-1] < 1


COSTS = [
    Cost(Sizes(primary=576), 0.004, 900_000, 25, 0.003, 0.007),
    Cost(PAPER, 0.006, 2_000_000, 25, 0.005, 0.009),
    Cost(Sizes(primary=2304), 0.020, 4_000_000, 25, 0.019, 0.03),
]


def test_time_is_drawn_against_multiply_adds_at_the_paper_s_pace() -> None:
    np.testing.assert_allclose(expected(COSTS, 1, "time"), [3, 6, 12])
    np.testing.assert_allclose(expected(COSTS, 1, "memory"), [0.41472, 0.82944, 1.65888])
    figure = price_figure("primary", COSTS, "time")
    arithmetic, points_, paper = figure.data
    np.testing.assert_allclose(points_.y, [4, 6, 20])
    np.testing.assert_allclose(arithmetic.y, [3, 6, 12])
    assert (list(paper.x), list(paper.y)) == ([1152], [6])
    assert figure.layout.xaxis.type == figure.layout.yaxis.type == "log"
    np.testing.assert_allclose(price_figure("primary", COSTS, "memory").data[1].y, [0.9, 2, 4])
    # What the passes lay between, from their 10th to their 90th percentile; tensors are counted.
    np.testing.assert_allclose(points_.error_y.array, [3, 3, 10])
    np.testing.assert_allclose(points_.error_y.arrayminus, [1, 1, 1])
    assert price_figure("primary", COSTS, "memory").data[1].error_y.array is None
    assert figure.layout.xaxis.title.text == "primary capsules I (logarithmic)"
    assert figure.layout.yaxis.title.text == "time, ms an image<br>(logarithmic)"
    named = dict(zip(figure.layout.yaxis.ticktext, figure.layout.yaxis.tickvals, strict=True))
    assert [named[text] for text in ("2", "5", "10")] == pytest.approx([2, 5, 10])
    table = chart_table(figure, "time")
    assert "measured: median, 10% to 90% of passes" in table
    assert "arithmetic: multiply-adds" in table
    assert '<th scope="col">p10 to p90 of the passes</th>' in table
    assert "interval" not in table


def test_iterations_stand_on_plain_axes() -> None:
    costs = [Cost(Sizes(iterations=r), 0.001 * r, 10, 3, 0.0, 0.02) for r in (1, 3, 10)]
    figure = price_figure("iterations", costs, "time")
    assert figure.layout.xaxis.type != "log"
    assert figure.layout.yaxis.title.text == "time, ms an image"


# --- one at a time --------------------------------------------------------------------------------------


def test_one_measurement_runs_at_a_time_and_can_be_stopped() -> None:
    entered, go_on, found = threading.Event(), threading.Event(), []

    def compute(told: work.Told) -> None:
        told(0.25)
        entered.set()
        go_on.wait(10)
        told(0.5)
        found.append(1)

    first = work.begin("first", compute)
    assert first is not None
    entered.wait(10)
    assert work.running() is first
    assert first.share == 0.25
    assert work.begin("second", lambda told: None) is None
    first.stop()
    go_on.set()
    first.wait(10)
    assert (first.running, first.error, found, first.share) == (False, None, [], 0.25)
    assert work.running() is None

    failing = work.begin("third", lambda told: told(1 / 0))
    assert failing is not None
    failing.wait(10)
    assert isinstance(failing.error, ZeroDivisionError)
    assert work.running() is None
