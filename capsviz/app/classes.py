"""The server's classes: one classroom for its phones and for the presenter's pages."""

import asyncio
import threading
from typing import TYPE_CHECKING

from starlette.routing import BaseRoute
from streamlit import config

from capsviz.classroom import web
from capsviz.classroom.rooms import Classroom
from capsviz.classroom.settings import Settings, from_environment
from capsviz.classroom.streams import on_stop
from capsviz.errors import CapsvizError

if TYPE_CHECKING:
    from capsviz.models.model import Model

SWEEP = 600.0  # seconds from one look for classes whose day is over to the next
COMPARE = 0.5  # seconds from one look for drawings that other networks are to be asked about to the next

_opening = threading.Lock()
_classroom: Classroom | None = None


def classroom() -> Classroom:
    """The classroom, opened by whoever asks first.

    Raises:
        CapsvizError: if its database cannot be opened; it is tried again for the next who asks.
    """
    global _classroom
    with _opening:
        if _classroom is None:
            _classroom = Classroom(settings(), _model_of)
        return _classroom


def settings() -> Settings:
    """Of the environment; the server stops with a sentence where they cannot be used."""
    try:
        return from_environment()
    except CapsvizError as error:
        raise SystemExit(str(error)) from error


def _model_of(name: str) -> "Model":
    """The network that the sessions have too."""
    from capsviz.app import session  # which declares components: not before Streamlit runs

    return session.model_of(name)


_web = web.Web(classroom)


def class_routes() -> list[BaseRoute]:
    """What the server answers to phones and presenters."""
    return web.routes(_web, config.get_option("server.baseUrlPath"), settings().address)


async def hold_classes() -> None:
    """For as long as the server runs: remove classes whose day is over, and let streams end when it stops."""
    if threading.current_thread() is threading.main_thread():
        on_stop(_web.watcher.close)
    await asyncio.gather(_sweep_again_and_again(), _compare_again_and_again())


async def _compare_again_and_again() -> None:
    done = 0
    while True:
        await asyncio.sleep(0 if done else COMPARE)
        done = 0 if _classroom is None else await asyncio.to_thread(_compare, _classroom)


def _compare(there: Classroom) -> int:
    try:
        return there.compare()
    except CapsvizError:  # of a database that cannot be asked now, which the store has said
        return 0


async def _sweep_again_and_again() -> None:
    while True:
        now = settings()
        if now.database or (now.file and now.file.exists()):
            await asyncio.to_thread(_sweep)
        await asyncio.sleep(SWEEP)


def _sweep() -> None:
    try:
        classroom().sweep()
    except CapsvizError as error:
        print(f"capsviz: {error}", flush=True)


def dismiss_classes() -> None:
    """Give the database back, when the server has stopped."""
    _web.watcher.close()
    if _classroom is not None:
        _classroom.close()
