"""Draining an announcement, pace lifted: the outbox beside a raw loop and stock clients."""

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from aiohttp import ClientSession
from rich.console import Console
from rich.table import Table
from sqlalchemy import func, insert, select
from telegram import Bot

from bot.app import open_app
from bot.clock import RealClock
from bot.pace import Pacer
from bot.settings import read_settings
from storage import reminders
from storage.database import Storage
from storage.tables import (
    Address,
    Event,
    Fate,
    Member,
    MemberLead,
    Outbox,
    Role,
    Rsvp,
    Seat,
    Session,
)
from tests.bench.server import TOKEN, lean_server
from tests.soak.ground import databases

LETTERS = 3_000
ROUNDS = 3
# What a writer of a broadcast loop would choose.
AT_ONCE = 10
_LEAD = 15
# The server hands out updates too; nobody asks for this one.
_UNASKED = [{"update_id": 1}]

Drain = Callable[[str], Awaitable[float]]


async def _at_once(send: Callable[[int], Awaitable[object]], concurrency: int) -> float:
    """Send all letters, so many at a time; the seconds it took."""
    numbers = iter(range(LETTERS))

    async def work() -> None:
        for number in numbers:
            await send(number)

    begun = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(concurrency)))
    return time.perf_counter() - begun


async def raw(url: str) -> float:
    """aiohttp, a hundred at a time, and nothing else."""
    text = "⏰ <b>Reminder</b>: in 15 minutes\n\n<b>Panel</b>\n🗓 Wednesday, July 4, 2018"
    async with ClientSession() as session:

        async def send(number: int) -> None:
            form = {"chat_id": f"{number + 1}", "text": text, "parse_mode": "HTML"}
            async with session.post(f"{url}/bot{TOKEN}/sendMessage", data=form) as answer:
                await answer.read()

        return await _at_once(send, 100)


def stock(concurrency: int) -> Drain:
    """python-telegram-bot as it comes, in a loop over people."""

    async def drain(url: str) -> float:
        async with Bot(TOKEN, base_url=f"{url}/bot") as bot:
            return await _at_once(lambda n: bot.send_message(n + 1, "Reminder"), concurrency)

    return drain


def ours(database_url: str) -> Drain:
    """The engine: every letter taken, written, marked, sent and settled in a database."""

    async def drain(url: str) -> float:
        settings = read_settings(
            database_url=database_url, telegram_token=TOKEN, telegram_api_url=url
        )
        pacer = Pacer(rate=100_000, per_chat=0)
        async with open_app(settings, RealClock(), pacer=pacer) as app, app.office.until_left():
            await _seats(app.storage)
            async with app.storage.begin() as db:
                now = RealClock().now()
                assert await reminders.post_due(db, now, app.pacer.rate) == LETTERS
            assert await app.office.renew()
            begun = time.perf_counter()
            working = [asyncio.create_task(one) for one in (app.delivery.run(), app.office.kept())]
            while await _left(app.storage):  # noqa: ASYNC110  # a database knows of no event
                await asyncio.sleep(0.1)
            seconds = time.perf_counter() - begun
            for one in working:
                one.cancel()
            await asyncio.wait(working)
        return seconds

    return drain


async def _left(storage: Storage) -> bool:
    async with storage.read() as db:
        left = select(Outbox.id).where(Outbox.state.in_((Fate.QUEUED, Fate.STARTED)))
        if await db.scalar(left.limit(1)) is not None:
            return True
        sent = select(func.count()).select_from(Outbox).where(Outbox.state != Fate.SENT)
        assert not await db.scalar(sent), "every letter was accepted"
        return False


async def _seats(storage: Storage) -> None:
    """A session in a quarter of an hour, and a seat in it for each of many new people."""
    now = datetime.now(UTC)
    async with storage.begin() as db:
        name = {"en": "Panel", "fr": "Panel", "ar": "ندوة"}
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
        people = [
            {"created_at": now, "role": Role.MEMBER, "language": ("fr", "ar", "en")[n % 3]}
            for n in range(LETTERS)
        ]
        ids = (await db.scalars(insert(Member).returning(Member.id), people)).all()
        rows = [{"member_id": i, "channel": "telegram", "address": f"{i}"} for i in ids]
        await db.execute(insert(Address), rows)
        await db.execute(insert(MemberLead), [{"member_id": i, "minutes": _LEAD} for i in ids])
        seat = {"session_id": session.id, "state": Seat.CONFIRMED, "since": now - timedelta(days=1)}
        await db.execute(insert(Rsvp), [{"member_id": i, **seat} for i in ids])


async def run(console: Console) -> None:
    """Measure everybody in turn, several rounds, and print the medians."""
    with tempfile.TemporaryDirectory() as folder, lean_server(_UNASKED) as (url, _pipe):
        async with databases(Path(folder)) as urls:
            peers: dict[str, Drain] = {
                "raw aiohttp, 100 at once": raw,
                "python-telegram-bot, one by one": stock(1),
                f"python-telegram-bot, {AT_ONCE} at once": stock(AT_ONCE),
                **{f"Jisr's outbox on {kind}": ours(at) for kind, at in urls.items()},
            }
            rates: dict[str, list[float]] = {name: [] for name in peers}
            for _ in range(ROUNDS):
                for name, drain in peers.items():
                    rates[name].append(LETTERS / await drain(url))
    _print(console, {name: median(each) for name, each in rates.items()})


def _print(console: Console, rates: dict[str, float]) -> None:
    raw_rate = next(iter(rates.values()))
    stock_rate = max(rate for name, rate in rates.items() if name.startswith("python"))
    table = Table(
        "client",
        "letters/s",
        "of raw",
        "of python-telegram-bot's best",
        title=f"Draining {LETTERS} letters, median of {ROUNDS}",
        box=None,
        pad_edge=False,
    )
    for name, rate in rates.items():
        table.add_row(name, f"{rate:.0f}", f"{rate / raw_rate:.2f}", f"{rate / stock_rate:.2f}")
    console.print(table)
