"""What no page of ours would send, sent to a running server: it answers with a sentence, and the next good drawing."""

import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import numpy as np
import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg

from capsviz.inputs.drawings import Drawing, encode, stroke_of
from capsviz.models.model import Model
from tests.e2e.protocol import Session, connected, run
from tests.e2e.serving import serve

SEVEN = np.array([[70, 60], [210, 60], [130, 230]])
STROKE = {"type": "Path", "path": [["M", 70, 60], ["L", 210, 60], ["L", 130, 230]], "strokeWidth": 18}


def with_session(url: str, act: Callable[[Session], Awaitable[None]]) -> None:
    """Open the app, clear the pad and do something."""

    async def visit() -> None:
        async with connected(url) as socket:
            session = Session(socket)
            await session.run()
            await session.run("clear")
            await act(session)

    run(visit())


async def draws_a_seven(session: Session, model: Model) -> None:
    """A good drawing is answered, with the library's own length."""
    await session.run("clear")
    await session.draw(STROKE)
    length = model.trace(Drawing((stroke_of(SEVEN, 18),)).image()).lengths[-1].max()
    assert 'data-testid="answer">7<' in session.card
    assert f'data-testid="length">{length:.2f}<' in session.card


def kept(**changed: object) -> dict[str, object]:
    """What pad.js sends, but for what is changed."""
    blank = encode(Drawing())
    return {
        "drawing": blank,
        "told": blank,
        "tag": [1, 2],
        "width": 18,
        "live": False,
        "search": "",
        **changed,
    }


def canvas(*objects: Any, data: object = None) -> str:
    return json.dumps({"drawing": {"raw": {"objects": list(objects)}, "data": data}})


NESTED = "[" * 100_000 + "]" * 100_000
HOSTILE = {
    "nothing": "null",
    "a list": "[]",
    "a number": "7",
    "null drawing": '{"drawing": null}',
    "text drawing": '{"drawing": "x"}',
    "list drawing": '{"drawing": [1]}',
    "null raw": '{"drawing": {"raw": null}}',
    "text raw": '{"drawing": {"raw": "x"}}',
    "objects no list": '{"drawing": {"raw": {"objects": 5}}}',
    "no tag": canvas(STROKE),
    "half a tag": canvas({"type": "Rect"}, STROKE),
    "many objects": canvas(*[STROKE] * 1000),
    "a path without a width": canvas(
        {"type": "Rect", "width": 1, "height": 1}, {"type": "Path", "path": [["M", 1, 2]]}
    ),
    "NaN": '{"drawing": {"raw": {"objects": [{"type": "Rect", "width": NaN, "height": Infinity}]}}}',
    "PostScript": canvas(STROKE, data="data:image/png;base64,JSFQUy1BZG9iZS0zLjAgRVBTRi0zLjAK"),
    "data without a comma": canvas(STROKE, data="data"),
    "data a number": canvas(STROKE, data=7),
    "background": '{"drawing": {"raw": {"objects": []}}, "backgroundFit": {"naturalWidth": 1}}',
    "background text": '{"backgroundFit": "x"}',
    "a million numbers": json.dumps({"drawing": {"raw": {"objects": list(range(1_000_000))}}}),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_canvas_that_is_none_is_refused_and_the_next_drawing_answered(
    url: str, model: Model, kind: str
) -> None:
    async def act(session: Session) -> None:
        await session.tell("canvas", HOSTILE[kind])  # an exception shown on the page would raise here
        assert 'data-testid="answer"' not in session.card
        await draws_a_seven(session, model)

    with_session(url, act)


@pytest.fixture(scope="module")
def lenient() -> Iterator[str]:
    """A server in whose log Streamlit may say where it failed to read a message."""
    with serve("app.py", tracebacks=True) as address:
        yield address


@pytest.mark.parametrize("component", ["canvas", "pad"])
@pytest.mark.parametrize(
    "state", ["{", "", NESTED, f'{{"drawing": {NESTED}}}'], ids=["cut", "empty", "nested", "deep"]
)
def test_what_streamlit_itself_cannot_read_is_said_and_the_page_loaded_again_works(
    lenient: str, model: Model, component: str, state: str
) -> None:
    async def act(session: Session) -> None:
        await session.tell(component, state)
        assert any("load the page again" in text for text in session.shown)

    with_session(lenient, act)
    with_session(lenient, lambda session: draws_a_seven(session, model))


@pytest.mark.parametrize(
    "path",
    [
        [["M", "a", 2]],
        [["M", 1e300, 2]],
        [["M", 1, 2], ["L", None, 3]],
        [["M", 1, 2], ["Z"]],
        [["M", 1, 2], *[["L", 1, 2]] * 30_000],
        [["M", 0, 0], *[["Q", (-1) ** k * 8000, 8000, 8000 - k, (-1) ** k * 8000] for k in range(4000)]],
        [{}],
        "M 1 2",
    ],
    ids=range(8),
)
def test_a_stroke_that_is_none_is_said_in_one_sentence(url: str, model: Model, path: object) -> None:
    async def act(session: Session) -> None:
        await session.draw({"type": "Path", "path": path, "strokeWidth": 18})
        (said,) = (text for text in session.shown if "draw" in text and "<" not in text)
        assert len(said) < 250
        await draws_a_seven(session, model)

    with_session(url, act)


@pytest.mark.parametrize(
    "sent",
    [
        "7",
        '{"kept": 5}',
        '{"kept": {"drawing": "AAAA"}}',
        json.dumps({"kept": kept(drawing="A" * 2_000_000)}),
        json.dumps({"kept": kept(tag="x")}),
        json.dumps({"kept": kept(width=10**30)}),
        json.dumps({"kept": kept(live="yes")}),
    ],
    ids=range(7),
)
def test_what_a_tab_never_kept_leaves_the_example(url: str, model: Model, sent: str) -> None:
    async def visit() -> None:
        async with connected(url) as socket:
            session = Session(socket)
            await session.run()
            await session.tell("pad", sent)
            await session.run()  # what changes nothing is not sent again
            assert 'data-testid="answer">2<' in session.card
            await draws_a_seven(session, model)

    run(visit())


@pytest.mark.parametrize("live", [True, False])
def test_what_a_tab_kept_is_answered_in_the_first_run_of_a_new_session(url: str, live: bool) -> None:
    """As after a restart of the server: the page stands, and sends all it has."""

    async def visit() -> None:
        async with connected(url) as socket:
            session = Session(socket)
            await session.run()
            ids = dict(session._ids)
        async with connected(url) as socket:
            session = Session(socket)
            session._ids = ids
            seven = encode(Drawing((stroke_of(SEVEN, 18),)))
            session._states["pad"] = json.dumps({"kept": kept(drawing=seven, live=live)})
            await session.run()
            assert 'data-testid="answer">7<' in session.card

    run(visit())


def test_links_of_every_kind_open_the_app(url: str) -> None:
    async def visit() -> None:
        rng = np.random.default_rng(4)
        async with connected(url) as socket:
            session = Session(socket)
            for _ in range(60):
                name = rng.choice(["R", "digit", "capsule", "step", "pose", "drawing", "network", "lang"])
                value = bytes(rng.integers(32, 127, rng.integers(0, 300)).astype(np.uint8)).decode()
                session.query = f"{name}={value}"
                await session.run()
                assert session.card
                assert all(len(text) < 400 for text in session.shown if "<" not in text)

    run(visit())


def test_nobody_empties_what_is_kept_for_all(url: str, model: Model) -> None:
    """Streamlit lets any page clear its caches; the network must not have to be loaded again."""

    async def act(session: Session) -> None:
        message = BackMsg()
        message.clear_cache = True
        await session.send(message)
        await session.run()
        await draws_a_seven(session, model)
        assert 'data-testid="waiting"' not in "".join(session.shown)

    with_session(url, act)
