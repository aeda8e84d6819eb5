"""The engine's office: of all processes that serve one bot, one sends and ticks.

The office is a lease in the database. It is renewed every third of its length by the time of day,
never by the simulated clock; whoever is cut off for longer has lost it, and a successor may begin.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from bot.clock import RealClock
from storage import leases
from storage.database import Storage

log = structlog.get_logger()

NAME = "engine"


class SecondEngine(Exception):  # noqa: N818  # it is somebody
    """Another process serves this SQLite database: it is for one alone."""


class Office:
    """The right to act alone, held by this process or by another."""

    def __init__(self, storage: Storage, name: str = NAME) -> None:
        self._storage, self._name, self._clock = storage, name, RealClock()
        self.holder = str(uuid.uuid4())

    async def held(self, db: AsyncSession) -> bool:
        """Whether we still hold it, asked inside the transaction that acts."""
        return await leases.holds(db, self._name, self.holder, self._clock.now())

    async def renew(self) -> bool:
        """Take, keep or win it. False: somebody else has it."""
        async with self._storage.begin() as db:
            return await leases.hold(db, self._name, self.holder, self._clock.now())

    async def won(self) -> None:
        """Wait until it is ours. Raises SecondEngine on SQLite if its holder is alive."""
        waited = 0.0
        beat = leases.LEASE.total_seconds() / 3
        while not await self.renew():
            if waited == 0:
                log.info("another engine is at work; waiting for its lease to end")
            if self._storage.is_sqlite and waited > leases.LEASE.total_seconds():
                raise SecondEngine
            await asyncio.sleep(beat / 4)
            waited += beat / 4

    async def kept(self) -> None:
        """Renew until it is lost, then return."""
        beat = leases.LEASE.total_seconds() / 3
        last = self._clock.now()
        while True:
            await asyncio.sleep(beat)
            try:
                if not await self.renew():
                    return
                last = self._clock.now()
            except (SQLAlchemyError, OSError) as error:
                log.warning("the lease could not be renewed", error=type(error).__name__)
                if self._clock.now() - last > leases.LEASE:
                    return

    @asynccontextmanager
    async def until_left(self) -> AsyncIterator[None]:
        """Leave the office at the end of the block, so that a successor needn't wait."""
        try:
            yield
        finally:
            async with self._storage.begin() as db:
                await leases.release(db, self._name, self.holder, self._clock.now())
