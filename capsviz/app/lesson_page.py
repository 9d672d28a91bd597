"""The Lesson page: what a class is to see of a page, what it can change there and what it is asked, as a link."""

import html
from contextlib import suppress
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

import streamlit as st

from capsviz.app import address, assets, draft, pad, panels, parameters, session, share
from capsviz.app.draft import Draft
from capsviz.checks import quoted
from capsviz.errors import MessageError
from capsviz.texts import languages, name_of, noun, say, spelled

LINK_KEY = "lesson_link"  # the component with preview and link
PREVIEW = "embed"  # Streamlit's own parameter: without its bar

_link = assets.component("capsviz_lesson_link", "lesson_link")


def prepare() -> None:
    """All of the page."""
    now = draft.now()
    left, right = st.columns([9, 11], gap="medium")
    with left:
        _which(now)
        _shown(now)
        _fixed(now)
        _asked(now)
    with right:
        outside = share.from_outside(_whole(now))
        data = {
            "title": say(f"{now.page}.title"),
            "link": _whole(now),
            "outside": outside,
            "preview": _address(now, {PREVIEW: "true"}),
            "remains": _remains(now),
            "draft": st.session_state.get(session.DRAFT_KEY, ""),
            "code": share.qr_code(outside),
            "texts": assets.words("lesson_link"),
        }
        _link(key=LINK_KEY, data=data, on_kept_change=_kept)


def _kept() -> None:
    """The tab has a draft from before its server, or the page, was begun anew."""
    sent = st.session_state[LINK_KEY].get("kept")
    if session.DRAFT_KEY not in st.session_state and isinstance(sent, str):
        with suppress(
            MessageError
        ):  # the tab's own, and nobody has asked for it: what cannot be read is none
            st.session_state[session.DRAFT_KEY] = parameters.draft(sent)


# --- the link -------------------------------------------------------------------------------------------------


def _address(now: Draft, more: dict[str, str]) -> str:
    """The link from its page's name on."""
    said = session.said()
    kept = (parameters.NETWORK, parameters.ITERATIONS, parameters.PEN)
    query = {name: said[name] for name in kept if name in said}
    carried = address.drawing_text(pad.current())
    query |= {} if carried is None else {parameters.DRAWING: carried}
    first = draft.can_be_prepared()[0]
    return f"{'' if now.page == first else now.page}?{urlencode(query | now.query | more, safe=',.')}"


def _whole(now: Draft) -> str:
    here = urlsplit(st.context.url or "")
    base = here.path.rstrip("/").rpartition("/")[0]
    path, _, query = _address(now, {}).partition("?")
    return urlunsplit((here.scheme, here.netloc, f"{base}/{path}", query, ""))


# --- its controls ---------------------------------------------------------------------------------------------


def _which(now: Draft) -> None:
    """The page, and how it is left."""
    st.pills(
        say("lesson.page"),
        draft.can_be_prepared(),
        default=None,
        key=_is("page", now.page),
        format_func=lambda name: say(f"{name}.title"),
        on_change=_choose_page,
    )
    st.html(f'<p class="cv-note">{html.escape(_in_words(now))}</p>')


def _in_words(now: Draft) -> str:
    """How the page opens."""
    network = session.spec()
    said = [say("lesson.opens", network=network.title, drawing=_drawing())]
    if network.shape.iterates:
        said.append(f"R = {session.iterations()}")
    for name, value in now.views.items():
        if name == "digit" and value.isdecimal() and int(value) < len(network.shape.classes):
            value = network.shape.classes[int(value)]
        said.append(say(f"lesson.view.{name}", value=quoted(value)))
    return ", ".join(said) + "."


def _drawing() -> str:
    drawing = pad.current()
    return say("lesson.drawn" if address.drawing_text(drawing) is not None else "lesson.undrawn")


def _shown(now: Draft) -> None:
    """A box for each panel, in the page's order."""
    here = [panel for panel in panels.of_page(now.page, session.spec()) if panel.hides]
    st.html(f'<h2 class="cv-heading">{html.escape(say("lesson.shown"))}</h2>')
    with st.container(key="prepare_shown"):
        for panel in [panel for panel in here if panel.page] + [panel for panel in here if not panel.page]:
            st.checkbox(
                say(f"panel.{panel.name}"),
                key=_is(f"shown_{panel.name}", panel.name not in now.hide),
                on_change=_show,
                args=(panel.name,),
            )


def _fixed(now: Draft) -> None:
    """A box for each control that can be fixed there."""
    st.html(f'<h2 class="cv-heading">{html.escape(say("lesson.fixed"))}</h2>')
    with st.container(key="prepare_fixed"):
        for name in panels.locks_of(now.page, session.spec()):
            st.checkbox(
                say(f"lock.{name}"),
                key=_is(f"fixed_{name}", name in now.lock),
                on_change=_fix,
                args=(name,),
            )


def _asked(now: Draft) -> None:
    """Question, whether answers begin covered, and the language."""
    st.html(f'<h2 class="cv-heading">{html.escape(say("lesson.asked"))}</h2>')
    shape = session.spec().shape
    own = say(f"{now.page}.question", count=spelled(shape.pose), kind=noun(shape.kind))
    st.text_input(
        say("lesson.ask"),
        key=_is("ask", now.ask),
        max_chars=parameters.MOST_ASKED,
        placeholder=own,
        on_change=_ask,
    )
    st.checkbox(say("lesson.covered"), key=_is("covered", now.covered), on_change=_cover)
    if len(languages()) > 1:
        st.pills(
            say("lesson.language"),
            ("", *languages()),
            key=_is("language", now.language),
            format_func=lambda code: name_of(code) if code else say("lesson.anyLanguage"),
            on_change=_speak,
        )


def _remains(now: Draft) -> str:
    """What is seen of the page, in words."""
    here = [panel for panel in panels.of_page(now.page, session.spec()) if panel.hides]
    left = [say(f"panel.{panel.name}") for panel in here if panel.name not in now.hide]
    return say("lesson.remains", panels=", ".join(left)) if left else say("lesson.nothing")


def _is(name: str, value: Any) -> str:
    """The key of a widget that shows ``value``: Streamlit forgets it when the page is left, the draft does not."""
    key = f"prepare_{name}"
    st.session_state[key] = value
    return key


def _sent(name: str) -> Any:
    return st.session_state.get(f"prepare_{name}")


def _choose_page() -> None:
    page = _sent("page")
    if page in draft.can_be_prepared():  # not where the one that is chosen was pressed again
        now = draft.now()
        draft.keep(now if page == now.page else replace(now, page=page, views={}))


def _show(name: str) -> None:
    """The box of a panel was pressed."""
    now, shown = draft.now(), _sent(f"shown_{name}") is True
    draft.keep(
        replace(now, hide=tuple(one for one in panels.HIDEABLE if _among(one, name, now.hide, not shown)))
    )


def _fix(name: str) -> None:
    """The box of a control was pressed."""
    now, fixed = draft.now(), _sent(f"fixed_{name}") is True
    draft.keep(replace(now, lock=tuple(one for one in panels.LOCKS if _among(one, name, now.lock, fixed))))


def _among(one: str, pressed: str, names: tuple[str, ...], on: bool) -> bool:
    return on if one == pressed else one in names


def _ask() -> None:
    sent = _sent("ask")
    found = ""
    if isinstance(sent, str) and sent.strip():
        try:
            found = parameters.question(sent)
        except MessageError as error:
            st.session_state[pad.PROBLEM_KEY] = str(error)
            return
    draft.keep(replace(draft.now(), ask=found))


def _cover() -> None:
    draft.keep(replace(draft.now(), covered=_sent("covered") is True))


def _speak() -> None:
    code = _sent("language")
    draft.keep(replace(draft.now(), language=code if code in languages() else ""))
