"""What an answer sends, in bytes on the wire, and that it is whole: a new stroke has no more run than what follows it."""

import json

import pytest

from benchmarks.load import Task, drawings, wrong
from capsviz.models.weights import load_card, locate
from capsviz.networks.base import DEFAULT
from tests.e2e.protocol import Session, connected, run


@pytest.fixture(scope="module")
def tasks() -> list[Task]:
    return drawings()


async def stroke_by_stroke(session: Session, tasks: list[Task]) -> list[int]:
    """Bytes of each answer to the digits, each drawn on a cleared pad in one message."""
    sent = []
    for task in tasks:
        await session.run("clear")
        await session.draw(*task.paths)
        assert wrong(session.card, task) == ""
        sent.append(session.bytes)
    return sent


def test_an_answer_on_draw_sends_what_has_changed(url: str, tasks: list[Task]) -> None:
    async def visit() -> None:
        async with connected(url) as socket:
            session = Session(socket)
            await session.run()
            assert session.bytes < 60_000  # of a first visit: no script and no style of a view
            parts = set(session.components)
            sent = await stroke_by_stroke(session, tasks[:12:3])
            assert sum(sent[1:]) / len(sent[1:]) < 10_000
            assert max(sent[1:]) < 11_000
            assert parts >= {"keys", "share", "export", "pad", "replay"}
            # The parts that follow the drawing have it, and nothing else came again.
            assert session.components["share"]["drawing"] == session.components["pad"]["drawing"]
            assert not [shown for shown in session.shown if "<style>/*" in shown]
            assert sum("cv-strip" in shown for shown in session.shown) == 1
            assert sum("cv-panels" in shown for shown in session.shown) == 1

    run(visit())


def test_an_answer_on_routing_sends_no_matrix_and_no_vote(url: str, tasks: list[Task]) -> None:
    async def visit() -> None:
        async with connected(url) as socket:
            session = Session(socket)
            await session.run()
            session.page = "routing"
            await session.run()
            assert session.bytes < 1_000_000
            name = load_card(locate(DEFAULT))["sha256"][:16]
            assert session.components["transforms"]["name"] == name
            await session.tell_once("transforms", json.dumps({"stored": name}))
            sent = await stroke_by_stroke(session, tasks[:9:3])
            assert max(sent[1:]) < 75_000
            assert session.components["surgery"]["texts"].startswith("assets/surgery.en-")
            session.shown = []
            await session.run("clear")
            assert (
                len(session.shown) == 3
            )  # the word in the canvas, the empty answer, what there is to do: no more ran

    run(visit())


def test_a_first_visit_to_pose_brings_no_decoder(url: str) -> None:
    async def visit() -> None:
        async with connected(url) as socket:
            session = Session(socket)
            await session.run()
            session.page = "pose"
            await session.run()
            assert session.bytes < 100_000
            assert session.components["decoder"]["address"].startswith(f"assets/decoder.{DEFAULT}-")

    run(visit())


def test_what_a_stroke_changes_beside_the_answer_runs_the_whole_page(url: str, tasks: list[Task]) -> None:
    """The first change lets Undo be pressed; a covered answer is covered again; Undo brings back what was."""

    async def visit() -> None:
        async with connected(url) as socket:
            session = Session(socket)
            await session.run()
            first = session.card
            await session.run("clear")
            assert session.buttons["undo"] is True
            await session.draw(*tasks[3].paths)
            before = session.card
            session.buttons = {}
            await session.run("clear")
            assert session.buttons == {}  # no more than what follows the drawing
            await session.draw(*tasks[6].paths)
            assert wrong(session.card, tasks[6]) == ""
            await session.run("undo")
            await session.run("undo")
            assert session.card == before
            await session.run("undo")
            await session.run("undo")
            assert session.buttons["undo"] is False
            assert session.card == first
            await session.run("predict")
            await session.run("clear")
            await session.draw(*tasks[9].paths)
            assert "|v|" not in session.card
            assert any("cv-veil" in shown for shown in session.shown)

    run(visit())


def test_undo_and_a_stroke_in_one_message_are_both_answered(url: str, tasks: list[Task]) -> None:
    """As when a button is pressed while the canvas waits to speak: the pad and the answer are of the same drawing."""

    async def visit() -> None:
        async with connected(url) as socket:
            session = Session(socket)
            await session.run()
            for task in tasks[:6:3]:
                await session.run("clear")
                await session.draw(*task.paths)
            told = {"drawing": {"raw": {"objects": [session.tag(), *tasks[0].paths, *tasks[3].paths]}}}
            session._states["canvas"] = json.dumps(told)
            await session.run("undo", fragment="canvas")
            drawing = session.components["pad"]["drawing"]
            assert session.components["share"]["drawing"] == drawing
            assert "cv-reading" in session.card
            card = session.card
            await session.run()
            assert session.components["pad"]["drawing"] == drawing
            assert session.card == card

    run(visit())
