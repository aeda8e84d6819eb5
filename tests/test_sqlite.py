"""Brief statements are answered where they are asked, long ones in the connection's thread."""

import asyncio
import sqlite3
import threading

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, insert, null, select, text, update
from sqlalchemy.exc import OperationalError

from storage.database import open_storage
from storage.sqlite import BRIEF, connect

HERE = threading.get_ident()
THING = Table("thing", MetaData(), Column("id", Integer, primary_key=True), Column("at", Integer))
# A question that takes far longer than is brief, on any machine.
LONG = text(
    "SELECT count(*), max(place()) FROM (WITH RECURSIVE n(i) AS"
    " (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 1000000) SELECT i FROM n)"
)


async def _knowing_its_place(connection) -> None:
    """Give SQLite a function that tells which thread it is called in."""
    driver = (await connection.get_raw_connection()).driver_connection
    assert driver is not None
    await driver.run(lambda it: it.create_function("place", 0, threading.get_ident))


@pytest.fixture
async def placed(sqlite_url):
    async with open_storage(sqlite_url) as storage, storage.engine.connect() as connection:
        await connection.run_sync(THING.metadata.create_all)
        await connection.commit()
        await _knowing_its_place(connection)
        await connection.commit()
        yield connection


async def test_a_transaction_begins_in_the_thread_and_goes_on_here(placed):
    first = await placed.scalar(text("SELECT place()"))
    second = await placed.scalar(text("SELECT place()"))
    assert first != HERE
    assert second == HERE


async def test_a_long_question_is_answered_whole_in_the_thread(placed):
    await placed.scalar(text("SELECT place()"))
    counted, place = (await placed.execute(LONG)).one()
    assert counted == 1_000_000
    assert place != HERE
    # And what comes after it is brief again.
    assert await placed.scalar(text("SELECT place()")) == HERE


async def test_one_row_is_written_here_and_many_in_the_thread(placed):
    await placed.scalar(text("SELECT 1"))
    await placed.execute(
        text(
            "CREATE TRIGGER told AFTER INSERT ON thing WHEN NEW.at IS NULL BEGIN"
            " UPDATE thing SET at = place() WHERE id = NEW.id; END"
        )
    )
    await placed.execute(
        text(
            "CREATE TRIGGER retold AFTER UPDATE ON thing WHEN NEW.at = 0 BEGIN"
            " UPDATE thing SET at = place() WHERE id = NEW.id; END"
        )
    )
    for _ in range(3):
        await placed.execute(insert(THING), {"at": None})
    await placed.execute(insert(THING).values([{"at": None}, {"at": None}]))
    await placed.execute(insert(THING).from_select(["at"], select(null())))
    await placed.execute(update(THING).where(THING.c.id == 2).values(at=0))
    await placed.execute(update(THING).where(THING.c.id.in_([3])).values(at=0))
    await placed.commit()
    places = (await placed.scalars(select(THING.c.at).order_by(THING.c.id))).all()
    assert [place == HERE for place in places] == [True, True, False, False, False, False]


async def test_a_mistake_is_the_same_wherever_it_is_made(placed):
    for _ in range(2):  # the first begins the transaction
        with pytest.raises(OperationalError, match="no such table"):
            await placed.execute(text("SELECT * FROM nowhere"))
    await placed.rollback()


async def test_a_transaction_without_a_statement_is_none(sqlite_url):
    path = sqlite_url.removeprefix("sqlite+aiosqlite:///")
    async with open_storage(sqlite_url) as storage:
        async with storage.begin():
            # Nobody waits for it.
            with sqlite3.connect(path, timeout=0) as other:
                other.execute("BEGIN IMMEDIATE")
            other.close()
        async with storage.read() as db:
            assert await db.scalar(text("SELECT count(*) FROM member")) == 0


async def test_nothing_is_done_here_while_the_thread_is_at_work(tmp_path):
    connection = connect(str(tmp_path / "jisr.db"), 1)
    await connection
    try:
        connection.begin_with("BEGIN")
        begun, go_on = threading.Event(), threading.Event()

        def slowly(_it: sqlite3.Connection) -> None:
            begun.set()
            assert go_on.wait(60)

        slow = asyncio.ensure_future(connection.run(slowly))
        await asyncio.to_thread(begun.wait, 60)
        assert not connection.run_here(lambda it: it.execute("SELECT 1").close(), BRIEF)
        go_on.set()
        await slow
        assert connection.run_here(lambda it: it.execute("SELECT 1").close(), BRIEF)
    finally:
        await connection.close()
