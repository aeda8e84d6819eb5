"""`jisr restore`: a backup is put back, and what it would do again is held.

The backup is opened and made ready beside the database in use - for SQLite in another file, for
PostgreSQL in another schema: brought up to today's tables, its letters held, the erasures since then
applied again. Only then, in one step, do the two change places, and the replaced one is kept aside.
Until that step an interruption leaves all as it was.
"""

import asyncio
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from bot import postgres_tools
from bot.backup import ASIDE, Contents
from bot.clock import RealClock
from bot.engine import NAME
from bot.sealing import Passphrase, SecretKeys, unseal
from storage import audit, forgetting, leases, restoring
from storage.database import Storage, open_storage, parse_url
from storage.forgetting import Erasures
from storage.health import RESTORED
from storage.migrations import alembic_config, migrate
from storage.restoring import Held, Withdrawal

# Who holds the engine's office while we restore, and the schema in which PostgreSQL's is made ready.
_HOLDER, _STAGING = "a restore", "restoring"


class RestoreError(Exception):
    """It can't be restored, and nothing was changed; the words are for the operator."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put back, what of it is held, how many people were forgotten again, and where the
    replaced database is; None: there was none.
    """

    contents: Contents
    held: Held
    forgotten: int
    aside: str | None
    warnings: tuple[str, ...]


async def restore(
    database_url: str,
    path: Path,
    key: Passphrase | SecretKeys,
    now: datetime,
    *,
    pace: float,
    agree: Callable[[Contents], bool],
    tools: Path | None = None,
) -> Restored | None:
    """Put the backup at `path` in the place of this database; None: `agree` said no.

    Raises RestoreError or SealError if it can't be done, and then nothing was changed.
    """
    url = parse_url(database_url)
    kind, beside = url.get_backend_name(), None
    if kind == "sqlite":
        # In the same folder: only there does one step change their places.
        beside = Path(str(url.database)).parent
    with tempfile.TemporaryDirectory(prefix=".jisr-", dir=beside) as folder:
        plain = Path(folder) / "plain"
        contents = await asyncio.to_thread(_open, path, key, plain)
        _refuse_if_strange(contents, kind)
        if not agree(contents):
            return None
        work = _Work(contents, now, pace, tools)
        change_places = _sqlite if kind == "sqlite" else _postgres
        aside = await change_places(database_url, plain, work)
    return Restored(contents, work.held, work.forgotten, aside, tuple(work.warnings))


@dataclass(slots=True)
class _Work:
    """What is to be done with a backup that lies open, and what became of it."""

    contents: Contents
    now: datetime
    pace: float
    tools: Path | None
    held: Held = field(default_factory=Held)
    forgotten: int = 0
    warnings: list[str] = field(default_factory=list)

    @property
    def stamp(self) -> str:
        """Names what is put aside."""
        return f"{self.now.astimezone(UTC):%Y%m%dT%H%M%S}"

    def warn(self, warning: str) -> None:
        """Tell it at the end."""
        self.warnings.append(warning)

    async def prepare(self, storage: Storage, known: "_Known | None") -> None:
        """Bring it up to today, hold its letters, forget again who was forgotten since."""
        await migrate(storage)
        async with storage.begin() as db:
            if known is None:
                self.warn("Nothing tells who was forgotten, or said STOP, since the backup.")
            else:
                await restoring.withdraw_again(db, known.withdrawals, self.now)
                self.forgotten = await forgetting.apply_again(db, known.erasures, self.now)
        async with storage.begin() as db:
            self.held = await restoring.hold(db, self.now, self.pace)
            about = {
                "taken": self.contents.taken,
                "letters": self.held.letters,
                "forgotten": self.forgotten,
            }
            await audit.record(db, None, RESTORED, self.now, about=about)


def _open(path: Path, key: Passphrase | SecretKeys, plain: Path) -> Contents:
    plain.touch(mode=0o600)
    try:
        with path.open("rb") as sealed, plain.open("wb") as file:
            target = _AfterLine(file)
            unseal(sealed, target, key)
            return Contents.from_line(target.line)
    except OSError as error:
        raise RestoreError(f"{path} can't be read: {error.strerror or error}.") from error


class _AfterLine:
    """A file that begins after the first line of what is written to it."""

    # Longer than any such line, and short enough to hold what is none.
    _LONGEST = 100_000

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._ended, self.line = file, False, b""

    def write(self, content: bytes) -> int:
        """Write what is below the first line."""
        rest = bytes(content)
        if not self._ended:
            head, newline, rest = rest.partition(b"\n")
            self.line += head
            self._ended = bool(newline) or len(self.line) > self._LONGEST
        self._file.write(rest)
        return len(content)

    def flush(self) -> None:
        """Leave it to the operating system."""
        self._file.flush()


def _refuse_if_strange(contents: Contents, kind: str) -> None:
    names = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
    if contents.kind != kind:
        made, used = names.get(contents.kind, contents.kind), names[kind]
        raise RestoreError(f"This is a backup of {made}, and JISR_DATABASE_URL names {used}.")
    known = {one.revision for one in ScriptDirectory.from_config(alembic_config()).walk_revisions()}
    if contents.revision is not None and contents.revision not in known:
        raise RestoreError(
            f"This backup was made by a newer Jisr (its tables are at {contents.revision}):"
            " upgrade Jisr first."
        )


# --- the database in use ----------------------------------------------------------------------


async def _take_office(storage: Storage) -> None:
    """Refuse while an engine is at work. The time is that of the day, as for every lease."""
    async with storage.begin() as db:
        if not await leases.hold(db, NAME, _HOLDER, RealClock().now()):
            raise RestoreError("An engine is at work on this database: stop `jisr run` first.")


async def _leave_office(storage: Storage) -> None:
    async with storage.begin() as db:
        await leases.release(db, NAME, _HOLDER, RealClock().now())


@dataclass(frozen=True, slots=True)
class _Known:
    """What the database in use knows of people's rights, and the backup doesn't."""

    erasures: Erasures
    withdrawals: list[Withdrawal]


async def _known(storage: Storage, contents: Contents) -> _Known | None:
    """None: the tables in use know of no such thing."""
    try:
        async with storage.read() as db:
            taken = datetime.fromisoformat(contents.taken)
            return _Known(await forgetting.erasures(db), await restoring.withdrawn_since(db, taken))
    except SQLAlchemyError:
        return None


# --- SQLite -----------------------------------------------------------------------------------


async def _sqlite(database_url: str, plain: Path, work: "_Work") -> str | None:
    """Make the copy ready, then let it take the file's name."""
    path = Path(str(parse_url(database_url).database))
    known = None
    if there := await asyncio.to_thread(_is_filled, path):
        try:
            async with open_storage(database_url) as storage:
                await _take_office(storage)
                known = await _known(storage, work.contents)
                await _leave_office(storage)
        except (SQLAlchemyError, sqlite3.Error) as error:
            work.warn(f"The database in use can't be read ({type(error).__name__}).")
    async with open_storage(f"sqlite+aiosqlite:///{plain}") as storage:
        await work.prepare(storage, known)
    return await asyncio.to_thread(_change_places, plain, path, work.stamp if there else None)


def _is_filled(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0


def _change_places(plain: Path, path: Path, stamp: str | None) -> str | None:
    """In one step. Without a stamp there is nothing to keep aside."""
    _one_file(plain)
    if stamp is None:
        plain.replace(path)
        return None
    _one_file(path)
    aside = path.with_name(f"{path.name}.{ASIDE}{stamp}")
    if aside.exists():
        raise RestoreError(f"{aside} is there already.")
    try:
        os.link(path, aside)
    except OSError:  # not on every kind of disk
        shutil.copy2(path, aside)
    plain.replace(path)
    return str(aside)


def _one_file(path: Path) -> None:
    """Let all of a database be in its file: possible only while nobody else has it open."""
    try:
        with closing(sqlite3.connect(path, timeout=1)) as db:
            db.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.OperationalError:
        raise RestoreError(f"Something still uses {path}: stop `jisr run` first.") from None
    except sqlite3.DatabaseError:
        # It is no database any more: perhaps the reason why we are here. Its log goes aside with it.
        wal = path.with_name(f"{path.name}-wal")
        if wal.exists():
            wal.replace(path.with_name(f"{path.name}.damaged-wal"))


# --- PostgreSQL -------------------------------------------------------------------------------


async def _postgres(database_url: str, plain: Path, work: "_Work") -> str | None:
    """Make it ready in a schema of its own, then let that be the one in use."""
    url = parse_url(database_url)
    async with open_storage(database_url) as storage:
        await _refuse_company(storage)
        empty = not await _query(
            storage, "SELECT to_regclass('public.alembic_version') IS NOT NULL"
        )
        known = None
        if not empty:
            await _take_office(storage)
            known = await _known(storage, work.contents)
        script, begin, end = (plain.with_name(name) for name in ("dump", "begin", "end"))
        aside, stage = f'"{ASIDE}{work.stamp}"', f'"{_STAGING}"'
        begin.write_text(
            f"DROP SCHEMA IF EXISTS {stage} CASCADE;"
            f" ALTER SCHEMA public RENAME TO {aside}; CREATE SCHEMA public;"
        )
        end.write_text(
            f"ALTER SCHEMA public RENAME TO {stage}; ALTER SCHEMA {aside} RENAME TO public;"
        )
        await asyncio.to_thread(postgres_tools.as_sql, url, work.tools, plain, script)
        scripts = [begin, script, end]
        await asyncio.to_thread(postgres_tools.run_sql, url, work.tools, scripts)
        try:
            async with open_storage(database_url, schema=_STAGING) as staged:
                await work.prepare(staged, known)
            await _refuse_company(storage)
            if not empty:
                await _take_office(storage)
            swap = (
                f"ALTER SCHEMA public RENAME TO {aside}",
                f"ALTER SCHEMA {stage} RENAME TO public",
                *((f"DROP SCHEMA {aside} CASCADE",) if empty else ()),
            )
            async with storage.engine.begin() as db:
                for statement in swap:
                    await db.execute(text(statement))
        except BaseException:
            async with storage.engine.begin() as db:
                await db.execute(text(f"DROP SCHEMA IF EXISTS {stage} CASCADE"))
            if not empty:
                await _leave_office(storage)
            raise
        return None if empty else f"the schema {ASIDE}{work.stamp}"


async def _refuse_company(storage: Storage) -> None:
    others = await _query(
        storage,
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND pid <> pg_backend_pid() AND backend_type = 'client backend'",
    )
    if others:
        raise RestoreError(
            f"{others} other connections to this database are open: stop every `jisr run` first."
        )


async def _query(storage: Storage, statement: str) -> Any:
    async with storage.engine.connect() as db:
        return await db.scalar(text(statement))
