"""The history of the tables, told by alembic; `migrate` brings any database up to today."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from storage.database import Storage

# The key of PostgreSQL's advisory lock while tables change: any constant of our own ("jisr").
_LOCK = 0x6A697372


def alembic_config(connection: Connection | None = None) -> Config:
    """What alembic needs to find the revisions and, if given, the connection to use."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    return config


def _upgrade(connection: Connection, revision: str) -> None:
    # One at a time, also in this process: what alembic works on is the process's own. On SQLite the
    # transaction is the lock, and begins with its first statement.
    lock = "pg_advisory_xact_lock(:key)" if connection.dialect.name == "postgresql" else ":key"
    connection.execute(text(f"SELECT {lock}"), {"key": _LOCK})
    command.upgrade(alembic_config(connection), revision)


async def migrate(storage: Storage, revision: str = "head") -> None:
    """Upgrade to `revision`, one process at a time: the others wait and find it done."""
    async with storage.engine.begin() as connection:
        await connection.run_sync(_upgrade, revision)


async def pending(storage: Storage) -> bool:
    """Whether this database is not at the newest revision."""

    def current(connection: Connection) -> str | None:
        return MigrationContext.configure(connection).get_current_revision()

    async with storage.engine.connect() as connection:
        here = await connection.run_sync(current)
    return here != ScriptDirectory.from_config(alembic_config()).get_current_head()
