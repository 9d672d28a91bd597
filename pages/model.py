from capsviz.app import model
from capsviz.app.pages import Page

PAGE = Page(4, doors=("inside", "compare", "lab", "training"))


def show() -> None:
    model.overview()


if __name__ == "__main__":
    show()
