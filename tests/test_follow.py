"""Parts that follow the drawing: a callback has them run and nothing else, where nothing else follows it."""

import pytest
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

    @follow.follows(follow.PAGE_PART)
    def body() -> None:
        ran("page")
        if st.session_state.get("over"):
            raise follow.Ended
        st.text("all")

    follow.begin()
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


def test_without_a_session_nothing_is_run() -> None:
    follow.run_parts()
