"""The table of timings: each row stands for itself."""

import asyncio
import gzip
import json

import numpy as np
import pytest

from benchmarks import __main__ as benchmarks
from benchmarks import load, phones
from capsviz.app.messages import parse_canvas
from capsviz.classroom.messages import parse_sent
from capsviz.inputs.drawings import Drawing
from capsviz.models.model import Model
from capsviz.training import precision
from tests.e2e.protocol import run


def broken() -> tuple[float, float, float]:
    raise TimeoutError("Page.wait_for_function: Timeout 30000ms\n| exceeded")


def fine() -> tuple[float, float, float]:
    return 1.04, 2.0, 3.25


ROWS = [("the one", fine, ""), ("the other", broken, "9 ms"), ("the last", fine, "4 ms")]


def test_a_row_that_fails_is_named_and_the_rest_goes_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(benchmarks, "ROWS", ROWS)
    assert benchmarks.main() == 1
    printed = capsys.readouterr()
    rows = [line for line in printed.out.splitlines() if line.startswith("| the")]
    assert rows == [
        "| the one | 2.0 | 1.0 to 3.2 |  |",
        "| the other | failed: TimeoutError, Page.wait_for_function: Timeout 30000ms / exceeded |  | 9 ms |",
        "| the last | 2.0 | 1.0 to 3.2 | 4 ms |",
    ]
    assert "1 of the rows could not be measured." in printed.out
    assert "Traceback" in printed.err


@pytest.mark.parametrize("chosen", ["fine", "test_benchmarks"])
def test_rows_are_chosen_by_their_name_or_module(
    chosen: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    rows = [row for row in ROWS if row[1] is fine] if chosen == "test_benchmarks" else ROWS
    monkeypatch.setattr(benchmarks, "ROWS", rows)
    assert benchmarks.main([chosen if chosen == "fine" else fine.__module__]) == 0
    said = capsys.readouterr().out
    assert said.count("| 2.0 | 1.0 to 3.2 |") == 2
    assert "the other" not in said
    assert "could not" not in said


@pytest.mark.parametrize(
    ("has", "share", "said"),
    [
        ([], 0.5, "in single precision: this processor has no products of bfloat16."),
        (["avx512_bf16"], 1.7, "in single precision: a product by avx512_bf16 takes 170% of the time."),
        (
            ["amx_bf16", "avx512_bf16"],
            0.2,
            "in bfloat16: a product by amx_bf16 or avx512_bf16 takes 20% of the time.",
        ),
    ],
)
def test_the_table_says_which_products_training_uses(
    has: list[str],
    share: float,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    for module in (benchmarks, precision):
        monkeypatch.setattr(module, "instructions", lambda: has)
        monkeypatch.setattr(module, "share_of_time", lambda: share)
    monkeypatch.setattr(benchmarks, "ROWS", [])
    assert benchmarks.main() == 0
    assert f"Training multiplies {said}\n\n| what |" in capsys.readouterr().out


# --- many people --------------------------------------------------------------------------------------------------


def test_what_is_drawn_under_load_is_what_the_library_was_asked(model: Model) -> None:
    """As the server will read it: simplified once, by whoever takes it."""
    for task in load.drawings()[::7]:
        state = {"drawing": {"raw": {"objects": task.paths}}}
        lengths = model.trace(Drawing(parse_canvas(state, 0).strokes).image()).lengths[-1]
        np.testing.assert_allclose(lengths, task.lengths, atol=1e-6)
    for drawn in phones.drawings()[::7]:
        sent = parse_sent(json.loads(f'{{"mark":"{"m" * 32}",{drawn.body}'))
        np.testing.assert_allclose(model.predict(sent.drawing.image()[None])[0], drawn.scores, atol=1e-6)


def test_answers_under_load_are_read_as_they_come() -> None:
    """With a length, or from a proxy without one, packed or not."""
    packed = gzip.compress(b'{"a":1}')
    replies = [
        b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n" + b'{"a":1}',
        b'HTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{"a\r\n4\r\n":1}\r\n0\r\n\r\n',
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed) + packed,
    ]

    async def ask_all() -> list[tuple[int, bytes]]:
        waiting = iter(replies)

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(next(waiting))
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            return [await phones.Connection(url, {}).ask("GET", "/") for _ in replies]

    assert run(ask_all()) == [(200, b'{"a":1}'), (503, b'{"a":1}'), (200, b'{"a":1}')]


def test_a_wrong_answer_under_load_is_told() -> None:
    scores = np.array([0.1, 0.9, 0.2])
    drawn = phones.Drawn("", scores)
    seen = phones.Seen()
    for off, read in ((0, "1"), (4e-6, "1"), (1e-5, "1"), (0, "2")):
        seen.answers.append((json.dumps({"scores": (scores + off).tolist(), "read": read}).encode(), drawn))
    phones.check_answers(seen)
    assert seen.wrong == ["read 1, off by 1e-05", "read 2, off by 0"]
    card = '<b data-testid="answer">1</b>' + "".join(
        f"|v| of digit {digit} is {length:.3f}" for digit, length in enumerate(scores)
    )
    assert load.wrong(card, load.Task([], "1", tuple(scores + 0.0005))) == ""
    assert load.wrong(card, load.Task([], "1", (0.1, 0.9, 0.2006))) == "length of 2 is 0.200 instead of 0.201"
    assert load.wrong(card, load.Task([], "2", tuple(scores))) == "answered 1 instead of 2"


def test_the_wall_s_delay_is_counted_once_for_each_drawing() -> None:
    seen = phones.Seen()
    seen.sent |= {"a": [1.0, 11.0], "b": [2.0], "c": [3.0]}
    for when, tiles in ((1.5, [(1, "a")]), (2.25, [(2, "b"), (1, "a")]), (11.75, [(3, "a"), (2, "b")])):
        told = {"tiles": [{"id": number, "phone": name} for number, name in tiles]}
        seen.shown.append((when, json.dumps(told).encode()))
    assert phones.to_the_wall(seen) == [0.5, 0.75, 0.25]  # that of "c" has not come
