"""The Routing page's figures: what is packed for the browser is what the trace holds, seen through loops."""

import base64
import itertools
import json
import math
import re
import struct
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest
import reference
import torch

from capsviz import figures
from capsviz.figures import routing_html, theme
from capsviz.figures.packing import pack
from capsviz.figures.routing import (
    SCALES,
    Frame,
    routing_frames,
    routing_payload,
    scale_limits,
    scale_values,
    strongest_links,
    transforms_payload,
    vote_cloud,
)
from capsviz.figures.surgery import surgery_payload
from capsviz.models.model import Model
from capsviz.traces.base import CapsuleGrid, Shape
from capsviz.traces.routing import RoutingTrace
from capsviz.traces.surgery import Routing

TYPES, PLACES, DIGITS, D = 2, 36, 10, 16
PRIMARY = TYPES * PLACES
LEVELS = ("capsule", "place", "type")


def shape_of(u_hat: np.ndarray) -> Shape:
    """As the paper's, with as many types as the votes make, and as many digits."""
    types, digits = u_hat.shape[0] // PLACES, u_hat.shape[1]
    return Shape(
        size=28,
        classes=tuple("0123456789"[:digits]),
        kind="digit",
        grid=CapsuleGrid(types=types, rows=6, columns=6, field=17, stride=2),
        components=8,
        pose=D,
        routing="dynamic",
        trained=3,
    )


def votes(seed: int = 0) -> np.ndarray:
    """û [72, 10, 16]: noise, on which digit 3 and then digit 8 find most agreement."""
    rng = np.random.default_rng(seed)
    u_hat = rng.normal(0, 0.15, (PRIMARY, DIGITS, D))
    u_hat[:, 3] += rng.normal(0, 0.12, D)
    u_hat[:40, 8] += rng.normal(0, 0.15, D)
    return u_hat.astype(np.float32)


def routed(u_hat: np.ndarray, iterations: int, **arrays: Any) -> RoutingTrace:
    """The trace of votes, by the slow routing; ``arrays`` instead of its own."""
    steps = reference.routing(u_hat, iterations)
    rng = np.random.default_rng(9)
    own = {
        "image": rng.random((28, 28)),
        "features": np.zeros((256, 20, 20)),
        "u": rng.normal(0, 0.1, (len(u_hat), 8)),
        "u_hat": u_hat,
        **{name: np.stack([getattr(step, name) for step in steps]) for name in "bcsv"},
        "shape": shape_of(u_hat),
    }
    return RoutingTrace(**{**own, **arrays})


@pytest.fixture(scope="module")
def trace() -> RoutingTrace:
    """72 primary capsules (2 types), 3 iterations."""
    return routed(votes(), 3)


@pytest.fixture(scope="module")
def uniform() -> RoutingTrace:
    """Nothing votes for anything: every coupling stays at 1/10."""
    return routed(np.zeros((PRIMARY, DIGITS, D)), 2)


@pytest.fixture(scope="module")
def drawings() -> np.ndarray:
    return np.random.default_rng(5).random((3, DIGITS, 28, 28)).astype(np.float32)


def slow_share(trace: RoutingTrace) -> np.ndarray:
    """[R, I, J] c û . s / |s|: what a vote adds to the length of s."""
    shares = np.zeros(trace.c.shape)
    for r, i, j in np.ndindex(*trace.c.shape):
        s = trace.s[r, j].astype(float)
        length = math.sqrt(sum(s**2))
        if length > 0:
            shares[r, i, j] = trace.c[r, i, j] * (trace.u_hat[i, j].astype(float) @ s) / length
    return shares


def slow_scale(trace: RoutingTrace, scale: str, level: str) -> np.ndarray:
    """Scale values with one loop for every index."""
    values = slow_share(trace) if scale == "share" else trace.c.astype(float)
    if level != "capsule":
        count = PLACES if level == "place" else TYPES
        members = TYPES if level == "place" else PLACES
        grouped = np.zeros((trace.iterations, count, DIGITS))
        for r, kind, place, j in np.ndindex(trace.iterations, TYPES, PLACES, DIGITS):
            value = values[r, kind * PLACES + place, j]
            group = place if level == "place" else kind
            grouped[r, group, j] += value if scale == "share" else value / members
        values = grouped
    shown = np.zeros(values.shape)
    for r, i, j in np.ndindex(*values.shape):
        value = values[r, i, j]
        match scale:
            case "c":
                shown[r, i, j] = math.log2(value / 0.1)
            case "uniform":
                shown[r, i, j] = value - 0.1
            case "last":
                shown[r, i, j] = value - values[r - 1, i, j] if r > 0 else 0
            case "share":
                shown[r, i, j] = value
    return shown


# The clock


def test_the_eight_frames_of_two_iterations_by_hand() -> None:
    assert routing_frames(2) == [
        # softmax reads b[0] and makes c[0]; there is no s and v yet
        Frame(iteration=0, step=0, c=0, s=-1, v=-1),
        Frame(iteration=0, step=1, c=0, s=0, v=-1),
        Frame(iteration=0, step=2, c=0, s=0, v=0),
        Frame(iteration=0, step=3, c=0, s=0, v=0),
        # c is new; s and v are still those of the iteration before
        Frame(iteration=1, step=0, c=1, s=0, v=0),
        Frame(iteration=1, step=1, c=1, s=1, v=0),
        Frame(iteration=1, step=2, c=1, s=1, v=1),
        Frame(iteration=1, step=3, c=1, s=1, v=1),
    ]


@pytest.mark.parametrize("iterations", [1, 3, 10])
def test_there_is_a_frame_for_each_step_of_each_iteration(iterations: int) -> None:
    frames = routing_frames(iterations)
    assert len(frames) == 4 * iterations
    assert [(frame.iteration, frame.step) for frame in frames] == list(
        itertools.product(range(iterations), range(4))
    )
    assert frames[-1] == (iterations - 1, 3, iterations - 1, iterations - 1, iterations - 1)


# Scales


def test_scales_of_known_couplings_by_hand(uniform: RoutingTrace) -> None:
    c = np.full((2, PRIMARY, DIGITS), 0.1)
    c[1, 40] = 0.75 / 8
    c[1, 40, :2] = [0.2, 0.05]
    trace = replace(uniform, c=c)

    octaves = scale_values(trace, "c")
    assert octaves.shape == (2, PRIMARY, DIGITS)
    np.testing.assert_allclose(octaves[1, 40, :3], [1, -1, math.log2(0.9375)], atol=1e-6)
    np.testing.assert_allclose(scale_values(trace, "uniform")[1, 40, :3], [0.1, -0.05, -0.00625], atol=1e-7)
    np.testing.assert_allclose(scale_values(trace, "last")[1, 40, :3], [0.1, -0.05, -0.00625], atol=1e-7)

    # Capsule 40 is at place 4, with one other there; and of type 1, with 35 others.
    for level, group, share in (("place", 4, 1 / 2), ("type", 1, 1 / 36)):
        octaves = scale_values(trace, "c", level)
        assert octaves.shape == (2, {"place": PLACES, "type": TYPES}[level], DIGITS)
        mean = 0.1 + share * np.array([0.1, -0.05])
        np.testing.assert_allclose(octaves[1, group, :2], np.log2(mean * 10), atol=1e-6)
        for scale in ("uniform", "last"):
            np.testing.assert_allclose(scale_values(trace, scale, level)[1, group, :2], mean - 0.1, atol=1e-7)
            others = np.delete(scale_values(trace, scale, level), group, axis=1)
            np.testing.assert_allclose(others, 0, atol=1e-7)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("scale", SCALES)
def test_scales_equal_loops(trace: RoutingTrace, scale: str, level: str) -> None:
    expected = slow_scale(trace, scale, level)
    assert np.abs(expected).max() > 0.002  # there is something to be compared
    np.testing.assert_allclose(scale_values(trace, scale, level), expected, atol=1e-5)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("scale", SCALES)
def test_every_scale_is_neutral_where_coupling_is_uniform(
    uniform: RoutingTrace, scale: str, level: str
) -> None:
    np.testing.assert_allclose(scale_values(uniform, scale, level), 0, atol=1e-6)


@pytest.mark.parametrize("level", LEVELS)
def test_nothing_has_changed_at_the_first_iteration(trace: RoutingTrace, level: str) -> None:
    # Even where it does not begin uniform.
    shifted = replace(trace, c=trace.c[::-1])
    for some in (trace, shifted):
        changes = scale_values(some, "last", level)
        assert not changes[0].any()
        assert changes[1].any()


@pytest.mark.parametrize("level", LEVELS)
def test_shares_sum_to_the_length_of_s(trace: RoutingTrace, level: str) -> None:
    lengths = [[math.sqrt(sum(s.astype(float) ** 2)) for s in row] for row in trace.s]
    np.testing.assert_allclose(scale_values(trace, "share", level).sum(axis=1), lengths, atol=1e-5)


def test_a_coupling_of_zero_is_finite(uniform: RoutingTrace) -> None:
    c = np.zeros((2, PRIMARY, DIGITS))
    c[..., 0] = 1
    octaves = scale_values(replace(uniform, c=c), "c")
    assert np.isfinite(octaves).all()
    np.testing.assert_allclose(octaves[..., 0], math.log2(10), atol=1e-6)
    assert octaves[..., 1:].max() < -100


def test_an_unknown_scale_is_refused(trace: RoutingTrace) -> None:
    with pytest.raises(ValueError, match="there is no scale 'entropy'") as caught:
        scale_values(trace, "entropy")
    reference.assert_one_sentence(caught.value, *SCALES)


@pytest.mark.parametrize("scale", SCALES)
def test_scales_end_where_places_and_types_of_all_iterations_do(trace: RoutingTrace, scale: str) -> None:
    limits = scale_limits(trace)
    assert set(limits) == set(SCALES)
    assert set(limits[scale]) == set(LEVELS)
    for level in ("place", "type"):
        largest = max(abs(value) for value in slow_scale(trace, scale, level).flat)
        assert limits[scale][level] == pytest.approx(largest, abs=1e-6)


@pytest.mark.parametrize("scale", SCALES)
def test_all_but_a_thousandth_of_the_capsules_are_within_the_scale(trace: RoutingTrace, scale: str) -> None:
    sizes = sorted((abs(value) for value in slow_scale(trace, scale, "capsule").flat), reverse=True)
    assert len(sizes) == 3 * PRIMARY * DIGITS  # of 2160, a thousandth is two, or three
    limit = scale_limits(trace)[scale]["capsule"]
    assert sizes[3] <= limit * (1 + 1e-5)
    assert limit <= sizes[1]


def test_scales_do_not_depend_on_the_iteration(trace: RoutingTrace) -> None:
    """Shown in whatever order, the iterations have the same scale; and a quiet one does not narrow it."""
    limits = scale_limits(trace)
    backwards = scale_limits(
        replace(trace, **{name: getattr(trace, name)[::-1] for name in ("b", "c", "s", "v")})
    )
    for scale in ("c", "uniform", "share"):  # "last" does not run backwards
        assert backwards[scale] == pytest.approx(limits[scale], rel=1e-6)
    only_last = scale_limits(replace(trace, **{name: getattr(trace, name)[-1:] for name in "bcsv"}))
    assert only_last["c"]["place"] <= limits["c"]["place"]


def test_a_scale_has_two_ends_even_where_nothing_differs(uniform: RoutingTrace) -> None:
    """The ends as the legend writes them differ: 0.1 / 2**0.02 = 0.0986, 0.1 * 2**0.02 = 0.1014; -0.001 and 0.001."""
    once = replace(uniform, **{name: getattr(uniform, name)[:1] for name in "bcsv"})
    for some in (uniform, once):
        for scale, level in itertools.product(SCALES, LEVELS):
            assert scale_limits(some)[scale][level] == (0.02 if scale == "c" else 0.001)
    assert [f"{0.1 * 2**end:.3f}" for end in (-0.02, 0, 0.02)] == ["0.099", "0.100", "0.101"]


def test_what_rounding_leaves_of_one_iteration_is_not_seen(uniform: RoutingTrace) -> None:
    """Off by two units in the last place of single precision, at 16 times the contrast: a hundredth of full colour."""
    once = replace(uniform, **{name: getattr(uniform, name)[:1] for name in "bcsv"})
    noise = np.where(np.arange(once.c.size).reshape(once.c.shape) % 3, 1, 1 - 2.4e-7).astype(np.float32)
    noisy = replace(once, c=once.c * noise)
    assert noisy.c.min() < once.c.min()
    for scale, level in itertools.product(("c", "uniform", "last"), LEVELS):
        seen = np.abs(scale_values(noisy, scale, level)).max() / scale_limits(noisy)[scale][level]
        assert 16 * seen < 0.01


# The cloud of votes


@pytest.mark.parametrize("digit", [0, 3, 8])
def test_votes_are_projected_on_two_orthonormal_axes(trace: RoutingTrace, digit: int) -> None:
    cloud = vote_cloud(trace, digit)
    assert cloud.axes.shape == (2, D)
    np.testing.assert_allclose(cloud.axes @ cloud.axes.T, np.eye(2), atol=1e-12)
    for vectors, points in (
        (trace.u_hat[:, digit], cloud.votes),
        (trace.s[:, digit], cloud.s),
        (trace.v[:, digit], cloud.v),
    ):
        assert points.shape == (len(vectors), 2)
        for vector, point in zip(vectors, points, strict=True):
            for axis in range(2):
                x = sum(float(vector[d]) * cloud.axes[axis, d] for d in range(D))
                assert point[axis] == pytest.approx(x, abs=1e-6)


@pytest.mark.parametrize("digit", [0, 3, 8])
def test_axes_are_the_principal_ones_of_the_centred_votes(trace: RoutingTrace, digit: int) -> None:
    centred = trace.u_hat[:, digit].astype(float)
    centred = centred - centred.mean(axis=0)
    _, sizes, directions = np.linalg.svd(centred)
    cloud = vote_cloud(trace, digit)
    assert cloud.kept == pytest.approx((sizes[:2] ** 2).sum() / (sizes**2).sum(), abs=1e-9)
    np.testing.assert_allclose(np.abs((cloud.axes * directions[:2]).sum(axis=1)), 1, atol=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_v_points_to_the_right_and_up(seed: int) -> None:
    trace = routed(votes(seed), 2)
    for digit in range(DIGITS):
        assert (vote_cloud(trace, digit).v[-1] > 0).all()


def test_votes_in_a_plane_lose_nothing() -> None:
    """Ellipses in the plane of components 4 and 9, far from the origin in the plane and out of it."""
    angles = np.linspace(0, 2 * np.pi, PRIMARY, endpoint=False)
    u_hat = np.zeros((PRIMARY, DIGITS, D))
    u_hat[..., 4] = 5 + 3 * np.cos(angles)[:, None]
    u_hat[..., 9] = 2 + np.sin(angles)[:, None]
    u_hat[..., 0] = -7
    cloud = vote_cloud(routed(u_hat, 1), 6)
    assert cloud.kept == pytest.approx(1, abs=1e-9)
    # Widest along component 4, then 9; s is the mean of the votes here, so v points along + and +.
    np.testing.assert_allclose(cloud.axes, np.eye(D)[[4, 9]], atol=1e-6)
    np.testing.assert_allclose(cloud.votes, u_hat[:, 6][:, [4, 9]], atol=1e-5)


def test_the_origin_of_the_picture_is_that_of_pose_space() -> None:
    u_hat = votes()
    u_hat[:, 2] += 3
    u_hat[11, 2] = 0
    cloud = vote_cloud(routed(u_hat, 1), 2)
    np.testing.assert_array_equal(cloud.votes[11], [0, 0])
    assert np.linalg.norm(cloud.votes.mean(axis=0)) > 1


def test_axes_do_not_turn_from_one_iteration_to_the_next() -> None:
    axes = [vote_cloud(routed(votes(), iterations), 3).axes for iterations in (1, 2, 5)]
    for later in axes[1:]:
        np.testing.assert_allclose(later, axes[0], atol=1e-12)


def test_a_cloud_without_votes_is_finite(uniform: RoutingTrace) -> None:
    cloud = vote_cloud(uniform, 0)
    assert not cloud.votes.any()
    assert not cloud.v.any()
    assert math.isfinite(cloud.kept)
    np.testing.assert_allclose(cloud.axes @ cloud.axes.T, np.eye(2), atol=1e-12)


# Links


def ranking(trace: RoutingTrace) -> list[tuple[int, int]]:
    """All links (i, j), the one with the largest share in any iteration first."""
    shares = slow_share(trace)
    strength = {
        (i, j): max(abs(shares[r, i, j]) for r in range(trace.iterations))
        for i, j in np.ndindex(PRIMARY, DIGITS)
    }
    return sorted(strength, key=lambda link: -strength[link])


def test_links_are_the_strongest_in_any_iteration_in_order(trace: RoutingTrace) -> None:
    links = strongest_links(trace)
    assert [divmod(int(link), DIGITS) for link in links] == ranking(trace)[:120]


@pytest.mark.parametrize("digit", [0, 3, 9])
def test_links_of_one_digit_lead_to_it_alone(trace: RoutingTrace, digit: int) -> None:
    links = [divmod(int(link), DIGITS) for link in strongest_links(trace, digit)]
    assert len(links) == 60
    assert links == [link for link in ranking(trace) if link[1] == digit][:60]


@pytest.mark.parametrize("sign", [1, -1])
def test_a_link_that_was_strong_but_once_comes_first(sign: int) -> None:
    """One capsule's big vote, for or against, counts although a later iteration couples it no more."""
    u_hat = np.zeros((PRIMARY, DIGITS, D))
    u_hat[..., 0] = 1
    u_hat[50, 7, 0] = sign * 6
    c = np.full((2, PRIMARY, DIGITS), 0.1)
    c[1, 50] = 1 / 9
    c[1, 50, 7] = 0
    s = np.einsum("rij,ijd->rjd", c, u_hat)
    trace = routed(u_hat, 2, c=c, s=s, v=s / (1 + (s**2).sum(axis=2, keepdims=True)))
    assert strongest_links(trace)[0] == 50 * 10 + 7
    assert strongest_links(trace, 7)[0] == 50 * 10 + 7
    # Next are capsule 50's other links: coupled with 1/9 at last, where all others stay at 1/10.
    assert set(strongest_links(trace)[1:10]) == {500, 501, 502, 503, 504, 505, 506, 508, 509}
    assert 507 not in strongest_links(trace, 6)


def test_there_are_no_more_links_than_capsules() -> None:
    trace = routed(votes()[:36, :2], 1)
    assert sorted(strongest_links(trace)) == list(range(72))
    assert sorted(strongest_links(trace, 1)) == list(range(1, 72, 2))


def test_links_of_a_digit_that_nobody_votes_for_still_lead_to_it(uniform: RoutingTrace) -> None:
    links = strongest_links(uniform, 4)
    assert len(set(links)) == 60
    assert {int(link) % 10 for link in links} == {4}


# The payload


def unpack(payload: bytes) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Header and arrays, read as the format says: little-endian, offsets from the end of the header."""
    (length,) = struct.unpack_from("<I", payload)
    header = json.loads(payload[4 : 4 + length].decode("utf-8"))
    letters = {"float32": "f", "int32": "i", "uint8": "B"}
    arrays = {}
    for name, entry in header["arrays"].items():
        count = math.prod(entry["shape"])
        values = struct.unpack_from(
            f"<{count}{letters[entry['type']]}", payload, 4 + length + entry["offset"]
        )
        arrays[name] = np.array(values).reshape(entry["shape"])
    return header, arrays


def test_the_payload_holds_the_trace(trace: RoutingTrace, drawings: np.ndarray) -> None:
    _, arrays = unpack(routing_payload(trace, drawings))
    for name in ("image", "u", "u_hat", "s", "v"):
        np.testing.assert_array_equal(arrays.pop(name), getattr(trace, name))
    levels = arrays.pop("drawings")
    assert levels.shape == (3, DIGITS, 28, 28)
    for place in itertools.product(range(3), range(DIGITS), (0, 13, 27), (5, 20)):
        assert levels[place] == round(float(drawings[place]) * 255)
    links = ranking(trace)
    assert list(arrays.pop("links")) == [i * 10 + j for i, j in links[:120]]
    for digit, chosen in enumerate(arrays.pop("links_of")):
        assert list(chosen) == [i * 10 + j for i, j in links if j == digit][:60]
    for digit in range(DIGITS):
        np.testing.assert_allclose(arrays["axes"][digit], vote_cloud(trace, digit).axes, atol=1e-7)
    assert set(arrays) == {"axes"}


def test_to_a_browser_that_has_w_no_votes_are_sent(trace: RoutingTrace, drawings: np.ndarray) -> None:
    whole_header, whole = unpack(routing_payload(trace, drawings))
    header, arrays = unpack(routing_payload(trace, drawings, "a name"))
    assert (whole_header["transforms"], header["transforms"]) == (None, "a name")
    assert set(whole) - set(arrays) == {"u_hat"}
    for name, array in arrays.items():
        np.testing.assert_array_equal(array, whole[name])


def test_an_array_is_padded_to_four_bytes_and_no_more() -> None:
    packed = pack({"odd": np.arange(5, dtype=np.uint8), "single": np.ones(3, np.float32)}, {})
    (length,) = struct.unpack_from("<I", packed)
    assert packed[4 + length :] == bytes([0, 1, 2, 3, 4, 0, 0, 0]) + struct.pack("<3f", 1, 1, 1)


def test_w_is_sent_as_it_is_stored() -> None:
    halves = np.random.default_rng(2).normal(0, 0.1, (36, 10, 16, 8)).astype(np.float16)
    halves[0, 0, 0, :3] = [6e-8, -6e-8, 65504]  # the smallest there is, and the largest
    payload = transforms_payload(halves.astype(np.float32), "a name")
    (length,) = struct.unpack_from("<I", payload)
    header = json.loads(payload[4 : 4 + length])
    assert header["name"] == "a name"
    assert header["arrays"] == {"W": {"type": "float16", "shape": [36, 10, 16, 8], "offset": 0}}
    found = np.array(struct.unpack_from(f"<{halves.size}e", payload, 4 + length)).reshape(halves.shape)
    np.testing.assert_array_equal(found, halves.astype(float))
    with pytest.raises(ValueError, match="not in half precision"):
        transforms_payload(np.full((36, 10, 16, 8), 0.1, np.float32), "a name")


def test_black_and_white_of_a_drawing_are_0_and_255(trace: RoutingTrace) -> None:
    drawings = np.zeros((3, DIGITS, 28, 28))
    drawings[1, 4, 3] = 1
    drawings[2, 9, 0, 0] = 0.5
    levels = unpack(routing_payload(trace, drawings))[1]["drawings"]
    assert (levels[1, 4, 3] == 255).all()
    assert levels.sum() == 28 * 255 + 128


def test_the_header_says_what_was_read_and_how(trace: RoutingTrace, drawings: np.ndarray) -> None:
    header, _ = unpack(routing_payload(trace, drawings))
    lengths = [math.sqrt(sum(v.astype(float) ** 2)) for v in trace.v[-1]]
    ranked = sorted(range(DIGITS), key=lambda j: -lengths[j])
    assert header["iterations"] == 3
    assert (header["primary"], header["digits"]) == (PRIMARY, DIGITS)
    assert header["grid"] == {"types": TYPES, "rows": 6, "columns": 6, "field": 17, "stride": 2}
    assert (header["size"], header["kind"], header["trained"]) == (28, "digit", 3)
    assert header["classes"] == list("0123456789")
    assert header["texts"]["language"] == "en"
    assert {name.partition(".")[0] for name in header["texts"]["texts"]} == {"common", "routing", "address"}
    assert (header["prediction"], header["runnerUp"]) == (ranked[0], ranked[1]) == (3, 8)
    assert len(header["frames"]) == 12
    assert header["frames"][3] == {"iteration": 0, "step": 3, "c": 0, "s": 0, "v": 0}
    assert header["frames"][4] == {"iteration": 1, "step": 0, "c": 1, "s": 0, "v": 0}
    assert header["widest"] == pytest.approx(np.abs(slow_share(trace)).max(), abs=1e-6)
    assert header["digitColours"] == list(theme.CLASS_COLOURS)
    assert header["forColour"] == list(theme.FOR_COLOUR)
    assert header["againstColour"] == list(theme.AGAINST_COLOUR)


def test_winner_and_runner_up_are_those_of_the_last_iteration(
    trace: RoutingTrace, drawings: np.ndarray
) -> None:
    v = np.zeros((3, DIGITS, D))
    v[:, :, 0] = np.linspace(0.1, 0.4, DIGITS)
    v[2, 5, 0], v[2, 1, 0] = 0.9, 0.8
    header, _ = unpack(routing_payload(replace(trace, v=v), drawings))
    assert (header["prediction"], header["runnerUp"]) == (5, 1)


def test_the_header_has_what_was_measured_or_nothing(trace: RoutingTrace, drawings: np.ndarray) -> None:
    assert unpack(routing_payload(trace, drawings))[0]["measured"] == ""
    assert unpack(routing_payload(trace, drawings, measured="One of 3."))[0]["measured"] == "One of 3."


def test_the_widest_share_may_be_one_against(drawings: np.ndarray) -> None:
    u_hat = np.zeros((PRIMARY, DIGITS, D))
    u_hat[:, 0, 0] = 1
    u_hat[9, 0, 0] = -20  # with 1/10 of it, 2 against 7.1 from the other 71
    header, _ = unpack(routing_payload(routed(u_hat, 1), drawings[:1]))
    assert header["widest"] == pytest.approx(2, abs=1e-6)


def test_the_header_has_scales_kept_variance_and_entropy(trace: RoutingTrace, drawings: np.ndarray) -> None:
    header, _ = unpack(routing_payload(trace, drawings))
    assert set(header["limits"]) == set(SCALES)
    for scale in SCALES:
        for level in ("place", "type"):
            largest = np.abs(slow_scale(trace, scale, level)).max()
            assert header["limits"][scale][level] == pytest.approx(largest, abs=1e-6)
    for digit in range(DIGITS):
        centred = trace.u_hat[:, digit] - trace.u_hat[:, digit].mean(axis=0)
        sizes = np.linalg.svd(centred.astype(float), compute_uv=False)
        kept = (sizes[:2] ** 2).sum() / (sizes**2).sum()
        assert header["kept"][digit] == pytest.approx(kept, abs=1e-6)
    for r in range(3):
        entropies = [-sum(x * math.log(x) for x in row.astype(float)) for row in trace.c[r]]
        assert header["entropy"][r]["mean"] == pytest.approx(sum(entropies) / PRIMARY, abs=1e-5)
        assert header["entropy"][r]["least"] == pytest.approx(min(entropies), abs=1e-5)
    assert header["entropy"][0]["mean"] == pytest.approx(math.log(10), abs=1e-6)
    assert header["entropy"][2]["mean"] < header["entropy"][0]["mean"] - 0.001


def test_arrays_lie_one_after_the_other_on_multiples_of_four(
    trace: RoutingTrace, drawings: np.ndarray
) -> None:
    payload = routing_payload(trace, drawings)
    (length,) = struct.unpack_from("<I", payload)
    assert length % 4 == 0
    header = json.loads(payload[4 : 4 + length])
    end = 0
    for entry in header["arrays"].values():
        assert entry["offset"] == end
        size = {"float32": 4, "int32": 4, "uint8": 1}[entry["type"]]
        end += -(-math.prod(entry["shape"]) * size // 4) * 4
    assert len(payload) == 4 + length + end


def test_the_id_is_that_of_the_drawing_and_of_the_iterations(
    trace: RoutingTrace, drawings: np.ndarray
) -> None:
    def name(trace: RoutingTrace, drawings: np.ndarray) -> str:
        found = unpack(routing_payload(trace, drawings))[0]["id"]
        assert isinstance(found, str)
        return found

    image = trace.image.copy()
    image[0, 0] += 0.25
    names = [
        name(trace, drawings),
        name(replace(trace, image=image), drawings),
        name(routed(votes(), 2), drawings[:2]),
        name(routed(votes(1), 3), drawings),
        name(trace, drawings[::-1]),
    ]
    assert len(set(names)) == len(names)
    assert name(routed(votes(), 3), drawings.copy()) == names[0]


def test_nothing_in_the_payload_is_not_a_number(uniform: RoutingTrace) -> None:
    """JSON in a browser knows no NaN: a blank trace must not make one."""
    header, arrays = unpack(routing_payload(uniform, np.zeros((2, DIGITS, 28, 28))))
    json.dumps(header, allow_nan=False)
    assert all(np.isfinite(array).all() for array in arrays.values())


def test_ten_iterations_of_the_real_network_are_within_two_megabytes(model: Model, seven: np.ndarray) -> None:
    trace = model.trace(seven, 10)
    payload = routing_payload(trace, model.reconstructions(trace))
    assert len(payload) <= 2_000_000
    header, arrays = unpack(payload)
    assert header["prediction"] == 7
    assert header["iterations"] == 10
    assert len(header["frames"]) == 40
    np.testing.assert_array_equal(arrays["u_hat"], trace.u_hat)
    assert arrays["links"].shape == (120,)
    assert arrays["links_of"].shape == (10, 60)


def test_an_answer_to_a_browser_that_has_w_is_within_a_hundred_kilobytes(
    model: Model, seven: np.ndarray
) -> None:
    trace = model.trace(seven, 3)
    assert len(routing_payload(trace, model.reconstructions(trace), "a name")) <= 100_000
    assert len(transforms_payload(model.transforms(), "a name")) <= 3_000_000  # once
    votes = np.einsum("ijdk,ik->ijd", model.transforms(), trace.u)
    np.testing.assert_allclose(votes, trace.u_hat, atol=1e-5)


def test_arrays_in_another_memory_order_are_packed_alike(trace: RoutingTrace, drawings: np.ndarray) -> None:
    turned = np.asfortranarray(drawings)
    assert routing_payload(trace, turned) == routing_payload(trace, drawings)


# The page of its own


class Page(HTMLParser):
    """Title, scripts by their id, every tag, and all that a tag would load."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text: dict[str, str] = {}
        self.loaded: list[str] = []
        self.inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append(tag)
        self.inside = found.get("id") or tag
        self.loaded += [value or "" for name, value in attrs if name in ("src", "href", "data", "srcset")]

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def handle_data(self, data: str) -> None:
        self.text[self.inside] = self.text.get(self.inside, "") + data


@pytest.fixture(scope="module")
def document(trace: RoutingTrace, drawings: np.ndarray) -> str:
    return routing_html(trace, drawings, title='<img src="x"> & "friends"</title><script>')


def test_the_page_carries_its_payload(document: str, trace: RoutingTrace, drawings: np.ndarray) -> None:
    parsed = Page()
    parsed.feed(document)
    assert base64.b64decode(parsed.text["payload"], validate=True) == routing_payload(trace, drawings)
    assert parsed.tags.count("script") == 2
    assert "$explorer.default({ data" in parsed.text["script"]
    assert "function mountRouting" in parsed.text["script"]
    assert '<div id="view"></div>' in document


def test_the_page_loads_nothing(document: str, trace: RoutingTrace, drawings: np.ndarray) -> None:
    parsed = Page()
    parsed.feed(document)
    assert not parsed.loaded
    own = document.replace(parsed.text["payload"], "")  # letters of base64 may spell anything
    assert "http" not in own.replace('"http://www.w3.org/2000/svg"', "")
    for loading in (r"@import", r"url\(", r"\bimport\s*\(", r"^\s*import\b", r"\bfetch\s*\(", r'["\']//\w'):
        assert not re.search(loading, own, re.MULTILINE), loading


def test_a_title_is_text_and_not_markup(document: str, trace: RoutingTrace, drawings: np.ndarray) -> None:
    assert (
        "<title>&lt;img src=&quot;x&quot;&gt; &amp; &quot;friends&quot;&lt;/title&gt;&lt;script&gt;"
        in document
    )
    assert "<title>Routing by agreement</title>" in routing_html(trace, drawings)


# Surgery


@pytest.fixture
def operated() -> Routing:
    """Two iterations after which digit 6 is longest, with 0.8; rows of c sum to 0.4 or 1.6."""
    v = np.zeros((2, DIGITS, D), np.float32)
    v[0, 1, 0] = 0.9  # the longest before the last iteration
    v[1, 6, :2] = [0.48, 0.64]
    v[1, 3, 2] = -0.5
    c = np.full((2, PRIMARY, DIGITS), 0.1, np.float32)
    c[1, ::2] = 0.04
    c[1, 1::2] = 0.16
    return Routing(b=np.zeros_like(c), c=c, s=v, v=v)


def test_the_surgery_payload_compares_before_and_after(trace: RoutingTrace, operated: Routing) -> None:
    before, redrawn = np.zeros((28, 28), np.float32), np.ones((28, 28), np.float32)
    before[2, 3] = 0.5
    redrawn[27, 27] = 0.2
    payload = surgery_payload(trace, before, operated, redrawn)
    payload = json.loads(json.dumps(payload, allow_nan=False))

    assert payload["grid"] == {"types": TYPES, "rows": 6, "columns": 6, "field": 17, "stride": 2}
    assert (payload["size"], payload["kind"], payload["classes"]) == (28, "digit", list("0123456789"))
    assert {name.partition(".")[0] for name in payload["texts"]["texts"]} == {"common", "surgery", "coupling"}
    assert payload["image"] == [round(float(pixel) * 255) for pixel in trace.image.ravel()]

    lengths = [math.sqrt(sum(v.astype(float) ** 2)) for v in trace.v[-1]]
    assert payload["before"]["digit"] == int(np.argmax(lengths)) == 3
    assert payload["before"]["lengths"] == pytest.approx(lengths, abs=1e-6)
    assert payload["before"]["iterations"] == 3
    assert [(at, level) for at, level in enumerate(payload["before"]["drawing"]) if level] == [
        (2 * 28 + 3, 128)
    ]

    assert payload["after"]["digit"] == 6
    assert payload["after"]["lengths"] == pytest.approx([0, 0, 0, 0.5, 0, 0, 0.8, 0, 0, 0], abs=1e-6)
    assert payload["after"]["iterations"] == 2
    assert payload["after"]["drawing"] == [255] * 783 + [51]
    assert payload["rowSums"] == pytest.approx([0.4, 1.6], abs=1e-5)


def test_the_surgery_payload_shares_out_the_winner(trace: RoutingTrace, operated: Routing) -> None:
    """Shares of the digit read before the operation, after the last iteration: they sum to |s|."""
    payload = surgery_payload(trace, trace.image, operated, trace.image)
    assert payload["measured"] == ""
    said = surgery_payload(trace, trace.image, operated, trace.image, measured="One of 3.")["measured"]
    assert said == "One of 3."
    shares = slow_share(trace)[-1, :, 3]
    places, types = [0.0] * PLACES, [0.0] * TYPES
    for kind, row, column in itertools.product(range(TYPES), range(6), range(6)):
        share = shares[(kind * 6 + row) * 6 + column]
        places[row * 6 + column] += share
        types[kind] += share
    assert payload["places"] == pytest.approx(places, abs=1e-5)
    assert payload["types"] == pytest.approx(types, abs=1e-5)
    length = math.sqrt(sum(trace.s[-1, 3].astype(float) ** 2))
    assert sum(payload["places"]) == pytest.approx(length, abs=1e-5)
    assert sum(payload["types"]) == pytest.approx(length, abs=1e-5)


def test_grey_levels_of_surgery_stay_within_a_byte(trace: RoutingTrace, operated: Routing) -> None:
    beyond = np.full((28, 28), 1.1)
    beyond[0] = -0.1
    levels = surgery_payload(trace, beyond, operated, beyond)["before"]["drawing"]
    assert levels == [0] * 28 + [255] * 756


def test_figures_offer_the_payloads_and_the_page() -> None:
    for name in ("routing_html", "routing_payload", "surgery_payload"):
        assert name in figures.__all__
        assert getattr(figures, name).__name__ == name


# Where a primary capsule sits, and what it sees


def test_the_grid_is_the_networks_own(model: Model) -> None:
    assert model.shape.grid == CapsuleGrid(types=32, rows=6, columns=6, field=17, stride=2)
    assert model.shape.grid.capsules == 1152


def test_a_place_sees_a_square_of_17_pixels_every_2(model: Model) -> None:
    """Gradients of the real network's 36 places, with respect to every pixel."""
    net = model._way.net
    torch.manual_seed(0)
    images = torch.rand(28, 28).repeat(36, 1, 1).requires_grad_()
    u = net.encode(images)[1].unflatten(1, (32, 36))  # [36 images, 32 types, 36 places, 8]
    own = u[torch.arange(36), :, torch.arange(36)]  # of image p, place p
    weights = torch.rand(own.shape)  # else gradients of many components might cancel
    (gradient,) = torch.autograd.grad((own * weights).sum(), images)
    seen = gradient.numpy() != 0
    for row, column in itertools.product(range(6), range(6)):
        field = np.zeros((28, 28), bool)
        field[2 * row : 2 * row + 17, 2 * column : 2 * column + 17] = True
        assert field.sum() == 17**2
        np.testing.assert_array_equal(seen[row * 6 + column], field)
    any_place = seen.any(axis=0)
    assert any_place[:27, :27].all()
    assert not any_place[27].any()
    assert not any_place[:, 27].any()


@pytest.mark.parametrize(
    ("pixel", "rows", "columns"),
    [
        ((0, 0), [0], [0]),
        ((1, 2), [0], [0, 1]),
        ((16, 17), [0, 1, 2, 3, 4, 5], [1, 2, 3, 4, 5]),
        ((13, 10), [0, 1, 2, 3, 4, 5], [0, 1, 2, 3, 4, 5]),
        ((18, 20), [1, 2, 3, 4, 5], [2, 3, 4, 5]),
        ((26, 26), [5], [5]),
        ((27, 13), [], []),
        ((5, 27), [], []),
        ((27, 27), [], []),
    ],
)
def test_a_pixel_moves_only_the_capsules_that_see_it(
    model: Model, seven: np.ndarray, pixel: tuple[int, int], rows: list[int], columns: list[int]
) -> None:
    """By changing it, in the real network; rows and columns counted by hand."""
    changed = seven.copy()
    changed[pixel] = 1 - changed[pixel]
    moved = (model.trace(changed, 1).u != model.trace(seven, 1).u).any(axis=1)
    found = {divmod(int(i) % 36, 6) for i in np.flatnonzero(moved)}
    assert found == set(itertools.product(rows, columns))
