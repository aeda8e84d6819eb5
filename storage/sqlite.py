"""A connection to SQLite that answers brief statements where they are asked.

aiosqlite does SQLite's work in a thread of its own, so that nothing else waits for it. But to go to
that thread and back is dearer than most of our statements, and SQLAlchemy would go four times for
each. So a transaction goes there twice: with its first statement, which may have to wait for
somebody else's transaction, and to commit, which waits for the disk. What lies between is in nobody's
way any more and is done at once, unless it changes many rows; a question that turns out to need
longer is asked again in the thread.
"""

import itertools
import math
import re
import sqlite3
import threading
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Self

import aiosqlite

# Steps of SQLite's machine (sqlite.org, sqlite3_progress_handler) that a question may take in the
# event loop: one or two milliseconds. They are counted by the stride.
BRIEF, STRIDE = 50_000, 1_000

Work = Callable[[sqlite3.Connection], None]


class NearConnection(aiosqlite.Connection):
    """As aiosqlite's, with cursors of our own. Made by `connect`, opened by awaiting it."""

    def __init__(self, path: str, busy_seconds: float) -> None:
        def open_file() -> sqlite3.Connection:
            # In the thread; `_alone` sees to it that only one of the two uses it at a time.
            return sqlite3.connect(path, timeout=busy_seconds, check_same_thread=False)

        super().__init__(open_file, iter_chunk_size=64)
        self._alone = threading.Lock()
        # How the transaction begins, as long as it has no statement yet.
        self._begin: str | None = None

    def cursor(self) -> "_Cursor":  # type: ignore[override]  # what SQLAlchemy asks of a cursor
        """A cursor; making one asks the thread nothing."""
        return _Cursor(self)

    def begin_with(self, statement: str) -> None:
        """Let the next statement begin a transaction in this way."""
        self._begin = statement

    async def run(self, work: Work) -> None:
        """Do this in the connection's thread."""
        begin, self._begin = self._begin, None

        def run(connection: sqlite3.Connection) -> None:
            with self._alone:
                if begin is not None:
                    connection.execute(begin).close()
                work(connection)

        await self._execute(run, self._conn)  # type: ignore[no-untyped-call]  # theirs

    def run_here(self, work: Work, steps: float) -> bool:
        """Do this here and now, in a transaction that has begun. False: to be done in the thread.

        What takes more than so many steps is broken off.
        """
        if not self._conn.in_transaction or not self._alone.acquire(blocking=False):
            return False
        strides = itertools.count(STRIDE, STRIDE)
        self._conn.set_progress_handler(lambda: next(strides) > steps, STRIDE)
        try:
            work(self._conn)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
                raise
            return False
        finally:
            # In the thread each look at the steps would have to wait for Python.
            self._conn.set_progress_handler(None, 0)
            self._alone.release()
        return True

    async def commit(self) -> None:
        """Commit, if there was anything to."""
        if not self._begins_no_more():
            await super().commit()

    async def rollback(self) -> None:
        """Roll back, if there was anything to."""
        if not self._begins_no_more():
            await super().rollback()

    def _begins_no_more(self) -> bool:
        begin, self._begin = self._begin, None
        return begin is not None


def connect(path: str, busy_seconds: float) -> NearConnection:
    """A connection to the file at `path`, which waits so long for another's transaction."""
    return NearConnection(path, busy_seconds)


class _Cursor:
    """The part of a cursor that SQLAlchemy uses; its rows are here once `execute` returns."""

    arraysize = 1

    def __init__(self, connection: NearConnection) -> None:
        self._connection = connection
        self.description: Any = None
        self.rowcount, self.lastrowid = -1, 0
        self._rows: list[Any] = []

    async def __aenter__(self) -> Self:
        return self

    async def execute(self, statement: str, parameters: Sequence[Any] = ()) -> None:
        """Run a statement and fetch all it returns."""
        if statement.startswith("BEGIN"):
            self._connection.begin_with(statement)
            return

        def work(connection: sqlite3.Connection) -> None:
            self._finish(connection.execute(statement, parameters))

        steps = _brief(statement)
        if steps is None or not self._connection.run_here(work, steps):
            await self._connection.run(work)

    async def executemany(self, statement: str, parameters: Sequence[Sequence[Any]]) -> None:
        """Run a statement for each set of parameters."""
        await self._connection.run(
            lambda connection: self._finish(connection.executemany(statement, parameters))
        )

    def _finish(self, cursor: sqlite3.Cursor) -> None:
        # The count of rows is right once all are fetched.
        self.description = cursor.description
        self._rows = cursor.fetchall() if cursor.description else []
        self.rowcount, self.lastrowid = cursor.rowcount, cursor.lastrowid or 0
        cursor.close()

    async def fetchall(self) -> list[Any]:
        """All rows."""
        rows, self._rows = self._rows, []
        return rows

    async def close(self) -> None:
        """Nothing is open."""


# What the session writes of one row that it has read.
_ONE_ROW = re.compile(
    r'INSERT INTO "?\w+"? \([^()]+\) VALUES \([^()]+\)( RETURNING \w+)?'
    r'|UPDATE "?\w+"? SET [^()]+ WHERE "?\w+"?\.(id|key) = \?'
)


@lru_cache(maxsize=1_000)
def _brief(statement: str) -> float | None:
    """In how many steps it may be tried at once; None: not at all.

    A question may be broken off. One row is soon written; breaking off any change would undo the
    whole transaction (sqlite.org, sqlite3_interrupt).
    """
    if statement.startswith("SELECT"):
        return BRIEF
    return math.inf if _ONE_ROW.fullmatch(statement) else None
