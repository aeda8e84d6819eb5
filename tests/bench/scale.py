"""A hundred times as many people: what do a wave, an announcement and a tick cost then?

`python -m tests.bench scale`. Each size has a fresh database, filled by SQL alone.
"""

import resource
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from storage import outbox, plans, reminders, sendings, waitlist
from storage.database import Storage, open_storage
from storage.tables import (
    Announcement,
    AnnouncementText,
    Event,
    Member,
    Role,
    Session,
)
from tests.bench.outbound import to_everybody
from tests.soak.ground import databases

FEW, MANY = 100_000, 1_000_000
# The tick is compared with one that has few rows waiting.
HARDLY_ANY = 10_000
TICKS = 15
LEAD = 15
PACE, LIFTED = 28.0, 100_000.0
# Of the letters of an announcement, fewer than may wait.
SLICES = 5
NAME = {"en": "Panel", "fr": "Panel", "ar": "ندوة"}

_NUMBERS = {
    "sqlite": "WITH RECURSIVE crowd(n) AS "
    "(SELECT 1 UNION ALL SELECT n + 1 FROM crowd WHERE n < :size)",
    "postgresql": "WITH crowd(n) AS (SELECT generate_series(1, :size))",
}


async def crowd(db: AsyncSession, size: int, session_id: int, since: datetime) -> None:
    """So many people with an address, a lead and a seat in this session."""
    kind = db.get_bind().dialect.name
    numbers = _NUMBERS[kind]
    stamp = since.replace(tzinfo=None).isoformat(" ") if kind == "sqlite" else since
    given = {"size": size, "session": session_id, "since": stamp}
    for into, values in (
        (
            "member (id, language, name, country, city, side, role, created_at, registered_at, "
            "own_leads, rhythm)",
            "n, 'fr', 'Amal', 'FR', 'Lyon', 'diaspora', 'member', :since, :since, :own, "
            "'Europe/Paris||'",
        ),
        ("address (member_id, channel, address)", "n, 'telegram', CAST(n AS VARCHAR(64))"),
        ("member_lead (member_id, minutes)", f"n, {LEAD}"),
        (
            "agreement (member_id, purpose, version, since)",
            "n, 'announcements', 'bench', :since",
        ),
        (
            "rsvp (session_id, member_id, state, since, guests)",
            ":session, n, 'confirmed', :since, 0",
        ),
    ):
        wanted = {name: given[name] for name in given if f":{name}" in numbers + values}
        if ":own" in values:
            wanted["own"] = True
        statement = f"INSERT INTO {into} {numbers} SELECT {values} FROM crowd"  # noqa: S608 - no person's words
        await db.execute(text(statement), wanted)


async def planned(db: AsyncSession, now: datetime) -> int:
    """A session in a quarter of an hour."""
    event = Event(slug="e", title=NAME, timezone="UTC", starts=now.date(), ends=now.date())
    db.add(event)
    await db.flush()
    starts = now + timedelta(minutes=LEAD)
    session = Session(
        event_id=event.id,
        slug="panel",
        kind="panel",
        title=NAME,
        starts_at=starts,
        ends_at=starts + timedelta(hours=1),
    )
    db.add(session)
    await db.flush()
    return session.id


async def announced(db: AsyncSession, now: datetime) -> int:
    """An announcement to everybody that may begin, by one of them."""
    author = await db.get_one(Member, 1)
    author.role = Role.STAFF
    made = to_everybody(author.id, now)
    db.add(made)
    await db.flush()
    db.add(AnnouncementText(announcement_id=made.id, language="fr", text="Bonjour"))
    return made.id


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds for posting to all, peak growth of our memory (MB), and seconds for a tick after, for
    taking nine letters, for writing an audience down, and for posting a slice of its letters.
    """

    posting: float
    growth: float
    tick: float
    look: float
    audience: float
    slice_: float


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def _timed(storage: Storage, work: Callable[[AsyncSession], Awaitable[object]]) -> float:
    begun = time.perf_counter()
    async with storage.begin() as db:
        await work(db)
    return time.perf_counter() - begun


async def cost(url: str, size: int) -> Cost:
    """Post a wave to so many people, then tick with its rows waiting."""
    now = datetime.now(UTC)

    async def tick(db: AsyncSession) -> None:
        # What bot/app.py does each second.
        await plans.tell(db, now)
        await reminders.post_due(db, now, PACE)
        await waitlist.tend(db, now)

    async with open_storage(url) as storage:
        async with storage.begin() as db:
            session_id = await planned(db, now)
            await crowd(db, size, session_id, now - timedelta(days=1))
        if not storage.is_sqlite:
            async with storage.engine.connect() as connection:
                await connection.execution_options(isolation_level="AUTOCOMMIT")
                await connection.execute(text("ANALYZE"))
        before = _peak()
        posting = await _timed(storage, lambda db: reminders.post_due(db, now, PACE))
        growth = _peak() - before
        if not storage.is_sqlite:
            # Rows just made are written back first, or the ticks are measured beside that.
            async with storage.engine.connect() as connection:
                await connection.execution_options(isolation_level="AUTOCOMMIT")
                await connection.execute(text("VACUUM ANALYZE"))
                await connection.execute(text("CHECKPOINT"))
        ticks = [await _timed(storage, tick) for _ in range(TICKS)]
        looks = [
            await _timed(storage, lambda db: outbox.take_due(db, now, 9, ["telegram"]))
            for _ in range(TICKS)
        ]
        before = _peak()
        audience, slice_ = await _announcement(storage, now, size)
        growth = max(growth, _peak() - before)
    return Cost(posting, growth, median(ticks), median(looks), audience, slice_)


async def _announcement(storage: Storage, now: datetime, size: int) -> tuple[float, float]:
    """Seconds until all of its audience is written down, and for a slice of its letters."""
    async with storage.begin() as db:
        made = await announced(db, now)

    async def step(db: AsyncSession) -> None:
        await sendings.step(db, made, now, pace=LIFTED, home="Europe/Paris")

    audience = 0.0
    while True:
        audience += await _timed(storage, step)
        async with storage.read() as db:
            found = await db.get_one(Announcement, made)
            if found.counted_at is not None:
                break
    assert found.size == size
    return audience, median([await _timed(storage, step) for _ in range(SLICES)])


async def run(console: Console) -> None:
    """Measure each size on each database, and print what a hundred times as many cost."""
    table = Table(
        *("rows", "a wave, s", "us a row", "memory, MB", "tick, ms", "taking 9, ms"),
        *("an audience, s", "us a row", "500 letters, ms"),
    )
    for size in (HARDLY_ANY, FEW, MANY):
        with tempfile.TemporaryDirectory() as folder:
            async with databases(Path(folder)) as urls:
                for kind, url in urls.items():
                    found = await cost(url, size)
                    table.add_row(
                        f"{size:,} {kind}",
                        f"{found.posting:.2f}",
                        f"{1e6 * found.posting / size:.1f}",
                        f"{found.growth:+.1f}",
                        f"{1e3 * found.tick:.1f}",
                        f"{1e3 * found.look:.1f}",
                        f"{found.audience:.2f}",
                        f"{1e6 * found.audience / size:.1f}",
                        f"{1e3 * found.slice_:.0f}",
                    )
    console.print(table)
