"""What the server does beside serving: it says where it can be reached, and asks nobody outside."""

import asyncio
import ctypes
import gc
import json
import os
import platform
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import streamlit as st
from streamlit import App, config, net_util

from capsviz.app import trained
from capsviz.app.classes import dismiss_classes, hold_classes
from capsviz.checks import one_line


def ask_nobody_outside() -> None:
    """Let Streamlit check its visitors without asking an outside host for this machine's public address.

    It does so when a page of another site knocks. It would also do so at every start without a display, before any
    of this is imported: ``browser.serverAddress`` in .streamlit/config.toml keeps it from that.
    """
    net_util.get_external_ip = _unknown


def _unknown() -> None:
    return None


def unreadable(error: Exception) -> bool:
    """Say so where what a page sent was no JSON, or nested so deeply that Streamlit fails to read it.

    Returns:
        Whether that is what happened; all else is Streamlit's to show.
    """
    if not isinstance(error, (RecursionError, json.JSONDecodeError)):
        return False
    st.error("What this page sent cannot be read: load the page again.", icon=":material/error:")
    return True


TURN = 0.0005  # seconds for which a thread may keep the interpreter to itself while others want it: a tenth of Python's own
LOOK = 60.0  # seconds from one look at whether the server has anything to do to the next
IDLE = 0.02  # of that time, in which its processor was busy with it: below, nobody draws


def hand_back() -> None:
    """Give the system what memory is free: kept blocks make answers faster, and are of no use to nobody."""
    gc.collect()
    if platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).malloc_trim(0)


async def hand_back_when_idle() -> None:
    """Once after every time of work, as soon as nobody has drawn for ``LOOK`` seconds."""
    worked, before = True, time.process_time()
    while True:
        await asyncio.sleep(LOOK)
        now = time.process_time()
        busy = now - before > IDLE * LOOK
        if worked and not busy:
            hand_back()
        worked, before = busy, time.process_time()


def add_networks() -> None:
    """Put the networks that the environment names into the menu, and those that were trained on the page before.

    What cannot be used is said on the terminal.
    """
    trained.restore()
    named = os.environ.get("CAPSVIZ_NETWORKS", "")
    if named.strip():
        from capsviz.models.own_networks import add_all  # PyTorch's seconds, which others need not wait for

        add_all(named, lambda line: print(f"  {one_line(line)}", flush=True))


@asynccontextmanager
async def started(app: App) -> AsyncIterator[None]:
    """Add one's own networks, say at which address other machines find the app; hand memory back when nobody is there."""
    # A network's pass gives the interpreter back dozens of times; at Python's 5 ms each time it waits for others that long.
    sys.setswitchinterval(TURN)
    add_networks()
    address = net_util.get_internal_ip()
    if address:
        prefix = config.get_option("server.baseUrlPath").strip("/")
        print(
            f"  In this network: http://{address}:{config.get_option('server.port')}/{prefix}\n", flush=True
        )
    tasks = [asyncio.create_task(hand_back_when_idle()), asyncio.create_task(hold_classes())]
    yield
    for task in tasks:
        task.cancel()
    dismiss_classes()
