"""A connection to SQLite that takes one hop to its thread for each statement.

aiosqlite does SQLite's work in a thread of its own, and SQLAlchemy asks it four things for each
statement: a cursor, to execute, to fetch, to close. Each is a hop to that thread and back, dearer
than most of our statements. Here a statement and all of its rows are one hop.
"""

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, Self

import aiosqlite


class OneHopConnection(aiosqlite.Connection):
    """As aiosqlite's, with cursors of our own. Made by `connect`, opened by awaiting it."""

    def cursor(self) -> "_Cursor":  # type: ignore[override]  # what SQLAlchemy asks of a cursor
        """A cursor; making one asks the thread nothing."""
        return _Cursor(self)

    async def run(self, run: Callable[[sqlite3.Connection], None]) -> None:
        """Do this in the connection's thread."""
        await self._execute(run, self._conn)  # type: ignore[no-untyped-call]  # theirs


def connect(path: str, busy_seconds: float) -> OneHopConnection:
    """A connection to the file at `path`, which waits so long for another's transaction."""

    def open_file() -> sqlite3.Connection:
        # The thread is always the same one but when SQLAlchemy sets up a new connection.
        return sqlite3.connect(path, timeout=busy_seconds, check_same_thread=False)

    return OneHopConnection(open_file, iter_chunk_size=64)


class _Cursor:
    """The part of a cursor that SQLAlchemy uses; its rows are here once `execute` returns."""

    arraysize = 1

    def __init__(self, connection: OneHopConnection) -> None:
        self._connection = connection
        self.description: Any = None
        self.rowcount, self.lastrowid = -1, 0
        self._rows: list[Any] = []

    async def __aenter__(self) -> Self:
        return self

    async def execute(self, statement: str, parameters: Sequence[Any] = ()) -> None:
        """Run a statement and fetch all it returns."""
        await self._connection.run(
            lambda connection: self._finish(connection.execute(statement, parameters))
        )

    async def executemany(self, statement: str, parameters: Sequence[Sequence[Any]]) -> None:
        """Run a statement for each set of parameters."""
        await self._connection.run(
            lambda connection: self._finish(connection.executemany(statement, parameters))
        )

    def _finish(self, cursor: sqlite3.Cursor) -> None:
        # In the thread. The count of rows is right once all are fetched.
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
