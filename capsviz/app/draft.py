"""A link that somebody makes for a class: the page as it was left, and what is to be taken away, fixed and asked there."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

import streamlit as st

from capsviz.app import address, prepared, session
from capsviz.app.pages import pages
from capsviz.app.panels import PANELS
from capsviz.app.parameters import (
    ANSWER,
    ASK,
    HIDDEN,
    HIDE,
    LANGUAGE,
    LOCK,
    LONGEST_DRAFT,
    PARAMETERS,
    SURGERY,
)
from capsviz.networks.base import find
from capsviz.traces.base import Shape


@dataclass(frozen=True)
class Draft:
    """A link that is being made; network, drawing, iterations and pen are the session's, whatever they are by then.

    Attributes:
        page: name of the page that it opens.
        views: what the page's views say in its address.
        hide: names of panels (``panels.HIDEABLE``) that it takes away.
        lock: names of controls (``panels.LOCKS``) that it fixes.
        ask: its question; "" for the page's own.
        covered: whether answers begin covered.
        language: code of the language that it speaks; "" for the reader's.
    """

    page: str
    views: Mapping[str, str] = field(default_factory=dict)
    hide: tuple[str, ...] = ()
    lock: tuple[str, ...] = ()
    ask: str = ""
    covered: bool = False
    language: str = ""

    @property
    def text(self) -> str:
        """The draft as an address carries it; without what its views say where that is too long."""
        found = f"{self.page}?{urlencode(self.query, safe=',.')}"
        return found if len(found) <= LONGEST_DRAFT else f"{self.page}?{urlencode(self._own, safe=',.')}"

    @property
    def query(self) -> dict[str, str]:
        """What the link says beside what the session says."""
        return {**self.views, **self._own}

    @property
    def _own(self) -> dict[str, str]:
        found = {
            HIDE: ".".join(self.hide),
            LOCK: ".".join(self.lock),
            ASK: self.ask,
            ANSWER: HIDDEN if self.covered else "",
            LANGUAGE: self.language,
        }
        return {name: value for name, value in found.items() if value}


def begin(link: str) -> None:
    """Begin with a page's link as it is; what it prepares is taken over, so that all of it is seen again.

    Args:
        link: checked by ``address.link_of``.
    """
    keep(of_link(link, session.spec().shape))
    prepared.leave()
    st.session_state.pop(session.PREDICTING_KEY, None)


def now() -> Draft:
    """The draft of this session."""
    return of_link(st.session_state.get(session.DRAFT_KEY, ""), session.spec().shape)


def keep(found: Draft) -> None:
    """Go on with another draft."""
    st.session_state[session.DRAFT_KEY] = found.text


def can_be_prepared() -> tuple[str, ...]:
    """Names of the pages of which panels can be taken away, in the order of the bar of pages."""
    own = {panel.page for panel in PANELS if panel.hides}
    return tuple(page.name for page in pages() if page.name in own)


def of_link(link: str, shape: Shape) -> Draft:
    """The draft that begins with a link, or with the part of one from its page's name on, and is what that one says.

    Args:
        link: checked by ``address.link_of``, or a draft's text.
        shape: of the session's network, which answers where the link names none.
    """
    able = can_be_prepared()
    page = link.partition("?")[0].rstrip("/").rpartition("/")[2]
    page = page if page in able else able[0]
    query = address.query_of(link) if "?" in link else {}
    asked = address.read(query, lambda name: find(name).shape if name else shape)
    return Draft(
        page,
        {name: value for name, value in query.items() if name in _of_views(page)},
        asked.hide or (),
        asked.lock or (),
        asked.ask or "",
        asked.answer is not None,
        asked.language or "",
    )


def _of_views(page: str) -> set[str]:
    """Names of the parameters that a page's views write."""
    return {
        parameter.name
        for parameter in PARAMETERS
        if page in parameter.pages and (parameter.script or parameter.name == SURGERY)
    }
