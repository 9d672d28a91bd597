from capsviz.app import compare, session
from capsviz.app.pages import Page

PAGE = Page(6, doors=("routing", "pose", "model"), tells=True, listed=False)


def show() -> None:
    session.answered()
    compare.view()


if __name__ == "__main__":
    show()
