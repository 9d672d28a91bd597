from capsviz.app import growth, overlap, prepared, session
from capsviz.app.follow import PAGE_PART, follows
from capsviz.app.pages import Page
from capsviz.traces.base import COUPLING, SEVERAL

PAGE = Page(3, doors=("routing", "pose"), needs=frozenset({COUPLING, SEVERAL}), tells=True)


@follows(PAGE_PART)
def show() -> None:
    session.answered()
    overlap.overlap()
    if not prepared.hidden("growth"):
        growth.growth()


if __name__ == "__main__":
    show()
