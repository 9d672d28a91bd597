"""Parts that follow the drawing: a callback has them run and nothing else, where nothing else follows it."""

import textwrap
from pathlib import Path
from types import SimpleNamespace

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from capsviz.app import follow


def the_page() -> None:
    """Counts, in the session's state, how often each of its pieces has run."""
    import streamlit as st

    from capsviz.app import follow

    runs = st.session_state.setdefault("runs", {})

    def ran(name: str) -> None:
        runs[name] = runs.get(name, 0) + 1

    @follow.follows("canvas")
    def canvas() -> None:
        ran("canvas")

    @follow.follows("inner")
    def inner() -> None:
        ran("inner")

    @follow.follows(follow.PAGE_PART)
    def body() -> None:
        ran("page")
        if st.session_state.get("nested"):
            inner()
        if st.session_state.get("over"):
            raise follow.Ended
        st.text("all")

    follow.begin("one")
    ran("whole")
    st.button("draw", key="draw", on_click=follow.run_parts, args=("canvas",))
    st.button("undo", key="undo", on_click=follow.run_parts)
    canvas()
    if not st.session_state.get("other"):
        body()
    if st.session_state.get("cut"):
        st.stop()
    follow.settle(not st.session_state.get("lesson"))


@pytest.fixture
def app() -> AppTest:
    return AppTest.from_function(the_page, default_timeout=30).run()


def runs(app: AppTest) -> dict[str, int]:
    found: dict[str, int] = app.session_state["runs"]
    return found


def test_parts_run_alone_and_one_may_know_already(app: AppTest) -> None:
    assert runs(app) == {"whole": 1, "canvas": 1, "page": 1}
    app.button(key="draw").click().run()
    assert runs(app) == {"whole": 1, "canvas": 1, "page": 2}
    app.run()
    app.button(key="undo").click().run()
    assert runs(app) == {"whole": 2, "canvas": 3, "page": 4}


@pytest.mark.parametrize("what", ["lesson", "other", "cut"])
def test_the_whole_page_runs_where_more_follows_or_a_run_was_cut_off(app: AppTest, what: str) -> None:
    """Or the page has no part that is all of it but its frame."""
    app.session_state[what] = True
    app.run()
    app.button(key="draw").click().run()
    assert runs(app)["whole"] == 3
    app.session_state[what] = False
    app.run()
    app.button(key="draw").click().run()
    assert runs(app)["whole"] == 4


def test_a_part_may_end_early_and_the_page_goes_on(app: AppTest) -> None:
    app.session_state["over"] = True
    app.run()
    assert not app.exception
    assert not app.text
    app.button(key="draw").click().run()
    assert not app.exception
    assert runs(app) == {"whole": 2, "canvas": 2, "page": 3}


def test_a_part_within_another_is_one_of_the_parts_as_long_as_it_is_there(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[str]] = []
    rerun = st.rerun
    monkeypatch.setattr(st, "rerun", lambda names: asked.append(names) or rerun(names))
    app.session_state["nested"] = True
    app.run()
    assert app.session_state["parts"] == {"canvas": "", "inner": "page", "page": ""}
    app.button(key="draw").click().run()
    assert runs(app) == {"whole": 2, "canvas": 2, "page": 3, "inner": 2}  # not once more for itself
    app.run()
    app.session_state["nested"] = False
    app.button(key="draw").click().run()  # asks for it by its name: it was there
    assert not app.exception
    assert app.session_state["parts"] == {"canvas": "", "page": ""}
    assert [set(names) for names in asked] == 2 * [{"inner", "page"}]
    assert runs(app) == {"whole": 3, "canvas": 3, "page": 5, "inner": 3}


PAGE = """
    import streamlit as st
    from streamlit.errors import StreamlitAPIException
    from streamlit.runtime.scriptrunner import get_script_run_ctx
    from capsviz.app import follow

    @follow.follows("canvas")
    def canvas():
        pass

    @follow.follows(follow.PAGE_PART)
    def body():
        st.text("{name}")

    def known(part):
        try:
            return bool(get_script_run_ctx().fragment_storage.resolve_target(part))
        except StreamlitAPIException:
            return False

    follow.begin("{name}")
    st.session_state["known"] = known("canvas"), known("page")
    st.session_state.setdefault("begun", []).append("{name}")
    st.button("draw", key="draw", on_click=follow.run_parts, args=("canvas",))
    canvas()
    body()
    follow.settle(True)
"""


@pytest.fixture
def two(tmp_path: Path) -> AppTest:
    """An app of two pages, the second in the folder of Streamlit's first kind of pages."""
    (tmp_path / "pages").mkdir()
    for name, path in (("one", tmp_path / "one.py"), ("two", tmp_path / "pages" / "two.py")):
        path.write_text(textwrap.dedent(PAGE.format(name=name)), "utf-8")
    return AppTest.from_file(tmp_path / "one.py", default_timeout=30).run()


def test_a_drawing_that_comes_with_the_next_page_does_not_keep_that_from_opening(two: AppTest) -> None:
    two.button(key="draw").click()
    two.switch_page("pages/two.py").run()
    assert two.session_state["begun"] == ["one", "two"]
    assert [text.value for text in two.text] == ["two"]
    assert "parts_back" not in two.session_state
    two.button(key="draw").click().run()
    assert two.session_state["begun"] == ["one", "two"]


def test_a_page_that_is_left_is_forgotten_as_the_next_begins_and_the_frame_is_not(two: AppTest) -> None:
    assert two.session_state["known"] == (False, False)
    two.run()
    assert two.session_state["known"] == (True, True)
    two.switch_page("pages/two.py").run()
    assert two.session_state["known"] == (True, False)


def test_a_page_that_was_opened_by_its_address_is_not_left_as_the_browser_calls_it_by_its_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    manager = SimpleNamespace(current_page_script_hash="one")
    context = SimpleNamespace(page_script_hash="app", pages_manager=manager)
    monkeypatch.setattr(follow, "get_script_run_ctx", lambda: context)
    monkeypatch.setattr(st, "session_state", {})
    assert not follow._left()
    follow.begin("one")
    left = {}
    for context.page_script_hash in ("app", "one", "two"):
        left[context.page_script_hash] = follow._left()
    assert left == {"app": False, "one": False, "two": True}


def test_without_a_session_nothing_is_run() -> None:
    follow.run_parts()
