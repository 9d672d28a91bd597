from capsviz.app import compare, session, versus
from capsviz.app.follow import PAGE_PART, follows
from capsviz.app.pages import Page

PAGE = Page(6, doors=("routing", "pose", "model", "lab"), tells=True, under="model")


@follows(PAGE_PART)
def show() -> None:
    session.answered()
    versus.choice()
    (versus if versus.shown() else compare).view()


if __name__ == "__main__":
    show()
