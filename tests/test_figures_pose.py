"""What the Pose page sends to the browser, unpacked by a parser of its own."""

import json
import math
import struct
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from capsviz import figures
from capsviz.figures import theme
from capsviz.figures.pose import decoder_payload, pose_payload
from capsviz.measures.poses import (
    PROPERTIES,
    Component,
    DigitPoses,
    Effect,
    PoseMeasurements,
    Range,
    Settings,
    load_poses,
)
from capsviz.models.model import Model
from capsviz.networks.base import find
from capsviz.traces.base import CapsuleGrid
from capsviz.traces.routing import RoutingTrace


def unpack(payload: bytes) -> tuple[dict[str, Any], dict[str, list[Any]]]:
    """The header, and each array's numbers in order, one at a time; only half precision is known here."""
    (length,) = struct.unpack_from("<I", payload)
    header = json.loads(payload[4 : 4 + length].decode("utf-8"))
    arrays = {}
    for name, entry in header["arrays"].items():
        assert entry["type"] == "float16"
        count = math.prod(entry["shape"])
        arrays[name] = list(struct.unpack_from(f"<{count}e", payload, 4 + length + entry["offset"]))
    return header, arrays


# --- the decoder ----------------------------------------------------------------------------------------

# Half precision holds eleven bits: halves and quarters, the least (2^-24) and the greatest number (65,504).
SMALL = [
    (np.array([[0.5, -1.25, 3], [2**-24, 65504, -0.0]], np.float32), np.array([0.75, -2], np.float32)),
    (np.array([[8, 0.1015625]], np.float32), np.array([1024], np.float32)),
]


def test_the_decoder_by_hand() -> None:
    header, arrays = unpack(decoder_payload(SMALL, "net"))
    assert header["name"] == "net"
    assert header["layers"] == 2
    # [in, out]: what the first input feeds comes first
    assert header["arrays"]["weight0"]["shape"] == [3, 2]
    assert arrays["weight0"] == [0.5, 2**-24, -1.25, 65504, 3, 0]
    assert arrays["bias0"] == [0.75, -2]
    assert header["arrays"]["weight1"]["shape"] == [2, 1]
    assert arrays["weight1"] == [8, 0.1015625]
    assert arrays["bias1"] == [1024]
    assert set(arrays) == {"weight0", "bias0", "weight1", "bias1"}


def test_arrays_lie_one_after_the_other_on_multiples_of_four() -> None:
    payload = decoder_payload(SMALL, "ü")  # a header whose length in bytes is not that in characters
    (length,) = struct.unpack_from("<I", payload)
    assert length % 4 == 0
    end = 0
    for entry in unpack(payload)[0]["arrays"].values():
        assert entry["offset"] == end
        end += -(-2 * math.prod(entry["shape"]) // 4) * 4
    assert len(payload) == 4 + length + end
    assert unpack(payload)[0]["name"] == "ü"


@pytest.fixture(scope="module")
def payload(model: Model) -> bytes:
    return decoder_payload(model.decoder_layers(), "capsnet")


def test_the_real_decoder_loses_nothing(model: Model, payload: bytes) -> None:
    header, arrays = unpack(payload)
    layers = model.decoder_layers()
    assert header["layers"] == len(layers) == 3
    sizes = [160, 512, 1024, 784]
    for index, (weight, bias) in enumerate(layers):
        shape = header["arrays"][f"weight{index}"]["shape"]
        assert shape == sizes[index : index + 2]
        unpacked = np.array(arrays[f"weight{index}"]).reshape(shape)
        np.testing.assert_array_equal(unpacked.T, weight)
        np.testing.assert_array_equal(arrays[f"bias{index}"], bias)


def test_what_was_unpacked_draws_what_the_network_draws(
    model: Model, payload: bytes, seven: np.ndarray
) -> None:
    """Two layers with ReLU and one with a sigmoid (section 4.1 of the paper), in NumPy."""
    header, arrays = unpack(payload)
    v = model.trace(seven).v[-1]
    masked = np.zeros((10, 16))
    masked[7] = v[7]
    for inputs in (v.astype(float), masked):
        values = inputs.reshape(160)
        for index in range(3):
            weight = np.array(arrays[f"weight{index}"]).reshape(header["arrays"][f"weight{index}"]["shape"])
            values = values @ weight + arrays[f"bias{index}"]
            values = np.maximum(values, 0) if index < 2 else 1 / (1 + np.exp(-values))
        np.testing.assert_allclose(values.reshape(28, 28), model.decode(inputs), atol=1e-5)


def test_the_real_decoder_is_within_three_megabytes(payload: bytes) -> None:
    assert len(payload) <= 3_000_000


@pytest.mark.parametrize("value", [1 / 3, 0.1, 2049, 2**-25, math.nan])
@pytest.mark.parametrize(("layer", "part"), [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_what_does_not_survive_half_precision_is_refused(value: float, layer: int, part: int) -> None:
    layers = [tuple(array.copy() for array in arrays) for arrays in SMALL]
    layers[layer][part][..., -1] = value
    named = f"{['weight', 'bias'][part]} {layer}"
    with pytest.raises(ValueError, match=f"{named} is not in half precision"):
        decoder_payload(layers, "net")


def test_the_same_decoder_has_the_same_bytes(model: Model, payload: bytes) -> None:
    assert decoder_payload(model.decoder_layers(), "capsnet") == payload
    turned = [(np.asfortranarray(weight), bias) for weight, bias in SMALL]
    assert decoder_payload(turned, "net") == decoder_payload(SMALL, "net")


# --- the page -------------------------------------------------------------------------------------------

DRAWN = np.linspace(0, 1, 784).reshape(28, 28)  # a grey level for each place
SHAPE = replace(find("dynamic.mnist").shape, grid=CapsuleGrid(types=2, rows=6, columns=6, field=17, stride=2))
EXAMPLE = {"name": "“a nine”", "digit": 9, "pose": [0.0625 * index for index in range(16)]}


@pytest.fixture
def trace() -> RoutingTrace:
    """Digit 2 is longest after the first iteration, with 1; digit 4 after the second, with 0.75."""
    v = np.zeros((2, 10, 16))
    v[0, 2, 5] = 1
    v[1, 2, 5] = -0.5
    v[1, 4, :2] = [0.45, 0.6]
    return RoutingTrace(
        image=np.zeros((28, 28)),
        features=np.zeros((256, 20, 20)),
        u=np.zeros((72, 8)),
        u_hat=np.zeros((72, 10, 16)),
        b=np.zeros((2, 72, 10)),
        c=np.full((2, 72, 10), 0.1),
        s=v,
        v=v,
        shape=SHAPE,
    )


def component(digit: int, index: int) -> Component:
    """One whose numbers tell which it is."""
    number = digit + index / 16
    effects = dict.fromkeys(PROPERTIES, Effect(0.0, 0.0, 0.0, 0.0))
    effects["slant"] = Effect(digit + 1.0, 0.5, 2.0, 1.0)
    effects["width"] = Effect(-1 - index / 10, 0.5, -1.5, 1.0)
    return Component(0.125, 0.5, -number, number, number / 16, effects, "as it was said when it was measured")


@pytest.fixture
def measurements() -> PoseMeasurements:
    digits = tuple(
        DigitPoses(
            Range(0.9, 0.1, 0.5, 0.99),
            dict.fromkeys(PROPERTIES, 1.0),
            tuple(component(digit, index) for index in range(16)),
        )
        for digit in range(10)
    )
    return PoseMeasurements("0" * 64, Settings("images of cats", 34, 5678), digits)


def sent(trace: RoutingTrace, measurements: PoseMeasurements | None) -> dict[str, Any]:
    """The payload as the browser has it: through JSON, which knows no NaN."""
    payload = pose_payload(trace, DRAWN, EXAMPLE, measurements, "weights-1")
    found: dict[str, Any] = json.loads(json.dumps(payload, allow_nan=False))
    return found


def test_the_pose_is_that_of_the_last_iteration(trace: RoutingTrace) -> None:
    payload = sent(trace, None)
    assert payload["prediction"] == 4
    assert payload["scores"] == pytest.approx([0, 0, 0.5, 0, 0.75, 0, 0, 0, 0, 0])
    assert [len(pose) for pose in payload["poses"]] == [16] * 10
    assert payload["poses"][2] == [0, 0, 0, 0, 0, -0.5, *[0] * 10]
    assert payload["poses"][4] == pytest.approx([0.45, 0.6, *[0] * 14])
    assert not any(payload["poses"][9])


def test_the_server_s_own_picture_comes_along(trace: RoutingTrace) -> None:
    """Row by row, black to white: 783 steps of 255 / 783 of a grey level."""
    assert sent(trace, None)["drawn"] == [round(index * 255 / 783) for index in range(784)]


def test_how_wide_and_how_far_is_said_as_it_was_measured(
    trace: RoutingTrace, measurements: PoseMeasurements
) -> None:
    assert sent(trace, measurements)["middle"] == 99
    assert sent(trace, measurements)["reach"] == 0.25
    further = replace(measurements, settings=Settings(reach=0.5))
    assert sent(trace, further)["reach"] == 0.5
    assert sent(trace, None)["middle"] is None
    assert sent(trace, None)["reach"] is None
    assert sent(trace, None)["farthest"] == 2


def test_the_payload_says_where_to_morph_to_and_what_decodes(trace: RoutingTrace) -> None:
    payload = sent(trace, None)
    assert payload["example"] == EXAMPLE
    assert payload["decoder"] == "weights-1"
    assert payload["digitColours"] == list(theme.CLASS_COLOURS)
    assert payload["forColour"] == list(theme.FOR_COLOUR)
    assert payload["againstColour"] == list(theme.AGAINST_COLOUR)


def test_measured_components_have_captions_and_ranges(
    trace: RoutingTrace, measurements: PoseMeasurements
) -> None:
    payload = sent(trace, measurements)
    assert [len(digit) for digit in payload["measured"]] == [16] * 10
    for digit, components in enumerate(payload["measured"]):
        for index, found in enumerate(components):
            number = digit + index / 16
            assert found["caption"] == f"leans right (+{digit + 1}°), narrower (−{1 + index / 10:.1f} px)"
            assert (found["low"], found["high"], found["strength"]) == (-number, number, number / 16)
            assert found["mean"] == 0.125
    assert "34 images" in payload["howMeasured"]
    assert "images of cats" in payload["howMeasured"]


def test_without_measurements_there_are_no_captions(trace: RoutingTrace) -> None:
    payload = sent(trace, None)
    assert payload["measured"] is None
    assert "Nobody has measured" in payload["howMeasured"]
    assert "caption" not in payload["howMeasured"].replace("there are no captions", "")


def test_a_drawing_is_known_by_its_poses(trace: RoutingTrace) -> None:
    def name(trace: RoutingTrace) -> str:
        found = sent(trace, None)["drawing"]
        assert isinstance(found, str)
        return found

    moved = trace.v.copy()
    moved[1, 8, 15] = 0.001
    assert name(replace(trace)) == name(trace)
    assert name(replace(trace, v=moved)) != name(trace)
    before = trace.v.copy()
    before[0, 8, 15] = 0.001  # another way to the same pose is another drawing
    assert name(replace(trace, v=before)) != name(trace)
    assert name(replace(trace, v=trace.v[:1], s=trace.s[:1], b=trace.b[:1], c=trace.c[:1])) != name(trace)


def test_a_payload_of_the_real_network_is_small(model: Model, seven: np.ndarray) -> None:
    trace = model.trace(seven)
    payload = sent(trace, load_poses())
    assert payload["prediction"] == 7
    np.testing.assert_array_equal(np.float32(payload["poses"]), trace.v[-1])
    assert len(json.dumps(payload)) < 60_000  # beside the decoder: sent with every drawing


def test_figures_offer_the_payloads() -> None:
    for name in ("decoder_payload", "pose_payload"):
        assert name in figures.__all__
        assert getattr(figures, name).__name__ == name
