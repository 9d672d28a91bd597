from capsviz.app import routing, session
from capsviz.app.pages import Page
from capsviz.traces.base import COUPLING

PAGE = Page(1, doors=("draw", "pose"), needs=frozenset({COUPLING}))


def show() -> None:
    session.answered()
    routing.explorer()
    routing.surgery()
    routing.transforms()


if __name__ == "__main__":
    show()
