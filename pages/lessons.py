from capsviz.app import shelf
from capsviz.app.pages import Page

PAGE = Page(5, doors=("lesson", "class"))


def show() -> None:
    shelf.lessons()


if __name__ == "__main__":
    show()
