"""`jisr backup`: everything in one sealed file, consistent, while people go on writing.

SQLite's online backup copies one snapshot, which writers don't disturb; PostgreSQL's `pg_dump` does
the same, from the snapshot in which the rows are counted. In the file, below the seal, stand a line
of JSON that says what it holds, and the database itself: SQLite's file, or pg_dump's custom format.

PostgreSQL's dump streams into the seal and is nowhere in plain. SQLite's copy is: in a folder and a
file that this user alone may open, removed whatever happens.
"""

import asyncio
import hashlib
import json
import os
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import IO, Any, Self

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from bot import postgres_tools
from bot.sealing import Passphrase, PublicKeys, SealError, seal
from storage import audit
from storage.database import open_storage, parse_url
from storage.health import BACKUP

# Of SQLite, the pages copied at a time: between two of them we may be asked to stop.
_PAGES = 2_000
# Schemas that a restore put aside are no part of what we back up.
ASIDE = "before_restore_"


@dataclass(frozen=True, slots=True)
class Contents:
    """What a backup holds: the first line of it. `rows` are by table, `taken` is in UTC."""

    kind: str
    revision: str | None
    taken: str
    rows: dict[str, int]

    def line(self) -> bytes:
        """As it stands in the file."""
        return json.dumps({"jisr": 1, **asdict(self)}).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> Self:
        """What `line` wrote. Raises SealError for anything else."""
        try:
            told = json.loads(line)
            if told.pop("jisr") == 1:
                return cls(**told)
        except (ValueError, TypeError, KeyError, AttributeError):
            pass
        raise SealError("This is a sealed file, but no backup of Jisr that this version reads.")


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that was taken: where, what is in it, its bytes and their SHA-256."""

    path: Path
    contents: Contents
    size: int
    checksum: str


async def take(
    database_url: str,
    path: Path,
    lock: Passphrase | PublicKeys,
    now: datetime,
    *,
    tools: Path | None = None,
) -> Backup:
    """Back everything up into the new file `path`, which appears when it is whole.

    Raises SealError, in the operator's words, if it can't be done.
    """
    url, stop = parse_url(database_url), Event()

    def may_go_on(*_pages: int) -> None:
        if stop.is_set():
            raise InterruptedError("stopped")

    try:
        if url.get_backend_name() == "sqlite":
            source = Path(str(url.database))
            taken = await asyncio.to_thread(_sqlite, source, _To(path, lock, may_go_on), now)
        else:
            taken = await _postgres(database_url, _To(path, lock, may_go_on), now, tools)
    finally:
        # If we are told to stop, the thread ends soon by itself.
        stop.set()
    # Tables from before the audit have no place for it.
    with suppress(SQLAlchemyError):
        async with open_storage(database_url) as storage, storage.begin() as db:
            await audit.record(db, None, BACKUP, now, about={"bytes": taken.size})
    return taken


def _sqlite(source: Path, to: "_To", now: datetime) -> Backup:
    if not source.is_file():
        raise SealError(f"There is no database {source} to back up.")
    # Beside the backup: there must be room for it, and it is the operator's choice of a disk.
    with tempfile.TemporaryDirectory(prefix=".jisr-", dir=to.path.absolute().parent) as folder:
        copy = Path(folder) / "jisr.db"
        copy.touch(mode=0o600)
        try:
            with closing(sqlite3.connect(source)) as ours, closing(sqlite3.connect(copy)) as plain:
                # A transaction of our own is one snapshot for all of it: without, every commit of a
                # writer would begin the copy anew (sqlite.org/backup.html).
                ours.isolation_level = None
                ours.execute("BEGIN")
                ours.execute("SELECT count(*) FROM sqlite_master").fetchone()
                ours.backup(plain, pages=_PAGES, progress=to.may_go_on)
                plain.execute("PRAGMA journal_mode=DELETE")
                contents = _counted(plain, now)
        except sqlite3.Error as error:
            raise SealError(f"The database {source} can't be copied: {error}.") from None
        with copy.open("rb") as file:
            return to.sealed(contents, file)


def _counted(copy: sqlite3.Connection, now: datetime) -> Contents:
    tables = copy.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    names = [name for (name,) in tables if not name.startswith("sqlite_")]
    rows = {
        name: copy.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]  # noqa: S608  # our tables
        for name in names
        if name != "alembic_version"
    }
    revision = None
    if "alembic_version" in names:
        found = copy.execute("SELECT version_num FROM alembic_version").fetchone()
        revision = found and found[0]
    return Contents("sqlite", revision, _utc(now), rows)


async def _postgres(database_url: str, to: "_To", now: datetime, tools: Path | None) -> Backup:
    async with open_storage(database_url) as storage:
        frozen = storage.engine.execution_options(isolation_level="REPEATABLE READ")
        async with frozen.connect() as db:
            snapshot = str(await db.scalar(text("SELECT pg_export_snapshot()")))
            listed = await db.scalars(
                text("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
            )
            rows: dict[str, int] = {}
            for name in listed.all():
                if name != "alembic_version":
                    query = text(f'SELECT count(*) FROM "{name}"')  # noqa: S608  # our tables
                    rows[name] = await db.scalar(query) or 0
            revision = await db.scalar(text("SELECT version_num FROM alembic_version"))
            contents = Contents("postgresql", revision, _utc(now), rows)

            def work() -> Backup:
                url = parse_url(database_url)
                with postgres_tools.dump(url, tools, snapshot=snapshot, without=f"{ASIDE}*") as out:
                    return to.sealed(contents, out)

            # The snapshot is there for as long as this transaction is.
            return await asyncio.to_thread(work)


@dataclass(frozen=True, slots=True)
class _To:
    """Where a backup goes, for whom, and whether we may go on."""

    path: Path
    lock: Passphrase | PublicKeys
    may_go_on: Callable[..., None]

    def sealed(self, contents: Contents, plain: Any) -> Backup:
        """Write the sealed file; it has its name once all of it is on the disk."""
        if self.path.exists():
            raise SealError(f"{self.path} is there already. Name another file.")
        part = self.path.with_name(f".{self.path.name}.part")
        told = _Told(contents.line(), plain, self.may_go_on)
        try:
            with os.fdopen(
                os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb"
            ) as file:
                counted = _Counted(file)
                seal(told, counted, self.lock)
                file.flush()
                os.fsync(file.fileno())
            part.replace(self.path)
        except (OSError, SealError) as error:
            raise told.error or SealError(_told(self.path, error)) from error
        finally:
            part.unlink(missing_ok=True)
        return Backup(self.path, contents, counted.size, counted.checksum.hexdigest())


class _Told:
    """What is sealed, in the order in which it is read. `error` is what went wrong below it."""

    def __init__(self, line: bytes, plain: Any, may_go_on: Callable[..., None]) -> None:
        self._line, self._plain, self._may_go_on = line, plain, may_go_on
        self.error: Exception | None = None

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        if self._line:
            read, self._line = self._line[:size], self._line[size:]
            return read
        try:
            self._may_go_on()
            return bytes(self._plain.read(size))
        except (SealError, OSError) as error:
            self.error = error
            raise


class _Counted:
    """A file that counts what is written to it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self.size, self.checksum = file, 0, hashlib.sha256()

    def write(self, content: bytes) -> int:
        """Write all of it."""
        self.size += len(content)
        self.checksum.update(content)
        return self._file.write(content)

    def flush(self) -> None:
        """Leave it to the operating system."""
        self._file.flush()


def _utc(now: datetime) -> str:
    return now.astimezone(UTC).isoformat(timespec="seconds")


def _told(path: Path, error: Exception) -> str:
    if isinstance(error, SealError):
        return str(error)
    return f"{path} can't be written: {error}."
