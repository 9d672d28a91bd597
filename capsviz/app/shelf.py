"""The Lessons page: every lesson with what it takes, asks and shows, its link, and a button to begin."""

import html
import re
from urllib.parse import urlencode, urlsplit, urlunsplit

import streamlit as st

from capsviz.app import parameters, session, talk, talk_links, tour
from capsviz.app.lesson_file import Lesson
from capsviz.app.lessons import shelf, spoken
from capsviz.app.menu import plain
from capsviz.texts import say

PASTED_KEY = "pasted_links"  # the field
ARXIV = re.compile(r"arXiv:(\d{4}\.\d{4,5})")


def lessons() -> None:
    """All of the page."""
    found = shelf()
    for fault in found.faults:
        st.html(f'<p class="cv-note" data-testid="fault">{html.escape(fault.sentence)}</p>')
    _own()
    with st.container(key="shelf"):
        for lesson in found.lessons.values():
            with st.container(border=True, key=f"lesson_{lesson.name}"):
                st.html(card(lesson))
                _ways(lesson)
    st.html(f'<p class="cv-note">{html.escape(say("lessons.more"))}</p>')


def card(lesson: Lesson) -> str:
    """HTML of what is said of a lesson."""
    title, notice = html.escape(spoken(lesson.title)), html.escape(spoken(lesson.notice))
    minutes = say("lessons.minutes", count=lesson.minutes, stops=len(lesson.steps))
    questions = "".join(f"<li>{html.escape(question)}</li>" for question in spoken(lesson.questions))
    sources = ARXIV.sub(
        # A paper may stand below several lessons: each link has a name of its own.
        lambda found: (
            f'<a href="https://arxiv.org/abs/{found[1]}" target="_blank" rel="noopener" data-verbatim '
            f'aria-label="{found[0]}, {title}">{found[0]}</a>'
        ),
        html.escape(", ".join(lesson.sources)),
    )
    read = f'<p class="cv-sources">{say("lessons.sources", sources=sources)}</p>' if sources else ""
    return (
        f'<article class="cv-lesson"><h2 data-verbatim>{title}</h2><p class="cv-minutes">{minutes}</p>'
        f"<ul data-verbatim>{questions}</ul><p>{say('lessons.notice', text=notice)}</p>{read}</article>"
    )


def _ways(lesson: Lesson) -> None:
    """The ways to begin; without its weights, why there are none."""
    if tour.barred():
        return
    lacks = tour.lacking(lesson)
    if lacks:
        st.html(f"<p>{html.escape(say('lessons.lacks', networks=', '.join(lacks)))}</p>")
        return
    # A button's name says which lesson it is of; only who cannot see the card needs that (frame.css).
    stop, title = tour.place(lesson.name), plain(spoken(lesson.title))
    with st.container(horizontal=True, gap="small"):
        st.button(
            say("lessons.begin", title=title) if stop == 1 else say("lessons.again", stop=stop, title=title),
            key=f"begin_{lesson.name}",
            icon=":material/play_arrow:",
            on_click=tour.start,
            args=(lesson.name,),
        )
        st.button(
            say("talk.present", title=title),
            key=f"present_{lesson.name}",
            icon=":material/slideshow:",
            on_click=talk.present,
            args=(lesson.name,),
        )
        with st.popover(say("lessons.link", title=title), icon=":material/link:", key=f"link_{lesson.name}"):
            st.caption(say("lessons.linkTip"))
            st.code(link(lesson), language=None, wrap_lines=True)


def _own() -> None:
    """A talk of links that are pasted."""
    with st.expander(
        say("talk.links.question"), icon=":material/slideshow:", expanded=bool(talk_links.faults())
    ):
        st.text_area(
            say("talk.links.label"), talk_links.text() or "", key=PASTED_KEY, help=say("talk.links.how")
        )
        for fault in talk_links.faults():
            st.html(f'<p class="cv-note" data-testid="fault">{html.escape(fault)}</p>')
        st.button(
            say("talk.links.present"), key="present_links", icon=":material/slideshow:", on_click=_present
        )


def _present() -> None:
    if talk_links.take(st.session_state[PASTED_KEY]):
        talk.present(talk_links.LINKS)


def link(lesson: Lesson) -> str:
    """Address that begins with a lesson."""
    here = urlsplit(st.context.url or "")
    said = {name: value for name, value in session.said().items() if name == parameters.LANGUAGE} | {
        parameters.LESSON: lesson.name
    }
    # The app's own address: what comes before the page, which the lesson chooses itself.
    base = here.path.rstrip("/").rpartition("/")[0]
    return urlunsplit((here.scheme, here.netloc, f"{base}/", urlencode(said), ""))
