"""What one answer takes of the server's processor, and what is sent for it: one person draws, nobody else is there."""

import asyncio
from contextlib import AsyncExitStack
from functools import cache

from benchmarks.load import Server, drawings, opened_page, served, wrong
from benchmarks.trace import Quantiles, quantiles
from tests.e2e.protocol import connected

ROUNDS = 60  # digits, each drawn on a cleared pad
REST = 0.03  # seconds until what a run leaves to do is done


@cache
def drawn(page: str) -> tuple[Quantiles, Quantiles, Quantiles]:
    """Milliseconds of processor time for an answer on a page, the same for Clear before it, and kB for an answer.

    Raises:
        RuntimeError: if an answer is wrong.
    """
    with served(None, OMP_NUM_THREADS="1") as (url, server):
        return asyncio.run(_draw(url, server, page))


async def _draw(url: str, server: Server, page: str) -> tuple[Quantiles, Quantiles, Quantiles]:
    answers: list[float] = []
    clears: list[float] = []
    sent: list[float] = []
    tasks = drawings()
    async with AsyncExitStack() as stack:
        session = await opened_page(await stack.enter_async_context(connected(url)), page)
        for turn in range(-5, ROUNDS):  # the first few make the server ready
            task = tasks[turn]
            began = server.seconds()
            await session.run("clear")
            await asyncio.sleep(REST)
            cleared = server.seconds()
            await session.draw(*task.paths)
            await asyncio.sleep(REST)
            if turn >= 0:
                clears.append(1000 * (cleared - began))
                answers.append(1000 * (server.seconds() - cleared))
                sent.append(session.bytes / 1000)
            if problem := wrong(session.card, task):
                raise RuntimeError(problem)
    return quantiles(answers), quantiles(clears), quantiles(sent)


def draw() -> Quantiles:
    return drawn("")[0]


def draw_clear() -> Quantiles:
    return drawn("")[1]


def draw_sent() -> Quantiles:
    return drawn("")[2]


def routing() -> Quantiles:
    return drawn("routing")[0]


def routing_clear() -> Quantiles:
    return drawn("routing")[1]


def routing_sent() -> Quantiles:
    return drawn("routing")[2]


ROWS = [
    ("Processor time of an answer on Draw", draw, "30 ms"),
    ("— of Clear there, before it", draw_clear, ""),
    ("— sent for the answer, in kB", draw_sent, "10 kB"),
    ("Processor time of an answer on Routing", routing, "45 ms"),
    ("— of Clear there, before it", routing_clear, ""),
    ("— sent for the answer, in kB", routing_sent, "150 kB"),
]
