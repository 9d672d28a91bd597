"""Inside a network: maps are what kernels make of the drawing, fields follow from kernels and strides, sizes are the papers'."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scripting
from numpy.lib.stride_tricks import sliding_window_view
from safetensors.numpy import load_file
from streamlit.testing.v1 import AppTest
from test_attention import unpacked
from test_pages import BLANK, ROOT, open_app

from capsviz.app import inside, routing, session
from capsviz.figures import slides
from capsviz.figures.inside import inside_payload, layer_rows, limits, maps_table
from capsviz.figures.theme import AGAINST_COLOUR, FOR_COLOUR
from capsviz.inputs.examples import EXAMPLES, render
from capsviz.inputs.preprocess import canvas_to_mnist
from capsviz.models import weights
from capsviz.models.kernels import FirstLayer, first_layer
from capsviz.models.model import Model, load_model
from capsviz.models.size import activations, sizes
from capsviz.networks.base import DEFAULT, find

PAGE = "../../pages/inside.py"


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    return canvas_to_mnist(render(EXAMPLES[0].strokes, EXAMPLES[0].width))


def payload_of(model: Model, trace: Any, **more: Any) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    spec = model.spec
    rows = layer_rows(spec, sizes(spec), activations(spec))
    return unpacked(inside_payload(spec, model.first_layer(), trace, rows=rows, totals=(3, 1234), **more))


# --- the first layer ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["dynamic.mnist", "attention.mnist", "cnn.mnist"])
def test_maps_are_the_traces_and_what_the_kernels_of_the_file_make(name: str, image: np.ndarray) -> None:
    model = load_model(name, "cpu")
    trace = model.trace(image)
    header, arrays = payload_of(model, trace)
    np.testing.assert_array_equal(arrays["features"], trace.features)
    np.testing.assert_array_equal(arrays["image"], image)
    stored = load_file(weights.locate(name))
    first = "conv1" if name.startswith("dynamic") else "trunk.convolutions.0"
    kernels, biases = stored[f"{first}.weight"][:, 0], stored[f"{first}.bias"]
    np.testing.assert_array_equal(arrays["kernels"], kernels.astype(np.float32))
    np.testing.assert_array_equal(arrays["biases"], biases.astype(np.float32))
    # Every square of the image by every kernel, in double precision.
    squares = sliding_window_view(image.astype(float), kernels.shape[1:])
    sums = np.einsum("hwyx,fyx->fhw", squares, kernels.astype(float)) + biases.astype(float)[:, None, None]
    np.testing.assert_allclose(arrays["features"], np.maximum(sums, 0), atol=1e-4)
    assert header["stride"] == 1


@pytest.mark.parametrize("name", ["overlap.mnist", "cnn.overlap"])
def test_larger_images_have_larger_maps(name: str) -> None:
    import torch

    spec = find(name)
    net = spec.build(spec)
    seen = torch.rand(spec.shape.size, spec.shape.size)
    with torch.inference_mode():
        trace = net.eval().trace(seen, spec.shape.trained, spec.shape)
    kernels, biases, stride = first_layer(net)
    side = kernels.shape[1]
    assert trace.features.shape == (len(biases), *[(36 - side) // stride + 1] * 2)
    patch = seen.numpy()[3 : 3 + side, 5 : 5 + side]
    expected = np.maximum((kernels * patch).sum((1, 2)) + biases, 0)
    np.testing.assert_allclose(trace.features[:, 3, 5], expected, atol=1e-5)


def test_a_row_for_each_map_with_its_kernel() -> None:
    first = FirstLayer(np.arange(8, dtype=np.float32).reshape(2, 2, 2), np.array([0.5, -1], np.float32), 1)
    features = np.array([[[0, 1], [3, 0]], [[0, 0], [0, 0]]], np.float32)
    head, rows = maps_table(features, first)
    assert head[5:] == ["weight 0 0", "weight 0 1", "weight 1 0", "weight 1 1"]
    assert rows == [[0, 3, 1, 2, 0.5, 0, 1, 2, 3], [1, 0, 0, 0, -1, 4, 5, 6, 7]]


# --- capsules, scales, sizes --------------------------------------------------------------------------------


def test_scales_go_from_the_least_to_the_largest() -> None:
    kernels = np.array([[[-3.0, 1.0]]])
    features = np.array([[[0.0, 2.0]]])
    outputs = np.array([0.25, 0.5])
    assert limits(kernels, features, outputs) == {
        **{"kernels": (-3, 3), "maps": (0, 2), "outputs": (0.25, 0.5), "all": (0, 2)}
    }
    assert limits(kernels, features, 5 * outputs)["all"] == (0, 2.5)
    assert limits(kernels, None, None) == {
        "kernels": (-3, 3),
        **dict.fromkeys(("maps", "outputs", "all"), (0, 0)),
    }


def test_lengths_and_what_the_microscope_looks_at(image: np.ndarray) -> None:
    model = load_model("dynamic.mnist", "cpu")
    trace = model.trace(image, 2)
    header, arrays = payload_of(model, trace, link={"map": (0, 255)})
    np.testing.assert_allclose(
        arrays["outputs"], [np.sqrt((u.astype(float) ** 2).sum()) for u in trace.u], atol=1e-6
    )
    np.testing.assert_array_equal(arrays["u_hat"], trace.u_hat)
    np.testing.assert_array_equal(arrays["v"], trace.v)
    assert (header["routing"], header["iterations"], header["primary"]) == ("dynamic", 2, 1152)
    assert header["limits"]["maps"] == pytest.approx([trace.features.min(), trace.features.max()])
    assert header["link"] == {"map": [0, 255]}
    assert (header["parameters"], header["bytes"]) == ("3", "1,234")
    # The browser that has W makes the votes itself.
    header, arrays = payload_of(model, trace, transforms="abc")
    assert header["transforms"] == "abc"
    assert "u_hat" not in arrays

    model = load_model("attention.mnist", "cpu")
    trace = model.trace(image)
    header, arrays = payload_of(model, trace)
    for name, expected in (
        ("c", trace.c),
        ("weight", trace.c + trace.prior),
        ("share", trace.share),
        ("score", trace.b),
    ):
        np.testing.assert_allclose(arrays[name], expected[0], atol=1e-6)
    np.testing.assert_array_equal(arrays["prior"], trace.prior)
    assert header["votes"] == pytest.approx(np.abs(trace.u_hat).max())
    assert arrays["outputs"].shape == (16,)


def test_a_plain_network_has_numbers_in_place_of_capsules_and_without_a_drawing_kernels_are_left(
    image: np.ndarray,
) -> None:
    model = load_model("cnn.mnist", "cpu")
    trace = model.trace(image)
    header, arrays = payload_of(model, trace)
    np.testing.assert_array_equal(arrays["outputs"], trace.whole)
    assert header["grid"] is None
    assert "u" not in arrays
    header, arrays = payload_of(model, None, waiting="Draw.")
    assert set(arrays) == {"kernels", "biases"}
    assert (header["waiting"], header["prediction"]) == ("Draw.", None)


def test_the_papers_arithmetic_layer_by_layer() -> None:
    spec = find("dynamic.mnist")
    rows = layer_rows(spec, sizes(spec), activations(spec))
    assert [(row["part"], row["parameters"], row["bytes"], row["output"]) for row in rows] == [
        ("conv1", "20,992", "409,600", "256 × 20 × 20"),
        ("primary", "5,308,672", "36,864", "1152 × 8"),
        ("digits", "1,474,560", "831,360", "10 × 16"),
        ("decoder", "1,411,344", "9,280", "28 × 28"),
    ]
    assert [row["weighs"] for row in rows] == pytest.approx([0.003954, 1, 0.277765, 0.265856], abs=1e-6)
    assert [row["fills"] for row in rows] == pytest.approx([0.492687, 0.044342, 1, 0.011162], abs=1e-6)
    assert "3 routing iterations" in rows[2]["does"]
    assert rows[2]["name"] == "Digit capsules"


# --- the page -----------------------------------------------------------------------------------------------


def seen(app: AppTest) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What the page's view is sent."""
    (found,) = [
        one.proto for one in app.get("bidi_component") if one.proto.component_name == "capsviz_inside"
    ]
    return unpacked(found.bytes)


def others(app: AppTest) -> set[str]:
    return {one.proto.component_name for one in app.get("bidi_component")}


def test_the_page_follows_the_drawing_and_the_browser_is_given_w_once() -> None:
    app = open_app(page=PAGE)
    header, arrays = seen(app)
    trace = session.model_of(DEFAULT).trace(app.session_state[session.SEEN_KEY].image)
    np.testing.assert_array_equal(arrays["features"], trace.features)
    assert header["scopes"] == ["map", "layer", "all"]
    assert header["link"] == {"capsule": [0, 1151], "map": [0, 255], "scope": ["map", "layer", "all"]}
    assert "capsviz_transforms" in others(app)
    assert "u_hat" in arrays
    name = session.model_of(DEFAULT).sha256[:16]
    app.session_state[routing.STORED_KEY] = name
    app.run()
    header, arrays = seen(app)
    assert (header["transforms"], "u_hat" in arrays) == (name, False)
    assert "capsviz_transforms" not in others(app)


def test_without_a_drawing_one_sentence_and_the_network_itself() -> None:
    app = open_app(BLANK, PAGE)
    header, arrays = seen(app)
    assert header["waiting"] == "There is no ink in this picture: draw a digit, or choose a picture of one."
    assert set(arrays) == {"kernels", "biases"}
    assert len(header["rows"]) == 4
    assert "capsviz_transforms" not in others(app)


@pytest.mark.parametrize("name", [name for name in weights.available() if name != DEFAULT])
def test_every_network_is_shown(name: str) -> None:
    session._loaded.pop(name, None)  # other tests have networks of the same name that know nothing
    inside._payload.cache_clear()
    app = AppTest.from_file(str(ROOT / "capsviz" / "app" / "main.py"), default_timeout=60)
    app.query_params["network"] = name
    app.run().switch_page(PAGE).run()
    assert not app.exception
    header, arrays = seen(app)
    model = session.model_of(name)
    trace = model.trace(app.session_state[session.SEEN_KEY].image)
    np.testing.assert_array_equal(arrays["features"], trace.features)
    assert [row["part"] for row in header["rows"]] == [layer.part for layer in model.spec.layers]
    assert ("u" in arrays) == (model.shape.grid is not None)
    assert ("capsviz_transforms" in others(app)) == model.shape.iterates


def test_where_the_answer_is_covered_nothing_tells_it() -> None:
    app = AppTest.from_file(str(ROOT / "capsviz" / "app" / "main.py"), default_timeout=60)
    app.query_params["answer"] = "hidden"
    app.run().switch_page(PAGE).run()
    assert not app.exception
    assert "capsviz_inside" not in others(app)


def test_numbers_can_be_taken_along() -> None:
    app = open_app(page=PAGE)
    (offered,) = [
        json.loads(one.proto.json)
        for one in app.get("bidi_component")
        if one.proto.component_name == "capsviz_export"
    ]
    groups = {name: kinds for name, thing, kinds in offered["groups"]}
    assert groups == {"picture": ["png", "svg"], "numbers": ["npz", "json", "csv"]}


@pytest.mark.parametrize("scope", ["map", "layer", "all"])
def test_the_slide_has_the_colours_that_are_chosen(scope: str, image: np.ndarray) -> None:
    model = load_model("cnn.mnist", "cpu")
    trace = model.trace(image)
    first = model.first_layer()
    figure = slides.inside_slide(trace, first, [], scope=scope, map=9)
    axes = figure.axes[0]
    kernels, maps = (shown.get_array() for shown in axes.images[1:])
    said = " ".join(text.get_text() for text in axes.texts)
    most = {"layer": trace.features.max(), "all": max(trace.features.max(), trace.whole.max())}.get(scope)
    assert ("each has its own colours" in said) == (most is None)
    assert most is None or f"colours from 0.000 to {most:.3f}" in said
    # 32 in 6 columns; of the tenth, in row 1 and column 3, the highest value, and of its kernel the farthest from 0.
    for drawn, values, limit in (
        (maps, trace.features, most),
        (kernels, first.kernels, most and np.abs(first.kernels).max()),
    ):
        up = drawn.shape[1] // (6 * (values.shape[2] + 1) - 1)
        one = drawn[up * (values.shape[1] + 1) :, 3 * up * (values.shape[2] + 1) :][
            : up * values.shape[1] : up, : up * values.shape[2] : up
        ]
        strongest = np.abs(values[9]).max()
        full = max(FOR_COLOUR if values[9].max() == strongest else AGAINST_COLOUR)
        share = 1 if limit is None else strongest / limit
        assert one.max() == pytest.approx(full * share, abs=1.5)
    _, frame = [patch for patch in axes.patches if patch.get_edgecolor()[:3] == (1, 1, 1)]
    left, right, bottom, top = axes.images[2].get_extent()
    wide, high = (right - left) / 6, (bottom - top) / 6
    np.testing.assert_allclose(
        [frame.get_x(), frame.get_y(), frame.get_width(), frame.get_height()],
        [left + 3 * wide, top + high, wide, high],
    )


# --- the script ---------------------------------------------------------------------------------------------


def test_the_scripts_numbers_by_hand(tmp_path: Path, image: np.ndarray) -> None:
    trace = load_model("dynamic.mnist", "cpu").trace(image)
    first = load_model("dynamic.mnist", "cpu").first_layer()
    index, row, column = np.unravel_index(int(trace.features.argmax()), trace.features.shape)
    scripting.write(tmp_path, "insides")
    found = scripting.evaluate(
        tmp_path,
        'import * as i from "./insides.mjs";',
        f"""
        const pixels = new Uint8ClampedArray(16);
        i.paintShades([-2, 1, 4], [-4, 4], {{ forColour: [200, 100, 40], againstColour: [40, 80, 120] }}, pixels, 1);
        return {{
          reach: [i.reach([3, -1, 2]), i.evenReach([1, -5, 3])],
          shades: [[-3, [-2, 1]], [1, [-2, 1]], [0.75, [0.5, 1]], [0.2, [0.5, 1]], [7, [0, 1]], [3, [3, 3]]].map(([value, ends]) => i.shade(value, ends)),
          lengths: [0, 0.9, 0.99, 0.999, 1, 0.5].map((length) => i.lengthShade(length, [0.9, 0.999])),
          flat: i.lengthShade(0.5, [0.5, 0.5]),
          ends: ["map", "layer", "all"].map((scope) => i.endsOf(scope, [0, 1], [0, 2], () => [0, 3])),
          pixels: [...pixels],
          busiest: [i.busiest([9, 0, 4, 6, 5, 5], 2), i.busiest([-3, -1, -2], 1)],
          highest: i.highest([1, 5, 5, 2]),
          products: i.products({json.dumps(image.ravel().tolist())}, 28, {json.dumps(first.kernels[index].ravel().tolist())}, {row}, {column}),
          field: i.cellsOver(28, 17, 2, 6),
          columns: [[256, 1], [32, 1], [32, 2], [12, 1], [7, 1], [31, 1]].map((wish) => i.columnsFor(...wish)),
        }};
        """,
    )
    assert found["reach"] == [[-1, 3], [-5, 5]]
    assert found["shades"] == [-1, 0.5, 0.5, 0, 1, 0]
    # 1 - |u| is a tenth, a hundredth and a thousandth: equal steps.
    assert found["lengths"] == pytest.approx([0, 0, 0.5, 1, 1, 0], abs=1e-6)
    assert found["flat"] == 0
    assert found["ends"] == [[0, 3], [0, 1], [0, 2]]
    assert found["pixels"] == [0, 0, 0, 0, 20, 40, 60, 255, 50, 25, 10, 255, 200, 100, 40, 255]
    assert found["busiest"] == [1, 1]
    assert found["highest"] == 1
    assert found["products"] + float(first.biases[index]) == pytest.approx(
        float(trace.features.max()), abs=1e-4
    )
    # A field of two kernels of 9 with strides 1 and 2 is 9 + 8 = 17 pixels wide; its middle is 8.5 pixels from its edge, and
    # the cells, 2 pixels wide, stand around the middles: the first from 7.5, the sixth to 19.5.
    assert found["field"] == [7.5 / 28, 12 / 28]
    assert found["columns"] == [16, 8, 8, 4, 3, 6]


def test_bars_of_lengths_near_to_1_differ_and_those_of_numbers_are_as_they_are(tmp_path: Path) -> None:
    scripting.write(tmp_path, "inside_capsules")
    found = scripting.evaluate(
        tmp_path,
        'import { Outputs } from "./inside_capsules.mjs";',
        """
        const height = (scope, grid, value) => {
          const drawn = [];
          const context = { fillRect: (...box) => drawn.push(box) };
          const view = { scope, colours: { forColour: "x" } };
          const at = { view, grid, values: [value], ends: () => [0, 0.999], shade: Outputs.prototype.shade };
          Outputs.prototype.paintBar.call(at, context, 0, [0, 10, 5, 90]);
          return drawn[1];
        };
        return [["map", {}, 0.9], ["layer", {}, 0.99], ["all", {}, 0.4995], ["map", null, 0.333]].map((wish) => height(...wish));
        """,
    )
    # 1 - |u| is a tenth, a hundredth: one and two of the three steps to a thousandth. From the bottom, at 100.
    assert [box[3] for box in found] == pytest.approx([30, 60, 45, 30], abs=1e-3)
    assert [box[1] for box in found] == pytest.approx([70, 40, 55, 70], abs=1e-3)


def test_cells_are_chosen_by_keys_and_where_they_lie(tmp_path: Path) -> None:
    scripting.write(tmp_path, "inside_atlas")
    page = """
        globalThis.document = { createElement: () => ({
          style: {}, on: {}, setAttribute() {}, append() {}, getContext: () => ({}),
          addEventListener(name, act) { this.on[name] = act; },
          clientWidth: 200, clientHeight: 100, offsetWidth: 200,
          getBoundingClientRect: () => ({ left: 10, top: 20, width: 200, height: 100 }),
        }) };
        const { Atlas } = await import("./inside_atlas.mjs");
    """
    found = scripting.evaluate(
        tmp_path,
        page,
        """
        let chosen = null;
        const atlas = new Atlas({ name: "cells", choose: (index) => (chosen = index), describe: String, tell() {} });
        atlas.lay({ label: "cells", count: 11, columns: 4, area: [0.25, 0.5, 0.5, 0.5] });
        const { on } = atlas.picture.canvas;
        const after = (name, event) => { chosen = null; on[name]({ preventDefault() {}, ...event }); return chosen; };
        atlas.chosen = 5;
        const keys = ["ArrowDown", "ArrowUp", "ArrowRight", "ArrowLeft", "Home", "End", "a"].map((key) => after("keydown", { key }));
        atlas.chosen = 10;
        const beyond = ["ArrowDown", "ArrowRight"].map((key) => after("keydown", { key }));
        const clicks = [[90, 90], [61, 71], [59, 71], [61, 69], [159, 119], [161, 80]].map(([clientX, clientY]) => after("click", { clientX, clientY }));
        return { keys, beyond, clicks };
        """,
    )
    assert found["keys"] == [9, 1, 6, 4, 0, 10, None]
    assert found["beyond"] == [None, None]
    # 200 x 100 pixels from (10, 20): cells of 25 x 16.7 from (60, 70) to (160, 120); the twelfth is not there.
    assert found["clicks"] == [5, 0, None, None, None, None]
