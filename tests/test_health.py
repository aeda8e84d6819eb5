from datetime import timedelta

from bot.clock import RealClock
from bot.engine import NAME, Office
from bot.health import healthy
from bot.settings import read_settings
from storage import leases
from storage.database import open_storage

IDLE = ["No engine is at work: nothing is delivered."]


async def test_a_bot_is_well_while_some_engine_is_at_work(database_url):
    settings = read_settings(database_url=database_url)
    assert await healthy(settings) == IDLE
    async with open_storage(database_url) as storage:
        office = Office(storage)
        async with office.until_left():
            assert await office.renew()
            assert await healthy(settings) == []
    assert await healthy(settings) == [], "a successor has a minute to come"


async def test_a_bot_is_not_well_whose_engine_died_a_minute_ago(database_url):
    settings = read_settings(database_url=database_url)
    async with open_storage(database_url) as storage, storage.begin() as db:
        long_ago = RealClock().now() - leases.LEASE - timedelta(seconds=61)
        assert await leases.hold(db, NAME, "somebody", long_ago)
    assert await healthy(settings) == IDLE


async def test_a_bot_without_its_database_is_not_well_and_none_is_made(tmp_path):
    file = tmp_path / "jisr.db"
    settings = read_settings(database_url=f"sqlite+aiosqlite:///{file}")
    assert await healthy(settings) == ["There is no database yet."]
    assert not file.exists()


async def test_a_bot_whose_database_is_something_else_is_not_well(tmp_path):
    file = tmp_path / "jisr.db"
    file.write_text("a letter")
    settings = read_settings(database_url=f"sqlite+aiosqlite:///{file}")
    assert await healthy(settings) == ["The database does not answer (DatabaseError)."]


async def test_a_bot_whose_database_is_away_is_not_well(tmp_path):
    url = f"postgresql+asyncpg://jisr@/jisr?host={tmp_path}"
    assert await healthy(read_settings(database_url=url)) == [
        "The database does not answer (FileNotFoundError)."
    ]
