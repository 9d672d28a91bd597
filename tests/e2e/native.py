"""The scripts of the views as a browser loads modules by itself, on a page that no server has sent."""

from playwright.sync_api import Page, Route

from capsviz.figures.bundle import FOLDER

ADDRESS = "http://pose.test/"


def offer(page: Page, html: str) -> None:
    """Answer every address with ``html``, but those of the scripts with the scripts."""

    def answer(route: Route) -> None:
        name = route.request.url.removeprefix(ADDRESS)
        if name.endswith(".js") and "/" not in name:
            route.fulfill(body=(FOLDER / name).read_text("utf-8"), content_type="text/javascript")
        else:
            route.fulfill(body=html, content_type="text/html")

    page.route("**/*", answer)


def importing(names: dict[str, str]) -> str:
    """A script that puts names of modules into ``window.lab``: {"poses": "endsOf, rangeOf"}; an entry's is "default as mount"."""
    lines = [f'import {{ {wanted} }} from "/{module}.js";' for module, wanted in names.items()]
    given = ", ".join(
        part.split(" as ")[-1].strip() for wanted in names.values() for part in wanted.split(",")
    )
    return "\n".join([*lines, f"window.lab = {{ {given} }};"])
