"""The database: one engine, two ways in, the same rules on SQLite and on PostgreSQL.

`begin()` is the way to write: one transaction, committed when the block ends well. On SQLite it is
`BEGIN IMMEDIATE`, because a transaction that reads first and writes later fails at once under
contention, whatever the busy timeout. `read()` sees one consistent state and writes nothing.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from functools import partial
from typing import Any

import aiosqlite
from sqlalchemy import event, make_url, text
from sqlalchemy.engine import URL, Connection
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from storage.sqlite import connect

# How long a writer waits for another process's transaction on SQLite, in seconds.
BUSY_SECONDS = 30
# And how long making the file anew waits for those who read, while all writers wait for it.
ANEW_SECONDS = 5
# Milliseconds for which a shared transaction waits for a lock; an ordinary one holds none so long.
BRIEFLY = 100
# Connections of one process to PostgreSQL: chats side by side, delivery and the clock.
POOL_SIZE = 10


class Storage:
    """An open database. Made by `open_storage`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        # SQLite has one writer: waiting our turn here is fair and costs no polling.
        self._turn = asyncio.Lock() if self.is_sqlite else nullcontext()

    @property
    def is_sqlite(self) -> bool:
        """Whether this is the embedded database, which one engine alone may serve."""
        return self.engine.dialect.name == "sqlite"

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncSession]:
        """A transaction that may write: committed at the end of the block, or nothing at all."""
        async with self._turn, AsyncSession(self.engine, expire_on_commit=False) as db, db.begin():
            yield db

    async def wait_briefly(self, db: AsyncSession) -> None:
        """Let this transaction wait for no lock longer than `BRIEFLY`: what does fails, and passes.

        For one that takes locks in whatever order its parts come, and so might wait for another that
        waits for it. On SQLite there is nobody to wait for.
        """
        if not self.is_sqlite:
            await db.execute(text(f"SET LOCAL lock_timeout = {BRIEFLY}"))

    async def make_anew(self) -> bool:
        """Write SQLite's file anew, so that nothing of what was deleted is left in it or in its log.

        False: somebody was reading, to be tried again. PostgreSQL sees to its files by itself.
        """
        path = self.engine.url.database
        if not self.is_sqlite or path is None:
            return True
        async with self._turn:
            connection = connect(path, ANEW_SECONDS)
            await connection
            try:
                busy: list[int] = []
                await connection.run(lambda it: it.execute("VACUUM").close())
                await connection.run(
                    lambda it: busy.extend(it.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone())
                )
            except sqlite3.OperationalError:
                return False
            finally:
                await connection.close()
        return not busy[0]

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A look at one consistent state. What is changed in it is forgotten."""
        options = {"jisr_read_only": True}
        engine = self.engine.execution_options(**options)
        async with AsyncSession(engine, expire_on_commit=False, autoflush=False) as db:
            yield db


def parse_url(url: str) -> URL:
    """Read a database URL, naming the driver for who left it out.

    Raises ValueError for a database that is neither SQLite nor PostgreSQL.
    """
    parsed = make_url(url)
    drivers = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}
    backend = parsed.get_backend_name()
    if backend not in drivers:
        raise ValueError(f"{backend} is not supported: use sqlite+aiosqlite or postgresql+asyncpg")
    return parsed.set(drivername=drivers[backend])


@asynccontextmanager
async def open_storage(url: str, *, schema: str | None = None) -> AsyncIterator[Storage]:
    """Open the database at `url`; it is closed when the block ends. Tables are `migrate`'s work.

    `schema` is that of PostgreSQL in which the tables are, its usual one if none is given.
    """
    parsed = parse_url(url)
    # Parameters are people's words: they stay out of errors, hence out of logs.
    options: dict[str, Any] = {"hide_parameters": True}
    if parsed.get_backend_name() == "sqlite":
        options["async_creator"] = partial(_open_sqlite, parsed.database or ":memory:")
    else:
        # Connections are not tried before they are used: after the server was away the first use of
        # one fails, all are made anew, and whoever works here tries again (`storage/failures.py`).
        options.update(pool_size=POOL_SIZE, max_overflow=POOL_SIZE)
        # Our statements are short: to compile one takes a hundred times as long as to run it, and
        # PostgreSQL would, wherever its estimate of a fresh table is far too high.
        where = {} if schema is None else {"search_path": f'"{schema}"'}
        options["connect_args"] = {"server_settings": {"jit": "off", **where}}
    engine = create_async_engine(parsed, **options)
    if parsed.get_backend_name() == "sqlite":
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
        event.listen(engine.sync_engine, "begin", _begin_sqlite)
    try:
        yield Storage(engine)
    finally:
        await engine.dispose()


async def _open_sqlite(path: str) -> aiosqlite.Connection:
    return await connect(path, BUSY_SECONDS)


def _prepare_sqlite(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    # The driver must not open transactions on its own: `_begin_sqlite` does.
    connection.isolation_level = None
    cursor = connection.cursor()
    # What is deleted is overwritten.
    pragmas = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON")
    for pragma in pragmas:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    read_only = connection.get_execution_options().get("jisr_read_only")
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")
