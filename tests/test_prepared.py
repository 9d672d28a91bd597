"""Pages that a link prepares, and the page that makes such a link: what is hidden is not sent, what is fixed stays."""

import html
import json
import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from reference import assert_one_sentence
from streamlit.testing.v1 import AppTest
from test_pages import PAGES, ROOT, address_of, reading, shown, told

from capsviz.app import address, draft, lesson_page, pad, panels, prepared, routing, session, tour
from capsviz.app.draft import Draft
from capsviz.app.pages import pages
from capsviz.inputs.drawings import Drawing, encode
from capsviz.networks.base import DEFAULT, find
from capsviz.texts import say

LESSON = "../../pages/lesson.py"
PAPER, ATTENTION, PLAIN = (find(name) for name in (DEFAULT, "attention.mnist", "cnn.mnist"))


def opened(page: str = PAGES[0], **link: str) -> AppTest:
    """The app at a link."""
    app = AppTest.from_file(str(ROOT / "capsviz" / "app" / "main.py"), default_timeout=60)
    app.query_params.update(link)
    if page != PAGES[0]:
        app.switch_page(page)
    app.run()
    assert not app.exception
    return app


def question(app: AppTest) -> str:
    found = re.search(r'<h1 class="cv-question">(.*?)</h1>', shown(app))
    assert found
    return found[1]


def declared(app: AppTest) -> dict[str, str]:
    """What the scripts of the views read on the document."""
    found = re.search(r"dataset, (\{.*?\})\);", shown(app))
    assert found
    said: dict[str, str] = json.loads(found[1])
    return said


# --- the table ----------------------------------------------------------------------------------------------------


def test_every_panel_stands_on_a_page_and_has_words() -> None:
    names = [panel.name for panel in panels.PANELS]
    assert len(names) == len(set(names))
    assert {panel.page for panel in panels.PANELS} == {
        *("", "draw", "routing", "pose", "overlap", "compare", "inside", "class", "model", "training", "lab")
    }
    for name in panels.HIDEABLE:
        assert say(f"panel.{name}")
    assert set().union(*map(set, panels.LOCKS.values())) <= {page.name for page in pages()}


def test_what_stands_depends_on_the_network() -> None:
    def here(page: str, network: Any) -> set[str]:
        return {panel.name for panel in panels.of_page(page, network) if panel.page}

    both = {"picture", "algorithm", "scale", "clouds", "microscope", "surgery"}
    assert here("routing", PAPER) == both | {"clock", "iterations", "places", "film"}
    assert here("routing", ATTENTION) == both | {"matrix", "drawn"}
    assert {"redrawn", "compared", "each"} & here("draw", PLAIN) == set()
    assert "iterations" in panels.locks_of("routing", PAPER)
    assert "iterations" not in panels.locks_of("routing", ATTENTION)
    assert "pose" not in panels.locks_of("routing", PAPER)


# --- what is taken away -------------------------------------------------------------------------------------------


def test_what_is_hidden_is_not_sent() -> None:
    app = opened(hide="seen.each.replay.doors.network.film")
    body = shown(app)
    for name in ("maps", "primary", "lengths", "redrawn", "compared"):
        assert f'data-panel="{name}"' in body
    for name in ("seen", "each"):
        assert f'data-panel="{name}"' not in body
    assert body.count('class="cv-arrow"') == 3  # between four stations
    assert not app.get("page_link")
    assert not [view for view in app.get("bidi_component") if view.proto.component_name == "capsviz_replay"]
    assert declared(app) == {"hide": "network doors seen each replay film", "lock": ""}
    assert address_of(app)["hide"] == "network.doors.seen.each.replay.film"
    everything = "seen.maps.primary.lengths.redrawn.compared.each"
    assert 'class="cv-frame"' not in shown(opened(hide=everything))


def test_pad_and_answer_are_there_and_out_of_sight_and_with_both_the_rail() -> None:
    def rules(hide: str) -> str:
        return shown(opened(hide=hide)).partition("<style>")[2].partition("</style>")[0]

    assert rules("seen") == ""
    assert ".st-key-canvas" in rules("pad")
    assert ".cv-reading" not in rules("pad")
    assert ".cv-reading" in rules("answer")
    assert ".st-key-canvas" not in rules("answer")
    assert ":has(> .st-key-rail)" not in rules("pad") + rules("answer")
    assert ":has(> .st-key-rail)" in rules("pad.answer")


def test_surgery_is_not_sent_and_the_model_page_leaves_no_heading_behind() -> None:
    app = opened(PAGES[1], hide="surgery")
    names = [view.proto.component_name for view in app.get("bidi_component")]
    assert "capsviz_routing" in names
    assert "capsviz_surgery" not in names
    app = opened(PAGES[3], hide="networks.headline.layers.measured.training.limits.facts")
    assert "cv-heading" not in shown(app).replace(".cv-heading", "")
    assert not app.get("plotly_chart")
    app = opened(PAGES[3], hide="networks.layers.measured.training.facts")
    headings = re.findall(r'<h2 class="cv-heading">(.*?)</h2>', shown(app))
    titles = [say("model.chosen", network=PAPER.title), say("model.trainedFor"), say("model.cannot")]
    assert headings == [html.escape(title) for title in titles]


def test_what_is_none_is_said_once_and_the_rest_is_done() -> None:
    app = opened(hide="seen.<script>", lock="network.x", ask="Why?")
    assert question(app) == "Why?"
    assert declared(app) == {"hide": "seen", "lock": "network"}
    assert "docs/links.md" in app.error[0].value
    assert "<script>" not in app.error[0].value


# --- what is asked ------------------------------------------------------------------------------------------------


def test_a_question_stands_on_its_page_alone_and_as_plain_text() -> None:
    app = opened(ask="<img src=x onerror=alert(1)> *Why?*")
    assert question(app) == "&lt;img src=x onerror=alert(1)&gt; *Why?*"
    assert address_of(app) == {"ask": "<img src=x onerror=alert(1)> *Why?*", "on": "draw"}
    app.switch_page(PAGES[1]).run()
    assert question(app) == say("routing.question")
    assert address_of(app)["on"] == "draw"  # of another page, and not forgotten
    app.switch_page(PAGES[0]).run()
    assert "Why?" in question(app)
    app = opened(PAGES[1], ask="Why?", on="draw")  # as it is loaded again there
    assert question(app) == say("routing.question")


def test_an_answer_begins_covered_and_says_so_in_the_address() -> None:
    app = opened(answer="hidden")
    assert 'data-testid="answer"' not in shown(app)
    assert address_of(app) == {"answer": "hidden"}
    app.button(key="predict").click().run()
    assert 'data-testid="answer"' in shown(app)
    assert address_of(app) == {}


# --- what is fixed ------------------------------------------------------------------------------------------------


def press(app: AppTest, key: str, *fixed: str) -> None:
    """A button is pressed on a page that was drawn before something was fixed, as by a forged message."""
    app.session_state[prepared.PREPARED_KEY] = prepared.Prepared(lock=fixed)
    app.button(key=key).click().run()
    assert not app.exception


def test_a_fixed_control_is_seen_disabled_and_does_nothing() -> None:
    link = {"R": "5", "drawing": encode(Drawing(example=3))}
    app = opened(lock="drawing.iterations.predict", **link)
    assert all(app.button(key=key).disabled for key in ("clear", "undo", "trained", "predict"))
    assert app.button(key="clear").help == say("common.fixed")
    assert app.slider(key=pad.WIDTH_KEY).disabled
    for key, fixed in (
        ("clear", "drawing"),
        ("undo", "drawing"),
        ("trained", "iterations"),
        ("predict", "predict"),
    ):
        app = opened(**link)
        app.session_state[pad.HISTORY_KEY].insert(0, Drawing())  # for undo to go back to
        app.run()
        press(app, key, fixed)
        assert reading(app).drawing.example == 3, key
        assert app.session_state[session.ITERATIONS_KEY][DEFAULT] == 5, key
        assert 'data-testid="answer"' in shown(app), key
    app = opened(answer="hidden")
    press(app, "uncover", "predict")
    assert 'data-testid="answer"' not in shown(app)  # it can be guessed, that is all
    assert app.button(key="uncover").disabled


def test_the_tab_s_own_drawing_does_not_take_the_place_of_a_fixed_one() -> None:
    app = AppTest.from_file(str(ROOT / "capsviz" / "app" / "main.py"), default_timeout=60)
    app.query_params["lock"] = "drawing"
    blank = encode(Drawing())
    kept = {"drawing": blank, "told": blank, "tag": [1, 1], "width": 22, "live": True, "search": "?R=5"}
    app.session_state[pad.KEEPER_KEY] = {"kept": kept}
    app.run()
    assert reading(app).drawing.example == 0
    assert app.session_state[session.ITERATIONS_KEY] == {DEFAULT: 5}  # the rest of its address is followed


@pytest.mark.parametrize("fixed", [False, True])
def test_an_experiment_that_is_fixed_stays_the_link_s(fixed: bool) -> None:
    app = opened(PAGES[1], surgery="uniform", **({"lock": "surgery"} if fixed else {}))
    app.session_state[routing.SURGERY_KEY] = {"operation": {"coupling": "random", "number": 1}}
    app.run()
    assert told(app, "surgery")["operation"]["coupling"] == ("uniform" if fixed else "random")


def test_no_lesson_begins_where_what_it_sets_is_fixed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert any(button.key == "tour_start" for button in opened(lock="predict.step").button)
    for name in ("drawing", "network", "iterations", "page"):
        assert not any(button.key == "tour_start" for button in opened(lock=name).button)
    app = opened("../../pages/lessons.py", lock="network")
    assert not any(str(button.key).startswith("begin_") for button in app.button)
    app = opened(lock="network", lesson="tour", stop="2")  # the link's own goes on
    assert app.session_state[session.STOP_KEY] == ("tour", 2)
    monkeypatch.setattr(prepared, "locked", lambda control: control == "network")
    for stop, barred in ((None, True), (("tour", 2), False)):
        monkeypatch.setattr(session, "stop_of_lesson", lambda stop=stop: stop)
        assert tour.barred() is barred


def test_a_link_that_keeps_to_its_page_leads_back_there() -> None:
    app = opened(PAGES[1], lock="page", ask="Why?")
    app.switch_page(PAGES[0]).run()
    assert question(app) == "Why?"
    assert "capsviz_routing" in [view.proto.component_name for view in app.get("bidi_component")]
    assert not app.get("page_link")
    assert address_of(app)["on"] == "routing"


def test_one_button_shows_everything_again() -> None:
    app = opened(hide="seen.pad", lock="drawing.page.predict", ask="Why?", answer="hidden")
    app.button(key="prepared_leave").click().run()
    assert 'data-panel="seen"' in shown(app)
    assert 'data-testid="answer"' in shown(app)
    assert question(app) == say("draw.question")
    assert declared(app) == {"hide": "", "lock": ""}
    assert address_of(app) == {}
    assert not any(button.key == "prepared_leave" for button in app.button)


def test_a_question_alone_takes_nothing_away_and_stands_on_a_stage_too() -> None:
    app = opened(ask="Why?")
    assert say("prepared.asks") in shown(app)
    assert say("prepared.says") not in shown(app)
    assert say("prepared.says") in shown(opened(ask="Why?", hide="seen"))
    (talk,) = (
        element.proto
        for element in app.get("bidi_component")
        if element.proto.component_name == "capsviz_talk"
    )
    assert json.loads(talk.json)["ask"] == "Why?"


# --- the page that makes such a link ------------------------------------------------------------------------------


def test_a_draft_is_what_its_text_says() -> None:
    made = Draft(
        "routing",
        {"step": "3", "clouds": "7.8", "surgery": "random_seed.3"},
        ("film",),
        ("network", "page"),
        "Where & why? 100%",
        True,
        "de",
    )
    assert draft.of_link(made.text, PAPER.shape) == made
    assert draft.of_link(f"http://h:1/x/{made.text}", PAPER.shape) == made
    assert draft.of_link("", PAPER.shape) == Draft("draw")
    assert draft.of_link("http://h/lessons?step=3&R=5&hide=film", PAPER.shape) == Draft(
        "draw", hide=("film",)
    )
    assert draft.of_link("pose?step=3&pose=1,2", PAPER.shape).views == {"pose": "1,2"}
    long = Draft("pose", {"pose": "0.12345678901234567890," * 190}, ("film",))
    assert len(long.text) < 100  # without what an address has no room for
    assert draft.of_link(long.text, PAPER.shape) == Draft("pose", hide=("film",))


def made(app: AppTest) -> dict[str, str]:
    """What the link says that the page shows."""
    data = told(app, lesson_page.LINK_KEY)
    assert data["link"] == data["outside"]  # nothing is known of an address here
    return {"": urlsplit(data["link"]).path.strip("/"), **dict(parse_qsl(urlsplit(data["link"]).query))}


def test_what_is_ticked_and_asked_is_what_the_link_says() -> None:
    app = opened(LESSON, draft="routing?step=3&hide=film", R="5")
    drawing = encode(Drawing(example=0))
    assert made(app) == {"": "routing", "R": "5", "drawing": drawing, "step": "3", "hide": "film"}
    boxes = {box.label: box for box in app.checkbox}
    assert not boxes[say("panel.film")].value
    assert boxes[say("panel.clock")].value
    assert not boxes[say("lock.network")].value
    app.checkbox(key="prepare_shown_film").check().run()
    app.checkbox(key="prepare_shown_surgery").uncheck().run()
    app.checkbox(key="prepare_fixed_network").check().run()
    app.checkbox(key="prepare_fixed_page").check().run()
    app.checkbox(key="prepare_covered").check().run()
    app.text_input(key="prepare_ask").set_value(" Which places\nvote? ").run()
    app.button_group(key="prepare_language").set_value("de").run()
    expected = {"": "routing", "R": "5", "drawing": drawing, "step": "3", "hide": "surgery"}
    expected |= {"lock": "network.page", "ask": "Which places vote?", "answer": "hidden", "lang": "de"}
    assert made(app) == expected
    assert address.read({k: v for k, v in expected.items() if k}, lambda name: PAPER.shape).problem == ""
    app.button(key="clear").click().run()  # the drawing is the pad's, whatever it is by then
    assert made(app)["drawing"] == encode(Drawing())
    app.checkbox(key="prepare_fixed_page").uncheck().run()
    app.checkbox(key="prepare_covered").uncheck().run()
    app.text_input(key="prepare_ask").set_value("").run()
    app.button_group(key="prepare_page").set_value("draw").run()
    found = made(app)
    assert (found[""], found["lock"], found["lang"]) == ("", "network", "de")
    assert not {"ask", "answer", "step"} & set(found)  # nor what another page's views had said


def test_the_lesson_page_s_own_address_has_it_and_other_pages_do_not() -> None:
    app = opened(LESSON, draft="pose?hide=sweep&ask=Why")
    assert address_of(app)["draft"] == "pose?hide=sweep&ask=Why"
    assert declared(app) == {"hide": "", "lock": ""}  # nothing is taken away from who prepares it
    app.switch_page(PAGES[0]).run()
    assert "draft" not in address_of(app)
    app.switch_page(LESSON).run()
    assert made(app)["hide"] == "sweep"
    assert app.text_input(key="prepare_ask").value == "Why"


def test_what_stands_there_in_words_is_escaped_and_bounded() -> None:
    app = opened(LESSON, draft="routing?step=<b>" + "9" * 3000 + "&digit=7&scale=*c*")
    found = re.findall(r'<p class="cv-note">(.*?)</p>', shown(app))
    assert "class “7”" in html.unescape(found[0])
    assert "<b>" not in found[0]
    assert len(found[0]) < 400
    assert_one_sentence(html.unescape(found[0]), "CapsNet")


def test_a_page_s_link_is_taken_along_and_what_it_prepares_is_let_go() -> None:
    app = opened(PAGES[1], hide="film", lock="page", ask="Why?", answer="hidden")
    link = "http://127.0.0.1:8501/routing?hide=film&lock=page&ask=Why%3F&on=routing&answer=hidden&step=3&drawing=AWNkYAAA"
    app.session_state[draft.session.DRAFT_KEY] = draft.of_link(link, PAPER.shape).text
    assert (
        app.session_state[session.DRAFT_KEY] == "routing?step=3&hide=film&lock=page&ask=Why%3F&answer=hidden"
    )
    assert prepared.Prepared() != app.session_state[prepared.PREPARED_KEY]


def test_what_a_link_covers_is_covered_again_when_the_page_is_loaded_anew() -> None:
    """Whoever uncovers all answers with a key has not changed the link that was handed out."""
    app = opened(answer="hidden", hide="doors")
    app.button(key="predict").click().run()
    assert 'data-testid="answer">2<' in shown(app)
    assert told(app, "share")["says"]["answer"] == "hidden"
    app.button(key="prepared_leave").click().run()
    assert "answer" not in told(app, "share")["says"]


def test_keys_of_what_is_fixed_or_taken_away_are_not_listed() -> None:
    def listed(**link: str) -> set[str]:
        return {key["name"] for key in told(opened(PAGES[1], **link), "keys")["keys"]}

    every = listed()
    assert every - listed(lock="step") == {"step", "ends", "play"}
    assert every - listed(hide="clock") == {"play"}
    assert every - listed(lock="drawing.predict") == {"undo", "clear", "predict"}
    assert every - listed(hide="pad") == {"undo", "clear"}
