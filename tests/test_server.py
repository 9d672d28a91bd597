"""What the server does beside serving."""

import asyncio

import pytest
from streamlit import net_util

from capsviz.app import server
from tests.e2e.protocol import run


def test_memory_is_handed_back_once_after_work_and_not_while_there_is_any(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Busy for two looks, then idle for three, busy for one, idle for two."""
    work = iter([5.0, 9.0, 0.1, 0.2, 0.0, 3.0, 0.0, 0.1])
    clock, handed, looks = [100.0], [], [0]

    async def sleep(seconds: float) -> None:
        assert seconds == server.LOOK
        try:
            clock[0] += next(work)
        except StopIteration:
            raise asyncio.CancelledError from None
        looks[0] += 1

    monkeypatch.setattr(server.asyncio, "sleep", sleep)
    monkeypatch.setattr(server.time, "process_time", lambda: clock[0])
    monkeypatch.setattr(server, "hand_back", lambda: handed.append(looks[0]))
    with pytest.raises(asyncio.CancelledError):
        run(server.hand_back_when_idle())
    assert handed == [3, 7]


def test_handing_back_costs_nothing_but_memory() -> None:
    server.hand_back()


def test_streamlit_is_kept_from_asking_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(net_util, "get_external_ip", lambda: "203.0.113.1")
    server.ask_nobody_outside()
    assert net_util.get_external_ip() is None
