from capsviz.app import training
from capsviz.app.pages import Page

PAGE = Page(11, doors=("model",), under="model")


def show() -> None:
    training.view()


if __name__ == "__main__":
    show()
