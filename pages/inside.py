from capsviz.app import inside
from capsviz.app.follow import PAGE_PART, follows
from capsviz.app.pages import Page

PAGE = Page(9, doors=("routing", "draw"), tells=True, under="model")


@follows(PAGE_PART)
def show() -> None:
    inside.view()


if __name__ == "__main__":
    show()
