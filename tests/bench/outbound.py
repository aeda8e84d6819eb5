"""Draining an announcement, pace lifted: the outbox beside a raw loop and stock clients.

The engine runs as it does in production: it writes down the audience, posts a few seconds' worth of
letters ahead, marks, sends and settles each, adds up what became of them and edits the card on which
staff watch. Reminders of one session are drained beside it.
"""

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from aiohttp import ClientSession
from rich.console import Console
from rich.table import Table
from sqlalchemy import and_, func, insert, select
from telegram import Bot

from bot.app import App, open_app
from bot.clock import RealClock
from bot.pace import Pacer
from bot.settings import read_settings
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
from tests.bench.server import TOKEN, lean_server
from tests.soak.ground import databases

LETTERS = 12_000
ROUNDS = 3
# What a writer of a broadcast loop would try.
AT_ONCE = (1, 10)
LANGUAGES = ("fr", "ar", "en")
_LEAD = 15
# The server hands out updates too; nobody asks for this one.
_UNASKED = [{"update_id": 1}]
_TEXT = (
    "<b>Consular days in Lyon</b>\n\nOn 4 and 5 July, without appointment: passports, civil status, "
    "certificates. Bring your identity card and two photographs.\n\n<i>To stop receiving these: "
    "/stop</i>"
)


@dataclass(frozen=True, slots=True)
class Drained:
    """Letters a second, and milliseconds of this process's processor time that each took."""

    rate: float
    busy: float


Drain = Callable[[str], Awaitable[Drained]]


async def _at_once(send: Callable[[int], Awaitable[object]], concurrency: int) -> Drained:
    """Send all letters, so many at a time."""
    numbers = iter(range(LETTERS))

    async def work() -> None:
        for number in numbers:
            await send(number)

    begun, busy = time.perf_counter(), time.process_time()
    await asyncio.gather(*(work() for _ in range(concurrency)))
    return _drained(time.perf_counter() - begun, time.process_time() - busy)


def _drained(seconds: float, busy: float) -> Drained:
    return Drained(LETTERS / seconds, 1_000 * busy / LETTERS)


async def raw(url: str) -> Drained:
    """aiohttp, a hundred at a time, and nothing else."""
    async with ClientSession() as session:

        async def send(number: int) -> None:
            form = {"chat_id": f"{number + 1}", "text": _TEXT, "parse_mode": "HTML"}
            async with session.post(f"{url}/bot{TOKEN}/sendMessage", data=form) as answer:
                await answer.read()

        return await _at_once(send, 100)


def stock(concurrency: int) -> Drain:
    """python-telegram-bot as it comes, in a loop over people."""

    async def drain(url: str) -> Drained:
        async with Bot(TOKEN, base_url=f"{url}/bot") as bot:
            return await _at_once(
                lambda n: bot.send_message(n + 1, _TEXT, parse_mode="HTML"), concurrency
            )

    return drain


# --- ours -------------------------------------------------------------------------------------


def ours(database_url: str, lane: Lane, prepare: Callable[[App], Awaitable[None]]) -> Drain:
    """The whole engine: every letter taken, written, marked, sent and settled in a database."""

    async def drain(url: str) -> Drained:
        settings = read_settings(
            database_url=database_url, telegram_token=TOKEN, telegram_api_url=url
        )
        pacer = Pacer(rate=100_000, per_chat=0)
        async with open_app(settings, RealClock(), pacer=pacer) as app:
            await prepare(app)
            begun, busy = datetime.now(UTC), time.process_time()
            working = asyncio.create_task(app.engine())
            while not await _all_there(app.storage, lane, begun):  # noqa: ASYNC110  # a database knows of no event
                # Seldom: what it costs to look is counted, too.
                await asyncio.sleep(0.25)
            busy = time.process_time() - busy
            working.cancel()
            with suppress(asyncio.CancelledError):
                await working
            return _drained(await _seconds(app.storage, lane, begun), busy)

    return drain


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


async def an_announcement(app: App) -> None:
    """One to everybody, with words in three languages, that may begin to leave."""
    now = datetime.now(UTC)
    async with app.storage.begin() as db:
        author = await db.scalar(select(Member.id).where(Member.role == Role.STAFF))
        made = Announcement(
            author_id=author,
            stage=Stage.READY,
            rule={"everyone": True},
            quietly=False,
            created_at=now,
            edited_at=now,
        )
        db.add(made)
        await db.flush()
        for language in LANGUAGES:
            db.add(AnnouncementText(announcement_id=made.id, language=language, text=_TEXT))


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
            peers: dict[str, Drain] = {"raw aiohttp, 100": raw}
            peers |= {f"stock PTB, {n} at once": stock(n) for n in AT_ONCE}
            for kind, at in urls.items():
                await populate(at)
                peers[f"announcement, {kind}"] = ours(at, Lane.BULK, an_announcement)
                peers[f"reminders, {kind}"] = ours(at, Lane.REMINDER, reminders_of_a_session)
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
    stocks = [one for name, one in found.items() if name.startswith("stock")]
    best, lightest = max(one.rate for one in stocks), min(one.busy for one in stocks)
    table = Table(
        "client",
        "letters/s",
        "of raw",
        "of PTB's best",
        "CPU ms",
        "PTB's / ours",
        title=f"Draining {LETTERS} letters, median of {ROUNDS}",
        box=None,
        pad_edge=False,
    )
    for name, one in found.items():
        table.add_row(
            name,
            f"{one.rate:,.0f}",
            f"{one.rate / plain.rate:.2f}",
            f"{one.rate / best:.2f}",
            f"{one.busy:.2f}",
            f"{lightest / one.busy:.2f}",
        )
    console.print(table)
