"""The frame and the pages without a browser: what each control does to drawing and answer."""

import base64
import io
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from reference import assert_one_sentence
from streamlit.testing.v1 import AppTest

from capsviz.app import export as ui_export
from capsviz.app import files as ui_files
from capsviz.app import frame, session
from capsviz.app import pad as ui_pad
from capsviz.app import pose as ui_pose
from capsviz.app import routing as ui_routing
from capsviz.app.fetched import array_asset
from capsviz.errors import WeightsError
from capsviz.figures import routing_payload
from capsviz.inputs import drawings
from capsviz.inputs.drawings import Drawing, encode, stroke_of
from capsviz.inputs.examples import EXAMPLES
from capsviz.models import model as inference
from capsviz.models.card import routing_measured
from capsviz.models.weights import load_evaluation
from capsviz.networks.base import DEFAULT, find
from capsviz.traces.surgery import reroute, silence

ROOT = Path(__file__).resolve().parent.parent
PAGES = [
    "../../pages/draw.py",
    "../../pages/routing.py",
    "../../pages/pose.py",
    "../../pages/model.py",
]  # from the router
BLANK = Drawing()
LINK: dict[str, tuple[int, ...] | tuple[str, ...]] = {
    **{"digit": (0, 9), "capsule": (0, 1151), "step": (0, 11), "scale": ("c", "uniform", "last", "share")},
    **{"contrast": (0, 16), "only": (0, 1), "clouds": (0, 9, 2)},
}


def open_app(drawing: Drawing | None = None, page: str = PAGES[0], width: int = 18) -> AppTest:
    """The app on one page, with a drawing of its own or the one it opens with."""
    app = AppTest.from_file(str(ROOT / "capsviz" / "app" / "main.py"), default_timeout=60)
    if drawing is not None:
        text = drawings.encode(drawing)
        app.session_state[ui_pad.KEEPER_KEY] = {
            "kept": {
                "drawing": text,
                "told": text,
                "tag": [1, 1],
                "width": width,
                "live": False,
                "search": "",
            }
        }
    app.run()
    if page != PAGES[0]:
        app.switch_page(page).run()
    assert not app.exception
    return app


def shown(app: AppTest) -> str:
    """All that the app shows as HTML, in order."""
    return "\n".join(element.proto.body for element in app.get("html"))


def reading(app: AppTest) -> session.Reading:
    """What the app last read of its drawing; the answer is the one that it has kept for all."""
    seen, key = app.session_state[session.SEEN_KEY], session.ITERATIONS_KEY
    count = app.session_state[key].get(DEFAULT, 3)
    answer = (
        None
        if seen.image is None
        else session._answer(session.model_of(DEFAULT), seen.image.tobytes(), count)
    )
    return session.Reading(seen.drawing, count, answer, seen.problem)


@pytest.mark.parametrize("page", PAGES, ids=["draw", "routing", "pose", "model"])
def test_every_page_opens_with_an_answered_example(page: str) -> None:
    app = open_app(page=page)
    trace = reading(app).trace
    assert trace is not None
    assert trace.prediction == EXAMPLES[0].digit
    assert f'data-testid="answer">{trace.prediction}<' in shown(app)
    assert "Computed on" in shown(app)


def test_the_pen_is_as_wide_as_it_was_when_the_drawing_was_kept() -> None:
    app = open_app(Drawing(example=3), width=27)
    assert app.session_state[ui_pad.WIDTH_KEY] == 27
    assert app.slider(key=ui_pad.WIDTH_KEY).value == 27


def test_the_draw_page_shows_what_the_trace_holds() -> None:
    app = open_app()
    trace = reading(app).trace
    assert trace is not None
    for digit, length in enumerate(trace.lengths[-1]):
        assert f"|v| of digit {digit} is {length:.4f}" in shown(app)
    assert "need not sum to 1" in shown(app)


def test_all_pages_work_from_one_reading_computed_once() -> None:
    app = open_app()
    first = reading(app)
    app.slider(key=ui_pad.WIDTH_KEY).set_value(24).run()
    for page in reversed(PAGES):
        app.switch_page(page).run()
        assert reading(app).answer is first.answer
        assert app.slider(key=ui_pad.WIDTH_KEY).value == 24


@pytest.mark.parametrize("page", PAGES, ids=["draw", "routing", "pose", "model"])
def test_a_blank_canvas_is_answered_with_what_to_do(page: str) -> None:
    app = open_app(BLANK, page)
    assert reading(app).trace is None
    if page == "../../pages/model.py":
        assert "8,215,568" in shown(app)  # what it says of the network needs no drawing
    else:
        assert re.search('data-testid="waiting">[^<]*draw a digit', shown(app))
    assert 'data-testid="answer"' not in shown(app)


def test_a_short_longest_capsule_is_called_unsure(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Perhaps no digit" not in shown(open_app())
    monkeypatch.setitem(session._loaded[DEFAULT].card, "unsure_below", 0.987)
    app = open_app()
    assert "in over 99% of the MNIST digits held out, the longest capsule reaches 0.99." in shown(app)


@pytest.mark.parametrize("iterations", [1, 2, 5, 10])
def test_the_limit_for_unsure_is_held_against_the_lengths_it_was_measured_for(
    iterations: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Routing makes capsules longer with every iteration, those of scribbles too."""
    app = open_app()
    first = reading(app).trace
    assert first is not None
    longest = float(first.lengths[-1].max())
    app.session_state[session.ITERATIONS_KEY] = {DEFAULT: iterations}
    monkeypatch.setitem(session._loaded[DEFAULT].card, "unsure_below", longest - 0.005)
    app.run()
    assert re.search(r"After the 3 iterations of training the longest is 2, 0\.\d\d: sure\.", shown(app))
    monkeypatch.setitem(session._loaded[DEFAULT].card, "unsure_below", longest + 0.005)
    app.run()
    assert re.search(r"the longest is 2, 0\.\d\d: unsure, below 0\.\d\d\.", shown(app))
    assert "dashed: unsure below" not in shown(app)  # the bars are other lengths
    answer = reading(app).answer
    assert answer is not None
    judged = answer.judged
    assert judged is not None
    np.testing.assert_allclose(judged, first.lengths[-1], atol=1e-5)


def test_damaged_weights_leave_the_app_standing_with_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The file and the remedy are for the log: a visitor can do nothing with them."""

    def damaged(*arguments: object) -> None:
        raise WeightsError("weights/x.safetensors is cut short: restore it.")

    session._loaded.clear()
    session._answer.cache_clear()
    monkeypatch.setattr(inference, "load_model", damaged)
    for page in PAGES:
        app = open_app(page=page)
        assert re.search('data-testid="waiting">[^<:]+ cannot be loaded: [^<.]+\\.<', shown(app))
        assert "x.safetensors" not in shown(app)
        assert "weights/x.safetensors is cut short: restore it." in capsys.readouterr().err
    session._loaded.clear()


def test_a_failing_device_leaves_the_app_standing_with_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object) -> None:
        raise RuntimeError("CUDA error: unspecified launch failure\nCompile with TORCH_USE_CUDA_DSA")

    app = open_app()
    monkeypatch.setattr(inference.Model, "trace", fail)
    session._answer.cache_clear()
    app.run()
    app.switch_page("../../pages/routing.py").run()
    assert "(CUDA error: unspecified launch failure): draw again" in shown(app)
    assert not app.exception


def components(app: AppTest) -> list[Any]:
    """The live views of the page, as they are sent to the browser."""
    return [
        element.proto
        for element in app.get("bidi_component")
        if element.proto.component_name.removeprefix("capsviz_")
        in ("routing", "surgery", "transforms", "pose", "decoder")
    ]


def test_the_routing_page_sends_one_trace_and_no_more_than_two_megabytes() -> None:
    app = open_app(page="../../pages/routing.py")
    explorer, surgery, transforms = components(app)
    measured = routing_measured(load_evaluation(DEFAULT, session._loaded[DEFAULT].card))
    trace, drawings = reading(app).trace, reading(app).reconstructions
    assert trace is not None
    assert drawings is not None
    assert explorer.bytes == routing_payload(trace, drawings, measured=measured, link=LINK)
    assert "10,000 test digits" in measured
    assert sum(proto.ByteSize() for proto in (explorer, surgery)) < 2_000_000
    sent = json.loads(surgery.json)
    np.testing.assert_allclose(sent["before"]["lengths"], trace.lengths[-1])
    assert_unchanged(sent)  # nobody has operated yet
    name = session._loaded[DEFAULT].sha256[:16]
    address = array_asset("transforms", DEFAULT).address  # which brings W (test_fetched.py)
    assert json.loads(transforms.json) == {"name": name, "address": address}

    # Once the browser has W, it is sent no more, and no votes with the drawings that follow.
    app.session_state[ui_routing.STORED_KEY] = name
    app.session_state[session.ITERATIONS_KEY] = {DEFAULT: 4}
    app.run()
    explorer, surgery = components(app)
    trace, drawings = reading(app).trace, reading(app).reconstructions
    assert trace is not None
    assert drawings is not None
    assert explorer.bytes == routing_payload(
        trace, drawings, name, measured=measured, link={**LINK, "step": (0, 15)}
    )
    assert sum(proto.ByteSize() for proto in (explorer, surgery)) < 120_000  # words among it


def assert_unchanged(sent: dict[str, Any]) -> None:
    for name in ("lengths", "drawing"):
        np.testing.assert_allclose(sent["after"][name], sent["before"][name], atol=1e-6)


def test_a_link_sets_the_iterations_of_every_page() -> None:
    app = AppTest.from_file(str(ROOT / "capsviz" / "app" / "main.py"), default_timeout=60)
    app.query_params["R"] = "7"
    app.run()
    for page in PAGES:
        app.switch_page(page).run()
        trace = reading(app).trace
        assert trace is not None
        assert trace.iterations == 7
    assert "R = 7 (trained with 3)" in shown(app)


@pytest.mark.parametrize(
    ("asked", "others", "said"),
    [
        *((asked, {}, "1 to 10") for asked in ("0", "11", "-1", "2.5", "")),
        ("many", {"lang": "de"}, "1 bis 10"),  # in the language that the same link asks for
    ],
)
def test_a_link_with_impossible_iterations_is_answered_with_one_sentence(
    asked: str, others: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = AppTest.from_file(str(ROOT / "capsviz" / "app" / "main.py"), default_timeout=60)
    for name, value in {"R": asked, **others}.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    (problem,) = app.error
    assert_one_sentence(problem.value, said)
    assert address_of(app) == others  # it says what is shown
    trace = reading(app).trace
    assert trace is not None
    assert trace.iterations == 3
    app.run()
    assert app.error  # a run of its own accord does not take it away
    monkeypatch.setattr(frame, "LASTS", 0.0)
    app.run()
    assert not app.error


@pytest.mark.parametrize(
    ("operation", "mentioned"),
    [
        ({"coupling": "telepathy"}, "telepathy"),
        ({"iterations": 99}, "99"),
        ({"types": [32]}, "32"),
        ({"places": [36]}, "36"),
        ({"coupling": "carried", "example": "nonsense"}, "nonsense"),
    ],
)
def test_an_impossible_operation_is_answered_with_one_sentence(
    operation: dict[str, Any], mentioned: str
) -> None:
    app = open_app(page="../../pages/routing.py")
    app.session_state[ui_routing.SURGERY_KEY] = {"operation": operation}
    app.run()
    assert not app.exception
    sent = json.loads(components(app)[1].json)
    assert_one_sentence(sent["problem"], mentioned)
    assert_unchanged(sent)


def test_an_operation_outlasts_its_view_and_what_cannot_be_read() -> None:
    app = open_app(page="../../pages/routing.py")
    trace = reading(app).trace
    assert trace is not None
    without = reroute(trace.u_hat, 3, silenced=silence(find(DEFAULT).shape.grid, types=(0, 5))).lengths
    for operation in (
        {"types": [5, 0], "number": 4},
        {"types": "5"},
        {"seed": {}},
        ["types"],
        {"number": 1e400},
    ):
        app.session_state[ui_routing.SURGERY_KEY] = {"operation": operation}
        app.run()
        assert not app.exception
        sent = json.loads(components(app)[1].json)
        assert bool(sent["problem"]) == (operation != {"types": [5, 0], "number": 4})
        assert (sent["operation"]["types"], sent["operation"]["number"]) == ([0, 5], 4)
        np.testing.assert_allclose(sent["after"]["lengths"], without, atol=1e-6)
    # Streamlit forgets a view's state when its page is left.
    del app.session_state[ui_routing.SURGERY_KEY]
    app.switch_page(PAGES[0]).run()
    app.switch_page("../../pages/routing.py").run()
    sent = json.loads(components(app)[1].json)
    assert not sent["problem"]
    np.testing.assert_allclose(sent["after"]["lengths"], without, atol=1e-6)
    app.session_state[ui_routing.SURGERY_KEY] = {"operation": {"number": 5}}
    app.run()
    assert_unchanged(json.loads(components(app)[1].json))


@pytest.mark.parametrize("asked", [2000, 0, "5", None, {}, [3], 2.5])
def test_impossible_iterations_from_the_view_are_refused(
    asked: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    state: dict[str, Any] = {}
    chosen: list[int] = []
    monkeypatch.setattr(ui_routing.st, "session_state", state)
    monkeypatch.setattr(session, "set_iterations", chosen.append)
    state[ui_routing.EXPLORER_KEY] = {"iterations": asked}
    ui_routing._iterations_chosen()
    assert not chosen
    assert_one_sentence(state[ui_pad.PROBLEM_KEY], "from 1 to 10")
    state[ui_routing.EXPLORER_KEY] = {"iterations": 5}
    ui_routing._iterations_chosen()
    assert chosen == [5]


def test_a_device_that_fails_in_the_middle_of_surgery_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*arguments: object) -> None:
        raise RuntimeError("CUDA error: unspecified launch failure\nCompile with TORCH_USE_CUDA_DSA")

    app = open_app(page="../../pages/routing.py")
    monkeypatch.setattr(inference.Model, "decode", fail)
    app.session_state[ui_routing.SURGERY_KEY] = {"operation": {"coupling": "uniform"}}
    app.run()
    assert not app.exception
    assert_one_sentence(json.loads(components(app)[1].json)["problem"], "unspecified launch failure")


def test_the_decoder_is_told_of_once() -> None:
    app = open_app(page="../../pages/pose.py")
    pose, decoder = components(app)  # in this order: on a slow line the page does not wait for it
    address = array_asset("decoder", DEFAULT).address  # which brings it (test_fetched.py)
    assert json.loads(decoder.json) == {"name": session._loaded[DEFAULT].sha256[:16], "address": address}
    trace = reading(app).trace
    assert trace is not None
    np.testing.assert_array_equal(np.float32(json.loads(pose.json)["poses"]), trace.v[-1])
    # As the browser says once it has it.
    app.session_state[ui_pose.STORED_KEY] = {session._loaded[DEFAULT].sha256[:16]}
    app.run()
    app.switch_page(PAGES[0]).run()
    app.switch_page("../../pages/pose.py").run()
    (pose,) = components(app)
    assert "poses" in json.loads(pose.json)


def asked_for(app: AppTest, request: Any) -> dict[str, Any] | None:
    """What Export answers when the browser asks for a file."""
    app.session_state[ui_export.EXPORT_KEY] = {"asked": request}
    app.run()
    assert not app.exception
    (menu,) = [
        element.proto
        for element in app.get("bidi_component")
        if element.proto.component_name == "capsviz_export"
    ]
    answer: dict[str, Any] | None = json.loads(menu.json)["made"]
    return answer


def swept(number: int = 1, **other: Any) -> dict[str, Any]:
    motion = {"kind": "sweep", "digit": 3, "pose": [0.1] * 16, "dimension": 5, "span": 0.5, **other}
    return {"number": number, "thing": "sweep", "kind": "gif", "dark": False, "digit": 3, "motion": motion}


def test_gifs_are_made_of_what_the_browser_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ui_files, "MOVES", 3)
    app = open_app(page="../../pages/pose.py")
    answer = asked_for(app, swept())
    assert answer is not None
    assert (answer["number"], answer["type"]) == (1, "image/gif")
    assert answer["name"] == "capsviz-pose-sweep-dynamic.mnist.gif"
    gif = Image.open(io.BytesIO(base64.b64decode(answer["data"])))
    low = np.full(16, 0.1, np.float32)
    low[5] -= 0.5
    expected = 255 * session._loaded[DEFAULT].decode(low, 3)
    # 616 pixels of a slide of 1920, 22 for one of the network's, at two thirds: their middles.
    middles = np.rint((np.arange(28) + 0.5) * 22 * 2 / 3).astype(int)
    shown = np.asarray(gif.convert("L")).astype(int)[155 + middles][:, 48 + middles]
    assert np.abs(shown - expected).mean() <= 4  # a palette's colours
    assert asked_for(app, None) is None  # the browser has it


@pytest.mark.parametrize(
    ("request_", "mentioned"),
    [
        (swept(dimension=99), "“99”"),
        (swept(pose=[float("nan")] * 16), "“nan”"),
        (swept(digit=10), "“10”"),
        (swept(kind="morph", a={"digit": 1, "pose": ["x"] * 16}, b=5), "two poses"),
        (swept() | {"motion": "sweep"}, "cannot be read"),
        (swept() | {"thing": "morph"}, "cannot be read"),
        ("sweep", "cannot be read"),
    ],
)
def test_an_impossible_file_is_answered_with_one_sentence(request_: Any, mentioned: str) -> None:
    app = open_app(page="../../pages/pose.py")
    answer = asked_for(app, request_)
    assert answer is not None
    assert "data" not in answer
    assert_one_sentence(answer["problem"], mentioned)


def test_plain_sliders_decode_on_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    app = open_app(page="../../pages/pose.py")
    app.toggle(key=ui_pose.PLAIN_KEY).set_value(True).run()
    assert not components(app)
    trace = reading(app).trace
    assert trace is not None
    sliders = [slider for slider in app.slider if slider.key != ui_pad.WIDTH_KEY]
    origin = trace.v[-1, trace.prediction]
    np.testing.assert_allclose([slider.value for slider in sliders], origin, atol=1e-6)
    sliders[0].set_value(sliders[0].max).run()
    moved = np.array([sliders[0].max, *origin[1:]])
    assert f"|v| = {np.linalg.norm(moved):.3f}" in "".join(text.value for text in app.markdown)

    def fail(*arguments: object) -> None:
        raise RuntimeError("CUDA error: unspecified launch failure\nCompile with TORCH_USE_CUDA_DSA")

    monkeypatch.setattr(inference.Model, "decode", fail)
    app.run()
    assert not app.exception
    (problem,) = app.error
    assert_one_sentence(problem.value, "unspecified launch failure")


def test_weights_that_nobody_measured_have_sliders_without_captions(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(**options: object) -> None:
        raise WeightsError("There are no measurements.")

    monkeypatch.setattr(ui_pose, "load_poses", missing)
    ui_pose.measurements.cache_clear()
    sent = json.loads(components(open_app(page="../../pages/pose.py"))[0].json)
    ui_pose.measurements.cache_clear()
    assert sent["measured"] is None
    assert_one_sentence(sent["howMeasured"], "measured")


def test_clear_and_undo_buttons() -> None:
    app = open_app()
    assert app.button(key="undo").disabled
    app.button(key="clear").click().run()
    assert reading(app).trace is None
    app.button(key="undo").click().run()
    trace = reading(app).trace
    assert trace is not None
    assert trace.prediction == EXAMPLES[0].digit


@pytest.mark.parametrize("page", ["routing", "pose"])
def test_a_page_says_what_its_network_lacks(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = replace(find(DEFAULT), title="A plain network", offers=frozenset())
    monkeypatch.setattr(session, "spec", lambda: bare)
    app = open_app(page=f"../../pages/{page}.py")
    assert re.search(
        'data-testid="waiting">“A plain network” has no [^<]*[Cc]hoose another network', shown(app)
    )
    assert not components(app)
    assert 'class="cv-question"' in shown(app)


def test_another_network_answers_with_its_own_iterations(monkeypatch: pytest.MonkeyPatch) -> None:
    open_app()
    monkeypatch.setattr(session.st, "session_state", state := {session.ITERATIONS_KEY: {"another": 7}})
    session.set_network(DEFAULT)
    assert session.iterations() == 3  # as it was trained
    assert state[session.NETWORK_KEY] == DEFAULT
    session.set_iterations(5)
    assert session.iterations() == 5
    session.set_network("cnn.mnist")
    assert session.iterations() == 1  # nothing iterates
    session.set_network(DEFAULT)
    assert session.iterations() == 5  # whoever comes back finds the same numbers


def address_of(app: AppTest) -> dict[str, str]:
    """What the script is told to write into the address."""
    says: dict[str, str] = told(app, "share")["says"]
    return says


def told(app: AppTest, name: str) -> dict[str, Any]:
    """What a component of the frame is sent."""
    (proto,) = [
        element.proto
        for element in app.get("bidi_component")
        if element.proto.component_name == f"capsviz_{name}"
    ]
    data: dict[str, Any] = json.loads(proto.json)
    return data


SEVEN = Drawing((stroke_of(np.array([(70, 60), (200, 60), (120, 230)]), 18),))


def test_a_link_s_drawing_and_pen_are_on_the_pad_and_in_the_address() -> None:
    app = AppTest.from_file(str(ROOT / "capsviz" / "app" / "main.py"), default_timeout=60)
    link = {"drawing": encode(SEVEN), "pen": "24", "R": "5"}
    app.query_params.update(link)
    app.run()
    assert encode(reading(app).drawing) == link["drawing"]
    assert app.slider(key=ui_pad.WIDTH_KEY).value == 24
    assert address_of(app) == link
    assert told(app, "pad")["fresh"] is False  # what the tab kept does not take its place


def test_an_address_is_followed_once() -> None:
    """The browser sends it again and again: as it was at first, as the session had it written, or an older one of these."""
    app = AppTest.from_file(str(ROOT / "capsviz" / "app" / "main.py"), default_timeout=60)
    app.query_params["drawing"] = encode(SEVEN)
    app.run()
    app.button(key="clear").click().run()
    assert reading(app).drawing.blank
    assert address_of(app) == {"drawing": encode(Drawing())}
    for earlier in (encode(SEVEN), encode(Drawing()), encode(SEVEN)):
        app.query_params["drawing"] = earlier
        app.query_params["digit"] = "3"  # a view's own
        app.run()
        assert reading(app).drawing.blank
    app.query_params["drawing"] = encode(Drawing(example=3))  # nobody has written this one
    app.run()
    assert reading(app).drawing.example == 3
    app.button(key="undo").click().run()
    assert reading(app).drawing.blank


def test_the_address_has_the_example_where_another_network_begins_with_another() -> None:
    app = open_app()
    assert address_of(app) == {}
    app.query_params["network"] = "attention.letters"
    app.run()
    assert address_of(app) == {"network": "attention.letters", "drawing": encode(Drawing(example=0))}


def test_a_drawing_too_large_for_a_link_stays_behind() -> None:
    points = np.random.default_rng(1).uniform(0, 280, (1000, 2))
    app = AppTest.from_file(str(ROOT / "capsviz" / "app" / "main.py"), default_timeout=60)
    app.run()
    app.session_state[ui_pad.HISTORY_KEY].append(Drawing((stroke_of(points, 18),)))
    app.run()
    data = told(app, "share")
    assert (data["says"], data["drawing"]) == ({}, None)
    assert "2,000" in data["notes"][0]
    app.session_state[ui_pad.HISTORY_KEY].append(Drawing(picture=np.eye(28, dtype=np.uint8)))
    app.run()
    data = told(app, "share")
    assert "28 × 28" in data["notes"][1]
