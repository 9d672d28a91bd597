from capsviz.app import lab
from capsviz.app.pages import Page

PAGE = Page(10, doors=("compare", "model"), under="model")


def show() -> None:
    lab.lab()


if __name__ == "__main__":
    show()
