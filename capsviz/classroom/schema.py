"""The tables, and the steps by which an older database becomes one of today."""

from collections.abc import Callable

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    inspect,
    select,
    text,
)

from capsviz.errors import CapsvizError

VERSION = 3
tables = MetaData()

version = Table("schema_version", tables, Column("version", Integer, nullable=False))

rooms = Table(
    "rooms",
    tables,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("code", String(8), nullable=False, unique=True),
    Column("secret", String(64), nullable=False, unique=True),  # digest of the presenter's
    Column("network", String(100), nullable=False),
    Column("language", String(20), nullable=False),
    Column("opened", Float, nullable=False),
    Column("ends", Float, nullable=False),
    Column("closed", Boolean, nullable=False),
    Column("let_through", Boolean, nullable=False),
    Column("guess_first", Boolean, nullable=False),
    Column("paused", Boolean, nullable=False),
    Column("state", Integer, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("task", Integer, nullable=False, server_default="0"),  # number of the one of now
    Column("poll", Integer, nullable=False, server_default="0"),
)


def _of_room(name: str = "room") -> Column[int]:
    return Column(name, ForeignKey("rooms.id", ondelete="CASCADE"), nullable=False)


phones = Table(
    "phones",
    tables,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    _of_room(),
    Column("nickname", String(80), nullable=False),
    Column("dismissed", Boolean, nullable=False, server_default=text("false")),
    UniqueConstraint("room", "nickname"),
)

drawings = Table(
    "drawings",
    tables,
    Column("id", Integer, primary_key=True),
    _of_room(),
    Column("phone", ForeignKey("phones.id", ondelete="CASCADE"), nullable=False),
    Column("mark", String(40), nullable=False),
    Column("strokes", Text, nullable=False),
    Column("said", String(100), nullable=False),
    Column("network", String(100), nullable=False),
    Column("read", String(100), nullable=False),
    Column("verdict", String(20), nullable=False),
    Column("scores", LargeBinary, nullable=False),  # float32, little-endian
    Column("seen", LargeBinary, nullable=False),  # deflated
    Column("standing", String(10), nullable=False),
    Column("sent", Float, nullable=False),
    Column("task", Integer, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("guess", String(100), nullable=False, server_default=""),
    Column("covered", Boolean, nullable=False, server_default=text("false")),
    Column("others", Text),  # JSON of what other networks make of it; null until they have been asked
    UniqueConstraint("phone", "mark"),
    Index("drawings_by_revision", "room", "revision"),
)
unasked = drawings.c.others.is_(None)
Index("drawings_unasked", drawings.c.id, sqlite_where=unasked, postgresql_where=unasked)

tasks = Table(
    "tasks",
    tables,
    Column("id", Integer, primary_key=True),
    _of_room(),
    Column("number", Integer, nullable=False),
    Column("text", Text, nullable=False),
    Column("drawn", String(100), nullable=False),
    Column("read", String(100), nullable=False),
    UniqueConstraint("room", "number"),
)

polls = Table(
    "polls",
    tables,
    Column("id", Integer, primary_key=True),
    _of_room(),
    Column("number", Integer, nullable=False),
    Column("question", Text, nullable=False),
    Column("choices", Text, nullable=False),  # JSON
    Column("truth", Integer),
    Column("open", Boolean, nullable=False),
    Column("told", Boolean, nullable=False),
    UniqueConstraint("room", "number"),
)

votes = Table(
    "votes",
    tables,
    Column("poll", ForeignKey("polls.id", ondelete="CASCADE"), primary_key=True),
    Column("phone", ForeignKey("phones.id", ondelete="CASCADE"), primary_key=True),
    Column("choice", Integer, nullable=False),
)


def bring_up_to_date(connection: Connection) -> None:
    """Make the tables where there are none; take an older database through the steps that it lacks.

    Raises:
        CapsvizError: if a later capsviz has written it.
    """
    if not inspect(connection).has_table(version.name):
        tables.create_all(connection)
        connection.execute(version.insert().values(version=VERSION))
        return
    found = connection.execute(select(version.c.version)).scalar_one()
    if found > VERSION:
        raise CapsvizError(
            f"The database of classes is of version {found}, and this capsviz knows {VERSION}: use a later capsviz, or "
            "name another database by CAPSVIZ_DATABASE."
        )
    for number in range(found + 1, VERSION + 1):
        STEPS[number](connection)
    if found < VERSION:
        connection.execute(version.update().values(version=VERSION))


def _to_2(connection: Connection) -> None:
    """Guesses before the answer, tasks and polls."""
    for column in (drawings.c.guess, drawings.c.covered, rooms.c.task, rooms.c.poll):
        _add(connection, column)
    tables.create_all(connection, [tasks, polls, votes])


def _to_3(connection: Connection) -> None:
    """Phones that are sent away, what other networks make of a drawing."""
    for column in (phones.c.dismissed, drawings.c.others):
        _add(connection, column)
    for index in drawings.indexes:
        index.create(connection, checkfirst=True)


STEPS: dict[int, Callable[[Connection], None]] = {2: _to_2, 3: _to_3}


def _add(connection: Connection, column: Column[object]) -> None:
    """A column that has come to a table, with what the rows that are there have in it."""
    from sqlalchemy.schema import CreateColumn

    made = CreateColumn(column).compile(dialect=connection.dialect)
    connection.execute(text(f"ALTER TABLE {column.table.name} ADD COLUMN {made}"))
