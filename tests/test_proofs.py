"""Disasters with real parts: databases that stop, fill up or are fought over, a messenger in fire.

Each of them, short. `tests/soak/` has those that are worth running for long.
"""

import asyncio
import resource
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from sqlalchemy import event, select, text
from sqlalchemy.exc import OperationalError

from bot.app import open_app
from bot.clock import SimulatedClock
from bot.pace import Pacer
from bot.settings import read_settings
from bot.simulator import Simulator
from handlers import conversations
from handlers.correspondence import Kind
from storage.settlements import MAX_ATTEMPTS
from storage.tables import Fate, Update
from tests.proving_ground import (
    all_settled,
    compare,
    eventually,
)
from tests.soak import disk, restart
from tests.soak.contention import contend
from tests.town import Town, open_town
from tests.until import until

LETTERS, SERVER_ERRORS, DROPS = 40, 90, 7
RABAT = datetime(2018, 7, 3, 9, 30, tzinfo=UTC)  # 24 hours before its first panel


# --- a messenger in fire --------------------------------------------------------------------


@asynccontextmanager
async def engine_at_work(database_url):
    """The whole App, its engine running; a minute of its clock passes in a second of ours."""
    clock = SimulatedClock(RABAT - timedelta(minutes=1), speed=0)
    sim = Simulator(now=clock.now)
    async with sim.serve() as url:
        settings = read_settings(
            database_url=database_url, telegram_token=sim.token, telegram_api_url=url
        )
        async with open_app(settings, clock, pacer=Pacer(rate=100_000, per_chat=0)) as app:
            town = Town(sim, app, clock)
            await town.programme()
            await town.session("panel-1", capacity=None)
            for number in range(LETTERS):
                await town.seat(await town.member(f"Amal {number}"), "panel-1")
            clock.set_speed(60)
            running = asyncio.create_task(app.engine())
            try:
                yield sim, app
            finally:
                running.cancel()
                await asyncio.wait([running])


async def test_after_a_storm_the_ledger_is_the_outbox_row_by_row(database_url):
    async with engine_at_work(database_url) as (sim, app):
        sim.faults.latency = 0.02
        sim.faults.fail(10, code=429, retry_after=1)
        sim.faults.fail(SERVER_ERRORS, code=502)
        sim.faults.drop_before(DROPS)
        sim.faults.drop_after(DROPS)
        await eventually(lambda: all_settled(app.storage))
        assert sim.faults.planned == [], "all the trouble was met"
        books = await compare(app.storage, sim)
    assert books.differences == []
    assert books.states == {Fate.SENT: LETTERS}
    # A 429 spends no attempt, each 502 one, and every cut connection is a doubt.
    assert books.sum_of("attempts") == SERVER_ERRORS
    assert max(row.attempts for row in books.rows) < MAX_ATTEMPTS
    assert books.sum_of("doubts") == 2 * DROPS
    assert books.accepted.total() == LETTERS + DROPS


async def test_what_is_held_after_a_storm_was_sent_at_most_once(database_url, monkeypatch):
    kind = conversations.kinds()["reminder"]
    held = {"reminder": Kind(write=kind.write, resend=False)}
    monkeypatch.setattr("bot.app.kinds", lambda: held)
    async with engine_at_work(database_url) as (sim, app):
        sim.faults.drop_before(DROPS)
        sim.faults.drop_after(DROPS)
        await eventually(lambda: all_settled(app.storage))
        books = await compare(app.storage, sim)
    assert books.differences == []
    assert books.states == {Fate.SENT: LETTERS - 2 * DROPS, Fate.UNKNOWN: 2 * DROPS}
    assert books.accepted.total() == LETTERS - DROPS
    assert max(books.accepted.values()) == 1


# --- a server that stops --------------------------------------------------------------------


async def test_a_postgres_that_stops_in_the_middle_loses_nothing_and_needs_no_hand(tmp_path):
    report = await restart.fire(tmp_path, letters=60, stops=1, seed=7)
    assert report.kept, report
    assert len(report.back) == 1


# --- a disk that is full --------------------------------------------------------------------


async def test_on_a_full_disk_nothing_is_acknowledged_or_said_without_a_row(sqlite_url, tmp_path):
    """The kernel refuses our process's every byte beyond a size; then it has room again.

    `python -m tests.soak disk` does it on a disk that is really full.
    """
    wal = tmp_path / "jisr.db-wal"

    def leave(bot, free):
        _, most = resource.prlimit(bot.running.pid, resource.RLIMIT_FSIZE)
        size = resource.RLIM_INFINITY if free is None else wal.stat().st_size + free
        resource.prlimit(bot.running.pid, resource.RLIMIT_FSIZE, (size, most))

    report = await disk.fire(tmp_path, sqlite_url, leave, people=20, fillings=1, seed=7)
    assert report.kept, report


async def test_a_database_that_may_not_grow_waits_for_room(sqlite_url):
    """As on a full disk, in SQLite's own words for it."""
    most = 2**30

    def limit_pages(connection, _entry, _proxy):
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA max_page_count={most}")
        cursor.close()

    async with open_town(sqlite_url) as town:
        event.listen(town.app.storage.engine.sync_engine, "checkout", limit_pages)
        amal = town.stranger("Amal", "en")
        await amal.says("/start")
        async with town.app.storage.read() as db:
            most = await db.scalar(text("PRAGMA page_count"))
        said = [amal.person.says("/help") for _ in range(50)]
        await until(lambda: town.app.intake._outage._told)
        assert town.app.intake._outage._told is OperationalError
        acknowledged = set(said) - town.sim.world.mailbox.pending.keys()
        heard = len(amal.heard())
        assert heard <= await known_of(town, said)
        assert len(acknowledged) <= heard < len(said)
        most = 2**30
        await town.sim.settled(timeout=30)
        assert heard + len(amal.heard()) == await known_of(town, said) == len(said)


async def known_of(town, updates):
    """How many of these updates the database knows."""
    async with town.app.storage.read() as db:
        return len(set(await db.scalars(select(Update.update_id))) & set(updates))


# --- a database that is fought over ---------------------------------------------------------


async def test_four_processes_write_at_once_and_nobody_is_turned_away(sqlite_url):
    report = await contend(sqlite_url, processes=4, writes=300)
    assert report.kept, report
    assert report.written == 1200
