from capsviz.app import wall
from capsviz.app.pages import Page

PAGE = Page(7)


def show() -> None:
    wall.wall()


if __name__ == "__main__":
    show()
