"""Self-attention routing: traces, experiments, and what the browser is sent, against the paper's equations in loops."""

import json
import math
from dataclasses import replace
from typing import Any

import attending
import numpy as np
import pytest
import torch
from reference import assert_one_sentence

from capsviz import figures
from capsviz.app import address
from capsviz.app.experiments import Weighting, weighting
from capsviz.errors import CapsvizError, MessageError
from capsviz.figures.attention import STEPS, attention_limits
from capsviz.networks.base import find
from capsviz.texts import texts
from capsviz.traces.attention import AttentionTrace
from capsviz.traces.surgery import WEIGHTINGS, reattend


@pytest.fixture(scope="module")
def trace() -> AttentionTrace:
    return attending.made_up()


def drawings(trace: AttentionTrace) -> np.ndarray:
    rng = np.random.default_rng(1)
    return rng.random((1, len(trace.classes), trace.shape.size, trace.shape.size))


# --- the trace ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["attention.mnist", "attention.letters"])
def test_what_a_network_traces_is_the_paper_s(name: str) -> None:
    spec = find(name)
    torch.manual_seed(8)
    network = spec.build(spec).eval()
    with torch.no_grad():
        network.capsules.W.mul_(16)  # votes large enough to tell classes apart
        network.capsules.prior.normal_(0, 0.2)
        trace = network.trace(torch.rand(28, 28), 1, spec.shape)
    made = attending.attend(trace.u_hat, trace.prior)
    assert made.c.max() > 2 / len(spec.shape.classes)
    for found, expected in (
        (trace.attention, made.attention),
        (trace.b[0], made.score),
        (trace.c[0], made.c),
        (trace.weight[0], made.weight),
        (trace.s[0], made.s),
        (trace.v[0], made.v),
    ):
        np.testing.assert_allclose(found, expected, atol=2e-5)
    np.testing.assert_allclose(trace.attention.sum(axis=2).T, trace.b[0], atol=2e-5)
    np.testing.assert_allclose(trace.share[0].sum(axis=0), np.linalg.norm(trace.s[0], axis=1), atol=2e-5)


def test_the_score_is_what_a_second_iteration_would_look_at(trace: AttentionTrace) -> None:
    """The bridge to Procedure 1: agreement with the sum of all votes, which its first iteration counts alike."""
    alike = trace.u_hat.sum(axis=0)
    for i in range(len(trace.u)):
        for j in range(len(trace.classes)):
            assert trace.b[0, i, j] == pytest.approx(trace.u_hat[i, j] @ alike[j] / 2, abs=1e-5)  # D = 4


def test_a_trace_of_attention_has_one_pass_and_a_prior_that_fits(trace: AttentionTrace) -> None:
    fields = {name: getattr(trace, name) for name in ("image", "features", "u", "u_hat", "shape", "prior")}
    routed = {name: getattr(trace, name) for name in ("b", "c", "s", "v")}
    with pytest.raises(ValueError, match="not in 2 iterations"):
        AttentionTrace(**fields, **{name: np.repeat(array, 2, 0) for name, array in routed.items()})
    with pytest.raises(ValueError, match="prior has the shape"):
        AttentionTrace(**{**fields, "prior": trace.prior.T}, **routed)
    for array in (trace.prior, trace.weight, trace.attention, trace.share):
        assert not array.flags.writeable


# --- experiments ----------------------------------------------------------------------------------------------

ASKED: dict[str, dict[str, Any]] = {
    "attention": {},
    "uniform": {"c": 1 / 3},
    "coupling": {"with_prior": False},
    "prior": {"with_c": False},
}


@pytest.mark.parametrize("silenced", [(), (0, 3), (0, 1, 2, 3, 4)])
@pytest.mark.parametrize("name", WEIGHTINGS)
def test_experiments_are_the_paper_s_pass_with_one_thing_changed(
    trace: AttentionTrace, name: str, silenced: tuple[int, ...]
) -> None:
    votes = np.array(trace.u_hat)
    votes[list(silenced)] = 0
    made = attending.attend(votes, trace.prior, **ASKED[name])
    found = reattend(trace.u_hat, trace.prior, name, silenced=np.isin(np.arange(5), silenced))
    for part in ("score", "c", "weight", "s", "v"):
        assert getattr(found, part).dtype == np.float32
        np.testing.assert_allclose(getattr(found, part), getattr(made, part), atol=1e-5, err_msg=part)
    np.testing.assert_allclose(found.lengths, np.linalg.norm(made.v, axis=1), atol=1e-5)


def test_without_an_experiment_it_is_the_trace(trace: AttentionTrace) -> None:
    before = trace.u_hat.copy()
    found = reattend(trace.u_hat, trace.prior)
    np.testing.assert_allclose(found.v, trace.v[0], atol=1e-6)
    np.testing.assert_array_equal(trace.u_hat, before)


@pytest.mark.parametrize(
    ("changed", "mentioned"),
    [
        ({"weighting": "telepathy"}, "telepathy"),
        ({"weighting": None}, "attention, uniform, coupling, prior"),
        ({"prior": np.zeros((3, 5))}, "5 x 3"),
        ({"prior": np.full((5, 3), np.nan)}, "finite"),
        ({"u_hat": np.zeros((5, 3))}, "Votes"),
        ({"silenced": [True]}, "each of the 5"),
    ],
)
def test_experiments_that_cannot_be_made_are_refused(
    trace: AttentionTrace, changed: dict[str, Any], mentioned: str
) -> None:
    with pytest.raises(CapsvizError) as caught:
        reattend(**{"u_hat": trace.u_hat, "prior": trace.prior, **changed})
    assert_one_sentence(caught.value, mentioned)


# --- what a browser asks for ----------------------------------------------------------------------------------


def test_an_experiment_on_attention_is_what_was_asked_for() -> None:
    sent = {"number": 4.0, "coupling": "prior", "capsules": [15, 0.0, 15], "iterations": 3, "seed": "x"}
    assert weighting(sent, 16) == Weighting(4, "prior", (0, 15))
    assert weighting({}, 16) == Weighting(0, "attention", ())
    assert [weighting({"coupling": name}, 16).coupling for name in WEIGHTINGS] == list(WEIGHTINGS)


@pytest.mark.parametrize(
    ("sent", "mentioned"),
    [
        (None, "load the page again"),
        ([], "load the page again"),
        ({"coupling": "children"}, "children"),
        ({"coupling": None}, "something else"),
        ({"coupling": "<b>"}, "?b?"),
        ({"capsules": [16]}, "from 0 to 15"),
        ({"capsules": [-1]}, "from 0 to 15"),
        ({"capsules": [0.5]}, "from 0 to 15"),
        ({"capsules": [True]}, "from 0 to 15"),
        ({"capsules": "all"}, "at most 16"),
        ({"capsules": {"0": 1}}, "at most 16"),
        ({"capsules": [0] * 17}, "at most 16"),
        ({"number": math.inf}, "number of the request"),
        ({"number": 2**31}, "number of the request"),
    ],
)
def test_other_experiments_on_attention_are_refused(sent: object, mentioned: str) -> None:
    with pytest.raises(MessageError) as caught:
        weighting(sent, 16)
    assert_one_sentence(caught.value, mentioned)


def test_a_link_may_ask_for_each_line_of_the_algorithm() -> None:
    link = address.for_script("routing", find("attention.mnist").shape, 1)
    assert link == {
        **{"digit": (0, 9), "capsule": (0, 15), "other": (0, 15), "step": (0, len(STEPS) - 1)},
        **{"scale": ("weight", "c", "score", "share"), "contrast": (0, 16)},
    }


# --- what the browser is sent ---------------------------------------------------------------------------------


def unpacked(payload: bytes) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    length = int.from_bytes(payload[:4], "little")
    header = json.loads(payload[4 : 4 + length])
    arrays = {}
    for name, entry in header["arrays"].items():
        kind = np.dtype(entry["type"])
        count = int(np.prod(entry["shape"]))
        arrays[name] = np.frombuffer(payload, kind, count, 4 + length + entry["offset"]).reshape(
            entry["shape"]
        )
    return header, arrays


def test_the_payload_is_the_trace(trace: AttentionTrace) -> None:
    drawn = drawings(trace)
    header, arrays = unpacked(figures.attention_payload(trace, drawn, link={"digit": (0, 2)}))
    one_pass = {
        "score": trace.b,
        "c": trace.c,
        "weight": trace.weight,
        "share": trace.share,
        "s": trace.s,
        "v": trace.v,
    }
    whole = {name: getattr(trace, name) for name in ("image", "u", "u_hat", "prior", "attention")}
    for name, expected in {**whole, **{name: array[0] for name, array in one_pass.items()}}.items():
        np.testing.assert_array_equal(arrays[name], expected)
    np.testing.assert_array_equal(arrays["drawings"], np.rint(255 * drawn[0]))
    assert (header["primary"], header["digits"], header["pose"]) == (5, 3, 4)
    order = sorted(range(3), key=lambda j: -trace.lengths[0, j])
    assert [header["prediction"], header["runnerUp"]] == order[:2]
    assert header["link"] == {"digit": [0, 2]}
    assert {name.partition(".")[0] for name in header["texts"]["texts"]} == {"common", "attention", "address"}
    for step in header["steps"]:
        assert {f"attention.steps.{step}{end}" for end in ("", "Tip", "Says")} <= header["texts"][
            "texts"
        ].keys()
    # The axes are orthonormal, and keep as much of the votes' spread as is said.
    for j, axes in enumerate(arrays["axes"]):
        np.testing.assert_allclose(axes @ axes.T, np.eye(2), atol=1e-5)
        votes = trace.u_hat[:, j] - trace.u_hat[:, j].mean(axis=0)
        assert header["kept"][j] == pytest.approx(
            (votes @ axes.T).var(0).sum() / votes.var(0).sum(), abs=1e-5
        )


def test_scales_reach_as_far_as_any_class_does(trace: AttentionTrace) -> None:
    limits = attention_limits(trace)
    flat = {
        "votes": trace.u_hat.ravel(),
        "attention": trace.attention.ravel(),
        "score": trace.b.ravel(),
        "c": [c - 1 / 3 for c in trace.c.ravel()],
        "prior": trace.prior.ravel(),
        "weight": (trace.c + trace.prior).ravel(),
        "share": trace.share.ravel(),
    }
    assert limits.keys() == flat.keys()
    for name, values in flat.items():
        assert limits[name] == pytest.approx(max(abs(value) for value in values), rel=1e-5), name
    nothing = replace(trace, prior=np.zeros((5, 3)))
    assert attention_limits(nothing)["prior"] == 0.001


def test_the_surgery_payload_compares_before_and_after(trace: AttentionTrace) -> None:
    after = reattend(trace.u_hat, trace.prior, "prior", silenced=np.arange(5) == 2)
    size = trace.shape.size
    before, redrawn = np.full((size, size), 0.2), np.full((size, size), 0.6)
    data = json.loads(json.dumps(figures.attention_surgery_payload(trace, before, after, redrawn)))
    np.testing.assert_allclose(data["before"]["lengths"], trace.lengths[0])
    np.testing.assert_allclose(data["after"]["lengths"], np.linalg.norm(after.v, axis=1), rtol=1e-6)
    assert data["before"]["digit"] == trace.prediction
    assert data["after"]["digit"] == int(np.argmax(data["after"]["lengths"]))
    assert (data["before"]["drawing"][0], data["after"]["drawing"][0]) == (51, 153)
    np.testing.assert_allclose(data["capsules"], trace.share[0, :, trace.prediction])
    sums = trace.prior.sum(axis=1)
    np.testing.assert_allclose(data["rowSums"], [sums.min(), sums.max()], rtol=1e-5)
    assert all(
        f"attention.surgery.{name}{end}" in data["texts"]["texts"]
        for name in WEIGHTINGS
        for end in ("", "What")
    )


def test_a_page_of_its_own_is_of_the_trace_s_kind(trace: AttentionTrace) -> None:
    page = figures.routing_html(trace, drawings(trace), title="A & B")
    assert "<title>A &amp; B</title>" in page
    assert "$attention.default(" in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    other = replace(trace, shape=replace(trace.shape, routing="em"))
    with pytest.raises(ValueError, match="no view of em routing: only of dynamic, attention"):
        figures.routing_html(other, drawings(trace))


def test_columns_and_classes_have_their_words() -> None:
    known = texts("en")
    assert {
        f"attention.column.{name}" for name in ("u", "score", "c", "prior", "weight", "share")
    } <= known.keys()
    assert "routing.unseen" in known
