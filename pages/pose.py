from capsviz.app import pose, session
from capsviz.app.follow import PAGE_PART, follows
from capsviz.app.pages import Page
from capsviz.traces.base import POSES

PAGE = Page(2, doors=("routing",), needs=frozenset({POSES}), tells=True)


@follows(PAGE_PART)
def show() -> None:
    now = session.answered()
    assert now.reconstructions is not None  # the page needs poses
    pose.sliders(now.trace, now.reconstructions[-1, now.trace.prediction])


if __name__ == "__main__":
    show()
