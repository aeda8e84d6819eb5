"""The office: one at a time, for as long as it is renewed, and left at the end."""

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from bot.engine import Office, SecondEngine
from storage import leases
from tests.post_office import NOON


@pytest.fixture
def short(monkeypatch):
    """A lease of a second."""
    monkeypatch.setattr(leases, "LEASE", timedelta(seconds=1))


async def held(office):
    async with office._storage.begin() as db:
        return await office.held(db)


async def ends(office):
    term = await office._term()
    assert term is not None
    return term[1]


async def test_the_office_has_one_holder_until_the_lease_is_over(storage):
    times = (NOON, NOON + leases.LEASE, NOON + leases.LEASE * 1.01)
    told = []
    async with storage.begin() as db:
        told.append(await leases.hold(db, "engine", "first", NOON))
    for now in times:
        async with storage.begin() as db:
            told.append(await leases.hold(db, "engine", "second", now))
    async with storage.begin() as db:
        told += [await leases.holds(db, "engine", name) for name in ("first", "second")]
        told.append(await leases.hold(db, "another office", "first", NOON))
        assert await leases.term(db, "engine") == ("second", times[2] + leases.LEASE)
        assert await leases.term(db, "nobody's") is None
    assert told == [True, False, False, True, False, True, True]


async def test_of_many_who_want_it_at_once_one_gets_it(storage):
    offices = [Office(storage) for _ in range(8)]
    won = await asyncio.gather(*(office.renew() for office in offices))
    assert sorted(won) == [False] * 7 + [True]
    assert [await held(office) for office in offices] == won


async def test_whoever_leaves_makes_room_at_once(storage):
    first, second = Office(storage), Office(storage)
    async with first.until_left():
        assert await first.renew()
        assert not await second.renew()
    assert not first.safe
    assert await second.renew()


async def test_a_holder_that_slept_does_not_trust_its_lease(storage):
    passed = 0.0
    office = Office(storage, elapsed=lambda: passed)
    told = [office.safe]
    await office.renew()
    told.append(office.safe)
    passed = leases.LEASE.total_seconds() * 0.8
    told.append(office.safe)
    await office.renew()
    told.append(office.safe)
    assert told == [False, True, False, True]


@pytest.mark.usefixtures("short")
async def test_the_office_moves_when_its_holder_is_silent(storage):
    silent, successor = Office(storage), Office(storage)
    assert await silent.renew()
    before = successor.holder
    async with asyncio.timeout(10):
        await successor.won()
    assert successor.holder != before, "each term has a name of its own"
    assert [await held(silent), await held(successor)] == [False, True]
    with capture_logs() as logs:
        async with asyncio.timeout(10):
            await silent.kept()
    assert [one["event"] for one in logs] == ["another engine has taken over"]


@pytest.mark.usefixtures("short")
async def test_a_second_engine_waits_on_postgresql_and_refuses_on_sqlite(storage):
    first, second = Office(storage), Office(storage)
    await first.won()
    keeping = asyncio.create_task(first.kept())
    waiting = asyncio.create_task(second.won())
    try:
        if storage.is_sqlite:
            async with asyncio.timeout(10):
                with pytest.raises(SecondEngine):
                    await waiting
            return
        long_after = await ends(first) + leases.LEASE * 2
        while await ends(first) < long_after:  # noqa: ASYNC110  # nothing announces it
            await asyncio.sleep(0.01)
        assert not waiting.done()
        keeping.cancel()
        async with first.until_left():
            await asyncio.wait([keeping])
        async with asyncio.timeout(10):
            await waiting
        assert [await held(first), await held(second)] == [False, True]
    finally:
        for task in (keeping, waiting):
            task.cancel()
        await asyncio.wait([keeping, waiting])


@pytest.mark.usefixtures("short")
async def test_a_database_that_is_away_is_told_once_and_the_office_kept(storage, monkeypatch):
    office, begin, away = Office(storage), storage.begin, 4

    @asynccontextmanager
    async def unreliable():
        nonlocal away
        away -= 1
        if away >= 0:
            raise ConnectionRefusedError
        async with begin() as db:
            yield db
        back.set()

    back = asyncio.Event()
    await office.renew()
    monkeypatch.setattr(storage, "begin", unreliable)
    with capture_logs() as logs:
        keeping = asyncio.create_task(office.kept())
        async with asyncio.timeout(10):
            await back.wait()
            while not office.safe:  # noqa: ASYNC110  # nothing announces it
                await asyncio.sleep(0.01)
        keeping.cancel()
        await asyncio.wait([keeping])
    assert [one["event"] for one in logs] == ["the database is away", "works again"]
    assert await held(office)
