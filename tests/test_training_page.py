"""The Training page as it stands: what a link prepares, what is begun, what is taken away or fixed, and its files."""

import io
import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest
from test_pages import ROOT, address_of, shown
from test_slides import assert_room

from capsviz.app import export as ui
from capsviz.app import (
    files,
    measured_files,
    prepared,
    session,
    training,
    training_acts,
    training_form,
    training_rights,
)
from capsviz.app.measured_files import Stand
from capsviz.app.training_choice import Checkpoint
from capsviz.errors import CapsvizError
from capsviz.figures import slides
from capsviz.figures.live import Picture, read_picture
from capsviz.inputs.drawings import decode
from capsviz.models.rates import of_card
from capsviz.models.weights import FILE, as_trained, write_atomically
from capsviz.networks.base import find
from capsviz.texts import languages, say, speaking
from capsviz.traces.base import POSES
from capsviz.training import live_process
from capsviz.training.live_plan import (
    REASONS,
    Controls,
    Place,
    Plan,
    Row,
    Story,
    Told,
    Unread,
    drawing_weight,
)

PAGE = "../../pages/training.py"
TOLD = Told("bars", tuple("0123456789"), "digit", 64, 20, 30)
CONTROLS = {"rate": 0.005, "iterations": 2, "weight": 0.0, "routed": False}
ROWS = (
    Row(0, 0.0, None, None, 0.9, 1.0, CONTROLS),
    Row(5, 2.0, 0.5, 60.0, 0.5, 0.9, CONTROLS),
    Row(9, 4.0, 0.25, 40.0, 0.25, 0.8, {**CONTROLS, "weight": 0.02}),
)
PLAN = Plan("dynamic", "made_up", 4, 2, number=7)


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """The machine's folder of trainings, empty."""
    monkeypatch.setenv("CAPSVIZ_TRAINING_FOLDER", str(tmp_path))
    monkeypatch.setenv("CAPSVIZ_TRAINING_DATA", str(tmp_path / "none"))
    monkeypatch.setenv("CAPSVIZ_TRAINING", "everyone")
    return live_process.place(tmp_path)


@pytest.fixture
def run(place: Place) -> Place:
    """A training that has ended, with a checkpoint at step 5."""
    there = place.checkpoint(5)
    there.mkdir(parents=True)
    place.write(PLAN)
    place.write(Controls(iterations=2))
    place.write(Story("ended", "asked", 9, 4.0, TOLD, ROWS, (5,)))
    for folder, step in ((place.folder, 9), (there, 5)):
        pixels = np.full((2, 28, 28), step, np.uint8)
        drawn = Picture(
            pixels, pixels, np.ones((8, 3, 3), np.float32), np.array([0, 1]), np.array([0, 0]), step
        )
        np.savez(folder / "picture.npz", **drawn._asdict())
    write_atomically(there / FILE, b"weights")
    return place


def opened(**link: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "capsviz" / "app" / "main.py"), default_timeout=60)
    app.query_params.update(link)
    app.switch_page(PAGE)
    app.run()
    assert not app.exception
    return app


def started(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What the page has trainings begin with."""
    asked: list[tuple[Any, ...]] = []
    monkeypatch.setattr(
        live_process, "start", lambda root, plan, controls, source: asked.append((plan, controls))
    )
    return asked


def forced(control: Any) -> Any:
    """A control that a browser uses though it is disabled."""
    control.proto.disabled = False
    return control


# --- what is begun ------------------------------------------------------------------------------------------------


def test_a_link_prepares_the_form_and_start_begins_what_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = started(monkeypatch)
    app = opened(training="dynamic_types.4_R.2_rate.0.01_weight.0_routed.0")
    assert app.radio(key="training_kind").value == "dynamic"
    assert app.select_slider(key="training_types").value == 4
    assert app.select_slider(key="training_iterations").value == 2
    assert (app.select_slider(key="training_rate").value, app.select_slider(key="training_weight").value) == (
        0.01,
        0.0,
    )
    assert not app.toggle(key="training_routed").value
    app.button(key="training_begin").click().run()
    ((plan, controls),) = asked
    assert plan == Plan("dynamic", "made_up", 4, 2, number=plan.number)
    assert controls == Controls(rate=0.01, iterations=2, weight=0.0, routed=False)


def test_what_is_chosen_is_in_the_address_of_this_page_alone() -> None:
    app = opened()
    assert "training" not in address_of(app)
    app.radio(key="training_kind").set_value("dynamic").run()
    app.select_slider(key="training_rate").set_value(0.01).run()
    app.toggle(key="training_routed").set_value(False).run()
    app.select_slider(key="training_weight").set_value(0.0).run()
    assert address_of(app)["training"] == "dynamic_rate.0.01_weight.0_routed.0"
    app.switch_page("../../pages/model.py").run()
    assert "training" not in address_of(app)
    app.switch_page(PAGE).run()
    assert app.select_slider(key="training_rate").value == 0.01


def test_images_that_are_not_here_are_said_and_others_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = started(monkeypatch)
    app = opened(training="attention_types.8_data.mnist_rate.0.01")
    assert "The link asks for MNIST, which this server does not have." in [one.value for one in app.info]
    app.button(key="training_begin").click().run()
    assert asked[0][0].data == "made_up"
    assert (asked[0][0].types, asked[0][1].rate) == (8, 0.01)
    app.button(key="training_download").click().run()
    assert asked[1][0].data == "mnist"


@pytest.mark.parametrize("mode", ["here", "everyone"])
def test_where_images_were_looked_for_in_vain_is_said(
    mode: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAPSVIZ_TRAINING", mode)
    monkeypatch.setattr(training_rights, "is_here", lambda _: True)
    named = tmp_path / "pic_tures"
    monkeypatch.setenv("CAPSVIZ_TRAINING_DATA", str(named))
    place = (str(named) if mode == "here" else "pic_tures").replace("_", r"\_")  # in Markdown
    (info,) = opened().info
    assert info.value.startswith(
        f"Images were looked for in {place} (CAPSVIZ_TRAINING_DATA), which is not there"
    )
    named.mkdir()
    app = opened()
    (info,) = app.info
    assert f"in {place} (CAPSVIZ_TRAINING_DATA), which is empty" in info.value
    assert f"into {place}." in app.button(key="training_download").help
    (named / "cats").mkdir()
    assert not opened().info
    monkeypatch.delenv("CAPSVIZ_TRAINING_DATA")
    assert not opened().info  # nobody has named a place


def test_what_throws_a_training_away_asks_first(run: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = started(monkeypatch)
    app = opened()
    asks = [one.value for one in app.markdown if one.value.startswith("Throw")]
    assert asks == 2 * [say("training.anewAsk", count=1)]  # to download MNIST throws it away, too
    app.button(key="training_anew").click().run()
    assert asked[0][0].data == "made_up"
    story = run.story()
    assert story is not None
    run.write(replace(story, checkpoints=()))
    app = opened()
    assert not any(one.value.startswith("Throw") for one in app.markdown)  # there is little to lose
    assert "training_begin" in [one.key for one in app.button]


def test_pictures_that_cannot_be_read_are_named_to_whoever_can_mend_them(
    run: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    story = run.story()
    assert story is not None
    unread = tuple(Unread(f"0/<b>{n}.png", {"en": "It is empty.", "de": "Sie ist leer."}) for n in range(3))
    run.write(replace(story, told=replace(TOLD, left_out=5, unread=unread)))
    page = shown(opened())
    assert "5 pictures cannot be read and are left out" in page
    assert page.count("<li>") == 4
    assert "<li>0/&lt;b&gt;2.png: It is empty.</li><li>and 2 more</li>" in page
    assert "Sie ist leer." in shown(opened(lang="de"))
    monkeypatch.setattr(training, "steers", lambda: False)
    page = shown(opened())
    assert "5 pictures cannot be read and are left out" in page
    assert "It is empty." not in page


def test_what_is_wrong_with_the_images_is_read_where_they_lie(
    run: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    story = run.story()
    assert story is not None
    run.write(replace(story, reason="data", detail="/there holds nothing."))
    monkeypatch.setattr(training_rights, "is_here", lambda _: True)
    app = opened()
    assert not app.code
    assert "the server’s terminal says why" in app.warning[0].value
    monkeypatch.setenv("CAPSVIZ_TRAINING", "here")
    app = opened()
    assert app.code[0].value == "/there holds nothing."
    assert app.warning[0].value == "The images cannot be used."


def test_a_training_that_has_diverged_goes_on_more_slowly(
    run: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = started(monkeypatch)
    story = run.story()
    assert story is not None
    run.write(replace(story, reason="diverged"))
    run.write(Controls(rate=0.005))
    app = opened()
    assert "with a smaller learning rate, 0.002" in app.warning[0].value
    app.button(key="training_goOn").click().run()
    app.select_slider(key="training_checkpoint").set_value(5).run()
    app.button(key="training_back").click().run()
    assert [(plan, told.rate, told.back) for plan, told in asked] == [(None, 0.002, None), (None, 0.002, 5)]
    run.write(replace(story, reason="time"))
    opened().button(key="training_goOn").click().run()
    assert asked[2][1].rate == 0.005
    assert [training_acts.smaller(rate) for rate in (0.01, 0.0015, 1e-4)] == [0.005, 0.001, 1e-4]


def test_what_is_fixed_stays_whatever_is_sent(monkeypatch: pytest.MonkeyPatch, run: Place) -> None:
    asked = started(monkeypatch)
    app = opened(training="dynamic_rate.0.01", lock="training")
    assert app.select_slider(key="training_rate").disabled
    assert app.radio(key="training_kind").disabled
    assert app.toggle(key="training_routed").disabled
    forced(app.select_slider(key="training_rate")).set_value(1e-4).run()
    forced(app.radio(key="training_kind")).set_value("attention").run()
    assert address_of(app)["training"] == "dynamic_rate.0.01"
    app.button(key="training_anew").click().run()
    assert (asked[0][0].kind, asked[0][1].rate) == ("dynamic", 0.01)
    monkeypatch.setattr(live_process, "going", lambda root: True)
    run.write(Story("running", "", 9, 4.0, TOLD, ROWS, (5,)))
    before = run.controls()
    app = opened(lock="training")
    forced(app.select_slider(key="training_rate")).set_value(1e-4).run()
    assert run.controls() == before
    app.button(key="training_pause").click().run()
    assert run.controls() == replace(before, paused=True)


def test_what_is_fixed_is_refused_where_it_is_taken_up(run: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_form.st, "rerun", lambda parts: None)
    before = run.controls()
    st.session_state["training_rate"] = 1e-4
    try:
        for lock, rate in ((("training",), Controls.rate), ((), 1e-4)):
            st.session_state[prepared.PREPARED_KEY] = prepared.Prepared(lock=lock)
            training_form._choose("rate")
            training_acts.changed("rate")
            assert training_form.chosen().rate == rate
            assert run.controls() == replace(before, rate=rate)
    finally:
        for key in (prepared.PREPARED_KEY, session.TRAINING_KEY, "training_rate"):
            st.session_state.pop(key, None)


# --- what stands --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "hide", ["curves", "filters", "forming", "checkpoints", "plan", "curves.filters", "forming.checkpoints"]
)
def test_a_panel_that_is_taken_away_is_not_there_and_the_others_are(hide: str, run: Place) -> None:
    app = opened(hide=hide)
    there = {
        "curves": len(app.get("plotly_chart")) == 2,
        "filters": 'class="cv-filters"' in shown(app),
        "forming": 'class="cv-forming"' in shown(app),
        "checkpoints": any(one.key == "training_checkpoint" for one in app.select_slider),
        "plan": any(one.key == "training_anew" for one in app.button),
    }
    assert {name for name, here in there.items() if not here} == set(hide.split("."))


def test_a_checkpoint_whose_decoder_has_learnt_nothing_is_not_opened_in_pose(run: Place) -> None:
    app = opened()
    keys = [one.key for one in app.button]
    assert "training_open_routing" in keys
    assert "training_open_pose" not in keys  # until step 5 the weight was 0
    assert [drawing_weight(ROWS, step) for step in (0, 5, 9)] == [0, 0, 0.02]
    first = replace(ROWS[0], controls={**CONTROLS, "weight": 0.01})  # of no step yet
    assert drawing_weight((first, ROWS[1]), 5) == 0
    run.write(replace(run.story(), rows=(*ROWS[:1], replace(ROWS[1], controls={**CONTROLS, "weight": 0.01}))))
    assert "training_open_pose" in [one.key for one in opened().button]


def test_of_weights_without_reconstruction_no_pose_is_offered() -> None:
    spec = find("dynamic.mnist")
    assert POSES not in as_trained(spec, {"settings": {"reconstruction": 0.0}}).offers
    for settings in ({"reconstruction": 0.0005}, {}):
        assert as_trained(spec, {"settings": settings}) == spec


def test_pose_says_that_the_decoder_was_never_trained(monkeypatch: pytest.MonkeyPatch) -> None:
    model = session.model_of("dynamic.mnist")
    card = {**model.card, "settings": {**model.card["settings"], "reconstruction": 0.0}}
    monkeypatch.setattr(model, "card", card)
    monkeypatch.setattr(model, "spec", as_trained(model.spec, card))
    app = AppTest.from_file(str(ROOT / "capsviz" / "app" / "main.py"), default_timeout=60)
    app.switch_page("../../pages/pose.py").run()
    assert not app.exception
    assert "was trained without reconstruction" in shown(app)
    assert "choose_attention.mnist" in [one.key for one in app.button]
    app.switch_page("../../pages/routing.py").run()
    assert not app.exception
    assert "Pose" not in " ".join(link.proto.label for link in app.get("page_link"))


def test_which_network_learns_what_it_misreads_and_which_reads_the_drawing(run: Place) -> None:
    page = shown(opened())
    assert "Learns here: dynamic routing, 4 capsule types" in page
    # 5 of 20: Wilson's interval is (0.25 + 2 z² / 80 ± z sqrt(0.1875 / 20 + z² / 1600)) / (1 + z² / 20), z = 1.96.
    assert "5 of 20 held-out images misread: 25.0% (95% interval 11.2% to 46.9%)" in page
    assert "Reads your drawing: CapsNet, dynamic routing, digits" in page
    story = run.story()
    assert story is not None
    run.write(replace(story, told=replace(TOLD, alone=False)))
    assert "5 of 20 held-out images misread: 25.0%<" in shown(opened())
    assert "95%" not in shown(opened())


def test_the_test_error_of_a_checkpoint_is_the_model_page_s(
    run: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "load_card", lambda path: {"test_error": 0.1})
    assert "Of 30 test images, at step 5: 10.0% (95% interval 3.5% to 25.6%) misread. “Model”" in shown(
        opened()
    )
    assert of_card({"test_error": 0.1, "tested": 30}) == (30, pytest.approx((0.0346, 0.2562), abs=1e-4))
    assert of_card({"test_error": 0.1}) is None


@pytest.mark.parametrize("reason", REASONS)
def test_why_it_ended_is_said_once(reason: str, run: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CAPSVIZ_TRAINING_DATA")
    story = run.story()
    assert story is not None
    run.write(replace(story, reason=reason))
    app = opened()
    infos, warnings = ([one.value for one in some] for some in (app.info, app.warning))
    expected = {"asked": (0, 0), **dict.fromkeys(("time", "waited", "server"), (1, 0))}.get(reason, (0, 1))
    assert (len(infos), len(warnings)) == expected
    assert {"time": "Its 15 minutes", "waited": "paused for 30 minutes"}.get(reason, "") in "".join(infos)
    assert "{" not in "".join([*infos, *warnings])
    assert shown(app).count("Ended") == 1
    assert "training_goOn" in [one.key for one in app.button]  # nothing is lost
    run.write(replace(story, reason=reason, checkpoints=()))
    there = [one.key for one in opened().button]
    assert ("training_goOn" in there) == (reason not in ("data", "download"))


def test_a_link_shows_a_checkpoint_and_begins_what_it_began_with(run: Place) -> None:
    app = opened(checkpoint="r7.s5")
    assert app.select_slider(key="training_checkpoint").value == 5
    assert "after 5 steps" in shown(app)
    assert address_of(app) == {"checkpoint": "r7.s5"}
    app.select_slider(key="training_checkpoint").set_value(0).run()
    assert "after 9 steps" in shown(app)
    app = opened()
    app.select_slider(key="training_checkpoint").set_value(5).run()
    began = "dynamic_types.4_R.2_data.made-up_rate.0.005_weight.0_routed.0"
    assert address_of(app) == {"training": began, "checkpoint": "r7.s5"}
    app = opened(training="attention_rate.0.01", checkpoint="r7.s5")  # of what is chosen, nothing is lost
    app.select_slider(key="training_checkpoint").set_value(0).run()
    assert address_of(app) == {"training": "attention_rate.0.01"}


@pytest.mark.parametrize(
    ("text", "said"), [("r8.s5", "is not on this machine"), ("r7.s6", "step 6, has made room")]
)
def test_a_checkpoint_that_is_not_here_is_said_and_what_it_began_with_stays(
    text: str, said: str, run: Place
) -> None:
    app = opened(training="dynamic_rate.0.01", checkpoint=text)
    assert said in app.warning[0].value
    assert address_of(app) == {"training": "dynamic_rate.0.01"}
    assert app.select_slider(key="training_rate").value == 0.01
    assert app.select_slider(key="training_checkpoint").value == 0
    app.run()
    assert said in app.warning[0].value  # however often the page looks again


def test_a_checkpoint_reads_the_drawing_here(run: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def keep(place: Place, plan: Plan, step: int) -> str:
        asked.append((place, plan, step))
        return "attention.mnist"

    monkeypatch.setattr(training.trained, "keep", keep)
    app = opened()
    app.button(key="training_open_here").click().run()
    assert not app.exception
    assert asked == [(run, PLAN, 5)]
    assert address_of(app)["network"] == "attention.mnist"
    app = opened(lock="network")
    assert not [one for one in app.button if one.key.startswith("training_open")]


def test_what_is_clicked_as_a_training_ends_is_done(run: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page runs again as a whole then, which forgets a click that has not been followed."""
    monkeypatch.setattr(training.trained, "keep", lambda *of: "attention.mnist")
    app, part, went = opened(), training._view, [True]
    monkeypatch.setattr(training, "_view", lambda there, going: part(there, went.pop() if went else going))
    app.button(key="training_open_here").click().run()
    assert not app.exception
    assert not went
    assert address_of(app)["network"] == "attention.mnist"


# --- files --------------------------------------------------------------------------------------------------------


def taken(kind: str, stand: Stand | None = None) -> bytes:
    stand = stand or measured_files.stand("training", "")
    assert stand is not None
    return measured_files.training_file(kind, stand, "/training?x=1", dark=False)


def test_before_anything_is_measured_there_is_nothing_to_take_along(place: Place) -> None:
    assert measured_files.offer("training") == {}
    assert measured_files.stand("training", "") is None
    place.folder.mkdir()
    place.write(PLAN)
    place.write(Story("running", told=TOLD))
    assert measured_files.offer("training") == {}


def test_the_curves_are_taken_along_with_where_they_come_from(run: Place) -> None:
    assert measured_files.offer("training") == {"page": ("png", "svg", "csv", "json", "npz")}
    stand = measured_files.stand("training", "")
    assert stand == Stand(
        "dynamic_types.4_R.2_data.made-up_rate.0.005_weight.0_routed.0", run=(7, 9), trained="dynamic"
    )
    st.session_state[session.CHECKPOINT_KEY] = Checkpoint(7, 5)
    assert measured_files.stand("training", "") == replace(stand, step=5)
    for gone in (Checkpoint(7, 6), Checkpoint(8, 5)):
        st.session_state[session.CHECKPOINT_KEY] = gone
        assert measured_files.stand("training", "") == stand
    del st.session_state[session.CHECKPOINT_KEY]
    lines = taken("csv").decode("utf-8-sig").splitlines()
    assert "# link: /training?x=1" in lines
    assert "# network: live.r7" in lines
    head = lines.index("step,seconds,loss,reconstruction,error,entropy,rate,iterations,weight,routed")
    assert lines[head + 1] == "0,0.0000000,,,0.9000000,1.0000000,0.0050000,2,0.0000000,False"
    assert lines[head + 3].startswith(
        "9,4.0000000,0.2500000,40.0000000,0.2500000,0.8000000,0.0050000,2,0.0200000"
    )
    content = json.loads(taken("json"))
    assert content["rows"][1] == {
        **{"step": 5, "seconds": 2.0, "loss": 0.5, "reconstruction": 60.0, "error": 0.5, "entropy": 0.9},
        **CONTROLS,
    }
    assert content["plan"]["types"] == 4
    assert content["data"]["held"] == 20
    assert content["origin"]["settings"]["step"] == 9
    with np.load(io.BytesIO(taken("npz"))) as arrays:
        np.testing.assert_array_equal(arrays["loss"], [np.nan, 0.5, 0.25])
        np.testing.assert_array_equal(arrays["routed"], [False] * 3)
        assert arrays["picture_seen"].shape == (2, 28, 28)
        assert arrays["picture_step"] == 9
        assert list(arrays["classes"]) == list(TOLD.classes)
        assert json.loads(str(arrays["origin"]))["link"] == "/training?x=1"
    (run.folder / "picture.npz").unlink()
    assert measured_files.offer("training") == {"page": ("csv", "json", "npz")}
    with np.load(io.BytesIO(taken("npz"))) as arrays:
        assert "picture_seen" not in arrays


def test_what_has_come_since_is_left_out_and_another_training_is_said(run: Place) -> None:
    early = Stand(run=(7, 5))
    assert [row["step"] for row in json.loads(taken("json", early))["rows"]] == [0, 5]
    for late in (Stand(run=(8, 9)), Stand(run=(7, 10))):
        with pytest.raises(CapsvizError, match="Another training"):
            taken("json", late)


def test_the_picture_is_of_the_checkpoint_that_is_looked_at(
    run: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measured_files, "load_card", lambda path: {"sha256": f"of {path.parent.name}"})
    seen = []

    def slide(rows: Any, picture: Picture, told: Told, **look: Any) -> Any:
        seen.append((len(rows), picture.step, told, look["dark"], look["origin"]))
        return slides_of(rows, picture, told, **look)

    slides_of = slides.training_slide
    monkeypatch.setattr(slides, "training_slide", slide)
    image = Image.open(io.BytesIO(taken("png", Stand(run=(7, 9), step=5))))
    assert image.size == (1920, 1080)
    assert image.text["Source"] == "/training?x=1"  # type: ignore[attr-defined]
    assert json.loads(image.text["Description"])["weights_sha256"] == "of step-0000005"  # type: ignore[attr-defined]
    assert taken("svg").startswith(b"<?xml")
    assert [one[:4] for one in seen] == [(3, 5, TOLD, False), (3, 9, TOLD, False)]
    assert "weights of step" in seen[0][4]
    assert "step 5" in seen[0][4]
    assert "weights" not in seen[1][4]


@pytest.mark.parametrize("spoken", languages())
def test_the_slide_has_room_for_its_words(run: Place, spoken: str) -> None:
    picture = read_picture(run.picture, 10)
    ten = np.arange(10)
    many = picture._replace(
        seen=np.zeros((10, 28, 28), np.uint8),
        redrawn=np.zeros((10, 28, 28), np.uint8),
        labels=ten,
        answers=(ten + 1) % 10,
        filters=np.ones((32, 9, 9), np.float32),
    )
    for shot in (picture, many):
        with speaking(spoken):
            assert_room(slides.training_slide(ROWS, shot, TOLD, origin="x"))
    figure = slides.training_slide(ROWS[:1], picture, TOLD)
    assert figure.axes


def test_a_file_is_named_after_what_is_trained_and_says_which_weights_only_of_a_checkpoint(
    run: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measured_files, "load_card", lambda path: {"sha256": f"of {path.parent.name}"})
    now = measured_files.stand("training", "")
    assert now is not None
    assert now.trained == "dynamic"
    assert "weights_sha256" not in json.loads(taken("json", now))["origin"]
    assert "# weights_sha256" not in taken("csv", now).decode("utf-8-sig")
    early = replace(now, step=5)
    assert json.loads(taken("json", early))["origin"]["weights_sha256"] == "of step-0000005"
    monkeypatch.setattr(ui.session, "network", lambda: "attention.mnist")
    monkeypatch.setattr(
        ui.session, "model", lambda: SimpleNamespace(sha256="", shape=find("dynamic.mnist").shape)
    )
    monkeypatch.setattr(ui.measured_files, "stand", lambda *_: early)
    monkeypatch.setattr(ui, "made", lambda wanted: b"")
    reading: Any = SimpleNamespace(drawing=decode("AWNkYAAA"), iterations=3)
    wish = {"number": 1, "thing": "page", "kind": "csv", "dark": False}
    found = ui._file(wish, "training", reading, {"page": ("csv",)})
    assert found["name"] == "capsviz-training-dynamic.csv"


# --- what is told ---------------------------------------------------------------------------------------------------


def test_going_on_from_a_checkpoint_trains_on_though_it_was_paused(
    run: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_process, "going", lambda _: True)
    run.write(Story("paused", "", 9, 4.0, TOLD, ROWS, (5,)))
    run.write(Controls(iterations=2, paused=True))
    app = opened()
    app.select_slider(key="training_checkpoint").set_value(5).run()
    app.button(key="training_back").click().run()
    now = run.controls()
    assert (now.back, now.number, now.paused) == (5, 1, False)


def test_nothing_is_told_to_a_run_that_has_ended_while_its_process_leaves(
    run: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_process, "going", lambda _: True)
    keys = {button.key for button in opened().button}
    assert not keys & {"training_pause", "training_resume", "training_end", "training_goOn", "training_begin"}


def test_a_file_s_link_opens_the_same(run: Place) -> None:
    wanted = files.Wanted(
        *("training", "dynamic.mnist", "", "AWNkYAAA", 3, "en", "page", "csv", False, None, None, None),
        stand=measured_files.stand("training", ""),
    )
    assert "training=dynamic_types.4_R.2_data.made-up_rate.0.005_weight.0_routed.0" in files.link(wanted)
    assert "checkpoint" not in files.link(wanted)
    assert wanted.stand is not None
    looked = replace(wanted, stand=replace(wanted.stand, step=5))
    assert files.link(looked).endswith("&checkpoint=r7.s5")
