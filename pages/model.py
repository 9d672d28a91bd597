from capsviz.app import model
from capsviz.app.pages import Page

PAGE = Page(4)


def show() -> None:
    model.overview()


if __name__ == "__main__":
    show()
