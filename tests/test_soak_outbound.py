"""Engines that are killed, asked to end, doubled or asleep: real processes, and a short while.

`python -m tests.soak` does it at full size.
"""

from datetime import UTC, datetime

from storage import leases
from storage.tables import Fate
from tests.processes import process
from tests.proving_ground import compare
from tests.soak.engine import engine
from tests.soak.outbound import fire, letters_to_deliver, nap, sleepwalk


async def test_an_engine_that_is_killed_loses_nothing_and_lists_what_may_come_twice(
    database_url, tmp_path
):
    report = await fire(tmp_path, database_url, letters=400, kills=3, seed=7)
    assert report.kept, report


async def test_an_engine_that_slept_through_its_replacement_starts_nothing(postgres_url, tmp_path):
    zombie = await sleepwalk(tmp_path, postgres_url, letters=60, pace=20)
    assert zombie.kept, zombie
    assert zombie.report.doubts > 1, "it had letters in hand, or this proves nothing"


async def test_an_engine_that_slept_and_was_not_replaced_goes_on(sqlite_url, tmp_path):
    report = await nap(tmp_path, sqlite_url, letters=60, pace=20, seed=7)
    assert report.kept, report


async def test_sigterm_finishes_what_is_under_way_and_leaves_the_office(database_url, tmp_path):
    async with letters_to_deliver(tmp_path, database_url, 150, pace=28) as (sim, storage, plan):
        settings = {
            "database_url": database_url,
            "telegram_token": sim.token,
            "telegram_api_url": plan.api_url,
        }
        sim.faults.latency = 0.2
        async with process(tmp_path, "run", "--engine", **settings) as bot:
            await bot.start()
            await sim.wait_for(lambda: len(sim.ledger.accepted("sendMessage")) >= 20, 60)
            assert await bot.stop() == 0
        books = await compare(storage, sim)
        assert (books.differences, books.sum_of("doubts")) == ([], 0)
        assert set(books.states) == {Fate.SENT, Fate.QUEUED}
        assert books.accepted.total() == books.states[Fate.SENT]
        async with storage.read() as db:
            term = await leases.term(db, "engine")
        assert term is not None
        assert term[1] < datetime.now(UTC)


async def test_a_second_engine_on_sqlite_refuses_and_says_what_to_do(sqlite_url, tmp_path):
    async with letters_to_deliver(tmp_path, sqlite_url, 1, pace=28) as (sim, _storage, plan):
        settings = {
            "database_url": sqlite_url,
            "telegram_token": sim.token,
            "telegram_api_url": plan.api_url,
        }
        async with engine(plan), process(tmp_path, "run", "--engine", **settings) as second:
            await sim.wait_for(lambda: sim.ledger.accepted("sendMessage"), 60)
            await second.start()
            assert await second.running.wait() == 1
            assert second.log.splitlines()[-1] == (
                "Another `jisr run` serves this SQLite database. Stop it first, or use PostgreSQL "
                "for several processes."
            )
