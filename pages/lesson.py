from capsviz.app import lesson_page
from capsviz.app.pages import Page

PAGE = Page(8, under="lessons")


def show() -> None:
    lesson_page.prepare()


if __name__ == "__main__":
    show()
