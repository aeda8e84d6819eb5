"""Draining an announcement, pace lifted: the outbox beside a raw loop and stock clients.

The engine runs as it does in production: it writes down the audience, posts a few seconds' worth of
letters ahead, marks, sends and settles each, adds up what became of them and edits the card on which
staff watch. Reminders of one session are drained beside it.
"""

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import uvloop
from rich.console import Console
from rich.table import Table
from sqlalchemy import and_, func, insert, select

from bot.app import App, let_be, open_app
from bot.clock import RealClock
from bot.pace import Pacer
from bot.settings import read_settings
from bot.zones import prefer_packaged_zones
from storage.database import Storage, open_storage
from storage.tables import (
    Address,
    Agreement,
    Announcement,
    AnnouncementText,
    Event,
    Fate,
    Lane,
    Member,
    MemberLead,
    Outbox,
    Purpose,
    Role,
    Rsvp,
    Seat,
    Session,
    Stage,
)
from tests.bench.beside import Took, drains
from tests.bench.beside import peer as how
from tests.bench.peers import LETTERS, TEXT, TOKEN
from tests.bench.server import lean_server
from tests.soak.ground import databases

ROUNDS = 3
_TUNED = "PTB, one by one, tuned"
LANGUAGES = ("fr", "ar", "en")
_LEAD = 15
# The server hands out updates too; nobody asks for this one.
_UNASKED = [{"update_id": 1}]


@dataclass(frozen=True, slots=True)
class Drained:
    """Letters a second, and milliseconds of this process's processor time that each took."""

    rate: float
    busy: float


Drain = Callable[[str], Awaitable[Drained]]


def peer(name: str, *, tuned: bool = False) -> Drain:
    """A peer that sends the same letters, in a process of its own."""

    async def drain(url: str) -> Drained:
        took = await drains(how(name, url, tuned=tuned))
        return _drained(took.seconds, took.busy)

    return drain


def _drained(seconds: float, busy: float) -> Drained:
    return Drained(LETTERS / seconds, 1_000 * busy / LETTERS)


# --- ours -------------------------------------------------------------------------------------


def ours(database_url: str, lane: Lane) -> Drain:
    """The whole engine, in a process of its own as well."""

    async def drain(url: str) -> Drained:
        took = await drains(["-m", "tests.bench.outbound", url, database_url, lane.name])
        return _drained(took.seconds, took.busy)

    return drain


async def work(url: str, database_url: str, lane: Lane) -> Took:
    """Every letter taken, written, marked, sent and settled in a database."""
    settings = read_settings(database_url=database_url, telegram_token=TOKEN, telegram_api_url=url)
    pacer = Pacer(rate=100_000, per_chat=0)
    async with open_app(settings, RealClock(), pacer=pacer) as app:
        await (an_announcement if lane is Lane.BULK else reminders_of_a_session)(app)
        let_be()
        begun, busy = datetime.now(UTC), time.process_time()
        working = asyncio.create_task(app.engine())
        while not await _all_there(app.storage, lane, begun):  # noqa: ASYNC110  # a database knows of no event
            # Seldom: what it costs to look is counted, too.
            await asyncio.sleep(0.25)
        busy = time.process_time() - busy
        working.cancel()
        with suppress(asyncio.CancelledError):
            await working
        return Took(await _seconds(app.storage, lane, begun), busy)


async def _all_there(storage: Storage, lane: Lane, begun: datetime) -> bool:
    """Whether all letters were dealt with. Raises AssertionError if one of them was not accepted."""
    async with storage.read() as db:
        rows = await db.execute(
            select(Outbox.state, Outbox.reason, func.count())
            .where(Outbox.lane == lane, Outbox.settled_at >= begun)
            .group_by(Outbox.state, Outbox.reason)
        )
        ends = {(state, reason): number for state, reason, number in rows}
    assert ends.keys() <= {(Fate.SENT, None)}, ends
    return sum(ends.values()) == LETTERS


async def _seconds(storage: Storage, lane: Lane, begun: datetime) -> float:
    """From the first letter that was settled to the last."""
    async with storage.read() as db:
        ours = and_(Outbox.lane == lane, Outbox.settled_at >= begun)
        settled = select(func.min(Outbox.settled_at), func.max(Outbox.settled_at)).where(ours)
        first, last = (await db.execute(settled)).one()
    assert first
    assert last
    return (last - first).total_seconds()


async def populate(database_url: str) -> None:
    """People who agree to announcements and reminders, in three languages; one of the team."""
    now = datetime.now(UTC)
    async with open_storage(database_url) as storage, storage.begin() as db:
        known = {"role": Role.MEMBER, "created_at": now, "registered_at": now}
        people = [{"language": LANGUAGES[n % 3]} | known for n in range(LETTERS)]
        ids = (await db.scalars(insert(Member).returning(Member.id), people)).all()
        staff = Member(language="en", **(known | {"role": Role.STAFF}))
        db.add(staff)
        await db.flush()
        rows = [
            {"member_id": i, "channel": "telegram", "address": f"{i}"} for i in (*ids, staff.id)
        ]
        await db.execute(insert(Address), rows)
        for purpose in (Purpose.ANNOUNCEMENTS, Purpose.REMINDERS):
            agreed = {"purpose": purpose, "version": "bench", "since": now}
            await db.execute(insert(Agreement), [{"member_id": i} | agreed for i in ids])
        await db.execute(insert(MemberLead), [{"member_id": i, "minutes": _LEAD} for i in ids])


def to_everybody(author_id: int | None, now: datetime) -> Announcement:
    """An announcement to all who agree to them, which may begin to leave."""
    return Announcement(
        author_id=author_id,
        stage=Stage.READY,
        rule={"everyone": True},
        quietly=False,
        created_at=now,
        edited_at=now,
    )


async def an_announcement(app: App) -> None:
    """One to everybody, with words in three languages, that may begin to leave."""
    now = datetime.now(UTC)
    async with app.storage.begin() as db:
        author = await db.scalar(select(Member.id).where(Member.role == Role.STAFF))
        made = to_everybody(author, now)
        db.add(made)
        await db.flush()
        for language in LANGUAGES:
            db.add(AnnouncementText(announcement_id=made.id, language=language, text=TEXT))


async def reminders_of_a_session(app: App) -> None:
    """A session in a quarter of an hour, in which everybody has a seat."""
    now = datetime.now(UTC)
    name = dict.fromkeys(LANGUAGES, "Panel")
    async with app.storage.begin() as db:
        event = Event(
            slug=f"event-{time.monotonic_ns()}",
            title=name,
            timezone="Africa/Casablanca",
            starts=now.date(),
            ends=now.date(),
        )
        db.add(event)
        await db.flush()
        start = now + timedelta(minutes=_LEAD)
        session = Session(
            event_id=event.id,
            slug="panel",
            kind="panel",
            title=name,
            starts_at=start,
            ends_at=start + timedelta(hours=1),
        )
        db.add(session)
        await db.flush()
        members = await db.scalars(select(Member.id).where(Member.role == Role.MEMBER))
        seat = {"session_id": session.id, "state": Seat.CONFIRMED, "since": now - timedelta(days=1)}
        await db.execute(insert(Rsvp), [{"member_id": i, **seat} for i in members])


# --- the table --------------------------------------------------------------------------------


async def run(console: Console) -> None:
    """Measure everybody in turn, several rounds, and print the medians."""
    with tempfile.TemporaryDirectory() as folder, lean_server(_UNASKED) as (url, _pipe):
        async with databases(Path(folder)) as urls:
            peers = {
                "raw aiohttp, 100 at once": peer("aiohttp-drain", tuned=True),
                "stock PTB, one by one": peer("telegram-drain-1"),
                "stock PTB, 10 at once": peer("telegram-drain-10"),
                _TUNED: peer("telegram-drain-1", tuned=True),
            }
            for kind, at in urls.items():
                await populate(at)
                peers[f"announcement, {kind}"] = ours(at, Lane.BULK)
                peers[f"reminders, {kind}"] = ours(at, Lane.REMINDER)
            found: dict[str, list[Drained]] = {name: [] for name in peers}
            for _ in range(ROUNDS):
                for name, drain in peers.items():
                    found[name].append(await drain(url))
    medians = {
        name: Drained(median(one.rate for one in each), median(one.busy for one in each))
        for name, each in found.items()
    }
    _print(console, medians)


def _print(console: Console, found: dict[str, Drained]) -> None:
    plain = next(iter(found.values()))
    best = max(one.rate for name, one in found.items() if name.startswith("stock"))
    table = Table(
        *("client", "letters/s", "of raw", "of stock PTB", "of it, tuned", "CPU ms"),
        title=f"Draining {LETTERS} letters, median of {ROUNDS}",
    )
    for name, one in found.items():
        ratios = (f"{one.rate / other:.2f}" for other in (plain.rate, best, found[_TUNED].rate))
        table.add_row(name, f"{one.rate:,.0f}", *ratios, f"{one.busy:.2f}")
    console.print(table)


if __name__ == "__main__":
    prefer_packaged_zones()
    where, kept_in, kind_of_letter = sys.argv[1:]
    print(json.dumps(asdict(uvloop.run(work(where, kept_in, Lane[kind_of_letter])))))  # noqa: T201 - read by who started us
