from capsviz.app import pose, session
from capsviz.app.pages import Page
from capsviz.traces.base import POSES

PAGE = Page(2, doors=("routing",), needs=frozenset({POSES}))


def show() -> None:
    trace, reconstructions = session.answered()
    pose.sliders(trace, reconstructions[-1, trace.prediction])


if __name__ == "__main__":
    show()
