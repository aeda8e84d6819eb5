"""The history of the tables, walked up and down on both databases."""

import asyncio
import os
import sys

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, select, text

from storage.database import open_storage
from storage.migrations import alembic_config, migrate, pending
from storage.tables import Base, Member

TABLES = {*Base.metadata.tables, "alembic_version"}


@pytest.fixture
async def empty_url(database_url):
    """A database without tables."""
    async with open_storage(database_url) as storage, storage.engine.begin() as connection:
        if not storage.is_sqlite:
            await connection.execute(text("DROP SCHEMA public CASCADE"))
            await connection.execute(text("CREATE SCHEMA public"))
            return database_url
    return database_url.replace("jisr.db", "empty.db")


async def tables(storage):
    async with storage.engine.connect() as connection:
        return await connection.run_sync(lambda it: set(inspect(it).get_table_names()))


async def downgrade(storage, revision):
    async with storage.engine.begin() as connection:
        await connection.run_sync(lambda it: command.downgrade(alembic_config(it), revision))


async def differences(storage):
    """What alembic would write into the next revision."""

    def compare(connection):
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        return compare_metadata(context, Base.metadata)

    async with storage.engine.connect() as connection:
        return await connection.run_sync(compare)


async def test_the_tables_are_built_from_nothing(empty_url):
    async with open_storage(empty_url) as storage:
        assert await tables(storage) == set()
        assert await pending(storage)
        await migrate(storage)
        assert await tables(storage) == TABLES
        assert not await pending(storage)
        await migrate(storage)
        assert not await pending(storage)


async def test_the_models_are_what_the_migrations_make(storage):
    assert await differences(storage) == []


async def test_a_column_without_a_migration_would_be_told(storage):
    async with storage.engine.begin() as connection:
        await connection.execute(text("ALTER TABLE member DROP COLUMN city"))
    assert [(what, table) for what, _, table, _ in await differences(storage)] == [
        ("add_column", "member")
    ]


async def test_each_step_can_be_taken_back_and_taken_again(storage):
    steps = list(ScriptDirectory.from_config(alembic_config()).walk_revisions())
    for step in steps:
        await downgrade(storage, step.down_revision or "base")
        assert await pending(storage)
    assert await tables(storage) == {"alembic_version"}
    for step in reversed(steps):
        await migrate(storage, step.revision)
    assert not await pending(storage)
    assert await tables(storage) == TABLES
    assert await differences(storage) == []


async def test_old_members_keep_the_leads_they_chose_and_get_the_usual_quiet_hours(empty_url):
    kept = {"usual": (1440, 15), "none": (), "other": (60, 15), "more": (1440, 60, 15)}
    async with open_storage(empty_url) as storage:
        await migrate(storage, "0001")
        async with storage.engine.begin() as connection:
            for number, (name, leads) in enumerate(kept.items(), 1):
                await connection.execute(
                    text(
                        "INSERT INTO member (id, name, role, created_at, registered_at) "
                        "VALUES (:id, :name, 'member', '2026-11-22', '2026-11-22')"
                    ),
                    {"id": number, "name": name},
                )
                for minutes in leads:
                    await connection.execute(
                        text("INSERT INTO member_lead (member_id, minutes) VALUES (:id, :minutes)"),
                        {"id": number, "minutes": minutes},
                    )
            await connection.execute(
                text(
                    "INSERT INTO member (id, name, role, created_at) "
                    "VALUES (9, 'a stranger', 'member', '2026-11-22')"
                )
            )
        await migrate(storage)
        async with storage.read() as db:
            found = (await db.scalars(select(Member).order_by(Member.id))).all()
    assert {one.name: one.own_leads for one in found} == {
        "usual": False,
        "none": True,
        "other": True,
        "more": True,
        "a stranger": False,
    }
    assert {(one.timezone, one.quiet_from, one.quiet_until) for one in found} == {(None, 1320, 480)}


async def test_two_tasks_may_migrate_at_once(empty_url):
    async with open_storage(empty_url) as one, open_storage(empty_url) as other:
        await asyncio.gather(migrate(one), migrate(other))
        assert await tables(one) == TABLES
        assert not await pending(other)


async def test_two_processes_may_migrate_at_once(empty_url):
    processes = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", "migrate"),
            env=os.environ | {"JISR_DATABASE_URL": empty_url},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        for _ in range(2)
    ]
    said = [(await process.communicate())[0].decode() for process in processes]
    assert said == ["The database is up to date.\n"] * 2
    async with open_storage(empty_url) as storage:
        assert not await pending(storage)
        assert await tables(storage) == TABLES
