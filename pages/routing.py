from collections.abc import Callable
from typing import NamedTuple

from capsviz.app import attention, prepared, routing, session
from capsviz.app.follow import PAGE_PART, follows
from capsviz.app.pages import Page
from capsviz.texts import say
from capsviz.traces.base import COUPLING, POSES

PAGE = Page(1, doors=("draw", "pose", "inside"), needs=frozenset({COUPLING}), tells=True)


class View(NamedTuple):
    """A part of the page, and what it needs of a network."""

    show: Callable[[], None]
    needs: frozenset[str]  # of ``traces.base.OFFERS``, beyond what the page needs
    panel: str = ""  # of ``panels.PANELS``, if it is all of one


DRAWS = frozenset({POSES})  # what capsules draw is shown too
# The views of each kind of routing (``Shape.routing``), from the top of the page.
VIEWS = {
    "dynamic": (
        View(routing.explorer, DRAWS),
        View(routing.surgery, DRAWS, "surgery"),
        View(routing.transforms, frozenset()),
    ),
    "attention": (View(attention.explorer, DRAWS), View(attention.surgery, DRAWS, "surgery")),
}


@follows(PAGE_PART)
def show() -> None:
    trace = session.answered().trace
    views = [
        view
        for view in VIEWS.get(trace.shape.routing, ())
        if not (view.panel and prepared.hidden(view.panel))
    ]
    shown = [view.show for view in views if view.needs <= trace.offers]
    if not shown:
        session.stop(say("routing.unseen", network=session.spec().title))
    for view in shown:
        view()


if __name__ == "__main__":
    show()
