"""The database of classes: SQLite in a file, or whatever a URL of SQLAlchemy's names.

Writes go one after the other: SQLite has one writer, and of other databases the class's row is locked first, so that
revisions are seen in the order of their numbers. What a method has returned from is on the disk: a server that is killed
the moment after has it when it comes back.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, func, select, update
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, NoSuchModuleError, SQLAlchemyError

from capsviz.classroom import schema
from capsviz.classroom.refusals import Busy
from capsviz.classroom.schema import rooms
from capsviz.classroom.settings import Settings
from capsviz.errors import CapsvizError
from capsviz.texts import say

PATIENCE = 2.0  # seconds that one waits for a database that somebody else has locked
AGAIN = 3.0  # seconds after which to ask again
STARTING = 0x63617073  # names a lock of PostgreSQL's


class Store:
    """Connections to the database, for reading and for writing; rows are the business of who asks.

    Raises:
        CapsvizError: if the database cannot be opened, or is of a later version.
    """

    def __init__(self, settings: Settings) -> None:
        self._writing = threading.Lock()
        self._file = settings.file
        try:
            if self._file:
                self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                self._file.touch(mode=0o600)
            self._engine = _engine(settings.url)
            with self._engine.execution_options(writes=True).begin() as connection:
                _wait_for_others(connection)
                schema.bring_up_to_date(connection)
        except (OSError, SQLAlchemyError, ImportError) as error:
            raise CapsvizError(
                f"The database of classes cannot be opened ({_reason(error)}): see that the server can write to "
                f"{self._file or make_url(settings.url).render_as_string()}, or name another by CAPSVIZ_DATABASE."
            ) from error
        self._inode = _inode(self._file)

    def close(self) -> None:
        """Give all connections back."""
        self._engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that sees one state of everything.

        Raises:
            Busy: if the database cannot be asked now.
        """
        with self._refusing(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A connection whose changes are kept together at the end, or, after an error, not at all.

        Raises:
            Busy: if nothing can be written now; nothing of it is kept then.
        """
        with self._refusing(), self._writing:
            if self._inode != _inode(self._file):
                raise Busy(
                    say("class.refused.lost"), AGAIN
                )  # it would go on into a file that nobody finds again
            with self._engine.execution_options(writes=True).begin() as connection:
                yield connection

    def wipe(self) -> None:
        """See that what was deleted does not linger in SQLite's log of changes."""
        if self._engine.dialect.name == "sqlite":
            with self._refusing(), self._writing, self._engine.connect() as connection:
                connection.connection.dbapi_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # type: ignore[union-attr]

    @contextmanager
    def _refusing(self) -> Iterator[None]:
        try:
            yield
        except IntegrityError:
            raise  # of two who wanted the same: who asks knows what it means
        except (DBAPIError, SQLAlchemyError, OSError) as error:
            print(f"capsviz: the database of classes: {_reason(error)}", flush=True)
            raise Busy(say("class.refused.database"), AGAIN) from error


def changed(connection: Connection, room: int, phones: bool = False) -> int:
    """Count a change of a class, and lock its row until the transaction ends; its new revision.

    Args:
        connection: for writing.
        room: id of the class.
        phones: whether the phones are to be told.
    """
    values = {"revision": rooms.c.revision + 1} | ({"state": rooms.c.state + 1} if phones else {})
    return int(
        connection.execute(
            update(rooms).where(rooms.c.id == room).values(values).returning(rooms.c.revision)
        ).scalar_one()
    )


def next_number(connection: Connection, table: Any, room: int) -> int:
    """For a task or a poll of a class: one more than the last has."""
    last = connection.execute(select(func.max(table.c.number)).where(table.c.room == room)).scalar_one()
    return (last or 0) + 1


def _engine(url: str) -> Engine:
    try:
        engine = create_engine(url, pool_pre_ping=not url.startswith("sqlite"))
    except (ArgumentError, NoSuchModuleError) as error:
        raise CapsvizError(
            f"CAPSVIZ_DATABASE is no URL of a database ({_reason(error)}): give one such as "
            "postgresql+psycopg://user:password@host/name."
        ) from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _wait_for_others(connection: Connection) -> None:
    """Of servers that begin at the same time on an empty database, one makes the tables; of SQLite there is one writer anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(STARTING)))


def _set_up_sqlite(connection: Any, _: object) -> None:
    connection.isolation_level = None  # transactions are begun below, not by Python's driver
    for pragma in (
        f"busy_timeout = {int(1000 * PATIENCE)}",
        "journal_mode = WAL",  # who reads does not wait for who writes
        "synchronous = NORMAL",  # a killed server loses nothing, a power cut perhaps the last second
        "foreign_keys = ON",
        "secure_delete = ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes")
    # A writer says so at once: of two that begin to read and then want to write, one would fail.
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _inode(file: Path | None) -> tuple[int, int] | None:
    """Tells a file from another that has taken its place; None of none."""
    try:
        found = file.stat() if file else None
    except OSError:
        return (0, 0)
    return (found.st_dev, found.st_ino) if found else None


def _reason(error: Exception) -> str:
    """What a driver says, in one line and without the statement and its values."""
    return str(getattr(error, "orig", None) or error).strip().partition("\n")[0]


def again(times: int, attempt: Callable[[], Any]) -> Any:
    """What ``attempt`` returns; once more where it draws a random number that somebody else has."""
    for _ in range(times - 1):
        try:
            return attempt()
        except IntegrityError:
            continue
    return attempt()
